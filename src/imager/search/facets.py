"""Facets: how a result divides by tags, people, cameras, places, time and looks; exact counts over all of it.

Each value comes with the piece of text that asks for it, so that whoever shows facets can narrow a search by one.
Columns are counted in one pass over the numbers of the result, or of what is not in it if that is less; lists by
bitmaps, the largest first, when the result is large. What everything divides into is remembered until the library
changes.
"""

from __future__ import annotations

from functools import cached_property
from heapq import heappush, heapreplace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from imager.query import model as q
from imager.search.columnar import STATES, Mask, least
from imager.search.index import Index
from imager.search.lists import Lists, bitmap_of
from imager.search.names import known
from imager.search.values import (
    AsksFor,
    asks_camera,
    asks_colour,
    asks_day,
    asks_folder,
    asks_kind,
    asks_lens,
    asks_month,
    asks_person,
    asks_place,
    asks_rating,
    asks_tag,
    asks_year,
    day_text,
    listed,
    month_text,
    year_text,
)

TOP: Final = 20
"""Values of each facet, the most frequent first, unless told otherwise."""

SHORT: Final = 62
"""Days: a result that spans no more is counted by day, too."""

Facets = dict[str, list[dict[str, Any]]]
Counts = NDArray[np.int64]

_WIDE = 1 << 20  # more months, and sorting takes less memory than counting
_FEW = 5_000  # so many colours are picked out sooner than gone through
_MANY = 500_000  # numbers to be looked at in lists: above, bitmaps may be quicker
_BITMAP = 12_000  # numbers are looked at in the time that one bitmap takes
_STARS = 8  # ratings, from -2 (rejected) on, and room


