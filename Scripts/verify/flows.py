"""Holds converted SiT checkpoints against the formulas of their published sampler, for verify.py.

SiT (arXiv:2401.08740; github.com/willisma/SiT, transport/): time runs from 0, noise, to 1, data; the network is told it
as it is and answers with dx/dt; three channels are guided. The reference computes in float64.
"""

import argparse
import math
import subprocess
import sys

import torch
from safetensors.torch import load_file

import reference_dit

CONFIG = dict(hidden_size=32, depth=2, num_heads=2, patch_size=2, input_size=8, in_channels=4, learn_sigma=True,
              num_classes=10)
GUIDANCE, LABEL, SEED, STEPS, LAST = 2.5, 3, 11, 20, 0.04
BOUND = 1e-3  # of the largest value


def velocity_of(state):
    """dx/dt, guided as the official code guides: three channels, the others from the conditional branch."""
    weights = {name: tensor.double() for name, tensor in state.items()}

    def velocity(x, t):
        out = reference_dit.forward(weights, CONFIG, torch.cat([x, x]), torch.full((2,), t, dtype=torch.float64),
                                    torch.tensor([LABEL, CONFIG["num_classes"]]))[:, :4]
        conditional, unconditional = out.chunk(2)
        guided = unconditional + GUIDANCE * (conditional - unconditional)
        return torch.cat([guided[:, :3], conditional[:, 3:]], dim=1)

    return velocity


def euler(velocity, x, draw):
    for i in range(STEPS):
        x = x + velocity(x, i / STEPS) / STEPS
    return x


def score(path, x, v, t):
    """The score from the velocity, by the path's alpha and sigma and their rates."""
    alpha, sigma, d_alpha, d_sigma = {
        "linear": (t, 1 - t, 1.0, -1.0),
        "trigonometric": (math.sin(t * math.pi / 2), math.cos(t * math.pi / 2),
                          math.pi / 2 * math.cos(t * math.pi / 2), -math.pi / 2 * math.sin(t * math.pi / 2)),
    }[path]
    ratio = alpha / d_alpha
    return (ratio * v - x) / (sigma**2 - ratio * d_sigma * sigma), sigma


def sde(path):
    """Euler-Maruyama with w = sigma up to 1 - LAST, then the mean of one step more."""
    def run(velocity, x, draw):
        dt = (1 - LAST) / (STEPS - 1)
        for i in range(STEPS):
            t = i * dt
            v = velocity(x, t)
            gradient, sigma = score(path, x, v, t)
            drift = v + sigma * gradient
            if i == STEPS - 1:
                return x + drift * LAST
            x = x + drift * dt + math.sqrt(2 * sigma * dt) * draw()
    return run


CASES = [
    ("linear", "euler", euler), ("trigonometric", "euler", euler),
    ("linear", "sde", sde("linear")), ("trigonometric", "sde", sde("trigonometric")),
]


def check_flows(report, binary, root, folder):
    """Latents of 20 guided steps: the ODE and the SDE sampler on both paths."""
    generator = torch.Generator().manual_seed(5)
    state = {name: 0.2 * torch.randn(shape, generator=generator)
             for name, shape in reference_dit.shapes(CONFIG).items()}
    state["pos_embed"] = reference_dit.position_table(32, 4)[None]
    torch.save(dict(ema=state, args=argparse.Namespace()), folder / "sit.pt")
    for path, sampler, reference in CASES:
        model, out = folder / f"sit-{path}", folder / f"sit-{path}-{sampler}.safetensors"
        if not model.exists():
            subprocess.run([sys.executable, root / "Scripts/convert.py", folder / "sit.pt", model, "--sit", "--path",
                            path, "--heads", "2"], check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run([str(word) for word in (
            binary, "sample", "--model", model, "--class", LABEL, "--seed", SEED, "--steps", STEPS, "--cfg-scale",
            GUIDANCE, "--sampler", sampler, "--save-latents", out, "-q")], capture_output=True, text=True)
        if done.returncode != 0:
            report.failure(f"flows: {sampler}, {path} path: {done.stderr.strip()}")
            continue
        noise = torch.Generator().manual_seed(SEED)
        draw = lambda: torch.randn((1, 4, 8, 8), generator=noise).double()  # noqa: E731
        expected = reference(velocity_of(state), draw(), draw)[0]
        (ours,) = load_file(out).values()
        difference = ((ours.double() - expected).abs().max() / expected.abs().max()).item()
        report.line(f"flows: SiT, {sampler}, {path} path: latents of {STEPS} guided steps", difference, BOUND)
