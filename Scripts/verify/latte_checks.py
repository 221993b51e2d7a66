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
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "Scripts/golden"), str(ROOT / "Scripts/bench")]
import latte as cases  # noqa: E402
import latte_t2v  # noqa: E402
import models as golden  # noqa: E402
import reference_dit  # noqa: E402
import reference_latte  # noqa: E402
from command import MEGABYTE  # noqa: E402
from contestants import ours  # noqa: E402

FORWARD_BOUND = 1e-4  # of the largest value: the reference is in float32, too
SPEED_BOUND = 1.0  # times PyTorch's
MEMORY_BOUND = 600  # MB beside the weights
ROUNDS = 3
SIZES = {"S": (12, 384, 6), "B": (12, 768, 12), "XL": (28, 1152, 16)}


# Golden cases

def check_golden(report, folder):
    """Makes the golden cases again: weights and texts must be the same bytes, computed values within rounding."""
    worst, committed = 0.0, ROOT / "Tests/PipelineSupport/Golden"
    writers = [(golden.write_case, cases.CASES), (latte_t2v.write_case, latte_t2v.CASES)]
    for write, case in ((write, case) for write, group in writers for case in group):
        write(case, folder)
        for file in sorted(path for path in (folder / case.name).rglob("*") if path.is_file()):
            known = committed / file.relative_to(folder)
            if file.name == "io.safetensors":
                mine, theirs = load_file(known), load_file(file)
                worst = max([worst] + [golden.largest_difference(mine[name], theirs[name]) for name in theirs])
            elif not known.exists() or known.read_bytes() != file.read_bytes():
                report.failure(f"latte: {file.relative_to(folder)} is not what Scripts/golden makes")
    report.line("latte: largest change of a golden value when made again", worst, 1e-6)


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


def peak(process):
    """The most resident memory so far, in MB; what is mapped from the weights' file counts."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024 / MEGABYTE


def check_true_size(report, binary, folder, name, compares):
    """One guided forward: its memory and, if `compares`, error and time in turns against the reference."""
    threads, label = len(os.sched_getaffinity(0)), 7
    torch.set_num_threads(threads)
    directory, config, weights = true_size(name, folder)
    size = sum(tensor.numel() * tensor.element_size() for tensor in weights.values()) / MEGABYTE
    if not compares:
        weights = None
    latents = torch.randn(4, 16, 32, 32, generator=torch.Generator().manual_seed(2))
    start, output = folder / "latents.safetensors", folder / "output.safetensors"
    save_file({"latents": latents}, start)

    def theirs(timestep):
        begin = time.perf_counter()
        result = reference_latte.forward(weights, config, latents.expand(2, -1, -1, -1, -1),
                                         torch.full((2,), timestep), torch.tensor([label, config["num_classes"]]))
        return result, time.perf_counter() - begin

    with ours(binary, directory, threads) as peer:
        request = {"branches": 2, "call": 10, "class": label, "latents": str(start), "output": str(output)}
        answer = peer.ask(**request)
        if compares:
            expected, _ = theirs(int(answer["timestep"]))
            times = [(peer.ask()["seconds"], theirs(int(answer["timestep"]))[1]) for _ in range(ROUNDS)]
        memory = peak(peer.process)
    title = f"latte: {name}/2, 16 frames of 256 pixels"
    if compares:
        found = load_file(output)
        for branch, which in enumerate(("conditional", "unconditional")):
            report.line(f"{title}, a forward, {which} branch",
                        golden.largest_difference(found[which].reshape(expected[branch].shape), expected[branch]),
                        FORWARD_BOUND)
        mine, other = (min(column) for column in zip(*times))
        print(f"      a guided forward: omnicache {mine:.2f} s, PyTorch eager {other:.2f} s, best of {ROUNDS} in turns on "
              f"{threads} threads")
        report.line(f"{title}, speed of a guided forward, times PyTorch's", other / mine, SPEED_BOUND, at_least=True)
    else:
        print(f"      a guided forward: omnicache {answer['seconds']:.1f} s on {threads} threads")
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
