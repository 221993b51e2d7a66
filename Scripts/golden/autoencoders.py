"""Writes the golden autoencoders: tiny decoders with random weights, latents and their exact images.

    pip install -r Scripts/requirements.txt
    python Scripts/golden/autoencoders.py                # writes Tests/ModelsTests/Golden/<case>/

Each case is the directory of a VAE as diffusers saves it (config.json and safetensors, of the encoder only what fits)
with one file more:

    io.safetensors  float32: `latents` (C, h, w) as a diffusion model leaves them, `image` (3, H, W)

Weights are those of the file, rounded as stored; all is computed in float64 and rounded once, so that the file holds the
true answer.
"""

import argparse
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = "diffusion_pytorch_model.safetensors"


@dataclass
class Case:
    """One autoencoder and the size of its latents."""

    name: str
    make: type
    height: int
    width: int
    seed: int
    dtype: torch.dtype = torch.float32
    options: dict = field(default_factory=dict)


def blocks(count):
    """The options that set the number of levels."""
    return {"down_block_types": ["DownEncoderBlock2D"] * count, "up_block_types": ["UpDecoderBlock2D"] * count}


CASES = [
    Case("kl", AutoencoderKL, 5, 6, seed=1,
         options={"block_out_channels": [8, 12], "norm_num_groups": 4, "layers_per_block": 1, **blocks(2)}),
    Case("kl-plain-float16", AutoencoderKL, 3, 4, seed=2, dtype=torch.float16,
         options={"block_out_channels": [4, 8, 24], "norm_num_groups": 2, "layers_per_block": 2, **blocks(3),
                  "latent_channels": 5, "scaling_factor": 0.3611, "shift_factor": 0.1159,
                  "use_post_quant_conv": False, "use_quant_conv": False, "mid_block_add_attention": False}),
    Case("tiny", AutoencoderTiny, 4, 5, seed=3,
         options={"encoder_block_out_channels": [12, 12, 12], "decoder_block_out_channels": [12, 12, 12],
                  "num_encoder_blocks": [1, 1, 1], "num_decoder_blocks": [2, 1, 1]}),
]


def randomise(model, generator):
    """Gives every parameter random values: weights that keep the size of what passes, norms and biases that show."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.dim() > 1:
            parameter.data = noise / parameter[0].numel() ** 0.5
        else:
            parameter.data = 0.2 * noise + (1.0 if "norm" in name and name.endswith("weight") else 0.0)


def is_kept(name):
    """Whether a tensor goes into the file: the decoder's, and some others that a reader must leave alone."""
    return not name.startswith("encoder.") or name.startswith(("encoder.conv_in", "encoder.layers.0"))


def write(case, root):
    """Writes one case."""
    folder = root / case.name
    shutil.rmtree(folder, ignore_errors=True)
    generator = torch.Generator().manual_seed(case.seed)
    model = case.make(**case.options).eval()
    randomise(model, generator)
    model.to(case.dtype).save_pretrained(folder)
    weights = load_file(folder / WEIGHTS)
    save_file({name: weights[name] for name in weights if is_kept(name)}, folder / WEIGHTS, {"format": "pt"})

    config = model.config
    latents = torch.randn(config.latent_channels, case.height, case.width, generator=generator)
    scaled = latents.double()[None] / config.scaling_factor + (config.shift_factor or 0)
    image = model.double().decode(scaled).sample[0]
    save_file({"latents": latents, "image": image.float().contiguous()}, folder / "io.safetensors")
    print(f"{case.name}: image {tuple(image.shape)} in {image.min():.2f}...{image.max():.2f}, "
          f"{(folder / WEIGHTS).stat().st_size} bytes of weights")


def main():
    """Writes all cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT / "Tests/ModelsTests/Golden", help="where the cases go")
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)
    for case in CASES:
        write(case, arguments.root)


if __name__ == "__main__":
    main()
