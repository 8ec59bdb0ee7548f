"""Jobs: the same said of many pictures, stopped, cut off, undone; scans; who may know of them."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from imager.catalog.connection import fetch
from imager.catalog.identity import format_id
from imager.library import Library
from imager.server import batches
from imager.server.asking import SCOPES
from imager.server.auth import keys
from tests.catalog.libraries import content, put
from tests.pictures import jpeg
from tests.server.client import Served
from tests.server.conftest import PICTURES, Client, Process

TAGGED = """SELECT count(*) FROM tags AS t JOIN asset_tags AS x USING (tag) WHERE t.name = ?"""


def many(library: Library, count: int) -> list[str]:
    """So many pictures of which nobody has the files."""
    return [format_id(i) for i in put(library.catalog, *(content(f"many {n}") for n in range(count)))]


def tagged(library: Library, name: str) -> int:
    found: int = library.catalog.db.execute(TAGGED, (name,)).get
    return found


def batch(asked: httpx.Client, **said: Any) -> dict[str, Any]:
    answer = asked.post("/api/v1/batch", json=said)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    return job


def over(served: Served, asked: httpx.Client, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it is over."""
    served.run(served.state.jobs.over(job["id"]))
    known: dict[str, Any] = asked.get(f"/api/v1/jobs/{job['id']}").json()
    return known


def test_a_batch_of_2000_pictures_is_undone_in_one_go(served: Served, client: Client, library: Library) -> None:
    ed = client("ed")
    ids = many(library, 2_000)
    job = over(served, ed, batch(ed, ids=ids, action="tag", tags=["Many", "Of them|All"]))
    assert (job["state"], job["done"], job["total"]) == ("done", 2_000, 2_000)
    assert job["result"] == {"changed": 2_000, "skipped": 0}
    assert tagged(library, "Many") == tagged(library, "Of them|All") == 2_000
    assert {edit["batch"] for edit in library.history(ids[0]) + library.history(ids[-1])} == {job["batch"]}
    assert ed.post("/api/v1/undo", json={"batch": job["batch"]}).status_code == 200
    assert tagged(library, "Many") == tagged(library, "Of them|All") == 0


def test_everything_that_a_query_finds_is_changed(served: Served, client: Client, library: Library) -> None:
    ed = client("ed")
    for query in ("harbour", {"version": 1, "where": {"text": "harbour"}}):
        job = over(served, ed, batch(ed, query=query, action="set", field="rating", value=3))
        assert job["result"] == {"changed": PICTURES, "skipped": 0}
        assert ed.get("/api/v1/search", params={"q": "rating:3"}).json()["total"] == PICTURES
        ed.post("/api/v1/undo", json={"batch": job["batch"]})
        assert ed.get("/api/v1/search", params={"q": "rating:3"}).json()["total"] == 0


def test_pictures_go_into_the_trash_and_come_back_all_at_once(served: Served, client: Client) -> None:
    ed = client("ed")
    assert over(served, ed, batch(ed, query="harbour", action="trash"))["result"]["changed"] == PICTURES
    ids = [hit["id"] for hit in ed.get("/api/v1/trash").json()["hits"]]
    assert len(ids) == PICTURES
    assert over(served, ed, batch(ed, ids=ids, action="restore"))["result"]["changed"] == PICTURES
    assert ed.get("/api/v1/trash").json()["total"] == 0


def test_albums_are_filled_and_emptied_by_batches(served: Served, client: Client, library: Library) -> None:
    ed = client("ed")
    album = library.create_album("Trips")[0]
    first = ed.get("/api/v1/search").json()["hits"][0]["id"]
    library.add_to_album(album, first)
    job = over(served, ed, batch(ed, query="harbour", action="album_add", album=album))
    assert job["result"] == {"changed": PICTURES - 1, "skipped": 0}, "one was in it already"
    assert library.album(album)["count"] == PICTURES
    ed.post("/api/v1/undo", json={"batch": job["batch"]})
    assert library.album(album)["count"] == 1
    assert over(served, ed, batch(ed, query="harbour", action="album_remove", album=album))["result"]["changed"] == 1
    assert library.album(album)["count"] == 0


