"""Write effective values into the tables that people and searches read, in the transaction of their cause.

Values are always computed anew from the log and the facts (effective.py), never patched, so that this may be called
for any ids at any time. Rows that come out as they were are not written: `changed` moves only when something did.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any, Final

import apsw

from imager.catalog import albums
from imager.catalog.connection import fetch, many
from imager.catalog.edits import Edit
from imager.catalog.effective import Row, Rules, effective, said_alone
from imager.catalog.identity import tag_id, tag_name
from imager.catalog.inputs import Inputs, standing
from imager.catalog.joins import any_joins, components
from imager.facts import Facts, Place

COLUMNS: Final = tuple(f.name for f in fields(Row) if f.name not in ("tags", "regions"))
_PLACE = COLUMNS.index("place")
_columns_of = attrgetter(*COLUMNS)
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
_TAG_ON = """INSERT INTO asset_tags (asset, tag, source) VALUES (?, ?, 'edit')
ON CONFLICT (asset, tag) DO UPDATE SET source = excluded.source"""
_TAG_OFF = "DELETE FROM asset_tags WHERE asset = ? AND tag = ?"
_SOURCE_OF = "SELECT source FROM asset_tags WHERE asset = ? AND tag = ?"
_ASSET_OF = "SELECT asset FROM versions WHERE id = ?"
_VERSIONS_OF = "SELECT count(*) FROM versions WHERE asset = ?"
_REGIONS = """SELECT r.asset, r.kind, r.name, r.left_edge, r.top_edge, r.width, r.height, r.source
FROM carray(?) AS wanted CROSS JOIN regions AS r ON r.asset = wanted.value ORDER BY r.asset, r.region"""
_TAG_BY_ID = "SELECT tag, name, said FROM tags WHERE id = ?"
_NEW_TAG = "INSERT INTO tags (id, name) VALUES (?, ?) RETURNING tag"
_NAMES = """SELECT value FROM edits WHERE target = ? AND field = 'name' AND element = '' AND value IS NOT NULL
ORDER BY clock DESC"""
_SAID_NAME = """INSERT INTO tags (id, name, said) VALUES (?, ?, 1)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, said = 1 RETURNING tag"""
_TOUCH_TAGGED = """UPDATE assets SET changed = (SELECT changes + 1 FROM library)
WHERE asset IN (SELECT asset FROM asset_tags WHERE tag = ?)"""
_UNUSED_TAGS = """DELETE FROM tags WHERE tag IN (SELECT value FROM carray(?1)) AND NOT said
AND tag NOT IN (SELECT tag FROM asset_tags WHERE tag IN (SELECT value FROM carray(?1)))"""
_UNUSED_PLACE = "DELETE FROM places WHERE place = ?1 AND NOT EXISTS (SELECT 1 FROM assets WHERE assets.place = ?1)"
_NAMELESS = "\U0010ffff"
_PLACE_OF = """SELECT place FROM places
WHERE country_code = ? AND region = ? AND city = ? AND name = ? AND country = ?"""
_NEW_PLACE = "INSERT INTO places (country_code, region, city, name, country) VALUES (?, ?, ?, ?, ?) RETURNING place"


class Materialiser:
    """Keeps `assets` and what hangs on it equal to the log and the facts.

    It remembers the numbers of tags and places between calls; `forget` must follow a transaction that failed, and
    come before one that another connection's writing precedes: it may have deleted what is used no more.
    """

    def __init__(self, rules: Rules, device: int) -> None:
        """`device`: whose files make an asset present or missing."""
        self._rules = rules
        self._device = device
        # By id: the number, and a spelling that a file's must precede to take its place ('' where people named it).
        self._tags: dict[bytes, tuple[int, str]] = {}
        self._places: dict[Place, int] = {}
        self._respelled: set[int] = set()

    def forget(self) -> None:
        """Drop what was remembered."""
        self._tags.clear()
        self._places.clear()
        self._respelled.clear()

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
        stored = {row[0]: row[1:] for row in db.execute(_STORED, (many(before),))} if before else {}
        tagged = self._stored_tags(db, before)
        regions = _stored_regions(db, before)
        highest, change = db.execute("SELECT assets, changes + 1 FROM library").get

        rows: list[tuple[Any, ...]] = []
        patches: list[tuple[str, tuple[Any, ...]]] = []
        moved: list[tuple[int | None, bytes]] = []
        tag_out: list[tuple[int, int]] = []
        tag_in: dict[str, list[int]] = {}
        region_out: list[tuple[int]] = []
        region_in: list[tuple[Any, ...]] = []
        claimed = {
            a for a, row in stored.items() if any(inputs.assets.get(i) == a for i in inputs.components.get(row[0], ()))
        }
        kept: set[int] = set()
        placed: dict[int, dict[bytes, str]] = {}
        changed: list[int] = []
        for smallest, members in inputs.components.items():
            said = inputs.standing(members)
            row = effective(members, inputs.versions(members), said, self._rules)
            here = [i for i in members if i in inputs.assets]
            had = sorted({a for i in here if (a := inputs.assets[i]) is not None} - kept)
            if row is None:
                moved += [(None, i) for i in here if inputs.assets[i] is not None]
                continue
            # The asset whose own id stays keeps its number, else the oldest does.
            free = [a for a in had if a in stored and stored[a][0] == smallest] or [a for a in had if a not in claimed]
            if free:
                asset = free[0]
            else:
                asset = highest = highest + 1
            kept.add(asset)
            for i in here:
                if inputs.assets[i] != (own := None if inputs.purged(i) else asset):
                    moved.append((own, i))
            places = albums.places(said, albums.Placed(row.id, row.taken_at, row.name))
            if places or asset in stored:
                placed[asset] = places
            values = self._values(db, row)
            want = self._numbers(db, row)
            have = tagged.get(asset, {})
            drawn = [(r.kind, r.name, r.left, r.top, r.width, r.height, source) for r, source in row.regions]
            same = values == stored.get(asset) and want == have and drawn == regions.get(asset, [])
            if same and not files_changed:
                continue
            changed.append(asset)
            if (differing := _differing(stored.get(asset), values)) is not None:
                statement = _update(COLUMNS[n] for n in differing)
                patches.append((statement, (change, *(values[n] for n in differing), asset)))
            else:
                rows.append((asset, change, *values))
            tag_out += [(asset, t) for t, s in have.items() if want.get(t) != s]
            for t in sorted(want):
                if have.get(t) != (s := want[t]):
                    tag_in.setdefault(s, []).append(asset << _TAG_BITS | t)
            if drawn != regions.get(asset, []):
                region_out.append((asset,))
                region_in += [(asset, n, *r) for n, r in enumerate(drawn)]
        gone = [(a,) for a in before if a not in kept]

        if moved:
            db.executemany("UPDATE versions SET asset = ? WHERE id = ?", moved)
        if gone:
            albums.remove_gone(db, (a for (a,) in gone))
            for table in ("asset_tags", "regions", "assets"):
                db.executemany(f"DELETE FROM {table} WHERE asset = ?", gone)
            db.executemany("DELETE FROM words WHERE rowid = ?", gone)
        db.executemany(_UPSERT, rows)
        for statement, bindings in patches:
            db.execute(statement, bindings)
        if tag_out:
            db.executemany(_TAG_OFF, tag_out)
        for source, pairs in tag_in.items():
            db.execute(_TAG_IN, (many(pairs), source))
        if region_out:
            db.executemany("DELETE FROM regions WHERE asset = ?", region_out)
            db.executemany("INSERT INTO regions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", region_in)
        settled = albums.put_members(db, placed)
        if changed or gone or settled:
            db.execute("UPDATE library SET changes = ?, assets = max(assets, ?)", (change, highest))
        for tag in self._respelled:
            _touch_tagged(db, tag)
        self._respelled.clear()
        return changed + sorted(set(settled).difference(changed))

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
                db.execute(_update(names), (change, *alone.columns.values(), asset))
                changed = True
        if changed:
            db.execute("UPDATE library SET changes = ?", (change,))
        return rest

    def _put_tag(self, db: apsw.Connection, asset: int, tag: bytes, put: bool) -> bool:
        """Put a tag on an asset by an edit, or take it off; whether that changed anything."""
        known = self._tags.get(tag)
        number = known[0] if known is not None else self._tag(db, tag, None)
        before = db.total_changes()
        if not put:
            db.execute(_TAG_OFF, (asset, number))
        elif db.execute(_SOURCE_OF, (asset, number)).get != "edit":
            db.execute(_TAG_ON, (asset, number))
        return db.total_changes() > before

    def _values(self, db: apsw.Connection, row: Row) -> tuple[Any, ...]:
        values = list(_columns_of(row))
        values[_PLACE] = None if row.place is None else self._place(db, row.place)
        return tuple(values)

    def _numbers(self, db: apsw.Connection, row: Row) -> dict[int, str]:
        """Source of each tag of a row, by the tag's number."""
        numbers: dict[int, str] = {}
        for tag, (name, source) in row.tags.items():
            known = self._tags.get(tag)
            if known is not None and (name is None or name >= known[1]):
                numbers[known[0]] = source
            else:
                numbers[self._tag(db, tag, name)] = source
        return numbers

    def _place(self, db: apsw.Connection, place: Place) -> int | None:
        if place == Place():
            return None
        number = self._places.get(place)
        if number is None:
            key = tuple(v or "" for v in (place.country_code, place.region, place.city, place.name, place.country))
            number = db.execute(_PLACE_OF, key).get
            if number is None:
                number = db.execute(_NEW_PLACE, key).get
            self._places[place] = number
        return number

    def _tag(self, db: apsw.Connection, tag: bytes, name: str | None) -> int:
        """The number of a tag. Files that spell it differently agree on the smallest spelling, in any order.

        Spellings of one tag differ in case and composition only, which full text does not see.
        """
        found = db.execute(_TAG_BY_ID, (tag,)).get
        if found is None:
            number, spelling = int(db.execute(_NEW_TAG, (tag, name or tag.hex())).get), name or _NAMELESS
        else:
            number, current, said = found
            spelling = "" if said else _NAMELESS if current == tag.hex() else current
            if name is not None and name < spelling:
                db.execute("UPDATE tags SET name = ? WHERE tag = ?", (name, number))
                if current == tag.hex():
                    self._respelled.add(number)
                spelling = name
        self._tags[tag] = (number, spelling)
        return number

    def name_tags(self, db: apsw.Connection, ids: Iterable[bytes]) -> None:
        """Give tags among `ids` the names that edits say, and have their assets found by them.

        A name only spells what the id already says, so undoing what it was said with does not take it back.
        """
        for target in ids:
            names = (_spelling(target, value) for (value,) in fetch(db, _NAMES, (target,)))
            name = next((n for n in names if n), None)
            if name is None:
                continue
            before = db.execute(_TAG_BY_ID, (target,)).get
            if before is not None and before[1:] == (name, 1):
                continue
            number = db.execute(_SAID_NAME, (target, name)).get
            self._tags.pop(target, None)
            if before is not None and before[1] == target.hex():
                _touch_tagged(db, number)

    def drop_unused(self, db: apsw.Connection, place: int | None, tags: Iterable[int]) -> None:
        """Delete a place and tags that only files gave, if nothing has them any more (for erasing)."""
        if place is not None:
            db.execute(_UNUSED_PLACE, (place,))
        if numbers := list(tags):
            db.execute(_UNUSED_TAGS, (many(numbers),))
        self.forget()

    def _stored_tags(self, db: apsw.Connection, assets: list[int]) -> dict[int, dict[int, str]]:
        found: dict[int, dict[int, str]] = {}
        if assets:
            for asset, tag, source in db.execute(_TAGGED, (many(assets),)):
                found.setdefault(asset, {})[tag] = source
        return found


