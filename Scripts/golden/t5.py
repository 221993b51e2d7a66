"""Writes the golden text encoders: tiny T5 encoders with random weights, tokens and the states that transformers gives.

    pip install -r Scripts/requirements.txt
    python Scripts/golden/t5.py                          # writes Tests/ModelsTests/Golden/t5/<case>/

Each case is a folder as transformers saves it, with two files more:

    tokens.json     `ids`, the tokens of each prompt, and `buckets`, those of the distances -400, …, 400
    io.safetensors  float32: `states.L` (L, D) of the prompt of L tokens, and `padded` (40, D) of that of 17 tokens, padded

Weights are those of the file, rounded as stored; what transformers does not force to float32 is computed in float64.
"""

import argparse
import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import T5Config, T5EncoderModel, T5ForConditionalGeneration
from transformers.models.t5.modeling_t5 import T5Attention

ROOT = Path(__file__).resolve().parents[2]
LENGTHS = [1, 2, 17, 128, 300]
PADDED = (17, 40)  # the tokens of a prompt, and with what pads it
FARTHEST = 400


@dataclass
class Case:
    """One encoder."""

    name: str
    seed: int
    dtype: torch.dtype = torch.float32
    make: type = T5EncoderModel
    shard: str = "1GB"
    options: dict = field(default_factory=dict)


CASES = [
    Case("gated", seed=1, options={"num_heads": 3}),
    Case("gated-bfloat16-shards", seed=2, dtype=torch.bfloat16, shard="20KB",
         options={"d_model": 20, "d_kv": 5, "d_ff": 41, "num_heads": 4, "num_layers": 2}),
    # A whole T5 of the first version, with a decoder.
    Case("relu-float16", seed=3, dtype=torch.float16, make=T5ForConditionalGeneration,
         options={"feed_forward_proj": "relu", "relative_attention_num_buckets": 14, "num_layers": 2, "num_decoder_layers": 1,
                  "relative_attention_max_distance": 50, "layer_norm_epsilon": 1e-5}),
]


def config_of(case):
    """The sizes of a case."""
    return T5Config(**{"vocab_size": 97, "d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 3, "num_heads": 4,
                       "feed_forward_proj": "gated-gelu", **case.options})


def randomise(model, config, generator):
    """Random weights that keep the size of what passes, and norms and biases that show."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() == 1:
            parameter.data = 1 + 0.2 * noise
        elif "relative_attention_bias" in name or "shared" in name:
            parameter.data = noise
        else:
            parameter.data = noise / parameter.shape[1] ** 0.5
            if name.endswith(".q.weight"):
                parameter.data /= config.d_kv**0.5


def write(case, root):
    """Writes one case."""
    folder = root / case.name
    shutil.rmtree(folder, ignore_errors=True)
    config = config_of(case)
    generator = torch.Generator().manual_seed(case.seed)
    model = case.make(config).eval()
    randomise(model, config, generator)
    model.to(case.dtype).save_pretrained(folder, max_shard_size=case.shard)
    (folder / "generation_config.json").unlink(missing_ok=True)

    encoder = (model.encoder if case.make is not T5EncoderModel else model).double()
    ids = [torch.randint(2, config.vocab_size, (length,), generator=generator).tolist()[:-1] + [1] for length in LENGTHS]
    states = {f"states.{len(row)}": encoder(input_ids=torch.tensor([row])).last_hidden_state[0].float().contiguous()
              for row in ids}
    count, length = PADDED
    row = next(row for row in ids if len(row) == count) + [0] * (length - count)
    mask = torch.tensor([[1] * count + [0] * (length - count)])
    padded = encoder(input_ids=torch.tensor([row]), attention_mask=mask).last_hidden_state[0]
    save_file(states | {"padded": padded.float().contiguous()}, folder / "io.safetensors")
    distances = torch.arange(-FARTHEST, FARTHEST + 1)
    buckets = T5Attention._relative_position_bucket(
        distances, True, config.relative_attention_num_buckets, config.relative_attention_max_distance)
    (folder / "tokens.json").write_text(json.dumps({"ids": ids, "buckets": buckets.tolist()}, separators=(",", ":")))
    largest = max(value.abs().max() for value in states.values())
    print(f"{case.name}: states up to {largest:.2f}, {sum(f.stat().st_size for f in folder.iterdir())} bytes")


def main():
    """Writes all cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT / "Tests/ModelsTests/Golden/t5", help="where the cases go")
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)
    for case in CASES:
        write(case, arguments.root)


if __name__ == "__main__":
    main()
