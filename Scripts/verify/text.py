"""Holds tokenizers and text encoders against SentencePiece and transformers, at true sizes.

    make verify-text                  # or: Scripts/verify/text.sh [options], after a build of the tests

  tokenizers   ten thousand random lines in many scripts, with each kind of model that Scripts/golden/unigram.py trains
  encoders     flan-t5-large in float32 and bfloat16, and two blocks of T5-XXL's width in bfloat16, with random weights:
               states, peak memory, and time in turns with transformers in float32 (writes 3 GB)

The tests of the package do the comparing: they are given a folder by an environment variable. Exit code 1 when one fails.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "Scripts/golden"))

TOKENS = 25
GATED = {"feed_forward_proj": "gated-gelu", "vocab_size": 32128}
FLAN_LARGE = {"d_model": 1024, "d_kv": 64, "d_ff": 2816, "num_layers": 24, "num_heads": 16, **GATED}
XXL_2_BLOCKS = {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 2, "num_heads": 64, **GATED}
ENCODERS = [
    ("flan-t5-large", FLAN_LARGE, "float32"), ("flan-t5-large", FLAN_LARGE, "bfloat16"),
    ("t5-xxl-2-blocks", XXL_2_BLOCKS, "bfloat16"),
]


def swift_test(flags, test, **environment):
    """Runs a test of the package; the lines that it prints, and whether it passed."""
    command = ["swift", "test", *flags, "--skip-build", "--filter", test]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
    return done.stdout.splitlines() + done.stderr.splitlines(), done.returncode == 0


def check_tokenizers(flags, folder, lines, seed):
    """The ids of random lines."""
    import corpus
    import unigram
    unigram.write_all(folder, corpus.random_lines(lines, seed))
    printed, passed = swift_test(flags, "UnigramTokenizerTests", OMNICACHE_TOKENIZERS=str(folder))
    told = [line for line in printed if "lines differ" in line]
    print("\n".join(told), flush=True)
    return passed and len(told) == len(list(folder.iterdir()))


def write_encoder(sizes, stored, folder):
    """Random weights that 16 bits hold, tokens and the states that transformers gives; the model, in float32."""
    import t5
    import torch
    from safetensors.torch import save_file
    from transformers import T5Config, T5EncoderModel
    config = T5Config(**sizes)
    torch.manual_seed(1)
    model = T5EncoderModel(config).eval()
    t5.randomise(model, config, torch.Generator().manual_seed(1))
    model = model.to(torch.bfloat16).to(getattr(torch, stored))
    model.save_pretrained(folder)
    model = model.float()
    ids = [torch.randint(2, config.vocab_size, (TOKENS,), generator=torch.Generator().manual_seed(2)).tolist()]
    states = model(input_ids=torch.tensor(ids)).last_hidden_state[0]
    save_file({f"states.{TOKENS}": states.contiguous()}, folder / "io.safetensors")
    (folder / "tokens.json").write_text(json.dumps({"ids": ids, "buckets": []}))
    return model, torch.tensor(ids)


def check_encoder(flags, name, sizes, stored, folder, rounds):
    """States, memory and time of one encoder."""
    import torch
    torch.set_grad_enabled(False)
    folder.mkdir()
    model, ids = write_encoder(sizes, stored, folder)
    ratios, passed = [], True
    for _ in range(rounds):
        printed, good = swift_test(flags, "T5TrueSizeTests", OMNICACHE_TEXT_ENCODER=str(folder))
        passed = passed and good
        found = [line for line in printed if line.startswith("figure: ")]
        ours = [float(match[1]) for line in found if (match := re.search(r"encoding .*: ([\d.e-]+) s", line))]
        theirs = []
        for _ in range(3):
            start = time.perf_counter()
            model(input_ids=ids)
            theirs.append(time.perf_counter() - start)
        ratios += [statistics.median(theirs) / statistics.median(ours)] if ours else []
    print("\n".join(found))
    speed = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})" if ratios else "unknown"
    print(f"{'PASS' if passed else 'FAIL'}  {name} stored in {stored}, {TOKENS} tokens: speed / transformers' in float32: "
          f"{speed}, median of {len(ratios)} rounds", flush=True)
    return passed and bool(ratios)


def main():
    """Runs the checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="tokenizers, encoders (default: both)")
    parser.add_argument("--flags", default="-c release -Xswiftc -enable-testing", help="of the build of the tests")
    parser.add_argument("--lines", type=int, default=10_000, help="random lines (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the lines (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of timing (default: %(default)s)")
    arguments = parser.parse_args()
    flags, checks = arguments.flags.split(), arguments.checks or ["tokenizers", "encoders"]
    passed = True
    with tempfile.TemporaryDirectory() as name:
        if "tokenizers" in checks:
            passed &= check_tokenizers(flags, Path(name) / "tokenizers", arguments.lines, arguments.seed)
        if "encoders" in checks:
            for size, sizes, stored in ENCODERS:
                folder = Path(name) / f"{size}-{stored}"
                passed &= check_encoder(flags, size, sizes, stored, folder, arguments.rounds)
    print("all within their bounds" if passed else "failed")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
