"""Writes the golden samplers: diffusers' timesteps, and its schedulers' results on a small made-up model.

    pip install torch==2.13.0 diffusers==0.42.1 numpy==2.4.6
    python Scripts/golden/samplers.py          # writes Tests/SamplingTests/Golden/samplers.json

The model is y = 0.9 x t / (t + 1) + 0.2 sin(3 x + t / 100), its learned variance sin(2 x + t / 50), elementwise.
Initial noise and added noise are in the file. Schedules are recomputed in float64 and put into the schedulers, and so
are the states, so that the file holds what the reference's formulas mean and not how float32 rounds them.

Where a reference scheduler contradicts itself, it is either fed consistent values (and the comment says how), or its
own answer is stored with the step rule "diffusers".
"""

import json
from pathlib import Path

import numpy as np
import torch
from diffusers import (
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FlowMatchHeunDiscreteScheduler,
    HeunDiscreteScheduler,
)
from diffusers.schedulers import scheduling_ddim, scheduling_ddpm
from diffusers.schedulers.scheduling_ddim import betas_for_alpha_bar

TARGET = Path(__file__).resolve().parents[2] / "Tests/SamplingTests/Golden/samplers.json"
T = 1000
SIZE = 8
PREDICTIONS = {"epsilon": "epsilon", "v": "v_prediction", "sample": "sample"}
BETAS = {
    "linear": np.linspace(0.0001, 0.02, T),
    "scaled_linear": np.linspace(0.0001**0.5, 0.02**0.5, T) ** 2,
}
INITIAL = torch.randn(SIZE, generator=torch.Generator().manual_seed(1))
NOISE = torch.randn(20, SIZE, generator=torch.Generator().manual_seed(2))


def model(x, t):
    return 0.9 * x * t / (t + 1) + 0.2 * torch.sin(3 * x + t / 100)


def learned_variance(x, t):
    return torch.sin(2 * x + t / 50)


class StepNoise:
    """Hands out the stored noise, row by row, in place of diffusers' own draw."""

    def __init__(self):
        self.rows = iter(NOISE.double())

    def __call__(self, shape, **_):
        return next(self.rows).reshape(shape)


def alpha_bars(betas):
    return torch.from_numpy(np.cumprod(1 - BETAS[betas]))


def config(prediction, betas, **options):
    return dict(
        num_train_timesteps=T, beta_start=0.0001, beta_end=0.02, beta_schedule=betas,
        prediction_type=PREDICTIONS[prediction], **options,
    )


# Timesteps


def respaced(steps):
    """The list of space_timesteps(1000, [steps]) in facebookresearch/DiT, diffusion/respace.py."""
    stride, position, chosen = (T - 1) / (steps - 1), 0.0, []
    for _ in range(steps):
        chosen.append(round(position))
        position += stride
    return chosen[::-1]


def timesteps(spacing, steps, multistep=False, offset=0):
    if spacing == "respaced":
        return respaced(steps)
    kind = DPMSolverMultistepScheduler if multistep else DDIMScheduler
    scheduler = kind(num_train_timesteps=T, timestep_spacing=spacing, steps_offset=offset)
    scheduler.set_timesteps(steps)
    # For 62 step counts, 61 the first, rounding makes trailing lists one too long, and their last timestep -1.
    return [t for t in scheduler.timesteps.tolist() if t >= 0]


def digest(spacing):
    """FNV-1a (64 bits, one timestep per round) over the lists of every step count from 2 to T."""
    value = 0xCBF29CE484222325
    for steps in range(2, T + 1):
        for t in timesteps(spacing, steps):
            value = ((value ^ t) * 0x100000001B3) % 2**64
    return f"{value:016x}"


# Runs


def run_ddim(prediction, betas, spacing, steps, eta=0.0, clip=None, end="clean", offset=0, irregular=False):
    scheduler = DDIMScheduler(
        **config(prediction, betas), clip_sample=clip is not None, clip_sample_range=clip or 1,
        set_alpha_to_one=end == "clean",
    )
    scheduler.alphas_cumprod = alpha_bars(betas)
    scheduler.final_alpha_cumprod = torch.tensor(1.0) if end == "clean" else scheduler.alphas_cumprod[0]
    scheduling_ddim.randn_tensor = StepNoise()
    scheduler.num_inference_steps = steps
    visited = timesteps(spacing, steps, offset=offset)
    x = INITIAL.double()
    for here, following in zip(visited, visited[1:] + [-1]):
        if not irregular:
            # The scheduler steps to t - num_train_timesteps // num_inference_steps: make that the next of the list.
            scheduler.register_to_config(num_train_timesteps=here - following)
            scheduler.num_inference_steps = 1
        x = scheduler.step(model(x, here), here, x, eta=eta).prev_sample
    return x


