"""One run over folders: walk, plan, examine in workers, record, settle; told as events while it goes on.

Three parties work at once. A thread walks the folders. Worker processes examine files. The caller's own thread, in
`Run.events`, plans what the walk brings, hands files to the workers and records what they say, so that all use of the
catalog is here. What waits is bounded everywhere: a tree of millions does not fill the memory.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from imager.catalog import Catalog, listing
from imager.catalog.files import FileRow, subject
from imager.errors import NotFoundError, UnreadableError, UsageError
from imager.ingest.events import Event, Finished, Problem, Progress, Report
from imager.ingest.examine import examine, examine_sidecar, failed_answer
from imager.ingest.ignore import IgnoreRules
from imager.ingest.only import Only
from imager.ingest.plan import Plan, Task, plan_folder
from imager.ingest.record import Answered, Recorder, changing
from imager.ingest.roots import Gone, RootWalk, volume_around
from imager.ingest.settle import settle
from imager.ingest.store import Store
from imager.ingest.walk import Entry, Folder, walk
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

    def __init__(self, root: bytes, unread: set[bytes]) -> None:
        self.root = root
        self.unread = unread


class Run:
    """A run over some roots of one library."""

    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        roots: Sequence[bytes],
        *,
        workers: int,
        nice: int = 0,
        retry: bool = False,
        only: Only | None = None,
        quiet: float = 0.0,
    ) -> None:
        """`roots`: absolute paths of folders or files. NotFoundError names one that is not there.

        `retry`: the roots are files to look at again, not what people named. `only`: look at no other part of the
        roots. `quiet`: files that changed in the last so many seconds are left alone, since somebody may be writing
        them; `left` tells afterwards where there are such.
        """
        for root in roots:
            if not os.path.lexists(root):
                raise NotFoundError(_absent(catalog, root))
        if not roots:
            raise UsageError("Name a folder or a file to add.")
        self.report = Report()
        self._catalog = catalog
        self._store = store
        self._roots = {root: RootWalk(root) for root in roots}
        self._retry = retry
        self._only = only
        self._quiet = int(quiet * 1e9)
        self.left: set[bytes] = set()
        self._named: dict[bytes, set[bytes]] = {}
        for root in self._roots:
            if os.path.isfile(root):
                self._named.setdefault(os.path.dirname(root), set()).add(os.path.basename(root))
        self._executor = SupervisedExecutor(workers, deadline=DEADLINE, memory=MEMORY, nice=nice)
        self._limit = workers * _IN_FLIGHT
        self._inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._room = threading.Semaphore(_FOLDERS_AHEAD)
        self._stop = threading.Event()
        self._waiting: deque[Task] = deque()
        self._in_flight = 0
        self._pending: list[Answered] = []
        self._pending_sidecars: list[Answered] = []
        self._recorder = Recorder(catalog, self.report)
        self._again: set[bytes] = set()
        self._unsteady: dict[bytes, Task] = {}
        self._gone: dict[tuple[int, bytes], Gone] = {}
        self._away: list[Gone] = []
        self._offline: list[int] = []
        self._seen: set[bytes] = set()
        self._done: set[tuple[bytes, bytes]] = set()  # of what people named: folder and name
        self._sidecars: list[Task] = []
        self._frames: dict[bytes, Sequence[int] | None] = {}
        self._unlisted: set[int] = set()
        self._started = time.monotonic()

    def events(self) -> Generator[Event]:
        """Do it. May be closed, or interrupted, at any time: what was recorded stays, the rest is done next time."""
        self._store.create()
        walker = threading.Thread(target=self._walk, name="imager-walk", daemon=True)
        walker.start()
        try:
            yield from self._work()
            yield from settle(self._catalog, self._recorder, self.report, list(self._gone.values()))
            self._note_away()
            self._note_listings()
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
                unread: set[bytes] = set()

                def on_problem(path: bytes, reason: str, unread: set[bytes] = unread) -> None:
                    unread.add(path)
                    self._inbox.put(Problem(os.fsdecode(path), reason))

                for folder in walk(root, rules=rules, on_problem=on_problem, only=self._only):
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
            pending = len(self._pending) + len(self._pending_sidecars)
            if pending and (idle or pending >= _BATCH or now - flushed > _PATIENCE):
                yield from self._flush()
                flushed = time.monotonic()
                continue
            if idle:
                if not (self._take_sidecars() or self._take_unsteady()):
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
        if not folder.partial and folder.path in self._seen:
            return  # roots overlap
        named = self._named.get(folder.path, set())
        done = {name for name in named if (folder.path, name) in self._done}
        entries = [entry for entry in folder.entries if entry.name not in done] if done else folder.entries
        if not folder.partial:
            self._seen.add(folder.path)
        if named:
            self._done.update((folder.path, entry.name) for entry in entries if entry.name in named)
        row = files.folder(folder.path)
        if row is None and not entries:
            return
        if row is None or (entries and (row.offline or row.volume != folder.volume)):
            with self._catalog.transaction(durable=False):
                label = _label(folder.path if folder.partial else root, folder.path)
                number = files.put_folder(folder.path, label, folder.volume)
        else:
            number = row.folder
        if row is not None and not folder.partial and not named and row.listing == listing.digest(entries):
            plan = Plan(number, unchanged=len(entries))
        else:
            self._unlisted.add(number)
            known = {} if row is None else files.in_folder(number)
            for name in done:
                known.pop(name, None)
            if self._quiet and (restless := self._restless(entries, known)):
                self.left.add(folder.path)
                entries = [entry for entry in entries if entry.name not in restless]
                known = {name: at for name, at in known.items() if name not in restless}
            plan = plan_folder(
                number, folder.path, entries, known, partial=folder.partial, separator=_SEPARATOR, named=named
            )
        before = folder.volume if row is None else row.volume
        self._roots[root].planned(folder.path, plan, before, folder.volume, folder.entries)
        self.report.found += plan.unchanged + plan.skipped + len(plan.tasks)
        self.report.unchanged += plan.unchanged
        self.report.skipped += plan.skipped
        self._waiting.extend(plan.tasks)
        self._sidecars += plan.sidecars

    def _restless(self, entries: Sequence[Entry], known: Mapping[bytes, FileRow]) -> set[bytes]:
        """Files that are new or others, and changed just now. A wrong clock must not keep a file out for long."""
        now = time.time_ns()
        span = range(now - self._quiet, now + self._quiet)
        return {
            entry.name
            for entry in entries
            if (entry.modified in span or entry.changed in span)
            and (
                (row := known.get(entry.name)) is None or (row.modified, row.changed) != (entry.modified, entry.changed)
            )
        }

    def _end_of_root(self, walked: _Walked) -> None:
        """Once a root was walked: judge what is not there."""
        root, scanned = walked.root, None
        if os.path.isdir(root):
            verdict = self._roots[root].verdict(self._catalog, self._seen, walked.unread, self._only)
            self._gone |= {(folder, row.name): (folder, row) for folder, row in verdict.gone}
            self._away += verdict.away
            self._offline += verdict.offline
            scanned = self._catalog.now() if self._only is None else None
        volume = volume_around(root)
        if not self._retry and (root, volume) not in self._catalog.files.roots():
            with self._catalog.transaction(durable=False):
                self._catalog.files.put_root(root, volume, scanned)

    def _note_away(self) -> None:
        """Note the folders and files whose disk is away."""
        with self._catalog.transaction(durable=False):
            self._catalog.files.set_offline(self._offline, True)
            away = [(folder, row.name) for folder, row in self._away if row.content is not None]
            self._catalog.files.set_state(away, "offline")

    def _note_listings(self) -> None:
        """Sum up the folders that were compared file by file, for the next look at them."""
        numbers = sorted(self._unlisted)
        for start in range(0, len(numbers), 200):
            with self._catalog.transaction(durable=False) as db:
                listing.note(db, numbers[start : start + 200])

    # ── workers ─────────────────────────────────────────────────────────────────────────────────────────────

    def _submit(self) -> None:
        while self._waiting and self._in_flight < self._limit:
            task = self._waiting.popleft()
            path = os.fsdecode(task.path)
            future: Future[Any]
            if task.path in self._frames:
                future = self._executor.submit(examine_sidecar, path, self._frames[task.path])
            else:
                anew = task.path in self._again
                store = os.fspath(self._store.folder)
                future = self._executor.submit(examine, path, self._catalog.place_on_disk(), store, anew)
            self._in_flight += 1
            future.add_done_callback(partial(self._done_with, task))

    def _done_with(self, task: Task, future: Future[Any]) -> None:
        self._inbox.put((task, future))

    def _answered(self, task: Task, future: Future[Any]) -> None:
        self._in_flight -= 1
        try:
            answer = future.result()
        except (WorkerFailedError, UnreadableError) as error:
            answer = failed_answer("derive", str(error))
        except WorkerError as error:
            answer = failed_answer("derive", f"Imager did not expect what is in it; please report this ({error})")
        if task.path in self._frames:
            self._pending_sidecars.append(Answered(task, answer))
        elif answer["outcome"] == "changing":
            if task.path in self._unsteady:
                self._pending.append(Answered(task, changing()))
            self._unsteady[task.path] = task
        else:
            self._pending.append(Answered(task, answer))

    def _take_sidecars(self) -> bool:
        """Once all pictures are recorded, read what lies beside them: it speaks of pictures as they are stored."""
        left, self._sidecars = self._sidecars, []
        frames = {folder: self._catalog.files.frames(folder) for folder in {task.folder for task in left}}
        for task in left:
            self._frames[task.path] = frames[task.folder].get(subject(task.name))
            self._waiting.append(task)
        return bool(left)

    def _take_unsteady(self) -> bool:
        """Once nothing else is left, look a second time at files that were being written."""
        left = [t for path, t in self._unsteady.items() if path not in self._again]
        for task in left:
            self._again.add(task.path)
            self._waiting.append(task)
        return bool(left)

    def _flush(self) -> Iterator[Event]:
        batch, self._pending = self._pending, []
        sidecars, self._pending_sidecars = self._pending_sidecars, []
        if sidecars:
            self._recorder.record_sidecars(sidecars)
        if batch:
            events, again = self._recorder.record(batch)
            for task in again:
                self._again.add(task.path)
                self._waiting.append(task)
            yield from events
        yield self._progress(walked=False)


def _label(root: bytes, folder: bytes) -> str:
    """What people call a folder: from the root's own name down."""
    inside = os.path.relpath(folder, root)
    name = os.path.basename(root.rstrip(b"/\\"))
    return os.fsdecode(name if inside == b"." else os.path.join(name, inside)).encode(errors="replace").decode()


def _absent(catalog: Catalog, root: bytes) -> str:
    path = os.fsdecode(root)
    if catalog.files.below(root):
        return f"{path} is not there. Its pictures stay in the library; connect its disk and try again."
    return f"{path} does not exist. Check the name, or connect the disk that it is on."
