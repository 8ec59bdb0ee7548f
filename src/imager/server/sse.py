"""Events on their way to one who listens: which of them they may know, and how they are written (server-sent events).

The format is that of the HTML standard, section 9.2. Each event carries its number; a client that comes back says the
last one it saw (`Last-Event-ID`), and gets what followed. Whether they may know of an event is asked when it is sent,
not when it happened: of a picture, who sees it now; of an album, who sees it now or did before it was deleted; of
files, owners of the library; what is one member's own, that member. Kinds that are not listed here are sent to nobody.

A listener who does not take what is sent is let go after half a minute, and comes back where it was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from imager import access
from imager.catalog.identity import format_id, parse_id
from imager.library import Library
from imager.server.events import Event, Gap

if TYPE_CHECKING:
    from imager.server.asking import Asker
    from imager.server.desks import Desks
    from imager.server.events import Events

HEARTBEAT: Final = 15.0
"""Seconds after which a line is sent though nothing happened: proxies close what is silent."""

LONGEST: Final = 3_600.0
"""Seconds after which a stream ends, and the client comes back."""

_PATIENCE: Final = 30.0  # seconds that one piece may take to be sent
_AT_ONCE: Final = 200  # events that are looked at together
_RETRY: Final = 2_000  # milliseconds after which a client comes back
_ALBUM: Final = "SELECT album FROM albums WHERE id = ?"


def known_to(library: Library, events: Sequence[Event]) -> list[Event]:
    """Those of the events that the asker may know of now. At the desk for reading."""
    return [event for event in events if _known(library, event)]


def _known(library: Library, event: Event) -> bool:
    principal, catalog = library.principal, library.catalog
    if event.member is not None and event.member != principal.member:
        return False
    match event.kind:
        case "asset.added" | "asset.changed":
            return event.asset is not None and library.sees(format_id(event.asset)) is not None
        case "asset.removed":
            if event.data.get("private") == principal.member:  # it is gone for others alone
                return False
            # Who sees it through an album finds out from that album.
            return access.role_on(principal, catalog) is not None
        case "album.changed":
            own = parse_id(str(event.data.get("id")))
            album = None if own is None else catalog.db.execute(_ALBUM, (own,)).get
            # Also where it was deleted meanwhile: who saw it has to hear of that.
            return album is not None and access.role_on(principal, catalog, album=album, deleted=True) is not None
        case "library.changed":
            return access.role_on(principal, catalog) is not None
        case "scan.done" | "scan.failed":
            return access.may(principal, "manage", catalog)
        case "job.progress" | "job.done":
            return event.member is not None
        case _:
            return False


def shown(event: Event) -> dict[str, Any]:
    """What is said of an event: without whose private picture it is about."""
    return {name: value for name, value in event.data.items() if name != "private"}


def written(kind: str, data: dict[str, Any], number: int) -> bytes:
    """One event in the format of the stream. JSON has no line breaks of its own."""
    return f"id: {number}\nevent: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()


def number_of(text: str | None) -> int | None:
    """The number that a client says it saw last; None: none that makes sense."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) <= 18 else None


async def stream(
    events: Events,
    desks: Desks,
    asker: Asker,
    last: int | None,
    *,
    still: Callable[[], Awaitable[bool]],
    heartbeat: float = HEARTBEAT,
) -> AsyncGenerator[bytes]:
    """What one who listens is sent; `last`: the number that they saw last; `still`: whether they are still let in."""
    until = asyncio.get_running_loop().time() + LONGEST
    begun = events.last
    yield f"retry: {_RETRY}\n\n".encode()
    if last is not None and last > begun:  # of another library, or of one from before a backup
        last = None
        yield written("reset", {}, begun)
    elif last is None:
        # So that who is cut off before anything happens comes back to this moment.
        yield f"id: {begun}\nevent: hello\ndata: {{}}\n\n".encode()
    while True:
        at = begun if last is None else last
        try:
            async with aclosing(_from(events, desks, asker, at, still, heartbeat, until)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        except Gap:
            last = events.last
            yield written("reset", {}, last)


async def _from(
    events: Events,
    desks: Desks,
    asker: Asker,
    last: int,
    still: Callable[[], Awaitable[bool]],
    heartbeat: float,
    until: float,
) -> AsyncGenerator[bytes]:
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[Event | Exception | None] = asyncio.Queue(_AT_ONCE)

    async def listen() -> None:
        try:
            async with aclosing(cast(AsyncGenerator[Event], events.follow(last))) as happening:
                async for event in happening:
                    await arrived.put(event)
            await arrived.put(None)
        except Gap as gap:
            await arrived.put(gap)

    listening = asyncio.create_task(listen())
    try:
        while loop.time() < until:
            waiting: list[Event] = []
            end: Exception | bool = False
            try:
                first = await asyncio.wait_for(arrived.get(), heartbeat)
            except TimeoutError:
                if not await still():
                    return
                yield b": here\n\n"
                continue
            while True:
                if isinstance(first, Event):
                    waiting.append(first)
                else:
                    end = first if first is not None else True
                if arrived.empty() or end or len(waiting) >= _AT_ONCE:
                    break
                first = arrived.get_nowait()
            if waiting:
                if not await still():
                    return
                known = await desks.read(asker, partial(known_to, events=waiting))
                if known:
                    yield b"".join(written(event.kind, shown(event), event.id) for event in known)
                if not known or known[-1] is not waiting[-1]:
                    # Not to be looked at again: a number alone moves what the client says it saw last.
                    yield f"id: {waiting[-1].id}\n\n".encode()
            if isinstance(end, Exception):
                raise end
            if end:
                return
    finally:
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


class EventStream(Response):
    """The answer that goes on as long as somebody listens."""

    media_type = "text/event-stream"

    def __init__(self, pieces: AsyncGenerator[bytes], *, done: Callable[[], None]) -> None:
        """`done` is called when nobody listens any more, whyever."""
        super().__init__(None, 200, {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}, self.media_type)
        self._pieces = pieces
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Send it, until the client goes away, is too slow, or there is no more."""
        headers = [(name, value) for name, value in self.raw_headers if name != b"content-length"]
        sending = asyncio.create_task(self._send(send, headers))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait([sending, leaving], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            results = await asyncio.gather(sending, leaving, return_exceptions=True)
            await self._pieces.aclose()
            self._done()
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, TimeoutError):
                raise result

    async def _send(self, send: Send, headers: list[tuple[bytes, bytes]]) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        async for piece in self._pieces:
            message = {"type": "http.response.body", "body": piece, "more_body": True}
            await asyncio.wait_for(send(message), _PATIENCE)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
