"""Reading one asset with all that hangs on it, in the words of the contract for scripts and of the API."""

from __future__ import annotations

import json
import os
from typing import Any

from imager.catalog.albums import MEMBER
from imager.catalog.catalog import Catalog
from imager.catalog.connection import fetch, many
from imager.catalog.effective import iso
from imager.catalog.identity import LOG, format_id, id_of

_ASSET = """SELECT a.*, c.sha256, c.mime, c.bytes, c.facts, m.raw, m.problems, d.colours,
  p.name AS place_name, p.city, p.region, p.country, p.country_code
FROM assets AS a JOIN contents AS c USING (content) LEFT JOIN metadata AS m USING (content)
LEFT JOIN derivatives AS d USING (content) LEFT JOIN places AS p USING (place) WHERE a.asset = ?"""
_TAGS = """SELECT t.name, x.source FROM asset_tags AS x CROSS JOIN tags AS t ON t.tag = x.tag
WHERE x.asset = ? ORDER BY t.name"""
_ALBUMS = """SELECT b.id, b.name FROM album_assets AS x CROSS JOIN albums AS b ON b.album = x.album
WHERE x.asset = ? AND b.query IS NULL AND NOT EXISTS (
  WITH RECURSIVE chain (album) AS (
    SELECT x.album UNION SELECT p.parent FROM chain CROSS JOIN albums AS p ON p.album = chain.album
    WHERE p.parent IS NOT NULL)
  SELECT 1 FROM chain CROSS JOIN albums AS c ON c.album = chain.album WHERE c.deleted OR c.name IS NULL)
ORDER BY b.name, b.id"""
_REGIONS = """SELECT name, kind, left_edge, top_edge, width, height, source FROM regions
WHERE asset = ? ORDER BY region"""
_VERSIONS = """SELECT v.id, c.content, c.sha256, c.mime, c.bytes FROM versions AS v
CROSS JOIN contents AS c ON c.content = v.content WHERE v.asset = ? ORDER BY v.content = ? DESC, v.id"""
_HISTORY = """SELECT e.target, e.clock, e.field, e.element, e.value, e.author, e.batch,
  EXISTS (SELECT 1 FROM cancelled AS c WHERE c.clock = e.clock)
FROM carray(?) AS wanted CROSS JOIN edits AS e ON e.target = wanted.value
ORDER BY e.clock DESC"""
_UNDONE = """
SELECT max(e.clock) FROM edits AS e WHERE e.target = ?1 AND e.clock > ?2
AND (e.field = 'cancel' AND e.element = ?2 OR e.field = 'cancel_batch' AND e.element = ?3)
AND NOT EXISTS (SELECT 1 FROM cancelled AS c WHERE c.clock = e.clock)"""
_NAMED = {
    "tag": "SELECT name FROM tags WHERE id = ?",
    MEMBER: "SELECT name FROM albums WHERE id = ?",
}
"""What has a name, by the field whose elements are its ids."""
_SAME = ("make", "model", "lens", "iso", "f_number", "exposure_time", "focal_length", "rating", "title", "caption")


def describe(catalog: Catalog, asset: int) -> dict[str, Any]:
    """Everything there is to be said of an asset, as JSON; absent values are None."""
    cursor = catalog.db.execute(_ASSET, (asset,))
    row: dict[str, Any] = dict(zip((d[0] for d in cursor.description), next(cursor), strict=True))
    facts = json.loads(row["facts"])
    versions = fetch(catalog.db, _VERSIONS, (asset, row["content"]))
    files = [place for _, content, *_ in versions for place in catalog.files.paths_of(content)]
    at, offset = row["taken_at"], row["taken_offset"]
    return {
        "id": format_id(row["id"]),
        "sha256": row["sha256"].hex(),
        "state": row["state"],
        "kind": row["kind"],
        "mime": row["mime"],
        "bytes": row["bytes"],
        "files": [{"path": os.fsdecode(path), "state": state} for path, state in files],
        "versions": [
            {"id": format_id(i), "sha256": sha256.hex(), "mime": mime, "bytes": size, "shown": n == 0}
            for n, (i, _, sha256, mime, size) in enumerate(versions)
        ],
        "width": row["width"],
        "height": row["height"],
        "duration": row["duration"],
        "orientation": row["orientation"],
        "taken_at": iso(at, offset),
        "taken_at_utc": None if offset is None else iso(at - offset * 60_000, 0),
        "taken_at_source": row["taken_source"],
        "taken_at_confidence": row["taken_confidence"],
        "dates": [
            {"at": iso(d["at"], d.get("offset")), "source": d["source"], "confidence": d["confidence"]}
            for d in facts.get("dates", ())
        ],
        "time_zone": row["time_zone"],
        "latitude": row["latitude"],
        "longitude": row["longitude"],
        "altitude": row["altitude"],
        "place": _place(row),
        **{name: row[name] for name in _SAME},
        "favourite": bool(row["favourite"]),
        "private": row["private"],
        "description": facts.get("description"),
        "creator": row["creator"],
        "copyright": row["copyright"],
        "tags": [{"name": name, "source": source} for name, source in fetch(catalog.db, _TAGS, (asset,))],
        "albums": [{"id": format_id(i), "name": name} for i, name in fetch(catalog.db, _ALBUMS, (asset,))],
        "people": [
            {"name": name, "kind": kind, "box": [left, top, width, height], "source": source}
            for name, kind, left, top, width, height, source in fetch(catalog.db, _REGIONS, (asset,))
            if name is not None and kind in ("face", "pet")
        ],
        "colours": [
            {"name": name, "lab": [lightness, a, b], "share": share}
            for name, lightness, a, b, share in json.loads(row["colours"] or "[]")
        ],
        "prompt": None,
        "edited": json.loads(row["said"] or "[]"),
        "problems": json.loads(row["problems"] or "[]"),
        "metadata": json.loads(row["raw"] or "{}"),
    }


def _place(row: dict[str, Any]) -> dict[str, str | None] | None:
    if row["place"] is None:
        return None
    keys = {"name": "place_name", "city": "city", "region": "region", "country": "country"}
    return {k: row[column] or None for k, column in keys.items()} | {"country_code": row["country_code"] or None}


def history(catalog: Catalog, asset: int) -> list[dict[str, Any]]:
    """What was said of an asset, latest first, each with the batch that `undo` takes and whether it was undone."""
    rows = fetch(catalog.db, _HISTORY, (many(catalog.joined(asset)),))
    said = []
    for _, clock, field, element, value, author, batch, cancelled in rows:
        if field in _NAMED and (named := id_of(element)) is not None:
            element = catalog.db.execute(_NAMED[field], (named,)).get or element
        undone_by = catalog.db.execute(_UNDONE, (LOG, clock, batch)).get if cancelled else None
        said.append(
            {
                "at": iso(int(clock[:13], 16), 0),
                "field": field,
                "element": element or None,
                "value": None if value is None else json.loads(value),
                "erased": value is None,
                "author": author,
                "batch": batch,
                "name": clock,
                "undone": bool(cancelled),
                "undone_by": undone_by,
            }
        )
    return said
