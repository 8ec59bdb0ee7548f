"""Time: how many pictures each month and day has, and pages in either direction from any place.

Everything here takes an index and a *mask* (a bool for each asset number, as `imager.search.evaluate` makes it for a
query); None stands for all pictures that are present. The order is that of the whole library: newest first, of equal
times the one that came last. A page begins beside a *cursor*, the key (taken, number) of a picture, so that pictures
which come or go elsewhere never make one appear twice or be passed over; finding it is a binary search.
"""

from __future__ import annotations

import base64
import binascii
import bisect
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from imager.errors import UsageError
from imager.query.model import All, AnyOf, Condition, Date
from imager.query.text import parse
from imager.search.look import read_id_texts, read_thumbhashes

if TYPE_CHECKING:
    from imager.search.index import Index

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.uint32]
_Key = tuple[int, int]

PRESENT: Final = 1
"""The state of a picture that is there, in the index."""

_EPOCH: Final = 1970 * 12  # the month in which milliseconds begin
_FEW: Final = 1 << 16  # hits of which the nearest are picked out when they lie far apart
_NEAR: Final = 1 << 14  # places of the order that are looked at in one go, at the most, where hits are few
_BLOCK: Final = 1024  # places of the order looked at first; four times as many each time after
_LARGEST_BLOCK: Final = 1 << 18
_TOP: Final = ((1 << 63) - 1, 1 << 32)  # a key before all others, and one behind them
_BOTTOM: Final = (-(1 << 63), -1)
_PIECE: Final = 1 << 15
_WIDE: Final = 1 << 21  # days: from there on sorting takes less memory than counting


@dataclass(frozen=True, slots=True)
class YearCount:
    """How many pictures were taken in a year ('2021')."""

    year: str
    count: int


@dataclass(frozen=True, slots=True)
class MonthCount:
    """How many pictures were taken in a month ('2021-08')."""

    month: str
    count: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many pictures were taken on a day ('2021-08-14')."""

    day: str
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """What a page shows of a picture without opening it."""

    id: str
    taken: int  # ms since 1970 by the clock on the wall
    width: int | None
    height: int | None
    thumbhash: str | None  # hexadecimal
    kind: str
    rating: int | None
    favourite: bool


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """Pictures, newest first. `older` goes to `after`, `newer` to `before`; None: nothing is there now."""

    rows: list[Row]
    older: str | None
    newer: str | None


# ── counts ──────────────────────────────────────────────────────────────────────────────────────────────────


def years(index: Index, mask: Mask | None = None) -> list[YearCount]:
    """The years in which pictures were taken, newest first."""
    counts: dict[str, int] = {}
    for month in months(index, mask):
        counts[month.month[:-3]] = counts.get(month.month[:-3], 0) + month.count
    return [YearCount(*pair) for pair in counts.items()]


def months(index: Index, mask: Mask | None = None) -> list[MonthCount]:
    """The months in which pictures were taken, newest first."""
    numbers, counts = counted(index.columns.month, selected(index, mask))
    return [MonthCount(*pair) for pair in zip(month_texts(numbers), counts.tolist(), strict=True)]


def days(index: Index, mask: Mask | None = None) -> list[DayCount]:
    """The days on which pictures were taken, newest first."""
    numbers, counts = counted(index.columns.day, selected(index, mask))
    texts = numbers.astype("datetime64[D]").astype(str).tolist()
    return [DayCount(*pair) for pair in zip(texts, counts.tolist(), strict=True)]


def selected(index: Index, mask: Mask | None) -> Mask:
    """The mask itself, or that of everything present."""
    return index.columns.state == PRESENT if mask is None else mask


def blocks(mask: Mask) -> Iterator[tuple[slice, npt.NDArray[np.int64]]]:
    """A mask, a piece at a time: the piece's rows in the columns, and which of these are meant, counted within it.

    What is computed of a piece stays in the processor's cache: twice as fast as all at once, and needs little memory.
    """
    for start in range(0, len(mask), _PIECE):
        rows = np.flatnonzero(mask[start : start + _PIECE])
        if rows.size:
            yield slice(start, start + _PIECE), rows


def counted(column: npt.NDArray[np.int32], mask: Mask) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The values that a column has in a mask, highest first, and how often each."""
    low, high = int(column.min(initial=0)), int(column.max(initial=0))
    if high - low > _WIDE:
        values, amounts = np.unique(column[mask], return_counts=True)
        return values[::-1].astype(np.int64), amounts[::-1]
    counts = np.zeros(high - low + 1, np.int64)
    for piece, rows in blocks(mask):
        np.add.at(counts, column[piece][rows].astype(np.int64) - low, 1)
    found = np.flatnonzero(counts)[::-1]
    return found + low, counts[found]


