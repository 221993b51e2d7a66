"""A guided run of 50 steps at S/2: PyTorch's transformer under diffusers' DDIM, omnicache with and without reuse."""

import json
import statistics
from pathlib import Path

from contestants import Peer
from forwards import LABEL, WrongOutput, largest_difference, noise
from launch import launch, output
from places import directory, onnx_file, partial
from report import Row

SIZE = "S/2"
STEPS = 50
GUIDANCE = 4
BUDGET = 0.5
TIMES_PYTORCH = 1.3
TIMES_FULL = 1.87
LATENTS_BOUND = 1e-3  # of the largest value, after 50 steps


def without_decoder(folder):
    """The pipeline as a directory of its own that has no decoder, so that a run ends with the latents."""
    whole, bare = directory(folder, SIZE), folder / "loop"
    if not bare.exists():
        made = partial(folder)
        for part in ("transformer", "scheduler"):
            (made / part).symlink_to(Path("..") / whole.name / part)
        index = json.loads((whole / "model_index.json").read_text())
        del index["vae"]
        (made / "model_index.json").write_text(json.dumps(index))
        made.rename(bare)
    return bare


def calibrate(binary, folder):
    """Makes the calibration that a budget needs, unless it is there: it is made once and not for every image."""
    output(binary, "calibrate", "--model", without_decoder(folder), "--steps", STEPS, "--cfg-scale", GUIDANCE,
           "--budget", BUDGET, "-q")


def measure(binary, folder, scratch, rounds, threads):
    """Rows, and PyTorch's version."""
    start = noise(scratch / "noise.safetensors", seed=2)
    model, found = without_decoder(folder), scratch / "ours.safetensors"

    def run(budget):
        """A process and its one image."""
        done = launch(binary, "--model", model, "--steps", STEPS, "--cfg-scale", GUIDANCE, "--class", LABEL,
                      "--seed", 1, "--init-noise", start, "--budget", budget, "--threads", threads, "--force",
                      "--save-latents", found)
        return done, done.events[-1]

    pairs = {"loop": [], "alone": [], "process": [], "budget": []}
    with Peer("torch", model, onnx_file(folder, SIZE), threads) as peer:
        request = {"class": LABEL, "steps": STEPS, "guidance": GUIDANCE, "latents": start}
        for number in range(rounds):
            expected = scratch / "torch.safetensors"
            theirs = peer.ask(output=str(expected), **request)["seconds"]
            if number == 0:
                run(1)
                if not (difference := largest_difference(found, expected)) <= LATENTS_BOUND:
                    raise WrongOutput(f"loop: the latents differ by {difference:.1e} of the largest value")
            runs = {budget: run(budget) for budget in ((1, BUDGET), (BUDGET, 1))[number % 2]}
            (done, full), (_, reused) = runs[1], runs[BUDGET]
            pairs["loop"].append((theirs, full["seconds"]))
            pairs["alone"].append((theirs, done.seconds))
            pairs["process"].append((peer.seconds_to_ready + theirs, done.seconds))
            pairs["budget"].append((full["seconds"], reused["seconds"]))
    what = f"{SIZE}, {STEPS} guided steps"
    theirs, here = (statistics.median(times) for times in zip(*pairs["loop"]))
    return [
        Row.ratio(f"{what}, {here:.2f} s: times PyTorch's loop, {theirs:.2f} s", pairs["loop"], bound=TIMES_PYTORCH),
        Row.ratio(f"{what}: whole process, times PyTorch's loop alone", pairs["alone"]),
        Row.ratio(f"{what}: whole process, times PyTorch's", pairs["process"]),
        Row.ratio(f"{what}: budget {BUDGET} ({reused['evaluations']} of {full['evaluations']}), times budget 1",
                  pairs["budget"], bound=TIMES_FULL),
    ], {"torch": peer.version}
