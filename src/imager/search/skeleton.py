"""The skeleton of a timeline: three bytes a picture, enough to lay out all of a million and to colour them.

A client that knows each picture's aspect ratio knows where every one stands, before anything else has arrived; with a
colour each it can show a whole life at a glance. The skeleton comes in one piece for any query, with a table of the
months in it. Each month has a *version*, which changes exactly when something changes that skeleton or chunks
(`imager.search.chunks`) show of it: whoever holds a month in that version holds the truth.

The format, version 1; all numbers little-endian, the columns aligned to their own size:

    offset  size   what
    0       4      'IMSK'
    4       2      version of the format, 1
    6       2      0
    8       8      the library's version (of its last change)
    16      4      m, the number of months
    20      4      n, the number of pictures
    24      8 m    versions of the months, newest month first
            4 m    the months: year · 12 + month - 1
            4 m    how many pictures each has
            2 n    shades: a colour of the picture as RGB 5:6:5, newest picture first
            n      aspect ratios: width / height = exp((byte - 128) / 64)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
import numpy.typing as npt

from imager.errors import UnreadableError
from imager.search.timeline import Mask, blocks, counted, month_texts, selected

if TYPE_CHECKING:
    from imager.search.index import Index

FORMAT: Final = 1

_MAGIC: Final = b"IMSK"
_PIECE: Final = 1 << 15
_HEADER: Final = struct.Struct("<4sHHQII")

_SPARE: Final = 11
"""Bits of a sum of looks that are dropped, so that a version is a whole number in JavaScript, too."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month of a timeline; `version` changes exactly when something shown of it changes (53 bits)."""

    month: str
    count: int
    version: int


def months(index: Index, mask: Mask | None = None) -> list[Month]:
    """The months of a timeline with their versions, newest first: what of a skeleton has changed."""
    numbers, counts, versions = _table(index, selected(index, mask))
    return [Month(*row) for row in zip(month_texts(numbers), counts.tolist(), versions.tolist(), strict=True)]


def skeleton(index: Index, mask: Mask | None = None) -> bytes:
    """The skeleton of a query's pictures, or of all that are present, in the format described above."""
    mask = selected(index, mask)
    numbers, counts, versions = _table(index, mask)
    shades, ratios = [], []
    for start in range(0, len(index.order), _PIECE):  # faster than all at once: see `timeline.blocks`
        piece = index.order[start : start + _PIECE].astype(np.intp)
        pictures = piece[mask.take(piece)]
        shades.append(index.columns.shade.take(pictures).astype("<u2", copy=False).tobytes())
        ratios.append(index.columns.ratio.take(pictures).tobytes())
    return b"".join(
        (
            _HEADER.pack(_MAGIC, FORMAT, 0, index.version, len(numbers), int(counts.sum())),
            versions.astype("<u8").tobytes(),
            numbers.astype("<i4").tobytes(),
            counts.astype("<u4").tobytes(),
            *shades,
            *ratios,
        )
    )


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """A skeleton as a Python program reads it: the pictures of the months lie one after the other, newest first."""

    library_version: int
    months: list[Month]
    shades: npt.NDArray[np.uint16]
    ratios: npt.NDArray[np.uint8]

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read what `skeleton` made; UnreadableError where it is something else, or not all of it."""
        if len(data) < _HEADER.size:
            raise UnreadableError("This is not a skeleton of a timeline: it is too short.")
        magic, version, _, library, months, pictures = _HEADER.unpack_from(data)
        if magic != _MAGIC or version != FORMAT:
            raise UnreadableError("This is not a skeleton of a timeline in a format that this Imager knows.")
        sizes = (("<u8", months), ("<i4", months), ("<u4", months), ("<u2", pictures), ("u1", pictures))
        versions, numbers, counts, shades, ratios = unpack(data, _HEADER.size, sizes)
        if int(counts.sum()) != pictures:
            raise UnreadableError("The skeleton contradicts itself: its months have not as many pictures as it has.")
        table = zip(month_texts(numbers.astype(np.int64)), counts.tolist(), versions.tolist(), strict=True)
        return cls(library, [Month(*row) for row in table], shades, ratios)


def unpack(data: bytes, offset: int, sizes: tuple[tuple[str, int], ...]) -> list[npt.NDArray[Any]]:
    """Columns that lie one after the other, to the end exactly; each by its type and how many it has."""
    if offset + sum(np.dtype(kind).itemsize * count for kind, count in sizes) != len(data):
        raise UnreadableError("A piece of a timeline is not as long as it says.")
    columns = []
    for kind, count in sizes:
        columns.append(np.frombuffer(data, kind, count, offset))
        offset += columns[-1].nbytes
    return columns


# ── versions ────────────────────────────────────────────────────────────────────────────────────────────────


def version_of(index: Index, pictures: npt.NDArray[np.uint32]) -> int:
    """The version of a month that has exactly these pictures."""
    return int(index.columns.look[pictures].sum(dtype=np.uint64)) >> _SPARE


def _table(index: Index, mask: Mask) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """Numbers, counts and versions of the months, newest first."""
    column, looks = index.columns.month, index.columns.look
    numbers, counts = counted(column, mask)
    low = int(numbers.min(initial=0))
    sums = np.zeros(int(numbers.max(initial=0)) - low + 1, np.uint64)
    for piece, rows in blocks(mask):
        np.add.at(sums, column[piece][rows].astype(np.int64) - low, looks[piece][rows])
    return numbers, counts, sums[numbers - low] >> np.uint64(_SPARE)