def _is_single(db: apsw.Connection, one: bytes, asset: int) -> bool:
    """Whether an asset is that one picture: neither joined with another, nor about to be parted from one."""
    return components(db, [one]) == {one: [one]} and db.execute(_VERSIONS_OF, (asset,)).get == 1


def _update(names: Iterable[str]) -> str:
    return f"UPDATE assets SET {', '.join(f'{name} = ?' for name in ('changed', *names))} WHERE asset = ?"


def _differing(before: tuple[Any, ...] | None, after: tuple[Any, ...]) -> list[int] | None:
    """Which columns differ, if they are few and the row is there."""
    if before is None:
        return None
    found = [n for n, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    return found if len(found) <= _FEW else None


def _touch_tagged(db: apsw.Connection, tag: int) -> None:
    """Have the documents of all that has a tag written anew: it was used before its name was known.

    Reads all tags of all assets; but a device says a tag's name before it uses it, so this hardly ever happens.
    """
    db.execute(_TOUCH_TAGGED, (tag,))
    if db.changes():
        db.execute("UPDATE library SET changes = changes + 1")


def _spelling(tag: bytes, value: str) -> str | None:
    """The name that an edit gives a tag, or None if it is not one of that tag (a log may hold anything)."""
    try:
        name = json.loads(value)
        return tag_name(name) if isinstance(name, str) and tag_id(name) == tag else None
    except ValueError:
        return None


def _stored_regions(db: apsw.Connection, assets: list[int]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = {}
    if assets:
        for asset, *region in db.execute(_REGIONS, (many(assets),)):
            found.setdefault(asset, []).append(tuple(region))
    return found
