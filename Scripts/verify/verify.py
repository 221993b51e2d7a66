"""Holds the built omnicache against PyTorch and diffusers; prints each number, its bound and PASS or FAIL.

    make verify                       # or: Scripts/verify/run.sh [options]

  golden       the committed golden models are what Scripts/golden/models.py makes
  embedded     the embedded model draws what the same weights draw in PyTorch: 50 guided DDIM steps from the
               noise of torch.randn, as a seed and as a file, with our default timesteps and with diffusers'
  tiny         golden models through the command line: latents of diffusers' 50 guided steps
  flows        converted SiT checkpoints against the formulas of their published sampler
  convert      Scripts/convert.py (Scripts/verify/convert.py)
  schedulers   diffusers' schedulers, read from saved pipelines (Scripts/verify/schedulers.py)
  checkpoints  whole pipelines of true size against diffusers' DiTPipeline: latents, pictures, speed and memory of
               the decoder (ten minutes)
  memory       DiT-XL/2 at its true size: peak memory (writes files of 2.7 GB)
  minit2i      MiniT2I: golden cases, converter, and B/16 at its true size against PyTorch: error, speed, memory and a
               picture of 20 steps (Scripts/verify/minit2i_checks.py; writes a file of 1 GB)
  pixart       PixArt: golden cases, converter, and Sigma 512 at its true size against PyTorch: error, speed and memory
               (Scripts/verify/pixart_checks.py; writes a file of 2.4 GB and takes 8 GB of memory)
  latte        Latte: golden cases, converter, S/2 and B/2 at their true sizes against PyTorch: error, speed and memory;
               XL/2's memory (Scripts/verify/latte_checks.py; writes a file of 2.7 GB)

Where nothing else is said the references compute in float64, so that what is printed is the engine's own error. Exit
code 1 when a bound is missed or a command fails.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from diffusers import DDIMScheduler
from PIL import Image
from safetensors.torch import load_file, save_file

ROOT = Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "Scripts/golden"), str(ROOT / "Scripts/train")]
import guided_runs  # noqa: E402
import models as golden  # noqa: E402
import reference_dit  # noqa: E402

import checkpoints  # noqa: E402
import flows  # noqa: E402
import latte_checks  # noqa: E402
import minit2i_checks  # noqa: E402
import pixart_checks  # noqa: E402

CHECKS = ["golden", "embedded", "tiny", "flows", "convert", "schedulers", "checkpoints", "memory", "minit2i", "pixart",
          "latte"]
STEPS = 50
LATENTS_BOUND = 1e-3  # of the largest value, after 50 guided steps
PSNR_BOUND = 60.0  # dB, of 8-bit pictures


class Report:
    """Prints one line for each number and remembers whether all were within their bounds."""

    def __init__(self):
        self.failures = 0

    def line(self, what, value, bound, at_least=False):
        passed = value >= bound if at_least else value <= bound  # false for NaN too
        self.failures += not passed
        show = (lambda x: f"{x:.2f}") if at_least else (lambda x: f"{x:.1e}")
        print(f"{'PASS' if passed else 'FAIL'}  {show(value):>9}  {'>=' if at_least else '<='} {show(bound):<8} {what}",
              flush=True)

    def failure(self, what):
        self.failures += 1
        print(f"FAIL  {what}", flush=True)


# The reference's side

def official_model(directory):
    """A model directory in the official layout as a function of (x, t, y) in float64, and its config."""
    config = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    weights = {}
    for file in sorted(directory.glob("*.safetensors")):
        weights |= {name: tensor.double() for name, tensor in load_file(file).items()}
    return lambda x, t, y: reference_dit.forward(weights, config, x, t, y), config


def noise_of(seed, shape):
    """Standard normals of torch's CPU generator."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


class DDIM:
    """Deterministic DDIM (arXiv:2010.02502, eq. 12) from each timestep of a list to the next, at last to the image.

    Has the part of diffusers' scheduler interface that `guided_runs.sample` uses. diffusers' own DDIMScheduler goes to
    t - 1000/steps whatever the list says, which for evenly spaced timesteps from 999 to 0 is another place.
    """

    def __init__(self, config):
        self.betas = torch.linspace(config["beta_start"], config["beta_end"], config["num_train_timesteps"],
                                    dtype=torch.float64)
        self.alphas = torch.cumprod(1 - self.betas, 0)
        self.prediction = config["prediction_type"]

    def set_timesteps(self, steps):
        self.timesteps = torch.from_numpy(np.linspace(0, len(self.betas) - 1, steps).round()[::-1].astype(np.int64))

    def step(self, output, t, x):
        i = int((self.timesteps == t).nonzero())
        a = self.alphas[t]
        after = self.alphas[self.timesteps[i + 1]] if i + 1 < len(self.timesteps) else torch.tensor(1.0)
        if self.prediction == "sample":
            clean, noise = output, (x - a.sqrt() * output) / (1 - a).sqrt()
        elif self.prediction == "epsilon":
            clean, noise = (x - (1 - a).sqrt() * output) / a.sqrt(), output
        else:
            clean, noise = a.sqrt() * x - (1 - a).sqrt() * output, a.sqrt() * output + (1 - a).sqrt() * x
        return SimpleNamespace(prev_sample=after.sqrt() * clean + (1 - after).sqrt() * noise)


