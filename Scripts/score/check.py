"""Checks the laws of the score over prepared data: rendered scenes are right, others are not.

    python check.py DATA
"""

import sys
import tempfile
import unittest
from pathlib import Path

import torch

TRAIN = Path(__file__).resolve().parents[1] / "train"
sys.path += [str(TRAIN / "scenes"), str(TRAIN)]

import checks
import grammar as G
import lists
import match
import scenes
import score
from judge import judge
import painter
from scenes import Scene

COUNT = 40  # scenes of a list


class Laws(unittest.TestCase):
    data = None  # the folder, from the command line

    @classmethod
    def setUpClass(cls):
        cls.maker = scenes.Scenes(scenes.load(cls.data / "scenes.npz"))
        cls.lists = {name: scene for name, scene, _ in lists.build(cls.maker, COUNT)}

    def judged(self, drawn, demanded):
        return judge(self.maker, score.rendered(self.maker, drawn), demanded)

    def test_rendered_scenes_score_nearly_all_and_others_captions_nearly_nothing(self):
        for name, scene in self.lists.items():
            with self.subTest(name):
                ceiling = self.judged(scene, scene)
                self.assertGreaterEqual(min(ceiling.values()), 95, ceiling)
                floor = self.judged(scene, score.shuffled(scene))
                self.assertLessEqual(floor["all"], 5, floor)
                self.assertLessEqual(floor["present"], 25, floor)

    def test_pictures_of_nothing_score_nothing_but_their_background(self):
        scene = self.lists["objects"]
        grounds = self.maker.grounds[scene.background][..., None, None].expand(-1, -1, painter.SIDE, painter.SIDE)
        result = judge(self.maker, grounds.contiguous(), scene)
        self.assertEqual((result["background"], result["present"], result["all"]), (100, 0, 0))

    def test_one_wrong_thing_is_told_from_the_others(self):
        right = Scene.of(G.RELATION, [0, 1], relation=G.LEFT, background=7)
        for wrong, key in (
            (Scene.of(G.RELATION, [0, 1], relation=G.RIGHT, background=7), "position"),
            (Scene.of(G.RELATION, [0, 1], relation=G.LEFT, background=3), "background"),
            (Scene.of(G.RELATION, [0, 1], [1, 2], relation=G.LEFT, background=7), "count"),
            (Scene.of(G.RELATION, [0, 12], relation=G.LEFT, background=7), "present"),
        ):
            result = self.judged(wrong, right)
            self.assertLess(result[key], 100, key)
            self.assertEqual(result["all"], 0, key)
        self.assertEqual(self.judged(right, right)["all"], 100)

    def test_an_object_of_another_colour_has_the_wrong_colour(self):
        red = Scene.of(G.SINGLE, [0], colours=[3], background=0)
        blue = Scene.of(G.SINGLE, [0], colours=[7], background=0)
        self.assertEqual(self.judged(red, red)["colour"], 100)
        self.assertEqual(self.judged(blue, red)["colour"], 0)

    def test_an_object_is_found_where_it_stands(self):
        scene = Scene.of(G.SINGLE, [2], background=8)
        layout = self.maker.layout(scene)
        layout.x[0, 0], layout.y[0, 0], layout.half[0, 0] = 0.25, -0.3, 0.5
        picture = (self.maker.render(scene, layout) + 1) / 2
        found = match.find(self.maker, picture, scene)[0][0]
        self.assertEqual(len(found), 1)
        for value, right in ((found[0].x, 0.25), (found[0].y, -0.3), (found[0].half, 0.5)):
            self.assertAlmostEqual(value, right, delta=0.06)

    def test_lists_are_read_as_they_were_written_and_are_held_out_as_they_say(self):
        with tempfile.TemporaryDirectory() as folder:
            lists.write(self.maker, COUNT, Path(folder))
            for path in Path(folder).glob("*.jsonl"):
                captions, scene = lists.read(path)
                self.assertEqual(captions, path.with_suffix(".txt").read_text("utf-8").splitlines())
                self.assertTrue(torch.equal(scene.objects, self.lists[path.stem].objects))
        held, pairs = self.maker.held, self.lists["held-out-pairs"].objects
        self.assertTrue(held.pairs[pairs[:, 0], pairs[:, 1]].all())
        s = self.lists["held-out-relations"]
        self.assertTrue((held.relation[s.objects[:, 0]] == s.relation).all())
        s = self.lists["held-out-counts"]
        self.assertTrue((held.count[s.objects[:, 0]] == s.counts[:, 0]).all())
        s = self.lists["held-out-colours"]
        self.assertTrue((held.colour[s.objects[:, 0]] == s.colours[:, 0]).all())


if __name__ == "__main__":
    checks.check(Laws, __doc__)