def run_ddpm(prediction, betas, spacing, steps, variance="fixed_small", clip=None, offset=0):
    scheduler = DDPMScheduler(
        **config(prediction, betas), clip_sample=clip is not None, clip_sample_range=clip or 1, variance_type=variance,
    )
    scheduler.alphas_cumprod = alpha_bars(betas)
    scheduler.set_timesteps(timesteps=timesteps(spacing, steps, offset=offset))
    scheduling_ddpm.randn_tensor = StepNoise()
    x = INITIAL.double().reshape(1, SIZE)  # a batch of one, channels second: the variance is split off along them
    for t in scheduler.timesteps.tolist():
        y = model(x, t)
        if variance == "learned_range":
            y = torch.cat([y, learned_variance(x, t)], dim=1)
        x = scheduler.step(y, t, x).prev_sample
    return x.reshape(SIZE)


def run_dpm_solver(prediction, betas, spacing, steps, end="clean", lower_order_final=True, offset=0):
    scheduler = DPMSolverMultistepScheduler(
        **config(prediction, betas), timestep_spacing=spacing, steps_offset=offset, lower_order_final=lower_order_final,
        final_sigmas_type="zero" if end == "clean" else "sigma_min",
    )
    scheduler.set_timesteps(steps)
    visited = scheduler.timesteps
    if spacing == "respaced":
        raise ValueError("DPMSolverMultistepScheduler has no such spacing")
    sigmas = ((1 - alpha_bars(betas)) / alpha_bars(betas)).sqrt()
    last = torch.zeros(1) if end == "clean" else sigmas[:1]
    scheduler.sigmas = torch.cat([sigmas[visited], last.double()])
    scheduler.set_begin_index(0)
    x = INITIAL.double()
    for t in visited.tolist():
        x = scheduler.step(model(x, t), t, x).prev_sample
    return x


def run_along_path(kind, prediction, betas, spacing, steps, offset=0):
    """EulerDiscrete or HeunDiscrete, whose state is z = x / alpha; linspace is left out, as they do not round it."""
    scheduler = kind(**config(prediction, betas), timestep_spacing=spacing, steps_offset=offset)
    scheduler.set_timesteps(steps)
    sigmas = ((1 - alpha_bars(betas)) / alpha_bars(betas)).sqrt()
    visited = [sigmas[int(t)] for t in timesteps(spacing, steps, offset=offset)]
    if kind is HeunDiscreteScheduler:
        visited = visited[:1] + [s for s in visited[1:] for _ in range(2)]
    scheduler.sigmas = torch.stack(visited + [torch.zeros((), dtype=torch.float64)])
    scheduler.set_begin_index(0)
    z = INITIAL.double() * (1 + visited[0] ** 2).sqrt()
    for t in scheduler.timesteps:
        x = scheduler.scale_model_input(z, t)
        z = scheduler.step(model(x, t.double()), t, z).prev_sample
    return z


def run_flow(kind, spacing, steps, shift):
    euler = FlowMatchEulerDiscreteScheduler(num_train_timesteps=T, shift=shift)
    if spacing == "trailing":
        euler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps))
    else:
        euler.set_timesteps(steps)
    sigmas, visited = euler.sigmas.double(), euler.timesteps.double()
    if kind is DPMSolverMultistepScheduler:
        scheduler = kind(
            num_train_timesteps=T, prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift,
        )
        scheduler.set_timesteps(steps)
    else:
        scheduler = kind(num_train_timesteps=T, shift=shift)
        scheduler.set_timesteps(steps)
    if kind is FlowMatchHeunDiscreteScheduler:
        sigmas = torch.cat([sigmas[:1], sigmas[1:-1].repeat_interleave(2), sigmas[-1:]])
        visited = torch.cat([visited[:1], visited[1:].repeat_interleave(2)])
    # One list of levels for all three: DPMSolverMultistep's own ends elsewhere and rounds its timesteps down.
    scheduler.sigmas, scheduler.timesteps = sigmas, visited
    scheduler.set_begin_index(0)
    x = INITIAL.double()
    for t in visited:
        x = scheduler.step(model(x, t), t, x).prev_sample
    return x


def rounded(values):
    return [float(f"{v:.9g}") for v in values.tolist()]


