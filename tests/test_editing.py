"""What people say: each field is checked, all of it can be undone, and what was erased is gone."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from imager import editing
from imager.catalog import Catalog, connection, contents, read
from imager.catalog.exchange import give, take
from imager.catalog.identity import asset_id
from imager.errors import NotFoundError, UsageError
from imager.facts import Region
from imager.ingest.store import Store
from tests.catalog.libraries import Devices, admit, asset, content, edit, found, log, put, put_within, say, sync, tags


@pytest.fixture
def devices(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Devices]:
    made = Devices(tmp_path, monkeypatch)
    yield made
    made.close()


@pytest.fixture
def catalog(devices: Devices) -> Catalog:
    return devices.open()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "library" / "derived")
    made.create()
    return made


def _number(catalog: Catalog, one: bytes) -> int:
    number = catalog.resolve(one)
    assert number is not None
    return number


@pytest.mark.parametrize(
    ("field", "value", "column", "kept"),
    [
        ("title", "  A boat ", "title", "A boat"),
        ("title", "", "title", None),
        ("title", "caf\udce9", "title", "caf?"),
        ("caption", "x", "caption", "x"),
        ("creator", "x", "creator", "x"),
        ("copyright", "x", "copyright", "x"),
        ("rating", "5", "rating", 5),
        ("rating", -1, "rating", -1),
        ("favourite", "yes", "favourite", 1),
        ("favourite", False, "favourite", 0),
        ("trashed", True, "state", "trashed"),
        ("trashed", "no", "state", "present"),
        ("private", "yes", "private", "owner"),
        ("private", "no", "private", None),
        ("taken_at", "2021-07-04T15:30:00+02:00", "taken_offset", 120),
        ("taken_at", "1970-01-01T00:00:01", "taken_at", 1000),
        ("position", "48.5,-2.25", "latitude", 48.5),
        ("position", [48.5, -2.25], "longitude", -2.25),
    ],
)
def test_what_is_said_is_what_is_seen(catalog: Catalog, field: str, value: Any, column: str, kept: Any) -> None:
    (one,) = put(catalog, content(1, title="fact", rating=2, latitude=1.0, longitude=1.0))
    before = asset(catalog, one)
    editing.say(catalog, [_number(catalog, one)], field, value)
    assert asset(catalog, one)[column] == kept
    editing.say(catalog, [_number(catalog, one)], field, None)
    assert asset(catalog, one) | {"changed": 0} == before | {"changed": 0}, "null is as found"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", 5),
        ("rating", 6),
        ("rating", "many"),
        ("rating", float("inf")),
        ("rating", [1]),
        ("favourite", "perhaps"),
        ("taken_at", "yesterday"),
        ("taken_at", "2021-02-30"),
        ("position", "48"),
        ("position", "91,0"),
        ("position", "nan,0"),
        ("position", 7),
        ("purged", True),
        ("same_as", 1),
        ("", ""),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_said(catalog: Catalog, field: str, value: Any) -> None:
    (one,) = put(catalog, content(1))
    with pytest.raises(UsageError):
        editing.say(catalog, [_number(catalog, one)], field, value)
    assert not log(catalog)


def test_tags_are_given_and_taken_and_named_once(catalog: Catalog) -> None:
    one, other = (_number(catalog, i) for i in put(catalog, content(1, keywords=("Sea",)), content(2)))
    editing.tag(catalog, [one, other], ["Family | Anna", "SEA"], put=True)
    assert tags(catalog, asset_id(content(1).sha256)) == {"Family|Anna": "edit", "SEA": "edit"}
    editing.tag(catalog, [one], ["family|anna"], put=True)
    assert sum(e.field == "name" for e in log(catalog).values()) == 2
    editing.tag(catalog, [one], ["sea"], put=False)
    assert tags(catalog, asset_id(content(1).sha256)) == {"Family|Anna": "edit"}
    for nothing in ([" | "], []):
        with pytest.raises(UsageError):
            editing.tag(catalog, [one], nothing, put=True)


def test_undo_takes_back_the_last_batch_whole_and_then_the_one_before(catalog: Catalog) -> None:
    ids = put(catalog, content(1), content(2))
    numbers = [_number(catalog, i) for i in ids]
    editing.say(catalog, numbers, "title", "first")
    second = editing.say(catalog, numbers, "title", "second")
    assert editing.undo(catalog, None) == second
    assert [asset(catalog, i)["title"] for i in ids] == ["first", "first"]
    editing.undo(catalog, None)
    assert [asset(catalog, i)["title"] for i in ids] == [None, None]
    with pytest.raises(NotFoundError, match="nothing to undo"):
        editing.undo(catalog, None)


def test_an_undo_can_be_undone_by_its_name(catalog: Catalog) -> None:
    (one,) = put(catalog, content(1))
    editing.say(catalog, [_number(catalog, one)], "title", "said")
    editing.undo(catalog, None)
    (entry,) = read.history(catalog, _number(catalog, one))
    assert entry["undone"]
    editing.undo(catalog, entry["undone_by"])
    assert asset(catalog, one)["title"] == "said"
    (entry,) = read.history(catalog, _number(catalog, one))
    assert (entry["undone"], entry["undone_by"]) == (False, None)


def test_a_single_edit_of_a_batch_is_undone_by_its_own_name(catalog: Catalog) -> None:
    one, other = put(catalog, content(1), content(2))
    editing.say(catalog, [_number(catalog, one), _number(catalog, other)], "title", "both")
    editing.undo(catalog, read.history(catalog, _number(catalog, other))[0]["name"])
    assert [asset(catalog, i)["title"] for i in (one, other)] == ["both", None]


def test_undoing_what_does_not_exist_is_an_error_that_names_it(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="yesterday"):
        editing.undo(catalog, "yesterday")
    missing = "0000000000001-0000-000000000001"
    with pytest.raises(NotFoundError, match=missing):
        editing.undo(catalog, missing)


def test_join_and_separate(catalog: Catalog) -> None:
    ids = put(catalog, content(1), content(2), content(3))
    first, second, third = (_number(catalog, i) for i in ids)
    editing.join(catalog, first, second)
    editing.join(catalog, _number(catalog, ids[0]), third)
    (joined,) = {_number(catalog, i) for i in ids}
    with pytest.raises(UsageError, match="one picture already"):
        editing.join(catalog, joined, joined)
    editing.separate(catalog, joined)
    assert len({catalog.resolve(i) for i in ids}) == 3
    with pytest.raises(UsageError, match="only one version"):
        editing.separate(catalog, _number(catalog, ids[0]))


def test_what_is_joined_through_a_picture_that_is_not_here_is_separated_too(catalog: Catalog) -> None:
    one, other = put(catalog, content(1), content(2))
    absent = bytes(15) + b"\1"
    admit(catalog, edit(absent, "same_as", 1, one.hex(), at=1), edit(absent, "same_as", 1, other.hex(), at=2))
    editing.separate(catalog, _number(catalog, one))
    assert catalog.resolve(one) != catalog.resolve(other)


def test_the_history_tells_what_was_said_under_every_id(catalog: Catalog) -> None:
    ids = sorted(put(catalog, content(1), content(2)))
    for i, title in zip(ids, ("of one", "of the other"), strict=True):
        editing.say(catalog, [_number(catalog, i)], "title", title)
    editing.tag(catalog, [_number(catalog, ids[0])], ["Sea"], put=True)
    editing.join(catalog, *(_number(catalog, i) for i in ids))
    told = [(e["field"], e["element"], e["value"]) for e in read.history(catalog, _number(catalog, ids[1]))]
    assert told == [
        ("same_as", ids[1].hex(), 1),
        ("tag", "Sea", 1),
        ("title", None, "of the other"),
        ("title", None, "of one"),
    ]


# ── erasing ─────────────────────────────────────────────────────────────────────────────────────────────────


def _erased(catalog: Catalog, store: Store, word: str) -> bytes:
    """A picture in whose every part a word stands, erased again."""
    face = Region(name=f"{word} Person", kind="face", left=0, top=0, width=1, height=1)
    picture = content(
        word,
        title=f"{word} title",
        description=f"{word} description " * 300,
        keywords=(f"{word} keyword",),
        creator=f"{word} creator",
        regions=(face,),
    )
    raw = json.dumps({"exif": {"Secret": f"{word} raw " * 3_000}})
    picture = dataclasses.replace(picture, raw=raw, problems=(f"{word} problem",))
    with catalog.transaction(durable=False):
        (one,) = put_within(catalog, picture, name=f"{word}.jpg".encode())
        folder = catalog.files.folder(b"/photos")
        assert folder is not None
        facts = f'{{"title":"{word} sidecar","place":{{"city":"{word} city"}}}}'
        sidecar = (folder.folder, f"{word}.xmp".encode(), facts, facts)
        catalog.refresh(catalog.files.put_sidecars([sidecar]))
    number = _number(catalog, one)
    for n in range(3):
        editing.say(catalog, [number], "title", f"{word} said {n}")
        editing.say(catalog, [number], "caption", f"{word} said {n} " * 200)
        catalog.index()
    for kind in ("preview", "thumbnail"):
        store.put(picture.sha256, kind, word.encode())
    snapshots = catalog.path.parent / "snapshots"
    snapshots.mkdir(exist_ok=True)
    (snapshots / "before-0001.db").write_text(word)
    (snapshots / "before-0001.x.partial").write_text(word)
    editing.erase(catalog, store, number)
    return one


def test_of_what_was_erased_nothing_is_left_on_disk(catalog: Catalog, store: Store) -> None:
    put(catalog, *(content(n, title=f"other {n}") for n in range(20)), folder=b"/others")
    one = _erased(catalog, store, "zanzibar")
    for path in catalog.path.parent.rglob("*"):
        if path.is_file():
            assert b"zanzibar" not in path.read_bytes().lower(), path
    assert catalog.resolve(one) is None
    assert catalog.db.execute("SELECT count(*) FROM contents WHERE erased").get == 1
    assert catalog.db.execute("SELECT count(*) FROM assets").get == 20
    assert catalog.db.pragma("integrity_check") == "ok"
    assert not found(catalog, "zanzibar")


def test_what_was_erased_does_not_return_with_what_peers_bring(
    devices: Devices, catalog: Catalog, store: Store
) -> None:
    peer = devices.open("peer", "peer")
    (one,) = put(peer, content("zanzibar"))
    say(peer, one, "title", "zanzibar of the peer")
    early = list(give(peer, {}))
    _time_passes(catalog)
    assert _erased(catalog, store, "zanzibar") == one
    assert take(catalog, early) == 1
    sync(peer, catalog)
    for library in (catalog, peer):
        assert {e.value for e in log(library).values() if e.target == one and e.field != "purged"} == {None}
        assert library.resolve(one) is None
    catalog.connection.checkpoint(truncate=True)
    assert b"zanzibar" not in catalog.path.read_bytes()


def _time_passes(catalog: Catalog) -> None:
    catalog.now.now += 1_000  # type: ignore[attr-defined]


def test_of_a_file_too_large_to_be_written_anew_the_free_pages_are_overwritten(
    catalog: Catalog, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_WRITE_ANEW", 0)
    _erased(catalog, store, "zanzibar")
    assert catalog.path.read_bytes().count(b"zanzibar raw") < 50, "of 3,000"
    assert catalog.db.pragma("integrity_check") == "ok"
    assert not catalog.db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'scrubbing'").get


def test_a_catalog_that_is_being_read_is_erased_from_too(devices: Devices, catalog: Catalog, store: Store) -> None:
    put(catalog, *(content(n) for n in range(9)))
    reading = catalog.db.execute("SELECT id FROM assets")
    next(reading)
    _erased(catalog, store, "zanzibar")
    assert len(list(reading)) >= 8


def test_tags_and_places_that_others_have_stay_when_a_picture_is_erased(catalog: Catalog, store: Store) -> None:
    here: dict[str, Any] = {"latitude": -1.0, "longitude": 1.0}
    one, other = put(catalog, content(1, keywords=("Sea", "Only"), **here), content(2, keywords=("Sea",), **here))
    editing.erase(catalog, store, _number(catalog, one))
    assert tags(catalog, other) == {"Sea": "file"}
    assert catalog.db.execute("SELECT name FROM tags").fetchall() == [("Sea",)]
    assert catalog.db.execute("SELECT city FROM places").get == "Testville"
    (third,) = put(catalog, content(3, keywords=("Only",), **here))
    assert tags(catalog, third) == {"Only": "file"}
    assert asset(catalog, third)["place"] == asset(catalog, other)["place"]


def test_a_sidecar_shared_with_a_neighbour_is_forgotten_for_both(catalog: Catalog, store: Store) -> None:
    (one,) = put(catalog, content(1), name=b"IMG_1.jpg")
    (other,) = put(catalog, content(2), name=b"IMG_1.png")
    folder = catalog.files.folder(b"/photos")
    assert folder is not None
    with catalog.transaction(durable=False):
        catalog.refresh(catalog.files.put_sidecars([(folder.folder, b"IMG_1.xmp", '{"title":"both"}', "{}")]))
    assert asset(catalog, other)["title"] == "both"
    editing.erase(catalog, store, _number(catalog, one))
    assert asset(catalog, other)["title"] is None


def test_erasing_joined_pictures_erases_all_of_them_wherever_they_are(
    devices: Devices, catalog: Catalog, store: Store
) -> None:
    one, other = sorted(put(catalog, content(1), content(2)))
    absent = bytes(15) + b"\1"
    say(catalog, absent, "same_as", 1, one.hex())
    say(catalog, one, "same_as", 1, other.hex())
    editing.erase(catalog, store, _number(catalog, one))
    assert [e.target for e in log(catalog).values() if e.field == "purged"] == [absent, one, other]


def test_an_erased_picture_can_be_taken_in_anew_without_what_was_said(catalog: Catalog, store: Store) -> None:
    one = _erased(catalog, store, "zanzibar")
    with pytest.raises(UsageError, match="can't be brought back"):
        editing.undo(catalog, next(e.clock for e in log(catalog).values() if e.field == "purged"))
    with pytest.raises(NotFoundError):
        editing.undo(catalog, None)
    with catalog.transaction(durable=True):
        contents.put(catalog.db, [content("zanzibar", title="anew")])
        say_purged_no_more = edit(one, "purged", None, at=catalog.now() + 1)
        catalog.admit_within([say_purged_no_more])
    put(catalog, content("zanzibar", title="anew"))
    assert asset(catalog, one)["title"] == "anew"
    editing.say(catalog, [_number(catalog, one)], "caption", "said anew")
    assert asset(catalog, one)["caption"] == "said anew"


# ── forgetting ──────────────────────────────────────────────────────────────────────────────────────────────


def test_forgetting_lets_go_of_pictures_without_a_place_and_keeps_what_was_said(
    catalog: Catalog, store: Store, tmp_path: Path
) -> None:
    folder = bytes(tmp_path / "photos")
    one, other = put(catalog, content(1), content(2), folder=folder, state="missing")
    put(catalog, content(2), folder=bytes(tmp_path / "elsewhere"), name=b"copy.jpg")
    catalog.index()
    editing.say(catalog, [_number(catalog, one)], "title", "kept")
    store.put(content(1).sha256, "preview", b"x")
    assert editing.forget(catalog, store, folder) == 2
    assert catalog.resolve(one) is None
    assert asset(catalog, other)["state"] == "present"
    assert not store.path(content(1).sha256, "preview").exists()
    assert catalog.db.execute("SELECT count(*) FROM contents").get == 1
    with pytest.raises(NotFoundError, match="Nothing is missing"):
        editing.forget(catalog, store, folder)
    put(catalog, content(1), folder=folder)
    assert asset(catalog, one)["title"] == "kept"
