"""8-bit PNG, gray or RGB, animated or not, and binary PPM and PGM as arrays of numpy; no more is decompressed than a header
declares.
"""

import struct
import zlib

# A side of 4096: more than any evaluator takes, and what the loop over pixels below still gets through.
MOST_PIXELS = 1 << 24
# More than the file of such an image has, and the header of a PPM.
MOST_BYTES = 6 * MOST_PIXELS
MOST_HEADER_BYTES = 1 << 16
# What an image takes while its filters are undone, for each of its bytes.
BYTES_PER_BYTE = 12


def free_memory():
    """The memory that can be had, in bytes: what the kernel says, and what a control group leaves."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            free = next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        free = 1 << 62
    try:
        with open("/sys/fs/cgroup/memory.max", encoding="ascii") as most, \
                open("/sys/fs/cgroup/memory.current", encoding="ascii") as used:
            free = min(free, int(most.read()) - int(used.read()))
    except (OSError, ValueError):
        pass
    return free


def check_size(width, height, channels, frames=1):
    size = f"{width}x{height}" + (f"x{frames}" if frames > 1 else "")
    if not (width > 0 and height > 0):
        raise ValueError(f"{size} is no size")
    pixels = width * height * frames
    if pixels > MOST_PIXELS:
        raise ValueError(f"{size} pixels, and at most {MOST_PIXELS} can be packed")
    needed, free = pixels * channels * BYTES_PER_BYTE, free_memory()
    if needed > free:
        raise ValueError(f"{size} pixels take {needed >> 20} MB, and {free >> 20} MB are free")


def read_image(data, numpy):
    """The shape of an image (height, width, channels) or of a clip (frames, ...), and the rows (frames, height, bytes), those
    of a PNG still filtered; a ValueError says why there is none.
    """
    if data[:9] == b"YUV4MPEG2":
        raise ValueError("a Y4M does not keep exact pixels")
    try:
        return read_ppm(data, numpy) if data[:2] in (b"P5", b"P6") else read_png(data, numpy)
    except (IndexError, struct.error, zlib.error) as error:
        raise ValueError(f"damaged: {error}") from None


def read_ppm(data, numpy):
    fields, position, pixels = [], 2, data
    data = data[:MOST_HEADER_BYTES]
    while len(fields) < 3:
        while data[position:position + 1].isspace():
            position += 1
        if data[position:position + 1] == b"#":
            position = data.index(b"\n", position) + 1
            continue
        end = position
        while data[end:end + 1].isdigit():
            end += 1
        if not position < end < position + 10:
            raise ValueError("a number of its header is none")
        fields.append(int(data[position:end]))
        position = end
    shape = (fields[1], fields[0], 3 if data[:2] == b"P6" else 1)
    check_size(shape[1], shape[0], shape[2])
    if fields[2] != 255:
        raise ValueError(f"its largest sample is {fields[2]}, not 255")
    expected = shape[0] * shape[1] * shape[2]
    if len(pixels) - position - 1 != expected:
        raise ValueError(f"{len(pixels) - position - 1} bytes of pixels instead of {expected}")
    rows = numpy.frombuffer(pixels, numpy.uint8, offset=position + 1).reshape(shape[0], shape[1] * shape[2])
    # Filter 0 of PNG: none.
    return shape, numpy.hstack([numpy.zeros((shape[0], 1), numpy.uint8), rows])[None]


def read_png(data, numpy):
    position, header, announced, frames, sizes = 8, None, None, [[]], []
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        body = data[position + 8:position + 8 + length]
        if kind == b"IHDR":
            header = struct.unpack(">IIBBBBB", body)
        elif kind == b"acTL":
            announced = struct.unpack(">II", body)[0]
        elif kind == b"fcTL":
            sizes.append(struct.unpack(">4xIIII", body[:20]))
            if frames[0]:
                frames.append([])
        elif kind == b"IDAT":
            frames[0].append(body)
        elif kind == b"fdAT":
            frames[-1].append(body[4:])
        position += length + 12
    if header is None or header[2] != 8 or header[3] not in (0, 2) or header[6]:
        raise ValueError("no PNG of 8 bits, gray or RGB, without interlace")
    if announced is not None and (announced != len(frames) or sizes != [(*header[:2], 0, 0)] * announced):
        raise ValueError("its animation has frames that are missing, or do not fill the picture")
    shape = (header[1], header[0], 3 if header[3] == 2 else 1)
    count = len(frames) if announced is not None else 1
    check_size(shape[1], shape[0], shape[2], count)
    rows = [inflate(b"".join(frame), shape, numpy) for frame in frames[:count]]
    return shape if count == 1 else (count, *shape), numpy.stack(rows)


def inflate(packed, shape, numpy):
    """The filtered rows of one picture."""
    expected = shape[0] * (1 + shape[1] * shape[2])
    inflater = zlib.decompressobj()
    rows = inflater.decompress(packed, expected + 1)
    if len(rows) != expected or not inflater.eof:
        raise ValueError("its pixels are not of the size that its header declares")
    return numpy.frombuffer(rows, numpy.uint8).reshape(shape[0], 1 + shape[1] * shape[2])


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
