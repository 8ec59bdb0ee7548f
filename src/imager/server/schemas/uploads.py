"""What is said and answered about uploads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{64}$")]

_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_UPLOAD: JsonDict = {
    "id": "5b0c5e0f2f7c4c1f8a0e0c6d1f0f6a11",
    "name": "IMG_2041.jpg",
    "state": "done",
    "bytes": 3145728,
    "received": 3145728,
    "asset": "9f86d081-884c-8d65-9a2f-eaa0c55ad015",
    "problem": None,
    "created": "2026-11-22T10:15:00Z",
    "expires": "2026-11-23T10:15:04Z",
}


class Upload(BaseModel):
    """An upload, and what became of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_UPLOAD]})

    id: str = Field(description="Its id; its address is /api/v1/uploads/{id}.")
    name: str = Field(description="The name that the client gave the file.")
    state: Literal["uploading", "waiting", "done", "failed"] = Field(
        description="'uploading': bytes are missing; 'waiting': all are there and safe, the library takes them in; "
        "'done': see `asset`; 'failed': see `problem`."
    )
    bytes: int = Field(description="Bytes of the whole file.")
    received: int = Field(description="Bytes that are safely on the disk of the server.")
    asset: str | None = Field(description="The picture that it became.")
    problem: str | None = Field(description="Why it became none, for people.")
    created: datetime
    expires: datetime = Field(description="When it is forgotten; a picture that it became stays.")

    @classmethod
    def of(cls, known: dict[str, Any]) -> Upload:
        """One as `table.Upload.described` gives it."""
        times = {name: datetime.fromtimestamp(known[name] / 1000, UTC) for name in ("created", "expires")}
        return cls(**known | times)


class Uploads(BaseModel):
    """Several uploads."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"uploads": [_UPLOAD]}]})

    uploads: list[Upload]


class Known(BaseModel):
    """Files that a client is about to send."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sha256": [_HASH]}]})

    sha256: Annotated[list[Sha256], Field(max_length=1_000, description="The SHA-256 of each, in hexadecimal.")]


class Held(BaseModel):
    """Those of them that need not be sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"known": [_HASH]}]})

    known: list[str] = Field(description="What you have in the library, of what was asked. Others' pictures never are.")
