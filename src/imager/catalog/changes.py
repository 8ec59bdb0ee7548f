"""What a recomputation changes in `assets` and in what hangs on it: gathered asset by asset, written at the end.

Rows that come out as they were are not written: `changed` moves only when something did.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Final

import apsw

from imager.catalog import albums
from imager.catalog.connection import many
from imager.catalog.effective import Row

COLUMNS: Final = tuple(f.name for f in fields(Row) if f.name not in ("tags", "regions"))
_UPSERT = (
    f"INSERT INTO assets (asset, changed, {', '.join(COLUMNS)}) VALUES (?, ?{', ?' * len(COLUMNS)}) "
    "ON CONFLICT (asset) DO UPDATE SET changed = excluded.changed, " + ", ".join(f"{c} = excluded.{c}" for c in COLUMNS)
)
_FEW = 6
"""Of columns: so many are set by name. Setting all would write every index anew, also those whose values stay."""

_STORED = (
    f"SELECT a.asset, {', '.join('a.' + c for c in COLUMNS)} FROM carray(?) AS wanted "
    "CROSS JOIN assets AS a ON a.asset = wanted.value"
)
_TAGGED = """SELECT t.asset, t.tag, t.source FROM carray(?) AS wanted
CROSS JOIN asset_tags AS t ON t.asset = wanted.value"""
_TAG_BITS = 28
_TAG_IN = f"""INSERT INTO asset_tags (asset, tag, source)
SELECT value >> {_TAG_BITS}, value & {(1 << _TAG_BITS) - 1}, ?2 FROM carray(?1)"""
"""One statement for all pairs: a row at a time, tags are the dearest part of an asset."""
TAG_OFF = "DELETE FROM asset_tags WHERE asset = ? AND tag = ?"
_REGIONS = """SELECT r.asset, r.kind, r.name, r.left_edge, r.top_edge, r.width, r.height, r.source
FROM carray(?) AS wanted CROSS JOIN regions AS r ON r.asset = wanted.value ORDER BY r.asset, r.region"""


class Changes:
    """Differences between what tables hold of some assets and what they are to hold."""

    def __init__(self, db: apsw.Connection, assets: list[int]) -> None:
        """`assets`: the numbers of all that may be there already; they are read once."""
        self.assets = assets
        self.stored = {row[0]: row[1:] for row in db.execute(_STORED, (many(assets),))} if assets else {}
        self._tagged = _stored_tags(db, assets)
        self._regions = _stored_regions(db, assets)
        self.changed: list[int] = []
        self._rows: list[tuple[Any, ...]] = []
        self._patches: list[tuple[str, tuple[Any, ...]]] = []
        self._moved: list[tuple[int | None, bytes]] = []
        self._tag_out: list[tuple[int, int]] = []
        self._tag_in: dict[str, list[int]] = {}
        self._region_out: list[tuple[int]] = []
        self._region_in: list[tuple[Any, ...]] = []

    def move(self, version: bytes, asset: int | None) -> None:
        """A version belongs to another asset now, or to none."""
        self._moved.append((asset, version))

    def note(
        self,
        asset: int,
        change: int,
        values: tuple[Any, ...],
        tags: dict[int, str],
        regions: list[tuple[Any, ...]],
        *,
        force: bool,
    ) -> None:
        """What an asset is to be: its columns, source of each tag, regions. `force`: it counts as changed anyway."""
        before, had, drawn = self.stored.get(asset), self._tagged.get(asset, {}), self._regions.get(asset, [])
        if not force and values == before and tags == had and regions == drawn:
            return
        self.changed.append(asset)
        if (differing := _differing(before, values)) is not None:
            statement = update(COLUMNS[n] for n in differing)
            self._patches.append((statement, (change, *(values[n] for n in differing), asset)))
        else:
            self._rows.append((asset, change, *values))
        self._tag_out += [(asset, t) for t, s in had.items() if tags.get(t) != s]
        for t in sorted(tags):
            if had.get(t) != (s := tags[t]):
                self._tag_in.setdefault(s, []).append(asset << _TAG_BITS | t)
        if regions != drawn:
            self._region_out.append((asset,))
            self._region_in += [(asset, n, *r) for n, r in enumerate(regions)]

    def write(self, db: apsw.Connection, kept: set[int]) -> list[int]:
        """Write it all; assets that are not among `kept` go from every table. Returns their numbers."""
        gone = [(a,) for a in self.assets if a not in kept]
        if self._moved:
            db.executemany("UPDATE versions SET asset = ? WHERE id = ?", self._moved)
        if gone:
            albums.remove_gone(db, (a for (a,) in gone))
            for table in ("asset_tags", "regions", "assets"):
                db.executemany(f"DELETE FROM {table} WHERE asset = ?", gone)
            db.executemany("DELETE FROM words WHERE rowid = ?", gone)
        db.executemany(_UPSERT, self._rows)
        for statement, bindings in self._patches:
            db.execute(statement, bindings)
        if self._tag_out:
            db.executemany(TAG_OFF, self._tag_out)
        for source, pairs in self._tag_in.items():
            db.execute(_TAG_IN, (many(pairs), source))
        if self._region_out:
            db.executemany("DELETE FROM regions WHERE asset = ?", self._region_out)
            db.executemany("INSERT INTO regions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", self._region_in)
        return [a for (a,) in gone]


def update(names: Iterable[str]) -> str:
    """The statement that sets some columns of an asset: `changed`, these, and the asset are bound."""
    return f"UPDATE assets SET {', '.join(f'{name} = ?' for name in ('changed', *names))} WHERE asset = ?"


def _differing(before: tuple[Any, ...] | None, after: tuple[Any, ...]) -> list[int] | None:
    """Which columns differ, if they are few and the row is there."""
    if before is None:
        return None
    found = [n for n, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    return found if len(found) <= _FEW else None


def _stored_tags(db: apsw.Connection, assets: list[int]) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {}
    if assets:
        for asset, tag, source in db.execute(_TAGGED, (many(assets),)):
            found.setdefault(asset, {})[tag] = source
    return found


def _stored_regions(db: apsw.Connection, assets: list[int]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    if assets:
        for asset, *region in db.execute(_REGIONS, (many(assets),)):
            found.setdefault(asset, []).append(tuple(region))
    return found
