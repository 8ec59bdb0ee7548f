"""Migrations: every released schema upgrades, whole or not at all, after a snapshot.

`released/NNNN.sql` is a dump of a small library as schema N made it. After a migration is added, and before it is
released, make the next with

    python -m tests.catalog.released.make > tests/catalog/released/NNNN.sql

and add to `test_a_released_library_upgrades_to_the_newest_schema` whatever the new schema should have kept.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import apsw
import pytest

from imager.catalog import Catalog
from imager.catalog.connection import APPLICATION_ID, Connection, fetch
from imager.catalog.migrate import Migration, migrate, shipped
from imager.errors import ImagerError, StorageFullError
from tests.catalog.libraries import Devices, albums, asset, cancelled, content, found, put, say, tags
from tests.catalog.released.make import IDS, TRIPS, load

RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))
NEWEST = shipped()[-1].number
MORE = [*shipped(), Migration(NEWEST + 1, "CREATE TABLE more (x); INSERT INTO more VALUES (1)")]


def test_a_new_catalog_has_the_newest_schema_and_says_what_it_is(devices: Devices) -> None:
    catalog = devices.open()
    assert catalog.db.pragma("user_version") == NEWEST
    assert catalog.db.pragma("application_id") == APPLICATION_ID
    assert catalog.db.pragma("journal_mode") == "wal"
    assert len(catalog.id) == 16
    assert not (devices.folder / "library" / "snapshots").exists(), "there was nothing to keep"


def test_the_numbers_of_migrations_are_without_gaps() -> None:
    assert [m.number for m in shipped()] == list(range(1, NEWEST + 1))


def test_every_shipped_schema_has_its_released_library() -> None:
    assert [int(p.stem) for p in RELEASED] == list(range(1, NEWEST + 1))


@pytest.mark.parametrize("dump", RELEASED, ids=lambda p: p.stem)
def test_a_released_library_upgrades_to_the_newest_schema(devices: Devices, dump: Path) -> None:
    path = devices.folder / "library" / "catalog.db"
    path.parent.mkdir()
    load(dump, path)
    catalog = devices.open()
    assert catalog.db.pragma("user_version") == NEWEST
    assert _schema(catalog) == _schema(devices.open("fresh")), "an upgraded library is like a new one"
    one, other, joined = IDS
    assert asset(catalog, one)["title"] == "Said by a person"
    assert asset(catalog, one)["caption"] == "From the file"
    assert asset(catalog, one)["rating"] == 4
    assert tags(catalog, one) == {"Beach": "file", "Anna": "edit"}
    assert catalog.resolve(joined) == catalog.resolve(other)
    assert asset(catalog, other)["title"] is None, "undone"
    assert len(cancelled(catalog)) == 1
    assert found(catalog, "person") == {catalog.resolve(one)}
    if dump.stem >= "0002":
        held = {known["name"]: (known["parent"], known["pictures"]) for known in albums(catalog).values()}
        assert held == {"Trips": (None, []), "Beaches": (TRIPS, [min(other, joined), one])}
        assert [asset(catalog, i)["private"] for i in (one, other)] == [None, "anna"]
    assert fetch(catalog.db, "SELECT * FROM grants") == [("owner", 0, "owner")]
    shown = [dict(asset(catalog, i)) for i in IDS]
    assert catalog.device.files not in (7, 8), "this is another device than the one that made it"
    say(catalog, one, "title", "Said today")
    assert asset(catalog, one)["title"] == "Said today"
    (new,) = put(catalog, content("new"))
    assert asset(catalog, new)["asset"] > max(row["asset"] for row in shown)
    catalog.index()
    assert catalog.db.pragma("integrity_check") == "ok"


def _schema(catalog: Catalog) -> set[tuple[str, str]]:
    rows = fetch(catalog.db, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return {(name, " ".join(sql.split())) for name, sql in rows if not name.startswith("words_")}


def _connect(path: Path) -> Connection:
    return Connection(path)


def test_a_snapshot_is_made_before_an_existing_catalog_is_migrated(devices: Devices) -> None:
    catalog = devices.open()
    (one,) = put(catalog, content(1, title="before"))
    connection = _connect(catalog.path)
    migrate(connection, MORE, catalog.path.parent / "snapshots")
    assert connection.db.pragma("user_version") == NEWEST + 1
    assert connection.db.execute("SELECT x FROM more").get == 1
    connection.close()
    (kept,) = (catalog.path.parent / "snapshots").iterdir()
    assert kept.name.startswith(f"before-{NEWEST + 1:04}-")
    plain = sqlite3.connect(kept)
    assert plain.execute("PRAGMA user_version").fetchone() == (NEWEST,)
    assert plain.execute("SELECT id, title FROM assets").fetchall() == [(one, "before")]
    plain.close()


def test_a_migration_that_fails_in_the_middle_leaves_the_old_schema(devices: Devices) -> None:
    catalog = devices.open()
    put(catalog, content(1))
    connection = _connect(catalog.path)
    broken = [*MORE, Migration(NEWEST + 2, "CREATE TABLE yet_more (y); DROP TABLE assets; SELECT * FROM nowhere")]
    with pytest.raises(ImagerError, match="nowhere"):
        migrate(connection, broken, catalog.path.parent / "snapshots")
    assert connection.db.pragma("user_version") == NEWEST
    tables = {name for (name,) in connection.db.execute("SELECT name FROM sqlite_schema")}
    assert "assets" in tables
    assert not {"more", "yet_more"} & tables
    migrate(connection, MORE, catalog.path.parent / "snapshots")
    assert connection.db.pragma("user_version") == NEWEST + 1
    connection.close()


def test_a_snapshot_that_finds_no_room_stops_the_migration(
    devices: Devices, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    catalog = devices.open()
    connection = _connect(catalog.path)
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(ImagerError, match="No copy of the catalog"):
        migrate(connection, MORE, blocked)

    def full(*_: object) -> None:
        raise apsw.FullError("database or disk is full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFullError):
        migrate(connection, MORE, tmp_path / "snapshots")
    assert list((tmp_path / "snapshots").iterdir()) == [], "nothing half written stays"
    assert connection.db.pragma("user_version") == NEWEST
    connection.close()


def test_a_catalog_of_a_newer_imager_is_refused_and_untouched(devices: Devices) -> None:
    catalog = devices.open()
    catalog.db.pragma("user_version", NEWEST + 1)
    catalog.close()
    before = catalog.path.read_bytes()
    with pytest.raises(ImagerError, match=rf"newer Imager \(schema {NEWEST + 1}.*pip install -U imager"):
        devices.open()
    assert catalog.path.read_bytes() == before
    assert [p.name for p in catalog.path.parent.iterdir()] == ["catalog.db"]


@pytest.mark.parametrize("version", [0, NEWEST, NEWEST + 1])
def test_a_database_of_another_program_is_refused_and_untouched(devices: Devices, version: int) -> None:
    path = devices.folder / "library" / "catalog.db"
    path.parent.mkdir()
    plain = sqlite3.connect(path)
    plain.executescript(f"CREATE TABLE library (id); PRAGMA user_version = {version}")
    plain.close()
    before = path.read_bytes()
    with pytest.raises(ImagerError, match="not of Imager"):
        devices.open()
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["catalog.db"]


_MIGRATE = """
import sys, pathlib
from imager.catalog.connection import Connection
from imager.catalog.migrate import Migration, migrate, shipped
path = pathlib.Path(sys.argv[1])
connection = Connection(path)
newest = shipped()[-1].number
print("ready", flush=True)
sys.stdin.readline()
migrate(connection, [*shipped(), Migration(newest + 1, "CREATE TABLE more (x); INSERT INTO more VALUES (1)")],
        path.parent / "snapshots")
print(connection.db.execute("SELECT count(*) FROM more").get)
"""


def test_two_processes_that_migrate_at_once_migrate_once(devices: Devices) -> None:
    catalog = devices.open()
    put(catalog, *(content(n) for n in range(20)))
    catalog.close()
    command = [sys.executable, "-c", _MIGRATE, str(catalog.path)]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in both] == ["1\n", "1\n"]
    for kept in (catalog.path.parent / "snapshots").iterdir():
        plain = sqlite3.connect(kept)
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        plain.close()
        assert kept.suffix == ".db"
