"""The catalog of a library: opens the file and keeps its promises. Everything that writes goes through here.

Within one transaction, a cause (an edit, facts, a file) and all that follows from it (effective values) are written
together. Full text is written behind, in batches (words.py), at the latest before somebody searches.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from imager.catalog import albums, words
from imager.catalog import device as devices
from imager.catalog.clock import MAX_AHEAD, HybridClock
from imager.catalog.connection import Connection, explained, fetch
from imager.catalog.contents import Content
from imager.catalog.edits import CANCEL_BATCH, PURGED, Edit, admit
from imager.catalog.effective import Rules
from imager.catalog.files import Files
from imager.catalog.identity import LOG
from imager.catalog.joins import components
from imager.catalog.materialise import Materialiser
from imager.catalog.migrate import migrate, shipped
from imager.errors import ImagerError
from imager.facts import Facts

OWNER = "owner"
"""The author of edits in a library without accounts."""

RULES = "imager"
"""The author of what Imager's own rules join."""

_BATCHES_A_MERGE = 256
"""Merging all at once rewrites each word once; more pieces than this would make searches slow meanwhile."""

_EDITS_A_BATCH = 1_000
"""Full text of edited pictures is written so many at a time: searches do not wait for it, but for phrases."""


_AT_ONCE = 500
"""Edits a transaction, where many are said at once."""


class Statement(NamedTuple):
    """Something to be said: an edit without its name."""

    target: bytes
    field: str
    value: Any  # a JSON value; None: as found
    element: str = ""


_EARLIEST = 1 << 32  # 1970-02-19, in milliseconds

_LAST = """
WITH RECURSIVE spoken (device) AS (
  SELECT min(device) FROM edits UNION ALL
  SELECT (SELECT min(device) FROM edits WHERE edits.device > spoken.device) FROM spoken WHERE device IS NOT NULL)
SELECT device, (SELECT max(clock) FROM edits WHERE edits.device = spoken.device) FROM spoken WHERE device IS NOT NULL"""


_LAST_SAID = """
SELECT e.clock, e.batch FROM edits AS e WHERE e.device = ? AND e.author = ? AND e.target <> ? AND e.field <> 'purged'
AND e.value IS NOT NULL AND NOT EXISTS (SELECT 1 FROM cancelled AS c WHERE c.clock = e.clock)
ORDER BY e.clock DESC LIMIT 1"""


