"""Looking at what is there: searching, one picture, figures."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imager.catalog import read
from imager.catalog.albums import MEMBER
from imager.catalog.clock import parse as parse_clock
from imager.catalog.identity import format_id, id_of
from imager.errors import NotFoundError, UsageError
from imager.library.opened import PathLike
from imager.library.seeing import Seeing

if TYPE_CHECKING:
    from imager.doctor import Diagnosis
    from imager.library.narrow import SeenVocabulary
    from imager.query.complete import Completion
    from imager.query.model import Query, Understood
    from imager.search import Page

_SHOWN = """SELECT c.sha256, a.thumbhash FROM assets AS a CROSS JOIN contents AS c ON c.content = a.content
WHERE a.asset = ?"""
_CONTENT = "SELECT content FROM assets WHERE asset = ?"
_ELEMENT = "SELECT element FROM edits WHERE device = ? AND clock = ?"
_ALBUM = "SELECT album FROM albums WHERE id = ?"
_OF_OWNERS = ("failed", "library")
"""Figures that are told to owners of the library alone."""


class Looking(Seeing):
    """What shows pictures and their words, of those that the asker sees; paths of files only to owners."""

    def search(
        self, words: Query | str = "", *, limit: int = 50, after: str | None = None, facets: bool = True
    ) -> Page:
        """The pictures that meet a query, best first, and how they divide; see `imager.search.service.search`."""
        return self._search(words, limit, after, facets=facets)

    def _search(
        self, asked: Query | str, limit: int, after: str | None, *, facets: bool = True, as_it_is: bool = False
    ) -> Page:
        """`as_it_is`: the query is a saved one, which may speak of albums that the asker does not see."""
        from imager.query.text import parse
        from imager.search.service import search

        index = self.index
        with index.lock:
            seen = self._seen(index)
            names = self._names(index, seen)
            query = asked if as_it_is else self._narrowed(asked, names)
            if after:
                self._refuse_widened(after, query, names)
            page = search(
                index,
                self.catalog,
                query,
                limit=limit,
                after=after,
                with_facets=facets,
                visible=seen,
                vocabulary=names,
            )
            if query is not asked and isinstance(asked, str):
                chips = parse(asked, names).chips
                told = [{"kind": c.kind, "text": c.text, "start": c.start, "end": c.end} for c in chips]
                page = dataclasses.replace(page, chips=told + page.chips)
        if self._owns:
            return page
        return dataclasses.replace(
            page,
            facets={name: [] if name == "folders" else values for name, values in page.facets.items()},
            hits=[dataclasses.replace(hit, path=None) for hit in page.hits],
        )

    def _refuse_widened(self, after: str, query: Query | str, names: SeenVocabulary) -> None:
        """Refuse a cursor that somebody made, with a query in it that speaks of what they don't see."""
        from imager.query import codec
        from imager.search import cursor

        text = query if isinstance(query, str) else json.dumps(codec.to_json(query))
        begun = cursor.decode(after, text).query
        if begun != query and self._narrowed(begun, names) != begun:
            raise UsageError(f"--after takes the 'next' of the page before; {after[:40]!r} is none.")

    def complete(self, text: str, cursor: int | None = None, *, limit: int = 10) -> list[Completion]:
        """What may be meant by a search text that is still being typed, the cursor standing there (at its end)."""
        from imager.query.complete import complete

        index = self.index
        with index.lock:
            names = self._names(index, self._seen(index))
            return complete(text, len(text) if cursor is None else cursor, names, limit=limit)

    def understood(self, text: str) -> Understood:
        """How a search text is read, with the names that the asker knows; QueryError says what can't be read."""
        from imager.query.text import parse

        index = self.index
        with index.lock:
            return parse(text, self._names(index, self._seen(index)))

    def show(self, reference: PathLike) -> dict[str, Any]:
        """All that is known of the picture with that id, or of which a file lies at that path."""
        known = read.describe(self.catalog, self.find(reference))
        if not self._owns:
            known["files"] = []
        if (shown := self._albums_seen()) is not None:
            own = {format_id(i) for i in self._album_ids(shown)}
            known["albums"] = [album for album in known["albums"] if album["id"] in own]
        return known

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

    def original(self, reference: PathLike) -> Path:
        """A file of a picture that is there now: of the version that is shown. NotFoundError where none is.

        For whoever serves originals: who sees a picture may have it, and is not told where it lies.
        """
        content = self.catalog.db.execute(_CONTENT, (self.find(reference),)).get
        for path, state in self.catalog.files.paths_of(content):
            if state == "present" and os.path.isfile(path):
                return Path(os.fsdecode(path))
        raise NotFoundError(f"The file of {os.fsdecode(reference)} is not there just now.")

    def stats(self) -> dict[str, Any]:
        """What the library holds, in figures; see `imager.search.statistics`. 'failed' and 'library' for owners."""
        from imager.search.statistics import statistics

        index = self.index
        with index.lock:
            held = statistics(index, self.catalog, self._seen(index)) | {"library": os.fspath(self.folder)}
        if (shown := self._albums_seen()) is not None:
            held["albums"] = len(shown)
        return held if self._owns else held | dict.fromkeys(_OF_OWNERS)

    def history(self, reference: PathLike) -> list[dict[str, Any]]:
        """What people said of a picture, latest first."""
        said = read.history(self.catalog, self.find(reference))
        shown = self._albums_seen()
        if shown is None:
            return said
        return [edit for edit in said if edit["field"] != MEMBER or self._album_of(edit["name"]) in shown]

    def _album_of(self, edit: str) -> int | None:
        """The album (by number) that an edit puts a picture into, or takes it out of."""
        album = id_of(self.catalog.db.execute(_ELEMENT, (parse_clock(edit).device, edit)).get)
        return None if album is None else self.catalog.db.execute(_ALBUM, (album,)).get

    def _album_ids(self, albums: frozenset[int]) -> list[bytes]:
        return [self.catalog.db.execute("SELECT id FROM albums WHERE album = ?", (album,)).get for album in albums]

    def doctor(self, *, repair: bool = True) -> Diagnosis:
        """Check everything; mend what can be made again. For owners of the library."""
        self._need("manage")
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
            asked = model.Query(model.All((model.Album(albums.find(self.catalog, album, self.principal).hex), where)))
        with self._looking(asked) as (index, mask):
            order = index.order
            found = order[mask[order]] if mask is not None else order[index.columns.state[order] == 1]
            return [int(number) for number in found]
