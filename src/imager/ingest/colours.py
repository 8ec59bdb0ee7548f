"""The dominant colours of a picture, in OKLab and by the names that people search for.

OKLab after Björn Ottosson, 'A perceptual color space for image processing' (2020). Pixels are counted in a
coarse grid of that space, the grid's cells join the nearest larger one, and a few rounds of k-means settle the
rest. Nothing is random: the same pixels always give the same colours.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from imager.facts import Colour

_MOST = 6
_CELL = np.array([0.09, 0.05, 0.05], np.float32)  # of the grid, in L, a, b
_MOST_SEEDS = 24
_APART = 0.13  # distance in OKLab from which two colours count as different
_LEAST_SHARE = 0.03
_LEAST_VIVID_SHARE = 0.015
_VIVID = 0.11  # chroma

_Floats = NDArray[np.float32]

_VALUES = np.arange(256, dtype=np.float32) / 255
_LINEAR: _Floats = np.where(_VALUES <= 0.04045, _VALUES / 12.92, ((_VALUES + 0.055) / 1.055) ** 2.4).astype(np.float32)
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)


def oklab(rgb: NDArray[np.uint8]) -> _Floats:
    """Convert … × 3 sRGB pixels to OKLab: L 0 … 1, a and b about -0.4 … 0.4."""
    return np.asarray(np.cbrt(_LINEAR[rgb] @ _TO_LMS.T) @ _TO_LAB.T, np.float32)


def dominant(rgb: NDArray[np.uint8]) -> tuple[Colour, ...]:
    """Find up to six colours of H × W × 3 sRGB pixels, the largest share first.

    A few thousand pixels suffice. Vivid colours count from a smaller share than dull ones: a red dress before
    grey walls is what people remember.
    """
    lab = oklab(rgb.reshape(-1, 3))
    centres, shares = _clusters(lab)
    chroma = np.hypot(centres[:, 1], centres[:, 2])
    least = np.where(chroma >= _VIVID, _LEAST_VIVID_SHARE, _LEAST_SHARE)
    # Vivid colours are favoured for one of the six places, not in the order in which they are told.
    favour = np.where(shares >= least, shares * (1 + 6 * np.minimum(chroma, 0.25)), 0)
    best = sorted(np.argsort(-favour, kind="stable")[:_MOST], key=lambda i: (-shares[i], i))
    kept = [i for i in best if shares[i] >= least[i]] or best[:1]
    return tuple(_colour(centres[i], float(shares[i])) for i in kept)


def name(lightness: float, a: float, b: float) -> str:
    """Name an OKLab colour by one of `COLOURS`.

    By lightness alone where there is hardly any chroma, else by hue in OKLCH, where dark or dull oranges and
    yellows are brown, pale ones beige, and pale or bluish reds pink.
    """
    chroma = math.hypot(a, b)
    hue = math.degrees(math.atan2(b, a)) % 360
    warm = 40 <= hue < 115
    if lightness < 0.17 or (lightness < 0.3 and chroma < 0.03):
        return "black"
    if lightness > 0.97 and chroma < 0.035:
        return "white"
    if chroma < (0.015 if warm and lightness > 0.6 else 0.04):
        return "white" if lightness > 0.94 else "grey"
    if warm:
        return _warm_name(lightness, chroma, hue)
    if hue >= 335 or hue < 40:
        return _red_name(lightness, chroma, hue)
    for end, cool in ((168, "green"), (212, "teal"), (285, "blue")):
        if hue < end:
            return cool
    return "purple"


def _warm_name(lightness: float, chroma: float, hue: float) -> str:
    """Name what lies between red and green."""
    if lightness > 0.72 and chroma < 0.09:
        return "beige"
    if hue < 78:
        return "brown" if lightness < 0.62 or chroma < 0.1 or (lightness < 0.7 and chroma < 0.16) else "orange"
    if hue < 88 and lightness < 0.7:
        return "brown"
    if lightness < 0.62:
        return "green" if hue > 100 else "brown"
    return "yellow"


def _red_name(lightness: float, chroma: float, hue: float) -> str:
    """Name what lies around red, from purple to orange."""
    if lightness < 0.5 and chroma < 0.08 and hue < 40:
        return "brown"
    if lightness > 0.8 or (lightness > 0.66 and chroma < 0.15) or (hue >= 335 and lightness > 0.5) or hue < 8:
        return "pink" if lightness > 0.42 else "purple"
    return "orange" if hue > 33 and lightness > 0.68 else "red"


def _clusters(lab: _Floats) -> tuple[_Floats, _Floats]:
    """Group n × 3 OKLab pixels: k × 3 centres and their k shares."""
    cells = np.floor(lab / _CELL).astype(np.int64) + 64
    keys = (cells[:, 0] << 16) | (cells[:, 1] << 8) | cells[:, 2]
    _, member, counts = np.unique(keys, return_inverse=True, return_counts=True)
    weights = counts.astype(np.float32)
    points = np.stack([np.bincount(member, lab[:, i]) for i in range(3)], 1).astype(np.float32)
    points /= weights[:, None]
    seeds: list[int] = []
    left = weights.copy()
    while len(seeds) < _MOST_SEEDS and left.any():
        seeds.append(int(left.argmax()))
        left[((points - points[seeds[-1]]) ** 2).sum(1) < _APART**2] = 0
    centres = points[seeds]
    nearest = np.zeros(len(points), np.int64)
    for _ in range(3):
        nearest = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(2).argmin(1)
        mass = np.bincount(nearest, weights, len(centres))
        filled = mass > 0
        for axis in range(3):
            sums = np.bincount(nearest, weights * points[:, axis], len(centres))
            centres[filled, axis] = sums[filled] / mass[filled]
    shares = np.bincount(nearest, weights, len(centres)) / len(lab)
    return centres, shares.astype(np.float32)


def _colour(centre: _Floats, share: float) -> Colour:
    lightness, a, b = (round(float(value), 4) for value in centre)
    return Colour(name=name(lightness, a, b), lab=(lightness, a, b), share=round(share, 4))
