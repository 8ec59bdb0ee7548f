"""Library: open one, and everything hangs on it. The public Python API.

from imager import Library

with Library.open("~/Pictures/library") as library:
    for event in library.add("~/Pictures"):
        print(event)
    for hit in library.search("lisbon sunset").hits:
        print(hit.path, hit.why)
"""

from __future__ import annotations

from imager.library.adding import Adding
from imager.library.albums import Albums
from imager.library.browsing import Browsing
from imager.library.leaving import Leaving
from imager.library.opened import MARK, PathLike, absolute, default_folder
from imager.library.saying import Saying

__all__ = ["MARK", "Library", "PathLike", "absolute", "default_folder"]


class Library(Adding, Browsing, Saying, Albums, Leaving):
    """A library: its catalog, its previews, and what can be done with them. Use `Library.open`."""
