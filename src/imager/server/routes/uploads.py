"""Sending pictures: TUS 1.0 for programs that go on after an interruption, forms for scripts, and a question before.

Who uploads must be an editor of the library. An upload is its sender's alone: to anybody else it is not there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi import Query as Parameter

from imager.errors import ImagerError, UnreadableError
from imager.server import state
from imager.server.asking import Asker, need, public
from imager.server.problems import ProblemError, documented, of_status
from imager.server.schemas import uploads as schemas
from imager.server.state import State
from imager.server.uploads import inbox, multipart, parts, table, tus
from imager.server.uploads.arriving import MOST, Uploads

router = APIRouter(prefix="/api/v1/uploads", tags=["Uploads"])

Sender = Annotated[Asker, need("upload", role="editor")]
UploadId = Annotated[str, Path(alias="id", pattern="^[0-9a-f]{32}$", description="Id of an upload.")]

_TUS: Final = documented(400, 401, 403, 404, 409, 410, 412, 413, 415, 422, 423, 429, 507)
_EMPTY: Final[dict[int | str, dict[str, Any]]] = {204: {"description": "Done"}}
_MISMATCH: Final[dict[int | str, dict[str, Any]]] = {460: {"description": "The checksum does not match (TUS)"}}
_LISTED: Final = 1_000


@asynccontextmanager
async def lifespan(holds: State) -> AsyncIterator[None]:
    """Take up what was left, and end in order."""
    holds.uploads = made(holds)
    await holds.uploads.start()
    try:
        yield
    finally:
        await holds.uploads.stop()


def made(holds: State) -> Uploads:
    """The uploads of a server, as it was told."""
    settings = holds.settings
    place = inbox.chosen(settings.library, settings.inbox, settings.inbox_template)
    return Uploads(holds.desks, holds.events, settings.library, place)


async def _service(request: Request) -> Uploads:
    holds = state.of(request)
    if holds.uploads is None:
        holds.uploads = made(holds)
    return holds.uploads


Service = Annotated[Uploads, Depends(_service)]


# ── what is here already, and what became of what was sent ──────────────────────────────────────────────────────


@router.post("/known", responses=documented(401, 403, 422))
async def known(request: Request, asked: schemas.Known, asker: Annotated[Asker, need("upload")]) -> schemas.Held:
    """Which files you need not send, since you have them in the library, by their SHA-256.

    It tells of your own sight only: what somebody else hides is answered as what nobody has.
    """
    hashes = [bytes.fromhex(text) for text in asked.sha256]
    held = await state.of(request).desks.read(
        asker, lambda library: table.held(library.catalog, library.principal, hashes)
    )
    return schemas.Held(known=[sha256.hex() for sha256 in held])


@router.get("", responses=documented(401, 403, 422))
async def list_uploads(
    request: Request, asker: Sender, limit: Annotated[int, Parameter(ge=1, le=_LISTED)] = 100
) -> schemas.Uploads:
    """Your uploads of the last day, latest first, and what became of them."""
    rows = await state.of(request).desks.owner(
        "write", lambda library: table.of_member(library.catalog, asker.member, limit)
    )
    return schemas.Uploads(uploads=[schemas.Upload.of(row.described()) for row in rows])


@router.get("/{id}", responses=documented(401, 403, 404, 422))
async def show_upload(request: Request, identifier: UploadId, asker: Sender) -> schemas.Upload:
    """How far an upload is, and what became of it."""
    return schemas.Upload.of((await _of(request, identifier, asker)).described())


# ── forms ───────────────────────────────────────────────────────────────────────────────────────────────────────


@router.post(
    "/files",
    responses=documented(400, 401, 403, 413, 415, 429, 507),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                            "modified": {"type": "string", "description": "When the file that follows was changed."},
                            "sha256": {"type": "string", "description": "Of the file that follows, to be checked."},
                        },
                    }
                }
            },
        }
    },
)
async def send_files(request: Request, asker: Sender, service: Service) -> schemas.Uploads:
    """Send files in one form, and wait until they are in the library: `curl -F file=@a.jpg -F file=@b.jpg …`.

    Each file is answered for itself. What is cut off before its end leaves nothing behind.
    """
    boundary = multipart.boundary_of(request.headers.get("content-type", ""))
    promised = await _promised(request)
    length = int(request.headers.get("content-length") or 0)
    await to_thread.run_sync(service.parts.check_room, promised + length)
    form = multipart.Form(service.parts, boundary, largest=service.largest, hold=service.hold)
    try:
        files = await form.read(request.stream())
        sent = [await _complete(request, service, asker, file) for file in files]
    except OSError as error:
        raise inbox.explained(error, service.parts.folder) from error
    finally:
        await to_thread.run_sync(form.remove)
        for file in form.files:
            service.release(file.id)
    for identifier in sent:
        await service.settled(identifier)
    rows = [await _of(request, identifier, asker) for identifier in sent]
    return schemas.Uploads(uploads=[schemas.Upload.of(row.described()) for row in rows])


async def _complete(request: Request, service: Uploads, asker: Asker, file: multipart.File) -> str:
    """Hand a file of a form over to the uploads."""
    said = tus.described(file.said | {"name": file.name, "type": file.type})
    upload = await state.of(request).desks.owner(
        "write", lambda library: table.complete(library.catalog, file.id, asker.member, file.size, said)
    )
    with suppress(UnreadableError):  # its row says so
        await service.arrive(upload)
    return upload.id


# ── TUS ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@router.options("", dependencies=[public()], status_code=204, response_class=Response)
async def tus_abilities(service: Service) -> Response:
    """What of TUS this server can do."""
    headers = {
        "Tus-Resumable": tus.VERSION,
        "Tus-Version": tus.VERSION,
        "Tus-Extension": tus.EXTENSIONS,
        "Tus-Max-Size": str(service.largest),
        "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
    }
    return Response(None, 204, headers)


@router.post(
    "", status_code=201, response_class=Response, responses=_TUS | _MISMATCH | {201: {"description": "It may begin"}}
)
async def create_upload(request: Request, asker: Sender, service: Service) -> Response:
    """Begin an upload (TUS creation): `Upload-Length`, and `Upload-Metadata` with filename, sha256, modified.

    With a body, its first bytes (creation-with-upload).
    """
    headers = request.headers
    tus.check_version(headers)
    size = tus.length(headers, service.largest)
    said = tus.metadata(headers)
    checksum = tus.checksum(headers)
    body = headers.get("content-type") == tus.MEDIA_TYPE
    await to_thread.run_sync(service.parts.check_room, await _promised(request) + size)
    upload = await state.of(request).desks.owner(
        "write", lambda library: table.create(library.catalog, asker.member, size, said, most=MOST)
    )
    answer = {"Location": f"{request.scope.get('root_path', '')}/api/v1/uploads/{upload.id}"}
    if body or size == 0:
        with service.alone(upload.id):
            upload = await _receive(request, service, upload, checksum)
        answer["Upload-Offset"] = str(upload.received)
    return Response(None, 201, tus.HEADERS | answer | {"Upload-Expires": tus.expires(upload.expires)})


@router.head("/{id}", response_class=Response, responses=_TUS)
async def upload_offset(request: Request, identifier: UploadId, asker: Sender) -> Response:
    """How much of an upload is safe: where to go on (TUS)."""
    tus.check_version(request.headers)
    upload = await _of(request, identifier, asker)
    if upload.problem is not None:
        raise tus.TusError(410, "Gone", upload.problem, "gone")
    said = {"filename": upload.said.get("name", "")}
    headers = {
        "Upload-Offset": str(upload.received),
        "Upload-Length": str(upload.size),
        "Upload-Metadata": tus.encoded(said),
        "Upload-Expires": tus.expires(upload.expires),
    }
    return Response(None, 200, tus.HEADERS | {name: value for name, value in headers.items() if value})


@router.patch("/{id}", status_code=204, response_class=Response, responses=_TUS | _MISMATCH | _EMPTY)
async def send_bytes(request: Request, identifier: UploadId, asker: Sender, service: Service) -> Response:
    """Send bytes of an upload, from `Upload-Offset` on (TUS).

    What is answered with is safely on the disk. With the last byte the picture is verified and placed in the inbox;
    the library takes it in soon after: ask for the upload, or listen for the event 'upload'.
    """
    headers = request.headers
    tus.check_version(headers)
    if headers.get("content-type") != tus.MEDIA_TYPE:
        raise tus.TusError(415, "Not in this form", f"Bytes come as {tus.MEDIA_TYPE}.", "media-type")
    offset = tus.number(headers, "upload-offset")
    checksum = tus.checksum(headers)
    with _alone(service, identifier):
        upload = await _of(request, identifier, asker)
        if upload.problem is not None:
            raise tus.TusError(410, "Gone", upload.problem, "gone")
        if offset != upload.received:
            raise tus.TusError(
                409, "Not from there", f"{upload.received} bytes are here already.", "conflict",
                Upload_Offset=str(upload.received),
            )  # fmt: skip
        upload = await _receive(request, service, upload, checksum)
    answer = {"Upload-Offset": str(upload.received), "Upload-Expires": tus.expires(upload.expires)}
    return Response(None, 204, tus.HEADERS | answer)


@router.delete("/{id}", status_code=204, response_class=Response, responses=_TUS | _EMPTY)
async def end_upload(request: Request, identifier: UploadId, asker: Sender, service: Service) -> Response:
    """Give an upload up, with all that came of it (TUS termination). A picture that it became stays."""
    tus.check_version(request.headers)
    with _alone(service, identifier):
        upload = await _of(request, identifier, asker)
        if upload.state == "waiting":
            raise tus.TusError(409, "Too late", "All of it has come; the library is taking it in.", "conflict")
        await service.forget(upload.id)
    return Response(None, 204, tus.HEADERS)


@router.post("/{id}", response_class=Response, responses=_TUS | _MISMATCH | _EMPTY, status_code=204)
async def overridden(request: Request, identifier: UploadId, asker: Sender, service: Service) -> Response:
    """The same as PATCH or DELETE, for who can send neither: `X-HTTP-Method-Override` says which (TUS)."""
    method = request.headers.get("x-http-method-override", "").upper()
    if method == "PATCH":
        return await send_bytes(request, identifier, asker, service)
    if method == "DELETE":
        return await end_upload(request, identifier, asker, service)
    raise of_status(405, headers={"Allow": "GET, HEAD, PATCH, DELETE"})


async def _receive(
    request: Request, service: Uploads, upload: table.Upload, checksum: tus.Checksum | None
) -> table.Upload:
    """Take the body in, and have the upload arrive with its last byte. Whoever calls holds the upload."""
    desks = state.of(request).desks
    room = upload.size - upload.received
    length = request.headers.get("content-length")
    if length is not None and int(length) > room:
        raise tus.TusError(413, "Too long", "More bytes come than Upload-Length says.", "too-large")

    async def keep(before: int, after: int) -> None:
        moved = await desks.owner("write", lambda lib: table.advance(lib.catalog, upload.id, before, after))
        if not moved:
            raise _locked()

    received = await parts.receive(service.parts, upload.id, upload.received, room, request.stream(), keep, checksum)
    upload = replace(upload, received=received)
    if upload.state == "waiting" and "placed" not in upload.said:
        try:
            return await service.arrive(upload)
        except UnreadableError as error:
            raise tus.TusError(422, "Not readable as a picture", str(error), "unreadable") from error
        except ImagerError:
            # All bytes are safe. What stands in the way (a full disk) does not concern who sent them.
            return upload
    return upload


@contextmanager
def _alone(service: Uploads, identifier: str) -> Iterator[None]:
    """Hold an upload, or say that somebody else does (423). What its row says holds within."""
    if service.is_busy(identifier):
        raise _locked()
    with service.alone(identifier):
        yield


async def _of(request: Request, identifier: str, asker: Asker) -> table.Upload:
    """The asker's upload of that id; 404 for anybody else's, as for none."""
    upload = await state.of(request).desks.owner(
        "write", lambda library: table.get(library.catalog, identifier, asker.member)
    )
    if upload is None:
        raise ProblemError(
            404, "Not found", "There is no such upload, or it has expired.", kind="not-found", headers=tus.HEADERS
        )
    return upload


async def _promised(request: Request) -> int:
    return await state.of(request).desks.owner("write", lambda library: table.promised(library.catalog))


def _locked() -> tus.TusError:
    return tus.TusError(
        423, "Locked", "Somebody is sending to this upload just now. Try again in a moment.", "locked", Retry_After="1"
    )
