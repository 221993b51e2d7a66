"""Muon (Keller Jordan, 2024): momentum, orthogonalised, for the matrices inside the blocks.

Matrices of one shape are orthogonalised together; in float32, unless the processor is much faster in
bfloat16, which is precise enough.
"""

import torch


def orthogonalize(g, iterations=5):
    """The nearest semi-orthogonal matrices, roughly, by a quintic Newton-Schulz iteration."""
    a, b, c = 3.4445, -4.7750, 2.0315
    tall = g.size(-2) > g.size(-1)
    x = g.mT if tall else g
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(iterations):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """Its updates have a root mean square of 0.2 x lr, about that of AdamW."""

    def __init__(self, parameters, lr=1e-3, momentum=0.95, weight_decay=0.0, precision=torch.float32):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))
        self.precision = precision

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                if p.grad is not None:
                    shapes.setdefault(p.shape, []).append(p)
            for (rows, columns), parameters in shapes.items():
                for p in parameters:
                    if not self.state[p]:
                        self.state[p]["momentum"] = torch.zeros_like(p)
                gradients = [p.grad for p in parameters]
                momenta = [self.state[p]["momentum"] for p in parameters]
                torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
                directions = torch._foreach_lerp(gradients, momenta, group["momentum"])
                updates = orthogonalize(torch.stack(directions).to(self.precision)).to(parameters[0].dtype)
                rate = group["lr"] * 0.2 * max(rows, columns) ** 0.5
                torch._foreach_mul_(parameters, 1 - group["lr"] * group["weight_decay"])
                torch._foreach_add_(parameters, list(updates.unbind(0)), alpha=-rate)
