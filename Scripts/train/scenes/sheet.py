"""Draws captions with a checkpoint of train.py or a directory of export.py, as one PNG.

    python sheet.py RUN/checkpoint.pt sheet.png --data RUN/data "a red car left of two small stars"
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[1]))  # runs.py

import flow
import runs
from mmjit import MMJiTConfig
from t5 import T5Config
from unigram import Unigram
import writer

CAPTIONS = """a dog on a blue background
a small apple on a yellow background
a big star on a black background
a red heart on a white background
a blue car on a pink background
three bananas on a purple background
two cats on a green background
four stars on a blue background
a dog left of a cat on an orange background
a small sun above a house on a blue background
a red apple left of two small stars on a grey background
a rocket below a big green star on a black background
a rose to the right of a cake on a white background
a fish between an apple and a tree on a pink background
a bus, a bicycle and a rocket on a yellow background
a frog, a lemon, a key and an egg on a brown background""".splitlines()
COLUMNS, SCALE = 8, 2


def encode(tokenizer, captions):
    """Tokens (captions, LENGTH); a caption that is too long loses its last words."""
    rows = [tokenizer.encode(c)[:writer.LENGTH - 1] + [writer.END] for c in captions]
    return torch.tensor([row + [writer.PAD] * (writer.LENGTH - len(row)) for row in rows])


def read_checkpoint(path, device="cpu"):
    """The averaged model of a training run."""
    state = torch.load(path, map_location=device, weights_only=True)
    model = flow.TextToImage(T5Config(**state["text_config"]), MMJiTConfig(**state["image_config"]))
    model.load_state_dict(state["ema"])
    return model.to(device).eval().requires_grad_(False)


def to_bytes(images):
    """(n, 3, S, S) in [-1, 1] to (n, S, S, 3) bytes, as MiniT2I rounds them."""
    return (images.float().cpu() * 127.5 + 128).clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def save(images, path, columns=COLUMNS, scale=SCALE):
    """Writes a PNG of (n, S, S, 3) bytes, row by row, under a temporary name first."""
    rows = [images[i:i + columns] for i in range(0, len(images), columns)]
    blank = np.full_like(images[:1], 255)
    rows = [np.concatenate([row] + [blank] * (columns - len(row))) for row in rows]
    sheet = Image.fromarray(np.concatenate([np.concatenate(list(row), 1) for row in rows], 0))
    sheet = sheet.resize((sheet.width * scale, sheet.height * scale), Image.Resampling.NEAREST)
    runs.save_image(sheet, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("captions", nargs="*", default=CAPTIONS)
    parser.add_argument("--data", type=Path, help="the prepared data; default: data beside the checkpoint")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--guidance", type=float, default=2.5)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    data = arguments.data or arguments.checkpoint.parent / "data"
    model = read_checkpoint(arguments.checkpoint, arguments.device)
    tokens = encode(Unigram(data / "spiece.model"), arguments.captions).to(arguments.device)
    images = flow.sample(model, tokens, arguments.seed, arguments.steps, arguments.guidance)
    save(to_bytes(images), arguments.output)


if __name__ == "__main__":
    main()
