"""After the walk: what became of places that are gone.

Known bytes at a new place have *moved* if a place that they had is gone, else they were *copied*. Of places that are
gone, the last one known of a picture is kept as *missing*; the others are forgotten.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from imager.catalog import Catalog
from imager.catalog.identity import format_id
from imager.ingest.events import Event, Gone, Moved, Report
from imager.ingest.plan import is_sidecar
from imager.ingest.record import Recorder
from imager.ingest.roots import Gone as Place
from imager.ingest.roots import is_gone

_BATCH = 2_000


def settle(catalog: Catalog, recorder: Recorder, report: Report, gone: Sequence[Place]) -> Iterator[Event]:
    """Decide moved or copied, and let go of places that are gone; tells of each."""
    gone = [*gone, *_elsewhere(catalog, recorder.arrived, {(folder, row.name) for folder, row in gone})]
    places: Counter[int] = Counter(row.content for _, row in gone if row.content is not None)
    left = places + recorder.lost
    moved = sum(min(count, left[content]) for content, count in recorder.arrived.items())
    report.moved += moved
    report.copies -= moved
    arrived = Counter(recorder.arrived)
    for start in range(0, len(gone), _BATCH):
        yield from _let_go(catalog, report, gone[start : start + _BATCH], arrived)


def _let_go(catalog: Catalog, report: Report, gone: Sequence[Place], arrived: Counter[int]) -> list[Event]:
    """Files whose bytes are known elsewhere are forgotten; the last known place of a picture is kept as missing.

    `arrived`: of the bytes that turned up at new places, those whose former place was not told yet.
    """
    files = catalog.files
    events: list[Event] = []
    with catalog.transaction(durable=False):
        sidecars = [(folder, row.name) for folder, row in gone if is_sidecar(row.name)]
        touched = set(files.remove_sidecars(sidecars))
        for folder, row in gone:
            if row.content is None:
                files.remove([(folder, row.name)])
                continue
            ids = files.ids_of([row.content])
            touched.update(ids)
            path = os.fsdecode(os.path.join(files.path(folder), row.name))
            others = [p for p in files.places_of(row.content) if p[:2] != (folder, row.name) and p[2] == "present"]
            if others:
                files.remove([(folder, row.name)])
            else:
                files.set_state([(folder, row.name)], "missing")
                report.missing += 1
            own = format_id(ids[0]) if ids else ""
            if others and arrived[row.content] > 0:
                arrived[row.content] -= 1
                there = os.path.join(files.path(others[-1][0]), others[-1][1])
                events.append(Moved(os.fsdecode(there), own, path))
            elif row.state == "present":
                events.append(Gone(path, own, missing=not others))
        catalog.refresh(touched, files_changed=True)
    return events


def _elsewhere(catalog: Catalog, arrived: Iterable[int], known: set[tuple[int, bytes]]) -> list[Place]:
    """Other places that arrived bytes had and that are gone: outside the walked roots, or missing for long."""
    gone: list[Place] = []
    for content in arrived:
        for folder, name, _state in catalog.files.places_of(content):
            if (folder, name) in known:
                continue
            path = os.path.join(catalog.files.path(folder), name)
            row = None if os.path.lexists(path) else catalog.files.at(path)
            place = catalog.files.folder(os.path.dirname(path))
            if row is not None and place is not None and (row.state == "missing" or is_gone(path, place.volume)):
                gone.append((folder, row))
    return gone
