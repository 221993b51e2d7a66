"""Programs that make forwards when they are asked to, and only then take any processor time."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path


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
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            last = (self.errors.read().strip().splitlines() or ["no message"])[-1]
            raise RuntimeError(f"{self.name} ended: {last}")
        os.kill(self.process.pid, signal.SIGSTOP)
        return json.loads(line)

    def ask(self, **request):
        """The answer to a request."""
        os.kill(self.process.pid, signal.SIGCONT)
        self.process.stdin.write(json.dumps(request) + "\n")
        return self.read()

    def turn(self, untimed, timed):
        """The mean seconds of some forwards in a row, after some that put caches and threads back to work."""
        for _ in range(untimed):
            self.ask()
        return sum(self.ask()["seconds"] for _ in range(timed)) / timed


def ours(binary, model, threads):
    return Contestant("omnicache", [binary, "bench", "--on-request", "--model", model, "--threads", threads])


class Peer(Contestant):
    """One of the peers, ready; tells its version and what getting ready took."""

    def __init__(self, name, pipeline, onnx, threads):
        start = time.perf_counter()
        super().__init__(name, [sys.executable, Path(__file__).with_name("peer.py"), name, pipeline, onnx, threads])
        self.version = self.read()["version"]
        self.seconds_to_ready = time.perf_counter() - start
