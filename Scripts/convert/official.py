"""The official checkpoints of DiT, SiT, REPA and Latte: sizes from shapes, then config.json and model.safetensors.

Sources of the sizes: https://github.com/facebookresearch/DiT and https://github.com/willisma/SiT (models.py of both),
https://github.com/Vchitect/Latte (models/latte.py).
"""

import json
import math
import re
from pathlib import Path

import conventions
import minit2i
import networks
import pixart
import rules
import torch
import training
from weights import DTYPES, Problem, load, one_line, write

# (depth, width, heads) of the published sizes.
SIZES = {"S": (12, 384, 6), "B": (12, 768, 12), "L": (24, 1024, 16), "XL": (28, 1152, 16)}
HEADS = {(depth, width): heads for depth, width, heads in SIZES.values()}
LATENT_STRIDE = 8  # image pixels per latent pixel of the Stable Diffusion VAE
TABLE = "y_embedder.embedding_table.weight"


def convert(given, out):
    """Writes config.json and model.safetensors of the checkpoint `given.source` into `out`; prints how it was read."""
    source = given.source
    found = load(source)
    if minit2i.is_checkpoint(found):
        minit2i.convert(given, source, found, out)
        return
    network, left_out = network_in(source, found, given.tree)
    if pixart.is_official(network.tensors):
        pixart.convert(given, source, network, left_out, out)
        return
    said = training.of(source, found)
    check_supported(source, said)
    kind, why = conventions.family(source, given, said, network.tensors)
    join_decoder_blocks(network, kind)
    unconditional = kind == conventions.LATTE and TABLE not in network.tensors
    classes = NoClasses(source, given) if unconditional else Classes(source, network, given, said)
    config = sizes(source, network.tensors, given, said) | dict(num_classes=classes.count)
    if why is None and not config["learn_sigma"]:
        raise Problem(f"{source}: no variance comes out, as of REPA, but nothing says what it is; add --dit, --sit or "
                      "--repa")
    check_request(source, config, given)
    process, words = conventions.process(source, given, said, kind, config["in_channels"], classes.has_null)
    config |= process
    names = class_names(given.names, classes.count)
    if names:
        config["class_names"] = names
    rules.check(source, config)
    state = rules.tensors_of_network(source, network, config, classes.rows)
    classes.drop_untrained(state)
    kinds = write(source, state, out / "model.safetensors", DTYPES[given.dtype], exact=("pos_embed", "temp_embed"))
    (out / "config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    tell(config, f"{kind} ({why or 'nothing says otherwise; --sit and --repa do'})", words, classes.words,
         f"{network.title}, {kinds}" + (f"; left out: {left_out}" if left_out else ""))
    for name, table in fixed_positions(config).items():
        if name in state and not bool(((state[name][0].double() - table).abs() < 1e-4).all()):
            print(f"note: {source}: {name} is not the fixed table of sines and cosines; kept as it is")


def tell(config, kind, process, classes, weights):
    """Prints how the checkpoint was read."""
    side = config["input_size"]
    frames = f"{config['num_frames']} frames of " if rules.is_latte(config) else ""
    variance = ", with a variance" if config["learn_sigma"] else ""
    network = (f"{kind}: depth {config['depth']}, width {config['hidden_size']}, {config['num_heads']} heads, "
               f"patch {config['patch_size']}, input {frames}{config['in_channels']} x {side} x {side}{variance}")
    for title, line in dict(network=network, process=process, classes=classes, weights=weights).items():
        print(f"{title}   {one_line(line)}")


def network_in(source, found, tree):
    """The network to convert, and in words what else the file holds."""
    candidates, tensors, rest = networks.find(source, found)
    if not candidates:
        raise Problem(f"{source}: not an official DiT or SiT: it lacks x_embedder.proj.weight "
                      f"(it holds {', '.join(sorted(tensors)[:3])}, ...)")
    network = networks.choose(source, candidates, tree)
    if network.layout == "diffusers":
        raise Problem(f"{source}: tensors with the names of diffusers; give its directory, with a config.json beside "
                      "the weights")
    others = [f"{other.title} ({len(other.tensors)} tensors)" for other in candidates if other is not network]
    beside = sorted({name.split(".")[0] for name in network.tensors} & set(rules.BESIDE))
    return network, ", ".join(others + [f"{word} ({len(names)} tensors)" for word, names in rest.items()] + beside)


