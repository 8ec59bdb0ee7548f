"""Signing in and out, whose session is whose, and what who guesses meets; each test names the hole it stands for."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from imager.access import Principal
from imager.library import Library
from imager.server.auth import accounts, passwords, sessions
from tests.server.client import Served
from tests.server.conftest import PASSWORD, Client


def _cookie(served: Served) -> str:
    return f"imager-{served.state.settings.port}"


def test_who_signs_in_gets_a_session_and_who_signs_out_loses_it(client: Client, served: Served) -> None:
    browser = client(None)
    assert browser.get("/api/v1/session").status_code == 401
    answer = browser.post("/api/v1/session", json={"member": "ed", "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["member"], answer.json()["role"]) == ("ed", "editor")
    assert browser.get("/api/v1/session").json()["kind"] == "session"
    token = browser.cookies[_cookie(served)]
    assert browser.delete("/api/v1/session").status_code == 204
    assert not browser.cookies
    assert browser.get("/api/v1/session", headers={"Cookie": f"{_cookie(served)}={token}"}).status_code == 401


def test_cookies_scripts_and_other_sites_do_not_get_the_cookie(client: Client, served: Served) -> None:
    answer = client(None).post("/api/v1/session", json={"member": "ed", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{_cookie(served)}=")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Path=/"))
    assert "Domain" not in cookie
    assert len(cookie.split("=")[1].split(";")[0]) >= 43, "256 bits"


def test_session_fixation_a_session_never_has_a_token_that_the_browser_brought(client: Client, served: Served) -> None:
    browser = client(None)
    for planted in ("A" * 43, "planted"):
        browser.cookies.set(_cookie(served), planted, domain="localhost.local", path="/")
        answer = browser.post("/api/v1/session", json={"member": "ed", "password": PASSWORD})
        assert planted not in answer.headers["set-cookie"]
        nobody = client(None)
        assert nobody.get("/api/v1/session", headers={"Cookie": f"{_cookie(served)}={planted}"}).status_code == 401


def test_who_signs_in_as_somebody_else_leaves_the_session_that_was(client: Client, served: Served) -> None:
    browser = client("vic")
    before = browser.cookies[_cookie(served)]
    assert browser.post("/api/v1/session", json={"member": "ed", "password": PASSWORD}).status_code == 200
    assert client(None).get("/api/v1/session", headers={"Cookie": f"{_cookie(served)}={before}"}).status_code == 401


def test_sessions_are_listed_and_ended_each_by_their_own_member_alone(client: Client) -> None:
    """Someone else's object by its id: knowing the id of a session ends none."""
    one, other, stranger = client("ed"), client("ed"), client("vic")
    found = other.get("/api/v1/sessions").json()["sessions"]
    assert [s["current"] for s in found].count(True) == 1
    theirs = next(s["id"] for s in found if not s["current"])
    assert stranger.delete(f"/api/v1/sessions/{theirs}").status_code == 404
    assert one.get("/api/v1/session").status_code == 200
    assert other.delete(f"/api/v1/sessions/{theirs}").status_code == 204
    assert one.get("/api/v1/session").status_code == 401
    assert other.get("/api/v1/session").status_code == 200
    third = client("ed")
    assert third.delete("/api/v1/sessions").status_code == 204
    assert (other.get("/api/v1/session").status_code, third.get("/api/v1/session").status_code) == (401, 200)


def test_a_session_that_is_not_used_ends_and_one_that_is_goes_on(library: Library) -> None:
    day, now = sessions.DAY, [1_000_000]
    library.catalog.now = lambda: now[0]
    token = sessions.begin(library.catalog, "ed", days=30)
    now[0] += 29 * day
    found = sessions.asker(library.catalog, token)
    assert found is not None
    assert found[0].principal == Principal("ed")
    sessions.note(library.catalog, found[0].id, days=30)
    now[0] += 29 * day
    assert sessions.asker(library.catalog, token) is not None
    now[0] += 2 * day
    assert sessions.asker(library.catalog, token) is None
    sessions.note(library.catalog, found[0].id, days=30)
    assert sessions.asker(library.catalog, token) is None, "what has ended does not begin again"


