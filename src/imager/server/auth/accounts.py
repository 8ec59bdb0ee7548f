"""Accounts: the members of a library as people who sign in. Their roles are `imager.access`'s, by the same name.

All functions take the catalog; those that change something hold its write lock. Who may call them is decided by routes
and commands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from imager import access
from imager.access import Principal, Role
from imager.catalog import OWNER, RULES, Catalog
from imager.catalog.connection import fetch
from imager.errors import NotFoundError, UsageError

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

_COLUMNS = "a.member, a.name, a.password IS NOT NULL, a.disabled, a.created"
_ALL = f"SELECT {_COLUMNS} FROM accounts AS a ORDER BY a.created, a.member"
_ONE = f"SELECT {_COLUMNS} FROM accounts AS a WHERE a.member = ?"
_INSERT = "INSERT INTO accounts (member, name, password, created) VALUES (?, ?, ?, ?)"
_LOCAL = "INSERT OR IGNORE INTO accounts (member, name, created) VALUES (?, ?, ?)"
_END_SESSIONS = "DELETE FROM sessions WHERE member = ?"
_OWNERS = """SELECT g.member FROM grants AS g JOIN accounts AS a ON a.member = g.member
WHERE g.album = 0 AND g.role = 'owner' AND a.password IS NOT NULL AND NOT a.disabled"""
_ANY_PASSWORD = "SELECT 1 FROM accounts WHERE password IS NOT NULL LIMIT 1"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Account:
    """A member who can sign in, or could."""

    member: str
    name: str
    role: Role | None
    password: bool
    """Whether one is set: without, only a one-time link lets them in."""
    disabled: bool
    created: int


def all_accounts(catalog: Catalog) -> list[Account]:
    """Every account, the oldest first."""
    return [_account(catalog, row) for row in fetch(catalog.db, _ALL)]


def account(catalog: Catalog, member: str) -> Account:
    """One account, or NotFoundError."""
    row = catalog.db.execute(_ONE, (member,)).fetchone()
    if row is None:
        raise NotFoundError(f"There is no member {member}.")
    return _account(catalog, row)


def create(
    catalog: Catalog, member: str, *, name: str | None = None, role: Role | None = None, password: str | None = None
) -> Account:
    """Make an account; `password` is what `passwords.hashed` gave. UsageError where the name is taken or makes none."""
    if not _NAME.fullmatch(member) or member == RULES:
        raise UsageError(
            "A member is named by 1 to 63 small letters, digits, dots, dashes and underscores, a letter or digit first."
        )
    with catalog.transaction(durable=True) as db:
        if db.execute(_ONE, (member,)).fetchone() is not None:
            raise UsageError(f"There is a member {member} already.")
        db.execute(_INSERT, (member, _shown(name or member), password, catalog.now()))
    if role is not None:
        access.grant(catalog, member, role)
    return account(catalog, member)


def ensure_owner(catalog: Catalog) -> None:
    """Make the account of who made the library, without a password, where it has none."""
    with catalog.transaction(durable=True) as db:
        db.execute(_LOCAL, (OWNER, "Owner", catalog.now()))


def set_password(catalog: Catalog, member: str, encoded: str, *, keep: str | None = None) -> None:
    """Give an account another password; all its sessions end but the one with the id `keep`."""
    account(catalog, member)
    with catalog.transaction(durable=True) as db:
        db.execute("UPDATE accounts SET password = ?, failures = 0, locked = 0 WHERE member = ?", (encoded, member))
        db.execute(f"{_END_SESSIONS} AND id <> ?", (member, keep or ""))
        db.execute("DELETE FROM openings WHERE member = ?", (member,))


def set_name(catalog: Catalog, member: str, name: str) -> None:
    """Call a member otherwise; their name for edits and roles stays."""
    account(catalog, member)
    with catalog.transaction(durable=True) as db:
        db.execute("UPDATE accounts SET name = ? WHERE member = ?", (_shown(name), member))


def set_disabled(catalog: Catalog, member: str, disabled: bool) -> None:
    """Let a member in no more, or again. Their sessions end; API keys rest. The last owner stays."""
    account(catalog, member)
    if disabled and _only_owner(catalog, member):
        raise UsageError(f"{member} is the only owner who can sign in. Give somebody else that role first.")
    with catalog.transaction(durable=True) as db:
        db.execute("UPDATE accounts SET disabled = ? WHERE member = ?", (disabled, member))
        if disabled:
            db.execute(_END_SESSIONS, (member,))
            db.execute("DELETE FROM openings WHERE member = ?", (member,))


def set_role(catalog: Catalog, member: str, role: Role | None) -> None:
    """Give a member another role on the library; None: none. The last owner stays one."""
    account(catalog, member)
    if role != "owner" and _only_owner(catalog, member):
        raise UsageError(f"{member} is the only owner who can sign in. Give somebody else that role first.")
    if role is None:
        access.revoke(catalog, member)
    else:
        access.grant(catalog, member, role)


def owner_can_sign_in(catalog: Catalog) -> bool:
    """Whether there is an owner with a password: what serving to others takes."""
    return catalog.db.execute(_OWNERS).fetchone() is not None


def has_passwords(catalog: Catalog) -> bool:
    """Whether anybody signs in with a password; if not, the library is served to whoever started the server."""
    return catalog.db.execute(_ANY_PASSWORD).fetchone() is not None


def _only_owner(catalog: Catalog, member: str) -> bool:
    if access.role_on(Principal(member), catalog) != "owner":
        return False
    owners = {owner for owner, album, role in access.granted(catalog) if album == 0 and role == "owner"}
    enabled = {known.member for known in all_accounts(catalog) if not known.disabled}
    return not (owners & enabled) - {member}


def _account(catalog: Catalog, row: tuple[Any, ...]) -> Account:
    member, name, password, disabled, created = row
    return Account(member, name, access.role_on(Principal(member), catalog), bool(password), bool(disabled), created)


def _shown(name: str) -> str:
    """A name as it is shown: one line, not endless."""
    text = " ".join(name.split())
    if not text or len(text) > 100 or not text.isprintable():
        raise UsageError("A name has 1 to 100 characters that can be printed.")
    return text
