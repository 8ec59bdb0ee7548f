r"""The JSON lines of an export: everything that is known of its pictures, and everything that was said of them.

A file of lines, each a JSON object in ASCII:

- the first: `{"record": "export", "version": 1, "library": …, "query": …, "layout": …}`;
- one a picture: what `imager show --json` says, and `record` ("picture"), `file` (relative to the folder of the
  export, with slashes; null where nothing could be written), `other_files` (of its other versions), `albums` (their
  names from the top, joined by '|'), and `edits`;
- one an album that these pictures are in, or that such an album is nested in: `record` ("album"), `id`, `name`,
  `edits`.

`edits` are rows of the log as devices exchange them (see catalog/exchange.py): of the picture, under each of its ids;
of the names of its tags; and those that took any of these back. So each line can be taken in by itself.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from imager.catalog import Catalog
from imager.catalog.albums import MEMBER
from imager.catalog.connection import fetch, many
from imager.catalog.edits import PURGED, Edit
from imager.catalog.exchange import take, well_formed
from imager.catalog.identity import LOG, format_id, id_of
from imager.errors import ImagerError, NotFoundError

NAME: Final = "imager.jsonl"
VERSION: Final = 1

_LONGEST: Final = 64 << 20  # bytes of a line
_AT_ONCE: Final = 20_000  # edits
_OF = """SELECT e.* FROM carray(?) AS wanted CROSS JOIN edits AS e ON e.target = wanted.value
WHERE e.field <> 'purged' AND e.value IS NOT NULL ORDER BY e.clock"""
_NAMING = "SELECT * FROM edits WHERE target = ? AND field = 'name' AND value IS NOT NULL ORDER BY clock"
_ABOUT = """SELECT * FROM edits WHERE target = ?1 AND
(field = 'cancel' AND element = ?2 OR field = 'withdraw' AND element = ?2 OR field = 'cancel_batch' AND element = ?3)"""
_ALBUM = "SELECT id, name, parent FROM albums WHERE id = ?"
_ALBUM_NUMBER = "SELECT id, name, parent FROM albums WHERE album = ?"


def line(value: dict[str, Any]) -> bytes:
    """One line."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def edits_of_picture(catalog: Catalog, asset: int) -> list[Edit]:
    """What was said of a picture, of the names of the tags it was given, and what took any of it back."""
    said = [Edit(*row) for row in fetch(catalog.db, _OF, (many(catalog.joined(asset)),))]
    tags = {tag for e in said if e.field == "tag" and (tag := id_of(e.element)) is not None}
    named = [Edit(*row) for tag in sorted(tags) for row in fetch(catalog.db, _NAMING, (tag,))]
    return _with_undoing(catalog, said + named)


def albums_of(edits: Iterable[Edit]) -> set[bytes]:
    """The albums, by id, that edits of pictures speak of."""
    return {album for e in edits if e.field == MEMBER and (album := id_of(e.element)) is not None}


def album_name(catalog: Catalog, album: bytes) -> str | None:
    """The names from the top, joined by '|'; None for one that has no name (yet)."""
    names: list[str | None] = []
    row = catalog.db.execute(_ALBUM, (album,)).fetchone()
    while row is not None and len(names) < 1000:
        names.append(row[1])
        row = None if row[2] is None else catalog.db.execute(_ALBUM_NUMBER, (row[2],)).fetchone()
    return "|".join(reversed([n for n in names if n])) if names and all(names) else None


def album_lines(catalog: Catalog, albums: Iterable[bytes]) -> Iterator[bytes]:
    """A line for each of these albums, and for those that they are nested in."""
    waiting, done = sorted(albums), set[bytes]()
    while waiting:
        album = waiting.pop()
        if album in done:
            continue
        done.add(album)
        said = [Edit(*row) for row in fetch(catalog.db, _OF, (many([album]),))]
        parents = (json.loads(e.value or "null") for e in said if e.field == "album.parent")
        waiting += [p for text in parents if isinstance(text, str) and (p := id_of(text)) is not None]
        if said:
            edits = [as_json(e) for e in _with_undoing(catalog, said)]
            yield line({"record": "album", "id": format_id(album), "name": album_name(catalog, album), "edits": edits})


def _with_undoing(catalog: Catalog, edits: list[Edit]) -> list[Edit]:
    """These edits, and all that cancels or withdraws them, and what cancels that."""
    found = {e.clock: e for e in edits}
    waiting = list(edits)
    while waiting:
        e = waiting.pop()
        for row in fetch(catalog.db, _ABOUT, (LOG, e.clock, e.batch)):
            about = Edit(*row)
            if about.clock not in found:
                found[about.clock] = about
                waiting.append(about)
    return [found[clock] for clock in sorted(found)]


