"""The groups of emoji that move: groups.txt, read. A class of the clip model is a motion and a group."""

import re
from dataclasses import dataclass
from pathlib import Path

import laws

GROUPS = Path(__file__).with_name("groups.txt")


@dataclass(frozen=True)
class Group:
    name: str
    related: str  # the class of the class model whose embedding it starts from
    emoji: tuple  # CLDR short names, the one drawn most often first


def read(path=GROUPS):
    """The groups of the file, in its order."""
    groups = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        match = re.fullmatch(r"(\w+) \((.+?)\): (.+)", line)
        if not match:
            raise SystemExit(f"{path}: not 'group (class): emoji, ...': {line}")
        groups.append(Group(match[1], match[2], tuple(match[3].split(", "))))
    return groups


def class_names(groups):
    """Class number i is motion i // len(groups) and group i % len(groups)."""
    return [f"{motion} {group.name}" for motion in laws.MOTIONS for group in groups]
