"""Events: what happened in the library, for who listens and for who comes back.

`publish` may be called from any thread. An event gets a number that grows (microseconds, so that numbers go on growing
after the loss of some), is told to all listeners at once, kept in memory for a while, and written to the table `events`
a moment later. Who was away says the last number they know and gets what followed, or learns that too much did.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import json
import logging
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from imager.catalog.connection import fetch

if TYPE_CHECKING:
    from imager.library import Library
    from imager.server.desks import Desks

log = logging.getLogger("imager.server.events")

_IN_MEMORY: Final = 10_000
_KEPT: Final = 100_000  # rows of the table
_BEHIND: Final = 1_000  # events that a listener may be behind before it has to begin anew
_PAUSE: Final = 0.25  # seconds until what was published is written
_AGAIN: Final = 5.0  # seconds until that is tried again

_LAST = "SELECT max(event) FROM events"
_SINCE = "SELECT event, kind, data, asset, member, created FROM events WHERE event > ? ORDER BY event LIMIT ?"
_OLDEST = "SELECT min(event) FROM events"
_INSERT = "INSERT OR IGNORE INTO events (event, kind, data, asset, member, created) VALUES (?, ?, ?, ?, ?, ?)"
_TRIM = """DELETE FROM events WHERE event <= (SELECT event FROM events ORDER BY event DESC LIMIT 1 OFFSET ?)"""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened."""

    id: int
    kind: str
    data: dict[str, Any]
    asset: bytes | None = None
    """The picture that it is about: only who sees that is told."""
    member: str | None = None
    """Whom alone it is for."""
    created: int = 0
    """Milliseconds since 1970."""


class Gap(Exception):  # noqa: N818 - an answer rather than an error
    """More happened since than is kept: who listens should load anew what they show."""


class Events:
    """What happened, in order."""

    def __init__(self, now: Callable[[], int] | None = None) -> None:
        """`now` gives milliseconds since 1970 (the system's clock by default)."""
        self._now = now or (lambda: time.time_ns() // 1_000_000)
        self._lock = threading.Lock()
        self._last = 0
        self._recent: deque[Event] = deque(maxlen=_IN_MEMORY)
        self._floor = 0  # all events later than this one are in memory
        self._unwritten: list[Event] = []
        self._listeners: set[_Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._desks: Desks | None = None
        self._writer: asyncio.Task[None] | None = None
        self._ended = False

    def publish(
        self, kind: str, data: dict[str, Any], *, asset: bytes | None = None, member: str | None = None
    ) -> None:
        """Tell what happened; from any thread, at once.

        `data` is JSON and says no more than who may learn of it may know. `asset` (an id): only who sees that picture
        is told; `member`: only that member is; neither: all members.
        """
        with self._lock:
            now = self._now()
            self._last = max(self._last + 1, now * 1_000)
            event = Event(self._last, kind, data, asset, member, now)
            if len(self._recent) == _IN_MEMORY:
                self._floor = self._recent[0].id
            self._recent.append(event)
            self._unwritten.append(event)
            loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the server ends
                loop.call_soon_threadsafe(self._tell, event)

    @property
    def last(self) -> int:
        """The number of the latest event."""
        return self._last

    async def since(self, last: int, limit: int = 1_000) -> list[Event]:
        """The events that followed one, in order, `limit` at most; `Gap`: some of them are no longer known."""
        with self._lock:
            if last >= self._floor:
                start = bisect.bisect_right(self._recent, last, key=lambda event: event.id)
                return [self._recent[n] for n in range(start, min(start + limit, len(self._recent)))]
        assert self._desks is not None
        await self.write()
        return await self._desks.owner("read", lambda library: _stored(library, last, limit))

    async def follow(self, last: int | None = None) -> AsyncIterator[Event]:
        """Events as they happen, those after `last` first; `Gap` where some of them are lost. Ends with the server."""
        if self._ended:
            return
        listener = _Listener()
        self._listeners.add(listener)
        try:
            known = self._last if last is None else last
            while last is not None and (missed := await self.since(known)):
                for event in missed:
                    yield event
                    known = event.id
            while (new := await listener.next()) is not None:
                if new.id > known:
                    yield new
                    known = new.id
        finally:
            self._listeners.discard(listener)

    async def start(self, desks: Desks) -> None:
        """Go on where the table ends, and write to it from now on."""
        self._loop, self._desks = asyncio.get_running_loop(), desks
        last = await desks.owner("read", lambda library: library.catalog.db.execute(_LAST).get or 0)
        with self._lock:
            self._last = max(self._last, last)
            self._floor = last
        self._writer = asyncio.create_task(self._write_behind())

    def hang_up(self) -> None:
        """Send all listeners home, since the server ends; who comes later goes home at once."""
        self._ended = True
        for listener in self._listeners:
            listener.put(None)

    async def stop(self) -> None:
        """Send all listeners home and write what is left."""
        self.hang_up()
        if self._writer is not None:
            self._writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._writer
            try:
                await self.write()
            except Exception as error:
                log.warning("events are not written", exc_info=error)

    async def write(self) -> None:
        """Write what was published and is not in the table yet. What can't be written stays to be written later."""
        with self._lock:
            events, self._unwritten = self._unwritten, []
        if not events or self._desks is None:
            return
        try:
            await self._desks.owner("write", lambda library: _store(library, events))
        except BaseException:
            with self._lock:
                self._unwritten = (events + self._unwritten)[-_KEPT:]
            raise

    async def _write_behind(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            try:
                await self.write()
            except Exception as error:
                log.warning("events are not written", exc_info=error)
                await asyncio.sleep(_AGAIN)

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            listener.put(event)


class _Listener:
    """One who listens, on the event loop."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue(_BEHIND)
        self._lost = False

    def put(self, event: Event | None) -> None:
        if self._queue.full():
            self._lost = True
            self._queue.get_nowait()
        self._queue.put_nowait(event)

    async def next(self) -> Event | None:
        event = await self._queue.get()
        if self._lost:
            raise Gap
        return event


def _stored(library: Library, last: int, limit: int) -> list[Event]:
    db = library.catalog.db
    oldest = db.execute(_OLDEST).get
    if last and oldest is not None and last < oldest:
        raise Gap
    return [
        Event(number, kind, json.loads(data), asset, member, created)
        for number, kind, data, asset, member, created in fetch(db, _SINCE, (last, limit))
    ]


def _store(library: Library, events: list[Event]) -> None:
    with library.catalog.transaction(durable=False) as db:
        db.executemany(_INSERT, [(e.id, e.kind, json.dumps(e.data), e.asset, e.member, e.created) for e in events])
        db.execute(_TRIM, (_KEPT,))
