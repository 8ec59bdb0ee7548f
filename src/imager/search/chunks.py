"""Chunks of a timeline: what tiles show, at most 1,024 pictures at a time, by (month, chunk, version).

A chunk is counted within its month, so that a picture which comes into August 2021 moves nothing in any other month;
and with the month's version in its address it never changes: whoever asks for a version that is no longer (or not
yet) there is told the one that is. A month of 70,000 pictures has 69 chunks, each as cheap as any other.

The format, version 1; all numbers little-endian, the columns aligned to their own size (ids to one byte):

    offset  size   what
    0       4      'IMCH'
    4       2      version of the format, 1
    6       1      h, the bytes that each thumbhash takes here
    7       1      0
    8       8      the month's version
    16      4      the month: year · 12 + month - 1
    20      4      the chunk's number in the month, from 0
    24      4      n, the number of pictures
    28      4      how many pictures the whole month has
    32      8 n    taken: ms since 1970 by the clock on the wall, newest first
            16 n   ids
            2 n    shades, as in the skeleton
            n      aspect ratios, as in the skeleton
            n      flags: 1 favourite, 2 moves; from the third bit on 0 no rating, 1 to 6 stars + 1, 7 rejected
            n      how many bytes of its thumbhash count; 0: it has none
            h n    thumbhashes, filled up with zeros
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from imager.errors import NotFoundError, UnreadableError
from imager.search.look import flags, read_ids, read_thumbhashes
from imager.search.skeleton import unpack, version_of
from imager.search.timeline import PRESENT, Mask, month_number, month_places, month_texts

if TYPE_CHECKING:
    from imager.search.index import Index

FORMAT: Final = 1
CHUNK: Final = 1024
"""Pictures in each chunk of a month but the last."""

_MAGIC: Final = b"IMCH"
_HEADER: Final = struct.Struct("<4sHBBQIIII")


class Gone(NamedTuple):
    """The month is no longer, or not yet, in the version that was asked for; `version` None: it has no pictures."""

    version: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """A chunk as a Python program has it; the columns have one entry a picture, newest first."""

    month: str
    number: int
    version: int
    of: int  # pictures in the whole month
    taken: npt.NDArray[np.int64]
    ids: list[bytes]
    shades: npt.NDArray[np.uint16]
    ratios: npt.NDArray[np.uint8]
    flags: npt.NDArray[np.uint8]
    thumbhashes: list[bytes]  # empty: none

    def to_bytes(self) -> bytes:
        """The chunk in the format described above."""
        longest = max((len(t) for t in self.thumbhashes), default=0)
        number = month_number(self.month)
        count = len(self.ids)
        return b"".join(
            (
                _HEADER.pack(_MAGIC, FORMAT, longest, 0, self.version, number, self.number, count, self.of),
                self.taken.astype("<i8", copy=False).tobytes(),
                *self.ids,
                self.shades.astype("<u2", copy=False).tobytes(),
                self.ratios.tobytes(),
                self.flags.tobytes(),
                bytes(len(t) for t in self.thumbhashes),
                *(t.ljust(longest, b"\0") for t in self.thumbhashes),
            )
        )

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read what `to_bytes` made; UnreadableError where it is something else, or not all of it."""
        if len(data) < _HEADER.size:
            raise UnreadableError("This is not a chunk of a timeline: it is too short.")
        magic, form, longest, _, version, month, number, n, of = _HEADER.unpack_from(data)
        if magic != _MAGIC or form != FORMAT:
            raise UnreadableError("This is not a chunk of a timeline in a format that this Imager knows.")
        sizes = (("<i8", n), ("V16", n), ("<u2", n), ("u1", n), ("u1", n), ("u1", n), ("u1", longest * n))
        taken, ids, shades, ratios, marks, lengths, hashes = unpack(data, _HEADER.size, sizes)
        return cls(
            month=month_texts(np.array([month]))[0],
            number=number,
            version=version,
            of=of,
            taken=taken,
            ids=[i.tobytes() for i in ids],
            shades=shades,
            ratios=ratios,
            flags=marks,
            thumbhashes=[hashes[longest * k :][:size].tobytes() for k, size in enumerate(lengths.tolist())],
        )


def chunk(index: Index, mask: Mask | None, month: str, number: int, version: int) -> Chunk | Gone:
    """A chunk of a month of a query's timeline, exactly as it is in that version, or `Gone`.

    UsageError: no month; NotFoundError: the month has not so many chunks.
    """
    first, last = month_places(index, month_number(month))
    pictures = index.order[first:last]
    pictures = pictures[index.columns.state[pictures] == PRESENT if mask is None else mask[pictures]]
    if not pictures.size:
        return Gone(None)
    current = version_of(index, pictures)
    if current != version:
        return Gone(current)
    if not 0 <= number * CHUNK < pictures.size:
        raise NotFoundError(f"{month} has no chunk {number}: it has {-(-pictures.size // CHUNK)}.")
    part = pictures[number * CHUNK : (number + 1) * CHUNK]
    columns = index.columns
    values = {name: getattr(columns, name)[part] for name in ("rating", "duration", "favourite")}
    return Chunk(
        month=month,
        number=number,
        version=version,
        of=int(pictures.size),
        taken=columns.taken[part],
        ids=read_ids(columns.id[:, part]),
        shades=columns.shade[part],
        ratios=columns.ratio[part],
        flags=flags(values),
        thumbhashes=read_thumbhashes(columns.thumbhash[:, part]),
    )
