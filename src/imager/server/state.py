"""What a running server holds, and how routes get at it: `desks: Annotated[Desks, Depends(state.desks)]`."""

from dataclasses import dataclass, field

from fastapi import Request

from imager.server.auth.door import Door
from imager.server.auth.limits import Limits
from imager.server.auth.signing import Signing
from imager.server.desks import Desks
from imager.server.events import Events
from imager.server.idempotency import Once
from imager.server.jobs import Jobs
from imager.server.library_events import Follower
from imager.server.metrics import Metrics
from imager.server.settings import Settings
from imager.server.uploads.arriving import Uploads


@dataclass(slots=True)
class State:
    """All that requests share: `request.app.state.imager`."""

    settings: Settings
    desks: Desks
    events: Events
    door: Door
    limits: Limits = field(default_factory=Limits)
    signing: Signing = field(default_factory=Signing)
    metrics: Metrics = field(default_factory=Metrics)
    uploads: Uploads | None = None
    """Made with the routes of uploads, when they begin."""
    once: Once = field(default_factory=Once)
    jobs: Jobs = field(init=False)
    follower: Follower = field(init=False)
    streams: dict[str, int] = field(default_factory=dict)
    """How many listen to events, by member."""
    failure: str | None = None
    """Why the server could not begin, for whoever started it."""

    def __post_init__(self) -> None:
        self.jobs = Jobs(self.desks, self.events)
        self.follower = Follower(self.desks, self.events)


def of(request: Request) -> State:
    """The state of the server that a request came to."""
    state = request.app.state.imager
    assert isinstance(state, State)
    return state


# Asynchronous, though nothing is waited for: FastAPI runs other functions in a thread each, at every request.


async def settings(request: Request) -> Settings:
    """What the server was told."""
    return of(request).settings


async def desks(request: Request) -> Desks:
    """Where work on the library is done."""
    return of(request).desks


async def events(request: Request) -> Events:
    """Where what happened is told."""
    return of(request).events


async def door(request: Request) -> Door:
    """Who knows who asks."""
    return of(request).door


async def limits(request: Request) -> Limits:
    """Who knows what was tried too often."""
    return of(request).limits
