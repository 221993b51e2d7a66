"""Scores a text-to-image model of scenes without an eye.

    python score.py lists LISTS --data DATA                       # the captions to draw
    python score.py judge LISTS --data DATA --images PICTURES     # PICTURES/<list>/*.png, in order
    python score.py judge LISTS --data DATA --checkpoint RUN/checkpoint.pt

DATA is what Scripts/train/scenes/prepare.py writes. The ceiling is what scenes score that were
rendered, not sampled; the floor, what the samples score for each other's captions.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

sys.path.append(str(Path(__file__).resolve().parents[1] / "train" / "scenes"))

import flow
import lists
import scenes
import sheet
from judge import judge
import painter
from unigram import Unigram

COLUMNS = ("background", "present", "count", "colour", "position", "all")
SEED = 1_000_000
BATCH = 50


def rendered(maker, scene):
    """The scenes themselves, as bytes would hold them."""
    maker.generator.manual_seed(SEED)
    pictures = maker.render(scene)
    return ((pictures * 127.5 + 128).clamp(0, 255).floor()) / 255


def drawn(model, tokenizer, captions, arguments):
    """Samples of a checkpoint, as bytes would hold them; caption i gets the noise of SEED + i."""
    tokens = sheet.encode(tokenizer, captions)
    parts = []
    for start in range(0, len(tokens), BATCH):
        images = flow.sample(model, tokens[start:start + BATCH].to(arguments.device), SEED + start,
                             arguments.steps, arguments.guidance, torch.bfloat16)
        parts.append(torch.from_numpy(sheet.to_bytes(images)))
    return torch.cat(parts).permute(0, 3, 1, 2).float() / 255


def opened(folder, count):
    """The pictures of a folder in the order of their names."""
    paths = sorted(folder.glob("*.png"))
    if len(paths) != count:
        raise SystemExit(f"{folder} has {len(paths)} PNG files, and its list {count} captions")
    images = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    if any(image.shape != (painter.SIDE, painter.SIDE, 3) for image in images):
        raise SystemExit(f"{folder}: every picture must be {painter.SIDE} x {painter.SIDE}")
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255


def shuffled(scene):
    """Every picture with the caption of another."""
    return scene[(torch.arange(len(scene)) + len(scene) // 2) % len(scene)]


def means(results):
    """For each kind of row that every list has, the means over the lists that have a column."""
    kinds = [kind for kind in ("samples", "floor", "ceiling") if all(kind in rows for rows in results.values())]
    return {kind: {column: round(float(np.mean([rows[kind][column] for rows in results.values()
                                                if column in rows[kind]])), 1)
                   for column in COLUMNS if any(column in rows[kind] for rows in results.values())}
            for kind in kinds}


def table(results):
    """Lines of text: for each list the samples, the floor and the ceiling; then the means over the lists."""
    head = "".join(f"{column:>12}" for column in COLUMNS)
    yield f"{'list':20}{'':9}{head}"
    for name, rows in (results | {"mean": means(results)}).items():
        for kind, values in rows.items():
            cells = "".join(f"{values.get(column, ''):>12}" for column in COLUMNS)
            yield f"{name if kind == next(iter(rows)) else '':20}{kind:9}{cells}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=("lists", "judge"))
    parser.add_argument("lists", type=Path, help="the folder of the lists")
    parser.add_argument("--data", type=Path, required=True, help="the prepared data")
    parser.add_argument("--count", type=int, default=100, help="captions a list (default: %(default)s)")
    parser.add_argument("--images", type=Path, help="a folder with a folder of PNG files for each list")
    parser.add_argument("--checkpoint", type=Path, help="of train.py, to draw from")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--guidance", type=float, default=2.5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--only", help="lists to judge, with commas between (default: all)")
    parser.add_argument("--no-ceiling", action="store_true", help="leave the rendered scenes out")
    parser.add_argument("--json", type=Path, help="also write the scores here")
    arguments = parser.parse_args()
    maker = scenes.Scenes(scenes.load(arguments.data / "scenes.npz"))
    if arguments.action == "lists":
        lists.write(maker, arguments.count, arguments.lists)
        return
    if arguments.checkpoint:
        model = sheet.read_checkpoint(arguments.checkpoint, arguments.device)
        tokenizer = Unigram(arguments.data / "spiece.model")
    results = {}
    for path in sorted(arguments.lists.glob("*.jsonl")):
        if arguments.only and path.stem not in arguments.only.split(","):
            continue
        captions, scene = lists.read(path)
        rows = results[path.stem] = {}
        pictures = None
        if arguments.images:
            pictures = opened(arguments.images / path.stem, len(captions))
        elif arguments.checkpoint:
            pictures = drawn(model, tokenizer, captions, arguments)
        if pictures is not None:
            rows["samples"] = judge(maker, pictures, scene)
            rows["floor"] = judge(maker, pictures, shuffled(scene))
        if not arguments.no_ceiling:
            pictures = rendered(maker, scene)
            rows["ceiling"] = judge(maker, pictures, scene)
            if len(rows) == 1:
                rows["floor"] = judge(maker, pictures, shuffled(scene))
    print("\n".join(table(results)))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
