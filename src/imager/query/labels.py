"""Conditions in people's words, for chips and for what smart albums say of themselves: 'August 2021', 'ISO 400'."""

from __future__ import annotations

from typing import Final

from imager.query import model, moments
from imager.query.measures import plain_number
from imager.query.model import Condition
from imager.query.moments import MONTHS

_HAS: Final = {
    "place": "with a place",
    "position": "with a position",
    "title": "with a title",
    "caption": "with a caption",
    "tag": "with tags",
    "person": "with people",
    "rating": "rated",
    "album": "in an album",
    "favourite": "favourite",
    "edits": "edited",
}
_KINDS: Final = {
    model.OnDay: "date",
    model.Tag: "tag",
    model.Album: "album",
    model.Near: "near",
    model.Box: "box",
    model.Colour: "colour",
    model.Shape: "shape",
    model.File: "file",
    model.Folder: "folder",
    model.State: "state",
    model.Has: "has",
    model.All: "all",
    model.AnyOf: "any",
    model.Not: "exclude",
    model.Date: "date",
}


def kind(condition: Condition) -> str:
    """What kind of chip it makes: 'word', 'phrase', 'title', 'date', 'camera', 'rating', 'any', 'exclude' …"""
    if isinstance(condition, model.Text):
        return condition.field or condition.match
    if isinstance(condition, model.Named):
        return condition.what
    if isinstance(condition, model.Range):
        return condition.measure
    return _KINDS[type(condition)]


def label(condition: Condition) -> str:
    """The condition in a few words."""
    match condition:
        case model.Text(text, _, field):
            return text if field is None else f"{field}: {text}"
        case model.Date(start, end):
            return _dates(start, end)
        case model.OnDay(month, day):
            return f"every {MONTHS[month - 1]}" if day is None else f"every {day} {MONTHS[month - 1]}"
        case model.Named(_, name):
            return name
        case model.Tag(name, children):
            return name.replace("|", " › ") + ("" if children else " itself")
        case model.Album(album):
            return album
        case model.Near(latitude, longitude, km, name):
            return f"within {km:g} km of {name or f'{latitude:g}, {longitude:g}'}"
        case model.Box(south, west, north, east):
            return f"{south:g} to {north:g}°, {west:g} to {east:g}°"
        case model.Colour(colour, share):
            return colour if share == model.Colour(colour).share else f"{colour}, {share * 100:.3g} % and more"
        case model.Range(measure, low, high):
            return _range(measure, low, high)
        case model.Shape(shape):
            return shape
        case model.File(pattern):
            return pattern
        case model.Folder(path):
            return path
        case model.State(state):
            return state
        case model.Has(what):
            return _HAS[what]
        case model.Not(part):
            return without(label(part))
        case model.All(parts):
            return " and ".join(map(label, parts)) if parts else "everything"
        case model.AnyOf(parts):
            return " or ".join(map(label, parts)) if parts else "nothing"


def without(text: str) -> str:
    """What excludes something, given what is said of it: 'not blurry', 'without a title'."""
    return f"without {text[5:]}" if text.startswith("with ") else f"not {text}"


def _dates(start: int | None, end: int | None) -> str:
    if start is None:
        return "any time" if end is None else f"before {_bound(end)}"
    if end is None:
        return f"since {_bound(start)}"
    first = moments.moment(start)
    for text in (f"{first.year:04}", f"{first.year:04}-{first.month:02}", first.date().isoformat()):
        if moments.span(text) == (start, end):
            return _part(text)
    if start % moments.DAY == end % moments.DAY == 0:
        return f"{_moment(start)} to {_moment(end - moments.DAY)}"
    return f"{_moment(start)} to {_moment(end)}"


def _part(text: str) -> str:
    year, *rest = text.split("-")
    numbers = [int(part) for part in rest]
    month = f"{MONTHS[numbers[0] - 1]} " if numbers else ""
    return f"{numbers[1]} {month}{int(year)}" if len(numbers) > 1 else f"{month}{int(year)}"


def _bound(ms: int) -> str:
    """Where an open span begins or ends: a year or a month where it does so with one."""
    when = moments.moment(ms)
    if ms % moments.DAY or when.day != 1:
        return _moment(ms)
    return str(when.year) if when.month == 1 else f"{MONTHS[when.month - 1]} {when.year}"


def _moment(ms: int) -> str:
    when = moments.moment(ms)
    day = f"{when.day} {MONTHS[when.month - 1]} {when.year}"
    return day if ms % moments.DAY == 0 else f"{day}, {when:%H:%M}" + (f":{when:%S}" if ms % 60_000 else "")


def _range(measure: model.Measure, low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return f"with {_NAMES[measure]}"
    if (plain := plain_number(measure, low, high)) is not None:
        return _shown(measure, plain)
    if low is None:
        return f"{_shown(measure, _text(measure, high))} and less"
    if high is None:
        return f"{_shown(measure, _text(measure, low))} and more"
    return _shown(measure, f"{_text(measure, low)} to {_text(measure, high)}")


_NAMES: Final[dict[model.Measure, str]] = {
    "rating": "a rating",
    "iso": "ISO",
    "f_number": "an f-number",
    "exposure_time": "an exposure time",
    "focal_length": "a focal length",
    "width": "a width",
    "height": "a height",
    "megapixels": "pixels",
    "bytes": "a size",
    "duration": "a duration",
}
_FORMS: Final[dict[model.Measure, str]] = {
    "rating": "★ {}",
    "iso": "ISO {}",
    "f_number": "f/{}",
    "exposure_time": "{} s",
    "focal_length": "{} mm",
    "width": "{} px wide",
    "height": "{} px high",
    "megapixels": "{} MP",
    "bytes": "{}",
    "duration": "{}",
}


def _shown(measure: model.Measure, text: str) -> str:
    if measure == "bytes" and text.isdigit():
        text = f"{text} bytes"
    elif measure == "duration" and text.replace(".", "").isdigit():
        text = f"{text} s"
    return _FORMS[measure].format(text.removesuffix("mm") if measure == "focal_length" else text)


def _text(measure: model.Measure, value: float | None) -> str:
    number = value or 0.0
    if measure == "exposure_time" and 0 < number < 0.3:
        return f"1/{1 / number:.3g}"
    if measure == "bytes":
        for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
            if number >= factor:
                return f"{number / factor:.3g} {unit}"
    if measure == "duration" and number >= 60:
        minutes, seconds = divmod(round(number), 60)
        return f"{minutes} min" + (f" {seconds} s" if seconds else "")
    return f"{number:.4g}" if number < 10_000 else f"{number:.0f}"
