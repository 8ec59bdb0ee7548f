"""From the last byte of an upload to the picture that it becomes.

    verify   is it what the client says, and a picture at all? When was it taken?
    place    into the inbox, unless who sends it has it already
    take in  by the ingest of the library, many at a time
    resume   all of this for what a server that ended had not done yet; and forget what has expired

Whose bytes turn out to be wrong is told so in the row, and nothing of them stays.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from anyio import to_thread

from imager.access import Principal
from imager.catalog.identity import asset_id, format_id
from imager.errors import ImagerError, UnreadableError
from imager.formats.metadata import read_metadata
from imager.formats.recognise import HEAD, Format, ends_like_picture, recognise
from imager.ingest.examine import LARGEST
from imager.library import Library
from imager.server.desks import Desks
from imager.server.events import Events
from imager.server.uploads import table
from imager.server.uploads.inbox import Inbox
from imager.server.uploads.parts import Parts
from imager.server.uploads.table import Upload

_log = logging.getLogger(__name__)

MOST: Final = 1_000
"""Uploads of a member that may be on their way at once."""

_READ: Final = 16 << 20  # bytes in which metadata are looked for
_AT_ONCE: Final = 200  # pictures a run of ingest
_SWEEP: Final = 600.0  # seconds
_RIVALS: Final = 50  # names that others may take just before us
_SAME: Final = "SELECT c.erased FROM versions AS v CROSS JOIN contents AS c ON c.content = v.content WHERE v.id = ?"


@dataclass(frozen=True, slots=True)
class Verified:
    """What the bytes of an upload are."""

    sha256: bytes
    format: Format
    taken: datetime  # by the clock on the wall; where nothing tells, when the file was changed, or came


class Uploads:
    """The uploads of one server. Used on the event loop alone; disk and catalog are worked on elsewhere."""

    def __init__(self, desks: Desks, events: Events, library: Path, inbox: Inbox, *, largest: int = LARGEST) -> None:
        """`library`: the library's folder; `largest`: bytes that a file may have."""
        self.parts = Parts(library / "uploads")
        self.inbox = inbox
        self.largest = min(largest, LARGEST)
        self._desks = desks
        self._events = events
        self._busy: set[str] = set()
        self._waiting: dict[str, asyncio.Future[None]] = {}
        self._queue: list[str] = []
        self._taking: asyncio.Task[None] | None = None
        self._sweeper: asyncio.Task[None] | None = None

    # ── one at a time ───────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.contextmanager
    def alone(self, identifier: str) -> Iterator[None]:
        """Hold an upload; the caller asks `is_busy` before."""
        self.hold(identifier)
        try:
            yield
        finally:
            self.release(identifier)

    def hold(self, identifier: str) -> None:
        """The same by hand: nobody else writes to it, and its bytes are not swept away."""
        self._busy.add(identifier)

    def release(self, identifier: str) -> None:
        """End of `hold`."""
        self._busy.discard(identifier)

    def is_busy(self, identifier: str) -> bool:
        """Whether somebody writes to that upload just now."""
        return identifier in self._busy

    # ── arriving ────────────────────────────────────────────────────────────────────────────────────────────────

    async def arrive(self, upload: Upload) -> Upload:
        """Verify an upload whose bytes are all there, place it, and have it taken in (soon: see `settled`).

        UnreadableError where it is not what it should be: then its row says so, and its bytes are gone.
        """
        part = self.parts.path(upload.id)
        try:
            verified = await to_thread.run_sync(verify, part, upload)
        except UnreadableError as error:
            await self._end(upload, problem=str(error))
            raise
        member, sha256 = Principal(upload.member), verified.sha256
        held = await self._desks.owner("write", lambda library: table.held(library.catalog, member, [sha256]))
        if held:
            await self._end(upload, asset=asset_id(sha256))
        else:
            upload = await self._place(upload, verified)
            self._enqueue(upload.id)
        return await self._row(upload.id) or upload

    async def settled(self, identifier: str) -> None:
        """Return when an upload that arrived has become a picture, or is known to become none."""
        if (future := self._waiting.get(identifier)) is not None:
            await asyncio.shield(future)

    async def _place(self, upload: Upload, verified: Verified) -> Upload:
        part, inbox = self.parts.path(upload.id), self.inbox
        name = upload.said.get("name") or f"{verified.taken:%Y%m%d-%H%M%S}"
        if not ends_like_picture(os.fsencode(name.encode("utf-8", "replace").decode())):
            name = f"{name}.{_ENDINGS.get(verified.format.name, verified.format.name)}"
        wanted = inbox.named(name, verified.taken, upload.member)
        await to_thread.run_sync(inbox.create)
        if await to_thread.run_sync(_is, wanted, verified.sha256, upload.size):
            # The same file under the same name: it was sent twice before it was taken in.
            upload = await self._say(upload, placed=os.fspath(wanted), own=False)
        else:
            for at in await to_thread.run_sync(lambda: list(islice(inbox.free(wanted), _RIVALS))):
                upload = await self._say(upload, placed=os.fspath(at), own=False)
                if await to_thread.run_sync(inbox.place, part, at):
                    break
            else:
                raise ImagerError(f"No name is left in the inbox for {name}.")
            upload = await self._say(upload, own=True)
        await to_thread.run_sync(self.parts.remove, upload.id)
        return upload

    async def _row(self, identifier: str) -> Upload | None:
        return await self._desks.owner("write", lambda library: table.get(library.catalog, identifier))

    async def _say(self, upload: Upload, **more: Any) -> Upload:
        return await self._desks.owner("write", lambda library: table.say(library.catalog, upload, **more))

    async def _end(self, upload: Upload, *, asset: bytes | None = None, problem: str | None = None) -> None:
        """First the row, then the bytes: a server that is killed in between sweeps them away."""
        await self._desks.owner(
            "write", lambda library: table.end(library.catalog, upload.id, asset=asset, problem=problem)
        )
        await to_thread.run_sync(self.parts.remove, upload.id)
        told = {"id": upload.id, "name": upload.said.get("name", ""), "problem": problem}
        told["asset"] = None if asset is None else format_id(asset)
        self._events.publish("upload", told, member=upload.member)

    # ── taking in ───────────────────────────────────────────────────────────────────────────────────────────────

    def _enqueue(self, identifier: str) -> None:
        if identifier not in self._waiting:
            self._waiting[identifier] = asyncio.get_running_loop().create_future()
            self._queue.append(identifier)
        if self._taking is None or self._taking.done():
            self._taking = asyncio.create_task(self._take_in())

    async def _take_in(self) -> None:
        while self._queue and not self._desks.stopping.is_set():
            ids, self._queue = self._queue[:_AT_ONCE], self._queue[_AT_ONCE:]
            try:
                await self._take(ids)
            except Exception:  # noqa: BLE001 - it is logged, and done later
                # Their rows still say that they wait: the next sweep does it, or the next start.
                _log.exception("uploads could not be taken in")
            finally:
                for identifier in ids:
                    if not (future := self._waiting.pop(identifier)).done():
                        future.set_result(None)

    async def _take(self, ids: list[str]) -> None:
        rows = await self._desks.owner("write", lambda library: [table.get(library.catalog, i) for i in ids])
        uploads = [row for row in rows if row is not None and row.state == "waiting"]
        there = [u for u in uploads if u.said.get("placed") and os.path.lexists(u.said["placed"])]
        for upload in uploads:
            if upload not in there:
                await self._end(upload, problem="The file was taken out of the inbox before it was read.")
        if not there:
            return
        stopping = self._desks.stopping.is_set
        paths = [upload.said["placed"] for upload in there]
        results = await self._desks.owner("ingest", lambda library: _taken(library, self.inbox, paths, stopping))
        for upload in there:
            became = results.get(upload.said["placed"])
            if isinstance(became, bytes):
                await self._end(upload, asset=became)
            elif became is not None:
                if upload.said.get("own"):
                    await to_thread.run_sync(self.inbox.remove, Path(upload.said["placed"]))
                await self._end(upload, problem=became)

    # ── after a restart, and from time to time ──────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        """Go on where the server before ended, and look for what has expired from now on."""
        await to_thread.run_sync(self.inbox.tidy)
        await self.resume()
        self._sweeper = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """End; what is not done yet is done after the next start."""
        for task in (self._sweeper, self._taking):
            if task is not None and not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    async def resume(self) -> None:
        """Take up what waits, forget what has expired, remove bytes that belong to no upload."""
        rows, now = await self._desks.owner("write", lambda lib: (table.every(lib.catalog), lib.catalog.now()))
        for upload in rows:
            if self.is_busy(upload.id) or upload.id in self._waiting:
                continue
            if upload.state == "waiting":
                with self.alone(upload.id):
                    await self._resume_one(upload)
            elif upload.expires <= now:
                await self.forget(upload.id)
        kept = {upload.id for upload in rows if upload.state in ("uploading", "waiting")}
        for identifier in await to_thread.run_sync(self.parts.ids):
            if identifier not in kept and not self.is_busy(identifier):
                known = await self._row(identifier)
                if known is None or known.state in ("done", "failed"):
                    await to_thread.run_sync(self.parts.remove, identifier)

    async def _resume_one(self, upload: Upload) -> None:
        part, placed = self.parts.path(upload.id), upload.said.get("placed")
        if part.exists():
            if placed is not None and os.path.lexists(placed) and os.path.samefile(part, placed):
                await self._say(upload, own=True)
                await to_thread.run_sync(self.parts.remove, upload.id)
                self._enqueue(upload.id)
                return
            with contextlib.suppress(ImagerError):  # told in the row, or tried again later
                await self.arrive(upload)
        elif placed is not None:
            self._enqueue(upload.id)
        else:
            await self._end(upload, problem="What had come of this file is gone. Send it anew.")

    async def forget(self, identifier: str) -> None:
        """Forget an upload and its bytes; the picture that it became, if any, stays."""
        await self._desks.owner("write", lambda library: table.remove(library.catalog, identifier))
        await to_thread.run_sync(self.parts.remove, identifier)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            try:
                await self.resume()
            except Exception:  # noqa: BLE001 - a busy desk, a full disk: the next time
                _log.exception("uploads could not be looked through")


