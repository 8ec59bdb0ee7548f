"""Colours: the thirteen names and their common shades, mostly this or that much of one, '#rrggbb', black and white.

A colour's name is uncertain (Orange is a city, black forest a wood): words may be meant as well. A share, or a value in
hexadecimal, makes it certain. A single character in a script without spaces (红, 赤) means a colour only by itself or
before 的 or の, since names are full of them (红楼梦, 黒部).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from imager.query.model import COLOURS, All, AnyOf, Colour, Condition, Not
from imager.query.understand.lexicon import Lexeme, Line
from imager.query.understand.reading import Found

MOSTLY: Final = 0.4
"""The share that 'mostly red' asks for."""

GREYS: Final = ("black", "white", "grey")
TINGE: Final = 0.02
"""The share from which a colour shows: a black and white picture has no other with so much."""

_VALUE = re.compile(r"#([0-9a-f]{6}|[0-9a-f]{3})(?![0-9a-z])")
_PERCENT = re.compile(r"([0-9]{1,3}) ?%")


class Colours:
    """Reads the colours of one line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def find(self, at: int, *, behind_word: bool) -> Iterator[Found]:
        """Every way to read a colour from here; `behind_word`: a word that means only itself stands before."""
        line = self._line
        if value := _VALUE.match(line.text, at):
            digits = value[1] if len(value[1]) == 6 else "".join(digit * 2 for digit in value[1])
            yield from self._shared(value.end(), f"#{digits}", f"#{digits}", certain=True)
        for lexeme in line.of(at, "monochrome"):
            yield Found(lexeme.end, monochrome(), "colour", "black and white", certain=False)
        for end, name in self._names(at, behind_word=behind_word):
            yield from self._shared(end, name.split()[-1], name, certain=False)
            for either in line.of(line.skip(end), "or"):
                for last, other in self._names(line.skip(either.end), behind_word=False, led=True):
                    both = AnyOf((Colour(name.split()[-1]), Colour(other.split()[-1])))
                    yield Found(last, both, "colour", f"{name} or {other}", certain=False)
        for lexeme in line.of(at, "mostly"):
            for end, name in self._names(line.skip(lexeme.end), behind_word=False, led=True):
                yield Found(end, Colour(name.split()[-1], MOSTLY), "colour", f"mostly {name}")
        bounded = next((line.skip(one.end) for one in line.of(at, "at_least")), at)
        if (percent := _PERCENT.match(line.text, bounded)) and 0 < int(percent[1]) <= 100:
            after = line.past(line.skip(percent.end()), "of", "particle")
            for end, name in self._names(after, behind_word=False, led=True):
                share = int(percent[1]) / 100
                yield Found(end, Colour(name.split()[-1], share), "colour", f"{percent[1]} % {name}")

    def _shared(self, end: int, colour: str, name: str, *, certain: bool) -> Iterator[Found]:
        yield Found(end, Colour(colour), "colour", name, certain)
        percent = _PERCENT.match(self._line.text, self._line.skip(end))
        if percent and 0 < int(percent[1]) <= 100:
            yield Found(percent.end(), Colour(colour, int(percent[1]) / 100), "colour", f"{percent[1]} % {name}")

    def _names(self, at: int, *, behind_word: bool, led: bool = False) -> Iterator[tuple[int, str]]:
        """The name of a colour with its shade, in English ('dark green'), and where it ends."""
        line = self._line
        for lexeme in self._plain(at, led=led):
            if lexeme.role == "colour" or behind_word:
                yield lexeme.end, str(lexeme.value)
                for shade in line.of(line.skip(lexeme.end), "shade"):
                    if shade.language == lexeme.language:
                        yield shade.end, f"{shade.value} {lexeme.value}"
        for shade in line.of(at, "shade"):
            for lexeme in line.of(line.skip(shade.end), "colour", "colour_weak"):
                yield lexeme.end, f"{shade.value} {lexeme.value}"

    def _plain(self, at: int, *, led: bool) -> Iterator[Lexeme]:
        line = self._line
        for lexeme in line.of(at, "colour", "colour_weak"):
            if lexeme.end > at + 1 or line.scripts[at] != "C" or self._by_itself(at, lexeme.end, led=led):
                yield lexeme

    def _by_itself(self, at: int, end: int, *, led: bool) -> bool:
        """Whether a single character says a colour here, rather than being part of a name."""
        line = self._line
        if any(line.of(end, "particle", "not_post")):
            return True
        return (led or at == 0 or line.scripts[at - 1] == " ") and line.scripts[end : end + 1] in ("", " ")


def monochrome() -> Condition:
    """Some black, white or grey, and none of the other colours."""
    return All(
        (
            AnyOf(tuple(Colour(name, TINGE) for name in GREYS)),
            Not(AnyOf(tuple(Colour(name, TINGE) for name in COLOURS if name not in GREYS))),
        )
    )
