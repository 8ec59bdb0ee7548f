"""A digest of a folder's files, so that a second look at an unchanged folder reads one row and not all of them.

Nearly all of a second look at a large tree is finding that nothing changed. The digest of what a walk sees is compared
with that of what the catalog holds; only where they differ, rows are compared one by one. A folder has a digest only
while all its files are present; triggers drop it when any of its rows changes.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Sequence

import apsw

from imager.catalog.connection import fetch

_ROWS = """SELECT name, bytes, modified, changed, inode, state FROM files WHERE folder = ? ORDER BY name"""


def digest(entries: Sequence[tuple[bytes, int, int, int, int]]) -> bytes:
    """BLAKE2b (RFC 7693), 16 bytes, of files in the order of their names: (name, bytes, modified, changed, inode)."""
    names, *numbers = zip(*entries, strict=True) if entries else ((),)
    state = hashlib.blake2b(b"%d\0" % len(names), digest_size=16)
    state.update(b"\0".join(names))  # no name has a NUL, so no two lists of names run together alike
    for column in numbers:
        state.update(array("q", column))
    return state.digest()


def note(db: apsw.Connection, folders: Iterable[int]) -> None:
    """Give each of these folders its digest, if all its files are present; in the caller's transaction."""
    known = []
    for folder in folders:
        rows = fetch(db, _ROWS, (folder,))
        if rows and all(row[5] == "present" for row in rows):
            known.append((digest([row[:5] for row in rows]), folder))
    db.executemany("UPDATE folders SET listing = ? WHERE folder = ?", known)
