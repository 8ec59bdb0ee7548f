"""The trash: what is in it, and erasing it from the library."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter

from imager.query.model import Query, State
from imager.server import trash
from imager.server.answers import json_answer
from imager.server.asked import LONGEST_CURSOR, AtDesks, Reader
from imager.server.asking import Asker, need
from imager.server.idempotency import OnceRoute
from imager.server.problems import documented
from imager.server.routes.edits import job_answer
from imager.server.routes.search import found
from imager.server.schemas.jobs import Job
from imager.server.schemas.trash import Purge, TrashPage

router = APIRouter(prefix="/api/v1/trash", tags=["Trash"], route_class=OnceRoute)

_IN_TRASH: Final = Query(State("trashed"), "newest")


@router.get("", response_model=TrashPage, responses=documented(401, 403, 422))
async def index(
    request: Request,
    asker: Reader,
    desks: AtDesks,
    limit: Annotated[int, Parameter(ge=1, le=500)] = 50,
    after: Annotated[
        str | None, Parameter(max_length=LONGEST_CURSOR, description="The `next` of the page before.")
    ] = None,
) -> Response:
    """The pictures in the trash, newest first, as a search shows them."""
    page = await desks.search(asker, lambda library: found(library, _IN_TRASH, limit, after, facets=False))
    return json_answer(page | {"days": request.app.state.imager.settings.trash_days or None})


@router.post("/purge", status_code=202, response_model=Job, responses=documented(401, 403, 404, 409, 422, 503))
async def purge(
    request: Request, asked: Purge, asker: Annotated[Asker, need("manage", role="owner")], desks: AtDesks
) -> Response:
    """Erase pictures in the trash from the library, for good; their files stay where they are. A job."""
    jobs = request.app.state.imager.jobs
    return job_answer(request, await trash.purge(jobs, desks, asker, ids=asked.ids, days=asked.days))
