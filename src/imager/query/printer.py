"""Prints a Query as text that `text.parse` reads back as the same query, as far as plain words are only words.

For smart albums that are edited as text, and for whoever wants to see what a JSON query says.
"""

from __future__ import annotations

import math
import re
from typing import Final

from imager.errors import UsageError
from imager.query import measures, model, moments
from imager.query.keys import TEXT_KEYS
from imager.query.model import Condition, Query
from imager.query.normal import MOST_LEVELS, normal, size
from imager.query.values import UNSPACED

_BARE = re.compile(r"[^\W_](?:[\w.'’/&+@#-]*[^\W_])?")
_BARE_PATTERN = re.compile(r"[\w*?](?:[\w.'’/&+@#*?-]*[\w*?])?")
_OPERATORS: Final = frozenset({"OR", "AND", "NOT"})
_FIELD_KEYS: Final = {field: key for key, field in TEXT_KEYS.items()} | {"title": "title", "caption": "caption"}
_MEASURE_KEYS: Final = {measure: key for key, measure in measures.KEYS.items()}


def print_query(query: Query) -> str:
    """The query as text; UsageError for one that no text says: too deep, or with dates outside the years 1 to 9999."""
    if size(query.where)[1] > MOST_LEVELS:
        raise UsageError(f"A query has at most {MOST_LEVELS} levels; this one is larger.")
    where = normal(query.where)
    parts = list(where.parts) if isinstance(where, model.All) else [where]
    try:
        printed = [_print(part) for part in parts]
    except OverflowError:
        raise UsageError("A query's dates lie in the years 1 to 9999.") from None
    if query.sort != "relevance":
        printed.append(f"sort:{query.sort}")
    return " ".join(printed)


def _print(condition: Condition) -> str:
    match condition:
        case model.All(parts):
            return f"({' '.join(map(_print, parts))})" if parts else "*"
        case model.AnyOf(parts):
            return f"({' OR '.join(map(_print, parts))})"
        case model.Not(model.Not() as part):
            return f"-({_print(part)})"
        case model.Not(part):
            return f"-{_print(part)}"
        case model.Text():
            return _text(condition)
        case model.Date(start, end):
            return _date(start, end)
        case model.OnDay(month, day):
            return f"month:{month}" if day is None else f"on:{month:02}-{day:02}"
        case model.Named("kind", name) if name != name.lower():
            return f"kind:{_quoted(name)}"
        case model.Named(what, name):
            return f"{what}:{print_value(name)}"
        case model.Tag(name, children):
            return f"tag:{'' if children else '='}{print_tag(name)}"
        case model.Album(album):
            return f"album:{print_value(album)}"
        case model.Near(latitude, longitude, km, name):
            where = f"{_number(latitude)},{_number(longitude)}/{_number(km)}km"
            return f"near:{where}" if name is None else f"near:{_quoted(f'{where}/{name}')}"
        case model.Box(south, west, north, east):
            return f"box:{','.join(map(_number, (south, west, north, east)))}"
        case model.Colour():
            return _colour(condition)
        case model.Range():
            return f"{_MEASURE_KEYS[condition.measure]}:{_range(condition)}"
        case model.Shape(shape):
            return f"is:{shape}"
        case model.File(pattern):
            return f"file:{pattern if _BARE_PATTERN.fullmatch(pattern) else _quoted(pattern)}"
        case model.Folder(path):
            return f"folder:{print_value(path)}"
        case model.State(state):
            return f"state:{state}"
        case model.Has(what):
            return f"has:{what}"


def _text(text: model.Text) -> str:
    key = "" if text.field is None else f"{_FIELD_KEYS[text.field]}:"
    bare = _BARE.fullmatch(text.text) is not None and text.text not in _OPERATORS
    match text.match:
        case "phrase":
            return f"{key}{_quoted(text.text)}"
        case "prefix":
            return f"{key}{text.text if bare else _quoted(text.text)}*"
        case "inside":
            return f"{key}*{text.text}*" if bare else f"{key}*{_quoted(text.text)}"
        case "word":
            if bare and not UNSPACED.search(text.text):
                return f"{key}{text.text}"
            return f"{key}~{_quoted(text.text)}"


def print_value(text: str) -> str:
    """A name as it stands behind a key: in quotes where it needs them."""
    return text if _BARE.fullmatch(text) else _quoted(text)


def print_tag(name: str) -> str:
    """A tag's full name as it stands behind `tag:` or '#'."""
    bare = all(_BARE.fullmatch(level) and level not in _OPERATORS for level in name.split("|"))
    return name if bare else _quoted(name)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _number(value: float) -> str:
    """The shortest text that is read as exactly this number."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value)


def _date(start: int | None, end: int | None) -> str:
    if start is None or end is None:
        if start is None and end is None:
            return "*"
        return f"before:{moments.iso(end or 0)}" if start is None else f"since:{moments.iso(start)}"
    day = moments.moment(start).date().isoformat()
    for text in (day[:4], day[:7], day):
        if moments.span(text) == (start, end):
            return f"date:{text}"
    last = end - moments.DAY if end % moments.DAY == 0 else end
    return f"date:{moments.iso(start)}..{moments.iso(last)}"


def _colour(colour: model.Colour) -> str:
    if colour.share == model.Colour(colour.colour).share:
        return f"colour:{colour.colour}"
    percent = f"{colour.share * 100:g}"
    exact = float(percent) / 100 == colour.share
    return f"colour:{colour.colour}>={f'{percent}%' if exact else repr(float(colour.share))}"


def _range(wanted: model.Range) -> str:
    low, high = wanted.low, wanted.high
    if (plain := measures.plain_number(wanted.measure, low, high)) is not None:
        return plain
    if low is not None and high is not None:
        return f"{_number(low)}..{_number(high)}"
    if low is not None:
        return _shorter(low, ">", math.nextafter(low, -math.inf))
    if high is not None:
        return _shorter(high, "<", math.nextafter(high, math.inf))
    return "*"


def _shorter(value: float, sign: str, beside: float) -> str:
    """'>2.8' rather than '>=2.8000000000000003'."""
    if isinstance(value, float) and beside > 0 and len(_number(beside)) + 4 < len(_number(value)):
        return f"{sign}{_number(beside)}"
    return f"{sign}={_number(value)}"
