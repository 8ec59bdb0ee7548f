"""Jobs: what takes longer than a request, with how far it is, and a way to stop it.

A job is a row, so that whoever asked finds it again, and a task of the event loop that goes from desk to desk in small
steps, so that others get in between. What a step does and how far the job is then are written in one transaction
wherever that is said of pictures. A job whose process ended is over ('stopped'): what it did stays, and can be taken
back by its batch.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar

from imager import access
from imager.catalog.connection import fetch
from imager.catalog.effective import iso
from imager.catalog.identity import format_id, random_id
from imager.errors import ImagerError, NotFoundError
from imager.library import Library
from imager.server.problems import ProblemError

if TYPE_CHECKING:
    import apsw

    from imager.server.asking import Asker
    from imager.server.desks import Desks
    from imager.server.events import Events

T = TypeVar("T")

AT_ONCE: Final = 2
"""Jobs of one kind that run at the same time; the others wait."""

WAITING: Final = 100
"""Jobs of one kind that may wait."""

KEPT: Final = 30 * 86_400_000
"""Milliseconds for which a job that is over is remembered."""

_TOLD: Final = 0.5  # seconds between two events that say how far a job is
_COLUMNS: Final = "id, member, kind, state, asked, total, done, batch, result, problem, created, finished"
_ONE: Final = f"SELECT {_COLUMNS} FROM jobs AS j WHERE j.id = ?"
_LATEST: Final = f"""SELECT {_COLUMNS} FROM jobs AS j WHERE (?1 OR j.member = ?2) AND (j.created, j.id) < (?3, ?4)
ORDER BY j.created DESC, j.id DESC LIMIT ?5"""
_BEGIN: Final = "INSERT INTO jobs (id, member, kind, state, asked, created) VALUES (?, ?, ?, 'waiting', ?, ?)"
_RUN: Final = "UPDATE jobs SET state = 'running' WHERE id = ?"
_FAR: Final = "UPDATE jobs SET total = ?2, done = ?3, batch = ?4, result = ?5 WHERE id = ?1"
_END: Final = """UPDATE jobs SET state = ?2, total = ?3, done = ?4, batch = ?5, result = ?6, problem = ?7, finished = ?8
WHERE id = ?1"""
_CUT_OFF: Final = """UPDATE jobs SET state = 'stopped', finished = ?1,
  problem = 'The server ended before this was done. What was done stays.' WHERE state IN ('waiting', 'running')"""
_OLD: Final = "DELETE FROM jobs WHERE finished < ?"
_LAST_ID: Final = "~"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Job:
    """A job that goes on: whoever works at it says here how far it is."""

    id: str
    kind: str
    asker: Asker
    total: int | None = None
    done: int = 0
    batch: str | None = None
    result: dict[str, Any] = field(default_factory=dict)
    stopping: bool = False
    reason: str = "It was stopped."
    """Why, where it is stopped."""
    told: float = 0.0

    def note_within(self, db: apsw.Connection, done: int, batch: str | None, result: dict[str, Any]) -> None:
        """Write down how far it will be once the caller's transaction is committed."""
        db.execute(_FAR, (self.id, self.total, done, batch, json.dumps(result)))


Work = Callable[[Job], Awaitable[None]]
"""What a job does. It looks at `stopping` between its steps, and returns early when that is set."""


