"""Share links: who has one sees an album, or a selection, without an account.

A link is a token of 256 random bits, shown once and kept as its SHA-256. It never shows more than its maker sees just
then: every look goes through the library as its maker's (`imager.access`), and of that only what the link is for.
Private pictures, and what lies in the trash, are shown by no link, even if its maker sees them. A link whose maker may
no longer sign in shows nothing. To make one takes an editor: of the album, or of each picture.

What has ended, was revoked, or never was, has one answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from imager import access
from imager.access import visible_sql
from imager.catalog import Catalog
from imager.catalog.connection import fetch, many
from imager.catalog.identity import format_id, parse_id
from imager.errors import ForbiddenError, NotFoundError, UsageError
from imager.library import Library
from imager.organise import albums
from imager.server.auth import tokens

SELECTION: Final = 10_000
"""Pictures that a selection may have."""

_MOST: Final = 1_000  # links of a member
_COLUMNS = "s.id, s.member, s.name, s.album, s.password, s.download, s.details, s.created, s.expires, s.revoked"
_OPEN = f"""SELECT {_COLUMNS} FROM shares AS s WHERE s.token = ? AND NOT s.revoked
AND (s.expires IS NULL OR s.expires > ?)
AND NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.member = s.member AND a.disabled)"""
_LIST = f"SELECT {_COLUMNS} FROM shares AS s WHERE s.member = ? ORDER BY s.created DESC, s.id"
_ONE = f"SELECT {_COLUMNS} FROM shares AS s WHERE s.id = ? AND s.member = ?"
_COUNT = "SELECT count(*) FROM shares AS s WHERE s.member = ?"
_INSERT = """INSERT INTO shares (token, id, member, name, album, password, download, details, created, expires)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_CHANGE = """UPDATE shares SET name = ?2, password = ?3, download = ?4, details = ?5, expires = ?6, revoked = ?7
WHERE id = ?1"""
_SELECT = "INSERT OR IGNORE INTO share_assets (share, id) VALUES (?, ?)"
_SHOWN = f"a.state = 'present' AND a.private IS NULL AND {visible_sql(access.Principal())[0]}"
_SELECTED = f"""SELECT DISTINCT a.taken_at, a.asset FROM share_assets AS s CROSS JOIN versions AS v ON v.id = s.id
CROSS JOIN assets AS a ON a.asset = v.asset WHERE s.share = :share AND {_SHOWN}
ORDER BY a.taken_at DESC, a.asset DESC"""
_IN_SELECTION = f"""SELECT 1 FROM assets AS a CROSS JOIN versions AS v ON v.asset = a.asset
CROSS JOIN share_assets AS s ON s.share = :share AND s.id = v.id WHERE a.asset = :asset AND {_SHOWN} LIMIT 1"""
_OF_ALBUM = f"""SELECT x.position, a.asset FROM album_assets AS x CROSS JOIN assets AS a ON a.asset = x.asset
WHERE x.album = :album AND {_SHOWN} ORDER BY x.position, a.asset"""
_IN_ALBUM = f"""SELECT 1 FROM album_assets AS x CROSS JOIN assets AS a ON a.asset = x.asset
WHERE x.asset = :asset AND x.album = :album AND {_SHOWN}"""
_MAY_SHOW = f"SELECT a.asset FROM carray(:assets) AS w CROSS JOIN assets AS a ON a.asset = w.value WHERE {_SHOWN}"
_ROWS = """SELECT a.asset, a.id, a.width, a.height, a.kind, a.duration, a.thumbhash, a.name, a.taken_at, c.sha256
FROM carray(?) AS wanted CROSS JOIN assets AS a ON a.asset = wanted.value
CROSS JOIN contents AS c ON c.content = a.content"""


