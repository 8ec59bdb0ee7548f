"""Where contents were seen: roots, folders and files of this device, and the sidecars beside them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import apsw

from imager.catalog.connection import fetch, many


class FileRow(NamedTuple):
    """What is known of one name in a folder."""

    name: bytes
    state: str  # 'present', 'missing', 'offline', 'failed', 'skipped' or 'sidecar'
    content: int | None
    bytes: int
    modified: int
    changed: int
    inode: int
    reader: int
    stage: str | None = None
    reason: str | None = None


class FolderRow(NamedTuple):
    """A folder that was walked before."""

    folder: int
    path: bytes
    volume: str | None
    offline: bool
    listing: bytes | None  # see listing.py


class Problem(NamedTuple):
    """A file that gave no asset."""

    path: bytes
    stage: str
    reason: str


_IN_FOLDER = """SELECT name, state, content, bytes, modified, changed, inode, reader, stage, reason
FROM files WHERE folder = ?"""
_PUT = """INSERT INTO files (folder, name, state, content, bytes, modified, changed, inode, reader, stage, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (folder, name) DO UPDATE SET state = excluded.state, content = excluded.content, bytes = excluded.bytes,
  modified = excluded.modified, changed = excluded.changed, inode = excluded.inode, reader = excluded.reader,
  stage = excluded.stage, reason = excluded.reason"""
_BELOW = """SELECT folder, path, volume, offline, listing FROM folders
WHERE device = ?1 AND (path = ?2 OR path > ?3 AND path < ?4) ORDER BY path"""
_PUT_SIDECAR = """INSERT INTO sidecars (folder, name, belongs, facts, raw) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (folder, name) DO UPDATE SET belongs = excluded.belongs, facts = excluded.facts, raw = excluded.raw"""
_BESIDE = """SELECT DISTINCT v.id, f.name FROM files AS f CROSS JOIN versions AS v ON v.content = f.content
WHERE f.folder = ? AND f.content IS NOT NULL"""
_FRAMES = """SELECT f.name, coalesce(c.facts ->> 'orientation', 1), c.facts ->> 'width', c.facts ->> 'height'
FROM files AS f CROSS JOIN contents AS c ON c.content = f.content WHERE f.folder = ? AND NOT c.erased"""
_FAILED = """SELECT o.path, f.name, f.stage, f.reason FROM files AS f INDEXED BY files_failed
CROSS JOIN folders AS o ON o.folder = f.folder WHERE f.state = 'failed' AND o.device = ? ORDER BY o.path, f.name"""
_IDS = """SELECT v.id FROM carray(?) AS wanted CROSS JOIN versions AS v ON v.content = wanted.value"""


class Files:
    """The files of one device in a catalog; the caller holds the transaction for whatever writes."""

    def __init__(self, db: apsw.Connection, device: int) -> None:
        """`device`: whose files."""
        self._db = db
        self._device = device

    def put_root(self, path: bytes, volume: str | None, scanned: int | None) -> None:
        """Note a folder (or file) that people named."""
        self._db.execute(
            "INSERT INTO roots (device, path, volume, scanned) VALUES (?, ?, ?, ?) ON CONFLICT (device, path) "
            "DO UPDATE SET volume = excluded.volume, scanned = coalesce(excluded.scanned, scanned)",
            (self._device, path, volume, scanned),
        )

    def roots(self) -> list[tuple[bytes, str | None]]:
        """What people named so far: path and volume."""
        return fetch(self._db, "SELECT path, volume FROM roots WHERE device = ? ORDER BY path", (self._device,))

    def folder(self, path: bytes) -> FolderRow | None:
        """The folder at that path, if it was walked before."""
        row = self._db.execute(
            "SELECT folder, path, volume, offline, listing FROM folders WHERE device = ? AND path = ?",
            (self._device, path),
        ).fetchone()
        return None if row is None else FolderRow(row[0], row[1], row[2], bool(row[3]), row[4])

    def put_folder(self, path: bytes, label: str, volume: str | None) -> int:
        """The number of the folder at that path; it is seen and on that volume."""
        return int(
            self._db.execute(
                "INSERT INTO folders (device, path, label, volume) VALUES (?, ?, ?, ?) ON CONFLICT (device, path) "
                "DO UPDATE SET volume = excluded.volume, offline = 0 RETURNING folder",
                (self._device, path, label, volume),
            ).get
        )

    def set_offline(self, folders: Iterable[int], offline: bool) -> None:
        """Note that nothing is known of the files in these folders, or that it is again."""
        self._db.executemany(
            "UPDATE folders SET offline = ?1 WHERE folder = ?2 AND offline <> ?1", [(int(offline), f) for f in folders]
        )

    def below(self, root: bytes) -> list[FolderRow]:
        """The folders at or below a path that were walked before, in order."""
        base = root.rstrip(b"/\\") or root[:1]
        separator = os.sep.encode()
        first = base if base.endswith(separator) else base + separator
        rows = self._db.execute(_BELOW, (self._device, root, first, first[:-1] + bytes([separator[0] + 1])))
        return [FolderRow(f, p, v, bool(o), listing) for f, p, v, o, listing in rows]

    def path(self, folder: int) -> bytes:
        """The path of a folder."""
        return bytes(self._db.execute("SELECT path FROM folders WHERE folder = ?", (folder,)).get)

    def in_folder(self, folder: int) -> dict[bytes, FileRow]:
        """What is known of a folder's names."""
        return {row[0]: FileRow(*row) for row in self._db.execute(_IN_FOLDER, (folder,))}

    def put(self, rows: Sequence[tuple[int, FileRow]]) -> None:
        """Write what was found: (folder, row) each."""
        self._db.executemany(_PUT, [(folder, *row) for folder, row in rows])

    def remove(self, names: Iterable[tuple[int, bytes]]) -> None:
        """Forget these (folder, name)."""
        self._db.executemany("DELETE FROM files WHERE folder = ? AND name = ?", names)

    def set_state(self, names: Iterable[tuple[int, bytes]], state: str) -> None:
        """Give these (folder, name) another state."""
        self._db.executemany(
            "UPDATE files SET state = ?1 WHERE folder = ?2 AND name = ?3", [(state, f, n) for f, n in names]
        )

    def places_of(self, content: int) -> list[tuple[int, bytes, str]]:
        """Folder, name and state of every place of a content on this device."""
        return fetch(
            self._db,
            "SELECT f.folder, f.name, f.state FROM files AS f CROSS JOIN folders AS o ON o.folder = f.folder "
            "WHERE f.content = ? AND o.device = ?",
            (content, self._device),
        )

    def paths_of(self, content: int) -> list[tuple[bytes, str]]:
        """Path and state ('offline' included) of every place of a content on this device, present ones first."""
        rows = self._db.execute(
            "SELECT o.path, f.name, CASE WHEN o.offline AND f.state = 'present' THEN 'offline' ELSE f.state END AS now "
            "FROM files AS f CROSS JOIN folders AS o ON o.folder = f.folder WHERE f.content = ? AND o.device = ? "
            "ORDER BY now <> 'present', o.path, f.name",
            (content, self._device),
        )
        return [(os.path.join(folder, name), state) for folder, name, state in rows]

    def at(self, path: bytes) -> FileRow | None:
        """What is known of the file at that path."""
        folder, name = os.path.split(path)
        row = self.folder(folder)
        if row is None:
            return None
        found = self._db.execute(_IN_FOLDER + " AND name = ?", (row.folder, name)).fetchone()
        return None if found is None else FileRow(*found)

    def failed(self) -> Iterator[Problem]:
        """The files that gave no asset, by path."""
        for folder, name, stage, reason in self._db.execute(_FAILED, (self._device,)):
            yield Problem(os.path.join(folder, name), stage, reason)

    def put_sidecars(self, read: Sequence[tuple[int, bytes, str, str]]) -> list[bytes]:
        """Keep the latest readings (folder, name, facts, raw); returns the ids of the assets that they speak of."""
        self._db.executemany(_PUT_SIDECAR, [(f, name, subject(name), facts, raw) for f, name, facts, raw in read])
        return self.beside([(folder, name) for folder, name, _, _ in read])

    def remove_sidecars(self, gone: Sequence[tuple[int, bytes]]) -> list[bytes]:
        """Forget sidecars (folder, name) that are gone; returns the ids of the assets that they spoke of."""
        self._db.executemany("DELETE FROM sidecars WHERE folder = ? AND name = ?", gone)
        return self.beside(gone)

    def sidecars_of(self, folder: int, picture: bytes) -> list[bytes]:
        """Names of the sidecars that speak of a picture."""
        lower = picture.lower()
        return [
            name
            for (name,) in self._db.execute(
                "SELECT name FROM sidecars WHERE folder = ? AND belongs IN (?, ?)",
                (folder, lower, lower.rpartition(b".")[0]),
            )
        ]

    def beside(self, sidecars: Iterable[tuple[int, bytes]]) -> list[bytes]:
        """Ids of the assets that sidecars (folder, name) speak of. Reads each folder once."""
        subjects: dict[int, set[bytes]] = {}
        for folder, name in sidecars:
            subjects.setdefault(folder, set()).add(subject(name))
        return [
            i
            for folder, belongs in subjects.items()
            for i, picture in self._db.execute(_BESIDE, (folder,))
            if picture.lower() in belongs or picture.lower().rpartition(b".")[0] in belongs
        ]

    def frames(self, folder: int) -> dict[bytes, tuple[int, int, int]]:
        """Orientation and stored size of a folder's pictures, by what their sidecars would be called without '.xmp'.

        The size is that before turning, which is what regions in metadata are relative to.
        """
        found: dict[bytes, tuple[int, int, int]] = {}
        for name, orientation, width, height in self._db.execute(_FRAMES, (folder,)):
            stored = (height, width) if orientation >= 5 else (width, height)
            for subject in (name.lower(), name.lower().rpartition(b".")[0]):
                found.setdefault(subject, (orientation, *stored))
        return found

    def ids_of(self, contents: Iterable[int]) -> list[bytes]:
        """Ids under which these contents are known."""
        wanted = sorted(set(contents))
        return [i for (i,) in self._db.execute(_IDS, (many(wanted),))] if wanted else []


def subject(sidecar: bytes) -> bytes:
    """What a sidecar speaks of: 'IMG_1.xmp' of IMG_1.*, 'IMG_1.jpg.xmp' of IMG_1.jpg, whatever the case."""
    return sidecar.lower().removesuffix(b".xmp")
