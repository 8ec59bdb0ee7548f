"""Looking at what is there: searching, one picture, figures."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from imager.catalog import read
from imager.library.opened import Opened, PathLike

if TYPE_CHECKING:
    from imager.doctor import Diagnosis
    from imager.query.complete import Completion
    from imager.query.model import Query
    from imager.search import Page

_SHOWN = """SELECT c.sha256, a.thumbhash FROM assets AS a CROSS JOIN contents AS c ON c.content = a.content
WHERE a.asset = ?"""


class Looking(Opened):
    """What shows pictures and their words."""

    def search(self, words: Query | str = "", *, limit: int = 50, after: str | None = None) -> Page:
        """The pictures that meet a query, best first, and how they divide; see `imager.search.service.search`."""
        from imager.search.service import search

        index = self.index
        with index.lock:
            seen = self._seen(index)
            names = self._names(index, seen)
            return search(index, self.catalog, words, limit=limit, after=after, visible=seen, vocabulary=names)

    def complete(self, text: str, cursor: int | None = None, *, limit: int = 10) -> list[Completion]:
        """What may be meant by a search text that is still being typed, the cursor standing there (at its end)."""
        from imager.query.complete import complete

        index = self.index
        with index.lock:
            names = self._names(index, self._seen(index))
            return complete(text, len(text) if cursor is None else cursor, names, limit=limit)

    def show(self, reference: PathLike) -> dict[str, Any]:
        """All that is known of the picture with that id, or of which a file lies at that path."""
        return read.describe(self.catalog, self.find(reference))

    def thumbnail(self, reference: PathLike) -> bytes | None:
        """A small JPEG of a picture, upright, if need be a blur of its colours; None where there is not even that."""
        from imager.ingest.thumbhash import blurred

        row = self.catalog.db.execute(_SHOWN, (self.find(reference),)).fetchone()
        if row is None:
            return None
        try:
            return self.store.path(row[0], "thumbnail").read_bytes()
        except OSError:
            return None if row[1] is None else blurred(row[1])

    def stats(self) -> dict[str, Any]:
        """What the library holds, in figures; see `imager.search.statistics`."""
        from imager.search.statistics import statistics

        index = self.index
        with index.lock:
            return statistics(index, self.catalog, self._seen(index)) | {"library": os.fspath(self.folder)}

    def history(self, reference: PathLike) -> list[dict[str, Any]]:
        """What people said of a picture, latest first."""
        return read.history(self.catalog, self.find(reference))

    def doctor(self, *, repair: bool = True) -> Diagnosis:
        """Check everything; mend what can be made again."""
        from imager import doctor

        return doctor.examine(self.catalog, self.store, repair=repair)

    def _chosen(self, query: Query | str, album: str | None) -> list[int]:
        """The numbers of a query's pictures, of those in an album where one is named; newest first."""
        from imager.query import model
        from imager.query.text import parse

        asked: Query | str | None = query
        if album is not None:
            from imager.organise import albums

            with self._looking(None) as (index, _):
                names = self._names(index, self._seen(index))
                where = parse(query, names).query.where if isinstance(query, str) else query.where
            asked = model.Query(model.All((model.Album(albums.find(self.catalog, album).hex), where)))
        with self._looking(asked) as (index, mask):
            order = index.order
            found = order[mask[order]] if mask is not None else order[index.columns.state[order] == 1]
            return [int(number) for number in found]
