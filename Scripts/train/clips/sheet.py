"""Draws a sheet of samples, a clip a row and one or more clips a class, from a model directory or a checkpoint of train.py.

    python sheet.py RUN/checkpoint.pt sheet.png
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

sys.path.append(str(Path(__file__).resolve().parents[1]))

import export
import runs

COLUMNS, LABEL, GAP = 2, 70, 2


def to_bytes(clips):
    """(n, F, 3, S, S) in [-1, 1] to (n, F, S, S, 3) bytes."""
    clips = ((clips.float().cpu() + 1) * 127.5).round().clamp(0, 255)
    return clips.to(torch.uint8).permute(0, 1, 3, 4, 2).numpy()


def compose(clips, labels, columns=COLUMNS):
    """One picture: a clip a row, in columns, with its label to the left."""
    n, frames, side = clips.shape[:3]
    width, height = LABEL + frames * side + GAP, side + GAP
    rows = -(-n // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "#d8d8d8")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(10)
    for i, (clip, label) in enumerate(zip(clips, labels)):
        x, y = i // rows * width, i % rows * height
        draw.text((x + 2, y + 2), "\n".join(label.split()), fill="black", font=font)
        sheet.paste(Image.fromarray(np.concatenate(list(clip), 1)), (x + LABEL, y))
    return sheet


def draw(model, process, classes, seed=0, steps=50, guidance=export.GUIDANCE, precision=torch.float32, batch=16):
    """Samples as bytes, (n, F, S, S, 3); clip i gets the noise of seed + i. `precision`: of the matrix products."""
    device = next(model.parameters()).device.type
    with torch.autocast(device, torch.bfloat16, enabled=precision == torch.bfloat16):
        parts = [process.draw(model, np.asarray(classes[start:start + batch]), seed + start, steps, guidance)
                 for start in range(0, len(classes), batch)]
    return to_bytes(torch.cat(parts))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="a model directory or a checkpoint")
    parser.add_argument("output", type=Path, help="the PNG file to write")
    parser.add_argument("--classes", help="numbers of classes, with commas between (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="clip i gets the noise of seed + i")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--guidance", type=float, default=export.GUIDANCE)
    parser.add_argument("--bf16", action="store_true", help="bfloat16 products: several times faster, a little rougher")
    parser.add_argument("--npz", type=Path, help="also write the clips here, for Scripts/score/clips")
    arguments = parser.parse_args()
    model, process, names = export.read(arguments.model)
    classes = ([int(c) for c in arguments.classes.split(",")] if arguments.classes else list(range(len(names))))
    clips = draw(model, process, classes, arguments.seed, arguments.steps, arguments.guidance,
                 torch.bfloat16 if arguments.bf16 else torch.float32)
    runs.save_image(compose(clips, [names[c] for c in classes]), arguments.output)
    if arguments.npz:
        np.savez(arguments.npz, clips=clips, classes=classes, class_names=names)


if __name__ == "__main__":
    main()
