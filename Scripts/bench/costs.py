"""What omnicache costs by itself: start, memory, and how time grows with images and tokens."""

import json

from command import run
from launch import launch, output
from places import embedded_model
from report import Row

START_BOUND = 150  # ms
MEMORY_BOUND = 140  # MB
IMAGES_BOUND = 1.05
TOKENS_BOUND = 1.05
IMAGES, STEPS = 8, 50


def measure_start(binary, scratch, rounds, threads):
    """From the start of a process to its first step, and the most memory that the run takes."""
    words = ["--model", embedded_model(), "--seed", 1, "--class", 0, "--threads", threads, "--force", "-o",
             scratch / "start.png"]
    launch(binary, *words, "--steps", 1)  # hashes the weights, once for all
    starts = [1000 * launch(binary, *words, "--steps", 1).first_step for _ in range(2 * rounds)]
    peaks = [run(binary, "sample", *words).peak for _ in range(min(rounds, 3))]
    return [
        Row("embedded model: start to the end of the first step", starts, START_BOUND, at_least=False, unit=" ms"),
        Row("embedded model: peak memory of an image", peaks, MEMORY_BOUND, at_least=False, unit=" MB"),
    ]


def measure_images(binary, scratch, rounds, threads):
    """Twice as many images, from the first step to the end of the process."""
    def sample(count):
        return launch(binary, "--model", embedded_model(), "--seed", 1, "--class", "all", "--count", count, "--steps",
                      STEPS, "--threads", threads, "--force", "-o", scratch / "{index}.png").from_first_step

    sample(2)
    pairs = []
    for number in range(rounds):
        times = {count: sample(count) for count in ((IMAGES, 2 * IMAGES), (2 * IMAGES, IMAGES))[number % 2]}
        pairs.append((times[2 * IMAGES], 2 * times[IMAGES]))
    return [Row.ratio(f"embedded model: time of {2 * IMAGES} images, of twice that of {IMAGES}", pairs,
                      bound=IMAGES_BOUND, at_least=False)]


def measure_tokens(binary, rounds, threads):
    """What `omnicache bench --scaling` finds at S/2: it takes pairs of its own, and tells their interval."""
    found = json.loads(output(binary, "bench", "--size", "S/2", "--scaling", "--repeats", rounds, "--threads", threads,
                              "--log", "json"))["scaling"]

    def row(what, ratio, bound):
        return Row(what, [ratio["low"], ratio["quartiles"]["median"], ratio["high"]], bound, at_least=False)

    few, many = found["tokens"]
    return [row("S/2: time of 4 short images, of twice that of 2", found["images"], IMAGES_BOUND),
            row(f"S/2: time of {many} tokens, of what FLOPs say of {few}'s", found["tokenCost"], TOKENS_BOUND),
            Row("S/2: tensors allocated in steps", [found["allocationsInSteps"]], 0, at_least=False)]
