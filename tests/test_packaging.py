"""What people install: the wheel holds all that Imager reads at run time, and the lock installs anywhere."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ["requirements.txt", "requirements-dev.txt"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# Homes of developers, in the forms of the three systems; put together here, or this file would name them too.
# 'me' is nobody: examples may use it.
HOMES = re.compile(
    rb"(?<![\w.~}])/(?:(?:ho" + rb"me|Us" + rb"ers)/(?!me\b)|ro" + rb"ot/)[\w.]|[A-Z]:\\Us" + rb"ers\\(?!me\b)[\w.]"
)


def tracked() -> list[Path]:
    """The files of the repository, as git knows them."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("only where the sources are a git repository")
    done = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, check=True)
    return [path for name in done.stdout.split(b"\0") if name and (path := ROOT / os.fsdecode(name)).is_file()]


def data_files() -> set[str]:
    """What lies in the package beside Python modules, as paths inside the wheel."""
    package = ROOT / "src" / "imager"
    return {
        path.relative_to(package.parent).as_posix()
        for path in package.rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }


def lock(name: str) -> dict[str, list[Requirement]]:
    """The pins of a lock file by package; a package may have one for each of several environments."""
    pins: dict[str, list[Requirement]] = {}
    for line in (ROOT / name).read_text().splitlines():
        text = line.split("#")[0].strip()
        if text:
            requirement = Requirement(text)
            pins.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return pins


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an sdist of these sources and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("distributions")

    def build(kind: str, sources: Path) -> None:
        command = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(folder)]
        subprocess.run(command, cwd=sources, check=True, capture_output=True)

    build("sdist", ROOT)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        for member in archive:  # not extractall: Debian 12's Python has no filters yet, later ones insist on them
            if content := archive.extractfile(member):
                target = folder / "unpacked" / member.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content.read())
    build("wheel", next((folder / "unpacked").iterdir()))
    return folder


def test_a_wheel_built_from_the_sdist_holds_every_data_file_and_the_mark_of_a_typed_package(
    distributions: Path,
) -> None:
    with zipfile.ZipFile(next(distributions.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    assert "imager/py.typed" in names
    assert data_files() <= names
    modules = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*.py")}
    assert modules <= names


def test_the_wheel_carries_its_licence_and_nothing_but_the_package(distributions: Path) -> None:
    with zipfile.ZipFile(next(distributions.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    info = f"imager-{PROJECT['project']['version']}.dist-info"
    assert tops == {"imager", info}
    for name in PROJECT["project"]["license-files"]:
        assert f"{info}/licenses/{name}" in names


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_registry_no_option_and_no_path(name: str) -> None:
    text = (ROOT / name).read_text()
    for line in text.splitlines():
        assert not line.startswith("-"), f"an option of pip: {line}"
        assert "/" not in line, f"an address or a path: {line}"
        assert "@" not in line, f"a direct reference: {line}"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_everything_to_one_release_for_each_environment(name: str) -> None:
    for requirements in lock(name).values():
        for requirement in requirements:
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", str(requirement)
            assert "*" not in specifier.version, str(requirement)
        markers = [requirement.marker for requirement in requirements]
        assert len(requirements) == 1 or None not in markers, str(requirements[0])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("requirements.txt", PROJECT["project"]["dependencies"]),
        ("requirements.txt", PROJECT["dependency-groups"]["build"]),
        ("requirements.txt", PROJECT["build-system"]["requires"]),
        ("requirements-dev.txt", PROJECT["project"]["optional-dependencies"]["dev"]),
    ],
)
def test_a_lock_pins_each_direct_dependency_to_a_release_that_is_allowed(name: str, wanted: list[str]) -> None:
    pins = lock(name)
    for text in wanted:
        requirement = Requirement(text)
        assert canonicalize_name(requirement.name) in pins, f"{text} is not in {name}; run `make lock`"
        for pin in pins[canonicalize_name(requirement.name)]:
            (specifier,) = pin.specifier
            assert requirement.specifier.contains(Version(specifier.version)), f"{text}, but {pin} in {name}"


def test_tests_run_against_the_very_releases_that_people_get() -> None:
    # Not their environments: what users need before Python 3.15 only, a tool may need in all.
    def releases(name: str) -> set[tuple[str, str]]:
        return {(package, str(pin.specifier)) for package, pins in lock(name).items() for pin in pins}

    assert releases("requirements.txt") <= releases("requirements-dev.txt")


def test_no_file_of_the_repository_names_the_home_of_a_developer() -> None:
    found = {
        str(path.relative_to(ROOT)): match.group() for path in tracked() if (match := HOMES.search(path.read_bytes()))
    }
    assert found == {}


def test_the_search_for_homes_finds_them_in_all_three_forms() -> None:
    for name in [b"/ho" + b"me/ann/x", b"'/Us" + b"ers/ann'", b"C:\\Us" + b"ers\\ann", b"=/ro" + b"ot/.venv"]:
        assert HOMES.search(name)
    for name in [b"https://example.org/ho" + b"me/page", b"/ho" + b"me/me/pictures"]:
        assert not HOMES.search(name)


def test_scripts_start_on_a_machine_that_has_just_cloned_them() -> None:
    script = ROOT / ".ci" / "run"
    assert script.read_text().startswith("#!/usr/bin/env bash\n")
    if os.name == "posix":
        assert os.access(script, os.X_OK)


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize(
    ("given", "received"),
    [
        ({}, ["run"]),
        ({"PHOTOS": "~/My Pictures"}, ["run", "--", "{home}/My Pictures"]),
        ({"PHOTOS": "~"}, ["run", "--", "{home}"]),
        ({"PHOTOS": 'it\'s "here" & $HOME `x`'}, ["run", "--", 'it\'s "here" & $HOME `x`']),
        ({"PHOTOS": "-rf", "LIBRARY": "~/a b"}, ["--library", "{home}/a b", "run", "--", "-rf"]),
    ],
)
def test_make_run_hands_names_over_as_they_were_given(
    given: dict[str, str], received: list[str], tmp_path: Path
) -> None:
    # A stand-in for the environment, with an `imager` that prints what it was handed.
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ["requirements.txt", "pyproject.toml"]:
        shutil.copy(ROOT / name, tmp_path)
    programs = tmp_path / ".venv" / ("Scripts" if os.name == "nt" else "bin")
    programs.mkdir(parents=True)
    (programs / "python").write_text("#!/bin/sh\necho sound\n")
    (programs / "imager").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    for program in programs.iterdir():
        program.chmod(0o755)
    (programs.parent / ".imager-runtime").touch()
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", tmp_path, "run", *(f"{k}={v}" for k, v in given.items())],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [word.format(home=tmp_path) for word in received]


def test_a_test_that_reaches_for_another_machine_fails() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
        pytest.raises(AssertionError, match="must not reach the network"),
    ):
        probe.connect(("192.0.2.1", 9))  # an address set apart for documentation, RFC 5737
    with pytest.raises(AssertionError, match="must not reach the network"):
        socket.getaddrinfo("example.org", 80)


def test_a_test_may_talk_to_a_server_of_its_own() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()
