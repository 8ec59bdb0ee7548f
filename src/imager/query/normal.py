"""One form for conditions that mean the same by their structure, and how large a condition is.

`text.parse` gives its conditions in this form, and `printer.print_query` prints it: All within All and AnyOf within
AnyOf become one, a group of one is its part, and "at least one of nothing" is "not every picture".
"""

from __future__ import annotations

from typing import Final

from imager.query.model import All, AnyOf, Condition, Not, Query

MOST_PARTS: Final = 256
"""Conditions in one query, groups included: more is never typed, and would only be asked to do harm."""

MOST_LEVELS: Final = 32
"""Conditions within conditions."""

LONGEST: Final = 1_000
"""Characters of one text, name or pattern."""


def normalise(query: Query) -> Query:
    """The same query with its condition in normal form."""
    return Query(normal(query.where), query.sort)


def normal(condition: Condition) -> Condition:
    """The same condition in normal form; of at most `MOST_LEVELS` levels."""
    if isinstance(condition, Not):
        return Not(normal(condition.part))
    if isinstance(condition, All):
        return all_of([normal(part) for part in condition.parts])
    if isinstance(condition, AnyOf):
        return any_of([normal(part) for part in condition.parts])
    return condition


def all_of(parts: list[Condition]) -> Condition:
    """All of these, which are in normal form, in normal form."""
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, All) else (part,))
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def any_of(parts: list[Condition]) -> Condition:
    """At least one of these, which are in normal form, in normal form."""
    flat: list[Condition] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, AnyOf) else (part,))
    if not flat:
        return Not(All())
    return flat[0] if len(flat) == 1 else AnyOf(tuple(flat))


def size(condition: Condition) -> tuple[int, int]:
    """How many conditions there are, groups included, and on how many levels."""
    parts = levels = 0
    todo = [(condition, 1)]
    while todo:
        one, level = todo.pop()
        parts, levels = parts + 1, max(levels, level)
        if isinstance(one, Not):
            todo.append((one.part, level + 1))
        elif isinstance(one, (All, AnyOf)):
            todo.extend((part, level + 1) for part in one.parts)
    return parts, levels