# ── months by name ──────────────────────────────────────────────────────────────────────────────────────────


def month_texts(numbers: npt.NDArray[np.int64]) -> list[str]:
    """'2021-08' for each number of a month (year · 12 + month - 1)."""
    texts: list[str] = (numbers - _EPOCH).astype("datetime64[M]").astype(str).tolist()
    return texts


def month_number(text: str) -> int:
    """The number of a month ('2021-08'); UsageError where it is none."""
    year, _, month = text.partition("-")
    if not (
        len(year) == 4 and len(month) == 2 and text.isascii() and (year + month).isdigit() and 1 <= int(month) <= 12
    ):
        raise UsageError(f"'{text}' is not a month: write it as 2021-08.")
    return int(year) * 12 + int(month) - 1


def month_places(index: Index, month: int) -> tuple[int, int]:
    """The places in `index.order` that a month takes: from, and up to but not including."""
    start, end = (
        int(np.datetime64(m - _EPOCH, "M").astype("datetime64[ms]").astype(np.int64)) for m in (month, month + 1)
    )
    return _place(index.order_taken, end - 1), _place(index.order_taken, start - 1)


def _place(taken: npt.NDArray[np.int64], latest: int) -> int:
    """The first place of what was taken at `latest` or before, in a list with the newest first."""
    return bisect.bisect_left(taken, -latest, key=lambda t: -int(t))


def moment(text: str, now: datetime | None = None) -> int:
    """The moment at whose eve a date in words lies ('aug 2021': the end of that month), to jump to with `page`.

    In ms by the clock on the wall; of a time that has no end, like 'since 2020', the end of all. `now`: what 'last
    summer' goes by. UsageError where the text names no date.
    """
    date = _first_date(parse(text, now=now).query.where)
    if date is None:
        raise UsageError(f"'{text}' is not a date: write one as 2021, 2021-08, 2021-08-14 or 'aug 2021'.")
    return _TOP[0] if date.end is None else date.end


def _first_date(condition: Condition) -> Date | None:
    """What may as well be meant as words has the date beside these."""
    if isinstance(condition, Date):
        return condition
    parts = condition.parts if isinstance(condition, All | AnyOf) else ()
    return next((date for part in parts if (date := _first_date(part)) is not None), None)


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────


def page(
    index: Index,
    mask: Mask | None = None,
    *,
    after: str | None = None,
    before: str | None = None,
    at: int | None = None,
    limit: int = 200,
) -> TimelinePage:
    """At most `limit` pictures, newest first: from the newest on, or from a place on.

    `after` (a page's `older`) gives those that follow, `before` (its `newer`) those that stand just above. `at` jumps:
    it gives those taken before that moment (ms by the clock on the wall; the end of the month that people named), or
    the oldest where all were taken later. UsageError: a cursor that is none, or two places at once.
    """
    if limit < 1:
        raise UsageError("A page holds at least one picture.")
    if sum(place is not None for place in (after, before, at)) > 1:
        raise UsageError("A page begins at one place: after or before a cursor, or at a date.")
    hits = _Hits(index, selected(index, mask))
    if before is not None:
        beside = _read_cursor(before)
        numbers = hits.newer(beside, limit + 1)
        more = hits.has(beside) or bool(hits.older(beside, 1))
        return _filled(index, numbers[-limit:], len(numbers) > limit, more)
    beside = _read_cursor(after) if after is not None else (at, 0) if at is not None else _TOP
    numbers = hits.older(beside, limit + 1)
    if at is not None and not numbers:
        numbers = hits.newer(_BOTTOM, limit + 1)
        return _filled(index, numbers[-limit:], len(numbers) > limit, False)
    fewer = beside != _TOP and (hits.has(beside) or bool(hits.newer(beside, 1)))
    return _filled(index, numbers[:limit], fewer, len(numbers) > limit)


def _filled(index: Index, numbers: list[int], fewer: bool, more: bool) -> TimelinePage:
    if not numbers:
        return TimelinePage([], None, None)
    columns, kinds, chosen = index.columns, index.names["kind"], np.array(numbers)
    taken = columns.taken[chosen].tolist()
    rows = [
        Row(i, when, width or None, height or None, thumbhash.hex() or None, kinds[kind], _rating(rating), bool(liked))
        for i, when, width, height, thumbhash, kind, rating, liked in zip(
            read_id_texts(columns.id[:, chosen]),
            taken,
            columns.width[chosen].tolist(),
            columns.height[chosen].tolist(),
            read_thumbhashes(columns.thumbhash[:, chosen]),
            columns.kind[chosen].tolist(),
            columns.rating[chosen].tolist(),
            columns.favourite[chosen].tolist(),
            strict=True,
        )
    ]
    first, last = _cursor(taken[0], numbers[0]), _cursor(taken[-1], numbers[-1])
    return TimelinePage(rows, last if more else None, first if fewer else None)


