"""Write what workers found into the catalog: many files a transaction, each file's step whole or not at all."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from imager.catalog import RULES, Catalog, Statement, contents
from imager.catalog.edits import PURGED, SAME_AS, SUPERSEDES
from imager.catalog.files import FileRow
from imager.catalog.identity import asset_id, format_id
from imager.catalog.joins import edge
from imager.facts import Facts
from imager.ingest.events import Added, Event, Failed, Replaced, Report
from imager.ingest.examine import READER, content_of, failed_answer
from imager.ingest.plan import Task
from imager.ingest.same import same_picture

_CHANGING = "it is still being written; the next run reads it"
_OLD = """SELECT c.facts, d.phash FROM contents AS c LEFT JOIN derivatives AS d USING (content)
WHERE c.content = ? AND NOT c.erased"""


class Answered(NamedTuple):
    """A task with what a worker said of it, or why none could."""

    task: Task
    answer: dict[str, Any]


class _Replacement(NamedTuple):
    task: Task
    new: bytes  # id of the bytes that are there now
    old: bytes  # and of those that were
    same: bool  # evidently one picture


class Recorder:
    """Keeps the account of one run, and writes it down."""

    def __init__(self, catalog: Catalog, report: Report) -> None:
        """`report` is counted up."""
        self._catalog = catalog
        self._report = report
        self.arrived: Counter[int] = Counter()
        """How often known bytes turned up at a place that is new for them: moved or copied, settled at the end."""
        self.lost: Counter[int] = Counter()
        """How often a place of some bytes holds others now."""

    def record(self, batch: Sequence[Answered]) -> tuple[list[Event], list[Task]]:
        """Write a batch in one transaction. Returns what happened, and tasks to do once more, reading all anew."""
        events: list[Event] = []
        again: list[Task] = []
        read = {a.answer["sha256"]: content_of(a.answer) for a in batch if a.answer["outcome"] == "new"}
        self._catalog.look_up_places(read.values())
        with self._catalog.transaction(durable=False) as db:
            hashes = [bytes.fromhex(a.answer["sha256"]) for a in batch if "sha256" in a.answer]
            before = contents.known(db, hashes)
            fresh: dict[bytes, contents.Content] = {}
            revived: list[bytes] = []
            for task, answer in batch:
                if answer["outcome"] != "new":
                    continue
                content = read[answer["sha256"]]
                erased = before.get(content.sha256, (0, False))[1]
                if erased and not task.named:
                    continue
                if erased:
                    revived.append(content.sha256)
                fresh.setdefault(content.sha256, content)
            numbers = {sha256: n for sha256, (n, _) in before.items()} | contents.put(db, list(fresh.values()))

            rows: list[tuple[int, FileRow]] = []
            touched: set[int] = set()
            replaced: list[_Replacement] = []
            first: set[bytes] = set()
            for task, answer in batch:
                outcome = answer["outcome"]
                old = task.known.content if task.known is not None else None
                if outcome == "gone":
                    self._report.found -= 1
                    continue
                if outcome == "failed":
                    rows.append((task.folder, _failed_row(task, answer)))
                    old = None if rows[-1][1].state == "present" else old
                    failed = Failed(os.fsdecode(task.path), answer["stage"], answer["reason"])
                    self._report.failed.append(failed)
                    events.append(failed)
                elif outcome == "skipped":
                    rows.append((task.folder, _row(task, "skipped")))
                    self._report.skipped += 1
                else:
                    sha256 = bytes.fromhex(answer["sha256"])
                    erased = sha256 in before and before[sha256][1] and sha256 not in revived
                    if erased and task.named and outcome == "erased":
                        again.append(task)
                        continue
                    if erased:
                        # Not even the path of what was erased is kept: the next run looks at it again.
                        self._report.skipped += 1
                        self._catalog.files.remove([(task.folder, task.name)])
                    else:
                        number = numbers[sha256]
                        touched.add(number)
                        rows.append((task.folder, _row(task, "present", number, answer["seen"])))
                        new = sha256 in fresh and sha256 not in first and (sha256 not in before or sha256 in revived)
                        first.add(sha256)
                        self._count(task, number, fresh.get(sha256) if new else None, events, replaced)
                        if old == number:
                            continue
                if old is not None:
                    touched.add(old)
                    self.lost[old] += 1
            self._catalog.files.put(rows)
            self._revive(revived)
            facts = {numbers[sha256]: content.facts for sha256, content in fresh.items()}
            self._catalog.refresh(self._catalog.files.ids_of(touched), files_changed=True, read=facts)
            for replacement in replaced:
                self._supersede(replacement)
                path = os.fsdecode(replacement.task.path)
                events.append(Replaced(path, format_id(replacement.new), replacement.same))
        return events, again

    def record_sidecars(self, batch: Sequence[Answered]) -> None:
        """Write what sidecars say, in one transaction. One that can't be read leaves what it said before."""
        rows: list[tuple[int, FileRow]] = []
        read: list[tuple[int, bytes, str, str]] = []
        for task, answer in batch:
            if answer["outcome"] == "sidecar":
                rows.append((task.folder, _row(task, "sidecar")))
                read.append((task.folder, task.name, json.dumps(answer["facts"]), json.dumps(answer["raw"])))
            elif answer["outcome"] == "failed":
                rows.append((task.folder, _failed_row(task, answer)))
        with self._catalog.transaction(durable=False):
            self._catalog.files.put(rows)
            self._catalog.refresh(self._catalog.files.put_sidecars(read))

    def _count(
        self,
        task: Task,
        number: int,
        new: contents.Content | None,
        events: list[Event],
        replaced: list[_Replacement],
    ) -> None:
        """Say what a file with readable bytes is: `new` where they were not known before."""
        old = task.known.content if task.known is not None else None
        if new is None:
            if old == number or self._is_recorded(task, number):
                self._report.unchanged += 1  # touched, or back again, or another process was first
            elif old is not None and self._are_one(old, number):
                self._report.replaced += 1  # an edit was taken back, or made again
                replaced.append(_Replacement(task, self._id(number), self._id(old), True))
            else:
                self._report.copies += 1
                self.arrived[number] += 1
            return
        own = asset_id(new.sha256)
        same = old is not None and self._is_same(old, new)
        if old is not None and (same or (task.known is not None and task.known.state == "present")):
            self._report.replaced += 1
            replaced.append(_Replacement(task, own, self._id(old), same))
        else:
            self._report.added += 1
            events.append(Added(os.fsdecode(task.path), format_id(own)))

    def _is_recorded(self, task: Task, number: int) -> bool:
        row = self._catalog.files.at(task.path)
        return row is not None and row.content == number and row.state == "present"

    def _are_one(self, content: int, other: int) -> bool:
        sql = "SELECT count(DISTINCT asset), count(asset) FROM versions WHERE content IN (?, ?)"
        return bool(self._catalog.db.execute(sql, (content, other)).get == (1, 2))

    def _is_same(self, content: int, new: contents.Content) -> bool:
        """Whether new bytes at a known path are evidently the picture that was there."""
        found = self._catalog.db.execute(_OLD, (content,)).fetchone()
        return found is not None and same_picture(Facts.from_json(json.loads(found[0])), found[1], new)

    def _id(self, content: int) -> bytes:
        return self._catalog.files.ids_of([content])[0]

    def _revive(self, hashes: Sequence[bytes]) -> None:
        """People named a file that they had erased: the picture returns, without what was said of it."""
        if hashes:
            self._catalog.say_within([Statement(asset_id(h), PURGED, None) for h in hashes])

    def _supersede(self, replacement: _Replacement) -> None:
        """Have new bytes at a known path shown as the latest version of what was there, if they are that."""
        if not replacement.same:
            return
        new, old = replacement.new, replacement.old
        target, element = edge(new, old)
        self._catalog.say_within(
            [Statement(target, SAME_AS, 1, element), Statement(new, SUPERSEDES, 1, f"{new.hex()}/{old.hex()}")],
            author=RULES,
        )


def changing() -> dict[str, Any]:
    """An answer for a file that would not hold still; it is read anew next time, whatever its times say."""
    return failed_answer("identify", _CHANGING)


def _failed_row(task: Task, answer: dict[str, Any]) -> FileRow:
    """A file that can't be read is still the place of what it was, so that its repair is known for what it is."""
    known = task.known
    if answer["reason"] == _CHANGING and known is not None and known.state == "present":
        return known._replace(bytes=0, changed=0, inode=0)
    content = known.content if known is not None else None
    return _row(task, "failed", content, stage=answer["stage"], reason=answer["reason"])


def _row(
    task: Task,
    state: str,
    content: int | None = None,
    seen: Sequence[int] | None = None,
    *,
    stage: str | None = None,
    reason: str | None = None,
) -> FileRow:
    """The row of a file: as the worker saw it when it read it, else as the walk did."""
    if reason == _CHANGING:
        seen = (0, 0, 0, 0)
    size, modified, changed, inode = seen or (task.size, task.modified, task.changed, task.inode)
    return FileRow(task.name, state, content, size, modified, changed, inode, READER, stage, reason)