@dataclass(frozen=True, slots=True)
class Share:
    """A link, as its maker has it. The token is not known."""

    id: str
    member: str
    name: str
    album: bytes | None
    password: str | None
    download: bool
    details: bool
    created: int
    expires: int | None
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that a link shows."""

    asset: int
    id: str
    width: int | None
    height: int | None
    kind: str
    duration: float | None
    thumbhash: bytes | None
    name: str
    taken_at: int
    sha256: bytes


# ── as its maker has it ─────────────────────────────────────────────────────────────────────────────────────────


def create(
    library: Library,
    *,
    album: str | None = None,
    ids: Iterable[str] = (),
    name: str = "",
    password: str | None = None,
    download: bool = False,
    details: bool = False,
    expires: int | None = None,
) -> tuple[str, Share]:
    """Make a link to an album or a selection; its token is told this once. `password` as `passwords.hashed` gave it.

    NotFoundError: what the asker does not see; ForbiddenError: what they may not share; UsageError: neither or both.
    """
    catalog, principal = library.catalog, library.principal
    wanted = list(dict.fromkeys(ids))
    if (album is None) == (not wanted):
        raise UsageError("Share either an album or some pictures.")
    own: bytes | None = None
    if album is not None:
        found = albums.find(catalog, album, principal)
        if not access.may(principal, "edit", catalog, album=found.number):
            raise ForbiddenError(f"You may look at {found.name}, but not share it.")
        own, name = found.id, name or found.name
    chosen = [_chosen(library, text) for text in wanted]
    now = catalog.now()
    _check_expiry(expires, now)
    token, kept = tokens.new()
    share = Share(tokens.new_id(), principal.member, name, own, password, download, details, now, expires)
    row = (kept, share.id, share.member, name, own, password, int(download), int(details), now, expires)
    with catalog.transaction(durable=True) as db:
        if db.execute(_COUNT, (share.member,)).get >= _MOST:
            raise UsageError(f"{_MOST:,} links are enough. Delete one that is not used.")
        db.execute(_INSERT, row)
        db.executemany(_SELECT, [(share.id, identifier) for identifier in chosen])
    return token, share


def of_member(catalog: Catalog, member: str) -> list[Share]:
    """A member's links, latest first."""
    return [_share(row) for row in fetch(catalog.db, _LIST, (member,))]


def one(catalog: Catalog, member: str, identifier: str) -> Share:
    """A member's link by its id; NotFoundError for anybody else's, as for none."""
    found = fetch(catalog.db, _ONE, (identifier, member))
    if not found:
        raise NotFoundError("There is no such share link of yours.")
    return _share(found[0])


def change(catalog: Catalog, member: str, identifier: str, **values: Any) -> Share:
    """Change name, password (hashed; None: none), download, details, expires of a link, or revoke it."""
    before = one(catalog, member, identifier)
    if before.revoked:
        raise UsageError("That link was revoked. Make a new one.")
    share = replace(before, **values)
    if share.expires != before.expires:
        _check_expiry(share.expires, catalog.now())
    row = (share.id, share.name, share.password, int(share.download), int(share.details), share.expires)
    with catalog.transaction(durable=True) as db:
        db.execute(_CHANGE, (*row, int(share.revoked)))
    return share


def delete(catalog: Catalog, member: str, identifier: str) -> None:
    """Revoke a link, and forget it."""
    share = one(catalog, member, identifier)
    with catalog.transaction(durable=True) as db:
        db.execute("DELETE FROM shares WHERE id = ?", (share.id,))


def chosen(catalog: Catalog, share: Share) -> int | None:
    """How many pictures were chosen for a link; None for one to an album."""
    if share.album is not None:
        return None
    return int(catalog.db.execute("SELECT count(*) FROM share_assets WHERE share = ?", (share.id,)).get)


def _chosen(library: Library, text: str) -> bytes:
    identifier, seen = parse_id(text), library.sees(text)
    if identifier is None or seen is None:
        raise NotFoundError(f"There is no picture {text[:100]} in the library.")
    if not access.may(library.principal, "edit", library.catalog, asset=seen[0]):
        raise ForbiddenError("You may look at this picture, but not share it.")
    return identifier


