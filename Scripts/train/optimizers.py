"""The two optimisers of a training run, Muon for the matrices inside the blocks and AdamW for the rest, and their rates."""

import math

import torch

from muon import Muon


def make(matrices, rest, lr, adam_lr, betas, weight_decay=0.0, precision=torch.float32, fused=None):
    """Both optimisers, with their learning rates as the peaks of the run."""
    both = (Muon(matrices, lr, weight_decay=weight_decay, precision=precision),
            torch.optim.AdamW(rest, adam_lr, betas=betas, weight_decay=0.0, fused=fused))
    for optimizer in both:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return both


def peaks(arguments, lr, adam_lr, base_batch, batch):
    """The peak learning rates of Muon and AdamW: those of the command line, or these, which are right for `base_batch`,
    grown with the fourth root of the batch."""
    growth = (batch / base_batch) ** 0.25
    return (arguments.lr if arguments.lr is not None else lr * growth,
            arguments.adam_lr if arguments.adam_lr is not None else adam_lr * growth)


def set_share(optimizers, share):
    """Sets every learning rate to a share of its peak."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * share


def load(optimizers, saved):
    """Loads saved states; peak learning rates stay those of this command line."""
    for optimizer, state in zip(optimizers, saved):
        peaks = [group["peak"] for group in optimizer.param_groups]
        optimizer.load_state_dict(state)
        for group, peak in zip(optimizer.param_groups, peaks):
            group["peak"] = peak


def half_cosine(progress, decay):
    """The share of the peak at `progress` (0 to 1): whole, then half a cosine over the last part `decay`."""
    late = max(0.0, 1 - (1 - progress) / max(decay, 1e-9))
    return (1 + math.cos(math.pi * min(1.0, late))) / 2
