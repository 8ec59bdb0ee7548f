"""What plain words mean: dates, numbers, colours, shapes, exclusions, known people and places, in six languages.

People are not asked which language they type. The tables of `languages` give words their role; the grammar joins roles
(`dates`, `numbers`, `colours`, `kinds`, `names`, `negation`); this module goes through the text once and takes, from
the left, the longest reading at each place. Everything is deterministic: the caller says when now is.

A reading that is not *certain* may as well be meant as words (Orange is a city): whoever uses it should find both.
Prepositions, articles and 'pictures of' beside a reading belong to it, since they say nothing more. What is on a chip
is in English.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from imager.query.model import Condition
from imager.query.understand.dates import Dates
from imager.query.understand.lexicon import Lexeme, Line, Word
from imager.query.understand.reading import NO_LEAD, Found, Lead

__all__ = ["Reading", "Word", "understand"]

MOST: Final = 64
"""Readings of one query; nobody asks for more, and text that was pasted by mistake costs no time."""

_LEADING: Final = ("article", "in", "of", "from", "with", "and", "pictures")
_TRAILING: Final = ("particle", "pictures")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words from `first` to `last` (both included) mean.

    `start` and `end` are where it stands in the typed text, as a Python slice; in scripts without spaces that may be
    part of a word, and the rest of it means only itself.
    """

    first: int
    last: int
    start: int
    end: int
    condition: Condition
    kind: str  # of the chip: 'date', 'colour', 'shape', 'place', 'person', 'exclude', 'has' or the measure of a range
    label: str
    certain: bool


def understand(words: Sequence[Word], vocabulary: object | None, *, now: datetime) -> list[Reading]:
    """What is meant by plain words that stand side by side, from left to right; readings don't overlap.

    `vocabulary`, where there is one, knows the names of people and places (`names.Vocabulary`). `now` is the clock on
    the wall of whoever asks.
    """
    return _Reader(words, now).read()


class _Reader:
    def __init__(self, words: Sequence[Word], now: datetime) -> None:
        self._words = words
        self._line = Line(words)
        self._dates = Dates(self._line, now.date())

    def read(self) -> list[Reading]:
        line, readings, at, past, word = self._line, list[Reading](), 0, 0, 0
        while (at := self._next(at)) < len(line.text) and len(readings) < MOST:
            found = self._best(at, bool(readings) and self._beside(readings[-1], at))
            if not found:
                at += 1
                continue
            end = line.behind(self._trailing(found.end))
            start, finish = line.offsets(line.before(at, past), end)
            while self._words[word].end <= start:
                word += 1
            last = word
            while last + 1 < len(self._words) and self._words[last + 1].start < finish:
                last += 1
            certain = found.certain and not (found.lonely and at == 0 and found.end == len(line.text))
            readings.append(Reading(word, last, start, finish, found.condition, found.kind, found.label, certain))
            at = past = end
        return readings

    def _next(self, at: int) -> int:
        line = self._line
        while at < len(line.text) and (line.scripts[at] == " " or not line.begins(at)):
            at += 1
        return at

    def _beside(self, reading: Reading, at: int) -> bool:
        """Whether only a space stands between a reading and this."""
        return reading.end + 1 >= self._line.offsets(at, at + 1)[0]

    def _best(self, at: int, beside: bool) -> Found | None:
        """The longest reading from here, behind what may lead to one."""
        lead, leads = NO_LEAD, 0
        while at < len(self._line.text):
            found = [found for found in self._core(at, lead) if self._line.ends(found.end)]
            if found:
                return max(found, key=lambda one: one.end)
            leading = next((one for one in self._line.of(at, *_LEADING) if one.role != "and" or beside), None)
            leads += 1
            if not leading or leads > 4:
                return None
            lead = _add(lead, [one for one in self._line.of(at, *_LEADING) if one.end == leading.end])
            at = self._line.skip(leading.end)
        return None

    def _core(self, at: int, lead: Lead) -> list[Found]:
        return [*self._dates.find(at, lead)]

    def _trailing(self, at: int) -> int:
        """Behind the particles and the 'photos' that follow."""
        for _ in range(3):
            spaced = self._line.skip(at)
            for lexeme in self._line.of(spaced, *_TRAILING):
                if self._line.ends(lexeme.end) and (lexeme.role == "pictures" or spaced == at):
                    at = lexeme.end
                    break
            else:
                break
        return at


def _add(lead: Lead, lexemes: list[Lexeme]) -> Lead:
    def languages(role: str, known: frozenset[str]) -> frozenset[str]:
        return known | {lexeme.language for lexeme in lexemes if lexeme.role == role}

    return Lead(languages("in", lead.in_), languages("of", lead.of), languages("with", lead.with_), any_=True)
