"""Moments by the clock on the wall: milliseconds since 1970, ISO 8601 text, and what a date that people write spans.

Used by the JSON (`codec`), by what people type (`values`) and by what is printed (`printer`, `labels`).
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1)
MILLISECOND: Final = timedelta(milliseconds=1)
DAY: Final = 86_400_000
MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,3}))?)?)?")
_YEAR = re.compile(r"([0-9]{4})")
_MONTH = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})")
_DAY = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")


def milliseconds(moment: datetime | date) -> int:
    """Milliseconds since 1970 of a moment without zone; of a day, its beginning."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    return (moment - EPOCH) // MILLISECOND


def moment(ms: int) -> datetime:
    """The moment, without zone; OverflowError outside the years 1 to 9999."""
    return EPOCH + timedelta(milliseconds=ms)


def iso(ms: int) -> str:
    """'2021-08-01', or '2021-08-01T15:30:00' where it isn't midnight; OverflowError outside the years 1 to 9999."""
    when = moment(ms)
    if ms % DAY == 0:
        return when.date().isoformat()
    return when.isoformat(timespec="milliseconds" if ms % 1000 else "seconds")


def from_iso(text: str) -> int | None:
    """Reads what `iso` writes (minutes are enough); None for anything else, ValueError for a day that doesn't exist."""
    found = _ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    fraction = int((found[7] or "0").ljust(3, "0"))
    return milliseconds(datetime(year, month, day, hour, minute, second)) + fraction


def span(text: str) -> tuple[int, int | None] | None:
    """What a written date spans, as beginning and (exclusive) end: a year, a month or a day; of a moment, itself twice.

    '2021', '2021-08', '2021-08-15' (also with '/' or '.'), '15.8.2021', '2021-08-15T12:00'. The end is None where it
    lies beyond the year 9999. None for anything else, ValueError for a day that doesn't exist.
    """
    if found := _YEAR.fullmatch(text):
        year = int(found[1])
        return milliseconds(date(year, 1, 1)), _beginning(year + 1, 1)
    if found := _MONTH.fullmatch(text):
        year, month = int(found[1]), int(found[2])
        return milliseconds(date(year, month, 1)), _beginning(year + month // 12, month % 12 + 1)
    if found := _DAY.fullmatch(text):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    if found := _DAY_FIRST.fullmatch(text):
        return _day(int(found[3]), int(found[2]), int(found[1]))
    instant = from_iso(text)
    return None if instant is None else (instant, instant)


def _day(year: int, month: int, day: int) -> tuple[int, int | None]:
    start = milliseconds(date(year, month, day))
    return start, None if (year, month, day) == (9999, 12, 31) else start + DAY


def _beginning(year: int, month: int) -> int | None:
    return None if year > 9999 else milliseconds(date(year, month, 1))
