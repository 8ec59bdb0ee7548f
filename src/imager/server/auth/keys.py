"""API keys: for programs, on behalf of a member, with scopes and an end. A key never exceeds its member.

It may do what its scopes say *and* what its member may just now: the member's role is looked up when it is used, and a
key of somebody who may no longer sign in opens nothing. No key makes keys, sessions or accounts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from imager.access import Principal
from imager.catalog import Catalog
from imager.catalog.connection import fetch
from imager.errors import NotFoundError, UsageError
from imager.server.asking import SCOPES, Asker, Scope
from imager.server.auth import tokens

_MOST: Final = 100  # keys of a member
_ROLE = "(SELECT g.role FROM grants AS g WHERE g.member = a.member AND g.album = 0)"
_ASKER = f"""SELECT k.id, k.member, k.scopes, coalesce(k.seen, 0), {_ROLE}
FROM api_keys AS k JOIN accounts AS a ON a.member = k.member
WHERE k.token = ? AND (k.expires IS NULL OR k.expires > ?) AND NOT a.disabled"""
_INSERT = "INSERT INTO api_keys (token, id, member, name, scopes, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)"
_LIST = """SELECT id, name, scopes, created, expires, seen FROM api_keys
WHERE member = ? ORDER BY created DESC, id"""


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as its member sees it: never the key itself."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    created: int
    expires: int | None
    seen: int | None


def create(
    catalog: Catalog, member: str, *, name: str, scopes: Iterable[Scope], expires: int | None = None
) -> tuple[str, Key]:
    """Make a key; its secret is told this once. `expires`: milliseconds since 1970; None: never."""
    wanted = tuple(scope for scope in SCOPES if scope in set(scopes))
    if not wanted:
        raise UsageError(f"A key needs a scope. There are: {', '.join(SCOPES)}.")
    text = " ".join(name.split())
    if not text or len(text) > 100 or not text.isprintable():
        raise UsageError("A key needs a name of 1 to 100 characters that can be printed.")
    now = catalog.now()
    if expires is not None and expires <= now:
        raise UsageError("That time has passed.")
    secret, kept = tokens.new(tokens.KEY_PREFIX)
    key = Key(tokens.new_id(), text, wanted, now, expires, None)
    with catalog.transaction(durable=True) as db:
        if db.execute("SELECT count(*) FROM api_keys WHERE member = ?", (member,)).get >= _MOST:
            raise UsageError(f"{_MOST} keys are enough. Revoke one that is not used.")
        db.execute(_INSERT, (kept, key.id, member, text, json.dumps(wanted), now, expires))
    return secret, key


def asker(catalog: Catalog, token: str) -> tuple[Asker, int] | None:
    """On whose behalf a key asks, and when it was last noted that it is used; None where it is none (more)."""
    row = catalog.db.execute(_ASKER, (tokens.digest(token), catalog.now())).fetchone()
    if row is None:
        return None
    key, member, scopes, seen, role = row
    return Asker(Principal(member), "key", frozenset(json.loads(scopes)) & frozenset(SCOPES), key, role), seen


def note(catalog: Catalog, key: str) -> None:
    """Note that a key is used."""
    with catalog.transaction(durable=False) as db:
        db.execute("UPDATE api_keys SET seen = ? WHERE id = ?", (catalog.now(), key))


def of_member(catalog: Catalog, member: str) -> list[Key]:
    """The keys of a member, the newest first."""
    return [
        Key(i, name, tuple(json.loads(scopes)), created, expires, seen)
        for i, name, scopes, created, expires, seen in fetch(catalog.db, _LIST, (member,))
    ]


def revoke(catalog: Catalog, member: str, key: str) -> None:
    """Revoke a key of a member; NotFoundError where they have none of that id."""
    with catalog.transaction(durable=True) as db:
        db.execute("DELETE FROM api_keys WHERE id = ? AND member = ?", (key, member))
        if not db.changes():
            raise NotFoundError("You have no such key.")
