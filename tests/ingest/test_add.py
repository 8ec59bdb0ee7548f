"""A first run: what is found, what is passed over, odd names, links, roots that overlap, and files being written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from imager.errors import UsageError
from imager.formats.recognise import recognise
from imager.ingest import examine as examining
from imager.ingest.events import Added, Event, Failed, Finished, Problem, Progress
from imager.library import Library
from tests.ingest.scenes import Inline, Scene, checked, counts
from tests.pictures import jpeg, png

posix = pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes only there")


def test_what_is_a_picture_is_told_by_its_content_and_never_by_its_ending(scene: Scene) -> None:
    scene.write("picture", jpeg(1))
    scene.write("really.png", jpeg(2))
    scene.write("notes.md", png(3))
    scene.write("text.jpg", b"<html>not found</html>")
    scene.write("empty.JPEG", b"")
    scene.write("film.mov", b"\0\0\0\x14ftypqt  \0\0\0\0qt  ")
    scene.write("raw.cr2", b"II*\0\x10\0\0\0CR\2\0" + bytes(64))
    report = scene.add()
    assert counts(report) == {"found": 7, "added": 3, "failed": 2, "skipped": 2}
    reasons = {os.path.basename(f.path): (f.stage, f.reason) for f in report.failed}
    assert reasons["empty.JPEG"] == ("identify", "the file is empty")
    assert reasons["text.jpg"][0] == "identify"
    assert "does not begin like one" in reasons["text.jpg"][1]
    assert scene.show("really.png")["mime"] == "image/jpeg"


def test_events_come_as_things_happen_and_end_with_finished(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("b.jpg", b"broken")
    events: list[Event] = []
    scene.add(events=events)
    assert isinstance(events[-1], Finished)
    added = [e for e in events if isinstance(e, Added)]
    assert [(e.path, e.id) for e in added] == [(os.fsdecode(scene.path("a.jpg")), scene.show("a.jpg")["id"])]
    assert [e.path for e in events if isinstance(e, Failed)] == [os.fsdecode(scene.path("b.jpg"))]
    steps = [e for e in events if isinstance(e, Progress)]
    assert steps[-1] == Progress(found=2, done=2, walked=True)
    assert all(s.done <= s.found for s in steps)


def test_a_single_file_may_be_named(scene: Scene) -> None:
    path = scene.write("a.jpg", jpeg(1))
    scene.write("b.jpg", jpeg(2))
    assert scene.counts(path) == {"found": 1, "added": 1}
    assert scene.counts(path) == {"found": 1, "unchanged": 1}
    assert scene.names() == {"a.jpg"}
    assert scene.counts() == {"found": 2, "added": 1, "unchanged": 1}
    assert scene.counts(path) == {"found": 1, "unchanged": 1}
    assert scene.names() == {"a.jpg", "b.jpg"}
    text = scene.write("notes.txt", b"words")
    assert scene.counts(text) == {"found": 1, "skipped": 1}


def test_links_lead_to_files_and_folders_once_and_never_in_circles(scene: Scene) -> None:
    outside = scene.folder / "outside"
    outside.mkdir()
    (outside / "b.jpg").write_bytes(jpeg(2))
    scene.write("a.jpg", jpeg(1))
    scene.write("deep/er/c.jpg", jpeg(3))
    os.symlink("a.jpg", scene.path("link.jpg"))
    os.symlink(outside, scene.path("album"))
    os.symlink("..", scene.path("deep/up"))
    os.symlink("self", scene.path("self"))
    os.symlink("nowhere.jpg", scene.path("dangling.jpg"))
    assert scene.counts() == {"found": 4, "added": 3, "copies": 1}
    assert scene.counts() == {"found": 4, "unchanged": 4}
    assert {os.fsdecode(scene.path(n)) for n in ("a.jpg", "link.jpg")} == {
        f["path"] for f in scene.show("a.jpg")["files"]
    }
    # Naming a link itself, to a file and to a folder.
    os.symlink(outside / "b.jpg", scene.folder / "direct.jpg")
    assert scene.counts(scene.folder / "direct.jpg") == {"found": 1, "copies": 1}
    os.symlink(scene.photos / "deep", scene.folder / "folder")
    assert scene.counts(scene.folder / "folder")["found"] >= 1


def test_roots_that_overlap_are_walked_once(scene: Scene) -> None:
    for name in ("a", "sub/b", "sub/deep/c"):
        scene.write(f"{name}.jpg", jpeg(ord(name[-1])))
    scene.write("gone.jpg", jpeg(1))
    scene.write("sub/gone.jpg", jpeg(2))
    sub, one = scene.photos / "sub", scene.path("sub/b.jpg")
    everything = {"found": 5, "added": 5}
    assert scene.counts(scene.photos, scene.photos, sub, one, sub / "deep" / "..", one) == everything
    os.remove(scene.path("gone.jpg"))
    os.remove(scene.path("sub/gone.jpg"))
    assert scene.counts(one, sub / "deep", sub, scene.photos) == {"found": 3, "unchanged": 3, "missing": 2}
    scene.write(".imagerignore", b"sub/b.jpg\n.hidden")
    scene.write(".hidden/d.jpg", jpeg(9))
    assert scene.counts(scene.photos, scene.photos / ".hidden", one) == {"found": 4, "added": 1, "unchanged": 3}


def test_ignored_files_and_sidecars_are_not_found_at_all(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("a.jpg.xmp", b"<x/>")
    scene.write("draft/b.jpg", jpeg(2))
    scene.write("draft/keep.jpg", jpeg(3))
    scene.write(".thumbnails/t.jpg", jpeg(4))
    scene.write("@eaDir/SYNO.jpg", jpeg(5))
    scene.write("cache/CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55\n")
    scene.write("cache/p.jpg", jpeg(6))
    scene.write(".imagerignore", b"draft/*\n!draft/keep.jpg\n")
    assert scene.counts() == {"found": 2, "added": 2}


def test_a_library_within_the_folder_of_pictures_is_never_ingested(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(jpeg(1))
    with Library.open(photos / "library") as library:
        for expected in ({"found": 1, "added": 1}, {"found": 1, "unchanged": 1}):
            assert counts(checked(list(library.add(photos, workers=1)))) == expected
        told = list(library.add(photos / "library", workers=1))
        assert counts(checked(told)) == {}
        assert [e.reason for e in told if isinstance(e, Problem)] == ["is a library of Imager"]


@posix
def test_names_may_be_any_bytes(scene: Scene) -> None:
    names = [
        b"caf\xe9.jpg",
        b"\xff\xfe\xfd.jpg",
        b"two\nlines.jpg",
        b"\x1b[31mred\x1b[0m.jpg",
        b"[red]x[/].jpg",
        b"<script>alert(1).jpg",
        b"-rf.jpg",
        b" .jpg",
        "\u202egpj.exe.jpg".encode(),
        "e\u0301.jpg".encode(),
        "\u00e9.jpg".encode(),
        "\U0001f4f7.jpg".encode(),
        b"a" * 251 + b".jpg",
    ]
    for n, name in enumerate(names):
        scene.write(b"folder \xe9\n" + b"/" + name, jpeg(n))
    assert scene.counts() == {"found": len(names), "added": len(names)}
    assert scene.counts() == {"found": len(names), "unchanged": len(names)}
    for name in names:
        path = scene.path(b"folder \xe9\n/" + name)
        assert [os.fsencode(f["path"]) for f in scene.library.show(path)["files"]] == [path]
    assert {os.fsencode(hit.path or "") for hit in scene.library.search("", limit=50).hits} == {
        scene.path(b"folder \xe9\n/" + name) for name in names
    }
    assert scene.sound()


def test_very_deep_folders_are_walked(scene: Scene) -> None:
    deep = "/".join(["d" * 20] * 60)
    scene.write(f"{deep}/a.jpg", jpeg(1))
    assert scene.counts() == {"found": 1, "added": 1}


def test_naming_nothing_is_wrong_usage(scene: Scene) -> None:
    with pytest.raises(UsageError, match="Name a folder or a file"):
        list(scene.library.add())


def reads(path: bytes) -> bool:
    """Whether this is the file that is just being read."""
    return Inline.asked[-1] == os.fsdecode(path)


def test_a_file_still_being_written_is_told_and_read_by_the_next_run(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.write("a.jpg", jpeg(1))
    path = scene.write("growing.jpg", jpeg(2)[:-40])

    def grow(head: bytes) -> object:
        with open(path, "ab") as file:
            file.write(b"more")
        return really(head)

    really = recognise
    monkeypatch.setattr(examining, "recognise", lambda head: (grow if reads(path) else really)(head))
    report = scene.add()
    assert counts(report) == {"found": 2, "added": 1, "failed": 1}
    assert report.failed[0].reason == "it is still being written; the next run reads it"
    assert Inline.asked.count(os.fsdecode(path)) == 2, "it is looked at a second time when all else is done"
    monkeypatch.setattr(examining, "recognise", really)
    scene.write("growing.jpg", jpeg(2))
    assert scene.counts() == {"found": 2, "added": 1, "unchanged": 1}
    assert scene.library.failed() == []


def test_a_file_that_holds_still_at_the_second_look_is_added(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    path = scene.write("growing.jpg", jpeg(2)[:-40])
    really = recognise

    def finish(head: bytes) -> object:
        monkeypatch.setattr(examining, "recognise", really)
        scene.write("growing.jpg", jpeg(2) + b"\0" * 9)
        return really(head)

    monkeypatch.setattr(examining, "recognise", finish)
    assert scene.counts(path) == {"found": 1, "added": 1}
    assert scene.counts(path) == {"found": 1, "unchanged": 1}


def test_a_known_picture_that_is_being_written_stays_what_it_was(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = {"taken": "2021:07:04 15:30:00", "make": "Acme", "model": "One"}
    path = scene.write("a.jpg", jpeg(1, **camera))
    scene.add()
    scene.library.set(path, "rating", 5)
    really = recognise

    def grow(head: bytes) -> object:
        with open(path, "ab") as file:
            file.write(b"more")
        return really(head)

    monkeypatch.setattr(examining, "recognise", grow)
    scene.write("a.jpg", jpeg(1, size=(40, 30), **camera)[:-20])
    assert scene.counts() == {"found": 1, "failed": 1}
    assert (scene.show("a.jpg")["state"], scene.show("a.jpg")["rating"]) == ("present", 5)
    monkeypatch.setattr(examining, "recognise", really)
    scene.write("a.jpg", jpeg(1, size=(40, 30), **camera))
    assert scene.counts() == {"found": 1, "replaced": 1}
    assert (scene.show("a.jpg")["width"], scene.show("a.jpg")["rating"]) == (40, 5)


def test_files_that_vanish_between_listing_and_reading_are_not_found(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        scene.write(f"{n}.jpg", jpeg(n))
    monkeypatch.setattr(Inline, "before", lambda path: os.remove(path) if path.endswith("1.jpg") else None)
    assert scene.counts() == {"found": 2, "added": 2}


def test_closing_the_events_early_keeps_what_was_done(scene: Scene) -> None:
    for n in range(100):
        scene.write(f"{n:03}.jpg", jpeg(n % 10, quality=60 + n // 10))
    events = scene.library.add(scene.photos, workers=1)
    for event in events:
        if isinstance(event, Added):
            break
    events.close()  # type: ignore[attr-defined]
    kept = scene.library.search("").total
    assert 0 < kept < 100
    report = scene.add()
    assert counts(report) == {"found": 100, "added": 100 - kept, "unchanged": kept}
    assert len(Inline.asked) == 100 - kept
    assert scene.library.search("").total == 100
    assert scene.sound()
