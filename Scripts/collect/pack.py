"""Checks a batch against its manifests and packs its images into an .npz; called by Scripts/collect.sh.

The checks need Python alone, packing needs numpy. The .npz holds one array, arr_0, of uint8 in the order of the list:
(images, height, width, channels), the layout of the sample batches of guided-diffusion's evaluator
(https://github.com/openai/guided-diffusion/tree/main/evaluations).
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

from manifest import Folder, Refusal, check, read_count, shown
from images import MOST_BYTES, read_image, unfilter

# More lines of what is wrong help nobody.
MOST_FAULTS = 20
# Of the pixels of images that are unfiltered together: enough for long vectors, though that takes several times as much.
BYTES_AT_ONCE = 64 << 20


def chunks(folder, files, numpy):
    """The pixels of all images, a few at a time: (images, height, width, channels)."""
    shape, pending = None, []
    for name, listed in files:
        try:
            data = folder.read(name, MOST_BYTES)
            if hashlib.sha256(data).hexdigest() != listed:
                raise ValueError("changed while it was packed")
            own, rows = read_image(data, numpy)
        except OSError as error:
            raise Refusal(65, f"{folder.shown(name)}: {error.strerror}") from None
        except ValueError as error:
            raise Refusal(65, f"{folder.shown(name)}: not an image that can be packed: {error}") from None
        if shape not in (None, own):
            raise Refusal(65, f"{folder.shown(name)}: {own[1]}x{own[0]}x{own[2]}, the images before it "
                          f"{shape[1]}x{shape[0]}x{shape[2]}; an .npz holds one size")
        shape = own
        pending.append(rows)
        if (len(pending) + 1) * rows.size > BYTES_AT_ONCE:
            yield unfilter(numpy.stack(pending), shape[2], numpy)
            pending = []
    if pending:
        yield unfilter(numpy.stack(pending), shape[2], numpy)


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
        raise Refusal(66, "packing needs numpy; install it, or name a Python that has it in PYTHON") from None
    # Written beside its name, so that no half of it is taken for the whole; piece by piece, as it may not fit memory.
    draft = os.path.join(os.path.dirname(target), f".collect.{os.getpid()}.{os.urandom(4).hex()}.draft")
    made = False
    try:
        if os.path.exists(target) and not stat.S_ISREG(os.stat(target).st_mode):
            raise Refusal(73, f"{shown(target)}: no regular file; name another")
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
    # A name that is not UTF-8 goes out as it came in.
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
        # Nobody listens any more; what Python says of it when it ends nobody needs.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 74
    except MemoryError:
        print("collect.sh: the memory is used up; free some, and run it again", file=sys.stderr)
        return 74
    except Exception as error:  # noqa: BLE001 - a fault of this program is told in one line, too.
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"collect.sh: internal error: {type(error).__name__}: {shown(str(error))} "
              f"({os.path.basename(place.filename)}:{place.lineno}); please report it", file=sys.stderr)
        return 70


if __name__ == "__main__":
    sys.exit(main())
