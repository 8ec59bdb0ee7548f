"""Signing in and out, and whose session is whose."""

from __future__ import annotations

from tests.server.client import Served
from tests.server.conftest import PASSWORD, Client


def test_who_signs_in_gets_a_session_and_who_signs_out_loses_it(client: Client) -> None:
    browser = client(None)
    assert browser.get("/api/v1/session").status_code == 401
    answer = browser.post("/api/v1/session", json={"member": "ed", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["member"], answer.json()["role"]) == ("ed", "editor")
    assert browser.get("/api/v1/session").json()["kind"] == "session"
    assert browser.delete("/api/v1/session").status_code == 204
    assert browser.get("/api/v1/session").status_code == 401


def test_it_is_described(client: Client, served: Served) -> None:
    document = client(None).get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
