"""What stands behind a key: `read` makes it a condition, or says what is wrong with it (`MisreadError`).

Numbers are read by `measures`, positions by `positions`, written dates by `moments`; other words for dates and colours
('last summer', 'rot') by whoever calls, who knows the languages.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final, cast

from imager.query import measures, moments, positions
from imager.query.codec import NAMED
from imager.query.keys import TEXT_KEYS
from imager.query.lexer import Token
from imager.query.measures import MisreadError
from imager.query.model import (
    COLOURS,
    Album,
    AnyOf,
    Colour,
    Condition,
    Date,
    File,
    Folder,
    Has,
    Named,
    Not,
    OnDay,
    Shape,
    Sort,
    State,
    Tag,
    Text,
    TextField,
)
from imager.query.normal import LONGEST, any_of
from imager.query.vocabulary import Vocabulary

__all__ = ["UNSPACED", "MisreadError", "Reader", "has_word", "read_sort", "read_text"]

SORTS: Final[dict[str, Sort]] = {
    **dict.fromkeys(["relevance", "best"], "relevance"),
    **dict.fromkeys(["newest", "new", "date", "time", "taken"], "newest"),
    **dict.fromkeys(["oldest", "old"], "oldest"),
    **dict.fromkeys(["added", "imported", "arrival"], "added"),
    **dict.fromkeys(["rating", "stars"], "rating"),
    **dict.fromkeys(["size", "pixels"], "size"),
}
_SHAPES: Final = {
    **dict.fromkeys(["portrait", "vertical", "upright", "tall", "hochformat", "vertical"], "portrait"),
    **dict.fromkeys(["landscape", "horizontal", "wide", "querformat", "paysage"], "landscape"),
    **dict.fromkeys(["square", "quadratisch", "carre", "cuadrado"], "square"),
    **dict.fromkeys(["panorama", "pano", "panoramic"], "panorama"),
}
_STATES: Final = {
    **dict.fromkeys(["present", "here"], "present"),
    **dict.fromkeys(["missing", "gone"], "missing"),
    **dict.fromkeys(["trashed", "trash", "deleted"], "trashed"),
}
_HAS: Final = {
    **dict.fromkeys(["gps", "position", "location", "coordinates"], "position"),
    **dict.fromkeys(["place", "places"], "place"),
    "title": "title",
    **dict.fromkeys(["caption", "description"], "caption"),
    **dict.fromkeys(["tag", "tags", "keyword", "keywords"], "tag"),
    **dict.fromkeys(["person", "people", "face", "faces"], "person"),
    **dict.fromkeys(["rating", "stars"], "rating"),
    **dict.fromkeys(["album", "albums"], "album"),
    **dict.fromkeys(["favourite", "favorite", "heart"], "favourite"),
    **dict.fromkeys(["edits", "edit"], "edits"),
}
_IS: Final[dict[str, Condition]] = {
    **{name: Shape(cast(Any, shape)) for name, shape in _SHAPES.items()},
    **{name: State(cast(Any, state)) for name, state in _STATES.items()},
    **dict.fromkeys(["favourite", "favorite", "favourites", "favorites", "fav", "starred", "liked"], Has("favourite")),
    "edited": Has("edits"),
    "rated": Has("rating"),
    "tagged": Has("tag"),
    **dict.fromkeys(["image", "photo", "picture"], Named("kind", "image")),
    "video": Named("kind", "video"),
}
CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "is": (*dict.fromkeys(_SHAPES.values()), "present", "missing", "trashed", "favourite", "edited", "rated", "tagged"),
    "has": ("gps", "place", "title", "caption", "tags", "people", "rating", "album", "favourite", "edits"),
    "orientation": tuple(dict.fromkeys(_SHAPES.values())),
    "state": ("present", "missing", "trashed", "any"),
    "sort": tuple(dict.fromkeys(SORTS.values())),
    "colour": COLOURS,
}
"""What the completion offers, and what an error names."""

_COLOURS: Final = {name: name for name in COLOURS} | {"gray": "grey", "violet": "purple", "cyan": "teal"}
_HEX = re.compile(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_SHARED = re.compile(r"(.+?)\s*(?:(?:>=|>)\s*([0-9.eE+-]+)\s*(%?))?", re.DOTALL)
_DAY = re.compile(r"([0-9]{1,2})-([0-9]{1,2})")
_DAY_FIRST = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.?")
_MONTH = re.compile(r"([0-9]{1,2})")
_BETWEEN = re.compile(r"\.{2,3}|…")
_DATED = re.compile(r"(>=|<=|>|<|=|≥|≤)\s*(.+)", re.DOTALL)
_WORD = re.compile(r"[^\W_]")
UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Thai, Lao, Burmese, Khmer, Japanese, Chinese: a run of letters is no word there, so words are looked for inside."""

