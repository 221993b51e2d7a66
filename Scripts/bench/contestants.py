"""Programs that make forwards when they are asked to, and only then take any processor time."""

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from launch import last_line

PATIENCE = 30  # seconds, for a program to end when there is nothing left to ask


@dataclass(frozen=True)
class Arithmetic:
    """How omnicache multiplies."""

    precision: str
    engine: str

    @classmethod
    def usual(cls, precision):
        """With the engine that omnicache takes when none is named."""
        return cls(precision, "openblas" if precision == "float32" else "onednn")

    @property
    def options(self):
        return ["--precision", self.precision, "--engine", self.engine]


class Contestant:
    """A process that answers a line of JSON with a line of JSON.

    Between its turns it is stopped (SIGSTOP). That is how the idle threads of one program, which spin while they wait
    for work, are kept from slowing the next one down; each program spins as it likes while its turn lasts.
    """

    def __init__(self, name, command):
        self.name = name
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([str(word) for word in command], text=True, bufsize=1, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """Ends the process, stopped or not; returns its exit code."""
        self.process.send_signal(signal.SIGCONT)
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def read(self, member):
        """The next answer, which has the member; the process is ended where that is not what comes."""
        line = self.process.stdout.readline()
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or member not in answer:
            code = self.end()
            if line:
                raise RuntimeError(f"{self.name}: its answer has no '{member}': {line.strip()}")
            self.errors.seek(0)
            raise RuntimeError(f"{self.name}: exit code {code}: {last_line(self.errors.read())}")
        self.process.send_signal(signal.SIGSTOP)
        return answer

    def ask(self, **request):
        """The answer to a request."""
        self.process.send_signal(signal.SIGCONT)
        # A process that has ended cannot be written to; reading tells why it did.
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(request) + "\n")
        return self.read("seconds")

    def turn(self, untimed, timed):
        """The mean seconds of some forwards in a row, after some that put caches and threads back to work."""
        for _ in range(untimed):
            self.ask()
        return sum(self.ask()["seconds"] for _ in range(timed)) / timed


def ours(binary, model, threads, arithmetic):
    return Contestant("omnicache", [binary, "bench", "--on-request", "--model", model, "--threads", threads,
                                    *arithmetic.options])


class Peer(Contestant):
    """One of the peers, ready; tells its version and what getting ready took."""

    def __init__(self, name, pipeline, onnx, threads, precision):
        start = time.perf_counter()
        super().__init__(name, [sys.executable, Path(__file__).with_name("peer.py"), name, pipeline, onnx, threads,
                                precision])
        self.version = self.read("version")["version"]
        self.seconds_to_ready = time.perf_counter() - start
