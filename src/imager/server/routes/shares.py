"""Share links, as their makers have them: making, listing, changing, revoking."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Request

from imager.catalog.identity import format_id
from imager.server import shares, state
from imager.server.asking import Asker, need
from imager.server.auth import passwords
from imager.server.desks import Desks
from imager.server.problems import documented
from imager.server.schemas import shares as schemas

router = APIRouter(prefix="/api/v1/shares", tags=["Shares"])

Maker = Annotated[Asker, need("share")]
AtDesks = Annotated[Desks, Depends(state.desks)]
ShareId = Annotated[str, Path(alias="id", max_length=64, description="Id of a share link.")]


@router.get("", responses=documented(401, 403))
async def list_shares(asker: Maker, desks: AtDesks) -> schemas.Shares:
    """Your share links, latest first. Their addresses are not known any more."""
    rows = await desks.read(
        asker, lambda lib: [(s, shares.chosen(lib.catalog, s)) for s in shares.of_member(lib.catalog, asker.member)]
    )
    return schemas.Shares(shares=[schemas.ShareInfo(**_told(share, count)) for share, count in rows])


@router.post("", status_code=201, responses=documented(401, 403, 404, 422))
async def create_share(request: Request, given: schemas.NewShare, asker: Maker, desks: AtDesks) -> schemas.MadeShare:
    """Make a link to an album, or to some pictures. Whoever has its address sees them: it is told this once.

    It takes an editor (of the album, or of each picture), and shows what you see yourself at that time, never more:
    nothing that is private, nothing from the trash.
    """
    password = None if given.password is None else await to_thread.run_sync(passwords.hashed, given.password)
    token, share = await desks.write(
        asker,
        lambda library: shares.create(
            library,
            album=given.album,
            ids=given.ids,
            name=given.name,
            password=password,
            download=given.download,
            details=given.details,
            expires=_milliseconds(given.expires),
        ),
    )
    count = len(set(given.ids)) if share.album is None else None
    path = f"{request.scope.get('root_path', '')}/api/v1/shared/{token}"
    base = str(request.base_url.replace(path="", query=""))
    return schemas.MadeShare(**_told(share, count), token=token, path=path, url=base.rstrip("/") + path)


@router.patch("/{id}", responses=documented(401, 403, 404, 422))
async def change_share(
    identifier: ShareId, given: schemas.ChangedShare, asker: Maker, desks: AtDesks
) -> schemas.ShareInfo:
    """Change a link, or end it. Another password (or none) ends what was opened with the old one."""
    values: dict[str, Any] = {
        name: getattr(given, name)
        for name in ("name", "download", "details", "revoked")
        if getattr(given, name) is not None
    }
    if "expires" in given.model_fields_set:
        values["expires"] = _milliseconds(given.expires)
    if "password" in given.model_fields_set:
        said = given.password
        values["password"] = None if said is None else await to_thread.run_sync(passwords.hashed, said)
    share = await desks.write(asker, lambda lib: shares.change(lib.catalog, asker.member, identifier, **values))
    count = await desks.read(asker, lambda library: shares.chosen(library.catalog, share))
    return schemas.ShareInfo(**_told(share, count))


@router.delete("/{id}", status_code=204, responses=documented(401, 403, 404))
async def delete_share(identifier: ShareId, asker: Maker, desks: AtDesks) -> None:
    """End a link and forget it: from now on it is as one that never was."""
    await desks.write(asker, lambda library: shares.delete(library.catalog, asker.member, identifier))


def _told(share: shares.Share, count: int | None) -> dict[str, Any]:
    return {
        "id": share.id,
        "name": share.name,
        "album": None if share.album is None else format_id(share.album),
        "pictures": count,
        "password": share.password is not None,
        "download": share.download,
        "details": share.details,
        "created": moment(share.created),
        "expires": None if share.expires is None else moment(share.expires),
        "revoked": share.revoked,
    }


def moment(milliseconds: int) -> datetime:
    """A time of the catalog, as answers have it."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _milliseconds(when: datetime | None) -> int | None:
    if when is None:
        return None
    return int((when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp() * 1000)
