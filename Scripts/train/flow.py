"""A flow on the straight path between noise and picture, as SiT's (arXiv:2401.08740), for a model that predicts x0."""

import torch

import diffusion
from diffusion import STEPS, guided, starting_noise

FLOOR = 0.05  # the least noise time that the sampler's velocity divides by


class Flow:
    """x = (1 - s) x0 + s noise at noise time s; the velocity is (x - x0) / s.

    Patches of as many values as the model has channels leave it no room to carry noise, so it
    predicts x0, and the velocity follows, with s not below the floor.
    """

    name = "flow"
    fields = {"prediction_type": "flow", "flow_direction": "to_data", "flow_output": "sample",
              "velocity_floor": FLOOR, "num_train_timesteps": STEPS}

    def sample_times(self, count, generator=None):
        """Logit-normal noise times: most where a picture's structure is decided, 0.5 to 0.95."""
        return torch.sigmoid(0.9 + 1.3 * torch.randn(count, generator=generator))

    def add_noise(self, x0, noise, s):
        """The training input at noise time s."""
        s = s.view(-1, 1, 1, 1)
        return (1 - s) * x0 + s * noise

    def timestep(self, s):
        """What the model is given for noise time s: the time towards data, as SiT counts it."""
        return (1 - s) * STEPS

    def loss_weights(self, s):
        """The weight of |x0^ - x0|^2: that of the velocity's error, at most 16."""
        return s.pow(-2).clamp(max=16)

    @torch.no_grad()
    def draw(self, model, classes, seed, steps=50, guidance=1.5):
        """Draws one image for each entry of `classes` with Euler steps of the same length."""
        x = starting_noise(model, classes, seed)
        for step in range(steps):
            s = 1 - step / steps
            x0 = guided(model, x, self.timestep(s), classes, guidance)
            x = x + (x0 - x) / (max(s, FLOOR) * steps)
        return x


def take_over_timesteps(embedder, features):
    """Fits a diffusion model's embedding of timesteps to a flow's times.

    A noise time gets the embedding of the timestep with the same ratio of noise to picture.
    """
    alphas = diffusion.alphas_cumprod()
    timesteps = torch.arange(STEPS)
    ratio = ((1 - alphas) / alphas).sqrt()
    new = features(Flow().timestep(ratio / (1 + ratio)))
    diffusion.take_over_timesteps(embedder, features(timesteps), new)
