"""Files that are broken, lie, or are meant to do harm: each is a failure with a reason, known until it changes."""

from __future__ import annotations

import hashlib
import os
import struct
import zlib
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from imager.errors import ImagerError, StorageFullError
from imager.ingest import run, store
from imager.ingest.workers import WorkerError, WorkerFailedError
from imager.library import Library
from tests.ingest import hostile
from tests.ingest.scenes import Inline, Scene, checked, counts
from tests.pictures import jpeg


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """A PNG that claims very many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


def _reasons(scene: Scene) -> dict[str, str]:
    return {os.path.basename(os.fsdecode(p.path)): p.reason for p in scene.library.failed()}


def test_failures_are_recorded_left_alone_retried_and_mended(scene: Scene) -> None:
    scene.write("good.jpg", jpeg(1))
    scene.write("empty.jpg", b"")
    scene.write("text.jpg", b"words, words")
    scene.write("bomb.png", bomb())
    scene.write("stump.jpg", jpeg(2)[:60])
    scene.write("lying.jpg", b"\xff\xd8\xff" + b"\0" * 500)
    report = scene.add()
    assert counts(report) == {"found": 6, "added": 1, "failed": 5}
    assert {os.path.basename(f.path): f.reason for f in report.failed} == _reasons(scene)
    assert "60,000 × 60,000 pixels are too many" in _reasons(scene)["bomb.png"]
    assert all(reason and "Error" not in reason for reason in _reasons(scene).values())

    assert scene.counts() == {"found": 6, "unchanged": 6}
    assert Inline.asked == []
    assert len(_reasons(scene)) == 5

    retried = checked(list(scene.library.retry(workers=1)))
    assert counts(retried) == {"found": 5, "failed": 5}
    assert len(Inline.asked) == 5
    roots = [path for path, _ in scene.library.catalog.files.roots()]
    assert roots == [os.fsencode(scene.photos)], "what was retried is nothing that people named"

    scene.write("text.jpg", jpeg(3))
    scene.write("stump.jpg", jpeg(2))
    assert scene.counts() == {"found": 6, "added": 2, "unchanged": 4}
    os.remove(scene.path("empty.jpg"))
    assert scene.counts() == {"found": 5, "unchanged": 5}
    assert set(_reasons(scene)) == {"bomb.png", "lying.jpg"}


def test_retrying_finds_what_a_passing_trouble_hid(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.write("a.jpg", jpeg(1))
    really = Inline.submit

    def failing(self: Inline, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        if not trouble:
            return really(self, fn, *args, **kwargs)
        future: Future[Any] = Future()
        future.set_exception(trouble[0])
        return future

    trouble: list[Exception] = [WorkerFailedError("took longer than 120 seconds")]
    monkeypatch.setattr(Inline, "submit", failing)
    assert scene.counts() == {"found": 1, "failed": 1}
    assert _reasons(scene) == {"a.jpg": "took longer than 120 seconds"}
    assert scene.counts() == {"found": 1, "unchanged": 1}
    trouble[:] = [WorkerError("KeyError: colour")]
    assert counts(checked(list(scene.library.retry()))) == {"found": 1, "failed": 1}
    trouble.clear()
    assert counts(checked(list(scene.library.retry()))) == {"found": 1, "added": 1}
    assert list(scene.library.retry()) == []
    assert scene.library.failed() == []
    assert scene.names() == {"a.jpg"}


def test_a_truncated_picture_that_shows_something_is_added_with_a_problem(scene: Scene) -> None:
    whole = jpeg(1, size=(400, 300), quality=95)
    scene.write("cut.jpg", whole[: len(whole) * 2 // 3])
    assert scene.counts() == {"found": 1, "added": 1}
    known = scene.show("cut.jpg")
    assert known["problems"] == ["the file is cut off or damaged: what could be read is shown"]
    assert (known["width"], known["height"]) == (400, 300)
    # The copy went on: the same picture, whole by now.
    scene.library.set(scene.path("cut.jpg"), "rating", 4)
    scene.write("cut.jpg", whole)
    scene.add()
    assert scene.show("cut.jpg")["problems"] == []


def test_a_picture_that_was_damaged_is_kept_and_known_again_when_mended(scene: Scene) -> None:
    camera = {"taken": "2021:07:04 15:30:00", "make": "Acme", "model": "One"}
    whole = jpeg(1, **camera)
    path = scene.write("a.jpg", whole)
    scene.add()
    was = scene.show("a.jpg")["id"]
    scene.library.set(path, "rating", 5)
    scene.write("a.jpg", b"\0" * len(whole))
    assert scene.counts() == {"found": 1, "failed": 1}
    kept = scene.library.show(was)
    assert (kept["state"], kept["rating"], kept["files"][0]["state"]) == ("missing", 5, "failed")
    assert scene.counts() == {"found": 1, "unchanged": 1}
    scene.write("a.jpg", whole)
    assert scene.counts() == {"found": 1, "unchanged": 1}
    assert (scene.show("a.jpg")["state"], scene.library.failed()) == ("present", [])
    scene.write("a.jpg", b"\0" * len(whole))
    scene.add()
    scene.write("a.jpg", jpeg(1, size=(40, 30), **camera))
    assert scene.counts() == {"found": 1, "replaced": 1}
    assert (scene.show("a.jpg")["rating"], scene.show("a.jpg")["width"]) == (5, 40)
    assert scene.sound()


def test_a_damaged_file_that_vanishes_leaves_its_picture_missing(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("b.jpg", jpeg(2))
    scene.add()
    scene.write("a.jpg", b"\0" * 99)
    scene.add()
    os.remove(scene.path("a.jpg"))
    assert scene.counts() == {"found": 1, "unchanged": 1, "missing": 1}
    assert scene.show("a.jpg")["state"] == "missing"
    assert scene.library.failed() == []


def test_a_full_disk_ends_the_run_and_the_next_one_completes(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        scene.write(f"{n}.jpg", jpeg(n))

    def full(self: store.Store, sha256: bytes, kind: str, data: bytes) -> None:
        if Inline.asked[-1].endswith("3.jpg"):
            raise StorageFullError("The disk is full. Make room and run the same command again.")
        really(self, sha256, kind, data)

    really = store.Store.put
    monkeypatch.setattr(store.Store, "put", full)
    with pytest.raises(StorageFullError, match="Make room"):
        scene.add()
    monkeypatch.setattr(store.Store, "put", really)
    scene.add()
    assert scene.library.search("").total == 5
    assert scene.library.failed() == []
    assert scene.sound()


def test_previews_that_can_not_be_written_are_no_fault_of_the_pictures(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.library.store.create()
    in_the_way = hashlib.sha256(jpeg(1)).hexdigest()[:3]
    (scene.library.store.folder / in_the_way).write_bytes(b"")
    with pytest.raises(ImagerError, match="preview"):
        scene.add()
    assert scene.library.failed() == []


def test_workers_that_crash_hang_or_eat_memory_fail_only_their_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for n, name in enumerate(("a", "crash", "eat", "hang", "z")):
        (photos / f"{name}.jpg").write_bytes(jpeg(n))
    monkeypatch.setattr(run, "examine", hostile.examine)
    monkeypatch.setattr(run, "DEADLINE", 6.0)  # a first picture loads the decoders, on a busy machine too
    monkeypatch.setattr(run, "MEMORY", 400 << 20)
    with Library.open(tmp_path / "library") as library:
        report = checked(list(library.add(photos, workers=1)))
        assert counts(report) == {"found": 5, "added": 2, "failed": 3}
        reasons = {os.path.basename(f.path): (f.stage, f.reason) for f in report.failed}
        assert reasons["hang.jpg"] == ("derive", "took longer than 6 seconds")
        assert "memory" in reasons["eat.jpg"][1]
        assert "crash" in reasons["crash.jpg"][1]
        assert len(library.failed()) == 3
        monkeypatch.undo()
        assert counts(checked(list(library.retry(workers=1)))) == {"found": 3, "added": 3}
        assert library.doctor().ok
