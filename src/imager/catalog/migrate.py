"""Bring a catalog to the schema of this Imager: numbered SQL files, one transaction, a snapshot first.

`PRAGMA user_version` holds the number of the last migration. A catalog of a newer Imager is refused and left alone.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import apsw

from imager.catalog.connection import APPLICATION_ID, Connection, explained
from imager.catalog.identity import random_id
from imager.errors import ImagerError

_NAME = re.compile(r"(\d{4})_\w+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step from the schema before it."""

    number: int
    sql: str


def shipped() -> list[Migration]:
    """The migrations of this Imager, in order."""
    found = [
        Migration(int(match[1]), entry.read_text(encoding="utf-8"))
        for entry in resources.files("imager.catalog").joinpath("migrations").iterdir()
        if (match := _NAME.fullmatch(entry.name))
    ]
    return sorted(found, key=lambda m: m.number)


def migrate(connection: Connection, migrations: list[Migration], snapshots: Path) -> None:
    """Apply what is missing, all or nothing. An existing catalog is copied into `snapshots` before.

    Raises ImagerError for a catalog of a newer Imager, which is left as it is.
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
    """A whole, consistent copy of the catalog as it stands, made while others go on using it, safely on disk.

    ImagerError (StorageFullError) says why where it can't be made.
    """
    target = folder / f"{name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}.db"
    # Under a name of its own: another process may be making one at the same time.
    temporary = folder / f"{target.stem}.{secrets.token_hex(4)}.partial"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        connection.db.execute("VACUUM INTO ?", (str(temporary),))
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except apsw.Error as error:
        _remove(temporary)
        raise explained(error, str(target)) from error
    except OSError as error:
        _remove(temporary)
        raise ImagerError(f"No copy of the catalog could be made in {folder}: {error.strerror or error}.") from error
    return target


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()


def _version(db: apsw.Connection, path: str, newest: int) -> int:
    have = int(db.pragma("user_version"))
    if have > newest:
        raise ImagerError(
            f"{path} was written by a newer Imager (schema {have}; this one knows {newest}). "
            "Upgrade Imager: pip install -U imager"
        )
    return have
