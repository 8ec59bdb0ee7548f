"""Bring a catalog to the schema of this Imager: numbered SQL files, one transaction, a snapshot first.

`PRAGMA user_version` holds the number of the last migration. A catalog of a newer Imager is refused and left alone.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import apsw

from imager.catalog.connection import Connection
from imager.catalog.identity import random_id
from imager.errors import ImagerError

APPLICATION_ID = 0x494D4752
"""'IMGR' in the header of the file, so that `file` and others can tell what it is."""

_NAME = re.compile(r"(\d{4})_\w+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from the schema before it."""

    number: int
    sql: str


def shipped() -> list[Migration]:
    """The migrations of this Imager, in order."""
    found = []
    for entry in resources.files("imager.catalog").joinpath("migrations").iterdir():
        if match := _NAME.fullmatch(entry.name):
            found.append(Migration(int(match[1]), entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda m: m.number)


def migrate(connection: Connection, migrations: list[Migration], snapshots: Path) -> None:
    """Apply what is missing, all or nothing. An existing catalog is copied into `snapshots` before.

    Raises ImagerError for a file that is no catalog, or one of a newer Imager.
    """
    newest = migrations[-1].number
    have = _version(connection.db, connection.path, newest)
    if have == newest:
        return
    if have > 0:
        snapshot(connection, snapshots, f"before-{newest:04}")
    with connection.transaction(durable=True) as db:
        have = _version(db, connection.path, newest)  # another process may have been here first
        for migration in migrations:
            if migration.number > have:
                db.execute(migration.sql)
        if have == 0:
            db.execute("INSERT INTO library (id, created) VALUES (?, ?)", (random_id(), time.time_ns() // 1_000_000))
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {newest}")


def snapshot(connection: Connection, folder: Path, name: str) -> Path:
    """A whole, consistent copy of the catalog as it stands, made while others go on using it."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.db"
    temporary = target.with_suffix(".partial")
    temporary.unlink(missing_ok=True)
    connection.db.execute("VACUUM INTO ?", (str(temporary),))
    temporary.replace(target)
    return target


def _version(db: apsw.Connection, path: str, newest: int) -> int:
    have = int(db.pragma("user_version"))
    if have == 0 and db.execute("SELECT count(*) FROM sqlite_schema").get:
        raise ImagerError(f"{path} is a database, but not of Imager. Choose another folder for the library.")
    if have > newest:
        raise ImagerError(
            f"{path} was written by a newer Imager (schema {have}; this one knows {newest}). "
            "Upgrade Imager: pip install -U imager"
        )
    return have
