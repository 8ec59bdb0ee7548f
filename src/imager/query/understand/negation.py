"""What is not wanted: without people, not blurry, ohne Hund, pas de chien, sin perros, 没有人, 犬なし.

What follows is excluded: something understood (a colour, a date, a known name), something pictures have (tags), or else
the next word; more of them after 'and' or 'or'. Conservative where the word is something else too: 'no' before a number
(No. 5) or alone, 'sin' before what cannot be Spanish (sin city), and what the tables list (no parking, pas de Calais).
In Japanese the exclusion follows: it reaches back to the last particle, eight characters at most.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from imager.query.model import Condition, Not, Text
from imager.query.understand.kinds import Kinds
from imager.query.understand.lexicon import Lexeme, Line, match_of
from imager.query.understand.reading import Found

_LONGEST: Final = 8  # characters of one thing in scripts without spaces
_NOT_SPANISH: Final = tuple("bcfghkmptvwxy")

Understood = Callable[[int], Iterable[Found]]


class Negation:
    """Reads the exclusions of one line; `understood` reads whatever else may stand at a position."""

    def __init__(self, line: Line, kinds: Kinds, understood: Understood) -> None:
        self._line = line
        self._kinds = kinds
        self._understood = understood
        self._post: dict[int, Lexeme] | None = None

    def find(self, at: int, *, goes_on: bool) -> Iterator[Found]:
        """Every way to read an exclusion from here; `goes_on`: one is right before, so 'or cats' is another."""
        line = self._line
        for lexeme in itertools.islice(line.of(at, "not"), 1):  # the longest only: 'pas de' is not 'pas'
            start = line.skip(lexeme.end)
            if start > lexeme.end or line.scripts[start : start + 1] in ("C", "K") or line.text[start - 1] == "'":
                yield from self._excluded(start, lexeme)
        if goes_on:
            for lexeme in line.of(at, "and", "or"):
                yield from self._excluded(line.skip(lexeme.end), lexeme)
        yield from self._behind(at)

    def _excluded(self, at: int, sign: Lexeme) -> Iterator[Found]:
        line = self._line
        at = line.past(line.past(at, "article"), "pictures")
        if at >= len(line.text) or (line.scripts[at] == "P" and line.text[at] != "#"):
            return
        end = self._word(at)
        if end == at or self._false_friend(at, end, sign):
            return
        for known in self._known(at):
            yield Found(self._close(known.end), known.condition, "exclude", known.label)
        condition = Not(self._text(at, end))
        yield Found(self._close(end), condition, "exclude", f"not {line.typed(at, end)}")

    def _known(self, at: int) -> Iterator[Found]:
        ends = self._line.ends
        for end, condition, name in self._kinds.possessions(at):
            if ends(end):
                yield Found(end, Not(condition), "exclude", f"without {name}")
        for found in self._understood(at):
            if ends(found.end):
                yield Found(found.end, Not(found.condition), "exclude", f"not {found.label}")

    def _false_friend(self, at: int, end: int, sign: Lexeme) -> bool:
        line = self._line
        if sign.role != "not":
            return False
        if sign.value == "no" and line.scripts[at] == "D":
            return True
        if sign.value == "sin" and line.text[at:end].endswith(_NOT_SPANISH):
            return True
        return any(one.value == sign.value and one.end == end for one in line.of(at, "not_before"))

    def _close(self, at: int) -> int:
        return next((one.end for one in self._line.of(self._line.skip(at), "not_close")), at)

    def _text(self, at: int, end: int) -> Condition:
        typed = self._line.typed(at, end)
        return Text(typed, match_of(typed))

    def _word(self, at: int) -> int:
        """Behind the word that begins here; in scripts without spaces, before the next particle."""
        line = self._line
        if line.scripts[at] not in "CK":
            end = at
            while end < len(line.text) and line.scripts[end] not in " CK":
                end += 1
            while end > at and line.scripts[end - 1] == "P":
                end -= 1
            return end
        end = at
        while end < len(line.text) and end - at < _LONGEST and line.scripts[end] in "CK":
            if end > at and any(line.of(end, "particle", "not_close", "and", "or")):
                break
            end += 1
        return end

    def _behind(self, at: int) -> Iterator[Found]:
        """An exclusion that follows what it excludes, in the same word or the next: 犬なし, 犬 なし."""
        line = self._line
        sign = self._next_post(at) if line.scripts[at] not in " P" else None
        if not sign or sign[0] == at or sign[0] - at > 2 * _LONGEST:
            return
        start, lexeme = sign
        end = start - 1 if line.text[start - 1] == " " else start
        if line.scripts[at] in "CK" and end - at > _LONGEST:
            return
        known = [one for one in self._known(at) if one.end in (end, start)]
        for one in known:
            yield Found(lexeme.end, one.condition, "exclude", one.label)
        inner = range(at, end)
        if " " in line.text[at:end] or any(any(line.of(position, "particle")) for position in inner if position > at):
            return
        if end == at + 1 and "\u3041" <= line.text[at] <= "\u309f":  # はなし is a talk
            return
        if not known and (at == 0 or not any(line.of(at, "particle"))):
            yield Found(lexeme.end, Not(self._text(at, end)), "exclude", f"not {line.typed(at, end)}")

    def _next_post(self, at: int) -> tuple[int, Lexeme] | None:
        """The next sign of an exclusion behind its object, and where it stands."""
        if self._post is None:
            signs = (
                (position, next(self._line.of(position, "not_post"), None)) for position in range(len(self._line.text))
            )
            self._post = {position: lexeme for position, lexeme in signs if lexeme}
        if self._post:
            for position in range(at, at + 2 * _LONGEST + 1):
                if lexeme := self._post.get(position):
                    return position, lexeme
        return None
