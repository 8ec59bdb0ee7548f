"""What searches remember of an index from one to the next: names by their words, postings, counts of everything.

Names change rarely and are few beside pictures, so they are cut into words once. Whatever depends on the pictures is
dropped when the index shows another version of the library.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from imager.search.index import Index
from imager.search.phrases import How, levels, stands_in, whole
from imager.search.words import Found, tokens

_REMEMBERED = 48 << 20  # bytes of postings
_STEPS = re.compile(r"[/\\]+")


class Names(Protocol):
    """Names with the pictures that have them; the index's tags, people and folders."""

    @property
    def names(self) -> list[str]:
        """By number."""

    def assets(self, number: int) -> NDArray[np.uint32]:
        """The pictures that have it."""


class Tree:
    """Names by what people may call them: in full, or by one level; and what lies below each."""

    def __init__(self, names: Sequence[str], *, nested: bool) -> None:
        """`nested`: the names have levels, joined by '|'."""
        self.names = list(names)
        self._of: dict[str, list[int]] = {}
        self._below: dict[str, list[int]] = {}
        for number, name in enumerate(names):
            parts = levels(name) if nested else [whole(name)]
            for key in {"|".join(parts), parts[-1]}:
                self._of.setdefault(key, []).append(number)
            for key in {*("|".join(parts[: n + 1]) for n in range(len(parts))), *parts}:
                self._below.setdefault(key, []).append(number)

    def of(self, name: str) -> list[int]:
        """Numbers of what has that name: in full, or on its last level."""
        return self._of.get("|".join(levels(name)), [])

    def below(self, name: str) -> list[int]:
        """Those, and what is below something of that name."""
        return self._below.get("|".join(levels(name)), [])


class Known:
    """What is remembered of one index."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._version = -1
        self._words: dict[str, list[str]] = {}
        self._trees: dict[str, Tree] = {}
        self._regions: tuple[list[int], list[Any], list[tuple[list[str], NDArray[np.intp]]]] | None = None
        self._paths: tuple[list[str], list[list[str]]] = ([], [])
        self._found: OrderedDict[tuple[str, How, int], Found] = OrderedDict()
        self._held = 0
        self._sizes: dict[tuple[str, How], int] = {}
        self._marked: tuple[tuple[str, How, int], NDArray[np.bool_]] | None = None
        self.shares: dict[str, NDArray[np.uint8]] = {}
        """Of colours by value: how much each picture has of it, in 255ths."""
        self.counted: dict[Any, Any] = {}
        """Counts over all pictures (facets)."""

    def refreshed(self) -> Known:
        """Itself, with nothing of an older version of the library."""
        if self._version != self._index.version:
            self._version = self._index.version
            self._found.clear()
            self._held = 0
            self._marked = None
            self._sizes.clear()
            self.shares.clear()
            self.counted.clear()
        return self

    def find(self, term: str, how: How, fields: int) -> Found:
        """As `Words.find`."""
        key = (term, how, fields)
        if (found := self._found.get(key)) is not None:
            self._found.move_to_end(key)
            return found
        found = self._found[key] = self._index.words.find(term, how, fields)
        self._held += found.assets.nbytes + found.fields.nbytes
        while self._held > _REMEMBERED and len(self._found) > 1:
            _, old = self._found.popitem(last=False)
            self._held -= old.assets.nbytes + old.fields.nbytes
        return found

    def count(self, term: str, how: How) -> int:
        """As `Words.count`."""
        if (count := self._sizes.get((term, how))) is None:
            count = self._sizes[term, how] = self._index.words.count(term, how)
        return count

    def mark(self, term: str, how: How, fields: int) -> NDArray[np.bool_]:
        """As `Words.mark`, as long as the index."""
        if self._marked is None or self._marked[0] != (term, how, fields):
            self._marked = ((term, how, fields), self._index.words.mark(term, how, fields)[: self._index.size])
        return self._marked[1]

    @property
    def tags(self) -> Tree:
        """The tags."""
        return self._tree("tags", self._index.tags.names, nested=True)

    @property
    def people(self) -> Tree:
        """The people."""
        return self._tree("people", self._index.people.names, nested=False)

    def _tree(self, kind: str, names: Sequence[str], *, nested: bool) -> Tree:
        tree = self._trees.get(kind)
        if tree is None or tree.names != names:
            tree = self._trees[kind] = Tree(names, nested=nested)
        return tree

    def beginning(self, kind: str, name: str) -> list[int]:
        """Codes of the cameras, lenses or creators in which these words stand side by side, the last one begun."""
        asked = tokens(name)
        if not asked:
            return []
        found = []
        for code, text in enumerate(self._index.names[kind]):
            words = self._cut(text)
            if code and any(
                words[n : n + len(asked) - 1] == asked[:-1] and words[n + len(asked) - 1].startswith(asked[-1])
                for n in range(len(words) - len(asked) + 1)
            ):
                found.append(code)
        return found

    def places(self, name: str) -> list[int]:
        """Numbers of the places in one of whose names these words stand side by side, or that have that code."""
        asked, code = tokens(name), name.strip().upper()
        found = []
        for number in self.place_numbers():
            *names, country_code = self._index.place(number)
            if (code and country_code.upper() == code) or (
                asked and any(stands_in(asked, self._cut(text)) for text in names if text)
            ):
                found.append(number)
        return found

    def place_numbers(self) -> list[int]:
        """The places that pictures have."""
        if (numbers := self.counted.get("places")) is None:
            counts = np.bincount(self._index.columns.place[self._index.columns.state != 0])
            numbers = self.counted["places"] = [n for n in np.flatnonzero(counts).tolist() if n]
        return list(numbers)

    def regions(self) -> list[tuple[list[str], NDArray[np.intp]]]:
        """Countries, regions and cities: their names, and for each place's number which of them it is in."""
        places = self._index.places
        keys, values = list(places), list(places.values())
        if self._regions is None or self._regions[:2] != (keys, values):
            grouped = []
            for part in (3, 2, 1):
                codes: dict[str, int] = {"": 0}
                of_place = np.zeros(max(keys, default=0) + 1, np.intp)
                for number, names in places.items():
                    of_place[number] = codes.setdefault(names[part], len(codes))
                grouped.append((list(codes), of_place))
            self._regions = (keys, values, grouped)
        return self._regions[2]

    def folders(self, path: str) -> list[int]:
        """Numbers of the folders whose path ends with, or goes through, these names."""
        asked = [whole(step) for step in _STEPS.split(path) if step]
        names = self._index.folders.names
        if self._paths[0] != names:
            self._paths = (list(names), [[whole(step) for step in _STEPS.split(name) if step] for name in names])
        return [number for number, steps in enumerate(self._paths[1]) if stands_in(asked, steps)] if asked else []

    def _cut(self, text: str) -> list[str]:
        if (known := self._words.get(text)) is None:
            if len(self._words) > 200_000:
                self._words.clear()
            known = self._words[text] = tokens(text)
        return known


_known: WeakKeyDictionary[Index, Known] = WeakKeyDictionary()


def known(index: Index) -> Known:
    """What is remembered of that index, for its present version."""
    if (found := _known.get(index)) is None:
        found = _known[index] = Known(index)
    return found.refreshed()
