"""Reads a SentencePiece unigram model, and splits plain English with it.

For scripts that run where no SentencePiece is; it normalises nothing but spaces. The product has a
whole tokenizer of its own.
"""

from pathlib import Path

from protobuf import fields

SPACE = "\u2581"
UNKNOWN_PENALTY = 10.0
NORMAL, UNKNOWN, CONTROL = 1, 2, 3  # types of pieces


class Unigram:
    """The pieces of a spiece.model with their scores, and its character map."""

    def __init__(self, path):
        self.pieces, self.scores, self.types, self.character_map = [], [], [], b""
        for number, value in fields(Path(path).read_bytes()):
            if number == 1:  # a piece
                piece = dict(fields(value))
                self.pieces.append(piece[1].decode("utf-8"))
                self.scores.append(piece.get(2, 0.0))
                self.types.append(piece.get(3, NORMAL))
            elif number == 3:  # the normaliser
                self.character_map = dict(fields(value)).get(2, b"")
        self.ids = {piece: i for i, piece in enumerate(self.pieces) if self.types[i] == NORMAL}
        self.longest = max(map(len, self.ids))
        self.unknown = self.types.index(UNKNOWN)
        self.worst = min(self.scores[i] for i in self.ids.values()) - UNKNOWN_PENALTY

    def encode(self, text):
        """The likeliest pieces of a text, without an end."""
        text = SPACE + SPACE.join(text.split())
        best = [(0.0, 0, 0)] + [None] * len(text)  # score, start and piece of the last piece
        for start in range(len(text)):
            score = best[start][0]
            for end in range(start + 1, min(len(text), start + self.longest) + 1):
                piece = self.ids.get(text[start:end])
                if piece is None and end > start + 1:
                    continue
                gain = self.worst if piece is None else self.scores[piece]
                if best[end] is None or score + gain > best[end][0]:
                    best[end] = (score + gain, start, self.unknown if piece is None else piece)
        tokens, at = [], len(text)
        while at:
            _, at, piece = best[at]
            if not (tokens and piece == tokens[-1] == self.unknown):  # unknowns in a row are one
                tokens.append(piece)
        return tokens[::-1]
