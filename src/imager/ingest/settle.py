"""After the walk: what became of places that are gone.

Known bytes at a new place have *moved* if a place that they had is gone, else they were *copied*. A file is *missing*
only if its root is there, not empty, and on the volume recorded for it; else it is offline, and nothing is known.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from imager.catalog import Catalog
from imager.catalog.files import FileRow, FolderRow
from imager.ingest.events import Report
from imager.ingest.record import Recorder

Gone = tuple[int, FileRow]
"""A folder's number and what was known of a name in it."""

VolumeOf = Callable[[bytes], str | None]
"""The volume that an existing path lies on."""


def vanished_folders(
    catalog: Catalog, root: bytes, seen: set[bytes], volume_of: VolumeOf
) -> tuple[list[Gone], list[int]]:
    """Known folders below `root` that the walk did not see: their files if they are gone, and which are offline.

    Folders that are there, but were not walked (unreadable, ignored), stay as they are.
    """
    gone: list[Gone] = []
    offline: list[int] = []
    for folder in catalog.files.below(root):
        if folder.path in seen or os.path.lexists(folder.path):
            continue
        if _on_vanished_volume(folder, root, volume_of):
            offline.append(folder.folder)
        else:
            rows = catalog.files.in_folder(folder.folder).values()
            gone += [(folder.folder, row) for row in rows if row.state != "missing"]
    return gone, offline


def emptied(folder: FolderRow, volume: str | None, *, is_root: bool) -> bool:
    """Whether a known folder that is empty now is a mount point without its disk, rather than cleared by someone."""
    return is_root or (folder.volume is not None and volume is not None and folder.volume != volume)


def _on_vanished_volume(folder: FolderRow, root: bytes, volume_of: VolumeOf) -> bool:
    ancestor = os.path.dirname(folder.path)
    while not os.path.lexists(ancestor) and len(ancestor) > len(root):
        ancestor = os.path.dirname(ancestor)
    volume = volume_of(ancestor)
    return folder.volume is not None and volume is not None and volume != folder.volume


def settle(catalog: Catalog, recorder: Recorder, report: Report, gone: Sequence[Gone]) -> None:
    """Decide moved or copied, and let go of places that are gone, in one transaction."""
    gone = [*gone, *_elsewhere(catalog, recorder.arrived, {(folder, row.name) for folder, row in gone})]
    places: Counter[int] = Counter(row.content for _, row in gone if row.content is not None)
    left = places + recorder.lost
    moved = sum(min(count, left[content]) for content, count in recorder.arrived.items())
    report.moved += moved
    report.copies -= moved
    for start in range(0, len(gone), _BATCH):
        _let_go(catalog, report, gone[start : start + _BATCH])


_BATCH = 2_000


def _let_go(catalog: Catalog, report: Report, gone: Sequence[Gone]) -> None:
    """Files whose bytes are known elsewhere are forgotten; the last known place of a picture is kept as missing."""
    files = catalog.files
    with catalog.transaction(durable=False):
        touched: set[bytes] = set()
        for folder, row in gone:
            if row.state == "sidecar":
                touched.update(files.remove_sidecar(folder, row.name))
                files.remove([(folder, row.name)])
                continue
            if row.content is None:
                files.remove([(folder, row.name)])
                continue
            touched.update(files.ids_of([row.content]))
            others = [p for p in files.places_of(row.content) if p[:2] != (folder, row.name) and p[2] == "present"]
            if others:
                files.remove([(folder, row.name)])
            else:
                files.set_state([(folder, row.name)], "missing")
                report.missing += 1
        catalog.refresh(touched, files_changed=True)


def _elsewhere(catalog: Catalog, arrived: Iterable[int], known: set[tuple[int, bytes]]) -> list[Gone]:
    """Places of arrived bytes outside the walked roots that are gone: they moved from one root to another."""
    gone: list[Gone] = []
    for content in arrived:
        for folder, name, state in catalog.files.places_of(content):
            if state != "present" or (folder, name) in known:
                continue
            path = catalog.files.path(folder)
            if os.path.isdir(path) and not os.path.lexists(os.path.join(path, name)):
                row = catalog.files.in_folder(folder).get(name)
                if row is not None:
                    gone.append((folder, row))
    return gone
