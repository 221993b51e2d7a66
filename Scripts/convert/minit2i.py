"""MiniT2I's checkpoints: a configuration beside a state dict, to the directory of a pipeline.

Source: https://github.com/Bili-Sakura/MiniT2I-diffusers, scripts/convert_minit2i_to_diffusers.py.
"""

import json

from weights import DTYPES, Problem, one_line, write

MARK = "net.img_embedder.proj1.weight"
UNUSED = ("net.t_embedder.", "net.pooled_embedder.")  # no forward uses them
REFUSED = ("model", "image_size", "heads", "classes", "names", "dit", "sit", "repa", "path", "tree", "vae", "tiny")
CLASS = "MiniT2IMMJiTModel"
PARTS = {
    "_class_name": "MiniT2ITextToImagePipeline", "_diffusers_version": "0.32.0",
    "scheduler": ["diffusers", "MiniT2IFlowMatchScheduler"], "text_encoder": ["transformers", "T5EncoderModel"],
    "tokenizer": ["transformers", "AutoTokenizer"], "transformer": ["diffusers", CLASS]}


def is_checkpoint(found):
    """Whether a file holds an MM-JiT."""
    return isinstance(found, dict) and MARK in found.get("state_dict", {})


def convert(given, source, found, out):
    """Writes the network, its scheduler and the index of a pipeline; prints how the checkpoint was read."""
    for option in REFUSED:
        if getattr(given, option) not in (None, False):
            raise Problem(f"--{option.replace('_', '-')}: not for a MiniT2I, which {source} is by its {MARK}")
    config, tensors = found.get("config"), found["state_dict"]
    if not isinstance(config, dict):
        raise Problem(f"{source}: an MM-JiT without the configuration that MiniT2I saves beside it")
    state = {f"model.{name}": tensor for name, tensor in tensors.items() if not name.startswith(UNUSED)}
    network = out / "transformer"
    network.mkdir()
    kinds = write(source, state, network / "diffusion_pytorch_model.safetensors", DTYPES[given.dtype])
    files = {"transformer/config.json": {"_class_name": CLASS, **config}, "model_index.json": PARTS,
             "scheduler/scheduler_config.json": {"_class_name": "MiniT2IFlowMatchScheduler"}}
    (out / "scheduler").mkdir()
    for name, value in files.items():
        (out / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    sizes = ", ".join(f"{key} {config[key]}" for key in ("image_size", "patch_size", "hidden_size", "depth_double")
                      if key in config)
    print(one_line(f"network   MM-JiT: {sizes}"))
    print(f"weights   {kinds}; left out: {len(tensors) - len(state)} tensors of the time, which no forward uses")
    encoder = config.get("llm", "google/flan-t5-large")
    print(one_line(f"note: the text encoder is {encoder}; put it and its tokenizer into text_encoder and tokenizer, or "
                   "give --text-encoder its directory"))
