"""Gather the parts of assets from the catalog, many at a time: one query a table, whatever the number of assets.

Every statement starts from the small set that is asked for (`carray`), and CROSS JOIN keeps it there: the planner
would otherwise begin with the whole log or all files.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apsw

from imager.catalog.connection import fetch, many
from imager.catalog.edits import PURGED
from imager.catalog.effective import FilePlace, Said, Standing, Version
from imager.catalog.joins import any_joins, components
from imager.facts import Facts

VERSIONS = """
SELECT v.id, v.content, c.sha256, c.kind, c.facts, d.thumbhash, v.asset
FROM carray(?) AS wanted
CROSS JOIN versions AS v ON v.id = wanted.value
CROSS JOIN contents AS c ON c.content = v.content AND NOT c.erased
LEFT JOIN derivatives AS d ON d.content = v.content"""

FILES = """
SELECT f.content, o.path, f.name, f.state, f.modified, f.folder,
  EXISTS (SELECT 1 FROM sidecars AS s WHERE s.folder = f.folder)
FROM carray(?1) AS wanted
CROSS JOIN files AS f ON f.content = wanted.value
CROSS JOIN folders AS o ON o.folder = f.folder AND o.device = ?2
ORDER BY f.content, o.path, f.name"""

SIDECAR = """
SELECT s.facts FROM sidecars AS s WHERE s.folder = ? AND s.belongs = ? ORDER BY s.name DESC LIMIT 1"""

STANDING = """
SELECT e.target, e.field, e.element, e.value, e.clock
FROM carray(?) AS wanted CROSS JOIN edits AS e ON e.target = wanted.value
WHERE e.value IS NOT NULL AND e.clock NOT IN (SELECT clock FROM cancelled)
ORDER BY e.clock"""

SIBLINGS = """
SELECT DISTINCT w.id FROM carray(?) AS wanted
CROSS JOIN versions AS v ON v.id = wanted.value
CROSS JOIN versions AS w ON w.asset = v.asset"""


class Inputs:
    """The parts of every asset that any of `ids` belongs to, or belonged to until now."""

    def __init__(
        self, db: apsw.Connection, ids: Iterable[bytes], device: int, read: Mapping[int, Facts] | None = None
    ) -> None:
        """`device`: whose files count. `read`: facts of contents that need not be parsed again."""
        read = read or {}
        self.components = _closed(db, ids)
        every = [i for members in self.components.values() for i in members]
        self.assets: dict[bytes, int | None] = {}
        self._versions: dict[bytes, Version] = {}
        files: dict[int, list[FilePlace]] = defaultdict(list)
        if every:
            for i, content, sha256, kind, facts, thumbhash, asset in db.execute(VERSIONS, (many(every),)):
                self._versions[i] = Version(
                    i,
                    content,
                    sha256,
                    kind,
                    read.get(content) or Facts.from_json(json.loads(facts)),
                    thumbhash,
                    files[content],
                )
                self.assets[i] = asset
        _add_files(db, files, device)
        self._standing = standing(db, every)

    def versions(self, members: Sequence[bytes]) -> list[Version]:
        """What is here of those ids and was not erased."""
        return [self._versions[i] for i in members if i in self._versions and not self.purged(i)]

    def purged(self, one: bytes) -> bool:
        """Whether a tombstone stands on that very id: what it was joined with is not erased with it."""
        said = self._standing.get(one, {}).get((PURGED, ""))
        return said is not None and said.value is True

    def standing(self, members: Sequence[bytes]) -> Standing:
        """The edits that stand on those ids, as one asset."""
        if len(members) == 1:
            return self._standing.get(members[0], {})
        merged: dict[tuple[str, str], Said] = {}
        for member in members:
            for key, said in self._standing.get(member, {}).items():
                if key not in merged or said.clock > merged[key].clock:
                    merged[key] = said
        return merged


def _closed(db: apsw.Connection, ids: Iterable[bytes]) -> dict[bytes, list[bytes]]:
    """The components of `ids`, and of all that shares an asset with them in the tables as they still are."""
    wanted = list(dict.fromkeys(ids))  # in their order, so that new assets are numbered as they arrive
    if not any_joins(db):
        return {i: [i] for i in wanted}
    while True:
        found = components(db, wanted)
        every = {i for members in found.values() for i in members}
        siblings = {i for (i,) in db.execute(SIBLINGS, (many(sorted(every)),))} if every else set()
        if siblings <= every:
            return found
        wanted = sorted(every | siblings)


def _add_files(db: apsw.Connection, files: dict[int, list[FilePlace]], device: int) -> None:
    if not files:
        return
    for content, folder, name, state, modified, number, beside in fetch(db, FILES, (many(sorted(files)), device)):
        sidecar = _sidecar(db, number, name.lower()) if beside else None
        files[content].append(FilePlace(folder, name, state, modified, sidecar))


def _sidecar(db: apsw.Connection, folder: int, name: bytes) -> Facts | None:
    """What the sidecar of a file says: 'img_1.jpg.xmp', else 'img_1.xmp'."""
    for belongs in (name, name.rpartition(b".")[0]):
        facts = db.execute(SIDECAR, (folder, belongs)).get
        if facts is not None:
            return Facts.from_json(json.loads(facts))
    return None


def standing(db: apsw.Connection, ids: Sequence[bytes]) -> dict[bytes, dict[tuple[str, str], Said]]:
    """The edits that stand on each of some ids: by field and element, the latest that is not cancelled."""
    found: dict[bytes, dict[tuple[str, str], Said]] = defaultdict(dict)
    if ids and db.execute("SELECT 1 FROM edits LIMIT 1").get is not None:
        for target, field, element, value, clock in db.execute(STANDING, (many(ids),)):
            found[target][field, element] = Said(_parsed(value), clock)
    return found


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None
