"""Albums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imager.catalog.identity import format_id
from imager.errors import ImagerError
from imager.library.looking import Looking
from imager.library.opened import PathLike

if TYPE_CHECKING:
    from imager.organise.albums import Album
    from imager.query.model import Query


class Albums(Looking):
    """What arranges pictures in albums."""

    def albums(self) -> list[dict[str, Any]]:
        """All albums, each followed by what is nested in it: id, name, path, count, cover; of smart ones the query."""
        from imager.organise import albums

        held = albums.counts(self.catalog)
        return [albums.described(self.catalog, a, self._count(a, held)) for a in albums.tree(self.catalog)]

    def album(self, reference: str, *, limit: int = 50, after: str | None = None) -> dict[str, Any]:
        """The album of that id, name or path ('Trips/2021'), with a page of its pictures; `after`: the page's 'next'.

        NotFoundError where there is none, UsageError with the candidates where several are called so.
        """
        from imager.organise import albums

        album = albums.find(self.catalog, reference)
        known = albums.described(self.catalog, album, self._count(album, albums.counts(self.catalog)))
        following = None
        if album.query is None:
            held = albums.pictures(self.catalog, album, limit=limit + 1, after=after or "")
            following = held[limit - 1].position if len(held) > limit else None
            shown = [(format_id(m.id), self._path(m.content)) for m in held[:limit]]
        elif (query := albums.query_of(album)) is not None:
            page = self.search(query, limit=limit, after=after)
            following = page.next
            shown = [(hit.id, hit.path) for hit in page.hits]
        else:
            raise ImagerError(f"The query of {album.name} is of a newer Imager. Install that: pip install -U imager")
        return known | {"pictures": [{"id": i, "path": path} for i, path in shown], "next": following}

    def create_album(
        self, name: str, *, within: str | None = None, query: Query | str | None = None
    ) -> tuple[str, str]:
        """Make an album, in another one or at the top; with a query it shows what that finds. Its id, and the batch."""
        from imager.organise import albums

        parent = None if within is None else albums.find(self.catalog, within)
        album, batch = albums.create(self.catalog, name, parent=parent, query=_understood(query))
        return format_id(album.id), batch

    def rename_album(self, reference: str, name: str) -> str:
        """Call an album otherwise."""
        from imager.organise import albums

        return albums.rename(self.catalog, albums.find(self.catalog, reference), name)

    def describe_album(self, reference: str, text: str) -> str:
        """Say what an album is about; '' takes that away."""
        from imager.organise import albums

        return albums.describe(self.catalog, albums.find(self.catalog, reference), text)

    def set_album_cover(self, reference: str, picture: PathLike | None) -> str:
        """Choose the picture that stands for an album; None: its first again."""
        from imager.organise import albums

        asset = None if picture is None else self.find(picture)
        return albums.set_cover(self.catalog, albums.find(self.catalog, reference), asset)

    def set_album_query(self, reference: str, query: Query | str | None) -> str:
        """Make an album show what a query finds, or (None) again what was put into it."""
        from imager.organise import albums

        return albums.set_query(self.catalog, albums.find(self.catalog, reference), _understood(query))

    def move_album(
        self, reference: str, within: str | None, *, before: str | None = None, after: str | None = None
    ) -> str:
        """Nest an album in another (None: at the top), before or after one that is there, or where its name belongs."""
        from imager.organise import albums

        album, parent, earlier, later = (
            None if name is None else albums.find(self.catalog, name) for name in (reference, within, after, before)
        )
        assert album is not None
        return albums.move(self.catalog, album, parent, before=later, after=earlier)

    def delete_album(self, reference: str) -> str:
        """Delete an album; what is nested in it is hidden with it, pictures stay. Undoing brings all of it back."""
        from imager.organise import albums

        return albums.delete(self.catalog, albums.find(self.catalog, reference))

    def add_to_album(self, album: str, *pictures: PathLike, query: Query | str | None = None) -> str | None:
        """Put pictures into an album, and all that a query finds; the batch, None where all were in it already."""
        from imager.organise import albums

        found = [self.find(picture) for picture in pictures]
        more = [] if query is None else self._chosen(query, None)
        return albums.add(self.catalog, albums.find(self.catalog, album), found + more)

    def remove_from_album(self, album: str, *pictures: PathLike, query: Query | str | None = None) -> str | None:
        """Take pictures out of an album, and all that a query finds; the batch, None where none was in it."""
        from imager.organise import albums

        found = [self.find(picture) for picture in pictures]
        more = [] if query is None else self._chosen(query, None)
        return albums.remove(self.catalog, albums.find(self.catalog, album), found + more)

    def order_album(
        self, album: str, picture: PathLike, *, before: PathLike | None = None, after: PathLike | None = None
    ) -> str:
        """Put a picture of an album before or after another one of it."""
        from imager.organise import albums

        earlier, later = (None if one is None else self.find(one) for one in (after, before))
        found = albums.find(self.catalog, album)
        return albums.reorder(self.catalog, found, self.find(picture), before=later, after=earlier)

    def _count(self, album: Album, held: dict[int, int]) -> int | None:
        """How many pictures an album shows; None for a query of a newer Imager."""
        from imager.organise import albums

        if album.query is None:
            return held.get(album.number, 0)
        query = albums.query_of(album)
        if query is None:
            return None
        with self._looking(query) as (index, mask):
            return int((index.columns.state == 1 if mask is None else mask).sum())


def _understood(query: Query | str | None) -> Query | None:
    """A query as such, whether it was given so or as text."""
    from imager.query.text import parse

    return parse(query).query if isinstance(query, str) else query