_ENDINGS: Final = {"jpeg": "jpg", "heif": "heic"}


def verify(part: Path, upload: Upload) -> Verified:
    """What the bytes of an upload are; UnreadableError where they are not what its client says, or no picture."""
    digest = hashlib.sha256()
    try:
        with part.open("rb") as file:
            head = file.read(_READ)
            digest.update(head)
            size = len(head)
            while block := file.read(1 << 20):
                digest.update(block)
                size += len(block)
    except FileNotFoundError:
        raise UnreadableError("What had come of this file is gone. Send it anew.") from None
    if size != upload.size:
        raise UnreadableError(f"{size:,} bytes came instead of {upload.size:,}. Send it anew.")
    sha256 = digest.digest()
    if upload.said.get("sha256") not in (None, "", sha256.hex()):
        raise UnreadableError("The bytes that came are not those of the SHA-256 that was said. Send it anew.")
    kind = recognise(head[:HEAD])
    if kind is None:
        raise UnreadableError("This is no picture of a kind that Imager reads. Nothing of it was kept.")
    changed = _modified(upload.said.get("modified", ""))
    dates = read_metadata(head, kind.name).facts.dates
    wall = (dates[0].at if dates else changed if changed is not None else upload.created) / 1000
    try:
        taken = datetime.fromtimestamp(wall, UTC)
    except (OverflowError, OSError, ValueError):
        taken = datetime.fromtimestamp(upload.created / 1000, UTC)
    if changed is not None:
        os.utime(part, (changed / 1000, changed / 1000))
    return Verified(sha256, kind, taken)


