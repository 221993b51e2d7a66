"""Checks of MiniT2I for verify.py: the golden cases again, the converter, and B/16 at its true size.

The true size is 258 million random weights, 1 GB in a temporary folder, with a small T5 of the right width. PyTorch runs the
training module of Scripts/train/scenes in float32, eager, with as many threads, in turns with omnicache.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / folder) for folder in ("Scripts/golden", "Scripts/bench", "Scripts/train/scenes")]
import forward_checks  # noqa: E402
import minit2i as cases  # noqa: E402
import mmjit as module  # noqa: E402
import models as golden  # noqa: E402

FORWARD_BOUND = 1e-4  # of the largest value: the reference is in float32, too
MEMORY_BOUND = 1600  # MB, weights of 1033 among them
SPEED_BOUND = 1.3  # times PyTorch's
CLOSE_BOUND = 0.999  # of the values of a picture, within 1 of 255
STEPS, GUIDANCE, SEED, PROMPT = 20, 2.5, 7, "a red fox"
B16 = dict(image_size=512, patch_size=16, txt_input_size=1024, hidden_size=768, txt_hidden_size=768, depth_double=17,
           num_heads=12, head_dim=64, mlp_ratio=2.6667, pca_channels=128, prompt_length=256)
TOKENIZER = ROOT / "Tests/ModelsTests/Golden/tokenizers/nfkc/spiece.model"


def check_golden(report, folder):
    """Makes the golden cases again."""
    worst = 0.0
    for name, case in cases.CASES.items():
        cases.write(name, *case, folder)
        for file in ("io.safetensors", "diffusion_pytorch_model.safetensors"):
            ours = load_file(ROOT / "Tests/PipelineSupport/Golden/MMJiT" / name / file)
            for tensor, theirs in load_file(folder / name / file).items():
                worst = max(worst, golden.largest_difference(ours[tensor].float(), theirs.float()))
    report.line("minit2i: largest change of a golden value when made again", worst, 1e-6)


def check_converter(report, binary, folder):
    """A checkpoint of MiniT2I becomes a directory with the same tensors, but for those of the time."""
    source = ROOT / "Tests/PipelineSupport/Golden/MMJiT/even"
    state = {name.removeprefix("model."): tensor
             for name, tensor in load_file(source / "diffusion_pytorch_model.safetensors").items()}
    config = json.loads((source / "config.json").read_text())
    torch.save({"config": config, "state_dict": state}, folder / "minit2i.pt")
    out = folder / "converted"
    done = subprocess.run([sys.executable, str(ROOT / "Scripts/convert.py"), str(folder / "minit2i.pt"), str(out)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        report.failure(f"minit2i: convert: {done.stderr.strip()}")
        return
    kept = load_file(out / "transformer/diffusion_pytorch_model.safetensors")
    wrong = sum(not torch.equal(tensor, state[name.removeprefix("model.")]) for name, tensor in kept.items())
    missing = len(state) - len(kept) - sum(name.startswith(("net.t_", "net.pooled")) for name in state)
    info = subprocess.run([str(binary), "info", str(out)], capture_output=True, text=True)
    report.line("minit2i: convert: wrong parts of a converted checkpoint (tensors, info)",
                wrong + abs(missing) + (info.returncode != 0), 0)


def true_size(folder):
    """A MiniT2I-B/16 with random weights, its text encoder, and the directory of both."""
    from transformers import T5Config, T5EncoderModel
    torch.manual_seed(1)
    net = module.MMJiT(module.MMJiTConfig(**B16)).eval()
    for name, tensor in net.named_parameters():
        if name.endswith(("attn_proj.weight", "w2.weight", "linear.weight")):
            tensor.normal_(0, 0.5 * tensor.shape[1] ** -0.5)  # zero at first
    encoder = T5EncoderModel(T5Config(
        vocab_size=1000, d_model=1024, d_kv=16, d_ff=64, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu")).eval()
    directory = folder / "minit2i-b-16"
    for part in ("transformer", "scheduler", "tokenizer"):
        (directory / part).mkdir(parents=True)
    encoder.save_pretrained(directory / "text_encoder")
    (directory / "tokenizer/spiece.model").write_bytes(TOKENIZER.read_bytes())
    save_file({f"model.net.{name}": tensor.contiguous() for name, tensor in net.state_dict().items()},
              directory / "transformer/diffusion_pytorch_model.safetensors")
    texts = {"transformer/config.json": {"_class_name": "MiniT2IMMJiTModel", **B16},
             "scheduler/scheduler_config.json": {"_class_name": "MiniT2IFlowMatchScheduler"},
             "model_index.json": {"_class_name": "MiniT2ITextToImagePipeline",
                                  "scheduler": ["diffusers", "MiniT2IFlowMatchScheduler"],
                                  "text_encoder": ["transformers", "T5EncoderModel"],
                                  "transformer": ["diffusers", "MiniT2IMMJiTModel"]}}
    for name, value in texts.items():
        (directory / name).write_text(json.dumps(value))
    return net, encoder, directory


def check_forward(report, binary, net, directory, folder):
    """One guided forward, its time in turns with PyTorch's, and its memory."""
    length, tokens = B16["prompt_length"], forward_checks.TOKENS
    x = torch.randn(3, 512, 512, generator=torch.Generator().manual_seed(2))
    states = torch.zeros(2, length, B16["txt_input_size"])
    states[:, :tokens] = forward_checks.made_up_caption(
        forward_checks.example_prompt("MMJiT/MMJiTPrompts.swift"), tokens, B16["txt_input_size"])
    mask = torch.zeros(2, length, dtype=torch.bool)
    mask[0, :tokens] = True

    def theirs(timestep):
        # What a denoiser is asked for: the velocity.
        return (net(x.expand(2, -1, -1, -1), states, mask) - x) / max(1 - timestep, 0.05)

    title = "minit2i: B/16"
    memory = forward_checks.check_forward(
        report, title, binary, directory, folder, x, theirs, FORWARD_BOUND, SPEED_BOUND)
    report.line(f"{title}, peak memory in MB", memory, MEMORY_BOUND)


