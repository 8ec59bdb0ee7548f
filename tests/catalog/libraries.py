"""Small libraries for the tests of the catalog: settable clocks, deterministic rules, synthetic pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from imager.catalog import OWNER, Catalog, Edit, Statement, contents
from imager.catalog.catalog import canonical
from imager.catalog.clock import Clock
from imager.catalog.connection import fetch
from imager.catalog.contents import Content
from imager.catalog.exchange import give, take
from imager.catalog.files import FileRow
from imager.catalog.identity import asset_id, tag_id
from imager.facts import Colour, Derived, Facts, Place, TakenAt

NOW = 1_700_000_000_000
ZONE = "Test/Plus2"


class FakeRules:
    """South of the equator lies Testville, two hours east of UTC; elsewhere nothing is known."""

    def locate(self, latitude: float, longitude: float) -> tuple[Place | None, str | None]:
        if latitude >= 0:
            return None, None
        return Place(city="Testville", region="Testshire", country="Testland", country_code="TL"), ZONE

    def utc_offset(self, time_zone: str, wall: int) -> int | None:
        return 120 if time_zone == ZONE else None

    def date_from_name(self, name: str) -> TakenAt | None:
        digits = name.removeprefix("T").partition(".")[0]
        if not (name.startswith("T") and digits.isdigit()):
            return None
        return TakenAt(at=int(digits), source="name", confidence=0.5)


class Wall:
    """A clock that a test sets."""

    def __init__(self, now: int = NOW) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


class Devices:
    """Several devices on one machine: each has a configuration folder of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._opened: list[Catalog] = []

    def be(self, device: str) -> None:
        """What is opened from now on is opened on that device."""
        self._monkeypatch.setenv("IMAGER_CONFIG", str(self.folder / "config" / device))

    def open(self, library: str = "library", device: str = "desk", now: Any = None) -> Catalog:
        self.be(device)
        path = self.folder / library / "catalog.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        catalog = Catalog(path, FakeRules(), now=now or Wall())
        self._opened.append(catalog)
        return catalog

    def close(self) -> None:
        for catalog in self._opened:
            catalog.close()


def content(number: int | str, *, kind: str = "image", **facts: Any) -> Content:
    """What reading a picture would give; `number` tells one from another."""
    sha256 = hashlib.sha256(f"picture {number}".encode()).digest()
    return Content(
        sha256=sha256,
        bytes=1_000,
        mime="image/jpeg",
        kind=kind,
        facts=Facts(**{"width": 40, "height": 30} | facts),
        raw=json.dumps({"exif": {"Number": str(number)}}),
        problems=(),
        reader=1,
        derived=Derived(
            revision=1,
            thumbhash=b"hash",
            phash=sha256[:8],
            sharpness=1.0,
            brightness=0.5,
            clipped=0.0,
            colours=(Colour(name="red", lab=(0.5, 0.1, 0.1), share=0.5),),
        ),
        preview=(40, 30, 3),
        thumbnail=(40, 30, 3),
    )


def put(
    catalog: Catalog, *pictures: Content, folder: bytes = b"/photos", name: bytes | None = None, state: str = "present"
) -> list[bytes]:
    """Bring pictures in as ingest does, without writing full text; returns their ids."""
    with catalog.transaction(durable=False):
        return put_within(catalog, *pictures, folder=folder, name=name, state=state)


def put_within(
    catalog: Catalog, *pictures: Content, folder: bytes = b"/photos", name: bytes | None = None, state: str = "present"
) -> list[bytes]:
    """`put`, in the caller's transaction."""
    number = catalog.files.put_folder(folder, folder.decode("utf-8", "replace").strip("/"), "disk")
    numbers = contents.put(catalog.db, pictures)
    rows = [
        (number, FileRow(name or c.sha256.hex()[:8].encode() + b".jpg", state, numbers[c.sha256], 1, 1, 1, 1, 1))
        for c in pictures
    ]
    catalog.files.put(rows)
    ids = [asset_id(c.sha256) for c in pictures]
    catalog.refresh(ids, files_changed=True)
    return ids


def clock(milliseconds: int, counter: int = 0, device: int = 1) -> str:
    return str(Clock(milliseconds, counter, device))


