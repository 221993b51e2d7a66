"""Guided forwards: omnicache and one peer at a time, in turns."""

import statistics

import numpy as np
from safetensors.numpy import load_file, save_file

from contestants import Arithmetic, Peer, ours
from places import PEERS, directory, onnx_file
from report import Row

# How far outputs may be apart, in shares of the largest: in float32 each is within 1e-5 of the true one. In bfloat16
# OpenVINO's is a quarter off the true one, and PyTorch's a hundredth.
TOLERANCE = {"float32": 2e-5, "bfloat16": 0.4, "int8": 0.4}
TIMES_PYTORCH = 1.3
SHARE_OF_FASTEST = {"openblas": 0.88, "onednn": 1.0}
TIMES_NEXT_PRECISION = {"bfloat16": 1.0, "int8": 1.5}
NEXT_PRECISION = {"bfloat16": "float32", "int8": "bfloat16"}  # what a precision has to be faster than
LABEL = 207
CALL = 20
STEPS = 50
# Forwards in a row, untimed and timed: of the small sizes so many that a turn is more than a moment.
TURNS = {"S/2": (1, 3), "B/2": (1, 1), "XL/2": (0, 1)}


class WrongOutput(Exception):
    """A peer computes something else, so that its time means nothing."""


def noise(path, seed=1):
    """A file of latents."""
    save_file({"latents": np.random.default_rng(seed).standard_normal((4, 32, 32), dtype=np.float32)}, path)
    return str(path)


def largest_difference(found, expected):
    """Of two files with the same tensors, in shares of the largest value."""
    found, expected = load_file(found), load_file(expected)
    return max(float(np.abs(found[name] - expected[name]).max() / np.abs(expected[name]).max()) for name in expected)


def relative_error(found, expected):
    """The norm of the difference of two files with the same tensors, in shares of the second's norm."""
    found, expected = load_file(found), load_file(expected)
    squares = lambda tensors: sum(float(np.square(t, dtype=np.float64).sum()) for t in tensors)  # noqa: E731
    return (squares(found[n] - expected[n] for n in expected) / squares(expected.values())) ** 0.5


class Forwards:
    """The same forward of several contestants, each in a file of its own."""

    def __init__(self, scratch):
        self.scratch, self.timestep = scratch, None
        self.common = {"latents": noise(scratch / "latents.safetensors"), "class": LABEL}

    def ours(self, us, name):
        """The file of an omnicache's forward."""
        path = self.scratch / f"{name}.safetensors"
        self.timestep = us.ask(call=CALL, branches=2, output=str(path), **self.common)["timestep"]
        return path

    def theirs(self, peer):
        """That of a peer's; after ours, which says at which timestep."""
        path = self.scratch / f"{peer.name}.safetensors"
        peer.ask(timestep=int(self.timestep), output=str(path), **self.common)
        return path


def check(peer, found, expected, precision):
    """Raises unless both outputs are the same, but for what the precision explains."""
    difference = largest_difference(found, expected)
    if not difference <= TOLERANCE[precision]:
        raise WrongOutput(f"{peer.name}: its output differs by {difference:.1e} of the largest value, more than "
                          f"{TOLERANCE[precision]:.0e}; it is not timed")
    return difference


def in_turns(first, second, size, rounds):
    """The seconds of forwards of two contestants, pair by pair."""
    for number in range(rounds):
        order = (first, second) if number % 2 else (second, first)
        seconds = {contestant: contestant.turn(*TURNS[size]) for contestant in order}
        yield seconds[first], seconds[second]


def modulation(us, rounds=2):
    """The seconds a forward that a run spends on modulation: it computes that of all calls in two windows, at calls 0
    and 32, where the peers compute it in every forward."""
    plain, windows = [], []
    for _ in range(rounds):
        windows.append(us.ask(call=STEPS - 1)["seconds"] + us.ask(call=0)["seconds"])
        plain.append(us.ask()["seconds"])
    return max(0.0, statistics.median(windows) - 2 * statistics.median(plain)) / STEPS


def gain(forwards, what, slower, us, precision, size, rounds, extra):
    """A row: how many times as fast we are as in the next higher precision."""
    forwards.ours(slower, "slower")
    pairs = [(theirs + extra, here + extra) for theirs, here in in_turns(slower, us, size, rounds)]
    return Row.ratio(f"{what}: times our own {NEXT_PRECISION[precision]}", pairs, bound=TIMES_NEXT_PRECISION[precision])


def measure(binary, folder, scratch, size, peers, rounds, threads, arithmetic):
    """A row for each peer, and one for the fastest; in less than float32 also rows for errors, and for what is gained
    over our next higher precision. The peers' versions."""
    rows, versions, precision = [], {}, arithmetic.precision
    model = directory(folder, size)
    what = f"{size} guided forward"
    forwards = Forwards(scratch)
    with ours(binary, model, threads, arithmetic) as us:
        output = forwards.ours(us, "ours")
        extra = modulation(us)
        if precision != "float32":
            with ours(binary, model, threads, Arithmetic.usual("float32")) as exact:
                expected = forwards.ours(exact, "expected")
            error = relative_error(output, expected)
            with ours(binary, model, threads, Arithmetic.usual(NEXT_PRECISION[precision])) as other:
                rows.append(gain(forwards, what, other, us, precision, size, rounds, extra))
        timed = []
        for name in peers:
            # One peer at a time, so that the largest size needs the memory of two copies and not of four.
            with Peer(name, model, onnx_file(folder, size, precision), threads, precision) as peer:
                versions[name] = peer.version
                found = forwards.theirs(peer)
                difference = check(peer, found, output, precision)
                if precision != "float32":
                    theirs = relative_error(found, expected)
                    rows.append(Row(f"{what}: error {error:.1e}, of {PEERS[name]}'s {theirs:.1e}", [error / theirs],
                                    bound=1.0, at_least=False))
                pairs = [(theirs, here + extra) for theirs, here in in_turns(peer, us, size, rounds)]
            theirs, here = (statistics.median(times) for times in zip(*pairs))
            timed.append(Row.ratio(f"{what}, {here:.3f} s: times {PEERS[name]}'s, {theirs:.3f} s", pairs,
                                   bound=TIMES_PYTORCH if name == "torch" else None,
                                   notes={"size": size, "peer": name, "difference": difference, "modulation": extra}))
    if len(timed) > 1:
        fastest = min(timed, key=lambda row: row.median)
        timed.append(Row.ratio(f"{what}: times the fastest of these, {PEERS[fastest.notes['peer']]}", fastest.pairs,
                               bound=SHARE_OF_FASTEST[arithmetic.engine], notes={"size": size}))
    return rows + timed, versions
