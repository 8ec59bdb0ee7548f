"""Idempotency keys: sent again, done once."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from imager.library import Library
from imager.server import idempotency
from imager.server.settings import Settings
from tests.catalog.libraries import Wall
from tests.server.client import Served
from tests.server.conftest import Client

ALBUMS = "/api/v1/albums"


@pytest.fixture
def wall() -> Wall:
    return Wall(1_900_000_000_000)


@pytest.fixture
def settings(settings: Settings, wall: Wall) -> Settings:
    return replace(settings, now=wall)


@pytest.fixture
def library(library: Library, wall: Wall) -> Library:
    """The test's own connection, by the same clock as the server's."""
    library.catalog.now = wall
    return library


def make(asked: httpx.Client, name: str = "Trips", key: str | None = "one") -> httpx.Response:
    return asked.post(ALBUMS, json={"name": name}, headers={} if key is None else {idempotency.HEADER: key})


def made(library: Library) -> list[str]:
    return [album["name"] for album in library.albums()]


def test_a_request_that_is_sent_again_is_done_once_and_answered_alike(client: Client, library: Library) -> None:
    ed = client("ed")
    first, again = make(ed), make(ed)
    assert (first.status_code, first.headers.get(idempotency.REPLAYED)) == (201, None)
    assert (again.status_code, again.headers[idempotency.REPLAYED]) == (201, "true")
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert made(library) == ["Trips"]
    assert make(ed, key=None).status_code == 422, "without a key it is another request, and that name is taken"
    assert make(ed, key='"one"').json() == first.json(), "also written as a string of structured fields"


def test_another_request_under_the_same_key_is_refused(client: Client, library: Library) -> None:
    ed = client("ed")
    make(ed)
    other = make(ed, "Others")
    assert (other.status_code, other.json()["type"]) == (422, "/problems/idempotency-reused")
    elsewhere = ed.post("/api/v1/undo", json={"name": "Trips"}, headers={idempotency.HEADER: "one"})
    assert (elsewhere.status_code, elsewhere.json()["type"]) == (422, "/problems/idempotency-reused")
    assert made(library) == ["Trips"]


def test_keys_of_members_have_nothing_to_do_with_each_other(client: Client, library: Library) -> None:
    assert make(client("ed")).status_code == 201
    assert make(client("owner"), "Mine").status_code == 201
    assert make(client("vic")).status_code == 403
    assert make(client(None)).status_code == 401
    assert made(library) == ["Mine", "Trips"]


def test_a_key_that_may_no_longer_write_is_not_told_the_answer(client: Client) -> None:
    make(client("ed"))
    assert make(client("ed", scopes=("read",))).status_code == 403


def test_what_failed_may_be_tried_again(client: Client, library: Library) -> None:
    ed = client("ed")
    taken = make(ed, key=None)
    assert make(ed).status_code == 422, "the name is taken"
    ed.delete(f"{ALBUMS}/{taken.json()['album']['id']}")
    assert make(ed).status_code == 201
    assert made(library) == ["Trips"]


def test_of_many_at_the_same_time_one_is_done_and_all_are_answered(client: Client, library: Library) -> None:
    ed = client("ed")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: make(ed), range(16)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum(idempotency.REPLAYED in answer.headers for answer in answers) == 15
    assert made(library) == ["Trips"]


def test_undoing_under_a_key_takes_back_one_batch_only(client: Client, library: Library) -> None:
    ed = client("ed")
    one = ed.get("/api/v1/search").json()["hits"][0]["id"]
    for title in ("First", "Second"):
        ed.patch(f"/api/v1/assets/{one}", json={"title": title})
    for _ in range(3):
        ed.post("/api/v1/undo", json={}, headers={idempotency.HEADER: "undo"})
    assert library.show(one)["title"] == "First"


def test_a_day_later_a_key_is_new(client: Client, library: Library, wall: Wall) -> None:
    ed = client("ed")
    make(ed)
    wall.now += idempotency.KEPT - 1
    assert idempotency.REPLAYED in make(ed).headers
    wall.now += 2
    assert make(ed, "Others").status_code == 201
    assert made(library) == ["Others", "Trips"]
    wall.now += idempotency.KEPT + 1
    idempotency.forget_old(library)
    assert library.catalog.db.execute("SELECT count(*) FROM answers").get == 0


def test_nobody_is_told_that_it_was_done_where_the_server_died_meanwhile(client: Client, library: Library) -> None:
    ed = client("ed")
    make(ed)
    library.catalog.db.execute("UPDATE answers SET status = 0")  # as it stands while the request is answered
    answer = make(ed)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/idempotency-conflict")
    assert made(library) == ["Trips"]


def test_who_waits_too_long_for_another_is_told_so(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    ed = client("ed")
    monkeypatch.setattr(idempotency, "_PATIENCE", 0.01)

    async def hold() -> None:
        lock = asyncio.Lock()
        await lock.acquire()
        served.state.once._locks["ed", "one"] = lock, 1

    served.run(hold())
    answer = make(ed)
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/idempotency-conflict")


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "\u00e9"])
def test_what_is_no_key_is_refused(client: Client, library: Library, key: str) -> None:
    headers = [(idempotency.HEADER.encode(), key.encode("latin-1"))]
    answer = client("ed").post(ALBUMS, content=json.dumps({"name": "x"}), headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/idempotency-key")
    assert made(library) == []


def test_every_route_that_changes_something_takes_a_key(client: Client) -> None:
    paths = client("owner").get("/api/v1/openapi.json").json()["paths"]
    groups = (
        "/api/v1/assets/",
        "/api/v1/edits",
        "/api/v1/undo",
        "/api/v1/batch",
        ALBUMS,
        "/api/v1/trash",
        "/api/v1/scans",
    )
    unsafe = [
        operation
        for path, operations in paths.items()
        if path.startswith(groups)
        for method, operation in operations.items()
        if method in ("post", "put", "patch", "delete")
    ]
    assert len(unsafe) > 20
    for operation in unsafe:
        assert idempotency.HEADER in [parameter["name"] for parameter in operation["parameters"]]
