"""Holds tokenizers and text encoders against SentencePiece and transformers, at true sizes.

    make verify-text                  # or: Scripts/verify/text.sh [options], after a build of the tests

  tokenizers   ten thousand random lines in many scripts, with each kind of model that Scripts/golden/unigram.py trains
  encoders     flan-t5-large and two blocks of T5-XXL's width with random weights in bfloat16: states, peak memory, and
               time in turns with transformers in float32 (writes 2 GB)

The tests of the package do the comparing: they are given a folder by an environment variable. Exit code 1 when one fails.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "Scripts/golden"))

TOKENS = 25
GATED = {"feed_forward_proj": "gated-gelu", "vocab_size": 32128}
SIZES = {
    "flan-t5-large": {"d_model": 1024, "d_kv": 64, "d_ff": 2816, "num_layers": 24, "num_heads": 16, **GATED},
    "t5-xxl-2-blocks": {"d_model": 4096, "d_kv": 64, "d_ff": 10240, "num_layers": 2, "num_heads": 64, **GATED},
}


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


def write_encoder(sizes, folder):
    """Random weights, tokens and the states that transformers gives; the model, in float32."""
    import t5
    import torch
    from safetensors.torch import save_file
    from transformers import T5Config, T5EncoderModel
    config = T5Config(**sizes)
    torch.manual_seed(1)
    model = T5EncoderModel(config).eval()
    t5.randomise(model, config, torch.Generator().manual_seed(1))
    model.to(torch.bfloat16).save_pretrained(folder)
    model = model.float()
    ids = [torch.randint(2, config.vocab_size, (TOKENS,), generator=torch.Generator().manual_seed(2)).tolist()]
    states = model(input_ids=torch.tensor(ids)).last_hidden_state[0]
    save_file({f"states.{TOKENS}": states.contiguous()}, folder / "io.safetensors")
    (folder / "tokens.json").write_text(json.dumps({"ids": ids, "buckets": []}))
    return model, torch.tensor(ids)


def check_encoder(flags, name, folder, rounds):
    """States, memory and time of one encoder."""
    import torch
    torch.set_grad_enabled(False)
    folder.mkdir()
    model, ids = write_encoder(SIZES[name], folder)
    ours, theirs, passed = [], [], True
    for _ in range(rounds):
        printed, good = swift_test(flags, "T5TrueSizeTests", OMNICACHE_TEXT_ENCODER=str(folder))
        passed = passed and good
        found = [line for line in printed if line.startswith("figure: ")]
        ours += [float(match[1]) for line in found if (match := re.search(r"encoding .*: ([\d.e-]+) s", line))]
        for _ in range(3):
            start = time.perf_counter()
            model(input_ids=ids)
            theirs.append(time.perf_counter() - start)
    print("\n".join(found))
    print(f"{'PASS' if passed else 'FAIL'}  {name}, {TOKENS} tokens: omnicache {min(ours, default=0):.3f} s, transformers "
          f"{min(theirs):.3f} s, the least of {len(ours)} and {len(theirs)}", flush=True)
    return passed and bool(ours)


def main():
    """Runs the checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="tokenizers, encoders (default: both)")
    parser.add_argument("--flags", default="-c release -Xswiftc -enable-testing", help="of the build of the tests")
    parser.add_argument("--lines", type=int, default=10_000, help="random lines (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of the lines (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of timing (default: %(default)s)")
    arguments = parser.parse_args()
    flags, checks = arguments.flags.split(), arguments.checks or ["tokenizers", "encoders"]
    passed = True
    with tempfile.TemporaryDirectory() as name:
        if "tokenizers" in checks:
            passed &= check_tokenizers(flags, Path(name) / "tokenizers", arguments.lines, arguments.seed)
        if "encoders" in checks:
            for size in SIZES:
                passed &= check_encoder(flags, size, Path(name) / size, arguments.rounds)
    print("all within their bounds" if passed else "failed")
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
