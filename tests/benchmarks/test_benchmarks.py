"""The benchmarks measure what they say: their pictures are what cameras write, and a wrong run is no figure."""

from __future__ import annotations

import io
import json
import os
import stat
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from benchmarks import make_photos
from benchmarks.limits import bare_walk, pillow_pipeline, read_hash_decode
from benchmarks.product import RunError, expect, find_imager, parse, run, table

REPORT: dict[str, Any] = {
    "found": 3, "added": 1, "copies": 0, "unchanged": 1, "moved": 0, "replaced": 0, "missing": 5, "skipped": 0,
    "failed": [{"path": "a.jpg", "stage": "probe", "reason": "cut off"}], "seconds": 0.5,
}  # fmt: skip


CACHES = (make_photos.scene, make_photos._noise, make_photos._quality)


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A photo as the benchmarks draw it, but half as wide and high so that the test is quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make_photos, "WIDTH", 2016)
        patch.setattr(make_photos, "HEIGHT", 1512)
        patch.setattr(make_photos, "WANTED", 750_000)
        for function in CACHES:
            function.cache_clear()
        content = make_photos.photo(1, 3)
    for function in CACHES:
        function.cache_clear()
    path = tmp_path_factory.mktemp("photo") / "photo.jpg"
    path.write_bytes(content)
    return str(path)


def test_a_drawn_photo_is_what_a_camera_writes(photo: str) -> None:
    with Image.open(photo) as picture:
        picture.load()
        exif = picture.getexif()
        assert picture.size == (2016, 1512)
        assert picture.info.get("progressive") is None
        assert picture.layer == [(1, 2, 2, 0), (2, 1, 1, 1), (3, 1, 1, 1)]  # type: ignore[attr-defined]
    assert exif[0x0112] == 6
    assert exif.get_ifd(0x8769)[0x9003] == "2015:01:02 06:00:03"
    assert exif.get_ifd(0x8825)[1] == "N"
    assert 600_000 < os.path.getsize(photo) < 900_000  # as dense as 3 MB for 12 megapixels


def test_the_limit_decodes_at_the_smallest_scale_that_serves_a_preview(photo: str) -> None:
    assert read_hash_decode(photo) == 1512 * 1134  # six eighths; five would be 1260 pixels wide


def test_the_peer_writes_two_pictures(photo: str) -> None:
    assert pillow_pipeline(photo, form="JPEG") > 10_000


def test_a_tree_has_as_many_different_pictures_as_were_asked_for(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    assert make_photos.make_tree(str(tree), 130, per_folder=50) == 130
    files = sorted(tree.rglob("*.jpg"))
    contents = {path.read_bytes() for path in files}
    assert len(files) == len(contents) == bare_walk(str(tree))[0] == 130
    for content in list(contents)[::20]:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
        assert 1_000 <= len(content) <= 2_000


def test_a_finished_tree_is_left_alone(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    make_photos.make_tree(str(tree), 10, per_folder=5)
    before = {path: path.stat().st_mtime_ns for path in tree.rglob("*")}
    assert make_photos.make_tree(str(tree), 10, per_folder=5) == 0
    assert {path: path.stat().st_mtime_ns for path in tree.rglob("*")} == before


def test_a_bare_walk_counts_links_but_does_not_follow_them(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.jpg").touch()
    try:
        (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("this system lets only some people make symbolic links")
    assert bare_walk(str(tmp_path))[0] == 2


def test_every_photo_has_a_date_of_its_own() -> None:
    segments = {make_photos.exif(number, datetime(2020, 1, 1, number)) for number in range(24)}
    assert len(segments) == 24


def test_a_report_that_keeps_the_contract_is_read() -> None:
    assert parse(json.dumps(REPORT).encode()) == REPORT


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (b"", "not one JSON document"),
        (b"added 3\n" + json.dumps(REPORT).encode(), "not one JSON document"),
        (json.dumps(REPORT).encode() * 2, "not one JSON document"),
        (json.dumps(REPORT | {"note": "é"}, ensure_ascii=False).encode(), "ASCII"),
        (b"[]", "not an object"),
        (json.dumps({"found": 0}).encode(), "lacks added"),
        (json.dumps(REPORT | {"found": 4}).encode(), "adds up to 3"),
    ],
)
def test_a_report_that_breaks_the_contract_is_refused(output: bytes, reason: str) -> None:
    with pytest.raises(RunError, match=reason):
        parse(output)


def test_a_run_that_did_something_else_is_no_figure() -> None:
    expect(REPORT, found=3, unchanged=1, failed=1)
    with pytest.raises(RunError, match=r"failed is 1, expected 0\. cut off"):
        expect(REPORT, failed=0)
    with pytest.raises(RunError, match="unchanged is 1, expected 3"):
        expect(REPORT, unchanged=3)


def program(folder: Path, body: str) -> str:
    """A stand-in for `imager` that holds some memory and then does what `body` says."""
    if os.name == "nt":
        pytest.skip("starts a script by its first line")
    path = folder / "imager"
    path.write_text(f"#!{sys.executable}\nimport json, os, sys\nheld = b'x' * 60_000_000\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_a_run_gives_the_report_the_time_and_the_memory(tmp_path: Path) -> None:
    body = f"print(json.dumps({REPORT!r} | {{'said': sys.argv[1:], 'kept': os.environ['IMAGER_CONFIG']}}))"
    done = run(program(tmp_path, body), "L", "add", "D", configuration="C")
    assert done.report["said"] == ["--library", "L", "add", "D", "--json"]
    assert done.report["kept"] == "C"
    assert done.seconds > 0
    assert done.cpu > 0
    assert 60_000_000 < done.largest <= done.together < 1_000_000_000


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="status 3: no such folder"):
        run(program(tmp_path, "sys.exit(sys.stderr.write('no such folder') and 3)"), "L", "add", "D", configuration="C")


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(RunError, match="no-such-imager"):
        find_imager("no-such-imager")


def test_columns_of_a_table_line_up() -> None:
    assert table([("what", "a", "b"), ("photos/s", "14.1", "2")]) == "what         a  b\nphotos/s  14.1  2"