def diffusers_ddim(config):
    """diffusers' scheduler, with leading spacing: 980, 960, ..., 0."""
    kind = {"v": "v_prediction"}.get(config["prediction_type"], config["prediction_type"])
    return DDIMScheduler(num_train_timesteps=config["num_train_timesteps"], beta_start=config["beta_start"],
                         beta_end=config["beta_end"], beta_schedule="linear", clip_sample=False,
                         prediction_type=kind, timestep_spacing="leading")


def picture_of(latents, value_range):
    """8-bit picture, H x W x C, of latents in pixel space."""
    low, high = value_range
    shares = ((latents.float() - low) / (high - low)).clamp(0, 1)
    return (shares * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()


def psnr(a, b):
    """Peak signal-to-noise ratio of two 8-bit pictures in dB; infinite for equal ones."""
    error = np.mean((a.astype(np.float64) - b.astype(np.float64)) ** 2)
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


# Our side

class CommandFailed(Exception):
    """The command line did not do what was asked."""


class CommandLine:
    """Runs `omnicache sample` in a folder of its own and reads what it wrote."""

    def __init__(self, binary, folder):
        self.binary, self.folder, self.runs = binary, folder, 0

    def sample(self, model, label, guidance=None, noise=None, seed=0, spacing=None):
        """Final latents (C x H x W) and the picture of one image."""
        self.runs += 1
        stem = self.folder / f"run-{self.runs}"
        image, latents, start = (stem.with_suffix(end) for end in (".png", ".out.safetensors", ".in.safetensors"))
        command = [self.binary, "sample", "--model", model, "--steps", STEPS, "--seed", seed, "--class", label,
                   "--save-latents", latents, "-o", image, "-q"]
        if noise is not None:
            save_file({"latents": noise.contiguous()}, start)
            command += ["--init-noise", start]
        if spacing:
            command += ["--spacing", spacing]
        if guidance is not None:
            command += ["--cfg-scale", guidance]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise CommandFailed(f"exit code {done.returncode}: {last}")
        if not (image.exists() and latents.exists()):
            raise CommandFailed(f"{image.name} or {latents.name} was not written")
        (tensor,) = load_file(latents).values()
        return tensor.reshape(tensor.shape[-3:]), np.asarray(Image.open(image).convert("RGB"))


# The checks

def check_golden(report, folder):
    """Makes the golden models again: weights and texts must be the same bytes, computed values within rounding."""
    worst = 0.0
    committed = ROOT / "Tests/PipelineSupport/Golden"
    for case in golden.CASES:
        golden.write_case(case, folder)
        for file in sorted((folder / case.name).iterdir()):
            known = committed / case.name / file.name
            if file.name == "io.safetensors":
                ours, theirs = load_file(known), load_file(file)
                worst = max([worst] + [golden.largest_difference(ours[name], theirs[name]) for name in theirs])
            elif not known.exists() or known.read_bytes() != file.read_bytes():
                report.failure(f"golden: {case.name}/{file.name} is not what the script makes")
    report.line("golden: largest change of a value when made again", worst, 1e-6)


def check_embedded(report, command, directory, count):
    """Pictures and latents of the embedded model against the same weights in PyTorch."""
    model, config = official_model(directory)
    from dit import DiT, DiTConfig  # the module that trained the model
    trained = DiT(DiTConfig.from_json(config)).eval()
    state = load_file(directory / "model.safetensors")
    trained.load_state_dict({name: tensor.float() for name, tensor in state.items()})

    channels, size, classes = config["in_channels"], config["input_size"], config["num_classes"]
    x, t, y = noise_of(1, (2, channels, size, size)), torch.tensor([11, 940]), torch.tensor([0, classes])
    report.line("embedded: Scripts/train/dit.py against the reference, one forward",
                golden.largest_difference(trained(x, t, y), model(x.double(), t, y)), 1e-5)

    recommended = config.get("guidance_scale")
    guidance = 2.0 if recommended is None else recommended
    given = 2.0 if recommended is None else None  # otherwise the command line must find it in config.json
    runs = [(7 + 1000 * i, classes * (2 * i + 1) // (2 * count), "seed", None) for i in range(count)]
    runs += [(12345, classes // 3, "noise file", None), (4294967295, classes // 5, "seed", "leading")]
    for seed, label, origin, spacing in runs:
        noise = noise_of(seed, (channels, size, size))
        scheduler = diffusers_ddim(config) if spacing else DDIM(config)
        expected = guided_runs.sample(model, scheduler, noise.double(), label, classes, guidance, STEPS)
        name = config["class_names"][label]
        title = f"embedded: {name}, seed {seed}" + (" as a file" if origin == "noise file" else "")
        title += ", diffusers' DDIM (leading)" if spacing else ", DDIM"
        start = {"noise": noise} if origin == "noise file" else {"seed": seed}
        try:
            latents, picture = command.sample(directory, name, given, spacing=spacing, **start)
        except CommandFailed as error:
            report.failure(f"{title}: {error}")
            continue
        report.line(f"{title}: PSNR of the picture in dB",
                    psnr(picture, picture_of(expected, config.get("value_range", (-1, 1)))), PSNR_BOUND, at_least=True)
        report.line(f"{title}: latents", golden.largest_difference(latents, expected), LATENTS_BOUND)


def check_tiny(report, command):
    """The golden models that are complete model directories with three channels, through the command line."""
    for case in golden.CASES:
        if case.layout != "official" or case.channels != 3:
            continue
        directory = ROOT / "Tests/PipelineSupport/Golden" / case.name
        tensors, run = load_file(directory / "io.safetensors"), json.loads((directory / "io.json").read_text())["run"]
        try:
            latents, _ = command.sample(directory, run["class"], run["guidance_scale"],
                                        noise=tensors["initial_noise"],
                                        spacing=run["scheduler_config"]["timestep_spacing"])
        except CommandFailed as error:
            report.failure(f"tiny: {case.name}: {error}")
            continue
        report.line(f"tiny: {case.name}: latents", golden.largest_difference(latents, tensors["final_latents"]),
                    LATENTS_BOUND)


def check_script(report, name, binary):
    """A script beside this one, which prints its own lines."""
    done = subprocess.run([sys.executable, ROOT / f"Scripts/verify/{name}.py", "--binary", binary])
    if done.returncode != 0:
        report.failure(f"{name}: see above")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"{', '.join(CHECKS)} (default: all)")
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/omnicache",
                        help="the command line (default: .build/release/omnicache)")
    parser.add_argument("--model", type=Path, help="an official-layout model directory (default: Models/emoji-dit-s8)")
    parser.add_argument("--seeds", type=int, default=4, help="seeds of the embedded model (default: %(default)s)")
    arguments = parser.parse_args()
    checks = arguments.checks or CHECKS
    if unknown := set(checks) - set(CHECKS):
        parser.error(f"unknown check: {', '.join(sorted(unknown))}")
    if not arguments.binary.exists():
        parser.error(f"{arguments.binary} is not there; build it (swift build -c release) or name it with --binary")

    report = Report()
    with torch.no_grad(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        binary = arguments.binary.resolve()
        command = CommandLine(binary, folder)
        if "golden" in checks:
            check_golden(report, folder / "golden")
        if "embedded" in checks:
            check_embedded(report, command, (arguments.model or ROOT / "Models/emoji-dit-s8").resolve(), arguments.seeds)
        if "tiny" in checks:
            check_tiny(report, command)
        if "flows" in checks:
            flows.check_flows(report, binary, ROOT, folder)
        for name in ("convert", "schedulers"):
            if name in checks:
                check_script(report, name, binary)
        if "checkpoints" in checks:
            checkpoints.check_pipelines(report, binary, folder)
        if "memory" in checks:
            checkpoints.check_memory(report, binary, folder)
        if "minit2i" in checks:
            minit2i_checks.check_minit2i(report, binary, folder / "minit2i")
        if "pixart" in checks:
            pixart_checks.check_pixart(report, binary, folder / "pixart")
        if "latte" in checks:
            latte_checks.check_latte(report, binary, folder / "latte")
    print(f"{report.failures} failed" if report.failures else "all within their bounds")
    sys.exit(1 if report.failures else 0)


if __name__ == "__main__":
    main()
