"""Draws scenes and writes their captions, both on the device that trains.

A scene is a row of small numbers (`Scene`): which objects, how many, how large, which colours, how
they stand. `draw` invents scenes, `render` paints them from an atlas of sprites, `write` puts them
into words, as tokens. The same generator gives the same scenes again.
"""

from dataclasses import dataclass, fields

import numpy as np
import torch
import torch.nn.functional as F

import catalogue
import grammar as G
import holdout

SIDE = 64  # of pictures, and of sprites with their margin
MARGIN = 4  # transparent pixels around a sprite: one at the smallest of three sizes
LENGTH = 32  # tokens of a caption, its end included
PAD, END = 0, 1

KIND_SHARES = [0.45, 0.29, 0.08, 0.06, 0.07, 0.05]
COUNT_SHARES = [0.6, 0.16, 0.12, 0.12]  # one to four, of a single group
MORE_SHARE = 0.15  # of the groups of a relation that are two or three
SIZE_SHARES = [0.2, 0.6, 0.2]
COLOUR_SHARE = 0.3
BACKGROUND_SHARE = 0.85
FRONT_SHARE, CAPITAL_SHARE, STOP_SHARE = 0.1, 0.1, 0.1
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


@dataclass
class Layout:
    """Where the sprites of n scenes stand: `x`, `y`, `half` in half canvases; `slot_group`: whose
    they are. All (n, GROUPS); `half` is zero where there is no sprite."""

    x: torch.Tensor
    y: torch.Tensor
    half: torch.Tensor
    slot_group: torch.Tensor


def load(path):
    """The prepared data; see prepare.py."""
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


