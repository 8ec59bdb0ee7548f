"""What people say, turned into edits: each field checked once, here, whoever says it.

Who may say it has been asked before (`imager.access`, by the library); `author` is who it is.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from imager.catalog import OWNER, Catalog, Edit, Statement, contents, words
from imager.catalog.clock import parse
from imager.catalog.connection import fetch, many
from imager.catalog.edits import CANCEL, PURGED, SAME_AS
from imager.catalog.identity import LOG, tag_id, tag_name
from imager.catalog.joins import edge
from imager.errors import NotFoundError, UsageError
from imager.ingest.store import Store


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UsageError("A text is needed.")
    # What the shell gives need not be UTF-8: what is none becomes U+FFFD or '?', and no error.
    return value.encode("utf-8", "replace").decode().strip()


def _rating(value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        number = -2
    if not -1 <= number <= 5:
        raise UsageError(f"A rating is a number from 0 to 5 (or -1 for rejected), not {value!r}.")
    return number


def _moment(value: Any) -> str:
    try:
        return datetime.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise UsageError(
            f"{value!r} is no date. Write it as 2021-07-04T15:30:00 or 2021-07-04T15:30:00+02:00."
        ) from None


def _position(value: Any) -> list[float]:
    parts = value.split(",") if isinstance(value, str) else value
    try:
        latitude, longitude = (float(part) for part in parts)
    except (TypeError, ValueError):
        raise UsageError(f"{value!r} is no position. Write it as 48.8584,2.2945 (latitude, longitude).") from None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise UsageError(f"{value!r} is not on earth: latitudes end at 90, longitudes at 180.")
    return [latitude, longitude]


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    answer = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}.get(str(value).lower())
    if answer is None:
        raise UsageError(f"{value!r} is neither yes nor no.")
    return answer


FIELDS: dict[str, Callable[[Any], Any]] = {
    "title": _text,
    "caption": _text,
    "creator": _text,
    "copyright": _text,
    "rating": _rating,
    "favourite": _flag,
    "taken_at": _moment,
    "position": _position,
    "trashed": _flag,
    "private": _flag,
}
"""The fields that people can say, and what turns what they give into what is kept."""


def say(catalog: Catalog, assets: Sequence[int], field: str, value: Any, *, author: str = OWNER) -> str:
    """Say one field of some assets; None takes the file's own value again. Returns the batch's name.

    UsageError for an unknown field or a value that it can't have. What is said to be private is the author's.
    """
    if field not in FIELDS:
        raise UsageError(f"There is no field {field!r}. These can be said: {', '.join(FIELDS)}.")
    kept = None if value is None else FIELDS[field](value)
    if field == "private":
        kept = author if kept else None
    element = author if field == "rating" else ""
    return catalog.say([Statement(i, field, kept, element) for i in _ids(catalog, assets)], author=author)


def tag(catalog: Catalog, assets: Sequence[int], names: Sequence[str], *, put: bool, author: str = OWNER) -> str:
    """Give tags to assets, or take them away. Returns the batch's name."""
    statements: list[Statement] = []
    for name in names:
        try:
            kept, identifier = tag_name(name), tag_id(name)
        except ValueError:
            raise UsageError(f"{name!r} is no name for a tag.") from None
        if put and catalog.db.execute("SELECT said FROM tags WHERE id = ?", (identifier,)).get != 1:
            statements.append(Statement(identifier, "name", kept))
        element = identifier.hex()
        statements += [Statement(i, "tag", int(put), element) for i in _ids(catalog, assets)]
    if not statements:
        raise UsageError("Name at least one tag.")
    return catalog.say(statements, author=author)


def undo(catalog: Catalog, batch: str | None, *, author: str = OWNER) -> str:
    """Take back a batch (by default the author's last) or a single edit of one; NotFoundError where there is none."""
    if batch is not None:
        edit = named(catalog, batch)
        if edit.field == PURGED:
            raise UsageError("What was erased can't be brought back; 'imager add FILE' takes the picture in anew.")
        if edit.batch != batch:  # one edit of several that were said together
            catalog.say([Statement(LOG, CANCEL, True, batch)], author=author)
            return batch
    name = catalog.undo(batch, author=author)
    if name is None:
        raise NotFoundError("There is nothing to undo.")
    return name


def named(catalog: Catalog, name: str) -> Edit:
    """The edit of that name, the first of its batch where it is the batch's; NotFoundError where there is none."""
    try:
        device = parse(name).device
    except ValueError:
        raise UsageError(f"{name!r} names no edit; 'imager history' shows the names.") from None
    row = catalog.db.execute(_NAMED, (device, name)).fetchone()
    if row is None:
        raise not_named(name)
    return Edit(*row)


def not_named(name: str) -> NotFoundError:
    """What is said of an edit that is not there, as of one that the asker may not know of."""
    return NotFoundError(f"There is no edit {name} in the library.")


def touched(catalog: Catalog, name: str) -> Iterator[Edit]:
    """The edits that stand or fall with a batch or an edit: its own, or where it took others back, those."""
    waiting, done = [name], set[str]()
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        try:
            device = parse(name).device
        except ValueError:  # a log may hold anything
            continue
        for row in fetch(catalog.db, _OF_NAME, (name, device)):
            edit = Edit(*row)
            if edit.target == LOG:
                waiting.append(edit.element)
            else:
                yield edit


_NAMED = "SELECT * FROM edits WHERE device = ? AND clock = ?"
_OF_NAME = """SELECT * FROM edits WHERE batch = ?1 AND batch <> clock
UNION ALL SELECT * FROM edits WHERE device = ?2 AND clock = ?1"""


