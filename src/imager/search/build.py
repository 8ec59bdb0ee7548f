"""Read the catalog for the index: all of it, or some assets; in the caller's read transaction.

Of all assets, numbers come as one text that SQLite joins and numpy parses: a row each costs several times as much.
Their words are in harvest.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import apsw
import numpy as np
from numpy.typing import NDArray

from imager.catalog.connection import fetch, many
from imager.catalog.words import DOCUMENTS
from imager.query.model import TEXT_FIELDS
from imager.search.columns import ROWS, Columns, Names, rows_of
from imager.search.lists import Lists

_AT_ONCE = 100_000  # assets
_WANTED = "carray(?1) AS wanted CROSS JOIN assets AS a ON a.asset = wanted.value"
_SOME_ROWS = ROWS.format(source=_WANTED) + " ORDER BY a.asset"
_ALL_ROWS = ROWS.format(source="assets AS a") + " ORDER BY a.asset"
_TEXTS = f"""WITH document (asset, {", ".join(TEXT_FIELDS)}) AS MATERIALIZED (
{DOCUMENTS[DOCUMENTS.index("SELECT") :].format(source=_WANTED)})
SELECT asset, {", ".join(f"CAST({name} AS BLOB)" for name in TEXT_FIELDS)} FROM document ORDER BY asset"""
"""As bytes: the name of a file need not be text."""

_SOME_TAGS = """SELECT x.asset, t.tag, t.name FROM carray(?1) AS wanted
CROSS JOIN asset_tags AS x ON x.asset = wanted.value CROSS JOIN tags AS t ON t.tag = x.tag"""
_SOME_PEOPLE = """SELECT DISTINCT r.asset, r.name, r.name FROM carray(?1) AS wanted
CROSS JOIN regions AS r ON r.asset = wanted.value WHERE r.name <> ''"""
_SOME_FOLDERS = """SELECT DISTINCT v.asset, o.folder, o.label FROM carray(?1) AS wanted
CROSS JOIN versions AS v ON v.asset = wanted.value CROSS JOIN files AS f ON f.content = v.content
CROSS JOIN folders AS o ON o.folder = f.folder"""
_SOME_FILES = """SELECT v.asset, f.name FROM carray(?) AS wanted CROSS JOIN versions AS v ON v.asset = wanted.value
CROSS JOIN files AS f ON f.content = v.content"""
_SOME = {"tags": _SOME_TAGS, "people": _SOME_PEOPLE, "folders": _SOME_FOLDERS}
_TAGS = "SELECT group_concat(asset), group_concat(tag) FROM asset_tags WHERE asset >= ? AND asset < ?"
_FILES = "SELECT group_concat(folder), group_concat(content) FROM files WHERE content IS NOT NULL"
_VERSIONS = "SELECT group_concat(content), group_concat(asset) FROM versions WHERE +asset IS NOT NULL"
_ALL_PEOPLE = "SELECT DISTINCT asset, name FROM regions WHERE name <> '' ORDER BY asset"

PLACES: Final = "SELECT place, name, city, region, country, country_code FROM places"
Place = tuple[str, str, str, str, str]
Array = NDArray[Any]


def all_columns(db: apsw.Connection, size: int, names: Names) -> Columns:
    """The columns of all assets."""
    columns = Columns.empty(size)
    for assets, values in rows_of(db, names, _ALL_ROWS):
        columns.put(assets, values)
    return columns


def some_rows(db: apsw.Connection, assets: Array, names: Names) -> Iterator[tuple[Array, dict[str, Array]]]:
    """The values of these assets, in order; see `rows_of`."""
    return rows_of(db, names, _SOME_ROWS, (many(assets.tolist()),))


def some_documents(db: apsw.Connection, assets: Array) -> Iterator[tuple[int, Sequence[bytes | None]]]:
    """The texts of these assets, as the catalog's full text has them, in the order of TEXT_FIELDS."""
    for asset, *texts in db.execute(_TEXTS, (many(assets.tolist()),)):
        yield asset, texts


def some_lists(db: apsw.Connection, name: str, assets: Array, lists: Lists) -> list[tuple[int, list[int]]]:
    """The numbers that each of these assets has in `lists` ('tags', 'people' or 'folders'), new ones for new things."""
    found: dict[int, list[int]] = {asset: [] for asset in assets.tolist()}
    for asset, key, text in db.execute(_SOME[name], (many(assets.tolist()),)):
        found[asset].append(lists.code(key, text))
    return list(found.items())


def some_files(db: apsw.Connection, assets: Array) -> list[tuple[int, bytes]]:
    """(asset, name) of the files of these assets."""
    return fetch(db, _SOME_FILES, (many(assets.tolist()),)) if len(assets) else []


def all_tags(db: apsw.Connection, rows: int) -> Lists:
    """The tags of all assets."""
    pairs = [_numbers(db, _TAGS, (start, start + _AT_ONCE)) for start in range(0, rows, _AT_ONCE)]
    assets, tags = (np.concatenate(columns) for columns in zip(*pairs, strict=True))
    return _lists(fetch(db, "SELECT tag, name FROM tags"), assets, tags, rows)


def owners(db: apsw.Connection) -> Array:
    """The asset of each content, by the content's number; 0: none. A content has one version at the most."""
    return _table(*_numbers(db, _VERSIONS), 0)


def all_folders(db: apsw.Connection, owner: Array, rows: int) -> Lists:
    """The folders in which files of each asset were seen."""
    folders, contents = _numbers(db, _FILES)
    known = contents < len(owner)
    pairs = np.sort(owner[contents[known]] << 32 | folders[known])
    pairs = pairs[(pairs >= 1 << 32) & np.diff(pairs, prepend=-1).astype(bool)]
    return _lists(fetch(db, "SELECT folder, label FROM folders"), pairs >> 32, pairs & 0xFFFFFFFF, rows)


def all_people(db: apsw.Connection, rows: int) -> Lists:
    """The people (and pets) that parts of the pictures are named after."""
    pairs = fetch(db, _ALL_PEOPLE)
    names = sorted({name for _, name in pairs})
    codes = {name: code for code, name in enumerate(names)}
    assets = np.fromiter((asset for asset, _ in pairs), np.int64)
    return Lists.of_pairs(names, names, assets, np.fromiter((codes[name] for _, name in pairs), np.int64), rows)


def _lists(named: Sequence[tuple[int, str]], assets: Array, keys: Array, rows: int) -> Lists:
    """`named`: key and name of each thing; pairs sorted by asset."""
    known = np.array([key for key, _ in named], np.int64)
    numbers = _table(known, np.arange(len(known)), keys.max(initial=0))[keys]
    return Lists.of_pairs(known.tolist(), [name for _, name in named], assets, numbers, rows)


def _table(keys: Array, values: Array, highest: int) -> Array:
    """An array that has each value at its key, and 0 elsewhere; row numbers, so not much longer than the keys."""
    found = np.zeros(max(int(highest), int(keys.max(initial=0))) + 1, np.int64)
    found[keys] = values
    return found


def _numbers(db: apsw.Connection, sql: str, parameters: tuple[int, ...] = ()) -> tuple[Array, Array]:
    """Two columns that SQL has joined into two texts."""
    one, other = (np.fromstring(text or "", np.int64, sep=",") for text in db.execute(sql, parameters).get)
    return one, other
