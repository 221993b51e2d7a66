"""Checks a batch against its manifests and packs its images into an .npz; called by Scripts/collect.sh.

The checks need Python alone, packing needs numpy. The .npz holds one array, arr_0, of uint8 in the order of the list:
(images, height, width, channels), the layout of the sample batches of guided-diffusion's evaluator
(https://github.com/openai/guided-diffusion/tree/main/evaluations), or (clips, frames, height, width, channels).
"""

import argparse
import errno
import hashlib
import os
import signal
import stat
import sys
import traceback
import zipfile

from images import MOST_BYTES, read_image, unfilter
from manifest import Folder, Refusal, check, read_count, shown

# The most lines about faults.
MOST_FAULTS = 20
# Images of so many bytes are unfiltered together: enough for long vectors. Unfiltering takes several times this memory.
BYTES_AT_ONCE = 64 << 20


def name(shape):
    """A shape as messages have it."""
    frames = f"{shape[0]} frames of " if len(shape) == 4 else ""
    return f"{frames}{shape[-2]}x{shape[-3]}x{shape[-1]}"


def pixels(pending, shape, numpy):
    """The pixels of images or clips of one shape, from their filtered rows."""
    return unfilter(numpy.concatenate(pending), shape[-1], numpy).reshape(len(pending), *shape)


def chunks(folder, files, numpy):
    """The pixels of all images, a few at a time: (images, height, width, channels), or (clips, frames, ...)."""
    shape, pending = None, []
    for file, listed in files:
        try:
            data = folder.read(file, MOST_BYTES)
            if hashlib.sha256(data).hexdigest() != listed:
                raise ValueError("changed while it was packed")
            own, rows = read_image(data, numpy)
        except OSError as error:
            raise Refusal(65, f"{folder.shown(file)}: {error.strerror}") from None
        except ValueError as error:
            raise Refusal(65, f"{folder.shown(file)}: not an image that can be packed: {error}") from None
        if shape not in (None, own):
            raise Refusal(65, f"{folder.shown(file)}: {name(own)}, the images before it {name(shape)}; an .npz holds one size")
        shape = own
        pending.append(rows)
        if (len(pending) + 1) * rows.size > BYTES_AT_ONCE:
            yield pixels(pending, shape, numpy)
            pending = []
    if pending:
        yield pixels(pending, shape, numpy)


def write(stream, folder, files, numpy):
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        with archive.open("arr_0.npy", "w", force_zip64=True) as member:
            for number, images in enumerate(chunks(folder, files, numpy)):
                if number == 0:
                    numpy.lib.format.write_array_header_1_0(
                        member, {"descr": "|u1", "fortran_order": False, "shape": (len(files), *images.shape[1:])})
                member.write(images.tobytes())
    stream.flush()
    os.fsync(stream.fileno())


def pack(folder, files, target):
    try:
        import numpy
    except ImportError:
        raise Refusal(66, "packing needs numpy; install it, or set PYTHON to a Python that has it") from None
    # A draft is renamed at the end, so that the target is complete or absent. It is written in pieces to save memory.
    draft = os.path.join(os.path.dirname(target), f".collect.{os.getpid()}.{os.urandom(4).hex()}.draft")
    made = False
    try:
        if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
            raise Refusal(73, f"{shown(target)}: not a regular file; give another")
        with open(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666), "wb+") as stream:
            made = True
            write(stream, folder, files, numpy)
        os.replace(draft, target)
        made = False
    except OSError as error:
        raise Refusal(74 if error.errno in (errno.ENOSPC, errno.EIO, errno.EDQUOT) else 73,
                      f"{shown(target)}: {error.strerror}") from None
    finally:
        if made:
            os.unlink(draft)


def run():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("folder")
    parser.add_argument("--npz")
    arguments = parser.parse_args()
    folder = Folder(arguments.folder)
    files, faults = check(folder, read_count(folder))
    for fault in faults[:MOST_FAULTS]:
        print(f"collect.sh: {fault}", file=sys.stderr)
    if len(faults) > MOST_FAULTS:
        print(f"collect.sh: and {len(faults) - MOST_FAULTS} more", file=sys.stderr)
    if faults:
        return 65
    print(f"{len(files)} images, all as their manifests say")
    if arguments.npz:
        pack(folder, files, arguments.npz)
        print(arguments.npz)
    sys.stdout.flush()
    return 0


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    # Names that are not UTF-8 are printed unchanged.
    sys.stdout.reconfigure(errors="surrogateescape")
    signal.signal(signal.SIGTERM, interrupt)
    try:
        return run()
    except Refusal as refusal:
        print(f"collect.sh: {refusal}", file=sys.stderr)
        return refusal.code
    except KeyboardInterrupt:
        print("collect.sh: interrupted; run it again", file=sys.stderr)
        return 75
    except BrokenPipeError:
        # The reader has closed the pipe. Python must not print an error about it when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 74
    except MemoryError:
        print("collect.sh: not enough memory; free some, and run it again", file=sys.stderr)
        return 74
    except Exception as error:  # noqa: BLE001 - internal errors are one line, too.
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"collect.sh: internal error: {type(error).__name__}: {shown(str(error))} "
              f"({os.path.basename(place.filename)}:{place.lineno}); please report it", file=sys.stderr)
        return 70


if __name__ == "__main__":
    sys.exit(main())