def check_picture(report, binary, net, encoder, directory, folder):
    """A picture of 20 steps from a prompt, through tokenizer, text encoder, network and sampler."""
    import sentencepiece
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(TOKENIZER))
    ids = torch.tensor([pieces.encode(PROMPT) + [pieces.eos_id()]])
    length = B16["prompt_length"]
    states = torch.zeros(2, length, B16["txt_input_size"])
    states[:, :ids.shape[1]] = encoder(input_ids=ids).last_hidden_state
    mask = torch.zeros(2, length, dtype=torch.bool)
    mask[0, :ids.shape[1]] = True
    x = 2 * torch.randn(3, 512, 512, generator=torch.Generator().manual_seed(SEED))
    for i in range(STEPS):
        t = i / STEPS
        x0, without = net(x.expand(2, -1, -1, -1), states, mask)
        x = x + (without + GUIDANCE * (x0 - without) - x) / max(1 - t, 0.05) / STEPS
    expected = (x.clamp(-1, 1) * 127.5 + 128).clamp(0, 255).byte().permute(1, 2, 0).numpy()
    path = folder / "picture.png"
    done = subprocess.run(
        [str(binary), "sample", "--model", str(directory), "--prompt", PROMPT, "--steps", str(STEPS), "--cfg-scale",
         str(GUIDANCE), "--seed", str(SEED), "-o", str(path)], capture_output=True, text=True)
    if done.returncode != 0:
        report.failure(f"minit2i: sample: {done.stderr.strip()}")
        return
    found = np.asarray(Image.open(path).convert("RGB")).astype(int)
    close = float((abs(found - expected.astype(int)) <= 1).mean())
    report.line(f"minit2i: B/16, values of a picture of {STEPS} steps within 1 of 255", close, CLOSE_BOUND, at_least=True)


def check_minit2i(report, binary, folder):
    folder.mkdir()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    check_golden(report, folder / "golden")
    check_converter(report, binary, folder)
    net, encoder, directory = true_size(folder)
    check_forward(report, binary, net, directory, folder)
    check_picture(report, binary, net, encoder, directory, folder)
