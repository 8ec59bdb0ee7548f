"""A picture in about 25 bytes, to show while the real one loads: ThumbHash by Evan Wallace (evanw/thumbhash).

The published format, without transparency: a five-byte header, then the low frequencies of a DCT of luminance
and of two colour differences, four bits each. Decoders for the web and for phones exist.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

LONGEST = 100  # pixels a side of the input may have, as the format says

_Floats = NDArray[np.float32]


def thumbhash(rgb: NDArray[np.uint8]) -> bytes:
    """Encode H × W × 3 sRGB pixels, no side longer than `LONGEST`. Raises ValueError for larger ones."""
    height, width = rgb.shape[:2]
    longest = max(height, width)
    if longest > LONGEST:
        raise ValueError(f"a ThumbHash is made of at most {LONGEST} pixels a side, not {longest}")
    lx, ly = max(1, _round(7 * width / longest)), max(1, _round(7 * height / longest))
    red, green, blue = np.moveaxis(rgb.astype(np.float32) / np.float32(255), 2, 0)
    luminance = _encoded((red + green + blue) / np.float32(3), max(3, lx), max(3, ly))
    yellow_blue = _encoded((red + green) * np.float32(0.5) - blue, 3, 3)
    red_green = _encoded(red - green, 3, 3)

    landscape = width > height
    header = (
        _round(63 * luminance[0])
        | _round(31.5 + 31.5 * yellow_blue[0]) << 6
        | _round(31.5 + 31.5 * red_green[0]) << 12
        | _round(31 * luminance[2]) << 18
    )
    tail = (
        (ly if landscape else lx) | _round(63 * yellow_blue[2]) << 3 | _round(63 * red_green[2]) << 9 | landscape << 15
    )
    nibbles = [*luminance[1], *yellow_blue[1], *red_green[1]]
    nibbles += [0] * (len(nibbles) % 2)
    packed = bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))
    return bytes(header.to_bytes(3, "little") + tail.to_bytes(2, "little") + packed)


def picture_of(hash_: bytes, longest: int = 32) -> NDArray[np.uint8]:
    """Decode a ThumbHash without transparency: H × W × 3 sRGB pixels, the longer side as given, about in its shape.

    Raises ValueError for what is none.
    """
    if len(hash_) < 5:
        raise ValueError("a ThumbHash has five bytes at least")
    header, tail = int.from_bytes(hash_[:3], "little"), int.from_bytes(hash_[3:5], "little")
    if header >> 23:
        raise ValueError("ThumbHashes with transparency are not made here")
    landscape = bool(tail >> 15)
    lx, ly = (7, max(3, tail & 7)) if landscape else (max(3, tail & 7), 7)
    wide, high = (7, max(1, tail & 7)) if landscape else (max(1, tail & 7), 7)
    width, height = (max(1, _round(longest * side / max(wide, high))) for side in (wide, high))
    nibbles = [nibble for byte in hash_[5:] for nibble in (byte & 15, byte >> 4)]
    channels = []
    for nx, ny, mean, scale in (
        (lx, ly, (header & 63) / 63, (header >> 18 & 31) / 31),
        (3, 3, (header >> 6 & 63) / 31.5 - 1, (tail >> 3 & 63) / 63 * 1.25),
        (3, 3, (header >> 12 & 63) / 31.5 - 1, (tail >> 9 & 63) / 63 * 1.25),
    ):
        kept = _triangle(nx, ny)
        count = int(kept.sum())
        if len(nibbles) < count:
            raise ValueError("the ThumbHash is cut off")
        terms = np.zeros((ny, nx), np.float32)
        terms[kept] = (np.array(nibbles[:count], np.float32) / np.float32(7.5) - 1) * np.float32(scale)
        del nibbles[:count]
        channels.append(mean + 2 * (_cosines(height, ny).T @ terms @ _cosines(width, nx)))
    luminance, yellow_blue, red_green = channels
    blue = luminance - yellow_blue * (2 / 3)
    red = (3 * luminance - blue + red_green) / 2
    rgb = np.stack((red, red - red_green, blue), axis=2)
    return np.asarray(np.round(np.clip(rgb, 0, 1) * 255), np.uint8)


def blurred(hash_: bytes) -> bytes:
    """A ThumbHash as a small JPEG. ValueError as of `picture_of`."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture_of(hash_)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def _encoded(channel: _Floats, nx: int, ny: int) -> tuple[float, list[int], float]:
    """Transform one channel: its mean, its frequencies in four bits each, and the scale of these."""
    height, width = channel.shape
    terms = _cosines(height, ny) @ channel @ _cosines(width, nx).T / (width * height)
    frequencies = terms[_triangle(nx, ny)]
    scale = float(np.abs(frequencies).max())
    if scale > 0:
        frequencies = 0.5 + 0.5 / scale * frequencies
    return float(terms[0, 0]), [_round(15 * float(f)) for f in frequencies], scale


@lru_cache(maxsize=256)
def _cosines(length: int, count: int) -> _Floats:
    """Make the first `count` cosines over `length` samples, one a row."""
    at = (np.arange(length) + 0.5) * (math.pi / length)
    return np.cos(np.arange(count)[:, None] * at[None, :]).astype(np.float32)


@lru_cache(maxsize=64)
def _triangle(nx: int, ny: int) -> NDArray[np.bool_]:
    """Choose the frequencies that are kept, rows by y: those below the diagonal, without the mean."""
    x, y = np.arange(nx)[None, :], np.arange(ny)[:, None]
    kept: NDArray[np.bool_] = x * ny < nx * (ny - y)
    kept[0, 0] = False
    return kept


def _round(value: float) -> int:
    """Round halves up, as JavaScript does."""
    return math.floor(value + 0.5)
