"""Behind a share link: what its visitors see. Every address is checked anew, its picture included.

Without `details` a link tells nothing of a picture but its size and its looks: no date, place, camera, words, people,
file names. Previews carry no metadata; originals are bared of theirs (`bare`), and where a format does not allow that,
the preview takes the original's place.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Query as Parameter
from starlette.responses import StreamingResponse

from imager.errors import NotFoundError
from imager.library import Library
from imager.server import derivatives, links, ranges, shares, state, zips
from imager.server.answers import FRESH, SAME, known
from imager.server.asked import AssetId
from imager.server.asking import public
from imager.server.bare import bare
from imager.server.derivatives import SEALED, Kind, Original, Placed
from imager.server.desks import Desks
from imager.server.links import Token, Visit
from imager.server.problems import ProblemError, documented, of_status
from imager.server.routes.shares import moment
from imager.server.schemas import shares as schemas

router = APIRouter(prefix="/api/v1/shared/{token}", tags=["Shared"], dependencies=[public()])

Visitor = Annotated[Visit, Depends(links.visit)]
AtDesks = Annotated[Desks, Depends(state.desks)]

_PAGE: Final = 500
_BYTES: Final = {"type": "string", "format": "binary"}
_READ: Final = documented(401, 404, 422)
_JPEG: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A JPEG, upright", "content": {"image/jpeg": {"schema": _BYTES}}}
}
_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The file", "content": {"image/*": {"schema": _BYTES}}},
    206: {"description": "A piece of it", "content": {"image/*": {"schema": _BYTES}}},
}
_ZIP: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "A ZIP file", "content": {zips.MEDIA_TYPE: {"schema": _BYTES}}}
}
_ORIENTATION: Final = "SELECT a.orientation FROM assets AS a WHERE a.asset = ?"
_DETAILS: Final = (
    "taken_at", "latitude", "longitude", "place", "make", "model", "lens", "iso", "f_number", "exposure_time",
    "focal_length", "title", "caption", "creator", "copyright", "tags", "people",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A picture whose original is wanted, as a desk found it."""

    picture: shares.Picture
    placed: Placed
    orientation: int | None
    preview: Path


@router.post("/password", status_code=204, responses=documented(401, 404, 422, 429))
async def give_password(request: Request, token: Token, given: schemas.Password, response: Response) -> None:
    """Give the password of a link; a cookie lets you in for two hours. Wrong ones are counted."""
    await links.open_with_password(request, token, given.password, response)


@router.get("", responses=_READ)
async def show_share(visit: Visitor, desks: AtDesks) -> schemas.SharedInfo:
    """What a link shows."""
    share = visit.share
    count = await desks.read(visit.asker, lambda library: len(_all(library, visit)))
    return schemas.SharedInfo(
        name=share.name,
        count=count,
        download=share.download,
        details=share.details,
        expires=None if share.expires is None else moment(share.expires),
    )


@router.get("/assets", responses=_READ)
async def shared_assets(
    visit: Visitor,
    desks: AtDesks,
    after: Annotated[str | None, Parameter(max_length=64, description="The `next` of the page before.")] = None,
    limit: Annotated[int, Parameter(ge=1, le=_PAGE)] = 100,
) -> schemas.SharedPage:
    """A page of the pictures behind a link, in their order."""

    def page(library: Library) -> schemas.SharedPage:
        left = shares.after(library, _all(library, visit), after)
        shown = shares.rows(library, left[:limit])
        pictures = [_told(library, visit, picture) for picture in shown]
        return schemas.SharedPage(pictures=pictures, next=shown[-1].id if shown and len(left) > limit else None)

    return await desks.read(visit.asker, page)


@router.get("/assets/{id}", responses=_READ)
async def shared_asset(visit: Visitor, asset: AssetId, desks: AtDesks) -> schemas.SharedPicture:
    """One picture behind a link."""
    return await desks.read(visit.asker, lambda library: _told(library, visit, _shows(library, visit, asset)))


@router.get("/assets/{id}/thumbnail", response_class=Response, responses=_READ | SAME | _JPEG)
async def shared_thumbnail(request: Request, visit: Visitor, asset: AssetId, desks: AtDesks) -> Response:
    """A small JPEG of a picture behind a link."""
    return await _small(request, visit, asset, desks, "thumbnail")


@router.get("/assets/{id}/preview", response_class=Response, responses=_READ | SAME | _JPEG)
async def shared_preview(request: Request, visit: Visitor, asset: AssetId, desks: AtDesks) -> Response:
    """A JPEG for a screen of a picture behind a link; it carries no metadata."""
    return await _small(request, visit, asset, desks, "preview")


@router.get(
    "/assets/{id}/original", response_class=Response, responses=documented(401, 403, 404, 416, 422) | SAME | _FILE
)
async def shared_original(request: Request, visit: Visitor, asset: AssetId, desks: AtDesks) -> Response:
    """The file of a picture, of a link with `download`; without `details`, bared of all metadata.

    Where its format does not allow that, this is the preview.
    """
    _may_download(visit)
    source, headers = await _source(visit, asset, desks)
    try:
        if known(request, headers["ETag"]):
            source.file.close()
            return Response(None, 304, {name: headers[name] for name in ("ETag", "Cache-Control")})
        held = ranges.holds(request.headers.get("if-range"), headers["ETag"])
        span = ranges.asked(request.headers.get("range"), source.size) if held else None
    except ranges.UnsatisfiableError:
        source.file.close()
        raise ProblemError(
            416, "No such range", f"The file has {source.size} bytes.", kind="range",
            headers={"Content-Range": f"bytes */{source.size}"},
        ) from None  # fmt: skip
    if span is None:
        return zips.SourceAnswer(source, ranges.Span(0, source.size), 200, headers)
    part = {"Content-Range": f"bytes {span.start}-{span.end - 1}/{source.size}"}
    return zips.SourceAnswer(source, span, 206, headers | part)


