"""Members, their sessions and keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["viewer", "editor", "owner"]
Scope = Literal["read", "write", "upload", "share", "manage"]
MemberName = Annotated[
    str,
    Field(description="Small letters, digits, dots, dashes and underscores.", pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$"),
]
Password = Annotated[str, Field(min_length=1, max_length=1_000, json_schema_extra={"format": "password"})]
NewPassword = Annotated[str, Field(min_length=10, max_length=1_000, json_schema_extra={"format": "password"})]


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignIn(_Given):
    """Who signs in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"member": "anna", "password": "a few plain words"}]})
    member: Annotated[str, Field(min_length=1, max_length=63)]
    password: Password


class ChangePassword(_Given):
    """Another password."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"current": "a few plain words", "new": "some other plain words"}]}
    )
    current: Password | None = Field(default=None, description="The one that holds, where there is one.")
    new: NewPassword


class SetPassword(_Given):
    """A password."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"password": "a few plain words"}]})
    password: NewPassword


class Me(BaseModel):
    """Who asks."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "member": "anna",
                    "name": "Anna",
                    "role": "owner",
                    "kind": "session",
                    "id": "5f2b7c1d9e8a4b60",
                    "scopes": ["manage", "read", "share", "upload", "write"],
                    "password": True,
                }
            ]
        }
    )
    member: str
    name: str
    role: Role | None = Field(description="On the library; roles on albums are the albums'.")
    kind: Literal["local", "session", "key", "link"]
    id: str = Field(description="Of the session or key.")
    scopes: list[Scope]
    password: bool = Field(description="Whether the member has a password.")


class SessionInfo(BaseModel):
    """A session of who asks."""

    id: str
    created: datetime
    seen: datetime = Field(description="When it was last used, to some minutes.")
    expires: datetime = Field(description="When it ends, unless it is used before.")
    agent: str = Field(description="What the browser called itself.")
    current: bool = Field(description="Whether it is the one that asks.")


class Sessions(BaseModel):
    """The sessions of who asks, the last used first."""

    sessions: list[SessionInfo]


class NewMember(_Given):
    """A member to be."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"member": "ben", "name": "Ben", "role": "viewer", "password": None}]}
    )
    member: MemberName
    name: Annotated[str, Field(max_length=100)] | None = None
    role: Role | None = Field(default=None, description="On the library; none: only what is given on albums.")
    password: NewPassword | None = Field(default=None, description="None: they come in by a one-time link.")


class ChangeMember(_Given):
    """What is to be otherwise; what is not named stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "editor"}]})
    name: Annotated[str, Field(max_length=100)] | None = None
    role: Role | Literal["none"] | None = Field(default=None, description="'none' takes the role away.")
    disabled: bool | None = None


class Member(BaseModel):
    """A member of the library. Only owners learn more than name and role."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "member": "ben",
                    "name": "Ben",
                    "role": "viewer",
                    "password": True,
                    "disabled": False,
                    "created": "2026-05-01T12:00:00Z",
                }
            ]
        }
    )
    member: str
    name: str
    role: Role | None
    password: bool | None = Field(default=None, description="Whether they have one.")
    disabled: bool | None = None
    created: datetime | None = None


class Members(BaseModel):
    """Everybody who has an account, the oldest first."""

    members: list[Member]


class Link(BaseModel):
    """A link that signs a member in, once and soon."""

    path: str = Field(description="Below the address at which this server is known.", examples=["/open?token=…"])
    expires: datetime


class NewKey(_Given):
    """An API key to be."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "backup", "scopes": ["read"], "expires": "2027-01-01T00:00:00Z"}]}
    )
    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=10)]
    expires: datetime | None = Field(default=None, description="None: it holds until it is revoked.")


class KeyInfo(BaseModel):
    """An API key of who asks."""

    id: str
    name: str
    scopes: list[Scope]
    created: datetime
    expires: datetime | None
    seen: datetime | None = Field(description="When it was last used, to some minutes.")


class MadeKey(KeyInfo):
    """A new API key."""

    key: str = Field(description="The key itself. It is told only now.", examples=["imager_…"])


class Keys(BaseModel):
    """The API keys of who asks, the newest first."""

    keys: list[KeyInfo]
