"""Checks the laws of the scenes and their captions over prepared data; needs Debian's spm_encode.

    python check.py DATA
"""

import sys
import unittest
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).resolve().parents[1]))  # checks.py

import checks
import grammar as G
import scenes
from prepare import encode
from unigram import Unigram
import writer

DRAWS = 100_000


class Laws(unittest.TestCase):
    data = None  # the folder, from the command line

    @classmethod
    def setUpClass(cls):
        cls.prepared = scenes.load(cls.data / "scenes.npz")
        cls.maker = scenes.Scenes(cls.prepared, seed=5)
        cls.scene = cls.maker.draw(DRAWS)

    def test_one_seed_gives_the_same_scenes_pictures_and_captions_again(self):
        first, second = (scenes.Scenes(self.prepared, seed=11).batch(200) for _ in range(2))
        for a, b in zip(first, second):
            self.assertTrue(torch.equal(a, b))
        other = scenes.Scenes(self.prepared, seed=12).batch(200)
        self.assertFalse(torch.equal(first[0], other[0]))

    def test_held_out_pairs_never_meet_and_no_object_stands_twice(self):
        objects, counts = self.scene.objects, self.scene.counts
        for a in range(G.GROUPS):
            for b in range(a):
                both = (counts[:, a] > 0) & (counts[:, b] > 0)
                self.assertFalse((self.maker.held.pairs[objects[:, a], objects[:, b]] & both).any())
        share = self.maker.held.pairs.float().mean().item()
        self.assertAlmostEqual(share, 0.1, delta=0.01)

    def test_held_out_relations_counts_and_colours_never_occur(self):
        s, held = self.scene, self.maker.held
        related = s.kind == G.RELATION
        self.assertFalse((related & (held.relation[s.objects[:, 0]] == s.relation)).any())
        inverse = torch.tensor(G.INVERSE)[s.relation]
        self.assertFalse((related & (held.relation[s.objects[:, 1]] == inverse)).any())
        here = s.counts > 0
        self.assertFalse((here & (held.count[s.objects] == s.counts)).any())
        self.assertFalse((here & (s.colours >= 0) & (held.colour[s.objects] == s.colours)).any())
        for table in (held.relation, held.count, held.colour):
            self.assertEqual((table >= 0).sum().item(), 40)

    def test_held_out_phrasings_are_never_written(self):
        texts = self.maker.texts(self.maker.phrase(self.scene[:20_000]))
        unseen = [p for p in G.HELD_OUT_RELATIONS if p]
        unseen += [f" {self.maker.grammar.phrases[i]}" for i in self.maker.grammar.held_out_backgrounds]
        for text in texts:
            self.assertFalse(any(p in text for p in unseen[:2]) or text.rstrip(".").endswith(tuple(unseen[2:])), text)

    def test_a_scene_has_one_to_four_objects_that_stay_on_the_canvas(self):
        total = self.scene.counts.sum(1)
        self.assertTrue(((total >= 1) & (total <= G.GROUPS)).all())
        layout = self.maker.layout(self.scene)
        reach = torch.maximum(layout.x.abs(), layout.y.abs()) + layout.half
        self.assertLessEqual(reach.max().item(), 1 + 1e-5)
        self.assertTrue(((layout.half > 0).sum(1) == total).all())

    def test_an_object_never_has_the_colour_of_the_background(self):
        ground = self.scene.background.clamp(min=0)[:, None]
        self.assertFalse(((self.scene.counts > 0) & (self.scene.colours == ground)).any())

    def test_tokens_put_together_on_the_device_are_those_of_spm_encode(self):
        scene = self.scene[:4000]
        for held_out in (False, True):
            ids = self.maker.phrase(scene, held_out)
            expected = encode(self.maker.texts(ids), self.data / "spiece.model")
            for row, right in zip(self.maker.tokens(ids).tolist(), expected):
                self.assertEqual(row, right + [writer.END] + [writer.PAD] * (writer.LENGTH - 1 - len(right)))

    def test_no_caption_is_cut_and_none_has_an_unknown_piece(self):
        tokens = self.maker.phrase_tokens[self.maker.phrase(self.scene)]
        self.assertLess((tokens >= 0).sum((1, 2)).max().item(), writer.LENGTH)
        self.assertFalse((tokens == 2).any())

    def test_the_small_tokenizer_splits_plain_english_as_spm_encode_does(self):
        lines = self.maker.texts(self.maker.phrase(self.scene[:500]))
        lines += ["a zebra crossing the quiet street", "  two   spaces ", "xylophones, quartz & zwieback!"]
        tokenizer = Unigram(self.data / "spiece.model")
        self.assertEqual([tokenizer.encode(line) for line in lines], encode(lines, self.data / "spiece.model"))

    def test_articles_agree_with_the_word_that_follows(self):
        for text in self.maker.texts(self.maker.phrase(self.scene[:20_000])):
            words = text.lower().split()
            for article, word in zip(words, words[1:]):
                if article in ("a", "an"):
                    self.assertEqual(article == "an", G.takes_an(word), text)


if __name__ == "__main__":
    checks.check(Laws, __doc__)
