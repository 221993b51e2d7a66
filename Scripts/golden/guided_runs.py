"""Guided runs of the golden cases: their schedulers, and the loop around a model."""

from types import SimpleNamespace

import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler

FLOOR = 0.05  # the least noise time that the velocity of the flow of x0 is divided by


class SampleFlow:
    """Euler steps of one length along x = (1 - s) x0 + s noise, for a model of x0 that is told 1000 (1 - s).

    The velocity is (x - x0) / s, with s not below FLOOR, as in MiniT2I (PeppaKing8/minit2i-jax, diffusion.py).
    """

    config = {"timestep_spacing": "trailing", "velocity_floor": FLOOR}

    def set_timesteps(self, steps):
        self.sigmas = 1 - torch.arange(steps + 1, dtype=torch.float64) / steps
        self.timesteps = 1000 * (1 - self.sigmas[:-1])

    def step(self, x0, t, x):
        i = self.timesteps.tolist().index(t.item())
        here, following = self.sigmas[i].item(), self.sigmas[i + 1].item()
        return SimpleNamespace(prev_sample=x + (following - here) * (x - x0) / max(here, FLOOR))


def scheduler_of(case):
    if case.prediction == "flow" and case.layout == "official":
        return SampleFlow()
    if case.prediction == "flow":
        return FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=1.0)
    return DDIMScheduler(num_train_timesteps=1000, beta_start=0.0001, beta_end=case.beta_end, beta_schedule="linear",
                         clip_sample=False, set_alpha_to_one=True, prediction_type=case.prediction,
                         timestep_spacing=case.spacing)


def sample(model, scheduler, noise, label, null, guidance, steps):
    """The loop of diffusers' DiTPipeline: guidance over all latent channels, variance channels dropped."""
    channels, x = noise.shape[0], noise[None]
    classes = torch.tensor([label, null])
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps:
        output = model(torch.cat([x, x]), t.expand(2), classes)[:, :channels]
        conditional, unconditional = output.chunk(2)
        guided = unconditional + guidance * (conditional - unconditional)
        x = scheduler.step(guided, t, x).prev_sample.to(noise.dtype)
    return x[0]
