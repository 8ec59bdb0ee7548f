"""The first step of ingest: what files are there. One folder after the other, with what `stat` says of each
file.

Paths are bytes, as the file system has them: a name need not be UTF-8 (on Windows, Python gives UTF-8). The
order is that of the names, folder by folder, so two walks over the same tree are alike. Memory does not grow
with the number of files, but for eight bytes a folder.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from imager.ingest.ignore import (
    CACHE_TAG,
    FILE_NAME,
    INNER_MARKS,
    LIBRARY_MARKS,
    PARENT_MARKS,
    IgnoreRules,
    Scope,
    is_cache_tag,
    read_ignore_file,
)
from imager.ingest.only import Only
from imager.ingest.volumes import volume_of

OnProblem = Callable[[bytes, str], None]

_NUMBER = (1 << 63) - 1  # what fits into a column of SQLite; some network file systems number beyond
_MARKS = frozenset((CACHE_TAG, FILE_NAME, *LIBRARY_MARKS, *INNER_MARKS, *PARENT_MARKS))
_INODE = (1 << 64) - 1  # ReFS has longer ones
_name = itemgetter(0)


class Entry(NamedTuple):
    """A file, or what a symbolic link to a file leads to."""

    name: bytes
    size: int  # bytes
    modified: int  # mtime, nanoseconds since 1970 UTC
    changed: int  # ctime, likewise; on Windows the time of creation
    inode: int  # 0 on Windows, where it would cost opening the file


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that was read whole, with its files in the order of their names."""

    path: bytes
    device: int  # st_dev
    volume: str | None  # see `volumes.volume_of`
    entries: list[Entry]
    partial: bool = False  # only one file was asked for: nothing is known of others in the folder


@dataclass(frozen=True, slots=True)
class _Pending:
    path: bytes
    scope: Scope
    linked: bool = False  # reached through a symbolic link, at whatever distance


def walk(root: bytes, *, rules: IgnoreRules, on_problem: OnProblem, only: Only | None = None) -> Iterator[Folder]:
    """Walk a folder (absolute paths come out), or look at a single file.

    Each folder comes before those in it. Passed over are what the rules and the ignore files ignore (also
    ignore files above the root), libraries of Imager, and whatever is neither file nor folder. A root is
    walked even if its own name is ignored, and a file as root is always given, with its sidecars, in a folder
    that is `partial`.

    Symbolic links to files count as files. Those to folders are followed when everything else was visited,
    and only to folders that were not.

    `on_problem(path, reason)` is told what could not be read: **nothing at or below such a path was seen**,
    so nothing there may be taken for missing. It also hears of broken lines in ignore files (with the ignore
    file's path), and of a root that is a cache or a library.
    """
    root = _absolute(root)
    try:
        status = os.stat(root)
    except OSError as error:
        on_problem(root, _reason(error))
        return
    except ValueError:  # a NUL in it
        on_problem(root, "can't be the path of a file")
        return
    if stat.S_ISREG(status.st_mode):
        folder, name = os.path.split(root)
        entries = [_entry(name, status), *_sidecars(folder, name)]
        yield Folder(folder, status.st_dev, volume_of(folder, status), entries, partial=True)
    elif stat.S_ISDIR(status.st_mode):
        yield from _Walk(root, rules, on_problem, only).folders()
    else:
        on_problem(root, "is neither a file nor a folder")


def _sidecars(folder: bytes, name: bytes) -> Iterator[Entry]:
    """The XMP sidecars beside a single file, in either form of their names."""
    seen: set[tuple[bytes, int]] = set()
    for base in (name, os.path.splitext(name)[0]):
        for ending in (b".xmp", b".XMP"):
            try:
                status = os.stat(os.path.join(folder, base + ending))
            except OSError:
                continue
            # Where case does not matter, one file answers to both spellings.
            if stat.S_ISREG(status.st_mode) and (base.lower(), status.st_mtime_ns) not in seen:
                seen.add((base.lower(), status.st_mtime_ns))
                yield _entry(base + ending, status)


