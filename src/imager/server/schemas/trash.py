"""The trash."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator

from imager.server.schemas.edits import ID, Id
from imager.server.schemas.search import SearchPage


class TrashPage(SearchPage):
    """Some of the pictures in the trash, newest first."""

    days: int | None = Field(description="After how many days they are erased from the library; null: never.")


class Purge(BaseModel):
    """Which pictures in the trash are erased: these, or all that have been in it for so many days (0: all)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ids": [ID]}, {"days": 0}]})

    ids: list[Id] | None = Field(default=None, min_length=1, max_length=10_000)
    days: int | None = Field(default=None, ge=0, le=100_000)

    @model_validator(mode="after")
    def _one_of(self) -> Purge:
        if (self.ids is None) == (self.days is None):
            raise ValueError("say either 'ids' or 'days'")
        return self
