"""Directories of diffusers: configurations are copied, pickled weights are rewritten as safetensors."""

import json
import shutil

from official import class_names
from weights import DTYPES, Problem, load, read_json, tensors_only, without_prefixes, write

DECODERS = {"vae": "AutoencoderKL", "tiny": "AutoencoderTiny"}
WEIGHTS = "diffusion_pytorch_model"


def convert(given, out):
    """Converts the pipeline or the single part in `given.source`."""
    refuse_official_options(given)
    source, dtype = given.source, DTYPES[given.dtype]
    if not (source / "model_index.json").exists():
        part(source, out, dtype)
        add_decoders(given, out)
        return
    index = read_json(source / "model_index.json")
    if index.get("_class_name") != "DiTPipeline":
        raise Problem(f"{source}/model_index.json: _class_name is {index.get('_class_name')}; only DiTPipeline works")
    part(source / "transformer", out / "transformer", dtype)
    # diffusers leaves the names out when it saves a pipeline.
    names = class_names(given.names, read_json(source / "transformer/config.json").get("num_embeds_ada_norm", 1000))
    if names and (given.names or "id2label" not in index):
        index["id2label"] = {str(number): name for number, name in enumerate(names)}
    (out / "model_index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name in ("vae", "vae_tiny"):
        if (source / name).is_dir() and not (name == "vae" and given.vae):
            part(source / name, out / name, dtype)
    if (source / "scheduler").is_dir():
        (out / "scheduler").mkdir()
        read_json(source / "scheduler/scheduler_config.json")
        shutil.copyfile(source / "scheduler/scheduler_config.json", out / "scheduler/scheduler_config.json")
    add_decoders(given, out)


def refuse_official_options(given):
    options = dict(model=given.model, sit=given.sit, path=given.path, heads=given.heads, classes=given.classes,
                   image_size=given.image_size)
    for name, value in options.items():
        if value:
            raise Problem(f"--{name.replace('_', '-')}: only for official checkpoints; {given.source} says it itself")


def add_decoders(given, out):
    """Puts the decoders that were named beside the network, if they decode its latents."""
    network = out / "transformer" if (out / "model_index.json").exists() else out
    channels = read_json(network / "config.json").get("in_channels", 4)
    for option, name in (("vae", "vae"), ("tiny", "vae_tiny")):
        source = getattr(given, option)
        if source is None:
            continue
        config = read_json(source / "config.json")
        if config.get("_class_name") != DECODERS[option]:
            raise Problem(f"{source}/config.json: _class_name is {config.get('_class_name')}, not {DECODERS[option]}")
        found = config.get("latent_channels", 4)
        if found != channels:
            raise Problem(f"{source}/config.json: latent_channels is {found}, but the network has in_channels "
                          f"{channels}; decoder and network must be of one model")
        part(source, out / name, DTYPES[given.dtype])


def part(source, out, dtype):
    """Copies one part's configuration and writes its weights as one safetensors file."""
    read_json(source / "config.json")
    out.mkdir(exist_ok=True)
    shutil.copyfile(source / "config.json", out / "config.json")
    write(source, weights_of(source), out / f"{WEIGHTS}.safetensors", dtype)


def weights_of(source):
    """All tensors of a part: from safetensors where there are any, else from pickled files, whole or in shards."""
    for stem, end in ((WEIGHTS, "safetensors"), ("model", "safetensors"), (WEIGHTS, "bin"), ("pytorch_model", "bin")):
        whole, index = source / f"{stem}.{end}", source / f"{stem}.{end}.index.json"
        if whole.exists():
            return read(whole)
        if index.exists():
            state = {}
            for shard in sorted(set(read_json(index)["weight_map"].values())):
                if not (source / shard).exists():
                    raise Problem(f"{index}: the shard {shard} is missing; put it beside the index")
                state |= read(source / shard)
            return state
    raise Problem(f"{source}: no weights: {WEIGHTS}.bin, {WEIGHTS}.safetensors or an index of shards")


def read(path):
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file
        return load_file(path)
    return without_prefixes(tensors_only(path, load(path)))
