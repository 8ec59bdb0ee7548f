"""Is a library sound? Checks every promise that the design makes, mends what can be made again, reports the rest.

Checked, in this order: the file itself (SQLite's own check), full text, what refers to what, the table of cancelled
edits, effective values (recomputed from log and facts), and the previews in the store. Nothing that people said can be
made again, so nothing here ever changes the log or an original.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from imager.catalog import Catalog, contents, words
from imager.catalog.connection import fetch
from imager.catalog.edits import Edit, is_cancelled
from imager.ingest.examine import content_of, read_again
from imager.ingest.store import KINDS, Store
from imager.ingest.workers import SupervisedExecutor

_STALE = 24 * 3600
_CHUNK = 2_000

_REFERENCES = {
    "files whose contents are unknown": "SELECT count(*) FROM files WHERE content IS NOT NULL AND content NOT IN "
    "(SELECT content FROM contents)",
    "pictures whose contents are unknown": "SELECT count(*) FROM assets WHERE content NOT IN "
    "(SELECT content FROM contents)",
    "versions without a picture": "SELECT count(*) FROM versions WHERE asset IS NOT NULL AND asset NOT IN "
    "(SELECT asset FROM assets)",
    "tags on pictures that are not there": "SELECT count(*) FROM asset_tags WHERE asset NOT IN "
    "(SELECT asset FROM assets)",
}


@dataclass(slots=True)
class Diagnosis:
    """What was found. `ok`: nothing is wrong that was not mended."""

    problems: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether the library is sound now."""
        return not self.problems


def examine(catalog: Catalog, store: Store, *, repair: bool = True) -> Diagnosis:
    """Check a library and, unless told not to, mend what can be made again."""
    found = Diagnosis()
    if _check_file(catalog, found):
        _check_words(catalog, found, repair)
        _check_references(catalog, found)
        _check_cancelled(catalog, found, repair)
        _check_values(catalog, found, repair)
        _check_previews(catalog, store, found, repair)
    _remove_leftovers(store, repair)
    return found


def _check_file(catalog: Catalog, found: Diagnosis) -> bool:
    try:
        answers = [str(a) for (a,) in fetch(catalog.db, "PRAGMA integrity_check(20)")]
    except apsw.Error as error:
        answers = [str(error)]
    if answers == ["ok"]:
        return True
    found.problems += [f"The catalog is damaged: {a}" for a in answers]
    snapshots = sorted((catalog.path.parent / "snapshots").glob("*.db"))
    found.problems.append(
        f"Close Imager and put a copy of {catalog.path} in its place"
        + (f"; the newest snapshot is {snapshots[-1]}." if snapshots else " from your backup.")
    )
    return False


def _check_words(catalog: Catalog, found: Diagnosis, repair: bool) -> None:
    catalog.index()
    try:
        catalog.db.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        documents = catalog.db.execute("SELECT count(*) FROM words_docsize").get
        assets = catalog.db.execute("SELECT count(*) FROM assets").get
        wrong = None if documents == assets else f"it has {documents} documents for {assets} pictures"
    except apsw.Error as error:
        wrong = str(error)
    if wrong is None:
        return
    if repair:
        words.rebuild(catalog.connection)
        found.repaired.append(f"Full text was written anew: {wrong}.")
    else:
        found.problems.append(f"Full text is not sound: {wrong}.")


def _check_references(catalog: Catalog, found: Diagnosis) -> None:
    for what, sql in _REFERENCES.items():
        if count := catalog.db.execute(sql).get:
            found.problems.append(f"The catalog has {count} {what}.")


