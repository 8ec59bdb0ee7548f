"""Albums: as a tree, one with its pictures, and what is said of them."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, model_validator

from imager.server.asked import EXAMPLE_JSON, LONGEST_TEXT
from imager.server.schemas.edits import BATCH, ID, Id, Pictures

_ALBUM = "2d0c1f6e-0a0b-4c3d-9e8f-112233445566"
_SHOWN: Final[dict[str, JsonValue]] = {
    "id": _ALBUM,
    "name": "Portugal",
    "path": ["Trips", "Portugal"],
    "description": "August 2021",
    "smart": False,
    "query": None,
    "count": 120,
    "cover": ID,
}


def _named(name: str) -> str:
    if not any(unicodedata.category(c)[0] not in "CZ" for c in name):
        raise ValueError("an album needs a name")
    return name


Name = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_named)]
AlbumRef = Annotated[str, Field(max_length=60, examples=[_ALBUM])]
QueryOf = Annotated[
    Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)] | dict[str, Any],
    Field(description="As text or as JSON.", examples=["tag:harbour", EXAMPLE_JSON]),
]


class Album(BaseModel):
    """An album."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SHOWN]})

    id: str
    name: str
    path: list[str] = Field(description="Names, from the top down to its own.")
    description: str | None
    smart: bool = Field(description="Whether it shows what a query finds.")
    query: str | None = Field(description="Of a smart one, as people type it; null also where no text says it.")
    count: int | None = Field(description="How many pictures it shows the asker.")
    cover: str | None = Field(description="The picture that stands for it.")


class Albums(BaseModel):
    """All albums that the asker sees, each followed by what is nested in it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"albums": [_SHOWN]}]})

    albums: list[Album]


class InAlbum(BaseModel):
    """A picture in an album."""

    id: str
    v: str | None = Field(description="For addresses of its derivatives that never change: `?v=`.")
    path: str | None = Field(description="Of a file of it: told to owners of the library alone.")


class AlbumPage(Album):
    """An album with some of its pictures, in its order."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [_SHOWN | {"pictures": [{"id": ID, "v": "6f1ed002ab559585", "path": None}], "next": None}]
        }
    )

    pictures: list[InAlbum]
    next: str | None = Field(description="For `after`: the pictures that follow.")


class NewAlbum(BaseModel):
    """An album that is to be."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Portugal", "parent": _ALBUM}, {"name": "Best", "query": "rating:5"}]},
    )

    name: Name
    parent: AlbumRef | None = Field(default=None, description="The album in which it is nested; none: at the top.")
    query: QueryOf | None = Field(default=None, description="It shows what this finds, always anew.")
    description: Annotated[str, Field(max_length=10_000)] = ""


class Made(BaseModel):
    """An album was made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"album": _SHOWN, "batches": [BATCH]}]})

    album: Album
    batches: list[str] = Field(description="For `undo`, from the last to the first.")


class AlbumChange(BaseModel):
    """What is said of an album. Only what stands in the request is said."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"name": "Portugal 2021", "cover": ID}, {"parent": None}, {"query": "rating:5"}]
        },
    )

    name: Name | None = None
    description: Annotated[str, Field(max_length=10_000)] | None = Field(default=None, description="Null: none.")
    cover: Id | None = Field(default=None, description="The picture that stands for it; null: its first.")
    query: QueryOf | None = Field(default=None, description="What it shows; null: what was put into it.")
    parent: AlbumRef | None = Field(default=None, description="Where it is nested; null: at the top.")
    before: AlbumRef | None = Field(default=None, description="It stands before this album there.")
    after: AlbumRef | None = Field(default=None, description="It stands after this album there.")

    @model_validator(mode="after")
    def _makes_sense(self) -> AlbumChange:
        if not self.model_fields_set:
            raise ValueError("say at least one thing")
        if "name" in self.model_fields_set and self.name is None:
            raise ValueError("an album needs a name")
        if self.before is not None and self.after is not None:
            raise ValueError("say either 'before' or 'after'")
        return self


class Members(Pictures):
    """Pictures that are to be in an album, or not to be in it, by their ids or by a query."""


class Changed(BaseModel):
    """It was said, under this name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"batch": BATCH}]})

    batch: str | None = Field(description="For `undo`; null: nothing had to be said.")


class Place(BaseModel):
    """Where in its album a picture is put: before or after another one."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"before": ID}]})

    before: Id | None = None
    after: Id | None = None

    @model_validator(mode="after")
    def _one_of(self) -> Place:
        if (self.before is None) == (self.after is None):
            raise ValueError("say either 'before' or 'after'")
        return self
