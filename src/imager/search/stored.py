"""Conditions that the index does not know and the catalog answers: albums, and the names of files."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imager.catalog import Catalog
from imager.catalog.albums import LIVE
from imager.catalog.connection import fetch, many
from imager.search import phrases
from imager.search.build import some_files
from imager.search.filenames import fold
from imager.search.index import Index
from imager.search.words import tokens

_FILES = 20_000  # so many pictures are asked for the names of their files; if more, all files are gone through

_ALL_FILES = """SELECT v.asset, f.name FROM files AS f CROSS JOIN versions AS v ON v.content = f.content
WHERE f.content IS NOT NULL AND v.asset IS NOT NULL"""
_ALBUMS = f"SELECT album, lower(hex(id)), name, parent, query FROM ({LIVE})"
_IN_ALBUMS = """SELECT DISTINCT x.asset FROM carray(?) AS wanted
CROSS JOIN album_assets AS x ON x.album = wanted.value"""


class Album(NamedTuple):
    """An album as people see it."""

    number: int
    id: str  # hexadecimal
    name: str
    parent: int | None
    query: str | None  # JSON, of a smart album


def albums(catalog: Catalog) -> list[Album]:
    """All albums, but those that are deleted and what is nested in these."""
    return [Album(*row) for row in fetch(catalog.db, _ALBUMS)]


def called(every: Sequence[Album], name: str) -> list[Album]:
    """The albums with that id or name, and all that are nested in them."""
    asked, plain = phrases.whole(name), name.strip().lower().replace("-", "")
    wanted = {a.number for a in every if a.id == plain or phrases.whole(a.name) == asked}
    while inside := {album.number for album in every if album.parent in wanted} - wanted:
        wanted |= inside
    return [album for album in every if album.number in wanted]


def members(catalog: Catalog, wanted: Sequence[Album]) -> NDArray[np.int64]:
    """The pictures that were put into these albums."""
    if not wanted:
        return np.zeros(0, np.int64)
    rows = fetch(catalog.db, _IN_ALBUMS, (many([album.number for album in wanted]),))
    return np.fromiter((asset for (asset,) in rows), np.int64, len(rows))


def with_file(index: Index, catalog: Catalog, pattern: str, candidates: NDArray[np.integer]) -> NDArray[np.int64]:
    """The pictures of which a file has such a name; `candidates` are at least these."""
    if len(candidates) > _FILES and "*" in pattern and "?" not in pattern:
        changed = index.changed
        current = index.file_names.matching(pattern)
        current = current[~np.isin(current, changed)]
        rows: Iterable[tuple[int, bytes]] = some_files(catalog.db, changed)
    else:
        current = np.zeros(0, np.uint32)
        some = len(candidates) <= _FILES
        rows = some_files(catalog.db, candidates) if some else catalog.db.execute(_ALL_FILES)
    fits = named(pattern)
    found = {asset for asset, name in rows if fits(os.fsdecode(name))}
    return np.concatenate([current.astype(np.int64), np.fromiter(found, np.int64, len(found))])


def literal_words(pattern: str) -> list[str]:
    """Words that every name has somewhere, at least within a longer one, that fits the pattern."""
    return sorted({word for piece in re.split(r"[*?]", pattern) for word in tokens(piece)})


def named(pattern: str) -> Callable[[str], bool]:
    """Whether a file has that name, without case and diacritics; without `*` and `?`, its stem is a name, too."""
    folded = fold(pattern)
    if not any(c in folded for c in "*?"):
        return lambda name: folded in ((full := fold(name)), full.rpartition(".")[0])
    fits = re.compile(fnmatch.translate(folded.replace("[", "[[]"))).match
    return lambda name: fits(fold(name)) is not None
