"""What the walk of a root says of known places that it did not see: gone, away with their disk, or unknown.

A file is gone only if its root is there, not empty, and what is looked at is the volume on which the file was seen.
An empty mount point, or another disk in it, tells nothing about the files of the disk that was there. Since the name
of a volume may change when it is mounted anew, a file that did not change is taken as proof that two names mean one.
"""

from __future__ import annotations

import os
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from imager.catalog import Catalog
from imager.catalog.files import FileRow, FolderRow
from imager.ingest.only import Only, upwards
from imager.ingest.plan import AWAY, Plan, Seen
from imager.ingest.volumes import volume_of

Gone = tuple[int, FileRow]
"""A folder's number and what was known of a name in it."""


@dataclass(slots=True)
class Verdict:
    """What became of the places that a walk did not see."""

    gone: list[Gone] = field(default_factory=list)
    away: list[Gone] = field(default_factory=list)
    """Files of a disk in whose place another one is: their folder is there, but it is not theirs."""
    offline: list[int] = field(default_factory=list)
    """Folders that are away as a whole."""


@dataclass(frozen=True, slots=True)
class _Absent:
    folder: int
    path: bytes
    before: str | None
    now: str | None
    rows: Sequence[FileRow]
    names: frozenset[bytes]  # what is there instead, in lower case


class RootWalk:
    """Gathers what the walk of one root shows, and judges at its end."""

    def __init__(self, path: bytes) -> None:
        """`path`: the root."""
        self.path = path
        self._absent: list[_Absent] = []
        self._same: set[tuple[str | None, str | None]] = set()

    def planned(self, path: bytes, plan: Plan, before: str | None, now: str | None, files: Sequence[Seen]) -> None:
        """Note what comparing a folder gave; it lay on volume `before` and lies on `now`, and has these files."""
        if plan.unchanged and before != now:
            self._same.add((before, now))
        if plan.gone:
            there = frozenset(file.name.lower() for file in files)
            self._absent.append(_Absent(plan.folder, path, before, now, plan.gone, there))

    def verdict(self, catalog: Catalog, seen: Set[bytes], unread: Set[bytes], only: Only | None = None) -> Verdict:
        """Judge what was not seen. `seen`: folders that were read; at or below those `unread` nothing was.

        `only`: judge no other places.
        """
        found = Verdict()
        if _is_empty(self.path):
            found.offline = [folder.folder for folder in catalog.files.below(self.path)]
            return found
        below = self._known(catalog, only)
        for absent in self._absent:
            rows = [(absent.folder, row) for row in absent.rows if _is_gone(absent, row.name, unread)]
            if not self._is_elsewhere(absent.before, absent.now):
                found.gone += rows
            elif absent.names:
                found.away += rows
            else:
                found.offline.append(absent.folder)
        for folder in below:
            if folder.path in seen or os.path.lexists(folder.path) or _is_within(folder.path, unread):
                continue  # what is there without being walked was ignored or can't be read: it stays as it is
            if self._is_elsewhere(folder.volume, volume_around(folder.path)):
                found.offline.append(folder.folder)
            else:
                rows_of = catalog.files.in_folder(folder.folder).values()
                found.gone += [(folder.folder, row) for row in rows_of if row.state not in AWAY]
        return found

    def _known(self, catalog: Catalog, only: Only | None) -> list[FolderRow]:
        """The folders to be judged, each once."""
        if only is None:
            return catalog.files.below(self.path)
        places = [path for path in only.gone | only.trees if self.path in upwards(path)]
        return list({row.folder: row for path in sorted(places) for row in catalog.files.below(path)}.values())

    def _is_elsewhere(self, before: str | None, now: str | None) -> bool:
        """Whether files of volume `before` can't be judged where `now` is."""
        return before is not None and now is not None and before != now and (before, now) not in self._same


def is_gone(path: bytes, volume: str | None) -> bool:
    """Whether a file that lay at `path` on `volume` is there no more, rather than away with its disk."""
    return not os.path.lexists(path) and volume is not None and volume_around(os.path.dirname(path)) == volume


def volume_around(folder: bytes) -> str | None:
    """The volume of the nearest folder, at this path or above it, that exists."""
    for path in upwards(folder):
        try:
            return volume_of(path, os.stat(path))
        except OSError:
            continue
    return None


def _is_empty(root: bytes) -> bool:
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is None
    except OSError:
        return False


def _is_gone(absent: _Absent, name: bytes, unread: Set[bytes]) -> bool:
    """Whether a name that was not listed is gone: neither ignored by now, nor there but unreadable."""
    path = os.path.join(absent.path, name)
    if path in unread:
        return False
    # Where letters' case does not count, a file whose name changed only in that still answers to the old one.
    return name.lower() in absent.names or not os.path.lexists(path)


def _is_within(path: bytes, folders: Set[bytes]) -> bool:
    return bool(folders) and any(above in folders for above in upwards(path))
