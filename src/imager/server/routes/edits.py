"""Saying something of pictures, one or many, and taking it back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Request, Response

from imager.library import Library
from imager.server import batches, saying
from imager.server.answers import as_json, json_answer
from imager.server.asked import AssetId, AtDesks, understood
from imager.server.asking import Asker, need
from imager.server.derivatives import named
from imager.server.idempotency import OnceRoute
from imager.server.jobs import Jobs
from imager.server.problems import documented, of_status
from imager.server.saying import Said
from imager.server.schemas import edits as schemas
from imager.server.schemas.jobs import Job

router = APIRouter(prefix="/api/v1", tags=["Edits"], route_class=OnceRoute)

Writer = Annotated[Asker, need("write")]
IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1_000,
        description="The `ETag` of the picture as it was shown: it is changed only if it is still so (412 otherwise).",
    ),
]
TagPath = Annotated[
    str,
    Path(
        max_length=1_000, description="Name of a tag; `Animals|Dogs` is one within another.", examples=["Animals|Dogs"]
    ),
]

_WRITE: Final = documented(401, 403, 404, 409, 412, 422, 503, 507)
_MANY: Final = documented(401, 403, 404, 409, 422, 503, 507)


@router.patch("/assets/{id}", response_model=schemas.Edited, responses=_WRITE)
async def change(
    asset: AssetId, values: schemas.Values, asker: Writer, desks: AtDesks, if_match: IfMatch = None
) -> Response:
    """Say some values of a picture, all in one batch; null takes one as it is in the file again."""

    def meant(library: Library) -> list[Said]:
        return [saying.of_field(name, value, library.principal.member) for name, value in values.said().items()]

    return await _say(asset, asker, desks, meant, if_match)


@router.put("/assets/{id}/tags/{tag:path}", response_model=schemas.Edited, responses=_WRITE)
async def tag(asset: AssetId, tag: TagPath, asker: Writer, desks: AtDesks, if_match: IfMatch = None) -> Response:
    """Give a picture a tag."""
    return await _say(asset, asker, desks, lambda _: [saying.of_tag(tag, put=True)], if_match)


@router.delete("/assets/{id}/tags/{tag:path}", response_model=schemas.Edited, responses=_WRITE)
async def untag(asset: AssetId, tag: TagPath, asker: Writer, desks: AtDesks, if_match: IfMatch = None) -> Response:
    """Take a tag away from a picture, whoever gave it: its file, too."""
    return await _say(asset, asker, desks, lambda _: [saying.of_tag(tag, put=False)], if_match)


@router.put("/assets/{id}/rating", response_model=schemas.Edited, responses=_WRITE)
async def rate(
    asset: AssetId, rating: schemas.Rating, asker: Writer, desks: AtDesks, if_match: IfMatch = None
) -> Response:
    """Rate a picture; each member has a rating of their own, and the latest is shown."""
    return await _say(asset, asker, desks, _field("rating", rating.rating), if_match)


@router.delete("/assets/{id}/rating", response_model=schemas.Edited, responses=_WRITE)
async def unrate(asset: AssetId, asker: Writer, desks: AtDesks, if_match: IfMatch = None) -> Response:
    """Take the asker's rating of a picture back."""
    return await _say(asset, asker, desks, _field("rating", None), if_match)


@router.put("/assets/{id}/favourite", response_model=schemas.Edited, responses=_WRITE)
async def favour(asset: AssetId, asker: Writer, desks: AtDesks, if_match: IfMatch = None) -> Response:
    """Make a picture a favourite."""
    return await _say(asset, asker, desks, _field("favourite", True), if_match)


@router.delete("/assets/{id}/favourite", response_model=schemas.Edited, responses=_WRITE)
async def unfavour(asset: AssetId, asker: Writer, desks: AtDesks, if_match: IfMatch = None) -> Response:
    """Make a picture no favourite."""
    return await _say(asset, asker, desks, _field("favourite", False), if_match)


@router.put("/assets/{id}/private", response_model=schemas.Edited, responses=_WRITE)
async def hide(asset: AssetId, asker: Writer, desks: AtDesks, if_match: IfMatch = None) -> Response:
    """Hide a picture from everybody else; for owners of the library, since it takes it from others."""
    return await _say(asset, asker, desks, _field("private", True), if_match)


@router.delete("/assets/{id}/private", response_model=schemas.Edited, responses=_WRITE)
async def unhide(asset: AssetId, asker: Writer, desks: AtDesks, if_match: IfMatch = None) -> Response:
    """Let a private picture be seen by all members again."""
    return await _say(asset, asker, desks, _field("private", None), if_match)


@router.post("/assets/{id}/trash", response_model=schemas.Edited, responses=_WRITE)
async def trash(asset: AssetId, asker: Writer, desks: AtDesks, if_match: IfMatch = None) -> Response:
    """Put a picture into the trash of the library; its file stays where it is."""
    return await _say(asset, asker, desks, _field("trashed", True), if_match)


