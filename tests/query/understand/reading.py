"""Readings in a short notation, so that tests are tables that people can check.

'2021-08-01..2021-09-01' a date (first day, day behind the last), '*-12-24' of any year, 'red 40%' a colour with its
share, '"dogs"' a word, '~犬' inside a word, 'rating 4..' a range; '?' at the end: not certain.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from imager.query.model import (
    All,
    AnyOf,
    Colour,
    Condition,
    Date,
    Has,
    Named,
    Not,
    OnDay,
    Range,
    Shape,
    Text,
)
from imager.query.understand import Reading, Vocabulary, Word, understand
from imager.query.understand.colours import monochrome

NOW = datetime(2021, 11, 22, 10, 30)
"""A Monday in autumn."""


def words(text: str) -> list[Word]:
    """The words of `text`, as they are typed."""
    return [Word(found.group(), found.start(), found.end()) for found in re.finditer(r"\S+", text)]


def read(text: str, now: datetime = NOW, vocabulary: Vocabulary | None = None) -> list[Reading]:
    """The readings of `text`."""
    return understand(words(text), vocabulary, now=now)


def said(text: str, now: datetime = NOW, vocabulary: Vocabulary | None = None) -> str:
    """What was understood of `text`, and between it in square brackets the rest."""
    parts, at = [], 0
    for reading in read(text, now, vocabulary):
        parts.append(f"[{text[at : reading.start].strip()}]")
        parts.append(short(reading.condition) + ("" if reading.certain else "?"))
        at = reading.end
    parts.append(f"[{text[at:].strip()}]")
    return " ".join(part for part in parts if part != "[]")


def short(condition: Condition) -> str:
    """A condition in the short notation."""
    if condition == monochrome():
        return "black and white"
    match condition:
        case Date(start, end):
            return f"{_day(start)}..{_day(end)}"
        case OnDay(month, day):
            return f"*-{month:02}" + (f"-{day:02}" if day else "")
        case Colour(colour, share):
            return colour if share == 0.15 else f"{colour} {share:.0%}"
        case Range(measure, low, high):
            return f"{measure} {_number(low)}..{_number(high)}" if low != high else f"{measure} {_number(low)}"
        case Text(text, how, None):
            return {"word": f'"{text}"', "inside": f"~{text}"}[how]
        case Shape(shape):
            return shape
        case Has(what):
            return f"has {what}"
        case Named(what, name):
            return f"{what} {name}"
        case Not(part):
            return f"not {short(part)}"
        case AnyOf(parts):
            return f"({' or '.join(map(short, parts))})"
        case All(parts):
            return f"({' and '.join(map(short, parts))})"
    raise AssertionError(condition)


def _day(moment: int | None) -> str:
    return "" if moment is None else (date(1970, 1, 1) + timedelta(milliseconds=moment)).isoformat()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
