"""Checks a batch against its manifests and packs its images into an .npz; called by Scripts/collect.sh.

The checks need Python alone, packing needs numpy. The .npz holds one array, arr_0, of uint8 in the order of the list:
(images, height, width, channels), the layout of the sample batches of guided-diffusion's evaluator
(https://github.com/openai/guided-diffusion/tree/main/evaluations).
"""

import argparse
import errno
import hashlib
import json
import os
import pathlib
import struct
import sys
import zipfile
import zlib

MOST_NAMED = 10
MOST_IMAGES = 1_000_000
# Of the pixels of images that are unfiltered together: enough for long vectors, though that takes several times as much.
BYTES_AT_ONCE = 64 << 20


def fail(code, message):
    print(f"collect.sh: {message}", file=sys.stderr)
    sys.exit(code)


def read_count(folder):
    """How many images the batch's list has."""
    path = folder / "run.json"
    try:
        run = json.loads(path.read_bytes())
    except OSError as error:
        fail(66, f"{path}: {error.strerror}; give the directory of a batch")
    except (ValueError, RecursionError):
        run = None
    count = run.get("count") if isinstance(run, dict) else None
    # A truth value is an int, too.
    if type(count) is not int or not 1 <= count <= MOST_IMAGES:
        fail(65, f"{path}: damaged, or not that of a batch; remove it and run the batch again")
    return count


def read_line(text):
    """What a line of a manifest says: index, file and SHA-256."""
    line = json.loads(text)
    index, name, digest = line["index"], line["file"], line["sha256"]
    if type(index) is not int or type(name) is not str or type(digest) is not str or "\0" in name:
        raise ValueError("not what a manifest holds")
    os.fsencode(name)
    return index, (name, digest)


def read_manifests(folder):
    """The file and SHA-256 of each image that the manifests list, by its index, and what is wrong with them."""
    lines, faults = {}, []
    paths = sorted(folder.glob("manifest-*-of-*.jsonl"))
    if not paths:
        fail(66, f"{folder}: no manifest there; give the directory of a batch")
    for path in paths:
        try:
            texts = path.read_bytes().split(b"\n")
        except OSError as error:
            fail(66, f"{path}: {error.strerror}")
        for number, text in enumerate(texts, 1):
            if not text:
                continue
            try:
                index, entry = read_line(text)
            except (ValueError, KeyError, TypeError, RecursionError):
                faults.append(f"{path.name}:{number}: a torn or damaged line; run the shard again to mend it")
                continue
            if lines.setdefault(index, entry) != entry:
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
        name, listed = lines[index]
        path = folder / name
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            faults.append(f"{path}: {error.strerror}")
            continue
        if digest != listed:
            faults.append(f"{path}: not the file that the manifest lists")
    return [folder / lines[index][0] for index in sorted(lines)], faults


def read_image(path, numpy):
    """An 8-bit PNG, gray or RGB, or a binary PPM or PGM: its shape, and its rows, those of a PNG still filtered."""
    data = path.read_bytes()
    try:
        return read_ppm(data, numpy) if data[:2] in (b"P5", b"P6") else read_png(data, numpy)
    except (ValueError, IndexError, struct.error, zlib.error) as error:
        fail(65, f"{path}: not an image that can be packed: {error}")


def read_ppm(data, numpy):
    fields, rest = [], data[2:]
    while len(fields) < 3:
        rest = rest.lstrip()
        if rest[:1] == b"#":
            rest = rest.split(b"\n", 1)[1]
            continue
        word = rest.split(None, 1)[0]
        fields.append(int(word))
        rest = rest[len(word):]
    shape = (fields[1], fields[0], 3 if data[:2] == b"P6" else 1)
    rows = numpy.frombuffer(rest[1:], numpy.uint8).reshape(shape[0], shape[1] * shape[2])
    # Filter 0 of PNG: none.
    return shape, numpy.hstack([numpy.zeros((shape[0], 1), numpy.uint8), rows])


