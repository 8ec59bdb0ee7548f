"""Full text over names, folders, titles, captions, tags, people, places, cameras and creators.

Every word must be found; `word*` finds beginnings, "quoted words" a phrase, -word excludes. Ranked by bm25 where that
says something: a word that very many pictures have is counted first and then not ranked, but listed newest first.
"""

from __future__ import annotations

import base64
import json
import os
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from imager.catalog import Catalog
from imager.catalog.connection import fetch, many
from imager.catalog.identity import format_id
from imager.errors import UsageError

RANKED = 50_000
"""Above so many matches, ranking costs much and says little (bm25 of a common word is near zero)."""

FACETED = 50_000
_COLUMNS = ("name", "folder", "title", "caption", "tags", "people", "place", "camera", "creator")
_WEIGHTS = "3.0, 1.0, 4.0, 3.0, 4.0, 5.0, 2.0, 1.0, 1.0"
_TERM = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_TOKEN = re.compile(r"[^\W_]+")

_ALL = """SELECT asset, taken_at, 0.0 FROM assets INDEXED BY assets_by_time WHERE state = 'present'
AND (taken_at, asset) < (?, ?) ORDER BY taken_at DESC, asset DESC LIMIT ?"""
_MATCHING = "SELECT count(*) FROM words WHERE words MATCH ?"
_NEWEST = """SELECT a.asset, a.taken_at, 0.0 FROM assets AS a INDEXED BY assets_by_time
WHERE a.state = 'present' AND (a.taken_at, a.asset) < (?, ?)
  AND a.asset IN (SELECT rowid FROM words WHERE words MATCH ?)
ORDER BY a.taken_at DESC, a.asset DESC LIMIT ?"""
_RANKED = f"""SELECT a.asset, a.taken_at, round(-bm25(words, {_WEIGHTS}), 6) AS score
FROM words CROSS JOIN assets AS a ON a.asset = words.rowid WHERE words MATCH ? AND a.state = 'present'"""
_TOTAL = """SELECT count(*) FROM words CROSS JOIN assets AS a ON a.asset = words.rowid
WHERE words MATCH ? AND a.state = 'present'"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that was found, and why."""

    id: str
    path: str | None  # of a file of it on this device
    score: float
    why: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the hits of a search; `next` asks for those after it."""

    total: int
    chips: list[dict[str, str]]
    facets: dict[str, list[dict[str, Any]]]
    hits: list[Hit]
    next: str | None = field(default=None)


@dataclass(frozen=True, slots=True)
class _Term:
    text: str
    exclude: bool
    prefix: bool


def search(catalog: Catalog, words: str, *, limit: int = 50, after: str | None = None) -> Page:
    """The pictures that have all of `words`, best first; everything, newest first, when there are none.

    `after` is the `next` of the page before. UsageError for a limit below 1 or a cursor that is none.
    """
    if limit < 1:
        raise UsageError("--limit takes a number from 1 up.")
    terms = _parse(words)
    wanted = [t for t in terms if not t.exclude]
    chips = [{"kind": "exclude" if t.exclude else "word", "text": t.text} for t in terms]
    cursor = _cursor(after)
    if not wanted:
        if terms:
            raise UsageError("A search needs a word to look for, beside those to leave out.")
        rows = fetch(catalog.db, _ALL, (*(cursor or _FIRST)[:2], limit + 1))
        total = catalog.db.execute("SELECT count(*) FROM assets WHERE state = 'present'").get
        return _page(catalog, rows, limit, total, chips, {}, wanted)
    match = _expression(terms)
    if catalog.db.execute(_MATCHING, (match,)).get > RANKED:
        rows = fetch(catalog.db, _NEWEST, (*(cursor or _FIRST)[:2], match, limit + 1))
        return _page(catalog, rows, limit, catalog.db.execute(_TOTAL, (match,)).get, chips, {}, wanted)
    every = sorted(fetch(catalog.db, _RANKED, (match,)), key=_order)
    rest = (
        every if cursor is None else [row for row in every if _order(row) > _order((cursor[1], cursor[0], cursor[2]))]
    )
    facets = _facets(catalog, [row[0] for row in every]) if len(every) <= FACETED else {}
    return _page(catalog, rest[: limit + 1], limit, len(every), chips, facets, wanted)


_BEYOND = 1 << 62
_FIRST = (_BEYOND, _BEYOND, 0.0)


def _order(row: tuple[int, int, float]) -> tuple[float, int, int]:
    asset, taken_at, score = row
    return -score, -taken_at, -asset


def _parse(words: str) -> list[_Term]:
    terms = []
    for minus, phrase, word in _TERM.findall(unicodedata.normalize("NFC", words)):
        text = phrase or word
        if _TOKEN.search(text):
            terms.append(_Term(text.rstrip("*"), bool(minus), text.endswith("*") and not phrase))
    return terms


def _expression(terms: list[_Term]) -> str:
    """The query in the language of FTS5: each term a quoted string, so that nothing people type is an operator."""

    def quoted(term: _Term) -> str:
        return '"' + term.text.replace('"', " ").replace("\0", " ") + '"' + (" *" if term.prefix else "")

    wanted = " AND ".join(quoted(t) for t in terms if not t.exclude)
    excluded = " OR ".join(quoted(t) for t in terms if t.exclude)
    return f"({wanted}) NOT ({excluded})" if excluded else wanted


def _page(
    catalog: Catalog,
    rows: list[tuple[int, int, float]],
    limit: int,
    total: int,
    chips: list[dict[str, str]],
    facets: dict[str, list[dict[str, Any]]],
    wanted: list[_Term],
) -> Page:
    shown = rows[:limit]
    following = _encode(shown[-1]) if len(rows) > limit else None
    return Page(total, chips, facets, _hits(catalog, shown, wanted), following)


def _encode(row: tuple[int, int, float]) -> str:
    asset, taken_at, score = row
    return base64.urlsafe_b64encode(json.dumps([taken_at, asset, score]).encode()).decode().rstrip("=")


def _cursor(text: str | None) -> tuple[int, int, float] | None:
    if not text:
        return None
    try:
        taken_at, asset, score = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        cursor = int(taken_at), int(asset), float(score)
        if not all(-_BEYOND < part < _BEYOND for part in cursor):
            raise ValueError("out of range")
        return cursor
    except (ValueError, TypeError, OverflowError) as error:
        raise UsageError(f"--after takes the 'next' of the page before; {text[:40]!r} is none.") from error


_DOCUMENT = """SELECT a.asset, a.id,
  (SELECT CAST(group_concat(CAST(f.name AS TEXT), ' ') AS BLOB) FROM versions AS v
    CROSS JOIN files AS f ON f.content = v.content WHERE v.asset = a.asset),
  (SELECT group_concat(o.label, ' ') FROM versions AS v CROSS JOIN files AS f ON f.content = v.content
    CROSS JOIN folders AS o ON o.folder = f.folder WHERE v.asset = a.asset),
  a.title, a.caption,
  (SELECT group_concat(t.name, ' | ') FROM asset_tags AS x CROSS JOIN tags AS t ON t.tag = x.tag
    WHERE x.asset = a.asset),
  (SELECT group_concat(r.name, ' ') FROM regions AS r WHERE r.asset = a.asset),
  concat_ws(' ', p.name, p.city, p.region, p.country), concat_ws(' ', a.make, a.model, a.lens), a.creator, a.content
