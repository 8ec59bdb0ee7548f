"""Albums, as people arrange them: each function turns what they want into edits, or finds what is there.

Whatever is said here is one batch, which one undo takes back; who may say it has been asked before (`imager.access`, by
the library). How edits become albums: `catalog/albums.py`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import apsw

from imager.access import Principal, visible_albums, visible_sql
from imager.catalog import OWNER, Catalog, Statement
from imager.catalog.albums import (
    COVER,
    DELETED,
    DESCRIPTION,
    LIVE,
    MEMBER,
    NAME,
    PARENT,
    POSITION,
    QUERY,
    key_of,
)
from imager.catalog.connection import fetch, many
from imager.catalog.identity import format_id, parse_id, random_id
from imager.errors import NotFoundError, UsageError
from imager.organise import order
from imager.query import codec
from imager.query.model import Query
from imager.query.printer import print_query

OWNING: Final = Principal()
"""The owner, who asks where nobody else is named."""

_IDS = "SELECT a.asset, a.id FROM carray(?) AS wanted CROSS JOIN assets AS a ON a.asset = wanted.value"
_INSIDE = """SELECT x.asset FROM carray(?1) AS wanted
CROSS JOIN album_assets AS x ON x.asset = wanted.value AND x.album = ?2"""
_IN_ORDER = "SELECT x.asset, x.position FROM album_assets AS x WHERE x.album = ? ORDER BY x.position, x.asset"
_COUNTED = "SELECT x.album, count(*) FROM album_assets AS x GROUP BY x.album"
_ASIDE = """SELECT x.album, count(*) FROM assets AS a CROSS JOIN album_assets AS x ON x.asset = a.asset
WHERE a.state <> 'present' GROUP BY x.album"""
_HIDDEN = """SELECT x.album, count(*) FROM assets AS a CROSS JOIN album_assets AS x ON x.asset = a.asset
WHERE a.private IS NOT NULL AND a.private <> ? AND a.state = 'present' GROUP BY x.album"""
_SEEN = visible_sql(Principal())[0]
_PRESENT = f"""SELECT a.asset, a.id FROM versions AS v CROSS JOIN assets AS a ON a.asset = v.asset
WHERE v.id = :id AND a.state = 'present' AND {_SEEN}"""
_FIRST = f"""SELECT a.asset, a.id FROM album_assets AS x CROSS JOIN assets AS a ON a.asset = x.asset
WHERE x.album = :album AND a.state = 'present' AND {_SEEN} ORDER BY x.position, x.asset LIMIT 1"""
_PAGE = f"""SELECT x.asset, a.id, a.content, x.position
FROM album_assets AS x CROSS JOIN assets AS a ON a.asset = x.asset
WHERE x.album = :album AND x.position > :after AND a.state = 'present' AND {_SEEN}
ORDER BY x.position, x.asset LIMIT :limit"""


@dataclass(frozen=True, slots=True)
class Album:
    """An album that people see."""

    number: int
    id: bytes
    name: str
    parent: int | None
    position: str  # among its siblings; '': none was given, they follow by name
    query: dict[str, Any] | None  # of a smart album: JSON, see imager.query.codec
    description: str | None
    cover: bytes | None  # as people chose it
    created: int  # milliseconds since 1970
    path: tuple[str, ...]  # names, from the top down to its own

    @property
    def hex(self) -> str:
        """Its id, as edits name it."""
        return self.id.hex()


class Member(NamedTuple):
    """A picture in an album, with its place there: `pictures` takes that for what follows."""

    asset: int
    id: bytes
    content: int
    position: str


# ── finding ─────────────────────────────────────────────────────────────────────────────────────────────────────


def tree(catalog: Catalog, principal: Principal | None = None) -> list[Album]:
    """All albums that are not deleted, each followed by what is nested in it; siblings in their order.

    With a principal those that they see: what these lie in that is not seen has no part in paths, either.
    """
    shown = None if principal is None else visible_albums(principal, catalog)
    children: dict[int | None, list[tuple[Any, ...]]] = {}
    for row in fetch(catalog.db, LIVE):
        children.setdefault(row[3], []).append(row)
    found: list[Album] = []
    waiting: list[tuple[tuple[Any, ...], tuple[str, ...]]] = [(row, ()) for row in reversed(_sorted(children, None))]
    while waiting:
        row, above = waiting.pop()
        path: tuple[str, ...] = ()
        if shown is None or row[0] in shown:
            path = (*above, row[2])
            query = None if row[5] is None else json.loads(row[5])
            parent = row[3] if above else None
            found.append(Album(row[0], row[1], row[2], parent, row[4], query, row[6], row[7], row[8], path))
        waiting += [(child, path) for child in reversed(_sorted(children, row[0]))]
    return found


def _sorted(children: dict[int | None, list[tuple[Any, ...]]], parent: int | None) -> list[tuple[Any, ...]]:
    return sorted(children.get(parent, []), key=lambda row: (row[4] == "", row[4], _folded(row[2]), row[1]))


def find(catalog: Catalog, reference: str, principal: Principal | None = None) -> Album:
    """The album of that id, name or path ('Trips/2021'), with a principal: of those that they see.

    A path from the top means just that album; else it is enough that it ends so. NotFoundError where there is none,
    UsageError with the candidates where there are several.
    """
    every = tree(catalog, principal)
    identifier = parse_id(reference)
    if identifier is not None and (known := [a for a in every if a.id == identifier]):
        return known[0]
    asked = _folded(reference).strip().strip("/")
    paths = [(_folded("/".join(album.path)), album) for album in every]
    found = [album for path, album in paths if path == asked] or [
        album for path, album in paths if path.endswith(f"/{asked}")
    ]
    if not found or not asked:
        raise NotFoundError(f"There is no album {reference}. 'imager albums' lists them.")
    if len(found) > 1:
        named = "; ".join(f"{'/'.join(album.path)} ({format_id(album.id)})" for album in found)
        raise UsageError(f"Several albums are called {reference}: {named}. Name one by its path or its id.")
    return found[0]


def counts(catalog: Catalog, principal: Principal = OWNING) -> dict[int, int]:
    """How many pictures of each album (by number) somebody sees: not in the trash, not missing, not private."""
    held = dict(fetch(catalog.db, _COUNTED))
    for album, aside in fetch(catalog.db, _ASIDE) + fetch(catalog.db, _HIDDEN, (principal.member,)):
        held[album] -= aside
    return held


def cover(catalog: Catalog, album: Album, principal: Principal = OWNING) -> tuple[int, bytes] | None:
    """The picture (number and id) that stands for an album: the chosen one, else its first; None: it shows none."""
    asked = visible_sql(principal)[1] | {"id": album.cover, "album": album.number}
    found = fetch(catalog.db, _PRESENT, asked) if album.cover is not None else []
    if not found and album.query is None:
        found = fetch(catalog.db, _FIRST, asked)
    return found[0] if found else None


def pictures(
    catalog: Catalog, album: Album, *, limit: int, after: str = "", principal: Principal = OWNING
) -> list[Member]:
    """What was put into an album, in its order."""
    asked = visible_sql(principal)[1] | {"album": album.number, "after": after, "limit": limit}
    return [Member(*row) for row in fetch(catalog.db, _PAGE, asked)]


def described(catalog: Catalog, album: Album, count: int | None, principal: Principal = OWNING) -> dict[str, Any]:
    """An album as JSON; `query` is the text of a smart one's, None also where no text says it."""
    chosen = cover(catalog, album, principal)
    return {
        "id": format_id(album.id),
        "name": album.name,
        "path": list(album.path),
        "description": album.description,
        "smart": album.query is not None,
        "query": _as_text(album),
        "count": count,
        "cover": None if chosen is None else format_id(chosen[1]),
    }


