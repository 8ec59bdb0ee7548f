"""The index shows what the catalog holds, whatever happened to either."""

from __future__ import annotations

import mmap
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imager.catalog import Catalog, Statement, contents
from imager.catalog.connection import fetch
from imager.catalog.joins import edge
from imager.facts import Place, Region
from imager.search import index as indexes
from imager.search import sidecar
from imager.search.index import Index
from tests.catalog.libraries import Devices, content, put, say, tag
from tests.search.slow import assert_same

OPENED: list[Index] = []


@pytest.fixture(autouse=True)
def close() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "library" / "index"


def opened(catalog: Catalog, folder: Path) -> Index:
    index = Index.open(catalog, folder)
    OPENED.append(index)
    return index


def rich(number: int, **facts: Any) -> contents.Content:
    """A picture that has something in every column."""
    known = {
        "title": f"Größe {number}",
        "description": "a b c" if number % 2 else None,
        "keywords": ("Family|Anna", f"n{number % 3}"),
        "regions": (Region(name="Anna", kind="face", left=0.1, top=0.1, width=0.1, height=0.1),) if number % 3 else (),
        "place": Place(city="Rome", country="Italy", country_code="IT"),
        "make": "Canon",
        "model": "Canon EOS 5D" if number % 2 else "PowerShot",
        "lens": "EF 50mm",
        "iso": 100,
        "f_number": 2.8,
        "exposure_time": 0.008,
        "focal_length": 50.0,
        "latitude": -1.5,
        "longitude": 2.25,
        "rating": number % 7 - 1,
        "creator": "Jo",
    }
    return content(number, **{**known, **facts})


def generation(folder: Path) -> Path:
    (path,) = sidecar.generations(folder)
    return path


def test_an_empty_library_has_an_index(catalog: Catalog, folder: Path) -> None:
    index = opened(catalog, folder)
    assert index.size == 1
    assert len(index.order) == 0
    assert len(index.words.find("x", "exact").assets) == 0
    assert index.words.terms("", 5) == [] == index.words.similar("beach", 5)
    assert_same(index, catalog)


def test_it_is_made_from_what_full_text_has_and_what_it_does_not_have_yet(catalog: Catalog, folder: Path) -> None:
    first = put(catalog, *[rich(n) for n in range(6)])
    catalog.index()
    put(catalog, *[rich(n) for n in range(6, 9)])
    say(catalog, first[1], "title", "Said")
    assert_same(opened(catalog, folder), catalog)


def test_it_is_opened_as_it_was_saved(catalog: Catalog, folder: Path) -> None:
    put(catalog, *[rich(n) for n in range(20)])
    opened(catalog, folder)
    put(catalog, *[rich(n) for n in range(20, 40)])
    index = opened(catalog, folder)
    assert not index.save()  # not enough to be worth it
    assert index.save(force=True)
    assert_same(index, catalog)
    path = generation(folder)
    again = opened(catalog, folder)
    assert generation(folder) == path
    assert_same(again, catalog)


def test_it_follows_edits_arrivals_and_moves(catalog: Catalog, folder: Path) -> None:
    ids = put(catalog, *[rich(n) for n in range(5)])
    index = opened(catalog, folder)
    before = index.version
    assert not index.refresh()
    say(catalog, ids[0], "title", "Neue Welt")
    assert index.refresh()
    assert index.version > before
    assert index.words.find("neue", "exact").assets.tolist() == [catalog.resolve(ids[0])]
    say(catalog, ids[1], "taken_at", "2001-02-03T04:05:06")
    put(catalog, rich(77), folder=b"/elsewhere")
    put(catalog, rich(2), folder=b"/copies")
    assert index.refresh()
    assert_same(index, catalog)


def test_it_looks_no_more_often_than_it_is_asked_to(catalog: Catalog, folder: Path) -> None:
    index = opened(catalog, folder)
    put(catalog, rich(1))
    assert not index.refresh(stale=3600)
    assert index.refresh()


