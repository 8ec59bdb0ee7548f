"""The bytes of uploads on the disk, while they come. What is acknowledged has been forced there."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import anyio.to_thread
from starlette.requests import ClientDisconnect

from imager.errors import StorageFullError
from imager.server.uploads.inbox import explained, sync_folder
from imager.server.uploads.tus import Checksum, TusError

BLOCK: Final = 1 << 20
STEP: Final = 16 << 20
"""Bytes after which what has come so far is made safe: so much of a long request is lost by a kill at the most."""

SPARE: Final = 256 << 20
"""Bytes that uploads leave free on the disk, for the catalog and the previews."""

_ENDING: Final = ".part"


class Parts:
    """A folder of unfinished files, called by the ids of their uploads."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when it is first needed."""
        self.folder = folder

    def path(self, identifier: str) -> Path:
        """Where the bytes of an upload lie."""
        return self.folder / f"{identifier}{_ENDING}"

    def remove(self, identifier: str) -> None:
        """Remove what has come of an upload."""
        self.path(identifier).unlink(missing_ok=True)

    def ids(self) -> set[str]:
        """The uploads of which there are bytes."""
        try:
            return {name.removesuffix(_ENDING) for name in os.listdir(self.folder) if name.endswith(_ENDING)}
        except FileNotFoundError:
            return set()

    def check_room(self, wanted: int) -> None:
        """Refuse (507) what would fill the disk."""
        self.create()
        if shutil.disk_usage(self.folder).free < wanted + SPARE:
            raise StorageFullError("The disk of the server has no room for this file. Nothing of it was kept.")

    def create(self) -> None:
        """Make the folder, which is private to who runs the server."""
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise explained(error, self.folder) from error

    def open(self, identifier: str, at: int) -> Any:
        """The file of an upload, cut where what is safe ends. TusError (410) where less than that is there."""
        self.create()
        path = self.path(identifier)
        new = not path.exists()
        if new and at:
            raise _gone()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        file = os.fdopen(os.open(path, flags, 0o600), "r+b", buffering=0)
        if os.fstat(file.fileno()).st_size < at:
            file.close()
            raise _gone()
        file.truncate(at)
        file.seek(at)
        if new:
            sync_folder(self.folder)
        return file


async def receive(
    parts: Parts,
    identifier: str,
    at: int,
    room: int,
    chunks: AsyncIterator[bytes],
    keep: Callable[[int, int], Awaitable[None]],
    checksum: Checksum | None = None,
) -> int:
    """Take the bytes of one request, from `at` on, `room` at the most; up to where they are safe then.

    `keep(before, after)` is told whenever more is on the disk. Who goes away in between keeps what came, unless a
    checksum was to be held against it: bytes that fail theirs (460), or are too many (413), are not kept.
    """
    digest = None if checksum is None else checksum.begin()
    kept = position = at
    waiting = bytearray()
    file: Any = None

    async def write() -> None:
        nonlocal position
        data = bytes(waiting)
        waiting.clear()
        await anyio.to_thread.run_sync(_write, file, data, digest)
        position += len(data)

    async def secure() -> None:
        nonlocal kept
        await anyio.to_thread.run_sync(os.fsync, file.fileno())
        if position > kept:
            await keep(kept, position)
            kept = position

    try:
        file = await anyio.to_thread.run_sync(parts.open, identifier, at)
        gone = False
        try:
            async for chunk in chunks:
                if position + len(waiting) + len(chunk) > at + room:
                    raise TusError(413, "Too long", "More bytes came than Upload-Length says.", "too-large")
                waiting += chunk
                if len(waiting) >= BLOCK:
                    await write()
                    if digest is None and position - kept >= STEP:
                        await secure()
        except ClientDisconnect:
            gone = True
        if waiting:
            await write()
        if digest is not None and checksum is not None and (gone or digest.digest() != checksum.digest):
            raise TusError(460, "Checksum mismatch", "These bytes are not those of their checksum.", "tus-checksum")
        await secure()
    except OSError as error:
        raise explained(error, parts.folder) from error
    finally:
        if file is not None:
            if position > kept:
                file.truncate(kept)
            file.close()
    return kept


def _write(file: Any, data: bytes, digest: Any) -> None:
    if digest is not None:
        digest.update(data)
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _gone() -> TusError:
    return TusError(410, "Gone", "What had come of this file is gone. Send it anew.", "gone")
