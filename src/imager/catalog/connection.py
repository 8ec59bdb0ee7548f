"""Connections to the catalog: how SQLite is opened, how transactions are taken, when the log is checkpointed.

One writer at a time, readers beside it, several processes welcome (WAL). Edits commit durably (`synchronous=FULL`);
what ingest writes can be read from the pictures again, so its commits may be lost with the power, never torn.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import apsw

from imager.errors import ImagerError, StorageFullError

OLDEST_SQLITE = 3_051_003
"""3.7.0 … 3.51.2 can corrupt a WAL database when two connections write and checkpoint at once."""

APPLICATION_ID = 0x494D4752
"""'IMGR' in the header of the file, so that `file` and others can tell what it is."""

_LONG = 96_000  # pages of log (384 MB): fewer checkpoints write pages that change often only once
_SHORT = 4_000  # a log that is used again from its beginning is forced to disk faster than one that grows
_BUSY_MS = 60_000
_SCRUB = 1 << 26  # bytes written at a time
_WRITE_ANEW = 1 << 30  # bytes: a few seconds' work


_READING: dict[str, int | str] = {
    "cache_size": -196_608,  # kB
    "temp_store": "MEMORY",
    "mmap_size": (2 << 30) - 65_536,  # as much as SQLite maps: what is read is not copied, and shared by all processes
    "trusted_schema": "OFF",
}
_WRITING: dict[str, int | str] = {
    "journal_mode": "WAL",
    "synchronous": "FULL",
    "wal_autocheckpoint": 0,
    "secure_delete": "FAST",
    "journal_size_limit": 64 << 20,
}


class Connection:
    """One connection to a catalog's file."""

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        """Open the file, creating it unless `read_only`. ImagerError says why where that can't be."""
        version = apsw.sqlite3_sourceid()
        if apsw.sqlitelibversion() and _number(apsw.sqlitelibversion()) < OLDEST_SQLITE:
            raise ImagerError(
                f"SQLite {apsw.sqlitelibversion()} ({version[:10]}) can damage catalogs; "
                "install apsw 3.51.3 or later: pip install -U apsw"
            )
        flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
        self._wal_pages = 0
        self._durable = True
        self.longest_lock = 0.0
        """Seconds for which a transaction of this connection held the write lock at the most."""
        self.path = os.fspath(path)
        try:
            self.db = apsw.Connection(self.path, flags=flags)
            self.db.set_busy_timeout(_BUSY_MS)
            self._set(_READING)
            if not read_only:
                self._refuse_strangers()  # before anything is written to it
                self._set(_WRITING)
                self.db.set_wal_hook(self._after_commit)
        except apsw.Error as error:
            if hasattr(self, "db"):
                self.db.close()
            raise explained(error, self.path) from error

    def _set(self, pragmas: dict[str, int | str]) -> None:
        for name, value in pragmas.items():
            self.db.pragma(name, value)  # one by one: a statement that answers would end a list of them

    def _refuse_strangers(self) -> None:
        # Of one moment: another process may be making the catalog just now.
        self.db.execute("BEGIN")
        application, tables = self.db.execute(
            "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id"
        ).get
        self.db.execute("COMMIT")
        if application != APPLICATION_ID and tables:
            self.db.close()
            raise ImagerError(f"{self.path} is a database, but not of Imager. Choose another folder for the library.")

    def _after_commit(self, _db: apsw.Connection, _name: str, pages: int) -> int:
        self._wal_pages = pages
        return apsw.SQLITE_OK

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[apsw.Connection]:
        """Hold the write lock; commit at the end, roll back on any error. `durable`: on disk when this returns."""
        try:
            if durable != self._durable:
                self.db.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
                self._durable = durable
            self.db.execute("BEGIN IMMEDIATE")
            locked = time.monotonic()
        except apsw.Error as error:
            raise explained(error, self.path) from error
        try:
            yield self.db
            self.db.execute("COMMIT")
            self.longest_lock = max(self.longest_lock, time.monotonic() - locked)
        except BaseException as error:
            if not self.db.get_autocommit():
                self.db.execute("ROLLBACK")
            if isinstance(error, apsw.Error):
                raise explained(error, self.path) from error
            raise
        if self._wal_pages > (_SHORT if durable else _LONG):
            self.checkpoint()

    def checkpoint(self, *, truncate: bool = False) -> None:
        """Carry the log over into the file, outside the write lock; what readers still need stays."""
        try:
            mode = apsw.SQLITE_CHECKPOINT_TRUNCATE if truncate else apsw.SQLITE_CHECKPOINT_PASSIVE
            self.db.wal_checkpoint(mode=mode)
            self._wal_pages = 0
        except (apsw.BusyError, apsw.LockedError):
            pass  # somebody, or a statement of our own, reads or writes: the next one will do it
        except apsw.Error as error:
            raise explained(error, self.path) from error

    def scrub(self) -> None:
        """Leave nothing of deleted rows in the file and its log, as far as no other process still reads it.

        The file is written anew. One of more than a gigabyte, or one that is in use just now, only has its free pages
        overwritten: what moved within pages that are in use may leave traces there until it is written anew.
        """
        self.db.pragma("secure_delete", "fast")
        other = Connection(self.path)  # whatever this one is reading just now
        try:
            if other.db.pragma("page_count") * other.db.pragma("page_size") <= _WRITE_ANEW:
                other.db.execute("VACUUM")
            else:
                other._overwrite()
        except (apsw.BusyError, apsw.FullError):
            other._overwrite()
        finally:
            other.close()
        self.checkpoint(truncate=True)

    def _overwrite(self) -> None:
        """Take all free pages into use with zeros and free them again."""
        with self.transaction(durable=True) as db:
            db.pragma("secure_delete", True)
            free = db.pragma("freelist_count") * db.pragma("page_size")
            db.execute("CREATE TABLE scrubbing (zeros BLOB)")
            for start in range(0, free, _SCRUB):
                db.execute("INSERT INTO scrubbing VALUES (zeroblob(?))", (min(_SCRUB, free - start),))
            db.execute("DROP TABLE scrubbing")

    def close(self) -> None:
        """Close the connection; a second time does nothing."""
        self.db.close()


