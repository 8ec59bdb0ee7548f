"""What the parts of the grammar hand to each other: something understood, from a position up to `end`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from imager.query.model import Condition
from imager.query.understand.calendar import Span
from imager.query.understand.languages import Role
from imager.query.understand.lexicon import Lexeme


@dataclass(frozen=True, slots=True)
class Found:
    """Something understood in folded text, up to `end`.

    `lonely`: uncertain where it is all that was typed (2021 may be the name of a picture), certain beside other words.
    """

    end: int
    condition: Condition
    kind: str
    label: str
    certain: bool = True
    lonely: bool = False


@dataclass(frozen=True, slots=True)
class Lead:
    """The prepositions and articles that stood before: in which languages a 'with', an 'in', anything at all."""

    in_: frozenset[str] = frozenset()
    of: frozenset[str] = frozenset()
    with_: frozenset[str] = frozenset()
    any_: bool = False

    def also(self, lexemes: Sequence[Lexeme]) -> Lead:
        """With one more word before, in all that it may be."""

        def languages(role: Role, known: frozenset[str]) -> frozenset[str]:
            return known | {lexeme.language for lexeme in lexemes if lexeme.role == role}

        return Lead(languages("in", self.in_), languages("of", self.of), languages("with", self.with_), any_=True)


NO_LEAD = Lead()


@dataclass(frozen=True, slots=True)
class Moment:
    """A span of days; or of any year: a month, or from one (month, day) to another. Or only the number of a day."""

    end: int
    span: Span | None = None
    month: int = 0
    day: int = 0
    label: str = ""
    certain: bool = True
    lonely: bool = False  # a year and nothing else
    word: str = ""  # language of a month's name that is a common word too
