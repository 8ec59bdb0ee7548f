"""Fixtures for the tests of the server: a small library with members, clients for each of them, a real process.

Members: `owner`, `ed` (editor), `vic` (viewer), `stranger` (an account without a role). All have the password
`PASSWORD`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from imager import access
from imager.ingest import run
from imager.library import Library
from imager.server.app import create_app
from imager.server.asking import Scope
from imager.server.auth import accounts, keys, passwords, sessions
from imager.server.settings import Settings
from tests.ingest.scenes import Inline
from tests.pictures import jpeg
from tests.server.client import Served

PASSWORD = "some plain words"
MEMBERS: dict[str, access.Role | None] = {"owner": "owner", "ed": "editor", "vic": "viewer", "stranger": None}
PICTURES = 6

_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures and the library of them, to be copied by each test."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "photos").mkdir()
    for n in range(PICTURES):
        picture = jpeg(n, size=(320, 240), taken=f"2021:07:0{n + 1} 15:30:00", description=f"harbour {n}")
        (folder / "photos" / f"{n}.jpg").write_bytes(picture)
    with pytest.MonkeyPatch.context() as patch, Library.open(folder / "library") as library:
        patch.setattr(run, "SupervisedExecutor", Inline)
        assert len(list(library.add(folder / "photos", workers=1))) > PICTURES
        encoded = _CHEAP.hash(PASSWORD.encode())
        accounts.ensure_owner(library.catalog)
        accounts.set_password(library.catalog, "owner", encoded)
        for member, role in MEMBERS.items():
            if member != "owner":
                accounts.create(library.catalog, member, role=role, password=encoded)
    return folder


@pytest.fixture
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords that are hashed at hardly any cost."""
    monkeypatch.setattr(passwords, "HASHER", _CHEAP)


@pytest.fixture
def library_folder(made_once: Path, tmp_path: Path) -> Path:
    """The library's folder, this test's own; the pictures lie where all tests have them, and are only read."""
    folder = tmp_path / "library"
    shutil.copytree(made_once / "library", folder)
    with Library.open(folder, create=False) as library:  # a copy is on another device, as it were
        device = library.catalog.device.files
        for table in ("folders", "roots"):
            library.catalog.db.execute(f"UPDATE {table} SET device = ?", (device,))
    return folder


@pytest.fixture
def settings(library_folder: Path) -> Settings:
    """What the server is told; a test may override this."""
    return Settings(library=library_folder)


@pytest.fixture
def served(settings: Settings, cheap_passwords: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The app, served without a network."""
    monkeypatch.setattr(run, "SupervisedExecutor", Inline)
    app = Served(create_app(settings))
    yield app
    app.close()


@pytest.fixture
def library(served: Served) -> Iterator[Library]:
    """The library that is served, as its owner sees it, through a connection of the test's own."""
    with Library.open(served.state.settings.library, create=False) as opened:
        yield opened


Client = Callable[..., httpx.Client]


@pytest.fixture
def client(served: Served, library: Library) -> Iterator[Client]:
    """`client("vic")`: a client that is signed in as that member; `client(None)`: nobody.

    `client("ed", scopes=("read",))`: with an API key of that member's instead of a session.
    """
    made: list[httpx.Client] = []

    def make(member: str | None = "owner", *, scopes: tuple[Scope, ...] | None = None) -> httpx.Client:
        found = served.client(headers={"Sec-Fetch-Site": "same-origin"})
        if member is not None and scopes is not None:
            secret, _ = keys.create(library.catalog, member, name="test", scopes=scopes)
            found = served.client(headers={"Authorization": f"Bearer {secret}"})
        elif member is not None:
            token = sessions.begin(library.catalog, member, days=30)
            found.cookies.set(f"imager-{served.state.settings.port}", token)
        made.append(found)
        return found

    yield make
    for one in made:
        one.close()


@dataclass
class Process:
    """A server as a process of its own, on a free port of this computer."""

    process: subprocess.Popen[str]
    address: str
    link: str | None
    """The one-time link that it printed."""


@pytest.fixture
def serve(library_folder: Path) -> Iterator[Callable[..., Process]]:
    """`serve("--base-path", "/photos")` starts `imager serve` and waits until it answers; all are ended afterwards."""
    started: list[subprocess.Popen[str]] = []

    def start(*more: str, folder: Path = library_folder) -> Process:
        command = [sys.executable, "-P", "-c", "from imager.cli import main; main()", "--library", str(folder)]
        process = subprocess.Popen(
            [*command, "serve", "--port", "0", "--no-open", *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        started.append(process)
        assert process.stdout is not None
        address = link = None
        for line in process.stdout:
            words = line.split()
            if line.startswith("Serving"):
                address = next(word for word in words if word.startswith("http"))
            link = next((word for word in words if "/open?token=" in word), link)
            if line.startswith("Ctrl-C"):
                break
        if address is None:
            raise AssertionError(process.stderr.read() if process.stderr else "")
        drain = threading.Thread(target=lambda: [None for _ in process.stderr or ()], daemon=True)
        drain.start()
        return Process(process, address.rstrip("/"), link)

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
