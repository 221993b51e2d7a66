"""Fits a law of motion to tracks, by Levenberg and Marquardt's method from many starts, and says how far they are from it."""

import math
from dataclasses import dataclass

import torch

import laws

STARTS, REFINED, ITERATIONS = 512, 6, 30
SLACK = 0.25  # by which a parameter may leave the range that training draws from
ROUGH = 3.0  # pixels: what is further off counts less and less, so that one odd frame does not bend a fit
RIM = 0.35  # of the object's size: the lever at which a turn counts as a distance
OFFSET_DOUBT = 0.15  # the residual of an offset of the centroid, per pixel


@dataclass
class Fit:
    """`cost` (n): how badly the law fits; deviations of each clip (n): `position` in pixels, `angle` in degrees, `size` in
    per cent, root mean squares over the frames."""

    cost: torch.Tensor
    position: torch.Tensor
    angle: torch.Tensor
    size: torch.Tensor


def wrapped(angle):
    return torch.remainder(angle + math.pi, 2 * math.pi) - math.pi


def bounds(law):
    """The least and greatest of each parameter, (2, names), in measured sizes, which are less than those that are drawn."""
    low, high = [-math.inf, -math.inf], [math.inf, math.inf]
    for name, (least, most) in law.ranges.items():
        if name in law.circular or name == "phase":
            least, most = -math.inf, math.inf
        elif name in ("size", "growth"):
            least, most = 0.35 * least, 1.1 * most
        else:
            least, most = least - SLACK * abs(least), most + SLACK * abs(most)
        low.append(least)
        high.append(most)
    return torch.tensor([low, high])


def clamp(law, parameters, limits):
    """Parameters within their limits; the last two are the centroid's offset, which is free."""
    own = parameters[..., :-2]
    sign = torch.ones_like(own)
    for i, name in enumerate(law.names):
        if name in law.signed:
            sign[..., i] = torch.where(own[..., i] < 0, -1.0, 1.0)
    own = sign * torch.minimum(torch.maximum(own * sign, limits[0]), limits[1])
    return torch.cat([own, parameters[..., -2:]], -1)


def predict(law, parameters, frames):
    """What would be measured: x, y, angle against the first frame, size, (4, n, frames). The centroid need not be the
    sprite's centre: its offset turns and grows with the object."""
    pose = law.pose(parameters[:, :-2], torch.arange(frames))
    turn = pose.angle - pose.angle[:, :1]
    scale = pose.size / pose.size[:, :1]
    ox, oy = parameters[:, -2:-1] * scale, parameters[:, -1:] * scale
    cos, sin = turn.cos(), turn.sin()
    return torch.stack([pose.x + cos * ox - sin * oy, pose.y + sin * ox + cos * oy, turn, pose.size])


def residuals(law, parameters, track):
    """Differences in pixels, (n, 4 frames + 2); the last two keep the offset small."""
    x, y, turn, size = predict(law, parameters, track.x.shape[1])
    lever = RIM * track.size.mean(1, keepdim=True)
    return torch.cat([track.x - x, track.y - y, wrapped(track.angle - turn) * track.sure * lever, track.size - size,
                      OFFSET_DOUBT * parameters[:, -2:]], 1)


def robust(values):
    """The cost of residuals: squares while they are small, logarithms where they are large."""
    return torch.log1p((values / ROUGH) ** 2).sum(-1)


def starts(law, track, generator):
    """The likeliest of many random parameters for each track, moved to where it is: (n, REFINED, names + 2)."""
    n, frames = track.x.shape
    drawn = law.draw(lambda count: torch.rand(count, generator=generator), STARTS)
    drawn[:, :2] = 0
    drawn = torch.cat([drawn, torch.zeros(STARTS, 2)], 1)
    path = predict(law, drawn, frames)  # (4, STARTS, frames)
    ratio = track.size.mean(1)[:, None] / path[3].mean(1)
    moved = drawn.expand(n, -1, -1).clone()
    moved[:, :, 0] = track.x.mean(1)[:, None] - path[0].mean(1)
    moved[:, :, 1] = track.y.mean(1)[:, None] - path[1].mean(1)
    for i, name in enumerate(law.names):
        if name in ("size", "growth"):
            moved[:, :, i] *= ratio
    costs = robust(residuals(law, moved.flatten(0, 1), repeat(track, STARTS))).view(n, STARTS)
    best = costs.topk(REFINED, largest=False).indices
    return moved.gather(1, best[..., None].expand(-1, -1, moved.shape[2]))


def repeat(track, times):
    return type(track)(*(value.repeat_interleave(times, 0) for value in vars(track).values()))


def fit(law, track, seed=0):
    """The best fit of a law to each track."""
    n = len(track.x)
    limits = bounds(law)
    many = repeat(track, REFINED)
    parameters = clamp(law, starts(law, track, torch.Generator().manual_seed(seed)).flatten(0, 1), limits)
    values = residuals(law, parameters, many)
    cost, damping = robust(values), torch.full((len(parameters),), 1e-2)
    steps = torch.full((parameters.shape[1],), 1e-2)
    for _ in range(ITERATIONS):
        slopes = torch.stack([(residuals(law, parameters + step, many) - values) / step.sum()
                              for step in torch.diag(steps)], 2)  # (n, residuals, parameters)
        weight = 1 / (1 + (values / ROUGH) ** 2)
        slopes = torch.nan_to_num(slopes)
        gram = slopes.mT @ (weight[..., None] * slopes)
        diagonal = gram.diagonal(dim1=1, dim2=2)
        gram = gram + torch.diag_embed(damping[:, None] * diagonal + 1e-6)
        step = torch.linalg.solve(gram, -(slopes.mT @ (weight * values)[..., None]))[..., 0]
        tried = clamp(law, parameters + step, limits)
        new = residuals(law, tried, many)
        better = robust(new) < cost
        parameters = torch.where(better[:, None], tried, parameters)
        values = torch.where(better[:, None], new, values)
        cost = torch.where(better, robust(new), cost)
        damping = torch.where(better, damping / 4, damping * 4).clamp(1e-7, 1e7)
    best = cost.view(n, REFINED).argmin(1)
    rows = torch.arange(n) * REFINED + best
    parameters, cost = parameters[rows], cost[rows]
    x, y, turn, size = predict(law, parameters, track.x.shape[1])
    rms = lambda squares: squares.mean(1).sqrt()
    return Fit(cost, rms((track.x - x) ** 2 + (track.y - y) ** 2), rms(wrapped(track.angle - turn) ** 2).rad2deg(),
               100 * rms((track.size / size - 1) ** 2))


def fit_all(track):
    """The fits of every law, by name."""
    return {name: fit(law, track) for name, law in laws.LAWS.items()}