def _rating(code: int) -> int | None:
    """As the catalog has it, from how the index has it."""
    return None if code == -1 else max(code, -1)


class _Hits:
    """The pictures of a mask beside a key (taken, number), newest first; the key itself need not be that of any.

    They are looked for in the order of everything, from the key on. If few are that near, and there are not many at
    all, the nearest are picked out of them instead, and put in order.
    """

    def __init__(self, index: Index, mask: Mask) -> None:
        self._index = index
        self._mask = mask
        self._reach = _NEAR if np.count_nonzero(mask) <= _FEW else index.size

    def has(self, key: _Key) -> bool:
        """Whether the picture with that key is one of them."""
        taken, number = key
        return 0 < number < len(self._mask) and bool(self._mask[number]) and self._index.columns.taken[number] == taken

    def older(self, key: _Key, limit: int) -> list[int]:
        """The first `limit` that follow the key."""
        place, found = self._place(key, bisect.bisect_right), list[int]()
        for size in _growing(limit):
            if place >= len(self._index.order) or len(found) >= limit:
                break
            if size > self._reach:
                return self._nearest(key, limit, older=True)
            found += self._between(place, place + size)[: limit - len(found)].tolist()
            place += size
        return found

    def newer(self, key: _Key, limit: int) -> list[int]:
        """The last `limit` that stand before the key."""
        place, wanted, pieces = self._place(key, bisect.bisect_left), limit, list[list[int]]()
        for size in _growing(limit):
            if place <= 0 or wanted <= 0:
                break
            if size > self._reach:
                return self._nearest(key, limit, older=False)
            pieces.append(self._between(max(0, place - size), place)[-wanted:].tolist())
            wanted -= len(pieces[-1])
            place -= size
        return [number for piece in reversed(pieces) for number in piece]

    def _place(self, key: _Key, search: Callable[..., int]) -> int:
        order, taken = self._index.order, self._index.order_taken
        return search(range(len(order)), (-key[0], -key[1]), key=lambda p: (-int(taken[p]), -int(order[p])))

    def _between(self, start: int, end: int) -> Numbers:
        piece = self._index.order[start:end]
        return piece[np.flatnonzero(self._mask.take(piece))]

    def _nearest(self, key: _Key, limit: int, *, older: bool) -> list[int]:
        numbers = np.flatnonzero(self._mask)
        taken = self._index.columns.taken[numbers]
        beside = (taken < key[0]) if older else (taken > key[0])
        beside |= (taken == key[0]) & ((numbers < key[1]) if older else (numbers > key[1]))
        numbers, taken = numbers[beside], taken[beside]
        if numbers.size > limit:
            # Those beyond the last time that is wanted, and of that time, which many may have, as many as are missing.
            if older:
                last = np.partition(taken, -limit)[-limit]
                beyond = np.flatnonzero(taken > last)
                near = np.concatenate([beyond, np.flatnonzero(taken == last)[beyond.size - limit :]])
            else:
                last = np.partition(taken, limit - 1)[limit - 1]
                beyond = np.flatnonzero(taken < last)
                near = np.concatenate([beyond, np.flatnonzero(taken == last)[: limit - beyond.size]])
            numbers, taken = numbers[near], taken[near]
        ordered = numbers[np.lexsort((numbers, taken))[::-1]]
        found: list[int] = ordered.tolist()
        return found


def _growing(limit: int) -> Iterator[int]:
    """How far to look at a time: far where hits are rare."""
    size = max(_BLOCK, 2 * limit)
    while True:
        yield size
        size = min(4 * size, max(size, _LARGEST_BLOCK))


# ── cursors ─────────────────────────────────────────────────────────────────────────────────────────────────

_CURSOR: Final = struct.Struct(">qI")


def _cursor(taken: int, number: int) -> str:
    return base64.urlsafe_b64encode(_CURSOR.pack(taken, number)).decode()


def _read_cursor(text: str) -> _Key:
    try:
        taken, number = _CURSOR.unpack(base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True))
    except (binascii.Error, struct.error, ValueError):
        raise UsageError(f"'{text}' is not a place in the timeline: give what a page calls older or newer.") from None
    return taken, number
