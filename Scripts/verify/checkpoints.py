"""Checks of whole checkpoints at their true sizes, for verify.py: diffusers' DiTPipeline is the reference.

Weights are random, but none is zero; schedulers and classes are read from the pipeline's own files. The reference runs
in float32, as its users run it.
"""

import json
import time

import numpy as np
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, DDIMScheduler, DiTPipeline
from PIL import Image
from safetensors.torch import load_file

import models as golden
from command import MEGABYTE, run

STEPS = 50
LATENTS_BOUND = 1e-3  # of the largest value, after 50 guided steps
IMAGE_BOUND = 0.999  # of the channel values, within 1 of 255

# depth, width, heads; the 4 blocks have XL/2's width
SIZES = {"DiT-S/2": (12, 384, 6), "DiT-B/2": (12, 768, 12), "4 blocks of DiT-XL/2": (4, 1152, 16)}
XL = (28, 1152, 16)


# Models of true size

def autoencoder():
    """The Stable Diffusion autoencoder's decoder and encoder, with random weights whose pictures use the whole range."""
    torch.manual_seed(1)
    vae = AutoencoderKL(down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                        block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4,
                        sample_size=256).eval()
    for name, tensor in vae.named_parameters():
        if name.endswith("bias") or "norm" in name:
            tensor.add_(0.1 * torch.randn(tensor.shape))
    latents = torch.randn(1, 4, 8, 8)
    vae.decoder.conv_out.weight.mul_(0.6 / vae.decode(latents).sample.std())
    return vae


def transformer_case(name, size, seed=9):
    depth, width, heads = size
    return golden.Case(name, "diffusers", "epsilon", depth=depth, width=width, heads=heads, patch=2, size=32,
                       channels=4, seed=seed, guidance=4.0, learn_sigma=True, classes=1000)


def pipeline(name, size, vae, folder):
    """A pipeline of diffusers' and its directory."""
    transformer = golden.DiffusersModel(transformer_case(name, size)).module
    # The gentle betas keep the latents of a model that was never trained within the decoder's range.
    scheduler = DDIMScheduler(num_train_timesteps=1000, beta_start=0.0001, beta_end=golden.GENTLE,
                              beta_schedule="linear", clip_sample=False)
    pipe = DiTPipeline(transformer=transformer, vae=vae, scheduler=scheduler)
    directory = folder / name.replace("/", "-").replace(" ", "-")
    pipe.save_pretrained(directory)
    # Saving leaves the labels out, but the published pipelines have them.
    index = directory / "model_index.json"
    labels = {str(i): f"class {i}, the {i}th" for i in range(1000)}
    index.write_text(json.dumps(json.loads(index.read_text()) | {"id2label": labels}))
    pipe.set_progress_bar_config(disable=True)
    return pipe, directory


def reference(pipe, label, seed):
    """Final latents and 8-bit picture of diffusers' pipeline."""
    seen = []
    decode = pipe.vae.decode

    def watch(latents, *rest, **options):
        seen.append(latents * pipe.vae.config.scaling_factor)
        return decode(latents, *rest, **options)

    pipe.vae.decode = watch
    picture = pipe([label], guidance_scale=4.0, num_inference_steps=STEPS,
                   generator=torch.Generator().manual_seed(seed), output_type="np").images[0]
    del pipe.vae.decode
    return seen[0][0], (picture * 255).round().astype(np.uint8)


# The checks

def check_pipelines(report, binary, folder):
    """Latents and pictures of 50 guided steps, from directories that diffusers wrote."""
    vae = autoencoder()
    for index, (name, size) in enumerate(SIZES.items()):
        pipe, directory = pipeline(name, size, vae, folder)
        label, seed = 207 + index, 40 + index
        latents, picture = reference(pipe, label, seed)
        out, image = folder / "latents.safetensors", folder / "image.png"
        done = run(binary, "sample", "--model", directory, "--class", f"the {label}th", "--seed", seed, "--cfg-scale", 4,
                   "--steps", STEPS, "--save-latents", out, "-o", image, "--force")
        (ours,) = load_file(out).values()
        report.line(f"checkpoints: {name}: latents of {STEPS} guided steps",
                    golden.largest_difference(ours, latents), LATENTS_BOUND)
        differences = np.abs(np.asarray(Image.open(image).convert("RGB")).astype(int) - picture.astype(int))
        report.line(f"checkpoints: {name}: channel values of the picture within 1 of 255",
                    float((differences <= 1).mean()), IMAGE_BOUND, at_least=True)
        if index == 0:
            check_decoding(report, vae, directory, done, folder, binary)
        del pipe