class _Walk:
    def __init__(self, root: bytes, rules: IgnoreRules, on_problem: OnProblem, only: Only | None) -> None:
        self._root = root
        self._rules = rules
        self._on_problem = on_problem
        self._only = only
        self._special = rules.odd_names | _MARKS
        self._volumes: dict[int, str | None] = {}
        self._visited: dict[int, array[int]] = {}  # inodes of real folders, by device
        self._known: dict[int, set[int]] | None = None  # the same, once links are followed
        self._links: deque[_Pending] = deque()

    def folders(self) -> Iterator[Folder]:
        """All folders, real ones first."""
        scope = self._scope_above()
        if scope is None:
            return
        stack = [_Pending(self._root, scope)]
        while stack:
            while stack:
                pending = stack.pop()
                found = self._visit(pending)
                if found is None:
                    continue
                folder, below = found
                if self._only is None or self._only.wants(folder.path):
                    yield folder
                stack.extend(reversed(below))
            if self._links:
                stack.append(self._links.popleft())

    def _scope_above(self) -> Scope | None:
        """The rules that ignore files above the root lay down for it; None if one can't be read."""
        above: list[bytes] = []
        folder = os.path.dirname(self._root)
        while not above or above[-1] != folder:
            above.append(folder)
            folder = os.path.dirname(folder)
        scope: Scope | None = self._rules.scope
        for folder in reversed(above if above[0] != self._root else []):
            if scope is not None:
                scope = self._scope_inside(folder, scope, self._root)
        return scope

    def _scope_inside(self, folder: bytes, scope: Scope, stake: bytes) -> Scope | None:
        """The scope with the folder's ignore file, if it has one. If that can't be read, nobody knows what it
        keeps out: None, after a problem with `stake`, the folder that is left alone therefore.
        """
        path = os.path.join(folder, FILE_NAME)
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):
                return scope
            return scope.inside(_slashes(folder), read_ignore_file(path, self._on_problem))
        except (FileNotFoundError, NotADirectoryError):
            return scope
        except OSError as error:
            if folder != stake and error.errno in (errno.EACCES, errno.ELOOP):
                return scope  # a folder above that one may pass through and not look into
            self._on_problem(stake, f"its ignore file {os.fsdecode(path)!r} can't be read: {_reason(error)}")
        except ValueError as error:
            self._on_problem(stake, f"its ignore file {os.fsdecode(path)!r} {error}")
        return None

    def _visit(self, pending: _Pending) -> tuple[Folder, list[_Pending]] | None:
        """Read one folder; None if it could not be, or must not."""
        path, only = pending.path, self._only
        try:
            status = os.stat(path)
            if not self._is_new(status, pending.linked):
                return None
            entries, folders, links, odd = self._scan(path)
        except OSError as error:
            self._on_problem(path, _reason(error))
            return None
        scope: Scope | None = pending.scope
        marks = _MARKS.intersection(odd)
        if marks:
            if (refusal := _refusal(path, marks)) is not None:
                if path == self._root:
                    self._on_problem(path, refusal)
                return None
            if FILE_NAME in marks:
                scope = self._scope_inside(path, pending.scope, path)
        if scope is None:
            return None
        linked_folders = self._follow(path, links, entries) if links else []
        if only is not None:
            folders = [name for name in folders if only.leads(os.path.join(path, name))]
            only.saw_links |= bool(linked_folders) and only.wants(path)
            linked_folders = []
        place = _slashes(path)
        if scope.custom:
            entries = [entry for entry in entries if not scope.ignores(place, entry.name, False)]
        elif odd:
            ignored = {name for name in odd if scope.ignores(place, name, False)}
            entries = [entry for entry in entries if entry.name not in ignored]
        entries.sort(key=_name)
        generated = set[bytes]().union(*(PARENT_MARKS.get(mark, ()) for mark in marks))
        below = [
            _Pending(os.path.join(path, name), scope, pending.linked)
            for name in sorted(folders)
            if name not in generated and not scope.ignores(place, name, True)
        ]
        self._links.extend(
            _Pending(os.path.join(path, name), scope, True)
            for name in sorted(linked_folders)
            if not scope.ignores(place, name, True)
        )
        return Folder(path, status.st_dev, self._volume(path, status), entries), below

    def _scan(self, path: bytes) -> tuple[list[Entry], list[bytes], list[bytes], list[bytes]]:
        """A folder's files, folders and symbolic links, and the file names that rules are about."""
        passing = self._only is not None and not self._only.wants(path)  # then its files are not asked for
        entries: list[Entry] = []
        folders: list[bytes] = []
        links: list[bytes] = []
        odd: list[bytes] = []
        special, new = self._special, tuple.__new__  # a third of the time of Entry(...), a million times
        with os.scandir(path) as listing:
            for item in listing:
                name = item.name
                try:
                    if item.is_file(follow_symlinks=False):
                        if name in special or name[0] == 0x2E:
                            odd.append(name)
                        if passing:
                            continue
                        found = item.stat(follow_symlinks=False)
                        fields = (
                            name,
                            found.st_size,
                            found.st_mtime_ns,
                            found.st_ctime_ns,
                            found.st_ino & _NUMBER,
                        )
                        entries.append(new(Entry, fields))
                    elif _is_junction(item):
                        links.append(name)
                    elif item.is_dir(follow_symlinks=False):
                        folders.append(name)
                    elif item.is_symlink():
                        if not passing:
                            links.append(name)
                        if name in special or name[0] == 0x2E:
                            odd.append(name)
                except OSError as error:
                    self._on_problem(os.path.join(path, name), _reason(error))
        return entries, folders, links, odd

    def _follow(self, path: bytes, links: list[bytes], entries: list[Entry]) -> list[bytes]:
        """Add the links that lead to files to the entries, and return those that lead to folders."""
        folders = []
        for name in links:
            link = os.path.join(path, name)
            try:
                status = os.stat(link)
            except FileNotFoundError:
                continue
            except OSError as error:
                if error.errno != errno.ELOOP:
                    self._on_problem(link, _reason(error))
                continue
            if stat.S_ISREG(status.st_mode):
                entries.append(_entry(name, status))
            elif stat.S_ISDIR(status.st_mode):
                folders.append(name)
        return folders

    def _is_new(self, status: os.stat_result, linked: bool) -> bool:
        """Note a visit; whether the folder is new, which only matters once links are followed."""
        inode = status.st_ino & _INODE
        if not linked:
            self._visited.setdefault(status.st_dev, array("Q")).append(inode)
            return True
        if self._known is None:
            self._known = {device: set(inodes) for device, inodes in self._visited.items()}
        inodes = self._known.setdefault(status.st_dev, set())
        if inode in inodes:
            return False
        inodes.add(inode)
        return True

    def _volume(self, path: bytes, status: os.stat_result) -> str | None:
        if status.st_dev not in self._volumes:
            self._volumes[status.st_dev] = volume_of(path, status)
        return self._volumes[status.st_dev]


