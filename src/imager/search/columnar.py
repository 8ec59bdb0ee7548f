"""Conditions that the index's columns answer by themselves: time, position, numbers, looks.

Each function gives the pictures of any state that meet one condition; `imager.query.model` says what it means.
"""

from __future__ import annotations

import math
import re
from datetime import date

import numpy as np
from numpy.typing import NDArray

from imager.query import model as q
from imager.search.index import Index

Mask = NDArray[np.bool_]

STATES = {"present": 1, "missing": 2, "trashed": 3}

_DAY = 86_400_000
_EPOCH = date(1970, 1, 1).toordinal()
_EARTH = 6_371.0088  # km; mean radius (IUGG)
_SLICE = 250_000  # a range of time that holds fewer pictures is taken from the order by time
_SIZES = ("width", "height", "megapixels", "bytes")


def of_numbers(index: Index, numbers: NDArray[np.integer]) -> Mask:
    """The mask of these asset numbers."""
    mask = np.zeros(index.size, bool)
    mask[numbers] = True
    return mask


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────


def before(taken: NDArray[np.int64], time: int) -> int:
    """How many of the times, which fall, are at or after that one."""
    low, high = 0, len(taken)
    while low < high:
        middle = (low + high) // 2
        if taken[middle] >= time:
            low = middle + 1
        else:
            high = middle
    return low


def taken_between(index: Index, start: int | None, end: int | None) -> Mask:
    """Taken from `start` up to, not including, `end`."""
    taken = index.order_taken  # newest first
    first = 0 if end is None else before(taken, end)
    last = len(taken) if start is None else before(taken, start)
    if last - first < _SLICE:
        return of_numbers(index, index.order[first : max(first, last)])
    mask = np.ones(index.size, bool)
    if start is not None:
        mask &= index.columns.taken >= start
    if end is not None:
        mask &= index.columns.taken < end
    return mask


def taken_on(index: Index, month: int, day: int | None) -> Mask:
    """On that day, or in that month, of any year: a slice of time in each."""
    taken = index.order_taken
    mask = np.zeros(index.size, bool)
    if not len(taken):
        return mask
    for year in range(_year(int(taken[-1])), _year(int(taken[0])) + 1):
        start = date(year, month, 1).toordinal() - _EPOCH
        end = (date(year, month + 1, 1) if month < 12 else date(year + 1, 1, 1)).toordinal() - _EPOCH
        if day is not None:
            start, end = start + day - 1, min(end, start + day)
        if start < end:  # there is a 30th of February only in conditions
            mask[index.order[before(taken, end * _DAY) : before(taken, start * _DAY)]] = True
    return mask


def _year(taken: int) -> int:
    """The year of a time; the nearest that the calendar has a next one for."""
    day = min(max(taken // _DAY + _EPOCH, 1), date.max.toordinal())
    return min(date.fromordinal(day).year, date.max.year - 1)


# ── position ────────────────────────────────────────────────────────────────────────────────────────────────


def near(index: Index, circle: q.Near) -> Mask:
    """At most so far from a position."""
    columns, angle = index.columns, circle.km / _EARTH
    if not angle >= 0:
        return np.zeros(index.size, bool)
    at, reach = math.radians(circle.latitude), math.degrees(angle) + 1e-9
    within = (columns.latitude >= circle.latitude - reach) & (columns.latitude <= circle.latitude + reach)
    if abs(circle.latitude) + reach < 90:
        # The circle's widest place is not at its middle's latitude, but nearer to the pole.
        wide = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(at)))) + 1e-9
        west, east = circle.longitude - wide, circle.longitude + wide
        if west >= -180 and east <= 180:
            within &= (columns.longitude >= west) & (columns.longitude <= east)
    numbers = np.flatnonzero(within)
    latitude, longitude = np.radians(columns.latitude[numbers]), np.radians(columns.longitude[numbers])
    # The haversine of the angle between: exact to less than a metre.
    half = np.sin((latitude - at) / 2) ** 2
    half += math.cos(at) * np.cos(latitude) * np.sin((longitude - math.radians(circle.longitude)) / 2) ** 2
    return of_numbers(index, numbers[half <= (math.sin(angle / 2) ** 2 if angle < math.pi else 1.0)])