def read_png(data, numpy):
    position, packed, header = 8, [], None
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        body = data[position + 8:position + 8 + length]
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"IDAT":
            packed.append(body)
        position += length + 12
    if header is None or header[2] != 8 or header[3] not in (0, 2) or header[6]:
        raise ValueError("no PNG of 8 bits, gray or RGB, without interlace")
    shape = (header[1], header[0], 3 if header[3] == 2 else 1)
    rows = numpy.frombuffer(zlib.decompress(b"".join(packed)), numpy.uint8)
    return shape, rows.reshape(shape[0], 1 + shape[1] * shape[2])


def unfilter(rows, channels, numpy):
    """Undoes the filters of PNG, section 9, of many images of one size at once: none, left, up, mean of both, Paeth.

    Each pixel needs the one before it, so that the loop is over pixels, and the vectors are over images.
    """
    images, height, width = rows.shape[0], rows.shape[1], (rows.shape[2] - 1) // channels
    values = rows[:, :, 1:].reshape(images, height, width, channels).astype(numpy.int16)
    picture = numpy.zeros((height + 1, width + 1, images, channels), numpy.int16)
    for y in range(height):
        kinds = rows[:, y, 0]
        if kinds.max(initial=0) > 4:
            raise ValueError(f"row {y} has an unknown filter")
        is_of = [(kinds == kind)[:, None] for kind in range(5)]
        for x in range(width):
            left, above, corner = picture[y + 1, x], picture[y, x + 1], picture[y, x]
            from_left, from_above = abs(above - corner), abs(left - corner)
            from_corner = abs(left + above - 2 * corner)
            nearest = numpy.where(
                (from_left <= from_above) & (from_left <= from_corner), left,
                numpy.where(from_above <= from_corner, above, corner))
            guess = numpy.select(is_of[1:], [left, above, (left + above) >> 1, nearest], 0)
            picture[y + 1, x + 1] = (values[:, y, x] + guess) & 255
    return picture[1:, 1:].transpose(2, 0, 1, 3).astype(numpy.uint8)


def chunks(paths, numpy):
    """The pixels of all images, a few at a time: (images, height, width, channels)."""
    shape, pending = None, []
    for path in paths:
        own, rows = read_image(path, numpy)
        if shape not in (None, own):
            fail(65, f"{path}: {own[1]}x{own[0]}x{own[2]}, the images before it {shape[1]}x{shape[0]}x{shape[2]}; "
                 "an .npz holds one size")
        shape = own
        pending.append(rows)
        if (len(pending) + 1) * rows.size > BYTES_AT_ONCE:
            yield unfilter(numpy.stack(pending), shape[2], numpy)
            pending = []
    if pending:
        yield unfilter(numpy.stack(pending), shape[2], numpy)


def pack(paths, target):
    try:
        import numpy
    except ImportError:
        fail(66, "packing needs numpy; install it, or name a Python that has it in PYTHON")
    # Written beside its name, so that no half of it is taken for the whole; piece by piece, as it may not fit memory.
    draft = target.with_name(f".{target.name}.{os.getpid()}.draft")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            with archive.open("arr_0.npy", "w", force_zip64=True) as member:
                for number, images in enumerate(chunks(paths, numpy)):
                    if number == 0:
                        numpy.lib.format.write_array_header_1_0(
                            member,
                            {"descr": "|u1", "fortran_order": False, "shape": (len(paths), *images.shape[1:])})
                    member.write(images.tobytes())
        with open(draft, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(draft, target)
    except ValueError as error:
        fail(65, f"{error}; make the images again")
    except OSError as error:
        fail(74 if error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT) else 73, f"{target}: {error.strerror}")
    finally:
        draft.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--npz", type=pathlib.Path)
    arguments = parser.parse_args()
    paths, faults = check(arguments.folder, read_count(arguments.folder))
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
