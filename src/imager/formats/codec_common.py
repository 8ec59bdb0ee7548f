"""What the codecs share: the header and the pixels they hand on, and the few pixel operations all need.

`header.py` makes a `Header` without decoding, `decode.py` makes `Pixels` with one decode, by way of the
`codec_*` module of the format. Nothing here knows a format.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from imager.errors import UnreadableError

cv2.setNumThreads(1)  # ingest runs one worker per core; more threads would only contend

_NOISE = 0.003  # share of a picture's pixels

Bytes8 = NDArray[np.uint8]

EMPTY = "the file is empty"
CUT_OFF = "cut off before the picture begins"
NOTHING_LEFT = "cut off or damaged so early that nothing of the picture is left"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a picture's header says of its pixels, before any is decoded.

    `width` and `height` are pixels as stored. Where `upright` is true the container itself carries the
    rotation (HEIF, AVIF, JPEG XL): then the two are as shown, and EXIF's orientation must be ignored.
    """

    width: int
    height: int
    frames: int = 1  # or pages; 1 where the header does not tell
    progressive: bool = False  # in passes over the whole picture, so that it must be held in memory at once
    upright: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pixels:
    """A decoded picture, perhaps at reduced scale."""

    array: Bytes8 = field(repr=False)  # H × W × 3, RGB, C-contiguous
    icc: bytes | None = field(default=None, repr=False)  # the profile in which `array` is to be read; else sRGB
    width: int  # of the picture in full, in the frame of `array`
    height: int
    upright: bool = False  # whether the container's own rotation has been applied: ignore EXIF's
    complete: bool = True  # False when the data end early and the rest is blank


def halving(width: int, height: int, long_side: int) -> int:
    """Return how often the picture can be halved without its long side falling below `long_side`."""
    times = 0
    while max(width, height) >> (times + 1) >= long_side:
        times += 1
    return times


def halved(array: Bytes8, times: int) -> Bytes8:
    """Halve H × W (× C) pixels `times` times by the mean of 2 × 2.

    OpenCV is ten times as fast where the sides are even, so an odd last row or column is left out.
    """
    for _ in range(times):
        height, width = array.shape[:2]
        half = (max(1, width // 2), max(1, height // 2))
        even = array[: half[1] * 2, : half[0] * 2] if width > 1 and height > 1 else array
        array = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
    return array


def turned(array: Bytes8, orientation: int) -> Bytes8:
    """Turn H × W × C pixels upright, given EXIF's orientation 1 … 8 (TIFF 6.0, tag 274); others mean 1."""
    match orientation:
        case 2:
            array = cv2.flip(array, 1)  # type: ignore[assignment]
        case 3:
            array = cv2.rotate(array, cv2.ROTATE_180)  # type: ignore[assignment]
        case 4:
            array = cv2.flip(array, 0)  # type: ignore[assignment]
        case 5:
            array = cv2.transpose(array)  # type: ignore[assignment]
        case 6:
            array = cv2.rotate(array, cv2.ROTATE_90_CLOCKWISE)  # type: ignore[assignment]
        case 7:
            array = cv2.rotate(cv2.transpose(array), cv2.ROTATE_180)  # type: ignore[assignment]
        case 8:
            array = cv2.rotate(array, cv2.ROTATE_90_COUNTERCLOCKWISE)  # type: ignore[assignment]
    return array


def as_rgb(array: Bytes8) -> Bytes8:
    """Make H × W, or H × W × 1 … 4 (grey, grey and alpha, RGB, RGB and alpha) contiguous RGB.

    What is transparent is laid over white, as a page would show it.
    """
    if array.ndim == 2:
        array = array[:, :, None]
    bands = array.shape[2]
    if bands in (2, 4):
        alpha = array[:, :, -1:].astype(np.uint16)
        colour = array[:, :, :-1]
        if int(alpha.min()) < 255:
            over = colour * alpha + np.uint16(255) * (255 - alpha)
            colour = ((over + 127) // 255).astype(np.uint8)
        array = colour
        bands -= 1
    if bands == 1:
        array = np.repeat(array, 3, axis=2)
    elif bands != 3:
        raise UnreadableError(f"it has {bands} channels, which no picture for the eye has")
    return np.ascontiguousarray(array)


def blank(array: Bytes8) -> bool:
    """Tell whether all pixels but a few are as the last: what decoders leave where they had no data.

    The few are what a decoder made of a cut-off code.
    """
    differs = (array != array[-1, -1]).any(axis=2)
    return bool(np.count_nonzero(differs) <= differs.size * _NOISE)


def big(data: bytes, at: int, size: int) -> int:
    """Read `size` bytes at `at` as a big-endian number; raise UnreadableError past the end."""
    if at + size > len(data):
        raise UnreadableError(CUT_OFF)
    return int.from_bytes(data[at : at + size], "big")


def little(data: bytes, at: int, size: int) -> int:
    """Read `size` bytes at `at` as a little-endian number; raise UnreadableError past the end."""
    if at + size > len(data):
        raise UnreadableError(CUT_OFF)
    return int.from_bytes(data[at : at + size], "little")
