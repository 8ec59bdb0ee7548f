"""A folder of pictures and a library, for tests that tell what happens to both.

Most run what workers do in this process, through the executor's interface (its own tests are in test_workers.py):
starting a worker takes longer than a whole test. Arguments and answers still travel as JSON.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any, ClassVar

from imager.ingest.events import Event, Finished, Report
from imager.ingest.worker import encode
from imager.library import Library

NOW = 1_700_000_000_000


class Inline(Executor):
    """Does each task at once, in this process."""

    asked: ClassVar[list[str]] = []
    """Paths that were read since the last run began."""

    before: ClassVar[Callable[[str], None] | None] = None
    """Called with the path of each file before it is read."""

    def __init__(self, *args: Any, **named: Any) -> None:
        type(self).asked = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it."""
        type(self).asked.append(args[0])
        if (before := type(self).before) is not None:
            before(args[0])
        future: Future[Any] = Future()
        try:
            arguments, named = json.loads(encode([args, kwargs]))
            future.set_result(json.loads(encode(fn(*arguments, **named))))
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
            future.set_exception(error)
        return future

    def kill_workers(self) -> None:
        """There are none."""


class Scene:
    """A folder, `photos`, and a library beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.photos = folder / "photos"
        self.photos.mkdir()
        self.library = Library.open(folder / "library", now=lambda: NOW)

    def write(self, name: str | bytes, data: bytes) -> bytes:
        """Write a file below `photos`; its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def path(self, name: str | bytes) -> bytes:
        """The path of a file below `photos`."""
        return os.path.join(os.fsencode(self.photos), os.fsencode(name))

    def rename(self, name: str | bytes, other: str | bytes) -> None:
        """Rename or move within `photos`."""
        os.makedirs(os.path.dirname(self.path(other)), exist_ok=True)
        os.rename(self.path(name), self.path(other))

    def add(self, *paths: Path | bytes, events: list[Event] | None = None) -> Report:
        """Add `photos`, or what is named; the report's sum must hold."""
        told = list(self.library.add(*(paths or (self.photos,)), workers=1))
        if events is not None:
            events += told
        return checked(told)

    def counts(self, *paths: Path | bytes) -> dict[str, int]:
        """`add`, with what is not zero of its report."""
        return counts(self.add(*paths))

    def show(self, name: str | bytes) -> dict[str, Any]:
        """What is known of a file below `photos`."""
        return self.library.show(self.path(name))

    def names(self) -> set[str]:
        """The names of all files of all pictures that a search lists."""
        return {os.path.basename(hit.path or "?") for hit in self.library.search("", limit=1000).hits}

    def sound(self) -> bool:
        """Whether doctor is content without mending anything."""
        found = self.library.doctor()
        assert found.repaired == []
        return found.ok


def checked(events: list[Event]) -> Report:
    """The report that ends these events, after checking its sum."""
    last = events[-1]
    assert isinstance(last, Finished)
    assert sum(isinstance(event, Finished) for event in events) == 1
    r = last.report
    assert r.found == r.added + r.copies + r.unchanged + r.moved + r.replaced + r.skipped + len(r.failed), r
    return r


def counts(report: Report) -> dict[str, int]:
    """What is not zero of a report."""
    names = ("found", "added", "copies", "unchanged", "moved", "replaced", "missing", "skipped")
    found = {name: getattr(report, name) for name in names} | {"failed": len(report.failed)}
    return {name: count for name, count in found.items() if count}


def touch(path: bytes) -> None:
    """Give a file another time, as a program that writes it would."""
    status = os.stat(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))
