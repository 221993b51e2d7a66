"""Paints scenes: places for their objects, and sprites from an atlas by grid sampling."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

import grammar as G
from device import OnDevice

SIDE = 64  # of pictures, and of sprites with their margin
MARGIN = 4  # transparent pixels around a sprite: one at the smallest of three sizes
COLUMNS = 20  # of sprites in the atlas
CHUNK = 1024  # pictures painted at once, which bounds memory

# Cells, in which the objects of one group stand, and where the objects stand in them (x right, y
# down, from -1 to 1); half the side of each for small, plain and big ones.
WHOLE, TALL, WIDE, THIRD, QUARTER = range(5)
T = 2 / 3
PLACES = {
    WHOLE: [[(0, 0)], [(-.5, 0), (.5, 0)], [(0, -.48), (-.48, .48), (.48, .48)],
            [(-.48, -.48), (.48, -.48), (-.48, .48), (.48, .48)]],
    TALL: [[(0, 0)], [(0, -.48), (0, .48)], [(0, -T), (0, 0), (0, T)]],
    WIDE: [[(0, 0)], [(-.48, 0), (.48, 0)], [(-T, 0), (0, 0), (T, 0)]],
    THIRD: [[(0, 0)]],
    QUARTER: [[(0, 0)]],
}
HALVES = {
    WHOLE: [(.42, .62, .84), (.30, .38, .46), (.28, .36, .44), (.28, .36, .44)],
    TALL: [(.28, .36, .46), (.26, .34, .43), (.20, .25, .31)],
    WIDE: [(.28, .36, .46), (.26, .34, .43), (.20, .25, .31)],
    THIRD: [(.20, .25, .31)],
    QUARTER: [(.28, .36, .44)],
}
SIDES = [(-.5, 0), (.5, 0), (0, -.5), (0, .5)]  # of the first group of a relation
POSITION_JITTER, SIZE_JITTER, ALONE_JITTER = 0.05, 0.06, 0.12


@dataclass
class Layout:
    """Where the sprites of n scenes stand: `x`, `y`, `half` in half canvases; `slot_group`: whose
    they are. All (n, GROUPS); `half` is zero where there is no sprite."""

    x: torch.Tensor
    y: torch.Tensor
    half: torch.Tensor
    slot_group: torch.Tensor


class Painter(OnDevice):
    """What paints; call `prepare_painting` first."""

    def prepare_painting(self, sprites):
        """`sprites`: straight RGBA bytes (objects, SIDE, SIDE, 4)."""
        self._make_places()
        self._make_atlas(torch.from_numpy(sprites))

    def layout(self, scene, jitter=True):
        """Where the sprites stand, a little off their places."""
        n = len(scene)
        ends = scene.counts.cumsum(1)
        slots = torch.arange(G.GROUPS, device=self.device).expand(n, -1)
        group = (ends[:, None, :] <= slots[:, :, None]).sum(2).clamp(max=G.GROUPS - 1)
        within = slots - (ends - scene.counts).gather(1, group)
        present = slots < ends[:, -1:]
        within = torch.where(present, within, 0)
        count = scene.counts.gather(1, group).clamp(min=1)
        centre = self.centres[scene.kind[:, None], scene.relation[:, None], group]
        cell = self.cells[scene.kind[:, None], scene.relation[:, None]].expand(n, G.GROUPS)
        place = self.places[cell, count - 1, within]
        half = self.halves[cell, count - 1, scene.sizes.gather(1, group)]
        x, y = (centre + place).unbind(-1)
        if jitter:
            half = half * (1 + SIZE_JITTER * (2 * self.uniform(n, G.GROUPS) - 1))
            reach = torch.where((scene.kind == G.SINGLE) & (scene.counts[:, 0] == 1),
                                ALONE_JITTER, POSITION_JITTER)[:, None]
            x = x + reach * (2 * self.uniform(n, G.GROUPS) - 1)
            y = y + reach * (2 * self.uniform(n, G.GROUPS) - 1)
        room = (1 - half).clamp(min=0)
        x, y = x.clamp(-room, room), y.clamp(-room, room)
        return Layout(x, y, torch.where(present, half, 0), group)

    def render(self, scene, layout=None):
        """The pictures of n scenes, (n, 3, SIDE, SIDE) in [-1, 1]."""
        layout = layout or self.layout(scene)
        pictures = torch.empty(len(scene), 3, SIDE, SIDE, device=self.device)
        for start in range(0, len(scene), CHUNK):
            part = slice(start, start + CHUNK)
            pictures[part] = self._paint(
                scene[part], Layout(*(v[part] for v in vars(layout).values())))
        return pictures

    def _paint(self, scene, layout):
        n = len(scene)
        ground = self.grounds[scene.background.clamp(min=0)]
        picture = ground[..., None, None].repeat(1, 1, SIDE, SIDE)
        for slot in range(G.GROUPS):
            if self.device.type == "cpu":
                rows = (layout.half[:, slot] > 0).nonzero().flatten()  # most scenes have one or two
            else:
                rows = torch.arange(n, device=self.device)  # to count them would stop the device
            group = layout.slot_group[rows, slot]
            sprite, alpha = self.sprites(
                scene.objects[rows, group], scene.colours[rows, group],
                layout.x[rows, slot], layout.y[rows, slot], layout.half[rows, slot])
            picture[rows] = picture[rows] * (1 - alpha) + sprite
        return picture * 2 - 1

    def sprites(self, objects, colours, x, y, half):
        """One sprite on each of m canvases: premultiplied colours (m, 3, SIDE, SIDE), and alpha."""
        axis = (torch.arange(SIDE, device=self.device) + 0.5) * (2 / SIDE) - 1
        tile_half = (half * SIDE / (SIDE - 2 * MARGIN)).clamp(min=1e-6)[:, None]
        u, v = (axis - x[:, None]) / tile_half, (axis - y[:, None]) / tile_half  # -1 to 1 on the tile
        drawn = half * SIDE  # pixels
        level = (drawn < 32).long() + (drawn < 16).long()
        side = SIDE >> level
        left = self.level_left[level] + objects % COLUMNS * side
        top = objects // COLUMNS * side
        height, width = self.atlas.shape[-2:]
        gx = (left[:, None] + (u.clamp(-1, 1) + 1) / 2 * side[:, None]) * (2 / width) - 1
        gy = (top[:, None] + (v.clamp(-1, 1) + 1) / 2 * side[:, None]) * (2 / height) - 1
        shape = (len(objects), SIDE, SIDE)
        grid = torch.stack([gx[:, None, :].expand(shape), gy[:, :, None].expand(shape)], -1)
        planes = F.grid_sample(self.atlas.expand(len(grid), -1, -1, -1), grid, align_corners=False)
        planes = planes * ((u.abs() <= 1)[:, None, None, :] & (v.abs() <= 1)[:, None, :, None])
        own, alpha, dark, light = planes.split([3, 1, 1, 1], 1)
        paint = self.paints[colours.clamp(min=0)][..., None, None]
        mixed = paint * (0.35 * alpha + 0.65 * dark) + 0.7 * (1 - paint) * light
        return torch.where((colours == G.NO_COLOUR)[:, None, None, None], own, mixed), alpha

    def _make_atlas(self, sprites):
        """One texture of all sprites at three sizes, side by side.

        Its planes: red, green, blue and alpha, premultiplied, then two from which any colour is
        mixed: how far a pixel is from shadow up to its sprite's mean brightness, and how far above.
        """
        s = sprites.to(self.device).float().permute(0, 3, 1, 2) / 255  # (N, 4, SIDE, SIDE), straight
        alpha = s[:, 3:]
        grey = (s[:, :3] * self.tensor([.299, .587, .114], torch.float).view(1, 3, 1, 1)).sum(1, True)
        mean = (grey * alpha).sum((2, 3), True) / alpha.sum((2, 3), True).clamp(min=1)
        shade = (0.5 + grey - mean).clamp(0, 1)
        dark, light = (2 * shade).clamp(max=1), (2 * shade - 1).clamp(min=0)
        planes = torch.cat([s[:, :3] * alpha, alpha, dark * alpha, light * alpha], 1)
        rows = -(-len(planes) // COLUMNS)
        planes = F.pad(planes, (0, 0, 0, 0, 0, 0, 0, rows * COLUMNS - len(planes)))
        levels, lefts, at = [], [], 0
        for level in range(3):
            side = SIDE >> level
            small = F.avg_pool2d(planes, 1 << level)
            sheet = small.view(rows, COLUMNS, 6, side, side).permute(2, 0, 3, 1, 4)
            sheet = sheet.reshape(6, rows * side, COLUMNS * side)
            levels.append(F.pad(sheet, (0, 0, 0, rows * SIDE - rows * side)))
            lefts.append(at)
            at += COLUMNS * side
        self.atlas = torch.cat(levels, 2)[None].contiguous()
        self.level_left = self.tensor(lefts)
        self.grounds = self.tensor([c for _, c, _ in G.COLOURS], torch.float) / 255
        self.paints = self.tensor([c for *_, c in G.COLOURS], torch.float) / 255

    def _make_places(self):
        """What `layout` looks up: the cell of each kind and relation, and the centres of its groups."""
        kinds, relations = len(G.KIND_GROUPS), len(G.RELATION_NAMES)
        cells = torch.full((kinds, relations), WHOLE)
        centres = torch.zeros(kinds, relations, G.GROUPS, 2)
        for relation, (x, y) in enumerate(SIDES):
            cells[G.RELATION, relation] = TALL if x else WIDE
            centres[G.RELATION, relation, :2] = torch.tensor([(x, y), (-x, -y)])
        cells[G.PAIR], cells[G.BETWEEN], cells[G.THREE], cells[G.FOUR] = TALL, THIRD, THIRD, QUARTER
        centres[G.PAIR, :, :2] = torch.tensor([SIDES[G.LEFT], SIDES[G.RIGHT]])
        centres[G.BETWEEN, :, :3] = torch.tensor([(0, 0), (-T, 0), (T, 0)])
        centres[G.THREE, :, :3] = torch.tensor([(-T, 0), (0, 0), (T, 0)])
        centres[G.FOUR] = torch.tensor([(-.5, -.5), (.5, -.5), (-.5, .5), (.5, .5)])
        places = torch.zeros(len(PLACES), G.GROUPS, G.GROUPS, 2)
        halves = torch.zeros(len(PLACES), G.GROUPS, len(G.SIZES))
        for cell, by_count in PLACES.items():
            for count, spots in enumerate(by_count):
                places[cell, count, :count + 1] = torch.tensor(spots, dtype=torch.float)
                halves[cell, count] = torch.tensor(HALVES[cell][count])
        self.cells, self.centres, self.places, self.halves = (
            t.to(self.device) for t in (cells, centres, places, halves))