def _check_cancelled(catalog: Catalog, found: Diagnosis, repair: bool) -> None:
    """The table of cancelled edits must follow from the log."""
    noted = {c for (c,) in catalog.db.execute("SELECT clock FROM cancelled")}
    suspects = """SELECT * FROM edits WHERE clock IN (SELECT clock FROM cancelled)
      OR clock IN (SELECT element FROM edits WHERE field IN ('cancel', 'withdraw'))
      OR batch IN (SELECT element FROM edits WHERE field = 'cancel_batch')"""
    edits = [Edit(*row) for row in catalog.db.execute(suspects)]
    truth = {e.clock for e in edits if is_cancelled(catalog.db, e)}
    if noted == truth:
        return
    if not repair:
        found.problems.append(f"{len(noted ^ truth)} edits are wrongly taken as undone or not undone.")
        return
    with catalog.transaction(durable=True) as db:
        db.executemany("DELETE FROM cancelled WHERE clock = ?", [(c,) for c in noted - truth])
        db.executemany("INSERT INTO cancelled VALUES (?)", [(c,) for c in truth - noted])
        catalog.refresh({e.target for e in edits if e.clock in noted ^ truth})
    found.repaired.append(f"{len(noted ^ truth)} edits were wrongly taken as undone or not undone.")


def _check_values(catalog: Catalog, found: Diagnosis, repair: bool) -> None:
    """Effective values must be what log and facts say. Recomputing writes only what differs."""
    differing = 0
    for ids in _chunks(catalog):
        try:
            with catalog.transaction(durable=False):
                changed = catalog.refresh(ids)
                differing += len(changed)
                if changed and not repair:
                    raise _Unwanted
        except _Unwanted:
            pass
    if not differing:
        return
    if repair:
        catalog.index()
        found.repaired.append(f"{differing} pictures had values that their edits and files don't give.")
    else:
        found.problems.append(f"{differing} pictures have values that their edits and files don't give.")


class _Unwanted(Exception):  # noqa: N818 - only rolls back what was computed to compare
    pass


def _chunks(catalog: Catalog) -> Iterator[list[bytes]]:
    last = b""
    while ids := [
        i for (i,) in catalog.db.execute("SELECT id FROM versions WHERE id > ? ORDER BY id LIMIT ?", (last, _CHUNK))
    ]:
        yield ids
        last = ids[-1]


def _check_previews(catalog: Catalog, store: Store, found: Diagnosis, repair: bool) -> None:
    """Previews and thumbnails must be whole; those that are not are made again, if an original is there."""
    lost = [
        (content, sha256)
        for content, sha256, preview, thumbnail in catalog.db.execute(
            "SELECT c.content, c.sha256, d.preview ->> 2, d.thumbnail ->> 2 FROM contents AS c "
            "JOIN derivatives AS d USING (content) WHERE NOT c.erased"
        )
        if not all(store.sound(sha256, kind, size) for kind, size in zip(KINDS, (preview, thumbnail), strict=True))
    ]
    if not lost:
        return
    if not repair:
        found.problems.append(f"{len(lost)} pictures lack their preview.")
        return
    store.create()
    made, beyond = 0, 0
    with SupervisedExecutor(os.cpu_count() or 1, deadline=120.0) as workers:
        asked = [
            (sha256, workers.submit(read_again, os.fsdecode(path), sha256.hex(), os.fspath(store.folder)))
            for content, sha256 in lost
            for path, state in catalog.files.paths_of(content)[:1]
            if state == "present"
        ]
        beyond = len(lost) - len(asked)
        for _, future in asked:
            answer = future.result() if future.exception() is None else {"outcome": "failed"}
            if answer["outcome"] != "new":
                beyond += 1
                continue
            made += 1
            with catalog.transaction(durable=False) as db:
                contents.put(db, [content_of(answer)])
    if made:
        found.repaired.append(f"{made} previews were made again.")
    if beyond:
        found.problems.append(f"{beyond} pictures lack their preview, and their originals are not there to make it.")


def _remove_leftovers(store: Store, repair: bool) -> None:
    """Temporary files of killed writers are no problem, only litter; young ones may still be written."""
    for path in store.leftovers() if repair else ():
        if _age(path) > _STALE:
            path.unlink(missing_ok=True)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