def test_tokens_are_not_in_the_catalog(client: Client, library: Library, served: Served) -> None:
    browser, program = client("ed"), client("ed", scopes=("read",))
    opening = client("owner").post("/api/v1/members/ed/link").json()["path"].split("=")[1]
    secrets = [browser.cookies[_cookie(served)], program.headers["Authorization"].split()[1], opening]
    library.catalog.connection.checkpoint(truncate=True)
    stored = b"".join(p.read_bytes() for p in library.folder.glob("catalog.db*"))
    assert b"api_keys" in stored
    assert not [s for s in (*secrets, PASSWORD) if s.encode() in stored]


# ── guessing ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_whether_there_is_such_a_member_can_not_be_told(client: Client, served: Served) -> None:
    """The same answers in the same order, wrong passwords and lock-out alike."""
    told = []
    for member in ("vic", "nobody-of-that-name"):
        answers = []
        for n in range(7):
            with served.client(peer=f"203.0.113.{n}", headers={"Sec-Fetch-Site": "same-origin"}) as one:
                answer = one.post("/api/v1/session", json={"member": member, "password": "wrong"})
            answers.append((answer.status_code, answer.json()["type"], answer.headers.get("retry-after")))
        told.append(answers)
    assert told[0] == told[1]
    assert [status for status, *_ in told[0]] == [401] * 5 + [429] * 2


def test_a_locked_account_takes_not_even_the_right_password_and_leaves_its_sessions_alone(
    client: Client, served: Served, library: Library
) -> None:
    inside = client("vic")
    for n in range(5):
        with served.client(peer=f"203.0.113.{n}", headers={"Sec-Fetch-Site": "same-origin"}) as one:
            one.post("/api/v1/session", json={"member": "vic", "password": "wrong"})
    given = {"member": "vic", "password": PASSWORD}
    assert client(None).post("/api/v1/session", json=given).status_code == 429
    assert inside.get("/api/v1/session").status_code == 200
    library.catalog.db.execute("UPDATE accounts SET locked = 0 WHERE member = 'vic'")
    assert client(None).post("/api/v1/session", json=given).status_code == 200
    failures = library.catalog.db.execute("SELECT failures FROM accounts WHERE member = 'vic'").get
    assert failures == 0


