"""Thumbnails, previews and originals on their way out: what is looked up at a desk, and what the answer says of it.

A desk finds the picture, as the asker sees it, and reads the small files whole: that takes less than handing them on.
Originals may lie on any disk: they are opened, and read in pieces, in threads beside the desks. What is sent is never
taken for anything but what it is: its type comes from a short list of ours, and it runs nothing (`SEALED`), since a
browser would run what it finds in a picture under the address of the library.
"""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, Literal, TypeVar
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from imager.catalog.connection import fetch, many
from imager.catalog.identity import parse_id
from imager.errors import NotFoundError
from imager.library import Library
from imager.server.answers import FOR_EVER, FRESH
from imager.server.names import safe_name
from imager.server.ranges import Span

T = TypeVar("T")
Kind = Literal["thumbnail", "preview"]

SEALED: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
"""Headers of everything that came from a file: no script, no guessing, not for other sites."""

SHOWN: Final = frozenset(
    f"image/{kind}" for kind in ("jpeg", "png", "gif", "webp", "avif", "heic", "heif", "jxl", "tiff", "bmp")
) | {"video/mp4", "video/quicktime", "video/webm"}
"""Types that originals are sent as; everything else is bytes to be saved."""

_PIECE: Final = 256 * 1024
_AT_ONCE: Final = 16
_WAITING: Final[RunVar[CapacityLimiter]] = RunVar("originals")
_NOT_THERE: Final = "The file of this picture is not there just now, or was changed since it was read."
_CONTENT: Final = """SELECT c.content, c.sha256, c.mime
FROM assets AS a CROSS JOIN contents AS c ON c.content = a.content WHERE a.asset = ?"""
_VERSIONS: Final = """SELECT a.id, c.sha256 FROM carray(?) AS wanted CROSS JOIN assets AS a ON a.id = wanted.value
CROSS JOIN contents AS c ON c.content = a.content"""


def version_of(sha256: bytes) -> str:
    """What `?v=` says in the address of a derivative that never changes: the beginning of its content's SHA-256."""
    return sha256.hex()[:16]


def versions_of(library: Library, ids: Iterable[str]) -> dict[str, str]:
    """`version_of` what is shown of pictures, by their text ids. For pictures that the asker was shown already."""
    wanted = {own: text for text in ids if (own := parse_id(text)) is not None}
    if not wanted:
        return {}
    return {wanted[i]: version_of(sha256) for i, sha256 in fetch(library.catalog.db, _VERSIONS, (many(list(wanted)),))}


def named(text: str) -> str:
    """The text, where it is the id of a picture; NotFoundError otherwise, as for one that nobody has.

    Libraries also find pictures by their paths, which nobody is to ask for from afar.
    """
    if parse_id(text) is None:
        raise NotFoundError(f"There is no picture {text[:100]} in the library.")
    return text


# ── previews and thumbnails ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Small:
    """A thumbnail or preview; `data` None: the asker has it already. A picture in its place has no tag."""

    data: bytes | None
    etag: str | None
    version: str

    def headers(self, asked: str | None) -> dict[str, str]:
        """What its answer says of it. `asked`: the version in the address."""
        if self.etag is None:
            return {"Cache-Control": "no-store", **SEALED}
        return {"ETag": self.etag, "Cache-Control": FOR_EVER if asked == self.version else FRESH, **SEALED}


def small(library: Library, asset: str, kind: Kind, known: Callable[[str], bool]) -> Small:
    """The thumbnail or preview of a picture; where it is missing what shows most of the same: less of it, or a blur.

    `known` says of a tag that the asker has what it stands for. NotFoundError: no such picture, or nothing to show.
    """
    seen = library.sees(asset)
    if seen is None:
        raise NotFoundError(f"There is no picture {asset[:100]} in the library.")
    sha256 = seen[1]
    version = version_of(sha256)
    try:
        with open(library.store.path(sha256, kind), "rb", buffering=0) as file:
            told = os.fstat(file.fileno())
            # One made anew from the same content is another one.
            etag = f'"{version}-{kind[0]}{told.st_size:x}-{told.st_mtime_ns:x}"'
            return Small(None if known(etag) else file.read(), etag, version)
    except OSError:
        blur = library.thumbnail(asset)
    if blur is None:
        raise NotFoundError(f"There is no {kind} of this picture yet.")
    return Small(blur, None, version)


