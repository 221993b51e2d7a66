"""What omnicache loads: bounds of config.json, and the tensors that a configuration calls for (weights-format.md).

The same rules as in Sources/Models; Scripts/verify/convert.py holds them against the
binary.
"""

from weights import Problem

BOUNDS = dict(depth=1024, hidden_size=1 << 15, num_heads=1 << 15, patch_size=1 << 8, input_size=1 << 16,
              in_channels=1 << 10, num_classes=1 << 20)
MOST_FRAMES = 1 << 10
LARGEST_GRID = 1 << 8
LARGEST_MLP = 1 << 18
# What may lie in a file beside the network: heads of an auxiliary loss of training (REPA), and what trainers save.
BESIDE = ("projectors", "ema", "model_ema", "ema_model", "loss", "vae", "first_stage_model")
# Of diffusers' configuration: the only value that is supported, which is meant where the key is absent, too.
DIFFUSERS = dict(norm_type="ada_norm_zero", activation_fn="gelu-approximate", attention_bias=True,
                 norm_elementwise_affine=False)
# Of decoders: the values that are supported, the first of which is meant where the key is absent.
DECODERS = {
    "AutoencoderKL": dict(act_fn=("silu", "swish"), latents_mean=(None,), latents_std=(None,)),
    "AutoencoderTiny": dict(act_fn=("relu",), upsample_fn=("nearest",), upsampling_scaling_factor=(2,)),
}


def is_latte(config):
    return config.get("architecture") == "Latte"


def check(path, config):
    """Checks the sizes in a configuration of ours."""
    for key, most in (BOUNDS | (dict(num_frames=MOST_FRAMES) if is_latte(config) else {})).items():
        least = 0 if key == "num_classes" and is_latte(config) else 1
        if not least <= whole(path, config, key) <= most:
            raise Problem(f"{path}: {key} is {config[key]}, not in {least}...{most}")
    if is_latte(config) and config["depth"] % 2:
        raise Problem(f"{path}: depth is {config['depth']}, an odd number; Latte's blocks come in pairs, one over space and "
                      "one over time")
    if not isinstance(config.get("learn_sigma"), bool):
        raise Problem(f"{path}: learn_sigma is {config.get('learn_sigma')}, not true or false")
    width, heads, patch, side = (config[key] for key in ("hidden_size", "num_heads", "patch_size", "input_size"))
    for key, value, by, divisor in (("hidden_size", width, "num_heads", heads), ("hidden_size", width, "4", 4),
                                    ("input_size", side, "patch_size", patch)):
        if value % divisor:
            raise Problem(f"{path}: {key} {value} is not divisible by {by} {divisor if by != '4' else ''}".rstrip())
    if side // patch > LARGEST_GRID:
        raise Problem(f"{path}: input_size / patch_size is {side // patch}, not in 1...{LARGEST_GRID}")
    ratio = config.get("mlp_ratio", 4)
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 1 <= width * ratio <= LARGEST_MLP:
        raise Problem(f"{path}: mlp_ratio is {ratio}, not a number that makes an MLP of 1 to {LARGEST_MLP}")
    names = config.get("class_names")
    if names and len(names) != (config["num_classes"] or 1):
        raise Problem(f"{path}: class_names has {len(names)} names, but num_classes is {config['num_classes']}")


def whole(path, config, key, default=None):
    """The whole number at a key."""
    value = config.get(key, default)
    if isinstance(value, bool) or not (isinstance(value, int) or isinstance(value, float) and value.is_integer()):
        raise Problem(f"{path}: {key} is {value}, not a whole number")
    return int(value)


def sizes(path, config):
    """The sizes in a config.json of either form, under our keys."""
    if "_class_name" not in config:
        if config.get("architecture", "DiT") not in ("DiT", "Latte"):
            raise Problem(f"{path}: architecture is {config['architecture']}; only DiT and Latte are supported")
        return config | {key: whole(path, config, key) for key in BOUNDS}
    name = config["_class_name"]
    if name not in ("DiTTransformer2DModel", "Transformer2DModel"):
        raise Problem(f"{path}: _class_name is {name}; only DiTTransformer2DModel is supported")
    for key, supported in DIFFUSERS.items():
        absent = "layer_norm" if key == "norm_type" and name == "Transformer2DModel" else supported
        value = config.get(key, absent)
        # A null flag is false, as in Python.
        if value != supported and not (value is None and supported is False):
            raise Problem(f"{path}: {key} is {value}; only {supported} is supported")
    epsilon = config.get("norm_eps", 1e-5)
    if isinstance(epsilon, bool) or not isinstance(epsilon, (int, float)):
        raise Problem(f"{path}: norm_eps is {epsilon}, not a number")
    channels, heads = whole(path, config, "in_channels", 4), whole(path, config, "num_attention_heads", 16)
    out = channels if config.get("out_channels") is None else whole(path, config, "out_channels")
    if out not in (channels, 2 * channels):
        raise Problem(f"{path}: out_channels is {out}; only in_channels ({channels}) or twice as many are supported")
    return dict(depth=whole(path, config, "num_layers", 28), num_heads=heads, in_channels=channels,
                hidden_size=heads * whole(path, config, "attention_head_dim", 72),
                patch_size=whole(path, config, "patch_size", 2), input_size=whole(path, config, "sample_size", 32),
                learn_sigma=out != channels, num_classes=whole(path, config, "num_embeds_ada_norm", 1000))


