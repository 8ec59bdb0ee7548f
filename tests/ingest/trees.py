"""Small trees of files for the tests of walking and ignoring."""

from __future__ import annotations

import os
from collections.abc import Mapping

from imager.ingest.ignore import IgnoreRules
from imager.ingest.walk import Folder, walk


def plant(root: bytes, files: Mapping[bytes, bytes]) -> bytes:
    """Write files below the root, by relative path; a path that ends with a slash is an empty folder."""
    for path, content in files.items():
        full = os.path.join(root, path)
        if path.endswith(b"/"):
            os.makedirs(full, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)
    return root


def walk_all(root: bytes) -> tuple[list[Folder], list[tuple[bytes, str]]]:
    """The folders of a walk, and its problems."""
    problems: list[tuple[bytes, str]] = []
    folders = list(walk(root, rules=IgnoreRules(), on_problem=lambda *problem: problems.append(problem)))
    return folders, problems


def found(root: bytes) -> set[bytes]:
    """The files of a walk relative to the root; there must be no problems."""
    folders, problems = walk_all(root)
    assert problems == []
    return {os.path.relpath(os.path.join(f.path, e.name), root) for f in folders for e in f.entries}
