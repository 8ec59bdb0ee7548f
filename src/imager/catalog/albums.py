"""Albums, as the log has them: their own rows, how they are nested, and which pictures are in them in which order.

An album's id is random; what it is called, where it is nested and the like are edits of that id (`album.name` …). That
a picture is in it is an edit of the picture: field `album`, with the album's id as element. So no target gathers a long
log, joined pictures combine what they are in as they do tags, and erasing a picture takes it out.

The value of such an edit is 1 (in, at the place that its time gives it), 0 (out), or a *key*, which is the place
itself: digits of a fraction in base 62, as text, so that there is always another between two (`organise/order.py` makes
them). The place by time is such a key, too: pictures put somewhere by hand stand between those that were not.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import apsw

from imager.catalog.connection import fetch, many
from imager.catalog.effective import Said, Standing
from imager.catalog.identity import id_of
from imager.catalog.joins import components

MEMBER = "album"
"""The field of a picture that says what it is in."""

NAME, PARENT, POSITION, QUERY = "album.name", "album.parent", "album.position", "album.query"
DESCRIPTION, COVER, DELETED = "album.description", "album.cover", "album.deleted"
OWN = "album."
"""What the fields of albums begin with."""

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""In the order of their bytes."""

KEY = re.compile(r"[0-9A-Za-z]{0,4095}[1-9A-Za-z]")
"""A key never ends in 0: each is another fraction, and the order of bytes is that of the fractions."""


def speaks_of(field: str) -> bool:
    """Whether a field says something of an album, or of what is in one, and nothing else."""
    return field == MEMBER or field.startswith(OWN)


LIVE = """WITH RECURSIVE live (album) AS (
  SELECT b.album FROM albums AS b WHERE b.parent IS NULL AND b.name IS NOT NULL AND NOT b.deleted
  UNION SELECT b.album FROM live CROSS JOIN albums AS b ON b.parent = live.album
  WHERE b.name IS NOT NULL AND NOT b.deleted)
SELECT b.album, b.id, b.name, b.parent, b.position, b.query, b.description, b.cover, b.created
FROM live CROSS JOIN albums AS b ON b.album = live.album"""
"""The albums that people see: those with a name that were not deleted, nor anything that they are nested in."""

_PAIRS = tuple(a + b for a in DIGITS for b in DIGITS)
_BLOCK = 62**4
_FIRST = -62_135_596_800_000
_MOST = _BLOCK**2 - 1  # in the year 6920
_NUMBERS = re.compile(r"[0-9]+")

_ROW = "SELECT name, position, query, description, cover, created, deleted FROM albums WHERE id = ?"
_PUT = """INSERT INTO albums (name, position, query, description, cover, created, deleted, changed, id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, position = excluded.position,
query = excluded.query, description = excluded.description, cover = excluded.cover, created = excluded.created,
deleted = excluded.deleted, changed = excluded.changed"""
_OWN_SAID = """SELECT e.target, e.field, e.value, e.clock, EXISTS (SELECT 1 FROM cancelled AS c WHERE c.clock = e.clock)
FROM carray(?) AS wanted
CROSS JOIN edits AS e ON e.target = wanted.value AND e.field > 'album.' AND e.field < 'album/'
WHERE e.element = '' ORDER BY e.clock"""
_PARENT_SAID = """SELECT e.value, e.clock FROM edits AS e
WHERE e.target = ? AND e.field = 'album.parent' AND e.element = '' AND e.value IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM cancelled AS c WHERE c.clock = e.clock) ORDER BY e.clock DESC LIMIT 1"""
_CUT = "SELECT id FROM albums WHERE cut"
_NUMBER = "SELECT album FROM albums WHERE id = ?"
_NEW = "INSERT INTO albums (id) VALUES (?) RETURNING album"
_NEST = """UPDATE albums SET parent = ?1, cut = ?2, changed = ?3
WHERE id = ?4 AND (parent IS NOT ?1 OR cut IS NOT ?2)"""
_ASSETS = """SELECT v.id, a.asset, a.id, a.taken_at, a.name FROM carray(?) AS wanted
CROSS JOIN versions AS v ON v.id = wanted.value CROSS JOIN assets AS a ON a.asset = v.asset"""
_IN_SAID = """SELECT e.target, e.element, e.value, e.clock FROM carray(?) AS wanted
CROSS JOIN edits AS e ON e.target = wanted.value AND e.field = 'album'
WHERE e.value IS NOT NULL AND NOT EXISTS (SELECT 1 FROM cancelled AS c WHERE c.clock = e.clock) ORDER BY e.clock"""
_STORED = """SELECT x.asset, x.album, x.position FROM carray(?) AS wanted
CROSS JOIN album_assets AS x ON x.asset = wanted.value"""
_TOUCH = "UPDATE albums SET changed = ? WHERE album IN (SELECT value FROM carray(?))"


