"""The objects of the scenes: objects.txt, read and held against Unicode's names and keywords.

Needs Debian's unicode-data (emoji-test.txt) and unicode-cldr-core (English names and keywords), but
only where `check` is called, which is what prepare.py does.
"""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

OBJECTS = Path(__file__).with_name("objects.txt")
ANNOTATIONS = "/usr/share/unicode/cldr/common/annotations/en.xml"


@dataclass(frozen=True)
class Noun:
    """A word, or a few, for an object."""

    one: str
    many: str


@dataclass(frozen=True)
class Object:
    """An emoji that scenes are made of; `nouns` are the words that captions use, the usual one first."""

    emoji_name: str
    nouns: tuple


def plural(word):
    """The plural of a regular English noun, by its last word."""
    if re.search(r"(s|x|z|ch|sh)$", word):
        return word + "es"
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    return word + "s"


def noun(text):
    one, _, many = (part.strip() for part in text.partition("/"))
    return Noun(one, many or plural(one))


def read(path=OBJECTS):
    """The objects of the file, in its order; a word that stands for two of them is an error."""
    objects, owner = [], {}
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, _, words = (part.strip() for part in line.partition(":"))
        if not words:
            words, name = name, name.partition("/")[0].strip()
        thing = Object(name, tuple(noun(word) for word in words.split(",")))
        for word in {form for n in thing.nouns for form in (n.one, n.many)}:
            if owner.setdefault(word, name) != name:
                raise SystemExit(f"{path}: '{word}' stands for both {owner[word]} and {name}")
        objects.append(thing)
    return objects


def annotations(path=ANNOTATIONS):
    """CLDR's keywords of each emoji, its name among them, as one lower-case text."""
    texts = {}
    for element in ElementTree.parse(path).getroot().iter("annotation"):
        texts[element.get("cp")] = texts.get(element.get("cp"), "") + " | " + element.text.lower()
    return texts


def check(objects, emoji, texts):
    """The code points of each object.

    `emoji`: names to code points; `texts`: see `annotations`. One noun of an object must share a
    word with what CLDR says of the emoji: this finds slips in objects.txt.
    """
    points, faults = [], []
    for thing in objects:
        text = emoji.get(thing.emoji_name)
        known = texts.get((text or "").replace("\ufe0f", ""), "")
        words = {word for n in thing.nouns for word in n.one.lower().split()} - {"of", "a", "in"}
        if not any(word in known for word in words):
            faults.append(f"{thing.emoji_name}: CLDR knows none of its words")
        if text is None:
            faults.append(f"{thing.emoji_name}: no such emoji")
        points.append(text)
    if faults:
        raise SystemExit("\n".join(faults))
    return points
