"""What albums a query may speak of, and which names are offered, to somebody who does not see all albums.

Conditions on albums are answered from all albums, by name; so before it is asked, a query is told which of these the
asker means: those that they see. What it names beside is not there, and nothing is in it.
"""

from __future__ import annotations

from imager.access import Principal, visible_albums
from imager.catalog import Catalog
from imager.geo.named import folded
from imager.organise import albums
from imager.query import model as q
from imager.search import stored
from imager.search.columnar import Mask
from imager.search.index import Index
from imager.search.vocabulary import MOST, LibraryVocabulary


def speaks_of_albums(condition: q.Condition) -> bool:
    """Whether a condition names an album anywhere."""
    match condition:
        case q.All(parts) | q.AnyOf(parts):
            return any(speaks_of_albums(part) for part in parts)
        case q.Not(part):
            return speaks_of_albums(part)
        case _:
            return isinstance(condition, q.Album)


def narrowed(query: q.Query, catalog: Catalog, shown: frozenset[int]) -> q.Query:
    """The query with each album that it names by its id, if it is one of these. Done twice it stays as it is."""
    every = [album for album in stored.albums(catalog) if album.number in shown]
    return q.Query(_narrowed(query.where, every), query.sort)


def _narrowed(condition: q.Condition, every: list[stored.Album]) -> q.Condition:
    match condition:
        case q.All(parts):
            return q.All(tuple(_narrowed(part, every) for part in parts))
        case q.AnyOf(parts):
            return q.AnyOf(tuple(_narrowed(part, every) for part in parts))
        case q.Not(part):
            return q.Not(_narrowed(part, every))
        case q.Album(name):
            found = stored.called(every, name)
            numbers = {album.number for album in found}
            # What is nested in one that is found is found with it.
            named = sorted(album.id for album in found if album.parent not in numbers)
            # Of none: what no picture meets.
            return q.Album(named[0]) if len(named) == 1 else q.AnyOf(tuple(q.Album(i) for i in named))
        case _:
            return condition


class SeenVocabulary(LibraryVocabulary):
    """The names in what somebody sees: of pictures, and of albums. Good for one version of the index."""

    def __init__(self, index: Index, catalog: Catalog, visible: Mask | None, principal: Principal) -> None:
        """`visible`: what the principal sees; None: everything."""
        super().__init__(index, catalog, visible)
        self._everything = visible is None
        self._principal = principal

    def albums(self, prefix: str) -> list[tuple[str, int]]:
        """Names of albums that begin so, with the number of pictures in them that are seen."""
        if self._everything and visible_albums(self._principal, self._catalog) is None:
            return super().albums(prefix)
        asked, held = folded(prefix), albums.counts(self._catalog, self._principal)
        found = [(a.name, held.get(a.number, 0)) for a in albums.tree(self._catalog, self._principal)]
        return sorted((p for p in found if folded(p[0]).startswith(asked)), key=lambda p: (-p[1], p[0]))[:MOST]

    def words(self, prefix: str) -> list[tuple[str, int]]:
        """Words of the full text that begin so. Only for who sees everything: words give away who has them."""
        return super().words(prefix) if self._everything else []
