"""Facts and pixel findings, as they arrive from ingest; insert-only but for erasing and reading anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from imager.catalog import albums
from imager.catalog.connection import fetch, many
from imager.catalog.identity import asset_id
from imager.facts import Derived, Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All that reading one file's bytes gave. The preview's and thumbnail's sizes are (width, height, bytes)."""

    sha256: bytes
    bytes: int
    mime: str
    kind: str
    facts: Facts
    facts_json: str | None = None  # the same, where whoever read them has written it already
    raw: str  # JSON
    problems: Sequence[str]
    reader: int
    derived: Derived
    preview: tuple[int, int, int]
    thumbnail: tuple[int, int, int]


_KNOWN = """SELECT c.sha256, c.content, c.erased FROM carray(?) AS wanted
CROSS JOIN versions AS v ON v.id = wanted.value CROSS JOIN contents AS c ON c.content = v.content"""
_PUT = "INSERT INTO contents (sha256, bytes, mime, kind, facts, reader, content) VALUES (?, ?, ?, ?, ?, ?, ?)"
_PUT_ANEW = """UPDATE contents SET erased = 0, bytes = ?2, mime = ?3, kind = ?4, facts = ?5, reader = ?6
WHERE content = ?7 AND sha256 = ?1"""
_COUNTED = "SELECT coalesce((SELECT max(content) FROM contents), 0), assets FROM library"
_METADATA = "INSERT OR REPLACE INTO metadata (content, raw, problems) VALUES (?, ?, ?)"
_DERIVATIVES = """INSERT OR REPLACE INTO derivatives
(content, revision, thumbhash, phash, sharpness, brightness, clipped, colours, preview, thumbnail)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


def known(db: apsw.Connection, hashes: Iterable[bytes]) -> dict[bytes, tuple[int, bool]]:
    """Number, and whether erased, of those contents among `hashes` that are here."""
    wanted = [asset_id(sha256) for sha256 in hashes]
    if not wanted:
        return {}
    rows = db.execute(_KNOWN, (many(wanted),))
    return {sha256: (content, bool(erased)) for sha256, content, erased in rows}


def put(db: apsw.Connection, contents: Sequence[Content]) -> dict[bytes, int]:
    """Keep contents, new ones or read anew, in the caller's transaction; returns the number of each by its hash.

    Their previews must already be in the store: a row never refers to what is not there.
    """
    if not contents:
        return {}
    numbers = {sha256: number for sha256, (number, _) in known(db, [c.sha256 for c in contents]).items()}
    highest, asset = db.execute(_COUNTED).get
    fresh, again, versions = [], [], []
    for c in contents:
        row = (c.sha256, c.bytes, c.mime, c.kind, c.facts_json or _json(c.facts.to_json()), c.reader)
        if (number := numbers.get(c.sha256)) is not None:
            again.append((*row, number))
            continue
        numbers[c.sha256] = highest = highest + 1
        asset += 1
        fresh.append((*row, highest))
        # The number of the asset that it becomes unless it is joined to another: written once.
        versions.append((asset_id(c.sha256), highest, asset))
    if fresh:
        db.executemany(_PUT, fresh)
        db.executemany("INSERT INTO versions (id, content, asset) VALUES (?, ?, ?)", versions)
        db.execute("UPDATE library SET assets = ?", (asset,))
    if again:
        db.executemany(_PUT_ANEW, again)
    db.executemany(
        _METADATA,
        [(numbers[c.sha256], c.raw, _json(list(c.problems)) if c.problems else None) for c in contents],
    )
    db.executemany(_DERIVATIVES, [(numbers[c.sha256], *_derivative(c)) for c in contents])
    return numbers


def erase(db: apsw.Connection, content: int) -> None:
    """Leave nothing of a content but its hash."""
    db.execute(
        "UPDATE contents SET erased = 1, bytes = 0, mime = NULL, kind = NULL, facts = NULL WHERE content = ?",
        (content,),
    )
    db.execute("DELETE FROM metadata WHERE content = ?", (content,))
    db.execute("DELETE FROM derivatives WHERE content = ?", (content,))


def drop(db: apsw.Connection, asset: int) -> list[bytes]:
    """Let go of a picture of which no place is left, with its contents; returns their hashes.

    What was said of it stays in the log.
    """
    held = fetch(db, "SELECT content, sha256 FROM versions JOIN contents USING (content) WHERE asset = ?", (asset,))
    for content, _ in held:
        for table in ("metadata", "derivatives", "versions", "contents"):
            db.execute(f"DELETE FROM {table} WHERE content = ?", (content,))
    albums.remove_gone(db, (asset,))
    for table in ("asset_tags", "regions", "assets"):
        db.execute(f"DELETE FROM {table} WHERE asset = ?", (asset,))
    db.execute("DELETE FROM words WHERE rowid = ?", (asset,))
    db.execute("UPDATE library SET changes = changes + 1")
    return [sha256 for _, sha256 in held]


def _derivative(content: Content) -> tuple[Any, ...]:
    derived = content.derived
    return (
        derived.revision,
        derived.thumbhash,
        derived.phash,
        derived.sharpness,
        derived.brightness,
        derived.clipped,
        _json([(c.name, *c.lab, c.share) for c in derived.colours]),
        "[{},{},{}]".format(*content.preview),
        "[{},{},{}]".format(*content.thumbnail),
    )


_json: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
