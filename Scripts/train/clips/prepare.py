"""Draws the sprites of the clips.

    python prepare.py DATA        # writes DATA/clips.npz; seconds

Needs Debian's fonts-noto-color-emoji and unicode-data. Training needs neither: DATA can be carried to a machine that has
nothing but PyTorch.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np

sys.path += [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "scenes")]

import dataset
import groups
from clips import MARGIN


def write(folder):
    """The sprites of every group's emoji, in the order of groups.txt."""
    points = {name: text for text, name, *_ in dataset.parse()}
    names = [name for group in groups.read() for name in group.emoji]
    unknown = [name for name in names if name not in points]
    if unknown:
        raise SystemExit(f"{groups.GROUPS}: no such emoji: {', '.join(unknown)}")
    renderer = dataset.Renderer()
    sprites = np.stack([renderer.sprite(points[name], MARGIN) for name in names])
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / "clips.npz.partial"
    with open(temporary, "wb") as file:
        np.savez_compressed(file, sprites=sprites)
    os.replace(temporary, folder / "clips.npz")
    print(f"{len(names)} emoji in {len(groups.read())} groups: {folder}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the folder to write")
    write(parser.parse_args().data)


if __name__ == "__main__":
    main()