def test_two_processes_follow_each_other(devices: Devices, folder: Path) -> None:
    one, other = devices.open(), devices.open()
    here, there = opened(one, folder), opened(other, folder)
    ids = put(one, *[rich(n) for n in range(5)])
    there.refresh()
    say(other, ids[2], "title", "From the other")
    here.refresh()
    there.refresh()
    assert_same(here, one)
    assert_same(there, one)
    assert here.save(force=True)
    say(one, ids[3], "favourite", True)
    there.refresh()
    assert_same(there, one)


def test_searching_does_not_wait_for_who_writes(devices: Devices, folder: Path) -> None:
    writer, reader = devices.open(), devices.open()
    put(writer, rich(1))
    index = opened(reader, folder)
    with writer.transaction(durable=False) as db:
        db.execute("UPDATE library SET changes = changes + 1")
        assert not index.refresh()
    assert index.refresh()
    assert_same(index, reader)


def test_a_tag_that_people_spell_otherwise_is_called_so(catalog: Catalog, folder: Path) -> None:
    put(catalog, rich(1, keywords=("beach",)))
    index = opened(catalog, folder)
    catalog.say([Statement(bytes.fromhex(tag("beach")), "name", "Beach")])
    index.refresh()
    assert index.tags.names == ["Beach"]
    assert_same(index, catalog)
    index.save(force=True)
    assert opened(catalog, folder).tags.names == ["Beach"]


def test_a_private_picture_of_nobody_is_not_everybodys(catalog: Catalog, folder: Path) -> None:
    put(catalog, rich(1), rich(2), rich(3))
    with catalog.transaction(durable=False) as db:
        db.execute("UPDATE assets SET private = '' WHERE asset = 1")
        db.execute("UPDATE assets SET private = 'jo' WHERE asset = 2")
        db.execute("UPDATE assets SET changed = (SELECT changes + 1 FROM library)")
        db.execute("UPDATE library SET changes = changes + 1")
    index = opened(catalog, folder)
    codes = index.columns.private
    assert codes[3] == 0
    assert index.names["private"][codes[2]] == "jo"
    assert len({0, int(codes[1]), int(codes[2])}) == 3


def test_what_files_may_say_at_the_most_fits(catalog: Catalog, folder: Path) -> None:
    put(catalog, rich(1), rich(2), rich(3))
    with catalog.transaction(durable=False) as db:
        db.execute("UPDATE assets SET width = 1 << 40, height = -5, iso = 1 << 50, rating = 300, taken_at = 1 << 62")
        db.execute("UPDATE assets SET taken_at = -(1 << 62), rating = -300 WHERE asset = 2")
        db.execute('UPDATE derivatives SET colours = \'[["red",9e9,-9,9,7],["mauve",0,0,0,-1]]\' WHERE content = 1')
        db.execute("UPDATE derivatives SET colours = '{\"no\":[1' WHERE content = 2")
        db.execute("UPDATE assets SET changed = 99")
        db.execute("UPDATE library SET changes = 99")
    columns = opened(catalog, folder).columns
    assert columns.width[1:].tolist() == [(1 << 32) - 1] * 3
    assert columns.height[1] == 0 == columns.ratio[1]
    assert columns.iso[1] == (1 << 31) - 1
    assert columns.rating[1:3].tolist() == [127, -2]
    assert columns.day[1] == (1 << 31) - 1
    assert columns.day[2] == -(1 << 31)
    assert columns.colour_shares[:, 2].tolist() == [0] * 6
    assert columns.colour_shares[0, 3] == 128


def test_names_of_files_that_are_no_text_are_found_as_full_text_finds_them(catalog: Catalog, folder: Path) -> None:
    put(catalog, rich(1), name=b"caf\xe9 \xb5x \xf8\xff.jpg")
    put(catalog, rich(2), name="Café\0µ.jpg".encode())
    assert_same(opened(catalog, folder), catalog)
    catalog.index()
    shutil.rmtree(folder)
    assert_same(opened(catalog, folder), catalog)


def _add(catalog: Catalog, number: int, known: list[bytes]) -> None:
    known += put(catalog, *[rich(100 * number + n) for n in range(number % 4 + 1)], folder=b"/f%d" % (number % 3))


