"""What a walk passes over: caches and thumbnails of other programs, and what `.imagerignore` files name.

A `.imagerignore` file is read exactly as git reads a `.gitignore`, byte by byte, as dir.c and wildmatch.c of
git and gitignore(5) have it; the tests compare with git itself. The built-in rules are written in the same
language and come first, so that a person's `!pattern` wins over them. docs/ignoring.md is the same for
people.

Every pattern becomes a regular expression whose stars can't backtrack into each other: an ignore file may
come from a stranger's archive, and must not be able to stall the walk.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Self

FILE_NAME = b".imagerignore"
LIBRARY_MARKS = (b"imager-library", b"catalog.db")
CACHE_TAG = b"CACHEDIR.TAG"
CACHE_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"  # bford.info/cachedir

_MAX_FILE = 256 << 10  # bytes of an ignore file

BUILT_IN = rb"""
# Hidden folders hold caches, thumbnails and trash: .thumbnails, .cache, .Trash-1000, .dtrash (digiKam),
# .@__thumb (QNAP), .photoprism, .picasaoriginals, .stversions (Syncthing), .Spotlight-V100 ...
.*/
# Files of the operating systems, and ignore files
._*
.imagerignore
.DS_Store
Thumbs.db
Thumbs.db:encryptable
ehthumbs.db
ehthumbs_vista.db
desktop.ini
# Android: in the trash, or still being written
.trashed-*
.pending-*
# Synology, QNAP
@eaDir/
@Recycle/
@Recently-Snapshot/
[#]recycle/
[#]snapshot/
# Windows, archives made by macOS
$RECYCLE.BIN/
System Volume Information/
__MACOSX/
# iTunes, Lightroom, Capture One, digiKam
iPod Photo Cache/
*.lrdata/
*.lrcat-data/
**/*.lrlibrary/*/previews/
**/*.lrlibrary/*/smart-previews/
**/CaptureOne/Cache/
**/*.cocatalog/Cache/
thumbnails-digikam.db
# Piwigo's and Nextcloud's derivatives
**/_data/i/
**/appdata_*/preview/
# Libraries of Apple's programs are folders; only the photos themselves are wanted
**/*.photoslibrary/*/
**/*.photolibrary/*/
**/*.migratedphotolibrary/*/
**/*.aplibrary/*/
**/iPhoto[ ]Library/*/
!**/*.photoslibrary/originals/
!**/*.photoslibrary/Masters/
!**/*.photolibrary/Masters/
!**/*.photolibrary/Originals/
!**/*.migratedphotolibrary/Masters/
!**/*.aplibrary/Masters/
!**/iPhoto[ ]Library/Masters/
!**/iPhoto[ ]Library/Originals/
!**/iPhoto[ ]Library/Modified/
"""

# What only a file inside the folder gives away: the file's name, and the names of such folders. Immich puts
# its mark into every folder of its own; PhotoPrism's lies in the parent of these.
INNER_MARKS = {b".immich": frozenset((b"thumbs", b"encoded-video", b"profile"))}
PARENT_MARKS = {b".ppstorage": frozenset((b"cache", b"sidecar"))}


class PatternError(ValueError):
    """A pattern that can't match anything, most often because of a bracket that is never closed."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    negated: bool
    folders_only: bool
    whole_path: bool  # of what lies in the ignore file's folder; otherwise the name alone
    named: bool  # the name, or the last part of the path, does not begin with a wildcard
    literal: bytes | None  # what has to be equal, if there are no wildcards
    regex: bytes


@dataclass(frozen=True, slots=True)
class _Group:
    """Neighbouring patterns that differ only in what they match."""

    negated: bool
    folders_only: bool
    whole_path: bool
    named: bool
    literals: frozenset[bytes]
    regex: re.Pattern[bytes] | None


class Patterns:
    """The patterns of one ignore file."""

    def __init__(self, groups: Iterable[_Group]) -> None:
        self._groups = tuple(groups)

    def __bool__(self) -> bool:
        return bool(self._groups)

    @classmethod
    def parse(cls, text: bytes, on_problem: Callable[[str], None], *, ignore_case: bool = False) -> Self:
        """Read an ignore file; broken lines are told to `on_problem` and passed over."""
        patterns = []
        for number, line in enumerate(text.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
            try:
                pattern = _parse_line(line.removesuffix(b"\r").partition(b"\0")[0])
            except PatternError as error:
                shown = line[:80].decode("utf-8", "replace")
                on_problem(f"line {number} is passed over, since {error}: {shown}")
            else:
                if pattern is not None:
                    patterns.append(pattern)
        return cls(_grouped(patterns, ignore_case))

    def verdict(self, path: bytes, name: bytes, is_folder: bool, *, only_named: bool = False) -> bool | None:
        """Whether an entry is ignored (the last pattern that matches decides), or None if none matches.

        `path` is relative to the ignore file's folder, with slashes; `name` is its last part. With `only_named`,
        negated patterns that begin with a wildcard do not count. What lies in an
        ignored folder is ignored as well, which is the walk's business.
        """
        for group in self._groups:
            if group.folders_only and not is_folder:
                continue
            if only_named and group.negated and not group.named:
                continue
            subject = path if group.whole_path else name
            if subject in group.literals or (group.regex is not None and group.regex.fullmatch(subject)):
                return not group.negated
        return None


def _grouped(patterns: list[_Pattern], ignore_case: bool) -> Iterator[_Group]:
    """Groups in the order of asking, the last pattern first."""
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    for key, members in groupby(reversed(patterns), lambda p: (p.negated, p.folders_only, p.whole_path, p.named)):
        literals, regexes = set(), []
        for pattern in members:
            if pattern.literal is not None and not ignore_case:
                literals.add(pattern.literal)
            else:
                regexes.append(pattern.regex)
        yield _Group(*key, frozenset(literals), re.compile(b"|".join(regexes), flags) if regexes else None)


def _parse_line(line: bytes) -> _Pattern | None:
    """One line of an ignore file, as git's `parse_path_pattern` and `trim_trailing_spaces` take it apart."""
    if line.startswith(b"#"):
        return None
    line = _without_trailing_spaces(line)
    negated = line.startswith(b"!")
    body = line[negated:]
    folders_only = body.endswith(b"/")
    body = body[: len(body) - folders_only]
    whole_path = b"/" in body
    body = body.removeprefix(b"/")
    if not body:
        return None
    wildcard = re.search(rb"[*?\[\\]", body)
    if wildcard is None:
        return _Pattern(negated, folders_only, whole_path, True, body, re.escape(body))
    named = body.rpartition(b"/")[2][:1] not in (b"*", b"?", b"[")
    # git compares what precedes the first wildcard apart, and so takes stars there for the pattern's
    # beginning.
    regex = translate(body, wildcard.start()) if whole_path else translate(body, None)
    return _Pattern(negated, folders_only, whole_path, named, None, regex)


def _without_trailing_spaces(line: bytes) -> bytes:
    """Spaces at the end do not count, unless a backslash stands before them."""
    end = at = 0
    while at < len(line):
        counts = line[at : at + 1] != b" "
        at += 2 if line[at : at + 1] == b"\\" else 1
        if counts:
            end = at
    return line[:end]


def translate(pattern: bytes, beginning: int | None) -> bytes:
    """A regular expression (for `fullmatch`) of a pattern in the language of git's wildmatch.c.

    With `beginning`, slashes are special: stars do not match them, except `**` between slashes, at
    `beginning`, or at the end. Raises `PatternError` for what can never match.

    The expression is built of runs without stars. After a star the first place where the next run fits is as
    good as any later one, as long as a star follows that run that can take up the rest; so those are atomic.
    """
    done: list[bytes] = []  # up to the last `**`
    part: list[bytes] = []  # since then
    run = star = b""  # what follows the last star of this part, and that star
    any_byte, any_bytes = (b"[^/]", b"[^/]*?") if beginning is not None else (b".", b".*?")
    at = 0
    while at < len(pattern):
        char = pattern[at : at + 1]
        if char == b"*":
            first = at
            while pattern[at : at + 1] == b"*":
                at += 1
            part.append(b"(?>" + star + run + b")")
            run, star = b"", any_bytes
            open_before = first == beginning or pattern[first - 1 : first] == b"/"
            rest = pattern[at:]
            if beginning is None or at - first < 2 or not open_before:
                continue
            if rest.startswith(b"/"):
                star, at = b"(?:.*?/)??", at + 1
            elif not rest or rest.startswith(b"\\/"):
                star = b".*?"
            else:
                continue
            done.append(b"(?>" + b"".join(part) + b")")
            part = [star]
            star = b""
        elif char == b"?":
            run, at = run + any_byte, at + 1
        elif char == b"[":
            members, at = _bracket(pattern, at + 1)
            if beginning is not None:
                members.discard(0x2F)
            run += b"[" + b"".join(b"\\x%02x" % m for m in sorted(members)) + b"]" if members else b"(?!)"
        else:
            if char == b"\\":
                at += 1
                if at == len(pattern):
                    raise PatternError("it ends with a backslash")
            run, at = run + re.escape(pattern[at : at + 1]), at + 1
    return b"".join(done) + b"".join(part) + star + run


_CLASSES = {
    b"alnum": rb"[0-9A-Za-z]",
    b"alpha": rb"[A-Za-z]",
    b"blank": rb"[ \t]",
    b"cntrl": rb"[\x00-\x1f\x7f]",
    b"digit": rb"[0-9]",
    b"graph": rb"[!-~]",
    b"lower": rb"[a-z]",
    b"print": rb"[ -~]",
    b"punct": rb"[!-/:-@\[-`{-~]",
    b"space": rb"[ \t-\r]",
    b"upper": rb"[A-Z]",
    b"xdigit": rb"[0-9A-Fa-f]",
}


def _bracket(pattern: bytes, at: int) -> tuple[set[int], int]:
    """The bytes that a bracket expression matches, and where it ends; `at` is behind the opening bracket."""
    members: set[int] = set()
    negated = pattern[at : at + 1] in (b"!", b"^")
    at += negated
    previous: int | None = None
    first = True
    while first or pattern[at : at + 1] != b"]":
        first = False
        char, at = _byte(pattern, at), at + 1
        if char == 0x5C:  # a backslash
            char, at = _byte(pattern, at), at + 1
        elif char == 0x2D and previous is not None and pattern[at : at + 1] not in (b"", b"]"):
            end, at = _byte(pattern, at), at + 1
            if end == 0x5C:
                end, at = _byte(pattern, at), at + 1
            members.update(range(previous, end + 1))
            previous = None
            continue
        elif char == 0x5B and pattern[at : at + 1] == b":":
            close = pattern.find(b"]", at + 1)
            if close < 0:
                raise PatternError("a bracket is not closed")
            if close > at + 1 and pattern[close - 1 : close] == b":":
                name = pattern[at + 1 : close - 1]
                if name not in _CLASSES:
                    raise PatternError("there is no such class of characters")
                matching = re.compile(_CLASSES[name])
                members.update(byte for byte in range(256) if matching.match(bytes((byte,))))
                previous, at = None, close + 1
                continue
        members.add(char)
        previous = char
    return (set(range(256)) - members if negated else members), at + 1


def _byte(pattern: bytes, at: int) -> int:
    if at >= len(pattern):
        raise PatternError("a bracket is not closed")
    return pattern[at]


@dataclass(frozen=True, slots=True)
class Scope:
    """The rules that hold in one folder: those of its own ignore file first, then its parents', each with the
    length of the path that its patterns are relative to; and the built-in ones.
    """

    built_in: Patterns
    levels: tuple[tuple[int, Patterns], ...] = ()

    @property
    def custom(self) -> bool:
        """Whether there is more than the built-in rules."""
        return bool(self.levels)

    def inside(self, folder: bytes, patterns: Patterns) -> Scope:
        """The scope of a folder (path with slashes) that has an ignore file of its own."""
        if not patterns:
            return self
        return Scope(self.built_in, ((len(folder.rstrip(b"/")) + 1, patterns), *self.levels))

    def ignores(self, folder: bytes, name: bytes, is_folder: bool) -> bool:
        """Whether an entry of the folder (path with slashes) is ignored."""
        path = folder.rstrip(b"/") + b"/" + name
        unwanted = self.built_in.verdict(path[1:], name, is_folder) is True
        for base, patterns in self.levels:
            verdict = patterns.verdict(path[base:], name, is_folder, only_named=unwanted)
            if verdict is not None:
                return verdict
        return unwanted


class IgnoreRules:
    """The rules that hold everywhere, from which each folder's are derived."""

    def __init__(self) -> None:
        built_in = Patterns.parse(BUILT_IN, _refuse, ignore_case=True)
        self.scope = Scope(built_in)
        named = (line for line in BUILT_IN.split(b"\n") if line and not re.search(rb"[*/#]", line))
        self.odd_names = frozenset(spelling for name in named for spelling in (name, name.lower(), name.upper()))
        """File names, besides those that begin with a dot, that the built-in rules may ignore."""


def _refuse(problem: str) -> None:
    raise PatternError(problem)


def read_ignore_file(path: bytes, on_problem: Callable[[bytes, str], None]) -> Patterns:
    """Read an ignore file, telling `on_problem` of broken lines.

    Raises OSError if it can't be read, ValueError if it is too large to be one: as nobody knows then what it
    keeps out, its folder had better be left alone.
    """
    with open(path, "rb") as file:
        text = file.read(_MAX_FILE + 1)
    if len(text) > _MAX_FILE:
        raise ValueError(f"is larger than {_MAX_FILE >> 10} KiB")
    return Patterns.parse(text, lambda problem: on_problem(path, problem))


def is_cache_tag(path: bytes) -> bool:
    """Whether this is a CACHEDIR.TAG with the signature that makes it one."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            return file.read(len(CACHE_SIGNATURE)) == CACHE_SIGNATURE
    except OSError:
        return False
