"""What a worker does with one file: read it once, hash it, recognise it, read its metadata, decode it, derive.

Runs in a process of its own (workers.py), which may be killed at any moment. It writes nothing but the preview and
the thumbnail, before the answer: so the catalog never refers to one that was not written. The answer is JSON.

`outcome` is one of: 'new' (with everything that was read), 'known' (these bytes were read before), 'erased' (they were,
and somebody erased them), 'skipped' (no picture), 'failed' (with stage and reason), 'changing' (somebody is writing
it), 'gone'.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from imager.catalog.connection import Connection
from imager.catalog.contents import Content
from imager.catalog.identity import asset_id
from imager.errors import UnreadableError
from imager.facts import Derived, Facts
from imager.formats import metadata
from imager.formats.recognise import Format, ends_like_picture, recognise
from imager.formats.xmp import MAX_PACKET
from imager.ingest.store import Store

READER = metadata.REVISION
"""Revision of what is read; files that were passed over, or failed, by an older one are looked at again."""

LARGEST = 1 << 30
_HEAD = 65_536
_KNOWN = """SELECT c.erased, c.reader, d.revision FROM versions AS v CROSS JOIN contents AS c ON c.content = v.content
LEFT JOIN derivatives AS d ON d.content = c.content WHERE v.id = ?"""


class _Fail(Exception):  # noqa: N818 - not an error of ours: it only carries a stage to the answer
    def __init__(self, stage: str, reason: str) -> None:
        super().__init__(reason)
        self.stage = stage


def examine(path: str, catalog: str | None, store: str, again: bool = False) -> dict[str, Any]:
    """Read the file at `path` (surrogate-escaped) and say what it is.

    `catalog` is asked, read-only, whether the bytes are known already; None or `again` reads them in any case.
    """
    try:
        return _examine(os.fsencode(path), None if again else catalog, Store(store))
    except _Fail as fail:
        return failed_answer(fail.stage, str(fail))


def _examine(path: bytes, catalog: str | None, store: Store) -> dict[str, Any]:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return {"outcome": "gone"}
    except OSError as error:
        raise _Fail("identify", _reason(error)) from error
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            return {"outcome": "skipped"}
        try:
            head = file.read(_HEAD)
            kind = recognise(head)
            if kind is None:
                return _unrecognised(os.path.basename(path), head)
            if before.st_size > LARGEST:
                raise _Fail("identify", f"the file is larger than {LARGEST >> 30} GiB")
            if len(head) < _HEAD:
                data = head
            else:  # from its beginning: at once and in one piece costs less than to put two pieces together
                file.seek(0)
                data = file.readall()
            after = os.fstat(file.fileno())
            if (kind := recognise(data)) is None:  # a RAW file that its head did not give away
                return _unrecognised(os.path.basename(path), head)
        except OSError as error:
            raise _Fail("identify", _reason(error)) from error
    seen = [after.st_size, after.st_mtime_ns, after.st_ctime_ns, after.st_ino]
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(data) != after.st_size:
        return {"outcome": "changing"}
    sha256 = hashlib.sha256(data).digest()
    known = _known(catalog, sha256) if catalog else None
    if known is not None:
        return {"outcome": known, "sha256": sha256.hex(), "seen": seen}
    return read_picture(data, kind, sha256, store) | {"seen": seen}


def read_picture(data: bytes, kind: Format, sha256: bytes, store: Store) -> dict[str, Any]:
    """Everything that is to be known of a picture's bytes, as JSON; previews are in the store afterwards."""
    # Imported here, since the process that only hands out tasks needs neither OpenCV nor the decoders.
    from imager.formats.decode import decode
    from imager.formats.header import read_header
    from imager.ingest import derive

    read = metadata.read_metadata(data, kind.name)
    problems = list(read.problems)
    try:
        pixels = decode(data, kind, read_header(data, kind))
    except UnreadableError as error:
        raise _Fail("derive", str(error)) from error
    if not pixels.complete:
        problems.append("the file is cut off or damaged: what could be read is shown")
    orientation = 1 if pixels.upright else read.facts.orientation or 1
    rendered = derive.derive(pixels, orientation=orientation)
    for name, picture in (("preview", rendered.preview), ("thumbnail", rendered.thumbnail)):
        store.put(sha256, name, picture)
    width, height = (pixels.height, pixels.width) if orientation >= 5 else (pixels.width, pixels.height)
    facts = replace(read.facts, width=width, height=height, orientation=orientation)
    return {
        "outcome": "new",
        "sha256": sha256.hex(),
        "bytes": len(data),
        "mime": kind.mime,
        "kind": kind.kind,
        # As text, since the catalog keeps them as text: the one process that writes need not take them apart.
        "facts": json.dumps(facts.to_json(), separators=(",", ":")),
        "raw": json.dumps(read.raw, separators=(",", ":")),
        "problems": problems,
        "derived": rendered.derived.to_json(),
        "preview": [*rendered.preview_size, len(rendered.preview)],
        "thumbnail": [*rendered.thumbnail_size, len(rendered.thumbnail)],
    }


