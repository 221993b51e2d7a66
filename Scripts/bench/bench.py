"""Times omnicache in turns with PyTorch, ONNX Runtime and OpenVINO, on the same weights and inputs.

    make bench-peers                  # or: Scripts/bench/run.sh --binary .build/release/omnicache [options]

  forwards  a guided forward of DiT-S/2, B/2 and XL/2 against each peer's in the same precision; in less than float32
            also against ours in the next higher one, and errors
  loops     50 guided steps of S/2 against a peer's (PyTorch in float32, OpenVINO in bfloat16, ONNX Runtime in int8),
            and with half of the evaluations
  decoding  the VAE's decoding of 256 x 256 pixels against PyTorch's, or ours in float32
  start     start and memory of the embedded model
  cost      twice the images, four times the tokens

Outputs are compared before anything is timed. Times are taken in turns, and ratios pair by pair: a number above 1 says
how many times as fast omnicache is. Beside each median stands an interval that holds the true one with a probability of
95 %, given 6 rounds or more (of peak memory, which hardly varies, it is the range of 3 runs); machines are noisy, so
its better end decides whether a bound is met. A forward of ours is charged its share of what a run of 50 steps spends
on modulation, which the peers compute in every forward.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "Scripts/verify"))
import costs  # noqa: E402
import forwards  # noqa: E402
import loops  # noqa: E402
from contestants import Arithmetic  # noqa: E402
from launch import output  # noqa: E402
from places import PEERS, PRECISIONS, SIZES, directory  # noqa: E402
from report import Row, table  # noqa: E402

PARTS = ["forwards", "loops", "decoding", "start", "cost"]
DECODING_BOUNDS = {"float32": 1.1, "bfloat16": 1.6, "int8": 1.6}
MOST_LONG_ROUNDS = 6  # of what takes many seconds; fewer would not make an interval of 95 %


def names(known):
    """A parser of lists of some of the names."""
    def parse(text):
        found = text.split(",")
        if unknown := set(found) - set(known):
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: not among {', '.join(known)}")
        return found
    return parse


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, required=True, help="the command line")
    parser.add_argument("--start-binary", type=Path, help="the one whose start is measured (default: the same)")
    parser.add_argument("--parts", type=names(PARTS), default=PARTS, metavar="LIST", help="default: %(default)s")
    parser.add_argument("--sizes", type=names(SIZES), default=list(SIZES), metavar="LIST", help="default: %(default)s")
    parser.add_argument("--peers", type=names(PEERS), default=list(PEERS), metavar="LIST",
                        help="left out where they lack the precision (default: %(default)s)")
    parser.add_argument("--precision", choices=list(PRECISIONS), default="float32", help="default: %(default)s")
    parser.add_argument("--engine", choices=["openblas", "onednn"],
                        help="what multiplies our matrices (default: omnicache's for the precision)")
    parser.add_argument("--rounds", type=int, default=9, help="pairs of each measure (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                        help="of each contestant (default: all processors)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".build-bench",
                        help="where the models are made and kept (8 GB; default: .build-bench)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where all pairs are written to")
    parser.add_argument("--prepare", action="store_true", help="make the models and calibrations, and time nothing")
    parser.add_argument("--strict", action="store_true", help="exit code 1 when a bound is missed")
    given = parser.parse_args()
    # A relative path would mean something else to the programs that get it: caches ignore a relative XDG_CACHE_HOME.
    given.folder, given.binary = given.folder.resolve(), given.binary.absolute()
    given.start_binary = (given.start_binary or given.binary).absolute()
    for binary in (given.binary, given.start_binary):
        if not binary.exists():
            parser.error(f"{binary} is not there; run 'make build', or name it with --binary")
    given.arithmetic = Arithmetic.usual(given.precision)
    if given.engine:
        given.arithmetic = Arithmetic(given.precision, given.engine)
    given.peers = [name for name in given.peers if name in PRECISIONS[given.precision]]
    if given.rounds < 1 or given.threads < 1:
        parser.error("--rounds and --threads: give a number from 1 on")
    return given


def prepare(given):
    """Makes what the parts need and is not there yet."""
    sizes = set(given.sizes) if "forwards" in given.parts else set()
    if {"loops", "decoding"} & set(given.parts):
        sizes.add(loops.SIZE)
    given.folder.mkdir(parents=True, exist_ok=True)
    os.environ["XDG_CACHE_HOME"] = str(given.folder / "cache")
    output(sys.executable, "-W", "ignore", Path(__file__).with_name("subjects.py"), given.folder, given.precision,
           *sizes)
    if "loops" in given.parts:
        loops.calibrate(given.binary, given.folder, given.arithmetic)


def measure_decoding(given, scratch):
    """A row, and PyTorch's version."""
    found = json.loads(output(sys.executable, Path(__file__).with_name("decodings.py"), given.binary,
                              directory(given.folder, loops.SIZE), scratch, min(given.rounds, MOST_LONG_ROUNDS),
                              given.threads, given.arithmetic.precision, given.arithmetic.engine))
    theirs, here = (statistics.median(times) for times in zip(*found["pairs"]))
    whose = "PyTorch's" if given.precision == "float32" else "ours in float32"
    what = f"VAE decoding of 256 x 256 pixels, {here:.2f} s: times {whose}, {theirs:.2f} s"
    return [Row.ratio(what, found["pairs"], bound=DECODING_BOUNDS[given.precision])], {"torch": found["version"]}