def _title(catalog: Catalog, number: int, known: list[bytes]) -> None:
    if known:
        say(catalog, known[number % len(known)], "title", f"Said {number}")


def _move(catalog: Catalog, number: int, known: list[bytes]) -> None:
    with catalog.transaction(durable=False) as db:
        rows = fetch(db, "SELECT folder, name, content FROM files ORDER BY name")
        if rows:
            at, name, moved = rows[number % len(rows)]
            new = b"moved-%d-%d" % (number, moved)
            db.execute("UPDATE OR REPLACE files SET name = ? WHERE folder = ? AND name = ?", (new, at, name))
            catalog.refresh(catalog.files.ids_of([moved]), files_changed=True)


def _lose(catalog: Catalog, number: int, known: list[bytes]) -> None:
    with catalog.transaction(durable=False) as db:
        rows = fetch(db, "SELECT folder, name, content FROM files ORDER BY name")
        if rows:
            at, name, lost = rows[number % len(rows)]
            catalog.files.remove([(at, name)])
            catalog.refresh(catalog.files.ids_of([lost]), files_changed=True)


def _take_time(catalog: Catalog, number: int, known: list[bytes]) -> None:
    if known:
        say(catalog, known[number % len(known)], "taken_at", f"20{number % 30:02}-01-02T03:04:05")


def _tag(catalog: Catalog, number: int, known: list[bytes]) -> None:
    if known:
        name = f"T{number % 4}"
        catalog.say(
            [
                Statement(bytes.fromhex(tag(name)), "name", name),
                Statement(known[number % len(known)], "tag", number % 2, tag(name)),
            ]
        )


def _trash(catalog: Catalog, number: int, known: list[bytes]) -> None:
    if known:
        say(catalog, known[number % len(known)], "trashed", number % 3 > 0)


