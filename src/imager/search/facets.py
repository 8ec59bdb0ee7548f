"""Facets: how a result divides by tags, people, cameras, places, time and looks; exact counts over all of it.

Each value comes with the piece of text that asks for it, so that whoever shows facets can narrow a search by one.
Columns are counted in one pass over the numbers of the result, lists by `Lists.counts`. What everything divides into is
remembered until the library changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from heapq import heappush, heappushpop
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from imager.errors import UsageError
from imager.query import model as q
from imager.query.printer import print_query
from imager.search.columnar import Mask, least
from imager.search.index import Index
from imager.search.lists import Lists, bitmap_of
from imager.search.names import known

TOP: Final = 20
"""Values of each facet, the most frequent first, unless told otherwise."""

SHORT: Final = 62
"""Days: a result that spans no more is counted by day, too."""

Facets = dict[str, list[dict[str, Any]]]

_WIDE = 1 << 20  # from here on sorting takes less memory than counting
_FEW_LISTS = 20_000  # above, lists are counted by bitmaps, the largest first
_FEW = 50_000  # so many colours are picked out sooner than gone through
_EPOCH = date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000
_KINDS_OF_RATING = 8


def facets(index: Index, mask: Mask, *, top: int = TOP) -> Facets:
    """How the pictures of a mask divide: for each facet the `top` most frequent values, {value, count, query} each.

    'tags' (as they are given, without those above), 'people', 'cameras', 'lenses', 'countries', 'regions', 'places'
    (cities), 'years', 'months', 'colours' (of which a picture has a share that `colour:` finds), 'kinds', 'ratings' and
    'folders'; 'days', all of them in their order, when the result spans at most `SHORT`.
    """
    remembered = known(index).counted
    present = index.columns.state == 1
    if np.array_equal(mask, present):
        if (everything := remembered.get(("facets", top))) is None:
            everything = remembered["facets", top] = _counted(index, mask, top)
        return dict(everything)
    return _counted(index, mask, top)


def _counted(index: Index, mask: Mask, top: int) -> Facets:
    columns, names = index.columns, index.names
    numbers = np.flatnonzero(mask)
    looks = np.bincount(columns.kind[numbers].astype(np.intp) * _KINDS_OF_RATING + columns.rating[numbers] + 2)
    looks = np.append(looks, np.zeros(-len(looks) % _KINDS_OF_RATING, looks.dtype)).reshape(-1, _KINDS_OF_RATING)
    months, by_month = counted(columns.month[numbers])
    found: Facets = {
        "tags": _of_lists(index.tags, mask, numbers, top, lambda name: q.Tag(name, children=False)),
        "people": _of_lists(index.people, mask, numbers, top, lambda name: q.Named("person", name)),
        "cameras": _coded(columns.make_model[numbers], names["make_model"], top, "camera"),
        "lenses": _coded(columns.lens[numbers], names["lens"], top, "lens"),
        **_places(index, columns.place[numbers], top),
        "years": _listed(*_years(months, by_month), top, _year),
        "months": _listed([month_text(m) for m in months], by_month, top, _month),
        "colours": _listed(q.COLOURS, _colours(index, mask, numbers), top, lambda name: q.Colour(name)),
        "kinds": _listed(names["kind"], looks.sum(axis=1), top, lambda name: q.Named("kind", name)),
        "ratings": _listed(
            ["0", "1", "2", "3", "4", "5"],
            looks.sum(axis=0)[2:],
            top,
            lambda stars: q.Range("rating", int(stars), int(stars)),
        ),
        "folders": _of_lists(index.folders, mask, numbers, top, lambda name: q.Folder(name)),
    }
    if (days := _days(columns.day[numbers])) is not None:
        found["days"] = days
    return found


def _listed(
    values: Sequence[str], counts: Any, top: int, condition: Callable[[str], q.Condition]
) -> list[dict[str, Any]]:
    """The most frequent of these values; of equally frequent ones those that come first in their own order."""
    counts = np.asarray(counts)
    if len(counts) > top:
        kept = np.flatnonzero(counts >= max(1, int(np.partition(counts, len(counts) - top)[len(counts) - top])))
    else:
        kept = np.flatnonzero(counts)
    ordered = sorted((-int(counts[n]), values[n]) for n in kept.tolist() if values[n])[:top]
    return [{"value": value, "count": -count, "query": _text(condition(value))} for count, value in ordered]


@lru_cache(maxsize=16_384)
def _text(condition: q.Condition) -> str | None:
    """What people would type for it; None for what can't be typed."""
    try:
        return print_query(q.Query(condition))
    except UsageError:
        return None


