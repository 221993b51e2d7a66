"""What the checks of the converter share: tiny checkpoints, and runs of Scripts/convert.py and of the command line."""

import json
import subprocess
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiTTransformer2DModel
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Scripts/golden"))
import reference_dit  # noqa: E402

TINY = dict(hidden_size=32, depth=2, num_heads=2, patch_size=2, input_size=8, in_channels=4, learn_sigma=True,
            num_classes=10)
STEPS = 5
LATENTS_BOUND = 1e-3  # of the largest value


def random_state(config, seed=1):
    """An official state dict with random weights."""
    draw = torch.Generator().manual_seed(seed)
    state = {name: 0.2 * torch.randn(shape, generator=draw) for name, shape in reference_dit.shapes(config).items()}
    side = config["input_size"] // config["patch_size"]
    return state | {"pos_embed": reference_dit.position_table(config["hidden_size"], side)[None]}


class Check:
    """Runs the converter and the command line in a folder of its own and counts failures."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.failures, self.runs = binary, folder, 0, 0

    def that(self, passed, what):
        self.failures += not passed
        print(("PASS  " if passed else "FAIL  ") + what, flush=True)

    def save(self, value, name="model.pt"):
        self.runs += 1
        path = self.folder / str(self.runs) / name
        path.parent.mkdir()
        torch.save(value, path)
        return path

    def convert(self, source, *options):
        """The directory that was made, and the last line of what was said where none was."""
        self.runs += 1
        out = source.parent / f"{source.name}-out-{self.runs}"
        command = [sys.executable, ROOT / "Scripts/convert.py", source, out, *options]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode == 0:
            return out, done.stdout
        return None, done.stderr.strip()

    def omnicache(self, *arguments):
        done = subprocess.run([str(word) for word in (self.binary, *arguments)], capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else None, done.stderr.strip()

    def info(self, directory):
        text, error = self.omnicache("info", directory, "--log", "json")
        return json.loads(text) if text else {"error": error}

    def refused(self, what, source, says, *options):
        before = set(source.parent.iterdir())
        out, error = self.convert(source, *options)
        fine = out is None and error.startswith("convert: ") and "\n" not in error and all(s in error for s in says)
        leftovers = set(source.parent.iterdir()) - before
        self.that(fine and not leftovers, f"refused: {what}" + ("" if fine else f" ({error or out})"))


def same_tensors(directory, state):
    written = load_file(directory / "model.safetensors")
    return written.keys() == state.keys() and all(torch.equal(written[name], state[name]) for name in state)


def config_of(out):
    return json.loads((out / "config.json").read_text()) if out else {}


def pickled_pipeline(check):
    """A pipeline as old versions of diffusers saved it, with .bin weights."""
    check.runs += 1
    folder = check.folder / str(check.runs) / "pipeline"
    parts = dict(
        transformer=DiTTransformer2DModel(num_attention_heads=2, attention_head_dim=16, num_layers=2, sample_size=8,
                                          out_channels=8, num_embeds_ada_norm=10),
        vae=AutoencoderKL(block_out_channels=(32,), latent_channels=4, norm_num_groups=32))
    for name, part in parts.items():
        part.save_pretrained(folder / name)
        weights = folder / name / "diffusion_pytorch_model.safetensors"
        torch.save(load_file(weights), weights.with_suffix(".bin"))
        weights.unlink()
    DDIMScheduler(clip_sample=False).save_pretrained(folder / "scheduler")
    index = {"_class_name": "DiTPipeline", "scheduler": ["diffusers", "DDIMScheduler"], "id2label": {"0": "tench, x"},
             "transformer": ["diffusers", "DiTTransformer2DModel"], "vae": ["diffusers", "AutoencoderKL"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder
