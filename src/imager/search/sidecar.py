"""Generations of the index on disk: a file of named arrays that is written once and then mapped, never changed.

A generation is `<reach>-<random>.imx`: a header of 64 bytes, the sections, and a table (JSON) naming them, with their
places, types and CRC-32. It is written under a temporary name, forced to disk and renamed, so that a file with that
ending is whole unless the disk damaged it; the header and the table carry CRCs of their own, which opening checks, and
`Generation.verify` checks the sections. All of it can be made again from the catalog at any time.
"""

from __future__ import annotations

import contextlib
import io
import json
import mmap
import os
import re
import secrets
import struct
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

MAGIC: Final = b"IMGRINDX"
REVISION: Final = 1
"""Of the format and of the meaning of the sections. Files of any other are ignored, and made anew."""

_HEADER = struct.Struct("<8sIIQQI")  # magic, revision, flags (0), place of the table, its length, its CRC
_HEADER_SIZE = 64
_ALIGNED = 4096  # so that patching one section copies no page of another
_NAME = re.compile(r"(\d{1,19})-[0-9a-f]{16}\.imx")
_PARTIAL = ".partial"
_PIECE = 1 << 24

Array = NDArray[Any]


class DamagedError(Exception):
    """The file is no generation that this Imager can use. Never shown: the index is made anew."""


def _bytes(array: Array) -> memoryview:
    return array.view(np.uint8).data if array.size else memoryview(b"")


class Writer:
    """Writes the sections of a generation one after another into a binary file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._table: dict[str, list[Any]] = {}
        self._at = 0
        self._put(bytes(_HEADER_SIZE))

    def _put(self, data: Any) -> None:
        self._file.write(data)
        self._at += memoryview(data).nbytes

    def stream(self, name: str, dtype: Any, pieces: Iterator[Array], *, spare: int = 0) -> int:
        """Write an array that comes in pieces, and `spare` zeros after it; returns its length without them."""
        self._put(bytes(-self._at % _ALIGNED))
        start, crc, length = self._at, 0, 0
        for piece in pieces:
            data = _bytes(np.ascontiguousarray(piece, dtype))
            crc = zlib.crc32(data, crc)
            self._put(data)
            length += len(piece)
        zeros = bytes(min(_PIECE, spare * np.dtype(dtype).itemsize))
        left = spare * np.dtype(dtype).itemsize
        while left:
            crc = zlib.crc32(zeros[:left], crc)
            self._put(zeros[:left])
            left -= len(zeros[:left])
        self._table[name] = [start, [length + spare], np.dtype(dtype).str, crc]
        return length

    def array(self, name: str, values: Array, *, spare: int = 0) -> None:
        """Write an array; `spare` zeros follow it in the file, and belong to it. Of one dimension, or spare 0."""
        if values.ndim == 1:
            self.stream(name, values.dtype, iter([values]), spare=spare)
        else:
            self.stream(name, values.dtype, iter([values.reshape(-1)]))
            self._table[name][1] = list(values.shape)

    def text(self, name: str, value: Any) -> None:
        """Write a JSON value."""
        self.array(name, np.frombuffer(json.dumps(value).encode(), np.uint8))

    def finish(self, facts: dict[str, Any]) -> None:
        """Write the table, with `facts` about the whole, and the header."""
        table = json.dumps({"facts": facts, "sections": self._table}).encode()
        start = self._at
        self._put(table)
        header = _HEADER.pack(MAGIC, REVISION, 0, start, len(table), zlib.crc32(table))
        self._file.seek(0)
        self._file.write(header + struct.pack("<I", zlib.crc32(header)))


class Generation:
    """A generation that was opened. Its arrays can be written to: changed pages are this process's own."""

    def __init__(self, buffer: Any, path: Path | None = None) -> None:
        """`buffer`: bytes of the file, writable. DamagedError when it is not one of ours, or not whole."""
        self.path = path
        self._buffer = memoryview(buffer)
        size = len(self._buffer)
        if size < _HEADER_SIZE:
            raise DamagedError("too short")
        header = bytes(self._buffer[: _HEADER.size])
        (crc,) = struct.unpack_from("<I", self._buffer, _HEADER.size)
        magic, revision, _flags, start, length, table_crc = _HEADER.unpack(header)
        if magic != MAGIC or revision != REVISION or crc != zlib.crc32(header):
            raise DamagedError("not a generation of this format")
        if start + length > size or zlib.crc32(self._buffer[start : start + length]) != table_crc:
            raise DamagedError("the table is damaged")
        table = json.loads(bytes(self._buffer[start : start + length]))
        self.facts: dict[str, Any] = table["facts"]
        self._sections: dict[str, tuple[int, list[int], str, int]] = table["sections"]

    @classmethod
    def open(cls, path: Path) -> Generation:
        """Map the file. DamagedError or OSError when it can't be used."""
        with path.open("rb") as file:
            try:
                return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY), path)
            except ValueError as error:  # an empty file can't be mapped
                raise DamagedError(str(error)) from error

    def array(self, name: str) -> Array:
        """A section, as an array over the mapped pages."""
        start, shape, dtype, _crc = self._section(name)
        count = int(np.prod(shape, dtype=np.int64))
        if not count:
            return np.zeros(shape, dtype)
        return np.frombuffer(self._buffer, dtype, count, start).reshape(shape)

    def text(self, name: str) -> Any:
        """A section of JSON; DamagedError if its bytes are not those that were written."""
        data = self.array(name).tobytes()
        if zlib.crc32(data) != self._section(name)[3]:
            raise DamagedError(f"{name} is damaged")
        return json.loads(data)

    def verify(self) -> list[str]:
        """Names of the sections whose bytes are not those that were written. Reads all of the file again."""
        damaged = []
        fresh = Generation.open(self.path) if self.path is not None else self
        for name, (*_, crc) in fresh._sections.items():
            if zlib.crc32(_bytes(fresh.array(name).reshape(-1))) != crc:
                damaged.append(name)
        return damaged

    def _section(self, name: str) -> tuple[int, list[int], str, int]:
        try:
            return self._sections[name]
        except KeyError as error:
            raise DamagedError(f"no section {name}") from error


