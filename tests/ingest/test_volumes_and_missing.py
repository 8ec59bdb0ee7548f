"""Disks that are away, mount points without their disk, other disks in their place, and folders that can't be read."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import Any

import pytest

from imager.errors import NotFoundError
from imager.ingest import roots, walk
from imager.ingest.events import Event, Problem
from tests.ingest.scenes import Scene, counts
from tests.pictures import jpeg

Mount = Callable[[str, str | None], None]


@pytest.fixture
def mount(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Mount:
    """Says on which volume a folder below `photos` lies, and all that is in it; None: as what is around it."""
    volumes: dict[bytes, str] = {}

    def volume_of(path: bytes, status: os.stat_result) -> str:
        inside = [p for p in volumes if path == p or path.startswith(p + b"/")]
        return volumes[max(inside, key=len)] if inside else "uuid:system"

    def say(folder: str, volume: str | None) -> None:
        path = scene.path(folder).rstrip(b"/")
        volumes.pop(path, None)
        if volume is not None:
            volumes[path] = volume

    # The walk asks once a device, and there is only one here.
    monkeypatch.setattr(walk._Walk, "_volume", lambda self, path, status: volume_of(path, status))
    monkeypatch.setattr(walk, "volume_of", volume_of)
    monkeypatch.setattr(roots, "volume_of", volume_of)
    return say


def _unplug(scene: Scene, folder: str) -> None:
    """What lay on a disk is not seen any more; its mount point is empty."""
    os.rename(scene.path(folder), scene.folder / "unplugged")
    os.mkdir(scene.path(folder))


def _plug(scene: Scene, folder: str) -> None:
    shutil.rmtree(scene.path(folder))
    os.rename(scene.folder / "unplugged", scene.path(folder))


def _states(scene: Scene, *names: str) -> list[str]:
    return [f["state"] for name in names for f in scene.show(name)["files"]]


@pytest.mark.parametrize("empty_has_other_volume", [True, False])
def test_an_empty_root_is_offline_and_not_missing(scene: Scene, mount: Mount, empty_has_other_volume: bool) -> None:
    disk = scene.photos / "disk"
    mount("disk", "uuid:disk")
    scene.write("disk/a.jpg", jpeg(1))
    scene.write("disk/deep/er/b.jpg", jpeg(2))
    scene.add(disk)
    _unplug(scene, "disk")
    if empty_has_other_volume:
        mount("disk", None)
    for _ in range(2):
        assert scene.counts(disk) == {}
        assert _states(scene, "disk/a.jpg", "disk/deep/er/b.jpg") == ["offline", "offline"]
        assert scene.library.search("").total == 2
    _plug(scene, "disk")
    mount("disk", "uuid:disk")
    assert scene.counts(disk) == {"found": 2, "unchanged": 2}
    assert _states(scene, "disk/a.jpg", "disk/deep/er/b.jpg") == ["present", "present"]
    assert scene.sound()


@pytest.mark.parametrize("left", ["an empty folder", "nothing"])
def test_a_disk_within_a_root_may_be_away(scene: Scene, mount: Mount, left: str) -> None:
    mount("disk", "uuid:disk")
    scene.write("a.jpg", jpeg(1))
    scene.write("disk/b.jpg", jpeg(2))
    scene.write("disk/deep/c.jpg", jpeg(3))
    scene.add()
    _unplug(scene, "disk")
    mount("disk", None)
    if left == "nothing":
        os.rmdir(scene.path("disk"))
    for _ in range(2):
        assert scene.counts() == {"found": 1, "unchanged": 1}
        assert _states(scene, "disk/b.jpg", "disk/deep/c.jpg") == ["offline", "offline"]
    os.makedirs(scene.path("disk"), exist_ok=True)
    _plug(scene, "disk")
    mount("disk", "uuid:disk")
    assert scene.counts() == {"found": 3, "unchanged": 3}
    assert _states(scene, "disk/b.jpg", "disk/deep/c.jpg") == ["present", "present"]
    # With its disk there, a file that is gone is missing.
    os.remove(scene.path("disk/b.jpg"))
    assert scene.counts() == {"found": 2, "unchanged": 2, "missing": 1}


def test_another_disk_at_the_same_place_says_nothing_of_the_first(scene: Scene, mount: Mount) -> None:
    card = scene.photos / "card"
    mount("card", "uuid:first")
    scene.write("card/DCIM/a.jpg", jpeg(1))
    scene.write("card/DCIM/b.jpg", jpeg(2))
    scene.write("card/MISC/c.jpg", jpeg(3))
    scene.add(card)
    scene.library.set(scene.path("card/DCIM/a.jpg"), "rating", 5)
    _unplug(scene, "card")
    mount("card", "uuid:second")
    scene.write("card/DCIM/b.jpg", jpeg(4))
    scene.write("card/DCIM/d.jpg", jpeg(5))
    assert scene.counts(card) == {"found": 2, "added": 1, "replaced": 1}
    for _ in range(2):
        assert _states(scene, "card/DCIM/a.jpg", "card/MISC/c.jpg") == ["offline", "offline"]
        assert _states(scene, "card/DCIM/b.jpg", "card/DCIM/d.jpg") == ["present", "present"]
        assert {"a.jpg", "b.jpg", "c.jpg", "d.jpg"} == scene.names()
        assert scene.counts(card) == {"found": 2, "unchanged": 2}
    shutil.rmtree(card)
    card.mkdir()
    _plug(scene, "card")
    mount("card", "uuid:first")
    found = scene.counts(card)
    assert (found["found"], found.get("added", 0), found.get("missing", 0)) == (3, 0, 0)
    assert _states(scene, "card/DCIM/a.jpg", "card/DCIM/b.jpg", "card/MISC/c.jpg") == ["present"] * 3
    assert scene.show("card/DCIM/a.jpg")["rating"] == 5
    assert _states(scene, "card/DCIM/d.jpg") == ["offline"]
    assert scene.sound()


def test_a_disk_whose_name_changed_when_mounted_anew_is_known_by_its_files(scene: Scene, mount: Mount) -> None:
    mount("", "dev:1")
    for name in ("a", "b", "deep/c"):
        scene.write(f"{name}.jpg", jpeg(ord(name[-1])))
    scene.add()
    mount("", "dev:2")
    os.remove(scene.path("a.jpg"))
    shutil.rmtree(scene.path("deep"))
    assert scene.counts() == {"found": 1, "unchanged": 1, "missing": 2}


def test_one_disk_being_away_does_not_hide_what_vanished_from_another_root(scene: Scene, mount: Mount) -> None:
    here, disk = scene.photos / "here", scene.photos / "disk"
    mount("disk", "uuid:disk")
    scene.write("here/a.jpg", jpeg(1))
    scene.write("here/b.jpg", jpeg(2))
    scene.write("disk/c.jpg", jpeg(3))
    scene.add(here, disk)
    os.remove(scene.path("here/a.jpg"))
    _unplug(scene, "disk")
    mount("disk", "uuid:another")
    scene.write("disk/d.jpg", jpeg(4))
    assert scene.counts(here, disk) == {"found": 2, "unchanged": 1, "added": 1, "missing": 1}
    assert _states(scene, "here/a.jpg", "disk/c.jpg") == ["missing", "offline"]


def test_a_picture_copied_from_a_disk_that_is_away_is_a_copy_and_no_move(scene: Scene, mount: Mount) -> None:
    mount("disk", "uuid:disk")
    scene.write("disk/a.jpg", jpeg(1))
    scene.write("home/b.jpg", jpeg(2))
    scene.add()
    _unplug(scene, "disk")
    mount("disk", None)
    scene.write("home/a.jpg", jpeg(1))
    assert scene.counts(scene.photos / "home") == {"found": 2, "copies": 1, "unchanged": 1}
    assert len(scene.show("home/a.jpg")["files"]) == 2


def test_a_root_that_is_not_there_changes_nothing_and_says_what_to_do(scene: Scene) -> None:
    scene.write("disk/a.jpg", jpeg(1))
    scene.add(scene.photos / "disk")
    shutil.rmtree(scene.path("disk"))
    with pytest.raises(NotFoundError, match=r"disk is not there\. Its pictures stay.*connect"):
        scene.add(scene.photos / "disk")
    assert scene.show("disk/a.jpg")["state"] == "present"
    with pytest.raises(NotFoundError, match="nowhere does not exist"):
        scene.add(scene.photos / "nowhere")


def test_forget_lets_go_of_what_is_missing_and_of_disks_that_never_return(scene: Scene, mount: Mount) -> None:
    mount("disk", "uuid:disk")
    for n in range(3):
        scene.write(f"{n}.jpg", jpeg(n))
    scene.write("disk/a.jpg", jpeg(8))
    scene.write("disk/deep/b.jpg", jpeg(9))
    scene.add()
    gone = scene.show("0.jpg")
    scene.library.set(scene.path("0.jpg"), "rating", 5)
    os.remove(scene.path("0.jpg"))
    os.remove(scene.path("1.jpg"))
    shutil.rmtree(scene.path("disk"))
    mount("disk", None)
    assert scene.counts() == {"found": 1, "unchanged": 1, "missing": 2}
    assert scene.library.forget(scene.path("0.jpg")) == 1
    with pytest.raises(NotFoundError, match=r"0\.jpg"):
        scene.show("0.jpg")
    with pytest.raises(NotFoundError):
        scene.library.show(gone["id"])
    assert not scene.library.store.path(bytes.fromhex(gone["sha256"]), "preview").exists()
    assert scene.show("1.jpg")["state"] == "missing"
    with pytest.raises(NotFoundError, match="Nothing is missing at"):
        scene.library.forget(scene.path("2.jpg"))
    assert scene.library.forget(scene.path("disk")) == 2
    assert scene.library.forget(scene.photos) == 1
    assert scene.names() == {"2.jpg"}
    assert scene.sound()
    # What was said is in the log, and holds if the picture ever returns.
    scene.write("0.jpg", jpeg(0))
    assert scene.counts() == {"found": 2, "unchanged": 1, "added": 1}
    assert scene.show("0.jpg")["rating"] == 5


def test_nothing_below_an_unreadable_folder_is_taken_for_missing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("closed/b.jpg", jpeg(2))
    scene.write("closed/deep/c.jpg", jpeg(3))
    scene.add()
    really = os.scandir

    def refusing(path: Any = ".") -> Any:
        if os.fsencode(path) == scene.path("closed"):
            raise PermissionError(13, "Permission denied")
        return really(path)

    monkeypatch.setattr(os, "scandir", refusing)
    events: list[Event] = []
    assert counts(scene.add(events=events)) == {"found": 1, "unchanged": 1}
    told = [e for e in events if isinstance(e, Problem)]
    assert [(e.path, e.reason) for e in told] == [(os.fsdecode(scene.path("closed")), "may not be read by this user")]
    assert _states(scene, "closed/b.jpg", "closed/deep/c.jpg") == ["present", "present"]


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_closed_by_its_permissions_is_told_and_kept(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("closed/b.jpg", jpeg(2))
    scene.write("c.jpg", jpeg(3))
    scene.add()
    os.chmod(scene.path("closed"), 0)
    os.chmod(scene.path("c.jpg"), 0)
    try:
        events: list[Event] = []
        report = scene.add(events=events)
        assert [e.reason for e in events if isinstance(e, Problem)] == ["may not be read by this user"]
        assert [f.reason for f in report.failed] == ["it may not be read: its permissions forbid it"]
        assert report.missing == 0
    finally:
        os.chmod(scene.path("closed"), 0o755)
        os.chmod(scene.path("c.jpg"), 0o644)
    assert scene.counts() == {"found": 3, "unchanged": 3}


def test_a_file_that_can_not_be_asked_for_its_size_is_not_missing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("b.jpg", jpeg(2))
    scene.add()

    def scan(self: Any, path: bytes) -> Any:
        entries, folders, links, odd = really(self, path)
        self._on_problem(scene.path("a.jpg"), "can't be read (Input/output error)")
        os.rename(scene.path("a.jpg"), scene.folder / "out of reach")
        return [e for e in entries if e.name != b"a.jpg"], folders, links, odd

    really = walk._Walk._scan
    monkeypatch.setattr(walk._Walk, "_scan", scan)
    assert scene.counts() == {"found": 1, "unchanged": 1}
    assert _states(scene, "a.jpg") == ["present"]
