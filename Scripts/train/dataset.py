"""The emoji data set: every fully-qualified emoji at 64 x 64, its Unicode subgroup as its class.

Needs Debian's fonts-noto-color-emoji (the artwork) and unicode-data (emoji-test.txt), and a Pillow
built with Raqm, which joins the code points of a sequence into one glyph.
"""

import argparse
import os
from collections import Counter
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, features

EMOJI_TEST = "/usr/share/unicode/emoji/emoji-test.txt"
FONT = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
STRIKE = 109  # the one bitmap size in the font, in pixels per em
SIDE = 64

SKIN_TONES = range(0x1F3FB, 0x1F400)
IGNORED_IN_KEY = {0x200D, 0xFE0F, 0x2640, 0x2642, *SKIN_TONES}
PERSON = {0x1F468: 0x1F9D1, 0x1F469: 0x1F9D1}  # man, woman: person


def parse(path=EMOJI_TEST):
    """Yields (text, name, version, subgroup) of the fully-qualified emoji, in the file's order."""
    subgroup = None
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith("# subgroup:"):
            subgroup = line.split(":", 1)[1].strip()
        elif "; fully-qualified" in line:
            points, rest = line.split(";", 1)
            _, version, name = rest.split("#", 1)[1].split(maxsplit=2)
            text = "".join(chr(int(point, 16)) for point in points.split())
            yield text, name, float(version[1:]), subgroup


def family(text):
    """What the skin-tone and gender variants of one emoji have in common."""
    points = (PERSON.get(ord(c), ord(c)) for c in text)
    return tuple(p for p in points if p not in IGNORED_IN_KEY)


class Renderer:
    """Draws emoji with the font's own bitmaps."""

    def __init__(self, path=FONT):
        if not features.check("raqm"):
            raise SystemExit("this Pillow has no Raqm, which joins emoji sequences into one glyph: "
                             "install a Pillow wheel from PyPI")
        self.font = ImageFont.truetype(path, STRIKE, layout_engine=ImageFont.Layout.RAQM)
        self.advance = self.font.getlength("\N{GRINNING FACE}")

    def draw(self, text):
        """The emoji centred on a white square, SIDE x SIDE x 3 bytes."""
        if self.font.getlength(text) != self.advance:
            raise ValueError("the font does not draw it as one glyph")
        left, top, right, bottom = self.font.getbbox(text)
        side = max(right - left, bottom - top, int(self.advance))
        canvas = Image.new("RGB", (side, side), "white")
        corner = ((side - right + left) // 2 - left, (side - bottom + top) // 2 - top)
        ImageDraw.Draw(canvas).text(corner, text, font=self.font, embedded_color=True)
        image = np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
        if (image == 255).all():
            raise ValueError("the font has no picture of it")
        return image

    def sprite(self, text, margin):
        """The emoji as straight RGBA bytes (SIDE, SIDE, 4), with a transparent margin of so many pixels."""
        left, top, right, bottom = self.font.getbbox(text)
        side = max(right - left, bottom - top, int(self.advance))
        canvas = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        corner = ((side - right + left) // 2 - left, (side - bottom + top) // 2 - top)
        ImageDraw.Draw(canvas).text(corner, text, font=self.font, embedded_color=True)
        inner = SIDE - 2 * margin
        # Premultiplied while it shrinks: transparent pixels have no colour that could bleed in.
        small = np.asarray(canvas.convert("RGBa").resize((inner, inner), Image.Resampling.LANCZOS))
        out = np.zeros((SIDE, SIDE, 4), np.uint8)
        out[margin:-margin, margin:-margin] = np.asarray(Image.fromarray(small, "RGBa").convert("RGBA"))
        return out


def build(path, emoji_test=EMOJI_TEST, font=FONT):
    """Renders the data set and writes it to `path`; an emoji that does not render is an error."""
    renderer = Renderer(font)
    emoji = list(parse(emoji_test))
    class_names = sorted({subgroup for *_, subgroup in emoji})
    images, failed = [], []
    for text, name, *_ in emoji:
        try:
            images.append(renderer.draw(text))
        except ValueError as error:
            failed.append(f"{name}: {error}")
    if failed:
        raise SystemExit("\n".join([f"{len(failed)} of {len(emoji)} emoji do not render:"] + failed))
    images = np.stack(images)
    tofu = Counter(image.tobytes() for image in images).most_common(1)[0][1]
    if tofu > 8:
        raise SystemExit(f"{tofu} emoji have the very same picture: a font without them?")
    class_ids = np.array([class_names.index(subgroup) for *_, subgroup in emoji], np.int64)
    temporary = Path(f"{path}.partial")
    temporary.parent.mkdir(parents=True, exist_ok=True)
    with open(temporary, "wb") as file:
        np.savez_compressed(file, images=images, class_ids=class_ids, class_names=class_names,
                            texts=[text for text, *_ in emoji],
                            names=[name for _, name, *_ in emoji],
                            versions=np.array([version for _, _, version, _ in emoji]))
    os.replace(temporary, path)


def load(path):
    """Opens the data set, building it first if there is none at `path`."""
    if not Path(path).exists():
        build(path)
    with np.load(path) as file:
        return {key: file[key] for key in file.files}


def sampling_weights(data, balance=0.75, plateau=1, steepness=2.5,
                     default=0.75):
    """The chance of each picture to be drawn: balanced classes, best-known emoji first.

    A class of n emoji gets n^(1 - balance) of the weight. Its emoji are ranked by the Emoji version
    that brought them (the first is the set of the first phones), then by their order in the file;
    the one of rank r weighs (plateau / r)^steepness, at most 1. The variants of an emoji in skin
    colour and gender share its weight; the first of them gets the share `default` of it.
    """
    keys = [(int(c), family(str(text))) for c, text in zip(data["class_ids"], data["texts"])]
    variants, first, age = Counter(keys), {}, {}
    for i, key in enumerate(keys):
        first.setdefault(key, i)
        age[key] = min(float(data["versions"][i]), age.get(key, 1e9))
    emoji_weight, count, total = {}, Counter(), Counter()
    for key in sorted(first, key=lambda key: (age[key], first[key])):
        count[key[0]] += 1
        emoji_weight[key] = min(1.0, (plateau / count[key[0]]) ** steepness)
        total[key[0]] += emoji_weight[key]
    weights = np.empty(len(keys))
    for i, key in enumerate(keys):
        share = default if i == first[key] else (1 - default) / (variants[key] - 1)
        weights[i] = emoji_weight[key] * (share if variants[key] > 1 else 1.0)
        weights[i] *= count[key[0]] ** (1 - balance) / total[key[0]]
    return weights / weights.sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", help="the .npz file to write")
    parser.add_argument("--emoji-test", default=EMOJI_TEST, help="Unicode's emoji-test.txt")
    parser.add_argument("--font", default=FONT, help="Noto Color Emoji, the bitmap version")
    arguments = parser.parse_args()
    build(arguments.output, arguments.emoji_test, arguments.font)
    data = load(arguments.output)
    print(f"{len(data['images'])} emoji in {len(data['class_names'])} classes: {arguments.output}")


if __name__ == "__main__":
    main()