def query_of(album: Album) -> Query | None:
    """The query of a smart album; None also for one that a newer Imager wrote."""
    try:
        return None if album.query is None else codec.from_json(album.query)
    except UsageError:
        return None


def _as_text(album: Album) -> str | None:
    try:
        query = query_of(album)
        return None if query is None else print_query(query)
    except UsageError:
        return None


# ── saying ──────────────────────────────────────────────────────────────────────────────────────────────────────


def create(
    catalog: Catalog,
    name: str,
    *,
    parent: Album | None = None,
    query: Query | None = None,
    new_id: Callable[[], bytes] = random_id,
    author: str = OWNER,
) -> tuple[Album, str]:
    """Make an album, within another or at the top; with a query it is a smart one. The album, and the batch to undo."""
    kept = _name(name)
    for album in tree(catalog):
        if album.parent == (parent and parent.number) and _folded(album.name) == _folded(kept):
            # By the parent's path as the asker knows it: what that lies in may not be theirs to see.
            path = "/".join((*(parent.path if parent is not None else ()), album.name))
            raise UsageError(f"There is an album {path} already ({format_id(album.id)}).")
    own = new_id()
    statements = [Statement(own, NAME, kept)]
    if parent is not None:
        statements.append(Statement(own, PARENT, parent.hex))
    if query is not None:
        statements.append(Statement(own, QUERY, codec.to_json(query)))
    batch = catalog.say(statements, author=author)
    return find(catalog, own.hex()), batch


def rename(catalog: Catalog, album: Album, name: str, *, author: str = OWNER) -> str:
    """Call an album otherwise."""
    return catalog.say([Statement(album.id, NAME, _name(name))], author=author)


def describe(catalog: Catalog, album: Album, text: str, *, author: str = OWNER) -> str:
    """Say what an album is about; '' takes that away."""
    kept = _clean(text)
    return catalog.say([Statement(album.id, DESCRIPTION, kept or None)], author=author)


def set_query(catalog: Catalog, album: Album, query: Query | None, *, author: str = OWNER) -> str:
    """Make an album show what a query finds, or (None) again what was put into it."""
    return catalog.say([Statement(album.id, QUERY, None if query is None else codec.to_json(query))], author=author)


