"""Writes a run's averaged weights as a model directory: config.json and float16 weights, with Latte's own names.

    python export.py RUN/checkpoint.pt DIRECTORY
"""

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

sys.path.append(str(Path(__file__).resolve().parents[1]))

from latte import Latte, LatteConfig
from processes import ClipDiffusion

GUIDANCE, FRAMES_PER_SECOND = 1.5, 8


def read(path):
    """The averaged model of a checkpoint, or that of a model directory, in float32; its process; the class names."""
    path = Path(path)
    if path.is_dir():
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        shape, names = LatteConfig.from_json(config), config["class_names"]
        state = {name: tensor.float() for name, tensor in load_file(path / "model.safetensors").items()}
    else:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        shape, names, state = LatteConfig(**checkpoint["config"]), checkpoint["class_names"], checkpoint["ema"]
    model = Latte(shape)
    model.load_state_dict(state)
    return model.eval().requires_grad_(False), ClipDiffusion(), names


def describe(config, process, class_names, guidance):
    """The contents of config.json."""
    return {
        "architecture": "Latte",
        **asdict(config),
        "learn_sigma": False,
        "class_names": class_names,
        **process.fields,
        "value_range": [-1, 1],
        "guidance_scale": guidance,
        "frames_per_second": FRAMES_PER_SECOND,
    }


def write(directory, model, process, class_names, guidance):
    """Both files, under temporary names first."""
    directory.mkdir(parents=True, exist_ok=True)
    weights, text = directory / "model.safetensors.partial", directory / "config.json.partial"
    save_file({name: tensor.half().contiguous() for name, tensor in model.state_dict().items()},
              weights, metadata={"format": "pt"})
    config = describe(model.config, process, class_names, guidance)
    text.write_text(json.dumps(config, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(weights, directory / "model.safetensors")
    os.replace(text, directory / "config.json")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, help="a checkpoint of train.py")
    parser.add_argument("directory", type=Path, help="the model directory to write")
    parser.add_argument("--guidance", type=float, default=GUIDANCE,
                        help="the guidance scale that config.json suggests (default: %(default)s)")
    arguments = parser.parse_args()
    write(arguments.directory, *read(arguments.checkpoint), arguments.guidance)


if __name__ == "__main__":
    main()