def measure(given, scratch):
    """The rows of each part that was asked for, part by part, each with the versions of the peers in it."""
    parts, rounds = given.parts, given.rounds
    if "start" in parts:
        yield costs.measure_start(given.start_binary, scratch, rounds, given.threads), {}
    for size in given.sizes if "forwards" in parts else []:
        yield forwards.measure(given.binary, given.folder, scratch, size, given.peers, rounds, given.threads,
                               given.arithmetic)
    if "loops" in parts:
        yield loops.measure(given.binary, given.folder, scratch, min(rounds, MOST_LONG_ROUNDS), given.threads,
                            given.arithmetic)
    if "decoding" in parts:
        yield measure_decoding(given, scratch)
    if "cost" in parts:
        rounds = min(rounds, MOST_LONG_ROUNDS)
        yield costs.measure_images(given.binary, scratch, rounds, given.threads), {}
        yield costs.measure_tokens(given.binary, rounds, given.threads), {}


def circumstances(given, versions):
    """What the numbers hang on."""
    def git(*words):
        done = subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    commit = git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain") else "")
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    cpu = models[0].split(":", 1)[1].strip() if models else platform.machine()
    return {"commit": commit, "cpu": cpu, "threads": given.threads, "precision": given.arithmetic.precision,
            "engine": given.arithmetic.engine, "versions": versions}


def main():
    given = arguments()
    prepare(given)
    if given.prepare:
        return
    rows, versions = [], {}
    with tempfile.TemporaryDirectory() as scratch:
        for found, peers in measure(given, Path(scratch)):
            rows += found
            versions |= peers
            print(f"{len(rows)} measured, the last: {found[-1].what}", file=sys.stderr, flush=True)
    about = circumstances(given, versions)
    told = ", ".join(f"{PEERS[name]} {version}" for name, version in versions.items())
    print(f"omnicache {about['commit']}, {about['cpu']}, {given.threads} threads, {about['engine']} {about['precision']}"
          f"{', ' if told else ''}{told}\n")
    print(table(rows))
    if given.json:
        given.json.write_text(json.dumps({"schema": "omnicache.peers/1", **about, "rows": [r.json() for r in rows]},
                                         indent=1) + "\n")
    if given.strict and any(row.met is False for row in rows):
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except (OSError, RuntimeError, forwards.WrongOutput) as error:
        sys.exit(f"bench: {error}")
