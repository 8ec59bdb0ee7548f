"""Albums: the tree, one with its pictures, and all that is said of them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi import Query as Parameter

from imager.catalog.identity import parse_id
from imager.errors import NotFoundError, UsageError
from imager.library import Library
from imager.query.model import Query
from imager.server.answers import json_answer, tagged
from imager.server.asked import LONGEST_CURSOR, AssetId, AtDesks, Reader, understood
from imager.server.asking import Asker, need
from imager.server.derivatives import named, versions_of
from imager.server.idempotency import OnceRoute
from imager.server.problems import documented
from imager.server.schemas import albums as schemas

router = APIRouter(prefix="/api/v1/albums", tags=["Albums"], route_class=OnceRoute)

AlbumId = Annotated[str, Path(alias="album", max_length=60, description="Id of an album.")]
Writer = Annotated[Asker, need("write")]

MOST_NAMED: Final = 1_000
"""Pictures that are put in or taken out while the client waits; for more there is `batch`."""

_READ: Final = documented(401, 403, 404, 422)
_WRITE: Final = documented(401, 403, 404, 409, 422, 503, 507)


@router.get("", response_model=schemas.Albums, responses=documented(401, 403))
async def tree(request: Request, asker: Reader, desks: AtDesks) -> Response:
    """All albums, each followed by what is nested in it; siblings in their order."""
    return tagged(request, {"albums": await desks.read(asker, lambda library: library.albums())})


@router.get("/{album}", response_model=schemas.AlbumPage, responses=_READ)
async def show(
    request: Request,
    album: AlbumId,
    asker: Reader,
    desks: AtDesks,
    limit: Annotated[int, Parameter(ge=1, le=500)] = 50,
    after: Annotated[
        str | None, Parameter(max_length=LONGEST_CURSOR, description="The `next` of the page before.")
    ] = None,
) -> Response:
    """An album with a page of its pictures, in its order; of a smart one what its query finds."""

    def look(library: Library) -> dict[str, Any]:
        found = library.album(called(album), limit=limit, after=after)
        versions = versions_of(library, [one["id"] for one in found["pictures"]])
        found["pictures"] = [one | {"v": versions.get(one["id"])} for one in found["pictures"]]
        return found

    return tagged(request, await desks.read(asker, look))


@router.post("", status_code=201, response_model=schemas.Made, responses=_WRITE)
async def create(request: Request, asked: schemas.NewAlbum, asker: Writer, desks: AtDesks) -> Response:
    """Make an album, in another one or at the top; with a query a smart one, which shows what that finds."""
    within = None if asked.parent is None else called(asked.parent)

    def make(library: Library) -> dict[str, Any]:
        own, batch = library.create_album(asked.name, within=within, query=_query(asked.query))
        batches = [batch]
        if asked.description.strip():
            batches.insert(0, library.describe_album(own, asked.description))
        return {"album": _known(library, own), "batches": batches}

    made = await desks.write(asker, make)
    where = f"{request.scope.get('root_path', '')}/api/v1/albums/{made['album']['id']}"
    return json_answer(made, status=201, headers={"Location": where})


@router.patch("/{album}", response_model=schemas.Made, responses=_WRITE)
async def change(album: AlbumId, asked: schemas.AlbumChange, asker: Writer, desks: AtDesks) -> Response:
    """Call an album otherwise, say what it is about, choose its cover or its query, nest it elsewhere or move it."""
    own, said = called(album), asked.model_fields_set
    beside = {
        "before": None if asked.before is None else called(asked.before),
        "after": None if asked.after is None else called(asked.after),
    }
    query, cover = _query(asked.query), None if asked.cover is None else named(asked.cover)

    def say(library: Library) -> dict[str, Any]:
        batches: list[str] = []
        if cover is not None:
            library.find(cover)  # before anything is said
        if said & {"parent", "before", "after"}:
            within = _parent(library, own) if "parent" not in said else asked.parent
            batches.append(library.move_album(own, None if within is None else called(within), **beside))
        if "query" in said:
            batches.append(library.set_album_query(own, query))
        if asked.name is not None:
            batches.append(library.rename_album(own, asked.name))
        if "description" in said:
            batches.append(library.describe_album(own, asked.description or ""))
        if "cover" in said:
            batches.append(library.set_album_cover(own, cover))
        return {"album": _known(library, own), "batches": batches[::-1]}

    return json_answer(await desks.write(asker, say))


@router.delete("/{album}", response_model=schemas.Changed, responses=_WRITE)
async def delete(album: AlbumId, asker: Writer, desks: AtDesks) -> Response:
    """Delete an album; what is nested in it is hidden with it, pictures stay. Undoing brings all of it back."""
    own = called(album)
    return json_answer({"batch": await desks.write(asker, lambda library: library.delete_album(own))})


@router.post("/{album}/pictures", response_model=schemas.Changed, responses=_WRITE)
async def put_many(album: AlbumId, asked: schemas.Members, asker: Writer, desks: AtDesks) -> Response:
    """Put pictures into an album, by their ids or all that a query finds; each where its time belongs.

    All of them, or none where one can't be. For many there is `batch` with `album_add`.
    """
    own, pictures, query = called(album), _some(asked), _query(asked.query)
    batch = await desks.write(asker, lambda library: library.add_to_album(own, *pictures, query=_few(library, query)))
    return json_answer({"batch": batch})


@router.put("/{album}/pictures/{id}", response_model=schemas.Changed, responses=_WRITE)
async def put(album: AlbumId, asset: AssetId, asker: Writer, desks: AtDesks) -> Response:
    """Put a picture into an album."""
    own, picture = called(album), named(asset)
    return json_answer({"batch": await desks.write(asker, lambda library: library.add_to_album(own, picture))})


@router.delete("/{album}/pictures/{id}", response_model=schemas.Changed, responses=_WRITE)
async def remove(album: AlbumId, asset: AssetId, asker: Writer, desks: AtDesks) -> Response:
    """Take a picture out of an album; it stays in the library."""
    own, picture = called(album), named(asset)
    return json_answer({"batch": await desks.write(asker, lambda library: library.remove_from_album(own, picture))})


@router.delete("/{album}/pictures", response_model=schemas.Changed, responses=_WRITE)
async def remove_many(
    album: AlbumId,
    asker: Writer,
    desks: AtDesks,
    ids: Annotated[list[str], Parameter(alias="id", min_length=1, max_length=100, description="Ids of pictures.")],
) -> Response:
    """Take pictures out of an album. For many, or what a query finds, there is `batch` with `album_remove`."""
    own, pictures = called(album), [named(one) for one in ids]
    return json_answer({"batch": await desks.write(asker, lambda library: library.remove_from_album(own, *pictures))})


@router.post("/{album}/pictures/{id}/place", response_model=schemas.Changed, responses=_WRITE)
async def order(album: AlbumId, asset: AssetId, asked: schemas.Place, asker: Writer, desks: AtDesks) -> Response:
    """Put a picture of an album before or after another one of it; the others stay where they are."""
    own, picture = called(album), named(asset)
    before, after = (None if one is None else named(one) for one in (asked.before, asked.after))
    batch = await desks.write(asker, lambda library: library.order_album(own, picture, before=before, after=after))
    return json_answer({"batch": batch})


def called(text: str) -> str:
    """The text, where it is the id of an album; NotFoundError otherwise: names are not unique, and change."""
    if parse_id(text) is None:
        raise NotFoundError(f"There is no album {text[:60]}.")
    return text


def _query(given: str | dict[str, Any] | None) -> Query | str | None:
    return understood(given) if isinstance(given, dict) else given


def _some(asked: schemas.Members) -> list[str]:
    if asked.ids is not None and len(asked.ids) > MOST_NAMED:
        raise UsageError(f"Name at most {MOST_NAMED} pictures at a time, or use a batch.")
    return [named(one) for one in asked.ids or ()]


def _few(library: Library, query: Query | str | None) -> Query | str | None:
    if query is not None and library.search(query, limit=1, facets=False).total > MOST_NAMED:
        raise UsageError(f"The query finds more than {MOST_NAMED} pictures: use a batch.")
    return query


def _known(library: Library, own: str) -> dict[str, Any]:
    found = library.album(own, limit=1)
    return {name: value for name, value in found.items() if name not in ("pictures", "next")}


def _parent(library: Library, own: str) -> str | None:
    """The id of the album in which one is nested, as far as the asker sees it."""
    every = library.albums()
    path = next((album["path"] for album in every if parse_id(album["id"]) == parse_id(own)), None)
    if path is None:
        raise NotFoundError(f"There is no album {own}.")
    return next((album["id"] for album in every if album["path"] == path[:-1]), None)
