"""What several commands share: options and opening the library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from imager.cli.main import settings
from imager.errors import ImagerError
from imager.library import Library

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for programs.")]
Reference = Annotated[str, typer.Argument(metavar="ID-or-PATH", help="A picture, by its id or by a file of it.")]


def open_library(*, create: bool = False) -> Library:
    """The library that the command is about."""
    return Library.open(settings.library, create=create)


_KEY = re.compile(r"(-?[^\W\d_]+:)(?=.)", re.DOTALL)


def query_text(words: Sequence[str] | None) -> str:
    """The query that the words of a command line are.

    One alone is taken as it is. Of several, those with spaces in them are what somebody put in quotes, which the shell
    has taken: `camera:"fuji x-t4"` arrives without.
    """
    if not words or len(words) == 1:
        return "".join(words or ())
    return " ".join(_quoted(word) for word in words)


def _quoted(word: str) -> str:
    if not re.search(r"\s", word) or '"' in word:
        return word
    key = _KEY.match(word)
    start = key[1] if key else "-" if word.startswith("-") else ""
    return f'{start}"{word[len(start) :]}"'


def offered(incomplete: str) -> list[str]:
    """What a shell may complete a word of a query with; nothing where the library can't be asked."""
    try:
        with open_library() as library:
            found = library.complete(incomplete)
    except ImagerError:
        return []
    return [incomplete[: c.start] + c.text + incomplete[c.end :] for c in found]
