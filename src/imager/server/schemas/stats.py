"""A library in figures."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Divided(BaseModel):
    """One value, and how many pictures have it."""

    value: str
    count: int


class Stats(BaseModel):
    """What the asker sees of the library, in figures; of pictures that are present, unless it says otherwise."""

    pictures: int
    missing: int = Field(description="Pictures whose files are gone.")
    trashed: int
    failed: int | None = Field(description="Files that could not be read: told to owners of the library alone.")
    albums: int
    bytes: int = Field(description="Size of all files that are shown.")
    located: int = Field(description="Pictures with a position.")
    favourites: int
    captioned: int
    edited: int
    first: str | None = Field(description="When the oldest was taken.")
    last: str | None = Field(description="When the newest was taken.")
    years: list[Divided]
    cameras: list[Divided]
    lenses: list[Divided]
    countries: list[Divided]
    places: list[Divided]
    tags: list[Divided]
    people: list[Divided]
    kinds: list[Divided]
    colours: list[Divided]
    ratings: list[Divided]
    library: str | None = Field(description="The folder of the library: told to its owners alone.")