def _join(catalog: Catalog, number: int, known: list[bytes]) -> None:
    one, other = (known[number % len(known)], known[number // 2 % len(known)]) if known else (b"", b"")
    if one != other:
        target, element = edge(one, other)
        say(catalog, target, "same_as", 1, element)


def _undo(catalog: Catalog, number: int, known: list[bytes]) -> None:
    catalog.undo()


def _drop(catalog: Catalog, number: int, known: list[bytes]) -> None:
    with catalog.transaction(durable=False) as db:
        rows = fetch(db, "SELECT asset FROM assets ORDER BY asset")
        if rows:
            (asset,) = rows[number % len(rows)]
            db.execute("DELETE FROM files WHERE content IN (SELECT content FROM versions WHERE asset = ?)", (asset,))
            contents.drop(db, asset)
    known[:] = [i for i in known if catalog.resolve(i) is not None]


def _write_text(catalog: Catalog, number: int, known: list[bytes]) -> None:
    catalog.index()


Step = Callable[[Catalog, int, list[bytes]], None]
STEPS: list[Step] = [
    _add,
    _add,
    _title,
    _move,
    _lose,
    _take_time,
    _tag,
    _trash,
    _join,
    _join,
    _undo,
    _drop,
    _write_text,
]


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 200)), min_size=6, max_size=24),
    saves=st.lists(st.sampled_from(["refresh", "save", "open", "new"]), min_size=4, max_size=4),
)
def test_whatever_happens_it_equals_the_catalog(
    devices: Devices, folder: Path, steps: list[tuple[Step, int]], saves: list[str]
) -> None:
    shutil.rmtree(folder.parent, ignore_errors=True)
    catalog = devices.open()
    known: list[bytes] = []
    index = opened(catalog, folder)
    for number, (step, choice) in enumerate(steps):
        step(catalog, choice, known)
        if number % 6 != 5:
            continue
        what = saves[number // 6]
        if what == "new":
            shutil.rmtree(folder)
        if what in ("open", "new"):
            index = opened(catalog, folder)
        index.refresh()
        if what == "save":
            index.save(force=True)
    index.refresh()
    assert_same(index, catalog)
    while OPENED:
        OPENED.pop().close()
    catalog.close()


def test_many_changes_are_merged_and_still_right(
    catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "LEAST_SPARE", 8)
    monkeypatch.setattr(indexes, "_AT_ONCE", 3)
    index = opened(catalog, folder)
    ids: list[bytes] = []
    for number in range(40):  # more than there is room for in the generation
        ids += put(catalog, rich(number), rich(1000 + number))
        say(catalog, ids[number // 2], "title", f"Said {number}")
        index.refresh()
    assert_same(index, catalog)
    index.save(force=True)
    assert_same(index, catalog)
    assert_same(opened(catalog, folder), catalog)


def test_when_very_much_changed_it_is_made_anew(
    catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "_REBUILD_FROM", 5)
    index = opened(catalog, folder)
    old = generation(folder)
    put(catalog, *[rich(n) for n in range(10)])
    catalog.index()
    index.refresh()
    assert generation(folder) != old
    assert_same(index, catalog)


def test_another_that_was_saved_meanwhile_is_taken_instead_of_writing_again(devices: Devices, folder: Path) -> None:
    one, other = devices.open(), devices.open()
    here, there = opened(one, folder), opened(other, folder)
    put(one, *[rich(n) for n in range(5)])
    here.refresh()
    there.refresh()
    assert here.save(force=True)
    path = generation(folder)
    assert not there.save(force=True)
    assert generation(folder) == path
    assert_same(there, one)
    put(one, rich(9))
    there.refresh()
    assert there.save(force=True)
    assert_same(there, one)


def test_while_another_writes_nothing_is_saved(catalog: Catalog, folder: Path) -> None:
    index = opened(catalog, folder)
    put(catalog, rich(1))
    index.refresh()
    with sidecar.locked(folder) as mine:
        assert mine
        assert not index.save(force=True)
    assert index.save(force=True)


def test_while_another_makes_it_it_is_made_in_memory(catalog: Catalog, folder: Path) -> None:
    put(catalog, rich(1))
    with sidecar.locked(folder):
        index = opened(catalog, folder)
    assert sidecar.generations(folder) == []
    assert_same(index, catalog)
    assert index.save(force=True)
    assert_same(opened(catalog, folder), catalog)


def test_a_folder_that_cant_be_written_to_leaves_it_in_memory(catalog: Catalog, folder: Path) -> None:
    put(catalog, rich(1))
    folder.write_bytes(b"a file, not a folder")
    index = opened(catalog, folder)
    say(catalog, fetch(catalog.db, "SELECT id FROM assets")[0][0], "title", "Said")
    index.refresh()
    assert not index.save(force=True)
    assert_same(index, catalog)


def test_a_disk_that_is_full_leaves_it_in_memory(
    catalog: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    put(catalog, rich(1))
    monkeypatch.setattr("os.fsync", full)
    index = opened(catalog, folder)
    assert_same(index, catalog)
    assert list(folder.glob("*.imx*")) == []


def _truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _flip(place: int) -> Callable[[bytes], bytes]:
    return lambda data: data[:place] + bytes([data[place] ^ 255]) + data[place + 1 :]


def _of_another_revision(data: bytes) -> bytes:
    header = data[:8] + (sidecar.REVISION + 1).to_bytes(4, "little") + data[12:36]
    return header + zlib.crc32(header).to_bytes(4, "little") + data[40:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"junk",
        lambda _: bytes(10_000),
        _truncate,
        _flip(3),
        _flip(20),
        _flip(-2),
        _of_another_revision,
    ],
)
def test_a_file_that_cant_be_used_is_made_anew(
    catalog: Catalog, folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    put(catalog, *[rich(n) for n in range(3)])
    opened(catalog, folder)
    path = generation(folder)
    path.write_bytes(damage(path.read_bytes()))
    index = opened(catalog, folder)
    assert_same(index, catalog)
    assert generation(folder) != path


def test_names_that_are_damaged_are_made_anew(catalog: Catalog, folder: Path) -> None:
    put(catalog, rich(1))
    opened(catalog, folder)
    path = generation(folder)
    path.write_bytes(path.read_bytes().replace(b'"EF 50mm"', b'"EF 60mm"'))
    index = opened(catalog, folder)
    assert generation(folder) != path
    assert_same(index, catalog)


def test_damage_inside_is_told(catalog: Catalog, folder: Path) -> None:
    put(catalog, rich(1))
    catalog.index()
    index = opened(catalog, folder)
    assert index.verify() == []
    path = generation(folder)
    data = path.read_bytes()
    place = data.index(b"\0canon\0") + 1
    path.write_bytes(data[:place] + b"C" + data[place + 1 :])
    assert opened(catalog, folder).verify() == ["words.blob"]


def test_the_index_of_another_library_is_not_used(devices: Devices, folder: Path) -> None:
    catalog, other = devices.open(), devices.open("other")
    put(catalog, rich(1))
    put(other, rich(2))
    opened(other, folder)
    assert_same(opened(catalog, folder), catalog)


@pytest.mark.parametrize("later", ["nothing", "edit", "pictures"])
def test_a_catalog_that_was_restored_gets_a_new_index(
    devices: Devices, folder: Path, tmp_path: Path, later: str
) -> None:
    catalog = devices.open()
    ids = put(catalog, *[rich(n) for n in range(3)])
    catalog.connection.checkpoint(truncate=True)
    catalog.close()
    shutil.copy(catalog.path, tmp_path / "copy.db")
    catalog = devices.open()
    if later == "edit":
        say(catalog, ids[0], "title", "Lost")
    put(catalog, *[rich(n) for n in range(10, 13)])
    opened(catalog, folder).close()
    catalog.close()
    shutil.copy(tmp_path / "copy.db", catalog.path)
    catalog = devices.open()
    if later != "nothing":
        for number in range(5):
            put(catalog, rich(20 + number))
    assert_same(opened(catalog, folder), catalog)


def test_what_was_cut_off_is_cleared_away(catalog: Catalog, folder: Path) -> None:
    index = opened(catalog, folder)
    put(catalog, rich(1))
    index.refresh()
    left = folder / "000000000009-0123456789abcdef.imx.partial"
    left.write_bytes(b"half")
    mine = folder / "notes.txt"
    mine.write_bytes(b"of people")
    assert index.save(force=True)
    assert not left.exists()
    assert mine.exists()
    assert len(list(folder.glob("*.imx"))) == 1


_KILLED = """
import os, sys
from pathlib import Path
from imager.search import sidecar
folder = Path(sys.argv[1])
with sidecar.locked(folder) as mine, sidecar.created(folder, 5) as (file, path):
    file.write(b"half")
    file.flush()
    os._exit(9)
"""


def test_who_is_killed_while_writing_leaves_neither_a_lock_nor_an_index(catalog: Catalog, folder: Path) -> None:
    index = opened(catalog, folder)
    put(catalog, rich(1))
    index.refresh()
    assert subprocess.run([sys.executable, "-c", _KILLED, str(folder)], check=False).returncode == 9
    assert len(list(folder.glob("*.partial"))) == 1
    assert_same(opened(catalog, folder), catalog)
    assert index.save(force=True)
    assert list(folder.glob("*.partial")) == []


def test_nobody_writes_to_what_it_shows(catalog: Catalog, folder: Path) -> None:
    put(catalog, rich(1))
    index = opened(catalog, folder)
    arrays: list[Any] = [
        index.columns.taken,
        index.columns.colour_names,
        index.order,
        index.order_taken,
        index.tags.assets(0),
    ]
    arrays += [*index.words.find("canon", "exact"), *index.words.find("c", "prefix")]
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[..., 0] = 0


def test_large_parts_stay_in_the_file(catalog: Catalog, folder: Path) -> None:
    put(catalog, *[rich(n) for n in range(5)])
    catalog.index()
    index = opened(catalog, folder)
    words = index.words.find("eos", "exact")
    say(catalog, fetch(catalog.db, "SELECT id FROM assets")[0][0], "title", "Said")
    index.refresh()
    for array in (index.columns.taken, index.columns.latitude, index.order, *words):
        assert isinstance(_memory(array), mmap.mmap)


def _memory(array: Any) -> Any:
    while isinstance(array, np.ndarray):
        array = array.base
    return array.obj if isinstance(array, memoryview) else array
