"""Which part of a root to look at: for runs that follow what somebody saw change, instead of walking everything."""

from __future__ import annotations

import os
from collections.abc import Iterable


class Only:
    """Some folders by themselves, some with all that is in them, and places where something was and is no more.

    The walk still begins at the root, so that what ignore files and marks of caches keep out stays out; but it reads
    only what it needs for that.
    """

    def __init__(
        self, *, folders: Iterable[bytes] = (), trees: Iterable[bytes] = (), gone: Iterable[bytes] = ()
    ) -> None:
        """Absolute paths: `folders` to list, `trees` to walk, and what is `gone`."""
        self.folders = frozenset(folders)
        self.trees = frozenset(trees)
        self.gone = frozenset(gone)
        self.saw_links = False
        """Set by the walk where it met links to folders, which only a walk over everything follows rightly."""
        self._above = frozenset(above for path in self.folders | self.trees for above in upwards(path))

    def wants(self, folder: bytes) -> bool:
        """Whether a folder's files are asked for."""
        return folder in self.folders or self._in_tree(folder)

    def leads(self, folder: bytes) -> bool:
        """Whether anything that is asked for is a folder, or lies in it."""
        return folder in self._above or self._in_tree(folder)

    def _in_tree(self, folder: bytes) -> bool:
        return bool(self.trees) and any(above in self.trees for above in upwards(folder))


def upwards(path: bytes) -> Iterable[bytes]:
    """A path, and every folder above it."""
    while True:
        yield path
        above = os.path.dirname(path)
        if above == path:
            return
        path = above
