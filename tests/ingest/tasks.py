"""Functions for workers to run in the tests of `imager.ingest.workers`."""

from __future__ import annotations

import os
import re
import sys
import threading
from typing import Any

from imager.errors import TooLargeError

started_with: list[Any] = []


class BombError(TooLargeError):
    """A subclass that `imager.errors` does not know."""


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text for you")


def echo(*values: Any, **named: Any) -> Any:
    return {"values": values, "named": named} if named else list(values)


def process_id() -> int:
    return os.getpid()


def environment(name: str) -> str | None:
    return os.environ.get(name)


def niceness() -> int:
    return os.nice(0)


def search_path() -> list[str]:
    return sys.path


def hang() -> None:
    threading.Event().wait()


def hold_the_interpreter() -> None:
    re.match(r"(a+)+$", "a" * 64 + "b")  # exponential, in C, and never lets another thread run


def tell_and_hang(fifo: str, how: str) -> None:
    """Say so through the pipe, which ends when this process does, and never return."""
    os.write(os.open(fifo, os.O_WRONLY), b"%d\n" % os.getpid())
    if how == "holding the interpreter":
        hold_the_interpreter()
    hang()


def send_myself(signal_number: int) -> str:
    os.kill(os.getpid(), signal_number)
    return "survived"


def send_myself_once(signal_number: int, marker: str) -> str:
    if not os.path.exists(marker):
        with open(marker, "w"):
            pass
        os.kill(os.getpid(), signal_number)
    return "survived"


def leave(status: int) -> None:
    os._exit(status)


def exit_politely() -> None:
    sys.exit(3)


def fill_memory(size: int) -> None:
    held = []
    while True:
        held.append(b"x" * (size // 16))
        if len(held) > 16:
            hang()


def ask_for(size: int) -> int:
    return len(bytearray(size))


def chatter() -> str:
    print("to standard output")
    os.write(1, b"and right into its descriptor")
    os.system("echo a child process too")
    return "said"


def read_standard_input() -> str:
    return sys.stdin.read() + os.read(0, 100).decode()


def answer_with(kind: str) -> Any:
    loop: list[Any] = []
    loop.append(loop)
    values: dict[str, Any] = {
        "bytes": b"x",
        "nan": float("nan"),
        "set": {1},
        "loop": loop,
        "huge": "x" * (33 << 20),
    }
    return values[kind]


def write_into_all_pipes(text: bytes | str) -> None:
    """As a decoder would do that was taken over."""
    for descriptor in range(3, 32):
        try:
            os.write(descriptor, text.encode("latin-1") if isinstance(text, str) else text)
        except OSError:
            continue
    hang()


def fail(kind: str) -> None:
    if kind == "MemoryError":
        raise MemoryError
    if kind == "bomb":
        raise BombError("400 megapixels as progressive JPEG")
    if kind == "mute":
        raise MuteError
    raise KeyError("colour")


def remember(*values: Any) -> None:
    started_with.extend(values)


def remembered() -> list[Any]:
    return started_with
