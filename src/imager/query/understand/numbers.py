"""Numbers with a unit: stars, ISO, aperture, focal length, megapixels, megabytes; exact, from, up to, or both.

Decisions: '4 stars' is exactly four, '4 stars and more' from four. Twelve megapixels are 11.5 to 12.5, since cameras
don't make round numbers. Megabytes need a bound (nobody knows the exact size). 'f8' is no aperture (F1 is a race, F16
an aeroplane): f/8 and f2.8 are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from imager.query.model import Measure, Range
from imager.query.understand.lexicon import Line
from imager.query.understand.reading import Found

_NUMBER = re.compile(r"([0-9]{1,7})(?:[.,]([0-9]{1,2}))?(?![0-9])")
_APERTURE = re.compile(r"[fƒ] ?/ ?|[fƒ](?= ?[0-9]{1,2}[.,][0-9])")
_JOINT = re.compile(r" ?- ?")
_STARS = re.compile("[★⭐]{1,5}(?![★⭐☆])")
_MEGABYTE: Final = 1_000_000

_UNITS: Final[dict[str, Measure]] = {
    "star": "rating",
    "millimetre": "focal_length",
    "megapixel": "megapixels",
    "megabyte": "bytes",
}
_LIMITS: Final[dict[Measure, tuple[float, float]]] = {
    "rating": (0, 5),
    "iso": (1, 10_000_000),
    "f_number": (0.5, 128),
    "focal_length": (1, 5_000),
    "megapixels": (0.1, 1_000),
    "bytes": (1, 100_000),
}
_WHOLE: Final = ("rating", "iso", "bytes")


@dataclass(frozen=True, slots=True)
class _Amount:
    end: int
    low: float
    high: float
    decimals: int = 0


class Numbers:
    """Reads the numbers of one line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def find(self, at: int) -> Iterator[Found]:
        """Every way to read a number with its unit from here."""
        line = self._line
        if stars := _STARS.match(line.text, at):
            count = stars.end() - at
            yield from self._bounded("rating", _Amount(stars.end(), count, count), "")
        for start, bound in self._bounds(at):
            for measure, behind in self._keywords(start):
                for begin, second in self._bounds(behind):
                    for amount in self._amounts(begin, measure):
                        yield from self._bounded(measure, amount, bound or second)
            for amount in self._amounts(start, "rating"):
                yield from self._with_unit(amount, bound)

    def _bounds(self, at: int) -> Iterator[tuple[int, str]]:
        yield at, ""
        for lexeme in self._line.of(at, "at_least", "more_than", "at_most", "less_than"):
            yield self._line.skip(lexeme.end), lexeme.role

    def _keywords(self, at: int) -> Iterator[tuple[Measure, int]]:
        """What stands before its number: ISO 800, f/2.8, 星4."""
        line = self._line
        for lexeme in line.of(at, "iso"):
            yield "iso", line.skip(lexeme.end)
        for lexeme in line.of(at, "star"):
            if line.text[at] in "★⭐星":
                yield "rating", line.skip(lexeme.end)
        if aperture := _APERTURE.match(line.text, at):
            yield "f_number", aperture.end()

    def _amounts(self, at: int, measure: Measure) -> Iterator[_Amount]:
        text = self._line.text
        if first := _NUMBER.match(text, at):
            low, decimals = _value(first)
            yield _Amount(first.end(), low, low, decimals)
            joints = [self._line.skip(one.end) for one in self._line.of(self._line.skip(first.end()), "to")]
            joints += [dash.end()] if (dash := _JOINT.match(text, first.end())) else []
            for joint in joints:
                aperture = _APERTURE.match(text, joint) if measure == "f_number" else None
                if second := _NUMBER.match(text, aperture.end() if aperture else joint):
                    high, _ = _value(second)
                    yield _Amount(second.end(), min(low, high), max(low, high), decimals)
        else:
            yield from (_Amount(end, value, value) for end, value in self._line.count(at) if measure == "rating")

    def _with_unit(self, amount: _Amount, bound: str) -> Iterator[Found]:
        line = self._line
        behind = line.skip(amount.end)
        for plus in line.of(behind, "or_more", "or_less"):  # 4+ stars
            bound, behind = "at_least" if plus.role == "or_more" else "at_most", line.skip(plus.end)
            break
        if line.text.startswith("-", behind):  # 5-star
            behind += 1
        for unit in line.of(behind, "star", "millimetre", "megapixel", "megabyte"):
            if unit.role != "star" or bound or not self._false_friend(amount, unit.end):
                yield from self._bounded(_UNITS[unit.role], _Amount(unit.end, *_rest(amount)), bound)

    def _false_friend(self, amount: _Amount, end: int) -> bool:
        """Whether the stars are none: 'a star'; 三星 is a make, and 五星红旗 a flag."""
        line = self._line
        if line.scripts[amount.end - 1] != "C" or any(line.of(end, "or_more", "or_less")):
            return amount.high == 1 and line.scripts[amount.end - 1] == "L"
        behind = line.skip(end)
        return amount.high == 3 or (behind == end < len(line.text) and not any(line.of(end, "particle", "pictures")))

    def _bounded(self, measure: Measure, amount: _Amount, bound: str) -> Iterator[Found]:
        yield from self._found(measure, amount, bound)
        if not bound:
            for lexeme in self._line.of(self._line.skip(amount.end), "or_more", "or_less"):
                bounded = "at_least" if lexeme.role == "or_more" else "at_most"
                yield from self._found(measure, _Amount(lexeme.end, *_rest(amount)), bounded)

    @staticmethod
    def _found(measure: Measure, amount: _Amount, bound: str) -> Iterator[Found]:
        least, most = _LIMITS[measure]
        if not least <= amount.low <= amount.high <= most or (
            measure == "bytes" and not bound and amount.low == amount.high
        ):
            return
        if bound and amount.low != amount.high:
            return
        scale = _MEGABYTE if measure == "bytes" else 1
        low, high = amount.low * scale, amount.high * scale
        if measure == "megapixels" and low == high and not bound:
            low, high = low - 0.5 / 10**amount.decimals, high + 0.5 / 10**amount.decimals
        if bound == "more_than":
            low = low + 1 if measure in _WHOLE else math.nextafter(low, math.inf)
        elif bound == "less_than":
            high = high - 1 if measure in _WHOLE else math.nextafter(high, -math.inf)
        condition = Range(
            measure,
            None if bound in ("at_most", "less_than") else low,
            None if bound in ("at_least", "more_than") else high,
        )
        yield Found(amount.end, condition, measure, _label(measure, amount, bound))


def _value(match: re.Match[str]) -> tuple[float, int]:
    decimals = match[2] or ""
    return float(f"{match[1]}.{decimals or 0}"), len(decimals)


def _rest(amount: _Amount) -> tuple[float, float, int]:
    return amount.low, amount.high, amount.decimals


def _label(measure: Measure, amount: _Amount, bound: str) -> str:
    numbers = f"{amount.low:g}" if amount.low == amount.high else f"{amount.low:g}–{amount.high:g}"
    text = {
        "rating": f"★ {numbers}",
        "iso": f"ISO {numbers}",
        "f_number": f"f/{numbers}",
        "focal_length": f"{numbers} mm",
        "megapixels": f"{numbers} megapixels",
        "bytes": f"{numbers} MB",
    }[measure]
    return {
        "": text,
        "at_least": f"{text} and more",
        "at_most": f"{text} and less",
        "more_than": f"more than {text}",
        "less_than": f"less than {text}",
    }[bound]