def check_decoder(path, config):
    """Checks what is supported of a decoder's configuration."""
    name = config.get("_class_name")
    if name not in DECODERS:
        raise Problem(f"{path}: _class_name is {name}; only {' and '.join(DECODERS)} are supported as decoders")
    for key, supported in DECODERS[name].items():
        if config.get(key, supported[0]) not in supported:
            raise Problem(f"{path}: {key} is {config[key]}; only {supported[0]} is supported")
    other = [block for block in config.get("up_block_types") or () if block != "UpDecoderBlock2D"]
    if other:
        raise Problem(f"{path}: up_block_types has {other[0]}; only UpDecoderBlock2D is supported")
    if config.get("out_channels", 3) not in (1, 3):
        raise Problem(f"{path}: out_channels is {config['out_channels']}; only 1 and 3 are supported")


def shapes(layout, config, rows):
    """Name and shape of every tensor that a network of these sizes, and of `rows` rows for classes, has."""
    width, patch, channels = (config[key] for key in ("hidden_size", "patch_size", "in_channels"))
    hidden, out = int(width * config.get("mlp_ratio", 4)), channels * (2 if config["learn_sigma"] else 1)
    blocks = range(config["depth"])
    final = {"modulation": (2 * width, width), "linear": (patch * patch * out, width)}
    if layout == "official":
        layers = {"x_embedder.proj": (width, channels, patch, patch), "t_embedder.mlp.0": (width, 256),
                  "t_embedder.mlp.2": (width, width), "final_layer.adaLN_modulation.1": final["modulation"],
                  "final_layer.linear": final["linear"]}
        for b in (f"blocks.{i}" for i in blocks):
            layers |= {f"{b}.attn.qkv": (3 * width, width), f"{b}.attn.proj": (width, width),
                       f"{b}.mlp.fc1": (hidden, width), f"{b}.mlp.fc2": (width, hidden),
                       f"{b}.adaLN_modulation.1": (6 * width, width)}
        result = {"y_embedder.embedding_table.weight": (rows, width)} if rows else {}
    else:
        layers = {"pos_embed.proj": (width, channels, patch, patch), "proj_out_1": final["modulation"],
                  "proj_out_2": final["linear"]}
        result = {}
        for b in (f"transformer_blocks.{i}" for i in blocks):
            layers |= {f"{b}.norm1.emb.timestep_embedder.linear_1": (width, 256),
                       f"{b}.norm1.emb.timestep_embedder.linear_2": (width, width),
                       f"{b}.norm1.linear": (6 * width, width), f"{b}.attn1.to_out.0": (width, width),
                       f"{b}.ff.net.0.proj": (hidden, width), f"{b}.ff.net.2": (width, hidden)}
            layers |= {f"{b}.attn1.to_{x}": (width, width) for x in "qkv"}
            result[f"{b}.norm1.emb.class_embedder.embedding_table.weight"] = (rows, width)
    for name, shape in layers.items():
        result |= {name + ".weight": shape, name + ".bias": shape[:1]}
    return result


def positions(layout, config):
    """Names and shapes of the tables of positions, which may be left out."""
    name = "pos_embed" if layout == "official" else "pos_embed.pos_embed"
    tables = {name: (1, (config["input_size"] // config["patch_size"]) ** 2, config["hidden_size"])}
    return tables | ({"temp_embed": (1, config["num_frames"], config["hidden_size"])} if is_latte(config) else {})


def tensors_of_network(path, network, config, rows):
    """The tensors that the network consists of; it must have exactly those that its sizes imply.

    Left aside: what may lie beside a network, and numbers that are not floating-point, which no layer here has.
    """
    expected = shapes(network.layout, config, rows)
    optional = positions(network.layout, config)
    names = {name for name, tensor in network.tensors.items()
             if name in expected or tensor.is_floating_point() and name.split(".")[0] not in BESIDE}
    for what, found in (("lacks", expected.keys() - names), ("also holds", names - expected.keys() - optional.keys())):
        if found:
            count = f", ... ({len(found)} in all)" if len(found) > 3 else ""
            raise Problem(f"{path}: another network than a DiT, SiT or Latte: it {what} {', '.join(sorted(found)[:3])}{count}")
    for name in names:
        shape = (expected | optional)[name]
        found = tuple(network.tensors[name].shape)
        if found != shape:
            raise Problem(f"{path}: {name} has shape {list(found)}, but its sizes imply {list(shape)}")
    return {name: tensor for name, tensor in network.tensors.items() if name in names}
