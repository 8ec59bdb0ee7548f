"""One run over folders: walk, plan, examine in workers, record, settle; told as events while it goes on.

Three parties work at once. A thread walks the folders. Worker processes examine files. The caller's own thread, in
`Run.events`, plans what the walk brings, hands files to the workers and records what they say, so that all use of the
catalog is here. What waits is bounded everywhere: a tree of millions does not fill the memory.
"""

from __future__ import annotations

import json
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any

from imager.catalog import Catalog
from imager.catalog.files import FileRow
from imager.errors import NotFoundError, StorageFullError, UsageError
from imager.ingest.events import Event, Finished, Problem, Progress, Report
from imager.ingest.examine import READER, examine, examine_sidecar, failed_answer
from imager.ingest.ignore import IgnoreRules
from imager.ingest.plan import Plan, Task, plan_folder
from imager.ingest.record import Answered, Recorder, changing
from imager.ingest.settle import Gone, emptied, settle, vanished_folders
from imager.ingest.store import Store
from imager.ingest.volumes import volume_of
from imager.ingest.walk import Folder, walk
from imager.ingest.workers import SupervisedExecutor, WorkerError, WorkerFailedError

DEADLINE = 120.0
MEMORY = 2 << 30

_AHEAD = 20_000  # tasks planned before their turn
_IN_FLIGHT = 4  # tasks a worker, so that none waits for the next
_BATCH = 64
_PATIENCE = 0.2  # seconds that a result waits for others to share its transaction
_FOLDERS_AHEAD = 256
_SEPARATOR = os.sep.encode()


class _Walked:
    """The walk of one root has ended."""

    def __init__(self, root: bytes, unread: list[bytes]) -> None:
        self.root = root
        self.unread = unread