def runs():
    for prediction in PREDICTIONS:
        for spacing in ("leading", "trailing", "linspace", "respaced"):
            for steps in (2, 10, 20):
                common = dict(prediction=prediction, betas="linear", spacing=spacing, steps=steps)
                yield "ddim", common, {}, run_ddim(**common)
                if spacing != "trailing" or steps == 10:
                    yield "ddpm", common, {}, run_ddpm(**common)
                if spacing != "respaced":
                    yield "dpm++2m", common, {}, run_dpm_solver(**common)
                if spacing in ("leading", "trailing"):
                    yield "euler", common, {}, run_along_path(EulerDiscreteScheduler, **common)
                    yield "heun", common, {}, run_along_path(HeunDiscreteScheduler, **common)
        common = dict(prediction=prediction, betas="scaled_linear", spacing="leading", steps=10)
        yield "ddim", common, dict(eta=0.5), run_ddim(**common, eta=0.5)
        yield "ddim", common, dict(eta=1), run_ddim(**common, eta=1)
        yield "ddim", common, dict(eta=0.5, clip=0.8), run_ddim(**common, eta=0.5, clip=0.8)
        yield "ddim", common, dict(end="first_timestep"), run_ddim(**common, end="first_timestep")
        yield "ddim", common, dict(stepsOffset=1), run_ddim(**common, offset=1)
        yield "ddpm", common, dict(clip=0.8), run_ddpm(**common, clip=0.8)
        yield "ddpm", common, dict(variance="fixed_large"), run_ddpm(**common, variance="fixed_large")
        yield "ddpm", common, dict(variance="learned_range"), run_ddpm(**common, variance="learned_range")
        yield "dpm++2m", common, dict(end="first_timestep"), run_dpm_solver(**common, end="first_timestep")
        options = dict(end="first_timestep", lowerOrderFinal=False)
        yield "dpm++2m", common, options, run_dpm_solver(**common, end="first_timestep", lower_order_final=False)
        yield "dpm++2m", common, dict(stepsOffset=1), run_dpm_solver(**common, offset=1)
        longer = common | dict(steps=20)
        yield "dpm++2m", longer, dict(end="first_timestep"), run_dpm_solver(**longer, end="first_timestep")
    yield from diffusers_steps()
    for spacing in ("linspace", "trailing"):
        for steps in (1, 2, 10, 20):
            for shift in (1, 3):
                common = dict(prediction="flow", shift=shift, spacing=spacing, steps=steps)
                arguments = (spacing, steps, shift)
                yield "euler", common, {}, run_flow(FlowMatchEulerDiscreteScheduler, *arguments)
                yield "heun", common, {}, run_flow(FlowMatchHeunDiscreteScheduler, *arguments)
                yield "dpm++2m", common, {}, run_flow(DPMSolverMultistepScheduler, *arguments)


def diffusers_steps():
    """What the schedulers do by themselves where their timesteps are irregular, or end above 0."""
    rule = dict(stepRule="diffusers")
    for prediction in PREDICTIONS:
        for spacing, steps in (("linspace", 2), ("linspace", 10), ("trailing", 7), ("trailing", 30), ("trailing", 48)):
            common = dict(prediction=prediction, betas="linear", spacing=spacing, steps=steps)
            yield "ddim", common, rule, run_ddim(**common, irregular=True)
        common = dict(prediction=prediction, betas="scaled_linear", spacing="trailing", steps=12)
        options = dict(eta=0.5, clip=0.8, end="first_timestep")
        yield "ddim", common, rule | options, run_ddim(**common, **options, irregular=True)
        common = dict(prediction=prediction, betas="linear", spacing="leading", steps=400)
        yield "ddim", common, rule | dict(stepsOffset=5), run_ddim(**common, offset=5, irregular=True)
        for variance in ("fixed_large", "learned_range"):
            for steps in (7, 10):
                common = dict(prediction=prediction, betas="linear", spacing="trailing", steps=steps)
                yield "ddpm", common, rule | dict(variance=variance), run_ddpm(**common, variance=variance)
            common = dict(prediction=prediction, betas="scaled_linear", spacing="leading", steps=10)
            options = dict(variance=variance, clip=0.8)
            yield "ddpm", common, rule | options | dict(stepsOffset=1), run_ddpm(**common, **options, offset=1)


def described(kind, common, options, result):
    process = dict(prediction_type=common["prediction"])
    if "shift" in common:
        process["shift"] = common["shift"]
    else:
        process["beta_schedule"] = common["betas"]
    return dict(
        options=dict(kind=kind, spacing=common["spacing"], **options), process=process, steps=common["steps"],
        result=rounded(result),
    )


def main():
    lists = [
        dict(spacing=spacing, steps=steps, multistep=multistep, offset=offset, timesteps=found)
        for spacing, multistep, offset in (
            ("leading", False, 0), ("leading", False, 1), ("leading", True, 0), ("trailing", False, 0),
            ("trailing", True, 0), ("linspace", False, 0), ("linspace", True, 0), ("respaced", False, 0),
        )
        for steps in (2, 3, 10, 30, 48)
        if (found := timesteps(spacing, steps, multistep, offset))
    ]
    digests = {spacing: digest(spacing) for spacing in ("leading", "trailing", "linspace", "respaced")}
    schedules = {
        name: {t: float(f"{np.cumprod(1 - betas)[t]:.9g}") for t in (0, 1, 100, 500, 998, 999)}
        for name, betas in (*BETAS.items(), ("squaredcos_cap_v2", betas_for_alpha_bar(T).double().numpy()))
    }
    golden = dict(
        initial=rounded(INITIAL), noise=rounded(NOISE.flatten()), timesteps=lists, digests=digests,
        alphaBars=schedules, runs=[described(*run) for run in runs()],
    )
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"  {json.dumps(key)}: {entries(value)}" for key, value in golden.items()]
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{TARGET}: {TARGET.stat().st_size} bytes, {len(golden['runs'])} runs")


def entries(value):
    """JSON with one line per entry of a list of objects."""
    if isinstance(value, list) and isinstance(value[0], dict):
        return "[\n" + ",\n".join("    " + json.dumps(entry) for entry in value) + "\n  ]"
    return json.dumps(value)


if __name__ == "__main__":
    main()
