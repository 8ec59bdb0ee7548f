"""The default install carries nothing under GPL, AGPL or terms that forbid some uses; the docs say so.

LGPL and MPL are allowed: what is under them is used unchanged, as libraries that anybody can replace.
"""

from __future__ import annotations

import ctypes
import mmap
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

# Where a package's own metadata does not name a licence that one can look up: what it is, and how we know.
SILENT = {
    "apsw": "Zlib",  # its LICENSE holds the text of the zlib licence, 'or any OSI approved one'
}
# In the lock, but not installed everywhere; so their metadata is not always there to be asked.
ELSEWHERE = {
    "colorama": "BSD-3-Clause",  # Windows only, for typer
    "pylibjxl": "BSD-3-Clause",  # all but Linux on ARM
}

ALLOWED = re.compile(
    r"""(?xi) ^(?:
        0BSD | Apache[ -](?:2(?:\.0)?|Software)(?:[ ]License)? | BSD(?:-[23]-Clause)?([ ]License)? | CC0-1\.0
      | ISC(?:[ ]License(?:[ ]\(ISCL\))?)? | MIT(?:-0|-CMU)?(?:[ ]License)? | MPL-2\.0
      | Mozilla[ ]Public[ ]License[ ]2\.0[ ]\(MPL[ ]2\.0\)
      | PSF(?:L|-2\.0)? | Python[ ]Software[ ]Foundation[ ]License
      | Unicode-3\.0 | Unlicense | Zlib
      | LGPL-(?:2\.1|3\.0)(?:-only|-or-later)?
      | GNU[ ]Lesser[ ]General[ ]Public[ ]License[ ]v[23](?:[ ]or[ ]later)?[ ]\(LGPLv[23]\+?\)
      | GPL-3\.0-or-later[ ]WITH[ ]GCC-exception-3\.1
    )$"""
)

# Libraries under GPL or worse that programs for pictures and video are often built with: how their files are
# named, and texts that stay in any copy, be it linked into another library and stripped.
UNWANTED_FILE = re.compile(r"(?i)^(?:lib)?(?:x264|x265|xvid\w*|fdk[-_]?aac|postproc|fftw3\w*|poppler|readline)\b")
UNWANTED_TEXT = [
    b"H.264/MPEG-4 AVC codec - Copy",
    b"x264_encoder_encode",
    b"H.265/HEVC codec - Copyright",
    b"x265_encoder_encode",
    b"xvid_encore",
    b"aacEncEncode",
    b"fftw_wisdom",
    b"rl_callback_handler_install",
]