FROM carray(?) AS wanted CROSS JOIN assets AS a ON a.asset = wanted.value LEFT JOIN places AS p ON p.place = a.place"""


def _hits(catalog: Catalog, rows: list[tuple[int, int, float]], wanted: list[_Term]) -> list[Hit]:
    if not rows:
        return []
    documents = {row[0]: row for row in fetch(catalog.db, _DOCUMENT, (many([r[0] for r in rows]),))}
    hits = []
    for asset, _, score in rows:
        row = documents.get(asset)
        if row is None:
            continue  # another process erased it just now
        paths = catalog.files.paths_of(row[-1])
        path = os.fsdecode(paths[0][0]) if paths else None
        names = row[2].decode(errors="replace") if row[2] is not None else None  # a name need not be UTF-8
        hits.append(Hit(format_id(row[1]), path, score, _why((names, *row[3:-1]), wanted)))
    return hits


def _why(document: tuple[str | None, ...], wanted: list[_Term]) -> list[dict[str, Any]]:
    """In which parts of the document the words stand."""
    why = []
    for column, text in zip(_COLUMNS, document, strict=True):
        tokens = [_folded(t) for t in _TOKEN.findall(text or "")]
        found = [t.text for t in wanted if _stands(t, tokens)]
        if found:
            why.append({"channel": "words", "field": column, "words": found})
    return why


def _stands(term: _Term, tokens: list[str]) -> bool:
    parts = [_folded(t) for t in _TOKEN.findall(term.text)]
    size = len(parts)
    for start in range(len(tokens) - size + 1):
        piece = tokens[start : start + size]
        if piece == parts or (term.prefix and piece[:-1] == parts[:-1] and piece[-1].startswith(parts[-1])):
            return True
    return False


def _folded(token: str) -> str:
    """A token as FTS5's unicode61 tokenizer compares it: lower case, without diacritics."""
    decomposed = unicodedata.normalize("NFD", token.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


_FACETS = {
    "years": "SELECT strftime('%Y', a.taken_at / 1000, 'unixepoch') AS value, count(*) {of} GROUP BY 1",
    "cameras": "SELECT a.model AS value, count(*) {of} WHERE a.model IS NOT NULL GROUP BY 1",
    "places": "SELECT p.city AS value, count(*) {of} JOIN places AS p USING (place) WHERE p.city <> '' GROUP BY 1",
    "tags": "SELECT t.name AS value, count(*) {of} CROSS JOIN asset_tags AS x ON x.asset = a.asset "
    "CROSS JOIN tags AS t ON t.tag = x.tag GROUP BY t.tag",
}


def _facets(catalog: Catalog, assets: list[int]) -> dict[str, list[dict[str, Any]]]:
    """How the whole result divides by year, camera, place and tag: the twenty most frequent of each."""
    facets: dict[str, list[dict[str, Any]]] = {}
    for name, sql in _FACETS.items():
        rows: list[Any] = []
        if assets:
            statement = sql.format(of="FROM carray(?) AS wanted CROSS JOIN assets AS a ON a.asset = wanted.value")
            rows = fetch(catalog.db, statement + " ORDER BY 2 DESC, 1 LIMIT 20", (many(assets),))
        facets[name] = [{"value": value, "count": count} for value, count in rows]
    return facets