def join(catalog: Catalog, one: int, other: int, *, author: str = OWNER) -> str:
    """Say that two assets are one picture."""
    if one == other:
        raise UsageError("These are one picture already.")
    target, element = edge(catalog.members(one)[0], catalog.members(other)[0])
    return catalog.say([Statement(target, SAME_AS, 1, element)], author=author)


def separate(catalog: Catalog, asset: int, *, author: str = OWNER) -> str:
    """Say that everything joined in an asset is a picture of its own."""
    members = catalog.joined(asset)
    if len(members) < 2:
        raise UsageError("This picture has only one version.")
    pairs = [edge(a, b) for n, a in enumerate(members) for b in members[n + 1 :]]
    return catalog.say([Statement(target, SAME_AS, 0, element) for target, element in pairs], author=author)


def erase(catalog: Catalog, store: Store, asset: int, *, author: str = OWNER) -> None:
    """Leave a tombstone and the hash; everything else of the asset goes: values, facts, paths, previews, snapshots."""
    bury(catalog, store, asset, author=author)
    scrub(catalog)


def bury(catalog: Catalog, store: Store, asset: int, *, author: str = OWNER) -> None:
    """`erase`, but for traces in what is written behind and in free pages: `scrub` follows, once for many."""
    with catalog.transaction(durable=True) as db:
        db.pragma("secure_delete", True)
        ids = catalog.joined(asset)
        held = fetch(db, _HELD, (many(ids),))
        place = db.execute("SELECT place FROM assets WHERE asset = ?", (asset,)).get
        tags = [tag for (tag,) in db.execute("SELECT tag FROM asset_tags WHERE asset = ?", (asset,))]
        catalog.say_within([Statement(i, PURGED, True) for i in ids], author=author)
        beside: set[bytes] = set()
        for content, _ in held:
            for folder, name, _state in catalog.files.places_of(content):
                sidecars = [(folder, sidecar) for sidecar in catalog.files.sidecars_of(folder, name)]
                beside.update(catalog.files.remove_sidecars(sidecars))
                catalog.files.remove(sidecars)
            db.execute("DELETE FROM files WHERE content = ?", (content,))
            contents.erase(db, content)
        catalog.refresh(beside)
        catalog.drop_unused(place, tags)
        # Before the commit: should it be cut off here, previews can be made again, but nobody would find stray ones.
        for _, sha256 in held:
            store.remove(sha256)
        for pattern in ("*.db", "*.partial"):
            for snapshot in (catalog.path.parent / "snapshots").glob(pattern):
                snapshot.unlink(missing_ok=True)
        for i in ids:
            db.execute("DELETE FROM share_assets WHERE id = ?", (i,))
            db.execute("DELETE FROM events WHERE asset = ?", (i,))
        db.execute("DELETE FROM answers")  # they repeat what was said


def scrub(catalog: Catalog) -> None:
    """Leave nothing of what was buried: in the index, in full text, in free pages and the log."""
    from imager.search import sidecar  # needs numpy, which whoever just says something should not wait for

    # The index has words and names, too. It is made anew when somebody looks.
    for generation in sidecar.generations(catalog.path.parent / "index"):
        with contextlib.suppress(OSError):  # on Windows, while another process maps it: that one replaces it
            generation.unlink()
    catalog.index()
    words.forget_deleted(catalog.connection)
    catalog.connection.scrub()


_HELD = """SELECT c.content, c.sha256 FROM carray(?) AS wanted
CROSS JOIN versions AS v ON v.id = wanted.value CROSS JOIN contents AS c ON c.content = v.content"""


_PLACED = """SELECT EXISTS (SELECT 1 FROM versions AS v CROSS JOIN files AS f ON f.content = v.content
WHERE v.asset = ?)"""


def forget(catalog: Catalog, store: Store, path: bytes) -> int:
    """Let go of files at or below a path that are not there; pictures left without any place go, with their previews.

    Returns how many files. A disk that is away counts as gone: people say so by naming it.
    """
    files = catalog.files
    candidates = [(f.folder, f.path, row) for f in files.below(path) for row in files.in_folder(f.folder).values()]
    at, parent = files.at(path), files.folder(os.path.dirname(path))
    if at is not None and parent is not None:
        candidates.append((parent.folder, parent.path, at))
    rows = [
        (folder, row)
        for folder, place, row in candidates
        if row.state == "missing" or not os.path.lexists(os.path.join(place, row.name))
    ]
    if not rows:
        raise NotFoundError(f"Nothing is missing at {os.fsdecode(path)}.")
    with catalog.transaction(durable=True) as db:
        touched = set(files.ids_of(row.content for _, row in rows if row.content is not None))
        touched.update(files.remove_sidecars([(folder, row.name) for folder, row in rows]))
        files.remove([(folder, row.name) for folder, row in rows])
        assets = {asset for i in touched if (asset := catalog.resolve(i)) is not None}
        hashes = [
            h for asset in sorted(assets) if not db.execute(_PLACED, (asset,)).get for h in contents.drop(db, asset)
        ]
        catalog.refresh(touched, files_changed=True)
    for sha256 in hashes:
        store.remove(sha256)
    return len(rows)


def _ids(catalog: Catalog, assets: Sequence[int]) -> list[bytes]:
    """The id under which each asset is spoken of: its own."""
    return [catalog.db.execute("SELECT id FROM assets WHERE asset = ?", (asset,)).get for asset in assets]
