"""From a condition to the pictures that meet it: a mask, one bool for each asset number.

What each condition means is said in `imager.query.model`. Nearly everything is answered from the index's arrays
(columnar.py, names.py); what SQL holds is asked last, and only about pictures that meet the rest of the query (the
*scope*): words side by side (phrases.py), albums and file names (stored.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from imager.catalog import Catalog
from imager.errors import UsageError
from imager.query import codec
from imager.query import model as q
from imager.search import columnar, phrases, stored
from imager.search.columnar import STATES, Mask, of_numbers
from imager.search.index import Index
from imager.search.names import Names, known
from imager.search.words import Found

MANY = 200_000
"""Postings of beginnings and pieces of words: above, pictures are marked, and fields read of those that are shown."""

_NAME_FIELD = 1 << q.TEXT_FIELDS.index("name")


def matching(condition: q.Condition, index: Index, catalog: Catalog, *, visible: Mask | None = None) -> Mask:
    """The pictures that meet a condition: those that are present, unless it asks for a state; of the visible ones."""
    return Evaluation(index, catalog).results(condition, visible)


def asks_for_state(condition: q.Condition, positive: bool = True) -> bool:
    """Whether the condition says anywhere which state pictures should have (and not only which they shouldn't)."""
    match condition:
        case q.State():
            return positive
        case q.All(parts) | q.AnyOf(parts):
            return any(asks_for_state(part, positive) for part in parts)
        case q.Not(part):
            return asks_for_state(part, not positive)
        case _:
            return False


class Evaluation:
    """Answers conditions about one moment of one library, remembering what it found for as long as one search takes."""

    def __init__(self, index: Index, catalog: Catalog, *, within: frozenset[int] = frozenset()) -> None:
        """`within`: the albums whose queries led here, so that they can't go round in circles."""
        self.index = index
        self.catalog = catalog
        self.known = known(index)
        self._scope: Mask | None = None
        self._within = within
        self._masks: dict[q.Condition, Mask] = {}
        self._found: dict[q.Text, Found] = {}
        self._albums: list[stored.Album] | None = None

    def results(self, condition: q.Condition, visible: Mask | None = None) -> Mask:
        """The pictures that meet the condition, of those that may be seen."""
        base = self.base(condition, visible)
        if not _is_costly(condition):
            return self.mask(condition) & base
        self._scope = self._bound(condition) & base
        return self.mask(condition) & self._scope

    def base(self, condition: q.Condition, visible: Mask | None) -> Mask:
        """The pictures among which is looked."""
        state = self.index.columns.state
        base: Mask = state != 0 if asks_for_state(condition) else state == STATES["present"]
        return base if visible is None else base & _fitting(visible, len(base))

    def found(self, text: q.Text) -> Found:
        """Where the words of a text stand: the pictures (right within the scope), and the fields of each."""
        if (found := self._found.get(text)) is None:
            found = self._found[text] = phrases.find(text, self.known.find, self.catalog, self._scope)
        return found

    def standing(self, text: q.Text, numbers: NDArray[np.uint32]) -> Found:
        """Where the words of a text stand; right for the pictures of these numbers, of which none is there twice."""
        pattern = phrases.Pattern(text)
        if text in self._found or not self._is_of_many(pattern):
            return self.found(text)
        return self.index.words.standing(*pattern.terms()[0], phrases.fields_of(text), np.sort(numbers))

    def _is_of_many(self, pattern: phrases.Pattern) -> bool:
        """Whether the fields in which a text stands are so many that they are only looked up where they matter."""
        if len(pattern.words) != 1 or pattern.last == "exact":
            return False
        return self.known.count(pattern.words[0], pattern.last) > MANY

    def shares(self, colour: str) -> NDArray[np.uint8]:
        """How much each picture has of a colour, in 255ths."""
        if (found := self.known.shares.get(colour)) is None:
            found = self.known.shares[colour] = columnar.shares(self.index, colour)
        return found

    def mask(self, condition: q.Condition) -> Mask:
        """The pictures of any state that meet the condition; right within the scope. Not to be written to."""
        if (mask := self._masks.get(condition)) is None:
            mask = self._masks[condition] = self._evaluate(condition)
        return mask

    def _bound(self, condition: q.Condition) -> Mask:
        """At least the pictures that meet the condition, found without what costs much."""
        match condition:
            case q.All(parts):
                return _all([self._bound(part) for part in parts], self.index.size)
            case q.AnyOf(parts):
                return _any([self._bound(part) for part in parts], self.index.size)
            case _ if not _is_costly(condition):
                return self.mask(condition)
            case q.Text():
                fields = phrases.fields_of(condition)
                found = [self.known.find(*term, fields) for term in phrases.Pattern(condition).terms()]
                return of_numbers(self.index, phrases.together(found).assets)
            case q.File(pattern):
                return self._name_candidates(pattern)
            case _:
                return np.ones(self.index.size, bool)

    def _evaluate(self, condition: q.Condition) -> Mask:
        index = self.index
        match condition:
            case q.All(parts):
                return _all([self.mask(part) for part in parts], index.size)
            case q.AnyOf(parts):
                return _any([self.mask(part) for part in parts], index.size)
            case q.Not(part):
                return ~self.mask(part)
            case q.Text():
                pattern = phrases.Pattern(condition)
                if not pattern.words:
                    return np.ones(index.size, bool)  # what has no word says nothing
                if self._is_of_many(pattern):
                    return self.known.mark(*pattern.terms()[0], phrases.fields_of(condition))
                return of_numbers(index, self.found(condition).assets)
            case q.Date(start, end):
                return columnar.taken_between(index, start, end)
            case q.OnDay(month, day):
                return columnar.taken_on(index, month, day)
            case q.Named():
                return self._named(condition)
            case q.Tag(name, children):
                tags = self.known.tags
                return self._listed(index.tags, tags.below(name) if children else tags.of(name))
            case q.Album(album):
                return self._album(album)
            case q.Near():
                return columnar.near(index, condition)
            case q.Box():
                return columnar.within_box(index, condition)
            case q.Colour(colour, share):
                enough: Mask = self.shares(colour) >= columnar.least(share)
                return enough
            case q.Range():
                return columnar.in_range(index, condition)
            case q.Shape():
                return columnar.shaped(index, condition)
            case q.File(pattern):
                candidates = self._name_candidates(pattern) & (True if self._scope is None else self._scope)
                return self._of(stored.with_file(index, self.catalog, pattern, np.flatnonzero(candidates)))
            case q.Folder(path):
                return self._listed(index.folders, self.known.folders(path))
            case q.State(state):
                mask: Mask = index.columns.state == STATES[state]
                return mask
            case q.Has("tag"):
                return index.tags.any(index.size)
            case q.Has("person"):
                return index.people.any(index.size)
            case q.Has("album"):
                return self._of(stored.members(self.catalog, self._every_album()))
            case q.Has(what):
                return columnar.has(index, what)
            case _:
                assert_never(condition)

    def _of(self, numbers: NDArray[np.int64]) -> Mask:
        """The mask of numbers that SQL gave: some may be of pictures that came since."""
        return of_numbers(self.index, numbers[numbers < self.index.size])

    def _named(self, named: q.Named) -> Mask:
        columns, names = self.index.columns, self.index.names
        match named.what:
            case "camera":
                return self._coded(columns.make_model, self.known.beginning("make_model", named.name))
            case "lens":
                return self._coded(columns.lens, self.known.beginning("lens", named.name))
            case "creator":
                return self._coded(columns.creator, self.known.beginning("creator", named.name))
            case "kind":
                return self._coded(
                    columns.kind, [n for n, kind in enumerate(names["kind"]) if n and kind == named.name]
                )
            case "place":
                return self._coded(columns.place, self.known.places(named.name))
            case "person":
                return self._listed(self.index.people, self.known.people.of(named.name))

    def _coded(self, column: NDArray[np.unsignedinteger], codes: Sequence[int]) -> Mask:
        mask: Mask
        if len(codes) == 1:
            mask = column == codes[0]
            return mask
        wanted = np.zeros(max([int(column.max(initial=0)), *codes]) + 1, bool)
        wanted[list(codes)] = True
        mask = wanted[column]
        return mask

    def _listed(self, lists: Names, numbers: Iterable[int]) -> Mask:
        mask = np.zeros(self.index.size, bool)
        for number in numbers:
            mask[lists.assets(number)] = True
        return mask

    def _name_candidates(self, pattern: str) -> Mask:
        """Pictures in whose files' names each literal word of a pattern stands, at least within a longer one."""
        words = stored.literal_words(pattern)
        if not words:
            return np.ones(self.index.size, bool)
        found = [self.known.find(word, "inside", _NAME_FIELD) for word in words]
        return of_numbers(self.index, phrases.together(found).assets)

    # ── albums ──────────────────────────────────────────────────────────────────────────────────────────────

    def _every_album(self) -> list[stored.Album]:
        if self._albums is None:
            self._albums = stored.albums(self.catalog)
        return self._albums

    def _album(self, name: str) -> Mask:
        albums = stored.called(self._every_album(), name)
        mask = self._of(stored.members(self.catalog, albums))
        for album in albums:
            if album.query is not None and album.number not in self._within:
                mask |= self._smart(album.number, album.query)
        return mask

    def _smart(self, number: int, query: str) -> Mask:
        """What a smart album holds: of what is present, unless its own query asks for another state."""
        try:
            condition = codec.from_json(json.loads(query)).where
        except (ValueError, RecursionError, UsageError):
            return np.zeros(self.index.size, bool)  # of a newer Imager, or no query at all
        return Evaluation(self.index, self.catalog, within=self._within | {number}).results(condition)


def _is_costly(condition: q.Condition) -> bool:
    match condition:
        case q.All(parts) | q.AnyOf(parts):
            return any(_is_costly(part) for part in parts)
        case q.Not(part):
            return _is_costly(part)
        case q.Text():
            return len(phrases.Pattern(condition).words) > 1
        case q.File():
            return True
        case _:
            return False


def _all(masks: Sequence[Mask], size: int) -> Mask:
    if not masks:
        return np.ones(size, bool)
    result = masks[0].copy()
    for mask in masks[1:]:
        result &= mask
    return result


def _any(masks: Sequence[Mask], size: int) -> Mask:
    result = np.zeros(size, bool)
    for mask in masks:
        result |= mask
    return result


def _fitting(mask: Mask, size: int) -> Mask:
    """A mask of that length: what arrived since it was made is not in it."""
    return mask if len(mask) == size else np.concatenate([mask[:size], np.zeros(max(0, size - len(mask)), bool)])
