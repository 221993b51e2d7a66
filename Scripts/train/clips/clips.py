"""Invents clips of one emoji that moves over a plain background, and paints them on the device that trains.

The same generator gives the same clips again.
"""


import torch
import torch.nn.functional as F

import groups
import laws
from device import OnDevice
from laws import FRAMES, SIDE

MARGIN = 4  # transparent pixels around a sprite
GROUNDS = [(255, 255, 255), (214, 234, 255), (255, 226, 232), (255, 246, 204), (220, 244, 220)]
WHITE_SHARE = 0.5
STEEPNESS = 2.5
INNER = SIDE - 2 * MARGIN  # the side of a sprite without its margin


class Clips(OnDevice):
    """Clips of the sprites that prepare.py drew, on a device."""

    def __init__(self, data, device="cpu", seed=0, steepness=STEEPNESS):
        """`data`: `sprites`, straight RGBA bytes (emoji, SIDE, SIDE, 4), in the order of groups.txt.
        `steepness`: emoji number r of a group, from 1, is drawn r^-steepness as often as the first."""
        super().__init__(device, seed)
        self.groups = groups.read()
        sizes = [len(group.emoji) for group in self.groups]
        if len(data["sprites"]) != sum(sizes):
            raise SystemExit("the prepared data is of another groups.txt: run prepare.py again")
        rank = torch.arange(1, max(sizes) + 1, device=self.device)
        lengths = self.tensor(sizes)[:, None]
        self.weights = torch.where(rank <= lengths, rank.float() ** -steepness, 0)
        self.first = lengths[:, 0].cumsum(0) - lengths[:, 0]
        self.grounds = self.tensor(GROUNDS, torch.float) / 255
        self._make_levels(torch.from_numpy(data["sprites"]))

    def draw(self, n):
        """Random classes (n), emoji (n), backgrounds (n) and poses (n, FRAMES)."""
        classes = (self.uniform(n) * len(laws.MOTIONS) * len(self.groups)).long()
        return classes, *self.draw_of(classes)

    def draw_of(self, classes):
        """Random emoji, backgrounds and poses of given classes."""
        n = len(classes)
        motion, group = classes // len(self.groups), classes % len(self.groups)
        member = torch.multinomial(self.weights[group], 1, generator=self.generator)[:, 0]
        coloured = 1 + (self.uniform(n) * (len(GROUNDS) - 1)).long()
        ground = torch.where(self.uniform(n) < WHITE_SHARE, 0, coloured)
        times = torch.arange(FRAMES, device=self.device)
        # Every law is drawn for every clip, which no clip's number can then disturb, and one is taken.
        poses = [law.pose(law.draw(self.uniform, n), times) for law in laws.LAWS.values()]
        rows = torch.arange(n, device=self.device)
        pose = laws.Pose(*(torch.stack([getattr(p, name) for p in poses])[motion, rows]
                           for name in ("x", "y", "angle", "size")))
        return self.first[group] + member, ground, pose

    def render(self, emoji, ground, pose):
        """The clips, (n, FRAMES, 3, SIDE, SIDE) in [-1, 1]."""
        frames = pose.x.shape[1]
        x, y, angle, size = (v.flatten()[:, None, None] for v in (pose.x, pose.y, pose.angle, pose.size))
        axis = torch.arange(SIDE, device=self.device) + 0.5
        dx, dy = axis[None, None, :] - x, axis[None, :, None] - y
        cos, sin = angle.cos(), angle.sin()
        scale = INNER / SIDE * 2 / size  # frame pixels to -1 ... 1 of the tile
        grid = torch.stack([(cos * dx + sin * dy) * scale, (cos * dy - sin * dx) * scale], -1)
        tiles = self.tiles(emoji.repeat_interleave(frames), pose.size.flatten())
        planes = F.grid_sample(tiles, grid, align_corners=False)
        colours = self.grounds[ground].repeat_interleave(frames, 0)[..., None, None]
        picture = colours * (1 - planes[:, 3:]) + planes[:, :3]
        return (picture * 2 - 1).view(-1, frames, 3, SIDE, SIDE)

    def batch(self, n):
        """n clips and their classes: what a training step takes."""
        classes, *drawn = self.draw(n)
        return self.render(*drawn), classes

    def tiles(self, emoji, size):
        """Sprites, blurred as far as drawing them at this size would alias: (m, 4, SIDE, SIDE)."""
        level = torch.log2(INNER / size).clamp(0, len(self.levels) - 1)
        low = level.floor().long()
        share = (level - low)[:, None, None, None]
        high = (low + 1).clamp(max=len(self.levels) - 1)
        return torch.lerp(self.levels[low, emoji], self.levels[high, emoji], share)

    def _make_levels(self, sprites):
        """Every sprite, premultiplied, as sharp as at full, half and quarter size: (3, emoji, 4, SIDE, SIDE)."""
        s = sprites.to(self.device).float().permute(0, 3, 1, 2) / 255
        planes = torch.cat([s[:, :3] * s[:, 3:], s[:, 3:]], 1)
        levels = [planes]
        for level in (1, 2):
            small = F.avg_pool2d(planes, 1 << level)
            levels.append(F.interpolate(small, size=(SIDE, SIDE), mode="bilinear", align_corners=False))
        self.levels = torch.stack(levels)
