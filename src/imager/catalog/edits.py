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

from collections.abc import Iterable
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
_NAMING = """
SELECT clock, batch, author, field FROM edits
  WHERE target = :log AND field IN ('cancel', 'withdraw') AND element = :clock
UNION ALL SELECT clock, batch, author, field FROM edits
  WHERE target = :log AND field = 'cancel_batch' AND element = :batch"""
_NAMED = "SELECT * FROM edits WHERE device = ? AND clock = ?"
_OF_BATCH = """SELECT * FROM edits WHERE batch = ?1 AND batch <> clock
UNION ALL SELECT * FROM edits WHERE device = ?2 AND clock = ?1"""


def admit(db: apsw.Connection, edits: Iterable[Edit]) -> tuple[int, set[bytes]]:
    """Take edits into the log, inside the caller's transaction.

    Returns how many were new, and the targets whose effective values may have changed by them.
    """
    touched: set[bytes] = set()
    fresh: list[Edit] = []
    for edit in edits:
        # What a tombstone erased must not come back by another road.
        kept = edit if edit.field in STRUCTURE or edit.target == LOG else _within_horizon(db, edit)
        before = db.total_changes()
        db.execute(_INSERT, kept)
        if db.total_changes() == before:
            continue
        fresh.append(edit)
        if edit.field == PURGED and edit.value == "true":
            db.execute(_ERASE, (edit.target, edit.clock))
    _settle(db, fresh, touched)
    return len(fresh), touched


def _within_horizon(db: apsw.Connection, edit: Edit) -> Edit:
    horizon = db.execute(_HORIZON, (edit.target,)).get
    return edit._replace(value=None) if horizon is not None and edit.clock < horizon else edit


def _settle(db: apsw.Connection, fresh: list[Edit], touched: set[bytes]) -> None:
    """Bring the table of cancelled edits up to date, and collect whose values that changes."""
    work, new = list(fresh), {e.clock for e in fresh}
    while work:
        edit = work.pop()
        was = db.execute("SELECT 1 FROM cancelled WHERE clock = ?", (edit.clock,)).get is not None
        now = is_cancelled(db, edit)
        if now and not was:
            db.execute("INSERT INTO cancelled VALUES (?)", (edit.clock,))
        elif was and not now:
            db.execute("DELETE FROM cancelled WHERE clock = ?", (edit.clock,))
        if now == was and edit.clock not in new:
            continue
        new.discard(edit.clock)
        if edit.target == LOG:
            work.extend(_named_by(db, edit))
        else:
            touched.add(edit.target)
            if edit.field == SAME_AS and (other := id_of(edit.element)) is not None:
                touched.add(other)


def is_cancelled(db: apsw.Connection, edit: Edit) -> bool:
    """Whether the log as it stands takes this edit back."""
    naming: dict[str, list[str]] = {}
    withdrawn: set[str] = set()
    frontier = [(edit.clock, edit.batch, edit.author, edit.field)]
    while frontier:
        clock, batch, author, field = frontier.pop()
        if clock in naming:
            continue
        naming[clock] = []
        if field == WITHDRAW:
            continue
        for other in fetch(db, _NAMING, {"log": LOG, "clock": clock, "batch": batch}):
            if other[3] == WITHDRAW:
                if other[2] == author:
                    withdrawn.add(clock)
            elif other[0] > clock and field != PURGED:
                naming[clock].append(other[0])
                frontier.append(other)
    if len(naming) == 1:
        return edit.clock in withdrawn
    # A cancel is later than what it names: from the latest on, every answer is there when it is asked for.
    cancelled: dict[str, bool] = {}
    for clock in sorted(naming, reverse=True):
        cancelled[clock] = clock in withdrawn or any(not cancelled[c] for c in naming[clock])
    return cancelled[edit.clock]


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
