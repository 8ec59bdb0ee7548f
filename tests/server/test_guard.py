"""What the guard keeps out and keeps in; each test names the hole that it stands for."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, Request

from imager.server.app import create_app
from imager.server.asking import public
from imager.server.logs import JsonFormatter
from imager.server.settings import Settings, networks
from tests.server.client import Served
from tests.server.conftest import PASSWORD, Client

SECRET_PLACE = "/somebody/private/Lisbon.jpg"


@pytest.fixture
def faulty(served: Served) -> Served:
    """The server, with a route that fails for a reason that nobody should learn, and one that reads what is sent."""
    router = APIRouter(dependencies=[public()])

    @router.get("/fault/{name}")
    async def fault(name: str) -> None:
        raise ZeroDivisionError(SECRET_PLACE + name)

    @router.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    served.app.router.routes.extend(router.routes)
    return served


def test_dns_rebinding_a_server_of_this_computer_is_known_by_no_other_name(client: Client) -> None:
    owner = client("owner")
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "192.168.1.2", "[fe80::1]"):
        answer = owner.get("/api/v1/session", headers={"Host": host})
        assert (answer.status_code, answer.json()["type"]) == (421, "/problems/host"), host


def test_this_computer_knows_itself_by_all_its_names(client: Client) -> None:
    owner = client("owner")
    for host in ("localhost", "localhost:8643", "127.0.0.1:1", "[::1]:8643", "LOCALHOST", "a.localhost"):
        assert owner.get("/api/v1/session", headers={"Host": host}).status_code == 200, host


def test_host_header_what_makes_no_sense_is_refused(client: Client) -> None:
    owner = client("owner")
    for host in ("", "a b", "user@localhost", "localhost/x", "localhost\\x", "[", "localhost#x"):
        assert owner.get("/api/v1/session", headers={"Host": host}).status_code in (400, 421), host


def test_host_header_two_of_them_are_refused(client: Client) -> None:
    headers = [("Host", "localhost"), ("Host", "evil.example")]
    assert client("owner").get("/healthz", headers=headers).status_code == 400


def test_host_header_no_address_in_an_answer_repeats_it(client: Client) -> None:
    """Piwigo CVE-2025-62406."""
    owner = client("owner")
    answer = owner.post("/api/v1/members/ed/link", headers={"Host": "a.localhost"})
    assert answer.json()["path"].startswith("/open?token=")
    assert "a.localhost" not in answer.text


_CROSS = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:1"},
    {"Sec-Fetch-Site": "cross-site", "X-Imager": "1"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost.evil.example"},
    {"Origin": "http://localhost:81"},
    {},
]


@pytest.mark.parametrize("headers", _CROSS, ids=str)
def test_csrf_another_site_changes_nothing_in_ones_name(client: Client, headers: dict[str, str]) -> None:
    browser = client("owner")
    del browser.headers["Sec-Fetch-Site"]
    for method in ("POST", "PUT", "PATCH", "DELETE", "BREW"):
        answer = browser.request(method, "/api/v1/session", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/cross-site"), method
    assert browser.get("/api/v1/session").status_code == 200


_OWN = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://localhost"},
    {"X-Imager": "1"},
]


@pytest.mark.parametrize("headers", _OWN, ids=str)
def test_csrf_ones_own_pages_and_programs_may(client: Client, headers: dict[str, str]) -> None:
    browser = client("owner")
    del browser.headers["Sec-Fetch-Site"]
    assert browser.delete("/api/v1/session", headers=headers).status_code == 204


def test_csrf_another_site_signs_nobody_in(client: Client) -> None:
    browser = client(None)
    del browser.headers["Sec-Fetch-Site"]
    given = {"member": "vic", "password": PASSWORD}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    ):
        assert browser.post("/api/v1/session", json=given, headers=headers).status_code == 403
    form: Any = {"content": json.dumps(given), "headers": {"Content-Type": "text/plain"}}
    assert browser.post("/api/v1/session", **form).status_code == 422
    assert not browser.cookies


def test_cors_no_other_site_reads_an_answer(client: Client) -> None:
    owner = client("owner")
    for origin in ("https://evil.example", "null", "http://localhost"):
        answer = owner.get("/api/v1/session", headers={"Origin": origin})
        assert not [name for name in answer.headers if name.startswith("access-control")]
        asked = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
        answer = owner.request("OPTIONS", "/api/v1/session", headers=asked)
        assert answer.status_code == 405
        assert not [name for name in answer.headers if name.startswith("access-control")]


_PATHS = ["/api/v1/session", "/nothing", "/healthz", "/api/v1/openapi.json", "/", "/open?token=" + "x" * 43]


def test_clickjacking_and_scripts_no_answer_can_be_framed_or_run_what_it_contains(client: Client) -> None:
    owner = client("owner")
    for path in _PATHS:
        headers = owner.get(path).headers
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] in ("no-store", "no-cache")


def test_open_redirect_nothing_leads_elsewhere(client: Client) -> None:
    """Immich CVE-2026-53662: where a link leads does not depend on what it says."""
    owner = client("owner")
    for path in ("//evil.example", "/%5cevil.example", "/api/v1/session/", "/https://evil.example", "/api/v1//session"):
        answer = owner.get(f"http://localhost{path}")
        assert answer.status_code == 404, path
        assert "location" not in answer.headers
    token = owner.post("/api/v1/members/ed/link").json()["path"].split("=")[1]
    answer = owner.get("/open", params={"token": token, "next": "//evil.example", "continue": "https://evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_body_is_refused_by_its_length_before_it_is_read(client: Client) -> None:
    answer = client("owner").post("/api/v1/session", content=b"x" * (1 << 20) + b"x")
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


def test_a_body_that_tells_no_length_is_read_only_so_far(faulty: Served) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * (1 << 16)

    with faulty.client() as nobody:
        assert nobody.post("/length", content=b"x" * 1_000).json() == 1_000
        answer = nobody.post("/length", content=pieces(), headers={"Sec-Fetch-Site": "same-origin"})
        assert (answer.status_code, answer.json()["type"]) == (413, "/problems/too-large")


def test_request_smuggling_a_length_is_a_number(client: Client) -> None:
    nobody = client(None)
    for length in ("-1", "1e3", "٣", "abc", "+5"):
        headers = {b"Content-Length": length.encode()}
        assert nobody.request("GET", "/healthz", headers=headers).status_code == 400, length


def test_a_fault_tells_nobody_outside_what_it_was(faulty: Served, caplog: pytest.LogCaptureFixture) -> None:
    with faulty.client() as nobody, caplog.at_level(logging.ERROR):
        answer = nobody.get("/fault/Anna?query=secret")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == answer.json()["request"]
    assert "Lisbon" not in answer.text
    assert "ZeroDivision" not in answer.text
    (line,) = [JsonFormatter().format(record) for record in caplog.records if record.getMessage() == "fault"]
    said = json.loads(line)
    assert (said["error"], said["route"], said["request"]) == (
        "ZeroDivisionError",
        "/fault/{name}",
        answer.json()["request"],
    )
    assert "Lisbon" not in line


def test_logs_say_which_route_was_asked_by_whom_and_nothing_that_was_in_the_address(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    owner = client("owner")
    with caplog.at_level(logging.INFO, "imager.server"):
        owner.get("/api/v1/search", params={"q": "Lisbon harbour"})
        owner.get("/open", params={"token": "SECRETSECRETSECRETSECRET"})
        owner.get("/Lisbon/Anna.jpg")
        owner.post("/api/v1/session", json={"member": "anna", "password": "SECRETSECRET"})
    lines = [JsonFormatter().format(r) for r in caplog.records if r.name.startswith("imager.server")]
    text = "\n".join(lines)
    assert len(lines) >= 4
    for hidden in ("Lisbon", "harbour", "SECRET", "Anna", "anna", *owner.cookies.values()):
        assert hidden not in text
    session = owner.get("/api/v1/session").json()["id"]
    assert json.loads(lines[0])["asker"] == f"session:{session}"
    assert {json.loads(line).get("route") for line in lines} >= {"/open", "(none)"}


# ── behind a proxy, below a path ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def proxied(library_folder: Path, cheap_passwords: None) -> Iterator[Served]:
    app = create_app(
        Settings(
            library=library_folder,
            base_path="/photos",
            hosts=frozenset({"home.example"}),
            proxies=networks(["10.0.0.0/8"]),
        )
    )
    served = Served(app)
    yield served
    served.close()


def test_it_is_served_below_a_path_whether_the_proxy_takes_that_away_or_not(proxied: Served) -> None:
    with proxied.client(peer="10.1.2.3", address="http://home.example") as nobody:
        for path in ("/photos/healthz", "/healthz"):
            assert nobody.get(path).json() == {"status": "ok"}
        assert nobody.get("/photosx/healthz").status_code == 404
        assert nobody.get("/photos/api/v1/openapi.json").json()["servers"] == [{"url": "/photos"}]


def test_only_a_trusted_proxy_says_that_tls_is_used_and_who_asks(proxied: Served) -> None:
    given = {"member": "ed", "password": PASSWORD}
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7", "Sec-Fetch-Site": "same-origin"}
    with proxied.client(peer="10.1.2.3", address="http://home.example", headers=said) as trusted:
        answer = trusted.post("/photos/api/v1/session", json=given)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Secure-imager=")
        assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/photos"))
        assert answer.headers["strict-transport-security"]
    with proxied.client(peer="203.0.113.9", address="http://home.example", headers=said) as stranger:
        cookie = stranger.post("/photos/api/v1/session", json=given).headers["set-cookie"]
        assert cookie.startswith("imager-8643=")
        assert "Secure" not in cookie


def test_tries_are_counted_for_who_tries_not_for_the_proxy_and_nobody_names_another(proxied: Served) -> None:
    def statuses(peer: str, *forwarded: str) -> list[int]:
        found: list[int] = []
        for address in forwarded:
            headers = {"X-Forwarded-For": address, "Sec-Fetch-Site": "same-origin"}
            with proxied.client(peer=peer, address="http://home.example", headers=headers) as one:
                given = {"member": f"nobody-{len(found)}", "password": "x"}
                found.append(one.post("/photos/api/v1/session", json=given).status_code)
        return found

    assert statuses("10.0.0.1", *["203.0.113.1"] * 11) == [401] * 10 + [429]
    assert statuses("10.0.0.1", "203.0.113.2") == [401]
    assert statuses("198.51.100.1", *[f"203.0.113.{n}" for n in range(10, 21)]) == [401] * 10 + [429]


def test_over_tls_at_the_top_the_cookie_is_of_this_host_alone(library_folder: Path, cheap_passwords: None) -> None:
    settings = Settings(library=library_folder, hosts=frozenset({"home.example"}), host="0.0.0.0")
    served = Served(create_app(replace(settings, certificate="named")))
    with served.client(address="https://home.example", headers={"Sec-Fetch-Site": "same-origin"}) as browser:
        cookie = browser.post("/api/v1/session", json={"member": "ed", "password": PASSWORD}).headers["set-cookie"]
    served.close()
    assert cookie.startswith("__Host-imager=")
    assert all(part in cookie for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/;"))
    assert "Domain" not in cookie
