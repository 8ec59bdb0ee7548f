"""What is seen of a library: the index, the pictures in it that the asker sees, and those of a query among them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from imager import access
from imager.library.opened import Opened

if TYPE_CHECKING:
    from imager.library.narrow import SeenVocabulary
    from imager.query.model import Query
    from imager.search.index import Index
    from imager.search.timeline import Mask

_REMEMBERED: Final = 16
"""Queries whose pictures are kept in mind: a byte for each picture of the library."""

_MEMBERS: Final = 16
"""Members of whom is kept in mind what they see, and by which names: as much again for each."""


class Seeing(Opened):
    """What looks at the index, as somebody who may see some of it."""

    @property
    def index(self) -> Index:
        """What searches look at, as the catalog is now; made when it is first asked for. It knows of all pictures."""
        from imager.search.index import Index

        shared = self._shared
        if shared.index is None:
            shared.index = Index.open(self.catalog, self.folder / "index")
        else:
            shared.index.refresh()
        return shared.index

    @contextmanager
    def _looking(self, query: Query | str | None, *, as_it_is: bool = False) -> Iterator[tuple[Index, Mask | None]]:
        """The index and a query's pictures in it, of those that the asker sees; None: all that are present.

        `as_it_is`: the query is a saved one, which may speak of albums that the asker does not see.
        """
        from imager.search.service import resolve
        from imager.search.timeline import selected

        index = self.index
        with index.lock:
            seen = self._seen(index)
            if query is None or query == "":
                yield index, seen if seen is None else seen & selected(index, None)
                return
            # Page after page asks for the same. Nothing may have changed since, wherever; nor may it be another day.
            masks, key = self._shared.masks, (self.principal, query, as_it_is, self._state(index), date.today())
            if (mask := masks.pop(key, None)) is None:
                names = self._names(index, seen)
                asked = query if as_it_is else self._narrowed(query, names)
                mask = resolve(index, self.catalog, asked, visible=seen, vocabulary=names)
            _keep(masks, key, mask, _REMEMBERED)
            yield index, mask

    def _state(self, index: Index) -> tuple[int, ...]:
        """Another one whenever anything may have changed."""
        db = self.catalog.db
        return index.version, db.pragma("data_version"), db.total_changes()

    def _seen(self, index: Index) -> Mask | None:
        """The pictures that the asker sees; None: all."""
        state, member = self._state(index), self.principal.member
        known = self._shared.seen.pop(member, None)
        if known is None or known[0] != state:
            members = index.names["private"]
            own = members.index(member) if member in members else None
            mask = access.visible_mask(self.principal, self.catalog, index.size, index.columns.private, own)
            known = state, mask
        _keep(self._shared.seen, member, known, _MEMBERS)
        return known[1]

    def _names(self, index: Index, seen: Mask | None) -> SeenVocabulary:
        """What is known by name, of what the asker sees, remembered while nothing changes."""
        from imager.library.narrow import SeenVocabulary

        names = self._shared.vocabularies.pop(self.principal.member, None)
        if names is None or names.version != index.version:
            names = SeenVocabulary(index, self.catalog, seen, self.principal)
        _keep(self._shared.vocabularies, self.principal.member, names, _MEMBERS)
        return names

    def _narrowed(self, query: Query | str, names: SeenVocabulary) -> Query | str:
        """The query, so that it speaks of no album that the asker does not see."""
        from imager.library.narrow import narrowed, speaks_of_albums
        from imager.query.text import parse

        shown = self._albums_seen()
        if shown is None:
            return query
        asked = parse(query, names).query if isinstance(query, str) else query
        return narrowed(asked, self.catalog, shown) if speaks_of_albums(asked.where) else query

    def _path(self, content: int) -> str | None:
        """Where a content lies, or lay."""
        return next((os.fsdecode(path) for path, _ in self.catalog.files.paths_of(content)), None)


def _keep(remembered: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Remember something as the latest of so many."""
    remembered[key] = value
    while len(remembered) > most:
        del remembered[next(iter(remembered))]
