"""The rules of access, deny by default: who has no role sees nothing, and knowing an id grants nothing.

1. A member has a role on the library, on albums, or none. A role on an album holds for all that is nested in it; of
   several, the strongest counts. Albums that are deleted, or lie in one that is, give nothing.
2. A picture is seen by who has a role on the library, or on an album that it was put into (what a saved query finds is
   not shared by sharing the album). An album is seen by who has a role on the library or on it.
3. A private picture is seen by its member alone, who needs rule 2 as anybody else.
4. Viewers see; editors also say things of what they see; owners also manage: give roles, delete, erase. Who has a role
   on albums alone manages these and not their pictures, which are the library's.
5. What one may not see is not there: naming it and naming nothing have one answer. Where files lie on the disk, and
   which of them failed, is for owners of the library alone.

What is done takes (`imager.library` holds to it):

- *Of a picture*: `edit` to say anything, into the trash included; of both for joining two, which must be private to the
  same member or to none, unless the asker owns the library. `manage` to erase it.
- *Private*: to hide a picture that is of all takes it from everybody else, owners included: `manage`. Whoever's it is
  lets it be seen again.
- *Pictures in albums*: `edit` of the album and of each picture that is put in or taken out. Of the picture too, or who
  edits an album could put into it what they only see, and edit that from then on. A cover need only be seen.
- *Albums*: `edit` of the library to make one at the top, of an album to make one in it and to change it. To delete one:
  `manage` of it, or `edit` of the library. To move one: the same, and `edit` of where it lay and of where it will. A
  saved query looks at the whole library: saving one takes a role there, too.
- *Roles*: `manage` of the library, or of the album that they are for; an editor of the library gives roles on albums,
  but none stronger than their own. Anybody may give up their own.
- *Taking back*: one's own batches, while one may still edit what they are about. Owners of the library take back
  anybody's, of what they see.
- *The library*: whatever reads or writes the disk of the server (adding, exporting, forgetting, the doctor): `manage`.

The rules stand here twice: as a condition for SQL, and as a mask over asset numbers for who searches in arrays. Tests
hold the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from imager.catalog import OWNER, RULES, Catalog
from imager.catalog.connection import fetch
from imager.errors import NotFoundError, UsageError

if TYPE_CHECKING:  # only masks need it: whoever just edits should not wait for it
    import numpy as np
    from numpy.typing import NDArray

Role = Literal["viewer", "editor", "owner"]
Action = Literal["view", "edit", "manage"]

_RANKS: Final[dict[Role, int]] = {"viewer": 1, "editor": 2, "owner": 3}
_NEEDED: Final[dict[Action, int]] = {"view": 1, "edit": 2, "manage": 3}
_OF_RANK: Final[dict[int, Role]] = {rank: role for role, rank in _RANKS.items()}

_ROLE_RANK = "CASE g.role WHEN 'owner' THEN 3 WHEN 'editor' THEN 2 ELSE 1 END"
_LIBRARY = "SELECT g.role FROM grants AS g WHERE g.member = ? AND g.album = 0"
_REACHED = """reached (album, granted) AS (
  SELECT b.album, EXISTS (SELECT 1 FROM grants AS g WHERE g.member = :access_member AND g.album = b.album)
  FROM albums AS b WHERE b.parent IS NULL AND b.name IS NOT NULL AND NOT b.deleted
  UNION SELECT b.album, reached.granted
    OR EXISTS (SELECT 1 FROM grants AS g WHERE g.member = :access_member AND g.album = b.album)
  FROM reached CROSS JOIN albums AS b ON b.parent = reached.album WHERE b.name IS NOT NULL AND NOT b.deleted)"""
_SEEN_ALBUMS = f"WITH RECURSIVE {_REACHED} SELECT reached.album FROM reached WHERE reached.granted"
_OPEN_ALBUMS = f"""WITH RECURSIVE {_REACHED}
SELECT reached.album FROM reached CROSS JOIN albums AS s ON s.album = reached.album
WHERE reached.granted AND s.query IS NULL"""
_VISIBLE = f"""((a.private IS NULL OR a.private = :access_member) AND (
  EXISTS (SELECT 1 FROM grants AS g WHERE g.member = :access_member AND g.album = 0)
  OR EXISTS (SELECT 1 FROM album_assets AS x WHERE x.asset = a.asset AND x.album IN ({_OPEN_ALBUMS}))))"""
_IN_OPEN = f"""SELECT x.asset FROM ({_OPEN_ALBUMS}) AS o
CROSS JOIN album_assets AS x ON x.album = o.album"""
_WITHIN = f"""WITH RECURSIVE chain (album) AS (
  SELECT ?2 UNION SELECT b.parent FROM chain CROSS JOIN albums AS b ON b.album = chain.album WHERE b.parent IS NOT NULL)
SELECT max({_ROLE_RANK}) FROM chain CROSS JOIN grants AS g ON g.member = ?1 AND g.album = chain.album"""
_CHAIN = f"""{_WITHIN} WHERE NOT EXISTS (SELECT 1 FROM chain AS c LEFT JOIN albums AS b ON b.album = c.album
  WHERE b.album IS NULL OR b.name IS NULL OR b.deleted)"""
_ALBUMS_OF = """SELECT x.album FROM album_assets AS x CROSS JOIN albums AS b ON b.album = x.album
WHERE x.asset = ? AND b.query IS NULL"""
_ASSET = """SELECT a.private, (SELECT g.role FROM grants AS g WHERE g.member = ?2 AND g.album = 0)
FROM assets AS a WHERE a.asset = ?1"""
_IS_ALBUM = "SELECT 1 FROM albums WHERE album = ?"
_GRANTS = "SELECT g.member, g.album, g.role FROM grants AS g ORDER BY g.member, g.album"
_GRANT = """INSERT INTO grants (member, album, role) VALUES (?1, ?2, ?3)
ON CONFLICT (member, album) DO UPDATE SET role = excluded.role"""
_REVOKE = "DELETE FROM grants WHERE member = ? AND album = ?"
_OTHER_OWNERS = "SELECT count(*) FROM grants AS g WHERE g.album = 0 AND g.role = 'owner' AND g.member <> ?"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a member, by the name under which edits know their author."""

    member: str = OWNER