class Scenes:
    """Scenes over the prepared data, on a device."""

    def __init__(self, data, device="cpu", seed=0, steepness=0.0, plateau=60):
        """`steepness`: object number i is drawn (1 + i / plateau)^-steepness as often as the first."""
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.catalogue = catalogue.read()
        self.grammar = G.build(self.catalogue)
        if list(data["phrases"]) != self.grammar.phrases:
            raise SystemExit("the prepared data is of another objects.txt or grammar.py: "
                             "run prepare.py again")
        self.held = holdout.draw(len(self.catalogue)).to(self.device)
        rank = torch.arange(len(self.catalogue), device=self.device)
        self.weights = (1 + rank / plateau) ** -steepness
        self._make_tables(data)
        self._make_atlas(torch.from_numpy(data["sprites"]))

    def tensor(self, values, dtype=torch.long):
        return torch.tensor(values, dtype=dtype, device=self.device)

    # Inventing scenes

    def uniform(self, *shape):
        return torch.rand(shape, generator=self.generator, device=self.device)

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

    # Painting

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
        left = self.level_left[level] + objects % self.columns * side
        top = objects // self.columns * side
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
        self.columns = 20
        rows = -(-len(planes) // self.columns)
        planes = F.pad(planes, (0, 0, 0, 0, 0, 0, 0, rows * self.columns - len(planes)))
        levels, lefts, at = [], [], 0
        for level in range(3):
            side = SIDE >> level
            small = F.avg_pool2d(planes, 1 << level)
            sheet = small.view(rows, self.columns, 6, side, side).permute(2, 0, 3, 1, 4)
            sheet = sheet.reshape(6, rows * side, self.columns * side)
            levels.append(F.pad(sheet, (0, 0, 0, rows * SIDE - rows * side)))
            lefts.append(at)
            at += self.columns * side
        self.atlas = torch.cat(levels, 2)[None].contiguous()
        self.level_left = self.tensor(lefts)
        self.grounds = self.tensor([c for _, c, _ in G.COLOURS], torch.float) / 255
        self.paints = self.tensor([c for *_, c in G.COLOURS], torch.float) / 255

    # Writing

    def pick(self, table, index):
        """One of the phrases of each row of a table, all as likely."""
        phrases, lengths = table
        which = (self.uniform(len(index)) * lengths[index]).long()
        return phrases[index, which]

    def phrase(self, scene, held_out=False):
        """Captions, as numbers of phrases (n, SLOTS). `held_out`: in words that training never uses."""
        n = len(scene)
        ids = torch.zeros(n, G.SLOTS, dtype=torch.long, device=self.device)
        prefix = self.prefixes[(self.uniform(n) * len(self.prefixes)).long()]
        front = self.uniform(n) < FRONT_SHARE
        named = scene.background >= 0
        ground = scene.background.clamp(min=0)
        if held_out:
            front = torch.zeros_like(front)
            ids[:, G.BACKGROUND] = torch.where(named, self.held_out_backgrounds[ground], 0)
        else:
            ids[:, G.FRONT] = torch.where(named & front, self.fronts[ground], 0)
            behind = self.pick(self.backgrounds, ground)
            ids[:, G.BACKGROUND] = torch.where(named & ~front, behind, 0)
        ids[:, G.PREFIX] = torch.where(front, 0, prefix)
        relation = (self.held_out_relations[scene.relation] if held_out
                    else self.pick(self.relations, scene.relation))
        for g in range(G.GROUPS):
            here = scene.counts[:, g] > 0
            at = G.FIRST + g * G.PER_GROUP
            several = (scene.counts[:, g] > 1).long()
            nouns = self.nouns[0][scene.objects[:, g], :, several]
            noun = self.pick((nouns, self.nouns[1][scene.objects[:, g]]), torch.arange(n, device=self.device))
            colour = torch.where(scene.colours[:, g] >= 0, self.colours[scene.colours[:, g].clamp(min=0)], 0)
            size = self.pick(self.sizes, scene.sizes[:, g])
            after = torch.where(size > 0, size, torch.where(colour > 0, colour, noun))
            article = self.articles[self.vowel[after]]
            number = torch.where(several > 0, self.numbers[scene.counts[:, g]], article)
            joiner = self.joiners[scene.kind, g]
            if g == 1:
                joiner = torch.where(scene.kind == G.RELATION, relation, joiner)
            row = torch.stack([joiner, number, size, colour, noun], 1)
            ids[:, at:at + G.PER_GROUP] = torch.where(here[:, None], row, 0)
        first = (ids > 0).long().argmax(1, keepdim=True)
        capital = (self.uniform(n) < CAPITAL_SHARE)[:, None]
        start = ids.gather(1, first)
        ids = ids.scatter(1, first, torch.where(capital, self.capital[start], start))
        ids[:, G.STOP] = torch.where(self.uniform(n) < STOP_SHARE, self.grammar.stop, 0)
        return ids

    def tokens(self, ids):
        """The tokens of captions that are given as numbers of phrases: (n, LENGTH), padded."""
        rows = self.phrase_tokens[ids].flatten(1)
        real = rows >= 0
        place = torch.where(real, real.cumsum(1) - 1, LENGTH).clamp(max=LENGTH)
        out = torch.zeros(len(ids), LENGTH + 1, dtype=torch.long, device=self.device)
        out.scatter_(1, place, rows.clamp(min=0))
        out = out[:, :LENGTH].contiguous()
        return out.scatter_(1, real.sum(1, keepdim=True).clamp(max=LENGTH - 1), END)

    def texts(self, ids):
        """The captions in words."""
        return [G.text([self.grammar.phrases[i] for i in row]) for row in ids.tolist()]

    def batch(self, n):
        """n pictures and the tokens of their captions: what a training step takes."""
        scene = self.draw(n)
        return self.render(scene), self.tokens(self.phrase(scene))

    def _ragged(self, rows):
        longest = max(len(row) for row in rows)
        table = self.tensor([row + [0] * (longest - len(row)) for row in rows])
        return table, self.tensor([len(row) for row in rows])

    def _make_tables(self, data):
        g = self.grammar
        edges = lambda shares: self.tensor(shares, torch.float).cumsum(0)[:-1]
        self.kind_edges, self.count_edges, self.size_edges = map(
            edges, (KIND_SHARES, COUNT_SHARES, SIZE_SHARES))
        self.kind_groups, self.inverse = self.tensor(G.KIND_GROUPS), self.tensor(G.INVERSE)
        self.phrase_tokens = self.tensor(data["phrase_tokens"].tolist())
        self.vowel = self.tensor([int(G.takes_an(phrase)) for phrase in g.phrases])
        self.capital = self.tensor([g.capital.get(i, i) for i in range(len(g.phrases))])
        self.prefixes, self.articles, self.numbers = map(self.tensor, (g.prefixes, g.articles, g.numbers))
        self.colours, self.fronts = self.tensor(g.colours), self.tensor(g.fronts)
        self.held_out_backgrounds = self.tensor(g.held_out_backgrounds)
        self.held_out_relations = self.tensor(g.held_out_relations)
        self.sizes, self.backgrounds = self._ragged(g.sizes), self._ragged(g.backgrounds)
        self.relations = self._ragged(g.relations)
        longest = max(len(nouns) for nouns in g.nouns)
        self.nouns = (self.tensor([[list(n) for n in nouns] + [[0, 0]] * (longest - len(nouns))
                                   for nouns in g.nouns]),
                      self.tensor([len(nouns) for nouns in g.nouns]))
        joiners = {G.PAIR: [0, g.and_], G.BETWEEN: [0, g.between, g.and_],
                   G.THREE: [0, g.comma, g.and_], G.FOUR: [0, g.comma, g.comma, g.and_]}
        self.joiners = self.tensor([(joiners.get(kind, []) + [0] * G.GROUPS)[:G.GROUPS]
                                    for kind in range(len(G.KIND_GROUPS))])
        self._make_places()

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
