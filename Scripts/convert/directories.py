"""Model directories: configurations are copied, weights of any form are rewritten as one plain safetensors file."""

import json
import shutil

import choice
import networks
import pixart
import rules
from official import class_names
from weights import DTYPES, Problem, one_line, read_json, write

DECODERS = {"vae": "AutoencoderKL", "tiny": "AutoencoderTiny"}
# By this tensor a decoder is found in what a trainer saved.
DECODER_ANCHORS = {"AutoencoderKL": "decoder.conv_in.weight", "AutoencoderTiny": "decoder.layers.0.weight"}


def convert(given, out):
    """Converts the model directory in `given.source`: a pipeline, a network with or without decoders, or a decoder."""
    refuse_official_options(given)
    check_variant(given)
    source = given.source
    is_pipeline = (source / "model_index.json").exists()
    if is_pipeline:
        convert_index(given, out)
    else:
        part(source, out, given)
    for name in ("vae", "vae_tiny"):
        if (source / name).is_dir() and not (name == "vae" and given.vae) and not (name == "vae_tiny" and given.tiny):
            check_channels(source / name, out)
            part(source / name, out / name, given)
    scheduler = "scheduler/scheduler_config.json"
    if (source / scheduler).exists():
        read_json(source / scheduler)
        (out / "scheduler").mkdir()
        shutil.copyfile(source / scheduler, out / scheduler)
    add_decoders(given, out)


def convert_index(given, out):
    """Converts a pipeline's index and network."""
    source = given.source
    index = read_json(source / "model_index.json")
    pipelines = ("DiTPipeline", *pixart.PIPELINES)
    if index.get("_class_name") not in pipelines:
        raise Problem(f"{source}/model_index.json: _class_name is {index.get('_class_name')}; only "
                      f"{', '.join(pipelines)} work")
    part(source / "transformer", out / "transformer", given)
    if index["_class_name"] in pixart.PIPELINES:
        if given.names:
            raise Problem(f"--names: not for a PixArt, which {source} is")
        shutil.copyfile(source / "model_index.json", out / "model_index.json")
        print("note: text_encoder and tokenizer are not copied; put them, or links to them, into the new directory")
        return
    # diffusers leaves the names out when it saves a pipeline.
    config = source / "transformer/config.json"
    names = class_names(given.names, rules.sizes(config, read_json(config))["num_classes"])
    if names and (given.names or "id2label" not in index):
        index["id2label"] = {str(number): name for number, name in enumerate(names)}
    (out / "model_index.json").write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def check_variant(given):
    """Some part must have the variant that was asked for."""
    if given.variant is None:
        return
    parts = (given.source / name for name in ("transformer", "vae", "vae_tiny"))
    folders = [given.source, *parts, given.vae, given.tiny]
    there = {word for folder in folders if folder and folder.is_dir() for word in choice.variants(folder)}
    if given.variant not in there:
        found = f"there are {', '.join(sorted(there))}" if there else "leave the option out"
        raise Problem(f"--variant {given.variant}: no part of {given.source} has it; {found}")


def refuse_official_options(given):
    options = dict(model=given.model, dit=given.dit, sit=given.sit, repa=given.repa, path=given.path,
                   heads=given.heads, classes=given.classes, image_size=given.image_size)
    for name, value in options.items():
        if value not in (None, False):
            raise Problem(f"--{name.replace('_', '-')}: only for official checkpoints; {given.source} says it itself")


def add_decoders(given, out):
    """Puts the decoders that were named beside the network, if they decode its latents."""
    for option, name in (("vae", "vae"), ("tiny", "vae_tiny")):
        source = getattr(given, option)
        if source is None:
            continue
        config = read_json(source / "config.json")
        if config.get("_class_name") != DECODERS[option]:
            raise Problem(f"{source}/config.json: _class_name is {config.get('_class_name')}, not {DECODERS[option]}")
        check_channels(source, out)
        part(source, out / name, given)


def check_channels(decoder, out):
    """A decoder must be for latents like those of the network that has been written."""
    network = out / "transformer" if (out / "model_index.json").exists() else out
    channels = read_json(network / "config.json").get("in_channels", 4)
    found = read_json(decoder / "config.json").get("latent_channels", 4)
    if found != channels:
        raise Problem(f"{decoder}/config.json: latent_channels is {found}, but the network has in_channels {channels}; "
                      "decoder and network must be of one model")


def part(source, out, given):
    """Copies one part's configuration and writes its weights as one safetensors file."""
    config = read_json(source / "config.json")
    state, file = choice.read(source, given.variant)
    path = source / file
    if config.get("_class_name") in DECODER_ANCHORS:
        rules.check_decoder(source / "config.json", config)
        state = decoder(path, state, DECODER_ANCHORS[config["_class_name"]], given.tree)
    else:
        state = network(path, state, source / "config.json", config, given.tree)
    out.mkdir(exist_ok=True)
    # A pipeline has its names in the index.
    is_pipeline = (given.source / "model_index.json").exists()
    if given.names and not is_pipeline and config.get("_class_name") not in DECODER_ANCHORS:
        config["class_names"] = class_names(given.names, rules.sizes(source, config)["num_classes"])
        (out / "config.json").write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    else:
        shutil.copyfile(source / "config.json", out / "config.json")
    name = "diffusion_pytorch_model" if "_class_name" in config else "model"
    kinds = write(path, state, out / f"{name}.safetensors", DTYPES[given.dtype], exact=("pos_embed", "temp_embed"))
    print(one_line(f"weights   {path}: {len(state)} tensors, {kinds}"))


def network(path, found, config_path, config, tree):
    """The tensors of a network; they must be those that its configuration calls for."""
    if pixart.is_config(config):
        return pixart.tensors_of_directory(path, found, config, tree)
    sizes = rules.sizes(config_path, config)
    rules.check(config_path, sizes)
    candidates, tensors, _ = networks.find(path, found)
    if not candidates:
        raise Problem(f"{path}: no DiT: it lacks {' and '.join(networks.ANCHORS.values())} "
                      f"(it holds {', '.join(sorted(tensors)[:3])}, ...)")
    chosen = networks.choose(path, candidates, tree)
    count = sizes["num_classes"]
    table = chosen.tensors.get("y_embedder.embedding_table.weight")
    has_null = count > 0 and (chosen.layout == "diffusers" or table is None or table.shape[0] != count)
    return rules.tensors_of_network(path, chosen, sizes, count + 1 if has_null else count)


def decoder(path, found, anchor, tree):
    """The tensors of an autoencoder, encoder and all: of the only one in the file, or of that in the place `tree`."""
    tensors = networks.flatten(path, found) if isinstance(found, dict) else {}
    places = sorted(name[:-len(anchor)] for name in tensors if name == anchor or name.endswith("." + anchor))
    if not places:
        raise Problem(f"{path}: no decoder: it lacks {anchor} (it holds {', '.join(sorted(tensors)[:3])}, ...)")
    place = places[0] if len(places) == 1 else next((p for p in places if p.rstrip(".") == tree), None)
    if place is None:
        raise Problem(f"{path}: holds several decoders, in {', '.join(places)}; choose one with --tree")
    return {name[len(place):]: tensor for name, tensor in tensors.items()
            if name.startswith(place) and tensor.is_floating_point()}
