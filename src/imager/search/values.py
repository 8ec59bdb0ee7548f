"""Values of facets: the most frequent of them, as people read them, each with what one types to ask for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imager.errors import UsageError
from imager.query import model as q
from imager.query.printer import print_query

_EPOCH = date(1970, 1, 1).toordinal()
_DAY_MS = 86_400_000

AsksFor = Callable[[Any], str | None]


def listed(
    values: Sequence[Any], counts: NDArray[Any], top: int, query: AsksFor, text: Callable[[Any], str] | None = None
) -> list[dict[str, Any]]:
    """The most frequent of these values; of equally frequent ones those that come first in their own order."""
    fewest = 1
    if len(counts) > top + 1:  # one of them may be the empty text, which stands for none
        fewest = max(1, int(np.partition(counts, len(counts) - top - 1)[len(counts) - top - 1]))
    kept = np.flatnonzero(counts >= fewest)
    ordered = sorted((-int(counts[n]), values[n]) for n in kept.tolist() if values[n] != "")[:top]
    return [
        {"value": value if text is None else text(value), "count": -count, "query": query(value)}
        for count, value in ordered
    ]


def _asked(condition: q.Condition) -> str | None:
    """What people would type for it."""
    try:
        return print_query(q.Query(condition))
    except UsageError:
        return None


_remembered = lru_cache(maxsize=4_096)


@_remembered
def asks_tag(name: str) -> str | None:
    """What one types for that tag."""
    return _asked(q.Tag(name, children=False))


@_remembered
def asks_person(name: str) -> str | None:
    """What one types for that person."""
    return _asked(q.Named("person", name))


@_remembered
def asks_camera(name: str) -> str | None:
    """What one types for that camera."""
    return _asked(q.Named("camera", name))


@_remembered
def asks_lens(name: str) -> str | None:
    """What one types for that lens."""
    return _asked(q.Named("lens", name))


@_remembered
def asks_place(name: str) -> str | None:
    """What one types for that place."""
    return _asked(q.Named("place", name))


@_remembered
def asks_kind(name: str) -> str | None:
    """What one types for that kind."""
    return _asked(q.Named("kind", name))


@_remembered
def asks_colour(name: str) -> str | None:
    """What one types for that colour."""
    return _asked(q.Colour(name))


@_remembered
def asks_rating(stars: int) -> str | None:
    """What one types for so many stars."""
    return _asked(q.Range("rating", stars, stars))


@_remembered
def asks_folder(name: str) -> str | None:
    """What one types for that folder."""
    return _asked(q.Folder(name))


@_remembered
def asks_year(year: int) -> str | None:
    """What one types for that year."""
    return _asked(q.Date(_start(year * 12), _start(year * 12 + 12)))


@_remembered
def asks_month(month: int) -> str | None:
    """What one types for that month."""
    return _asked(q.Date(_start(month), _start(month + 1)))


@_remembered
def asks_day(day: int) -> str | None:
    """What one types for that day."""
    return _asked(q.Date(day * _DAY_MS, (day + 1) * _DAY_MS))


def _start(month: int) -> int | None:
    """When a month begins, in milliseconds; None outside the calendar."""
    year = month // 12
    return (date(year, month % 12 + 1, 1).toordinal() - _EPOCH) * _DAY_MS if 1 <= year <= 9999 else None


def day_text(day: int) -> str:
    """A day since 1970 as '2021-08-14'; the calendar's first or last for one beyond."""
    return date.fromordinal(min(max(int(day) + _EPOCH, 1), date.max.toordinal())).isoformat()


def month_text(month: int) -> str:
    """A month since the year 0 as '2021-08'."""
    return f"{month // 12:04}-{month % 12 + 1:02}"


def year_text(year: int) -> str:
    """A year as '2021'."""
    return f"{year:04}"
