"""Names of files as the catalog had them when the generation was made, to be searched for patterns all at once.

Names are folded (`fold`) and lie one after another as UTF-8, so that a million are gone through as one text. Pictures
that changed since are no business of theirs: the catalog is asked about these few.
"""

from __future__ import annotations

import itertools
import os
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from imager.search.segments import occurrences
from imager.search.sidecar import Generation, Writer

_AT_ONCE = 10_000  # names


def fold(name: str) -> str:
    """A name in lower case, without the diacritics that full text leaves out (U+0300 to U+036F)."""
    lower = name.lower()
    if lower.isascii():
        return lower
    parts = unicodedata.normalize("NFD", lower)
    return unicodedata.normalize("NFC", "".join(c for c in parts if not "\u0300" <= c <= "\u036f"))


def folded(name: bytes) -> bytes:
    """The same of the bytes that the system calls a file."""
    return name.lower() if name.isascii() else _encoded(fold(os.fsdecode(name)))


def _encoded(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")


class FileNames:
    """Names of files with the pictures that they hold."""

    def __init__(self, letters: NDArray[np.uint8], offsets: NDArray[np.int64], assets: NDArray[np.uint32]) -> None:
        """The i-th name is `letters[offsets[i]:offsets[i + 1]]`, and its file holds `assets[i]`."""
        self._letters, self._offsets, self._assets = letters, offsets, assets

    @classmethod
    def of(cls, rows: Iterable[tuple[int, bytes]]) -> FileNames:
        """From (asset, name)."""
        gathering = Gathering()
        deque(gathering.passing(rows), 0)
        return gathering.names()

    @classmethod
    def read(cls, generation: Generation) -> FileNames:
        """Those of a generation."""
        return cls(*(generation.array(f"files.{part}") for part in ("letters", "offsets", "assets")))

    def write(self, writer: Writer) -> None:
        """Write all."""
        writer.array("files.letters", self._letters)
        writer.array("files.offsets", self._offsets)
        writer.array("files.assets", self._assets)

    def owned(self, owner: NDArray[np.int64]) -> FileNames:
        """Where `assets` are numbers of contents: the same with the assets that `owner` says these are of."""
        known = np.where(self._assets < len(owner), self._assets, 0)  # a content's number is never 0
        assets = owner[known].astype(np.uint32)
        return self._only(assets != 0, assets)

    def replaced(self, changed: NDArray[np.int64], rows: Iterable[tuple[int, bytes]]) -> FileNames:
        """With `rows` in place of all names of the assets that changed."""
        kept, fresh = self._only(~np.isin(self._assets, changed), self._assets), FileNames.of(rows)
        return FileNames(
            np.concatenate([kept._letters, fresh._letters]),
            np.concatenate([kept._offsets, fresh._offsets[1:] + kept._offsets[-1]]),
            np.concatenate([kept._assets, fresh._assets]),
        )

    def _only(self, kept: NDArray[np.bool_], assets: NDArray[np.uint32]) -> FileNames:
        if kept.all():
            return FileNames(self._letters, self._offsets, assets)
        sizes = np.diff(self._offsets)
        letters = self._letters[np.repeat(kept, sizes)]
        return FileNames(letters, np.cumsum(np.append(0, sizes[kept])), assets[kept])

    def matching(self, pattern: str) -> NDArray[np.uint32]:
        """Assets of the files that are called so, once for each; `*`, of which there is at least one, is any text."""
        first, *middle, last = (_encoded(piece) for piece in fold(pattern).split("*"))
        starts, ends = self._offsets[:-1], self._offsets[1:]
        left = np.flatnonzero(
            (ends - starts >= len(first) + len(last)) & self._there(starts, first) & self._there(ends - len(last), last)
        )
        at, until = starts[left] + len(first), ends[left] - len(last)
        for piece in filter(None, middle):  # each as early as it can be
            found = np.append(occurrences(self._letters, piece), len(self._letters))
            at = found[np.searchsorted(found, at)] + len(piece)
            here = at <= until
            left, at, until = left[here], at[here], until[here]
        return self._assets[left]

    def _there(self, places: NDArray[np.int64], piece: bytes) -> NDArray[np.bool_]:
        """At which of these places the piece stands; where there is no room for it, anything may be said."""
        fits = np.ones(len(places), bool)
        for at, letter in enumerate(piece if len(self._letters) else b""):
            fits &= self._letters.take(places + at, mode="clip") == letter
        return fits


class Gathering:
    """Gathers names that pass by on their way to somebody else."""

    def __init__(self) -> None:
        self._letters: list[bytes] = []
        self._sizes: list[NDArray[np.int64]] = [np.zeros(1, np.int64)]
        self._assets: list[NDArray[np.uint32]] = [np.zeros(0, np.uint32)]

    def passing(self, rows: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        """The same rows: (asset or content, name)."""
        rows = iter(rows)
        while some := list(itertools.islice(rows, _AT_ONCE)):
            names = [folded(name) for _, name in some]
            self._letters.append(b"".join(names))
            self._sizes.append(np.fromiter(map(len, names), np.int64, len(names)))
            self._assets.append(np.fromiter((number for number, _ in some), np.uint32, len(some)))
            yield from some

    def names(self) -> FileNames:
        """What passed by."""
        letters = np.frombuffer(b"".join(self._letters), np.uint8)
        return FileNames(letters, np.cumsum(np.concatenate(self._sizes)), np.concatenate(self._assets))
