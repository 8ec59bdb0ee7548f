"""What tests of reading share: the library's pictures, one that somebody hides, answers that match their model."""

from __future__ import annotations

from typing import Any

import httpx
from pydantic import BaseModel

from imager import access, editing
from imager.library import Library
from imager.organise import albums
from tests.server.conftest import Client

READERS = ("owner", "ed", "vic")

HIDDEN = "secretgarden"
"""A word, a tag and a camera that only the hidden picture has."""

EVERYWHERE = [
    "/api/v1/assets/{id}",
    "/api/v1/assets/{id}/history",
    "/api/v1/assets/{id}/thumbnail",
    "/api/v1/assets/{id}/preview",
    "/api/v1/assets/{id}/original",
]
"""Addresses of one picture."""


def ids(library: Library) -> list[str]:
    """The pictures' ids, newest first."""
    return [hit.id for hit in library.search("").hits]


def hide(library: Library, asset: str, member: str = "ed") -> None:
    """Give a picture words, a tag, an album and a place of its own, and make it the private picture of a member."""
    number = library.find(asset)
    library.tag(asset, HIDDEN)
    library.set(asset, "caption", f"{HIDDEN} at night")
    library.set(asset, "position", "12.5,98.5")
    library.set(asset, "taken_at", "1999-09-09T09:09:09")
    editing.say(library.catalog, [number], "private", True, author=member)
    assert library.sees(asset) is None
    assert library.asked_by(access.Principal(member)).sees(asset) is not None


def share_album(library: Library, asset: str, member: str) -> str:
    """An album with one picture in it that a member sees, who sees nothing else."""
    album, _ = library.create_album("Shared")
    library.add_to_album(album, asset)
    access.grant(library.catalog, member, "viewer", album=albums.find(library.catalog, album).number)
    return album


def told(answer: httpx.Response, model: type[BaseModel]) -> Any:
    """What an answer says in JSON, which is all that its description says and nothing else."""
    assert answer.status_code == 200, answer.text
    value = answer.json()
    model.model_validate(value, extra="forbid", strict=True)
    missing = {name for name, field in model.model_fields.items() if field.is_required()} - value.keys()
    assert not missing
    return value


def problem(answer: httpx.Response, status: int, kind: str) -> Any:
    """What a problem says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    value = answer.json()
    assert (value["status"], value["type"]) == (status, f"/problems/{kind}")
    return value


def again(client: httpx.Client, address: str, first: httpx.Response) -> httpx.Response:
    """The same request, by a client that has the answer."""
    return client.get(address, headers={"If-None-Match": first.headers["etag"]})


def everybody(client: Client) -> dict[str, httpx.Client]:
    """A client for each who reads."""
    return {member: client(member) for member in READERS}