def _check_expiry(expires: int | None, now: int) -> None:
    if expires is not None and expires <= now:
        raise UsageError("That time has passed.")


# ── as its visitors have it ─────────────────────────────────────────────────────────────────────────────────────


def opened(catalog: Catalog, token: str) -> Share | None:
    """The link of a token, if it still opens something."""
    if not 20 <= len(token) <= 100:
        return None
    found = fetch(catalog.db, _OPEN, (tokens.digest(token), catalog.now()))
    return _share(found[0]) if found else None


def pictures(library: Library, share: Share) -> list[int]:
    """The numbers of all pictures that a link shows now, in their order. `library`: as the link's maker sees it.

    NotFoundError where its album is not there for its maker any more.
    """
    catalog = library.catalog
    asked = _asked(library, share)
    if share.album is None:
        return [asset for _, asset in fetch(catalog.db, _SELECTED, asked)]
    album = _album(library, share)
    if album.query is None:
        return [asset for _, asset in fetch(catalog.db, _OF_ALBUM, asked | {"album": album.number})]
    query = albums.query_of(album)
    if query is None:
        return []
    with library._looking(query, as_it_is=True) as (index, mask):
        order = index.order
        found = [int(n) for n in (order if mask is None else order[mask[order]])]
    if not found:
        return []
    shown = {asset for (asset,) in fetch(catalog.db, _MAY_SHOW, asked | {"assets": many(found)})}
    return [asset for asset in found if asset in shown]


def shows(library: Library, share: Share, asset_id: str) -> Picture:
    """One picture of a link; NotFoundError where it does not show that (now), as for none."""
    seen = library.sees(asset_id)
    if seen is not None and _shows(library, share, seen[0]):
        return rows(library, [seen[0]])[0]
    raise NotFoundError("There is no such picture behind this link.")


def rows(library: Library, assets: list[int]) -> list[Picture]:
    """What is told of pictures, by their numbers, in that order."""
    if not assets:
        return []
    found = {row[0]: row for row in fetch(library.catalog.db, _ROWS, (many(assets),))}
    return [Picture(n, format_id(found[n][1]), *found[n][2:]) for n in assets if n in found]


def after(library: Library, found: list[int], asset_id: str | None) -> list[int]:
    """Those of some pictures that follow one; all of them for None, UsageError where it is not among them."""
    if asset_id is None:
        return found
    seen = library.sees(asset_id)
    if seen is None or seen[0] not in found:
        raise UsageError("That page has no next one any more. Begin anew.")
    return found[found.index(seen[0]) + 1 :]


def _shows(library: Library, share: Share, asset: int) -> bool:
    db, asked = library.catalog.db, _asked(library, share) | {"asset": asset}
    if share.album is None:
        return db.execute(_IN_SELECTION, asked).get is not None
    album = _album(library, share)
    if album.query is None:
        return db.execute(_IN_ALBUM, asked | {"album": album.number}).get is not None
    query = albums.query_of(album)
    if query is None:
        return False
    with library._looking(query, as_it_is=True) as (_, mask):
        if mask is not None and not (asset < len(mask) and mask[asset]):
            return False
    return bool(fetch(library.catalog.db, _MAY_SHOW, asked | {"assets": many([asset])}))


def _album(library: Library, share: Share) -> albums.Album:
    assert share.album is not None
    return albums.find(library.catalog, format_id(share.album), library.principal)


def _asked(library: Library, share: Share) -> dict[str, Any]:
    if library.principal.member != share.member:
        raise AssertionError("a link is looked at as its maker sees the library")
    return visible_sql(library.principal)[1] | {"share": share.id}


def _share(row: tuple[Any, ...]) -> Share:
    identifier, member, name, album, password, download, details, created, expires, revoked = row
    return Share(
        identifier, member, name, album, password, bool(download), bool(details), created, expires, bool(revoked)
    )
