"""The command that follows folders: watch."""

from __future__ import annotations

import json as codec
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Annotated, Any

import typer

from imager.cli import output
from imager.cli.common import open_library
from imager.cli.ingest import summary
from imager.cli.main import app
from imager.ingest.events import Added, Event, Failed, Finished, Gone, Moved, Problem, Progress, Replaced


@app.command()
def watch(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="PATH", help="Folders; all that were added, if none is named.")
    ] = None,
    poll: Annotated[
        float | None,
        typer.Option(
            "--poll",
            metavar="SECONDS",
            min=0.1,
            envvar="IMAGER_WATCH_POLL",
            help="Look every so often, rather than rely on the system to tell. Network drives are looked at anyway.",
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes to use; one a core.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line for programs.")] = False,
) -> None:
    """Follow folders: add what is there, then whatever changes in them. Ctrl-C ends it."""
    with suppress(AttributeError, OSError):
        os.nice(5)  # the person's own programs come first
    with open_library(create=True) as library, _until_interrupted() as stop:
        begun = False
        for event in library.watch(*(paths or ()), stop=stop, workers=workers, poll=poll):
            if json:
                _as_line(event)
            elif isinstance(event, Finished) and not begun:
                begun = True
                summary(event.report)
                output.err.print("[dim]Following. Ctrl-C ends it.[/]")
            else:
                _tell(event)


@contextmanager
def _until_interrupted() -> Iterator[threading.Event]:
    """An event that Ctrl-C and a polite `kill` set: to end is what this command is asked for, and no failure."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _as_line(event: Event) -> None:
    if not isinstance(event, Progress):
        known: dict[str, Any] = {"event": type(event).__name__.lower()} | asdict(event)
        sys.stdout.write(codec.dumps(known) + "\n")
        sys.stdout.flush()


def _tell(event: Event) -> None:
    if isinstance(event, Added):
        _line("added", "green", event.path)
    elif isinstance(event, Replaced):
        _line("changed" if event.same_picture else "replaced", "cyan", event.path)
    elif isinstance(event, Moved):
        _line("moved", "cyan", event.before, f" → {output.path_text(event.path)}")
    elif isinstance(event, Gone):
        _line("gone", "yellow" if event.missing else "dim", event.path)
    elif isinstance(event, Failed | Problem):
        output.err.print(f"[yellow]{output.path_text(event.path)}:[/] {output.safe(event.reason)}")


def _line(word: str, colour: str, path: str, more: str = "") -> None:
    output.out.print(f"[{colour}]{word.ljust(8)}[/] {output.path_text(path)}{more}")
