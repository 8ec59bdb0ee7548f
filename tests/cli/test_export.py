"""`imager export` and `imager import`: what they print, and what they refuse."""

from __future__ import annotations

import os

from tests.cli.program import Program
from tests.pictures import jpeg

REPORT = {"pictures", "copied", "linked", "kept", "bytes", "sidecars", "failed"}


def test_pictures_leave_one_library_and_arrive_in_another(imager: Program) -> None:
    path = imager.write("a.jpg", jpeg(1, description="harbour"))
    imager.write("b.jpg", jpeg(2))
    imager.json("add", "photos")
    imager.json("tag", path, "Sea|Lisbon")
    done = imager("export", "out", "harbour", "--jsonl")
    assert (done.status, done.out) == (0, "1 picture: 1 copied, 1 sidecars written.\n")
    report = imager.json("export", "all", "--layout", "dates", "--no-sidecars")
    assert set(report) == REPORT
    assert (report["pictures"], report["copied"], report["sidecars"]) == (2, 2, 0)
    for command in (("import", "out"), ("add", "out")):
        assert imager(*("--library", "new"), *command, library=False).status == 0
    found = imager("--library", "new", "search", "lisbon", library=False)
    assert "out/photos/a.jpg" in found.out
    taken = imager.json("import", "out/imager.jsonl")
    assert (taken["pictures"], taken["albums"], taken["new"]) == (1, 0, 0)


def test_what_can_not_be_exported_or_taken_in_is_named(imager: Program) -> None:
    path = imager.write("a.jpg", jpeg(1))
    imager.json("add", "photos")
    assert "photos/out" in imager.fails("export", "photos/out", status=2)
    assert "--layout" in imager.fails("export", "out", "--layout", "heaps", status=2)
    assert "no album Nowhere" in imager.fails("export", "out", "--album", "Nowhere")
    assert "nowhere" in imager.fails("import", "nowhere")
    (imager.folder / "bad.jsonl").write_text('{"record":"export","version":1}\nx\n', encoding="utf-8")
    assert "line 2" in imager.fails("import", "bad.jsonl")
    os.remove(path)
    done = imager("export", "out")
    assert done.status == 1
    assert "could not be copied" in done.err
