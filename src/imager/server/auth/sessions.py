"""Sessions: who signed in, on which browser, until when. And the one-time links that begin one without a password.

The token is in a cookie of the browser, its hash in the table. A session that is used goes on; one that is not, ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from imager.access import Principal
from imager.catalog import Catalog
from imager.catalog.connection import fetch
from imager.errors import NotFoundError
from imager.server.asking import SCOPES, Asker
from imager.server.auth import tokens

DAY: Final = 86_400_000
OPENING: Final = 10 * 60_000
"""Milliseconds for which a one-time link holds."""

_AGENT = 200  # characters kept of what a browser calls itself
_ROLE = "(SELECT g.role FROM grants AS g WHERE g.member = a.member AND g.album = 0)"
_ASKER = f"""SELECT s.id, s.member, a.password IS NULL, s.seen, {_ROLE}
FROM sessions AS s JOIN accounts AS a ON a.member = s.member
WHERE s.token = ? AND s.expires > ? AND NOT a.disabled"""
_INSERT = """INSERT INTO sessions (token, id, member, created, seen, expires, agent) VALUES (?, ?, ?, ?, ?, ?, ?)"""
_LIST = """SELECT id, created, seen, expires, agent FROM sessions
WHERE member = ? AND expires > ? ORDER BY seen DESC, id"""
_SEEN = "UPDATE sessions SET seen = ?1, expires = ?2 WHERE id = ?3 AND expires > ?1"
_MOST = """DELETE FROM sessions WHERE member = ?1 AND token NOT IN
(SELECT token FROM sessions WHERE member = ?1 ORDER BY seen DESC LIMIT 100)"""


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its member sees it."""

    id: str
    created: int
    seen: int
    expires: int
    agent: str


def begin(catalog: Catalog, member: str, *, days: int, agent: str = "") -> str:
    """Begin a session; its token, which is never one that the browser brought."""
    token, kept = tokens.new()
    now = catalog.now()
    with catalog.transaction(durable=True) as db:
        db.execute("DELETE FROM sessions WHERE expires <= ?", (now,))
        shown = "".join(c for c in agent[:_AGENT] if c.isprintable())
        db.execute(_INSERT, (kept, tokens.new_id(), member, now, now, now + days * DAY, shown))
        db.execute(_MOST, (member,))
    return token


def asker(catalog: Catalog, token: str) -> tuple[Asker, int] | None:
    """Who has the session of that token, and when it was last noted that it is used; None where it is none (more)."""
    row = catalog.db.execute(_ASKER, (tokens.digest(token), catalog.now())).fetchone()
    if row is None:
        return None
    session, member, local, seen, role = row
    kind = "local" if local else "session"
    return Asker(Principal(member), kind, frozenset(SCOPES), session, role), seen  # type: ignore[arg-type]


def note(catalog: Catalog, session: str, *, days: int) -> None:
    """Note that a session is used: it holds that much longer."""
    now = catalog.now()
    with catalog.transaction(durable=False) as db:
        db.execute(_SEEN, (now, now + days * DAY, session))


def of_member(catalog: Catalog, member: str) -> list[Session]:
    """The sessions of a member, the last used first."""
    return [Session(*row) for row in fetch(catalog.db, _LIST, (member, catalog.now()))]


def end(catalog: Catalog, member: str, session: str) -> None:
    """End a session of a member; NotFoundError where they have none of that id."""
    with catalog.transaction(durable=True) as db:
        db.execute("DELETE FROM sessions WHERE id = ? AND member = ?", (session, member))
        if not db.changes():
            raise NotFoundError("You have no such session.")


def end_all(catalog: Catalog, member: str, *, keep: str | None = None) -> int:
    """End the sessions of a member, all but the one with the id `keep`; how many that were."""
    with catalog.transaction(durable=True) as db:
        db.execute("DELETE FROM sessions WHERE member = ? AND id <> ?", (member, keep or ""))
        return db.changes()


def offer(catalog: Catalog, member: str) -> str:
    """The token of a link that begins a session of that member, once and soon."""
    token, kept = tokens.new()
    now = catalog.now()
    with catalog.transaction(durable=True) as db:
        db.execute("DELETE FROM openings WHERE expires <= ?", (now,))
        db.execute("INSERT INTO openings (token, member, expires) VALUES (?, ?, ?)", (kept, member, now + OPENING))
    return token


def take(catalog: Catalog, token: str) -> str | None:
    """The member of a one-time link, which then is none any more; None where it is none, or was used or is too old."""
    kept = tokens.digest(token)
    with catalog.transaction(durable=True) as db:
        row = db.execute(
            """SELECT o.member FROM openings AS o JOIN accounts AS a ON a.member = o.member
            WHERE o.token = ? AND o.expires > ? AND NOT a.disabled""",
            (kept, catalog.now()),
        ).fetchone()
        db.execute("DELETE FROM openings WHERE token = ?", (kept,))
    return None if row is None else str(row[0])
