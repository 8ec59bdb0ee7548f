"""What is asked of ZIP files."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

_ID = "6f1ed002-ab55-8591-9014-709e51c0d2c7"


class Wanted(BaseModel):
    """Pictures for a ZIP file: by their ids, or by a query, an album, or both."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"ids": [_ID]}, {"q": "lisbon 2021"}]})

    ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=100_000)] = []
    q: Annotated[str, Field(max_length=4_000, description="A query as text.")] = ""
    query: Annotated[dict[str, Any] | None, Field(description="The same as JSON, in place of `q`.")] = None
    album: Annotated[str | None, Field(max_length=1_000, description="Id, name or path of an album.")] = None
    name: Annotated[str, Field(max_length=100, description="What the file is called.")] = "pictures"
