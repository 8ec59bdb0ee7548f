"""What several commands share: options and opening the library."""

from __future__ import annotations

from typing import Annotated

import typer

from imager.cli.main import settings
from imager.library import Library

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document for programs.")]
Reference = Annotated[str, typer.Argument(metavar="ID-or-PATH", help="A picture, by its id or by a file of it.")]


def open_library(*, create: bool = False) -> Library:
    """The library that the command is about."""
    return Library.open(settings.library, create=create)
