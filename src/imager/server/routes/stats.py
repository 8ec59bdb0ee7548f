"""What the library holds, in figures."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from imager.server.answers import SAME, as_json, followed
from imager.server.asked import AtDesks, Reader
from imager.server.problems import documented
from imager.server.schemas.stats import Stats

router = APIRouter(prefix="/api/v1", tags=["Library"])


@router.get("/stats", response_model=Stats, responses=documented(401, 403) | SAME)
async def show(request: Request, asker: Reader, desks: AtDesks) -> Response:
    """What the asker sees of the library, in figures."""
    return await followed(request, desks.search, asker, ("stats",), lambda library: as_json(library.stats()))
