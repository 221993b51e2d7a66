"""What a clip model is trained to undo: the class model's process, with more noise."""

import numpy as np
import torch

from diffusion import STEPS, Diffusion, alphas_cumprod


class ClipDiffusion(Diffusion):
    """Eight frames show the same object, so that a clip is seen through more noise than a picture. With betas a quarter
    larger nothing of it is left at the last timestep, and its structure is decided between 400 and 850."""

    scale = 1.25
    time_mean, time_spread = 0.5, 1.2


def timesteps_of_pictures():
    """For each timestep of clips, the timestep of pictures, not whole, that leaves as much of the signal."""
    def logarithms(scale, steps):
        return torch.log(alphas_cumprod(scale))[:steps].numpy()
    clips, pictures = logarithms(ClipDiffusion.scale, STEPS), logarithms(1.0, STEPS)
    # Beyond their last timestep the curve goes on as it was, a parabola.
    parabola = np.polyfit(np.arange(STEPS), pictures, 2)
    beyond = np.arange(STEPS, 2 * STEPS)
    table = -np.concatenate([pictures, np.polyval(parabola, beyond)])
    return torch.from_numpy(np.interp(-clips, table, np.arange(2 * STEPS)))