class _Result:
    """A result, in the forms in which it is counted."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.numbers = np.flatnonzero(mask)

    @cached_property
    def bitmap(self) -> BitMap:
        return bitmap_of(self.mask)


class _Columns(NamedTuple):
    """How often each code stands in the columns, for some pictures."""

    cameras: Counts
    lenses: Counts
    places: Counts
    looks: Counts  # kind and rating
    months: Counts  # from the first month of the library on
    colours: Counts


def facets(index: Index, mask: Mask, *, top: int = TOP) -> Facets:
    """How the pictures of a mask divide: for each facet the `top` most frequent values, {value, count, query} each.

    'tags' (as they are given, without those above), 'people', 'cameras', 'lenses', 'countries', 'regions', 'places'
    (cities), 'years', 'months', 'colours' (of which a picture has a share that `colour:` finds), 'kinds', 'ratings' and
    'folders'; 'days', all of them in their order, when the result spans at most `SHORT`. `query` is None for what can't
    be typed.
    """
    remembered = known(index).counted
    if (everything := remembered.get("everything")) is None:
        everything = remembered["everything"] = _Result(index.columns.state == STATES["present"])
    result = _Result(mask)
    if len(result.numbers) == len(everything.numbers) and np.array_equal(mask, everything.mask):
        if ("facets", top) not in remembered:
            remembered["facets", top] = _facets(index, everything, top)
        return dict(remembered["facets", top])
    return _facets(index, result, top)


def _facets(index: Index, result: _Result, top: int) -> Facets:
    names, columns = index.names, _columns(index, result)
    looks = columns.looks.reshape(-1, _STARS)
    first = _first_month(index)
    months = np.flatnonzero(columns.months)
    if first is None:  # times are all over the place
        months, by_month = counted(index.columns.month[result.numbers])
    else:
        months, by_month = months + first, columns.months[months]
    years, by_year = _years(months, by_month)
    found: Facets = {
        "tags": _of_lists(index.tags, result, top, asks_tag),
        "people": _of_lists(index.people, result, top, asks_person),
        "cameras": listed(names["make_model"], columns.cameras, top, asks_camera),
        "lenses": listed(names["lens"], columns.lenses, top, asks_lens),
        **_places(index, columns.places, top),
        "years": listed(years, by_year, top, asks_year, year_text),
        "months": listed(months.tolist(), by_month, top, asks_month, month_text),
        "colours": listed(q.COLOURS, columns.colours, top, asks_colour),
        "kinds": listed(names["kind"], looks.sum(axis=1), top, asks_kind),
        "ratings": listed(range(6), looks.sum(axis=0)[2:], top, asks_rating, str),
        "folders": _of_lists(index.folders, result, top, asks_folder),
    }
    if (days := _days(index, result, months)) is not None:
        found["days"] = days
    return found


# ── counting ────────────────────────────────────────────────────────────────────────────────────────────────


def _columns(index: Index, result: _Result) -> _Columns:
    """What stands in the columns of a result."""
    remembered = known(index).counted
    everything: _Result = remembered["everything"]
    if 2 * len(result.numbers) <= len(everything.numbers):
        return _counts(index, result.numbers, _colours(index, result))
    if "columns" not in remembered:
        # All rows at once, those of pictures that are not present taken off again: nothing needs to be picked out.
        others = _Result(~everything.mask)
        all_rows = _counts(index, None, _colours(index, everything))
        remembered["columns"] = _less(all_rows, _counts(index, others.numbers, np.zeros(len(q.COLOURS), np.int64)))
    rest = _Result(everything.mask & ~result.mask)
    if len(rest.numbers) + len(result.numbers) > len(everything.numbers):  # it has pictures in other states
        return _counts(index, result.numbers, _colours(index, result))
    return _less(remembered["columns"], _counts(index, rest.numbers, _colours(index, rest)))


def _less(one: _Columns, other: _Columns) -> _Columns:
    return _Columns(*(a - b for a, b in zip(one, other, strict=True)))


def _counts(index: Index, rows: NDArray[np.intp] | None, colours: Counts) -> _Columns:
    """`rows`: the pictures; None: every row."""

    def column(name: str) -> NDArray[Any]:
        values: NDArray[Any] = getattr(index.columns, name)
        return values if rows is None else values.take(rows, mode="clip")  # of another mode: half as fast

    names, first, size = index.names, _first_month(index), _months(index)
    by_profile = np.bincount(column("profile"), minlength=len(index.profiles))
    kept = np.flatnonzero(by_profile)
    cameras, lenses, kinds, ratings = index.profiles.table[:, kept]
    months = np.zeros(0, np.intp)
    if first is not None:  # what is no asset has any month
        months = np.bincount(np.clip(column("month"), first, first + size - 1) - first, minlength=size)

    def summed(codes: Counts, different: int) -> Counts:
        return np.bincount(codes, by_profile[kept], minlength=different).astype(np.int64)

    return _Columns(
        summed(cameras, len(names["make_model"])),
        summed(lenses, len(names["lens"])),
        np.bincount(column("place"), minlength=max(index.places, default=0) + 1),
        summed(kinds * _STARS + ratings + 2, _STARS * len(names["kind"])),
        months,
        colours,
    )


def _first_month(index: Index) -> int | None:
    """The month of the oldest picture; None where months are too many to be counted one by one."""
    return _month_of(index, -1) if _months(index) else None


def _months(index: Index) -> int:
    """From the oldest picture to the newest; 0 if too many, or none."""
    if not len(index.order):
        return 0
    months = _month_of(index, 0) - _month_of(index, -1) + 1
    return months if months < _WIDE else 0


def _month_of(index: Index, place: int) -> int:
    return int(index.columns.month[index.order[place]])


def _colours(index: Index, result: _Result) -> Counts:
    enough = least(q.Colour("red").share)
    rows = index.columns.colour_names
    if len(result.numbers) <= _FEW:
        return np.asarray(np.count_nonzero(rows[:, result.numbers] >= enough, axis=1), np.int64)
    remembered = known(index).counted
    if "colours" not in remembered:
        remembered["colours"] = [_packed(row >= enough) for row in rows]
    wanted = _packed(result.mask)
    return np.array([int(np.bitwise_count(wanted & row).sum()) for row in remembered["colours"]], np.int64)


def _packed(mask: Mask) -> NDArray[np.uint64]:
    """The mask as bits, in words that are counted fast."""
    bits = np.zeros(-(-len(mask) // 64) * 8, np.uint8)
    packed = np.packbits(mask)
    bits[: len(packed)] = packed
    return bits.view(np.uint64)


def counted(values: NDArray[Any]) -> tuple[NDArray[np.int64], Counts]:
    """Which values there are, in order, and how many of each."""
    if not len(values):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    low, high = int(values.min()), int(values.max())
    if high - low >= _WIDE:
        distinct, counts = np.unique(values, return_counts=True)
        return distinct.astype(np.int64), counts
    counts = np.bincount(values - low)
    kept = np.flatnonzero(counts)
    return kept + low, counts[kept]


def _of_lists(lists: Lists, result: _Result, top: int, query: AsksFor) -> list[dict[str, Any]]:
    """The most frequent of what a picture may have several of."""
    size, everything = len(result.numbers), len(result.mask)
    if not _by_bitmaps(lists, size, everything, top):
        few = 2 * size <= everything
        counts = lists.counted(result.numbers) if few else lists.counts(result.mask)
        return listed(lists.names, counts, top, query)
    totals = lists.counts().astype(np.int64)
    order = np.argsort(-totals, kind="stable")
    count_of, bitmap = result.bitmap.intersection_cardinality, lists.bitmap
    best: list[int] = []  # a heap of the highest counts
    found = np.zeros(len(totals), np.int64)
    for number, total in zip(order.tolist(), totals[order].tolist(), strict=True):
        if len(best) == top and total < best[0]:
            break  # nothing that follows has as many pictures in all
        count = found[number] = count_of(bitmap(number))
        if len(best) < top:
            heappush(best, count)
        elif count > best[0]:
            heapreplace(best, count)
    return listed(lists.names, found, top, query)


def _by_bitmaps(lists: Lists, size: int, everything: int, top: int) -> bool:
    """Whether bitmaps of the largest are quicker than going through what the pictures have."""
    looked_at = min(size, everything - size) * lists.passes
    if looked_at <= _MANY or top > len(lists):
        return False
    totals = lists.counts()
    # In a result like the whole library, the last that is shown has its share of pictures, and what has fewer in all is
    # not looked at.
    last = int(np.partition(totals, len(totals) - top)[len(totals) - top])
    return int(np.count_nonzero(totals >= last * size / everything)) * _BITMAP <= looked_at


def _places(index: Index, counts: Counts, top: int) -> Facets:
    found: Facets = {}
    for facet, (names, of_place) in zip(("countries", "regions", "places"), known(index).regions(), strict=True):
        size = min(len(counts), len(of_place))
        sums = np.bincount(of_place[:size], counts[:size], minlength=len(names))
        found[facet] = listed(names, sums, top, asks_place)
    return found


def _years(months: NDArray[np.int64], counts: Counts) -> tuple[list[int], Counts]:
    years = months // 12
    first = np.flatnonzero(np.diff(years, prepend=years[:1] - 1))
    return years[first].tolist(), np.add.reduceat(counts, first) if len(first) else counts


def _days(index: Index, result: _Result, months: NDArray[np.int64]) -> list[dict[str, Any]] | None:
    if not len(months) or months[-1] - months[0] > SHORT // 28:
        return None
    distinct, counts = counted(index.columns.day[result.numbers])
    if distinct[-1] - distinct[0] >= SHORT:
        return None
    return [
        {"value": day_text(day), "count": count, "query": asks_day(day)}
        for day, count in zip(distinct.tolist(), counts.tolist(), strict=True)
    ]
