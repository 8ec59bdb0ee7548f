"""Follows folders while people work in them: what changes below them is in the library soon afterwards.

First everything is looked at, as `add` does; from then on only what the system says has changed (`watchfiles`), by runs
over those folders alone. What belongs together is handed to one run, so that a picture that went from one folder to
another is known to have moved. The run's own rules hold: what ignore files keep out stays out, and a disk that is away
takes nothing with it.

The system may fail to tell: of network drives, when too much happens at once, when names are not UTF-8. Such roots are
looked at as a whole, at once where that is known, from time to time where it can't be. So what is told late is late,
and never lost.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress

import watchfiles
from watchfiles import Change

from imager.errors import NotFoundError, UsageError
from imager.ingest.events import Event, Finished, Problem
from imager.ingest.ignore import CACHE_TAG, FILE_NAME, INNER_MARKS, LIBRARY_MARKS, PARENT_MARKS
from imager.ingest.only import Only, upwards
from imager.ingest.run import Run
from imager.ingest.volumes import is_network_filesystem

QUIET = 2.0
"""Seconds without a change after which a file is taken as written."""

POLL = 30.0
"""Seconds between two looks at a root of which the system does not tell."""

_ANEW = 3600.0  # seconds between two looks at everything, for what the system may have failed to tell
_MANY = 4096  # changes at once: then the system's own queue may have run over, and a walk is cheaper anyway
_TICK = 100  # milliseconds
_CHECK = 1.0  # seconds between two looks for roots that go or come back
_RULING = frozenset((FILE_NAME, CACHE_TAG, *LIBRARY_MARKS, *INNER_MARKS, *PARENT_MARKS))
"""Files that decide about all that lies below their folder."""

Started = tuple[Run, Generator[Event]]
_Identity = tuple[int, int] | None
_Heard = set[tuple[Change, str]]


class Watch:
    """Some roots that are followed."""

    def __init__(
        self,
        start: Callable[[Sequence[bytes], Only | None], Started],
        roots: Sequence[bytes],
        *,
        aside: bytes,
        stop: threading.Event,
        poll: float | None = None,
        quiet: float = QUIET,
    ) -> None:
        """`start` begins a run over roots, or over a part of them; `aside` is a folder of which nothing is heard.

        `poll`: do not rely on the system for any root, look every so many seconds.
        """
        self._start = start
        self._roots = list(roots)
        self._aside = (aside, os.path.realpath(aside))
        self._stop = stop
        self._quiet = quiet
        self._poll = poll if poll is not None else POLL
        self._polled = {r for r in roots if poll is not None or not _is_text(r) or is_network_filesystem(r)}
        self._spelled = {os.path.realpath(root): root for root in roots}
        self._there: dict[bytes, _Identity] = {root: _identity(root) for root in roots}
        self._listener: Generator[_Heard] | None = None
        self._whole: set[bytes] = set()  # roots to look at as a whole
        self._changed: dict[bytes, bool] = {}  # paths, and whether all that is in them is new
        self._hollow: set[bytes] = set()  # roots that were empty when last looked at
        self._since = self._last = 0.0
        self._told: set[Problem] = set()

    def events(self) -> Iterator[Event]:
        """Everything that happens, until `stop` is set; `Finished` follows whatever a run did."""
        try:
            yield from self._listen()
            for root in self._roots:
                if self._there[root] is None:
                    yield _away(root)
            self._whole.update(root for root in self._roots if self._there[root] is not None)
            checked = polled = anew = time.monotonic()
            yield from self._look(first=True)
            while not self._stop.is_set():
                self._take(self._hear())
                now = time.monotonic()
                if now - checked >= _CHECK:
                    yield from self._check_roots()
                    checked = time.monotonic()
                if now - polled >= self._poll:
                    self._whole |= self._polled
                    polled = now
                if now - anew >= _ANEW:
                    self._whole.update(self._roots)
                    anew = now
                if self._whole or (self._changed and self._is_quiet()):
                    yield from self._look()
        finally:
            self._hush()

    # ── hearing ─────────────────────────────────────────────────────────────────────────────────────────────

    def _listen(self) -> Iterator[Event]:
        """Hear of the roots that are there. The new ear is open before the old one is heard out: nothing is missed."""
        before, self._listener = self._listener, None
        heard = [r for r in self._roots if self._there[r] is not None and r not in self._polled]
        try:
            if heard:
                self._listener = _listener(heard, self._stop)
                self._take(next(self._listener, set()))
        except (OSError, RuntimeError) as error:
            self._listener = None
            self._polled.update(heard)
            reason = f"the system does not tell what changes ({error}), so it is looked at every {self._poll:g} s"
            yield from (Problem(os.fsdecode(root), reason) for root in heard)
        if before is not None:
            with suppress(OSError, RuntimeError):
                self._take(next(before, set()))
            before.close()

    def _hush(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _hear(self) -> _Heard:
        """Wait a moment for changes; what can't be told becomes a look at everything."""
        if self._listener is None:
            self._stop.wait(_TICK / 1000)
            return set()
        try:
            return next(self._listener)
        except StopIteration:
            self._listener = None  # stopped
        except (OSError, RuntimeError):
            self._hush()
            self._whole.update(r for r in self._roots if r not in self._polled)
            for _problem in self._listen():
                pass
        return set()

    def _take(self, heard: _Heard) -> None:
        now = time.monotonic()
        for change, text in heard:
            path = self._as_rooted(os.fsencode(text))
            if any(above in self._aside for above in upwards(path)):
                continue
            if not self._changed:
                self._since = now
            self._last = now
            self._changed[path] = self._changed.get(path, False) or change is not Change.modified
        if len(self._changed) > _MANY:
            self._whole.update(root for path in self._changed for root in self._roots_of(path))
            self._changed.clear()

    def _as_rooted(self, path: bytes) -> bytes:
        """A path as its root is spelled here: some systems tell it without the links that lead there."""
        if any(above in self._there for above in upwards(path)):
            return path
        for above in upwards(path):
            if (root := self._spelled.get(above)) is not None:
                return os.path.join(root, os.path.relpath(path, above))
        return path

    def _roots_of(self, path: bytes) -> list[bytes]:
        return [above for above in upwards(path) if above in self._there]

    def _is_quiet(self) -> bool:
        """Whether nothing changed for a while; not for ever, where something changes all the time."""
        now = time.monotonic()
        return now - self._last >= self._quiet or now - self._since >= 5 * self._quiet

    def _check_roots(self) -> Iterator[Event]:
        """Notice roots that went, came back, or are another disk by now."""
        now = {root: _identity(root) for root in self._roots}
        before, self._there = self._there, now
        for root in self._roots:
            if before[root] == now[root]:
                continue
            self._changed = {p: deep for p, deep in self._changed.items() if root not in upwards(p)}
            if now[root] is None:
                yield _away(root)
            else:
                self._whole.add(root)
        if before != now:
            yield from self._listen()

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, *, first: bool = False) -> Iterator[Event]:
        """Hand what is due to runs: at most one over whole roots, and one over what changed in others."""
        changed, self._changed = self._changed, {}
        parts: dict[bytes, set[bytes]] = {}
        for path in changed:
            for root in self._roots_of(path):
                parts.setdefault(root, set()).add(path)
        for root in parts:
            if root in self._hollow or _is_hollow(root):
                self._whole.add(root)  # whether it is empty or lost its disk, and what came back, is the run's to judge
        whole = [root for root in self._roots if root in self._whole and _identity(root) is not None]
        self._whole.clear()
        self._hollow = {root for root in self._hollow if root not in whole} | {r for r in whole if _is_hollow(r)}
        if whole:
            yield from self._run(whole, None, first=first)
        rest = [root for root in parts if root not in whole and _identity(root) is not None]
        only, linked = self._part({p for root in rest for p in parts[root]}, changed)
        self._whole |= linked
        if rest and not self._stop.is_set() and (only.folders or only.trees):
            yield from self._run(rest, only)
            if only.saw_links:
                self._whole.update(rest)

    def _part(self, paths: set[bytes], changed: dict[bytes, bool]) -> tuple[Only, set[bytes]]:
        """What to look at for these changes, and roots to be walked instead, as links lead to what changed."""
        folders: set[bytes] = set()
        trees: set[bytes] = set()
        gone: set[bytes] = set()
        linked: set[bytes] = set()
        straight: dict[bytes, bool] = {}
        for path in paths:
            root = self._roots_of(path)[-1]
            parent = path if path == root else os.path.dirname(path)
            status = None
            with suppress(OSError):
                status = os.lstat(path)
            if status is None:
                gone.add(path)
                while parent != root and not os.path.isdir(parent):
                    parent = os.path.dirname(parent)
            if parent not in straight:
                straight[parent] = os.path.realpath(parent) == os.path.normpath(
                    os.path.join(os.path.realpath(root), os.path.relpath(parent, root))
                )
            is_link = status is not None and stat.S_ISLNK(status.st_mode) and os.path.isdir(path)
            if is_link or not straight[parent]:
                linked.update(self._roots_of(path))
                continue
            folders.add(parent)
            if os.path.basename(path) in _RULING:
                trees.add(parent)
            elif status is not None and stat.S_ISDIR(status.st_mode):
                (trees if changed[path] else folders).add(path)
        return Only(folders=folders, trees=trees, gone=gone), linked

    def _run(self, roots: Sequence[bytes], only: Only | None, *, first: bool = False) -> Iterator[Event]:
        try:
            run, events = self._start(roots, only)
        except NotFoundError:
            return  # gone at this moment; it will be noticed
        with closing(events):
            for event in events:
                if self._stop.is_set():
                    break
                if isinstance(event, Problem):
                    if event in self._told:
                        continue
                    self._told.add(event)
                if not isinstance(event, Finished) or first or _did(event):
                    yield event
        if len(self._told) > _MANY:
            self._told.clear()
        for folder in run.left:  # somebody is writing there
            if not self._changed:
                self._since = time.monotonic()
            self._last = time.monotonic()
            self._changed.setdefault(folder, False)