@router.get("/zip", response_class=StreamingResponse, responses=documented(401, 403, 404, 422) | _ZIP)
async def shared_zip(request: Request, visit: Visitor, desks: AtDesks) -> StreamingResponse:
    """All pictures behind a link with `download`, as one ZIP file, each as its original would be given."""
    _may_download(visit)
    token = request.path_params["token"]
    entries = await desks.read(visit.asker, lambda library: _entries(library, visit))
    if len(entries) > zips.MOST:
        raise of_status(422, f"A ZIP file has up to {zips.MOST:,} pictures here.")

    async def opened(entry: zips.Entry) -> zips.Source | None:
        try:
            again = await links.link(request, token)  # it may have ended since
            if again != visit.share:
                return None
            return (await _source(visit, entry.id, desks))[0]
        except (NotFoundError, ProblemError):
            return None

    return zips.answer(zips.stream(entries, opened), visit.share.name or "pictures")


def _may_download(visit: Visit) -> None:
    if not visit.share.download:
        raise of_status(403, "This link is for looking only.")


def _all(library: Library, visit: Visit) -> list[int]:
    try:
        return shares.pictures(library, visit.share)
    except NotFoundError:  # its album
        raise links.gone() from None


def _shows(library: Library, visit: Visit, asset: str) -> shares.Picture:
    return shares.shows(library, visit.share, derivatives.named(asset))


def _entries(library: Library, visit: Visit) -> list[zips.Entry]:
    details = visit.share.details
    return [
        zips.Entry(p.id, p.name if details else _plain_name(p), p.taken_at if details else None)
        for p in shares.rows(library, _all(library, visit))
    ]


def _plain_name(picture: shares.Picture) -> str:
    """A name that tells nothing, with the ending of what is sent."""
    ending = picture.name.rpartition(".")[2].lower() if "." in picture.name else ""
    return f"{picture.id}.{ending if ending in ('png', 'webp') else 'jpg'}"


def _told(library: Library, visit: Visit, picture: shares.Picture) -> schemas.SharedPicture:
    details = None
    if visit.share.details:
        everything = library.show(picture.id)
        details = {name: everything[name] for name in _DETAILS} | {"name": picture.name}
    blur = picture.thumbhash
    return schemas.SharedPicture(
        id=picture.id,
        width=picture.width,
        height=picture.height,
        kind=picture.kind,
        duration=picture.duration,
        thumbhash=None if blur is None else base64.b64encode(blur).decode(),
        v=derivatives.version_of(picture.sha256),
        details=details,
    )


async def _small(request: Request, visit: Visit, asset: str, desks: Desks, kind: Kind) -> Response:
    def look(library: Library) -> derivatives.Small:
        return derivatives.small(library, _shows(library, visit, asset).id, kind, lambda etag: known(request, etag))

    found = await desks.read(visit.asker, look)
    headers = found.headers(None)  # asked about each time: a link may end, and be changed
    if found.data is None:
        return Response(None, 304, headers)
    return Response(found.data, 200, headers, "image/jpeg")


async def _source(visit: Visit, asset: str, desks: Desks) -> tuple[zips.Source, dict[str, str]]:
    """The bytes that a link gives for a picture, opened, and what its answer says of them."""
    found = await desks.read(visit.asker, lambda library: _wanted(library, visit, asset))
    return await derivatives.beside(_opened, found, visit.share.details)


def _wanted(library: Library, visit: Visit, asset: str) -> _Wanted:
    picture = _shows(library, visit, asset)
    turned = library.catalog.db.execute(_ORIENTATION, (picture.asset,)).get
    preview = library.store.path(picture.sha256, "preview")
    return _Wanted(picture, derivatives.placed(library, picture.id), turned, preview)


def _opened(wanted: _Wanted, details: bool) -> tuple[zips.Source, dict[str, str]]:
    """The original; without details what is left of it, or the preview. Waits for the disk."""
    found = derivatives.opened(wanted.placed)
    if details:
        return zips.Source(found.file, found.size), found.headers(None, download=True)
    try:
        left = bare(found.file, found.mime, wanted.orientation)
        name = _plain_name(wanted.picture)
        if left is not None:
            return zips.Source(found.file, left.size, left), _headers(found, "bare", found.type, name)
        found.file.close()
        file = wanted.preview.open("rb", buffering=0)
    except OSError:
        found.file.close()
        raise NotFoundError("This picture can't be had without its metadata just now.") from None
    size = file.seek(0, 2)
    return zips.Source(file, size), _headers(found, f"preview-{size:x}", "image/jpeg", name)


def _headers(found: Original, what: str, kind: str, name: str) -> dict[str, str]:
    return {
        "ETag": f'"{derivatives.version_of(found.sha256)}-{what}"',
        "Cache-Control": FRESH,
        "Accept-Ranges": "bytes",
        "Content-Type": kind,
        "Content-Disposition": derivatives.disposition(name, save=True),
        **SEALED,
    }
