"""The Query as JSON: saved as smart albums, sent by programs, printed by `imager search --explain`.

`{"version": 1, "where": CONDITION, "sort": "newest"}`; each condition is an object, and one of its keys names its
kind: `{"text": "red door", "match": "phrase"}`, `{"all": [CONDITION, …]}`. `docs/search.md` has the list. What is left
out has its default. Whatever can't be read is refused with the place in the JSON (`where.all[1].date.from`) and what is
meant there; nothing is passed over, since a condition that is misspelt would find too much.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, cast, get_args

from imager.errors import UsageError
from imager.query import model, moments
from imager.query.model import Condition, Query
from imager.query.normal import LONGEST, MOST_LEVELS, MOST_PARTS, size

MATCHES: Final = ("word", "prefix", "inside", "phrase")
MEASURES: Final[tuple[model.Measure, ...]] = get_args(model.Measure)
NAMED: Final = ("camera", "lens", "place", "person", "kind", "creator")
SHAPES: Final = ("portrait", "landscape", "square", "panorama")
STATES: Final = ("present", "missing", "trashed")
HAS: Final = (
    "place",
    "position",
    "title",
    "caption",
    "tag",
    "person",
    "rating",
    "album",
    "favourite",
    "edits",
)
FARTHEST: Final = 20_040.0
"""Kilometres: half way around the earth, beyond which nothing is."""

_HEX_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LETTER = re.compile(r"[^\W_]")
_SHARE: Final = model.Colour("red").share


def to_json(query: Query) -> dict[str, Any]:
    """The query as a JSON object that `from_json` reads back.

    UsageError for a query with more parts or levels than `from_json` takes, or with values that it refuses.
    """
    parts, levels = size(query.where)
    if parts > MOST_PARTS or levels > MOST_LEVELS:
        raise UsageError(f"A query has at most {MOST_PARTS} parts on {MOST_LEVELS} levels; this one is larger.")
    value = {"version": model.VERSION, "where": condition_to_json(query.where), "sort": query.sort}
    from_json(value)
    return value


def condition_to_json(condition: Condition) -> dict[str, Any]:
    """One condition as a JSON object."""
    match condition:
        case model.All(parts):
            return {"all": [condition_to_json(part) for part in parts]}
        case model.AnyOf(parts):
            return {"any": [condition_to_json(part) for part in parts]}
        case model.Not(part):
            return {"not": condition_to_json(part)}
        case model.Text(text, how, where):
            value: dict[str, Any] = {"text": text}
            if how != "word":
                value["match"] = how
            return value if where is None else value | {"field": where}
        case model.Date(start, end):
            return {"date": _known({"from": _iso(start), "to": _iso(end)})}
        case model.OnDay(month, day):
            return {"on": _known({"month": month, "day": day})}
        case model.Named(what, name):
            return {what: name}
        case model.Tag(name, children):
            return {"tag": name} if children else {"tag": name, "children": False}
        case model.Album(album):
            return {"album": album}
        case model.Near(latitude, longitude, km, label):
            return {"near": _known({"latitude": latitude, "longitude": longitude, "km": km, "name": label})}
        case model.Box(south, west, north, east):
            return {"box": {"south": south, "west": west, "north": north, "east": east}}
        case model.Colour(colour, share):
            return {"colour": colour} if share == _SHARE else {"colour": colour, "share": share}
        case model.Range(measure, low, high):
            return {measure: _known({"min": low, "max": high})}
        case model.Shape(shape):
            return {"shape": shape}
        case model.File(pattern):
            return {"file": pattern}
        case model.Folder(path):
            return {"folder": path}
        case model.State(state):
            return {"state": state}
        case model.Has(thing):
            return {"has": thing}


def from_json(value: Any) -> Query:
    """The query that a JSON value is; UsageError says where it is none, and what is meant there."""
    fields = _object(value, "the query", ("version", "where", "sort"))
    version = fields.get("version", model.VERSION)
    if type(version) is not int or version < 1:
        raise _wrong("version", version, f"the number {model.VERSION}")
    if version > model.VERSION:
        raise UsageError(
            f"This query was written by a newer Imager (version {version}; this one reads up to {model.VERSION})."
        )
    sort = _one_of(fields.get("sort", "relevance"), "sort", model.SORTS)
    where = _Reader().condition(fields["where"], "where", 1) if "where" in fields else model.All()
    return Query(where, cast(model.Sort, sort))


class _Reader:
    """Reads one condition, and counts its parts."""

    def __init__(self) -> None:
        self.parts = 0

    def condition(self, value: Any, path: str, level: int) -> Condition:
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise UsageError(f"A query has at most {MOST_PARTS} parts; the one at {_short(path)} is one too many.")
        if level > MOST_LEVELS:
            raise UsageError(f"A query has at most {MOST_LEVELS} levels; the one at {_short(path)} is one too many.")
        if not isinstance(value, Mapping):
            raise _wrong(path, value, 'an object such as {"text": "door"}')
        kinds = [key for key in value if key in _KINDS]
        if not kinds:
            raise UsageError(
                f"{_short(path)} names no condition that Imager knows ({_list(value)}). "
                f"One of these keys is meant: {', '.join(_KINDS)}."
            )
        if len(kinds) > 1:
            raise UsageError(
                f'{_short(path)} names several conditions ({", ".join(kinds)}). Write {{"all": […]}} around them.'
            )
        kind = kinds[0]
        _only(value, path, (kind, *_BESIDE.get(kind, ())))
        inner = f"{path}.{kind}"
        if kind in ("all", "any"):
            if not isinstance(value[kind], (list, tuple)):
                raise _wrong(inner, value[kind], "a list of conditions")
            parts = tuple(self.condition(part, f"{inner}[{i}]", level + 1) for i, part in enumerate(value[kind]))
            return model.All(parts) if kind == "all" else model.AnyOf(parts)
        if kind == "not":
            return model.Not(self.condition(value[kind], inner, level + 1))
        return _KINDS[kind](value, path, inner)


def _text(value: Mapping[str, Any], path: str, inner: str) -> Condition:
    text = _string(value["text"], inner)
    if not _LETTER.search(text):
        raise _wrong(inner, text, "a text with a letter or a digit")
    how = _one_of(value.get("match", "word"), f"{path}.match", MATCHES)
    where = value.get("field")
    field = None if where is None else _one_of(where, f"{path}.field", model.TEXT_FIELDS)
    return model.Text(text, cast(Any, how), cast(Any, field))


def _date(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
    fields = _object(value["date"], inner, ("from", "to"))
    start, end = (_moment(fields.get(key), f"{inner}.{key}") for key in ("from", "to"))
    if start is None and end is None:
        raise UsageError(f"{_short(inner)} needs 'from' or 'to', or both.")
    if start is not None and end is not None and start >= end:
        raise UsageError(f"{_short(inner)} ends before it begins; 'to' is the first moment that is not meant any more.")
    return model.Date(start, end)


def _on_day(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
    fields = _object(value["on"], inner, ("month", "day"))
    month, day = fields.get("month"), fields.get("day")
    if type(month) is not int or not 1 <= month <= 12:
        raise _wrong(f"{inner}.month", month, "a number from 1 to 12")
    longest = (date(2024 + month // 12, month % 12 + 1, 1) - date(2024, month, 1)).days  # a leap year
    if day is not None and (type(day) is not int or not 1 <= day <= longest):
        raise _wrong(f"{inner}.day", day, f"a number from 1 to {longest}")
    return model.OnDay(month, day)


def _named(what: str) -> Callable[[Mapping[str, Any], str, str], Condition]:
    def read(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
        return model.Named(cast(Any, what), _string(value[what], inner))

    return read


def _tag(value: Mapping[str, Any], path: str, inner: str) -> Condition:
    children = value.get("children", True)
    if not isinstance(children, bool):
        raise _wrong(f"{path}.children", children, "true or false")
    return model.Tag(_string(value["tag"], inner), children)


def _near(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
    fields = _object(value["near"], inner, ("latitude", "longitude", "km", "name"))
    name = fields.get("name")
    return model.Near(
        _number(fields.get("latitude"), f"{inner}.latitude", -90, 90),
        _number(fields.get("longitude"), f"{inner}.longitude", -180, 180),
        _number(fields.get("km"), f"{inner}.km", 0, FARTHEST),
        None if name is None else _string(name, f"{inner}.name"),
    )


def _box(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
    fields = _object(value["box"], inner, ("south", "west", "north", "east"))
    south, north = (_number(fields.get(key), f"{inner}.{key}", -90, 90) for key in ("south", "north"))
    west, east = (_number(fields.get(key), f"{inner}.{key}", -180, 180) for key in ("west", "east"))
    if south > north:
        raise UsageError(f"{_short(inner)} has its south ({south}) above its north ({north}).")
    return model.Box(south, west, north, east)


def _colour(value: Mapping[str, Any], path: str, inner: str) -> Condition:
    colour = _string(value["colour"], inner).lower()
    if colour not in model.COLOURS and not _HEX_COLOUR.fullmatch(colour):
        raise _wrong(inner, value["colour"], f"'#rrggbb' or one of {', '.join(model.COLOURS)}")
    return model.Colour(colour, _number(value.get("share", _SHARE), f"{path}.share", 0, 1))


def _range(measure: model.Measure) -> Callable[[Mapping[str, Any], str, str], Condition]:
    most = 5.0 if measure == "rating" else math.inf

    def read(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
        fields = _object(value[measure], inner, ("min", "max"))
        low, high = (
            None if fields.get(key) is None else _number(fields[key], f"{inner}.{key}", 0, most)
            for key in ("min", "max")
        )
        if low is not None and high is not None and low > high:
            raise UsageError(f"{_short(inner)} has its min ({low}) above its max ({high}).")
        return model.Range(measure, low, high)

    return read


def _shape(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
    return model.Shape(cast(Any, _one_of(value["shape"], inner, SHAPES)))


def _file(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
    return model.File(_string(value["file"], inner))


def _folder(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
    return model.Folder(_string(value["folder"], inner))


def _state(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
    return model.State(cast(Any, _one_of(value["state"], inner, STATES)))


def _has(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
    return model.Has(cast(Any, _one_of(value["has"], inner, HAS)))


def _album(value: Mapping[str, Any], _path: str, inner: str) -> Condition:
    return model.Album(_string(value["album"], inner))


def _group(_value: Mapping[str, Any], path: str, _inner: str) -> Condition:
    raise AssertionError(f"the reader takes the groups itself: {path}")


_KINDS: Final[dict[str, Callable[[Mapping[str, Any], str, str], Condition]]] = {
    "all": _group,
    "any": _group,
    "not": _group,
    "text": _text,
    "date": _date,
    "on": _on_day,
    **{what: _named(what) for what in NAMED},
    "tag": _tag,
    "album": _album,
    "near": _near,
    "box": _box,
    "colour": _colour,
    **{measure: _range(measure) for measure in MEASURES},
    "shape": _shape,
    "file": _file,
    "folder": _folder,
    "state": _state,
    "has": _has,
}
_BESIDE: Final = {"text": ("match", "field"), "tag": ("children",), "colour": ("share",)}


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None}


def _iso(ms: int | None) -> str | None:
    if ms is None:
        return None
    try:
        return moments.iso(ms)
    except OverflowError:
        raise UsageError("A query's dates lie in the years 1 to 9999.") from None


def _moment(value: Any, path: str) -> int | None:
    if value is None:
        return None
    try:
        ms = moments.from_iso(value) if isinstance(value, str) else None
    except ValueError:
        ms = None
    if ms is None:
        raise _wrong(path, value, "a date such as '2021-08-01' or '2021-08-01T15:30:00', without a time zone")
    return ms


def _object(value: Any, path: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(path, value, f"an object with {', '.join(keys)}")
    _only(value, path, keys)
    return value


def _only(value: Mapping[str, Any], path: str, keys: tuple[str, ...]) -> None:
    for key in value:
        if key not in keys:
            raise UsageError(f"{_short(path)} has {_show(key)}, which Imager doesn't know; known: {', '.join(keys)}.")


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _wrong(path, value, "a text")
    if len(value) > LONGEST:
        raise _wrong(path, value, f"a text of at most {LONGEST} characters")
    return value


def _number(value: Any, path: str, least: float, most: float) -> float:
    meant = f"a number from {least:g} to {most:g}" if most < math.inf else f"a number from {least:g} up"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _wrong(path, value, meant)
    if not least <= value <= most or value in (math.inf, -math.inf) or (isinstance(value, int) and value >= 1 << 63):
        raise _wrong(path, value, meant)
    return value


def _one_of(value: Any, path: str, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise _wrong(path, value, f"one of {', '.join(choices)}")
    return value


def _wrong(path: str, value: Any, meant: str) -> UsageError:
    return UsageError(f"{_short(path)} is {_show(value)}; {meant} is meant.")


def _short(path: str) -> str:
    return path if len(path) <= 120 else f"{path[:60]}…{path[-50:]}"


def _show(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, (Mapping, list, tuple)):
        return "a list" if isinstance(value, (list, tuple)) else "an object"
    if isinstance(value, int) and abs(value) >= 1 << 63:
        return "a huge number"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…'"


def _list(value: Mapping[str, Any]) -> str:
    return ", ".join(_show(key) for key in list(value)[:5]) or "it is empty"
