"""Draws a sheet of samples, one per class, from a model directory or a training checkpoint."""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

import export
import processes
import runs


def to_bytes(images):
    """B x C x S x S in [-1, 1] to B x S x S x C bytes."""
    images = ((images.float().cpu() + 1) * 127.5).round().clamp(0, 255)
    return images.to(torch.uint8).permute(0, 2, 3, 1).numpy()


def compose(images, labels=None, columns=11):
    """One picture of many, row by row, with a line of text under each where there are labels."""
    side, gap, line = images.shape[1], 4, 11 if labels else 0
    rows = -(-len(images) // columns)
    cell = (side + gap, side + gap + line)
    sheet = Image.new("RGB", (columns * cell[0] + gap, rows * cell[1] + gap), "#d8d8d8")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(9) if labels else None
    for i, image in enumerate(images):
        x, y = gap + i % columns * cell[0], gap + i // columns * cell[1]
        sheet.paste(Image.fromarray(image), (x, y))
        if labels:
            draw.text((x, y + side), labels[i][:14], fill="black", font=font)
    return sheet


def draw_sheet(model, process, class_names, path, seed=0, steps=50, guidance=1.5, labels=True):
    """One sample of every class, in the order of the classes."""
    images = process.draw(model, np.arange(len(class_names)), seed, steps, guidance)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    runs.save_image(compose(to_bytes(images), class_names if labels else None), path)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a model directory or a checkpoint of train.py")
    parser.add_argument("output", help="the PNG file to write")
    parser.add_argument("--seed", type=int, default=0, help="image i gets the noise of seed + i")
    parser.add_argument("--steps", type=int, default=50, help="sampler steps (default: %(default)s)")
    parser.add_argument("--guidance", type=float, help="default: config.json's, or 1.5")
    parser.add_argument("--no-labels", action="store_true", help="pictures only")
    arguments = parser.parse_args()
    if Path(arguments.model).is_dir():
        model, config = export.read_model(arguments.model)
        process = processes.BY_NAME[processes.name(config)]()
        class_names, guidance = config["class_names"], config.get("guidance_scale", 1.5)
    else:
        (model, process, class_names), guidance = export.read_checkpoint(arguments.model), 1.5
    if arguments.guidance is not None:
        guidance = arguments.guidance
    draw_sheet(model, process, class_names, arguments.output, arguments.seed, arguments.steps,
               guidance, not arguments.no_labels)


if __name__ == "__main__":
    main()
