"""Days, months, years, seasons: arithmetic on spans of days, and how they are called on a chip.

Spans are half open, [first, until). Weeks begin on Monday. Seasons are the meteorological ones of the northern
hemisphere (spring is March to May); winter has the name of the year in which it begins: winter 2020 is December 2020
to February 2021.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import Final

from imager.query.model import AnyOf, Condition, Date, OnDay
from imager.query.moments import MONTHS

Span = tuple[date, date]

SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "winter": 12}
"""Each by its first month."""

HOLIDAYS: Final[dict[str, tuple[tuple[int, int], tuple[int, int]]]] = {
    "christmas": ((12, 24), (12, 26)),
    "christmas eve": ((12, 24), (12, 24)),
    "new year's eve": ((12, 31), (12, 31)),
    "new year's day": ((1, 1), (1, 1)),
    "halloween": ((10, 31), (10, 31)),
    "valentine's day": ((2, 14), (2, 14)),
    "epiphany": ((1, 6), (1, 6)),
}
"""Those that are on the same (month, day) every year: from, to."""

_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = timedelta(days=1)
_LEAP: Final = 2000


def milliseconds(day: date) -> int:
    """When that day begins, as `query.model.Date` counts."""
    return (day - _EPOCH).days * 86_400_000


def within(span: Span) -> Date:
    """Taken in that span."""
    return Date(milliseconds(span[0]), milliseconds(span[1]))


def day_span(year: int, month: int, day: int) -> Span | None:
    """That day; None where there is no such day."""
    try:
        first = date(year, month, day)
    except ValueError:
        return None
    return first, first + _DAY


def month_span(year: int, month: int, count: int = 1) -> Span:
    """So many months from that one; months beyond December (or before January) are those of other years."""
    last = year * 12 + month - 1 + count
    first = last - count
    return date(first // 12, first % 12 + 1, 1), date(last // 12, last % 12 + 1, 1)


def year_span(year: int, count: int = 1) -> Span:
    """So many years."""
    return date(year, 1, 1), date(year + count, 1, 1)


def season_span(season: str, year: int) -> Span:
    """That season of that year; winter ends in the next."""
    return month_span(year, SEASONS[season], 3)


def last_season(season: str, today: date) -> Span:
    """The latest that is over."""
    return next(
        span for year in (today.year, today.year - 1, today.year - 2) if (span := season_span(season, year))[1] <= today
    )


def this_season(season: str, today: date) -> Span:
    """That of this year; of winters the one that ended or ends this year, from July on the one that begins."""
    return season_span(season, today.year - (season == "winter" and today.month < 7))


def last_month(month: int, today: date) -> Span:
    """The latest month of that name that is over."""
    span = month_span(today.year, month)
    return span if span[1] <= today else month_span(today.year - 1, month)


def unit_span(unit: str, distance: int, today: date) -> Span | None:
    """The day, week, weekend, month or year that lies so many away from this one; None beyond what a calendar has."""
    try:
        if unit == "day":
            first = today + timedelta(days=distance)
            return first, first + _DAY
        if unit in ("week", "weekend"):
            monday = today - timedelta(days=today.weekday()) + timedelta(weeks=distance)
            return (monday, monday + 7 * _DAY) if unit == "week" else (monday + 5 * _DAY, monday + 7 * _DAY)
        return month_span(today.year, today.month + distance) if unit == "month" else year_span(today.year + distance)
    except (ValueError, OverflowError):
        return None


def rolling(unit: str, count: int, today: date) -> Span | None:
    """From the day that lies so many days, weeks, months or years back, to the end of today."""
    try:
        if unit in ("day", "week", "weekend"):
            return today - timedelta(days=count * (1 if unit == "day" else 7)), today + _DAY
        first = today.year * 12 + today.month - 1 - count * (1 if unit == "month" else 12)
        year, month = first // 12, first % 12 + 1
        return date(year, month, min(today.day, calendar.monthrange(year, month)[1])), today + _DAY
    except (ValueError, OverflowError):
        return None


def each_year(first: tuple[int, int], last: tuple[int, int]) -> Condition:
    """From one (month, day) to another, both included, of any year; it may cross the turn of the year."""
    day, end = date(_LEAP, *first), date(_LEAP, *last)
    if end < day:
        end = date(_LEAP + 1, *last) if last != (2, 29) else date(_LEAP + 1, 2, 28)
    parts: list[OnDay] = []
    while day <= end:
        following = month_span(day.year, day.month)[1]
        if day.day == 1 and following - _DAY <= end:
            parts.append(OnDay(day.month))
            day = following
        else:
            parts.append(OnDay(day.month, day.day))
            day += _DAY
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


def day_label(month: int, day: int | None = None) -> str:
    """A day or month of any year."""
    return f"{day} {MONTHS[month - 1]}, any year" if day else f"{MONTHS[month - 1]}, any year"


def label(span: Span) -> str:
    """What people call the span, as shortly as it can be said exactly."""
    first, last = span[0], span[1] - _DAY
    if first == last:
        return _day(first)
    if span == month_span(first.year, first.month):
        return f"{MONTHS[first.month - 1]} {first.year}"
    if first.day == first.month == span[1].day == span[1].month == 1:
        return str(first.year) if first.year == last.year else f"{first.year}–{last.year}"
    if first.day == 1 and span[1].day == 1:
        for season, month in SEASONS.items():
            if first.month == month and span == season_span(season, first.year):
                return (
                    f"{season} {first.year}"
                    if first.year == last.year
                    else f"{season} {first.year}/{last.year % 100:02}"
                )
        if first.year == last.year:
            return f"{MONTHS[first.month - 1]} – {MONTHS[last.month - 1]} {last.year}"
        return f"{MONTHS[first.month - 1]} {first.year} – {MONTHS[last.month - 1]} {last.year}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{_day(last)}"
    if first.year == last.year:
        return f"{first.day} {MONTHS[first.month - 1]} – {_day(last)}"
    return f"{_day(first)} – {_day(last)}"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
