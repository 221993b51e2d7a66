"""Checks of Latte for verify.py: the golden cases again, the converter, S/2 and B/2 at their true sizes, XL/2's memory.

Weights are random: 33, 131 and 674 million numbers, up to 2.7 GB in a temporary folder. The reference is
Scripts/golden/reference_latte.py with PyTorch's own attention, float32, eager, with as many threads, in turns with
omnicache. XL/2 is run by omnicache alone.
"""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "Scripts/golden"), str(ROOT / "Scripts/bench")]
import latte as cases  # noqa: E402
import latte_t2v  # noqa: E402
import forward_checks  # noqa: E402
import models as golden  # noqa: E402
import reference_dit  # noqa: E402
import reference_latte  # noqa: E402
from command import MEGABYTE  # noqa: E402

FORWARD_BOUND = 1e-4  # of the largest value: the reference is in float32, too
SPEED_BOUND = 1.0  # times PyTorch's
MEMORY_BOUND = 600  # MB beside the weights
SIZES = {"S": (12, 384, 6), "B": (12, 768, 12), "XL": (28, 1152, 16)}


# Golden cases

def check_golden(report, folder):
    """Makes the golden cases again."""
    for write, group in ((golden.write_case, cases.CASES), (latte_t2v.write_case, latte_t2v.CASES)):
        for case in group:
            write(case, folder)
    forward_checks.check_golden(
        report, "latte", folder, [folder / case.name for case in cases.CASES + latte_t2v.CASES])


# The converter

def convert(source, out, *options):
    return subprocess.run([str(word) for word in (sys.executable, ROOT / "Scripts/convert.py", source, out, *options)],
                          capture_output=True, text=True)


def check_converter(report, binary, folder):
    """Checkpoints as Latte's trainer saves them become directories that omnicache reads."""
    for case in cases.CASES:
        model = cases.LatteModel(case)
        averages = model.stored | {"temp_embed": model.times[None]}
        source, out = folder / f"{case.name}.pt", folder / f"{case.name}-converted"
        torch.save({"model": {name: tensor + 1 for name, tensor in averages.items()}, "ema": averages}, source)
        done = convert(source, out, "--heads", case.heads)
        if done.returncode != 0:
            report.failure(f"latte: convert: {done.stderr.strip()}")
            continue
        config, kept = json.loads((out / "config.json").read_text()), load_file(out / "model.safetensors")
        expected = {name: model.config[name] for name in
                    ("architecture", "depth", "num_frames", "num_classes", "learn_sigma", "input_size", "patch_size")}
        same = kept.keys() == averages.keys() and all(torch.equal(kept[name], averages[name]) for name in kept)
        info = subprocess.run([str(binary), "info", str(out)], capture_output=True, text=True)
        report.line(f"latte: convert: {case.name}: wrong parts (configuration, tensors, info)",
                    (not expected.items() <= config.items()) + (not same) + (info.returncode != 0), 0)
    case = cases.CASES[0]
    state = cases.LatteModel(case).stored
    for what, changed, options, words in (
            ("an odd number of blocks", {n: t for n, t in state.items() if not n.startswith("blocks.3.")}, (), "in pairs"),
            ("a projection of texts", state | {"text_embedding_projection.1.weight": torch.ones(24, 8)}, (), "also holds"),
            ("another family", state, ("--sit",), "not for a Latte"),
            ("another size", state, ("--model", "DiT-S/2"), "only a Latte has")):
        source = folder / "wrong.pt"
        torch.save({"ema": changed}, source)
        done = convert(source, folder / "refused", "--heads", case.heads, *options)
        if done.returncode == 0 or words not in done.stderr:
            report.failure(f"latte: convert: {what} is not refused: {done.stderr.strip()}")


# True sizes

def true_size(name, folder):
    """A Latte of a published size for UCF101 with random weights: its directory, configuration and weights."""
    depth, width, heads = SIZES[name]
    config = {"architecture": "Latte", "depth": depth, "hidden_size": width, "num_heads": heads, "patch_size": 2,
              "input_size": 32, "in_channels": 4, "num_frames": 16, "num_classes": 101, "learn_sigma": True,
              "prediction_type": "epsilon", "num_train_timesteps": 1000, "beta_schedule": "linear",
              "beta_start": 0.0001, "beta_end": 0.02, "guidance_scale": 7.0}
    weights = {key: torch.empty(shape) for key, shape in sorted(reference_dit.shapes(config).items())}
    golden.fill(weights.items(), 1)
    # Outputs of blocks stay small beside what they are added to, over any depth.
    for key, tensor in weights.items():
        if "attn.proj" in key or "mlp.fc2" in key:
            tensor.mul_(1 / math.sqrt(depth))
    weights["pos_embed"] = reference_dit.position_table(width, 16)[None]
    weights["temp_embed"] = reference_latte.time_table(width, 16)[None]
    directory = folder / f"latte-{name}-2"
    directory.mkdir()
    (directory / "config.json").write_text(json.dumps(config))
    save_file(weights, directory / "model.safetensors")
    return directory, config, weights


def check_true_size(report, binary, folder, name, compares):
    """One guided forward: its memory and, if `compares`, error and time in turns against the reference."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    label = 7
    directory, config, weights = true_size(name, folder)
    size = sum(tensor.numel() * tensor.element_size() for tensor in weights.values()) / MEGABYTE
    if not compares:
        weights = None
    latents = torch.randn(4, 16, 32, 32, generator=torch.Generator().manual_seed(2))

    def theirs(timestep):
        return reference_latte.forward(weights, config, latents.expand(2, -1, -1, -1, -1),
                                       torch.full((2,), int(timestep)), torch.tensor([label, config["num_classes"]]))

    title = f"latte: {name}/2, 16 frames of 256 pixels"
    memory = forward_checks.check_forward(
        report, title, binary, directory, folder, latents, theirs if compares else None, FORWARD_BOUND, SPEED_BOUND,
        **{"class": label})
    print(f"      peak memory {memory:.0f} MB, weights {size:.0f} MB")
    report.line(f"{title}, peak memory in MB, without the weights", memory - size, MEMORY_BOUND)
    shutil.rmtree(directory)


def check_latte(report, binary, folder):
    folder.mkdir()
    check_golden(report, folder / "golden")
    check_converter(report, binary, folder)
    # The golden cases are of the plain formula; PyTorch's attention is what its users time.
    reference_dit.attend = F.scaled_dot_product_attention
    for name in ("S", "B"):
        check_true_size(report, binary, folder, name, compares=True)
    check_true_size(report, binary, folder, "XL", compares=False)
