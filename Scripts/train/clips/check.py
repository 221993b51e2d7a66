"""Checks the laws of the clips over prepared data.

    python check.py DATA
"""

import math
import sys
import unittest
from pathlib import Path

import numpy as np
import torch

sys.path += [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "scenes")]

import checks
import clips
import diffusion
import groups
import laws
import processes
from dit import timestep_features
from latte import Latte, LatteConfig

DRAWS = 20_000


def uniform(seed=3):
    generator = torch.Generator().manual_seed(seed)
    return lambda n: torch.rand(n, generator=generator, dtype=torch.float64)


class Laws(unittest.TestCase):
    data = None  # the folder, from the command line

    @classmethod
    def setUpClass(cls):
        with np.load(cls.data / "clips.npz") as file:
            cls.prepared = {"sprites": file["sprites"]}
        cls.maker = clips.Clips(cls.prepared, seed=5)
        cls.times = torch.arange(laws.FRAMES)

    def drawn(self, name):
        law = laws.LAWS[name]
        parameters = law.draw(uniform(), DRAWS)
        return dict(zip(law.names, parameters.T)), law.pose(parameters, self.times)

    def test_one_seed_gives_the_same_clips_again(self):
        first, second, other = (clips.Clips(self.prepared, seed=seed).batch(20) for seed in (11, 11, 12))
        for a, b in zip(first, second):
            self.assertTrue(torch.equal(a, b))
        self.assertFalse(torch.equal(first[0], other[0]))

    def test_every_motion_stays_on_the_canvas(self):
        for name in laws.MOTIONS:
            with self.subTest(name):
                _, pose = self.drawn(name)
                for place in (pose.x, pose.y):
                    self.assertGreaterEqual((place - pose.size / 2).min().item(), -1e-9)
                    self.assertLessEqual((place + pose.size / 2).max().item(), laws.SIDE + 1e-9)

    def test_a_slide_keeps_its_velocity(self):
        p, pose = self.drawn("slide")
        for place in (pose.x, pose.y):
            self.assertLess(place.diff(n=2, dim=1).abs().max().item(), 1e-9)
        speed = (pose.x.diff(dim=1) ** 2 + pose.y.diff(dim=1) ** 2).sqrt()
        self.assertLess((speed - p["speed"][:, None]).abs().max().item(), 1e-9)

    def test_a_bounce_falls_freely_between_the_floor_and_its_height(self):
        p, pose = self.drawn("bounce")
        above = p["y"][:, None] - pose.y
        self.assertGreaterEqual(above.min().item(), -1e-9)
        self.assertLessEqual((above - p["height"][:, None]).max().item(), 1e-9)
        # Where no floor is met between three frames, the fall is g = 8 height / period^2.
        share = torch.remainder(self.times / p["period"][:, None] + p["phase"][:, None], 1)
        free = (share[:, :-2] < share[:, 1:-1]) & (share[:, 1:-1] < share[:, 2:])
        fall = pose.y.diff(n=2, dim=1) - (8 * p["height"] / p["period"] ** 2)[:, None]
        self.assertLess(fall[free].abs().max().item(), 1e-9)

    def test_a_spin_turns_in_place_at_one_rate(self):
        p, pose = self.drawn("spin")
        self.assertLess((pose.angle.diff(dim=1) - p["rate"][:, None]).abs().max().item(), 1e-9)
        self.assertEqual(pose.x.diff(dim=1).abs().max().item(), 0)
        self.assertAlmostEqual((p["rate"] > 0).double().mean().item(), 0.5, delta=0.02)

    def test_a_growth_adds_the_same_length_each_frame(self):
        p, pose = self.drawn("grow")
        self.assertLess((pose.size.diff(dim=1) - p["growth"][:, None]).abs().max().item(), 1e-9)

    def test_an_orbit_keeps_its_distance_and_its_rate(self):
        p, pose = self.drawn("orbit")
        dx, dy = pose.x - p["x"][:, None], pose.y - p["y"][:, None]
        self.assertLess(((dx**2 + dy**2).sqrt() - p["radius"][:, None]).abs().max().item(), 1e-9)
        turn = torch.remainder(torch.atan2(dy, dx).diff(dim=1) + math.pi, 2 * math.pi) - math.pi
        self.assertLess((turn - p["rate"][:, None]).abs().max().item(), 1e-9)

    def test_a_swing_hangs_from_its_pivot_by_the_rod_and_turns_with_it(self):
        p, pose = self.drawn("swing")
        dx, dy = pose.x - p["x"][:, None], pose.y - p["y"][:, None]
        self.assertLess(((dx**2 + dy**2).sqrt() - p["length"][:, None]).abs().max().item(), 1e-9)
        self.assertLess((torch.atan2(dx, dy) + pose.angle).abs().max().item(), 1e-9)

    def test_painted_objects_are_where_the_law_says_and_as_large(self):
        classes = torch.arange(len(groups.class_names(self.maker.groups)))
        emoji, ground, pose = self.maker.draw_of(classes)
        # A sprite that is the same all over shows its square; at the canvas's edge its blur is cut off.
        maker = clips.Clips({"sprites": np.full_like(self.prepared["sprites"], 255)}, seed=5)
        maker.levels[:, :, :, :clips.MARGIN] = maker.levels[:, :, :, -clips.MARGIN:] = 0
        maker.levels[:, :, :, :, :clips.MARGIN] = maker.levels[:, :, :, :, -clips.MARGIN:] = 0
        maker.levels[:, :, :3] = 0  # black
        maker.grounds[:] = 1
        upright = (pose.angle == 0).all(1)
        pose = laws.Pose(*(value[upright] for value in vars(pose).values()))
        dark = (1 - maker.render(emoji[upright], ground[upright], pose)[:, :, 0]) / 2
        axis = torch.arange(laws.SIDE) + 0.5
        area = dark.sum((2, 3))
        self.assertLess((area.sqrt() - pose.size).abs().max().item(), 0.6)
        self.assertLess(((dark.sum(2) * axis).sum(2) / area - pose.x).abs().max().item(), 0.4)
        self.assertLess(((dark.sum(3) * axis).sum(2) / area - pose.y).abs().max().item(), 0.4)

    def test_classes_are_drawn_alike_and_first_emoji_most_often(self):
        names = groups.class_names(self.maker.groups)
        classes, emoji, *_ = self.maker.draw(DRAWS)
        share = torch.bincount(classes, minlength=len(names)) * len(names) / DRAWS
        self.assertLess((share - 1).abs().max().item(), 0.25)
        group = classes % len(self.maker.groups)
        member = emoji - self.maker.first[group]
        sizes = torch.tensor([len(g.emoji) for g in self.maker.groups])
        self.assertTrue(((member >= 0) & (member < sizes[group])).all())
        counts = torch.bincount(member)
        self.assertAlmostEqual((counts[1] / counts[0]).item(), 2**-clips.STEEPNESS, delta=0.02)

    def test_the_last_timestep_hides_a_clip_and_takes_over_the_class_models_embedding(self):
        process = processes.ClipDiffusion()
        self.assertLess(process.alphas[-1].item() * laws.SIDE**2 * laws.FRAMES, 0.2)
        pictures = processes.timesteps_of_pictures()
        plain = diffusion.Diffusion().alphas.log().numpy()
        whole = pictures[pictures < diffusion.STEPS - 1]
        seen = np.interp(whole, np.arange(diffusion.STEPS), plain)
        self.assertLess(np.abs(seen - process.alphas.log().numpy()[:len(whole)])[1:].max(), 1e-3)
        self.assertEqual(timestep_features(pictures).shape, (diffusion.STEPS, 256))

    def test_blocks_over_time_start_as_identities_and_each_axis_keeps_to_itself(self):
        torch.manual_seed(0)
        model = Latte(LatteConfig(depth=2, hidden_size=48, num_classes=3)).eval()
        for p in model.parameters():
            torch.nn.init.normal_(p, std=0.1)
        x, t, y = torch.randn(1, 8, 3, 64, 64), torch.tensor([500]), torch.tensor([1])
        changed = x.clone()
        changed[:, 3, :, :8, :8] += 1  # one place of one frame

        def reached():
            return (model(changed, t, y) - model(x, t, y)).abs().amax((0, 2)).unfold(1, 8, 8).unfold(2, 8, 8).amax((3, 4)) > 0
        with torch.no_grad():
            self.assertTrue(reached().all())  # over space to the frame, then over time to all
            model.blocks[1].adaLN_modulation[1].weight.zero_()
            model.blocks[1].adaLN_modulation[1].bias.zero_()
            frames = reached().flatten(1).any(1)
        self.assertEqual(frames.tolist(), [i == 3 for i in range(8)])


if __name__ == "__main__":
    checks.check(Laws, __doc__)
