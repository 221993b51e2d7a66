"""PixArt-alpha and PixArt-Sigma: official checkpoints, and the tensors of diffusers' directories.

Sources: https://github.com/PixArt-alpha/PixArt-sigma (diffusion/model/nets, tools/convert_pixart_to_diffusers.py) for names and
for what follows from the size of the pictures.
"""

import json
import math

import networks
from weights import DTYPES, Problem, one_line, write

MARK = "y_embedder.y_proj.fc1.weight"  # a DiT has no such tensor
NULL_CAPTION = "y_embedder.y_embedding"  # of the training; the pipelines encode an empty prompt in its place
PIPELINES = ("PixArtAlphaPipeline", "PixArtSigmaPipeline")
LATENT_STRIDE = 8
HEADS = {1152: 16}
TOKENS = {"alpha": 120, "Sigma": 300}
# What positions are divided by, for pictures of so many pixels along a side.
SCALES = {"alpha": {256: 1, 512: 1, 1024: 2}, "Sigma": {256: 0.5, 512: 1, 1024: 2, 2048: 4}}
SCHEDULER = dict(_class_name="DPMSolverMultistepScheduler", algorithm_type="dpmsolver++", solver_order=2,
                 solver_type="midpoint", lower_order_final=True, num_train_timesteps=1000, beta_schedule="linear",
                 beta_start=0.0001, beta_end=0.02, prediction_type="epsilon", timestep_spacing="linspace")
# Our names of modules and tensors, and diffusers'.
NAMES = {
    "x_embedder.proj": "pos_embed.proj", "t_embedder.mlp.0": "adaln_single.emb.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "adaln_single.emb.timestep_embedder.linear_2", "t_block.1": "adaln_single.linear",
    "csize_embedder.mlp.0": "adaln_single.emb.resolution_embedder.linear_1",
    "csize_embedder.mlp.2": "adaln_single.emb.resolution_embedder.linear_2",
    "ar_embedder.mlp.0": "adaln_single.emb.aspect_ratio_embedder.linear_1",
    "ar_embedder.mlp.2": "adaln_single.emb.aspect_ratio_embedder.linear_2",
    "y_embedder.y_proj.fc1": "caption_projection.linear_1", "y_embedder.y_proj.fc2": "caption_projection.linear_2",
    "final_layer.linear": "proj_out", "final_layer.scale_shift_table": "scale_shift_table"}
BLOCK_NAMES = {
    "attn.proj": "attn1.to_out.0", "cross_attn.q_linear": "attn2.to_q", "cross_attn.proj": "attn2.to_out.0",
    "mlp.fc1": "ff.net.0.proj", "mlp.fc2": "ff.net.2", "scale_shift_table": "scale_shift_table"}


def is_official(tensors):
    return MARK in tensors


def is_config(config):
    """Whether a config.json is that of a PixArt."""
    name = config.get("_class_name", config.get("architecture"))
    return name in ("PixArtTransformer2DModel", "PixArt") or (
        name == "Transformer2DModel" and config.get("norm_type") == "ada_norm_single")


