"""Checks a batch against its manifests and packs its images into an .npz; called by Scripts/collect.sh.

The checks need Python alone, packing needs numpy. The .npz holds one array, arr_0, of uint8 in the order of the list:
(images, height, width, channels), the layout of the sample batches of guided-diffusion's evaluator
(https://github.com/openai/guided-diffusion/tree/main/evaluations).
"""

import argparse
import hashlib
import json
import os
import pathlib
import struct
import sys
import zlib

MOST_NAMED = 10


def fail(code, message):
    print(f"collect.sh: {message}", file=sys.stderr)
    sys.exit(code)


def read_manifests(folder):
    """The lines of all manifests by their index, and what is wrong with them."""
    lines, faults = {}, []
    paths = sorted(folder.glob("manifest-*-of-*.jsonl"))
    if not paths:
        fail(66, f"{folder}: no manifest there; give the directory of a batch")
    for path in paths:
        for number, text in enumerate(path.read_text().splitlines(), 1):
            try:
                line = json.loads(text)
                index, digest = line["index"], line["sha256"]
            except (ValueError, KeyError, TypeError):
                faults.append(f"{path.name}:{number}: a torn line; run the shard again to mend it")
                continue
            known = lines.setdefault(index, line)
            if (known["file"], known["sha256"]) != (line["file"], digest):
                faults.append(f"image {index}: listed twice, with different files or contents")
    return lines, faults


def check(folder, count):
    """The files of all images in the list's order, and what is wrong with them."""
    lines, faults = read_manifests(folder)
    missing = [index for index in range(count) if index not in lines]
    if missing:
        named = ", ".join(map(str, missing[:MOST_NAMED]))
        faults.append(f"{len(missing)} of {count} images are missing: {named}{', …' if len(missing) > MOST_NAMED else ''}")
    faults += [f"image {index}: not in the list of {count}" for index in lines if not 0 <= index < count]
    for index in sorted(lines):
        path = folder / lines[index]["file"]
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            faults.append(f"{path}: {error.strerror}")
            continue
        if digest != lines[index]["sha256"]:
            faults.append(f"{path}: not the file that the manifest lists")
    return [folder / lines[index]["file"] for index in sorted(lines)], faults


def decode(path, numpy):
    """The pixels of an 8-bit PNG, gray or RGB, or of a binary PPM or PGM: (height, width, channels)."""
    data = path.read_bytes()
    if data[:2] in (b"P5", b"P6"):
        fields = []
        rest = data[2:]
        while len(fields) < 3:
            rest = rest.lstrip()
            if rest[:1] == b"#":
                rest = rest.split(b"\n", 1)[1]
                continue
            word = rest.split(None, 1)[0]
            fields.append(int(word))
            rest = rest[len(word):]
        width, height = fields[:2]
        channels = 3 if data[:2] == b"P6" else 1
        return numpy.frombuffer(rest[1:], numpy.uint8).reshape(height, width, channels)
    position, packed = 8, b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        body = data[position + 8:position + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            packed += body
        position += length + 12
    if depth != 8 or colour not in (0, 2):
        fail(65, f"{path}: not an 8-bit PNG without alpha")
    channels = 3 if colour == 2 else 1
    rows = numpy.frombuffer(zlib.decompress(packed), numpy.uint8).reshape(height, 1 + width * channels)
    return unfilter(rows, channels, numpy).reshape(height, width, channels)


def unfilter(rows, step, numpy):
    """Undoes the filters of PNG, section 9: none, left, up, mean of both, Paeth."""
    picture = numpy.zeros((rows.shape[0] + 1, rows.shape[1] - 1 + step), numpy.int32)
    for y, row in enumerate(rows, 1):
        kind, values, above = row[0], row[1:].astype(numpy.int32), picture[y - 1]
        if kind in (0, 2):
            picture[y, step:] = (values + (above[step:] if kind == 2 else 0)) & 255
            continue
        present = picture[y]
        for x in range(step, len(present)):
            a, b, c = int(present[x - step]), int(above[x]), int(above[x - step])
            if kind == 1:
                guess = a
            elif kind == 3:
                guess = (a + b) // 2
            else:
                guess = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            present[x] = (int(values[x - step]) + guess) & 255
    return picture[1:, step:].astype(numpy.uint8)


def pack(paths, target):
    try:
        import numpy
    except ImportError:
        fail(66, "packing needs numpy; install it, or name a Python that has it in PYTHON")
    images = [decode(path, numpy) for path in paths]
    if len({image.shape for image in images}) != 1:
        fail(65, "the images are not of one size")
    # Written beside its name, so that no half of it is taken for the whole.
    draft = target.with_name(f".{target.name}.draft.npz")
    try:
        numpy.savez(draft, arr_0=numpy.stack(images))
        os.replace(draft, target)
    except OSError as error:
        fail(73, f"{target}: {error.strerror}")
    finally:
        draft.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--npz", type=pathlib.Path)
    arguments = parser.parse_args()
    try:
        run = json.loads((arguments.folder / "run.json").read_text())
    except (OSError, ValueError):
        fail(66, f"{arguments.folder}/run.json: missing or damaged; give the directory of a batch")
    paths, faults = check(arguments.folder, run["count"])
    for fault in faults:
        print(f"collect.sh: {fault}", file=sys.stderr)
    if faults:
        sys.exit(65)
    print(f"{len(paths)} images, all as their manifests say")
    if arguments.npz:
        pack(paths, arguments.npz)
        print(arguments.npz)


if __name__ == "__main__":
    main()