class Catalog:
    """One library's catalog, open for reading and writing by one process (others may have it open too)."""

    def __init__(self, path: Path, rules: Rules, *, now: Callable[[], int] | None = None) -> None:
        """Open or create the catalog; `now` gives milliseconds since 1970 (the system's clock by default)."""
        self.path = path
        self.now = now or (lambda: time.time_ns() // 1_000_000)
        self.connection = Connection(path)
        self._edits = 0
        self._seen = -1
        self._clocks: dict[bool, HybridClock] = {}  # of people, and of rules
        try:
            migrate(self.connection, shipped(), path.parent / "snapshots")
            self.db = self.connection.db
            self.id: bytes = self.db.execute("SELECT id FROM library").get
            self.device = devices.this_device(self.id, path)
            self._attach()
        except BaseException as error:
            self.connection.close()
            if isinstance(error, apsw.Error):
                raise explained(error, os.fspath(path)) from error
            raise
        self._materialiser = Materialiser(rules, self.device.files)
        self.rules = rules

    def _attach(self) -> None:
        self.files = Files(self.db, self.device.files)
        if self.db.execute("SELECT 1 FROM devices WHERE device = ?", (self.device.files,)).get is None:
            with self.connection.transaction(durable=True) as db:
                db.execute("INSERT OR IGNORE INTO devices VALUES (?, ?)", (self.device.files, self.device.name))

    def adopt(self, device: devices.Device) -> None:
        """Speak under other numbers from now on (see exchange.py)."""
        self.device = device
        self._clocks.clear()

    def close(self) -> None:
        """Close the file; what was committed stays. A second time does nothing."""
        if self._edits % _EDITS_A_BATCH:
            with contextlib.suppress(ImagerError):  # another process may be writing: then the next one does it
                self.index(seconds=0.0)
        self._edits = 0
        self.connection.close()

    @contextmanager
    def transaction(self, *, durable: bool) -> Iterator[apsw.Connection]:
        """Hold the write lock. `durable`: what is committed here survives the loss of power."""
        try:
            with self.connection.transaction(durable=durable) as db:
                version = db.execute("PRAGMA data_version").get
                if version != self._seen:  # another connection wrote, and may have taken numbers or clocks
                    self._forget()
                    self._seen = version
                yield db
        except BaseException:
            self._forget()
            raise

    def _forget(self) -> None:
        self._materialiser.numbers.forget()
        self._clocks.clear()

    def refresh(
        self, ids: Iterable[bytes], *, files_changed: bool = False, read: Mapping[int, Facts] | None = None
    ) -> list[int]:
        """Recompute the effective values of these ids, in the caller's transaction; numbers of changed assets.

        See `Materialiser.apply` for the rest.
        """
        return self._materialiser.apply(self.db, ids, files_changed=files_changed, read=read)

    def look_up_places(self, read: Iterable[Content]) -> None:
        """Look up where pictures were taken, before a transaction that needs it: the first look loads large tables."""
        for content in read:
            facts = content.facts
            if facts.latitude is not None and facts.longitude is not None:
                self.rules.locate(facts.latitude, facts.longitude)

    def last_clocks(self) -> dict[int, str]:
        """The latest clock of every device in the log: valid cursors, since each device's edits come in order."""
        return dict(fetch(self.db, _LAST))

    def say(self, statements: Sequence[Statement], *, author: str = OWNER) -> str:
        """Log what a person says, durably, with all that follows; returns the name of the batch, for undoing it.

        Much is said in several transactions, so that nobody waits long for the write lock.
        """
        with self.transaction(durable=True):
            batch = self.say_within(statements[:_AT_ONCE], author=author)
        for start in range(_AT_ONCE, len(statements), _AT_ONCE):
            with self.transaction(durable=True):
                self.name_and_say(statements[start : start + _AT_ONCE], author=author, batch=batch)
        self._edits += 1
        if self._edits % _EDITS_A_BATCH == 0:
            self.index(seconds=0.0)
        return batch

    def say_within(self, statements: Sequence[Statement], *, author: str = OWNER) -> str:
        """`say`, in the caller's transaction."""
        return self.name_and_say(statements, author=author)[0]

    def name_and_say(
        self, statements: Sequence[Statement], *, author: str = OWNER, batch: str | None = None
    ) -> list[str]:
        """`say`, in the caller's transaction; returns the name of each edit (one at least), the first the batch's.

        `batch`: one that was begun before and goes on. `RULES` as author speaks at clock zero: anybody's edit is later.
        """
        clock = self._clock(author)
        names = [clock.tick() for _ in statements]
        self.admit_within(
            Edit(clock.device, name, s.target, s.field, s.element, canonical(s.value), author, batch or names[0])
            for name, s in zip(names, statements, strict=True)
        )
        self._clocks[author == RULES] = clock
        return names

    def _clock(self, author: str) -> HybridClock:
        if (known := self._clocks.get(author == RULES)) is not None:
            return known
        last = self.last_clocks()
        if author == RULES:
            return HybridClock(self.device.rules, lambda: 0, last=last.get(self.device.rules))
        # Later than every rule, even where the wall clock stands at the epoch: rules merely count from there.
        clock = HybridClock(self.device.people, lambda: max(self.now(), _EARLIEST), last=last.get(self.device.people))
        edge = f"{self.now() + MAX_AHEAD:013x}~"
        for seen in last.values():
            if seen <= edge:  # a clock from the future must not drag ours along
                clock.observe(seen)
        return clock

    def admit_within(self, edits: Iterable[Edit]) -> int:
        """Take edits into the log, with all that follows, in the caller's transaction; how many were new."""
        edits = list(edits)
        new, touched = admit(self.db, edits)
        self._clocks.clear()  # who speaks next must be later than what came in
        self._materialiser.numbers.name_tags(self.db, (i for i, by in touched.items() if "name" in by))
        own = (i for i, by in touched.items() if PURGED in by or any(field.startswith(albums.OWN) for field in by))
        albums.refresh(self.db, own)
        members = {i for i, by in touched.items() if albums.MEMBER in by}
        others = {i for i, by in touched.items() if not all(albums.speaks_of(field) for field in by)}
        if others and touched.keys() == {edit.target for edit in edits}:  # nobody else's values follow from them
            others = self._materialiser.apply_said(self.db, [e for e in edits if not albums.speaks_of(e.field)])
        if others:
            self.refresh(others | members)
        else:
            albums.refresh_members(self.db, members)
        return new

    def undo(self, batch: str | None = None, *, author: str = OWNER) -> str | None:
        """Take back a batch, by default the latest said on this device and not taken back; its name, or None."""
        with self.transaction(durable=True):
            name = batch if batch is not None else self.last_batch(author)
            if name is not None:
                self.say_within([Statement(LOG, CANCEL_BATCH, True, name)], author=author)
            return name

    def last_batch(self, author: str) -> str | None:
        """The batch that `undo` would take back: the latest that the author said on this device and not took back."""
        found = [
            (clock, batch)
            for device in (self.device.people, *self.device.former)
            for clock, batch in self.db.execute(_LAST_SAID, (device, author, LOG))
        ]
        return max(found)[1] if found else None

    def resolve(self, asset_id: bytes) -> int | None:
        """The number of the asset that an id stands for: its own, or that of any picture joined into it."""
        found = self.db.execute("SELECT asset FROM versions WHERE id = ?", (asset_id,)).get
        if found is None:  # its own picture may not be here, but one that it was joined with
            (joined,) = components(self.db, [asset_id]).values()
            others = (self.db.execute("SELECT asset FROM versions WHERE id = ?", (i,)).get for i in joined)
            found = next((asset for asset in others if asset is not None), None)
        return None if found is None else int(found)

    def members(self, asset: int) -> list[bytes]:
        """All ids that were joined into an asset and whose pictures are here, in order."""
        return [i for (i,) in self.db.execute("SELECT id FROM versions WHERE asset = ? ORDER BY id", (asset,))]

    def joined(self, asset: int) -> list[bytes]:
        """All ids that stand for an asset, in order; the pictures of some may not be here."""
        found = components(self.db, self.members(asset))
        return sorted(i for members in found.values() for i in members)

    def drop_unused(self, place: int | None, tags: Iterable[int]) -> None:
        """Delete a place and tags that only files gave, if nothing has them, in the caller's transaction."""
        self._materialiser.numbers.drop_unused(self.db, place, tags)

    def index(self, *, seconds: float | None = None) -> bool:
        """Write full text that is behind, for at most about that long; returns whether some is left."""
        until = None if seconds is None else time.monotonic() + seconds
        batches = 0
        while words.index_some(self.connection):
            batches += 1
            if until is not None and time.monotonic() >= until:
                break
            if batches % _BATCHES_A_MERGE == 0:
                self.merge()
        if batches:
            self.merge()
        return words.behind(self.db)

    def merge(self) -> None:
        """Merge what full text was written in, in small steps, if there are many pieces; cheap if there are few."""
        while words.merge_some(self.connection):
            pass

    def place_on_disk(self) -> str:
        """The file's path, for people."""
        return os.fspath(self.path)


def canonical(value: Any) -> str:
    """A JSON value as every device writes it: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