def check_supported(source, said):
    """What training says of parts that leave no tensor behind must be off."""
    for name in training.UNSUPPORTED:
        if said.values.get(name) is True:
            raise Problem(f"{source}: trained with {said.said(name)}, which DiT and SiT do not have")


def join_decoder_blocks(network, kind):
    """Early checkpoints of REPA count the blocks behind the projectors anew, as decoder_blocks."""
    if kind != conventions.REPA:
        return
    first = len({name.split(".")[1] for name in network.tensors if name.startswith("blocks.")})
    for name in [name for name in network.tensors if name.startswith("decoder_blocks.")]:
        _, number, rest = name.split(".", 2)
        network.tensors[f"blocks.{first + int(number)}.{rest}"] = network.tensors.pop(name)


class NoClasses:
    """A checkpoint without a class table."""
    count, rows, has_null, words = 0, 0, False, "none: unconditional, so it cannot be guided"

    def __init__(self, source, given):
        if given.classes:
            raise Problem(f"--classes {given.classes}: {source} has no class table: it is unconditional")
        if given.names:
            raise Problem(f"--names: {source} has no class table: it is unconditional")

    def drop_untrained(self, state):
        """There is nothing to leave out."""


class Classes:
    """How the rows of the class table are to be read."""

    def __init__(self, source, network, given, said):
        self.rows = shape(source, network.tensors, TABLE, 2)[0]
        trained = said.get("classes", int)
        if None not in (given.classes, trained) and given.classes != trained:
            raise Problem(f"{source}: trained with {said.said('classes')}, not --classes {given.classes}")
        dropout = said.get("dropout", (int, float))
        count, why = trained, said.said("classes")
        if given.classes is not None:
            count, why = given.classes, f"--classes {given.classes}"
        if count is None and dropout is not None:
            count, why = self.rows - (1 if dropout > 0 else 0), said.said("dropout")
        if count is None:
            count, why = (self.rows, "all rows") if self.rows in (1, 1000) else (
                self.rows - 1, "the last row; --classes says otherwise")
        if self.rows == 1 and count == 0:
            count, why = 1, f"{why}: unconditional"
        if count < 1 or self.rows not in (count, count + 1):
            raise Problem(f"{source}: the class table has {self.rows} rows, which are neither {count} ({why}) nor one "
                          "more")
        self.count, self.has_null = count, self.rows == count + 1
        if dropout is not None and dropout > 0 and not self.has_null:
            raise Problem(f"{source}: trained with {said.said('dropout')}, but the class table of {self.rows} rows has "
                          f"no null class beside the {count} classes ({why})")
        self.is_untrained = self.has_null and dropout == 0
        self.has_null &= not self.is_untrained
        null = "and a null class" if self.has_null else "and no null class, so it cannot be guided"
        if self.is_untrained:
            null += f": the last row was not trained ({said.said('dropout')}) and is left out"
        rows = "one row" if self.rows == 1 else f"{self.rows} rows"
        self.words = f"{count} {null}, in a table of {rows} ({why})"

    def drop_untrained(self, state):
        """Leaves out a null class that guidance must not use."""
        if self.is_untrained:
            state[TABLE] = state[TABLE][:self.count]


def shape(source, state, name, dimensions):
    """The shape of a tensor that must be there."""
    if name not in state or state[name].dim() != dimensions:
        raise Problem(f"{source}: not an official DiT or SiT: it lacks {name} of {dimensions} dimensions "
                      f"(it holds {', '.join(sorted(state)[:3])}, ...)")
    return list(state[name].shape)


