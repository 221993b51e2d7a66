"""The language of the captions: phrases, and the tables from which a device writes captions.

A caption is a row of SLOTS phrases, most of them empty:

    [front background] [prefix] 4 x ([joiner] [number] [size] [colour] [noun]) [background] [stop]

"a picture of two small red cars left of a dog on a blue background". Each phrase is a list of whole
words, so that the tokens of a caption are the tokens of its phrases, one after the other: the
unigram tokenizer never joins across words.
"""

from dataclasses import dataclass, field

# What a colour is called, as a background (soft) and as the colour of an object (strong), RGB.
COLOURS = [
    ("white", (255, 255, 255), (245, 245, 245)),
    ("grey", (168, 170, 174), (140, 142, 148)),
    ("black", (28, 28, 32), (45, 45, 50)),
    ("red", (214, 72, 72), (205, 30, 35)),
    ("orange", (244, 156, 70), (240, 125, 15)),
    ("yellow", (250, 222, 100), (250, 205, 30)),
    ("green", (104, 186, 112), (35, 150, 60)),
    ("blue", (84, 138, 226), (30, 95, 215)),
    ("purple", (154, 106, 200), (125, 55, 185)),
    ("pink", (250, 182, 206), (245, 110, 165)),
    ("brown", (150, 108, 76), (120, 72, 38)),
]
WHITE = 0  # the background of a caption that names none
NO_COLOUR = -1
SMALL, PLAIN, BIG = 0, 1, 2
SIZES = {SMALL: ["small", "little"], PLAIN: [""], BIG: ["big", "large"]}
NUMBERS = {1: "a", 2: "two", 3: "three", 4: "four"}
GROUPS = 4  # of objects of one kind, at most; also the most objects of a scene

# The kinds of scenes: how many groups they have, and what stands between those.
SINGLE, RELATION, PAIR, BETWEEN, THREE, FOUR = range(6)
KIND_GROUPS = [1, 2, 2, 3, 3, 4]
LEFT, RIGHT, ABOVE, BELOW = range(4)
RELATION_NAMES = ["left of", "right of", "above", "below"]
INVERSE = [RIGHT, LEFT, BELOW, ABOVE]

# Phrasings of training, and those that only tests use. A phrase stands as often as it is drawn.
PREFIXES = [""] * 8 + ["a picture of", "an image of"]
BACKGROUNDS = ["on a {} background"] * 3 + ["against a {} background", "with a {} background"]
RELATIONS = [
    ["left of", "to the left of"],
    ["right of", "to the right of"],
    ["above", "on top of"],
    ["below", "under"],
]
HELD_OUT_BACKGROUND = "on {}"
HELD_OUT_RELATIONS = ["on the left of", "on the right of", None, None]

# Words that begin with a vowel and take "a", and the other way round.
TAKES_A = ("unicorn", "ufo", "ewe")
TAKES_AN = ("hourglass",)

FRONT, PREFIX, FIRST = 0, 1, 2  # slots
PER_GROUP = 5
JOINER, NUMBER, SIZE, COLOUR, NOUN = range(PER_GROUP)
BACKGROUND = FIRST + GROUPS * PER_GROUP
STOP = BACKGROUND + 1
SLOTS = STOP + 1


def takes_an(phrase):
    word = phrase.split()[0].lower() if phrase else ""
    return word.startswith(TAKES_AN) or (word[:1] in tuple("aeiou") and not word.startswith(TAKES_A))


def with_colour(pattern, colour):
    phrase = pattern.format(colour)
    return phrase.replace(" a " + colour, " an " + colour) if takes_an(colour) else phrase


@dataclass
class Grammar:
    """The phrases, numbered, and the lists of numbers from which a caption draws each of them.

    Phrase 0 is the empty one. `capital` gives the phrase with a capital letter of one that can come
    first in a caption, and of others the phrase itself.
    """

    phrases: list = field(default_factory=lambda: [""])
    capital: dict = field(default_factory=dict)

    def number(self, phrase, first=False):
        """The number of a phrase, which it gets when it is first asked for."""
        if phrase not in self.phrases:
            self.phrases.append(phrase)
        number = self.phrases.index(phrase)
        if first and phrase and number not in self.capital:
            self.capital[number] = self.number(phrase[0].upper() + phrase[1:])
        return number


def build(objects):
    """The grammar over the objects of the catalogue; the numbers depend on nothing but them."""
    g = Grammar()
    colours = [word for word, *_ in COLOURS]
    g.prefixes = [g.number(p, first=True) for p in PREFIXES]
    g.articles = [g.number("a", first=True), g.number("an", first=True)]
    g.numbers = [0, 0] + [g.number(NUMBERS[n], first=True) for n in (2, 3, 4)]
    g.sizes = [[g.number(word) for word in SIZES[size]] for size in (SMALL, PLAIN, BIG)]
    g.colours = [g.number(word) for word in colours]
    g.backgrounds = [[g.number(with_colour(p, c)) for p in BACKGROUNDS] for c in colours]
    g.fronts = [g.number(with_colour(BACKGROUNDS[0], c) + ",", first=True) for c in colours]
    g.relations = [[g.number(phrase) for phrase in phrases] for phrases in RELATIONS]
    g.held_out_backgrounds = [g.number(with_colour(HELD_OUT_BACKGROUND, c)) for c in colours]
    g.held_out_relations = [g.number(p) if p else r[0]
                            for p, r in zip(HELD_OUT_RELATIONS, g.relations)]
    g.between, g.and_, g.comma, g.stop = (g.number(p) for p in ("between", "and", ",", "."))
    g.nouns = [[(g.number(n.one), g.number(n.many)) for n in thing.nouns] for thing in objects]
    return g


def text(phrases):
    """A caption from its phrases, in the order of the slots."""
    words = " ".join(phrase for phrase in phrases if phrase)
    return words.replace(" ,", ",").replace(" .", ".")


def words(grammar):
    """Every word of the captions, sorted: what a prompt may say."""
    found = {word.strip(",.") for phrase in grammar.phrases for word in phrase.lower().split()}
    return sorted(found - {""})
