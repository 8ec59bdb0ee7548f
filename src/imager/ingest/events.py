"""What a run tells while it goes on. Each event is a typed value; `Event` is their union.

Paths are text for people: bytes that are no UTF-8 stand as lone surrogates (`os.fsencode` gives the bytes back).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run is. `found` grows until `walked`; what was unchanged counts as done."""

    found: int
    done: int
    walked: bool


@dataclass(frozen=True, slots=True)
class Added:
    """A picture that the library did not have."""

    path: str
    id: str


@dataclass(frozen=True, slots=True)
class Replaced:
    """New bytes at a known path: a version of the same picture, or another picture."""

    path: str
    id: str
    same_picture: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """Known bytes that lie at `path` now, and no more at `before`."""

    path: str
    id: str
    before: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A file that is there no more. `missing`: it was the last place known of its picture."""

    path: str
    id: str
    missing: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """A file that gave no asset, and why."""

    path: str
    stage: str
    reason: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something on the way that is no file of its own: a folder that can't be read, a bad line in .imagerignore."""

    path: str
    reason: str


@dataclass(slots=True)
class Report:
    """What a run found and did. `found` = added + copies + unchanged + moved + replaced + skipped + len(failed)."""

    found: int = 0
    added: int = 0
    copies: int = 0
    unchanged: int = 0
    moved: int = 0
    replaced: int = 0
    missing: int = 0
    skipped: int = 0
    failed: list[Failed] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a run; the last event."""

    report: Report


Event = Progress | Added | Replaced | Moved | Gone | Failed | Problem | Finished
