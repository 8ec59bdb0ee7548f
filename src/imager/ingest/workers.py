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

Inside: each worker has a thread here that starts it, hands it tasks and waits for its answers; one more
thread looks after all of them ten times a second. A thread owns its process alone; the supervisor only ever
kills, and its owner finds out at the end of the pipe.
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Any, ParamSpec, TypeVar

import psutil  # type: ignore[import-untyped]

import imager
from imager import errors
from imager.errors import ImagerError
from imager.ingest.worker import MAX_FRAME, encode, read_frame, write_frame

P = ParamSpec("P")
T = TypeVar("T")

_TICK = 0.1  # seconds between two looks at the workers
_LONGEST_STEP = 1.0  # seconds that one tick may count; more means that this process itself stood still
_START_DEADLINE = 60.0  # seconds for a worker to become ready
_CLOSING = 2.0  # seconds for a process to be gone once its pipe has ended
_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "RAYON_NUM_THREADS",
    "VIPS_CONCURRENCY",
)


class WorkerFailedError(ImagerError):
    """The worker died of its task, or had to be stopped because of it; the text is the reason."""


class WorkerError(ImagerError):
    """A task raised something that nobody foresaw; the text is 'TypeName: text'."""


class _KilledFromOutside(Exception):  # noqa: N818 - no error of ours, and never seen outside
    """The worker was killed, and not by us."""


@dataclass(frozen=True, slots=True)
class _Settings:
    deadline: float
    memory: int
    nice: int
    on_start: tuple[str, tuple[Any, ...]] | None


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


def _size(count: int) -> str:
    unit, name = (1 << 30, "GiB") if count >= 1 << 30 else (1 << 20, "MiB")
    return f"{round(count / unit, 1):g} {name}"


def _memory_reason(settings: _Settings) -> str:
    return f"needed more than {_size(settings.memory)} of memory"


def _exit_reason(status: int) -> str:
    if status >= 0:
        return (
            f"stopped unexpectedly (exit status {status:#x})"
            if status > 255
            else (f"stopped unexpectedly (exit status {status})")
        )
    try:
        return f"crashed (signal {signal.Signals(-status).name})"
    except ValueError:
        return f"crashed (signal {-status})"


