"""GraphQL: the same pictures to the same people, and no more of them at once than a server bears."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest
from graphql import GraphQLError, get_introspection_query

from imager import access
from imager.library import Library
from imager.server.graphql import limits, printed
from imager.server.schemas.graphql import GraphqlAnswer
from tests.server.conftest import PICTURES, Client
from tests.server.seen import HIDDEN, READERS, everybody, hide, ids, problem, share_album

ADDRESS = "/api/v1/graphql"
ASSET = "query One($id: ID!) { asset(id: $id) { id v caption tags { name } files { path } bytes metadata } }"


def asked(client: httpx.Client, document: str, /, **variables: Any) -> Any:
    """The whole answer to a document."""
    answer = client.post(ADDRESS, json={"query": document, "variables": variables})
    assert answer.status_code == 200, answer.text
    value = answer.json()
    GraphqlAnswer.model_validate(value, extra="forbid", strict=True)
    return value


def data(client: httpx.Client, document: str, /, **variables: Any) -> Any:
    """What a document gave, without any error."""
    value = asked(client, document, **variables)
    assert "errors" not in value, value
    return value["data"]


def refused(client: httpx.Client, document: str, /, **variables: Any) -> str:
    """What is wrong with a document."""
    value = asked(client, document, **variables)
    assert value["errors"], value
    return str(value["errors"][0]["message"])


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_everybody_reads_pictures_in_the_words_of_the_api(client: Client, library: Library) -> None:
    wanted, *_ = ids(library)
    library.tag(wanted, "Dogs")
    for one in everybody(client).values():
        found, shown = data(one, ASSET, id=wanted)["asset"], one.get(f"/api/v1/assets/{wanted}").json()
        assert found["v"] == shown["sha256"][:16]
        assert found["tags"] == [{"name": "Dogs"}]
        assert {name: found[name] for name in ("id", "caption", "bytes", "metadata")} == {
            name: shown[name] for name in ("id", "caption", "bytes", "metadata")
        }


def test_searches_give_what_the_api_gives(client: Client) -> None:
    document = """query Find($q: String!, $after: String) { search(q: $q, limit: 2, after: $after) {
      total next chips { kind text start end } facets { name values { value count query } }
      hits { id v score why { channel field words } taken_at title asset { id caption } } } }"""
    vic = client("vic")
    found = data(vic, document, q="harbour")["search"]
    page = vic.get("/api/v1/search", params={"q": "harbour", "limit": "2"}).json()
    assert {facet["name"]: facet["values"] for facet in found["facets"]} == page["facets"]
    assert (found["total"], found["chips"]) == (page["total"], page["chips"])
    for hit, other in zip(found["hits"], page["hits"], strict=True):
        assert hit["asset"]["id"] == hit["id"]
        assert {name: hit[name] for name in ("id", "v", "score", "taken_at", "title")} == {
            name: other[name] for name in ("id", "v", "score", "taken_at", "title")
        }
    following = data(vic, document, q="harbour", after=found["next"])["search"]
    assert {hit["id"] for hit in following["hits"]}.isdisjoint({hit["id"] for hit in found["hits"]})
    as_json = "query($query: JSON) { search(query: $query) { total facets { name } } }"
    assert data(vic, as_json, query={"where": {"text": "harbour"}})["search"]["total"] == PICTURES
    without = "fragment F on SearchPage { total ... on SearchPage { hits { id } } } { search { ...F } }"
    assert data(vic, without)["search"]["total"] == PICTURES


def test_time_albums_and_figures_can_be_read(client: Client, library: Library) -> None:
    album, _ = library.create_album("Summer")
    library.add_to_album(album, *ids(library)[:3])
    document = """query($album: ID!, $at: String) {
      timeline(limit: 3, at: $at) { rows { id taken_at thumbhash asset { caption } } older newer }
      months { value count } days(q: "date:2021-07-01") { value count } years { value count }
      albums { id name count cover } album(id: $album) { name pictures(limit: 2) { pictures { id asset { id } } next } }
      stats { pictures bytes years { value count } library } }"""
    for member, one in everybody(client).items():
        found = data(one, document, album=album, at="2021-07-05")
        assert len(found["timeline"]["rows"]) == 3
        assert found["months"] == [{"value": "2021-07", "count": PICTURES}]
        assert found["days"] == [{"value": "2021-07-01", "count": 1}]
        assert [(a["name"], a["count"]) for a in found["albums"]] == [("Summer", 3)]
        assert len(found["album"]["pictures"]["pictures"]) == 2
        assert found["album"]["pictures"]["next"] is not None
        assert (found["stats"]["library"] is not None) is (member == "owner")


# ── whose ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_somebody_elses_picture_by_its_id_is_no_picture(client: Client, library: Library) -> None:
    """Photoview CVE-2026-96271."""
    secret, other, *_ = ids(library)
    hide(library, secret, "ed")
    assert data(client("ed"), ASSET, id=secret)["asset"]["id"] == secret
    nothing = asked(client("vic"), ASSET, id="00000000-0000-8000-8000-000000000000")
    for member, wanted in (("owner", secret), ("vic", secret), ("stranger", secret), ("stranger", other)):
        assert asked(client(member), ASSET, id=wanted) == nothing == {"data": {"asset": None}}


def test_a_hidden_picture_is_in_no_field(client: Client, library: Library) -> None:
    secret, *_ = ids(library)
    album, _ = library.create_album("Nights")
    library.add_to_album(album, secret)
    hide(library, secret, "ed")
    document = """query($album: ID!) {
      search { total hits { id asset { id } } facets { name values { value count } } }
      timeline { rows { id asset { id } } } months { value } days { value } years { value }
      albums { name count cover } album(id: $album) { count cover pictures { pictures { id asset { id } } } }
      stats { pictures located years { value } tags { value } places { value } } }"""
    for member in ("owner", "vic"):
        found = data(client(member), document, album=album)
        assert found["search"]["total"] == PICTURES - 1
        assert found["albums"] == [{"name": "Nights", "count": 0, "cover": None}]
        for word in (secret, HIDDEN, "1999"):
            assert word not in json.dumps(found)
    theirs = data(client("ed"), document, album=album)
    assert theirs["album"]["pictures"]["pictures"] == [{"id": secret, "asset": {"id": secret}}]


def test_who_sees_one_album_reads_that_and_nothing_else(client: Client, library: Library) -> None:
    inside, outside, *_ = ids(library)
    other, _ = library.create_album("Other")
    shared = share_album(library, inside, "stranger")
    stranger = client("stranger")
    found = data(
        stranger,
        "query($a: ID!, $b: ID!) { search { hits { id } } albums { id } shared: album(id: $a) { name } "
        "other: album(id: $b) { name } stats { pictures albums } }",
        a=shared,
        b=other,
    )
    assert found["search"]["hits"] == [{"id": inside}]
    assert found["albums"] == [{"id": shared}]
    assert (found["shared"], found["other"]) == ({"name": "Shared"}, None)
    assert found["stats"] == {"pictures": 1, "albums": 1}
    assert data(stranger, ASSET, id=outside)["asset"] is None


def test_where_files_lie_is_for_owners_alone(client: Client, library: Library) -> None:
    wanted, *_ = ids(library)
    for member in ("ed", "vic"):
        assert data(client(member), ASSET, id=wanted)["asset"]["files"] == []
        assert data(client(member), "{ search { hits { path } } }")["search"]["hits"][0] == {"path": None}


def test_pictures_and_albums_have_no_names_but_their_ids(client: Client, library: Library) -> None:
    library.create_album("Summer")
    for name in ("Summer", "/etc/passwd", "", "\x00", "~", str(library.folder)):
        assert data(client("owner"), ASSET, id=name)["asset"] is None
        assert data(client("owner"), "query($id: ID!) { album(id: $id) { name } }", id=name)["album"] is None


def test_nobody_reads_without_signing_in_and_no_key_without_its_scope(client: Client) -> None:
    body = {"query": "{ __typename }"}
    nobody, key = client(None), client("owner", scopes=("write", "manage"))
    problem(nobody.post(ADDRESS, json=body), 401, "unauthenticated")
    problem(key.post(ADDRESS, json=body), 403, "forbidden")
    assert client("vic", scopes=("read",)).post(ADDRESS, json=body).status_code == 200
    for one, status in ((nobody, 401), (key, 403), (client("vic"), 200)):
        assert one.get(f"{ADDRESS}/schema").status_code == status


# ── how ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_documents_come_as_json_by_post_alone(client: Client) -> None:
    """What a page of another site can send without asking: forms and plain text."""
    vic, document = client("vic"), b'{"query": "{ __typename }"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json"):
        assert vic.post(ADDRESS, content=document, headers={"Content-Type": kind}).status_code in (415, 422), kind
    assert vic.get(ADDRESS, params={"query": "{ __typename }"}).status_code == 405
    typed = {"Content-Type": "application/json; charset=utf-8"}
    assert vic.post(ADDRESS, content=document, headers=typed).status_code == 200
    foreign = {"Content-Type": "application/json", "Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    assert vic.post(ADDRESS, content=document, headers=foreign).status_code == 403


def test_nothing_can_be_changed(client: Client) -> None:
    assert "mutation" in refused(client("owner"), "mutation { set(id: 1) { id } }").lower()
    assert "subscription" in refused(client("owner"), "subscription { a }").lower()
    assert "type Mutation" not in printed()
    assert "type Subscription" not in printed()


def test_who_is_signed_in_may_ask_what_there_is_to_be_asked(client: Client) -> None:
    for member in READERS:
        schema = data(client(member), get_introspection_query())["__schema"]
        assert schema["queryType"] == {"name": "Query", "kind": "OBJECT"} or schema["queryType"]["name"] == "Query"
    assert client("vic").get(f"{ADDRESS}/schema").text == printed()


def test_what_is_wrong_is_told_with_its_place(client: Client) -> None:
    vic = client("vic")
    value = asked(vic, '{ search(q: "camra:fuji") { total } }')
    (error,) = value["errors"]
    assert (value["data"], error["path"]) == (None, ["search"])
    assert error["extensions"]["type"] == "/problems/query"
    assert (error["extensions"]["start"], error["extensions"]["end"]) == (0, 5)
    for document, word in (
        ("{ nothing }", "nothing"),
        ("{ search(", "Syntax Error"),
        ("", "Syntax Error"),
        ("{ search(limit: 0) { total } }", "1 to"),
        ("{ search(limit: 999) { total } }", "1 to"),
        ('{ search(after: "nonsense") { total } }', "nonsense"),
        ('{ timeline(at: "nonsense") { older } }', "nonsense"),
        ('{ search(q: "a", query: {where: {text: "a"}}) { total } }', "not both"),
    ):
        assert word in refused(vic, document), document
    halves = b'{"query": "query($q: String!) { search(q: $q) { total } }", "variables": {"q": "\\ud800"}}'
    answer = vic.post(ADDRESS, content=halves, headers={"Content-Type": "application/json"})
    assert "half of one" in answer.json()["errors"][0]["message"]


def test_faults_of_the_server_are_logged_and_not_told(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: Library) -> None:
        raise RuntimeError("the secret path /pictures/ada")

    monkeypatch.setattr(Library, "stats", broken)
    with caplog.at_level(logging.ERROR):
        value = asked(client("owner"), "{ stats { pictures } months { count } }")
    (error,) = value["errors"]
    assert error["extensions"] == {"type": "/problems/fault", "status": 500}
    assert "ada" not in json.dumps(value)
    assert [record.exc_info[1].args for record in caplog.records if record.exc_info] == [  # type: ignore[union-attr]
        ("the secret path /pictures/ada",)
    ]


def test_what_people_ask_for_is_not_logged(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        refused(client("vic"), '{ search(q: "camra:whispered") { total } }')
        refused(client("vic"), "{ whispered }")
    assert "whispered" not in caplog.text


def test_one_request_has_a_budget(client: Client, library: Library) -> None:
    vic = client("vic")
    many = " ".join(f"a{n}: search(limit: 200) {{ hits {{ id v title kind }} }}" for n in range(20))
    assert "too much" in refused(vic, f"{{ {many} }}")
    wide = " ".join(f"a{n}: id" for n in range(150))
    assert "too much" in refused(vic, f"{{ search(limit: 200) {{ hits {{ {wide} }} }} }}")
    assets = " ".join(f'a{n}: asset(id: "{i}") {{ id }}' for n, i in enumerate(ids(library)))
    assert len(data(vic, f"{{ {assets} }}")) == PICTURES
    assert len(data(vic, "{ a: stats { pictures } b: stats { pictures } }")) == 2


def test_documents_that_ask_for_too_much_are_refused_before_anything_is_looked_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Library, "search", None)
    doubling = "".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }} " for n in range(100))
    inward = "fields { type { " * 4 + "name" + " } }" * 4
    vic = client("vic")
    for document, word in (
        ("{ " + "a " * 2_500 + "}", "tokens"),
        ("{ a(b: " + "[" * 900 + "1" + "]" * 900 + ") }", "too deep"),
        ("{ a " * 600 + "}" * 600, "too deep"),
        (doubling + "fragment f100 on Query { __typename } { ...f0 }", "fields"),
        ("{ " + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(4)) + " }", "fields"),
        ('{ __type(name: "Query") ' + "{ ofType " * 20 + "{ name }" + " }" * 20 + " }", "levels"),
        ("fragment f on Query { ...f } { ...f }", "itself"),
        (f"{{ __schema {{ types {{ {inward} }} }} }}", "depth"),
    ):
        assert word in refused(vic, document), document[:100]
    too_long = vic.post(ADDRESS, json={"query": "{ a }" + " " * limits.LONGEST})
    problem(too_long, 422, "invalid")
    with pytest.raises(GraphQLError, match="characters"):
        limits.measured("{ a }" + " " * limits.LONGEST)


def test_fragments_are_measured_unfolded() -> None:
    document = "fragment f on Query { a b } { x { ...f } y { ...f } }"
    assert limits._Measure(limits.measured(document)).largest() == (6, 2)
    doubling = "".join(f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }} " for n in range(60))
    with pytest.raises(GraphQLError, match="fields"):
        limits.measured(doubling + "fragment f60 on Query { a } { ...f0 }")


def test_the_view_of_a_member_who_loses_their_role_ends_at_once(client: Client, library: Library) -> None:
    vic, (wanted, *_) = client("vic"), ids(library)
    assert data(vic, ASSET, id=wanted)["asset"] is not None
    access.revoke(library.catalog, "vic")
    assert data(vic, ASSET, id=wanted)["asset"] is None