def test_an_address_that_guesses_is_held_up_whatever_names_it_tries(client: Client) -> None:
    browser = client(None)
    tried = [
        browser.post("/api/v1/session", json={"member": f"name-{n}", "password": "wrong"}).status_code
        for n in range(12)
    ]
    assert tried == [401] * 10 + [429] * 2
    answer = browser.post("/api/v1/session", json={"member": "ed", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= 12


def test_who_is_right_is_not_held_up(client: Client) -> None:
    given = {"member": "ed", "password": PASSWORD}
    assert {client(None).post("/api/v1/session", json=given).status_code for _ in range(15)} == {200}


def test_a_password_is_never_taken_from_an_address(client: Client) -> None:
    """Immich CVE-2026-25118: it would stand in logs and histories."""
    browser = client(None)
    assert browser.get("/api/v1/session", params={"member": "ed", "password": PASSWORD}).status_code == 401
    assert browser.post("/api/v1/session", params={"member": "ed", "password": PASSWORD}).status_code == 422


_SENSELESS = [{"member": "ed", "password": ["SECRET"]}, [], "SECRET", {"member": "ed", "password": "SECRET", "x": 1}]


@pytest.mark.parametrize("given", _SENSELESS)
def test_what_makes_no_sense_is_not_repeated_since_it_may_be_a_password(client: Client, given: object) -> None:
    answer = client(None).post("/api/v1/session", json=given)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert "SECRET" not in answer.text


# ── passwords ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_changes_their_password_knows_the_old_one_and_ends_all_other_sessions(client: Client) -> None:
    one, other = client("ed"), client("ed")
    new = "quite another one"
    for wrong in ({"current": "wrong", "new": new}, {"new": new}):
        assert one.put("/api/v1/session/password", json=wrong).status_code == 401
    assert one.put("/api/v1/session/password", json={"current": PASSWORD, "new": new}).status_code == 204
    assert (one.get("/api/v1/session").status_code, other.get("/api/v1/session").status_code) == (200, 401)
    assert client(None).post("/api/v1/session", json={"member": "ed", "password": PASSWORD}).status_code == 401
    assert client(None).post("/api/v1/session", json={"member": "ed", "password": new}).status_code == 200


@pytest.mark.parametrize("new", ["tiny", "aaaaaaaaaaaa", "ed" * 6, "x" * 1_001])
def test_a_password_that_is_easily_guessed_is_refused(client: Client, new: str) -> None:
    answer = client("ed").put("/api/v1/session/password", json={"current": PASSWORD, "new": new})
    assert answer.status_code == 422
    assert new not in answer.text


def test_a_password_is_hashed_with_a_salt_of_its_own_and_anew_when_the_cost_is_raised(
    client: Client, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lychee CVE-2026-22784: equal passwords must not look equal."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    before = library.catalog.db.execute("SELECT password FROM accounts WHERE member = 'ed'").get
    assert client(None).post("/api/v1/session", json={"member": "ed", "password": PASSWORD}).status_code == 200
    assert client(None).post("/api/v1/session", json={"member": "vic", "password": PASSWORD}).status_code == 200
    found = dict(library.catalog.db.execute("SELECT member, password FROM accounts"))
    assert found["ed"] != before
    assert "t=2" in found["ed"]
    assert found["ed"] != found["vic"]
    assert passwords.right(found["ed"], PASSWORD)


def test_the_cost_of_a_password_is_what_the_standard_recommends() -> None:
    """RFC 9106, section 4: Argon2id, t=3, 64 MiB."""
    assert passwords.hashed("some plain words").startswith("$argon2id$v=19$m=65536,t=3,p=1$")


def test_any_text_can_be_a_password(cheap_passwords: None) -> None:
    for text in ("pässwörter sind gut", "\udcff\udc00 broken text", "\0 with a nought in it", "🔑" * 12):
        encoded = passwords.hashed(text)
        assert passwords.right(encoded, text)
        assert not passwords.right(encoded, text + " ")
    assert not passwords.right(None, "nobody's")
    assert not passwords.right("no hash", "x")


# ── one-time links ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_one_time_link_lets_in_once(client: Client) -> None:
    path = client("owner").post("/api/v1/members/vic/link").json()["path"]
    browser = client(None)
    assert browser.get(path).status_code == 303
    assert browser.get("/api/v1/session").json()["member"] == "vic"
    again = client(None).get(path)
    assert (again.status_code, again.json()["type"]) == (401, "/problems/link")


def test_a_link_ends_after_ten_minutes_and_with_the_account(library: Library) -> None:
    now = [1_000_000]
    library.catalog.now = lambda: now[0]
    late, disabled = sessions.offer(library.catalog, "ed"), sessions.offer(library.catalog, "vic")
    accounts.set_disabled(library.catalog, "vic", True)
    assert sessions.take(library.catalog, disabled) is None
    now[0] += sessions.OPENING
    assert sessions.take(library.catalog, late) is None
    soon = sessions.offer(library.catalog, "ed")
    now[0] += sessions.OPENING - 1
    assert sessions.take(library.catalog, soon) == "ed"
    assert sessions.take(library.catalog, soon) is None


def test_login_csrf_a_link_on_another_site_takes_a_click(client: Client) -> None:
    """Immich CVE-2025-43856 is of this class: nobody is signed in as somebody else without noticing."""
    path = client("owner").post("/api/v1/members/vic/link").json()["path"]
    browser = client(None)
    page = browser.get(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert not browser.cookies
    token = path.split("=")[1]
    assert f'value="{token}"' in page.text
    crossed = browser.post("/open", data={"token": token}, headers={"Sec-Fetch-Site": "cross-site"})
    assert crossed.status_code == 403
    assert browser.post("/open", data={"token": token}).status_code == 303
    assert browser.get("/api/v1/session").json()["member"] == "vic"


def test_script_a_token_that_is_markup_stays_text(client: Client) -> None:
    hostile = '"><script>alert(1)</script>'
    page = client(None).get("/open", params={"token": hostile}, headers={"Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200
    assert "<script" not in page.text
