"""Searching over HTTP: pages, completion, and queries as text and JSON."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from imager import access
from imager.library import Library
from imager.server import answers
from imager.server.schemas.search import Completions, Parsed, Printed, SearchPage
from tests.server.conftest import PICTURES, Client
from tests.server.seen import HIDDEN, READERS, again, everybody, hide, ids, problem, share_album, told

ANY: dict[str, Any] = {"version": 1, "where": {"text": "harbour"}, "sort": "oldest"}


def test_everybody_finds_pictures_by_text_and_by_json(client: Client, library: Library) -> None:
    expected = ids(library)
    for one in everybody(client).values():
        page = told(one.get("/api/v1/search", params={"q": "harbour"}), SearchPage)
        assert (page["total"], [hit["id"] for hit in page["hits"]]) == (PICTURES, expected)
        assert page["hits"][0]["v"] == library.show(expected[0])["sha256"][:16]
        oldest = told(one.get("/api/v1/search", params={"query": json.dumps(ANY)}), SearchPage)
        assert [hit["id"] for hit in oldest["hits"]] == expected[::-1]
        posted = told(one.post("/api/v1/search", json={"query": ANY}), SearchPage)
        assert posted == oldest
        assert told(one.post("/api/v1/search", json={"q": "harbour"}), SearchPage) == page


def test_pages_follow_each_other_by_cursors(client: Client, library: Library) -> None:
    vic, found, after = client("vic"), list[str](), None
    while True:
        asked = {"q": "harbour", "limit": "2"} | ({"after": after} if after else {})
        page = told(vic.get("/api/v1/search", params=asked), SearchPage)
        found += [hit["id"] for hit in page["hits"]]
        if (after := page["next"]) is None:
            break
        other = problem(vic.get("/api/v1/search", params={"q": "other", "after": after}), 422, "usage")
        assert other["detail"].startswith("'after' takes the 'next' of the page before")
    assert found == ids(library)


def test_facets_are_counted_unless_they_are_not_wanted(client: Client) -> None:
    vic = client("vic")
    years = told(vic.get("/api/v1/search"), SearchPage)["facets"]["years"]
    assert years == [{"value": "2021", "count": PICTURES, "query": "date:2021"}]
    assert told(vic.get("/api/v1/search", params={"facets": "false"}), SearchPage)["facets"] == {}
    assert told(vic.post("/api/v1/search", json={"facets": False}), SearchPage)["facets"] == {}


def test_an_answer_is_not_sent_again_until_the_library_changes(client: Client, library: Library) -> None:
    vic, address = client("vic"), "/api/v1/search?q=harbour"
    first = vic.get(address)
    assert first.headers["cache-control"] == "private, no-cache"
    assert again(vic, address, first).status_code == 304
    assert again(vic, address + "&limit=3", first).status_code == 200
    assert again(client("ed"), address, first).status_code == 200, "somebody else may see other pictures"
    library.set(ids(library)[0], "title", "Another")
    assert again(vic, address, first).status_code == 200


def test_what_can_not_be_read_is_told_with_its_place_and_a_hint(client: Client) -> None:
    vic = client("vic")
    for answer in (
        vic.get("/api/v1/search", params={"q": "harbour camra:fuji"}),
        vic.post("/api/v1/search", json={"q": "harbour camra:fuji"}),
        vic.post("/api/v1/query/parse", json={"q": "harbour camra:fuji"}),
    ):
        value = problem(answer, 422, "query")
        assert "camera:fuji" in value["detail"]
        assert (value["query"], value["start"], value["end"]) == ("harbour camra:fuji", 8, 13)


def test_what_makes_no_sense_is_refused(client: Client) -> None:
    vic = client("vic")
    where: Any = {"text": "a"}
    for _ in range(40):
        where = {"not": where}
    for asked in (
        {"query": "{"},
        {"query": "[" * 5_000},
        {"query": "1" * 5_000},
        {"query": json.dumps({"version": 1, "where": where})},
        {"query": json.dumps({"where": {"text": "a", "extra": 1}})},
        {"query": json.dumps({"where": {"rating": {"min": 1e999}}})},
        {"query": '{"where": {"text": "\\ud800"}}'},
        {"query": json.dumps(ANY), "q": "harbour"},
        {"after": "nonsense"},
        {"limit": "0"},
        {"limit": "501"},
        {"q": "x" * 4_001},
    ):
        assert vic.get("/api/v1/search", params=asked).status_code == 422, asked
    for body in (
        b'{"q": "\\ud800"}',
        b'{"query": {"where": {"text": "a\\udfff"}}}',
        b'{"after": "\\ud800"}',
        b'{"q": "a", "query": {"where": {"text": "a"}}}',
        b'{"unknown": 1}',
        b"[]",
    ):
        answer = vic.post("/api/v1/search", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422, answer.text
    deep = b'{"query": ' + b"[" * 200_000
    assert vic.post("/api/v1/search", content=deep, headers={"Content-Type": "application/json"}).status_code == 400


def test_a_hidden_picture_is_in_no_list_count_or_completion(client: Client, library: Library) -> None:
    secret, *_ = ids(library)
    hide(library, secret, "ed")
    assert told(client("ed").get("/api/v1/search", params={"q": HIDDEN}), SearchPage)["total"] == 1
    for member in ("owner", "vic"):
        one = client(member)
        for asked in (HIDDEN, f"#{HIDDEN}", "date:1999", "near:12.5,98.5", "harbour", "", f"{HIDDEN}x", "is:edited"):
            page = told(one.get("/api/v1/search", params={"q": asked}), SearchPage)
            assert secret not in {hit["id"] for hit in page["hits"]}
            assert HIDDEN not in json.dumps(page["facets"]) + json.dumps(page["hits"])
            assert "1999" not in json.dumps(page["facets"])
            assert page["total"] == (PICTURES - 1 if asked in ("harbour", "") else 0)
        for typed in ("secr", "#secr", "tag:secr", "caption:secr"):
            offers = told(one.get("/api/v1/search/complete", params={"q": typed}), Completions)
            assert HIDDEN not in json.dumps(offers)
    offers = told(client("ed").get("/api/v1/search/complete", params={"q": "#secr"}), Completions)["completions"]
    assert [offer["text"] for offer in offers] == [HIDDEN]


def test_who_sees_one_album_finds_its_pictures_alone(client: Client, library: Library) -> None:
    """An OR that escapes the owner filter: Lychee CVE-2026-39957."""
    inside, *_ = ids(library)
    stranger = client("stranger")
    assert told(stranger.get("/api/v1/search"), SearchPage)["total"] == 0
    share_album(library, inside, "stranger")
    for asked in ("", "harbour OR state:any", "-nothing", "(a OR harbour)", "state:trashed OR harbour", "album:Shared"):
        page = told(stranger.get("/api/v1/search", params={"q": asked}), SearchPage)
        assert [hit["id"] for hit in page["hits"]] == [inside], asked
        assert page["total"] == 1
    library.create_album("Surprise for the stranger")
    offers = told(stranger.get("/api/v1/search/complete", params={"q": "album:Surp"}), Completions)
    assert offers == {"completions": []}


def test_a_cursor_made_by_hand_shows_nothing_that_is_hidden(client: Client, library: Library) -> None:
    secret, other, *_ = ids(library)
    theirs = client("owner").get("/api/v1/search", params={"q": "harbour", "limit": "1"}).json()["next"]
    hide(library, secret, "ed")
    page = told(client("vic").get("/api/v1/search", params={"q": "harbour", "after": theirs}), SearchPage)
    assert secret not in {hit["id"] for hit in page["hits"]}
    assert other in {hit["id"] for hit in page["hits"]}


def test_completions_say_what_to_put_where(client: Client) -> None:
    for member in READERS:
        offers = told(client(member).get("/api/v1/search/complete", params={"q": "beach cam"}), Completions)
        first = offers["completions"][0]
        assert (first["text"], first["start"], first["end"], first["kind"]) == ("camera:", 6, 9, "key")
    vic = client("vic")
    assert len(vic.get("/api/v1/search/complete", params={"q": "", "limit": "2"}).json()["completions"]) == 2
    assert vic.get("/api/v1/search/complete", params={"q": "cam", "cursor": "99999999"}).status_code == 200
    assert vic.get("/api/v1/search/complete", params={"q": "cam", "cursor": "-1"}).status_code == 422
    assert vic.get("/api/v1/search/complete").status_code == 422


def test_queries_are_told_as_json_and_as_text(client: Client) -> None:
    vic = client("vic")
    parsed = told(vic.post("/api/v1/query/parse", json={"q": 'camera:fuji "red door" sort:newest'}), Parsed)
    assert parsed["query"]["sort"] == "newest"
    assert parsed["chips"][0] == {"kind": "camera", "text": "fuji", "start": 0, "end": 11}
    printed = told(vic.post("/api/v1/query/print", json={"query": parsed["query"]}), Printed)
    assert printed["q"] == 'camera:fuji "red door" sort:newest'
    assert vic.post("/api/v1/query/print", json={"query": {"where": {"nothing": 1}}}).status_code == 422


def test_nobody_searches_without_signing_in_and_no_key_without_its_scope(client: Client) -> None:
    nobody, key = client(None), client("owner", scopes=("upload",))
    for one, status in ((nobody, 401), (key, 403)):
        assert one.get("/api/v1/search").status_code == status
        assert one.get("/api/v1/search/complete", params={"q": "a"}).status_code == status
        assert one.get("/api/v1/search", params={"limit": "0"}).status_code in (status, 422)
        for path, body in (("search", {}), ("query/parse", {"q": ""}), ("query/print", {"query": ANY})):
            answer = one.post(f"/api/v1/{path}", json=body, headers={"Sec-Fetch-Site": "same-origin"})
            assert answer.status_code == status


def test_script_that_was_searched_for_comes_back_as_json_alone(client: Client, library: Library) -> None:
    hostile = "<script>alert(1)</script>"
    library.set(ids(library)[0], "title", hostile)
    answer = client("vic").get("/api/v1/search", params={"q": hostile})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.json()["hits"][0]["title"] == hostile


def test_the_tag_of_an_answer_follows_who_asks_and_what(library: Library) -> None:
    tags = {answers.version_tag(library, "a"), answers.version_tag(library, "b")}
    tags.add(answers.version_tag(library.asked_by(access.Principal("vic")), "a"))
    assert len(tags) == 3
    assert answers.version_tag(library, "a") in tags


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(st.characters()) | st.integers(),
        lambda parts: st.lists(parts, max_size=4) | st.dictionaries(st.text(max_size=5), parts, max_size=4),
        max_leaves=10,
    )
)
def test_any_value_is_told_as_json_that_strict_readers_take(value: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    told = json.loads(answers.as_json(value).decode("utf-8"), parse_constant=refuse)
    if not any(text in repr(value) for text in ("nan", "inf", "\\ud")):
        assert told == value


def test_bytes_of_names_that_are_no_text_are_replaced() -> None:
    assert answers.as_json({"path": "a\udcff.jpg"}) == b'{"path":"a?.jpg"}'
