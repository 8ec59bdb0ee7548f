"""Compare a walked folder with what the catalog knows of it: what is unchanged, what must be read, what is gone.

This is all that happens to a file that did not change, so it is kept cheap: one query a folder, one look-up a file.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from imager.catalog.files import FileRow
from imager.ingest.examine import READER

AWAY = ("missing", "offline")
"""States of files that were not there when they were last looked for."""


class Seen(Protocol):
    """A file as the walk saw it; times are in nanoseconds."""

    @property
    def name(self) -> bytes:
        """Its name in its folder."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def modified(self) -> int:
        """Of its contents."""

    @property
    def changed(self) -> int:
        """Of its inode."""

    @property
    def inode(self) -> int:
        """Its number on its file system."""


class Task(NamedTuple):
    """A file that has to be read."""

    folder: int
    path: bytes
    name: bytes
    size: int
    modified: int
    changed: int
    inode: int
    known: FileRow | None
    named: bool  # people named this very file


@dataclass(slots=True)
class Plan:
    """What one folder asks for."""

    folder: int
    tasks: list[Task] = field(default_factory=list)
    sidecars: list[Task] = field(default_factory=list)
    unchanged: int = 0
    skipped: int = 0
    gone: list[FileRow] = field(default_factory=list)


def is_sidecar(name: bytes) -> bool:
    """Whether a name is that of an XMP sidecar."""
    return name[-4:].lower() == b".xmp"


def plan_folder(
    folder: int,
    path: bytes,
    entries: Sequence[Seen],
    known: dict[bytes, FileRow],
    *,
    partial: bool,
    separator: bytes,
    named: Collection[bytes] = (),
) -> Plan:
    """Sort a folder's entries. `partial`: only these were looked at, so the others are not gone.

    Files that people `named` are read whatever is known of them.
    """
    plan = Plan(folder)
    unchanged = skipped = 0
    for entry in entries:
        name = entry.name
        row = known.pop(name, None)
        if (
            row is not None
            and row.bytes == entry.size
            and row.modified == entry.modified
            and row.changed == entry.changed
            and row.inode == entry.inode
            and row.state not in AWAY
            and name not in named
        ):
            if row.state == "present":
                unchanged += 1
                continue
            if row.reader == READER:  # an older Imager could read less: what it passed over is looked at again
                if row.state == "skipped":
                    skipped += 1
                elif not is_sidecar(name):
                    unchanged += 1
                continue
        task = Task(
            folder,
            path + name if path.endswith(separator) else path + separator + name,
            name,
            entry.size,
            entry.modified,
            entry.changed,
            entry.inode,
            row,
            name in named,
        )
        (plan.sidecars if is_sidecar(name) else plan.tasks).append(task)
    plan.unchanged, plan.skipped = unchanged, skipped
    if not partial:
        plan.gone = [row for row in known.values() if row.state not in AWAY]
    return plan
