"""The inbox: names from strangers, and files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.errors import ImagerError, StorageFullError, UsageError
from imager.server.uploads import inbox as module
from imager.server.uploads.inbox import TEMPLATE, Inbox, beside, chosen
from tests.server.test_zips import NAMES

DAY = datetime(2021, 7, 4, 12, 30)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    made = Inbox(tmp_path / "inbox")
    made.create()
    return made


@pytest.fixture
def part(tmp_path: Path) -> Path:
    path = tmp_path / "one.part"
    path.write_bytes(b"picture")
    return path


@given(name=NAMES, member=NAMES)
def test_no_name_and_no_member_leads_out_of_the_inbox(name: str, member: str) -> None:
    """'Paths' (Lychee CVE-2026-62679, files.gallery CVE-2024-53615)."""
    inbox = Inbox(Path("/pictures/inbox"), "{member}/{year}-{month}/{day} {name}")
    path = inbox.named(name, DAY, member)
    assert Path(os.path.normpath(path)) == path and path.is_relative_to(inbox.folder)
    assert len(path.relative_to(inbox.folder).parts) == 3
    assert path.name.startswith("04 ") and path.parent.name == "2021-07"


def test_a_template_says_where_pictures_lie() -> None:
    folder = Path("/pictures")
    assert Inbox(folder).named("a.jpg", DAY, "ed") == folder / "2021" / "07" / "a.jpg"
    assert Inbox(folder, "{name}").named("a.jpg", DAY, "ed") == folder / "a.jpg"
    assert Inbox(folder, "From {member}/{name}").named("{year}.jpg", DAY, "ed") == folder / "From ed" / "{year}.jpg"
    for wrong in ("", "{year}", "/{name}", "../{name}", "a//{name}", "{name}/a", "{nam}", "{name}{name}", "a\\{name}"):
        with pytest.raises(UsageError):
            Inbox(folder, wrong)


def test_the_inbox_lies_beside_the_library() -> None:
    assert beside(Path("/data/library")) == Path("/data/library inbox")


def test_the_inbox_lies_not_in_the_library(tmp_path: Path) -> None:
    for wrong in (tmp_path, tmp_path / "inbox"):
        with pytest.raises(UsageError, match="in the library itself"):
            chosen(tmp_path, wrong, TEMPLATE)
    assert chosen(tmp_path, None, TEMPLATE).folder == beside(tmp_path)
    assert chosen(tmp_path, tmp_path.with_name("other"), "{name}").template == "{name}"


def test_a_file_is_never_written_over_another(inbox: Inbox, part: Path) -> None:
    at = inbox.folder / "2021" / "a.jpg"
    at.parent.mkdir()
    at.write_bytes(b"somebody's")
    assert not inbox.place(part, at)
    assert at.read_bytes() == b"somebody's"
    free = inbox.free(inbox.folder / "2021" / "A.JPG")
    assert next(free).name == "A (2).JPG"
    assert inbox.place(part, at.with_name("A (2).JPG"))
    assert at.with_name("A (2).JPG").read_bytes() == b"picture"
    assert next(inbox.free(at)).name == "a (3).jpg"


def test_from_another_disk_it_is_copied_aside_first(inbox: Inbox, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.link

    def link(source: Any, at: Any) -> None:
        if Path(source).parent.name != module.ASIDE:
            raise OSError(errno.EXDEV, "another disk")
        real(source, at)

    monkeypatch.setattr(os, "link", link)
    assert inbox.place(part, inbox.folder / "a.jpg")
    assert not inbox.place(part, inbox.folder / "a.jpg")
    assert (inbox.folder / "a.jpg").read_bytes() == b"picture" and part.exists()
    assert list((inbox.folder / module.ASIDE).iterdir()) == []


def test_without_links_it_is_renamed(inbox: Inbox, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: Any, at: Any) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    assert inbox.place(part, inbox.folder / "b" / "a.jpg")
    assert not inbox.place(part, inbox.folder / "b" / "a.jpg")
    assert (inbox.folder / "b" / "a.jpg").read_bytes() == b"picture"


def test_a_full_disk_leaves_nothing_and_is_told(inbox: Inbox, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(source: Any, at: Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(StorageFullError):
        inbox.place(part, inbox.folder / "a.jpg")
    assert list(inbox.folder.iterdir()) == [] and part.exists()


def test_what_a_kill_left_on_its_way_is_removed(inbox: Inbox) -> None:
    (inbox.folder / module.ASIDE).mkdir()
    (inbox.folder / module.ASIDE / "x.part").write_bytes(b"half")
    inbox.tidy()
    assert list(inbox.folder.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="links take rights there")
def test_a_link_in_the_inbox_leads_nobody_out(inbox: Inbox, part: Path, tmp_path: Path) -> None:
    (tmp_path / "inbox2").mkdir()
    (inbox.folder / "2021").symlink_to(tmp_path / "inbox2")
    with pytest.raises(ImagerError, match="leads out"):
        inbox.place(part, inbox.folder / "2021" / "07" / "a.jpg")
    assert list((tmp_path / "inbox2").iterdir()) == []


def test_removing_takes_empty_folders_along(inbox: Inbox, part: Path) -> None:
    at = inbox.folder / "2021" / "07" / "a.jpg"
    inbox.place(part, at)
    (inbox.folder / "2021" / "08").mkdir()
    inbox.remove(at)
    assert [p.name for p in inbox.folder.rglob("*")] == ["2021", "08"]


@given(st.integers(1, 9_999), st.integers(1, 12))
def test_every_year_has_four_digits(year: int, month: int) -> None:
    assert Inbox(Path("/i")).named("a", datetime(year, month, 1), "ed").parts[-3:-1] == (f"{year:04}", f"{month:02}")