def fetch(db: apsw.Connection, sql: str, parameters: apsw.Bindings | None = None) -> list[Any]:
    """All rows of a query, as tuples whose types the query knows better than the type checker."""
    return list(db.execute(sql, parameters))


def many(values: Iterable[int] | Iterable[bytes]) -> Any:
    """Values to join with, as the table-valued function `carray(?)` takes them. There must be at least one."""
    given = tuple(values)
    return apsw.carray(array("q", given) if isinstance(given[0], int) else given)


def explained(error: apsw.Error, path: str) -> ImagerError:
    """The error that people see for one of SQLite's."""
    if isinstance(error, apsw.FullError):
        return StorageFullError(
            f"The disk that holds {path} is full. Nothing was lost: make room and run the same command again."
        )
    if isinstance(error, apsw.BusyError):
        return ImagerError(f"Another program has kept {path} locked for a minute. Try again when it is done.")
    if isinstance(error, apsw.NotADBError | apsw.CorruptError):
        return ImagerError(f"{path} is damaged ({error}). 'imager doctor' says what can be done.")
    if isinstance(error, apsw.CantOpenError | apsw.ReadOnlyError | apsw.PermissionsError):
        return ImagerError(f"{path} can't be opened for writing ({error}). Check that it and its folder are yours.")
    if isinstance(error, apsw.IOError):
        return ImagerError(f"The disk that holds {path} does not answer ({error}). Check it, then run this again.")
    return ImagerError(f"{path}: {error}")


def _number(version: str) -> int:
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    return major * 1_000_000 + minor * 1_000 + patch