def _taken(library: Library, inbox: Inbox, paths: list[str], stopping: Callable[[], bool]) -> dict[str, bytes | str]:
    """Have the library take in files of the inbox: what each became (an id), or why nothing."""
    events = library.add_files(inbox.folder, *paths, workers=min(2, os.cpu_count() or 1), nice=10)
    for _ in events:
        if stopping():
            events.close()  # type: ignore[attr-defined]
            return {}
    catalog, found = library.catalog, dict[str, bytes | str]()
    for path in paths:
        row = catalog.files.at(os.fsencode(path))
        if row is not None and row.content is not None:
            ids = catalog.files.ids_of([row.content])
            found[path] = ids[0] if ids else "It was erased from this library before."
        elif row is not None:
            found[path] = row.reason or "This is no picture that Imager reads."
            folder = catalog.files.folder(os.path.dirname(os.fsencode(path)))
            if folder is not None:
                with catalog.transaction(durable=False):
                    catalog.files.remove([(folder.folder, os.path.basename(os.fsencode(path)))])
        elif _was_erased(library, path):
            found[path] = "It was erased from this library before. Who owns the library can add it by naming its file."
        else:
            found[path] = "An ignore file of the inbox keeps it out."
    return found


def _was_erased(library: Library, path: str) -> bool:
    with open(path, "rb") as file:
        own = asset_id(hashlib.file_digest(file, "sha256").digest())
    return bool(library.catalog.db.execute(_SAME, (own,)).get)


def _is(path: Path, sha256: bytes, size: int) -> bool:
    try:
        if path.is_symlink() or path.stat().st_size != size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest() == sha256
    except OSError:
        return False


def _modified(text: str) -> int | None:
    """When a client says that a file was changed: ISO 8601, or milliseconds since 1970."""
    try:
        at = int(text) if text.isdigit() and len(text) < 15 else int(datetime.fromisoformat(text).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        return None
    return at if 0 <= at < 4_102_444_800_000 else None
