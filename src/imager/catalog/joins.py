"""Which ids are one asset: the connected components of the `same_as` edits that stand.

An edge is kept once, at the smaller of its two ids with the larger as element, so that both sides speak of the same
thing whoever says it: 1 joins, 0 separates, and the later edit wins.
"""

from __future__ import annotations

from collections.abc import Iterable

import apsw

from imager.catalog.identity import id_of

_ANY = "SELECT 1 FROM edits WHERE field = 'same_as' LIMIT 1"
_EDGES = """
SELECT e.target, e.element, e.value, e.clock FROM edits AS e
WHERE e.target = :id AND e.field = 'same_as' AND NOT EXISTS (SELECT 1 FROM cancelled AS c WHERE c.clock = e.clock)
UNION ALL
SELECT e.target, e.element, e.value, e.clock FROM edits AS e
WHERE e.element = :hex AND e.field = 'same_as' AND NOT EXISTS (SELECT 1 FROM cancelled AS c WHERE c.clock = e.clock)
ORDER BY 4"""


def edge(one: bytes, other: bytes) -> tuple[bytes, str]:
    """Target and element of the edit that joins or separates two assets."""
    return min(one, other), max(one, other).hex()


def any_joins(db: apsw.Connection) -> bool:
    """Whether anything was ever joined or separated: the log forgets nothing, so until then every id is alone."""
    return db.execute(_ANY).get is not None


def components(db: apsw.Connection, ids: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """For each component that has any of `ids`: its smallest id, and all its ids in order."""
    if not any_joins(db):
        return {i: [i] for i in ids}
    found: dict[bytes, list[bytes]] = {}
    seen: set[bytes] = set()
    for start in ids:
        if start in seen:
            continue
        members, frontier = {start}, [start]
        while frontier:
            for other in _neighbours(db, frontier.pop()):
                if other not in members:
                    members.add(other)
                    frontier.append(other)
        seen |= members
        found[min(members)] = sorted(members)
    return found


def _neighbours(db: apsw.Connection, one: bytes) -> list[bytes]:
    latest: dict[bytes, str | None] = {}
    for target, element, value, _ in db.execute(_EDGES, {"id": one, "hex": one.hex()}):
        other = id_of(element) if target == one else target
        if other is not None:
            latest[other] = value
    return [other for other, value in latest.items() if value == "1"]
