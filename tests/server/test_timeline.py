"""Time over HTTP: counts, pages, skeletons and chunks."""

from __future__ import annotations

import json

from imager.library import Library
from imager.search.chunks import Chunk
from imager.search.skeleton import Skeleton
from imager.server.schemas.timeline import Days, Months, TimelinePage, Versions, Years
from tests.server.conftest import PICTURES, Client
from tests.server.seen import HIDDEN, again, everybody, hide, ids, problem, share_album, told

COUNTS = {"months": Months, "days": Days, "years": Years}
FOLLOWED = ("months", "days", "years", "versions", "page", "skeleton")


def test_everybody_sees_when_pictures_were_taken(client: Client) -> None:
    for one in everybody(client).values():
        assert told(one.get("/api/v1/timeline/months"), Months) == {
            "total": PICTURES,
            "counts": [{"month": "2021-07", "count": PICTURES}],
        }
        assert told(one.get("/api/v1/timeline/years"), Years)["counts"] == [{"year": "2021", "count": PICTURES}]
        days = told(one.get("/api/v1/timeline/days", params={"q": "date:2021-07-02..2021-07-03"}), Days)
        assert days["counts"] == [{"day": "2021-07-03", "count": 1}, {"day": "2021-07-02", "count": 1}]


def test_pages_go_both_ways_and_jump_to_dates(client: Client, library: Library) -> None:
    vic, expected = client("vic"), ids(library)

    def page(**asked: str | int) -> dict[str, object]:
        value: dict[str, object] = told(vic.get("/api/v1/timeline/page", params=asked), TimelinePage)
        return value

    def of(value: dict[str, object]) -> list[str]:
        rows = value["rows"]
        assert isinstance(rows, list)
        return [row["id"] for row in rows]

    first = page(limit=2)
    assert (of(first), first["newer"]) == (expected[:2], None)
    second = page(limit=2, after=str(first["older"]))
    assert of(second) == expected[2:4]
    assert page(limit=2, before=str(second["newer"])) == first
    assert of(page(limit=2, at="2021-07-03")) == expected[3:5]
    row = told(vic.get("/api/v1/timeline/page?limit=1"), TimelinePage)["rows"][0]
    hit = vic.get("/api/v1/search?limit=1").json()["hits"][0]
    assert row == {name: hit[name] for name in row}


def test_skeleton_and_chunks_show_what_the_library_shows(client: Client, library: Library) -> None:
    for asked in ("", "date:2021-07-02..2021-07-05", "nothing"):
        for one in everybody(client).values():
            answer = one.get("/api/v1/timeline/skeleton", params={"q": asked})
            assert answer.headers["content-type"] == "application/octet-stream"
            skeleton = Skeleton.read(answer.content)
            assert skeleton.months == library.versions(asked)
            versions = told(one.get("/api/v1/timeline/versions", params={"q": asked}), Versions)["months"]
            assert versions == [{"month": m.month, "count": m.count, "version": m.version} for m in skeleton.months]
            for month in skeleton.months:
                address = f"/api/v1/timeline/chunk/{month.month}/0/{month.version}"
                chunk = one.get(address, params={"q": asked})
                assert chunk.headers["cache-control"] == "private, max-age=31536000, immutable"
                assert Chunk.read(chunk.content).of == month.count


def test_a_chunk_of_another_version_is_gone_and_the_problem_says_which_there_is(
    client: Client, library: Library
) -> None:
    vic, (month,) = client("vic"), library.versions()
    address = f"/api/v1/timeline/chunk/{month.month}/0/{month.version}"
    assert vic.get(address).status_code == 200
    library.set(ids(library)[0], "favourite", True)
    value = problem(vic.get(address), 410, "gone")
    assert (value["month"], value["version"]) == (month.month, library.versions()[0].version)
    assert problem(vic.get("/api/v1/timeline/chunk/1901-01/0/1"), 410, "gone")["version"] is None
    now = f"/api/v1/timeline/chunk/{month.month}/7/{library.versions()[0].version}"
    problem(vic.get(now), 404, "not-found")


