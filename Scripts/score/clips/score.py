"""Scores clips of moving emoji without an eye: does the object move as its class says, and how far from the law?

    python score.py --data DATA                                  # the ceiling and the floor alone
    python score.py CLIPS --data DATA                            # CLIPS: an .npz or a folder of PNG files
    python score.py CLIPS --full FULL                            # clips at a budget, and the same in full

DATA is what Scripts/train/clips/prepare.py writes. Clip i is of class i modulo the number of classes, as omnicache draws
`--class all`, unless the .npz has an array `classes`.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

TRAIN = Path(__file__).resolve().parents[2] / "train"
sys.path += [str(TRAIN / "clips"), str(TRAIN), str(TRAIN / "scenes")]

import groups
import laws
from clips import Clips
from fit import fit_all
from track import follow

SEED = 1_000_000
MEASURES = (("position", "px"), ("angle", "deg"), ("size", "%"))
# As far as a clip may be from a law and still keep it. The angle is measured for laws that turn: a round object that is no
# more than a blot can be found at any angle.
MOST = {"position": 2.0, "angle": 20.0, "size": 10.0}


def opened(path):
    """Clips (n, frames, H, W, 3), bytes, and their classes or None.

    A folder has an animated PNG for each clip, or a PNG for each frame; the order is that of the names.
    """
    if path.is_file():
        with np.load(path) as file:
            clips = file["arr_0"] if "arr_0" in file else file["clips"]
            return clips, file["classes"] if "classes" in file else None
    frames, counts = [], set()
    for name in sorted(path.glob("*.png")):
        with Image.open(name) as image:
            counts.add(getattr(image, "n_frames", 1))
            for i in range(getattr(image, "n_frames", 1)):
                image.seek(i)
                frames.append(np.asarray(image.convert("RGB")))
    if not frames or len(counts) > 1 or len({frame.shape for frame in frames}) > 1 or len(frames) % laws.FRAMES:
        raise SystemExit(f"{path}: needs PNG files of one size, all animated with as many frames, or {laws.FRAMES} a clip")
    each = counts.pop()
    return np.stack(frames).reshape(-1, each if each > 1 else laws.FRAMES, *frames[0].shape), None


def rendered(maker, classes):
    """Clips of classes as training draws them, as bytes."""
    maker.generator.manual_seed(SEED)
    clips = maker.render(*maker.draw_of(torch.as_tensor(classes)))
    return ((clips + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 1, 3, 4, 2).numpy()


class Judgement:
    """What was found in clips: the track, the motion that fits best (n; -1: no object) and the fits of all laws."""

    def __init__(self, clips):
        self.track = follow(clips)
        self.fits = fit_all(self.track)
        costs = torch.stack([fit.cost for fit in self.fits.values()])
        self.motion = torch.where(self.track.found, costs.argmin(0), -1)

    def of(self, motions):
        """For each clip whether the law asked for fits best, whether it is kept, too, and the deviations from it."""
        rows = torch.arange(len(motions))
        deviations = {name: torch.stack([getattr(fit, name) for fit in self.fits.values()])[motions, rows]
                      for name, _ in MEASURES}
        turning = torch.tensor([law.turns for law in laws.LAWS.values()])[motions]
        asked = self.motion == motions
        kept = asked.clone()
        for name, most in MOST.items():
            unmeasured = ~turning if name == "angle" else torch.zeros_like(turning)
            kept &= (deviations[name] <= most) | unmeasured
            deviations[name] = torch.where((self.motion < 0) | unmeasured, torch.nan, deviations[name])
        return asked, kept, deviations


def percent(values):
    return round(100 * values.float().mean().item(), 1)


def summary(asked, kept, deviations):
    """Per cent of clips that move as asked and that keep the law; the mean deviations of those that show an object."""
    means = {name: deviations[name].nanmean().item() for name, _ in MEASURES}
    return {"clips": len(asked), "asked": percent(asked), "kept": percent(kept),
            **{name: None if math.isnan(mean) else round(mean, 3) for name, mean in means.items()}}


def judge(judgement, motions):
    """A row for each motion, and one for all."""
    asked, kept, deviations = judgement.of(motions)
    rows = {}
    for number, name in enumerate(laws.MOTIONS):
        chosen = motions == number
        if chosen.any():
            rows[name] = summary(asked[chosen], kept[chosen], {key: value[chosen] for key, value in deviations.items()})
    rows["all"] = summary(asked, kept, deviations)
    rows["others"] = floor(judgement, motions)
    return rows


def floor(judgement, motions):
    """The same clips held against each other motion in turn."""
    parts = [judgement.of((motions + shift) % len(laws.MOTIONS)) for shift in range(1, len(laws.MOTIONS))]
    return summary(torch.cat([asked for asked, *_ in parts]), torch.cat([kept for _, kept, _ in parts]),
                   {name: torch.cat([deviations[name] for *_, deviations in parts]) for name, _ in MEASURES})


def apart(a, b):
    """How far the tracks of two sets of clips are from each other: pixels, degrees and per cent, means over the clips in
    which both have an object."""
    both = a.found & b.found
    a, b = a[both], b[both]
    turn = torch.remainder(a.angle - b.angle + torch.pi, 2 * torch.pi) - torch.pi
    return {"clips": int(both.sum()),
            "position": round(((a.x - b.x) ** 2 + (a.y - b.y) ** 2).mean(1).sqrt().mean().item(), 3),
            "angle": round(turn.square().mean(1).sqrt().rad2deg().mean().item(), 3),
            "size": round(100 * (a.size / b.size - 1).square().mean(1).sqrt().mean().item(), 3)}


def table(results):
    """Lines of text: for each set of clips a row a motion."""
    yield f"{'':10}{'motion':10}{'clips':>8}{'asked %':>9}{'kept %':>9}" + "".join(f"{f'{n} ({u})':>16}" for n, u in MEASURES)
    for kind, rows in results.items():
        for name, row in rows.items():
            cells = "".join(f"{'' if row[key] is None else row[key]:>16}" for key, _ in MEASURES)
            yield f"{kind:10}{name:10}{row['clips']:>8}{row.get('asked', ''):>9}{row.get('kept', ''):>9}{cells}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="?", help="an .npz (N, F, H, W, 3) or a folder of PNG files")
    parser.add_argument("--full", type=Path, help="the same clips drawn in full, to compare with")
    parser.add_argument("--data", type=Path, help="the prepared data, for the ceiling")
    parser.add_argument("--rendered", type=int, default=480, help="clips of the ceiling (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="also write the scores here")
    arguments = parser.parse_args()
    members = len(groups.read())
    names = groups.class_names(groups.read())
    results, judged = {}, {}
    for kind, path in (("samples", arguments.clips), ("full", arguments.full)):
        if path:
            clips, classes = opened(path)
            classes = np.arange(len(clips)) % len(names) if classes is None else classes
            motions = torch.as_tensor(classes) // members
            judged[kind] = Judgement(clips)
            results[kind] = judge(judged[kind], motions)
    if len(judged) == 2:
        if len(judged["samples"].motion) != len(judged["full"].motion):
            raise SystemExit("the clips and those in full are not as many")
        results["apart"] = {"all": apart(judged["samples"].track, judged["full"].track)}
    if arguments.data:
        with np.load(arguments.data / "clips.npz") as file:
            maker = Clips(file)
        classes = np.arange(arguments.rendered) % len(names)
        motions = torch.as_tensor(classes) // members
        ceiling = Judgement(rendered(maker, classes))
        results["rendered"] = judge(ceiling, motions)
    if not results:
        parser.error("give clips, or --data for the ceiling")
    print("\n".join(table(results)))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
