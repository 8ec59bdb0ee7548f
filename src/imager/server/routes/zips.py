"""Originals as one ZIP file, streamed: by ids, by a query, or of an album."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter
from fastapi import Query as Parameter
from starlette.responses import StreamingResponse

from imager.catalog.connection import fetch, many
from imager.catalog.identity import format_id
from imager.errors import NotFoundError, UsageError
from imager.library import Library
from imager.query.model import Query
from imager.server import asked, derivatives, zips
from imager.server.asked import Asked, AtDesks, Reader
from imager.server.asking import Asker
from imager.server.desks import Desks
from imager.server.problems import documented, of_status
from imager.server.schemas.zips import Wanted

router = APIRouter(prefix="/api/v1/zips", tags=["Zips"])

_ANSWERS: Final[dict[int | str, dict[str, Any]]] = documented(401, 403, 404, 422) | {
    200: {
        "description": "A ZIP file; what was not there when its turn came is listed in missing.txt",
        "content": {zips.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_ROWS: Final = """SELECT a.asset, a.id, a.name, a.taken_at FROM carray(?) AS wanted
CROSS JOIN assets AS a ON a.asset = wanted.value"""


@router.get("", response_class=StreamingResponse, responses=_ANSWERS)
async def download_zip(
    asker: Reader,
    desks: AtDesks,
    query: Asked,
    ids: Annotated[list[str], Parameter(alias="id", max_length=200, description="Ids of pictures.")] = [],  # noqa: B006
    album: Annotated[str | None, Parameter(max_length=1_000, description="Id, name or path of an album.")] = None,
    name: Annotated[str, Parameter(max_length=100, description="What the file is called.")] = "pictures",
) -> StreamingResponse:
    """Originals as one ZIP file, for a link that a browser follows."""
    return await _zip(asker, desks, ids, query, album, name)


@router.post("", response_class=StreamingResponse, responses=_ANSWERS)
async def make_zip(wanted: Wanted, asker: Reader, desks: AtDesks) -> StreamingResponse:
    """Originals as one ZIP file, for more ids than an address holds."""
    if wanted.q and wanted.query is not None:
        raise UsageError("Say which pictures either as 'q' or as 'query', not both.")
    query = asked.text(wanted.q) if wanted.query is None else asked.understood(wanted.query)
    return await _zip(asker, desks, wanted.ids, query, wanted.album, wanted.name)


async def _zip(
    asker: Asker, desks: Desks, ids: list[str], query: Query | str, album: str | None, name: str
) -> StreamingResponse:
    if ids and (query != "" or album is not None):
        raise UsageError("Say which pictures either by their ids, or by a query or an album.")
    if not ids and query == "" and album is None:
        raise UsageError("Say which pictures: by their ids, by a query, or an album.")
    entries = await desks.search(asker, lambda library: _entries(library, ids, query, album))
    if len(entries) > zips.MOST:
        raise of_status(422, f"A ZIP file has up to {zips.MOST:,} pictures; these are {len(entries):,}.")

    async def opened(entry: zips.Entry) -> zips.Source | None:
        try:
            placed = await desks.read(asker, lambda library: derivatives.placed(library, entry.id))
            found = await derivatives.beside(derivatives.opened, placed)
        except NotFoundError:
            return None
        return zips.Source(found.file, found.size)

    return zips.answer(zips.stream(entries, opened), name)


def _entries(library: Library, ids: list[str], query: Query | str, album: str | None) -> list[zips.Entry]:
    """The pictures that are wanted, as the asker sees them; NotFoundError for an id that they don't."""
    if ids:
        assets = list(dict.fromkeys(library.find(derivatives.named(text)) for text in ids))
    else:
        assets = library._chosen(query, album)
    if not assets:
        return []
    found = {asset: (i, name, at) for asset, i, name, at in fetch(library.catalog.db, _ROWS, (many(assets),))}
    known = [found[asset] for asset in assets if asset in found]
    return [zips.Entry(format_id(i), name, at) for i, name, at in known]