def folders(named: Sequence[bytes], known: Sequence[bytes]) -> list[bytes]:
    """The folders to follow: those that people name, else those that a library knows, though a disk may be away.

    NotFoundError and UsageError say what can't be followed.
    """
    for path in named:
        shown = os.fsdecode(path)
        if not os.path.lexists(path):
            raise NotFoundError(f"{shown} does not exist. Check the name, or connect the disk that it is on.")
        if not os.path.isdir(path):
            raise UsageError(f"{shown} is not a folder; only folders can be followed.")
    roots = list(dict.fromkeys(named or known))
    if not roots:
        raise UsageError("The library knows no folder to follow yet. Name one: 'imager watch FOLDER'.")
    return roots


def _listener(roots: Sequence[bytes], stop: threading.Event) -> Generator[_Heard]:
    """What changes below these folders, a set each time; often an empty one, to look at the clock."""
    return watchfiles.watch(
        *(os.fsdecode(root) for root in roots),
        watch_filter=None,
        debounce=4 * _TICK,
        step=_TICK // 2,
        stop_event=stop,
        rust_timeout=_TICK,
        yield_on_timeout=True,
        force_polling=False,
        ignore_permission_denied=True,
    )


def _did(event: Finished) -> bool:
    r = event.report
    return bool(r.added or r.copies or r.moved or r.replaced or r.missing or r.failed)


def _identity(root: bytes) -> _Identity:
    try:
        status = os.stat(root)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if stat.S_ISDIR(status.st_mode) else None


def _is_hollow(root: bytes) -> bool:
    try:
        with os.scandir(root) as entries:
            return next(entries, None) is None
    except OSError:
        return False


def _is_text(path: bytes) -> bool:
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _away(root: bytes) -> Problem:
    return Problem(os.fsdecode(root), "is not there; its pictures stay, and it is looked at when it comes back")