class Placed(NamedTuple):
    """What places a picture in albums: by its time, else by the number in its file's name, else by its id."""

    id: bytes
    taken_at: int
    name: str


def places(said: Standing, picture: Placed) -> dict[bytes, str]:
    """The albums (by id) that a picture is in, with its place in each: text that sorts bytewise."""
    found: dict[bytes, str] = {}
    for (field, element), s in said.items():
        album = id_of(element) if field == MEMBER else None
        if album is None or not (s.value == 1 or isinstance(s.value, str)):
            continue
        key = s.value if isinstance(s.value, str) and KEY.fullmatch(s.value) else None
        # Two devices may give two pictures the same key; the id puts them in one order everywhere.
        found[album] = f"{key}.{picture.id.hex()[:8]}" if key else _by_time(picture)
    return found


def key_of(position: str) -> str:
    """The key in a picture's place; pictures that were given the same key have it in common."""
    return position.partition(".")[0]


def _by_time(picture: Placed) -> str:
    """A key that sorts by time; within the same moment by the last number in the name, as cameras count."""
    moment = min(max(picture.taken_at - _FIRST, 0), _MOST)
    numbers = _NUMBERS.findall(picture.name.rpartition(".")[0] or picture.name)
    number = int(numbers[-1][-7:]) if numbers else 0
    return f"{_digits(moment // _BLOCK)}{_digits(moment % _BLOCK)}{_digits(number)}{picture.id.hex()[:8]}V"


def _digits(number: int) -> str:
    """A number below `_BLOCK`, in four digits."""
    high, low = divmod(number, 62 * 62)
    return _PAIRS[high] + _PAIRS[low]


# ── what pictures are in ────────────────────────────────────────────────────────────────────────────────────────


def refresh_members(db: apsw.Connection, ids: Iterable[bytes]) -> list[int]:
    """Recompute which albums the pictures of `ids` are in, where nothing else of them changed; which did change."""
    found = components(db, ids)
    every = [i for members in found.values() for i in members]
    if not every:
        return []
    said: dict[bytes, dict[tuple[str, str], Said]] = {}
    for target, element, value, clock in db.execute(_IN_SAID, (many(every),)):
        said.setdefault(target, {})[MEMBER, element] = Said(_parsed(value), clock)
    wanted: dict[int, dict[bytes, str]] = {}
    assets = {own: (asset, Placed(*rest)) for own, asset, *rest in db.execute(_ASSETS, (many(every),))}
    for members in found.values():
        here = next((assets[i] for i in members if i in assets), None)
        if here is not None:
            wanted[here[0]] = places(_merged([said[i] for i in members if i in said]), here[1])
    changed = put_members(db, wanted)
    if changed:
        db.execute("UPDATE library SET changes = changes + 1")
    return changed


def _merged(said: list[dict[tuple[str, str], Said]]) -> Standing:
    """What stands on several ids, as one picture: of each album, what was said last."""
    if len(said) < 2:
        return said[0] if said else {}
    merged: dict[tuple[str, str], Said] = {}
    for own in said:
        for key, s in own.items():
            if key not in merged or s.clock > merged[key].clock:
                merged[key] = s
    return merged


def put_members(db: apsw.Connection, wanted: Mapping[int, Mapping[bytes, str]]) -> list[int]:
    """Have each of these assets in these albums and no others; numbers of those for which that was a change.

    The caller counts the change in `library`.
    """
    if not wanted:
        return []
    stored: dict[int, set[tuple[int, str]]] = {}
    for asset, album, position in db.execute(_STORED, (many(sorted(wanted)),)):
        stored.setdefault(asset, set()).add((album, position))
    numbers: dict[bytes, int] = {}
    changed: list[int] = []
    touched: set[int] = set()
    outs: list[tuple[int, str, int]] = []
    ins: list[tuple[int, str, int]] = []
    for asset, places_of in wanted.items():
        have = stored.get(asset, set())
        want = {(_number(db, numbers, album), position) for album, position in places_of.items()}
        if have != want:
            changed.append(asset)
            outs += [(album, position, asset) for album, position in have - want]
            ins += [(album, position, asset) for album, position in want - have]
            touched.update(album for album, _ in have ^ want)
    if changed:
        db.executemany("DELETE FROM album_assets WHERE album = ? AND position = ? AND asset = ?", sorted(outs))
        db.executemany("INSERT INTO album_assets (album, position, asset) VALUES (?, ?, ?)", sorted(ins))
        touch(db, touched)
    return changed


