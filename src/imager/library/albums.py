"""Albums."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imager.catalog.identity import format_id
from imager.errors import ForbiddenError, ImagerError
from imager.library.looking import Looking
from imager.library.opened import PathLike

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imager.access import Action
    from imager.organise.albums import Album
    from imager.query.model import Query

_PARENT = "SELECT parent FROM albums WHERE album = ?"


class Albums(Looking):
    """What arranges pictures in albums, of those that the asker sees.

    ForbiddenError where they may not say that of an album, or of a picture; see the rules in `imager.access`.
    """

    def albums(self) -> list[dict[str, Any]]:
        """All albums, each followed by what is nested in it: id, name, path, count, cover; of smart ones the query."""
        from imager.organise import albums

        held = albums.counts(self.catalog, self.principal)
        every = albums.tree(self.catalog, self.principal)
        return [albums.described(self.catalog, a, self._count(a, held), self.principal) for a in every]

    def album(self, reference: str, *, limit: int = 50, after: str | None = None) -> dict[str, Any]:
        """The album of that id, name or path ('Trips/2021'), with a page of its pictures; `after`: the page's 'next'.

        NotFoundError where there is none, UsageError with the candidates where several are called so.
        """
        from imager.organise import albums

        album = albums.find(self.catalog, reference, self.principal)
        held_by = albums.counts(self.catalog, self.principal)
        known = albums.described(self.catalog, album, self._count(album, held_by), self.principal)
        following = None
        if album.query is None:
            principal, owns = self.principal, self._owns
            held = albums.pictures(self.catalog, album, limit=limit + 1, after=after or "", principal=principal)
            following = held[limit - 1].position if len(held) > limit else None
            shown = [(format_id(m.id), self._path(m.content) if owns else None) for m in held[:limit]]
        elif (query := albums.query_of(album)) is not None:
            page = self._search(query, limit, after, facets=False, as_it_is=True)
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

        parent = None if within is None else self._album(within, "edit")
        if parent is None:
            self._need("edit")
        if query is not None:
            self._need("view")
        asked, author = _understood(query), self.principal.member
        album, batch = albums.create(self.catalog, name, parent=parent, query=asked, author=author)
        return format_id(album.id), batch

    def rename_album(self, reference: str, name: str) -> str:
        """Call an album otherwise."""
        from imager.organise import albums

        return albums.rename(self.catalog, self._album(reference, "edit"), name, author=self.principal.member)

    def describe_album(self, reference: str, text: str) -> str:
        """Say what an album is about; '' takes that away."""
        from imager.organise import albums

        return albums.describe(self.catalog, self._album(reference, "edit"), text, author=self.principal.member)

    def set_album_cover(self, reference: str, picture: PathLike | None) -> str:
        """Choose the picture that stands for an album; None: its first again."""
        from imager.organise import albums

        album = self._album(reference, "edit")
        asset = None if picture is None else self.find(picture)
        return albums.set_cover(self.catalog, album, asset, author=self.principal.member)

    def set_album_query(self, reference: str, query: Query | str | None) -> str:
        """Make an album show what a query finds, or (None) again what was put into it."""
        from imager.organise import albums

        album = self._album(reference, "edit")
        if query is not None:
            self._need("view")
        return albums.set_query(self.catalog, album, _understood(query), author=self.principal.member)

    def move_album(
        self, reference: str, within: str | None, *, before: str | None = None, after: str | None = None
    ) -> str:
        """Nest an album in another (None: at the top), before or after one that is there, or where its name belongs."""
        from imager.organise import albums

        album = self._disposed(reference)
        parent = None if within is None else self._album(within, "edit")
        lay_in = self.catalog.db.execute(_PARENT, (album.number,)).get
        for place in (lay_in, None if parent is None else parent.number):
            if not self._may("edit", album=place):
                raise ForbiddenError(f"You may not change the place where {album.name} lies, or where it would.")
        later, earlier = (None if name is None else self._album(name, "view") for name in (before, after))
        return albums.move(self.catalog, album, parent, before=later, after=earlier, author=self.principal.member)

    def delete_album(self, reference: str) -> str:
        """Delete an album; what is nested in it is hidden with it, pictures stay. Undoing brings all of it back."""
        from imager.organise import albums

        return albums.delete(self.catalog, self._disposed(reference), author=self.principal.member)

    def add_to_album(self, album: str, *pictures: PathLike, query: Query | str | None = None) -> str | None:
        """Put pictures into an album, and all that a query finds; the batch, None where all were in it already."""
        from imager.organise import albums

        found = self._album(album, "edit")
        return albums.add(self.catalog, found, self._given(pictures, query), author=self.principal.member)

    def remove_from_album(self, album: str, *pictures: PathLike, query: Query | str | None = None) -> str | None:
        """Take pictures out of an album, and all that a query finds; the batch, None where none was in it."""
        from imager.organise import albums

        found = self._album(album, "edit")
        return albums.remove(self.catalog, found, self._given(pictures, query), author=self.principal.member)

    def order_album(
        self, album: str, picture: PathLike, *, before: PathLike | None = None, after: PathLike | None = None
    ) -> str:
        """Put a picture of an album before or after another one of it."""
        from imager.organise import albums

        found = self._album(album, "edit")
        asset = self._picture(picture, "edit")
        earlier, later = (None if one is None else self.find(one) for one in (after, before))
        return albums.reorder(self.catalog, found, asset, before=later, after=earlier, author=self.principal.member)

    def _album(self, reference: str, action: Action) -> Album:
        """The album of that id, name or path, for what the asker wants to do with it."""
        from imager.organise import albums

        album = albums.find(self.catalog, reference, self.principal)
        if not self._may(action, album=album.number):
            raise ForbiddenError(f"You may look at {album.name}, but not change it.")
        return album

    def _disposed(self, reference: str) -> Album:
        """The album, if the asker may delete or move it: as its owner, or as an editor of the library."""
        album = self._album(reference, "view")
        if not (self._may("manage", album=album.number) or self._may("edit")):
            raise ForbiddenError(f"{album.name} is not yours to delete or to move.")
        return album

    def _given(self, pictures: Sequence[PathLike], query: Query | str | None) -> list[int]:
        """Pictures that are named, and those that a query finds; the asker may edit all of them."""
        named = [self._picture(picture, "edit") for picture in pictures]
        chosen = [] if query is None else self._chosen(query, None)
        if not self._may("edit"):  # who may edit in the library may edit whatever they see
            for asset in chosen:
                self._need_picture(asset, "edit")
        return named + chosen

    def _count(self, album: Album, held: dict[int, int]) -> int | None:
        """How many pictures an album shows; None for a query of a newer Imager."""
        from imager.organise import albums

        if album.query is None:
            return held.get(album.number, 0)
        query = albums.query_of(album)
        if query is None:
            return None
        with self._looking(query, as_it_is=True) as (index, mask):
            return int((index.columns.state == 1 if mask is None else mask).sum())


def _understood(query: Query | str | None) -> Query | None:
    """A query as such, whether it was given so or as text."""
    from imager.query.text import parse

    return parse(query).query if isinstance(query, str) else query
