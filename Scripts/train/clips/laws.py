"""The laws of motion: where the object of a clip is, how it is turned and how large it is, as functions of time.

The painter draws by them, and the score holds samples against them. Time is counted in frames from the first, lengths in
pixels of a 64 x 64 frame with y downward, angles in radians, clockwise as one sees them.
"""

import math
from dataclasses import dataclass

import torch

SIDE, FRAMES = 64, 8


@dataclass
class Pose:
    """`x`, `y`: the centre; `angle`; `size`: the side of the object's square. All (n, frames)."""

    x: torch.Tensor
    y: torch.Tensor
    angle: torch.Tensor
    size: torch.Tensor


class Law:
    """A law with the parameters of `ranges`, and the place (x, y) that the motion starts from or turns about.

    A range is (low, high). Parameters in `signed` may also be negative, those in `circular` are angles of a whole turn.
    `turns`: whether the object turns.
    """

    ranges = {}
    signed = ()
    circular = ()
    turns = False

    def __init__(self):
        self.names = ("x", "y", *self.ranges)

    def draw(self, uniform, n):
        """Random parameters (n, names) that keep the object on the canvas. `uniform(n)`: numbers from 0 to 1."""
        columns = []
        for name, (low, high) in self.ranges.items():
            value = low + (high - low) * uniform(n)
            columns.append(torch.where(uniform(n) < 0.5, -value, value) if name in self.signed else value)
        zero = torch.zeros_like(columns[0])
        path = self.pose(torch.stack([zero, zero, *columns], 1), torch.arange(FRAMES, device=zero.device))
        reach = path.size / 2
        places = []
        for offset in (path.x, path.y):
            low, high = (reach - offset).amax(1), (SIDE - reach - offset).amin(1)
            places.append(low + (high - low) * uniform(n))
        return torch.stack([*places, *columns], 1)

    def pose(self, parameters, times):
        """The pose (n, frames) at `times` (frames) for `parameters` (n, names)."""
        p = dict(zip(self.names, parameters[:, :, None].unbind(1)))
        t = times.to(parameters.dtype)[None]
        x, y, angle, size = self.at(t, **p)
        return Pose(*torch.broadcast_tensors(x, y, angle, size, 0 * t + p["x"])[:4])

    def at(self, t, **parameters):
        raise NotImplementedError


class Slide(Law):
    """A straight line at constant speed."""

    ranges = {"size": (26, 34), "heading": (0, 2 * math.pi), "speed": (2, 4)}
    circular = ("heading",)

    def at(self, t, x, y, size, heading, speed):
        return x + speed * heading.cos() * t, y + speed * heading.sin() * t, 0 * size, size


class Bounce(Law):
    """Parabolas one after the other over a floor, on which (x, y) lies, with a drift to the side."""

    ranges = {"size": (24, 32), "height": (16, 30), "period": (4, 8), "phase": (0, 1), "drift": (-2, 2)}

    def at(self, t, x, y, size, height, period, phase, drift):
        share = torch.remainder(t / period + phase, 1)
        return x + drift * t, y - 4 * height * share * (1 - share), 0 * size, size


class Spin(Law):
    """A turn in place at constant speed, either way round."""

    ranges = {"size": (34, 46), "rate": (0.35, 0.8), "start": (0, 2 * math.pi)}
    signed = ("rate",)
    circular = ("start",)
    turns = True

    def at(self, t, x, y, size, rate, start):
        return x, y, start + rate * t, size


class Grow(Law):
    """Growth by the same length each frame."""

    ranges = {"size": (12, 20), "growth": (2.5, 4.5)}

    def at(self, t, x, y, size, growth):
        return x, y, 0 * size, size + growth * t


class Orbit(Law):
    """A circle at constant speed, either way round, the object upright."""

    ranges = {"size": (24, 30), "radius": (11, 17), "rate": (0.45, 0.8), "phase": (0, 2 * math.pi)}
    signed = ("rate",)
    circular = ("phase",)

    def at(self, t, x, y, size, radius, rate, phase):
        return x + radius * (rate * t + phase).cos(), y + radius * (rate * t + phase).sin(), 0 * size, size


class Swing(Law):
    """A pendulum that hangs from (x, y) and turns with its rod."""

    ranges = {"size": (26, 32), "length": (14, 20), "amplitude": (0.5, 0.9), "period": (6, 10),
              "phase": (0, 2 * math.pi)}
    circular = ("phase",)
    turns = True

    def at(self, t, x, y, size, length, amplitude, period, phase):
        angle = amplitude * (2 * math.pi / period * t + phase).sin()
        return x + length * angle.sin(), y + length * angle.cos(), -angle, size


LAWS = {"slide": Slide(), "bounce": Bounce(), "spin": Spin(), "grow": Grow(), "orbit": Orbit(), "swing": Swing()}
MOTIONS = tuple(LAWS)
