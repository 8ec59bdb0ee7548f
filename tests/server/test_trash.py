"""The trash over HTTP: what is in it, how long, and its end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from imager.library import Library
from imager.server import trash
from imager.server.schemas.search import SearchPage
from imager.server.schemas.trash import TrashPage
from imager.server.settings import Settings
from imager.server.upkeep import Upkeep
from tests.catalog.libraries import Wall
from tests.server.client import Served
from tests.server.conftest import PICTURES, Client

TRASH = "/api/v1/trash"


@pytest.fixture
def wall() -> Wall:
    return Wall(2_000_000_000_000)


@pytest.fixture
def settings(settings: Settings, wall: Wall) -> Settings:
    return replace(settings, now=wall, trash_days=10)


@pytest.fixture
def library(library: Library, wall: Wall) -> Library:
    """The test's own connection, by the same clock as the server's."""
    library.catalog.now = wall
    return library


def ids_of(asked: httpx.Client) -> list[str]:
    return [hit["id"] for hit in asked.get("/api/v1/search").json()["hits"]]


def in_trash(asked: httpx.Client) -> list[str]:
    page = asked.get(TRASH).json()
    TrashPage.model_validate(page)
    return [hit["id"] for hit in page["hits"]]


def purged(served: Served, asked: httpx.Client, **said: Any) -> dict[str, Any]:
    answer = asked.post(f"{TRASH}/purge", json=said)
    assert answer.status_code == 202, answer.text
    served.run(served.state.jobs.over(answer.json()["id"]))
    job: dict[str, Any] = asked.get(answer.headers["location"]).json()
    return job


def test_the_trash_is_shown_as_a_search_is(client: Client) -> None:
    ed = client("ed")
    ids = ids_of(ed)
    for one in ids[:3]:
        ed.post(f"/api/v1/assets/{one}/trash")
    assert ids_of(ed) == ids[3:]
    page = ed.get(TRASH, params={"limit": 2}).json()
    SearchPage.model_validate({name: value for name, value in page.items() if name != "days"})
    assert (page["total"], page["days"]) == (3, 10)
    rest = ed.get(TRASH, params={"limit": 2, "after": page["next"]}).json()
    assert [hit["id"] for hit in page["hits"] + rest["hits"]] == ids[:3]
    assert rest["next"] is None
    assert in_trash(client("stranger")) == []
    assert client(None).get(TRASH).status_code == 401


def test_private_pictures_of_others_are_not_in_the_trash_that_one_sees(client: Client, library: Library) -> None:
    owner, ed = client("owner"), client("ed")
    one = ids_of(owner)[0]
    library.set_private(one)
    library.set(one, "trashed", True)
    assert in_trash(owner) == [one]
    assert (in_trash(ed), ed.get(TRASH).json()["total"]) == ([], 0)
    assert ed.delete(f"/api/v1/assets/{one}/trash").status_code == 404


def test_owners_erase_what_is_in_the_trash_and_files_stay(
    served: Served, client: Client, library: Library, made_once: Path
) -> None:
    owner = client("owner")
    one, two, *rest = ids_of(owner)
    for trashed in (one, two):
        owner.post(f"/api/v1/assets/{trashed}/trash")
    assert owner.post(f"{TRASH}/purge", json={"ids": [rest[0]]}).status_code == 404, "it is not in the trash"
    job = purged(served, owner, ids=[one])
    assert (job["state"], job["result"]) == ("done", {"erased": 1, "skipped": 0})
    assert in_trash(owner) == [two]
    assert owner.get(f"/api/v1/assets/{one}").status_code == 404
    assert purged(served, owner, days=0)["result"]["erased"] == 0, "it has been in it for no time"
    assert len(list((made_once / "photos").iterdir())) == PICTURES
    assert library.search("").total == PICTURES - 2


def test_only_owners_empty_the_trash(client: Client, library: Library) -> None:
    one = ids_of(client("owner"))[0]
    library.set(one, "trashed", True)
    for member, status in (("ed", 403), ("vic", 403), ("stranger", 403), (None, 401)):
        assert client(member).post(f"{TRASH}/purge", json={"ids": [one]}).status_code == status
    assert client("owner", scopes=("read", "write")).post(f"{TRASH}/purge", json={"days": 0}).status_code == 403
    assert client("owner").post(f"{TRASH}/purge", json={}).status_code == 422
    assert in_trash(client("owner")) == [one]


def test_only_what_was_in_the_trash_for_long_is_erased_by_itself(
    served: Served, client: Client, library: Library, wall: Wall
) -> None:
    ed = client("ed")
    old, again, private, young, *_ = ids_of(ed)
    for one in (old, again, private):
        library.set(one, "trashed", True)
    library.set_private(private)
    wall.now += 5 * trash.DAY
    library.set(again, "trashed", None)
    library.set(again, "trashed", True)  # five days later than the first time
    library.set(young, "trashed", True)
    wall.now += 5 * trash.DAY
    upkeep = Upkeep(served.state)
    served.run(upkeep.once())
    assert library.search("").total + len(in_trash(client("owner"))) == PICTURES, "ten days, and no more"
    wall.now += 1
    served.run(upkeep.once())
    assert sorted(in_trash(client("owner"))) == sorted([again, young])
    for gone in (old, private):
        assert client("owner").get(f"/api/v1/assets/{gone}").status_code == 404
    wall.now += 6 * trash.DAY
    served.run(upkeep.once())
    assert in_trash(client("owner")) == []
    assert library.search("").total == PICTURES - 4


def test_what_was_taken_out_meanwhile_is_not_erased(
    served: Served, client: Client, library: Library, wall: Wall
) -> None:
    one = ids_of(client("owner"))[0]
    library.set(one, "trashed", True)
    wall.now += 11 * trash.DAY
    number = library.find(one)
    assert trash.expired(library, days=10) == [number]
    library.set(one, "trashed", None)
    assert trash._erase_expired(library, some=[number], days=10) == 0
    assert trash._erase(library, some=[number]) == 0
    assert library.show(one)["state"] == "present"


@pytest.mark.parametrize("days", [0])
def test_without_retention_nothing_is_erased_by_itself(
    served: Served, client: Client, library: Library, wall: Wall, days: int
) -> None:
    served.state.settings = replace(served.state.settings, trash_days=days)
    one = ids_of(client("owner"))[0]
    library.set(one, "trashed", True)
    wall.now += 10_000 * trash.DAY
    served.run(Upkeep(served.state).once())
    assert client("owner").get(TRASH).json()["days"] is None
    assert library.show(one)["state"] == "trashed"
