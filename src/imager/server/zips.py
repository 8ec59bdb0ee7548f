"""Many pictures as one ZIP file, made while it is sent: nothing is written to the disk, little held in memory.

Pictures hardly get smaller, so they are stored as they are (method 0); sizes may exceed 4 GiB (ZIP64). Each is looked
up, with all rules of access, just before it is read: what the asker may no longer see by then, and what is not
there, is left out and listed in a text file at the end. Names are of one folder, safe on every system, and each only
once; the same pictures give the same file.
"""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from imager.server.bare import Bare
from imager.server.derivatives import SEALED, beside, disposition
from imager.server.names import numbered, safe_name
from imager.server.ranges import Span

MISSING: Final = "missing.txt"
MEDIA_TYPE: Final = "application/zip"
MOST: Final = 100_000
"""Pictures in one file."""

_PIECE: Final = 256 * 1024
_EARLIEST: Final = (1980, 1, 1, 0, 0, 0)  # that ZIP knows
_LATEST: Final = (2107, 12, 31, 23, 59, 58)
_LARGE: Final = 1 << 30


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture that is wanted."""

    id: str
    name: str
    at: int | None = None
    """When it was taken, in milliseconds by the clock on the wall; None: not told."""


@dataclass(frozen=True, slots=True)
class Source:
    """The bytes of an entry; whoever reads them closes the file."""

    file: BinaryIO
    size: int
    bare: Bare | None = None

    def read(self, at: int, end: int | None = None) -> bytes:
        """The next piece (up to `end`); nothing at the end. OSError where the file became shorter."""
        wanted = min(_PIECE, (self.size if end is None else end) - at)
        if wanted <= 0:
            return b""
        if self.bare is not None:
            return self.bare.read(self.file, at, wanted)
        self.file.seek(at)
        data = self.file.read(wanted)
        if not data:
            raise OSError("the file became shorter while it was sent")
        return data


class SourceAnswer(StreamingResponse):
    """A piece of a source, whose file is closed whatever becomes of the answer."""

    def __init__(self, source: Source, span: Span, status: int, headers: dict[str, str]) -> None:
        """`span`: the bytes that are sent."""
        length = {"Content-Length": str(span.end - span.start)}
        super().__init__(_pieces(source, span), status, headers | length, headers["Content-Type"])
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._source.file.close()


async def _pieces(source: Source, span: Span) -> AsyncIterator[bytes]:
    at = span.start
    while data := await beside(source.read, at, span.end):
        at += len(data)
        yield data


class _Sink:
    """What the writer of the file writes into: pieces that wait to be sent. It can't go back."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def close(self) -> None:
        """Nothing to close."""

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def take(self) -> bytes:
        """All that was written since the last time."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def names(entries: Iterable[Entry]) -> Iterator[tuple[Entry, str]]:
    """The entries with the names that they have in the file: safe, and each once whatever the case of letters."""
    taken = {MISSING}
    for entry in entries:
        wanted = name = safe_name(entry.name)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = numbered(wanted, number)
        taken.add(name.casefold())
        yield entry, name


async def stream(entries: list[Entry], opened: Callable[[Entry], Awaitable[Source | None]]) -> AsyncIterator[bytes]:
    """The ZIP file of these entries, piece by piece. `opened` gives the bytes of one; None: it is not to be had.

    Ends early, leaving nothing, when nobody takes the pieces any more; with OSError when a file becomes shorter
    meanwhile, since what was sent can't be taken back.
    """
    sink = _Sink()
    missing: list[str] = []
    archive = zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED, allowZip64=True)
    try:
        for entry, name in names(entries):
            source = await opened(entry)
            if source is None:
                missing.append(name)
                continue
            try:
                with archive.open(_info(name, entry.at), "w", force_zip64=source.size > _LARGE) as out:
                    at = 0
                    while data := await beside(source.read, at):
                        out.write(data)
                        at += len(data)
                        yield sink.take()
            finally:
                source.file.close()
        if missing:
            text = "These pictures were not there any more when their turn came:\r\n\r\n" + "\r\n".join(missing)
            archive.writestr(_info(MISSING, None), text + "\r\n")
        archive.close()
        yield sink.take()
    finally:
        with suppress(Exception):  # what is left unfinished is not sent
            archive.close()


def answer(pieces: AsyncIterator[bytes], name: str) -> StreamingResponse:
    """The answer that a ZIP file of that name is."""
    headers = {"Content-Disposition": disposition(f"{name}.zip", save=True), "Cache-Control": "no-store", **SEALED}
    return StreamingResponse(pieces, 200, headers, MEDIA_TYPE)


def _info(name: str, at: int | None) -> zipfile.ZipInfo:
    when = _EARLIEST
    if at is not None:
        with suppress(OverflowError, OSError, ValueError):
            moment = datetime.fromtimestamp(at / 1000, UTC)
            found = (moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
            when = min(max(found, _EARLIEST), _LATEST)
    info = zipfile.ZipInfo(name, when)
    info.create_system = 3  # else it would depend on where the server runs
    info.external_attr = 0o100644 << 16
    return info
