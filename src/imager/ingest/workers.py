"""Supervised workers: an executor whose tasks may crash, hang or eat memory, and take nothing else with them.

Decoding pictures and running models happens in these processes, one task at a time each. `SupervisedExecutor`
is a `concurrent.futures.Executor`; what it adds, and what it promises:

- A task over its deadline or its memory limit is stopped by killing its worker; a crash kills only its
  worker. Only that task fails, with `WorkerFailedError` and a reason for people; the worker is replaced.
- A worker that somebody else killed (the kernel, out of memory) did not die of its task: the task is tried
  once more, so tasks have to bear that.
- Workers share nothing with each other, not even a lock: each is a separate process with two pipes (`worker`
  has the protocol), so killing one at any moment blocks no other. They die with their parent, however it
  dies.
- Answers are JSON and are only ever parsed. A decoder that a hostile file took over may have written them, so
  nothing that could run code here (pickle) is read from a worker.

Inside: each worker (`supervised`) has a thread here that starts it, hands it tasks and waits for its answers;
one more thread looks after all of them ten times a second. A thread owns its process alone; the supervisor only
ever kills, and the owner finds out at the end of the pipe.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from imager.ingest.supervised import KilledFromOutsideError, Settings, Worker, WorkerError, WorkerFailedError
from imager.ingest.worker import MAX_FRAME, encode

__all__ = ["SupervisedExecutor", "WorkerError", "WorkerFailedError"]

P = ParamSpec("P")
T = TypeVar("T")

_TICK = 0.1  # seconds between two looks at the workers
_LONGEST_STEP = 1.0  # seconds that one tick may count; more means that this process itself stood still


@dataclass(slots=True)
class _Task:
    future: Future[Any]
    frame: bytes


def _target(function: Callable[..., Any]) -> str:
    """'module:qualname'; TypeError unless that leads back to the function."""
    module = getattr(function, "__module__", None)
    name = getattr(function, "__qualname__", None)
    if module and name and module != "__main__":
        found: Any = sys.modules.get(module)
        for part in name.split("."):
            found = getattr(found, part, None)
        if found is function:
            return f"{module}:{name}"
    raise TypeError(f"{function!r} can't be named to a worker: a function of an importable module is needed")


class SupervisedExecutor(Executor):
    """Runs functions in worker processes, each task within a deadline and a memory limit.

    `deadline` is in seconds a task, `memory` in bytes of resident memory a worker. `on_start` is a function
    and its arguments, called once in each worker. `nice` lowers the workers' priority as `nice(1)` does (on
    Windows any positive value means 'below normal'). Workers are started when there is work for them, and
    kept.

    Tasks are functions of importable modules; arguments and results are JSON values, so a tuple arrives as a
    list. An exception of `imager.errors` arrives as what it was, any other as `WorkerError`. Tasks still
    waiting when the interpreter exits are dropped. As a context manager, it waits for all tasks at the end,
    except when left by Ctrl-C or an exit, which kills the workers.
    """

    def __init__(
        self,
        workers: int,
        *,
        deadline: float = 60.0,
        memory: int = 2 << 30,
        on_start: tuple[Any, ...] | None = None,
        nice: int = 0,
    ) -> None:
        """Starts nothing yet. Raises ValueError for senseless limits, TypeError for a bad `on_start`."""
        if workers < 1 or memory < 1 or not (deadline > 0 and math.isfinite(deadline)):
            raise ValueError("workers, memory and deadline must be positive")
        start = None if on_start is None else (_target(on_start[0]), tuple(on_start[1:]))
        encode(start)
        self._settings = Settings(deadline, memory, nice, start)
        self._most = workers
        self._changed = threading.Condition()  # over what follows
        self._queue: deque[_Task] = deque()
        self._idle = 0  # threads that wait for a task
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._stopped = False  # kill_workers was called: start no more
        self._serving = 0  # threads that have not ended
        self._live: set[Worker] = set()
        self._busy = threading.Event()  # wakes the supervisor
        self._ended = threading.Event()  # ends it
        self._supervisor: threading.Thread | None = None

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Schedule `fn(*args, **kwargs)`.

        Raises TypeError for functions that a worker can't import and arguments that are not JSON, ValueError
        for arguments that are too large or have no JSON form, RuntimeError after `shutdown`.
        """
        frame = encode([_target(fn), args, kwargs])
        if len(frame) > MAX_FRAME:
            raise ValueError(f"the arguments take {len(frame):,} bytes; the limit is {MAX_FRAME:,}")
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._queue.append(_Task(future, frame))
            if self._idle >= len(self._queue):
                self._changed.notify()
            elif len(self._threads) < self._most:
                thread = threading.Thread(target=self._serve, name="imager-worker", daemon=True)
                self._threads.append(thread)
                self._serving += 1
                thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks, and end each worker once there are none left; as in `concurrent.futures`."""
        with self._changed:
            self._closed = True
            if cancel_futures:
                self._cancel_waiting()
            self._changed.notify_all()
        if wait:
            for thread in self._threads:
                thread.join()
            if self._supervisor is not None:
                self._supervisor.join()

    def kill_workers(self) -> None:
        """Stop everything now: waiting tasks are cancelled, running ones fail, no more are taken."""
        with self._changed:
            self._closed = self._stopped = True
            self._cancel_waiting()
            self._changed.notify_all()
            live = list(self._live)
        for worker in live:
            worker.kill("was stopped")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self.kill_workers()
        self.shutdown()

    def _cancel_waiting(self) -> None:
        while self._queue:
            self._queue.popleft().future.cancel()

    def _next(self) -> _Task | None:
        """The next task, or None when there will be no more."""
        with self._changed:
            while not self._queue:
                if self._closed:
                    return None
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
            return self._queue.popleft()

    def _serve(self) -> None:
        """The life of a worker's thread."""
        worker: Worker | None = None
        try:
            while (task := self._next()) is not None:
                if task.future.set_running_or_notify_cancel():
                    worker = self._perform(task, worker)
                del task  # with it goes the result, which may be large, while waiting for the next
        finally:
            self._discard(worker)
            with self._changed:
                self._serving -= 1
                last = self._closed and not self._serving
            if last:
                self._ended.set()
                self._busy.set()

    def _perform(self, task: _Task, worker: Worker | None) -> Worker | None:
        """Do the task, at a second attempt if need be, and return the worker to use for the next."""
        for final in (False, True):
            try:
                if worker is None or not worker.usable or worker.bloated():
                    self._discard(worker)
                    worker = self._begin()
                    worker.get_ready()
                result = worker.ask(task.frame, self._settings.deadline)
            except KilledFromOutsideError:
                if final:
                    reason = "was killed from outside, twice (is the machine out of memory?)"
                    task.future.set_exception(WorkerFailedError(reason))
            except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the future
                task.future.set_exception(error)
                break
            else:
                task.future.set_result(result)
                break
        return worker

    def _begin(self) -> Worker:
        """A new worker, under supervision but not yet ready."""
        worker = Worker(self._settings, self._busy)
        with self._changed:
            self._live.add(worker)
            stopped = self._stopped
            if self._supervisor is None:
                self._supervisor = threading.Thread(target=self._supervise, name="imager-supervisor", daemon=True)
                self._supervisor.start()
        if stopped:
            worker.kill("was stopped")
        return worker

    def _discard(self, worker: Worker | None) -> None:
        if worker is not None:
            with self._changed:
                self._live.discard(worker)
            worker.close()

    def _supervise(self) -> None:
        """Look after the workers while any is at work, and sleep while none is."""
        while True:
            self._busy.wait()
            self._busy.clear()
            before = time.monotonic()
            at_work = True
            while at_work:
                if self._ended.wait(_TICK):
                    return
                now = time.monotonic()
                # Time in which this process was stopped, or the machine asleep, is not the tasks' fault.
                step, before = min(now - before, _LONGEST_STEP), now
                with self._changed:
                    live = list(self._live)
                at_work = sum(worker.tick(step) for worker in live) > 0  # each must be looked at
