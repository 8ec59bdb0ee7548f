"""Words: in which pictures, and in which of their nine texts, a word stands.

An inverted index in segments. A segment is immutable: terms in the order of their bytes, and for each the pictures that
have it, in order, with the fields in which it stands. The first segment lies in the mapped generation; what changed
since comes as small ones, which are merged now and then. Each picture's words count from one segment alone, the one
that its latest texts went into (`Words._where`), so nothing is ever taken out of a segment.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import apsw
import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from imager.query.model import TEXT_FIELDS
from imager.search.sidecar import Generation, Writer

How = Literal["exact", "prefix", "inside"]
ALL: Final = (1 << len(TEXT_FIELDS)) - 1
"""Every field, as bits: that of a field f is 1 << TEXT_FIELDS.index(f)."""

_LONGEST = 32_768  # bytes: FTS5 cuts words there (FTS5_MAX_TOKEN_SIZE)
_GONE = 0xFFFF  # in no segment
_FAN = 8  # as many segments of about one size become one
_MERGED_AT_ONCE = 1 << 22  # postings
_LONG_RUN = 2_048  # postings
_MANY_TERMS = 4_096
_ZERO, _NINE = b"09"
_FORGIVING_FROM = 3  # letters: of shorter words everything is similar

Assets = NDArray[np.uint32]
Fields = NDArray[np.uint16]


class Found(NamedTuple):
    """Pictures, in order, each once, and in which fields they have what was looked for."""

    assets: Assets
    fields: Fields


_memory = apsw.Connection(":memory:")
_tokenizer: Callable[..., list[tuple[str, ...]]] = _memory.fts5_tokenizer("unicode61", ["remove_diacritics", "2"])


def tokens(text: str | bytes) -> list[str]:
    """The words of a text as the catalog's full text cuts and folds them: FTS5's own unicode61, no diacritics.

    See 'Unicode61 Tokenizer' in SQLite's FTS5 documentation. Bytes are UTF-8, or what a file name has instead.
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    return [token for token, *_ in _tokenizer(data, apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False)]


@lru_cache(maxsize=8_192)
def _terms(text: bytes) -> tuple[bytes, ...]:
    """Each word of a text once, as a segment holds it. Many pictures share their folder, camera, place and tags."""
    return tuple({_cut(token.encode()) for token in tokens(text)})


def _cut(term: bytes) -> bytes:
    return term if len(term) <= _LONGEST else term[:_LONGEST]


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
        letters = np.frombuffer(self.blob, np.uint8)
        if not piece or len(letters) < len(piece):
            return np.zeros(0, np.int64)
        found = letters[: len(letters) - len(piece) + 1] == piece[0]
        if len(piece) > 1:
            found &= letters[1 : len(letters) - len(piece) + 2] == piece[1]
        places = np.flatnonzero(found)
        for at, letter in enumerate(piece[2:], 2):
            places = places[letters[places + at] == letter]
        numbers = np.searchsorted(self.offsets, places.astype(np.uint32), "right") - 1
        return numbers[np.diff(numbers, prepend=-1) > 0]

    def postings(self, term: bytes, how: How) -> list[tuple[Assets, Fields]]:
        """The postings of what matches, in pieces."""
        if how != "inside":
            first, end = self.range(term, how)
            part = slice(int(self.starts[first]), int(self.starts[end]))
            return [(self.docs[part], self.fields[part])] if first < end else []
        numbers = self.inside(term)
        starts, counts = self.starts[numbers].astype(np.int64), np.diff(self.starts)[numbers].astype(np.int64)
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
            return int(np.diff(self.starts)[self.inside(term)].sum())
        first, end = self.range(term, how)
        return int(self.starts[end]) - int(self.starts[first])