def seconds_in_pytorch(vae):
    """What decoding 256 x 256 pixels takes in PyTorch, which has its threads already."""
    latents = torch.randn(1, 4, 32, 32)
    start = time.perf_counter()
    vae.decode(latents)
    return time.perf_counter() - start


def seconds_here(directory, folder, binary, threads, *options):
    """What the same decoding takes in omnicache."""
    done = run(binary, "sample", "--model", directory, "--class", 1, "--seed", 1, "--steps", 1, "--threads", threads,
               "-o", folder / "decoded.png", "--force", *options)
    return done.events[-1]["decodeSeconds"]


def check_decoding(report, vae, directory, done, folder, binary):
    """Speed and memory of the decoder, at 256 and 512 pixels, and the tiny decoder's picture."""
    threads = torch.get_num_threads()
    theirs, ours = zip(*((seconds_in_pytorch(vae), seconds_here(directory, folder, binary, threads))
                         for _ in range(3)))
    report.line("checkpoints: speed of decoding 256 x 256, times PyTorch's", min(theirs) / min(ours), 1.0,
                at_least=True)
    # The encoder is not read.
    parts = (vae.decoder, vae.post_quant_conv)
    weights = sum(tensor.numel() * 4 for part in parts for tensor in part.parameters()) + sum(
        file.stat().st_size for file in (directory / "transformer").glob("*.safetensors"))
    report.line("checkpoints: peak memory of a run with decoding, above its weights, in MB",
                done.peak - weights / MEGABYTE, 700)

    torch.manual_seed(2)
    tiny = AutoencoderTiny().eval()
    for name, tensor in tiny.named_parameters():
        if name.endswith("bias"):
            tensor.add_(0.1 * torch.randn(tensor.shape))
    tiny.save_pretrained(directory / "vae_tiny")
    out = folder / "tiny.safetensors"
    run(binary, "sample", "--model", directory, "--class", 1, "--seed", 1, "--steps", 1, "--decoder", "tiny",
        "--save-latents", out, "-o", folder / "tiny.png", "--force")
    (ours,) = load_file(out).values()
    picture = (tiny.decode(ours.reshape(1, 4, 32, 32)).sample[0] / 2 + 0.5).clamp(0, 1).permute(1, 2, 0).numpy()
    differences = np.abs(np.asarray(Image.open(folder / "tiny.png").convert("RGB")).astype(int)
                         - (picture * 255).round().astype(int))
    report.line("checkpoints: tiny decoder: channel values within 1 of 255", float((differences <= 1).mean()),
                IMAGE_BOUND, at_least=True)


def write_official(directory, size, dtype):
    """An official checkpoint of the given size with random weights; returns the MB of its file."""
    case = golden.Case(directory.name, "official", "epsilon", *size, patch=2, size=32, channels=4, seed=3,
                       guidance=4.0, learn_sigma=True, classes=1000, dtype=dtype)
    directory.mkdir()
    golden.OfficialModel(case).write(directory)
    return (directory / "model.safetensors").stat().st_size / MEGABYTE


def check_memory(report, binary, folder):
    """Peak resident memory of DiT-XL/2 at its true size, with weights of 32 and of 16 bits."""
    for dtype, precision, bound in ((torch.float32, "float32", 2700 + 400), (torch.float16, "stored", 1900),
                                    (torch.float16, "float32", 2700 + 400)):
        directory = folder / f"xl-{precision}-{dtype}".replace("torch.", "")
        write_official(directory, XL, dtype)
        done = run(binary, "sample", "--model", directory, "--weights-precision", precision, "--class", 1, "--seed", 1,
                   "--steps", 1, "--save-latents", folder / "xl.safetensors", "--force")
        title = f"memory: DiT-XL/2, {str(dtype).removeprefix('torch.')} in the file, {precision} in memory: peak in MB"
        report.line(title, done.peak, bound)
        (directory / "model.safetensors").unlink()
