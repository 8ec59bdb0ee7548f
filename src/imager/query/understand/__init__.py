"""What plain words mean: dates, numbers, colours, shapes, exclusions, known people and places, in six languages.

People are not asked which language they type. The tables of `languages` give words their role; the grammar joins roles
(`dates`, `numbers`, `colours`, `kinds`, `names`, `negation`); this module goes through the text once and takes, from
the left, the longest reading at each place. Everything is deterministic: the caller says when now is.

A reading that is not *certain* may as well be meant as words (Orange is a city): whoever uses it should find both.
Prepositions, articles and 'pictures of' beside a reading belong to it, since they say nothing more. What is on a chip
is in English.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from imager.query.model import Condition
from imager.query.understand.colours import Colours
from imager.query.understand.dates import Dates
from imager.query.understand.kinds import Kinds
from imager.query.understand.lexicon import Line, Word
from imager.query.understand.names import Names, Vocabulary
from imager.query.understand.negation import Negation
from imager.query.understand.numbers import Numbers
from imager.query.understand.reading import NO_LEAD, Found, Lead

__all__ = ["Reading", "Vocabulary", "Word", "understand"]

MOST: Final = 64
"""Readings of one query; nobody asks for more, and text that was pasted by mistake costs no time."""

LONGEST: Final = 2_000
"""Characters that are read; what stands beyond is plain words."""

_LEADS: Final = 4
_LEADING: Final = ("article", "in", "of", "from", "with", "and", "pictures")
_TRAILING: Final = ("particle", "pictures")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the words from `first` to `last` (both included) mean.

    `start` and `end` are where it stands in the typed text, as a Python slice; in scripts without spaces that may be
    part of a word, and the rest of it means only itself. From `core_start` to `core_end` are the words that matter,
    without prepositions and 'pictures of': what to look for as text where the reading is not certain.
    """

    first: int
    last: int
    start: int
    end: int
    condition: Condition
    kind: str  # of the chip: 'date', 'colour', 'shape', 'place', 'person', 'exclude', 'has' or the measure of a range
    label: str
    certain: bool
    core_start: int
    core_end: int


def understand(words: Sequence[Word], vocabulary: Vocabulary | None, *, now: datetime) -> list[Reading]:
    """What is meant by plain words that stand side by side, from left to right; readings don't overlap.

    `vocabulary`, where there is one, knows the names of people and places. `now` is the clock on the wall of whoever
    asks. Any text is read without an error.
    """
    return _Reader(words, vocabulary, now).read()


class _Reader:
    def __init__(self, words: Sequence[Word], vocabulary: Vocabulary | None, now: datetime) -> None:
        self._words = [word for word in words if word.end <= LONGEST]
        self._line = Line(self._words)
        self._whatever: dict[int, list[Found]] = {}  # what doesn't depend on what stands before
        self._dates = Dates(self._line, now.date())
        self._numbers = Numbers(self._line)
        self._colours = Colours(self._line)
        self._kinds = Kinds(self._line)
        self._names = Names(self._line, vocabulary)
        self._negation = Negation(self._line, self._kinds, self._unwanted)

    def read(self) -> list[Reading]:
        line, readings, at, past, word = self._line, list[Reading](), 0, 0, 0
        while (at := self._next(at)) < len(line.text) and len(readings) < MOST:
            before = readings[-1].kind if readings and line.skip(past) == at else ""
            core, found = self._best(at, before, plain=at > 0 and not before)
            if not found:
                at = max(core, at + 1)
                continue
            end = line.behind(self._trailing(found.end))
            start, finish = line.offsets(line.before(at, past), end)
            while self._words[word].end <= start:
                word += 1
            last = word
            while last + 1 < len(self._words) and self._words[last + 1].start < finish:
                last += 1
            certain = found.certain and not (found.lonely and at == 0 and found.end == len(line.text))
            said = found.condition, found.kind, found.label, certain
            readings.append(Reading(word, last, start, finish, *said, *line.offsets(core, found.end)))
            at = past = end
        return readings

    def _next(self, at: int) -> int:
        line = self._line
        while at < len(line.text) and (line.scripts[at] == " " or not line.begins(at)):
            at += 1
        return at

    def _best(self, at: int, before: str, *, plain: bool) -> tuple[int, Found | None]:
        """The longest reading from here, behind what may lead to one, and where it begins itself.

        `before` is the kind of the reading that ends right here; `plain`: a word that means only itself does. If there
        is none, the position returned is the first from which there may be one again: fewer leads would not help.
        """
        line, lead = self._line, NO_LEAD
        for step in range(_LEADS + 1):
            if found := self._longest(at, lead, goes_on=before == "exclude" and not step, plain=plain and not step):
                return at, found
            leads = [one for one in line.of(at, *_LEADING) if one.role != "and" or (before and not step)]
            after = line.skip(leads[0].end) if leads else len(line.text)
            if step == _LEADS or after == len(line.text):
                break
            lead = lead.also([one for one in leads if one.end == leads[0].end])
            at = after
        return at, None

    def _longest(self, at: int, lead: Lead, *, goes_on: bool, plain: bool) -> Found | None:
        found = [*self._negation.find(at, goes_on=goes_on), *self._core(at, lead, plain=plain)]
        return max((one for one in found if self._line.ends(one.end)), key=lambda one: one.end, default=None)

    def _core(self, at: int, lead: Lead, *, plain: bool) -> Iterator[Found]:
        yield from self._names.find(at, lead)
        if self._line.dull(at):
            return
        yield from self._dates.alone(at, lead)
        if at not in self._whatever:
            self._whatever[at] = [*self._dates.find(at), *self._numbers.find(at)]
        yield from self._whatever[at]
        yield from self._colours.find(at, behind_word=plain)
        yield from self._kinds.find(at, lead)

    def _unwanted(self, at: int) -> Iterator[Found]:
        yield from self._names.any_name(at)
        yield from self._core(at, NO_LEAD, plain=False)

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
