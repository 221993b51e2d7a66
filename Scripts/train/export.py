"""Writes a run's averaged weights as a model directory: config.json and float16 weights."""

import argparse
import json
import os
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import processes
from dit import DiT, DiTConfig


def read_model(directory):
    """Opens a model directory; returns the model in float32 and its config.json."""
    directory = Path(directory)
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    model = DiT(DiTConfig.from_json(config))
    state = load_file(directory / "model.safetensors")
    model.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return model.eval(), config


def read_checkpoint(path):
    """Opens a training checkpoint; returns the averaged model, its process and the class names."""
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    model = DiT(DiTConfig(**checkpoint["config"]))
    model.load_state_dict(checkpoint["ema"])
    process = processes.BY_NAME[processes.name(checkpoint)]()
    return model.eval(), process, checkpoint["class_names"]


def describe(config, process, class_names, guidance):
    """The contents of config.json."""
    return {
        "architecture": "DiT",
        **asdict(config),
        "learn_sigma": False,
        "class_names": class_names,
        **process.fields,
        "value_range": [-1, 1],
        "guidance_scale": guidance,
    }


def write_model(directory, model, process, class_names, guidance):
    """Writes both files under temporary names first; the table of positions stays float32."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().contiguous().to(
                 torch.float32 if name == "pos_embed" else torch.float16)
             for name, tensor in model.state_dict().items()}
    weights = directory / "model.safetensors.partial"
    save_file(state, weights, metadata={"format": "pt"})
    text = directory / "config.json.partial"
    config = describe(model.config, process, class_names, guidance)
    text.write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(weights, directory / "model.safetensors")
    os.replace(text, directory / "config.json")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", help="a checkpoint of train.py")
    parser.add_argument("directory", help="the model directory to write")
    parser.add_argument("--guidance", type=float, default=1.5,
                        help="the guidance scale that config.json suggests (default: %(default)s)")
    arguments = parser.parse_args()
    write_model(arguments.directory, *read_checkpoint(arguments.checkpoint), arguments.guidance)


if __name__ == "__main__":
    main()
