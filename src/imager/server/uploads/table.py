"""Uploads as rows of the catalog: who sends what, how much of it is safely on the disk, and what it became.

What a row says is what a server that was killed goes by, so every change of it is durable.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from imager.access import Principal, visible_sql
from imager.catalog import Catalog
from imager.catalog.connection import fetch, many
from imager.catalog.identity import asset_id, format_id
from imager.server.problems import ProblemError

State = Literal["uploading", "waiting", "done", "failed"]

LIFETIME: Final = 24 * 3600 * 1000
"""Milliseconds for which an upload is kept after its last bytes came, or after it became a picture."""

_COLUMNS: Final = "u.id, u.member, u.bytes, u.received, u.metadata, u.asset, u.problem, u.created, u.expires"
_GET = f"SELECT {_COLUMNS} FROM uploads AS u WHERE u.id = ?"
_OF_MEMBER = f"SELECT {_COLUMNS} FROM uploads AS u WHERE u.member = ? ORDER BY u.created DESC, u.id LIMIT ?"
_ALL = f"SELECT {_COLUMNS} FROM uploads AS u ORDER BY u.created, u.id"
_OPEN = "SELECT count(*) FROM uploads AS u WHERE u.member = ? AND u.asset IS NULL AND u.problem IS NULL"
_PROMISED = "SELECT coalesce(sum(u.bytes - u.received), 0) FROM uploads AS u WHERE coalesce(u.problem, u.asset) IS NULL"
_CREATE = "INSERT INTO uploads (id, member, bytes, received, metadata, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)"
_ADVANCE = "UPDATE uploads SET received = ?3, expires = ?4 WHERE id = ?1 AND received = ?2 AND problem IS NULL"
_SAY = "UPDATE uploads SET metadata = ? WHERE id = ?"
_END = "UPDATE uploads SET asset = ?2, problem = ?3, expires = ?4 WHERE id = ?1"
_REMOVE = "DELETE FROM uploads WHERE id = ?"
_KNOWN = """SELECT c.sha256 FROM carray(:wanted) AS wanted CROSS JOIN versions AS v ON v.id = wanted.value
CROSS JOIN contents AS c ON c.content = v.content CROSS JOIN assets AS a ON a.asset = v.asset
WHERE NOT c.erased AND EXISTS (SELECT 1 FROM files AS f WHERE f.content = c.content AND f.state = 'present') AND """


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. `said`: what the client says of it, and where in the inbox it was placed."""

    id: str
    member: str
    size: int  # bytes
    received: int  # and on the disk
    said: dict[str, Any] = field(default_factory=dict)
    asset: bytes | None = None
    problem: str | None = None
    created: int = 0
    expires: int = 0

    @property
    def state(self) -> State:
        """How far it is."""
        if self.problem is not None:
            return "failed"
        if self.asset is not None:
            return "done"
        return "waiting" if self.received == self.size else "uploading"

    def described(self) -> dict[str, Any]:
        """As JSON, for who sends it. Where it lies is not told."""
        return {
            "id": self.id,
            "name": self.said.get("name", ""),
            "state": self.state,
            "bytes": self.size,
            "received": self.received,
            "asset": None if self.asset is None else format_id(self.asset),
            "problem": self.problem,
            "created": self.created,
            "expires": self.expires,
        }


def new_id() -> str:
    """An id that nobody guesses."""
    return secrets.token_hex(16)


def create(catalog: Catalog, member: str, size: int, said: dict[str, Any], *, most: int) -> Upload:
    """Note that an upload begins. 429 where the member has `most` that have not ended."""
    now = catalog.now()
    with catalog.transaction(durable=True) as db:
        if db.execute(_OPEN, (member,)).get >= most:
            raise ProblemError(
                429, "Too many uploads", f"Up to {most:,} uploads may be on their way at once. End some first.",
                kind="too-many-uploads", headers={"Retry-After": "60"},
            )  # fmt: skip
        upload = Upload(new_id(), member, size, 0, said, created=now, expires=now + LIFETIME)
        db.execute(_CREATE, (upload.id, member, size, 0, json.dumps(said), now, upload.expires))
    return upload


def complete(catalog: Catalog, identifier: str, member: str, size: int, said: dict[str, Any]) -> Upload:
    """Note an upload whose bytes are all on the disk already."""
    now = catalog.now()
    with catalog.transaction(durable=True) as db:
        db.execute(_CREATE, (identifier, member, size, size, json.dumps(said), now, now + LIFETIME))
    return Upload(identifier, member, size, size, said, created=now, expires=now + LIFETIME)


def get(catalog: Catalog, identifier: str, member: str | None = None) -> Upload | None:
    """The upload of that id, where it is that member's."""
    found = [_upload(row) for row in fetch(catalog.db, _GET, (identifier,))]
    return found[0] if found and member in (None, found[0].member) else None


def of_member(catalog: Catalog, member: str, limit: int) -> list[Upload]:
    """A member's uploads, latest first."""
    return [_upload(row) for row in fetch(catalog.db, _OF_MEMBER, (member, limit))]


def every(catalog: Catalog) -> list[Upload]:
    """All uploads, in the order in which they began."""
    return [_upload(row) for row in fetch(catalog.db, _ALL)]


def promised(catalog: Catalog) -> int:
    """Bytes that are still to come, of all uploads."""
    return int(catalog.db.execute(_PROMISED).get)


def advance(catalog: Catalog, identifier: str, before: int, after: int) -> bool:
    """Note that more is on the disk; False where it was not `before` that was."""
    with catalog.transaction(durable=True) as db:
        db.execute(_ADVANCE, (identifier, before, after, catalog.now() + LIFETIME))
        return db.changes() == 1


def say(catalog: Catalog, upload: Upload, **more: Any) -> Upload:
    """Note more about an upload."""
    said = upload.said | more
    with catalog.transaction(durable=True) as db:
        db.execute(_SAY, (json.dumps(said), upload.id))
    return get(catalog, upload.id) or upload


def end(catalog: Catalog, identifier: str, *, asset: bytes | None = None, problem: str | None = None) -> None:
    """Note what became of an upload: a picture, or why none."""
    with catalog.transaction(durable=True) as db:
        db.execute(_END, (identifier, asset, problem, catalog.now() + LIFETIME))


def remove(catalog: Catalog, identifier: str) -> None:
    """Forget an upload."""
    with catalog.transaction(durable=True) as db:
        db.execute(_REMOVE, (identifier,))


def held(catalog: Catalog, principal: Principal, hashes: Iterable[bytes]) -> list[bytes]:
    """Those of some SHA-256 of which the principal sees the picture, and a file is there.

    What somebody else has for themselves is not told from what nobody has: one statement looks for all of them, with
    the rules of access in it.
    """
    wanted = {asset_id(sha256): sha256 for sha256 in hashes}
    if not wanted:
        return []
    condition, bindings = visible_sql(principal)
    rows = fetch(catalog.db, _KNOWN + condition, bindings | {"wanted": many(list(wanted))})
    return sorted({sha256 for (sha256,) in rows} & set(wanted.values()))


def _upload(row: tuple[Any, ...]) -> Upload:
    return Upload(row[0], row[1], row[2], row[3], json.loads(row[4]), *row[5:])
