"""Saying something of pictures, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imager import editing
from imager.library.opened import Opened, PathLike, absolute

if TYPE_CHECKING:
    pass


class Saying(Opened):
    """What people say of pictures; each call returns the name of its batch, for `undo`."""

    def tag(self, reference: PathLike, *names: str) -> str:
        """Give a picture tags ('Family', or 'Animals|Dogs' for a tag within another); returns the batch to undo."""
        return editing.tag(self.catalog, [self.find(reference)], names, put=True)

    def untag(self, reference: PathLike, *names: str) -> str:
        """Take tags away, whoever gave them (the file, too)."""
        return editing.tag(self.catalog, [self.find(reference)], names, put=False)

    def set(self, reference: PathLike, field: str, value: Any) -> str:
        """Say a value: `editing.FIELDS` lists the fields and what they take. None: as found in the file again."""
        return editing.say(self.catalog, [self.find(reference)], field, value)

    def set_private(self, *references: PathLike, private: bool = True) -> str:
        """Hide pictures from everybody else who uses the library, or let them be seen again."""
        return editing.say(self.catalog, [self.find(r) for r in references], "private", private)

    def undo(self, batch: str | None = None) -> str:
        """Take back what was said last on this device, or a batch by its name (an undo's name: redo)."""
        return editing.undo(self.catalog, batch)

    def join(self, reference: PathLike, other: PathLike) -> str:
        """Say that two pictures are one, as versions of each other."""
        return editing.join(self.catalog, self.find(reference), self.find(other))

    def separate(self, reference: PathLike) -> str:
        """Say that the versions joined in a picture are pictures of their own, also those that a rule joined."""
        return editing.separate(self.catalog, self.find(reference))

    def erase(self, reference: PathLike) -> None:
        """Remove a picture from the library for good, with all that is known of it; its files stay where they are.

        Only its hash is kept, so that no scan brings it back; naming the file itself in `add` does.
        """
        editing.erase(self.catalog, self.store, self.find(reference))

    def forget(self, path: PathLike) -> int:
        """Let go of missing files at or below a path; pictures left without any place go too. How many files."""
        return editing.forget(self.catalog, self.store, absolute(path))
