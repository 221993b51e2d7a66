"""Finds the object of each frame: where it is, how large it looks, how it is turned against the first frame."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

FAINT, PLAIN = 0.10, 0.22  # differences from the background, of a range of 1, that count as nothing and as object
SMALLEST, LARGEST = 30, 3000  # pixels of an object
ANGLES, RADII = 180, 24  # of the polar pictures in which a turn is a shift

UNLIKE = 0.5  # a likeness of so much says nothing of the angle


@dataclass
class Track:
    """What was measured, (n, frames) each: `x`, `y`, the centroid, in pixels from the top left corner; `size`, the side of
    a square of the object's area; `angle`, in radians, clockwise, against the first frame; `sure`, how far the angle can be
    trusted, 0 to 1; `found` (n): in every frame."""

    x: torch.Tensor
    y: torch.Tensor
    angle: torch.Tensor
    size: torch.Tensor
    sure: torch.Tensor
    found: torch.Tensor

    def __getitem__(self, index):
        return Track(*(value[index] for value in vars(self).values()))


def follow(clips):
    """The tracks of clips, (n, frames, H, W, 3) bytes."""
    pixels = torch.as_tensor(clips).float() / 255
    n, frames, height, width, _ = pixels.shape
    edge = torch.cat([pixels[:, :, :2].flatten(1, 3), pixels[:, :, -2:].flatten(1, 3),
                      pixels[:, :, :, :2].flatten(1, 3), pixels[:, :, :, -2:].flatten(1, 3)], 1)
    ground = edge.median(1).values[:, None, None, None]
    apart = (pixels - ground).flatten(0, 1).permute(0, 3, 1, 2)
    far = F.avg_pool2d(apart.abs().amax(1, keepdim=True), 3, 1, 1)[:, 0]  # specks are no object
    mask = ((far - FAINT) / (PLAIN - FAINT)).clamp(0, 1)
    area = mask.sum((1, 2))
    row = torch.arange(height) + 0.5
    column = torch.arange(width) + 0.5
    x = (mask.sum(1) * column).sum(1) / area.clamp(min=1e-6)
    y = (mask.sum(2) * row).sum(1) / area.clamp(min=1e-6)
    size = area.sqrt()
    angle, sure = turns(polar(apart * mask[:, None], x, y, size).unflatten(0, (n, frames)))
    shape = (n, frames)
    found = ((area > SMALLEST) & (area < LARGEST)).view(shape).all(1)
    return Track(x.view(shape), y.view(shape), angle, size.view(shape), sure, found)


def polar(pictures, x, y, size):
    """Pictures (m, C, H, W) around their centroids, as large as the object: (m, C, RADII, ANGLES)."""
    height, width = pictures.shape[-2:]
    angle = torch.arange(ANGLES) * (2 * torch.pi / ANGLES)
    radius = (torch.arange(RADII) + 0.5) / RADII * 0.75 * size[:, None]
    gx = x[:, None, None] + radius[..., None] * angle.cos()
    gy = y[:, None, None] + radius[..., None] * angle.sin()
    grid = torch.stack([gx * (2 / width) - 1, gy * (2 / height) - 1], -1)
    return F.grid_sample(pictures, grid, align_corners=False)


def turns(pictures):
    """The turn of each frame against the first, by circular correlation, and how far to trust it: both (n, frames) of
    (n, frames, C, RADII, ANGLES). Trusted is a turn after which the frames are alike, not a blot's that fits anyhow."""
    varying = pictures - pictures.mean(-1, keepdim=True)
    varying = varying * ((torch.arange(RADII) + 0.5) / RADII).sqrt()[:, None]  # outer rings have more pixels
    spectrum = torch.fft.rfft(varying)
    likeness = torch.fft.irfft((spectrum * spectrum[:, :1].conj()).sum((2, 3)), ANGLES)
    best = likeness.argmax(-1, keepdim=True)
    before, at, after = (likeness.gather(-1, (best + shift) % ANGLES)[..., 0] for shift in (-1, 0, 1))
    between = (before - after) / (2 * (before - 2 * at + after)).clamp(max=-1e-9)  # the peak of a parabola
    angle = (best[..., 0] + between) * (2 * torch.pi / ANGLES)
    energy = varying.square().sum((2, 3, 4))
    alike = at / (energy * energy[:, :1]).sqrt().clamp(min=1e-9)  # 1 for the same picture, turned
    sure = ((alike - UNLIKE) / (1 - UNLIKE)).clamp(0, 1)
    return torch.remainder(angle + torch.pi, 2 * torch.pi) - torch.pi, sure