def edit(
    target: bytes,
    field: str,
    value: Any,
    element: str = "",
    *,
    at: int,
    device: int = 1,
    counter: int = 0,
    author: str = OWNER,
    batch: str | None = None,
) -> Edit:
    """An edit with a name of one's choice."""
    name = clock(at, counter, device)
    return Edit(device, name, target, field, element, canonical(value), author, batch or name)


def admit(catalog: Catalog, *edits: Edit) -> int:
    with catalog.transaction(durable=False):
        return catalog.admit_within(edits)


def tag(name: str) -> str:
    """The element of an edit that speaks of a tag."""
    return tag_id(name).hex()


def say(catalog: Catalog, target: bytes, field: str, value: Any, element: str = "") -> str:
    return catalog.say([Statement(target, field, value, element)])


def asset(catalog: Catalog, one: bytes) -> dict[str, Any]:
    """The row of the asset that an id stands for."""
    number = catalog.resolve(one)
    assert number is not None
    cursor = catalog.db.execute("SELECT * FROM assets WHERE asset = ?", (number,))
    return dict(zip((d[0] for d in cursor.description), next(cursor), strict=True))


def tags(catalog: Catalog, one: bytes) -> dict[str, str]:
    """Name and source of an asset's tags."""
    sql = "SELECT t.name, x.source FROM asset_tags AS x JOIN tags AS t USING (tag) WHERE x.asset = ?"
    return dict(fetch(catalog.db, sql, (catalog.resolve(one),)))


def found(catalog: Catalog, words: str) -> set[int]:
    """The assets whose document has all of the words."""
    match = " ".join(f'"{word}"' for word in words.split())
    return {row for (row,) in catalog.db.execute("SELECT rowid FROM words WHERE words MATCH ?", (match,))}


def sync(one: Catalog, other: Catalog) -> None:
    """Exchange until nothing is new."""
    while take(other, list(give(one, other.last_clocks()))) + take(one, list(give(other, one.last_clocks()))):
        pass


def log(catalog: Catalog) -> dict[str, Edit]:
    return {row[1]: Edit(*row) for row in catalog.db.execute("SELECT * FROM edits")}


def cancelled(catalog: Catalog) -> set[str]:
    return {name for (name,) in catalog.db.execute("SELECT clock FROM cancelled")}


def seen(catalog: Catalog, only: Iterable[bytes] | None = None) -> dict[str, Any]:
    """All that people see, in words that mean the same on every device."""
    sql = """SELECT id, state, title, caption, rating, favourite, taken_at, taken_offset, latitude, longitude, said,
    (SELECT lower(hex(sha256)) FROM contents AS c WHERE c.content = a.content), asset FROM assets AS a"""
    wanted = None if only is None else set(only)
    assets = {
        row[0].hex(): (row[1:-1], tuple(sorted(tags(catalog, row[0]).items())), _members(catalog, row[-1]))
        for row in fetch(catalog.db, sql)
        if wanted is None or row[0] in wanted
    }
    names = dict(fetch(catalog.db, "SELECT lower(hex(id)), name FROM tags WHERE said"))
    return {"assets": assets, "tags": names, "albums": albums(catalog)}


def albums(catalog: Catalog) -> dict[bytes, dict[str, Any]]:
    """Every album that has a name, by its id, with the pictures in it in their order."""
    sql = """SELECT a.id, a.album, a.name, p.id, a.position, a.description, a.deleted
    FROM albums AS a LEFT JOIN albums AS p ON p.album = a.parent WHERE a.name IS NOT NULL"""
    of = """SELECT a.id FROM album_assets AS x JOIN assets AS a USING (asset) WHERE x.album = ?
    ORDER BY x.position, a.id"""
    return {
        i: {
            "name": name,
            "parent": parent,
            "position": position,
            "description": description,
            "deleted": bool(deleted),
            "pictures": [one for (one,) in fetch(catalog.db, of, (number,))],
        }
        for i, number, name, parent, position, description, deleted in fetch(catalog.db, sql)
    }


def _members(catalog: Catalog, number: int) -> Sequence[str]:
    return [i.hex() for i in catalog.members(number)]
