"""Invents scenes, and with painter.py and writer.py makes pictures and captions of them, all on the
device that trains.

A scene is a row of small numbers (`Scene`): which objects, how many, how large, which colours, how
they stand. `draw` invents scenes, `render` paints them, `phrase` and `tokens` put them into words.
The same generator gives the same scenes again.
"""

from dataclasses import dataclass, fields

import numpy as np
import torch

import grammar as G
import holdout
from painter import Painter
from writer import Writer

KIND_SHARES = [0.45, 0.29, 0.08, 0.06, 0.07, 0.05]
COUNT_SHARES = [0.6, 0.16, 0.12, 0.12]  # one to four, of a single group
MORE_SHARE = 0.15  # of the groups of a relation that are two or three
SIZE_SHARES = [0.2, 0.6, 0.2]
COLOUR_SHARE = 0.3
BACKGROUND_SHARE = 0.85


@dataclass
class Scene:
    """A batch of n scenes. Groups and slots that a scene does not have are zero.

    `kind`, `relation`, `background` (n); `objects`, `counts`, `sizes`, `colours` (n, GROUPS);
    `background` -1: not named, white; `colours` -1: the object's own.
    """

    kind: torch.Tensor
    relation: torch.Tensor
    background: torch.Tensor
    objects: torch.Tensor
    counts: torch.Tensor
    sizes: torch.Tensor
    colours: torch.Tensor

    def __len__(self):
        return len(self.kind)

    def __getitem__(self, index):
        return Scene(*(getattr(self, f.name)[index] for f in fields(self)))

    def to(self, device):
        return Scene(*(getattr(self, f.name).to(device) for f in fields(self)))

    @staticmethod
    def of(kind, objects, counts=None, sizes=None, colours=None, relation=0, background=-1):
        """One scene, as a batch of one."""
        def row(values, default):
            values = list(values if values is not None else [default] * len(objects))
            return torch.tensor([values + [0] * (G.GROUPS - len(values))])
        return Scene(torch.tensor([kind]), torch.tensor([relation]), torch.tensor([background]),
                     row(objects, 0), row(counts, 1), row(sizes, G.PLAIN), row(colours, -1))

    @staticmethod
    def join(scenes):
        return Scene(*(torch.cat([getattr(s, f.name) for s in scenes]) for f in fields(Scene)))


def load(path):
    """The prepared data; see prepare.py."""
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


class Scenes(Painter, Writer):
    """Scenes over the prepared data, on a device."""

    def __init__(self, data, device="cpu", seed=0, steepness=0.0, plateau=60):
        """`steepness`: object number i is drawn (1 + i / plateau)^-steepness as often as the first."""
        super().__init__(device, seed)
        self.prepare_writing(data["phrases"], data["phrase_tokens"])
        self.prepare_painting(data["sprites"])
        self.held = holdout.draw(len(self.catalogue)).to(self.device)
        rank = torch.arange(len(self.catalogue), device=self.device)
        self.weights = (1 + rank / plateau) ** -steepness
        edges = lambda shares: self.tensor(shares, torch.float).cumsum(0)[:-1]
        self.kind_edges, self.count_edges, self.size_edges = map(
            edges, (KIND_SHARES, COUNT_SHARES, SIZE_SHARES))
        self.kind_groups, self.inverse = self.tensor(G.KIND_GROUPS), self.tensor(G.INVERSE)

    def choose(self, edges, *shape):
        """Random numbers from 0 by their shares, which are given as `edges` between them."""
        return torch.bucketize(self.uniform(*shape), edges, right=True)

    def draw_objects(self, n):
        flat = torch.multinomial(self.weights, n * G.GROUPS, True, generator=self.generator)
        return flat.view(n, G.GROUPS)

    def draw(self, n):
        """n random scenes that show nothing held out."""
        kind = self.choose(self.kind_edges, n)
        groups = self.kind_groups[kind]
        objects = self.draw_objects(n)
        for _ in range(4):  # draws anew what must not meet
            clash = self.clashes(objects, groups)
            objects = torch.where(clash[:, None], self.draw_objects(n), objects)
        kind = torch.where(self.clashes(objects, groups), G.SINGLE, kind)
        groups = self.kind_groups[kind]

        relation = (self.uniform(n) * 4).long()
        for _ in range(2):  # the other way round, and back where neither will do
            relation = torch.where(self.unrelated(objects, relation), self.inverse[relation], relation)
        neither = (kind == G.RELATION) & self.unrelated(objects, relation)
        kind = torch.where(neither, G.PAIR, kind)
        relation = torch.where(kind == G.RELATION, relation, 0)

        counts = torch.ones_like(objects)
        single = kind == G.SINGLE
        counts[:, 0] = torch.where(single, 1 + self.choose(self.count_edges, n), 1)
        more = self.uniform(n, 2) < MORE_SHARE
        many = 2 + (self.uniform(n, 2) < 0.5).long()
        many[:, 1] = torch.where(more[:, 0], 2, many[:, 1])  # four sprites at most
        many[:, 0] = torch.where(more[:, 1], 2, many[:, 0])
        related = (kind == G.RELATION)[:, None]
        counts[:, :2] = torch.where(related & more, many, counts[:, :2])
        missing = self.held.count[objects]
        counts = torch.where(counts == missing, torch.where(single[:, None], counts % 4 + 1, 1), counts)

        sizes = self.choose(self.size_edges, n, G.GROUPS)
        background = (self.uniform(n) * len(G.COLOURS)).long()
        background = torch.where(self.uniform(n) < BACKGROUND_SHARE, background, -1)
        colours = (self.uniform(n, G.GROUPS) * len(G.COLOURS)).long()
        plain = self.uniform(n, G.GROUPS) >= COLOUR_SHARE
        plain |= (colours == self.held.colour[objects]) | (colours == background.clamp(min=0)[:, None])
        colours = torch.where(plain, G.NO_COLOUR, colours)

        here = torch.arange(G.GROUPS, device=self.device) < groups[:, None]
        return Scene(kind, relation, background, objects * here, counts * here, sizes * here,
                     torch.where(here, colours, 0))

    def clashes(self, objects, groups):
        """Whether two of the first `groups` objects must not meet."""
        here = torch.arange(G.GROUPS, device=self.device) < groups[:, None]
        meets = self.held.pairs[objects[:, :, None], objects[:, None, :]]
        upper = torch.ones(G.GROUPS, G.GROUPS, dtype=torch.bool, device=self.device).triu(1)
        return (meets & upper & here[:, :, None] & here[:, None, :]).any(2).any(1)

    def unrelated(self, objects, relation):
        """Whether the first two objects must not stand in this relation, said either way."""
        return (self.held.relation[objects[:, 0]] == relation) | (
            self.held.relation[objects[:, 1]] == self.inverse[relation])

    def batch(self, n):
        """n pictures and the tokens of their captions: what a training step takes."""
        scene = self.draw(n)
        return self.render(scene), self.tokens(self.phrase(scene))