# ── originals ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Original:
    """The file of a picture, opened for reading."""

    file: BinaryIO
    size: int
    sha256: bytes
    mime: str | None  # as the catalog has it
    name: str  # as the disk has it

    @property
    def etag(self) -> str:
        """The tag of its bytes."""
        return f'"{self.sha256.hex()}"'

    @property
    def type(self) -> str:
        """As what it is sent."""
        return self.mime if self.mime in SHOWN else "application/octet-stream"

    def headers(self, asked: str | None, *, download: bool) -> dict[str, str]:
        """What its answer says of it; its length is that of what is sent."""
        save = download or self.mime not in SHOWN
        return {
            "ETag": self.etag,
            "Cache-Control": FOR_EVER if asked == version_of(self.sha256) else FRESH,
            "Accept-Ranges": "bytes",
            "Content-Type": self.type,
            "Content-Disposition": disposition(self.name, save=save),
            **SEALED,
        }


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the file of a picture should be. Not to be told."""

    files: tuple[tuple[bytes, int, int], ...]  # path, size and time of change, as they were read
    sha256: bytes
    mime: str | None


def placed(library: Library, asset: str) -> Placed:
    """Where the file of what is shown of a picture should be; NotFoundError: no such picture, or no file of it.

    The catalog alone is asked: a disk that sleeps, or is on another computer, may keep a desk waiting for long.
    """
    number = library.find(named(asset))
    content, sha256, mime = library.catalog.db.execute(_CONTENT, (number,)).get
    known = library.catalog.files
    rows = [(path, known.at(path)) for path, state in known.paths_of(content) if state == "present"]
    files = tuple((path, row.bytes, row.modified) for path, row in rows if row is not None)
    if not files:
        raise NotFoundError(_NOT_THERE)
    return Placed(files, sha256, mime)


def opened(where: Placed) -> Original:
    """The file of a picture, opened; the caller closes it. NotFoundError where it is not there as it was read.

    Other bytes than those which the asker may see are not theirs, whatever lies in that place now.
    """
    for path, size, modified in where.files:
        try:
            file = open(path, "rb", buffering=0, opener=_opener)  # noqa: SIM115 - it is sent later
        except OSError:
            continue
        told = os.fstat(file.fileno())
        if stat.S_ISREG(told.st_mode) and (told.st_size, told.st_mtime_ns) == (size, modified):
            return Original(file, size, where.sha256, where.mime, os.fsdecode(os.path.basename(path)))
        file.close()
    raise NotFoundError(_NOT_THERE)


def original(library: Library, asset: str) -> Original:
    """`opened` what is `placed`, for who may wait for the disk."""
    return opened(placed(library, asset))


async def beside(function: Callable[..., T], *values: Any) -> T:
    """Run something that waits for a disk in a thread beside the desks; of such, only so many at a time."""
    try:
        limiter = _WAITING.get()
    except LookupError:
        limiter = CapacityLimiter(_AT_ONCE)
        _WAITING.set(limiter)
    return await to_thread.run_sync(function, *values, limiter=limiter)


def _opener(path: str | bytes, flags: int) -> int:
    """Whatever took the place of a file must not keep us waiting, as a pipe would."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


class FileAnswer(StreamingResponse):
    """A piece of an opened file, which is closed whatever becomes of the answer."""

    def __init__(self, file: BinaryIO, span: Span, status: int, headers: dict[str, str]) -> None:
        """`span`: the bytes that are sent."""
        length = {"Content-Length": str(span.end - span.start)}
        super().__init__(_pieces(file, span), status, headers | length, headers["Content-Type"])
        self._file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


async def _pieces(file: BinaryIO, span: Span) -> AsyncIterator[bytes]:
    at = span.start
    while at < span.end:
        data = await beside(_read, file, at, min(_PIECE, span.end - at))
        if not data:
            raise OSError("the file became shorter while it was sent")
        at += len(data)
        yield data


def _read(file: BinaryIO, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)


# ── names ───────────────────────────────────────────────────────────────────────────────────────────────────────


def disposition(name: str, *, save: bool) -> str:
    """A `Content-Disposition` (RFC 6266) for a file of any name; `save`: not to be shown but saved."""
    safe = safe_name(name)
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-()") else "_" for c in safe)
    how = "attachment" if save else "inline"
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"