def visible_sql(principal: Principal) -> tuple[str, dict[str, Any]]:
    """A condition on `assets AS a` that holds for what the principal sees, with its named bindings."""
    return _VISIBLE, {"access_member": principal.member}


def visible_mask(
    principal: Principal, catalog: Catalog, size: int, private: NDArray[np.integer[Any]], own: int | None
) -> NDArray[np.bool_] | None:
    """The same, as a mask over the asset numbers below `size`; None: all of them are seen.

    `private` has for each number a code of whose private picture it is, 0 where it is of all; `own` is the code of
    the principal (None: has no private picture). Numbers without an asset may be seen or not.
    """
    import numpy as np

    others = private[:size] != 0
    if own is not None:
        others &= private[:size] != own
    if catalog.db.execute(_LIBRARY, (principal.member,)).get is not None:
        return ~others if others.any() else None
    rows = fetch(catalog.db, _IN_OPEN, {"access_member": principal.member})
    assets = np.fromiter((asset for (asset,) in rows), np.int64, len(rows))
    mask = np.zeros(size, np.bool_)
    mask[assets[assets < size]] = True
    mask[: len(others)] &= ~others
    return mask


def visible_albums(principal: Principal, catalog: Catalog) -> frozenset[int] | None:
    """The albums (by number) that the principal sees; None: all of them."""
    if catalog.db.execute(_LIBRARY, (principal.member,)).get is not None:
        return None
    return frozenset(album for (album,) in fetch(catalog.db, _SEEN_ALBUMS, {"access_member": principal.member}))


def role_on(principal: Principal, catalog: Catalog, *, album: int | None = None, deleted: bool = False) -> Role | None:
    """The role that counts on an album (by number), or on the library: the strongest; None: no role.

    `deleted`: the one that it gave before it was deleted (or what it lies in was) counts, too.
    """
    role = catalog.db.execute(_LIBRARY, (principal.member,)).get
    rank = _RANKS[cast(Role, role)] if role is not None else 0
    if album is not None:
        found = catalog.db.execute(_WITHIN if deleted else _CHAIN, (principal.member, album)).get
        rank = max(rank, found or 0)
    return _OF_RANK.get(rank)


def may(
    principal: Principal, action: Action, catalog: Catalog, *, album: int | None = None, asset: int | None = None
) -> bool:
    """Whether the principal may do that with an album or an asset (by number), or else with the library."""
    needed = _NEEDED[action]
    if asset is None:
        role = role_on(principal, catalog, album=album)
        return role is not None and _RANKS[role] >= needed
    row = catalog.db.execute(_ASSET, (asset, principal.member)).get
    if row is None or row[0] not in (None, principal.member):
        return False
    if row[1] is not None and _RANKS[cast(Role, row[1])] >= needed:
        return True
    if action == "manage":
        return False
    held = albums_holding(catalog, asset)
    return any((catalog.db.execute(_CHAIN, (principal.member, of)).get or 0) >= needed for of in held)


def albums_holding(catalog: Catalog, asset: int) -> list[int]:
    """The albums (by number), deleted ones included, that an asset was put into: it is seen through any of these."""
    return [album for (album,) in fetch(catalog.db, _ALBUMS_OF, (asset,))]


def granted(catalog: Catalog) -> list[tuple[str, int, Role]]:
    """Every role that was given: member, album (0: the library), role."""
    return [(member, album, cast(Role, role)) for member, album, role in fetch(catalog.db, _GRANTS)]


def grant(catalog: Catalog, member: str, role: Role, *, album: int = 0) -> None:
    """Give a member a role on an album (by number), or on the library, in place of one they may have there."""
    if role not in _RANKS:
        raise UsageError(f"There is no role {role!r}. These can be given: {', '.join(_RANKS)}.")
    if not member or member == RULES:
        raise UsageError("A role needs a member.")
    if album and catalog.db.execute(_IS_ALBUM, (album,)).get is None:
        raise NotFoundError("There is no such album.")
    if role != "owner":
        _keep_an_owner(catalog, member, album)
    _write(catalog, _GRANT, (member, album, role))


def revoke(catalog: Catalog, member: str, *, album: int = 0) -> None:
    """Take a member's role away; one that they don't have is no error."""
    _keep_an_owner(catalog, member, album)
    _write(catalog, _REVOKE, (member, album))


def _keep_an_owner(catalog: Catalog, member: str, album: int) -> None:
    if album == 0 and not catalog.db.execute(_OTHER_OWNERS, (member,)).get:
        raise UsageError(f"{member} is the only owner of the library. Give somebody else that role first.")


def _write(catalog: Catalog, sql: str, bindings: tuple[Any, ...]) -> None:
    with catalog.transaction(durable=True) as db:
        db.execute(sql, bindings)
        if db.changes():  # what is kept for a state of the library follows who sees what, too
            db.execute("UPDATE library SET changes = changes + 1")
