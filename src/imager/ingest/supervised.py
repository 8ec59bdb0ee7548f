"""One worker as its parent sees it: a process that is started, asked, watched, and killed if need be.

`workers` has the executor that uses these and says what it promises; `worker` is what runs in the process.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

import psutil

import imager
from imager import errors
from imager.errors import ImagerError
from imager.ingest.worker import encode, read_frame, write_frame

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


_KEEP_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
"""glibc would give the buffers of each picture back to the kernel, and fault them in again for the next: a tenth of
the time. What is larger than 32 MiB is still given back at once."""


class WorkerFailedError(ImagerError):
    """The worker died of its task, or had to be stopped because of it; the text is the reason."""


class WorkerError(ImagerError):
    """A task raised something that nobody foresaw; the text is 'TypeName: text'."""


class KilledFromOutsideError(Exception):
    """The worker was killed, and not by us; never seen outside of `workers`."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What all workers of an executor share; see `workers.SupervisedExecutor`."""

    deadline: float
    memory: int
    nice: int
    on_start: tuple[str, tuple[Any, ...]] | None


def _size(count: int) -> str:
    unit, name = (1 << 30, "GiB") if count >= 1 << 30 else (1 << 20, "MiB")
    return f"{round(count / unit, 1):g} {name}"


def _memory_reason(settings: Settings) -> str:
    return f"needed more than {_size(settings.memory)} of memory"


def _exit_reason(status: int) -> str:
    if status >= 0:
        shown = str(status) if status < 256 else f"{status:#x}"  # Windows' codes are known in hexadecimal
        return f"stopped unexpectedly (exit status {shown})"
    try:
        return f"crashed (signal {signal.Signals(-status).name})"
    except ValueError:
        return f"crashed (signal {-status})"


class Worker:
    """One process, as its owner thread sees it; `tick` and `kill` are for the other threads."""

    def __init__(self, settings: Settings, busy: threading.Event) -> None:
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
        environment = _KEEP_MEMORY | dict(os.environ) | dict.fromkeys(_ONE_THREAD, "1")
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
        killed by us, `KilledFromOutsideError` if by somebody else.
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
            return KilledFromOutsideError()
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
