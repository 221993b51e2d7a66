"""Checks the laws of the score over prepared data: rendered clips move as asked, spoilt ones do not.

    python check.py DATA
"""

import sys
import unittest

import numpy as np
import torch

import score  # also finds the folders of Scripts/train
import checks
import groups
import laws
import track
from clips import Clips

COUNT = 96


class Laws(unittest.TestCase):
    data = None  # the folder, from the command line

    @classmethod
    def setUpClass(cls):
        with np.load(cls.data / "clips.npz") as file:
            cls.maker = Clips(file)
        members = len(groups.read())
        cls.classes = np.arange(COUNT) % (members * len(laws.MOTIONS))
        cls.motions = torch.as_tensor(cls.classes) // members
        cls.clips = score.rendered(cls.maker, cls.classes)
        cls.judgement = score.Judgement(cls.clips)

    def kept(self, clips):
        """Per cent of clips that keep the law asked for."""
        return score.judge(score.Judgement(clips), self.motions)["all"]["kept"]

    def test_rendered_clips_move_as_asked_to_a_tenth_of_a_pixel_and_a_degree(self):
        rows = score.judge(self.judgement, self.motions)
        for name in laws.MOTIONS:
            with self.subTest(name):
                self.assertGreaterEqual(rows[name]["kept"], 97)
                self.assertLess(rows[name]["position"], 0.1)
                self.assertLess(rows[name]["angle"] or 0, 1)
                self.assertLess(rows[name]["size"], 1)

    def test_no_motion_is_taken_for_another(self):
        self.assertLessEqual(score.floor(self.judgement, self.motions)["asked"], 2)

    def test_frames_in_another_order_obey_no_law(self):
        generator = torch.Generator().manual_seed(3)
        shuffled = np.stack([clip[torch.randperm(len(clip), generator=generator)] for clip in self.clips])
        self.assertLessEqual(self.kept(shuffled), 10)

    def test_a_still_object_obeys_no_law(self):
        still = np.repeat(self.clips[:, :1], self.clips.shape[1], 1)
        self.assertEqual(self.kept(still), 0)

    def test_frames_without_an_object_keep_no_law(self):
        self.assertEqual(self.kept(np.full_like(self.clips, 230)), 0)

    def test_a_shift_of_one_frame_shows_as_a_deviation_of_that_size(self):
        pushed = self.clips.copy()
        pushed[:, 3] = np.roll(pushed[:, 3], 3, 2)  # three pixels to the right
        moved = np.abs(pushed[:, 3, :, :3].astype(int) - pushed[:, 3, :1, :1]).max((1, 2, 3)) < 8  # none went round
        *_, before = self.judgement.of(self.motions)
        *_, after = score.Judgement(pushed).of(self.motions)
        rise = (after["position"] - before["position"])[torch.as_tensor(moved)]
        # 3 pixels in one frame of eight are 1.06 in the root mean square; a fit hides at most half of it.
        self.assertGreater(rise.median().item(), 0.6)
        self.assertLess(rise.max().item(), 1.2)

    def test_noise_of_a_hundredth_hardly_moves_a_track(self):
        generator = np.random.default_rng(4)
        noisy = self.clips + generator.normal(0, 2.55, self.clips.shape)
        tracks = track.follow(noisy.round().clip(0, 255).astype(np.uint8))
        apart = score.apart(tracks, self.judgement.track)
        self.assertEqual(apart["clips"], COUNT)
        self.assertLess(apart["position"], 0.1)
        self.assertLess(apart["size"], 1)


if __name__ == "__main__":
    checks.check(Laws, __doc__)
