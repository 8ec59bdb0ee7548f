"""Numbers as people write them behind a key: `>=4`, `100..400`, `f/2.8`, `1/100`, `5mb`, `1m30s`.

A plain number means what rounds to it as it is written (`focal:50` is 49.5 to 50.5 mm), since cameras write 49.8;
numbers that are counted (stars, ISO, pixels, bytes without a unit) are exact. Part of `values`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from imager.query.model import Measure, Range

KEYS: Final[dict[str, Measure]] = {
    "rating": "rating",
    "iso": "iso",
    "f": "f_number",
    "shutter": "exposure_time",
    "focal": "focal_length",
    "width": "width",
    "height": "height",
    "mp": "megapixels",
    "size": "bytes",
    "duration": "duration",
}
_COUNTED: Final = frozenset({"rating", "iso", "width", "height", "bytes"})
_UNITS: Final[dict[str, dict[str, float]]] = {
    "exposure_time": {"s": 1, "sec": 1, "ms": 0.001},
    "focal_length": {"mm": 1},
    "width": {"px": 1, "k": 1_000},
    "height": {"px": 1, "k": 1_000},
    "megapixels": {"mp": 1, "mpx": 1},
    "bytes": {
        **dict.fromkeys(["k", "kb"], 10**3),
        **dict.fromkeys(["m", "mb"], 10**6),
        **dict.fromkeys(["g", "gb"], 10**9),
        "b": 1,
        "tb": 10**12,
        "kib": 1 << 10,
        "mib": 1 << 20,
        "gib": 1 << 30,
    },
    "duration": {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3_600, "ms": 0.001},
}
EXAMPLES: Final[dict[str, str]] = {
    "rating": "rating:>=4 or rating:3..5",
    "iso": "iso:>=800 or iso:100..400",
    "f": "f:2.8 or f:<=2.8",
    "shutter": "shutter:1/250 or shutter:<1/100",
    "focal": "focal:50 or focal:24..70",
    "width": "width:>=4000",
    "height": "height:>=3000",
    "mp": "mp:>12",
    "size": "size:>5mb or size:100kb..1mb",
    "duration": "duration:>1m or duration:10s..30s",
}

_NUMBER: Final = r"[0-9]{1,24}(?:[.,][0-9]{1,24})?(?:[eE][+-]?[0-9]{1,3})?|[.][0-9]{1,24}"
_ONE = re.compile(rf"({_NUMBER})(?:/({_NUMBER}))?\s*([A-Za-z]{{0,3}})")
_CLOCK = re.compile(r"(?:([0-9]{1,3}):)?([0-9]{1,3}):([0-9]{2})")
_UNITED = re.compile(r"(?:([0-9]{1,4})h)?(?:([0-9]{1,4})(?:m|min))?(?:([0-9]{1,5})s)?", re.IGNORECASE)
_COMPARED = re.compile(r"(>=|<=|>|<|=|≥|≤)\s*(.+)", re.DOTALL)
_BETWEEN = re.compile(r"\.{2,3}|…")
_HYPHEN = re.compile(r"(?<=[0-9A-Za-z])[-–](?=[0-9.])")
_REVERSED = re.compile(r"(=>|=<)(.*)", re.DOTALL)
_STARS = re.compile(r"[★⭐]{1,5}")


class MisreadError(Exception):
    """A value that can't be read: the reason, and the value that was probably meant."""

    def __init__(self, reason: str, suggestion: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.suggestion = reason, suggestion


@dataclass(frozen=True, slots=True)
class _Number:
    value: float
    least: float  # what rounds to it
    most: float
    unit: str


def read_range(key: str, text: str) -> Range:
    """The range that is written behind one of `KEYS`; MisreadError where it is none."""
    measure = KEYS[key]
    text = text.strip()
    if text == "*":
        return Range(measure)
    if found := _REVERSED.fullmatch(text):
        raise MisreadError(f"{found[1]} is no comparison.", f"{found[1][::-1]}{found[2]}")
    if found := _COMPARED.fullmatch(text):
        return _checked(measure, _compared(measure, key, found[1], found[2]))
    parts = _BETWEEN.split(text)
    if len(parts) == 2 and any(parts):
        return _checked(measure, _between(measure, key, parts[0].strip(), parts[1].strip()))
    if measure == "rating" and (stars := _STARS.fullmatch(text)):
        return Range(measure, len(stars[0]), len(stars[0]))
    if text.endswith("+"):
        return _checked(measure, Range(measure, _number(measure, key, text[:-1]).value))
    number = _parse(measure, text)
    if number is None:
        halves = _HYPHEN.split(text)
        if len(halves) == 2:
            return _checked(measure, _between(measure, key, *halves))
        raise _fault(key, text)
    return _checked(measure, Range(measure, number.least, number.most))


def _compared(measure: Measure, key: str, sign: str, text: str) -> Range:
    number = _number(measure, key, text)
    match sign:
        case "=":
            return Range(measure, number.least, number.most)
        case ">=" | "≥":
            return Range(measure, number.value)
        case "<=" | "≤":
            return Range(measure, None, number.value)
        case ">":
            counted = measure in _COUNTED
            return Range(measure, math.floor(number.value) + 1 if counted else math.nextafter(number.value, math.inf))
        case _:
            if number.value <= 0:
                raise MisreadError("Nothing is below 0.")
            counted = measure in _COUNTED
            below = math.ceil(number.value) - 1 if counted else math.nextafter(number.value, 0)
            return Range(measure, None, below)


def _between(measure: Measure, key: str, first: str, last: str) -> Range:
    low = _number(measure, key, first) if first else None
    high = _number(measure, key, last) if last else None
    if measure == "bytes" and low and high and not low.unit and high.unit:  # 1..5mb
        low = _number(measure, key, first + high.unit)
    if low and high and low.value > high.value:
        raise MisreadError(f"{first} is more than {last}.", f"{last}..{first}")
    return Range(measure, low.value if low else None, high.value if high else None)


def _checked(measure: Measure, wanted: Range) -> Range:
    if measure == "rating" and any(end is not None and end > 5 for end in (wanted.low, wanted.high)):
        raise MisreadError("Ratings are from 0 to 5 stars.")
    return wanted


def _number(measure: Measure, key: str, text: str) -> _Number:
    number = _parse(measure, text.strip())
    if number is None:
        raise _fault(key, text)
    return number


def _fault(key: str, text: str) -> MisreadError:
    what = f"{text[:40]!r} is no number" if text else "A number is missing"
    return MisreadError(f"{what}; write {EXAMPLES[key]}.")


def _parse(measure: Measure, text: str) -> _Number | None:
    if measure == "duration" and (seconds := _duration(text)) is not None:
        return seconds
    if measure == "f_number" and text[:1] in ("f", "F"):
        text = text[1:].removeprefix("/")
    if measure == "rating":
        text = re.sub(r"\s*(stars?|[★⭐])$", "", text)
    found = _ONE.fullmatch(text)
    if found is None:
        return None
    number, under, unit = found[1].replace(",", "."), found[2], found[3].lower()
    factor = 1.0 if not unit else _UNITS.get(measure, {}).get(unit)
    value = _plain(number)
    if factor is None or not math.isfinite(value):
        return None
    digits = _digits(measure, number, unit)
    if under is not None:
        divisor = _plain(under.replace(",", "."))
        if measure != "exposure_time" or not 0.5 < divisor < math.inf:
            return None
        return _Number(
            value / divisor * factor, value / (divisor + 0.5) * factor, value / (divisor - 0.5) * factor, unit
        )
    exact = value if factor == 1 else value * factor
    if not math.isfinite(exact):
        return None
    if digits is None:
        return _Number(exact, exact, exact, unit)
    half = 0.5 * 10.0**-digits
    low, high = (round(value + side, digits + 1) for side in (-half, half))
    return _Number(exact, max(0.0, low * factor), high * factor, unit)


def _plain(text: str) -> float:
    return int(text) if text.isdigit() else float(text)


def _digits(measure: Measure, number: str, unit: str) -> int | None:
    """To how many decimals the number is meant, as it is written; f-numbers to one at least. None: it is exact."""
    if "e" in number.lower() or (measure in _COUNTED and not (measure == "bytes" and unit)):
        return None
    decimals = len(number.partition(".")[2])
    return max(1, decimals) if measure == "f_number" else decimals


def _duration(text: str) -> _Number | None:
    if clock := _CLOCK.fullmatch(text):
        value = int(clock[1] or 0) * 3_600 + int(clock[2]) * 60 + int(clock[3])
        return _Number(value, max(0, value - 0.5), value + 0.5, "s")
    united = _UNITED.fullmatch(text)
    if united is None or sum(part is not None for part in united.groups()) < 2:
        return None
    hours, minutes, seconds = (int(part or 0) for part in united.groups())
    value = hours * 3_600 + minutes * 60 + seconds
    half = 0.5 if united[3] else 30
    return _Number(value, max(0, value - half), value + half, "s")


def plain_number(measure: Measure, low: float | None, high: float | None) -> str | None:
    """The plain number that is read as this very range ('50', '1/60', '5mb'); None where none is."""
    if low is None or high is None:
        return None
    middle = (low + high) / 2
    candidates = [f"{middle:.4g}", f"{middle:.0f}"]
    if measure == "exposure_time" and middle:
        candidates.append(f"1/{1 / middle:.4g}")
    elif measure == "bytes":
        candidates += [f"{middle / factor:.4g}{unit}" for unit, factor in (("kb", 10**3), ("mb", 10**6), ("gb", 10**9))]
    elif measure == "duration":
        candidates += [f"{middle / 60:.4g}m", f"{middle / 3_600:.4g}h"]
    for text in candidates:
        number = _parse(measure, text)
        if number is not None and (number.least, number.most) == (low, high):
            return text
    return None
