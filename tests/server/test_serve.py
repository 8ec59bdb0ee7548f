"""`imager serve` as people start it: a process, a port, a link, a signal."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from imager.errors import ImagerError, UsageError
from imager.library import Library
from imager.server import running
from imager.server.auth import accounts
from imager.server.settings import Settings, base_of, networks
from tests.server.conftest import PASSWORD, Process

Serve = Callable[..., Process]
ENDED = 4.0
"""Seconds: two are the aim, and as many again for a computer that is busy with other tests."""

posix = pytest.mark.skipif(os.name != "posix", reason="signals are sent otherwise there")


def test_without_accounts_it_opens_signed_in_by_a_link_and_ends_politely(serve: Serve, tmp_path: Path) -> None:
    with Library.open(tmp_path / "new"):
        pass
    process = serve("--base-path", "/photos", folder=tmp_path / "new")
    assert process.link is not None
    assert process.link.startswith(f"{process.address}/open?token=")
    assert httpx.get(f"{process.address}/api/v1/session").status_code == 401, "being on this computer is not enough"
    with httpx.Client(follow_redirects=True) as browser:
        page = browser.get(process.link)
        assert (page.status_code, str(page.url)) == (200, f"{process.address}/")
        me = browser.get(f"{process.address}/api/v1/session").json()
        assert (me["member"], me["role"], me["kind"]) == ("owner", "owner", "local")
    assert httpx.get(process.link).status_code == 401, "a link works once"
    assert httpx.get(f"{process.address}/readyz").json() == {"status": "ok"}
    if os.name == "posix":
        began = time.monotonic()
        process.process.send_signal(signal.SIGTERM)
        assert process.process.wait(timeout=10) == 0
        assert time.monotonic() - began < ENDED


@posix
def test_who_keeps_a_connection_open_does_not_keep_it_from_ending(serve: Serve) -> None:
    process = serve()
    assert process.link is None, "its members have passwords"
    host, port = process.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as idle, socket.create_connection((host, int(port))) as slow:
        slow.sendall(b"POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        assert httpx.get(f"{process.address}/healthz").status_code == 200
        began = time.monotonic()
        process.process.send_signal(signal.SIGINT)
        assert process.process.wait(timeout=10) == 0
        assert time.monotonic() - began < ENDED
        assert idle.recv(1) == b""


@posix
def test_a_server_that_was_killed_begins_again_with_its_sessions(serve: Serve, library_folder: Path) -> None:
    first = serve()
    with httpx.Client() as browser:
        given = {"member": "ed", "password": PASSWORD}
        assert browser.post(f"{first.address}/api/v1/session", json=given).status_code == 200
        first.process.kill()
        first.process.wait()
        second = serve()
        cookie = next(iter(browser.cookies.values()))
        # Its name has the port, which is another one here.
        name = f"imager-{second.address.rpartition(':')[2]}"
        answer = httpx.get(f"{second.address}/api/v1/session", headers={"Cookie": f"{name}={cookie}"})
        assert answer.json()["member"] == "ed"
    with Library.open(library_folder, create=False) as library:
        assert library.doctor().ok


def test_beyond_this_computer_an_owner_needs_a_password_first(tmp_path: Path) -> None:
    with Library.open(tmp_path / "new") as library:
        settings = Settings(library=library.folder)
        open_to_others = [
            replace(settings, host="0.0.0.0"),
            replace(settings, host="192.0.2.1"),
            replace(settings, host="::"),
            replace(settings, hosts=frozenset({"home.example"})),
            replace(settings, proxies=networks(["127.0.0.1"])),
        ]
        for one in open_to_others:
            with pytest.raises(ImagerError, match="imager members password owner"):
                running.check(one)
        running.check(settings)
        assert running.link_of(settings) is not None
        for one in open_to_others:
            assert running.link_of(one) is None
        accounts.create(library.catalog, "ed", role="editor", password="x")
        with pytest.raises(ImagerError):
            running.check(open_to_others[0])
        accounts.set_password(library.catalog, "owner", "x")
        for one in open_to_others:
            running.check(one)
        assert running.link_of(settings) is None, "people sign in here"


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    Library.open(tmp_path / "new").close()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program = "from imager.cli import main; main()"
        command = [sys.executable, "-P", "-c", program, "--library", str(tmp_path / "new")]
        done = subprocess.run(
            [*command, "serve", "--no-open", "--port", str(port)], capture_output=True, text=True, check=False
        )
    assert done.returncode == 1
    assert f"listens on port {port} of 127.0.0.1 already" in done.stderr
    assert "Traceback" not in done.stderr


def test_programs_are_told_where_it_serves(tmp_path: Path) -> None:
    command = [sys.executable, "-P", "-c", "from imager.cli import main; main()", "--library", str(tmp_path / "new")]
    with subprocess.Popen(
        [*command, "serve", "--no-open", "--port", "0", "--json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        assert said["event"] == "serving"
        assert httpx.get(said["address"] + "healthz").status_code == 200
        assert said["link"].startswith(said["address"])
        process.terminate()


@pytest.mark.parametrize(("said", "base"), [("", ""), ("/", ""), ("/photos/", "/photos"), ("/a/b-1.2", "/a/b-1.2")])
def test_a_base_path_is_taken_as_people_write_it(said: str, base: str) -> None:
    assert base_of(said) == base


@pytest.mark.parametrize(
    "said", ["photos", "/a b", "//evil.example", "/..", "/a/../b", "/%2f", "/a?b", "/a#b", "https://x"]
)
def test_a_base_path_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(UsageError, match="no path to serve below"):
        base_of(said)


def test_proxies_are_addresses_and_networks() -> None:
    assert [str(n) for n in networks(["10.0.0.1", "10.1.2.3/8", "::1"])] == ["10.0.0.1/32", "10.0.0.0/8", "::1/128"]
    with pytest.raises(UsageError, match="Name proxies by address"):
        networks(["proxy.example"])
