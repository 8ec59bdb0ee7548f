"""Is a library sound? Checks every promise that the design makes, mends what can be made again, reports the rest.

Checked, in this order: the file itself (SQLite's own check), what refers to what, the table of cancelled edits,
albums, effective values (recomputed from log and facts), full text, the previews in the store, and the index for
searching. Nothing that people said can be made again, so nothing here ever changes the log or an original.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import apsw

from imager.catalog import Catalog, albums, contents, words
from imager.catalog.clock import parse
from imager.catalog.connection import fetch
from imager.catalog.edits import cancelled_by_log
from imager.catalog.identity import asset_id
from imager.errors import ImagerError, StorageFullError
from imager.ingest.examine import content_of, read_again
from imager.ingest.store import KINDS, Store
from imager.ingest.workers import SupervisedExecutor
from imager.search import sidecar
from imager.search.sidecar import DamagedError, Generation

_STALE = 24 * 3600
_CHUNK = 2_000

_WITHOUT_VERSION = "SELECT content, sha256 FROM contents WHERE content NOT IN (SELECT content FROM versions)"

_REFERENCES = (
    # What is wrong, the rows that are, and how they are mended: what files say is read again by the next run, what
    # log and facts say is computed again right after.
    (
        "files whose contents are unknown",
        "FROM files WHERE content IS NOT NULL AND content NOT IN (SELECT content FROM contents)",
        "DELETE {rows}",
    ),
    ("files in unknown folders", "FROM files WHERE folder NOT IN (SELECT folder FROM folders)", "DELETE {rows}"),
    ("sidecars in unknown folders", "FROM sidecars WHERE folder NOT IN (SELECT folder FROM folders)", "DELETE {rows}"),
    (
        "files of pictures that were erased",
        "FROM files WHERE content IN (SELECT content FROM contents WHERE erased)",
        "DELETE {rows}",
    ),
    (
        "versions whose contents are unknown",
        "FROM versions WHERE content NOT IN (SELECT content FROM contents)",
        "DELETE {rows}",
    ),
    (
        "versions of unknown pictures",
        "FROM versions WHERE asset IS NOT NULL AND asset NOT IN (SELECT asset FROM assets)",
        "UPDATE versions SET asset = NULL WHERE id IN (SELECT id {rows})",
    ),
    (
        "pictures without a version",
        "FROM assets WHERE asset NOT IN (SELECT asset FROM versions WHERE asset IS NOT NULL)",
        "DELETE {rows}",
    ),
    ("tags on unknown pictures", "FROM asset_tags WHERE asset NOT IN (SELECT asset FROM assets)", "DELETE {rows}"),
    ("unknown tags on pictures", "FROM asset_tags WHERE tag NOT IN (SELECT tag FROM tags)", "DELETE {rows}"),
    ("unknown pictures in albums", "FROM album_assets WHERE asset NOT IN (SELECT asset FROM assets)", "DELETE {rows}"),
    ("pictures in unknown albums", "FROM album_assets WHERE album NOT IN (SELECT album FROM albums)", "DELETE {rows}"),
    ("regions of unknown pictures", "FROM regions WHERE asset NOT IN (SELECT asset FROM assets)", "DELETE {rows}"),
    (
        "pictures at unknown places",
        "FROM assets WHERE place IS NOT NULL AND place NOT IN (SELECT place FROM places)",
        "UPDATE assets SET place = NULL WHERE asset IN (SELECT asset {rows})",
    ),
    (
        "metadata of unknown contents",
        "FROM metadata WHERE content NOT IN (SELECT content FROM contents WHERE NOT erased)",
        "DELETE {rows}",
    ),
    (
        "derivatives of unknown contents",
        "FROM derivatives WHERE content NOT IN (SELECT content FROM contents WHERE NOT erased)",
        "DELETE {rows}",
    ),
)


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
        linked = _check_references(catalog, found, repair)
        _check_cancelled(catalog, found, repair)
        if linked:
            _check_albums(catalog, found, repair)
            _check_values(catalog, found, repair)
        _check_words(catalog, found, repair)
        _check_previews(catalog, store, found, repair)
    _check_index(catalog, found, repair)
    _remove_leftovers(store, repair)
    return found


def _check_file(catalog: Catalog, found: Diagnosis) -> bool:
    try:
        answers = [str(a) for (a,) in fetch(catalog.db, "PRAGMA integrity_check(20)")]
    except apsw.Error as error:
        answers = [str(error)]
    # Full text is checked, and can be made again, on its own.
    answers = [a for a in answers if a != "ok" and "fts5" not in a.casefold()]
    if not answers:
        return True
    found.problems += [f"The catalog is damaged: {a}" for a in answers]
    snapshots = sorted((catalog.path.parent / "snapshots").glob("*.db"))
    found.problems.append(
        f"Close Imager and put a copy of {catalog.path} in its place"
        + (f"; the newest snapshot is {snapshots[-1]}." if snapshots else " from your backup.")
    )
    return False


def _check_index(catalog: Catalog, found: Diagnosis, repair: bool) -> None:
    """The index beside the catalog must be as it was written. One that is not is dropped: a search makes it anew."""
    for path in sidecar.generations(catalog.path.parent / "index"):
        try:
            if not Generation.open(path).verify():
                continue
        except (DamagedError, OSError, ValueError):
            pass
        if not repair:
            found.problems.append(f"The index {path.name} is damaged.")
            continue
        with suppress(OSError):
            path.unlink()
        found.repaired.append("The index for searching was damaged; the next search makes it anew.")


def _check_words(catalog: Catalog, found: Diagnosis, repair: bool) -> None:
    """Every picture must have its document, but for those that ingest or an edit left for later."""
    wrong = None
    try:
        if repair:
            catalog.index()
        catalog.db.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        lacking, stray = catalog.db.execute(_DOCUMENTS).get
        if lacking or stray:
            wrong = f"{lacking} pictures have no document, {stray} documents no picture"
    except apsw.Error as error:
        wrong = str(error)
    except ImagerError as error:
        if isinstance(error, StorageFullError):
            raise
        wrong = str(error)
    if wrong is None:
        return
    if repair:
        words.rebuild(catalog.connection)
        found.repaired.append(f"Full text was written anew: {wrong}.")
        _check_file(catalog, found)  # its damage may have hidden another
    else:
        found.problems.append(f"Full text is not sound: {wrong}.")


_DOCUMENTS = """SELECT
  (SELECT count(*) FROM assets WHERE changed <= (SELECT indexed FROM library)
    AND asset NOT IN (SELECT id FROM words_docsize)),
  (SELECT count(*) FROM words_docsize WHERE id NOT IN (SELECT asset FROM assets))"""


def _check_references(catalog: Catalog, found: Diagnosis, repair: bool) -> bool:
    """What refers to something refers to what is there; whether values can be computed to compare them."""
    linked = True
    for what, rows, mend in _REFERENCES:
        count = catalog.db.execute(f"SELECT count(*) {rows}").get
        if not count:
            continue
        if repair:
            with catalog.transaction(durable=True) as db:
                db.execute(mend.format(rows=rows))
            found.repaired.append(f"The catalog had {count} {what}.")
        else:
            found.problems.append(f"The catalog has {count} {what}.")
            linked = False
    return _check_versions(catalog, found, repair) and linked


def _check_versions(catalog: Catalog, found: Diagnosis, repair: bool) -> bool:
    """Every content must be a version of something, else nobody can find it."""
    lost = [(asset_id(sha256), content) for content, sha256 in fetch(catalog.db, _WITHOUT_VERSION)]
    if not lost:
        return True
    if repair:
        with catalog.transaction(durable=True) as db:
            db.executemany("INSERT OR IGNORE INTO versions (id, content) VALUES (?, ?)", lost)
        found.repaired.append(f"{len(lost)} contents belonged to no picture.")
    else:
        found.problems.append(f"{len(lost)} contents belong to no picture.")
    return repair


def _check_cancelled(catalog: Catalog, found: Diagnosis, repair: bool) -> None:
    """The table of cancelled edits must follow from the log."""
    noted = {c for (c,) in catalog.db.execute("SELECT clock FROM cancelled")}
    wrong = noted ^ cancelled_by_log(catalog.db)
    if not wrong:
        return
    if not repair:
        found.problems.append(f"{len(wrong)} edits are wrongly taken as undone or not undone.")
        return
    with catalog.transaction(durable=True) as db:
        db.executemany("DELETE FROM cancelled WHERE clock = ?", [(c,) for c in wrong & noted])
        db.executemany("INSERT INTO cancelled VALUES (?)", [(c,) for c in wrong - noted])
        targets = (db.execute(_TARGET, (int(c[-12:], 16), c)).get for c in wrong if _is_clock(c))
        catalog.refresh({t for t in targets if t is not None})
    found.repaired.append(f"{len(wrong)} edits were wrongly taken as undone or not undone.")


_TARGET = "SELECT target FROM edits WHERE device = ? AND clock = ?"


def _is_clock(text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


def _check_values(catalog: Catalog, found: Diagnosis, repair: bool) -> None:
    """Effective values must be what log and facts say. Recomputing writes only what differs."""
    differing = 0
    for ids in _chunks(catalog):
        try:
            with catalog.transaction(durable=False) as db:
                before = db.total_changes()
                changed = len(catalog.refresh(ids))
                if db.total_changes() == before:
                    continue
                differing += changed or 1  # pictures that should not be there are not among the changed
                if not repair:
                    raise _Unwanted
        except _Unwanted:
            pass
    if not differing:
        return
    if repair:
        found.repaired.append(f"{differing} pictures had values that their edits and files don't give.")
    else:
        found.problems.append(f"{differing} pictures have values that their edits and files don't give.")


def _check_albums(catalog: Catalog, found: Diagnosis, repair: bool) -> None:
    """Albums must be what the log says of them."""
    differing = 0
    with suppress(_Unwanted), catalog.transaction(durable=False) as db:
        ids = {i for (i,) in db.execute("SELECT id FROM albums")} | {i for (i,) in db.execute(_ALBUMS_SAID)}
        differing = albums.refresh(db, ids)
        if not repair:
            raise _Unwanted
    if differing and repair:
        found.repaired.append(f"{differing} albums were not as their edits say.")
    elif differing:
        found.problems.append(f"{differing} albums are not as their edits say.")


_ALBUMS_SAID = "SELECT DISTINCT target FROM edits WHERE field >= 'album.' AND field < 'album/'"


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
            "LEFT JOIN derivatives AS d USING (content) WHERE NOT c.erased"
        )
        if preview is None
        or not all(store.sound(sha256, kind, size) for kind, size in zip(KINDS, (preview, thumbnail), strict=True))
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
                numbers = contents.put(db, [content_of(answer)])
                catalog.refresh(catalog.files.ids_of(numbers.values()))
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
