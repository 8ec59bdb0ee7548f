"""What is said of pictures: requests, and the batch under which it is taken back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from imager.editing import FIELDS
from imager.server.asked import EXAMPLE_JSON, LONGEST_TEXT
from imager.server.schemas.assets import Asset

ID = "6f1ed002-ab55-8591-9014-709e51c0d2c7"
BATCH = "0197d1d1a2b3c-0000-5f1c2d3e4a5b"
_OTHER = "0a8f3b10-77f1-8a6e-8b1c-1f6f7a3c9d21"

MOST_IDS = 50_000
"""Pictures that one batch names; a query has no limit."""

MOST_EDITS = 500
"""Pictures in one request that is answered when it is done."""

_LONGEST = 100_000  # characters of a text that is said

Id = Annotated[str, Field(max_length=60, description="Id of a picture.", examples=[ID])]
Text = Annotated[str, Field(max_length=_LONGEST)]
TagName = Annotated[str, Field(min_length=1, max_length=1_000, description="`Animals|Dogs` is a tag within another.")]


class Values(BaseModel):
    """What is said of a picture. Only what stands in the request is said; null: as found in the file again."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"title": "Evening at the harbour", "rating": 4, "caption": None}]},
    )

    title: Text | None = None
    caption: Text | None = None
    creator: Text | None = None
    copyright: Text | None = None
    rating: Annotated[int, Field(strict=True, ge=-1, le=5)] | None = Field(
        default=None, description="0 to 5 stars, or -1: rejected."
    )
    favourite: bool | None = None
    taken_at: Annotated[str, Field(max_length=60)] | None = Field(
        default=None,
        description="ISO 8601; with an offset from UTC or without.",
        examples=["2021-07-04T15:30:00+02:00"],
    )
    position: tuple[float, float] | None = Field(
        default=None, description="Latitude and longitude in degrees (WGS 84).", examples=[[48.8584, 2.2945]]
    )
    trashed: bool | None = None
    private: bool | None = Field(default=None, description="True: only the asker sees it from now on.")

    def said(self) -> dict[str, Any]:
        """The fields that stand in the request, with their values."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class EditOf(BaseModel):
    """What is said of one picture of several."""

    model_config = ConfigDict(extra="forbid")

    id: Id
    values: Values = Field(default_factory=Values, validation_alias="set", serialization_alias="set")
    tag: list[TagName] = Field(default=[], max_length=100, description="Tags that it is given.")
    untag: list[TagName] = Field(default=[], max_length=100, description="Tags that are taken away, whoever gave them.")


class Edits(BaseModel):
    """What is said of several pictures: all of it, or nothing."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"edits": [{"id": ID, "set": {"rating": 4}, "tag": ["Harbour"]}, {"id": _OTHER, "untag": ["Sea"]}]}
            ]
        },
    )

    edits: list[EditOf] = Field(min_length=1, max_length=MOST_EDITS)


class Said(BaseModel):
    """It was said, under this name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"batch": BATCH}]})

    batch: str = Field(description="For `undo`.")


class Edited(BaseModel):
    """It was said: the batch, and all that is known of the picture now."""

    batch: str = Field(description="For `undo`.", examples=[BATCH])
    asset: Asset = Field(description="The picture as it is now.")


class Undo(BaseModel):
    """Which batch is taken back."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"batch": BATCH}, {}]})

    batch: Annotated[str, Field(max_length=60)] | None = Field(
        default=None, description="The name of a batch, or of one edit; of an undo: redo. None: the asker's last."
    )


class Undone(BaseModel):
    """What was taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"undone": BATCH}]})

    undone: str = Field(description="The batch that was taken back.")


class Other(BaseModel):
    """Another picture, which is the same."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"other": _OTHER}]})

    other: Id


class Rating(BaseModel):
    """A rating."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"rating": 4}]})

    rating: int = Field(strict=True, ge=-1, le=5, description="0 to 5 stars, or -1: rejected.")


class Pictures(BaseModel):
    """Pictures, by their ids or by a query."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ids": [ID]}, {"query": "tag:harbour"}]})

    ids: list[Id] | None = Field(default=None, min_length=1, max_length=MOST_IDS)
    query: Annotated[str, Field(max_length=LONGEST_TEXT)] | dict[str, Any] | None = Field(
        default=None, description="All that this finds, as text or as JSON.", examples=["tag:harbour", EXAMPLE_JSON]
    )

    @model_validator(mode="after")
    def _one_of(self) -> Pictures:
        if (self.ids is None) == (self.query is None):
            raise ValueError("say either 'ids' or 'query'")
        return self


class Batch(Pictures):
    """The same said of many pictures."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"query": "tag:harbour", "action": "set", "field": "rating", "value": 4},
                {"ids": [ID, _OTHER], "action": "tag", "tags": ["Portugal"]},
                {"query": "date:2021", "action": "album_add", "album": "2d0c1f6e-0a0b-4c3d-9e8f-112233445566"},
            ]
        },
    )

    action: Literal["set", "tag", "untag", "trash", "restore", "album_add", "album_remove", "private"]
    field: str | None = Field(default=None, description=f"Of `set`: one of {', '.join(FIELDS)}.", max_length=40)
    value: Any = Field(
        default=None, description="Of `set`: its value, null: as found. Of `private`: false shows again."
    )
    tags: list[TagName] = Field(default=[], max_length=100, description="Of `tag` and `untag`.")
    album: Annotated[str, Field(max_length=60)] | None = Field(
        default=None, description="Of `album_add` and `album_remove`: its id."
    )
