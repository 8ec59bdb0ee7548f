"""The log of edits: what people (and Imager's joining rules) say, append-only, exchanged between devices.

Everything effective is a function of the *set* of edits in the log: it does not matter in which order or how often
they arrive. Three kinds of edit speak of other edits and have `LOG` as their target:

- `cancel` names one edit, `cancel_batch` all edits of a batch, made before it. A cancel can be cancelled.
- `withdraw` names an edit of its own author that carried a clock from the future. It stands for good.

An edit is cancelled if it was withdrawn, or if a later cancel names it and is not itself cancelled. Since a cancel
must be later than what it names, this has exactly one answer for every log, hostile ones included.

A tombstone (`purged` = true) erases: edits on its target with an earlier clock are stored without their value. No
cancel applies to it: what it erased can't come back. A later `purged` = null lets the picture itself return.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import count
from typing import NamedTuple

import apsw

from imager.catalog.connection import fetch
from imager.catalog.identity import LOG, id_of

CANCEL, CANCEL_BATCH, WITHDRAW, PURGED = "cancel", "cancel_batch", "withdraw", "purged"
SAME_AS, SUPERSEDES = "same_as", "supersedes"
STRUCTURE = (PURGED, SAME_AS, SUPERSEDES)
"""Fields that a tombstone leaves: they say nothing about a picture but which picture it is."""


class Edit(NamedTuple):
    """One row of the log; its clock is its name."""

    device: int
    clock: str
    target: bytes
    field: str
    element: str
    value: str | None  # canonical JSON; None: erased
    author: str
    batch: str


_INSERT = """INSERT OR IGNORE INTO edits (device, clock, target, field, element, value, author, batch)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""
_HORIZON = "SELECT max(clock) FROM edits WHERE target = ? AND field = 'purged' AND element = '' AND value = 'true'"
_ERASE = """UPDATE edits SET value = NULL
WHERE target = ? AND clock < ? AND field NOT IN ('purged', 'same_as', 'supersedes')"""
_TAKEN_BACK = """
SELECT 1 FROM edits AS e WHERE e.target = :log AND e.field = 'withdraw' AND e.element = :clock AND e.author = :author
UNION ALL
SELECT 1 FROM edits AS e WHERE e.target = :log AND e.field = 'cancel' AND e.element = :clock AND e.clock > :clock
  AND :field <> 'purged' AND NOT EXISTS (SELECT 1 FROM cancelled AS c WHERE c.clock = e.clock)
UNION ALL
SELECT 1 FROM edits AS e WHERE e.target = :log AND e.field = 'cancel_batch' AND e.element = :batch AND e.clock > :clock
  AND :field <> 'purged' AND NOT EXISTS (SELECT 1 FROM cancelled AS c WHERE c.clock = e.clock)
LIMIT 1"""
_NAMED = "SELECT * FROM edits WHERE device = ? AND clock = ?"
_OF_BATCH = """SELECT * FROM edits WHERE batch = ?1 AND batch <> clock
UNION ALL SELECT * FROM edits WHERE device = ?2 AND clock = ?1 AND batch = clock"""
_SPEAKING = """SELECT * FROM edits WHERE target = ? AND field IN ('cancel', 'cancel_batch', 'withdraw')
ORDER BY clock DESC"""


def admit(db: apsw.Connection, edits: Iterable[Edit]) -> tuple[int, dict[bytes, set[str]]]:
    """Take edits into the log, inside the caller's transaction.

    Returns how many were new, and the targets whose effective values may have changed by them: by which fields.
    """
    touched: dict[bytes, set[str]] = {}
    fresh: list[Edit] = []
    for edit in edits:
        # What a tombstone erased must not come back by another road.
        kept = edit if edit.field in STRUCTURE or edit.target == LOG else _within_horizon(db, edit)
        before = db.total_changes()
        db.execute(_INSERT, kept)
        if db.total_changes() == before:
            continue
        fresh.append(edit)
        if edit.field == PURGED and edit.element == "" and edit.value == "true" and edit.target != LOG:
            db.execute(_ERASE, (edit.target, edit.clock))
    _settle(db, fresh, touched)
    return len(fresh), touched


