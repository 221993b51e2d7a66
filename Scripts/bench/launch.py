"""Whole processes, from start to end; one that fails raises a RuntimeError with the last line of its errors."""

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass


@dataclass
class Launched:
    """What a process took, by the clock, from the moment before it was started."""

    first_step: float  # until it told that the first step was done
    seconds: float  # until it had ended
    events: list  # the JSON lines of its standard output

    @property
    def from_first_step(self):
        return self.seconds - self.first_step


def last_line(errors):
    """The reason that a program gives for its end: the last line, also where a Python program ends with a traceback."""
    return (errors.strip().splitlines() or ["no message"])[-1]


def output(*words):
    """What a program prints."""
    command = [str(word) for word in words]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit code {done.returncode}: {last_line(done.stderr)}")
    return done.stdout


def launch(binary, *words):
    """Runs `omnicache sample`, following its log."""
    command = [str(word) for word in (binary, "sample", *words, "--log", "json")]
    with tempfile.TemporaryFile("w+") as lines:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=lines, stderr=subprocess.PIPE, text=True)
        first_step, line = None, ""
        for line in process.stderr:
            if first_step is None and '"event":"step"' in line:
                first_step = time.perf_counter() - start
        code = process.wait()
        seconds = time.perf_counter() - start
        if code != 0 or first_step is None:
            raise RuntimeError(f"{' '.join(command)}: exit code {code}: {last_line(line)}")
        lines.seek(0)
        return Launched(first_step, seconds, [json.loads(text) for text in lines])
