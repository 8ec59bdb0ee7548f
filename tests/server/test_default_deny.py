"""Nothing is open by oversight: every route says whom it asks for, and answers nobody unless it is meant to."""

from __future__ import annotations

import re

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from imager.server.asking import Need, Public
from imager.server.description import need_of
from tests.server.client import Served
from tests.server.conftest import Client

OPEN = {
    ("GET", "/"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/open"),
    ("POST", "/open"),
    ("POST", "/api/v1/session"),
    ("OPTIONS", "/api/v1/uploads"),
}
"""What everybody may ask for, whoever they are. What is here was thought about."""

LINKS = "/api/v1/shared"
"""Below this, routes ask for a share link instead; their own tests say what it opens."""


def _routes(served: Served) -> list[APIRoute]:
    assert all(isinstance(route, BaseRoute) for route in served.app.routes)
    found = [route for route in served.app.routes if isinstance(route, APIRoute)]
    assert len(found) == len(served.app.routes), "a route of another kind says nothing of whom it asks for"
    return found


def test_every_route_says_whom_it_asks_for(served: Served) -> None:
    for route in _routes(served):
        assert isinstance(need_of(route), Need | Public), f"{route.path} has neither need() nor public()"


def test_only_what_was_thought_about_is_open(served: Served) -> None:
    found = {
        (method, route.path)
        for route in _routes(served)
        for method in route.methods or ()
        if isinstance(need_of(route), Public) and not route.path.startswith(LINKS)
    }
    assert found - {("HEAD", path) for _, path in OPEN} == OPEN


def test_nobody_gets_anything_from_a_route_that_needs_somebody(client: Client, served: Served) -> None:
    nobody = client(None)
    for route in _routes(served):
        if not isinstance(need_of(route), Need):
            continue
        path = re.sub(r"\{[^}]*\}", "00000000000000000000000000000000", route.path)
        for method in route.methods or ():
            answer = nobody.request(method, path)
            assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_that_is_none_opens_nothing_and_is_not_replaced_by_a_cookie(client: Client) -> None:
    somebody = client("owner")
    assert somebody.get("/api/v1/session").status_code == 200
    for token in ("imager_x", "x", "", "imager_" + "A" * 43, "imager_" + "A" * 100_000, "\udcff"):
        header = f"Bearer {token}".encode("utf-8", "surrogateescape")
        assert somebody.get("/api/v1/session", headers={b"Authorization": header}).status_code == 401
    assert somebody.get("/api/v1/session", headers={"Authorization": "Basic b3duZXI6eA=="}).status_code == 401


def test_the_token_of_a_session_is_no_key_and_a_key_is_no_session(client: Client, served: Served) -> None:
    browser, program = client("owner"), client("owner", scopes=("read",))
    name = f"imager-{served.state.settings.port}"
    token, key = browser.cookies[name], program.headers["Authorization"].split()[1]
    assert client(None).get("/api/v1/session", headers={"Authorization": f"Bearer {token}"}).status_code == 401
    assert client(None).get("/api/v1/session", headers={"Cookie": f"{name}={key}"}).status_code == 401
