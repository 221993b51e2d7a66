"""Writes the golden measures: multi-scale SSIM and HaarPSI of small pictures, at awkward sizes.

    pip install numpy==2.4.6
    python Scripts/golden/measures.py          # writes Tests/MediaTests/Golden/measures.json

Both are computed straight from their papers, with two-dimensional windows and without any shortcut, in float64:

    Wang, Simoncelli, Bovik: Multiscale structural similarity for image quality assessment. Asilomar 2003.
    Reisenhofer, Bosse, Kutyniok, Wiegand: A Haar wavelet-based perceptual similarity index for image quality
    assessment. Signal Processing: Image Communication 61, 2018.

A picture that is too small for five scales has as many as leave 11x11 samples, with exponents divided by their sum. The
pictures are those of Tests/MediaTests/TestImages.swift and ImageMetricsTests.swift.
"""

import json
from pathlib import Path

import numpy as np

TARGET = Path(__file__).resolve().parents[2] / "Tests/MediaTests/Golden/measures.json"
EXPONENTS = np.array([0.0448, 0.2856, 0.3001, 0.2363, 0.1333])
SIZES = [(10, 30, 3), (11, 11, 1), (15, 40, 3), (16, 16, 3), (17, 24, 3), (20, 21, 1), (21, 22, 3), (32, 32, 3),
         (41, 57, 3), (64, 50, 1), (83, 81, 3), (161, 162, 3)]


# Pictures (height, width, channels)


def ramp(width, height, channels):
    y, x, c = np.mgrid[:height, :width, :channels]
    return 7 * x + 5 * y + 40 * c & 255


def noise(width, height, channels, seed):
    index = np.arange(width * height * channels, dtype=np.int64)
    return (index * 2654435761 + seed * 40503 >> 13 & 255).reshape(height, width, channels)


def distorted(picture, how):
    height, width, channels = picture.shape
    if how == "noisy":
        return np.clip(picture + noise(width, height, channels, 1) % 32 - 16, 0, 255)
    if how == "inverted":
        return 255 - picture
    if how == "swapped":  # other colours
        return picture[..., ::-1]
    return noise(width, height, channels, 2)  # another picture


# Multi-scale SSIM


def window():
    offsets = np.arange(-5, 6)
    weights = np.exp(-(offsets[:, None] ** 2 + offsets[None, :] ** 2) / (2 * 1.5**2))
    return weights / weights.sum()


def luminance_and_contrast(x, y):
    """Equations 1 to 3 at every place of the window, contrast and structure multiplied."""
    views = [np.lib.stride_tricks.sliding_window_view(plane, (11, 11)) for plane in (x, y)]
    w = window()
    means = [(view * w).sum((-2, -1)) for view in views]
    rests = [view - mean[..., None, None] for view, mean in zip(views, means)]
    variances = [(rest**2 * w).sum((-2, -1)) for rest in rests]
    covariance = (rests[0] * rests[1] * w).sum((-2, -1))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    luminance = (2 * means[0] * means[1] + c1) / (means[0] ** 2 + means[1] ** 2 + c1)
    return luminance, (2 * covariance + c2) / (variances[0] + variances[1] + c2)


def halved(plane):
    height, width = plane.shape
    even = np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge")
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4


def ms_ssim(a, b):
    if min(a.shape[:2]) < 11:
        return None
    values = []
    for channel in range(a.shape[2]):
        scales = [(a[..., channel].astype(float), b[..., channel].astype(float))]
        while len(scales) < 5 and min(halved(scales[-1][0]).shape) >= 11:
            scales.append(tuple(halved(plane) for plane in scales[-1]))
        factors = []
        for x, y in scales:
            luminance, contrast = luminance_and_contrast(x, y)
            factors.append((luminance * contrast if len(factors) == len(scales) - 1 else contrast).mean())
        if len(scales) == 1:
            values.append(factors[0])
            continue
        exponents = EXPONENTS[: len(scales)] / EXPONENTS[: len(scales)].sum()
        values.append(np.prod(np.maximum(factors, 0) ** exponents))
    return float(np.mean(values))


# HaarPSI


def conv2_same(plane, kernel):
    """MATLAB's conv2(plane, kernel, "same"), in which the authors' code is written."""
    (height, width), (rows, columns) = plane.shape, kernel.shape
    full = np.zeros((height + rows - 1, width + columns - 1))
    for row in range(rows):
        for column in range(columns):
            full[row : row + height, column : column + width] += kernel[row, column] * plane
    return full[rows // 2 : rows // 2 + height, columns // 2 : columns // 2 + width]


def similarity(a, b):
    return (2 * a * b + 30) / (a**2 + b**2 + 30)


def haar_magnitudes(plane, scale, turned):
    kernel = np.full((2**scale, 2**scale), 2.0**-scale)
    kernel[: 2 ** (scale - 1)] *= -1
    return np.abs(conv2_same(plane, kernel.T if turned else kernel))


def haar_psi(a, b):
    if min(a.shape[:2]) < 16:
        return None
    box = np.full((2, 2), 0.25)
    mixes = [[1.0]] if a.shape[2] == 1 else [[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]]
    pictures = [[conv2_same(picture @ np.array(mix), box)[::2, ::2] for mix in mixes] for picture in (a, b)]
    similarities, weights = [], []
    for turned in (False, True):
        first, second = ([haar_magnitudes(planes[0], scale, turned) for scale in (1, 2, 3)] for planes in pictures)
        similarities.append((similarity(first[0], second[0]) + similarity(first[1], second[1])) / 2)
        weights.append(np.maximum(first[2], second[2]))
    if len(mixes) == 3:
        chromas = [[np.abs(conv2_same(plane, box)) for plane in planes[1:]] for planes in pictures]
        similarities.append(sum(similarity(x, y) for x, y in zip(*chromas)) / 2)
        weights.append((weights[0] + weights[1]) / 2)
    similarities, weights = np.array(similarities), np.array(weights)
    share = (weights / (1 + np.exp(-4.2 * similarities))).sum() / weights.sum()
    return float((np.log(share / (1 - share)) / 4.2) ** 2)


def main():
    cases = []
    for width, height, channels in SIZES:
        for how in ("noisy", "inverted", "swapped", "other"):
            picture = ramp(width, height, channels)
            other = distorted(picture, how)
            cases.append({"width": width, "height": height, "channels": channels, "distortion": how,
                          "multiScaleSSIM": ms_ssim(picture, other), "haarPSI": haar_psi(picture, other)})
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