def _of_lists(
    lists: Lists, mask: Mask, numbers: NDArray[np.int64], top: int, condition: Callable[[str], q.Condition]
) -> list[dict[str, Any]]:
    """The same of what a picture may have several of."""
    if len(numbers) <= _FEW_LISTS:
        return _listed(lists.names, lists.counts(mask), top, condition)
    wanted, totals = bitmap_of(mask), lists.counts()
    best: list[int] = []  # a heap of the highest counts
    names, counts = [], []
    for number in np.argsort(-totals.astype(np.int64), kind="stable").tolist():
        if len(best) == top and totals[number] < best[0]:
            break  # nothing that follows has as many pictures in all
        count = wanted.intersection_cardinality(lists.bitmap(number))
        if count and (len(best) < top or count >= best[0]):
            names.append(lists.names[number])
            counts.append(count)
            (heappush if len(best) < top else heappushpop)(best, count)
    return _listed(names, counts, top, condition)


def _coded(codes: NDArray[Any], names: Sequence[str], top: int, what: Any) -> list[dict[str, Any]]:
    counts = np.bincount(codes, minlength=len(names))
    counts[0] = 0  # of what has none
    return _listed(names, counts[: len(names)], top, lambda name: q.Named(what, name))


def _places(index: Index, codes: NDArray[np.uint32], top: int) -> Facets:
    counts = np.bincount(codes)
    found: Facets = {}
    for facet, (names, of_place) in zip(("countries", "regions", "places"), known(index).regions(), strict=True):
        size = min(len(counts), len(of_place))
        sums = np.bincount(of_place[:size], counts[:size], minlength=len(names))
        sums[0] = 0
        found[facet] = _listed(names, sums, top, lambda name: q.Named("place", name))
    return found


def counted(values: NDArray[Any]) -> tuple[list[int], NDArray[np.int64]]:
    """Which values there are, in order, and how many of each."""
    if not len(values):
        return [], np.zeros(0, np.int64)
    low, high = int(values.min()), int(values.max())
    if high - low >= _WIDE:
        distinct, counts = np.unique(values, return_counts=True)
        return distinct.tolist(), counts
    counts = np.bincount(values - low)
    kept = np.flatnonzero(counts)
    return (kept + low).tolist(), counts[kept]


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────


def _years(months: Iterable[int], counts: NDArray[np.int64]) -> tuple[list[str], list[int]]:
    years: dict[str, int] = {}
    for month, count in zip(months, counts.tolist(), strict=True):
        year = year_text(month // 12)
        years[year] = years.get(year, 0) + count
    return list(years), list(years.values())


def month_text(month: int) -> str:
    """A month since the year 0 as '2021-08'."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


def year_text(year: int) -> str:
    """A year as '2021'."""
    return f"{year:04}"


def _year(text: str) -> q.Condition:
    year = int(text)
    return q.Date(_start(year * 12), _start(year * 12 + 12))


def _month(text: str) -> q.Condition:
    year, _, month = text.rpartition("-")
    number = int(year) * 12 + int(month) - 1
    return q.Date(_start(number), _start(number + 1))


def _start(month: int) -> int | None:
    """When a month begins, in milliseconds; None outside the calendar."""
    year = month // 12
    return (date(year, month % 12 + 1, 1).toordinal() - _EPOCH) * _DAY_MS if 1 <= year <= 9999 else None


def _days(days: NDArray[np.int32]) -> list[dict[str, Any]] | None:
    if not len(days) or int(days.max()) - int(days.min()) >= SHORT:
        return None
    distinct, counts = counted(days)
    found = []
    for day, count in zip(distinct, counts.tolist(), strict=True):
        if not 1 <= day + _EPOCH < date.max.toordinal():
            continue
        condition = q.Date(day * _DAY_MS, (day + 1) * _DAY_MS)
        found.append({"value": day_text(day), "count": count, "query": _text(condition)})
    return found


def day_text(day: int) -> str:
    """A day since 1970 as '2021-08-14'."""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


# ── looks ───────────────────────────────────────────────────────────────────────────────────────────────────


def _colours(index: Index, mask: Mask, numbers: NDArray[np.int64]) -> list[int]:
    enough = least(q.Colour("red").share)
    if len(numbers) <= _FEW:
        return [int(np.count_nonzero(row[numbers] >= enough)) for row in index.columns.colour_names]
    return [int(np.count_nonzero((row >= enough) & mask)) for row in index.columns.colour_names]
