"""Whole processes of omnicache, from start to end."""

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


def launch(binary, *words):
    """Runs `omnicache sample`, following its log."""
    command = [str(word) for word in (binary, "sample", *words, "--log", "json")]
    with tempfile.TemporaryFile("w+") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.PIPE, text=True)
        first_step, line = None, ""
        for line in process.stderr:
            if first_step is None and '"event":"step"' in line:
                first_step = time.perf_counter() - start
        code = process.wait()
        seconds = time.perf_counter() - start
        if code != 0 or first_step is None:
            raise RuntimeError(f"{' '.join(command)}: exit code {code}: {line.strip() or 'no message'}")
        output.seek(0)
        return Launched(first_step, seconds, [json.loads(text) for text in output])
