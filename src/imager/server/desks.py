"""Desks: where requests meet the library. A desk is one thread with a library of its own on the same folder.

The event loop never touches a catalog; it hands a function to a desk and awaits what that returns. There are several,
so that a slow search keeps nobody from looking at pictures, and nothing waits for ingest:

    search   searches, facets, completion
    read     timelines, maps, albums, what is known of a picture, where its files are
    write    edits, albums, accounts, shares, jobs
    ingest   adding, scanning, watching: what takes long, at low priority. It should look at `stopping`
    door     who asks: short look-ups that every request needs

A desk takes what waits in turn. When too much waits, it says so (503) rather than let everybody wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from imager.errors import ImagerError
from imager.library import Library
from imager.server import problems
from imager.server.problems import ProblemError

if TYPE_CHECKING:
    from imager.server.asking import Asker

log = logging.getLogger("imager.server.desks")

T = TypeVar("T")
DeskName = Literal["search", "read", "write", "ingest", "door"]

WAITING: Final[dict[DeskName, int]] = {"search": 100, "read": 400, "write": 200, "ingest": 50, "door": 1_000}
"""How many may wait at each desk."""


class Desks:
    """All desks of a server. Made before the event loop runs, used from it."""

    def __init__(self, folder: Path, *, now: Callable[[], int] | None = None) -> None:
        """Desks for the library in a folder, which must exist; `now` as for `Library.open`."""
        self.stopping = threading.Event()
        """Set when the server ends: what takes long should come to an end."""
        self._desks: dict[DeskName, _Desk] = {
            name: _Desk(name, folder, now, waiting) for name, waiting in WAITING.items()
        }

    async def search(self, asker: Asker, function: Callable[[Library], T]) -> T:
        """Run a function at the desk for searches, with the library as the asker sees it; its errors pass through."""
        return await self._asked("search", asker, function)

    async def read(self, asker: Asker, function: Callable[[Library], T]) -> T:
        """The same at the desk for reading."""
        return await self._asked("read", asker, function)

    async def write(self, asker: Asker, function: Callable[[Library], T]) -> T:
        """The same at the desk for writing."""
        return await self._asked("write", asker, function)

    async def ingest(self, asker: Asker, function: Callable[[Library], T]) -> T:
        """The same at the desk for what takes long."""
        return await self._asked("ingest", asker, function)

    async def owner(self, desk: DeskName, function: Callable[[Library], T]) -> T:
        """Run a function with the library as its owner sees it: for the server's own work."""
        return await self._desks[desk].ask(function)

    async def _asked(self, desk: DeskName, asker: Asker, function: Callable[[Library], T]) -> T:
        principal = asker.principal
        return await self._desks[desk].ask(lambda library: function(library.asked_by(principal)))

    def waiting(self) -> dict[DeskName, int]:
        """How much waits at each desk."""
        return {name: desk.waiting for name, desk in self._desks.items()}

    def stop(self, *, seconds: float = 1.0) -> bool:
        """End all desks: what they are at is finished, what waits is not begun. Whether all ended in time.

        A desk that does not end in time is left behind; the catalog is safe, as it is from a process that was killed.
        """
        self.stopping.set()
        until = time.monotonic() + seconds
        for desk in self._desks.values():
            desk.end()
        late = [desk for desk in self._desks.values() if not desk.join(max(0.0, until - time.monotonic()))]
        return not late


class _Desk:
    """One thread, its queue and its library."""

    def __init__(self, name: DeskName, folder: Path, now: Callable[[], int] | None, limit: int) -> None:
        self._name = name
        self._folder = folder
        self._now = now
        self._limit = limit
        self._queue: queue.SimpleQueue[tuple[Callable[[Library], Any], asyncio.Future[Any]] | None]
        self._queue = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ended = False

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    async def ask(self, function: Callable[[Library], T]) -> T:
        if self._ended:
            raise _busy("The server is about to stop.", seconds=5)
        if self._queue.qsize() >= self._limit:
            raise _busy("More is asked of this server than it can answer just now.", seconds=1)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put((function, future))
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=f"desk-{self._name}", daemon=True)
            self._thread.start()
        return await future

    def end(self) -> None:
        self._ended = True
        self._queue.put(None)

    def join(self, seconds: float) -> bool:
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _open(self) -> Library:
        try:
            return Library.open(self._folder, create=False, now=self._now)
        except ImagerError as error:  # which names places on the disk
            log.error("library", exc_info=error)
            raise problems.of_status(
                503, "The library can't be opened just now.", headers={"Retry-After": "10"}
            ) from error

    def _work(self) -> None:
        if self._name == "ingest":
            _step_back()
        library: Library | None = None
        try:
            while (asked := self._queue.get()) is not None:
                function, future = asked
                if self._ended or future.cancelled():
                    _settle(future, error=_busy("The server is about to stop.", seconds=5))
                    continue
                try:
                    if library is None:
                        library = self._open()
                    _settle(future, result=function(library))
                except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits
                    _settle(future, error=error)
        finally:
            if library is not None:
                library.close()


def _settle(future: asyncio.Future[Any], *, result: Any = None, error: BaseException | None = None) -> None:
    """Tell whoever waits, unless they went away, or the loop ended."""

    def tell() -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        elif isinstance(error, Exception) and not isinstance(error, StopIteration):
            future.set_exception(error)
        else:  # what a future does not take, or what would end the loop
            future.set_exception(RuntimeError(f"{type(error).__name__} at a desk"))

    with contextlib.suppress(RuntimeError):
        future.get_loop().call_soon_threadsafe(tell)


def _busy(text: str, *, seconds: int) -> ProblemError:
    return ProblemError(503, "Busy", text, kind="busy", headers={"Retry-After": str(seconds)})


def _step_back() -> None:
    """Let others of this process come first, where a thread has a priority of its own (Linux)."""
    with contextlib.suppress(AttributeError, OSError):
        if os.uname().sysname == "Linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
