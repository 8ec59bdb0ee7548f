"""The index read the slow and obvious way, straight from the catalog's rows, to compare the real one with."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from imager.catalog import Catalog
from imager.catalog.connection import fetch
from imager.query.model import COLOURS, TEXT_FIELDS
from imager.search.index import Index
from imager.search.lists import Lists

EPOCH = datetime(1970, 1, 1)
STATES = {"present": 1, "missing": 2, "trashed": 3}
_COLUMNS = """SELECT a.*, c.bytes, d.colours FROM assets AS a JOIN contents AS c USING (content)
LEFT JOIN derivatives AS d USING (content)"""
_LISTS = {
    "tags": "SELECT x.asset, t.name FROM asset_tags AS x JOIN tags AS t USING (tag)",
    "people": "SELECT asset, name FROM regions WHERE name IS NOT NULL AND name <> ''",
    "folders": """SELECT v.asset, o.label FROM versions AS v JOIN files AS f USING (content)
    JOIN folders AS o USING (folder) WHERE v.asset IS NOT NULL""",
}


def assert_same(index: Index, catalog: Catalog) -> None:
    """The index shows exactly what the catalog holds. Writes the catalog's full text."""
    columns = _columns(catalog)
    highest = catalog.db.execute("SELECT assets FROM library").get
    assert index.size == highest + 1
    assert index.version == catalog.db.execute("SELECT changes FROM library").get
    assert np.flatnonzero(index.columns.state).tolist() == sorted(columns)
    for asset, row in columns.items():
        assert {name: _shown(index, name, asset) for name in row} == row
    times = fetch(catalog.db, "SELECT asset, taken_at FROM assets ORDER BY taken_at DESC, asset DESC")
    assert list(zip(index.order.tolist(), index.order_taken.tolist(), strict=True)) == times
    for name, sql in _LISTS.items():
        _assert_list(getattr(index, name), fetch(catalog.db, sql), index.size)
    for number, *parts in catalog.db.execute(
        "SELECT place, name, city, region, country, country_code FROM places WHERE place IN (SELECT place FROM assets)"
    ):
        assert index.place(number) == tuple(parts)
    _assert_words(index, catalog)


def _columns(catalog: Catalog) -> dict[int, dict[str, Any]]:
    cursor = catalog.db.execute(_COLUMNS)
    found = {}
    for values in cursor:
        row = dict(zip((d[0] for d in cursor.description), values, strict=True))
        taken = row["taken_at"]
        day = taken // 86_400_000
        make, model = row["make"] or "", row["model"] or ""
        camera = (
            model if make and model.casefold().startswith(make.casefold()) else " ".join(filter(None, (make, model)))
        )
        moment = EPOCH + timedelta(milliseconds=taken)
        width, height = row["width"] or 0, row["height"] or 0
        found[row["asset"]] = {
            "state": STATES[row["state"]],
            "kind": row["kind"],
            "make_model": camera,
            "lens": row["lens"] or "",
            "creator": row["creator"] or "",
            "private": row["private"] or "",
            "place": row["place"] or 0,
            "taken": taken,
            "day": day,
            "month": moment.year * 12 + moment.month - 1,
            "width": width,
            "height": height,
            "bytes": row["bytes"],
            "duration": row["duration"],
            "rating": -1 if row["rating"] is None else -2 if row["rating"] < 0 else row["rating"],
            "favourite": row["favourite"],
            "edited": int(row["said"] is not None),
            "iso": -1 if row["iso"] is None else row["iso"],
            "f_number": row["f_number"],
            "exposure_time": row["exposure_time"],
            "focal_length": row["focal_length"],
            "latitude": row["latitude"],
            "longitude": row["longitude"],
            "has_title": int(bool(row["title"])),
            "has_caption": int(bool(row["caption"])),
            "ratio": min(max(round(128 + 64 * math.log(width / height)), 1), 255) if width and height else 0,
            "colour_names": _named(json.loads(row["colours"] or "[]")),
        }
    return found


def _named(colours: list[list[Any]]) -> list[int]:
    sums = [sum(share for name, _, _, _, share in colours if name == wanted) for wanted in COLOURS]
    return [min(round(255 * share), 255) for share in sums]


def _shown(index: Index, name: str, asset: int) -> Any:
    value = getattr(index.columns, name)[..., asset].tolist()
    if name in index.names:
        return index.names[name][value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _assert_list(lists: Lists, pairs: Iterable[tuple[int, str]], size: int) -> None:
    expected: dict[str, set[int]] = {}
    for asset, name in pairs:
        expected.setdefault(name, set()).add(asset)
    shown: dict[str, set[int]] = {}
    counts = lists.counts()
    for number, name in enumerate(lists.names):
        assets = lists.assets(number)
        assert assets.tolist() == sorted(set(assets.tolist())) == lists.bitmap(number).to_array().tolist()
        assert counts[number] == len(assets)
        if len(assets):
            shown.setdefault(name, set()).update(assets.tolist())
    assert shown == expected
    mask = np.arange(size) % 2 == 1
    odd = [sum(asset % 2 for asset in lists.assets(n).tolist()) for n in range(len(lists.names))]
    assert lists.counts(mask).tolist() == odd
    for asset in range(size):
        assert {lists.names[n] for n in lists.of(asset)} == {n for n, assets in expected.items() if asset in assets}


def _assert_words(index: Index, catalog: Catalog) -> None:
    catalog.index()
    expected = instances(catalog)
    terms = dict(index.words.terms("", 1_000_000))
    assert expected.keys() <= terms.keys()
    for term in terms:
        found = index.words.find(term, "exact")
        assert dict(zip(found.assets.tolist(), found.fields.tolist(), strict=True)) == expected.get(term, {})
        assert len(found.assets) <= terms[term] == index.words.count(term, "exact")


def instances(catalog: Catalog) -> dict[str, dict[int, int]]:
    """Of each term of the catalog's full text, the assets and in which fields (bits) they have it."""
    catalog.db.execute("CREATE VIRTUAL TABLE temp.instances USING fts5vocab(main, words, 'instance')")
    found: dict[str, dict[int, int]] = {}
    for term, asset, field in catalog.db.execute("SELECT term, doc, col FROM temp.instances"):
        of_term = found.setdefault(term, {})
        of_term[asset] = of_term.get(asset, 0) | 1 << TEXT_FIELDS.index(field)
    catalog.db.execute("DROP TABLE temp.instances")
    return found
