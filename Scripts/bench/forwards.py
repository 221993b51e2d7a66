"""Guided forwards: omnicache and one peer at a time, in turns."""

import statistics

import numpy as np
from safetensors.numpy import load_file, save_file

from contestants import Peer, ours
from places import PEERS, directory, onnx_file
from report import Row

TOLERANCE = 2e-5  # of the largest output: each is within 1e-5 of the true one
TIMES_PYTORCH = 1.3
SHARE_OF_FASTEST = 0.88
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


def check(us, peer, scratch):
    """Both make the same forward, of which the output is compared."""
    latents = noise(scratch / "latents.safetensors")
    outputs = [scratch / f"{contestant.name}.safetensors" for contestant in (us, peer)]
    common = {"latents": latents, "class": LABEL}
    timestep = us.ask(call=CALL, branches=2, output=str(outputs[0]), **common)["timestep"]
    peer.ask(timestep=int(timestep), output=str(outputs[1]), **common)
    difference = largest_difference(*outputs)
    if not difference <= TOLERANCE:
        raise WrongOutput(f"{peer.name}: its output differs by {difference:.1e} of the largest value, more than "
                          f"{TOLERANCE:.0e}; it is not timed")
    return difference


def modulation(us, rounds=2):
    """The seconds a forward that a run spends on modulation: it computes that of all calls in two windows, at calls 0
    and 32, where the peers compute it in every forward."""
    plain, windows = [], []
    for _ in range(rounds):
        windows.append(us.ask(call=STEPS - 1)["seconds"] + us.ask(call=0)["seconds"])
        plain.append(us.ask()["seconds"])
    return max(0.0, statistics.median(windows) - 2 * statistics.median(plain)) / STEPS


def measure(binary, folder, scratch, size, peers, rounds, threads):
    """A row for each peer, and one for the fastest; the peers' versions."""
    rows, versions = [], {}
    with ours(binary, directory(folder, size), threads) as us:
        us.ask(branches=2)
        extra = modulation(us)
        for name in peers:
            # One peer at a time, so that the largest size needs the memory of two copies and not of four.
            with Peer(name, directory(folder, size), onnx_file(folder, size), threads) as peer:
                versions[name] = peer.version
                difference = check(us, peer, scratch)
                pairs = []
                for number in range(rounds):
                    order = (peer, us) if number % 2 else (us, peer)
                    times = {contestant.name: contestant.turn(*TURNS[size]) for contestant in order}
                    pairs.append((times[name], times[us.name] + extra))
            theirs, here = (statistics.median(times) for times in zip(*pairs))
            rows.append(Row.ratio(f"{size} guided forward, {here:.3f} s: times {PEERS[name]}'s, {theirs:.3f} s", pairs,
                                  bound=TIMES_PYTORCH if name == "torch" else None,
                                  notes={"size": size, "peer": name, "difference": difference, "modulation": extra}))
    if len(rows) > 1:
        fastest = min(rows, key=lambda row: row.median)
        rows.append(Row.ratio(f"{size} guided forward: times the fastest of these, {PEERS[fastest.notes['peer']]}",
                              fastest.pairs, bound=SHARE_OF_FASTEST, notes={"size": size}))
    return rows, versions
