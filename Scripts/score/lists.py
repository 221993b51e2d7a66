"""The captions that a text-to-image model of scenes is scored on, with the scenes that they demand.

Some lists ask for what training shows, others only for what it never shows (holdout.py). A list is
drawn from a fixed seed, and lies in two files: LIST.txt, a caption a line, and LIST.jsonl, the
same with the scene.
"""

import json
import random
from dataclasses import fields

import torch

import grammar as G
from scenes import Scene

SEED = 7
POOL = 40_000  # random scenes, of which lists of what was seen take some


def plain(scene):
    """One object of each group, in its own colour, on a background that the caption names."""
    return (scene.background >= 0) & (scene.counts <= 1).all(1) & plain_colours(scene)


def plain_colours(scene):
    return ((scene.colours < 0) | (scene.counts == 0)).all(1)


def seen(scenes, count, which):
    """`count` random scenes for which `which` holds."""
    pool = scenes.draw(POOL)
    return pool[which(pool).nonzero().flatten()[:count]]


def held_out(scenes, count, table, build):
    """`count` scenes around the objects that have something held out, each object as often."""
    chance, found = random.Random(SEED), []
    marked = (table >= 0).nonzero().flatten().tolist()
    chance.shuffle(marked)
    while len(found) < count:
        thing = marked[len(found) % len(marked)]
        scene = build(thing, int(table[thing]), chance)
        if scene is not None:
            found.append(scene)
    return Scene.join(found)


def ground(chance, but=-1):
    """A background, of another colour than the object's."""
    return chance.choice([c for c in range(len(G.COLOURS)) if c != but])


def held_out_relation(scenes):
    def build(thing, relation, chance):
        other = chance.randrange(len(scenes.catalogue))
        if scenes.held.pairs[thing, other]:
            return None
        return Scene.of(G.RELATION, [thing, other], relation=relation, background=ground(chance))
    return build


def held_out_count(thing, number, chance):
    return Scene.of(G.SINGLE, [thing], [number], background=ground(chance))


def held_out_colour(thing, colour, chance):
    return Scene.of(G.SINGLE, [thing], colours=[colour], background=ground(chance, but=colour))


def held_out_pairs(scenes, count):
    chance = random.Random(SEED)
    pairs = [tuple(pair) for pair in scenes.held.pairs.triu(1).nonzero().tolist()]
    return Scene.join([Scene.of(G.RELATION, chance.sample(pair, 2), relation=chance.randrange(4),
                                background=ground(chance)) for pair in chance.sample(pairs, count)])


def build(scenes, count):
    """Every list: its name, its scenes, and its captions as numbers of phrases."""
    scenes.generator.manual_seed(SEED)
    held = scenes.held
    single = lambda s: s.kind == G.SINGLE
    lists = {
        "objects": seen(scenes, count, lambda s: single(s) & plain(s)),
        "counts": seen(scenes, count, lambda s: single(s) & (s.counts[:, 0] > 1) & (s.background >= 0)
                       & plain_colours(s)),
        "colours": seen(scenes, count, lambda s: single(s) & (s.counts[:, 0] == 1)
                        & (s.colours[:, 0] >= 0) & (s.background >= 0)),
        "relations": seen(scenes, count, lambda s: (s.kind == G.RELATION) & plain(s)),
        "several": seen(scenes, count, lambda s: (s.kind > G.PAIR) & plain(s)),
        "held-out-pairs": held_out_pairs(scenes, count),
        "held-out-relations": held_out(scenes, count, held.relation, held_out_relation(scenes)),
        "held-out-counts": held_out(scenes, count, held.count, held_out_count),
        "held-out-colours": held_out(scenes, count, held.colour, held_out_colour),
        "held-out-phrases": seen(scenes, count, lambda s: (
            (s.kind == G.SINGLE) | ((s.kind == G.RELATION) & (s.relation < G.ABOVE))) & plain(s)),
    }
    for name, scene in lists.items():
        yield name, scene, scenes.phrase(scene, held_out=name == "held-out-phrases")


def write(scenes, count, directory):
    """Both files of every list."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, scene, ids in build(scenes, count):
        captions = scenes.texts(ids)
        rows = [{"caption": caption, **{f.name: getattr(scene, f.name)[i].tolist() for f in fields(Scene)}}
                for i, caption in enumerate(captions)]
        (directory / f"{name}.txt").write_text("\n".join(captions) + "\n", encoding="utf-8")
        (directory / f"{name}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def read(path):
    """The captions and the scenes of a .jsonl file."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    scene = Scene(*(torch.tensor([row[f.name] for row in rows]) for f in fields(Scene)))
    return [row["caption"] for row in rows], scene