def test_no_answer_is_made_again_until_the_library_changes(client: Client, library: Library) -> None:
    vic = client("vic")
    addresses = [f"/api/v1/timeline/{what}?q=harbour" for what in FOLLOWED]
    first = {address: vic.get(address) for address in addresses}
    for address, answer in first.items():
        same = again(vic, address, answer)
        assert (same.status_code, same.content) == (304, b"")
        assert again(vic, address.replace("harbour", "boat"), answer).status_code == 200
    library.set(ids(library)[0], "caption", "Harbour")
    for address, answer in first.items():
        assert again(vic, address, answer).status_code == 200


def test_a_hidden_picture_has_no_part_in_time(client: Client, library: Library) -> None:
    """What a stream says of hidden pictures: Immich CVE-2026-108165."""
    secret, *_ = ids(library)
    hide(library, secret, "ed")
    versions = {member: client(member).get("/api/v1/timeline/versions").json() for member in ("ed", "vic", "owner")}
    (_, theirs) = versions["ed"]["months"]
    assert theirs["month"] == "1999-09"
    for member in ("vic", "owner"):
        one = client(member)
        assert [m["month"] for m in versions[member]["months"]] == ["2021-07"]
        for asked in ("", HIDDEN, "date:1999"):
            for what in COUNTS:
                answer = one.get(f"/api/v1/timeline/{what}", params={"q": asked})
                assert "1999" not in answer.text
                assert answer.json()["total"] == (0 if asked else PICTURES - 1)
            page = one.get("/api/v1/timeline/page", params={"q": asked})
            assert secret not in page.text
            skeleton = Skeleton.read(one.get("/api/v1/timeline/skeleton", params={"q": asked}).content)
            assert len(skeleton.ratios) == (0 if asked else PICTURES - 1)
        chunk = f"/api/v1/timeline/chunk/{theirs['month']}/0/{theirs['version']}"
        assert problem(one.get(chunk), 410, "gone")["version"] is None
        assert client("ed").get(chunk).status_code == 200


def test_a_page_beside_a_hidden_picture_does_not_tell_that_it_is_there(client: Client, library: Library) -> None:
    first, second, third, *_ = ids(library)
    beside = client("ed").get("/api/v1/timeline/page?limit=2").json()["older"]
    hide(library, second, "ed")
    rows = client("vic").get("/api/v1/timeline/page", params={"after": beside}).json()["rows"]
    assert {row["id"] for row in rows}.isdisjoint({first, second})
    assert rows[0]["id"] == third


def test_who_sees_one_album_has_a_timeline_of_it(client: Client, library: Library) -> None:
    inside, *_ = ids(library)
    stranger = client("stranger")
    assert told(stranger.get("/api/v1/timeline/months"), Months) == {"total": 0, "counts": []}
    share_album(library, inside, "stranger")
    assert told(stranger.get("/api/v1/timeline/months"), Months)["total"] == 1
    (month,) = Skeleton.read(stranger.get("/api/v1/timeline/skeleton").content).months
    chunk = Chunk.read(stranger.get(f"/api/v1/timeline/chunk/{month.month}/0/{month.version}").content)
    assert [i.hex() for i in chunk.ids] == [inside.replace("-", "")]


def test_what_makes_no_sense_is_refused(client: Client) -> None:
    vic = client("vic")
    for address in (
        "page?after=nonsense",
        "page?at=nonsense",
        "page?at=2021&after=AAAA",
        "page?limit=0",
        "page?limit=1001",
        "months?q=camra:fuji",
        "skeleton?query=%7B",
        "chunk/2021-13/0/1",
        "chunk/nonsense/0/1",
        "chunk/2021-07/-1/1",
        "chunk/2021-07/0/-1",
        "chunk/2021-07/0/9007199254740992",
        "chunk/2021-07/0/1?q=camra:fuji",
    ):
        answer = vic.get(f"/api/v1/timeline/{address}")
        assert answer.status_code == 422, (address, answer.text)
    assert json.loads(vic.get("/api/v1/timeline/months?q=camra:fuji").text)["type"] == "/problems/query"


def test_nobody_sees_time_without_signing_in(client: Client) -> None:
    for what in (*FOLLOWED, "chunk/2021-07/0/1"):
        problem(client(None).get(f"/api/v1/timeline/{what}"), 401, "unauthenticated")
        problem(client("owner", scopes=("write",)).get(f"/api/v1/timeline/{what}"), 403, "forbidden")
