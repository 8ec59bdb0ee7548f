"""Jobs: how far they are, stopping them; scans, and files that failed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi import Query as Parameter

from imager.server import jobs, scans
from imager.server.answers import json_answer
from imager.server.asked import AtDesks, Reader
from imager.server.asking import Asker, need
from imager.server.idempotency import OnceRoute, forget_old
from imager.server.jobs import Jobs
from imager.server.problems import documented
from imager.server.routes.edits import job_answer
from imager.server.schemas import jobs as schemas
from imager.server.state import State

router = APIRouter(prefix="/api/v1", tags=["Jobs"], route_class=OnceRoute)

JobId = Annotated[str, Path(alias="id", max_length=60, description="Id of a job.")]
Manager = Annotated[Asker, need("manage", role="owner")]

_READ: Final = documented(401, 403, 404, 422)
_WRITE: Final = documented(401, 403, 404, 409, 422, 503)


@asynccontextmanager
async def lifespan(state: State) -> AsyncIterator[None]:
    """Say of jobs of a server that was killed that they are over; stop those of this one when it ends."""
    await state.jobs.recover()
    await state.desks.owner("write", forget_old)
    try:
        yield
    finally:
        await state.jobs.close()


@router.get("/jobs", response_model=schemas.JobPage, responses=_READ)
async def index(
    asker: Reader,
    desks: AtDesks,
    limit: Annotated[int, Parameter(ge=1, le=500)] = 50,
    after: Annotated[str | None, Parameter(max_length=60, description="The `next` of the page before.")] = None,
) -> Response:
    """The asker's jobs, latest first; for owners of the library everybody's."""
    return json_answer(await desks.read(asker, lambda library: jobs.listed(library, limit=limit, after=after)))


@router.get("/jobs/{id}", response_model=schemas.Job, responses=_READ)
async def show(job: JobId, asker: Reader, desks: AtDesks) -> Response:
    """A job, and how far it is."""
    return json_answer(await desks.read(asker, lambda library: jobs.found(library, job)))


@router.delete("/jobs/{id}", response_model=schemas.Job, responses=_WRITE)
async def stop(request: Request, job: JobId, asker: Annotated[Asker, need("write")]) -> Response:
    """Stop a job between two steps; what it did stays, and its batch can be undone. One that is over stays as it is."""
    running: Jobs = request.app.state.imager.jobs
    return json_answer(await running.stop(asker, job))


@router.post("/scans", status_code=202, response_model=schemas.Job, responses=_WRITE)
async def scan(request: Request, asked: schemas.Scan, asker: Manager, desks: AtDesks) -> Response:
    """Look at folders on the server's disk and bring in what is new there, at low priority. A job."""
    running: Jobs = request.app.state.imager.jobs
    events = request.app.state.imager.events
    return job_answer(request, await scans.begin(running, desks, events, asker, asked.paths))


@router.get("/failed", response_model=schemas.FailedFiles, responses=_READ)
async def failed(
    asker: Manager,
    desks: AtDesks,
    limit: Annotated[int, Parameter(ge=1, le=1_000)] = 200,
    after: Annotated[int, Parameter(ge=0, le=1 << 31, description="The `next` of the page before.")] = 0,
) -> Response:
    """Files that gave no picture, and why."""
    found = await desks.read(asker, lambda library: library.failed())
    shown: list[dict[str, Any]] = [
        {"path": os.fsdecode(one.path), "stage": one.stage, "reason": one.reason}
        for one in found[after : after + limit]
    ]
    following = after + limit if len(found) > after + limit else None
    return json_answer({"total": len(found), "files": shown, "next": following})
