"""What training never shows, so that a score on it tells composing from remembering.

A tenth of the pairs of objects never stand in one scene. Of the objects that people name most, 40
never stand in one of the four relations, 40 never come in one of the numbers, and 40 never in one
of the colours. All are drawn once, from a fixed seed. (Held-out phrasings: see grammar.py.)
"""

import random
from dataclasses import dataclass

import torch

import grammar

SEED = 20261126
PAIRS = 0.1  # of all
OBJECTS = 40  # with a held-out relation, number or colour
AMONG = 120  # the objects named most
NOTHING = -1


@dataclass
class HeldOut:
    """`pairs` (N, N): true where two objects must not meet, and on the diagonal. Of each object,
    (N): the relation in which it never stands, its missing number, and its missing colour, or -1.
    """

    pairs: torch.Tensor
    relation: torch.Tensor
    count: torch.Tensor
    colour: torch.Tensor

    def to(self, device):
        return HeldOut(*(tensor.to(device) for tensor in vars(self).values()))


def draw(objects, seed=SEED):
    """The held-out lists for `objects` objects."""
    chance = random.Random(seed)
    pairs = torch.eye(objects, dtype=torch.bool)
    every = [(a, b) for a in range(objects) for b in range(a)]
    a, b = torch.tensor(chance.sample(every, round(PAIRS * len(every)))).unbind(1)
    pairs[a, b] = pairs[b, a] = True

    def some(values):
        held = torch.full((objects,), NOTHING)
        among = min(AMONG, objects)
        for thing in chance.sample(range(among), min(OBJECTS, among)):
            held[thing] = chance.choice(values)
        return held

    return HeldOut(pairs, some(range(4)), some((2, 3, 4)), some(range(len(grammar.COLOURS))))
