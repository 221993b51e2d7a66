"""Writes the golden MM-JiTs: tiny ones with random weights, their inputs and their exact outputs.

    pip install -r Scripts/requirements.txt
    python Scripts/golden/minit2i.py                      # writes Tests/PipelineSupport/Golden/MMJiT/<case>/

Each case is a transformer folder (config.json and safetensors, with MiniT2I's names) with one file more:

    io.safetensors  float32: `states` (tokens, width) of a prompt, `latents` (C, H, W), `with` and `without`
                    (C, H, W): the forwards with the prompt and with none; `noise` (C, H, W), of unit variance,
                    and `final` (C, H, W) of the run below

The run has 50 steps of MiniT2I's sampler with guidance 2.5 (diffusion.py of minit2i-jax): x = 2 noise at t = 0,
v = (x0 - x) / max(1 - t, 0.05), x += v / 50. reference_mmjit.py judges, in float64, rounded once.
"""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import reference_mmjit

ROOT = Path(__file__).resolve().parents[2]
STEPS, GUIDANCE, FLOOR, NOISE = 50, 2.5, 0.05, 2.0

BASE = {"_class_name": "MiniT2IMMJiTModel", "in_channels": 3, "txt_preamble_depth": 2, "prediction": "x",
        "sampler": "euler", "cfg_channels": 3, "cfg_interval": [0.0, 1.0], "n_T": 100, "llm": "text_encoder"}
CASES = {
    # One width for both streams, as in B/16, and the time layers that MiniT2I's files carry for nothing.
    "even": (dict(image_size=16, patch_size=4, txt_input_size=12, hidden_size=16, txt_hidden_size=16, depth_double=3,
                  num_heads=2, head_dim=8, mlp_ratio=2.6667, pca_channels=8, prompt_length=9), 5, torch.float32, True),
    # Head dimensions that no vector divides, an inner width that is not the tokens', a narrower text, one block.
    "odd": (dict(image_size=15, patch_size=5, txt_input_size=7, hidden_size=24, txt_hidden_size=20, depth_double=1,
                 num_heads=3, head_dim=12, mlp_ratio=2.7, pca_channels=5, prompt_length=6, txt_preamble_depth=1), 6,
            torch.bfloat16, False),
}


def shapes(c):
    """Names and shapes of all weights, as MiniT2I's classes have them."""
    inner, patch = c["num_heads"] * c["head_dim"], c["patch_size"]
    width, text = c["hidden_size"], c["txt_hidden_size"]
    yield "img_embedder.proj1.weight", (c["pca_channels"], 3, patch, patch)
    yield "img_embedder.proj2.weight", (width, c["pca_channels"], 1, 1)
    yield "img_embedder.proj2.bias", (width,)
    yield "txt_embedder.weight", (text, c["txt_input_size"])
    yield "mask_token", (1, 1, c["txt_input_size"])

    def stream(prefix, d):
        hidden = (int(d * c["mlp_ratio"]) + 7) // 8 * 8
        yield prefix + "norm1.weight", (d,)
        yield prefix + "norm2.weight", (d,)
        yield prefix + "qkv.weight", (3 * inner, d)
        yield prefix + "qkv.bias", (3 * inner,)
        yield prefix + "attn_proj.weight", (d, inner)
        yield prefix + "attn_proj.bias", (d,)
        yield prefix + "mlp.w1.weight", (hidden, d)
        yield prefix + "mlp.w3.weight", (hidden, d)
        yield prefix + "mlp.w2.weight", (d, hidden)

    def block(name, streams):
        for prefix, d in streams:
            yield from stream(name + prefix, d)
        yield name + "q_norm.weight", (c["head_dim"],)
        yield name + "k_norm.weight", (c["head_dim"],)

    for i in range(c["txt_preamble_depth"]):
        yield from block(f"txt_preamble_blocks.{i}.", [("", text)])
    for i in range(c["depth_double"]):
        yield from block(f"double_blocks.{i}.", [("img_", width), ("txt_", text)])
    yield "final_layer.norm_final.weight", (width,)
    yield "final_layer.linear.weight", (patch * patch * 3, width)
    yield "final_layer.linear.bias", (patch * patch * 3,)


def random_weights(config, generator, has_time):
    weights = {}
    for name, shape in shapes(config):
        values = torch.randn(shape, generator=generator)
        if "norm" in name:
            values = 1 + 0.2 * values
        elif name.endswith("bias"):
            values = 0.1 * values
        elif len(shape) > 1:
            values = values / values[0].numel() ** 0.5
        weights[name] = values
    if has_time:
        weights["t_embedder.mlp.0.weight"] = torch.randn(8, 256, generator=generator)
        weights["pooled_embedder.weight"] = torch.randn(8, config["txt_input_size"], generator=generator)
    return weights


def write(name, config, tokens, dtype, has_time, directory):
    config = {**BASE, **config}
    generator = torch.Generator().manual_seed(len(name))
    stored = {n: w.to(dtype) for n, w in random_weights(config, generator, has_time).items()}
    weights = {n: w.double() for n, w in stored.items()}
    size, length, width = config["image_size"], config["prompt_length"], config["txt_input_size"]
    states = torch.randn(tokens, width, generator=generator)
    latents = torch.randn(3, size, size, generator=generator)
    noise = torch.randn(3, size, size, generator=generator)
    padded = torch.zeros(2, length, width, dtype=torch.float64)
    padded[:, :tokens] = states.double()
    mask = torch.zeros(2, length)
    mask[0, :tokens] = 1

    def both(x):
        return reference_mmjit.forward(weights, config, x.expand(2, -1, -1, -1), padded, mask)

    outputs = both(latents.double()[None])
    x = NOISE * noise.double()[None]
    for i in range(STEPS):
        t = i / STEPS
        x0, without = both(x).split(1)
        x = x + (without + GUIDANCE * (x0 - without) - x) / max(1 - t, FLOOR) / STEPS
    folder = directory / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file({"model.net." + n: w for n, w in stored.items()}, folder / "diffusion_pytorch_model.safetensors")
    save_file({"states": states, "latents": latents, "with": outputs[0].float(), "without": outputs[1].float(),
               "noise": noise, "final": x[0].float()}, folder / "io.safetensors")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", type=Path, default=ROOT / "Tests/PipelineSupport/Golden/MMJiT")
    directory = parser.parse_args().directory
    for name, case in CASES.items():
        write(name, *case, directory)


if __name__ == "__main__":
    main()