@cache
def closure() -> dict[str, Distribution]:
    """What `pip install imager` brings to this platform, without extras, by canonical name."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(text) for text in PROJECT["project"]["dependencies"]]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found[name] = distribution(name)
        waiting += [Requirement(text) for text in found[name].requires or ()]
    return found


def statements(package: Distribution) -> list[str]:
    """Every licence that the metadata of a package names; the long form of the text itself is passed over."""
    metadata = package.metadata
    found = list(metadata.get_all("License-Expression", []))
    found += [text for text in metadata.get_all("License", []) if "\n" not in text and len(text) < 80]
    for classifier in metadata.get_all("Classifier", []):
        if classifier.startswith("License :: ") and not classifier.endswith(":: OSI Approved"):
            found.append(classifier.split(" :: ")[-1])
    return found


def allowed(statement: str) -> bool:
    """Whether an SPDX expression, or one of the older names, leaves us a licence that we accept."""
    if " OR " in statement and " AND " not in statement:
        return any(allowed(part) for part in statement.split(" OR "))
    parts = [part.strip() for part in re.split(r" AND | OR ", statement)]
    return all(ALLOWED.match(part) or ALLOWED.match(part.strip("() ")) for part in parts)


def native_libraries() -> Iterator[Path]:
    """The shared libraries of the default install, those bundled into wheels among them."""
    for package in closure().values():
        for file in package.files or ():
            if re.search(r"\.(?:so(?:\.[\d.]+)?|dylib|dll|pyd)$", file.name):
                yield Path(str(file.locate()))


@pytest.mark.parametrize("name", sorted(closure()))
def test_a_package_of_the_default_install_is_under_a_licence_that_we_accept(name: str) -> None:
    found = [SILENT[name]] if name in SILENT else statements(closure()[name])
    assert found, f"{name} names no licence: look it up and say in SILENT what it is and how we know"
    assert [text for text in found if not allowed(text)] == []


def test_what_the_lock_installs_on_other_platforms_is_under_a_licence_that_we_accept() -> None:
    build = {"editables", "hatchling", "packaging", "pathspec", "pluggy", "tomlkit", "trove-classifiers"}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if text := line.split("#")[0].strip():
            name = canonicalize_name(Requirement(text).name)
            assert name in closure() or name in build or allowed(ELSEWHERE[name]), name


def test_the_table_of_silent_packages_has_no_entry_that_is_not_needed() -> None:
    assert set(SILENT) <= set(closure())
    for name, licence in SILENT.items():
        assert allowed(licence)
        assert not all(map(allowed, statements(closure()[name]))), f"{name} speaks for itself by now"


@pytest.mark.parametrize(
    "statement",
    [
        "GPL-3.0-or-later",
        "GPL-2.0-only",
        "AGPL-3.0-only",
        "GNU General Public License v3 (GPLv3)",
        "GNU Affero General Public License v3",
        "MIT AND GPL-3.0-only",
        "CC-BY-NC-4.0",
        "MIT with Commons Clause",
        "Other/Proprietary License",
        "Free for non-commercial use",
        "UNKNOWN",
        "",
    ],
)
def test_licences_that_we_refuse_are_refused(statement: str) -> None:
    assert not allowed(statement)


@pytest.mark.parametrize("statement", ["MIT OR GPL-3.0-only", "BSD-3-Clause AND (MIT)", "LGPL-3.0-or-later", "ISC"])
def test_licences_that_we_accept_are_accepted(statement: str) -> None:
    assert allowed(statement)


def test_no_library_under_gpl_is_bundled_into_a_wheel() -> None:
    libraries = list(native_libraries())
    assert any("avcodec" in path.name or "cv2" in path.name for path in libraries), "looked in the wrong place"
    assert [path.name for path in libraries if UNWANTED_FILE.match(path.name)] == []


def test_no_library_under_gpl_is_linked_into_another() -> None:
    found = []
    for path in native_libraries():
        if path.stat().st_size == 0:
            continue
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            found += [(path.name, name) for name in UNWANTED_TEXT if content.find(name) >= 0]
    assert found == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the wheels of other systems name it otherwise")
def test_the_ffmpeg_inside_opencv_was_built_without_its_gpl_parts() -> None:
    import cv2  # loads what libavcodec itself needs

    assert re.search(r"FFMPEG:\s+YES", cv2.getBuildInformation())
    (path,) = (path for path in native_libraries() if path.name.startswith("libavcodec"))
    library = ctypes.CDLL(str(path))
    library.avcodec_license.restype = library.avcodec_configuration.restype = ctypes.c_char_p
    assert library.avcodec_license().startswith(b"LGPL")
    assert b"--enable-gpl" not in library.avcodec_configuration()
    assert b"--enable-nonfree" not in library.avcodec_configuration()


@pytest.mark.parametrize("name", ["exiv2", "pyexiv2", "pillow-heif", "pillow-jxl-plugin", "nudenet"])
def test_what_was_rejected_for_its_licence_did_not_come_back(name: str) -> None:
    for lock in ["requirements.txt", "requirements-dev.txt"]:
        assert not re.search(rf"(?m)^{name}==", (ROOT / lock).read_text())


def rows(heading: str) -> dict[str, list[str]]:
    """The table under a heading of docs/dependencies.md: the cells behind the first, by package."""
    text = (ROOT / "docs" / "dependencies.md").read_text()
    section = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip("` "): row[1:] for row in cells}


@pytest.mark.parametrize(
    ("heading", "wanted"),
    [
        ("What Imager needs to run", PROJECT["project"]["dependencies"]),
        (
            "What building and testing needs",
            PROJECT["project"]["optional-dependencies"]["dev"] + PROJECT["dependency-groups"]["build"],
        ),
    ],
)
def test_the_documentation_names_each_direct_dependency_with_range_licence_and_reason(
    heading: str, wanted: list[str]
) -> None:
    documented = rows(heading)
    requirements = {requirement.name: requirement for requirement in map(Requirement, wanted)}
    assert set(documented) == set(requirements)
    for name, (versions, licence, *reason) in documented.items():
        assert versions.strip("`") == str(requirements[name].specifier), name
        assert licence, name
        assert all(reason), name
        assert reason, name
