"""How commands speak: JSON for programs, text for people, errors in one line."""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from rich.progress import Progress

err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)
"""For progress and errors."""

out = Console(highlight=False, emoji=False, soft_wrap=True)
"""For what a person asked to see."""


def as_json(value: Any) -> None:
    r"""One JSON document on standard output, in pure ASCII; bytes of paths that are no UTF-8 stand as \udcXX."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True, indent=2 if sys.stdout.isatty() else None) + "\n")
    sys.stdout.flush()


def safe(text: str) -> str:
    """Text of unknown origin, fit for a terminal: no control or direction characters, no markup."""
    return escape(plain(text))


def plain(text: str) -> str:
    """`safe`, for what is not printed by `out` or `err`: there, square brackets mean nothing."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cs", "Cf") and c not in "\u200d\ufe0f" else c
        for c in text
    )


def number(count: int, one: str, many: str | None = None) -> str:
    """'1 file', '2 files'; `many` where the plural has no s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def path_text(path: str) -> str:
    """A path for people, relative to where they stand when that is shorter."""
    try:
        near = os.path.relpath(path)
    except ValueError:  # another drive
        near = path
    return safe(near if len(near) < len(path) and not near.startswith("..") else path)


def error(text: str) -> None:
    """Say what went wrong."""
    err.print(f"[bold red]imager:[/] {safe(text)}")


def table(rows: Iterable[tuple[str, str]]) -> None:
    """Names and values in two columns; both are taken as they are (markup included)."""
    lines = list(rows)
    width = max((len(name) for name, _ in lines), default=0)
    for name, value in lines:
        out.print(f"[dim]{name.ljust(width)}[/]  {value}")


def bar(*, disable: bool) -> Progress:
    """A line that shows how far things are, on a terminal only."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=disable or not err.is_terminal,
    )
