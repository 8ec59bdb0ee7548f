"""The doctor finds each kind of damage, mends what can be made again, reports the rest, and touches nothing unasked."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from imager import doctor
from imager.catalog import Catalog
from imager.doctor import Diagnosis
from imager.ingest.store import Store
from imager.library import Library
from tests.catalog.libraries import Devices, asset, cancelled, content, found, log, put, say, seen, tag
from tests.ingest.scenes import Inline
from tests.pictures import jpeg

OUTER, INNER = bytes(15) + b"\1", bytes(15) + b"\2"
_END = b"\xff\xd9"


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Devices]:
    made = Devices(tmp_path, monkeypatch)
    yield made
    made.close()


@pytest.fixture
def catalog(devices: Devices) -> Catalog:
    return devices.open()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(doctor, "SupervisedExecutor", Inline)
    made = Store(tmp_path / "library" / "derived")
    made.create()
    return made


@pytest.fixture
def library(catalog: Catalog, store: Store) -> Catalog:
    """A sound library of some pictures, edits and undone edits."""
    facts: list[dict[str, Any]] = [
        {"title": f"t{n}", "keywords": ("all", f"k{n}"), "latitude": -1.0, "longitude": 1.0} for n in range(4)
    ]
    ids = put(catalog, *(content(n, **fact) for n, fact in enumerate(facts)))
    for n in range(4):
        for kind in ("preview", "thumbnail"):
            store.put(content(n).sha256, kind, b"x" + _END)
    say(catalog, ids[0], "title", "said")
    say(catalog, ids[1], "title", "undone")
    catalog.undo()
    say(catalog, min(ids[2:]), "same_as", 1, max(ids[2:]).hex())
    say(catalog, ids[1], "tag", 1, tag("all"))
    for album, name in ((OUTER, "Outer"), (INNER, "Inner")):
        say(catalog, album, "album.name", name)
    say(catalog, INNER, "album.parent", OUTER.hex())
    say(catalog, ids[0], "album", 1, INNER.hex())
    catalog.index()
    assert _examined(catalog, store) == Diagnosis()
    return catalog


def _examined(catalog: Catalog, store: Store, *, repair: bool = True) -> Diagnosis:
    return doctor.examine(catalog, store, repair=repair)


def _dump(catalog: Catalog) -> str:
    """A fingerprint of every row of every table."""
    digest = hashlib.sha256()
    tables = catalog.db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'")
    for (name,) in sorted(tables.fetchall()):
        digest.update(repr((name, catalog.db.execute(f"SELECT * FROM {name}").fetchall())).encode())
    return digest.hexdigest()


DAMAGE = {
    "a file of unknown contents": "UPDATE files SET content = 999 WHERE content = 1",
    "a file in an unknown folder": "INSERT INTO files SELECT 99, name, state, content, 1, 1, 1, 1, 1, NULL, NULL "
    "FROM files LIMIT 1",
    "a sidecar in an unknown folder": "INSERT INTO sidecars VALUES (99, x'61', x'61', '{}', '{}')",
    "a version of unknown contents": "INSERT INTO versions VALUES (zeroblob(16), 999, NULL)",
    "a version of an unknown picture": "UPDATE versions SET asset = 999 WHERE content = 1",
    "a picture without a version": "INSERT INTO assets (asset, id, content, changed, state, kind, name, taken_at, "
    "taken_source, taken_confidence) VALUES (99, randomblob(16), 1, 1, 'present', 'image', '', 0, 'file', 0)",
    "a picture that is lost": "DELETE FROM assets WHERE asset = 1",
    "a content that nobody finds": "DELETE FROM versions WHERE content = 1",
    "tags of a lost picture": "INSERT INTO asset_tags VALUES (999, 1, 'file')",
    "an unknown tag": "INSERT INTO asset_tags VALUES (1, 999, 'file')",
    "a lost tag": "DELETE FROM tags WHERE name = 'k1'",
    "a region of a lost picture": "INSERT INTO regions VALUES (999, 0, 'face', 'Anna', 0, 0, 1, 1, 'file')",
    "a lost place": "DELETE FROM places",
    "metadata of nothing": "INSERT INTO metadata VALUES (999, '{}', NULL)",
    "derivatives of nothing": "INSERT INTO derivatives SELECT 999, revision, thumbhash, phash, sharpness, brightness, "
    "clipped, colours, preview, thumbnail FROM derivatives LIMIT 1",
    "an edit wrongly undone": "INSERT INTO cancelled SELECT clock FROM edits WHERE value = '\"said\"'",
    "an edit wrongly not undone": "DELETE FROM cancelled",
    "an undone edit that is none": "INSERT INTO cancelled VALUES ('no clock'), ('0000000000001-0000-000000000001')",
    "a value nobody said": "UPDATE assets SET title = 'wrong' WHERE asset = 1",
    "a state that is not so": "UPDATE assets SET state = 'trashed' WHERE asset = 1",
    "a tag nobody gave": "INSERT INTO asset_tags VALUES (1, (SELECT tag FROM tags WHERE name = 'k2'), 'file')",
    "a tag that is missing": "DELETE FROM asset_tags WHERE asset = 1",
    "a lost picture in an album": "INSERT INTO album_assets VALUES (1, 'V', 999)",
    "a picture in a lost album": "INSERT INTO album_assets VALUES (999, 'V', 1)",
    "a picture that nobody put in an album": "INSERT INTO album_assets VALUES (1, 'V', 2)",
    "a picture that is missing from an album": "DELETE FROM album_assets",
    "a lost album": "DELETE FROM albums WHERE name = 'Inner'",
    "an album of another name": "UPDATE albums SET name = 'wrong' WHERE album = 1",
    "an album nested elsewhere": "UPDATE albums SET parent = NULL",
    "a document that is missing": "DELETE FROM words WHERE rowid = 1",
    "a document of nothing": "INSERT INTO words (rowid, title) VALUES (999, 'stray')",
    "full text in disorder": "UPDATE words_data SET block = zeroblob(40) WHERE id > 10",
    "full text that is gone": "DELETE FROM words_data WHERE id > 10",
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_each_damage_is_found_and_mended_and_not_touched_unless_asked(
    library: Catalog, store: Store, damage: str
) -> None:
    before = seen(library)
    said = log(library)
    with contextlib.closing(apsw.Connection(str(library.path))) as other:
        other.execute(DAMAGE[damage])
    damaged = _dump(library)

    looked = _examined(library, store, repair=False)
    assert not looked.ok
    assert len(looked.problems) >= 1
    assert not looked.repaired
    assert _dump(library) == damaged, "looking changes nothing"

    mended = _examined(library, store)
    assert mended.ok, mended.problems
    assert mended.repaired
    assert _examined(library, store) == Diagnosis(), "once is enough"
    assert log(library) == said
    if damage in ("a file of unknown contents", "a lost tag"):
        return  # what only the file says is read by the next run
    after = seen(library)
    assert after == before
    assert len(found(library, "all")) == 3


def test_a_sound_library_is_left_as_it_is(library: Catalog, store: Store) -> None:
    before = _dump(library)
    for repair in (False, True):
        assert _examined(library, store, repair=repair).ok
        assert _dump(library) == before


def test_full_text_that_is_behind_is_no_problem_and_written_only_when_asked(library: Catalog, store: Store) -> None:
    put(library, content("new", title="newcomer"))
    for kind in ("preview", "thumbnail"):
        store.put(content("new").sha256, kind, b"x" + _END)
    assert _examined(library, store, repair=False) == Diagnosis()
    assert not found(library, "newcomer")
    assert _examined(library, store) == Diagnosis()
    assert found(library, "newcomer")


def test_files_that_name_what_was_erased_are_forgotten(library: Catalog, store: Store) -> None:
    library.db.execute("UPDATE contents SET erased = 1, facts = NULL, mime = NULL, kind = NULL WHERE content = 1")
    assert any("erased" in problem for problem in _examined(library, store, repair=False).problems)
    assert _examined(library, store).ok
    assert library.db.execute("SELECT count(*) FROM metadata WHERE content = 1").get == 0
    assert library.db.execute("SELECT count(*) FROM files WHERE content = 1").get == 0


def test_a_damaged_file_is_reported_with_what_to_do(library: Catalog, store: Store) -> None:
    snapshots = library.path.parent / "snapshots"
    library.db.execute("PRAGMA writable_schema = ON")
    library.db.execute("DELETE FROM sqlite_schema WHERE name = 'assets_by_change'")
    library.db.execute("PRAGMA writable_schema = RESET")
    for snapshot in (None, "before-0002-20260101-000000.db"):
        if snapshot is not None:
            snapshots.mkdir()
            (snapshots / snapshot).write_bytes(b"")
        diagnosis = _examined(library, store)
        assert not diagnosis.ok
        assert any("damaged" in problem for problem in diagnosis.problems)
        assert (snapshot or "your backup") in diagnosis.problems[-1]
        assert not diagnosis.repaired


@pytest.mark.parametrize("loss", ["both", "thumbnail", "truncated", "overwritten"])
def test_previews_that_are_lost_or_damaged_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    monkeypatch.setattr(doctor, "SupervisedExecutor", Inline)
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "one.jpg").write_bytes(jpeg(1))
    with Library.open(tmp_path / "library") as library:
        monkeypatch.setattr("imager.ingest.run.SupervisedExecutor", Inline)
        list(library.add(photos, workers=1))
        assert library.doctor().ok
        preview, thumbnail = (p for p in sorted((tmp_path / "library" / "derived").glob("*/*.jpg")))
        whole = preview.read_bytes()
        if loss in ("both", "thumbnail"):
            thumbnail.unlink()
        if loss == "both":
            preview.unlink()
        if loss == "truncated":
            preview.write_bytes(whole[:-10])
        if loss == "overwritten":
            preview.write_bytes(bytes(len(whole)))
        looked = library.doctor(repair=False)
        assert looked.problems == ["1 pictures lack their preview."]
        assert loss in ("truncated", "overwritten") or not thumbnail.exists()
        mended = library.doctor()
        assert mended.ok
        assert mended.repaired == ["1 previews were made again."]
        assert preview.read_bytes() == whole
        assert library.doctor() == Diagnosis()

        thumbnail.unlink()
        (photos / "one.jpg").write_bytes(jpeg(2))
        beyond = library.doctor()
        assert not beyond.ok
        assert "lack their preview" in beyond.problems[0]


def test_a_content_without_findings_is_missed(library: Catalog, store: Store) -> None:
    library.db.execute("DELETE FROM derivatives WHERE content = 1")
    diagnosis = _examined(library, store)
    assert not diagnosis.ok
    assert any("preview" in problem for problem in diagnosis.problems)


def test_old_leftovers_of_killed_writers_are_removed_and_young_ones_kept(library: Catalog, store: Store) -> None:
    folder = store.path(content(1).sha256, "preview").parent
    old, young = folder / ".old.tmp", folder / ".young.tmp"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    assert _examined(library, store, repair=False).ok
    assert old.exists()
    assert _examined(library, store).ok
    assert not old.exists()
    assert young.exists()


def test_undone_edits_stay_undone(library: Catalog, store: Store) -> None:
    before = cancelled(library)
    library.db.execute("DELETE FROM cancelled")
    _examined(library, store)
    assert cancelled(library) == before
    titles = {asset(library, i)["title"] for (i,) in library.db.execute("SELECT id FROM assets").fetchall()}  # type: ignore[arg-type]
    assert "undone" not in titles


@pytest.mark.parametrize("harm", ["middle", "cut", "empty"])
def test_a_damaged_index_is_dropped_and_made_anew_by_the_next_search(tmp_path: Path, harm: str) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(jpeg(1))
    with Library.open(tmp_path / "library") as library:
        list(library.add(tmp_path / "photos"))
        library.index.save(force=True)
    (file,) = (tmp_path / "library" / "index").glob("*.imx")
    held = file.read_bytes()
    start = held.rindex(b"jpg")  # a word of the index
    file.write_bytes(
        {"middle": held[:start] + b"xxx" + held[start + 3 :], "cut": held[: len(held) // 2], "empty": b""}[harm]
    )
    with Library.open(tmp_path / "library") as library:
        assert len(library.doctor(repair=False).problems) == 1
        mended = library.doctor()
        assert mended.ok
        assert len(mended.repaired) == 1
        assert library.search("a").total == 1
        assert library.doctor().repaired == []
