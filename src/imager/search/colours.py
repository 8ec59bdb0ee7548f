"""The columns of colours: from the dominant colours that the catalog keeps as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from imager.query.model import COLOURS

Array = NDArray[Any]

DOMINANT: Final = 6
"""So many colours of a picture are kept one by one."""

_COLOUR = {name.encode(): number for number, name in enumerate(COLOURS)}


def colour_columns(texts: Sequence[str]) -> dict[str, Array]:
    """`colour_names`, `colour_labs`, `colour_shares` and `shade` (see Columns) of as many pictures as texts."""
    named, numbers, counts = _parsed(texts)
    rows = np.repeat(np.arange(len(texts)), counts)
    places = np.arange(len(named)) - np.repeat(np.cumsum(counts) - counts, counts)
    sums = np.zeros((len(COLOURS), len(texts)))
    known = named >= 0
    np.add.at(sums, (named[known], rows[known]), numbers[known, 3])
    labs = np.zeros((DOMINANT, 3, len(texts)), np.int8)
    shares = np.zeros((DOMINANT, len(texts)), np.uint8)
    kept = places < DOMINANT
    labs[places[kept], :, rows[kept]] = np.round(numbers[kept, :3] * (127, 254, 254)).clip(-127, 127)
    shares[places[kept], rows[kept]] = _share(numbers[kept, 3])
    shade = np.zeros(len(texts), np.uint16)
    largest = np.lexsort((places, -numbers[:, 3], rows))
    owners, firsts = np.unique(rows[largest], return_index=True)
    shade[owners] = rgb565(numbers[largest[firsts], :3])
    return {"colour_names": _share(sums), "colour_labs": labs, "colour_shares": shares, "shade": shade}


def _share(shares: Array) -> Array:
    found: Array = np.round(shares * 255).clip(0, 255).astype(np.uint8)
    return found


def _parsed(texts: Sequence[str]) -> tuple[Array, Array, Array]:
    """Which of COLOURS each is (-1: none), L, a, b and share of each, and how many each text has.

    The texts are JSON that we wrote, `[["red",0.5,0.1,0.1,0.4],…]`: between the quotes are the names, the rest is
    numbers. That takes a quarter of the time of a JSON parser; what is written otherwise goes through one.
    """
    parts = ",".join(texts).encode().split(b'"')
    flat = b"".join(parts[::2]).translate(None, b"[] ")
    counts = np.fromiter((text.count('"') >> 1 for text in texts), np.int64, len(texts))
    named = np.fromiter((_COLOUR.get(name, -1) for name in parts[1::2]), np.int64)
    if not flat.translate(None, b"0123456789.,+-eE"):
        while b",," in flat:  # where names stood, and around texts without colours, commas meet
            flat = flat.replace(b",,", b",")
        numbers = np.fromstring(flat.strip(b","), np.float64, sep=",")
        if len(numbers) == 4 * len(named):
            return named, numbers.reshape(-1, 4), counts
    return _parsed_slowly(texts)


def _parsed_slowly(texts: Sequence[str]) -> tuple[Array, Array, Array]:
    lists = [_colours_of(text) for text in texts]
    flat = [colour for colours in lists for colour in colours]
    named = np.array([_COLOUR.get(name.encode(), -1) for name, *_ in flat], np.int64)
    numbers = np.array([numbers for _, *numbers in flat], np.float64).reshape(-1, 4)
    return named, np.nan_to_num(numbers), np.array([len(colours) for colours in lists], np.int64)


def _colours_of(text: str) -> list[list[Any]]:
    """What is a colour in a text."""
    try:
        colours = json.loads(text)
    except ValueError:
        return []
    if not isinstance(colours, list):
        return []
    return [
        c
        for c in colours
        if isinstance(c, list)
        and list(map(type, c))[:1] == [str]
        and len(c) == 5
        and all(type(v) in (int, float) and abs(v) < 1e6 for v in c[1:])
    ]


_FROM_LAB = np.array(
    [
        [1.0, 0.3963377774, 0.2158037573],
        [1.0, -0.1055613458, -0.0638541728],
        [1.0, -0.0894841775, -1.2914855480],
    ]
)
_FROM_LMS = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def rgb565(lab: Array) -> Array:
    """OKLab colours (n × 3) as sRGB of 5, 6 and 5 bits; after Björn Ottosson, 'A perceptual color space' (2020)."""
    linear = ((lab @ _FROM_LAB.T) ** 3 @ _FROM_LMS.T).clip(0, 1)
    rgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    red, green, blue = np.round(rgb * (31, 63, 31)).astype(np.uint16).T
    found: Array = red << 11 | green << 5 | blue
    return found