class Jobs:
    """The jobs of a server. Used from the event loop."""

    def __init__(self, desks: Desks, events: Events) -> None:
        """`events` hears of them."""
        self._desks = desks
        self._events = events
        self._running: dict[str, tuple[Job, asyncio.Task[None]]] = {}
        self._room: dict[str, asyncio.Semaphore] = {}

    async def recover(self) -> None:
        """Say of jobs whose process ended that they are over; forget old ones. To be called before any begins."""

        def recover(library: Library) -> None:
            with library.catalog.transaction(durable=True) as db:
                db.execute(_CUT_OFF, (library.catalog.now(),))
                db.execute(_OLD, (library.catalog.now() - KEPT,))

        await self._desks.owner("write", recover)

    async def begin(self, asker: Asker, kind: str, asked: dict[str, Any], work: Work) -> dict[str, Any]:
        """Begin a job; it as JSON. Too many of one kind are refused (503)."""
        if sum(job.kind == kind for job, _ in self._running.values()) >= WAITING:
            raise ProblemError(
                503, "Busy", "Too much of this waits already.", kind="busy", headers={"Retry-After": "60"}
            )
        job = Job(format_id(random_id()), kind, asker)

        def begin(library: Library) -> dict[str, Any]:
            with library.catalog.transaction(durable=True) as db:
                said = json.dumps(asked, ensure_ascii=True)
                db.execute(_BEGIN, (job.id, asker.principal.member, kind, said, library.catalog.now()))
            return found(library, job.id)

        known = await self._desks.write(asker, begin)
        task = asyncio.create_task(self._work(job, work), name=f"job-{kind}-{job.id}")
        self._running[job.id] = job, task
        task.add_done_callback(lambda _: self._running.pop(job.id, None))
        return known

    async def stop(self, asker: Asker, job_id: str) -> dict[str, Any]:
        """Ask a job to stop, and wait until it has; it as JSON. One that is over stays as it is."""
        known = await self._desks.read(asker, lambda library: found(library, job_id))
        running = self._running.get(known["id"])
        if running is None:
            return known
        running[0].stopping = True
        await self.over(known["id"])
        return await self._desks.read(asker, lambda library: found(library, job_id))

    async def over(self, job_id: str) -> None:
        """Wait until a job is over."""
        running = self._running.get(job_id)
        if running is not None:
            await asyncio.wait([running[1]])

    async def close(self, *, seconds: float = 5.0) -> None:
        """Stop all jobs, since the server ends."""
        tasks = [task for _, task in self._running.values()]
        for job, _ in self._running.values():
            job.stopping = True
            job.reason = "The server ended."
        if tasks:
            _, left = await asyncio.wait(tasks, timeout=seconds)
            for task in left:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def advance(self, job: Job) -> None:
        """Tell those who listen how far a job is; not more often than they want to know."""
        if time.monotonic() - job.told >= _TOLD:
            job.told = time.monotonic()
            self._tell("job.progress", job, "running")

    async def _work(self, job: Job, work: Work) -> None:
        state, problem = "done", None
        room = self._room.setdefault(job.kind, asyncio.Semaphore(AT_ONCE))
        try:
            async with room:
                if not job.stopping:
                    await patiently(lambda: self._desks.owner("write", lambda library: _noted(library, _RUN, job.id)))
                    self._tell("job.progress", job, "running")
                    await work(job)
            if job.stopping:
                state, problem = "stopped", f"{job.reason} What was done stays."
        except (ImagerError, ProblemError) as error:
            state, problem = "failed", error.detail if isinstance(error, ProblemError) else str(error)
        except Exception:  # noqa: BLE001 - it belongs to the job
            _log.exception("job %s (%s) failed", job.id, job.kind)
            state, problem = "failed", "A fault of the server; it was logged under the number of this job."
        await patiently(lambda: self._desks.owner("write", lambda library: _ended(library, job, state, problem)))
        self._tell("job.done", job, state)

    def _tell(self, kind: str, job: Job, state: str) -> None:
        told = {"id": job.id, "kind": job.kind, "state": state, "done": job.done, "total": job.total}
        self._events.publish(kind, told, member=job.asker.principal.member)


def found(library: Library, job_id: str) -> dict[str, Any]:
    """A job as JSON; NotFoundError unless it is the asker's own, or they own the library."""
    row = library.catalog.db.execute(_ONE, (job_id,)).fetchone()
    if row is None or not (row[1] == library.principal.member or _sees_all(library)):
        raise NotFoundError(f"There is no job {job_id[:60]}.")
    return _described(row)


def listed(library: Library, *, limit: int, after: str | None = None) -> dict[str, Any]:
    """A page of the asker's jobs (of all, for who owns the library), latest first; `after`: the id of the last seen."""
    db, created, last = library.catalog.db, 1 << 62, _LAST_ID
    if after is not None:
        at = db.execute("SELECT created FROM jobs WHERE id = ?", (after,)).get
        if at is None:
            raise NotFoundError(f"There is no job {after[:60]}.")
        created, last = at, after
    rows = fetch(db, _LATEST, (_sees_all(library), library.principal.member, created, last, limit + 1))
    return {
        "jobs": [_described(row) for row in rows[:limit]],
        "next": rows[limit - 1][0] if len(rows) > limit else None,
    }


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask a desk, again and again while it is too busy: a job has time. Not while the server ends."""
    while True:
        try:
            return await ask()
        except ProblemError as error:
            if error.kind != "busy" or error.headers.get("Retry-After") != "1":
                raise
            await asyncio.sleep(0.1)


def _noted(library: Library, sql: str, *bindings: Any) -> None:
    with library.catalog.transaction(durable=True) as db:
        db.execute(sql, bindings)


def _ended(library: Library, job: Job, state: str, problem: str | None) -> None:
    result = json.dumps(job.result, ensure_ascii=True)
    now = library.catalog.now()
    _noted(library, _END, job.id, state, job.total, job.done, job.batch, result, problem, now)


def _sees_all(library: Library) -> bool:
    return access.may(library.principal, "manage", library.catalog)


def _described(row: tuple[Any, ...]) -> dict[str, Any]:
    own, member, kind, state, asked, total, done, batch, result, problem, created, finished = row
    return {
        "id": own,
        "member": member,
        "kind": kind,
        "state": state,
        "asked": json.loads(asked),
        "total": total,
        "done": done,
        "batch": batch,
        "result": json.loads(result) if result else None,
        "problem": problem,
        "created": iso(created, 0),
        "finished": None if finished is None else iso(finished, 0),
    }