def set_cover(catalog: Catalog, album: Album, asset: int | None, *, author: str = OWNER) -> str:
    """Choose the picture that stands for an album; None: its first again."""
    chosen = None if asset is None else _ids(catalog, [asset])[asset].hex()
    return catalog.say([Statement(album.id, COVER, chosen)], author=author)


def delete(catalog: Catalog, album: Album, *, author: str = OWNER) -> str:
    """Delete an album; what is nested in it is hidden with it, the pictures stay, and undoing brings all of it back."""
    return catalog.say([Statement(album.id, DELETED, True)], author=author)


def move(
    catalog: Catalog,
    album: Album,
    parent: Album | None,
    *,
    before: Album | None = None,
    after: Album | None = None,
    author: str = OWNER,
) -> str:
    """Nest an album in another (None: at the top), beside one that is there, or else where its name belongs."""
    every = {a.number: a for a in tree(catalog)}
    at = parent
    while at is not None:
        if at.number == album.number:
            raise UsageError(f"{album.name} can't be moved into itself.")
        at = None if at.parent is None else every.get(at.parent)
    number = None if parent is None else parent.number
    statements = [Statement(album.id, PARENT, None if parent is None else parent.hex)]
    beside = before or after
    if beside is None:
        return catalog.say([*statements, Statement(album.id, POSITION, None)], author=author)
    siblings = [a for a in every.values() if a.parent == number and a.number != album.number]
    if beside.number not in [a.number for a in siblings]:
        raise UsageError(f"{'/'.join(beside.path)} does not lie beside where {album.name} is to be.")
    place = [a.number for a in siblings].index(beside.number) + (before is None)
    keys = order.insert([a.position or None for a in siblings], place)
    return catalog.say(
        statements + [Statement(album.id if n < 0 else siblings[n].id, POSITION, key) for n, key in keys.items()],
        author=author,
    )


def add(catalog: Catalog, album: Album, assets: Iterable[int], *, author: str = OWNER) -> str | None:
    """Put pictures into an album, each where its time belongs; None where all of them were in it already."""
    _refuse_smart(album)
    wanted = dict.fromkeys(assets)
    for (asset,) in _each(catalog.db, _INSIDE, wanted, album.number):
        del wanted[asset]
    return _say_of(catalog, album, wanted, 1, author)


def remove(catalog: Catalog, album: Album, assets: Iterable[int], *, author: str = OWNER) -> str | None:
    """Take pictures out of an album; None where none of them was in it."""
    _refuse_smart(album)
    inside = [a for (a,) in _each(catalog.db, _INSIDE, dict.fromkeys(assets), album.number)]
    return _say_of(catalog, album, inside, 0, author)


def reorder(
    catalog: Catalog,
    album: Album,
    asset: int,
    *,
    before: int | None = None,
    after: int | None = None,
    author: str = OWNER,
) -> str:
    """Put a picture of an album before or after another one of it."""
    _refuse_smart(album)
    beside = before if before is not None else after
    rows = [row for row in fetch(catalog.db, _IN_ORDER, (album.number,)) if row[0] != asset]
    here = [number for number, _ in rows]
    if beside is None or beside == asset:
        raise UsageError("Name another picture of the album, before or after which this one is to be.")
    if beside not in here or not fetch(catalog.db, _INSIDE, (many([asset]), album.number)):
        raise NotFoundError(f"Both pictures have to be in {album.name}.")
    keys = order.insert([key_of(position) for _, position in rows], here.index(beside) + (before is None))
    moved = {asset if n < 0 else here[n]: key for n, key in keys.items()}
    ids = _ids(catalog, moved)
    return catalog.say([Statement(ids[number], MEMBER, key, album.hex) for number, key in moved.items()], author=author)


def _say_of(catalog: Catalog, album: Album, assets: Iterable[int], value: Any, author: str) -> str | None:
    statements = [Statement(i, MEMBER, value, album.hex) for i in _ids(catalog, assets).values()]
    return catalog.say(statements, author=author) if statements else None


def _ids(catalog: Catalog, assets: Iterable[int]) -> dict[int, bytes]:
    """The ids of assets, in their order; unknown ones are passed over."""
    return dict(_each(catalog.db, _IDS, dict.fromkeys(assets)))


def _each(db: apsw.Connection, sql: str, assets: dict[int, Any], *more: Any) -> Sequence[Any]:
    return fetch(db, sql, (many(assets), *more)) if assets else []


def _refuse_smart(album: Album) -> None:
    if album.query is not None:
        raise UsageError(f"{album.name} shows what its query finds: nothing can be put into it, taken out or ordered.")


def _name(name: str) -> str:
    kept = _clean(name)
    if not kept:
        raise UsageError("An album needs a name.")
    return kept


def _clean(text: str) -> str:
    """NFC, without control characters, spaces as one; what the shell gives need not be UTF-8."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode())
    return " ".join("".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text).split())


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())
