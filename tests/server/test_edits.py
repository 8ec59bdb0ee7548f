"""Saying something of pictures over HTTP: who may, all or nothing, only what is still so, and taking it back."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from imager import access
from imager.library import Library
from tests.pictures import jpeg
from tests.server.conftest import PICTURES, Client

ASSETS = "/api/v1/assets"


def ids_of(asked: httpx.Client) -> list[str]:
    """All pictures that a client finds, newest first."""
    return [hit["id"] for hit in asked.get("/api/v1/search").json()["hits"]]


def test_values_are_said_in_one_batch_and_answered_with_the_new_state(client: Client, library: Library) -> None:
    ed = client("ed")
    one = ids_of(ed)[0]
    said = {"title": "Harbour", "rating": 4, "position": [38.7, -9.1], "taken_at": "2020-01-02T03:04:05+01:00"}
    answer = ed.patch(f"{ASSETS}/{one}", json=said)
    assert answer.status_code == 200
    assert answer.json()["asset"] == ed.get(f"{ASSETS}/{one}").json()
    assert answer.json()["asset"] | said == answer.json()["asset"] | {"position": said["position"]} | {
        "title": "Harbour",
        "rating": 4,
        "taken_at": "2020-01-02T03:04:05+01:00",
    }
    history = library.history(one)
    assert {(edit["author"], edit["batch"]) for edit in history} == {("ed", answer.json()["batch"])}
    assert ed.post("/api/v1/undo", json={"batch": answer.json()["batch"]}).json() == {"undone": answer.json()["batch"]}
    assert ed.get(f"{ASSETS}/{one}").json()["title"] is None


def test_null_takes_a_value_as_it_is_in_the_file_again(client: Client) -> None:
    ed = client("ed")
    one = ids_of(ed)[0]
    before = ed.get(f"{ASSETS}/{one}").json()
    assert ed.patch(f"{ASSETS}/{one}", json={"caption": "Another"}).json()["asset"]["caption"] == "Another"
    assert ed.patch(f"{ASSETS}/{one}", json={"caption": None}).json()["asset"]["caption"] == before["caption"]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"rating": 6},
        {"rating": "4"},
        {"position": [91, 0]},
        {"position": [1]},
        {"taken_at": "yesterday"},
        {"colour": "red"},
        {"title": 3},
        {"title": "Fine", "taken_at": "2021-13-01"},
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_said(client: Client, library: Library, said: object) -> None:
    ed = client("ed")
    one = ids_of(ed)[0]
    answer = ed.patch(f"{ASSETS}/{one}", json=said)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert library.history(one) == []


def test_tags_of_any_name_are_given_and_taken_away(client: Client) -> None:
    ed = client("ed")
    one = ids_of(ed)[0]
    for name in ("Animals|Dogs", "a/b?c#d", "<script>alert(1)</script>", "été 日本"):
        path = f"{ASSETS}/{one}/tags/" + "".join(f"%{byte:02X}" for byte in name.encode())
        given = ed.put(path).json()["asset"]["tags"]
        assert name in [tag["name"] for tag in given]
        assert name not in [tag["name"] for tag in ed.delete(path).json()["asset"]["tags"]]


def test_favourites_ratings_and_the_trash_have_addresses_of_their_own(client: Client) -> None:
    ed = client("ed")
    one = ids_of(ed)[0]
    assert ed.put(f"{ASSETS}/{one}/favourite").json()["asset"]["favourite"] is True
    assert ed.delete(f"{ASSETS}/{one}/favourite").json()["asset"]["favourite"] is False
    assert ed.put(f"{ASSETS}/{one}/rating", json={"rating": -1}).json()["asset"]["rating"] == -1
    assert ed.delete(f"{ASSETS}/{one}/rating").json()["asset"]["rating"] is None
    assert ed.post(f"{ASSETS}/{one}/trash").json()["asset"]["state"] == "trashed"
    assert ed.delete(f"{ASSETS}/{one}/trash").json()["asset"]["state"] == "present"


def test_several_pictures_are_edited_all_or_none(client: Client, library: Library) -> None:
    ed = client("ed")
    one, two, *_ = ids_of(ed)
    edits = [{"id": one, "set": {"rating": 3}, "tag": ["A", "B"]}, {"id": two, "set": {"title": "Two"}}]
    batch = ed.post("/api/v1/edits", json={"edits": edits}).json()["batch"]
    assert library.show(one)["rating"] == 3
    assert library.show(two)["title"] == "Two"
    assert ed.post("/api/v1/undo", json={}).json() == {"undone": batch}
    assert (library.show(one)["tags"], library.show(two)["title"]) == ([], None)
    unknown = "0" * 32
    answer = ed.post("/api/v1/edits", json={"edits": [*edits, {"id": unknown, "set": {"rating": 1}}]})
    assert answer.status_code == 404
    assert library.show(one)["rating"] is None


def test_a_picture_is_changed_only_if_it_is_as_it_was_shown(client: Client) -> None:
    ed = client("ed")
    one = ids_of(ed)[0]
    shown = ed.get(f"{ASSETS}/{one}").headers["etag"]
    first = ed.patch(f"{ASSETS}/{one}", json={"title": "First"}, headers={"If-Match": shown})
    assert first.status_code == 200
    late = ed.patch(f"{ASSETS}/{one}", json={"title": "Late"}, headers={"If-Match": shown})
    assert (late.status_code, late.json()["type"]) == (412, "/problems/precondition")
    assert ed.get(f"{ASSETS}/{one}").json()["title"] == "First"
    for fits in ("{}", '"other", {}', "*"):
        given = {"If-Match": fits.format(first.headers["etag"])}
        first = ed.put(f"{ASSETS}/{one}/favourite", headers=given)
        assert first.status_code == 200
    assert ed.put(f"{ASSETS}/{one}/favourite", headers={"If-Match": f"W/{first.headers['etag']}"}).status_code == 412


def test_pictures_are_joined_and_separated(client: Client) -> None:
    ed = client("ed")
    one, two, *_ = ids_of(ed)
    joined = ed.post(f"{ASSETS}/{one}/join", json={"other": two}).json()["asset"]
    assert {version["id"] for version in joined["versions"]} == {one, two}
    assert ed.get(f"{ASSETS}/{one}").json()["id"] == ed.get(f"{ASSETS}/{two}").json()["id"]
    parted = ed.post(f"{ASSETS}/{two}/separate").json()["asset"]
    assert [version["id"] for version in parted["versions"]] == [two]
    assert ed.post(f"{ASSETS}/{two}/separate").status_code == 422


def test_only_owners_hide_pictures_and_nobody_else_finds_them_then(client: Client) -> None:
    owner, ed = client("owner"), client("ed")
    one = ids_of(owner)[0]
    assert ed.put(f"{ASSETS}/{one}/private").status_code == 403
    assert ed.patch(f"{ASSETS}/{one}", json={"private": True}).status_code == 403
    assert owner.put(f"{ASSETS}/{one}/private").json()["asset"]["private"] == "owner"
    for answer in (
        ed.get(f"{ASSETS}/{one}"),
        ed.patch(f"{ASSETS}/{one}", json={"title": "Seen"}),
        ed.delete(f"{ASSETS}/{one}/private"),
        ed.post("/api/v1/edits", json={"edits": [{"id": one, "tag": ["Seen"]}]}),
        ed.post(f"{ASSETS}/{ids_of(ed)[0]}/join", json={"other": one}),
    ):
        assert answer.status_code == 404
        assert answer.json()["detail"] == f"There is no picture {one} in the library."
    assert owner.delete(f"{ASSETS}/{one}/private").json()["asset"]["private"] is None
    assert ed.get(f"{ASSETS}/{one}").status_code == 200


def test_viewers_may_say_nothing_and_strangers_see_nothing(client: Client, library: Library) -> None:
    one, two, *_ = ids_of(client("owner"))
    other = library.create_album("Trips")[0]
    writes = [
        ("PATCH", f"{ASSETS}/{one}", {"title": "x"}),
        ("PUT", f"{ASSETS}/{one}/tags/x", None),
        ("DELETE", f"{ASSETS}/{one}/tags/x", None),
        ("PUT", f"{ASSETS}/{one}/rating", {"rating": 1}),
        ("DELETE", f"{ASSETS}/{one}/rating", None),
        ("PUT", f"{ASSETS}/{one}/favourite", None),
        ("DELETE", f"{ASSETS}/{one}/favourite", None),
        ("PUT", f"{ASSETS}/{one}/private", None),
        ("DELETE", f"{ASSETS}/{one}/private", None),
        ("POST", f"{ASSETS}/{one}/trash", None),
        ("DELETE", f"{ASSETS}/{one}/trash", None),
        ("POST", f"{ASSETS}/{one}/join", {"other": two}),
        ("POST", f"{ASSETS}/{one}/separate", None),
        ("POST", "/api/v1/edits", {"edits": [{"id": one, "tag": ["x"]}]}),
        ("PATCH", f"/api/v1/albums/{other}", {"name": "x"}),
        ("DELETE", f"/api/v1/albums/{other}", None),
        ("POST", f"/api/v1/albums/{other}/pictures", {"ids": [one]}),
        ("PUT", f"/api/v1/albums/{other}/pictures/{one}", None),
        ("DELETE", f"/api/v1/albums/{other}/pictures/{one}", None),
        ("POST", f"/api/v1/albums/{other}/pictures/{one}/place", {"before": two}),
    ]
    changes = library.catalog.db.execute("SELECT count(*) FROM edits").get
    for member, expected in (("vic", 403), ("stranger", 404), (None, 401)):
        asked = client(member)
        for method, path, body in writes:
            answer = asked.request(method, path, json=body)
            assert (method, path, answer.status_code) == (method, path, expected)
        more = {"vic": 403, "stranger": 403, None: 401}[member]
        assert asked.post("/api/v1/albums", json={"name": "x"}).status_code == more
        assert asked.post("/api/v1/trash/purge", json={"days": 0}).status_code == more
        assert asked.post("/api/v1/scans", json={}).status_code == more
        assert asked.get("/api/v1/failed").status_code == more
    assert library.catalog.db.execute("SELECT count(*) FROM edits").get == changes


def test_keys_need_the_scope_to_write(client: Client) -> None:
    one = ids_of(client("ed"))[0]
    assert client("ed", scopes=("read",)).put(f"{ASSETS}/{one}/favourite").status_code == 403
    assert client("ed", scopes=("write",)).put(f"{ASSETS}/{one}/favourite").status_code == 200
    assert client("vic", scopes=("write",)).put(f"{ASSETS}/{one}/favourite").status_code == 403


def test_nobody_undoes_what_others_said_but_owners(client: Client) -> None:
    owner, ed, vic = client("owner"), client("ed"), client("vic")
    one = ids_of(ed)[0]
    batch = owner.patch(f"{ASSETS}/{one}", json={"title": "Mine"}).json()["batch"]
    for asked in (ed, vic):
        assert asked.post("/api/v1/undo", json={"batch": batch}).status_code == 404
    assert ed.post("/api/v1/undo", json={}).status_code == 404, "ed said nothing"
    own = ed.patch(f"{ASSETS}/{one}", json={"caption": "Of ed"}).json()["batch"]
    assert owner.post("/api/v1/undo", json={"batch": own}).status_code == 200
    assert owner.get(f"{ASSETS}/{one}").json()["title"] == "Mine"


def test_editors_of_an_album_edit_what_is_in_it_and_nothing_else(client: Client, library: Library) -> None:
    one, two, *_ = ids_of(client("owner"))
    album = library.create_album("Shared")[0]
    library.add_to_album(album, one)
    number = library.catalog.db.execute("SELECT album FROM albums").get
    access.grant(library.catalog, "stranger", "editor", album=number)
    guest = client("stranger")
    assert guest.put(f"{ASSETS}/{one}/favourite").status_code == 200
    assert guest.put(f"{ASSETS}/{two}/favourite").status_code == 404
    assert guest.put(f"/api/v1/albums/{album}/pictures/{two}").status_code == 404
    assert len(ids_of(guest)) == 1 < PICTURES


def test_pictures_are_not_named_by_their_paths_from_afar(client: Client, library: Library, tmp_path: Path) -> None:
    owner, one = client("owner"), ids_of(client("owner"))[0]
    path = str(tmp_path / "new.jpg")
    Path(path).write_bytes(jpeg(99))
    list(library.add(path, workers=1))
    assert library.show(path)["state"] == "present"
    answer = owner.post("/api/v1/edits", json={"edits": [{"id": path, "tag": ["x"]}]})
    assert answer.status_code in (404, 422)
    assert owner.post(f"{ASSETS}/{one}/join", json={"other": path}).status_code in (404, 422)
    assert library.history(path) == []
