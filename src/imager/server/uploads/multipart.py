"""Files in a form (multipart/form-data, RFC 7578), for scripts: written to the disk as they come, never held in memory.

Only files count; other fields say something of the file that follows them ('modified', 'sha256').
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from anyio import to_thread
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from imager.server.problems import ProblemError
from imager.server.uploads.parts import BLOCK, Parts
from imager.server.uploads.table import new_id

MOST: Final = 1_000
"""Files in one request."""

_FIELD: Final = 2_000  # bytes of a field that is no file
_HEADERS: Final = 8_192  # bytes of the headers of a part
_SAID: Final = frozenset(("modified", "sha256"))


@dataclass(slots=True)
class File:
    """A file of a form, that lies among the parts under its id."""

    id: str
    name: str
    type: str
    size: int = 0
    said: dict[str, str] = field(default_factory=dict)


def boundary_of(content_type: str) -> bytes:
    """The boundary that a Content-Type names; 415 where it is no form, or names none."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 0 < len(boundary) <= 70:
        raise ProblemError(415, "No form", "Send files as multipart/form-data.", kind="media-type")
    return boundary


class Form:
    """Takes a form apart, writing its files; `remove` lets go of those that nobody took over."""

    def __init__(self, parts: Parts, boundary: bytes, *, largest: int, hold: Callable[[str], None]) -> None:
        """`largest`: bytes that each file may have; `hold` is told the id of each that begins, before its bytes."""
        self._hold = hold
        self.files: list[File] = []
        self._parts = parts
        self._largest = largest
        self._events: list[tuple[str, bytes]] = []
        names = ("part_begin", "header_field", "header_value", "header_end", "headers_finished", "part_data")
        callbacks: Any = {f"on_{name}": self._noting(name) for name in (*names, "part_end", "end")}
        self._parser = MultipartParser(boundary, callbacks)
        self._headers: dict[str, str] = {}
        self._name, self._value, self._read = b"", b"", 0
        self._said: dict[str, str] = {}
        self._field: tuple[str, bytearray] | None = None
        self._file: File | None = None
        self._out: Any = None
        self._ended = False

    async def read(self, chunks: AsyncIterator[bytes]) -> list[File]:
        """The files, on the disk. ProblemError: no form (400), too large (413); nothing of it counts then."""
        try:
            async for chunk in chunks:
                for start in range(0, len(chunk), BLOCK):
                    self._parser.write(chunk[start : start + BLOCK])
                    events, self._events = self._events, []
                    await to_thread.run_sync(self._work, events)
            self._parser.finalize()
        except (FormParserError, UnicodeDecodeError):
            raise _broken() from None
        except ClientDisconnect:
            raise _broken() from None
        finally:
            if self._out is not None:
                self._out.close()
        if not self._ended:
            raise _broken()
        return self.files

    def remove(self) -> None:
        """Remove the bytes of all files that are still among the parts."""
        for file in self.files:
            self._parts.remove(file.id)

    def _noting(self, name: str) -> Any:
        def note(data: bytes = b"", start: int = 0, end: int = 0) -> None:
            self._events.append((name, data[start:end]))

        return note

    def _work(self, events: list[tuple[str, bytes]]) -> None:
        for name, data in events:
            getattr(self, f"_{name}")(data)

    def _part_begin(self, _: bytes) -> None:
        self._headers, self._name, self._value, self._read = {}, b"", b"", 0

    def _header_field(self, data: bytes) -> None:
        self._count(data)
        self._name += data

    def _header_value(self, data: bytes) -> None:
        self._count(data)
        self._value += data

    def _header_end(self, _: bytes) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value.decode("utf-8", "replace")
        self._name, self._value = b"", b""

    def _headers_finished(self, _: bytes) -> None:
        kind, options = parse_options_header(self._headers.get("content-disposition", "").encode())
        if kind != b"form-data":
            raise _broken()
        name = options.get(b"filename")
        if name is None:
            self._field = options.get(b"name", b"").decode("utf-8", "replace"), bytearray()
            return
        if len(self.files) >= MOST:
            raise _too_large(f"Up to {MOST:,} files may come in one request.")
        self._file = File(
            new_id(), name.decode("utf-8", "replace"), self._headers.get("content-type", "")[:200], said=self._said
        )
        self._said = {}
        self.files.append(self._file)
        self._hold(self._file.id)
        self._out = self._parts.open(self._file.id, 0)

    def _part_data(self, data: bytes) -> None:
        if self._file is not None:
            self._file.size += len(data)
            if self._file.size > self._largest:
                raise _too_large(f"A file may have up to {self._largest:,} bytes.")
            view = memoryview(data)
            while view:
                view = view[self._out.write(view) :]
        elif self._field is not None:
            self._field[1].extend(data)
            if len(self._field[1]) > _FIELD:
                raise _too_large("A field of the form is too long.")

    def _part_end(self, _: bytes) -> None:
        if self._file is not None:
            os.fsync(self._out.fileno())
            self._out.close()
            self._file = self._out = None
        elif self._field is not None:
            name, value = self._field
            if name in _SAID:
                self._said[name] = value.decode("utf-8", "replace")
            self._field = None

    def _end(self, _: bytes) -> None:
        self._ended = True

    def _count(self, data: bytes) -> None:
        self._read += len(data)
        if self._read > _HEADERS:
            raise _too_large("The headers of a part of the form are too long.")


def _broken() -> ProblemError:
    return ProblemError(400, "No whole form", "The form can't be read to its end. Nothing was kept.", kind="malformed")


def _too_large(text: str) -> ProblemError:
    return ProblemError(413, "Too large", text + " Nothing was kept.", kind="too-large")
