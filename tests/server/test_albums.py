"""Albums over HTTP: the tree, one with its pictures, and all that is said of them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from imager import access
from imager.library import Library
from imager.server.schemas.albums import Album, AlbumPage
from tests.catalog.libraries import content, put
from tests.server.conftest import PICTURES, Client

ALBUMS = "/api/v1/albums"


def make(asked: httpx.Client, name: str, **more: Any) -> str:
    answer = asked.post(ALBUMS, json={"name": name} | more)
    assert answer.status_code == 201, answer.text
    own: str = answer.json()["album"]["id"]
    assert answer.headers["location"] == f"{ALBUMS}/{own}"
    return own


def tree(asked: httpx.Client) -> list[str]:
    found = asked.get(ALBUMS).json()["albums"]
    assert all(Album.model_validate(album) for album in found)
    return ["/".join(album["path"]) for album in found]


def pictures(asked: httpx.Client, album: str) -> list[str]:
    seen: list[str] = []
    after = None
    while True:
        page = asked.get(f"{ALBUMS}/{album}", params={"limit": 4} | ({"after": after} if after else {})).json()
        AlbumPage.model_validate(page)
        seen += [one["id"] for one in page["pictures"]]
        if (after := page["next"]) is None:
            return seen


def ids_of(asked: httpx.Client) -> list[str]:
    return [hit["id"] for hit in asked.get("/api/v1/search").json()["hits"]]


def test_albums_are_made_nested_and_listed_as_a_tree(client: Client) -> None:
    ed = client("ed")
    trips = make(ed, "Trips", description="All of them")
    make(ed, "2022", parent=trips)
    make(ed, "2021", parent=trips)
    assert tree(ed) == ["Trips", "Trips/2021", "Trips/2022"] == tree(client("vic"))
    assert ed.get(f"{ALBUMS}/{trips}").json()["description"] == "All of them"
    assert tree(client("stranger")) == []
    assert client("stranger").get(f"{ALBUMS}/{trips}").status_code == 404
    assert ed.post(ALBUMS, json={"name": "trips"}).status_code == 422, "there is one of that name"


def test_all_that_is_said_of_an_album_can_be_taken_back(client: Client) -> None:
    ed = client("ed")
    trips, family = make(ed, "Trips"), make(ed, "Family")
    inner = make(ed, "Summer", parent=trips)
    cover = ids_of(ed)[0]
    changed = ed.patch(
        f"{ALBUMS}/{inner}", json={"name": "Winter", "description": "Snow", "cover": cover, "parent": family}
    ).json()
    assert (changed["album"]["path"], changed["album"]["cover"]) == (["Family", "Winter"], cover)
    assert changed["album"]["description"] == "Snow"
    for batch in changed["batches"]:
        assert ed.post("/api/v1/undo", json={"batch": batch}).status_code == 200
    known = ed.get(f"{ALBUMS}/{inner}").json()
    assert (known["path"], known["description"], known["cover"]) == (["Trips", "Summer"], None, None)
    assert ed.patch(f"{ALBUMS}/{inner}", json={"parent": None}).json()["album"]["path"] == ["Summer"]


def test_albums_are_put_in_order(client: Client) -> None:
    ed = client("ed")
    one, two, three = (make(ed, name) for name in ("A", "B", "C"))
    ed.patch(f"{ALBUMS}/{three}", json={"before": one})
    assert tree(ed) == ["C", "A", "B"]
    ed.patch(f"{ALBUMS}/{three}", json={"after": one, "parent": None})
    assert tree(ed) == ["A", "C", "B"]
    inner = make(ed, "D", parent=two)
    assert ed.patch(f"{ALBUMS}/{two}", json={"parent": inner}).status_code == 422, "not into itself"
    make(ed, "E", parent=two)
    ed.patch(f"{ALBUMS}/{inner}", json={"name": "Z"})
    assert tree(ed)[-2:] == ["B/E", "B/Z"]


def test_deleting_hides_what_is_nested_and_undoing_brings_it_back(client: Client) -> None:
    ed = client("ed")
    trips = make(ed, "Trips")
    make(ed, "2021", parent=trips)
    batch = ed.delete(f"{ALBUMS}/{trips}").json()["batch"]
    assert tree(ed) == []
    assert ed.get(f"{ALBUMS}/{trips}").status_code == 404
    ed.post("/api/v1/undo", json={"batch": batch})
    assert tree(ed) == ["Trips", "Trips/2021"]


def test_pictures_are_put_in_ordered_and_taken_out(client: Client) -> None:
    ed = client("ed")
    album, ids = make(ed, "Trips"), ids_of(ed)
    assert ed.post(f"{ALBUMS}/{album}/pictures", json={"ids": ids[1:3]}).json()["batch"]
    assert ed.put(f"{ALBUMS}/{album}/pictures/{ids[0]}").json()["batch"]
    assert ed.put(f"{ALBUMS}/{album}/pictures/{ids[0]}").json()["batch"] is None, "it is in it"
    assert pictures(ed, album) == ids[2::-1], "by time"
    ed.post(f"{ALBUMS}/{album}/pictures/{ids[0]}/place", json={"before": ids[2]})
    assert pictures(ed, album) == [ids[0], ids[2], ids[1]]
    ed.post(f"{ALBUMS}/{album}/pictures/{ids[0]}/place", json={"after": ids[2]})
    assert pictures(ed, album) == [ids[2], ids[0], ids[1]]
    assert ed.delete(f"{ALBUMS}/{album}/pictures/{ids[2]}").json()["batch"]
    assert ed.delete(f"{ALBUMS}/{album}/pictures/{ids[2]}").json()["batch"] is None
    assert ed.delete(f"{ALBUMS}/{album}/pictures", params={"id": ids[:2]}).json()["batch"]
    assert pictures(ed, album) == []
    assert ed.post(f"{ALBUMS}/{album}/pictures", json={"query": "harbour"}).json()["batch"]
    assert len(pictures(ed, album)) == PICTURES == ed.get(f"{ALBUMS}/{album}").json()["count"]


def test_what_finds_very_many_is_for_batches(client: Client, library: Library) -> None:
    ed = client("ed")
    album = make(ed, "All")
    put(library.catalog, *(content(f"many {n}") for n in range(1_001)))
    answer = ed.post(f"{ALBUMS}/{album}/pictures", json={"query": ""})
    assert answer.status_code == 422 and "batch" in answer.json()["detail"]
    assert ed.post(f"{ALBUMS}/{album}/pictures", json={"ids": ["0" * 32] * 1_001}).status_code == 422


def test_smart_albums_show_what_their_query_finds(client: Client) -> None:
    ed = client("ed")
    as_text = make(ed, "Best", query="rating:5")
    as_json = make(ed, "Good", query={"version": 1, "where": {"rating": {"min": 4}}})
    one, two, *_ = ids_of(ed)
    ed.put(f"/api/v1/assets/{one}/rating", json={"rating": 5})
    ed.put(f"/api/v1/assets/{two}/rating", json={"rating": 4})
    assert pictures(ed, as_text) == [one]
    assert sorted(pictures(ed, as_json)) == sorted([one, two])
    known = ed.get(f"{ALBUMS}/{as_json}").json()
    assert (known["smart"], known["count"]) == (True, 2)
    assert ed.put(f"{ALBUMS}/{as_text}/pictures/{two}").status_code == 422
    ed.patch(f"{ALBUMS}/{as_text}", json={"query": None})
    assert (pictures(ed, as_text), ed.get(f"{ALBUMS}/{as_text}").json()["smart"]) == ([], False)


@pytest.mark.parametrize(
    "said",
    [
        {"name": ""},
        {"name": " \u200b\x01"},
        {"name": "x" * 501},
        {"name": "x", "query": ""},
        {"name": "x", "query": {"where": {"nothing": 1}}},
        {"name": "x", "colour": "red"},
        {},
    ],
)
def test_what_makes_no_album_is_refused(client: Client, said: dict[str, Any]) -> None:
    ed = client("ed")
    assert ed.post(ALBUMS, json=said).status_code == 422
    assert tree(ed) == []


@pytest.mark.parametrize("said", [{}, {"name": None}, {"before": "0" * 32, "after": "0" * 32}, {"nothing": 1}])
def test_changes_that_make_no_sense_are_refused(client: Client, said: dict[str, Any]) -> None:
    ed = client("ed")
    assert ed.patch(f"{ALBUMS}/{make(ed, 'Trips')}", json=said).status_code == 422


def test_names_are_text_and_nothing_else(client: Client) -> None:
    ed = client("ed")
    for name in ("<script>alert(1)</script>", "'; DROP TABLE albums; --", "../../etc/passwd", "a/b", "\u202egpj.exe"):
        own = make(ed, name)
        answer = ed.get(f"{ALBUMS}/{own}")
        assert answer.json()["name"] == name
        assert answer.headers["content-type"] == "application/json"
    assert ed.get(f"{ALBUMS}/Trips").status_code == 404, "albums are named by their ids"
    assert ed.get(f"{ALBUMS}/%2e%2e%2fassets").status_code == 404


def test_members_of_one_album_see_that_alone(client: Client, library: Library) -> None:
    ed, guest = client("ed"), client("stranger")
    trips = make(ed, "Trips")
    inner, other = make(ed, "Shared", parent=trips), make(ed, "Other")
    one, two, *_ = ids_of(ed)
    ed.post(f"{ALBUMS}/{inner}/pictures", json={"ids": [one]})
    number = library.catalog.db.execute("SELECT album FROM albums WHERE name = 'Shared'").get
    access.grant(library.catalog, "stranger", "viewer", album=number)
    assert tree(guest) == ["Shared"], "not where it lies"
    assert pictures(guest, inner) == [one]
    assert guest.patch(f"{ALBUMS}/{inner}", json={"name": "Mine"}).status_code == 403
    assert guest.put(f"{ALBUMS}/{inner}/pictures/{two}").status_code == 403
    for hidden in (trips, other):
        assert guest.get(f"{ALBUMS}/{hidden}").status_code == 404
        assert guest.delete(f"{ALBUMS}/{hidden}").status_code == 404
    access.grant(library.catalog, "stranger", "editor", album=number)
    assert guest.patch(f"{ALBUMS}/{inner}", json={"name": "Ours"}).status_code == 200
    assert guest.put(f"{ALBUMS}/{inner}/pictures/{two}").status_code == 404, "they don't see that picture"
    assert guest.patch(f"{ALBUMS}/{inner}", json={"cover": two}).status_code == 404
    assert guest.patch(f"{ALBUMS}/{inner}", json={"query": "rating:5"}).status_code == 403


def test_private_pictures_of_others_are_in_no_album(client: Client, library: Library) -> None:
    ed, owner = client("ed"), client("owner")
    album, ids = make(ed, "Trips"), ids_of(ed)
    ed.post(f"{ALBUMS}/{album}/pictures", json={"ids": ids})
    library.set_private(ids[0])
    assert sorted(pictures(ed, album)) == sorted(ids[1:])
    assert ed.get(f"{ALBUMS}/{album}").json()["count"] == PICTURES - 1
    assert len(pictures(owner, album)) == PICTURES
    assert ed.delete(f"{ALBUMS}/{album}/pictures/{ids[0]}").status_code == 404
    assert ed.patch(f"{ALBUMS}/{album}", json={"cover": ids[0]}).status_code == 404
