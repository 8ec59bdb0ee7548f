"""The numbers by which assets refer to tags and places, given when one is first met, and the names of tags."""

from __future__ import annotations

import json
from collections.abc import Iterable

import apsw

from imager.catalog.connection import fetch, many
from imager.catalog.effective import Row
from imager.catalog.identity import tag_id, tag_name
from imager.facts import Place

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


class Numbers:
    """Remembers numbers between calls.

    `forget` must follow a transaction that failed, and come before one that another connection's writing precedes: it
    may have deleted what is used no more.
    """

    def __init__(self) -> None:
        """Start knowing none."""
        # By id: the number, and a spelling that a file's must precede to take its place ('' where people named it).
        self._tags: dict[bytes, tuple[int, str]] = {}
        self._places: dict[Place, int] = {}
        self._respelled: set[int] = set()

    def forget(self) -> None:
        """Drop what was remembered."""
        self._tags.clear()
        self._places.clear()
        self._respelled.clear()

    def tags(self, db: apsw.Connection, row: Row) -> dict[int, str]:
        """Source of each tag of a row, by the tag's number."""
        numbers: dict[int, str] = {}
        for tag, (name, source) in row.tags.items():
            known = self._tags.get(tag)
            if known is not None and (name is None or name >= known[1]):
                numbers[known[0]] = source
            else:
                numbers[self._new_tag(db, tag, name)] = source
        return numbers

    def tag(self, db: apsw.Connection, tag: bytes) -> int:
        """The number of one tag, by its id alone."""
        known = self._tags.get(tag)
        return known[0] if known is not None else self._new_tag(db, tag, None)

    def place(self, db: apsw.Connection, place: Place | None) -> int | None:
        """The number of a place; None where nothing is known of it."""
        if place is None or place == Place():
            return None
        number = self._places.get(place)
        if number is None:
            key = tuple(v or "" for v in (place.country_code, place.region, place.city, place.name, place.country))
            number = db.execute(_PLACE_OF, key).get
            if number is None:
                number = db.execute(_NEW_PLACE, key).get
            self._places[place] = number
        return number

    def _new_tag(self, db: apsw.Connection, tag: bytes, name: str | None) -> int:
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

    def touch_respelled(self, db: apsw.Connection) -> None:
        """Have all that has a tag found by it, where its name came after its use."""
        for tag in self._respelled:
            _touch_tagged(db, tag)
        self._respelled.clear()


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
