"""What there is to be read through GraphQL: the objects of the JSON API, by the same names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NewType, TypeVar

import strawberry
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

Long = NewType("Long", int)

CONFIG = StrawberryConfig(
    auto_camel_case=False,
    scalar_map={
        Long: strawberry.scalar(name="Long", description="A whole number below 2⁵³.", serialize=int, parse_value=int)
    },
)

T = TypeVar("T")


def of(kind: type[T], known: Mapping[str, Any]) -> T:
    """An object of a type from what JSON says of it; the type's fields that look more up are left to themselves."""
    return kind(**{f.name: known.get(f.name) for f in fields(kind) if f.init})  # type: ignore[arg-type]


@strawberry.type(description="Where on earth, in words.")
class Place:
    """As in `schemas.assets`, like those below."""

    name: str | None
    city: str | None
    region: str | None
    country: str | None
    country_code: str | None


@strawberry.type(description="A tag; the levels of a hierarchy are joined by '|'.")
class Tag:
    """A tag that a picture has."""

    name: str
    source: str


@strawberry.type(description="An album that the picture was put into.")
class AlbumName:
    """An album, by name."""

    id: strawberry.ID
    name: str


@strawberry.type(description="Somebody in the picture.")
class Person:
    """A face or a pet that has a name."""

    name: str
    kind: str
    box: list[float] = strawberry.field(description="Left, top, width, height in fractions of the picture.")
    source: str


@strawberry.type(description="A dominant colour.")
class Colour:
    """A dominant colour."""

    name: str
    lab: list[float] = strawberry.field(description="OKLab: L, a, b.")
    share: float


@strawberry.type(description="A place on the server's disk; told to owners of the library alone.")
class File:
    """A file of a picture."""

    path: str
    state: str


@strawberry.type(description="Contents that are, or were, this picture.")
class Version:
    """A version of a picture."""

    id: strawberry.ID
    sha256: str
    mime: str | None
    bytes: Long | None
    shown: bool


@strawberry.type(description="All that is known of a picture. What nobody knows is null.")
class Asset:
    """A picture."""

    id: strawberry.ID
    sha256: str
    v: str = strawberry.field(description="For addresses of its derivatives that never change: '?v='.")
    state: str
    kind: str
    mime: str | None
    bytes: Long | None
    files: list[File]
    versions: list[Version]
    width: int | None
    height: int | None
    duration: float | None
    taken_at: str
    taken_at_utc: str | None
    taken_at_source: str | None
    time_zone: str | None
    latitude: float | None
    longitude: float | None
    altitude: float | None
    place: Place | None
    make: str | None
    model: str | None
    lens: str | None
    iso: int | None
    f_number: float | None
    exposure_time: float | None
    focal_length: float | None
    rating: int | None
    title: str | None
    caption: str | None
    favourite: bool
    private: str | None
    description: str | None
    creator: str | None
    copyright: str | None
    tags: list[Tag]
    albums: list[AlbumName]
    people: list[Person]
    colours: list[Colour]
    edited: list[str]
    problems: list[str]
    metadata: JSON = strawberry.field(description="What the file itself says, as it says it.")

    @classmethod
    def shown(cls, known: Mapping[str, Any]) -> Asset:
        """From what the library shows of it."""
        parts: dict[str, type] = {"files": File, "versions": Version, "tags": Tag, "albums": AlbumName}
        parts |= {"people": Person, "colours": Colour}
        lists: dict[str, list[Any]] = {name: [of(kind, one) for one in known[name]] for name, kind in parts.items()}
        place = None if known["place"] is None else of(Place, known["place"])
        return of(cls, {**known, **lists, "place": place, "v": known["sha256"][:16]})


@strawberry.type(description="A piece of what was typed, as it was understood.")
class Chip:
    """A chip."""

    kind: str
    text: str
    start: int | None
    end: int | None
    instead_of: str | None


@strawberry.type(description="One value, how many pictures have it, and what to add to the search for just those.")
class FacetValue:
    """A value of a facet."""

    value: str
    count: int
    query: str | None


@strawberry.type(description="How all hits divide by one thing.")
class Facet:
    """A facet."""

    name: str
    values: list[FacetValue]


@strawberry.type(description="What a picture was found by.")
class Why:
    """A reason."""

    channel: str
    field: str | None
    words: list[str] | None
    colour: str | None
    share: float | None


@strawberry.type(description="How many pictures were taken in a month ('2021-08'), on a day, or in a year.")
class Count:
    """A bar of a chart."""

    value: str
    count: int


@strawberry.type(description="What is seen of the library, in figures.")
class Stats:
    """Figures."""

    pictures: int
    missing: int
    trashed: int
    failed: int | None
    albums: int
    bytes: Long
    located: int
    favourites: int
    captioned: int
    edited: int
    first: str | None
    last: str | None
    years: list[Count]
    cameras: list[Count]
    lenses: list[Count]
    countries: list[Count]
    places: list[Count]
    tags: list[Count]
    people: list[Count]
    kinds: list[Count]
    colours: list[Count]
    ratings: list[Count]
    library: str | None

    @classmethod
    def counted(cls, figures: Mapping[str, Any]) -> Stats:
        """From the figures of the library."""
        lists = {n: [of(Count, one) for one in value] for n, value in figures.items() if isinstance(value, list)}
        return of(cls, {**figures, **lists})
