"""How two catalogs come to hold the same log: each gives what the other lacks, in any order, any number of times.

A device's edits are always handed over and committed as a prefix in the order of their clocks, so the highest clock
per device is a valid cursor. Clocks from the future are held back at the giver's edge of that prefix: they are
simply not taken yet. The device that made them notices when its clock is right again, and says the same once more
under a new name (`mend_clock`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from imager.catalog import device as devices
from imager.catalog.catalog import Catalog, Statement, canonical
from imager.catalog.clock import MAX_AHEAD, parse
from imager.catalog.edits import CANCEL, CANCEL_BATCH, WITHDRAW, Edit
from imager.catalog.identity import LOG

_SINCE = "SELECT * FROM edits WHERE device = ? AND clock > ? ORDER BY clock"
_WITHDRAWN = "SELECT element FROM edits WHERE target = ? AND field = 'withdraw'"
_BATCH = 1_000


def give(catalog: Catalog, cursors: Mapping[int, str]) -> Iterator[Edit]:
    """The edits that a peer with these cursors lacks, each device's in the order of their clocks."""
    for device in sorted(catalog.last_clocks()):
        for row in catalog.db.execute(_SINCE, (device, cursors.get(device, ""))):
            yield Edit(*row)


def take(catalog: Catalog, edits: Iterable[Edit]) -> int:
    """Take what a peer gave, durably, in transactions of bounded size; returns how many were new.

    Malformed edits and what follows a clock from the future are passed over. Safe to repeat and to interrupt.
    """
    latest = catalog.now() + MAX_AHEAD
    streams: dict[int, list[Edit]] = defaultdict(list)
    for edit in edits:
        if well_formed(edit) and parse(edit.clock).milliseconds <= latest:
            streams[edit.device].append(edit)
    new = 0
    for stream in streams.values():
        stream.sort(key=lambda e: e.clock)
        for start in range(0, len(stream), _BATCH):
            with catalog.transaction(durable=True):
                new += catalog.admit_within(stream[start : start + _BATCH])
    return new


def well_formed(edit: Edit) -> bool:
    """Whether an edit from elsewhere has the form that every device writes."""
    texts = (edit.clock, edit.field, edit.element, edit.author, edit.batch)
    if not (type(edit.device) is int and type(edit.target) is bytes and all(type(text) is str for text in texts)):
        return False
    try:
        for text in texts:
            text.encode()
        return (
            parse(edit.clock).device == edit.device
            and parse(edit.batch) is not None
            and len(edit.target) == 16
            and bool(edit.field)
            and bool(edit.author)
            and (edit.value is None or canonical(json.loads(edit.value)) == edit.value)
        )
    except (ValueError, TypeError, RecursionError):
        return False


def mend_clock(catalog: Catalog) -> int:
    """Say again, at the right time, what this device said while its clock was far ahead; returns how many edits.

    They get new names under a new device number (a peer's cursor for the old one may be past them already), in one
    transaction with the withdrawal of the old ones. Nothing to do is the usual case.
    """
    if not _ahead(catalog):
        return 0
    with catalog.transaction(durable=True):
        ahead = _ahead(catalog)  # another process may have been here first
        if any(e.device == catalog.device.people for e in ahead):
            catalog.adopt(devices.renew(catalog.device))
        renamed: dict[str, str] = {}
        for batch in dict.fromkeys(e.batch for e in ahead):
            said = [e for e in ahead if e.batch == batch and e.value is not None]
            if not said:
                continue  # erased since
            statements = [
                Statement(
                    e.target,
                    e.field,
                    json.loads(e.value or "null"),
                    renamed.get(e.element, e.element) if e.field in (CANCEL, CANCEL_BATCH) else e.element,
                )
                for e in said
            ]
            names = catalog.name_and_say(statements, author=said[0].author)
            renamed |= {batch: names[0]} | dict(zip([e.clock for e in said], names, strict=True))
        for author in sorted({e.author for e in ahead}):
            catalog.say_within(
                [Statement(LOG, WITHDRAW, True, e.clock) for e in ahead if e.author == author], author=author
            )
    return len(ahead)


def _ahead(catalog: Catalog) -> list[Edit]:
    """What this device said far in the future, under any of its numbers, and has not withdrawn."""
    edge = f"{catalog.now() + MAX_AHEAD:013x}-ffff-ffffffffffff"
    numbers = (catalog.device.people, *catalog.device.former)
    ahead = [Edit(*row) for number in numbers for row in catalog.db.execute(_SINCE, (number, edge))]
    if not ahead:
        return []
    withdrawn = {e for (e,) in catalog.db.execute(_WITHDRAWN, (LOG,))}
    return sorted((e for e in ahead if e.clock not in withdrawn and e.field != WITHDRAW), key=lambda e: e.clock)
