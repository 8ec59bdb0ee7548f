"""Bringing pictures in, and following folders."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from imager.catalog.files import Problem
from imager.ingest.events import Event
from imager.library.opened import PathLike, absolute
from imager.library.seeing import Seeing

if TYPE_CHECKING:
    from imager.ingest.run import Run

_SOON = 2.0
"""Seconds after which what a run has found can be found by words."""

_LARGE = 10_000  # pictures; a run leaves the index of so many ready for the next search
_STATE = "SELECT changes, assets FROM library"


class Adding(Seeing):
    """What takes pictures in: for owners of the library (ForbiddenError), since it reads the disk."""

    def add(self, *paths: PathLike, workers: int | None = None, nice: int = 0) -> Iterator[Event]:
        """Bring folders and files into the library; yields typed events, `Finished` with the report last.

        Originals are only read. May be closed or interrupted at any time and repeated: work is not done twice.
        `workers` is the number of processes (one a core), `nice` lowers their priority. NotFoundError names a path
        that does not exist; StorageFullError ends the run when the disk is full.
        """
        self._need("manage")
        return self._adding([absolute(path) for path in paths], workers=workers, nice=nice)

    def add_files(self, root: PathLike, *paths: PathLike, workers: int | None = None, nice: int = 0) -> Iterator[Event]:
        """Bring in files that came to lie in a folder, which is a root of the library from now on; events as of `add`.

        Only the folders of these files are looked at, and what ignore files keep out stays out.
        """
        from imager.ingest.only import Only

        self._need("manage")
        only = Only(folders={os.path.dirname(absolute(path)) for path in paths})
        return self._adding([absolute(root)], workers=workers, nice=nice, only=only)

    def retry(self, *, workers: int | None = None) -> Iterator[Event]:
        """Look again at the files that failed; events as of `add`."""
        roots = [problem.path for problem in self.failed() if os.path.lexists(problem.path)]
        return self._adding(roots, workers=workers, retry=True) if roots else iter(())

    def watch(
        self,
        *paths: PathLike,
        stop: threading.Event | None = None,
        workers: int | None = None,
        nice: int = 10,
        poll: float | None = None,
        quiet: float | None = None,
    ) -> Iterator[Event]:
        """Follow folders (all that were added on this device, if none is named) until `stop` is set.

        First `add`, then whatever changes; events as of `add`, with a `Finished` after each run that did something.
        A file is read once it has not changed for `quiet` seconds (two). `poll`: look every so many seconds, rather
        than rely on the system to tell; of network drives it can't. NotFoundError names a folder that does not exist,
        UsageError says when there is none to follow.
        """
        self._need("manage")
        from imager import watch
        from imager.ingest.only import Only

        still = watch.QUIET if quiet is None else quiet
        files = self.catalog.files
        known = [p for p, _ in files.roots() if os.path.isdir(p) or (not os.path.lexists(p) and files.below(p))]
        roots = watch.folders([absolute(path) for path in paths], known)

        def start(some: Sequence[bytes], only: Only | None) -> watch.Started:
            run = self._run(some, workers=workers, nice=nice, only=only, quiet=still)
            return run, self._followed(run)

        return watch.Watch(
            start, roots, aside=absolute(self.folder), stop=stop or threading.Event(), poll=poll, quiet=still
        ).events()

    def _adding(self, roots: Sequence[bytes], *, workers: int | None, **options: Any) -> Generator[Event]:
        yield from self._followed(self._run(roots, workers=workers, **options))

    def _run(self, roots: Sequence[bytes], *, workers: int | None, **options: Any) -> Run:
        from imager.ingest.run import Run

        return Run(self.catalog, self.store, roots, workers=workers or os.cpu_count() or 1, **options)

    def _followed(self, run: Run) -> Generator[Event]:
        """A run, with full text written on the way, and by whoever comes next if this one is cut off."""
        events = run.events()
        self._shared.runs.append(events)
        before, _ = self.catalog.db.execute(_STATE).get
        try:
            last: Event | None = None
            indexed = time.monotonic()
            for event in events:
                if last is not None:
                    yield last
                last = event
                if time.monotonic() - indexed > _SOON:
                    self.catalog.index(seconds=0.0)
                    indexed = time.monotonic()
            if events not in self._shared.runs:
                return  # the library was closed meanwhile
            self.catalog.index()
            changes, assets = self.catalog.db.execute(_STATE).get
            if changes != before and (self._shared.index is not None or assets > _LARGE):
                self.index.save()
            if last is not None:
                yield last
        finally:
            if events in self._shared.runs:
                self._shared.runs.remove(events)
                events.close()
                self.catalog.connection.checkpoint()

    def failed(self) -> list[Problem]:
        """The files that gave no asset, with stage and reason, by path. For owners of the library."""
        self._need("manage")
        return list(self.catalog.files.failed())
