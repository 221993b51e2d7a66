"""Runs the built omnicache and tells what a run took, for the checks and the benchmarks."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass
class Finished:
    """What a command took."""

    seconds: float
    peak: float  # the most resident memory, in MB
    events: list  # the JSON lines of its standard output


# A process inherits the peak memory of the one that starts it, and this one is large: a small one in between starts it.
STARTER = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def run(binary, *words):
    """Runs the binary with JSON output; raises on failure."""
    command = [str(word) for word in (binary, *words, "--log", "json", "-q")]
    start = time.perf_counter()
    process = subprocess.run([sys.executable, "-c", STARTER, *command], capture_output=True, text=True)
    *errors, peak = process.stderr.strip().splitlines()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}: {errors}")
    return Finished(time.perf_counter() - start, int(peak) * 1024 / MEGABYTE,
                    [json.loads(line) for line in process.stdout.splitlines()])