def _within_horizon(db: apsw.Connection, edit: Edit) -> Edit:
    horizon = db.execute(_HORIZON, (edit.target,)).get
    return edit._replace(value=None) if horizon is not None and edit.clock < horizon else edit


def _settle(db: apsw.Connection, fresh: list[Edit], touched: dict[bytes, set[str]]) -> None:
    """Bring the table of cancelled edits up to date, and collect whose values that changes.

    From the latest edit to the earliest: whether an edit stands depends on later ones only (but for withdrawals, which
    always stand), so each answer is final when it is needed, and a long chain of undoing costs one look a link.
    """
    new = {e.clock for e in fresh}
    work = [(_descending(e.clock), n, e) for n, e in enumerate(fresh)]
    heapq.heapify(work)
    order = count(len(work))  # so that the heap never has to compare edits
    while work:
        *_, edit = heapq.heappop(work)
        was = db.execute("SELECT 1 FROM cancelled WHERE clock = ?", (edit.clock,)).get is not None
        now = _is_taken_back(db, edit)
        if now and not was:
            db.execute("INSERT INTO cancelled VALUES (?)", (edit.clock,))
        elif was and not now:
            db.execute("DELETE FROM cancelled WHERE clock = ?", (edit.clock,))
        if now == was and edit.clock not in new:
            continue
        new.discard(edit.clock)
        if edit.target == LOG:
            for named in _named_by(db, edit):
                heapq.heappush(work, (_descending(named.clock), next(order), named))
        else:
            touched.setdefault(edit.target, set()).add(edit.field)
            if edit.field == SAME_AS and (other := id_of(edit.element)) is not None:
                touched.setdefault(other, set()).add(SAME_AS)


_TURNED = str.maketrans("-0123456789abcdef", "~fedcba9876543210")


def _descending(clock: str) -> str:
    """Text that sorts the other way round: a heap gives the smallest first."""
    return clock.translate(_TURNED)


def _for_good(edit: Edit) -> bool:
    """A withdrawal can't be taken back."""
    return edit.target == LOG and edit.field == WITHDRAW


def _is_taken_back(db: apsw.Connection, edit: Edit) -> bool:
    """Whether an edit is withdrawn, or named by a later cancel that stands, as the table has it."""
    if _for_good(edit):
        return False
    named = {"log": LOG, "clock": edit.clock, "batch": edit.batch, "author": edit.author, "field": edit.field}
    return db.execute(_TAKEN_BACK, named).get is not None


def cancelled_by_log(db: apsw.Connection) -> set[str]:
    """The names of all cancelled edits, computed from the log alone: what the table `cancelled` has to hold."""
    cancelled: set[str] = set()
    waiting: list[tuple[str, str]] = []
    for row in fetch(db, _SPEAKING, (LOG,)):
        edit = Edit(*row)
        for named in _named_by(db, edit):
            if edit.field == WITHDRAW:
                if edit.author == named.author and not _for_good(named):
                    cancelled.add(named.clock)
            elif edit.clock > named.clock and named.field != PURGED and not _for_good(named):
                waiting.append((edit.clock, named.clock))
    # Withdrawals are all known by now; of the rest, the latest cancel is decided first.
    for by, clock in sorted(waiting, reverse=True):
        if by not in cancelled:
            cancelled.add(clock)
    return cancelled


def _named_by(db: apsw.Connection, edit: Edit) -> list[Edit]:
    """The edits that a cancel or withdrawal names, as far as they have arrived."""
    try:
        device = int(edit.element[-12:], 16)
    except ValueError:
        return []
    if edit.field in (CANCEL, WITHDRAW):
        rows = fetch(db, _NAMED, (device, edit.element))
    elif edit.field == CANCEL_BATCH:
        rows = fetch(db, _OF_BATCH, (edit.element, device))
    else:
        return []
    return [Edit(*row) for row in rows]
