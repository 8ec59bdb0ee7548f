"""Time: how many pictures when, pages of them, and skeleton and chunks for who lays out all of them.

`docs/timeline.md` has the formats. Whatever is made of the whole result is asked for by its tag first, so that a client
that comes back costs nothing while nothing has changed.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi import Query as Parameter

from imager.catalog.effective import iso
from imager.library import Library
from imager.query.model import Query
from imager.search.chunks import Gone
from imager.search.timeline import Row
from imager.search.timeline import TimelinePage as Found
from imager.server.answers import FOR_EVER, SAME, as_json, followed
from imager.server.asked import LONGEST_CURSOR, Asked, AtDesks, Reader
from imager.server.derivatives import versions_of
from imager.server.problems import ProblemError, documented
from imager.server.schemas.timeline import Days, Months, TimelinePage, Versions, Years

router = APIRouter(prefix="/api/v1/timeline", tags=["Timeline"])

MOST_ROWS: Final = 1_000

_READ: Final = documented(401, 403, 422)
_BINARY: Final = "application/octet-stream"
_BYTES: Final = {"content": {_BINARY: {"schema": {"type": "string", "format": "binary"}}}}
_SKELETON: Final[dict[int | str, dict[str, Any]]] = {200: {"description": "The skeleton (`IMSK`, version 1)", **_BYTES}}
_CHUNK: Final[dict[int | str, dict[str, Any]]] = {200: {"description": "The chunk (`IMCH`, version 1)", **_BYTES}}
_PLACE: Final = "of a page of the same query: what lies beside it."


@router.get("/months", response_model=Months, responses=_READ | SAME)
async def months(request: Request, query: Asked, asker: Reader, desks: AtDesks) -> Response:
    """How many pictures of a query were taken in each month, newest first."""
    return await followed(request, desks.read, asker, ("months", query), lambda library: _counts(library.months(query)))


@router.get("/days", response_model=Days, responses=_READ | SAME)
async def days(request: Request, query: Asked, asker: Reader, desks: AtDesks) -> Response:
    """How many were taken on each day, newest first."""
    return await followed(request, desks.read, asker, ("days", query), lambda library: _counts(library.days(query)))


@router.get("/years", response_model=Years, responses=_READ | SAME)
async def years(request: Request, query: Asked, asker: Reader, desks: AtDesks) -> Response:
    """How many were taken in each year, newest first."""
    return await followed(request, desks.read, asker, ("years", query), lambda library: _counts(library.years(query)))


@router.get("/versions", response_model=Versions, responses=_READ | SAME)
async def versions(request: Request, query: Asked, asker: Reader, desks: AtDesks) -> Response:
    """The months of a query's skeleton with their versions alone: which of them have changed."""
    return await followed(
        request, desks.read, asker, ("versions", query), lambda library: as_json({"months": library.versions(query)})
    )


@router.get("/page", response_model=TimelinePage, responses=_READ | SAME)
async def page(
    request: Request,
    query: Asked,
    asker: Reader,
    desks: AtDesks,
    after: Annotated[str | None, Parameter(max_length=LONGEST_CURSOR, description=f"`older` {_PLACE}")] = None,
    before: Annotated[str | None, Parameter(max_length=LONGEST_CURSOR, description=f"`newer` {_PLACE}")] = None,
    at: Annotated[
        str | None, Parameter(max_length=200, description="A date to jump to.", examples=["aug 2021", "2021-08-14"])
    ] = None,
    limit: Annotated[int, Parameter(ge=1, le=MOST_ROWS)] = 200,
) -> Response:
    """A page of a query's pictures, newest first: the newest, or those beside a place or a date."""
    return await followed(
        request,
        desks.read,
        asker,
        ("page", query, after, before, at, limit),
        lambda library: as_json(page_of(library, query, after=after, before=before, at=at, limit=limit)),
    )


@router.get("/skeleton", response_class=Response, responses=_READ | SAME | _SKELETON)
async def skeleton(request: Request, query: Asked, asker: Reader, desks: AtDesks) -> Response:
    """The whole timeline of a query in three bytes a picture, with the versions of its months."""
    return await followed(
        request, desks.read, asker, ("skeleton", query), lambda library: library.skeleton(query), media_type=_BINARY
    )


@router.get(
    "/chunk/{month}/{number}/{version}",
    response_class=Response,
    responses=documented(401, 403, 404, 410, 422) | _CHUNK,
)
async def chunk(
    month: Annotated[str, Path(examples=["2021-08"], max_length=20)],
    number: Annotated[int, Path(ge=0, le=1 << 32, description="Of the chunk within the month, from 0.")],
    version: Annotated[int, Path(ge=0, lt=1 << 53, description="Of the month, from the skeleton.")],
    query: Asked,
    asker: Reader,
    desks: AtDesks,
) -> Response:
    """At most 1,024 pictures of a month of a query's timeline, in that version, which never changes.

    410: the month is in another version now; the problem says in which (`version`; null: it has no pictures).
    """

    def work(library: Library) -> bytes | Gone:
        found = library.chunk(month, number, version, query)
        return found if isinstance(found, Gone) else found.to_bytes()

    data = await desks.read(asker, work)
    if isinstance(data, Gone):
        raise ProblemError(
            410,
            "Gone",
            f"{month} is in another version now. Take its skeleton anew.",
            kind="gone",
            month=month,
            version=data.version,
        )
    return Response(data, 200, {"Cache-Control": FOR_EVER}, _BINARY)


def page_of(
    library: Library, query: Query | str, *, after: str | None, before: str | None, at: str | None, limit: int
) -> dict[str, Any]:
    """A page as the API shows it; GraphQL shows it, too."""
    found: Found = library.timeline(query, after=after, before=before, at=at, limit=limit)
    versions = versions_of(library, [row.id for row in found.rows])
    rows = [_row(row, versions.get(row.id)) for row in found.rows]
    return {"rows": rows, "older": found.older, "newer": found.newer}


def _row(row: Row, version: str | None) -> dict[str, Any]:
    blur = None if row.thumbhash is None else base64.b64encode(bytes.fromhex(row.thumbhash)).decode()
    return {
        "id": row.id,
        "v": version,
        "taken_at": iso(row.taken, None),
        "width": row.width,
        "height": row.height,
        "thumbhash": blur,
        "kind": row.kind,
        "rating": row.rating,
        "favourite": row.favourite,
    }


def _counts(counts: Sequence[Any]) -> bytes:
    return as_json({"total": sum(row.count for row in counts), "counts": counts})
