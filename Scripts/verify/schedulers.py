"""Holds pipelines that diffusers saved against diffusers: the same scheduler, seed and guidance, the same latents.

    Scripts/verify/run.sh has installed what this needs; then: .venv/bin/python Scripts/verify/schedulers.py

Each case is a tiny DiT with random weights in a DiTPipeline, saved with save_pretrained and sampled by the command line
with nothing but class, seed and step count: scheduler and guidance must follow from the directory. Then a sweep over spacing,
offset, step counts that divide the schedule and that do not, prediction, variance, clipping and nulls, of which the worst
case of each scheduler is printed. Prints the largest difference relative to the largest value, its bound, and PASS or FAIL;
exit code 1 when one fails.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    DiTPipeline,
    DiTTransformer2DModel,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    HeunDiscreteScheduler,
)
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
CLASSES, LABEL, SEED, GUIDANCE = 1000, 207, 7, 4.0
BOUND = 1e-3
CASES = [
    (DDIMScheduler, dict(clip_sample=False), 10),
    (DDIMScheduler, dict(), 10),
    (DDIMScheduler, dict(timestep_spacing="trailing", clip_sample_range=2.0, beta_schedule="scaled_linear"), 10),
    (DDIMScheduler, dict(prediction_type="v_prediction", set_alpha_to_one=False, steps_offset=1, clip_sample=False), 8),
    (DDPMScheduler, dict(), 10),
    (DDPMScheduler, dict(variance_type="fixed_large", prediction_type="sample", clip_sample=False), 10),
    (DDPMScheduler, dict(variance_type="learned_range", timestep_spacing="linspace"), 10),
    (DPMSolverMultistepScheduler, dict(), 10),
    (DPMSolverMultistepScheduler, dict(timestep_spacing="leading", final_sigmas_type="sigma_min", steps_offset=1), 20),
    (DPMSolverMultistepScheduler, dict(beta_schedule="scaled_linear", timestep_spacing="trailing"), 20),
    (EulerDiscreteScheduler, dict(timestep_spacing="leading", steps_offset=1), 10),
    (HeunDiscreteScheduler, dict(timestep_spacing="leading", steps_offset=1), 10),
    (FlowMatchEulerDiscreteScheduler, dict(), 10),
    (FlowMatchEulerDiscreteScheduler, dict(shift=3.0), 10),
]


def swept():
    """The settings of the sweep: a scheduler, its options and a step count."""
    spacings = [("leading", 0), ("leading", 1), ("trailing", 0), ("linspace", 0)]
    predictions = ("epsilon", "v_prediction", "sample")
    for (spacing, offset), steps in itertools.product(spacings, (1, 7, 10, 30)):
        common = dict(timestep_spacing=spacing, steps_offset=offset)
        for prediction, clip in zip(predictions, (False, True, None)):
            yield DDIMScheduler, common | dict(prediction_type=prediction, clip_sample=clip), steps
        yield DDIMScheduler, common | dict(set_alpha_to_one=None, clip_sample=False), steps
        for prediction, variance in zip(predictions, ("fixed_large", "learned_range", None)):
            options = dict(prediction_type=prediction, variance_type=variance, clip_sample=variance == "fixed_large")
            yield DDPMScheduler, common | options, steps
        for prediction, last in zip(predictions, ("zero", "sigma_min", "zero")):
            options = dict(prediction_type=prediction, final_sigmas_type=last, lower_order_final=None)
            yield DPMSolverMultistepScheduler, common | options, steps
        if spacing == "leading":
            for prediction in predictions:
                yield EulerDiscreteScheduler, common | dict(prediction_type=prediction), steps
            yield HeunDiscreteScheduler, common | dict(clip_sample=None), steps
    for shift, steps in itertools.product((1.0, 3.0), (1, 7, 30)):
        yield FlowMatchEulerDiscreteScheduler, dict(shift=shift, invert_sigmas=None), steps


def network():
    """A tiny DiT in which every tensor is random, so that none hides behind zeros."""
    draw = torch.Generator().manual_seed(1)
    model = DiTTransformer2DModel(num_attention_heads=2, attention_head_dim=16, num_layers=2, sample_size=8,
                                  out_channels=8, num_embeds_ada_norm=CLASSES)
    for parameter in model.parameters():
        parameter.copy_(0.15 * torch.randn(parameter.shape, generator=draw))
    return model.eval()


def reference(model, scheduler, steps):
    """The loop of DiTPipeline for one image, with one generator for the initial and the added noise."""
    draw = torch.Generator().manual_seed(SEED)
    scheduler.set_timesteps(steps)
    x = torch.randn(1, 4, 8, 8, generator=draw) * getattr(scheduler, "init_noise_sigma", 1.0)
    labels = torch.tensor([LABEL, CLASSES])
    takes_generator = "generator" in scheduler.step.__code__.co_varnames
    for t in scheduler.timesteps:
        scaled = scheduler.scale_model_input(x, t) if hasattr(scheduler, "scale_model_input") else x
        output = model(torch.cat([scaled, scaled]), timestep=t.expand(2), class_labels=labels).sample
        (conditional, variance), (unconditional, _) = (branch.split(4) for branch in output)
        guided = (unconditional + GUIDANCE * (conditional - unconditional))[None]
        if scheduler.config.get("variance_type") == "learned_range":
            guided = torch.cat([guided, variance[None]], dim=1)
        options = dict(generator=draw) if takes_generator else {}
        x = scheduler.step(guided, t, x, **options).prev_sample
    return x[0]


def ours(binary, directory, steps):
    """The latents that the command line makes of the directory."""
    latents = directory.parent / f"{directory.name}.safetensors"
    command = [binary, "sample", "--model", directory, "--class", LABEL, "--seed", SEED, "--steps", steps,
               "--save-latents", latents, "-o", latents.with_suffix(".png"), "-q",
               "--force"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        print("      " + done.stderr.strip())
        return torch.full((4, 8, 8), torch.nan)
    return load_file(latents)["latents"].reshape(4, 8, 8)


def edit(path, **changes):
    """Sets members of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/omnicache",
                        help="the command line (default: .build/release/omnicache)")
    arguments = parser.parse_args()
    if not arguments.binary.exists():
        parser.error(f"{arguments.binary} is not there; build it (swift build -c release) or name it with --binary")
    failures = 0
    with torch.no_grad(), tempfile.TemporaryDirectory() as name:
        model = network()
        decoder = AutoencoderKL(block_out_channels=(32,), norm_num_groups=32)
        for number, (kind, options, steps) in enumerate(CASES):
            scheduler = kind(**options)
            directory = Path(name) / str(number)
            DiTPipeline(model, decoder, scheduler).save_pretrained(directory)
            expected = reference(model, scheduler, steps)
            found = ours(arguments.binary.resolve(), directory, steps)
            error = float((found - expected).abs().max() / expected.abs().max())
            failures += not error <= BOUND
            said = ", ".join(f"{key} {value}" for key, value in options.items()) or "defaults"
            print(f"{'PASS' if error <= BOUND else 'FAIL'}  {error:.1e}  <= {BOUND:.0e}  schedulers: {kind.__name__}, "
                  f"{steps} steps, {said}", flush=True)
        # One directory, whose scheduler and index change: its weights are written once.
        directory = Path(name) / "swept"
        DiTPipeline(model, decoder, DDIMScheduler()).save_pretrained(directory)
        worst = {}
        for kind, options, steps in swept():
            kept = {key: value for key, value in options.items() if value is not None}
            kind(**kept).save_pretrained(directory / "scheduler")
            nulls = {key: None for key in options.keys() - kept.keys()}
            edit(directory / "scheduler/scheduler_config.json", **nulls)
            edit(directory / "model_index.json", scheduler=["diffusers", kind.__name__])
            expected = reference(model, kind.from_pretrained(directory / "scheduler"), steps)
            found = ours(arguments.binary.resolve(), directory, steps)
            error = float((found - expected).abs().max() / expected.abs().max())
            if not error <= BOUND:
                failures += 1
                print(f"FAIL  {error:.1e}  <= {BOUND:.0e}  schedulers: {kind.__name__}, {steps} steps, {options}",
                      flush=True)
            count, largest = worst.get(kind.__name__, (0, 0.0))
            worst[kind.__name__] = (count + 1, max(largest, error))
        for kind, (count, largest) in worst.items():
            print(f"{'PASS' if largest <= BOUND else 'FAIL'}  {largest:.1e}  <= {BOUND:.0e}  schedulers: {kind}, "
                  f"worst of {count} settings", flush=True)
    print(f"{failures} failed" if failures else "all within their bounds")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
