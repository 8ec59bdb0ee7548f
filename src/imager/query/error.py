"""What is wrong with a search that was typed, where, and what was probably meant."""

from __future__ import annotations

import unicodedata

from imager.errors import UsageError

_BEFORE, _AFTER = 40, 30  # characters shown on either side of the mistake


class QueryError(UsageError):
    """A search that can't be read. `start` and `end` are where the mistake stands in `text`; `reason` says what it is.

    The text of the error has the reason and, on two lines below it, the piece of the search with a mark under it.
    """

    def __init__(self, reason: str, text: str, start: int, end: int) -> None:
        self.reason, self.text, self.start, self.end = reason, text, start, max(end, start + 1)
        super().__init__(f"{reason}\n{_excerpt(text, start, self.end)}")


def _excerpt(text: str, start: int, end: int) -> str:
    first = max(0, start - _BEFORE)
    last = min(len(text), max(start, min(end, start + _AFTER)) + _AFTER)
    shown = ["…" if first else ""] + [_visible(c) for c in text[first:last]] + ["…" if last < len(text) else ""]
    before = sum(_columns(part) for part in shown[: start - first + 1])
    marked = sum(_columns(part) for part in shown[start - first + 1 : end - first + 1])
    return f"  {''.join(shown)}\n  {' ' * before}{'^' * max(1, marked)}"


def _visible(character: str) -> str:
    """The character, or a blank for one that would move what stands beside it."""
    return " " if unicodedata.category(character)[0] in "CZ" else character


def _columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