def shapes(layout, config):
    """Name and shape of every tensor that a network of this configuration has."""
    width = config["num_attention_heads"] * config["attention_head_dim"]
    patch, channels, caption = config["patch_size"], config["in_channels"], config["caption_channels"]
    layers = {"x_embedder.proj": (width, channels, patch, patch), "t_embedder.mlp.0": (width, 256),
              "t_embedder.mlp.2": (width, width), "t_block.1": (6 * width, width),
              "y_embedder.y_proj.fc1": (width, caption), "y_embedder.y_proj.fc2": (width, width),
              "final_layer.linear": (patch * patch * config["out_channels"], width)}
    if config["use_additional_conditions"]:
        for name in ("csize_embedder", "ar_embedder"):
            layers |= {f"{name}.mlp.0": (width // 3, 256), f"{name}.mlp.2": (width // 3, width // 3)}
    tables = {"final_layer.scale_shift_table": (2, width)}
    blocks = {"attn.proj": (width, width), "cross_attn.q_linear": (width, width), "cross_attn.proj": (width, width),
              "mlp.fc1": (4 * width, width), "mlp.fc2": (width, 4 * width)}
    if layout == "diffusers":
        layers = {NAMES[name]: shape for name, shape in layers.items()}
        tables = {NAMES[name]: shape for name, shape in tables.items()}
        blocks = {BLOCK_NAMES[name]: shape for name, shape in blocks.items()} | {
            name: (width, width) for name in ("attn1.to_q", "attn1.to_k", "attn1.to_v", "attn2.to_k", "attn2.to_v")}
    else:
        blocks |= {"attn.qkv": (3 * width, width), "cross_attn.kv_linear": (2 * width, width)}
    prefix = "transformer_blocks" if layout == "diffusers" else "blocks"
    for i in range(config["num_layers"]):
        layers |= {f"{prefix}.{i}.{name}": shape for name, shape in blocks.items()}
        tables[f"{prefix}.{i}.scale_shift_table"] = (6, width)
    result = dict(tables)
    for name, shape in layers.items():
        result |= {name + ".weight": shape, name + ".bias": shape[:1]}
    return result


def tensors_of(path, network, config):
    """The tensors that the network consists of; it must have exactly those that its configuration implies."""
    expected = shapes(network.layout, config)
    beside = {NULL_CAPTION, "pos_embed", "pos_embed.pos_embed"}
    names = {name for name, tensor in network.tensors.items()
             if name in expected or tensor.is_floating_point() and name not in beside}
    for what, found in (("lacks", expected.keys() - names), ("also holds", names - expected.keys())):
        if found:
            count = f", ... ({len(found)} in all)" if len(found) > 3 else ""
            raise Problem(f"{path}: another network than a PixArt: it {what} {', '.join(sorted(found)[:3])}{count}")
    for name in names:
        if tuple(network.tensors[name].shape) != expected[name]:
            raise Problem(f"{path}: {name} has shape {list(network.tensors[name].shape)}, but its sizes imply "
                          f"{list(expected[name])}")
    return {name: network.tensors[name] for name in sorted(names)}


def tensors_of_directory(path, found, config, tree):
    """The tensors of a directory's network, whose configuration has diffusers' keys and defaults."""
    defaults = dict(num_attention_heads=16, attention_head_dim=72, in_channels=4, num_layers=28, patch_size=2,
                    sample_size=128)
    config = defaults | dict(out_channels=8) | config
    if config["out_channels"] is None:
        config["out_channels"] = config["in_channels"]
    if config.get("use_additional_conditions") is None:
        config["use_additional_conditions"] = config["sample_size"] == 128
    if not isinstance(config.get("caption_channels"), int):
        raise Problem(f"{path}: config.json has no caption_channels; only networks that project captions are supported")
    candidates, tensors, _ = networks.find(path, found)
    if not candidates:
        raise Problem(f"{path}: no PixArt: it lacks {' and '.join(networks.ANCHORS.values())} "
                      f"(it holds {', '.join(sorted(tensors)[:3])}, ...)")
    return tensors_of(path, networks.choose(path, candidates, tree), config)


def convert(given, source, network, left_out, out):
    """Writes config.json, model.safetensors and the scheduler of an official checkpoint; prints how it was read."""
    for name, value in dict(model=given.model, dit=given.dit, sit=given.sit, repa=given.repa, path=given.path,
                            classes=given.classes, names=given.names).items():
        if value not in (None, False):
            raise Problem(f"--{name}: not for a PixArt, which {source} is by its {MARK}")
    tensors = network.tensors
    if NULL_CAPTION not in tensors:
        raise Problem(f"{source}: lacks {NULL_CAPTION}, whose rows tell alpha (120) from Sigma (300)")
    tokens, caption = tensors[NULL_CAPTION].shape
    kind = next((kind for kind, count in TOKENS.items() if count == tokens), None)
    if kind is None:
        raise Problem(f"{source}: trained with captions of {tokens} tokens; alpha has 120 and Sigma 300")
    width, channels, patch, _ = tensors["x_embedder.proj.weight"].shape
    side = image_size(given, source, kind, tensors, patch)
    heads = given.heads or HEADS.get(width)
    if heads is None or width % heads:
        raise Problem(f"{source}: width {width} is no published size, or not divisible by --heads; give --heads")
    config = dict(
        architecture="PixArt", norm_type="ada_norm_single", num_attention_heads=heads, attention_head_dim=width // heads,
        num_layers=len({name.split(".")[1] for name in tensors if name.startswith("blocks.")}), in_channels=channels,
        out_channels=tensors["final_layer.linear.weight"].shape[0] // patch**2, patch_size=patch,
        sample_size=side // LATENT_STRIDE, cross_attention_dim=width, caption_channels=caption, norm_eps=1e-6,
        interpolation_scale=SCALES[kind][side], use_additional_conditions="csize_embedder.mlp.0.weight" in tensors,
        prompt_tokens=tokens, guidance_scale=4.5)
    state = tensors_of(source, network, config)
    kinds = write(source, state, out / "model.safetensors", DTYPES[given.dtype])
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    (out / "scheduler").mkdir()
    (out / "scheduler/scheduler_config.json").write_text(json.dumps(SCHEDULER, indent=1) + "\n", encoding="utf-8")
    sizes = ", told the picture's size" if config["use_additional_conditions"] else ""
    print(one_line(f"network   PixArt-{kind}: depth {config['num_layers']}, width {width}, {heads} heads, patch {patch}, "
                   f"pictures of {side} pixels{sizes}"))
    print(f"captions  up to {tokens} tokens of {caption} numbers; {NULL_CAPTION} is left out, as guidance is away from an "
          "empty prompt")
    print(one_line(f"weights   {network.title}, {kinds}" + (f"; left out: {left_out}" if left_out else "")))
    print("note: a text encoder and its tokenizer belong beside the network, in text_encoder and tokenizer")


def image_size(given, source, kind, tensors, patch):
    """The side of the pictures: given, or that of the table of positions."""
    found = None
    if "pos_embed" in tensors:
        found = math.isqrt(tensors["pos_embed"].shape[-2]) * patch * LATENT_STRIDE
    if None not in (found, given.image_size) and found != given.image_size:
        raise Problem(f"{source}: made for pictures of {found} pixels, not --image-size {given.image_size}")
    side = given.image_size or found
    if side is None:
        raise Problem(f"{source}: nothing in it tells the size of its pictures; give --image-size")
    if side not in SCALES[kind]:
        raise Problem(f"{source}: --image-size {side}: PixArt-{kind} was trained for "
                      f"{', '.join(map(str, SCALES[kind]))} pixels")
    return side