def as_json(edit: Edit) -> dict[str, Any]:
    """A row of the log as a JSON object."""
    return edit._asdict() | {"target": edit.target.hex()}


# ── taking in ───────────────────────────────────────────────────────────────────────────────────────────────────


class Taken:
    """What an import found and did."""

    def __init__(self) -> None:
        self.pictures = 0
        self.albums = 0
        self.edits = 0
        self.new = 0


def take_lines(catalog: Catalog, path: Path) -> Taken:
    """Take the edits of an export into a catalog. Everything is checked before anything is written.

    `path` is the file or the folder that it lies in. Safe to repeat. ImagerError names the line that is wrong.
    """
    if path.is_dir():
        path = path / NAME
    if not path.exists():
        raise NotFoundError(f"There is no {path}. 'imager export DEST --jsonl' writes one.")
    taken = Taken()
    for edits, kind in _read(path):
        taken.pictures += kind == "picture"
        taken.albums += kind == "album"
        taken.edits += len(edits)
    waiting: list[Edit] = []
    for edits, _kind in _read(path):
        waiting += edits
        if len(waiting) >= _AT_ONCE:
            taken.new += take(catalog, waiting)
            waiting.clear()
    taken.new += take(catalog, waiting)
    return taken


def _read(path: Path) -> Iterator[tuple[list[Edit], str]]:
    """The edits of each line, and what it is about."""
    with path.open("rb") as file:
        for number, text in enumerate(_lines(file, path), 1):

            def wrong(reason: str, number: int = number) -> ImagerError:
                return ImagerError(f"{path}, line {number}: {reason}. Nothing was taken in.")

            value = _object(text, wrong)
            kind = value.get("record")
            if number == 1:
                if kind != "export":
                    raise wrong("this is no export of Imager")
                if type(value.get("version")) is not int or not 1 <= value["version"] <= VERSION:
                    raise wrong(f"a newer Imager wrote it (version {str(value.get('version'))[:20]})")
            elif kind in ("picture", "album"):
                edits = value.get("edits")
                if not isinstance(edits, list):
                    raise wrong("it has no list of edits")
                yield [_edit(e, wrong) for e in edits], kind
            else:
                raise wrong(f"there are no records of the kind {str(kind)[:40]!r}")


def _lines(file: BinaryIO, path: Path) -> Iterator[bytes]:
    number = 0
    while text := file.readline(_LONGEST + 1):
        number += 1
        if len(text) > _LONGEST:
            raise ImagerError(f"{path}, line {number}: it is longer than {_LONGEST >> 20} MB. Nothing was taken in.")
        yield text
    if not number:
        raise ImagerError(f"{path} is empty. Nothing was taken in.")


def _object(text: bytes, wrong: Callable[[str], ImagerError]) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise wrong("it is no JSON (cut off, perhaps)") from None
    if not isinstance(value, dict):
        raise wrong("it is no JSON object")
    return value


def _edit(value: Any, wrong: Callable[[str], ImagerError]) -> Edit:
    try:
        edit = Edit(**value | {"target": bytes.fromhex(value["target"])})
    except (TypeError, ValueError, KeyError):
        raise wrong("one of its edits is none") from None
    if not well_formed(edit) or not -(1 << 63) <= edit.device < 1 << 63:
        raise wrong(f"the edit {str(edit.clock)[:60]!r} has not the form of one")
    if edit.field == PURGED:
        raise wrong("it would erase pictures, which no export does")
    return edit


def is_export(path: Path) -> bool:
    """Whether a file begins as an export does."""
    try:
        with path.open("rb") as file:
            return bool(json.loads(file.readline(1 << 20)).get("record") == "export")
    except (OSError, ValueError, AttributeError, RecursionError):
        return False


def relative(path: bytes, folder: bytes) -> str:
    """A path below a folder, with slashes; bytes that are no UTF-8 as lone surrogates."""
    return os.fsdecode(os.path.relpath(path, folder)).replace(os.sep, "/")


__all__ = [
    "NAME",
    "VERSION",
    "Taken",
    "album_lines",
    "album_name",
    "albums_of",
    "as_json",
    "edits_of_picture",
    "is_export",
    "line",
    "relative",
    "take_lines",
]
