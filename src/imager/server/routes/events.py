"""What happens in the library, as it happens: server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Final

from fastapi import APIRouter, Header, Request, Response
from fastapi import Query as Parameter

from imager.server import asking, sse
from imager.server.asked import AtDesks, Reader
from imager.server.problems import documented, of_status
from imager.server.scans import Watching
from imager.server.schemas.events import STREAM
from imager.server.sse import EventStream
from imager.server.state import State
from imager.server.upkeep import Upkeep

router = APIRouter(prefix="/api/v1", tags=["Events"])

MOST_STREAMS: Final = 20
"""Streams that one member may have at a time."""

Last = Annotated[str | None, Header(alias="Last-Event-ID", max_length=100, description="The last event that was seen.")]


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Find out what happens, follow folders, and do what is due, as long as the server runs."""
    upkeep = Upkeep(state)
    watching = Watching(state.settings.library, state.events) if state.settings.watch else None
    await state.follower.start()
    upkeep.start()
    if watching is not None:
        watching.start()
    try:
        yield
    finally:
        if watching is not None:
            await asyncio.to_thread(watching.stop)
        await upkeep.stop()
        await state.follower.stop()


@router.get(
    "/events", response_class=Response, response_model=None, responses=documented(401, 403, 422, 429, 503) | STREAM
)
async def listen(
    request: Request,
    asker: Reader,
    desks: AtDesks,
    last_event_id: Last = None,
    after: Annotated[
        str | None, Parameter(max_length=100, description="The same for clients that can't send that header.")
    ] = None,
) -> EventStream:
    """What happens from now on, or what happened since the last event that was seen, as far as the asker may know."""
    state: State = request.app.state.imager
    if asker.kind == "link":
        raise of_status(403, "Who has a link is not told what happens.")
    if state.streams.get(asker.member, 0) >= MOST_STREAMS:
        raise of_status(429, "There are too many streams already.", headers={"Retry-After": "10"})
    last = sse.number_of(last_event_id if last_event_id is not None else after)

    async def still() -> bool:
        request.scope.pop("imager_asker", None)
        found = await asking.of(request)
        return found is not None and found.id == asker.id and "read" in found.scopes

    def done() -> None:
        state.follower.leave()
        state.streams[asker.member] -= 1

    state.streams[asker.member] = state.streams.get(asker.member, 0) + 1
    try:
        await state.follower.arrive()
    except BaseException:
        done()
        raise
    return EventStream(sse.stream(state.events, desks, asker, last, still=still), done=done)
