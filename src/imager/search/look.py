"""What a timeline shows of each picture, as columns of the index: its id, its thumbhash, and its *look*.

The look is a digest of whatever skeleton and chunks show of a picture and of what settles its place; nothing else
changes it. A month's version is the sum of the looks of its pictures (`imager.search.skeleton`), so it needs no order
and no more than one column.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FAVOURITE: Final = 1
MOVES: Final = 2
STARS: Final = 2
"""Bits to the left in the flags: 0 no rating, 1 to 6 that many stars and one, 7 rejected."""

LONGEST: Final = 31
"""Bytes of a thumbhash that there is room for; they have 25 at the most, and what is longer is none."""

_REJECTED: Final = 7
_WORDS: Final = {"id": 2, "thumbhash": 4}  # of 64 bits each

Array = npt.NDArray[Any]

# 2^64 times the fractional parts of the square roots of the first primes, made odd.
_FACTORS: Final = tuple(
    np.uint64(factor)
    for factor in (
        *(0x6A09E667F3BCC909, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1, 0x510E527FADE682D1),
        *(0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179, 0xCBBB9D5DC1059ED9),
    )
)
# The finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
_MIX: Final = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST_SHIFT: Final = np.uint64(31)


def flags(values: Mapping[str, Array]) -> npt.NDArray[np.uint8]:
    """What a tile shows besides the picture, in a byte: FAVOURITE, MOVES, and the rating from bit STARS on."""
    rating = values["rating"]
    stars = np.where(rating < -1, _REJECTED, rating.clip(-1, 5) + 1).astype(np.uint8) << np.uint8(STARS)
    moves = (values["duration"] > 0) * np.uint8(MOVES)  # a comparison with what is unknown is false
    found: npt.NDArray[np.uint8] = stars | moves | (values["favourite"] != 0) * np.uint8(FAVOURITE)
    return found


def appearance(
    assets: Array, ids: Sequence[bytes], thumbhashes: Sequence[bytes | None], values: Mapping[str, Array]
) -> dict[str, Array]:
    """The columns `id`, `thumbhash` and `look` of these assets; `values` are their other columns.

    Both are kept as words of 64 bits whose bytes are those of the value; the last byte of a thumbhash is its length.
    """
    found = {"id": _words(ids, "id"), "thumbhash": _words([_padded(t or b"") for t in thumbhashes], "thumbhash")}
    small = values["shade"].astype(np.uint64) << np.uint64(16)
    small |= flags(values).astype(np.uint64) << np.uint64(8) | values["ratio"].astype(np.uint64)
    parts = [assets.astype(np.uint64), values["taken"].astype(np.int64).view(np.uint64), small]
    look = np.zeros(len(assets), np.uint64)
    for part, factor in zip([*parts, *found["id"], *found["thumbhash"]], _FACTORS, strict=True):
        look += part * factor
    for shift, factor in _MIX:
        look ^= look >> shift
        look *= factor
    look ^= look >> _LAST_SHIFT
    return found | {"look": look}


def read_ids(words: Array) -> list[bytes]:
    """Ids from some rows of the column `id`."""
    return _bytes(words)


def read_id_texts(words: Array) -> list[str]:
    """The same in their usual form with hyphens, as `catalog.identity.format_id` writes one, only faster."""
    size = words.shape[0] * 16
    flat = np.ascontiguousarray(words.T).tobytes().hex()
    texts = (flat[start : start + size] for start in range(0, len(flat), size))
    return [f"{t[:8]}-{t[8:12]}-{t[12:16]}-{t[16:20]}-{t[20:]}" for t in texts]


def read_thumbhashes(words: Array) -> list[bytes]:
    """Thumbhashes from some rows of the column `thumbhash`; empty where there is none."""
    return [value[: value[LONGEST]] for value in _bytes(words)]


def _padded(thumbhash: bytes) -> bytes:
    kept = thumbhash if len(thumbhash) <= LONGEST else b""
    return kept.ljust(LONGEST, b"\0") + bytes([len(kept)])


def _words(values: Sequence[bytes], column: str) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(np.frombuffer(b"".join(values), np.uint64).reshape(-1, _WORDS[column]).T)


def _bytes(words: Array) -> list[bytes]:
    flat, size = np.ascontiguousarray(words.T).tobytes(), words.shape[0] * 8
    return [flat[start : start + size] for start in range(0, len(flat), size)]