def _entry(name: bytes, status: os.stat_result) -> Entry:
    return Entry(name, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino & _NUMBER)


def _refusal(path: bytes, marks: frozenset[bytes]) -> str | None:
    """Why nothing in a folder is looked at, if files with these names in it tell so."""
    if marks.issuperset(LIBRARY_MARKS):
        return "is a library of Imager"
    if CACHE_TAG in marks and is_cache_tag(os.path.join(path, CACHE_TAG)):
        return "is marked as a cache by the CACHEDIR.TAG in it"
    if any(os.path.basename(path) in INNER_MARKS.get(mark, ()) for mark in marks):
        return "holds what another program made of its pictures"
    return None


def _is_junction(item: os.DirEntry[bytes]) -> bool:
    """Whether this is one of Windows' junctions, which look like folders and lead elsewhere."""
    if sys.platform == "win32":
        return item.stat(follow_symlinks=False).st_reparse_tag == stat.IO_REPARSE_TAG_MOUNT_POINT
    return False


def _absolute(path: bytes) -> bytes:
    """The path from the top. '..' is resolved by the file system alone: what precedes it may be a link."""
    parts = path.replace(os.sep.encode(), b"/").split(b"/")
    return os.path.realpath(path) if b".." in parts else os.path.abspath(path)


def _slashes(path: bytes) -> bytes:
    return path if os.sep == "/" else path.replace(os.sep.encode(), b"/")


_REASONS = {
    errno.ENOENT: "is not there (any more)",
    errno.ENOTDIR: "is not there (any more)",
    errno.EACCES: "may not be read by this user",
    errno.EPERM: "may not be read by this user",
    errno.ENAMETOOLONG: "has too long a path",
    errno.ELOOP: "is a symbolic link that leads nowhere",
}


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0) or f"can't be read ({error.strerror or error})"
