"""Writes class_contents.json: what each class of an embedded model shows, by the emoji's own names.

    python3 Scripts/train/contents.py Models/emoji-dit-s8

Needs Debian's unicode-data (emoji-test.txt and its copyright notice), as the data set does. Names that differ in skin
tone only are one name.
"""

import argparse
import json
from pathlib import Path

EMOJI_TEST = "/usr/share/unicode/emoji/emoji-test.txt"
COPYRIGHT = "/usr/share/doc/unicode-data/copyright"


def contents(path):
    """The names of each subgroup's fully-qualified emoji, in the file's order, without skin tones."""
    found, subgroup = {}, None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith("# subgroup:"):
            subgroup = line.split(":", 1)[1].strip()
        elif "; fully-qualified" in line:
            name = line.split("#", 1)[1].split(maxsplit=2)[2]
            kind, _, details = name.partition(": ")
            kept = [part for part in details.split(", ") if part and not part.endswith("skin tone")]
            names = found.setdefault(subgroup, [])
            plain = f"{kind}: {', '.join(kept)}" if kept else kind
            if plain not in names:
                names.append(plain)
    return found


def notice(path):
    """The notice that has to go with Unicode's data files, as one text."""
    text = Path(path).read_text(encoding="utf-8").split("COPYRIGHT AND PERMISSION NOTICE", 1)[1]
    return " ".join(text.split())


def dump(value):
    return json.dumps(value, ensure_ascii=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="the model directory to write it into")
    parser.add_argument("--emoji-test", default=EMOJI_TEST, help="Unicode's emoji-test.txt")
    parser.add_argument("--copyright", default=COPYRIGHT, help="the notice of Debian's unicode-data")
    arguments = parser.parse_args()
    source = ("https://www.unicode.org/Public/emoji/15.0/emoji-test.txt, © 2022 Unicode, Inc.; modified: names only, "
              "grouped by subgroup, skin tones left out")
    lines = [f"  {dump(name)}: {dump(names)}" for name, names in sorted(contents(arguments.emoji_test).items())]
    target = arguments.model / "class_contents.json"
    target.write_text(
        f'{{\n "source": {dump(source)},\n "licence": {dump(notice(arguments.copyright))},\n "contents": {{\n'
        + ",\n".join(lines) + "\n }\n}\n")
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