def sizes(source, state, given, said):
    """The sizes that the tensors' shapes imply, under the keys of config.json."""
    width, channels, patch, _ = shape(source, state, "x_embedder.proj.weight", 4)
    depth = len({m[1] for name in state if (m := re.match(r"blocks\.(\d+)\.", name))})
    tokens = shape(source, state, "pos_embed", 3)[1]
    grid = math.isqrt(tokens)
    if grid * grid != tokens:
        raise Problem(f"{source}: pos_embed has {tokens} positions, which are no square")
    out_channels = shape(source, state, "final_layer.linear.weight", 2)[0] / patch**2
    if out_channels not in (channels, 2 * channels):
        raise Problem(f"{source}: {out_channels:g} channels come out of {channels}; only as many or twice as many are "
                      "supported")
    learn_sigma = out_channels == 2 * channels
    if said.get("learn_sigma", bool) not in (None, learn_sigma):
        raise Problem(f"{source}: trained with {said.said('learn_sigma')}, but {out_channels:g} channels come out of "
                      f"{channels}")
    hidden = shape(source, state, "blocks.0.mlp.fc1.weight", 2)[0]
    ratio = hidden / width
    kind = dict(architecture="DiT")
    if conventions.TIMES in state:
        kind = dict(architecture="Latte", num_frames=shape(source, state, conventions.TIMES, 3)[1])
    return kind | dict(
        depth=depth, hidden_size=width, num_heads=heads(source, depth, width, given, said),
        patch_size=patch, input_size=grid * patch, in_channels=channels, learn_sigma=learn_sigma,
        mlp_ratio=ratio if int(width * ratio) == hidden else (hidden + 0.5) / width)


def heads(source, depth, width, given, said):
    """The attention heads: given, said, or those of the published size."""
    trained = said.get("heads", int)
    if given.heads and trained and given.heads != trained:
        raise Problem(f"{source}: trained with {said.said('heads')}, not --heads {given.heads}")
    count = given.heads or trained or HEADS.get((depth, width))
    if count is None:
        raise Problem(f"{source}: depth {depth} and width {width} are no published size; give --heads")
    if width % count:
        raise Problem(f"{source}: width {width} is not divisible by {count} heads; correct --heads")
    return count


def check_request(source, config, given):
    """What was asked for with --model and --image-size must be what the checkpoint holds."""
    if given.model:
        match = re.fullmatch(r"(DiT|SiT|Latte)-(S|B|L|XL)/([248])", given.model)
        if not match:
            raise Problem(f"--model {given.model}: give DiT, SiT or Latte, a size S, B, L or XL, and a patch, as in "
                          "DiT-XL/2")
        if (match[1] == "Latte") != rules.is_latte(config):
            raise Problem(f"{source}: --model {given.model}, but it has {'' if rules.is_latte(config) else 'no '}"
                          f"{conventions.TIMES}, which only a Latte has")
        asked = dict(zip(("depth", "hidden_size", "num_heads"), SIZES[match[2]])) | dict(patch_size=int(match[3]))
        for key, value in asked.items():
            if config[key] != value:
                raise Problem(f"{source}: {key} is {config[key]}, but {given.model} has {value}")
    found = config["input_size"] * LATENT_STRIDE
    if given.image_size not in (None, found):
        raise Problem(f"{source}: made for images of {found} pixels, not --image-size {given.image_size}")


def class_names(file, count):
    """The names in `file`, or ImageNet's for its number of classes, or none."""
    if file is None:
        if count != 1000:
            return None
        file = Path(__file__).with_name("imagenet_classes.txt")
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    if len(names) != count:
        raise Problem(f"{file}: {len(names)} names for {count} classes")
    return names


def fixed_positions(config):
    """The tables of sines and cosines that weights-format.md describes, by their names."""
    def line(count, width):
        rate = 10000.0 ** (-torch.arange(width // 2, dtype=torch.float64) / (width // 2))
        angle = torch.arange(count, dtype=torch.float64)[:, None] * rate
        return torch.cat([angle.sin(), angle.cos()], dim=1)

    width, side = config["hidden_size"], config["input_size"] // config["patch_size"]
    half = line(side, width // 2)
    tables = {"pos_embed": torch.cat([half.repeat(side, 1), half.repeat_interleave(side, dim=0)], dim=1)}
    return tables | ({conventions.TIMES: line(config["num_frames"], width)} if rules.is_latte(config) else {})
