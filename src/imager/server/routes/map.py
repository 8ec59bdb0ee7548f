"""Space: pictures of a query in clusters."""

from __future__ import annotations

import math
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter

from imager.errors import UsageError
from imager.library import Library
from imager.query.model import Box
from imager.search.maps import HIGHEST_ZOOM, WORLD
from imager.server.answers import SAME, as_json, followed
from imager.server.asked import Asked, AtDesks, Reader
from imager.server.problems import documented
from imager.server.schemas.map import Clusters

router = APIRouter(prefix="/api/v1/map", tags=["Map"])

MOST_CELLS: Final = 1 << 14
"""Cells of the grid, each a cluster at the most, that one answer may have: a large screen has 2,000."""

_EDGE: Final = 85.05  # where the square of Web Mercator ends


@router.get("/clusters", response_model=Clusters, responses=documented(401, 403, 422) | SAME)
async def clusters(
    request: Request,
    query: Asked,
    asker: Reader,
    desks: AtDesks,
    zoom: Annotated[
        int, Parameter(ge=0, le=HIGHEST_ZOOM, description="Of maps with tiles of 256 pixels; a cell has 64.")
    ] = 2,
    box: Annotated[
        str | None,
        Parameter(
            max_length=200,
            description="Only within south, west, north, east (degrees); west > east crosses the 180th meridian.",
            examples=["36.9,-9.6,42.2,-6.1"],
        ),
    ] = None,
) -> Response:
    """A query's pictures on a map: those near each other together, the largest clusters first."""
    within = WORLD if box is None else _box(box)
    if cells(within, zoom) > MOST_CELLS:
        raise UsageError("That is too large a part of the world for so high a zoom. Ask for the box that is shown.")

    def make(library: Library) -> bytes:
        found = library.clusters(query, box=within, zoom=zoom)
        return as_json({"zoom": zoom, "total": sum(cluster.count for cluster in found), "clusters": found})

    return await followed(request, desks.read, asker, ("clusters", query, zoom, within), make)


def cells(box: Box, zoom: int) -> float:
    """How many cells of the grid lie in a box, about: of 64 pixels, where the world has 256 · 2^zoom a side."""
    side = 4 << zoom
    width = (box.east - box.west) % 360 or 360.0 * (box.east != box.west)
    south, north = (_mercator(min(max(edge, -_EDGE), _EDGE)) for edge in (box.south, box.north))
    return (width / 360 * side + 1) * (abs(north - south) * side + 1)


def _mercator(latitude: float) -> float:
    return math.atanh(math.sin(math.radians(latitude))) / (2 * math.pi)


def _box(text: str) -> Box:
    try:
        south, west, north, east = (float(edge) for edge in text.split(","))
    except ValueError:
        raise UsageError(f"'{text}' is no box: write south,west,north,east in degrees.") from None
    if not (-90 <= south <= north <= 90 and all(-180 <= edge <= 180 for edge in (west, east))):
        raise UsageError("A box is south, west, north, east in degrees, south not above north.")
    return Box(south, west, north, east)
