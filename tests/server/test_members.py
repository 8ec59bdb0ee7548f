"""Members and API keys: nobody rises by themselves, and no key exceeds its member."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from imager import access
from imager.access import Principal
from imager.library import Library
from imager.server.asking import SCOPES
from imager.server.auth import keys
from tests.server.client import Served
from tests.server.conftest import MEMBERS, PASSWORD, Client

OWNERS: list[tuple[str, str, Any]] = [
    ("POST", "/api/v1/members", {"member": "eve", "role": "owner", "password": "some plain words"}),
    ("GET", "/api/v1/members/ed", None),
    ("PATCH", "/api/v1/members/ed", {"role": "owner"}),
    ("PATCH", "/api/v1/members/owner", {"role": "viewer"}),
    ("PATCH", "/api/v1/members/owner", {"disabled": True}),
    ("PUT", "/api/v1/members/owner/password", {"password": "some other words"}),
    ("POST", "/api/v1/members/owner/link", None),
    ("GET", "/metrics", None),
]
"""What only owners may do."""


def _ask(one: httpx.Client, method: str, path: str, given: Any) -> int:
    return one.request(method, path, json=given).status_code


@pytest.mark.parametrize("member", ["ed", "vic", "stranger"])
def test_rising_in_role_an_editor_does_not_become_an_owner(client: Client, member: str, library: Library) -> None:
    """Immich CVE-2026-59258."""
    one, program = client(member), client(member, scopes=SCOPES)
    before = access.granted(library.catalog)
    for method, path, given in OWNERS:
        assert _ask(one, method, path, given) == 403, path
        assert _ask(program, method, path, given) == 403, path
    assert access.granted(library.catalog) == before
    assert client("owner").get("/api/v1/session").status_code == 200


def test_key_upgrade_a_key_makes_no_keys_sessions_or_accounts(client: Client) -> None:
    """Immich CVE-2026-23896: not even an owner's, with every scope."""
    program = client("owner", scopes=SCOPES)
    key = {"name": "more", "scopes": ["manage"]}
    for method, path, given in (
        *OWNERS[:-1],
        ("GET", "/api/v1/keys", None),
        ("POST", "/api/v1/keys", key),
        ("GET", "/api/v1/sessions", None),
        ("DELETE", "/api/v1/sessions", None),
        ("PUT", "/api/v1/session/password", {"current": PASSWORD, "new": "some other words"}),
    ):
        assert _ask(program, method, path, given) == 403, path


def test_a_key_does_what_its_scopes_say_and_no_more(client: Client) -> None:
    assert client("owner", scopes=("read",)).get("/metrics").status_code == 403
    assert client("owner", scopes=("write",)).get("/api/v1/session").status_code == 403
    assert client("owner", scopes=("manage",)).get("/metrics").status_code == 200
    assert client("vic", scopes=SCOPES).get("/metrics").status_code == 403


def test_a_key_is_told_once_and_revoked_by_its_own_member_alone(client: Client) -> None:
    ed, vic = client("ed"), client("vic")
    made = ed.post("/api/v1/keys", json={"name": "backup", "scopes": ["read", "read"]})
    assert made.status_code == 201
    key = made.json()
    program = client(None)
    program.headers = httpx.Headers({"Authorization": f"Bearer {key['key']}"})
    assert program.get("/api/v1/session").json() | {"scopes": ["read"], "kind": "key", "member": "ed"} == (
        program.get("/api/v1/session").json()
    )
    listed = ed.get("/api/v1/keys")
    assert [k["name"] for k in listed.json()["keys"]] == ["backup"]
    assert key["key"] not in listed.text
    assert vic.get("/api/v1/keys").json() == {"keys": []}
    assert vic.delete(f"/api/v1/keys/{key['id']}").status_code == 404
    assert ed.delete(f"/api/v1/keys/{key['id']}").status_code == 204
    assert program.get("/api/v1/session").status_code == 401


def test_a_key_ends_when_it_was_said_to(library: Library, client: Client) -> None:
    now = library.catalog.now()
    secret, _ = keys.create(library.catalog, "ed", name="x", scopes=["read"], expires=now + 1_000)
    assert keys.asker(library.catalog, secret) is not None
    library.catalog.now = lambda: now + 1_000
    assert keys.asker(library.catalog, secret) is None
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    assert client("ed").post("/api/v1/keys", json={"name": "x", "scopes": ["read"], "expires": past}).status_code == 422
    for scopes in ([], ["root"], ["read", "owner"]):
        assert client("ed").post("/api/v1/keys", json={"name": "x", "scopes": scopes}).status_code == 422


def test_a_key_and_a_session_lose_with_their_member(client: Client) -> None:
    owner, ed, program = client("owner"), client("ed"), client("ed", scopes=("read",))
    assert (ed.get("/api/v1/session").status_code, program.get("/api/v1/session").status_code) == (200, 200)
    assert owner.patch("/api/v1/members/ed", json={"disabled": True}).json()["disabled"] is True
    assert (ed.get("/api/v1/session").status_code, program.get("/api/v1/session").status_code) == (401, 401)
    assert client(None).post("/api/v1/session", json={"member": "ed", "password": PASSWORD}).status_code == 401
    assert owner.patch("/api/v1/members/ed", json={"disabled": False, "role": "viewer"}).json()["role"] == "viewer"
    assert ed.get("/api/v1/session").status_code == 401, "a session that ended does not begin again"
    assert program.get("/api/v1/session").json()["role"] == "viewer"


