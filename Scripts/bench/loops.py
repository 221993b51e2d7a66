"""A guided run of 50 steps at S/2: PyTorch's transformer under diffusers' DDIM, and omnicache with and without reuse."""

import subprocess

from contestants import Peer
from forwards import LABEL, WrongOutput, largest_difference, noise
from launch import launch
from places import directory, onnx_file
from report import Row

SIZE = "S/2"
STEPS = 50
GUIDANCE = 4
BUDGET = 0.5
TIMES_PYTORCH = 1.3
TIMES_FULL = 1.87
LATENTS_BOUND = 1e-3  # of the largest value, after 50 steps


def calibrate(binary, folder):
    """Makes the calibration that a budget needs, unless it is there: it is made once and not for every image."""
    subprocess.run([str(word) for word in (
        binary, "calibrate", "--model", directory(folder, SIZE), "--steps", STEPS, "--cfg-scale", GUIDANCE, "--budget",
        BUDGET, "-q")], check=True, stdout=subprocess.DEVNULL)


def measure(binary, folder, scratch, rounds, threads):
    """Rows, and PyTorch's version."""
    start = noise(scratch / "noise.safetensors", seed=2)
    model, found = directory(folder, SIZE), scratch / "ours.safetensors"

    def run(budget):
        """A process and its one image."""
        done = launch(binary, "--model", model, "--steps", STEPS, "--cfg-scale", GUIDANCE, "--class", LABEL, "--seed", 1,
                      "--init-noise", start, "--budget", budget, "--threads", threads, "--save-latents", found, "--force")
        return done, done.events[-1]

    full, peers, wholes, reused, evaluations = [], [], [], [], 0
    with Peer("torch", model, onnx_file(folder, SIZE), threads) as peer:
        request = {"class": LABEL, "steps": STEPS, "guidance": GUIDANCE, "latents": start}
        for number in range(rounds):
            expected = scratch / "torch.safetensors"
            theirs = peer.ask(output=str(expected), **request)["seconds"]
            done, image = run(1)
            if not number and not (difference := largest_difference(found, expected)) <= LATENTS_BOUND:
                raise WrongOutput(f"loop: the latents differ by {difference:.1e} of the largest value")
            _, cached = run(BUDGET)
            evaluations = cached["evaluations"]
            full.append((theirs, image["seconds"]))
            wholes.append((peer.seconds_to_ready + theirs, done.seconds))
            peers.append((theirs, done.seconds))
            reused.append((image["seconds"], cached["seconds"]))
    what = f"{SIZE}, {STEPS} guided steps"
    return [
        Row.ratio(f"{what}, times PyTorch's loop", full, bound=TIMES_PYTORCH),
        Row.ratio(f"{what}, whole process against PyTorch's loop alone", peers),
        Row.ratio(f"{what}, whole process against PyTorch's", wholes),
        Row.ratio(f"{what}, budget {BUDGET} ({evaluations} of {2 * STEPS}) against 1", reused, bound=TIMES_FULL),
    ], {"torch": peer.version}
