"""Puts scenes into words, as tokens, on the device: captions are rows of numbered phrases (grammar.py)."""

import torch

import catalogue
import grammar as G
from device import OnDevice

LENGTH = 32  # tokens of a caption, its end included
PAD, END = 0, 1
FRONT_SHARE, CAPITAL_SHARE, STOP_SHARE = 0.1, 0.1, 0.1


class Writer(OnDevice):
    """What writes; call `prepare_writing` first."""

    def prepare_writing(self, phrases, phrase_tokens):
        """Both of the prepared data, which must be of this grammar."""
        self.catalogue = catalogue.read()
        self.grammar = G.build(self.catalogue)
        if list(phrases) != self.grammar.phrases:
            raise SystemExit("the prepared data is of another objects.txt or grammar.py: "
                             "run prepare.py again")
        self.phrase_tokens = self.tensor(phrase_tokens.tolist())
        self._make_tables()

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

    def _ragged(self, rows):
        longest = max(len(row) for row in rows)
        table = self.tensor([row + [0] * (longest - len(row)) for row in rows])
        return table, self.tensor([len(row) for row in rows])

    def _make_tables(self):
        g = self.grammar
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
