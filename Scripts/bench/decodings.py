"""Decodings of 256 x 256 pixels in PyTorch and in omnicache, for bench.py: prints the seconds of each pair, and
PyTorch's version. In less than float32 the first of each pair is omnicache's in float32.

    decodings.py BINARY PIPELINE FOLDER ROUNDS THREADS PRECISION ENGINE
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image
from safetensors.torch import load_file

sys.path += [str(Path(__file__).resolve().parents[1] / part) for part in ("golden", "verify")]
import checkpoints  # noqa: E402
from command import run  # noqa: E402
from contestants import Arithmetic  # noqa: E402


def check(vae, binary, directory, folder, threads):
    """Both must make the same picture of the same latents."""
    latents, image = folder / "decoded.safetensors", folder / "decoded.png"
    run(binary, "sample", "--model", directory, "--class", 1, "--seed", 1, "--steps", 1, "--threads", threads,
        "--save-latents", latents, "-o", image, "--force")
    (ours,) = load_file(latents).values()
    decoded = vae.decode(ours.reshape(1, 4, 32, 32) / vae.config.scaling_factor).sample[0]
    picture = ((decoded / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
    share = (np.abs(np.asarray(Image.open(image).convert("RGB")).astype(int) - picture) <= 1).mean()
    if not share >= checkpoints.IMAGE_BOUND:
        raise SystemExit(f"decodings: only {share:.4f} of the picture is the same; it is not timed")


def main():
    binary, directory, folder = (Path(word) for word in sys.argv[1:4])
    rounds, threads = (int(word) for word in sys.argv[4:6])
    arithmetic = Arithmetic(*sys.argv[6:])
    torch.set_num_threads(threads)

    def here(arithmetic):
        return checkpoints.seconds_here(directory, folder, binary, threads, *arithmetic.options)

    def other():
        if arithmetic.precision == "float32":
            return checkpoints.seconds_in_pytorch(vae)
        return here(Arithmetic.usual("float32"))

    # PyTorch's convolutions are a tenth faster with the channels last.
    vae = AutoencoderKL.from_pretrained(directory / "vae", low_cpu_mem_usage=False).eval()
    vae = vae.to(memory_format=torch.channels_last)
    with torch.inference_mode():
        check(vae, binary, directory, folder, threads)
        pairs = [(other(), here(arithmetic)) for _ in range(rounds)]
    print(json.dumps({"pairs": pairs, "version": torch.__version__}))


if __name__ == "__main__":
    main()
