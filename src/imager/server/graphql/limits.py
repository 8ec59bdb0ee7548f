"""How much one request may ask for: its text before anything is looked up, its work while that is done.

A short text can ask for very much: fragments within fragments double what is asked with each line, aliases ask for the
same again, lists multiply what stands below them. So a document is measured with its fragments unfolded (in numbers,
not in memory), and whatever looks something up takes from a budget first.
"""

from __future__ import annotations

from typing import Final

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

from imager.errors import UsageError

LONGEST: Final = 20_000
"""Characters of a document."""

MOST_TOKENS: Final = 2_000
MOST_FIELDS: Final = 1_000
"""With all fragments unfolded; descriptions of schemas that tools ask for have about 200."""

MOST_LEVELS: Final = 16
BUDGET: Final = 2_000
"""What one request may cost: one for ten values, and more for what looks at the whole library."""

_INTROSPECTION: Final = 300
"""As so many fields counts each time that the schema is asked for, which is long."""


class Budget:
    """What is left for one request."""

    def __init__(self) -> None:
        self.left = BUDGET

    def spend(self, cost: int, *, rows: int = 0, fields: int = 0) -> None:
        """Take from it, also for rows with so many fields each; UsageError where not enough is left."""
        self.left -= cost + rows * fields // 10
        if self.left < 0:
            raise UsageError("This asks for too much at once. Ask for fewer pictures, or for one thing at a time.")


def measured(text: str) -> DocumentNode:
    """The document, if it is not too large in any way; GraphQLError otherwise, and where it can't be read."""
    if len(text) > LONGEST:
        raise GraphQLError(f"A document has at most {LONGEST:,} characters.")
    try:
        document = parse(text, max_tokens=MOST_TOKENS)
        fields, levels = _Measure(document).largest()
    except RecursionError:
        raise GraphQLError("The document is nested too deep.") from None
    if fields > MOST_FIELDS or levels > MOST_LEVELS:
        raise GraphQLError(f"A document asks for at most {MOST_FIELDS:,} fields on {MOST_LEVELS} levels.")
    return document


class _Measure:
    """Counts fields and levels; what a fragment has is counted once and remembered."""

    def __init__(self, document: DocumentNode) -> None:
        self._document = document
        self._fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}
        self._known: dict[str, tuple[int, int]] = {}

    def largest(self) -> tuple[int, int]:
        """Fields and levels of the operations, all together."""
        operations = [d for d in self._document.definitions if isinstance(d, OperationDefinitionNode)]
        sizes = [self._size(operation.selection_set) for operation in operations]
        return sum(fields for fields, _ in sizes), max((levels for _, levels in sizes), default=0)

    def _size(self, selections: SelectionSetNode | None) -> tuple[int, int]:
        fields, levels = 0, 0
        for selection in selections.selections if selections is not None else ():
            match selection:
                case FieldNode():
                    inner, below = self._size(selection.selection_set)
                    inner += _INTROSPECTION if selection.name.value in ("__schema", "__type") else 1
                    below += 1
                case InlineFragmentNode():
                    inner, below = self._size(selection.selection_set)
                case FragmentSpreadNode():
                    inner, below = self._fragment(selection.name.value)
                case _:
                    raise GraphQLError("The document has a selection of a kind that is not known here.")
            fields, levels = fields + inner, max(levels, below)
        return fields, levels

    def _fragment(self, name: str) -> tuple[int, int]:
        if name not in self._known:
            self._known[name] = 0, 0  # one within itself is refused when the document is validated
            if (fragment := self._fragments.get(name)) is not None:
                self._known[name] = self._size(fragment.selection_set)
        return self._known[name]
