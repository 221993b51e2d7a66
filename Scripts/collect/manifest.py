"""Reads run.json, the manifests of a batch, and the files that they list. They are untrusted: only regular files inside
the directory are opened, and no file can make the reader wait or use too much memory.
"""

import hashlib
import json
import os
import re
import stat

MOST_NAMED = 10
MOST_IMAGES = 1_000_000
# Larger than any manifest, any line of one, and any image.
MOST_MANIFEST_BYTES = 1 << 30
MOST_LINE_BYTES = 1 << 16
MOST_IMAGE_BYTES = (3 << 28) + (1 << 26)
MOST_EVALUATIONS = 1_000_000_000
MOST_SECONDS = 1e9
MANIFEST = re.compile(rb"manifest-([0-9]{1,9})-of-([0-9]{1,9})\.jsonl")


class Refusal(Exception):
    """What is wrong with a batch, in one line, and the exit code."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def shown(path):
    """A path without control characters, for messages."""
    return "".join(c if c.isprintable() or c == " " else c.encode("unicode_escape", "surrogatepass").decode()
                   for c in os.fsdecode(path))


def is_plain(name):
    """Whether a manifest may list a file of this name: see UntrustedFolder in Sources/Pipeline/Files."""
    parts = name.split("/")
    return ("\\" not in name and all(ord(c) >= 0x20 and ord(c) != 0x7F for c in name)
            and all(part not in ("", ".", "..") for part in parts))


class Folder:
    """The directory of a batch."""

    def __init__(self, path):
        self.path = path
        try:
            self.descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise Refusal(66, f"{shown(path)}: {error.strerror}; give the directory of a batch") from None

    def shown(self, name):
        return shown(os.path.join(os.fsencode(self.path), os.fsencode(name)))

    def manifests(self):
        """The names of the manifests, sorted."""
        names = [name for name in map(os.fsencode, os.listdir(self.descriptor)) if MANIFEST.fullmatch(name)]
        return [os.fsdecode(name) for name in sorted(names)]

    def open(self, name, most):
        """Opens a regular file, directory by directory, so that no link is followed. An OSError says why not."""
        folder, parts = self.descriptor, name.split("/")
        try:
            for part in parts[:-1]:
                inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
                if folder != self.descriptor:
                    os.close(folder)
                folder = inner
            # Opening a device can do something; opening a pipe can wait for a writer.
            self.check(os.stat(parts[-1], dir_fd=folder, follow_symlinks=False), most)
            file = os.open(parts[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY, dir_fd=folder)
        finally:
            if folder != self.descriptor:
                os.close(folder)
        stream = os.fdopen(file, "rb")
        try:
            self.check(os.fstat(file), most)
        except OSError:
            stream.close()
            raise
        return stream

    @staticmethod
    def check(status, most):
        if stat.S_ISLNK(status.st_mode):
            raise OSError(0, "a symbolic link, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise OSError(0, "not a regular file")
        if status.st_size > most:
            raise OSError(0, f"has {status.st_size} bytes, more than the {most} that can be read")

    def read(self, name, most):
        with self.open(name, most) as stream:
            return stream.read(most)


def read_json(text):
    """Strict JSON, without the extensions of Python."""
    def refuse(word):
        raise ValueError(f"{word} is not a number")

    def pairs(items):
        values = dict(items)
        if len(values) != len(items):
            raise ValueError("a key occurs twice")
        return values

    return json.loads(text, parse_constant=refuse, object_pairs_hook=pairs)


def read_count(folder):
    """The number of images in the batch's list."""
    try:
        run = read_json(folder.read("run.json", MOST_MANIFEST_BYTES))
    except OSError as error:
        raise Refusal(65 if error.errno == 0 else 66,
                      f"{folder.shown('run.json')}: {error.strerror}; give the directory of a batch") from None
    except (ValueError, RecursionError):
        run = None
    count = run.get("count") if isinstance(run, dict) else None
    # In Python, a bool is an int.
    if type(count) is not int or not 1 <= count <= MOST_IMAGES:
        raise Refusal(65, f"{folder.shown('run.json')}: damaged, or not of a batch; remove it and run the batch again")
    return count