def generations(folder: Path) -> list[Path]:
    """The generations in a folder, those that reach furthest first."""
    try:
        names = [name for name in os.listdir(folder) if _NAME.fullmatch(name)]
    except OSError:
        return []
    return [folder / name for name in sorted(names, key=lambda name: (-reach_of(Path(name)), name))]


def reach_of(path: Path) -> int:
    """Up to which change of the catalog a generation goes, by its name."""
    return int(path.name.partition("-")[0])


@contextlib.contextmanager
def created(folder: Path, reach: int) -> Iterator[tuple[IO[bytes], Path]]:
    """A file to write a generation into, and the name that it has once the block ends without an error."""
    name = f"{reach:012}-{secrets.token_hex(8)}.imx"
    temporary = folder / (name + _PARTIAL)
    try:
        with temporary.open("xb", buffering=1 << 20) as file:
            yield file, folder / name
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / name)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if sys.platform != "win32":
        folder_handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(folder_handle)
        finally:
            os.close(folder_handle)


def tidy(folder: Path, keep: Path) -> None:
    """Delete all other generations, and what was cut off while it was written; under the lock.

    What another process has mapped can't be deleted on Windows: the next one to write tries again.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if name != keep.name and _NAME.fullmatch(name.removesuffix(_PARTIAL)):
                with contextlib.suppress(OSError):
                    (folder / name).unlink()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[bool]:
    """Whether this process may write into the folder until the block ends: no other holds the lock, and it can be.

    The lock is the system's, so it ends with the process, however that ends.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("ab")
    except OSError:
        yield False
        return
    with file:
        yield _lock(file)


def _lock(file: io.BufferedWriter) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
