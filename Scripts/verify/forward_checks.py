"""What the checks of networks at their true sizes share: golden cases made again, captions as benchmarks make them up, and a
guided forward of omnicache against PyTorch's, with its time in turns and its memory."""

import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

import models as golden
from command import MEGABYTE
from contestants import Arithmetic, ours

ROOT = Path(__file__).resolve().parents[2]
TOKENS = 32  # of the captions that benchmarks make up
ROUNDS = 3


def check_golden(report, family, folder, directories):
    """Compares golden cases that have been made again in `folder`: weights and texts must be the same bytes, computed
    values within rounding."""
    worst, committed = 0.0, ROOT / "Tests/PipelineSupport/Golden"
    for directory in directories:
        for file in sorted(path for path in directory.rglob("*") if path.is_file()):
            known = committed / file.relative_to(folder)
            if file.name == "io.safetensors":
                mine, theirs = load_file(known), load_file(file)
                worst = max([worst] + [golden.largest_difference(mine[name], theirs[name]) for name in theirs])
            elif not known.exists() or known.read_bytes() != file.read_bytes():
                report.failure(f"{family}: {file.relative_to(folder)} is not what Scripts/golden makes")
    report.line(f"{family}: largest change of a golden value when made again", worst, 1e-6)


def made_up_caption(prompt, tokens, width):
    """The states that omnicache's benchmarks make up for a prompt: Knuth's MMIX generator, seeded by a hash of the text."""
    state = 5381
    for byte in prompt.encode():
        state = (state * 33 + byte) % 2**32
    numbers = []
    for _ in range(tokens * width):
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        numbers.append(((state >> 41) + 0.5) / 4_194_304 - 1)
    return torch.tensor(numbers, dtype=torch.float64).float().reshape(tokens, width)


def example_prompt(file):
    """The first of a family's example prompts, which benchmarks use; `file` is below Sources/Models."""
    text = (ROOT / "Sources/Models" / file).read_text()
    return next(line.strip().strip('",') for line in text.splitlines() if line.strip().startswith('"'))


def peak(process):
    """The most resident memory so far, in MB; what is mapped from the weights' file counts."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) * 1024 / MEGABYTE


def check_forward(report, title, binary, directory, folder, latents, theirs, bound, speed, **request):
    """One guided forward: its error and its speed against `theirs(timestep)`, which gives PyTorch's outputs of both
    branches; without it, omnicache runs alone. Returns the peak memory in MB."""
    threads = torch.get_num_threads()
    start, output = folder / "latents.safetensors", folder / "output.safetensors"
    save_file({"latents": latents}, start)

    def timed(timestep):
        begin = time.perf_counter()
        result = theirs(timestep)
        return result, time.perf_counter() - begin

    with ours(binary, directory, threads, Arithmetic.usual("float32")) as peer:
        answer = peer.ask(branches=2, call=10, latents=str(start), output=str(output), **request)
        if theirs:
            expected, _ = timed(answer["timestep"])
            found = load_file(output)
            times = [(peer.ask(branches=2)["seconds"], timed(answer["timestep"])[1]) for _ in range(ROUNDS)]
        memory = peak(peer.process)
    if not theirs:
        print(f"      a guided forward: omnicache {answer['seconds']:.1f} s on {threads} threads")
        return memory
    for branch, name in enumerate(("conditional", "unconditional")):
        report.line(f"{title}, a forward, {name} branch",
                    golden.largest_difference(found[name].reshape(expected[branch].shape), expected[branch]), bound)
    mine, other = (min(column) for column in zip(*times))
    print(f"      a guided forward: omnicache {mine:.2f} s, PyTorch eager {other:.2f} s, best of {ROUNDS} in turns on "
          f"{threads} threads")
    report.line(f"{title}, speed of a guided forward, times PyTorch's", other / mine, speed, at_least=True)
    return memory
