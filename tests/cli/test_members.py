"""Members and keys from the command line; the server's own tests say what they open."""

from __future__ import annotations

import io
import sys

import pytest

from imager.library import Library
from imager.server.auth import accounts, keys, sessions
from tests.cli.program import Program

WORDS = "some plain words"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(WORDS + "\n"))


def test_the_owner_sets_a_password_and_it_is_not_in_the_command_line(imager: Program, typed: None) -> None:
    done = imager("members", "password", "owner")
    assert (done.status, WORDS in done.out + done.err) == (0, False)
    with Library.open(imager.library) as library:
        assert accounts.owner_can_sign_in(library.catalog)


def test_a_member_is_made_given_a_role_and_disabled(imager: Program, typed: None) -> None:
    imager("members", "password", "owner")
    made = imager("members", "add", "anna", "--name", "Anna", "--role", "editor", "--json")
    assert '"role": "editor"' in made.out
    assert "anna is let in no more." in imager("members", "disable", "anna").out
    shown = imager("members").out
    assert "anna" in shown
    assert "disabled" in shown
    assert "disabled" in imager.fails("members", "link", "anna", status=2)
    imager("members", "disable", "--undo", "anna")
    assert "/open?token=" in imager("members", "link", "anna").out
    assert '"role": null' in imager("members", "role", "anna", "none", "--json").out
    assert {m["member"]: m["role"] for m in imager.json("members")["members"]} == {"owner": "owner", "anna": None}


def test_the_last_owner_stays_one(imager: Program, typed: None) -> None:
    imager("members", "password", "owner")
    for change in (("role", "owner", "viewer"), ("role", "owner", "none"), ("disable", "owner")):
        assert "only owner" in imager.fails("members", *change, status=2)


def test_a_link_lets_in_once(imager: Program, typed: None) -> None:
    imager("members", "password", "owner")
    token = imager("members", "link", "owner").out.strip().partition("token=")[2]
    with Library.open(imager.library) as library:
        assert sessions.take(library.catalog, token) == "owner"
        assert sessions.take(library.catalog, token) is None


def test_a_key_is_made_shown_without_its_secret_and_revoked(imager: Program, typed: None) -> None:
    imager("members", "password", "owner")
    secret = imager("keys", "add", "backup", "--scope", "read", "--scope", "upload", "--days", "2").out.split()[0]
    assert secret.startswith("imager_")
    listed = imager.json("keys")["keys"]
    assert [(k["name"], k["scopes"]) for k in listed] == [("backup", ["read", "upload"])]
    assert secret not in imager("keys").out
    with Library.open(imager.library) as library:
        assert keys.asker(library.catalog, secret) is not None
        assert imager("keys", "revoke", listed[0]["id"]).status == 0
        assert keys.asker(library.catalog, secret) is None
    assert "no such key" in imager.fails("keys", "revoke", listed[0]["id"])
    imager.fails("keys", "add", "x", "--scope", "root", status=2)


def test_who_is_no_member_is_said_to_be_none(imager: Program, typed: None) -> None:
    imager("members", "password", "owner")
    for words in (("role", "ben", "viewer"), ("disable", "ben"), ("link", "ben"), ("password", "ben")):
        assert "There is no member ben." in imager.fails("members", *words)
    assert "There is no member ben." in imager.fails("keys", "add", "x", "--scope", "read", "--member", "ben")
