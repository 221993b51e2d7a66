"""Latte (arXiv:2401.03048, variant 1) as one function of a state dict: reference_dit.py's blocks over space and time.

The tokens are really rearranged here, which the network in Sources/Models never does.
"""

import reference_dit
import torch


def time_table(width, frames):
    """Fixed sine-cosine positions of frames, frames x width."""
    rate = 10000.0 ** (-torch.arange(width // 2, dtype=torch.float64) / (width // 2))
    angle = torch.arange(frames, dtype=torch.float64)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], dim=1).float()


def forward(weights, config, x, t, y):
    """Model output for x (B x C x F x S x S), timesteps t (B) and classes y (B); the null class is num_classes."""
    b, _, frames, _, _ = x.shape
    c = reference_dit.condition(weights, t, y, x.dtype)
    x = reference_dit.embed(weights, config, x.transpose(1, 2).flatten(0, 1))
    tokens, width = x.shape[1:]
    in_space, in_time = c.repeat_interleave(frames, dim=0), c.repeat_interleave(tokens, dim=0)
    for i in range(0, config["depth"], 2):
        x = reference_dit.block(weights, config, i, x, in_space)
        x = x.view(b, frames, tokens, width).transpose(1, 2).reshape(b * tokens, frames, width)
        if i == 0:
            x = x + weights["temp_embed"]
        x = reference_dit.block(weights, config, i + 1, x, in_time)
        x = x.view(b, tokens, frames, width).transpose(1, 2).reshape(b * frames, tokens, width)
    x = reference_dit.unembed(weights, config, x, in_space)
    return x.view(b, frames, *x.shape[1:]).transpose(1, 2)
