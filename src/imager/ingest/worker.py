"""The child side of `workers`: a process that runs one task after another and answers over a pipe.

Started as `python -P -m imager.ingest.worker`. Parent and child exchange frames: four bytes of length (big
endian), then one JSON text. The first frame from the parent holds the settings and is answered when the
worker is ready; each later one is a task, answered by one frame with its result or its error.

The pipe by which tasks arrive is also the life line: a thread reads it all the time, and at its end (the
parent is gone, however it went) the process exits at once, also in the middle of a task. On Linux the kernel
is asked for the same, since native code that never releases the interpreter would keep that thread from
running.

This module is imported by the parent too, for the frames. It imports little, so that a worker starts quickly.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import signal
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from imager import errors

MAX_FRAME = 32 << 20  # bytes; bounds what an answer can make the parent allocate
_HEADER = struct.Struct(">I")
_DATA_ALLOWANCE = 256 << 20  # bytes of address space that libraries reserve for writing and never touch
_MAX_TEXT = 4000  # characters of an error's text


def encode(value: Any) -> bytes:
    """A frame's JSON, in ASCII, so that names that are not UTF-8 (lone surrogates in `str`) pass unharmed.

    Raises TypeError, ValueError or RecursionError for what is not JSON (NaN is not).
    """
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def write_frame(stream: IO[bytes], body: bytes) -> None:
    """Write one frame and flush. Raises OSError if the other side is gone."""
    stream.write(_HEADER.pack(len(body)) + body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """The body of the next frame, or None at the end. Raises ValueError for one larger than `MAX_FRAME`."""
    header = stream.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    (length,) = _HEADER.unpack(header)
    if length > MAX_FRAME:
        raise ValueError("frame too large")
    body = stream.read(length)
    return body if len(body) == length else None


def resolve(target: str) -> Callable[..., Any]:
    """The function that 'module:qualname' names, its module imported if need be."""
    module, _, name = target.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def _detach_standard_streams() -> tuple[IO[bytes], IO[bytes]]:
    """Take the pipes away from descriptors 0 and 1: no library, nor what it starts, shall meddle."""
    frames = os.dup(0), os.dup(1)  # not inheritable
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    if sys.platform == "win32":
        import msvcrt

        for descriptor in frames:
            msvcrt.setmode(descriptor, os.O_BINARY)
    return os.fdopen(frames[0], "rb"), os.fdopen(frames[1], "wb")


def _listen(tasks: IO[bytes], inbox: queue.SimpleQueue[bytes]) -> None:
    try:
        while (frame := read_frame(tasks)) is not None:
            inbox.put(frame)
    finally:
        os._exit(0)


def _die_with_parent() -> None:
    """Ask Linux to kill this process when the thread that started it ends (prctl(2), PR_SET_PDEATHSIG)."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _limit_memory(memory: int) -> None:
    """Make allocations beyond the limit fail, so that a huge one is refused before a byte of it is touched.

    RLIMIT_DATA counts private writable memory only (Linux 4.7 and later), unlike RLIMIT_AS, which counts
    every mapped library and file too. Elsewhere the parent's watching has to be enough.
    """
    if sys.platform == "win32":
        return
    import resource

    def lower(which: int, value: int) -> None:
        hard = resource.getrlimit(which)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(which, (value, hard))

    lower(resource.RLIMIT_CORE, 0)  # a crash is expected here: nobody needs gigabytes of core dumps
    if sys.platform == "linux":
        lower(resource.RLIMIT_DATA, memory + _DATA_ALLOWANCE)
        # When the machine runs out of memory, the kernel should take a worker, not the parent.
        with suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("500")


def _prepare(settings: dict[str, Any]) -> None:
    sys.path[:] = settings["path"]
    _limit_memory(settings["memory"])
    if settings["nice"] and sys.platform != "win32":  # Windows gets its priority when the process is made
        with suppress(OSError):
            os.nice(settings["nice"])
    if settings["on_start"] is not None:
        target, args = settings["on_start"]
        resolve(target)(*args)


def _answer_error(error: BaseException) -> dict[str, str]:
    """What travels of an exception: the nearest class of `imager.errors`, or None with 'TypeName: text'."""
    if os.environ.get("IMAGER_DEBUG"):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, MemoryError):
        return {"kind": "MemoryError", "text": ""}
    try:
        text = str(error)[:_MAX_TEXT]
    except Exception:  # noqa: BLE001 - an exception's own __str__ may do anything
        text = "(without a text)"
    for base in type(error).__mro__:
        if base.__module__ == errors.__name__:
            return {"kind": base.__name__, "text": text}
    return {"kind": "", "text": f"{type(error).__name__}: {text}" if text else type(error).__name__}


def _run(frame: bytes, known: dict[str, Callable[..., Any]]) -> bytes:
    try:
        target, args, kwargs = json.loads(frame)
        function = known.get(target)
        if function is None:
            function = known[target] = resolve(target)
        result = function(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - SystemExit and the like end a task, not a worker
        return encode({"error": _answer_error(error)})
    try:
        body = encode({"result": result})
    except (TypeError, ValueError, RecursionError) as error:
        text = f"{target} answered with something that is not JSON ({error})"
        return encode({"error": {"kind": "", "text": text[:_MAX_TEXT]}})
    except MemoryError as error:
        return encode({"error": _answer_error(error)})
    if len(body) > MAX_FRAME:
        text = f"{target} answered with {len(body):,} bytes; the limit is {MAX_FRAME:,}"
        return encode({"error": {"kind": "", "text": text}})
    return body


def main() -> None:
    """Serve the parent until it goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which decides
    _die_with_parent()
    tasks, answers = _detach_standard_streams()
    inbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(tasks, inbox), daemon=True).start()
    try:
        _prepare(json.loads(inbox.get()))
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must learn of it
        write_frame(answers, encode({"error": _answer_error(error)}))
        return
    write_frame(answers, encode({"result": None}))
    known: dict[str, Callable[..., Any]] = {}
    while True:
        write_frame(answers, _run(inbox.get(), known))


if __name__ == "__main__":
    try:
        main()
    except OSError:  # the parent went while it was being answered
        os._exit(0)
