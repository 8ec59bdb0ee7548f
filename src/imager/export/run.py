"""One export: picture after picture is read from the catalog, put into place and described, told as events."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

from imager.catalog import Catalog, read
from imager.catalog.connection import fetch
from imager.catalog.effective import iso
from imager.catalog.identity import format_id
from imager.errors import UsageError
from imager.export import copies, lines
from imager.export.copies import ChangedError, Original, Shelf
from imager.export.sidecar import sidecar

Layout = Literal["folders", "dates"]
LAYOUTS: tuple[Layout, ...] = ("folders", "dates")

_VERSIONS = """SELECT c.content, c.sha256, c.bytes, coalesce(c.facts ->> 'orientation', 1),
  c.facts ->> 'width', c.facts ->> 'height'
FROM assets AS a CROSS JOIN versions AS v ON v.asset = a.asset CROSS JOIN contents AS c ON c.content = v.content
WHERE a.asset = ? AND NOT c.erased ORDER BY v.content = a.content DESC, v.id"""
_REGIONS = "SELECT name, kind, left_edge, top_edge, width, height FROM regions WHERE asset = ? ORDER BY region"
_ALBUMS = """SELECT b.id FROM album_assets AS x CROSS JOIN albums AS b ON b.album = x.album
WHERE x.asset = ? AND NOT b.deleted"""
_LABEL = "SELECT label FROM folders WHERE path = ? AND device = ?"


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that lies in the folder of the export now; `kept`: it did already."""

    path: str
    file: str
    kept: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """A picture, or one version of it, that could not be exported as it should."""

    path: str
    reason: str


@dataclass(slots=True)
class Report:
    """What an export did; the last of its events."""

    pictures: int = 0
    copied: int = 0
    linked: int = 0
    kept: int = 0
    bytes: int = 0
    sidecars: int = 0
    failed: list[Failed] = field(default_factory=list)


def export(
    catalog: Catalog,
    library: Path,
    assets: Iterable[int],
    folder: bytes,
    *,
    layout: Layout = "folders",
    sidecars: bool = True,
    jsonl: bool = False,
    link: bool = False,
    asked: str = "",
) -> Iterator[Exported | Failed | Report]:
    """Write these pictures into a folder; originals are only read.

    `library`: its own folder. `asked` is noted in the JSON lines. UsageError where the folder is one that the
    library follows, or its own; StorageFullError when the disk is full.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"--layout takes {' or '.join(LAYOUTS)}, not {layout!r}.")
    _refuse(catalog, library, folder)
    target = Path(os.fsdecode(folder)) / lines.NAME
    if jsonl and os.path.lexists(target) and not lines.is_export(target):
        raise UsageError(f"{target} is no export of Imager, and is not written over. Choose another folder.")
    os.makedirs(folder, exist_ok=True)
    one = _Export(catalog, Shelf(folder, link=link), layout, sidecars)
    with ExitStack() as stack:
        out = stack.enter_context(_Whole(target)) if jsonl else None
        if out is not None:
            out.write(
                lines.line(
                    {
                        "record": "export",
                        "version": lines.VERSION,
                        "library": format_id(catalog.id),
                        "at": iso(catalog.now(), 0),
                        "query": asked,
                        "layout": layout,
                    }
                )
            )
        albums: set[bytes] = set()
        for asset in assets:
            yield from one.picture(asset, out, albums)
        if out is not None:
            for text in lines.album_lines(catalog, albums):
                out.write(text)
    yield one.report


class _Whole:
    """A file that appears when it is complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")

    def __enter__(self) -> IO[bytes]:
        self._file = self._temporary.open("xb")
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()
        if kind is None:
            self._temporary.replace(self._path)
        else:
            self._temporary.unlink(missing_ok=True)


