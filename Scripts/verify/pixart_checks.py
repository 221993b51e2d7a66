"""Checks of PixArt for verify.py: the golden cases again, the converter, and PixArt-Sigma 512 at its true size.

The true size is 611 million random weights, 2.4 GB in a temporary folder and as much in the memory of each program: 8 GB in
all. diffusers' PixArtTransformer2DModel runs in float32, eager, with as many threads, in turns with omnicache.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import torch
from diffusers import DPMSolverMultistepScheduler, PixArtTransformer2DModel
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "Scripts/golden"), str(ROOT / "Scripts/bench")]
import models as golden  # noqa: E402
import pixart as cases  # noqa: E402
import forward_checks  # noqa: E402

FORWARD_BOUND = 1e-4  # of the largest value: the reference is in float32, too
MEMORY_BOUND = 3400  # MB: weights of 2444, and what a guided run of 1024 tokens takes
SPEED_BOUND = 1.0  # times PyTorch's


# Golden cases

def check_golden(report, folder):
    """Makes the golden cases again."""
    for case in cases.CASES:
        cases.write_case(case, folder)
    forward_checks.check_golden(report, "pixart", folder, [folder / f"pixart-{case.name}" for case in cases.CASES])


# The converter

def official(module, config):
    """A checkpoint with the authors' names, made of diffusers' module: what Scripts/convert.py reads."""
    state = {}
    theirs = module.state_dict()
    for name, tensor in theirs.items():
        for index in range(config.num_layers):
            name = name.replace(f"transformer_blocks.{index}.", f"blocks.{index}.")
        for mine, other in CONVERTED:
            name = name.replace(other, mine)
        state[name] = tensor
    for index in range(config.num_layers):
        block = f"transformer_blocks.{index}"
        for kind in ("weight", "bias"):
            state[f"blocks.{index}.attn.qkv.{kind}"] = torch.cat(
                [theirs[f"{block}.attn1.to_{letter}.{kind}"] for letter in "qkv"])
            state[f"blocks.{index}.cross_attn.kv_linear.{kind}"] = torch.cat(
                [theirs[f"{block}.attn2.to_{letter}.{kind}"] for letter in "kv"])
    state = {name: tensor for name, tensor in state.items() if "attn1" not in name and "attn2" not in name}
    width = config.num_attention_heads * config.attention_head_dim
    grid = config.sample_size // config.patch_size
    return state | {"y_embedder.y_embedding": torch.randn(300, config.caption_channels),
                    "pos_embed": torch.zeros(1, grid * grid, width)}


# Our names, and parts of diffusers'; the first that fits counts, so what is longer comes first.
CONVERTED = [
    ("x_embedder.proj", "pos_embed.proj"), ("t_embedder.mlp.0", "adaln_single.emb.timestep_embedder.linear_1"),
    ("t_embedder.mlp.2", "adaln_single.emb.timestep_embedder.linear_2"), ("t_block.1", "adaln_single.linear"),
    ("y_embedder.y_proj.fc1", "caption_projection.linear_1"), ("y_embedder.y_proj.fc2", "caption_projection.linear_2"),
    ("final_layer.linear", "proj_out"), ("attn.proj", "attn1.to_out.0"), ("cross_attn.q_linear", "attn2.to_q"),
    ("cross_attn.proj", "attn2.to_out.0"), ("mlp.fc1", "ff.net.0.proj"), ("mlp.fc2", "ff.net.2")]


def check_converter(report, binary, folder):
    """An official checkpoint becomes a directory that omnicache reads, and so does a directory with pickled weights."""
    module = PixArtTransformer2DModel(
        num_attention_heads=2, attention_head_dim=12, num_layers=2, cross_attention_dim=24, sample_size=32,
        interpolation_scale=0.5, caption_channels=16, use_additional_conditions=False)
    state = official(module, module.config)
    state["final_layer.scale_shift_table"] = state.pop("scale_shift_table")
    source = folder / "PixArt-Sigma-tiny.pth"
    torch.save({"state_dict": state, "epoch": 3}, source)
    out = folder / "converted"
    done = convert(source, out, "--heads", 2)
    if done.returncode != 0:
        report.failure(f"pixart: convert: {done.stderr.strip()}")
        return
    config = json.loads((out / "config.json").read_text())
    expected = {"prompt_tokens": 300, "sample_size": 32, "interpolation_scale": 0.5, "num_layers": 2, "out_channels": 8}
    fits = expected.items() <= config.items()
    kept = load_file(out / "model.safetensors")
    same = all(torch.equal(kept[name], state[name]) for name in kept) and len(kept) == len(state) - 2
    info = subprocess.run([str(binary), "info", str(out)], capture_output=True, text=True)
    report.line("pixart: convert: wrong parts of a converted checkpoint (configuration, tensors, info)",
                (not fits) + (not same) + (info.returncode != 0), 0)
    for what, changed, words in (
            ("a norm of queries", state | {"blocks.0.attn.q_norm.weight": torch.ones(12)}, "also holds"),
            ("a missing tensor", {n: t for n, t in state.items() if n != "t_block.1.bias"}, "lacks t_block.1.bias")):
        torch.save({"state_dict": changed}, source)
        done = convert(source, folder / "refused", "--heads", 2)
        if done.returncode == 0 or words not in done.stderr:
            report.failure(f"pixart: convert: {what} is not refused: {done.stderr.strip()}")
    directory = folder / "pickled"
    module.save_pretrained(directory, safe_serialization=False)
    done = convert(directory, folder / "plain")
    if done.returncode != 0 or len(load_file(next((folder / "plain").glob("*.safetensors")))) != len(module.state_dict()):
        report.failure(f"pixart: convert: a directory with pickled weights: {done.stderr.strip()}")


def convert(source, out, *options):
    return subprocess.run([str(word) for word in (sys.executable, ROOT / "Scripts/convert.py", source, out, *options)],
                          capture_output=True, text=True)


# The true size


def true_size(folder):
    """PixArt-Sigma for pictures of 512 pixels with random weights, and its directory."""
    torch.manual_seed(1)
    module = PixArtTransformer2DModel(sample_size=64, interpolation_scale=1, caption_channels=4096,
                                      use_additional_conditions=False).eval()
    # Biases are zero at first.
    for name, tensor in module.named_parameters():
        if name.endswith("bias"):
            tensor.add_(0.1 * torch.randn(tensor.shape))
    directory = folder / "pixart-sigma-512"
    module.save_pretrained(directory / "transformer", max_shard_size="10GB")
    DPMSolverMultistepScheduler(beta_start=0.0001, beta_end=0.02).save_pretrained(directory / "scheduler")
    parts = {"transformer": ["diffusers", "PixArtTransformer2DModel"],
             "scheduler": ["diffusers", "DPMSolverMultistepScheduler"]}
    (directory / "model_index.json").write_text(json.dumps({"_class_name": "PixArtSigmaPipeline"} | parts))
    return module, directory


def check_true_size(report, binary, folder):
    """One guided forward against diffusers, its time in turns with PyTorch's, and its memory."""
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    module, directory = true_size(folder)
    latents = torch.randn(4, 64, 64, generator=torch.Generator().manual_seed(2))
    prompts = (forward_checks.example_prompt("PixArt/PixArtPrompts.swift"), "")
    captions = torch.stack([forward_checks.made_up_caption(prompt, forward_checks.TOKENS, 4096) for prompt in prompts])
    nothing = {"resolution": None, "aspect_ratio": None}

    def theirs(timestep):
        return module(latents.expand(2, -1, -1, -1), encoder_hidden_states=captions,
                      timestep=torch.full((2,), int(timestep)), added_cond_kwargs=nothing).sample

    title = "pixart: Sigma 512"
    memory = forward_checks.check_forward(
        report, title, binary, directory, folder, latents, theirs, FORWARD_BOUND, SPEED_BOUND)
    report.line(f"{title}, peak memory in MB", memory, MEMORY_BOUND)


def check_pixart(report, binary, folder):
    folder.mkdir()
    check_golden(report, folder / "golden")
    check_converter(report, binary, folder)
    check_true_size(report, binary, folder)