def within_box(index: Index, box: q.Box) -> Mask:
    """Within a box of degrees, edges included."""
    latitude, longitude = index.columns.latitude, index.columns.longitude
    mask: Mask = (longitude >= box.west) & (longitude <= box.east)
    if box.west > box.east:
        mask = (longitude >= box.west) | (longitude <= box.east)
    mask &= (latitude >= box.south) & (latitude <= box.north)
    return mask


# ── numbers ─────────────────────────────────────────────────────────────────────────────────────────────────


def in_range(index: Index, asked: q.Range) -> Mask:
    """With a number from `low` to `high`; without it, not."""
    columns = index.columns
    values: NDArray[np.float64]
    if asked.measure == "megapixels":
        values = columns.width.astype(np.float64) * columns.height / 1e6
    else:
        values = getattr(columns, asked.measure)
    mask: Mask
    if asked.measure in ("rating", "iso"):
        mask = values >= 0
    elif asked.measure in _SIZES:
        mask = values > 0
    else:
        mask = ~np.isnan(values)
    if asked.low is not None:
        mask &= values >= asked.low
    if asked.high is not None:
        mask &= values <= asked.high
    return mask


def shaped(index: Index, shape: q.Shape) -> Mask:
    """Upright, across, square or wide; what is square is neither upright nor across."""
    width, height = index.columns.width.astype(np.int64), index.columns.height.astype(np.int64)
    mask: Mask = (width > 0) & (height > 0)
    if shape.shape == "panorama":
        return mask & (width >= 2 * height)
    square: Mask = 20 * np.abs(width - height) <= np.maximum(width, height)
    if shape.shape == "square":
        return mask & square
    return mask & ~square & (height > width if shape.shape == "portrait" else width > height)


def has(index: Index, what: str) -> Mask:
    """Has one at all, of what columns know."""
    columns = index.columns
    mask: Mask
    match what:
        case "place":
            mask = columns.place != 0
        case "position":
            mask = ~np.isnan(columns.latitude)
        case "title":
            mask = columns.has_title != 0
        case "caption":
            mask = columns.has_caption != 0
        case "rating":
            mask = columns.rating >= 0
        case "favourite":
            mask = columns.favourite != 0
        case _:
            mask = columns.edited != 0
    return mask


# ── colour ──────────────────────────────────────────────────────────────────────────────────────────────────


def least(share: float) -> int:
    """The fewest 255ths that count as that share of a picture: shares are kept rounded, and none is no share."""
    return max(1, math.ceil(min(share, 2.0) * 255 - 0.5))


def shares(index: Index, colour: str) -> NDArray[np.uint8]:
    """How much each picture has of a colour, in 255ths; of what is no colour, nothing."""
    columns = index.columns
    if colour in q.COLOURS:
        named: NDArray[np.uint8] = columns.colour_names[q.COLOURS.index(colour)]
        return named
    total = np.zeros(index.size, np.uint16)
    if (wanted := _oklab(colour)) is not None:
        scale = np.array([127.0, 254.0, 254.0])
        low = np.floor(np.clip((wanted - q.NEARBY) * scale, -127, 127)).astype(np.int8)
        high = np.ceil(np.clip((wanted + q.NEARBY) * scale, -127, 127)).astype(np.int8)
        for lab, share in zip(columns.colour_labs, columns.colour_shares, strict=True):
            close = share != 0
            for axis, bottom, top in zip(lab, low, high, strict=True):  # most are farther on some axis
                close &= (axis >= bottom) & (axis <= top)
            numbers = np.flatnonzero(close)
            distance = ((lab[:, numbers].T / scale - wanted) ** 2).sum(axis=1)
            numbers = numbers[distance <= q.NEARBY**2]
            total[numbers] += share[numbers]
    return np.minimum(total, 255).astype(np.uint8)


def _oklab(colour: str) -> NDArray[np.float64] | None:
    """The OKLab of '#rrggbb'; None for what is no colour."""
    if re.fullmatch(r"#[0-9a-fA-F]{6}", colour) is None:
        return None
    values = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return np.asarray(_TO_LAB @ np.cbrt(_TO_LMS @ linear), np.float64)


# Björn Ottosson, 'A perceptual color space for image processing' (2020): linear sRGB → LMS, its cube root → OKLab.
_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
