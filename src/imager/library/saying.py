"""Saying something of pictures, and taking it back."""

from __future__ import annotations

from typing import Any, Final

from imager import access, editing
from imager.catalog import Edit
from imager.catalog.albums import MEMBER, speaks_of
from imager.catalog.edits import SAME_AS
from imager.catalog.identity import id_of
from imager.errors import ForbiddenError
from imager.library.opened import Opened, PathLike, absolute

_PRIVATE: Final = "SELECT private FROM assets WHERE asset = ?"
_ALBUM: Final = "SELECT album FROM albums WHERE id = ?"


class Saying(Opened):
    """What people say of pictures; each call returns the name of its batch, for `undo`.

    ForbiddenError where the asker sees a picture, but may not say that of it; see the rules in `imager.access`.
    """

    def tag(self, reference: PathLike, *names: str) -> str:
        """Give a picture tags ('Family', or 'Animals|Dogs' for a tag within another); returns the batch to undo."""
        return editing.tag(self.catalog, [self._picture(reference, "edit")], names, put=True, author=self._author)

    def untag(self, reference: PathLike, *names: str) -> str:
        """Take tags away, whoever gave them (the file, too)."""
        return editing.tag(self.catalog, [self._picture(reference, "edit")], names, put=False, author=self._author)

    def set(self, reference: PathLike, field: str, value: Any) -> str:
        """Say a value: `editing.FIELDS` lists the fields and what they take. None: as found in the file again."""
        asset = self._hiding(reference, value) if field == "private" else self._picture(reference, "edit")
        return editing.say(self.catalog, [asset], field, value, author=self._author)

    def set_private(self, *references: PathLike, private: bool = True) -> str:
        """Hide pictures from everybody else who uses the library, or let them be seen again.

        Owners of the library hide pictures that are of all; whoever's a picture is lets it be seen again.
        """
        assets = [self._hiding(reference, private) for reference in references]
        return editing.say(self.catalog, assets, "private", private, author=self._author)

    def undo(self, batch: str | None = None) -> str:
        """Take back what the asker said last on this device, or a batch by its name (an undo's name: redo).

        Only owners of the library take back what others said; for everybody else there is no such batch.
        """
        name = batch if batch is not None else self.catalog.last_batch(self._author)
        if name is not None:
            self._refuse_undoing(name)
        return editing.undo(self.catalog, name, author=self._author)

    def join(self, reference: PathLike, other: PathLike) -> str:
        """Say that two pictures are one, as versions of each other."""
        one, two = self._picture(reference, "edit"), self._picture(other, "edit")
        if self._whose(one) != self._whose(two) and not self._owns:
            raise ForbiddenError("One of these pictures is private. Let it be seen before you join it to the other.")
        return editing.join(self.catalog, one, two, author=self._author)

    def separate(self, reference: PathLike) -> str:
        """Say that the versions joined in a picture are pictures of their own, also those that a rule joined."""
        return editing.separate(self.catalog, self._picture(reference, "edit"), author=self._author)

    def erase(self, reference: PathLike) -> None:
        """Remove a picture from the library for good, with all that is known of it; its files stay where they are.

        Only its hash is kept, so that no scan brings it back; naming the file itself in `add` does. For owners of the
        library.
        """
        asset = self._picture(reference, "manage")
        self._drop_index()
        editing.erase(self.catalog, self.store, asset, author=self._author)

    def forget(self, path: PathLike) -> int:
        """Let go of missing files at or below a path; pictures left without any place go too. How many files.

        For owners of the library.
        """
        self._need("manage")
        return editing.forget(self.catalog, self.store, absolute(path))

    @property
    def _author(self) -> str:
        return self.principal.member

    def _whose(self, asset: int) -> str | None:
        """Whose private picture it is."""
        found: str | None = self.catalog.db.execute(_PRIVATE, (asset,)).get
        return found

    def _hiding(self, reference: PathLike, private: Any) -> int:
        """The picture, if the asker may say whether it is private."""
        asset = self.find(reference)
        if self._whose(asset) is None:
            self._need_picture(
                asset, "manage" if private is not None and editing.FIELDS["private"](private) else "edit"
            )
        return asset

    def _refuse_undoing(self, name: str) -> None:
        """Refuse to take back what others said, or what the asker may not say any more."""
        own, owns = editing.named(self.catalog, name).author == self._author, self._owns
        if own and owns:
            return
        if not (own or owns):
            raise editing.not_named(name)
        for edit in editing.touched(self.catalog, name):
            if not self._may_say(edit):
                if own:
                    raise ForbiddenError("You may not change any more what this is about.")
                raise editing.not_named(name)

    def _may_say(self, edit: Edit) -> bool:
        """Whether the asker may edit what an edit is about. What is not here is nobody's: names of tags, too."""
        pictures = [] if speaks_of(edit.field) and edit.field != MEMBER else [edit.target]
        if edit.field == SAME_AS and (other := id_of(edit.element)) is not None:
            pictures.append(other)
        for picture in pictures:
            if (asset := self.catalog.resolve(picture)) is not None and not self._may("edit", asset=asset):
                return False
        named = id_of(edit.element) if edit.field == MEMBER else edit.target if speaks_of(edit.field) else None
        album = None if named is None else self.catalog.db.execute(_ALBUM, (named,)).get
        role = None if album is None else access.role_on(self.principal, self.catalog, album=album, deleted=True)
        return album is None or role in ("editor", "owner")