class _Worker:
    """One process, as its owner thread sees it; `tick` and `kill` are for the other threads."""

    def __init__(self, settings: _Settings, busy: threading.Event) -> None:
        """Start the process; `get_ready` has to follow. `busy` is set whenever it begins to work."""
        self._settings = settings
        self._busy = busy
        self._lock = threading.Lock()  # over the four below
        self._killed: str | None = None  # why we killed it
        self._gone = False  # its process id may belong to another process by now
        self._limit: float | None = None  # seconds for what is asked now; None while idle
        self._spent: float | None = None  # seconds counted so far; None before the first tick
        self._peak = 0  # bytes of resident memory, the most seen
        self._process = self._spawn()

    def get_ready(self) -> None:
        """Wait until the process can take tasks. Raises as `ask` does; the process is gone then."""
        settings = self._settings
        hello = {
            "path": sys.path,
            "memory": settings.memory,
            "nice": settings.nice,
            "on_start": settings.on_start,
        }
        try:
            self.ask(encode(hello), _START_DEADLINE)
        except BaseException:
            self.close()
            raise

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = dict(os.environ) | dict.fromkeys(_ONE_THREAD, "1")
        here = os.path.dirname(os.path.dirname(os.path.abspath(imager.__file__)))
        inherited = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = f"{here}{os.pathsep}{inherited}" if inherited else here
        options: dict[str, Any] = {"process_group": 0}
        if sys.platform == "win32":
            priority = subprocess.BELOW_NORMAL_PRIORITY_CLASS if self._settings.nice > 0 else 0
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW | priority
            options = {"creationflags": flags}
        return subprocess.Popen(
            # -P: without it, a json.py in the current folder (of pictures!) would be imported and run.
            [sys.executable, "-P", "-m", "imager.ingest.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("IMAGER_DEBUG") else subprocess.DEVNULL,
            env=environment,
            **options,
        )

    @property
    def usable(self) -> bool:
        """Whether the process is there to take a task, as far as can be known."""
        with self._lock:
            if self._killed is not None or self._gone:
                return False
        return self._process.poll() is None

    def ask(self, frame: bytes, deadline: float) -> Any:
        """Send a frame and return the answer's result.

        Raises what the task raised (`ImagerError`s), `WorkerFailedError` if the process died of it or was
        killed by us, `_KilledFromOutside` if by somebody else.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        with self._lock:
            self._limit, self._spent = deadline, None
        self._busy.set()  # after the limit is set, or the supervisor might find nothing to do and sleep on
        answer = None
        with suppress(OSError):  # it is gone, then
            write_frame(stdin, frame)
            answer = self._listen(stdout)
        with self._lock:
            self._limit = None
        if answer is None:
            raise self._post_mortem()
        if "result" in answer:
            return answer["result"]
        raise self._error(answer["error"]["kind"], answer["error"]["text"])

    def _listen(self, stdout: IO[bytes]) -> dict[str, Any] | None:
        try:
            body = read_frame(stdout)
            return None if body is None else parse_answer(body)
        except ValueError:
            self.kill("gave an answer that makes no sense")
            return None

    def _error(self, kind: str, text: str) -> ImagerError:
        if kind == "MemoryError":
            return WorkerFailedError(_memory_reason(self._settings))
        known = vars(errors).get(kind)
        if isinstance(known, type) and issubclass(known, ImagerError):
            return known(text)
        return WorkerError(text)

    def _post_mortem(self) -> Exception:
        status = self.close()
        if self._killed is not None:
            return WorkerFailedError(self._killed)
        if status in (-signal.SIGTERM, -getattr(signal, "SIGKILL", signal.SIGTERM)):
            return _KilledFromOutside()
        return WorkerFailedError(_exit_reason(status))

    def tick(self, step: float) -> bool:
        """Count `step` seconds and kill the process if it is over a limit; whether it is at work at all."""
        with self._lock:
            if self._limit is None:
                return False
            self._spent = 0.0 if self._spent is None else self._spent + step
            limit, late = self._limit, self._spent > self._limit
        if late:
            unit = "second" if limit == 1 else "seconds"
            self.kill(f"took longer than {limit:g} {unit}", only_at_work=True)
            return True
        resident = self._resident()
        self._peak = max(self._peak, resident)
        if resident > self._settings.memory:
            self.kill(_memory_reason(self._settings), only_at_work=True)
        return True

    def _resident(self) -> int:
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def kill(self, reason: str, *, only_at_work: bool = False) -> None:
        """Kill the process (where there are process groups, what it started too), unless it is gone."""
        with self._lock:
            if self._gone or (only_at_work and self._limit is None):
                return
            if self._killed is None:
                self._killed = reason
            self._signal()

    def _signal(self) -> None:
        if sys.platform == "win32":
            self._process.kill()
        else:
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except OSError:  # macOS refuses groups that consist of the dead
                self._process.kill()

    def bloated(self) -> bool:
        """Whether memory of past tasks was kept, so much that the next could be blamed for it."""
        if self._peak <= self._settings.memory // 2:
            return False
        self._peak = self._resident()
        return self._peak > self._settings.memory // 2

    def close(self) -> int:
        """End the process by closing its life line, release everything, and return its exit status."""
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(OSError):  # what was still buffered can't be sent any more
                stream.close()
        try:
            self._process.wait(_CLOSING)
        except subprocess.TimeoutExpired:
            with self._lock:
                self._signal()
        with self._lock:
            self._gone = True
        return self._process.wait()


def parse_answer(body: bytes) -> dict[str, Any]:
    """What a worker's frame says: an object with 'result', or with 'error' holding 'kind' and 'text'.

    Raises ValueError for everything else. The bytes may come from a process that an attacker controls.
    """
    try:
        answer = json.loads(body, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if isinstance(answer, dict):
        if "result" in answer:
            return answer
        match answer.get("error"):
            case {"kind": str(), "text": str()}:
                return answer
    raise ValueError("neither a result nor an error")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


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
        self._settings = _Settings(deadline, memory, nice, start)
        self._most = workers
        self._changed = threading.Condition()  # over what follows
        self._queue: deque[_Task] = deque()
        self._idle = 0  # threads that wait for a task
        self._threads: list[threading.Thread] = []
        self._closed = False
        self._stopped = False  # kill_workers was called: start no more
        self._serving = 0  # threads that have not ended
        self._live: set[_Worker] = set()
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
        worker: _Worker | None = None
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

    def _perform(self, task: _Task, worker: _Worker | None) -> _Worker | None:
        """Do the task, at a second attempt if need be, and return the worker to use for the next."""
        for final in (False, True):
            try:
                if worker is None or not worker.usable or worker.bloated():
                    self._discard(worker)
                    worker = self._begin()
                    worker.get_ready()
                result = worker.ask(task.frame, self._settings.deadline)
            except _KilledFromOutside:
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

    def _begin(self) -> _Worker:
        """A new worker, under supervision but not yet ready."""
        worker = _Worker(self._settings, self._busy)
        with self._changed:
            self._live.add(worker)
            stopped = self._stopped
            if self._supervisor is None:
                self._supervisor = threading.Thread(target=self._supervise, name="imager-supervisor", daemon=True)
                self._supervisor.start()
        if stopped:
            worker.kill("was stopped")
        return worker

    def _discard(self, worker: _Worker | None) -> None:
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
