"""The inbox: the folder in which uploaded pictures come to lie. They are people's files and none of Imager's own.

By default it lies beside the library's folder and is called after it ('library inbox'): previews and catalog may be
thrown away and made again, what people uploaded may not, so neither lies in the other. It is a root of the library,
followed and scanned like any other.

A file appears there whole and under a name that nobody had: it is linked (or, from another disk, copied to a hidden
folder, forced to disk and then linked), never written in place, and never over another file.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from imager.errors import ImagerError, StorageFullError, UsageError
from imager.server.names import numbered, safe_name

TEMPLATE: Final = "{year}/{month}/{name}"
ASIDE: Final = ".imager-partial"
"""Folder in the inbox for what is on its way from another disk; walks pass over hidden folders."""

_FIELDS: Final = re.compile(r"\{(year|month|day|member|name)\}")
_TRIES: Final = 10_000


def beside(library: Path) -> Path:
    """The inbox of a library for which no other one was chosen."""
    return library.with_name(f"{library.name} inbox")


def chosen(library: Path, folder: Path | None, template: str) -> Inbox:
    """The inbox of a library, in the folder that was chosen or beside the library. UsageError where it can't be one."""
    at = beside(library) if folder is None else folder.expanduser().absolute()
    if at.resolve().is_relative_to(library.resolve()):
        raise UsageError(f"{at} lies in the library itself, where pictures are not looked for. Choose another folder.")
    return Inbox(at, template)


class Inbox:
    """A folder, and the naming template by which files are placed in it."""

    def __init__(self, folder: Path, template: str = TEMPLATE) -> None:
        """UsageError where the template is none: a relative path of {year}, {month}, {day}, {member}; last {name}."""
        rest = _FIELDS.sub("", template)
        if (
            "{" in rest
            or "}" in rest
            or template.count("{name}") != 1
            or not template.endswith("{name}")
            or any(part.strip(" .") in ("", "..") for part in template.split("/"))
            or "\\" in template
        ):
            raise UsageError(
                f"{template!r} is no naming template. One is made of folders, {{year}}, {{month}}, {{day}} and "
                f"{{member}}, and ends in {{name}}: {TEMPLATE}"
            )
        self.folder = folder
        self.template = template

    def named(self, name: str, taken: datetime, member: str) -> Path:
        """Where a picture of that name would lie by the template; all that comes from outside is made safe."""
        values = {
            "year": f"{taken.year:04}",
            "month": f"{taken.month:02}",
            "day": f"{taken.day:02}",
            "member": safe_name(member, otherwise="member"),
            "name": safe_name(name),
        }
        parts = [_FIELDS.sub(lambda m: values[m[1]], part) for part in self.template.split("/")]
        return self.folder.joinpath(*(safe_name(part) for part in parts))

    def free(self, wanted: Path) -> Iterator[Path]:
        """The name that is wanted, then ' (2)' and so on: those that are free now, whatever the case of letters."""
        try:
            taken = {name.casefold() for name in os.listdir(wanted.parent)}
        except FileNotFoundError:
            taken = set()
        for number in range(1, _TRIES):
            name = wanted.name if number == 1 else numbered(wanted.name, number)
            if name.casefold() not in taken:
                yield wanted.with_name(name)
        raise ImagerError(f"There are too many files called {wanted.name} in the inbox.")

    def create(self) -> None:
        """Make the folder, which is private to who runs the server. ImagerError says why where that can't be."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise explained(error, self.folder) from error

    def place(self, part: Path, at: Path) -> bool:
        """Have the bytes of a part lie at a path of the inbox; False if somebody took that name meanwhile.

        When this returns True, file and name are on the disk, and the part may go.
        """
        try:
            self._folders(at.parent)
            source, copied = part, False
            try:
                if not _link(source, at):
                    return False
            except OSError as error:
                if error.errno not in (errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK):
                    raise
                source, copied = self._copied(part), True
                try:
                    placed = _link(source, at)
                except OSError:  # a file system without links: then only a rename is left
                    placed = not os.path.lexists(at)
                    if placed:
                        source.rename(at)
                if not placed:
                    return False
            finally:
                if copied:
                    source.unlink(missing_ok=True)
            sync_folder(at.parent)
        except OSError as error:
            raise explained(error, self.folder) from error
        return True

    def remove(self, at: Path) -> None:
        """Take a file out again that turned out to be no picture, and the folders that are empty without it."""
        at.unlink(missing_ok=True)
        for folder in at.parents:
            if folder == self.folder or self.folder not in folder.parents:
                break
            try:
                folder.rmdir()
            except OSError:
                break

    def tidy(self) -> None:
        """Remove what a server that was killed left on its way."""
        shutil.rmtree(self.folder / ASIDE, ignore_errors=True)

    def _folders(self, folder: Path) -> None:
        """Make the folders down to one, each name on the disk. None may lead out of the inbox by a link."""
        missing = []
        while not folder.is_dir():
            missing.append(folder)
            folder = folder.parent
        if not folder.resolve().is_relative_to(self.folder.resolve()):
            raise ImagerError(f"{folder} leads out of the inbox. Remove that link, or choose another template.")
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
            sync_folder(path.parent)

    def _copied(self, part: Path) -> Path:
        aside = self.folder / ASIDE
        aside.mkdir(mode=0o700, exist_ok=True)
        copy = aside / part.name
        with part.open("rb") as source, copy.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
            file.flush()
            os.fsync(file.fileno())
        shutil.copystat(part, copy)
        return copy


def explained(error: OSError, folder: Path) -> ImagerError:
    """The error for people of one that the disk gave."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFullError("The disk of the server is full. What was sent stays; go on once there is room.")
    return ImagerError(f"{folder} can't be written ({error.strerror or error}). Check that the folder is yours.")


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk, where the system can (Windows can't)."""
    with suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _link(source: Path, at: Path) -> bool:
    link = getattr(os, "link", None)
    if link is None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
    try:
        link(source, at)
    except FileExistsError:
        return False
    return True