class _Export:
    def __init__(self, catalog: Catalog, shelf: Shelf, layout: Layout, sidecars: bool) -> None:
        self.report = Report()
        self._catalog = catalog
        self._shelf = shelf
        self._layout = layout
        self._sidecars = sidecars

    def picture(self, asset: int, out: IO[bytes] | None, albums: set[bytes]) -> Iterator[Exported | Failed]:
        """All versions of a picture, the shown one first, and its line."""
        if self._catalog.db.execute("SELECT 1 FROM assets WHERE asset = ?", (asset,)).get is None:
            return  # erased, or joined to another, meanwhile
        known = read.describe(self._catalog, asset)
        self.report.pictures += 1
        regions = [(name, kind, box) for name, kind, *box in fetch(self._catalog.db, _REGIONS, (asset,))]
        files: list[str | None] = []
        for content, sha256, size, orientation, width, height in fetch(self._catalog.db, _VERSIONS, (asset,)):
            places = self._catalog.files.paths_of(content)
            path = next((path for path, state in places if state == "present"), None)
            if path is None:
                yield self._failed(known["id"] if not places else os.fsdecode(places[0][0]), "it is not there")
                files.append(None)
                continue
            try:
                placed, how = self._shelf.place(
                    Original(path, sha256, size),
                    self._folder(path, known["taken_at"]),
                    os.path.basename(path),
                    sidecar=self._sidecars,
                )
                if self._sidecars:
                    stored = (height, width) if orientation >= 5 else (width, height)
                    data, dropped = sidecar(
                        known,
                        regions=regions,
                        orientation=orientation,
                        size=stored if all(stored) else None,
                        name=os.fsdecode(os.path.basename(path)).encode(errors="replace").decode(),
                    )
                    self.report.sidecars += copies.replace(placed + b".xmp", data)
                    if dropped:
                        yield self._failed(os.fsdecode(path), f"{dropped} characters that XML can't hold were left out")
            except ChangedError:
                yield self._failed(os.fsdecode(path), "it has changed since it was added; 'imager add' reads it anew")
                files.append(None)
            except OSError as error:
                yield self._failed(os.fsdecode(path), f"it could not be copied: {error.strerror or error}")
                files.append(None)
            else:
                setattr(self.report, how, getattr(self.report, how) + 1)
                self.report.bytes += size if how == "copied" else 0
                files.append(lines.relative(placed, self._shelf.folder))
                yield Exported(os.fsdecode(path), os.fsdecode(placed), how == "kept")
        if out is not None:
            out.write(lines.line(self._line(asset, known, files, albums)))

    def _line(self, asset: int, known: dict[str, Any], files: list[str | None], albums: set[bytes]) -> dict[str, Any]:
        edits = lines.edits_of_picture(self._catalog, asset)
        albums |= lines.albums_of(edits)
        names = [lines.album_name(self._catalog, album) for (album,) in fetch(self._catalog.db, _ALBUMS, (asset,))]
        return {
            "record": "picture",
            "file": files[0] if files else None,
            "other_files": files[1:],
            **known,
            "albums": sorted(name for name in names if name),
            "edits": [lines.as_json(edit) for edit in edits],
        }

    def _folder(self, path: bytes, taken_at: str) -> bytes:
        """Where in the export a file belongs."""
        if self._layout == "dates":
            day = datetime.fromisoformat(taken_at)
            parts = [f"{day.year:04}", f"{day.year:04}-{day.month:02}"]
        else:
            row = self._catalog.db.execute(_LABEL, (os.path.dirname(path), self._catalog.device.files)).fetchone()
            parts = [p for p in (row[0] if row else "").replace("\\", "/").split("/") if p not in ("", ".", "..")]
        return os.path.join(self._shelf.folder, *(os.fsencode(part) for part in parts))

    def _failed(self, path: str, reason: str) -> Failed:
        failed = Failed(path, reason)
        self.report.failed.append(failed)
        return failed


def _refuse(catalog: Catalog, library: Path, folder: bytes) -> None:
    """No export into what the library reads: it would find its own copies, and write beside originals."""
    shown = os.fsdecode(folder)
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise UsageError(f"{shown} is not a folder.")
    real = os.path.realpath(folder)
    if _meet(real, os.path.realpath(os.fsencode(library))):
        raise UsageError(f"{shown} belongs to the library itself. Choose another folder.")
    for root, _volume in catalog.files.roots():
        if _meet(real, os.path.realpath(root)):
            raise UsageError(
                f"{shown} and {os.fsdecode(root)}, whose pictures are in this library, lie in each other: the copies "
                "would be found as pictures. Choose another folder."
            )


def _meet(one: bytes, other: bytes) -> bool:
    """Whether one path is the other, or lies below it, either way."""
    try:
        common = os.path.commonpath([one, other])
    except ValueError:  # other drives
        return False
    return common in (one, other)


__all__ = ["LAYOUTS", "Exported", "Failed", "Layout", "Report", "export"]