def test_the_last_owner_stays_one_and_stays_able_to_sign_in(client: Client, library: Library) -> None:
    owner = client("owner")
    for change in ({"role": "editor"}, {"role": "none"}, {"disabled": True}):
        assert owner.patch("/api/v1/members/owner", json=change).status_code == 422
    assert owner.patch("/api/v1/members/ed", json={"role": "owner"}).json()["role"] == "owner"
    assert owner.patch("/api/v1/members/ed", json={"disabled": True}).status_code == 200
    assert owner.patch("/api/v1/members/owner", json={"role": "none"}).status_code == 422, "ed can't sign in"
    assert owner.patch("/api/v1/members/ed", json={"disabled": False}).status_code == 200
    assert owner.patch("/api/v1/members/owner", json={"role": "none"}).json()["role"] is None
    assert owner.patch("/api/v1/members/ed", json={"role": "viewer"}).status_code == 403
    assert access.role_on(Principal("owner"), library.catalog) is None


def test_who_lost_a_role_has_lost_it_at_once(client: Client) -> None:
    owner, ed = client("owner"), client("ed")
    assert owner.patch("/api/v1/members/ed", json={"role": "owner"}).status_code == 200
    assert ed.get("/metrics").status_code == 200
    assert owner.patch("/api/v1/members/ed", json={"role": "none"}).status_code == 200
    assert ed.get("/metrics").status_code == 403
    assert ed.get("/api/v1/members").status_code == 403


def test_a_new_member_comes_in_by_a_link_and_chooses_a_password(client: Client) -> None:
    owner, browser = client("owner"), client(None)
    made = owner.post("/api/v1/members", json={"member": "ben", "name": "  Ben\u00a0B. ", "role": "viewer"})
    assert (made.status_code, made.json()["name"], made.json()["password"]) == (201, "Ben B.", False)
    assert browser.post("/api/v1/session", json={"member": "ben", "password": "anything at all"}).status_code == 401
    assert browser.get(owner.post("/api/v1/members/ben/link").json()["path"]).status_code == 303
    me = browser.get("/api/v1/session").json()
    assert (me["member"], me["kind"], me["role"]) == ("ben", "local", "viewer")
    assert browser.put("/api/v1/session/password", json={"new": "my own plain words"}).status_code == 204
    assert (
        client(None).post("/api/v1/session", json={"member": "ben", "password": "my own plain words"}).status_code
        == 200
    )


def test_a_name_that_is_taken_or_makes_none_is_refused(client: Client) -> None:
    owner = client("owner")
    for member in ("imager", "", "A", "a b", "../x", "-a", "a" * 64, "ed", "a\n", "é"):
        assert owner.post("/api/v1/members", json={"member": member}).status_code == 422, member


def test_hostile_strings_a_name_can_be_printed(client: Client) -> None:
    owner = client("owner")
    for name in ("\u202eevil", "a" * 101, "\x1b[31m", " ", "a\x00b"):
        assert owner.patch("/api/v1/members/ed", json={"name": name}).status_code == 422, name


def test_markup_in_a_name_stays_text(client: Client) -> None:
    owner, ed = client("owner"), client("ed")
    hostile = "<script>alert(1)</script>"
    assert owner.patch("/api/v1/members/ed", json={"name": hostile}).json()["name"] == hostile
    answer = ed.get("/api/v1/session")
    assert (answer.json()["name"], answer.headers["content-type"]) == (hostile, "application/json")
    assert hostile not in ed.get("/").text


def test_members_see_who_else_there_is_and_only_owners_more(client: Client, served: Served) -> None:
    seen = client("vic").get("/api/v1/members").json()["members"]
    assert {m["member"]: m["role"] for m in seen} == MEMBERS
    assert {m["password"] for m in seen} == {None}
    assert {m["password"] for m in client("owner").get("/api/v1/members").json()["members"]} == {True}
    assert client("stranger").get("/api/v1/members").status_code == 403


def test_an_owner_gives_somebody_a_new_password_but_not_themselves(client: Client) -> None:
    owner, ed = client("owner"), client("ed")
    new = {"password": "some other words"}
    assert owner.put("/api/v1/members/owner/password", json=new).status_code == 422
    assert owner.put("/api/v1/members/ed/password", json=new).status_code == 204
    assert ed.get("/api/v1/session").status_code == 401
    assert client(None).post("/api/v1/session", json={"member": "ed", **new}).status_code == 200


def test_a_member_who_is_none_is_not_found(client: Client) -> None:
    owner = client("owner")
    for member in ("nobody", "%00", "a" * 500, "' OR 1=1 --", "..%2f.."):
        assert owner.get(f"/api/v1/members/{member}").status_code == 404
        assert owner.patch(f"/api/v1/members/{member}", json={"role": "owner"}).status_code == 404
        assert owner.post(f"/api/v1/members/{member}/link").status_code == 404
