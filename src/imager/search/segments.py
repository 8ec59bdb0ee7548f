"""Segments of an inverted index: terms in the order of their bytes, and for each the pictures that have it.

A segment is immutable. `segment_of` makes one of texts, `Merge` one of several, `write` writes it into a generation.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imager.search.sidecar import Writer
from imager.search.tokens import terms as terms_of

How = Literal["exact", "prefix", "inside"]

_MERGED_AT_ONCE = 1 << 22  # postings
_LONG_RUN = 2_048  # postings
_SAMPLE = 65_536  # letters

Assets = NDArray[np.uint32]
Fields = NDArray[np.uint16]


def occurrences(letters: NDArray[np.uint8], piece: bytes) -> NDArray[np.int64]:
    """Where a piece, of one letter at least, stands in a text: looked for by its letter that is rarest there."""
    often = np.bincount(letters[:: 1 + len(letters) // _SAMPLE], minlength=256)
    rare, *others = sorted(range(len(piece)), key=lambda at: int(often[piece[at]]))
    end = max(0, len(letters) - len(piece) + 1)
    places = np.flatnonzero(letters[rare : rare + end] == piece[rare])
    for at in others:
        places = places[letters[places + at] == piece[at]]
    return places


class Segment:
    """Terms and their postings. Terms are numbered from 0 in the order of their bytes."""

    def __init__(
        self,
        blob: Any,
        offsets: NDArray[np.uint32],
        starts: NDArray[np.uint32],
        docs: Assets,
        fields: Fields,
    ) -> None:
        """`blob`: each term with a NUL after it, term i from `offsets[i]`; its postings are from `starts[i]`."""
        self.blob = memoryview(blob)
        self.offsets = offsets
        self.starts = starts
        self.docs = docs
        self.fields = fields
        self._looked: tuple[bytes, NDArray[np.int64]] = (b"", np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def term(self, number: int) -> bytes:
        """The term of that number."""
        return bytes(self.blob[self.offsets[number] : self.offsets[number + 1] - 1])

    def terms(self) -> list[bytes]:
        """All terms, in order."""
        return bytes(self.blob).split(b"\0")[:-1]

    def range(self, term: bytes, how: How) -> tuple[int, int]:
        """Numbers of the terms that are, or begin with, `term`: from, and up to (not including)."""
        numbers = range(len(self))
        first = bisect.bisect_left(numbers, term, key=self.term)
        if how == "exact":
            return first, first + (first < len(self) and self.term(first) == term)
        return first, bisect.bisect_left(numbers, term + b"\xff", first, key=self.term)

    def inside(self, piece: bytes) -> NDArray[np.int64]:
        """Numbers of the terms that have `piece` somewhere, in order."""
        if self._looked[0] == piece:
            return self._looked[1]
        if not piece or b"\0" in piece or len(self.blob) < len(piece):
            return np.zeros(0, np.int64)
        places = occurrences(np.frombuffer(self.blob, np.uint8), piece)
        numbers = np.searchsorted(self.offsets, places.astype(np.uint32), "right") - 1
        self._looked = (piece, numbers[np.diff(numbers, prepend=-1) > 0])  # it is counted first, and then asked for
        return self._looked[1]

    def postings(self, term: bytes, how: How) -> list[tuple[Assets, Fields]]:
        """The postings of what matches, in pieces."""
        if how != "inside":
            first, end = self.range(term, how)
            part = slice(int(self.starts[first]), int(self.starts[end]))
            return [(self.docs[part], self.fields[part])] if first < end else []
        numbers = self.inside(term)
        starts = self.starts[numbers].astype(np.int64)
        counts = self.starts[numbers + 1].astype(np.int64) - starts
        # Long runs are copied as they are, of many short ones the postings are gathered one by one.
        short = counts < _LONG_RUN
        pieces = [slice(start, start + count) for start, count in zip(starts[~short], counts[~short], strict=True)]
        found = [(self.docs[piece], self.fields[piece]) for piece in pieces]
        if short.any():
            counts = counts[short]
            places = np.repeat(starts[short] - np.cumsum(counts) + counts, counts) + np.arange(int(counts.sum()))
            found.append((self.docs[places], self.fields[places]))
        return found

    def documents(self, term: bytes, how: How) -> int:
        """How many postings that is."""
        if how == "inside":
            numbers = self.inside(term)
            return int((self.starts[numbers + 1] - self.starts[numbers]).sum(dtype=np.int64))
        first, end = self.range(term, how)
        return int(self.starts[end]) - int(self.starts[first])


def segment_of(documents: Iterable[tuple[int, Sequence[bytes | None]]]) -> Segment:
    """The words of documents: (asset, its nine texts), in the order of their assets."""
    postings: dict[bytes, list[int]] = {}
    for asset, texts in documents:
        bits: dict[bytes, int] = {}
        for number, text in enumerate(texts):
            if text:
                for term in terms_of(text):
                    bits[term] = bits.get(term, 0) | 1 << number
        for term, fields in bits.items():
            postings.setdefault(term, []).append(asset << 16 | fields)
    terms = sorted(postings)
    flat = np.fromiter(itertools.chain.from_iterable(postings[term] for term in terms), np.uint64)
    return assembled(
        terms, [len(postings[term]) for term in terms], (flat >> 16).astype(np.uint32), flat.astype(np.uint16)
    )


def assembled(terms: Sequence[bytes], counts: Sequence[int] | NDArray[Any], docs: Assets, fields: Fields) -> Segment:
    """A segment of these terms (in order), with so many postings each."""
    blob = b"".join(term + b"\0" for term in terms)
    return Segment(blob, ends([len(term) + 1 for term in terms]), ends(counts), docs, fields)


def ends(counts: Sequence[int] | NDArray[Any]) -> NDArray[np.uint32]:
    """Where runs of these lengths begin, and where the last one ends."""
    found = np.zeros(len(counts) + 1, np.uint32)
    np.cumsum(counts, out=found[1:])
    return found


class Merge:
    """Several segments as one, made piece by piece; only postings count that `valid` lets through."""

    def __init__(self, segments: Sequence[Segment], valid: Sequence[Callable[[Assets], NDArray[np.bool_] | None]]):
        """The first segment may be much larger than the others."""
        self._segments = segments
        self._valid = valid
        large = segments[0].terms()
        self._terms = large
        self._ranks: list[NDArray[np.int64]] = []
        others = sorted({term for segment in segments[1:] for term in segment.terms()})
        at = [bisect.bisect_left(large, term) for term in others]
        new = [(i, term) for i, term in zip(at, others, strict=True) if i == len(large) or large[i] != term]
        places = np.fromiter((i for i, _ in new), np.int64)
        self._ranks.append(np.arange(len(large)) + np.searchsorted(places, np.arange(len(large)), "right"))
        if new:
            merged = np.empty(len(large) + len(new), object)
            fresh = places + np.arange(len(new))
            merged[self._ranks[0]] = np.array([*large, b""], object)[:-1]
            merged[fresh] = np.array([*(term for _, term in new), b""], object)[:-1]
            self._terms = merged.tolist()
        for segment in segments[1:]:
            found = [bisect.bisect_left(self._terms, term) for term in segment.terms()]
            self._ranks.append(np.array(found, np.int64))
        self._counts = np.zeros(len(self._terms), np.int64)

    def postings(self) -> Iterator[tuple[Assets, Fields]]:
        """The postings, a few million at a time, in the order of the merged terms."""
        sizes = np.zeros(len(self._terms) + 1, np.int64)
        for segment, ranks in zip(self._segments, self._ranks, strict=True):
            sizes[ranks + 1] += np.diff(segment.starts).astype(np.int64)
        ahead = np.cumsum(sizes)
        first = 0
        while first < len(self._terms):
            end = max(first + 1, int(np.searchsorted(ahead, ahead[first] + _MERGED_AT_ONCE, "right")) - 1)
            yield self._piece(first, end)
            first = end

    def _piece(self, first: int, end: int) -> tuple[Assets, Fields]:
        keys, bits = [], []
        for segment, ranks, valid in zip(self._segments, self._ranks, self._valid, strict=True):
            low, high = np.searchsorted(ranks, (first, end))
            part = slice(int(segment.starts[low]), int(segment.starts[high]))
            docs, fields = segment.docs[part], segment.fields[part]
            rank = np.repeat(ranks[low:high], np.diff(segment.starts[low : high + 1]))
            keep = valid(docs)
            if keep is not None:
                docs, fields, rank = docs[keep], fields[keep], rank[keep]
            if len(docs):
                keys.append(rank << 32 | docs)
                bits.append(fields)
        if not keys:
            return np.zeros(0, np.uint32), np.zeros(0, np.uint16)
        key, fields = keys[0], bits[0]
        if len(keys) > 1:
            key, fields = np.concatenate(keys), np.concatenate(bits)
            order = np.argsort(key, kind="stable")
            key, fields = key[order], fields[order]
        self._counts += np.bincount(key >> 32, minlength=len(self._terms))
        return key.astype(np.uint32), fields

    def vocabulary(self) -> tuple[list[bytes], NDArray[np.int64]]:
        """After all postings: the terms that have any, and how many."""
        kept = np.flatnonzero(self._counts)
        return [self._terms[i] for i in kept.tolist()], self._counts[kept]


def write(
    writer: Writer,
    postings: Iterator[tuple[Assets, Fields]],
    vocabulary: Callable[[], tuple[Sequence[bytes], NDArray[np.int64]]],
) -> None:
    """Write the sections of a segment, as `Words.read` finds them. `vocabulary` is asked after all postings."""
    fields: list[Fields] = []

    def docs() -> Iterator[Assets]:
        for some, bits in postings:
            fields.append(bits)
            yield some

    writer.stream("words.docs", np.uint32, docs())
    writer.stream("words.fields", np.uint16, iter(fields))
    terms, counts = vocabulary()
    writer.array("words.blob", np.frombuffer(b"".join(term + b"\0" for term in terms), np.uint8))
    writer.array("words.offsets", ends([len(term) + 1 for term in terms]))
    writer.array("words.starts", ends(counts))
