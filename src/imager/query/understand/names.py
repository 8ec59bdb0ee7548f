"""People and places by name, where the library knows them: 'in Paris', 'with Anna', 'photos of Anna Schmidt'.

Only behind a preposition: without one a name is a word like any other, and the search for words finds it in people and
places too. In scripts without spaces also before a particle (東京の写真).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from imager.query.model import Named
from imager.query.understand.lexicon import Line, fold
from imager.query.understand.reading import Found, Lead

_WORDS = 4  # in the longest name that is looked for
_CHARACTERS = 8  # the same in scripts without spaces
_LOOKUPS = 64  # of one query


class Vocabulary(Protocol):
    """What names there are, each with the number of its pictures."""

    def people(self, prefix: str, /) -> Sequence[tuple[str, int]]:
        """Names of people that begin with `prefix`."""

    def places(self, prefix: str, /) -> Sequence[tuple[str, int]]:
        """Names of places that begin with `prefix`."""


class Names:
    """Reads the known names of one line."""

    def __init__(self, line: Line, vocabulary: Vocabulary | None) -> None:
        self._line = line
        self._vocabulary = vocabulary
        self._left = _LOOKUPS

    def find(self, at: int, lead: Lead) -> Iterator[Found]:
        """The names known behind such a preposition, from here."""
        if self._vocabulary is None:
            return
        place, person = bool(lead.in_ or lead.of), bool(lead.with_ or lead.of)
        if self._line.scripts[at] in "CK":
            yield from self._unspaced(at, place=place, person=person)
        elif place or person:
            yield from self._spaced(at, place=place, person=person)

    def any_name(self, at: int) -> Iterator[Found]:
        """The names known from here, whatever stands before."""
        if self._line.scripts[at] in "CK":
            return
        yield from self._spaced(at, place=True, person=True)

    def _spaced(self, at: int, *, place: bool, person: bool) -> Iterator[Found]:
        line, end = self._line, at
        for _ in range(_WORDS):
            end = line.text.find(" ", line.skip(end))
            stop = end if end >= 0 else len(line.text)
            while stop > at and line.behind(stop - 1) >= stop:
                stop -= 1
            if stop > at:
                yield from self._look(at, stop, place=place, person=person)
            if end < 0:
                return

    def _unspaced(self, at: int, *, place: bool, person: bool) -> Iterator[Found]:
        line = self._line
        for end in range(at + 1, min(at + _CHARACTERS, len(line.text)) + 1):
            if line.scripts[end - 1] not in "CK":
                return
            if place or person:
                yield from self._look(at, end, place=place, person=person)
            elif end > at + 1 and any(line.of(end, "particle")):
                yield from self._look(at, end, place=True, person=True)

    def _look(self, at: int, end: int, *, place: bool, person: bool) -> Iterator[Found]:
        if self._vocabulary is None or self._left <= 0:
            return
        self._left -= 1
        typed = self._line.typed(at, end)
        wanted = fold(typed)
        if place:
            for name, _ in self._vocabulary.places(typed):
                if fold(name) == wanted:
                    yield Found(end, Named("place", name), "place", name)
                    break
        if person:
            for name, _ in self._vocabulary.people(typed):
                if fold(name) == wanted:
                    yield Found(end, Named("person", name), "person", name)
                    break
