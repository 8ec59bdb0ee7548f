"""What the parts of the grammar hand to each other: something understood, from a position up to `end`."""

from __future__ import annotations

from dataclasses import dataclass

from imager.query.model import Condition


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


NO_LEAD = Lead()
