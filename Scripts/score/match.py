"""Looks for what a caption demands in a picture, by normalised correlation.

A template is the object as it would be drawn, less the picture's background, with a ring of bare
background around it. Its likeness to a place is the cosine between the two: 1 for the very same
picture, whatever its contrast; around 0 for anything else. It is computed for all places and a row
of sizes at once.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

import grammar as G
from painter import SIDE

HALVES = [0.18 * 1.12**i for i in range(15)]  # half the side of a template: 0.18 to 0.88
RING = 2  # pixels of background around an object that belong to its template
PADDED = 80  # of the transforms: what wraps around stays outside of the places looked at
BEYOND = 0.12  # how far an object may reach over the edge
THRESHOLD = 0.8  # the likeness from which an object counts as found
APART = 0.7  # of the sum of their halves: how far two objects must be from each other
MOST = 6  # places looked at of one object
BORDER = 2  # pixels along the edges, from which the background is read


@dataclass
class Found:
    """An object found: how alike, whose group, and where."""

    likeness: float
    group: int
    x: float
    y: float
    half: float

    def overlaps(self, other):
        distance = max(abs(self.x - other.x), abs(self.y - other.y))
        return distance < APART * (self.half + other.half)


def background(pictures):
    """The colour along the edges of each picture (n, 3), in [0, 1]: the median."""
    edge = torch.ones(SIDE, SIDE, dtype=torch.bool)
    edge[BORDER:-BORDER, BORDER:-BORDER] = False
    return pictures[:, :, edge].median(2).values


def templates(scenes, objects, colours, half, ground, x=0.0, y=0.0):
    """Differences from the background (m, 3, SIDE, SIDE), and where they are compared, 0 or 1."""
    place = lambda v: torch.as_tensor(v, dtype=torch.float).expand(len(objects))
    sprite, alpha = scenes.sprites(objects, colours, place(x), place(y), place(half))
    near = F.max_pool2d((alpha > 0.1).float(), 2 * RING + 1, 1, RING)
    return (sprite - alpha * ground[:, :, None, None]) * near, near


def spectrum(planes):
    return torch.fft.rfft2(F.pad(planes, (0, PADDED - SIDE) * 2).contiguous())


def plane(spectrum):
    return torch.fft.irfft2(spectrum.contiguous(), (PADDED, PADDED))


def likeness(scenes, pictures, ground, objects, colours):
    """The likeness at every size and place: (m, sizes, SIDE, SIDE), -1 where none may be."""
    rest = pictures - ground[:, :, None, None]
    picture, energy = spectrum(rest), spectrum((rest**2).sum(1))
    axis = (torch.arange(SIDE) + 0.5) * (2 / SIDE) - 1
    maps = []
    for half in HALVES:
        template, near = templates(scenes, objects, colours, half, ground)
        product = plane((picture * spectrum(template).conj()).sum(1))
        local = plane(energy * spectrum(near[:, 0]).conj())
        norm = local.clamp(min=1e-4) * (template**2).sum((1, 2, 3))[:, None, None].clamp(min=1e-4)
        # The template's centre lies between pixels SIDE / 2 - 1 and SIDE / 2.
        found = (product / norm.sqrt()).roll((SIDE // 2, SIDE // 2), (1, 2))[:, :SIDE, :SIDE]
        reach = axis.abs() <= 1 - half + BEYOND + 1 / SIDE
        maps.append(torch.where(reach[:, None] & reach[None, :], found, -1.0))
    return torch.stack(maps, 1)


def places(maps, group):
    """The best places of each map, none of which overlap: a list of Found for each picture."""
    maps = maps.clone()
    n = len(maps)
    halves = torch.tensor(HALVES)
    # A shift of k pixels moves the template's centre from 0 to 2 k / SIDE.
    axis = torch.arange(SIDE) * (2 / SIDE) - 1
    out = [[] for _ in range(n)]
    for _ in range(MOST):
        best, at = maps.flatten(1).max(1)
        level, y, x = at // SIDE**2, at // SIDE % SIDE, at % SIDE
        for i in range(n):
            out[i].append(Found(best[i].item(), group, axis[x[i]].item(), axis[y[i]].item(),
                                halves[level[i]].item()))
        limit = APART * (halves[level][:, None] + halves)[:, :, None]
        near_x = ((axis - axis[x][:, None]).abs()[:, None] < limit)[:, :, None, :]
        near_y = ((axis - axis[y][:, None]).abs()[:, None] < limit)[:, :, :, None]
        maps[near_x & near_y] = -1.0
    return out


def find(scenes, pictures, scene):
    """What is found in each picture of the groups that its scene demands.

    Where two groups claim one place, the more alike gets it. Returns (accepted, best): a list of
    Found over the threshold, and the best of each group.
    """
    ground = background(pictures)
    everything, best = [[] for _ in pictures], [{} for _ in pictures]
    for group in range(G.GROUPS):
        rows = (scene.counts[:, group] > 0).nonzero().flatten()
        for part in rows.split(64) if len(rows) else ():
            maps = likeness(scenes, pictures[part], ground[part], scene.objects[part, group],
                            scene.colours[part, group])
            for i, found in zip(part.tolist(), places(maps, group)):
                best[i][group] = found[0]
                everything[i] += [f for f in found if f.likeness >= THRESHOLD]
    accepted = []
    for found in everything:
        kept = []
        for f in sorted(found, key=lambda f: -f.likeness):
            if not any(f.overlaps(other) for other in kept):
                kept.append(f)
        accepted.append(kept)
    return accepted, best


def colour(scenes, picture, thing, found):
    """Which of the colours the object at that place has."""
    count = len(G.COLOURS)
    ground = background(picture[None]).expand(count, 3)
    template, near = templates(scenes, torch.full((count,), thing), torch.arange(count), found.half,
                               ground, found.x, found.y)
    rest = (picture - ground[:, :, None, None]) * near
    product = (rest * template).sum((1, 2, 3))
    norm = (rest**2).sum((1, 2, 3)) * (template**2).sum((1, 2, 3))
    return (product / norm.clamp(min=1e-8).sqrt()).argmax().item()
