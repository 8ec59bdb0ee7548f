"""What a library knows by name, over its index: for the parser, which asks where 'Paris' is, and for completion."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from heapq import nsmallest

import numpy as np

from imager.catalog import Catalog, albums
from imager.catalog.connection import fetch
from imager.geo.named import folded, named
from imager.query.vocabulary import Located, Vocabulary
from imager.search.columnar import Mask
from imager.search.index import Index
from imager.search.lists import Lists
from imager.search.names import known
from imager.search.words import tokens

MOST = 100
"""Names of a kind that are offered at the most."""

_HELD = "SELECT album, count(*) FROM album_assets GROUP BY album"


class LibraryVocabulary(Vocabulary):
    """The names that the pictures which somebody may see have. Good for one version of the index."""

    def __init__(self, index: Index, catalog: Catalog, visible: Mask | None = None) -> None:
        """`visible`: what the asker may see; names of nothing else are given away."""
        self.version = index.version
        self._index = index
        self._catalog = catalog
        present = index.columns.state[: index.size] == 1
        self._visible = present if visible is None else present & visible
        # Counts over everything are kept by the index; the few that are in the trash may be among them.
        self._sees_all = visible is None or bool((self._visible == present).all())

    def locate(self, name: str) -> Located | None:
        """The largest town of that name, else the middle of the pictures whose place is called so."""
        if (town := named(name)) is not None:
            return Located(*town)
        numbers = known(self._index).places(name)
        columns = self._index.columns
        there = self._visible & np.isin(columns.place[: self._index.size], numbers)
        there &= ~np.isnan(columns.latitude[: self._index.size])
        picked = np.flatnonzero(there)
        if not numbers or not len(picked):
            return None
        # The mean of points on the sphere: that of degrees would be wrong at the date line.
        phi, lam = np.radians(columns.latitude[picked]), np.radians(columns.longitude[picked])
        x, y, z = (np.cos(phi) * np.cos(lam)).mean(), (np.cos(phi) * np.sin(lam)).mean(), np.sin(phi).mean()
        return Located(float(np.degrees(np.arctan2(z, np.hypot(x, y)))), float(np.degrees(np.arctan2(y, x))), name)

    def tags(self, prefix: str) -> list[tuple[str, int]]:
        """Full names of tags of which some level begins so."""
        return self._tags.beginning(prefix)

    def people(self, prefix: str) -> list[tuple[str, int]]:
        """Names of people of which some word begins so."""
        return self._people.beginning(prefix)

    def cameras(self) -> list[tuple[str, int]]:
        """All cameras."""
        return self._coded("make_model")

    def lenses(self) -> list[tuple[str, int]]:
        """All lenses."""
        return self._coded("lens")

    def places(self, prefix: str) -> list[tuple[str, int]]:
        """Names of places, cities, regions and countries that begin so."""
        return self._places.beginning(prefix)

    def albums(self, prefix: str) -> list[tuple[str, int]]:
        """Names of albums that begin so, with the number of pictures that were put in by hand."""
        asked = folded(prefix)
        held = dict(fetch(self._catalog.db, _HELD))
        live = [(album, name) for album, _id, name, *_ in fetch(self._catalog.db, albums.LIVE)]
        return _most_used((name, int(held.get(album, 0))) for album, name in live if folded(name).startswith(asked))

    def words(self, prefix: str) -> list[tuple[str, int]]:
        """Words of the full text that begin so. Only for who may see everything: words give away who has them."""
        asked = tokens(prefix)
        return self._index.words.terms(asked[0], MOST) if len(asked) == 1 and self._sees_all else []

    @cached_property
    def _tags(self) -> _Names:
        return _Names((name, count, folded(name).split("|")) for name, count in self._counted(self._index.tags))

    @cached_property
    def _people(self) -> _Names:
        return _Names((name, count, folded(name).split(" ")) for name, count in self._counted(self._index.people))

    @cached_property
    def _places(self) -> _Names:
        counts = np.bincount(self._index.columns.place[: self._index.size][self._visible])
        found: dict[str, int] = {}
        for number, (*names, _code) in self._index.places.items():
            count = int(counts[number]) if number < len(counts) else 0
            for name in dict.fromkeys(names) if count else ():
                found[name] = found.get(name, 0) + count
        return _Names((name, count, ()) for name, count in found.items() if name)

    def _counted(self, lists: Lists) -> Iterator[tuple[str, int]]:
        counts = lists.counts(None if self._sees_all else self._visible).tolist()
        return ((name, count) for name, count in zip(lists.names, counts, strict=False) if count)

    def _coded(self, name: str) -> list[tuple[str, int]]:
        codes = getattr(self._index.columns, name)[: self._index.size][self._visible]
        counts = np.bincount(codes, minlength=len(self._index.names[name]))
        return _most_used((text, int(counts[n])) for n, text in enumerate(self._index.names[name]) if n and counts[n])


class _Names:
    """Names by how they, or parts of them, begin."""

    def __init__(self, names: Iterable[tuple[str, int, Sequence[str]]]) -> None:
        """Each with its count, and parts by whose beginning it is found as well."""
        kept = list(names)
        self._names = [(name, count) for name, count, _ in kept]
        keys = ((key, n) for n, (name, _, parts) in enumerate(kept) for key in {folded(name), *parts})
        self._keys = sorted(keys)

    def beginning(self, prefix: str) -> list[tuple[str, int]]:
        """Those that begin so, most used first."""
        asked = folded(prefix)
        first = bisect_left(self._keys, (asked, -1))
        last = bisect_left(self._keys, (asked + "\U0010ffff", -1))
        return _most_used(self._names[n] for n in {n for _, n in self._keys[first:last]})


def _most_used(names: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return nsmallest(MOST, names, key=lambda pair: (-pair[1], pair[0]))