def segment_of(documents: Iterable[tuple[int, Sequence[bytes | None]]]) -> Segment:
    """The words of documents: (asset, its nine texts), in the order of their assets."""
    postings: dict[bytes, list[int]] = {}
    for asset, texts in documents:
        bits: dict[bytes, int] = {}
        for number, text in enumerate(texts):
            if text:
                for term in _terms(text):
                    bits[term] = bits.get(term, 0) | 1 << number
        for term, fields in bits.items():
            postings.setdefault(term, []).append(asset << 16 | fields)
    terms = sorted(postings)
    flat = np.fromiter((p for term in terms for p in postings[term]), np.uint64)
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
            sizes[ranks + 1] += np.diff(segment.starts.astype(np.int64))
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


class Words:
    """The words of all pictures."""

    def __init__(self, base: Segment, rows: int) -> None:
        """`base`: of the generation; `rows`: the highest asset number and one."""
        self._segments: dict[int, Segment] = {0: base}
        self._where = np.zeros(rows, np.uint16)
        self._moved = 0  # pictures whose words no longer come from the base
        self._spelt: dict[int, dict[int, list[str]]] = {}

    @classmethod
    def read(cls, generation: Generation, rows: int) -> Words:
        """The words of a generation."""
        parts = (generation.array(f"words.{name}") for name in ("blob", "offsets", "starts", "docs", "fields"))
        return cls(Segment(*parts), rows)

    def write(self, writer: Writer) -> None:
        """Write all that counts as the base of a new generation."""
        numbers = sorted(self._segments)
        merge = Merge([self._segments[n] for n in numbers], [self._valid(n) for n in numbers])
        write(writer, merge.postings(), merge.vocabulary)

    def grow(self, rows: int) -> None:
        """Make room for assets up to that number."""
        if rows > len(self._where):
            self._where = np.concatenate([self._where, np.zeros(rows + rows // 8 - len(self._where), np.uint16)])

    def put(self, assets: NDArray[Any], documents: Iterable[tuple[int, Sequence[bytes | None]]]) -> None:
        """Take the latest texts of these assets (in order); one without a document is gone."""
        segment = segment_of(documents)
        number = next(n for n in range(1, _GONE) if n not in self._segments)
        self._moved += int(np.count_nonzero(self._where[assets] == 0))
        self._where[assets] = _GONE
        if len(segment):
            self._where[segment.docs] = number
            self._segments[number] = segment
            self._spelt.pop(number, None)
        self._merge()

    def _merge(self) -> None:
        """Merge small segments so that there are only a few of any size."""
        while True:
            tiers: dict[int, list[int]] = {}
            for number, segment in self._segments.items():
                if number:
                    tiers.setdefault(len(segment.docs).bit_length() // 3, []).append(number)
            full = next((numbers for numbers in tiers.values() if len(numbers) >= _FAN), None)
            if full is None:
                return
            merge = Merge([self._segments[n] for n in full], [self._valid(n) for n in full])
            pieces = list(merge.postings())
            docs = np.concatenate([docs for docs, _ in pieces])
            fields = np.concatenate([fields for _, fields in pieces])
            for number in full:
                del self._segments[number]
                self._spelt.pop(number, None)
            if len(docs):
                self._segments[full[0]] = assembled(*merge.vocabulary(), docs, fields)
                self._where[docs] = full[0]

    def _valid(self, number: int) -> Callable[[Assets], NDArray[np.bool_] | None]:
        """Which of a segment's postings count; None: all."""
        if number == 0 and not self._moved:
            return lambda _docs: None
        return lambda docs: self._where[docs] == number

    def find(self, term: str, how: How, fields: int = ALL) -> Found:
        """The pictures that have a word that is `term`, begins with it or has it inside, in any of `fields` (bits).

        `term` is one word as `tokens` gives it. Fields that were not asked for are not among those found.
        """
        docs, bits = [], []
        for number, segment in self._segments.items():
            valid = self._valid(number)
            for some, has in segment.postings(term.encode("utf-8", "replace"), how):
                keep = valid(some)
                if fields != ALL:
                    asked = (has & np.uint16(fields)) != 0
                    keep = asked if keep is None else keep & asked
                if keep is not None:
                    some, has = some[keep], has[keep]
                if len(some):
                    docs.append(some)
                    bits.append(has if fields == ALL else has & np.uint16(fields))
        if len(docs) == 1 and how == "exact":
            return _only(docs[0], bits[0])
        return self._union(docs, bits)

    def _union(self, docs: list[Assets], bits: list[Fields]) -> Found:
        if not docs:
            return _only(np.zeros(0, np.uint32), np.zeros(0, np.uint16))
        all_docs, all_bits = np.concatenate(docs), np.concatenate(bits)
        if len(all_docs) < len(self._where) // 16:
            found, place = np.unique(all_docs, return_inverse=True)
            fields = np.zeros(len(found), np.uint16)
            np.bitwise_or.at(fields, place, all_bits)
            return _only(found, fields)
        table = np.zeros(len(self._where), np.uint16)
        places = all_docs.astype(np.intp)
        table[places] = all_bits
        # Of several postings of one picture the last was kept; the others add what it lacks, which few do.
        missing = np.flatnonzero(all_bits & ~table[places])
        np.bitwise_or.at(table, places[missing], all_bits[missing])
        found = np.flatnonzero(table).astype(np.uint32)
        return _only(found, table[found])

    def count(self, term: str, how: How) -> int:
        """At most so many pictures `find` would find; quick."""
        return sum(segment.documents(term.encode("utf-8", "replace"), how) for segment in self._segments.values())

    def terms(self, prefix: str, limit: int) -> list[tuple[str, int]]:
        """Terms that begin so, with (at most) how many pictures have them; the most frequent first."""
        found: dict[bytes, int] = {}
        for segment in self._segments.values():
            first, end = segment.range(prefix.encode("utf-8", "replace"), "prefix")
            counts = np.diff(segment.starts[first : end + 1])
            best = np.flatnonzero(counts > 1) if len(counts) > _MANY_TERMS else np.arange(len(counts))
            if len(best) < limit:
                best = np.arange(len(counts))
            if len(best) > 4 * limit:
                best = best[np.argpartition(counts[best], len(best) - 4 * limit)[-4 * limit :]]
            for i in best.tolist():
                term = segment.term(first + i)
                found[term] = found.get(term, 0) + int(counts[i])
        ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:limit]
        return [(term.decode("utf-8", "replace"), count) for term, count in ranked]

    def similar(self, term: str, limit: int) -> list[tuple[str, int]]:
        """Terms that are spelt nearly so, nearest first, then the most frequent, without `term` itself.

        One letter wrong, missing, too much or swapped with its neighbour; two from 8 letters. Terms with digits are
        exact things: none is similar to them, nor they to any.
        """
        if len(term) < _FORGIVING_FROM or any(c.isdigit() for c in term):
            return []
        most = 2 if len(term) >= 8 else 1
        near: dict[str, int] = {}
        for number in list(self._segments):
            spelt = self._letters(number)
            for length in range(len(term) - most, len(term) + most + 1):
                for other, distance, _ in process.extract(
                    term, spelt.get(length, ()), scorer=OSA.distance, score_cutoff=most, limit=None
                ):
                    near[other] = int(distance)
        near.pop(term, None)
        counted = ((other, self.count(other, "exact")) for other in near)
        return sorted(counted, key=lambda item: (near[item[0]], -item[1], item[0]))[:limit]

    def _letters(self, number: int) -> dict[int, list[str]]:
        """The terms of a segment that have no digit, by their length."""
        if (known := self._spelt.get(number)) is None:
            known = {}
            segment = self._segments[number]
            letters = np.frombuffer(segment.blob, np.uint8)
            digits = np.add.reduceat((letters >= _ZERO) & (letters <= _NINE), segment.offsets[:-1], dtype=np.int32)
            for i in np.flatnonzero(digits == 0).tolist():
                term = segment.term(i).decode("utf-8", "replace")
                if not any(c.isdigit() for c in term):
                    known.setdefault(len(term), []).append(term)
            self._spelt[number] = known
        return known


def _only(docs: Assets, fields: Fields) -> Found:
    docs.flags.writeable = fields.flags.writeable = False
    return Found(docs, fields)


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
