"""All words of a catalog at once: where an index is made anew.

Most texts are shared (folders, tags, people, places, cameras, creators): those are cut once, and the lists and columns
of the index say which pictures have them. Only names of files, titles and captions are cut for each picture.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from imager.query.model import TEXT_FIELDS, TextField
from imager.search.columns import Columns
from imager.search.filenames import Gathering
from imager.search.lists import Lists
from imager.search.segments import Assets, Fields, ends
from imager.search.tokens import ASCII, LONGEST, tokens

_AT_ONCE = 10_000  # texts
_PIECE = 1 << 22  # postings
_FIELD_BITS = 4
_DOC_BITS = 28  # assets are below 2^28
_NAMES = "SELECT content, name FROM files WHERE content IS NOT NULL"
_TITLES = "SELECT asset, CAST(title AS BLOB) FROM assets WHERE title IS NOT NULL"
_CAPTIONS = "SELECT asset, CAST(caption AS BLOB) FROM assets WHERE caption IS NOT NULL"

Array = NDArray[Any]


class _Vocabulary(dict[bytes, int]):
    """Numbers terms as they come."""

    def __missing__(self, term: bytes) -> int:
        number = self[term] = len(self)
        return number

    def numbers(self, terms: Iterable[bytes]) -> NDArray[np.int64]:
        """The number of each."""
        return np.fromiter(map(self.__getitem__, terms), np.int64)

    def cut(self, texts: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The words of texts, in any order: the text (its place in `texts`) and the number of each."""
        plain = np.fromiter((text.isascii() and len(text) <= LONGEST for text in texts), bool, len(texts))
        places = np.flatnonzero(plain)
        rows, numbers = self._cut_plain([texts[i] for i in places.tolist()])
        every = [(places[rows], numbers)]
        for i in np.flatnonzero(~plain).tolist():
            found = self.numbers([token.encode() for token in tokens(texts[i])])
            every.append((np.full(len(found), i), found))
        rows, numbers = (np.concatenate(parts) for parts in zip(*every, strict=True))
        return rows, numbers

    def _cut_plain(self, texts: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The same of ASCII, all at once, as most texts are: letters and digits between spaces.

        Words of up to 8 letters are numbers of 64 bits, of which only those that differ are looked up.
        """
        joined = b" ".join(texts).translate(ASCII) + bytes(8)
        letters = np.frombuffer(joined, np.uint8)[:-8]
        edges = np.flatnonzero(np.diff(letters != 0x20, prepend=False, append=False))
        starts, stops = edges[::2], edges[1::2]
        rows = np.searchsorted(np.cumsum([len(text) + 1 for text in texts]), starts, "right")
        short = stops - starts <= 8
        numbers = np.empty(len(starts), np.int64)
        at_every_byte = np.ndarray((len(letters),), ">u8", joined, strides=(1,))
        packed = at_every_byte[starts[short]].astype(np.uint64)
        unused = ((8 - (stops - starts)[short]) * 8).astype(np.uint64)
        different, which = np.unique(packed >> unused << unused, return_inverse=True)
        numbers[short] = self.numbers(different.astype(">u8").view("S8").tolist())[which]
        long = (joined[start:stop] for start, stop in zip(starts[~short].tolist(), stops[~short].tolist(), strict=True))
        numbers[~short] = self.numbers(long)
        return rows, numbers


class Harvest:
    """Collects the words of texts, and gives their postings in order."""

    def __init__(self) -> None:
        self._vocabulary = _Vocabulary()
        self._found: list[NDArray[np.int64]] = []  # of each occurrence: term, asset, field
        self._terms: list[bytes] = []
        self._counts = np.zeros(0, np.int64)

    def texts(
        self, field: TextField, rows: Iterable[tuple[int, bytes]], owner: NDArray[np.int64] | None = None
    ) -> None:
        """Take the words of pictures' own texts: (asset, text), or (number, text) of what `owner` says the asset of."""
        rows, own = iter(rows), _Vocabulary()
        found: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        while some := list(itertools.islice(rows, _AT_ONCE)):
            numbered = np.fromiter((number for number, _ in some), np.int64, len(some))
            places, terms = own.cut([text for _, text in some])
            found.append((numbered[places], terms))
        # The field's own vocabulary first: captions have some ten thousand words, names of files a million.
        numbers = self._vocabulary.numbers(own)
        for assets, terms in found:
            if owner is not None:
                known = assets < len(owner)
                assets, terms = owner[assets[known]], terms[known]
                assets, terms = assets[assets > 0], terms[assets > 0]
            self._take(field, assets, numbers[terms])

    def shared(self, field: TextField, assets: Array, numbers: Array, texts: Sequence[str]) -> None:
        """Take the words of texts that pictures share: `assets[i]` has `texts[numbers[i]]`."""
        cut = [[token.encode() for token in tokens(text)] for text in texts]
        terms = self._vocabulary.numbers(itertools.chain.from_iterable(cut))
        counts = np.array([len(words) for words in cut], np.int64)
        starts = ends(counts).astype(np.int64)
        for at in range(0, len(assets), _PIECE):
            some, of = assets[at : at + _PIECE].astype(np.int64), numbers[at : at + _PIECE]
            many = counts[of]
            places = np.repeat(starts[of] - np.cumsum(many) + many, many) + np.arange(int(many.sum()))
            self._take(field, np.repeat(some, many), terms[places])

    def _take(self, field: TextField, assets: NDArray[np.int64], terms: NDArray[np.int64]) -> None:
        self._found.append((terms << _DOC_BITS | assets) << _FIELD_BITS | TEXT_FIELDS.index(field))

    def postings(self) -> Iterator[tuple[Assets, Fields]]:
        """Pictures and fields of all terms in the order of their bytes, in pieces."""
        self._terms = sorted(self._vocabulary)
        ranks = np.zeros(len(self._terms), np.int64)
        ranks[self._vocabulary.numbers(self._terms)] = np.arange(len(self._terms))
        every = np.empty(sum(map(len, self._found)), np.int64)
        low, at = _DOC_BITS + _FIELD_BITS, 0
        while self._found:
            some = self._found.pop()
            every[at : at + len(some)] = ranks[some >> low] << low | some & (1 << low) - 1
            at += len(some)
        every.sort()
        self._counts = np.zeros(len(self._terms), np.int64)
        start = 0
        while start < len(every):
            last = every[min(start + _PIECE, len(every)) - 1]
            end = int(np.searchsorted(every, last | (1 << _FIELD_BITS) - 1, "right"))
            yield self._united(every[start:end])
            start = end

    def _united(self, some: NDArray[np.int64]) -> tuple[Assets, Fields]:
        bits = np.left_shift(1, some & (1 << _FIELD_BITS) - 1).astype(np.uint16)
        pairs = some >> _FIELD_BITS
        first = np.flatnonzero(np.diff(pairs, prepend=-1))
        pairs = pairs[first]
        counts = np.bincount((pairs >> _DOC_BITS) - (low := pairs[0] >> _DOC_BITS))
        self._counts[low : low + len(counts)] += counts
        return (pairs & (1 << _DOC_BITS) - 1).astype(np.uint32), np.bitwise_or.reduceat(bits, first)

    def vocabulary(self) -> tuple[list[bytes], NDArray[np.int64]]:
        """After all postings: the terms, and how many each has."""
        return self._terms, self._counts


def harvest(
    db: apsw.Connection,
    owner: NDArray[np.int64],
    columns: Columns,
    names: dict[str, list[str]],
    places: dict[int, tuple[str, ...]],
    lists: dict[TextField, Lists],
    files: Gathering,
) -> Harvest:
    """The words of all assets. `owner`: the asset of each content; `lists`: of 'tags', 'people' and 'folder'.

    `files` gathers the names of files, with the numbers of their contents.
    """
    found = Harvest()
    found.texts("name", files.passing(db.execute(_NAMES)), owner)
    found.texts("title", db.execute(_TITLES))
    found.texts("caption", db.execute(_CAPTIONS))
    there = np.flatnonzero(columns.state)
    for field, of_field in lists.items():
        found.shared(field, *of_field.pairs(there), of_field.names)
    for column in ("make_model", "lens"):
        found.shared("camera", there, getattr(columns, column)[there], names[column])
    found.shared("creator", there, columns.creator[there], names["creator"])
    of_place = ["" for _ in range(max(places, default=0) + 1)]
    for number, (*parts, _code) in places.items():
        of_place[number] = " · ".join(parts)
    found.shared("place", there, columns.place[there], of_place)
    return found
