"""The official checkpoints of DiT and SiT: sizes from shapes, then config.json and model.safetensors.

Sources of the sizes and conventions: https://github.com/facebookresearch/DiT (models.py, sample.py) and
https://github.com/willisma/SiT (models.py, transport/, sample.py). The two networks have the same tensors.
"""

import json
import math
import re
from pathlib import Path

import torch
from weights import DTYPES, Problem, load, tensors_only, without_prefixes, write

# (depth, width, heads) of the published sizes.
SIZES = {"S": (12, 384, 6), "B": (12, 768, 12), "L": (24, 1024, 16), "XL": (28, 1152, 16)}
HEADS = {(depth, width): heads for depth, width, heads in SIZES.values()}
GUIDED_CHANNELS = 3  # forward_with_cfg of both guides the first three only
LATENT_STRIDE = 8  # image pixels per latent pixel of the Stable Diffusion VAE
SIT_PATHS = {"Linear": "linear", "GVP": "trigonometric"}
# Heads for an auxiliary loss of training, which sampling does not evaluate (REPA).
TRAINING_ONLY = ("projectors.",)


def convert(given, out):
    """Writes config.json and model.safetensors of the checkpoint `given.source` into `out`."""
    source = given.source
    state, training = state_of(source)
    config = sizes(source, state, given)
    check_tensors(source, state, config)
    check_request(source, config, given)
    config |= process(source, given, training)
    names = class_names(given.names, config["num_classes"])
    if names:
        config["class_names"] = names
    write(source, state, out / "model.safetensors", DTYPES[given.dtype], exact=("pos_embed",))
    (out / "config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if not has_fixed_positions(state["pos_embed"], config):
        print(f"note: {source}: pos_embed is not the fixed table of sines and cosines; kept as it is")


def state_of(source):
    """The weights (exponential averages where there are both), and the training's command line as a dict."""
    found = load(source)
    training = {}
    if isinstance(found, dict):
        training = vars(found["args"]) if hasattr(found.get("args"), "__dict__") else {}
        found = next((found[key] for key in ("ema", "model", "state_dict") if isinstance(found.get(key), dict)), found)
    state = without_prefixes(tensors_only(source, found))
    return {name: t for name, t in state.items() if not name.startswith(TRAINING_ONLY)}, training


def sizes(source, state, given):
    """The sizes that the tensors' shapes imply, under the keys of config.json."""
    def shape(name, dimensions):
        if name not in state or state[name].dim() != dimensions:
            raise Problem(f"{source}: not an official DiT or SiT: it lacks {name} of {dimensions} dimensions "
                          f"(it holds {', '.join(sorted(state)[:3])}, ...)")
        return list(state[name].shape)

    width, channels, patch, _ = shape("x_embedder.proj.weight", 4)
    depth = len({m[1] for name in state if (m := re.match(r"blocks\.(\d+)\.", name))})
    tokens = shape("pos_embed", 3)[1]
    grid = math.isqrt(tokens)
    if grid * grid != tokens:
        raise Problem(f"{source}: pos_embed has {tokens} positions, which are no square")
    out_channels = shape("final_layer.linear.weight", 2)[0] // patch**2
    rows = shape("y_embedder.embedding_table.weight", 2)[0]
    classes = given.classes or (1000 if rows == 1000 else rows - 1)
    if rows not in (classes, classes + 1):
        raise Problem(f"{source}: the class table has {rows} rows, which is neither --classes {classes} nor one more")
    heads = given.heads or HEADS.get((depth, width))
    if heads is None:
        raise Problem(f"{source}: depth {depth} and width {width} are no published size; give --heads")
    if width % heads:
        raise Problem(f"{source}: width {width} is not divisible by {heads} heads; correct --heads")
    return dict(
        architecture="DiT", depth=depth, hidden_size=width, num_heads=heads, patch_size=patch, input_size=grid * patch,
        in_channels=channels, learn_sigma=out_channels == 2 * channels, num_classes=classes,
        mlp_ratio=shape("blocks.0.mlp.fc1.weight", 2)[0] / width)


def expected_shapes(config, rows):
    """Name and shape of every tensor that a network of these sizes has."""
    width, patch, channels = (config[key] for key in ("hidden_size", "patch_size", "in_channels"))
    hidden, out = int(width * config["mlp_ratio"]), channels * (2 if config["learn_sigma"] else 1)
    layers = {"x_embedder.proj": (width, channels, patch, patch), "t_embedder.mlp.0": (width, 256),
              "t_embedder.mlp.2": (width, width), "final_layer.adaLN_modulation.1": (2 * width, width),
              "final_layer.linear": (patch * patch * out, width)}
    for i in range(config["depth"]):
        layers |= {f"blocks.{i}.attn.qkv": (3 * width, width), f"blocks.{i}.attn.proj": (width, width),
                   f"blocks.{i}.mlp.fc1": (hidden, width), f"blocks.{i}.mlp.fc2": (width, hidden),
                   f"blocks.{i}.adaLN_modulation.1": (6 * width, width)}
    result = {"y_embedder.embedding_table.weight": (rows, width),
              "pos_embed": (1, (config["input_size"] // patch) ** 2, width)}
    for name, shape in layers.items():
        result |= {name + ".weight": shape, name + ".bias": shape[:1]}
    return result


def check_tensors(source, state, config):
    """The checkpoint must have exactly the tensors that its sizes imply."""
    expected = expected_shapes(config, state["y_embedder.embedding_table.weight"].shape[0])
    for what, names in (("lacks", expected.keys() - state.keys()), ("also holds", state.keys() - expected.keys())):
        if names:
            raise Problem(f"{source}: another network than DiT or SiT: it {what} {', '.join(sorted(names)[:3])}")
    for name, shape in expected.items():
        if tuple(state[name].shape) != shape:
            raise Problem(f"{source}: {name} has shape {list(state[name].shape)}, expected {list(shape)}")


def check_request(source, config, given):
    """What was asked for with --model and --image-size must be what the checkpoint holds."""
    if given.model:
        match = re.fullmatch(r"([DS]iT)-(S|B|L|XL)/([248])", given.model)
        if not match:
            raise Problem(f"--model {given.model}: give DiT or SiT, a size S, B, L or XL, and a patch, as in DiT-XL/2")
        if match[1] == "DiT" and (given.sit or given.path):
            raise Problem(f"--model {given.model}: --sit and --path are for SiT")
        asked = dict(zip(("depth", "hidden_size", "num_heads"), SIZES[match[2]])) | dict(patch_size=int(match[3]))
        for key, value in asked.items():
            if config[key] != value:
                raise Problem(f"{source}: {key} is {config[key]}, but {given.model} has {value}")
    found = config["input_size"] * LATENT_STRIDE
    if given.image_size not in (None, found):
        raise Problem(f"{source}: made for images of {found} pixels, not --image-size {given.image_size}")


def process(source, given, training):
    """What the network was trained to undo, and the guidance of the official code."""
    guidance = dict(guidance_scale=4.0, guidance_channels=GUIDED_CHANNELS)
    is_sit = given.sit or given.path or (given.model or "").startswith("SiT") or "path_type" in training
    if not is_sit:
        if "sit" in re.split(r"[^a-z]", source.stem.lower()) and not given.model:
            raise Problem(f"{source}: SiT by its name, but its tensors are DiT's too; add --sit (or --model DiT-...)")
        return dict(prediction_type="epsilon", num_train_timesteps=1000, beta_schedule="linear", beta_start=0.0001,
                    beta_end=0.02) | guidance
    if training.get("prediction", "velocity") != "velocity":
        raise Problem(f"{source}: trained to predict the {training['prediction']}; only velocity is supported")
    trained = training.get("path_type", "Linear" if given.path in (None, "linear") else "GVP")
    if trained not in SIT_PATHS:
        raise Problem(f"{source}: trained on the path {trained}; {' and '.join(SIT_PATHS)} are supported")
    if given.path not in (None, SIT_PATHS[trained]):
        raise Problem(f"{source}: trained on the path {trained}, not --path {given.path}")
    return dict(prediction_type="flow", flow_path=SIT_PATHS[trained], flow_direction="to_data",
                timestep_scale=1) | guidance


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


def has_fixed_positions(positions, config):
    """Whether the positions are the table of sines and cosines that weights-format.md describes, within 1e-4."""
    quarter, side = config["hidden_size"] // 4, config["input_size"] // config["patch_size"]
    rate = 10000.0 ** (-torch.arange(quarter, dtype=torch.float64) / quarter)
    angle = torch.arange(side, dtype=torch.float64)[:, None] * rate
    line = torch.cat([angle.sin(), angle.cos()], dim=1)
    table = torch.cat([line.repeat(side, 1), line.repeat_interleave(side, dim=0)], dim=1)
    return bool(((positions[0].double() - table).abs() < 1e-4).all())