Natural = Callable[[str], Condition | None]
"""What words mean, where they mean one date or one colour."""


def has_word(text: str) -> bool:
    """Whether there is anything that full text could find."""
    return _WORD.search(text) is not None


def read_sort(text: str) -> Sort:
    """The order behind `sort:`; MisreadError where there is none of that name."""
    return cast(Sort, _choose("sort", SORTS, text))


def read_text(token: Token, field: TextField | None) -> Text | None:
    """Words of the text: quoted a phrase, `word*` a beginning, `*inside*`; None where there is nothing to find."""
    text, modifier = token.text, token.modifier
    if not token.quoted:
        modifier = "*" if text.startswith("*") else ""
        suffix = "*" if text.endswith("*") else ""
        text = text.strip("*")
        if not suffix and UNSPACED.search(text):
            modifier = "*"
    else:
        suffix = token.suffix[:1]
    if not has_word(text):
        return None
    if modifier == "*":
        return Text(text, "inside", field)
    if suffix == "*":
        return Text(text, "prefix", field)
    return Text(text, "phrase" if token.quoted and modifier != "~" else "word", field)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads values; `natural` knows words for dates and colours, `vocabulary` where places are."""

    natural: Natural
    vocabulary: Vocabulary | None

    def read(self, token: Token) -> Condition | None:
        """The condition of a term with a key; None while its value isn't there. MisreadError if it can't be read."""
        key = token.key
        assert key is not None
        if len(token.text) + len(token.suffix) > LONGEST:
            raise MisreadError(f"That is longer than {LONGEST} characters.")
        if key in _TEXTS:
            return _text(token, _TEXTS[key])
        if not token.text.strip():
            return None
        if key == "tag":
            return _tag(token)
        if token.quoted and (key in NAMED or key in _WHOLE):
            return self._one(key, token.text)
        value = f"{token.modifier}{token.text}{token.suffix}"
        if key == "kind":
            value = value.lower()
        if token.quoted or not value.strip("|"):
            return self._one(key, value)
        return any_of([self._one(key, part) for part in value.split("|") if part])

    def _one(self, key: str, value: str) -> Condition:
        if key in NAMED:
            return Named(cast(Any, key), value)
        if key in _WHOLE:
            return _WHOLE[key](value)
        if key in measures.KEYS:
            return _rating(value) if key == "rating" else measures.read_range(key, value)
        if key in _DATES:
            return self._date(key, value.strip())
        if key in ("on", "month"):
            return self._day(key, value.strip())
        if key == "near":
            return positions.near(value, self.vocabulary)
        if key == "colour":
            return self._colour(value.strip())
        return _SIMPLE[key](value.strip())

    def _date(self, key: str, text: str) -> Condition:
        sign = {"before": "<", "until": "<=", "after": ">", "since": ">="}.get(key, "=")
        if found := _DATED.fullmatch(text):
            sign, text = found[1], found[2].strip()
        parts = _BETWEEN.split(text)
        if len(parts) == 2 and sign == "=" and any(parts):
            start, end = (part.strip() for part in parts)
            low = self._span(start)[0] if start else None
            high = self._span(end)[1] if end else None
            if low is not None and high is not None and low >= high:
                raise MisreadError(
                    f"{start} is not before {end}.", f"{end}..{start}" if self._span(end)[0] < low else None
                )
            if low is None and high is None:
                raise MisreadError(f"There is nothing after {end}.")
            return Date(low, high)
        if sign == "=" and moments.span(_safe(text)) is None:
            meant = self.natural(text)
            if meant is not None and _is_time(meant):
                return meant
        start_, end_ = self._span(text)
        match sign:
            case "<":
                return Date(None, start_)
            case ">=" | "≥":
                return Date(start_)
            case "<=" | "≤" | ">" if end_ is None:
                raise MisreadError(f"Nothing is after {text}.")
            case "<=" | "≤":
                return Date(None, end_)
            case ">":
                return Date(end_)
            case _:
                return Date(start_, start_ + 1 if end_ == start_ else end_)

    def _span(self, text: str) -> tuple[int, int | None]:
        found = moments.span(_safe(text))
        if found is not None:
            return found
        meant = self.natural(text)
        if isinstance(meant, Date) and meant.start is not None:
            return meant.start, meant.end
        raise MisreadError(f"{text[:40]!r} is no date; write 2021, 2021-08, 2021-08-15 or 2021-08-01..2021-08-15.")

    def _day(self, key: str, text: str) -> Condition:
        if key == "month" or not (found := _DAY.fullmatch(text)):
            if found := _MONTH.fullmatch(text):
                return _month(int(found[1]))
            if key == "on" and (found := _DAY_FIRST.fullmatch(text)):
                return _on(int(found[2]), int(found[1]))
            try:
                return self._date("date", text)
            except MisreadError:
                what = "month; write month:8 or month:2021-08" if key == "month" else "day; write on:08-24 (month-day)"
                raise MisreadError(f"{text[:40]!r} is no {what}.") from None
        return _on(int(found[1]), int(found[2]))

    def _colour(self, text: str) -> Condition:
        found = _SHARED.fullmatch(text)
        assert found is not None
        name, number, percent = found[1], found[2], found[3]
        colour = _COLOURS.get(name.lower())
        if colour is None and (value := _HEX.fullmatch(name)):
            digits = value[1].lower()
            colour = "#" + (digits if len(digits) == 6 else "".join(c * 2 for c in digits))
        if colour is None and isinstance(meant := self.natural(name), Colour):
            colour = meant.colour
        if colour is None:
            raise MisreadError(f"{name[:40]!r} is no colour; write #rrggbb or one of {', '.join(COLOURS)}.")
        if number is None:
            return Colour(colour)
        try:
            share = float(number)
        except ValueError:
            share = -1.0
        share = share / 100 if percent or share > 1 else share
        if not 0 <= share <= 1:
            raise MisreadError(f"{number}{percent} is no share of a picture; write colour:red>40%.")
        return Colour(colour, share)


def _is_time(condition: Condition) -> bool:
    """Whether it says when, and nothing else: Christmas is one of three days of any year."""
    if isinstance(condition, AnyOf):
        return all(map(_is_time, condition.parts))
    return isinstance(condition, (Date, OnDay))


def _safe(text: str) -> str:
    """The text if the day in it exists."""
    try:
        moments.span(text)
    except ValueError:
        raise MisreadError(f"{text} doesn't exist.") from None
    return text


def _month(month: int) -> OnDay:
    if not 1 <= month <= 12:
        raise MisreadError(f"There is no month {month}; months are 1 to 12.")
    return OnDay(month)


def _on(month: int, day: int) -> OnDay:
    try:
        date(2024, month, day)  # a leap year
    except ValueError:
        raise MisreadError(f"There is no day {day} in a month {month}; write on:08-24 (month-day).") from None
    return OnDay(month, day)


def _text(token: Token, field: TextField | None) -> Condition | None:
    if token.quoted or "|" not in token.text:
        return read_text(token, field)
    found = [read_text(replace(token, text=part), field) for part in token.text.split("|")]
    parts: list[Condition] = [part for part in found if part is not None]
    return any_of(parts) if parts else None


def _tag(token: Token) -> Tag | None:
    if token.quoted:
        return Tag(token.text, "=" not in token.modifier)
    name = token.text.removeprefix("=")
    return Tag(name, name == token.text) if name.strip() else None


def _rating(text: str) -> Condition:
    if text.strip().lower() == "none":
        return Not(Has("rating"))
    return measures.read_range("rating", text)


def _choose(key: str, choices: dict[str, Any], text: str) -> Any:
    found = choices.get(text.strip().lower())
    if found is None:
        raise MisreadError(f"{text[:40]!r} is not known here; one of these is meant: {', '.join(CHOICES[key])}.")
    return found


def _state(text: str) -> Condition:
    if text.lower() in ("any", "all"):
        return AnyOf((State("present"), State("missing"), State("trashed")))
    return State(_choose("state", _STATES, text))


_TEXTS: Final[dict[str, TextField | None]] = {"text": None, "title": "title", "caption": "caption", **TEXT_KEYS}
_DATES: Final = frozenset({"date", "year", "before", "until", "after", "since"})
_WHOLE: Final[dict[str, Callable[[str], Condition]]] = {"album": Album, "file": File, "folder": Folder}
_SIMPLE: Final[dict[str, Callable[[str], Condition]]] = {
    "box": positions.box,
    "orientation": lambda text: Shape(_choose("orientation", _SHAPES, text)),
    "state": _state,
    "is": lambda text: cast(Condition, _choose("is", _IS, text)),
    "has": lambda text: Has(_choose("has", _HAS, text)),
    "no": lambda text: Not(Has(_choose("has", _HAS, text))),
}
