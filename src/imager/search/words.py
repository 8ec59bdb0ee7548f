"""Words: in which pictures, and in which of their nine texts, a word stands.

The first segment (segments.py) lies in the mapped generation; what changed since comes as small ones, which are merged
now and then. Each picture's words count from one segment alone, the one that its latest texts went into
(`Words._where`), so nothing is ever taken out of a segment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from imager.query.model import TEXT_FIELDS
from imager.search.segments import Assets, Fields, How, Merge, Segment, assembled, segment_of, write
from imager.search.sidecar import Generation, Writer
from imager.search.tokens import tokens

__all__ = ["ALL", "Found", "How", "Words", "tokens"]

ALL: Final = (1 << len(TEXT_FIELDS)) - 1
"""Every field, as bits: that of a field f is 1 << TEXT_FIELDS.index(f)."""

_GONE = 0xFFFF  # in no segment
_MARKED_AT_ONCE = 1 << 17  # postings
_FAN = 8  # as many segments of about one size become one
_SPARSE = 128  # one posting in so many pictures is sorted sooner than put in a table
_FEW = 32  # one in so many is looked up by itself
_MANY_TERMS = 4_096
_ZERO, _NINE = b"09"
_FORGIVING_FROM = 3  # letters: of shorter words everything is similar


class Found(NamedTuple):
    """Pictures, in order, each once, and in which fields they have what was looked for."""

    assets: Assets
    fields: Fields


class Words:
    """The words of all pictures."""

    def __init__(self, base: Segment, rows: int) -> None:
        """`base`: of the generation; `rows`: the highest asset number and one."""
        self._segments: dict[int, Segment] = {0: base}
        self._where = np.zeros(rows, np.uint16)
        self._moved = np.zeros(0, np.uint32)  # pictures whose words no longer come from the base, in order
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
        moved = assets[self._where[assets] == 0].astype(np.uint32)
        self._moved = np.insert(self._moved, np.searchsorted(self._moved, moved), moved)
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
        if number == 0 and not len(self._moved):
            return lambda _docs: None
        return lambda docs: self._where[docs] == number

    def _current(self, number: int, docs: Assets, fields: Fields) -> tuple[Assets, Fields]:
        """Of the postings of one term, those that count."""
        if number == 0 and len(self._moved) < len(docs) // _FEW:
            places = np.searchsorted(docs, self._moved)
            inside = places < len(docs)
            places = places[inside]
            gone = places[docs[places] == self._moved[inside]]
            return (np.delete(docs, gone), np.delete(fields, gone)) if len(gone) else (docs, fields)
        keep = self._valid(number)(docs)
        return (docs, fields) if keep is None else (docs[keep], fields[keep])

    def find(self, term: str, how: How, fields: int = ALL) -> Found:
        """The pictures that have a word that is `term`, begins with it or has it inside, in any of `fields` (bits).

        `term` is one word as `tokens` gives it. Fields that were not asked for are not among those found.
        """
        found = self._postings(term, how, fields)
        if how == "exact" and found:
            return _only(*_disjoint(found))
        return self._union([docs for docs, _ in found], [bits for _, bits in found])

    def mark(self, term: str, how: How, fields: int = ALL) -> NDArray[np.bool_]:
        """What `find` finds, as a mask (perhaps longer than the index): several times as fast when it is very much."""
        mask = np.zeros(len(self._where), bool)
        for docs, _ in self._postings(term, how, fields):
            for start in range(0, len(docs), _MARKED_AT_ONCE):
                mask[docs[start : start + _MARKED_AT_ONCE].astype(np.intp)] = True  # else it converts them one by one
        return mask

    def standing(self, term: str, how: How, fields: int, assets: NDArray[Any]) -> Found:
        """What `find` finds of these few assets (in order, none twice): nothing is sorted for it."""
        bits = np.zeros(len(assets), np.uint16)
        wanted = np.zeros(len(self._where), bool)
        for number, segment in self._segments.items():
            wanted[assets] = self._where[assets] == number
            for docs, has in segment.postings(term.encode("utf-8", "replace"), how):
                for start in range(0, len(docs), _MARKED_AT_ONCE):
                    some = wanted.take(
                        docs[start : start + _MARKED_AT_ONCE], mode="clip"
                    )  # of another mode: half as fast
                    places = start + np.flatnonzero(some)
                    np.bitwise_or.at(bits, np.searchsorted(assets, docs[places]), has[places] & np.uint16(fields))
        kept = bits != 0
        return _only(assets[kept].astype(np.uint32), bits[kept])

    def _postings(self, term: str, how: How, fields: int) -> list[tuple[Assets, Fields]]:
        """The postings that count, by segment and run of terms."""
        found: list[tuple[Assets, Fields]] = []
        for number, segment in self._segments.items():
            for docs, bits in segment.postings(term.encode("utf-8", "replace"), how):
                if fields != ALL:
                    asked = bits & np.uint16(fields)
                    has = np.flatnonzero(asked != 0)
                    docs, bits = docs[has], asked[has]
                if how == "exact":
                    docs, bits = self._current(number, docs, bits)
                elif (keep := self._valid(number)(docs)) is not None:
                    docs, bits = docs[keep], bits[keep]
                if len(docs):
                    found.append((docs, bits))
        return found

    def _union(self, docs: list[Assets], bits: list[Fields]) -> Found:
        if not docs:
            return _only(np.zeros(0, np.uint32), np.zeros(0, np.uint16))
        all_docs, all_bits = np.concatenate(docs), np.concatenate(bits)
        if len(all_docs) < len(self._where) // _SPARSE:
            order = np.argsort(all_docs, kind="stable")
            in_order = all_docs[order]
            first = np.flatnonzero(np.append(True, in_order[1:] != in_order[:-1]))
            return _only(in_order[first], np.bitwise_or.reduceat(all_bits[order], first))
        table = np.zeros(len(self._where), np.uint16)
        places = all_docs.astype(np.intp)
        table[places] = all_bits
        # Of several postings of one picture the last was kept; the others add what it lacks, which few do.
        missing = np.flatnonzero(all_bits & ~table[places])
        np.bitwise_or.at(table, places[missing], all_bits[missing])
        found = np.flatnonzero(table != 0).astype(np.uint32)
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


def _disjoint(found: list[tuple[Assets, Fields]]) -> tuple[Assets, Fields]:
    """Postings of one term from several segments, in order: no picture is in two. The first may have very many."""
    (docs, fields), *others = found
    if not others:
        return docs, fields
    more, bits = np.concatenate([d for d, _ in others]), np.concatenate([f for _, f in others])
    order = np.argsort(more)
    more, bits = more[order], bits[order]
    if docs[-1] < more[0]:
        return np.concatenate([docs, more]), np.concatenate([fields, bits])
    places = np.searchsorted(docs, more)
    return np.insert(docs, places, more), np.insert(fields, places, bits)


def _only(docs: Assets, fields: Fields) -> Found:
    docs.flags.writeable = fields.flags.writeable = False
    return Found(docs, fields)