def test_what_one_may_not_change_is_skipped_and_counted(served: Served, client: Client, library: Library) -> None:
    owner, ed, vic = client("owner"), client("ed"), client("vic")
    hidden, *ids = [hit["id"] for hit in owner.get("/api/v1/search").json()["hits"]]
    library.set_private(hidden)
    job = over(served, ed, batch(ed, ids=[hidden, "0" * 32, "no id", *ids], action="tag", tags=["Seen"]))
    assert job["result"] == {"changed": len(ids), "skipped": 3}
    assert library.show(hidden)["tags"] == []
    job = over(served, vic, batch(vic, ids=ids, action="tag", tags=["Viewed"]))
    assert (job["result"], job["batch"]) == ({"changed": 0, "skipped": len(ids)}, None)
    job = over(served, ed, batch(ed, ids=ids, action="private"))
    assert job["result"] == {"changed": 0, "skipped": len(ids)}, "only owners take pictures from others"


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"action": "tag", "tags": ["x"]}, 422),
        ({"action": "tag", "tags": ["x"], "ids": [], "query": "x"}, 422),
        ({"action": "tag", "query": "x"}, 422),
        ({"action": "tag", "tags": ["|"], "query": "x"}, 422),
        ({"action": "set", "query": "x"}, 422),
        ({"action": "set", "query": "x", "field": "nothing"}, 422),
        ({"action": "set", "query": "x", "field": "rating", "value": 9}, 422),
        ({"action": "erase", "query": "x"}, 422),
        ({"action": "album_add", "query": "x", "album": "0" * 32}, 404),
        ({"action": "trash", "query": {"where": {"nothing": 1}}}, 422),
    ],
)
def test_what_can_not_be_done_is_said_at_once(client: Client, said: dict[str, Any], status: int) -> None:
    ed = client("ed")
    answer = ed.post("/api/v1/batch", json=said)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert ed.get("/api/v1/jobs").json()["jobs"] == []