def read_line(text, count):
    """The index of a line of a manifest, and the values that must agree if the image is listed twice.

    Raises ValueError, KeyError, TypeError or RecursionError for a line that no batch wrote; a ValueError says why.
    """
    if len(text) > MOST_LINE_BYTES:
        raise ValueError("longer than any line of a manifest")
    line = read_json(text)
    index, name, digest, seed = line["index"], line["file"], line["sha256"], line["seed"]
    number, evaluations, seconds = line["classID"], line["evaluations"], line.get("seconds")
    if any(type(value) is not int for value in (index, seed, number, evaluations)):
        raise ValueError("a value should be a whole number")
    if any(type(value) is not str for value in (name, digest, line["class"])):
        raise ValueError("a value should be a string")
    if not is_plain(name):
        raise ValueError("its file name is not a plain path inside the directory")
    os.fsencode(name)
    if not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError("its sha256 is not a SHA-256")
    if not 0 <= index < count:
        raise ValueError(f"its index is not below {count}")
    if not (0 <= seed < 1 << 32 and number >= 0 and 0 <= evaluations <= MOST_EVALUATIONS):
        raise ValueError("a number is out of range")
    if seconds is not None and not (type(seconds) in (int, float) and 0 <= seconds <= MOST_SECONDS):
        raise ValueError("its seconds are out of range")
    return index, (name, digest, seed, number)


def read_manifests(folder, count):
    """The file, SHA-256, seed and class of each image in the manifests, by index."""
    lines = {}
    names = folder.manifests()
    if not names:
        raise Refusal(66, f"{shown(folder.path)}: there is no manifest; give the directory of a batch")
    for name in names:
        try:
            texts = folder.read(name, MOST_MANIFEST_BYTES).split(b"\n")
        except OSError as error:
            raise Refusal(65 if error.errno == 0 else 66, f"{folder.shown(name)}: {error.strerror}") from None
        if len(texts) > 4 * MOST_IMAGES:
            raise Refusal(65, f"{folder.shown(name)}: too many lines for a manifest")
        for number, text in enumerate(texts, 1):
            if not text:
                continue
            try:
                index, entry = read_line(text, count)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                why = f" ({error})" if type(error) is ValueError else ""
                raise Refusal(65, f"{folder.shown(name)}:{number}: a torn or damaged line{why}; run the shard again to repair it"
                              ) from None
            if lines.setdefault(index, entry) != entry:
                raise Refusal(65, f"{folder.shown(name)}:{number}: image {index} is listed twice, with different contents")
    owners = {}
    for index, (name, *_) in lines.items():
        if owners.setdefault(name, index) != index:
            raise Refusal(65, f"{shown(folder.path)}: one file is listed for the images {owners[name]} and {index}")
    return lines


def digest_of(stream):
    digest = hashlib.sha256()
    for block in iter(lambda: stream.read(1 << 20), b""):
        digest.update(block)
    return digest.hexdigest()


def check(folder, count):
    """The name and SHA-256 of each image's file, in the order of the list, and what is wrong."""
    lines = read_manifests(folder, count)
    faults = []
    missing = [index for index in range(count) if index not in lines]
    if missing:
        named = ", ".join(map(str, missing[:MOST_NAMED]))
        faults.append(f"{len(missing)} of {count} images are missing: {named}{', …' if len(missing) > MOST_NAMED else ''}")
    for index in sorted(lines):
        name, listed = lines[index][:2]
        try:
            with folder.open(name, MOST_IMAGE_BYTES) as stream:
                digest = digest_of(stream)
        except OSError as error:
            faults.append(f"{folder.shown(name)}: {error.strerror}")
            continue
        if digest != listed:
            faults.append(f"{folder.shown(name)}: differs from the manifest")
    return [lines[index][:2] for index in sorted(lines)], faults