def read_again(path: str, sha256: str, store: str) -> dict[str, Any]:
    """Read a file that is known, to make its previews again; 'failed' when it holds other bytes by now."""
    answer = examine(path, None, store)
    return answer if answer.get("sha256", sha256) == sha256 else failed_answer("identify", "it has changed")


def failed_answer(stage: str, reason: str) -> dict[str, Any]:
    """The answer for a file that gives no asset."""
    return {"outcome": "failed", "stage": stage, "reason": reason}


def content_of(answer: dict[str, Any]) -> Content:
    """The content that an answer with the outcome 'new' describes."""
    return Content(
        sha256=bytes.fromhex(answer["sha256"]),
        bytes=answer["bytes"],
        mime=answer["mime"],
        kind=answer["kind"],
        facts=Facts.from_json(json.loads(answer["facts"])),
        facts_json=answer["facts"],
        raw=answer["raw"],
        problems=tuple(answer["problems"]),
        reader=READER,
        derived=Derived.from_json(answer["derived"]),
        preview=tuple(answer["preview"]),
        thumbnail=tuple(answer["thumbnail"]),
    )


def examine_sidecar(path: str, frame: Sequence[int] | None) -> dict[str, Any]:
    """Read an XMP sidecar: {'outcome': 'sidecar', 'facts', 'raw'}, or 'failed' where nothing in it can be read.

    `frame`: orientation, stored width and height of its picture, where that is known.
    """
    try:
        descriptor = os.open(os.fsencode(path), os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(MAX_PACKET + 1)
    except FileNotFoundError:
        return {"outcome": "gone"}
    except OSError as error:
        return failed_answer("identify", _reason(error))
    orientation, size = (frame[0], (frame[1], frame[2])) if frame else (None, None)
    read = metadata.read_sidecar(data, orientation=orientation, size=size)
    if read.problems and not read.raw:
        return failed_answer("probe", " ".join(read.problems))
    return {"outcome": "sidecar", "facts": read.facts.to_json(), "raw": read.raw}


def _unrecognised(name: bytes, head: bytes) -> dict[str, Any]:
    if not ends_like_picture(name):
        return {"outcome": "skipped"}
    if not head:
        raise _Fail("identify", "the file is empty")
    raise _Fail("identify", "it ends like a picture, but does not begin like one: it may be damaged or something else")


def _known(catalog: str, sha256: bytes) -> str | None:
    from imager.ingest import derive

    row = _reader(catalog).db.execute(_KNOWN, (asset_id(sha256),)).fetchone()
    if row is None:
        return None
    if row[0]:
        return "erased"
    return "known" if row[1] == READER and row[2] == derive.REVISION else None


@lru_cache(maxsize=1)
def _reader(catalog: str) -> Connection:
    return Connection(catalog, read_only=True)


def _reason(error: OSError) -> str:
    if error.errno in (errno.EACCES, errno.EPERM):
        return "it may not be read: its permissions forbid it"
    if error.errno == errno.EIO:
        return "the disk could not read it"
    if error.errno == errno.ELOOP:
        return "it is a link that leads back to itself"
    return (error.strerror or "it could not be read").lower()
