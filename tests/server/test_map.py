"""Places over HTTP."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imager.library import Library
from imager.query.model import Box
from imager.search.maps import WORLD
from imager.server.routes.map import MOST_CELLS, cells
from imager.server.schemas.map import Clusters
from tests.server.conftest import Client
from tests.server.seen import HIDDEN, again, everybody, hide, ids, problem, told

WHERE = {0: "48.85,2.35", 1: "48.86,2.35", 2: "-33.86,151.2"}


def place(library: Library) -> list[str]:
    """Give three pictures a position: two in Paris, one in Sydney."""
    found = ids(library)
    for number, position in WHERE.items():
        library.set(found[number], "position", position)
    return found


def test_everybody_sees_where_pictures_were_taken(client: Client, library: Library) -> None:
    found = place(library)
    for one in everybody(client).values():
        world = told(one.get("/api/v1/map/clusters"), Clusters)
        assert (world["zoom"], world["total"]) == (2, 3)
        assert [cluster["count"] for cluster in world["clusters"]] == [2, 1]
        near = told(one.get("/api/v1/map/clusters?box=48,2,49,3&zoom=12&q=harbour"), Clusters)
        assert near["total"] == 2
        assert {cluster["asset"] for cluster in near["clusters"]} <= set(found[:2])


def test_a_hidden_picture_is_on_no_map(client: Client, library: Library) -> None:
    found = place(library)
    hide(library, found[2], "ed")
    assert told(client("ed").get("/api/v1/map/clusters"), Clusters)["total"] == 3
    for member in ("owner", "vic"):
        for asked in ("", HIDDEN):
            answer = client(member).get("/api/v1/map/clusters", params={"q": asked})
            assert found[2] not in answer.text
            assert told(answer, Clusters)["total"] == (0 if asked else 2)
    assert told(client("stranger").get("/api/v1/map/clusters"), Clusters)["total"] == 0


def test_a_map_is_not_made_again_until_something_changes(client: Client, library: Library) -> None:
    found, vic, address = place(library), client("vic"), "/api/v1/map/clusters?zoom=3"
    first = vic.get(address)
    assert again(vic, address, first).status_code == 304
    library.set(found[3], "position", "0,0")
    assert again(vic, address, first).json()["total"] == 4


def test_boxes_and_zooms_that_make_no_sense_are_refused(client: Client) -> None:
    vic = client("vic")
    for asked in ("box=1,2,3", "box=a,b,c,d", "box=nan,0,1,1", "box=9,0,1,1", "box=0,0,1,181", "zoom=23", "zoom=-1"):
        assert vic.get(f"/api/v1/map/clusters?{asked}").status_code == 422, asked
    value = problem(vic.get("/api/v1/map/clusters?zoom=22"), 422, "usage")
    assert "box" in value["detail"]
    assert vic.get("/api/v1/map/clusters?zoom=22&box=48.85,2.35,48.851,2.351").status_code == 200


def test_nobody_sees_the_map_without_signing_in(client: Client) -> None:
    problem(client(None).get("/api/v1/map/clusters"), 401, "unauthenticated")
    problem(client("owner", scopes=("write",)).get("/api/v1/map/clusters"), 403, "forbidden")


@given(st.integers(0, 22), *[st.floats(-90, 90)] * 2, *[st.floats(-180, 180)] * 2)
def test_a_box_has_no_more_cells_than_are_counted(zoom: int, a: float, b: float, west: float, east: float) -> None:
    box = Box(min(a, b), west, max(a, b), east)
    counted = cells(box, zoom)
    assert 1 <= counted <= cells(WORLD, zoom)
    assert cells(WORLD, 0) < 40 < MOST_CELLS < cells(WORLD, 6)
