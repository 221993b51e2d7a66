"""Whether pictures show what their captions demand."""

import torch

import grammar as G
import match

CLEAR = 0.15  # by how much one object must be left of, or above, another


def middle(found):
    return (sum(f.x for f in found) / len(found), sum(f.y for f in found) / len(found))


def placed(kind, relation, found):
    """Whether groups stand as the scene says; `found`: of each group what was found, at least one."""
    at = [middle(f) for f in found]
    if kind == G.RELATION:
        dx, dy = at[1][0] - at[0][0], at[1][1] - at[0][1]
        along, across = (dx, dy) if relation in (G.LEFT, G.RIGHT) else (dy, dx)
        sign = 1 if relation in (G.LEFT, G.ABOVE) else -1
        return sign * along > CLEAR and abs(along) > abs(across)
    if kind == G.FOUR:
        return [(x > 0, y > 0) for x, y in at] == [(False, False), (True, False), (False, True), (True, True)]
    if kind == G.BETWEEN:
        at = [at[1], at[0], at[2]]
    return all(a[0] + CLEAR < b[0] for a, b in zip(at, at[1:]))


def judge(scenes, pictures, scene):
    """The shares of what is right, in percent; `pictures` (n, 3, SIDE, SIDE) in [0, 1].

    background: its colour. present: groups of which at least one object is found. count: groups of
    which as many are found as demanded. colour: of groups that name one and are present. position:
    scenes of several groups that stand as demanded. all: scenes with nothing wrong.
    """
    accepted, best = match.find(scenes, pictures, scene)
    grounds = scenes.grounds.cpu()
    nearest = torch.cdist(match.background(pictures), grounds).argmin(1)
    tally = {key: [] for key in ("background", "present", "count", "colour", "position", "all")}
    for i in range(len(scene)):
        row = scene[i]
        right = [bool(nearest[i] == row.background.clamp(min=0))]
        tally["background"].append(right[0])
        groups = [g for g in range(G.GROUPS) if row.counts[g] > 0]
        found = [[f for f in accepted[i] if f.group == g] for g in groups]
        for g, those in zip(groups, found):
            present, counted = bool(those), len(those) == int(row.counts[g])
            tally["present"].append(present)
            tally["count"].append(counted)
            right += [present, counted]
            if row.colours[g] >= 0:
                seen = match.colour(scenes, pictures[i], int(row.objects[g]), best[i][g])
                tally["colour"].append(present and seen == int(row.colours[g]))
                right.append(tally["colour"][-1])
        if len(groups) > 1:
            stands = all(found) and placed(int(row.kind), int(row.relation), found)
            tally["position"].append(stands)
            right.append(stands)
        tally["all"].append(all(right))
    return {key: round(100 * sum(values) / len(values), 1) for key, values in tally.items() if values}
