"""A guided run of 50 steps at S/2: a peer's transformer under diffusers' DDIM, omnicache with and without reuse."""

import json
import statistics
from pathlib import Path

from contestants import Peer
from forwards import LABEL, WrongOutput, largest_difference, noise
from launch import launch, output
from places import PEERS, directory, onnx_file, partial
from report import Row

SIZE = "S/2"
STEPS = 50
GUIDANCE = 4
BUDGET = 0.5
# Whose loop ours is compared with, and how many times as fast it should be, in full and with the budget.
PEER = {"float32": "torch", "bfloat16": "openvino", "int8": "onnxruntime"}
TIMES_PEER = {"float32": (1.3, None), "bfloat16": (1.0, 1.9), "int8": (1.0, None)}
TIMES_FULL = 1.87
LATENTS_BOUND = {"float32": 1e-3, "bfloat16": 0.1, "int8": 0.5}  # of the largest value, after 50 steps


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


def calibrate(binary, folder, arithmetic):
    """Makes the calibration that a budget needs, unless it is there: it is made once and not for every image."""
    output(binary, "calibrate", "--model", without_decoder(folder), "--steps", STEPS, "--cfg-scale", GUIDANCE,
           "--budget", BUDGET, "-q", *arithmetic.options)


def measure(binary, folder, scratch, rounds, threads, arithmetic):
    """Rows, and the peer's version."""
    precision = arithmetic.precision
    name = PEER[precision]
    start = noise(scratch / "noise.safetensors", seed=2)
    model, found = without_decoder(folder), scratch / "ours.safetensors"

    def run(budget):
        """A process and its one image."""
        done = launch(binary, "--model", model, "--steps", STEPS, "--cfg-scale", GUIDANCE, "--class", LABEL,
                      "--seed", 1, "--init-noise", start, "--budget", budget, "--threads", threads, "--force",
                      "--save-latents", found, *arithmetic.options)
        return done, done.events[-1]

    pairs = {"loop": [], "alone": [], "process": [], "budget": [], "reuse": []}
    with Peer(name, model, onnx_file(folder, SIZE, precision), threads, precision) as peer:
        request = {"class": LABEL, "steps": STEPS, "guidance": GUIDANCE, "latents": start}
        for number in range(rounds):
            expected = scratch / f"{name}.safetensors"
            theirs = peer.ask(output=str(expected), **request)["seconds"]
            if number == 0:
                run(1)
                if not (difference := largest_difference(found, expected)) <= LATENTS_BOUND[precision]:
                    raise WrongOutput(f"loop: the latents differ by {difference:.1e} of the largest value")
            runs = {budget: run(budget) for budget in ((1, BUDGET), (BUDGET, 1))[number % 2]}
            (done, full), (_, reused) = runs[1], runs[BUDGET]
            pairs["loop"].append((theirs, full["seconds"]))
            pairs["alone"].append((theirs, done.seconds))
            pairs["process"].append((peer.seconds_to_ready + theirs, done.seconds))
            pairs["budget"].append((full["seconds"], reused["seconds"]))
            pairs["reuse"].append((theirs, reused["seconds"]))
    in_full, with_budget = TIMES_PEER[precision]
    evaluations = f"budget {BUDGET} ({reused['evaluations']} of {full['evaluations']})"
    what = f"{SIZE}, {STEPS} guided steps"
    theirs, here = (statistics.median(times) for times in zip(*pairs["loop"]))
    return [
        Row.ratio(f"{what}, {here:.2f} s: times {PEERS[name]}'s loop, {theirs:.2f} s", pairs["loop"], bound=in_full),
        Row.ratio(f"{what}: whole process, times {PEERS[name]}'s loop alone", pairs["alone"]),
        Row.ratio(f"{what}: whole process, times {PEERS[name]}'s", pairs["process"]),
        Row.ratio(f"{what}: {evaluations}, times budget 1", pairs["budget"], bound=TIMES_FULL),
        Row.ratio(f"{what}: {evaluations}, times {PEERS[name]}'s full loop", pairs["reuse"], bound=with_budget),
    ], {name: peer.version}
