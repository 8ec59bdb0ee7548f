"""What is said and answered about share links, to who makes them and to who visits them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

_ID = "6f1ed002-ab55-8591-9014-709e51c0d2c7"
_SHARE: JsonDict = {
    "id": "c0ffee12ab34cd56",
    "name": "Lisbon",
    "album": "0b9d3c1e-58cf-4f0b-9d5b-1f3c5f1e7a10",
    "pictures": None,
    "password": True,
    "download": True,
    "details": False,
    "created": "2026-11-22T10:15:00Z",
    "expires": "2026-12-24T00:00:00Z",
    "revoked": False,
}
_PICTURE: JsonDict = {
    "id": _ID,
    "width": 4000,
    "height": 3000,
    "kind": "image",
    "duration": None,
    "thumbhash": "3OcRJYB4d3h/iIeHeEh3eIhw+j3A",
    "v": "6f1ed002ab559591",
    "details": None,
}

Name = Annotated[str, Field(max_length=200)]
SharePassword = Annotated[str, Field(min_length=4, max_length=1_000, json_schema_extra={"format": "password"})]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewShare(_Given):
    """A link to be made, to an album or to some pictures."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"ids": [_ID], "name": "Lisbon", "password": "pastel de nata"}]},
    )

    album: Annotated[str | None, Field(max_length=1_000, description="Id, name or path of an album.")] = None
    ids: Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=10_000)] = []
    name: Name = ""
    password: SharePassword | None = None
    expires: datetime | None = Field(default=None, description="When it ends; without: when it is revoked.")
    download: bool = Field(default=False, description="Whether originals may be had, too, one by one and as a ZIP.")
    details: bool = Field(default=False, description="Whether date, place, camera, words and file names are shown.")


class ChangedShare(_Given):
    """What is to be otherwise about a link; what is not named stays."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"password": None, "download": True}]})

    name: Name | None = None
    password: SharePassword | None = Field(default=None, description="null: none from now on.")
    expires: datetime | None = Field(default=None, description="null: it does not end by itself.")
    download: bool | None = None
    details: bool | None = None
    revoked: bool | None = Field(default=None, description="true ends it for ever.")


class ShareInfo(BaseModel):
    """A link of yours. Its address is not known any more."""

    model_config = ConfigDict(json_schema_extra={"examples": [_SHARE]})

    id: str
    name: str
    album: str | None
    pictures: int | None = Field(description="How many were chosen, of a selection.")
    password: bool
    download: bool
    details: bool
    created: datetime
    expires: datetime | None
    revoked: bool


class Shares(BaseModel):
    """Links of yours."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"shares": [_SHARE]}]})

    shares: list[ShareInfo]


class MadeShare(ShareInfo):
    """A link that was just made, with the address that is told this once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [_SHARE | {"token": "Zk3…", "path": "/api/v1/shared/Zk3…", "url": "https://photos.example/…"}]
        }
    )

    token: str = Field(description="The secret; kept nowhere.")
    path: str = Field(description="The address of the link, on this server.")
    url: str = Field(description="The same in full, as you reach this server.")


class Password(_Given):
    """The password of a link."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"password": "pastel de nata"}]})

    password: Annotated[str, Field(min_length=1, max_length=1_000, json_schema_extra={"format": "password"})]


class SharedInfo(BaseModel):
    """What a link shows."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Lisbon", "count": 42, "download": True, "details": False}]}
    )

    name: str
    count: int
    download: bool
    details: bool
    expires: datetime | None = None


class SharedPicture(BaseModel):
    """A picture behind a link."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PICTURE]})

    id: str
    width: int | None
    height: int | None
    kind: str
    duration: float | None
    thumbhash: str | None = Field(description="A blur of it, in base64.")
    v: str = Field(description="Changes with what it shows.")
    details: dict[str, Any] | None = Field(description="What is known of it, of a link with details.")


class SharedPage(BaseModel):
    """A page of pictures behind a link, in their order."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"pictures": [_PICTURE], "next": None}]})

    pictures: list[SharedPicture]
    next: str | None = Field(description="Take it as `after` for the next page.")
