"""Whether the server lives, whether it can work, and its figures: for supervisors and Prometheus."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse

from imager.server import metrics, problems, state
from imager.server.asking import Asker, need, public
from imager.server.desks import Desks
from imager.server.problems import ProblemError
from imager.server.schemas.health import Health

router = APIRouter(tags=["Health"])

_STARTED = time.time()


@router.get("/healthz", dependencies=[public()])
async def live() -> Health:
    """The server lives: it answers."""
    return Health(status="ok")


@router.get("/readyz", dependencies=[public()], responses=problems.documented(503))
async def ready(desks: Annotated[Desks, Depends(state.desks)]) -> Health:
    """The server can work: the library is there and can be read."""
    try:
        await desks.owner("door", lambda library: library.catalog.db.execute("SELECT count(*) FROM library").get)
    except ProblemError:
        raise
    except Exception as error:
        raise problems.of_status(503, "The library can't be read just now.", headers={"Retry-After": "5"}) from error
    return Health(status="ok")


@router.get("/metrics", response_class=PlainTextResponse)
async def figures(request: Request, asker: Annotated[Asker, need("manage", role="owner")]) -> PlainTextResponse:  # noqa: ARG001
    """Counts and times in Prometheus' text format; for owners, and keys of theirs with the scope 'manage'."""
    holds = state.of(request)
    gauges = {
        "imager_desk_waiting": {f'desk="{name}"': float(n) for name, n in holds.desks.waiting().items()},
        "process_start_time_seconds": {"": _STARTED},
    }
    return PlainTextResponse(holds.metrics.text(gauges), media_type=metrics.MEDIA_TYPE)
