"""One picture: what is known of it, what was said of it, and its bytes."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi import Query as Parameter

from imager.server import derivatives, ranges, state
from imager.server.answers import SAME, known, tagged
from imager.server.asked import AssetId, AtDesks, Reader
from imager.server.asking import Asker
from imager.server.derivatives import Kind
from imager.server.problems import ProblemError, documented
from imager.server.schemas.assets import Asset, History

router = APIRouter(prefix="/api/v1/assets", tags=["Assets"])

_READ: Final = documented(401, 403, 404, 422)
_BYTES: Final = {"type": "string", "format": "binary"}
_JPEG: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A JPEG, upright", "content": {"image/jpeg": {"schema": _BYTES}}}
}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file", "content": {"image/*": {"schema": _BYTES}}},
    206: {"description": "A piece of it", "content": {"image/*": {"schema": _BYTES}}},
}
Version = Annotated[
    str | None,
    Parameter(
        alias="v",
        max_length=64,
        description="The first 16 digits of the picture's SHA-256 (`v` of lists): the answer may be kept for ever.",
    ),
]


@router.head("/{id}/thumbnail", include_in_schema=False)
@router.get("/{id}/thumbnail", response_class=Response, responses=_READ | SAME | _JPEG)
async def thumbnail(request: Request, asset: AssetId, asker: Reader, version: Version = None) -> Response:
    """A small JPEG of a picture, at most 320 pixels a side; where it has none, a blur of its colours."""
    return await _small(request, asset, asker, version, "thumbnail")


@router.head("/{id}/preview", include_in_schema=False)
@router.get("/{id}/preview", response_class=Response, responses=_READ | SAME | _JPEG)
async def preview(request: Request, asset: AssetId, asker: Reader, version: Version = None) -> Response:
    """A JPEG of a picture for a screen; where it has none, its thumbnail."""
    return await _small(request, asset, asker, version, "preview")


async def _small(request: Request, asset: str, asker: Asker, version: str | None, kind: Kind) -> Response:
    # Asked for more than all else together: what a dependency takes to be found out is saved.
    found = await state.of(request).desks.read(
        asker, lambda library: derivatives.small(library, asset, kind, lambda etag: known(request, etag))
    )
    headers = found.headers(version)
    if found.data is None:
        return Response(None, 304, headers)
    return Response(found.data, 200, headers, "image/jpeg")


@router.head("/{id}/original", include_in_schema=False)
@router.get("/{id}/original", response_class=Response, responses=documented(401, 403, 404, 416, 422) | SAME | _FILE)
async def original(
    request: Request,
    asset: AssetId,
    asker: Reader,
    desks: AtDesks,
    version: Version = None,
    download: Annotated[bool, Parameter(description="Whether browsers save it rather than show it.")] = False,
) -> Response:
    """The file itself, of the version that is shown: all of it, or one range of its bytes."""
    where = await desks.read(asker, lambda library: derivatives.placed(library, asset))
    found = await derivatives.beside(derivatives.opened, where)
    try:
        headers = found.headers(version, download=download)
        if known(request, found.etag):
            found.file.close()
            return Response(None, 304, {name: headers[name] for name in ("ETag", "Cache-Control")})
        given = request.headers.get("range") if request.method == "GET" else None
        span = ranges.asked(given, found.size) if ranges.holds(request.headers.get("if-range"), found.etag) else None
        if request.method == "HEAD":
            found.file.close()
            return Response(None, 200, headers | {"Content-Length": str(found.size)})
        if span is None:
            return derivatives.FileAnswer(found.file, ranges.Span(0, found.size), 200, headers)
        part = {"Content-Range": f"bytes {span.start}-{span.end - 1}/{found.size}"}
        return derivatives.FileAnswer(found.file, span, 206, headers | part)
    except ranges.UnsatisfiableError:
        found.file.close()
        raise ProblemError(
            416,
            "No such range",
            f"The file has {found.size} bytes.",
            kind="range",
            headers={"Content-Range": f"bytes */{found.size}", "Accept-Ranges": "bytes"},
        ) from None


@router.get("/{id}", response_model=Asset, responses=_READ | SAME)
async def show(request: Request, asset: AssetId, asker: Reader, desks: AtDesks) -> Response:
    """All that is known of a picture."""
    return tagged(request, await desks.read(asker, lambda library: library.show(derivatives.named(asset))))


@router.get("/{id}/history", response_model=History, responses=_READ | SAME)
async def history(request: Request, asset: AssetId, asker: Reader, desks: AtDesks) -> Response:
    """What people said of a picture, latest first."""
    said = await desks.read(asker, lambda library: library.history(derivatives.named(asset)))
    return tagged(request, {"edits": said})