def test_a_stopped_batch_keeps_what_it_did_and_can_be_undone(
    served: Served, client: Client, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    ed = client("ed")
    ids = many(library, 400)
    monkeypatch.setattr(batches, "_MOST", 10)
    monkeypatch.setattr(batches, "_FIRST", 10)
    step = batches._step

    def stop_on_the_way(*arguments: Any, job: Any, **more: Any) -> Any:
        job.stopping = job.done >= 100
        return step(*arguments, job=job, **more)

    monkeypatch.setattr(batches, "_step", stop_on_the_way)
    job = over(served, ed, batch(ed, ids=ids, action="tag", tags=["Half"]))
    assert (job["state"], job["done"], job["problem"]) == ("stopped", 110, "It was stopped. What was done stays.")
    assert tagged(library, "Half") == 110 == job["result"]["changed"]
    assert ed.delete(f"/api/v1/jobs/{job['id']}").json() == job, "it is over already"
    assert ed.post("/api/v1/undo", json={"batch": job["batch"]}).status_code == 200
    assert tagged(library, "Half") == 0


def test_single_edits_get_in_between(
    served: Served, client: Client, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    ed = client("ed")
    ids = many(library, 1_000)
    monkeypatch.setattr(batches, "_MOST", 10)
    first = ed.get("/api/v1/search", params={"q": "harbour"}).json()["hits"][0]["id"]
    job = batch(ed, ids=ids, action="tag", tags=["Slow"])
    assert ed.put(f"/api/v1/assets/{first}/favourite").status_code == 200
    between = tagged(library, "Slow")
    assert over(served, ed, job)["state"] == "done"
    assert between < 1_000 == tagged(library, "Slow")
    assert ed.delete(f"/api/v1/jobs/{job['id']}").json()["state"] == "done"


def test_jobs_are_their_members_own_and_owners_see_all(served: Served, client: Client) -> None:
    owner, ed, vic = client("owner"), client("ed"), client("vic")
    job = over(served, ed, batch(ed, query="harbour", action="tag", tags=["x"]))
    assert vic.get(f"/api/v1/jobs/{job['id']}").status_code == 404
    assert vic.delete(f"/api/v1/jobs/{job['id']}").status_code == 404
    assert vic.get("/api/v1/jobs").json() == {"jobs": [], "next": None}
    assert owner.get("/api/v1/jobs").json()["jobs"] == [job] == ed.get("/api/v1/jobs").json()["jobs"]
    assert client(None).get("/api/v1/jobs").status_code == 401


def test_jobs_are_listed_latest_first_in_pages(served: Served, client: Client) -> None:
    ed = client("ed")
    made = [over(served, ed, batch(ed, query="harbour", action="tag", tags=[f"{n}"]))["id"] for n in range(5)]
    seen, after = [], None
    while True:
        page = ed.get("/api/v1/jobs", params={"limit": 2} | ({"after": after} if after else {})).json()
        seen += [job["id"] for job in page["jobs"]]
        if (after := page["next"]) is None:
            break
    assert sorted(seen) == sorted(made)
    created = [ed.get(f"/api/v1/jobs/{one}").json()["created"] for one in seen]
    assert created == sorted(created, reverse=True)


def test_a_scan_brings_in_what_is_new(served: Served, client: Client, library: Library, tmp_path: Path) -> None:
    owner = client("owner")
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "a.jpg").write_bytes(jpeg(51))
    (tmp_path / "new" / "bad.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    answer = owner.post("/api/v1/scans", json={"paths": [str(tmp_path / "new")]})
    assert answer.status_code == 202
    job = over(served, owner, answer.json())
    assert (job["state"], job["result"]["added"], job["result"]["failed"]) == ("done", 1, 1)
    failed = owner.get("/api/v1/failed").json()
    assert [file["path"] for file in failed["files"]] == [str(tmp_path / "new" / "bad.jpg")]
    assert failed["total"] == 1 and failed["files"][0]["reason"]
    (tmp_path / "new" / "b.jpg").write_bytes(jpeg(52))
    job = over(served, owner, owner.post("/api/v1/scans", json={}).json())
    assert (job["state"], job["result"]["added"]) == ("done", 1)
    assert client("ed").get("/api/v1/failed").status_code == 403
    assert client("ed").post("/api/v1/scans", json={"paths": [str(tmp_path)]}).status_code == 403
    for path in (str(tmp_path / "nothing"), "relative", "/a\0b"):
        assert owner.post("/api/v1/scans", json={"paths": [path]}).status_code == 422


def test_a_server_that_was_killed_leaves_a_batch_that_can_be_undone(
    library_folder: Path, serve: Callable[..., Process]
) -> None:
    with Library.open(library_folder, create=False) as library:
        ids = many(library, 4_000)
        key, _ = keys.create(library.catalog, "ed", name="test", scopes=SCOPES)
    process = serve()
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=process.address, headers=headers, timeout=60) as ed:
        job = batch(ed, ids=ids, action="tag", tags=["Cut", "Off"])
        until = time.monotonic() + 60
        while not (known := ed.get(f"/api/v1/jobs/{job['id']}").json())["done"]:
            assert time.monotonic() < until and known["state"] in ("waiting", "running")
    process.process.send_signal(signal.SIGKILL)
    process.process.wait()
    again = serve()
    with httpx.Client(base_url=again.address, headers=headers, timeout=60) as ed:
        known = ed.get(f"/api/v1/jobs/{job['id']}").json()
        assert (known["state"], known["total"]) == ("stopped", 4_000)
        assert known["problem"] == "The server ended before this was done. What was done stays."
        assert 0 < known["done"] < 4_000
        with Library.open(library_folder, create=False) as library:
            assert tagged(library, "Cut") == tagged(library, "Off") == known["done"] == known["result"]["changed"]
            batches_of = fetch(library.catalog.db, "SELECT DISTINCT batch FROM edits WHERE field = 'tag'")
            assert batches_of == [(known["batch"],)]
        assert ed.post("/api/v1/undo", json={"batch": known["batch"]}).status_code == 200
        with Library.open(library_folder, create=False) as library:
            assert tagged(library, "Cut") == tagged(library, "Off") == 0
