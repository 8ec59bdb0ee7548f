"""An index made of a few lines: what the tests of timeline, skeleton, chunks and maps look at, without a catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from imager.search.columns import Columns, Names
from imager.search.index import Index
from imager.search.look import appearance
from imager.search.order import Order

EPOCH = datetime(1970, 1, 1)
FIRST = (datetime.min - EPOCH) // timedelta(milliseconds=1)
LAST = (datetime.max - EPOCH) // timedelta(milliseconds=1)
"""The calendar's first and last millisecond: years 1 and 9999."""


def ms(text: str) -> int:
    """A moment as the catalog has it."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


def wall(taken: int) -> datetime:
    """The other way."""
    return EPOCH + timedelta(milliseconds=taken)


@dataclass(frozen=True)
class Picture:
    """One asset; its number is its place in the list, from 1 on."""

    taken: int = 0
    state: int = 1
    latitude: float = float("nan")
    longitude: float = float("nan")
    rating: int = -1  # as the index has it
    favourite: int = 0
    duration: float = float("nan")
    ratio: int = 128
    shade: int = 0
    thumbhash: bytes | None = b"hash"


def identifier(number: int) -> bytes:
    """The id of the picture with that number."""
    return hashlib.sha256(b"%d" % number).digest()[:16]


def made(pictures: Sequence[Picture]) -> Index:
    """An index that holds these pictures."""
    size = len(pictures) + 1
    columns = Columns.empty(size)
    taken = np.array([p.taken for p in pictures], np.int64)
    months = taken.astype("M8[ms]").astype("M8[M]").astype(np.int64)
    values: dict[str, npt.NDArray[np.generic]] = {
        "taken": taken,
        "day": (taken // 86_400_000).astype(np.int32),
        "month": (months + 1970 * 12).astype(np.int32),
        "kind": np.ones(len(pictures), np.uint16),
        "width": np.full(len(pictures), 40, np.uint32),
    }
    for name in ("state", "latitude", "longitude", "rating", "favourite", "duration", "ratio", "shade"):
        values[name] = np.array([getattr(p, name) for p in pictures], getattr(columns, name).dtype)
    numbers = np.arange(1, size)
    values |= appearance(numbers, [identifier(n) for n in range(1, size)], [p.thumbhash for p in pictures], values)
    columns.put(numbers, values)
    index = Index.__new__(Index)
    index.columns, index.size, index.version = columns, size, 7
    index._order = Order.of(numbers, taken)
    index._names = Names({**Names.empty().names, "kind": ["", "image"]})
    return index


def mask_of(index: Index, numbers: Sequence[int]) -> npt.NDArray[np.bool_]:
    """A mask of these assets."""
    mask = np.zeros(index.size, np.bool_)
    mask[list(numbers)] = True
    return mask
