"""What clients say of pictures, as statements for the log: many at once under one name, by whoever may say them.

`Said` is one thing that is said of any picture: a value, a tag that it has or not, an album that it is in or not.
Whether the asker may say it of a certain picture is asked here, for each (`may_say`); the rules stand in
`imager.access`. All of it runs at the desk for writing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from imager import access, editing
from imager.catalog import Statement
from imager.catalog.albums import MEMBER
from imager.catalog.identity import tag_id, tag_name
from imager.errors import ForbiddenError, UsageError
from imager.library import Library
from imager.organise import albums

_PICTURE: Final = "SELECT a.id, a.private FROM assets AS a WHERE a.asset = ?"
_SAID_TAG: Final = "SELECT said FROM tags WHERE id = ?"


@dataclass(frozen=True, slots=True)
class Said:
    """Something to be said of pictures, checked: it makes one edit of each."""

    field: str
    value: Any  # as the log keeps it; None: as found in the file
    element: str = ""
    tag: str | None = None  # the tag's full name, where one is given


def of_field(field: str, value: Any, author: str) -> Said:
    """One of `editing.FIELDS`; UsageError for others, and for values that they can't have."""
    if field not in editing.FIELDS:
        raise UsageError(f"There is no field {field!r}. These can be said: {', '.join(editing.FIELDS)}.")
    kept = None if value is None else editing.FIELDS[field](value)
    if field == "private":
        kept = author if kept else None
    return Said(field, kept, author if field == "rating" else "")


def of_tag(name: str, *, put: bool) -> Said:
    """A tag that pictures are to have, or not to have; UsageError where that is no name."""
    try:
        return Said("tag", int(put), tag_id(name).hex(), tag_name(name) if put else None)
    except ValueError:
        raise UsageError(f"{name!r} is no name for a tag.") from None


def of_album(library: Library, reference: str, *, put: bool) -> Said:
    """An album that pictures are to be in, or not to be in; the asker has to be its editor."""
    album = albums.find(library.catalog, reference, library.principal)
    if not access.may(library.principal, "edit", library.catalog, album=album.number):
        raise ForbiddenError(f"You may look at {album.name}, but not change it.")
    if album.query is not None:
        raise UsageError(f"{album.name} shows what its query finds: nothing can be put into it or taken out.")
    return Said(MEMBER, int(put), album.hex)


def may_say(library: Library, asset: int, said: Said) -> bool:
    """Whether the asker may say that of a picture."""
    if said.field == "private" and said.value is not None:
        row = library.catalog.db.execute(_PICTURE, (asset,)).fetchone()
        if row is not None and row[1] is None:  # it is of all, and would be taken from them
            return access.may(library.principal, "manage", library.catalog, asset=asset)
        return access.may(library.principal, "view", library.catalog, asset=asset)
    return access.may(library.principal, "edit", library.catalog, asset=asset)


def picture(library: Library, reference: str, said: Iterable[Said]) -> int:
    """The picture of that id, if the asker may say all of this of it; NotFoundError, ForbiddenError."""
    asset = library.find(reference)
    if not all(may_say(library, asset, one) for one in said):
        raise ForbiddenError("You may look at this picture, but not change it like that.")
    return asset


def statements(library: Library, asset: int, said: Iterable[Said]) -> list[Statement]:
    """What is said of a picture as statements under its own id; none where it is gone."""
    row = library.catalog.db.execute(_PICTURE, (asset,)).fetchone()
    return [] if row is None else [Statement(row[0], one.field, one.value, one.element) for one in said]


def naming(library: Library, said: Iterable[Said]) -> list[Statement]:
    """How tags are spelt that nobody has given yet."""
    found = []
    for element, name in {one.element: one.tag for one in said if one.tag is not None}.items():
        identifier = bytes.fromhex(element)
        if library.catalog.db.execute(_SAID_TAG, (identifier,)).get != 1:
            found.append(Statement(identifier, "name", name))
    return found


def say(library: Library, asked: Sequence[tuple[str, Sequence[Said]]]) -> str:
    """Say something of each of these pictures (by id), all of it or nothing; the name of the batch.

    In the caller's transaction. NotFoundError and ForbiddenError name what the asker can't say.
    """
    made: list[Statement] = naming(library, (one for _, said in asked for one in said))
    for reference, said in asked:
        made += statements(library, picture(library, reference, said), said)
    if not made:
        raise UsageError("Say at least one thing.")
    return library.catalog.say_within(made, author=library.principal.member)