@router.delete("/assets/{id}/trash", response_model=schemas.Edited, responses=_WRITE)
async def restore(asset: AssetId, asker: Writer, desks: AtDesks, if_match: IfMatch = None) -> Response:
    """Take a picture out of the trash."""
    return await _say(asset, asker, desks, _field("trashed", None), if_match)


@router.post("/assets/{id}/join", response_model=schemas.Edited, responses=_MANY)
async def join(asset: AssetId, asked: schemas.Other, asker: Writer, desks: AtDesks) -> Response:
    """Say that two pictures are versions of one; they have one id from then on, and both ids lead to it."""
    own, other = named(asset), named(asked.other)
    return _edited(*await desks.write(asker, lambda library: (library.join(own, other), library.show(own))))


@router.post("/assets/{id}/separate", response_model=schemas.Edited, responses=_MANY)
async def separate(asset: AssetId, asker: Writer, desks: AtDesks) -> Response:
    """Say that all versions of a picture are pictures of their own."""
    own = named(asset)
    return _edited(*await desks.write(asker, lambda library: (library.separate(own), library.show(own))))


@router.post("/edits", response_model=schemas.Said, responses=_MANY)
async def edit(asked: schemas.Edits, asker: Writer, desks: AtDesks) -> Response:
    """Say something of several pictures: all of it in one batch, or nothing where one of them can't be said."""

    def say(library: Library) -> str:
        meant = [(named(one.id), _said_of(one, library.principal.member)) for one in asked.edits]
        with library.catalog.transaction(durable=True):
            return saying.say(library, meant)

    return json_answer({"batch": await desks.write(asker, say)})


@router.post("/undo", response_model=schemas.Undone, responses=_MANY)
async def undo(asked: schemas.Undo, asker: Writer, desks: AtDesks) -> Response:
    """Take back a batch, or what the asker said last; the name of an undo does it again.

    Only owners of the library take back what others said.
    """
    return json_answer({"undone": await desks.write(asker, lambda library: library.undo(asked.batch))})


@router.post("/batch", status_code=202, response_model=Job, responses=_MANY)
async def batch(request: Request, asked: schemas.Batch, asker: Writer, desks: AtDesks) -> Response:
    """Say the same of many pictures: those that are named, or all that a query finds. A job, and one batch to undo."""
    query = understood(asked.query) if isinstance(asked.query, dict) else asked.query
    meant = batches.Asked(
        asked.action, None if asked.ids is None else tuple(asked.ids), query, asked.field, asked.value,
        tuple(asked.tags), asked.album,
    )  # fmt: skip
    jobs: Jobs = request.app.state.imager.jobs
    described = asked.model_dump(exclude={"ids"}, exclude_unset=True) | (
        {} if asked.ids is None else {"pictures": len(asked.ids)}
    )
    return job_answer(request, await batches.begin(jobs, desks, asker, meant, described))


def job_answer(request: Request, job: dict[str, Any]) -> Response:
    """The answer to a request that began a job: it goes on, and here is where to ask how far it is."""
    return json_answer(
        job, status=202, headers={"Location": f"{request.scope.get('root_path', '')}/api/v1/jobs/{job['id']}"}
    )


def etag(library: Library, asset: str) -> str:
    """The tag of a picture as it is shown to the asker: that of the answer to a GET of it."""
    return f'"{hashlib.blake2b(as_json(library.show(asset)), digest_size=12).hexdigest()}"'


def _field(name: str, value: Any) -> Callable[[Library], list[Said]]:
    return lambda library: [saying.of_field(name, value, library.principal.member)]


def _said_of(one: schemas.EditOf, author: str) -> list[Said]:
    said = [saying.of_field(name, value, author) for name, value in one.values.said().items()]
    said += [saying.of_tag(name, put=True) for name in one.tag]
    return said + [saying.of_tag(name, put=False) for name in one.untag]


async def _say(
    asset: str, asker: Asker, desks: AtDesks, meant: Callable[[Library], Sequence[Said]], if_match: str | None
) -> Response:
    """Say something of one picture, if it is still as the asker knows it."""
    own = named(asset)

    def say(library: Library) -> tuple[str, dict[str, Any]]:
        with library.catalog.transaction(durable=True):
            if if_match is not None and not _matches(if_match, etag(library, own)):
                raise of_status(412, "The picture was changed meanwhile. Look at it again.")
            batch = saying.say(library, [(own, meant(library))])
        return batch, library.show(own)

    return _edited(*await desks.write(asker, say))


def _edited(batch: str, shown: dict[str, Any]) -> Response:
    tag = f'"{hashlib.blake2b(as_json(shown), digest_size=12).hexdigest()}"'
    return json_answer({"batch": batch, "asset": shown}, headers={"ETag": tag})


def _matches(given: str, tag: str) -> bool:
    """RFC 9110, section 13.1.1: compared strongly, so that weak tags never match."""
    return given.strip() == "*" or any(one.strip() == tag for one in given.split(","))
