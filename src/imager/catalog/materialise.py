"""Write effective values into the tables that people and searches read, in the transaction of their cause.

Values are always computed anew from the log and the facts (effective.py), never patched, so that this may be called
for any ids at any time. `changes.py` writes the difference, `numbers.py` gives tags and places their numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

import apsw

from imager.catalog import albums
from imager.catalog.changes import COLUMNS, TAG_OFF, Changes, update
from imager.catalog.connection import fetch
from imager.catalog.edits import Edit
from imager.catalog.effective import Row, Rules, effective, said_alone
from imager.catalog.inputs import Inputs, standing
from imager.catalog.joins import any_joins, components
from imager.catalog.numbers import Numbers
from imager.facts import Facts

_PLACE = COLUMNS.index("place")
_columns_of = attrgetter(*COLUMNS)
_TAG_ON = """INSERT INTO asset_tags (asset, tag, source) VALUES (?, ?, 'edit')
ON CONFLICT (asset, tag) DO UPDATE SET source = excluded.source"""
_SOURCE_OF = "SELECT source FROM asset_tags WHERE asset = ? AND tag = ?"
_ASSET_OF = "SELECT asset FROM versions WHERE id = ?"
_VERSIONS_OF = "SELECT count(*) FROM versions WHERE asset = ?"


class Materialiser:
    """Keeps `assets` and what hangs on it equal to the log and the facts.

    The numbers that it remembers must be forgotten as `Numbers` says.
    """

    def __init__(self, rules: Rules, device: int) -> None:
        """`device`: whose files make an asset present or missing."""
        self._rules = rules
        self._device = device
        self.numbers = Numbers()

    def apply(
        self,
        db: apsw.Connection,
        ids: Iterable[bytes],
        *,
        files_changed: bool = False,
        read: Mapping[int, Facts] | None = None,
    ) -> list[int]:
        """Recompute the assets of `ids`, inside the caller's transaction; returns the numbers of those that changed.

        `files_changed`: their files are others now, which full text follows even where no column shows it.
        `read`: facts of contents that were just read, so that they need not be parsed again.

        Assets that ceased to be (joined to another, erased) are gone from every table afterwards.
        """
        inputs = Inputs(db, ids, self._device, read)
        newest = db.execute("SELECT coalesce(max(asset), 0) FROM assets").get  # later numbers are only reserved
        before = sorted({a for a in inputs.assets.values() if a is not None and a <= newest})
        highest, change = db.execute("SELECT assets, changes + 1 FROM library").get
        changes = Changes(db, before)
        claimed = {
            a
            for a, row in changes.stored.items()
            if any(inputs.assets.get(i) == a for i in inputs.components.get(row[0], ()))
        }
        held = Counter(inputs.assets.values())
        kept: set[int] = set()
        placed: dict[int, dict[bytes, str]] = {}
        for smallest, members in inputs.components.items():
            said = inputs.standing(members)
            row = effective(members, inputs.versions(members), said, self._rules)
            here = [i for i in members if i in inputs.assets]
            had = sorted({a for i in here if (a := inputs.assets[i]) is not None} - kept)
            if row is None:
                for i in here:
                    if inputs.assets[i] is not None:
                        changes.move(i, None)
                continue
            # The asset whose own id stays keeps its number, else the oldest does.
            stored = changes.stored
            free = [a for a in had if a in stored and stored[a][0] == smallest] or [a for a in had if a not in claimed]
            if free:
                asset = free[0]
            else:
                asset = highest = highest + 1
            kept.add(asset)
            moved = [(i, own) for i in here if inputs.assets[i] != (own := None if inputs.purged(i) else asset)]
            for i, own in moved:
                changes.move(i, own)
            places = albums.places(said, albums.Placed(row.id, row.taken_at, row.name))
            if places or asset in stored:
                placed[asset] = places
            regions = [(r.kind, r.name, r.left, r.top, r.width, r.height, source) for r, source in row.regions]
            # A version that comes or goes takes the names of its files along, which may show in no column.
            left = held[asset] > sum(inputs.assets[i] == asset for i in here)
            force = files_changed or left or bool(moved)
            changes.note(asset, change, self._values(db, row), self.numbers.tags(db, row), regions, force=force)
        gone = changes.write(db, kept)
        settled = albums.put_members(db, placed)
        if changes.changed or gone or settled:
            db.execute("UPDATE library SET changes = ?, assets = max(assets, ?)", (change, highest))
        self.numbers.touch_respelled(db)
        return changes.changed + sorted(set(settled).difference(changes.changed))

    def apply_said(self, db: apsw.Connection, edits: Iterable[Edit]) -> set[bytes]:
        """Write what edits that just came in change by themselves; returns the ids for which `apply` must follow.

        Most edits say a value of one picture: that value is computed from the log, and nothing else of the picture
        needs to be looked at.
        """
        edited: dict[bytes, set[tuple[str, str]]] = {}
        for edit in edits:
            edited.setdefault(edit.target, set()).add((edit.field, edit.element))
        said = standing(db, tuple(edited))
        joins, rest = any_joins(db), set[bytes]()
        change = db.execute("SELECT changes + 1 FROM library").get
        changed = False
        for target, pairs in edited.items():
            found = fetch(db, _ASSET_OF, (target,))
            if not (found or joins):
                continue  # nothing of it is here: a tag, a picture of another device
            asset = found[0][0] if found else None
            alone = None if asset is None else said_alone(said.get(target, {}), pairs)
            if asset is None or alone is None or (joins and not _is_single(db, target, asset)):
                rest.add(target)
                continue
            names = tuple(alone.columns)
            stored = db.execute(f"SELECT {', '.join(names)} FROM assets WHERE asset = ?", (asset,)).fetchone()
            if stored is None:
                rest.add(target)
                continue
            tags_changed = [self._put_tag(db, asset, tag, put) for tag, put in alone.tags.items()]
            if stored != tuple(alone.columns.values()) or any(tags_changed):
                db.execute(update(names), (change, *alone.columns.values(), asset))
                changed = True
        if changed:
            db.execute("UPDATE library SET changes = ?", (change,))
        return rest

    def _put_tag(self, db: apsw.Connection, asset: int, tag: bytes, put: bool) -> bool:
        """Put a tag on an asset by an edit, or take it off; whether that changed anything."""
        number = self.numbers.tag(db, tag)
        before = db.total_changes()
        if not put:
            db.execute(TAG_OFF, (asset, number))
        elif db.execute(_SOURCE_OF, (asset, number)).get != "edit":
            db.execute(_TAG_ON, (asset, number))
        return db.total_changes() > before

    def _values(self, db: apsw.Connection, row: Row) -> tuple[Any, ...]:
        values = list(_columns_of(row))
        values[_PLACE] = self.numbers.place(db, row.place)
        return tuple(values)


def _is_single(db: apsw.Connection, one: bytes, asset: int) -> bool:
    """Whether an asset is that one picture: neither joined with another, nor about to be parted from one."""
    return components(db, [one]) == {one: [one]} and db.execute(_VERSIONS_OF, (asset,)).get == 1
