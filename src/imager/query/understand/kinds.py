"""What sort of picture: its shape (portrait, landscape, square, panorama), favourites, with or without a place, tags.

Shapes and favourites are uncertain, for they are words as well (a portrait of her, a landscape, a square in Rome);
'portrait format' is certain. Something that a picture has counts only behind 'with' (or 'without', see `negation`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from imager.query.model import AnyOf, Condition, Has, Not, Shape, Text
from imager.query.understand.lexicon import Line, match_of
from imager.query.understand.reading import Found, Lead

HAVING: Final = {
    "position": "location",
    "tag": "tags",
    "title": "title",
    "caption": "caption",
    "rating": "rating",
    "person": "people",
    "album": "album",
}
"""What `Has` asks for, as it is called on a chip."""


class Kinds:
    """Reads what sort of picture is asked for in one line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def find(self, at: int, lead: Lead) -> Iterator[Found]:
        """Every way to read a shape, or something that pictures have, from here."""
        line = self._line
        for lexeme in line.of(at, "shape"):
            shape: Any = lexeme.value
            yield Found(lexeme.end, Shape(shape), "shape", str(shape), certain=False)
            for form in line.of(line.skip(lexeme.end), "format"):
                yield Found(form.end, Shape(shape), "shape", str(shape))
        for lexeme in line.of(at, "favourite"):
            yield Found(lexeme.end, Has("favourite"), "has", "favourites", certain=False)
        for lexeme in line.of(at, "untagged"):
            yield Found(lexeme.end, Not(Has("tag")), "has", "without tags")
        for lexeme in line.of(at, "having"):
            yield Found(lexeme.end, self._has(lexeme.value, ""), "has", f"with {HAVING[str(lexeme.value)]}")
        if lead.with_:
            for end, condition, name in self.possessions(at):
                yield Found(end, condition, "has", f"with {name}")

    def possessions(self, at: int) -> Iterator[tuple[int, Condition, str]]:
        """What a picture may have, read from here: where it ends, the condition, and how it is called."""
        for lexeme in self._line.of(at, "has"):
            typed = self._line.typed(at, lexeme.end)
            yield lexeme.end, self._has(lexeme.value, typed), HAVING[str(lexeme.value)]

    @staticmethod
    def _has(value: Any, typed: str) -> Condition:
        if value != "person" or not typed:
            return Has(value)
        # People in a picture may be named, or only spoken of in words.
        return AnyOf((Has("person"), Text(typed, match_of(typed))))