def remove_gone(db: apsw.Connection, gone: Iterable[int]) -> None:
    """Take assets (at least one) that are no more out of all albums."""
    for asset, album, position in fetch(db, _STORED, (many(gone),)):
        db.execute("DELETE FROM album_assets WHERE album = ? AND position = ? AND asset = ?", (album, position, asset))
        touch(db, (album,))


def touch(db: apsw.Connection, albums: Iterable[int]) -> None:
    """Note that these albums, or what is in them, changed in the transaction that is being made."""
    db.execute(_TOUCH, (db.execute("SELECT changes + 1 FROM library").get, many(sorted(albums))))


def _number(db: apsw.Connection, known: dict[bytes, int], album: bytes) -> int:
    """The number of an album; one of which nothing is known yet gets a row without a name."""
    if album not in known:
        found = db.execute(_NUMBER, (album,)).get
        known[album] = db.execute(_NEW, (album,)).get if found is None else found
    return known[album]


# ── what albums are ─────────────────────────────────────────────────────────────────────────────────────────────


def refresh(db: apsw.Connection, ids: Iterable[bytes]) -> int:
    """Recompute the rows of the albums among `ids`, inside the caller's transaction; how many of all changed."""
    wanted = sorted(ids)
    if not wanted:
        return 0
    change = db.execute("SELECT changes + 1 FROM library").get
    said: dict[bytes, dict[str, Any]] = {}
    created: dict[bytes, int] = {}
    for target, field, value, clock, cancelled in db.execute(_OWN_SAID, (many(wanted),)):
        created.setdefault(target, int(clock[:13], 16))
        own = said.setdefault(target, {})
        if not cancelled and value is not None:
            own[field] = _parsed(value)
    if not said:
        return 0
    changed = 0
    for album, own in said.items():
        row = (*_row(own), created[album], int(own.get(DELETED) is True))
        if db.execute(_ROW, (album,)).get != row:
            db.execute(_PUT, (*row, change, album))
            changed += 1
    changed += _nest(db, said, change)
    if changed:
        db.execute("UPDATE library SET changes = ?", (change,))
    return changed


def _row(own: Mapping[str, Any]) -> tuple[Any, ...]:
    position, query, cover = own.get(POSITION), own.get(QUERY), own.get(COVER)
    return (
        _text(own.get(NAME)),
        position if isinstance(position, str) and KEY.fullmatch(position) else "",
        json.dumps(query, sort_keys=True, separators=(",", ":")) if isinstance(query, dict) else None,
        _text(own.get(DESCRIPTION)),
        id_of(cover) if isinstance(cover, str) else None,
    )


def _text(value: Any) -> str | None:
    """Text as it is kept; None for what is none (a log may hold anything)."""
    if not isinstance(value, str):
        return None
    text = unicodedata.normalize("NFC", value.encode("utf-8", "replace").decode()).replace("\0", " ").strip()
    return text or None


def _nest(db: apsw.Connection, touched: Iterable[bytes], change: int) -> int:
    """Set the parents of these albums as they are said, and cut every circle at the edge that was said last in it.

    Each album has one parent at most, so circles have nothing in common, and where each is cut follows from the log
    alone. A circle that is new or no more goes through an album that was touched; one that stays, through where it is
    cut: to begin with these two is enough.
    """
    said = partial(_parent, db, {})
    starts = dict.fromkeys([*touched, *(i for (i,) in fetch(db, _CUT))])
    cut = {max(circle, key=lambda i: (said(i)[1], i)) for circle in _circles(starts, said)}
    numbers: dict[bytes, int] = {}
    changed = 0
    for album in starts | dict.fromkeys(sorted(cut)):
        parent = None if album in cut else said(album)[0]
        number = None if parent is None else _number(db, numbers, parent)
        db.execute(_NEST, (number, int(album in cut), change, album))
        changed += db.changes()
    return changed


def _circles(starts: Iterable[bytes], said: partial[tuple[bytes | None, str]]) -> Iterator[list[bytes]]:
    """The circles that following parents from any of these runs into."""
    seen: set[bytes] = set()
    for start in starts:
        path: dict[bytes, int] = {}
        at: bytes | None = start
        while at is not None and at not in seen and at not in path:
            path[at] = len(path)
            at = said(at)[0]
        if at is not None and at in path:
            yield list(path)[path[at] :]
        seen.update(path)


def _parent(
    db: apsw.Connection, known: dict[bytes, tuple[bytes | None, str]], album: bytes
) -> tuple[bytes | None, str]:
    """What is said to be the parent of an album, and the clock of who said it."""
    if album not in known:
        found = db.execute(_PARENT_SAID, (album,)).get
        value = None if found is None else _parsed(found[0])
        known[album] = (id_of(value) if isinstance(value, str) else None, "" if found is None else found[1])
    return known[album]


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
