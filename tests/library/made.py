"""Libraries as random scenes describe them, said by real edits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from imager.catalog import Statement
from imager.catalog.albums import DELETED, DESCRIPTION, MEMBER, NAME, PARENT, QUERY
from imager.catalog.contents import Content
from imager.catalog.identity import format_id
from imager.facts import TakenAt
from imager.library import Library
from imager.query import codec
from imager.query.model import Query
from tests.access.scenes import PICTURES, Scene
from tests.catalog.libraries import content, put

DAY = 86_400_000


@dataclass
class Made:
    """A library, and what its pictures and albums are called by their numbers in the scene."""

    library: Library
    pictures: dict[int, str]
    albums: dict[int, str]

    def picture(self, text: str) -> int:
        """The number of the picture with that id."""
        return next(number for number, own in self.pictures.items() if own == text)


def build(folder: Path, scene: Scene) -> Made:
    """A library of a scene: picture n has the tags 'all' and 'tag n', was taken on day n, and lies on its own."""
    library = Library.open(folder)
    catalog = library.catalog
    ids = put(catalog, *(_picture(n) for n in range(1, PICTURES + 1)))
    albums = {number: number.to_bytes(16) for number in scene.albums}
    said = [Statement(ids[n - 1], "private", member) for n, member in scene.private.items()]
    for number, (parent, named, _, smart) in scene.albums.items():
        said.append(Statement(albums[number], DESCRIPTION, "x"))
        said += [Statement(albums[number], NAME, f"Album {number}")] if named else []
        said += [Statement(albums[number], PARENT, albums[parent].hex())] if parent is not None else []
        said += [Statement(albums[number], QUERY, codec.to_json(Query()))] if smart else []
    said += [Statement(ids[n - 1], MEMBER, 1, albums[album].hex()) for album, n in sorted(scene.members)]
    said += [Statement(albums[n], DELETED, True) for n, (_, _, deleted, _) in scene.albums.items() if deleted]
    if said:
        catalog.say(said, author="the scene")
    with catalog.transaction(durable=False) as db:
        db.execute("DELETE FROM grants")
        for (member, album), role in scene.grants.items():
            number = db.execute("SELECT album FROM albums WHERE id = ?", (albums[album],)).get if album else 0
            db.execute("INSERT INTO grants VALUES (?, ?, ?)", (member, number, role))
        db.execute("UPDATE library SET changes = changes + 1")
    return Made(
        library,
        {n: format_id(ids[n - 1]) for n in range(1, PICTURES + 1)},
        {n: format_id(own) for n, own in albums.items()},
    )


def _picture(n: int) -> Content:
    date = TakenAt(at=n * DAY, source="exif", confidence=0.9)
    known = content(n, keywords=("all", f"tag {n}"), dates=(date,), latitude=10.0, longitude=-30.0 + n)
    assert known.derived is not None
    return replace(known, derived=replace(known.derived, thumbhash=bytes(range(25))))
