"""Puts files into the folder of an export: whole or not at all, and never in the place of something else.

A copy is written beside its place under another name, and renamed only when it is complete and its bytes are those that
the catalog knows. Bytes that are there already stay, so that an export can be repeated, or go on where it was cut off.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from imager.errors import ImagerError, StorageFullError
from imager.export.sidecar import TOOLKIT

_BLOCK = 1 << 20
_FOLDERS = 256
_NAMES = 10_000  # tried for one file
_LEFT = re.compile(rb"\..*\.[0-9a-f]{8}\.partial", re.DOTALL)
_LINK = getattr(os, "link", None)


@dataclass(frozen=True, slots=True)
class Original:
    """A file that is to be copied, and the bytes that it is known to have."""

    path: bytes
    sha256: bytes
    size: int


class ChangedError(Exception):
    """The file does not hold the bytes any more that the catalog knows of."""


class Shelf:
    """The folder of an export."""

    def __init__(self, folder: bytes, *, link: bool) -> None:
        """`link`: make hard links instead of copies, where the file system can."""
        self.folder = folder
        self._link = link
        self._listings: OrderedDict[bytes, dict[bytes, bytes]] = OrderedDict()

    def place(self, original: Original, folder: bytes, name: bytes, *, sidecar: bool) -> tuple[bytes, str]:
        """Have the original lie in a folder, by its name or a similar one; its path, and 'kept', 'linked' or 'copied'.

        `sidecar`: the sidecar's name beside it must be free, too. ChangedError, OSError; StorageFullError when the disk
        is full.
        """
        try:
            os.makedirs(folder, exist_ok=True)
            names = self._names(folder)
            for candidate in _candidates(name):
                path = os.path.join(folder, candidate)
                # Where the case of letters does not count, 'A.jpg' would be 'a.jpg'; and sidecars never heed it.
                there = names.get(candidate.lower())
                if there is not None and there != candidate:
                    continue
                if sidecar and not _is_free_for_sidecar(path + b".xmp"):
                    continue
                if not os.path.lexists(path):
                    how = self._write(original, path)
                elif _holds(path, original):
                    how = "kept"
                else:
                    continue
                names[candidate.lower()] = candidate
                return path, how
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StorageFullError(
                    f"The disk that holds {os.fsdecode(self.folder)} is full. What was written stays: make room and "
                    "run the same command again."
                ) from error
            raise
        raise ImagerError(f"There are too many files called {os.fsdecode(name)} in {os.fsdecode(folder)}.")

    def _names(self, folder: bytes) -> dict[bytes, bytes]:
        """The names in a folder, by what they are in lower case."""
        names = self._listings.pop(folder, None)
        if names is None:
            names = {name.lower(): name for name in os.listdir(folder)}
            for name in [name for name in names.values() if _LEFT.fullmatch(name)]:  # an export was killed
                with suppress(OSError):
                    os.unlink(os.path.join(folder, name))
                del names[name.lower()]
        self._listings[folder] = names
        while len(self._listings) > _FOLDERS:
            self._listings.popitem(last=False)
        return names

    def _write(self, original: Original, path: bytes) -> str:
        if self._link and _LINK is not None:
            source = os.path.realpath(original.path)
            if not _holds(source, original):
                raise ChangedError
            with suppress(OSError):
                _LINK(source, path)
                return "linked"
        temporary = _beside(path)
        try:
            digest = hashlib.sha256()
            with open(original.path, "rb") as source_file, open(temporary, "xb") as file:
                status = os.fstat(source_file.fileno())
                while block := source_file.read(_BLOCK):
                    digest.update(block)
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            if digest.digest() != original.sha256:
                raise ChangedError
            os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
            _rename_new(temporary, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)
        return "copied"


def replace(path: bytes, data: bytes) -> bool:
    """Write a file whole, in the place of its former self; False where it holds that already."""
    with suppress(OSError), open(path, "rb") as file:
        if file.read(len(data) + 1) == data:
            return False
    temporary = _beside(path)
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
    return True


def _rename_new(temporary: bytes, path: bytes) -> None:
    """Give a file its name, unless somebody took that meanwhile (FileExistsError)."""
    if _LINK is not None:
        try:
            _LINK(temporary, path)
            return
        except FileExistsError:
            raise
        except OSError:  # FAT and others know no links
            pass
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
    os.rename(temporary, path)


def _beside(path: bytes) -> bytes:
    folder, name = os.path.split(path)
    return os.path.join(folder, b".%s.%s.partial" % (name[:100], secrets.token_hex(4).encode()))


def _candidates(name: bytes) -> Iterator[bytes]:
    yield name
    stem, ending = os.path.splitext(name)
    for number in range(2, _NAMES):
        yield b"%s (%d)%s" % (stem, number, ending)


def _is_free_for_sidecar(path: bytes) -> bool:
    """Whether a sidecar may be written there: nothing is, or one of a former export."""
    try:
        with open(path, "rb") as file:
            return TOOLKIT.encode() in file.read(1024)
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _holds(path: bytes, original: Original) -> bool:
    """Whether a file has these bytes."""
    if not os.path.isfile(path) or os.path.getsize(path) != original.size:
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest() == original.sha256