class Run:
    """A run over some roots of one library."""

    def __init__(self, catalog: Catalog, store: Store, roots: Sequence[bytes], *, workers: int, nice: int = 0) -> None:
        """`roots`: absolute paths of folders or files. NotFoundError names one that is not there."""
        for root in roots:
            if not os.path.lexists(root):
                raise NotFoundError(_absent(catalog, root))
        if not roots:
            raise UsageError("Name a folder or a file to add.")
        self.report = Report()
        self._catalog = catalog
        self._store = store
        self._roots = roots
        self._executor = SupervisedExecutor(workers, deadline=DEADLINE, memory=MEMORY, nice=nice)
        self._limit = workers * _IN_FLIGHT
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._room = threading.Semaphore(_FOLDERS_AHEAD)
        self._stop = threading.Event()
        self._waiting: deque[Task] = deque()
        self._in_flight = 0
        self._pending: list[Answered] = []
        self._recorder = Recorder(catalog, self.report)
        self._again: set[bytes] = set()
        self._unsteady: dict[bytes, Task] = {}
        self._gone: list[Gone] = []
        self._offline: list[int] = []
        self._seen: dict[bytes, set[bytes]] = {}
        self._labels: dict[bytes, bytes] = {}
        self._sidecars: dict[bytes, Task] = {}
        self._started = time.monotonic()

    def events(self) -> Iterator[Event]:
        """Do it. May be closed, or interrupted, at any time: what was recorded stays, the rest is done next time."""
        self._store.create()
        walker = threading.Thread(target=self._walk, name="imager-walk", daemon=True)
        walker.start()
        try:
            yield from self._work()
            settle(self._catalog, self._recorder, self.report, self._gone)
            with self._catalog.transaction(durable=False):
                self._catalog.files.set_offline(self._offline, True)
            self.report.seconds = round(time.monotonic() - self._started, 3)
            yield Finished(self.report)
        finally:
            self._stop.set()
            self._room.release(_FOLDERS_AHEAD)
            self._executor.kill_workers()
            self._executor.shutdown()
            walker.join()

    # ── the walk, in its own thread ─────────────────────────────────────────────────────────────────────────

    def _walk(self) -> None:
        rules = IgnoreRules()
        try:
            for root in self._roots:
                unread: list[bytes] = []

                def on_problem(path: bytes, reason: str, unread: list[bytes] = unread) -> None:
                    unread.append(path)
                    self._inbox.put(Problem(os.fsdecode(path), reason))

                for folder in walk(root, rules=rules, on_problem=on_problem):
                    self._room.acquire()
                    if self._stop.is_set():
                        return
                    self._inbox.put((root, folder))
                self._inbox.put(_Walked(root, unread))
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever reads the events
            self._inbox.put(error)

    # ── everything else, in the caller's ────────────────────────────────────────────────────────────────────

    def _work(self) -> Iterator[Event]:
        roots_left = len(self._roots)
        flushed = told = time.monotonic()
        folders: deque[tuple[bytes, Folder]] = deque()
        while True:
            self._submit()
            while folders and len(self._waiting) < _AHEAD:
                self._plan(*folders.popleft())
                self._submit()
            idle = not roots_left and not folders and not self._waiting and not self._in_flight
            now = time.monotonic()
            if self._pending and (idle or len(self._pending) >= _BATCH or now - flushed > _PATIENCE):
                yield from self._flush()
                flushed = time.monotonic()
                continue
            if idle:
                if not self._take_unsteady():
                    break
                continue
            if now - told > 0.1:
                told = now
                yield self._progress(walked=not roots_left)
            try:
                item = self._inbox.get(timeout=_PATIENCE)
            except queue.Empty:
                continue
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, Problem):
                yield item
            elif isinstance(item, _Walked):
                roots_left -= 1
                while folders:
                    self._plan(*folders.popleft())
                self._end_of_root(item)
            elif isinstance(item[1], Folder):
                folders.append(item)
            else:
                self._answered(*item)
        yield self._progress(walked=True)

    def _progress(self, *, walked: bool) -> Progress:
        r = self.report
        done = r.added + r.copies + r.unchanged + r.moved + r.replaced + r.skipped + len(r.failed)
        return Progress(r.found, done, walked)

    def _plan(self, root: bytes, folder: Folder) -> None:
        """What one folder asks for; its place in the catalog is written only when something about it is new."""
        self._room.release()
        files = self._catalog.files
        row = files.folder(folder.path)
        self._seen.setdefault(root, set()).add(folder.path)
        if row is not None and not folder.entries and not folder.partial:
            known = files.in_folder(row.folder)
            if known and emptied(row, folder.volume, is_root=folder.path == root):
                self._offline.append(row.folder)
                return
        if row is None or row.offline or row.volume != folder.volume:
            if row is None and not folder.entries:
                return
            with self._catalog.transaction(durable=False):
                label = _label(folder.path if folder.partial else root, folder.path)
                number = files.put_folder(folder.path, label, folder.volume)
        else:
            number = row.folder
        plan = plan_folder(
            number,
            folder.path,
            folder.entries,
            {} if row is None else files.in_folder(number),
            partial=folder.partial,
            separator=_SEPARATOR,
        )
        self.report.found += plan.unchanged + plan.skipped + len(plan.tasks)
        self.report.unchanged += plan.unchanged
        self.report.skipped += plan.skipped
        self._waiting.extend(plan.tasks)
        self._gone += [(number, gone) for gone in plan.gone]
        self._plan_sidecars(plan)

    def _plan_sidecars(self, plan: Plan) -> None:
        for task in plan.sidecars:
            self._sidecars[task.path] = task
            self._waiting.append(task)

    def _end_of_root(self, walked: _Walked) -> None:
        """Once a root was walked: folders that are gone, and whether the root itself can be believed."""
        root, files = walked.root, self._catalog.files
        if not os.path.isdir(root):
            with self._catalog.transaction(durable=False):
                files.put_root(root, _volume(os.path.dirname(root)), None)
            return
        seen = self._seen.get(root, set())
        gone, offline = vanished_folders(self._catalog, root, seen | _below(walked.unread, files, root), _volume)
        volume, recorded = _volume(root), dict(files.roots()).get(root)
        nothing_known = self.report.unchanged == 0 and any(r.content for _, r in [*self._gone, *gone])
        if recorded is not None and recorded != volume and nothing_known:
            # Another disk at the same mount point: what was there is not gone, only elsewhere.
            self._offline += sorted({folder for folder, _ in [*self._gone, *gone]} | set(offline))
            self._gone = []
            return
        self._gone += gone
        self._offline += offline
        with self._catalog.transaction(durable=False):
            files.put_root(root, volume, self._catalog.now())

    # ── workers ─────────────────────────────────────────────────────────────────────────────────────────────

    def _submit(self) -> None:
        while self._waiting and self._in_flight < self._limit:
            task = self._waiting.popleft()
            path = os.fsdecode(task.path)
            future: Future[Any]
            if task.path in self._sidecars:
                future = self._executor.submit(examine_sidecar, path)
            else:
                anew = task.path in self._again
                store = os.fspath(self._store.folder)
                future = self._executor.submit(examine, path, self._catalog.place_on_disk(), store, anew)
            self._in_flight += 1
            future.add_done_callback(lambda done, task=task: self._inbox.put((task, done)))

    def _answered(self, task: Task, future: Future[Any]) -> None:
        self._in_flight -= 1
        try:
            answer = future.result()
        except StorageFullError:
            raise
        except (WorkerFailedError, WorkerError) as error:
            answer = failed_answer("derive", str(error))
        if self._sidecars.pop(task.path, None) is not None:
            self._record_sidecar(task, answer)
        elif answer["outcome"] == "changing":
            if task.path in self._unsteady:
                self._pending.append(Answered(task, changing()))
            self._unsteady[task.path] = task
        else:
            self._pending.append(Answered(task, answer))

    def _take_unsteady(self) -> bool:
        """Once nothing else is left, look a second time at files that were being written."""
        left = [t for path, t in self._unsteady.items() if path not in self._again]
        for task in left:
            self._again.add(task.path)
            self._waiting.append(task)
        return bool(left)

    def _flush(self) -> Iterator[Event]:
        batch, self._pending = self._pending, []
        events, again = self._recorder.record(batch)
        for task in again:
            self._again.add(task.path)
            self._waiting.append(task)
        yield from events
        yield self._progress(walked=False)

    def _record_sidecar(self, task: Task, answer: dict[str, Any]) -> None:
        files = self._catalog.files
        with self._catalog.transaction(durable=False):
            facts = answer.get("facts")
            state = "sidecar" if facts is not None else "failed"
            row = FileRow(task.name, state, None, task.size, task.modified, task.changed, task.inode, READER)
            if facts is None:
                row = row._replace(stage="probe", reason=answer.get("reason") or "it is not readable as XMP")
            files.put([(task.folder, row)])
            if facts is not None:
                raw = json.dumps(answer["raw"])
                self._catalog.refresh(files.put_sidecar(task.folder, task.name, json.dumps(facts), raw))


def _label(root: bytes, folder: bytes) -> str:
    """What people call a folder: from the root's own name down."""
    inside = os.path.relpath(folder, root)
    name = os.path.basename(root.rstrip(b"/\\"))
    return os.fsdecode(name if inside == b"." else os.path.join(name, inside)).encode(errors="replace").decode()


def _volume(path: bytes) -> str | None:
    try:
        return volume_of(path, os.stat(path))
    except OSError:
        return None


def _below(unread: Sequence[bytes], files: Any, root: bytes) -> set[bytes]:
    """Known folders at or below what could not be read: nothing was seen there, so nothing is gone."""
    if not unread:
        return set()
    return {f.path for f in files.below(root) if any(f.path == u or f.path.startswith(u + _SEPARATOR) for u in unread)}


def _absent(catalog: Catalog, root: bytes) -> str:
    path = os.fsdecode(root)
    if catalog.files.below(root):
        return f"{path} is not there. Its pictures stay in the library; connect its disk and try again."
    return f"{path} does not exist. Check the name, or connect the disk that it is on."
