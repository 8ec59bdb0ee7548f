"""Opening the file and holding its lock: what goes wrong there is told in people's words, and nothing is torn."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import apsw
import pytest

from imager.catalog import Catalog, Statement
from imager.catalog import connection as module
from imager.catalog.connection import Connection
from imager.errors import ImagerError, StorageFullError
from imager.library import Library, opened
from tests.catalog.libraries import Devices, content, put, say, seen


@pytest.mark.parametrize(
    ("version", "refused"), [("3.51.2", True), ("3.7.0", True), ("3.51.3", False), ("4.0.0", False)]
)
def test_an_sqlite_that_can_damage_catalogs_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, refused: bool
) -> None:
    monkeypatch.setattr(apsw, "sqlitelibversion", lambda: version)
    if not refused:
        Connection(tmp_path / "catalog.db").close()
        return
    with pytest.raises(ImagerError, match=rf"SQLite {version} .*pip install -U apsw"):
        Connection(tmp_path / "catalog.db")
    assert not (tmp_path / "catalog.db").exists()


def test_a_locked_catalog_is_an_error_that_says_so(
    devices: Devices, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BUSY_MS", 10)
    other = devices.open()
    with (
        catalog.transaction(durable=True),
        pytest.raises(ImagerError, match="locked"),
        other.transaction(durable=True),
    ):
        pass
    say(other, bytes([1]) * 16, "title", "free again")


def test_readers_see_the_library_as_it_was_while_another_writes(devices: Devices, catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    other = devices.open()
    with catalog.transaction(durable=True):
        catalog.say_within([Statement(one, "title", "half done")])
        assert other.db.execute("SELECT title FROM assets").get is None
    assert other.db.execute("SELECT title FROM assets").get == "half done"


def test_a_full_disk_stops_cleanly_and_tears_nothing(devices: Devices, catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    say(catalog, one, "title", "kept")
    before = seen(catalog)
    pages = catalog.db.pragma("page_count")
    catalog.db.pragma("max_page_count", pages)
    with pytest.raises(StorageFullError, match="Nothing was lost"):
        for n in range(1_000):
            put(catalog, content(f"more {n}", description="long " * 500), folder=b"/more")
    assert catalog.db.get_autocommit()
    with pytest.raises(StorageFullError):
        say(catalog, one, "caption", "very long " * 100_000)
    assert seen(devices.open(), [one])["assets"] == before["assets"]
    assert catalog.db.pragma("integrity_check") == "ok"
    catalog.db.pragma("max_page_count", 1 << 30)
    say(catalog, one, "caption", "room again")
    put(catalog, content("last"), folder=b"/more")


def test_an_error_within_a_transaction_rolls_all_of_it_back(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    before = seen(catalog)
    with pytest.raises(ZeroDivisionError), catalog.transaction(durable=True):
        catalog.say_within([Statement(one, "tag", 1, "ab" * 16), Statement(one, "title", "x")])
        raise ZeroDivisionError
    assert seen(catalog) == before
    say(catalog, one, "tag", 1, "ab" * 16)
    assert len(next(iter(seen(catalog)["assets"].values()))[1]) == 1, "no number of the lost transaction is used"


def test_numbers_that_another_process_deleted_are_not_used(devices: Devices, catalog: Catalog) -> None:
    put(catalog, content(1, keywords=("only",)))
    other = devices.open()
    with other.transaction(durable=True) as db:
        db.execute("DELETE FROM asset_tags")
        db.execute("DELETE FROM tags")
    put(catalog, content(2, keywords=("only",)))
    assert catalog.db.execute("SELECT count(*) FROM asset_tags AS x JOIN tags AS t USING (tag)").get == 1


@pytest.mark.parametrize("beginning", [b"no database at all " * 100, b"SQLite format 3\0" + b"\xee" * 5_000])
def test_a_file_that_is_no_database_is_refused_and_untouched(devices: Devices, beginning: bytes) -> None:
    path = devices.folder / "library" / "catalog.db"
    path.parent.mkdir()
    path.write_bytes(beginning)
    with pytest.raises(ImagerError, match=r"catalog\.db"):
        devices.open()
    assert path.read_bytes() == beginning


def test_a_folder_in_place_of_the_catalog_is_an_error_that_says_so(devices: Devices) -> None:
    (devices.folder / "library" / "catalog.db").mkdir(parents=True)
    with pytest.raises(ImagerError, match="can't be opened"):
        devices.open()


def test_the_log_is_carried_over_once_it_is_long(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONG", 5)
    calls: list[bool] = []
    carry = catalog.connection.checkpoint

    def checkpoint() -> None:
        calls.append(catalog.db.get_autocommit())
        carry()

    monkeypatch.setattr(catalog.connection, "checkpoint", checkpoint)
    put(catalog, *(content(n) for n in range(30)))
    assert calls == [True], "outside the write lock"


def test_the_catalog_reads_with_plain_tools(catalog: Catalog) -> None:
    put(catalog, content(1, title="plain"))
    catalog.connection.checkpoint(truncate=True)
    copy = catalog.path.with_name("copy.db")
    catalog.db.execute("VACUUM INTO ?", (str(copy),))
    plain = sqlite3.connect(copy)
    assert plain.execute("SELECT title, state FROM assets").fetchall() == [("plain", "present")]
    plain.close()


def test_a_library_on_a_network_file_system_is_refused_and_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []

    def kind(path: bytes) -> str:
        asked.append(path)
        return "nfs4"

    monkeypatch.setattr(opened, "is_network_filesystem", kind)
    with pytest.raises(ImagerError, match=r"network file system \(nfs4\).*Put the library on a disk"):
        Library.open(tmp_path / "not" / "there")
    assert asked == [bytes(tmp_path)], "the nearest folder that is there tells"
    assert not (tmp_path / "not").exists()
