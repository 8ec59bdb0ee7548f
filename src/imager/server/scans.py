"""Scans and watching: what brings pictures in from the server's own disk.

A scan is a job. It runs at the desk for ingest in slices of a quarter of a second, so that uploads get in between; the
pictures are read by processes of low priority. Watching has a thread and a library of its own, since it never ends.
What either finds is told to owners of the library: paths are nobody else's business.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from imager.errors import ImagerError, UsageError
from imager.ingest.events import Event, Failed, Finished, Problem, Progress
from imager.library import Library
from imager.server.jobs import Job, Jobs, patiently

if TYPE_CHECKING:
    from imager.server.asking import Asker
    from imager.server.desks import Desks
    from imager.server.events import Events

NICE: Final = 10

_SLICE: Final = 0.25  # seconds
_TOLD: Final = 1_000  # files of one scan that are told one by one
_AGAIN: Final = 60.0  # seconds until watching that failed is tried again

_log = logging.getLogger(__name__)


async def begin(jobs: Jobs, desks: Desks, events: Events, asker: Asker, paths: Sequence[str] | None) -> dict[str, Any]:
    """Begin a scan of these paths, or of all folders that were added; it as JSON."""
    roots = await desks.read(asker, lambda library: _roots(library, paths))

    async def work(job: Job) -> None:
        run: list[Iterator[Event]] = []
        try:
            while not job.stopping:
                step = partial(_step, run=run, roots=roots, job=job, events=events)
                if await patiently(partial(desks.ingest, asker, step)):
                    break
                await desks.write(asker, partial(_noted, job=job))
                await jobs.advance(job)
        finally:
            await patiently(partial(desks.owner, "ingest", lambda _: _end(run)))

    return await jobs.begin(asker, "scan", {"paths": list(paths) if paths is not None else None}, work)


def _roots(library: Library, paths: Sequence[str] | None) -> list[str]:
    if paths is None:
        known = [os.fsdecode(path) for path, _ in library.catalog.files.roots()]
        found = [path for path in known if os.path.lexists(path)]
        if not found:
            raise UsageError("No folder was added yet that is there. Name one.")
        return found
    for path in paths:
        if "\0" in path or not os.path.isabs(path):
            raise UsageError(f"{path!r} is no absolute path of the server's disk.")
        if not os.path.lexists(path):
            raise UsageError(f"{path} does not exist on the server.")
    return list(paths)


def _step(library: Library, *, run: list[Iterator[Event]], roots: Sequence[str], job: Job, events: Events) -> bool:
    """Go on for a moment; whether the scan is done."""
    if not run:
        run.append(library.add(*roots, nice=NICE))
    until = time.monotonic() + _SLICE
    for event in run[0]:
        if isinstance(event, Progress):
            job.done, job.total = event.done, event.found if event.walked else None
        else:
            _tell(events, event, job)
        if time.monotonic() >= until:
            return False
    return True


def _end(run: list[Iterator[Event]]) -> None:
    for one in run:
        if isinstance(one, Generator):
            one.close()


def _noted(library: Library, *, job: Job) -> None:
    with library.catalog.transaction(durable=False) as db:
        job.note_within(db, job.done, None, job.result)


def _tell(events: Events, event: Event, job: Job | None = None) -> None:
    """Tell owners what happened to files; what happened to pictures, all are told by `library_events`."""
    named = {} if job is None else {"job": job.id}
    if isinstance(event, Finished):
        report = {name: value for name, value in asdict(event.report).items() if name != "failed"}
        report["failed"] = len(event.report.failed)
        if job is not None:
            job.result = report
        events.publish("scan.done", named | report)
    elif isinstance(event, Failed | Problem):
        if job is not None:
            job.result["problems"] = job.result.get("problems", 0) + 1
            if job.result["problems"] > _TOLD:
                return
        path, reason = os.fsencode(event.path).decode("utf-8", "replace"), event.reason
        events.publish("scan.failed", named | {"path": path, "reason": reason})


class Watching:
    """Follows all folders that were added, in a thread with a library of its own."""

    def __init__(self, folder: Path, events: Events) -> None:
        """`folder`: of the library."""
        self._folder = folder
        self._events = events
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watching", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """End; what was recorded stays."""
        self._stop.set()
        self._thread.join(seconds)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                with (
                    Library.open(self._folder, create=False) as library,
                    closing(_generator(library.watch(stop=self._stop, nice=NICE))) as events,
                ):
                    for event in events:
                        _tell(self._events, event)
            except UsageError:
                pass  # no folder was added yet
            except ImagerError as error:
                _log.warning("watching: %s", error)
            except Exception:  # noqa: BLE001 - it is tried again
                _log.exception("watching failed")
            self._stop.wait(_AGAIN)


def _generator(events: Iterator[Event]) -> Generator[Event]:
    yield from events
