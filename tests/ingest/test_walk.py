"""What a walk finds, in which order, and what it says of what it can't see."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imager.ingest import walk as module
from imager.ingest.ignore import CACHE_SIGNATURE, IgnoreRules
from imager.ingest.walk import walk
from tests.ingest.trees import found, plant, walk_all

posix = pytest.mark.skipif(sys.platform == "win32", reason="names and links as POSIX has them")
not_root = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="the administrator may read everything"
)


@pytest.fixture
def root(tmp_path: Path) -> bytes:
    (tmp_path / "root").mkdir()
    return os.fsencode(tmp_path / "root")


def test_folders_come_before_what_is_in_them_and_all_in_the_order_of_names(root: bytes) -> None:
    plant(root, {b"b/x.jpg": b"", b"a/2/z.jpg": b"", b"a/1/z.jpg": b"", b"a/b.jpg": b"", b"a/a.jpg": b"", b"c/": b""})
    folders, problems = walk_all(root)
    assert [os.path.relpath(f.path, root) for f in folders] == [b".", b"a", b"a/1", b"a/2", b"b", b"c"]
    assert [e.name for e in folders[1].entries] == [b"a.jpg", b"b.jpg"]
    assert problems == []


def test_entries_say_what_stat_says(root: bytes) -> None:
    plant(root, {b"a.jpg": b"12345"})
    [folder] = walk_all(root)[0]
    status = os.stat(os.path.join(root, b"a.jpg"))
    assert folder.entries == [(b"a.jpg", 5, status.st_mtime_ns, status.st_ctime_ns, folder.entries[0].inode)]
    assert folder.entries[0].inode == (status.st_ino if sys.platform != "win32" else 0)
    assert folder.device == os.stat(root).st_dev
    assert not folder.partial


@posix
@pytest.mark.parametrize("name", [b"\xff\xfe", b"a\nb", b"\xed\xb2\x80", b" ", b"-", b"*", b"x" * 255])
def test_names_may_be_any_bytes(root: bytes, name: bytes) -> None:
    plant(root, {name + b"d"[len(name) // 255 :] + b"/" + name: b""})
    assert {os.path.basename(path) for path in found(root)} == {name}


@posix
def test_only_files_are_found(root: bytes) -> None:
    plant(root, {b"a.jpg": b""})
    os.mkfifo(os.path.join(root, b"pipe.jpg"))
    os.symlink(b"pipe.jpg", os.path.join(root, b"link.jpg"))
    os.symlink(b"/dev/zero", os.path.join(root, b"zero.jpg"))
    assert found(root) == {b"a.jpg"}


def test_a_file_as_root_is_found_in_a_partial_folder_even_if_it_would_be_ignored(root: bytes) -> None:
    plant(root, {b"._a.jpg": b"123", b"b.jpg": b"", b".imagerignore": b"*"})
    [folder], problems = walk_all(os.path.join(root, b"._a.jpg"))
    assert folder.path == root
    assert [(e.name, e.size) for e in folder.entries] == [(b"._a.jpg", 3)]
    assert folder.partial
    assert problems == []


def test_a_root_is_made_absolute(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(root, {b"sub/a.jpg": b""})
    monkeypatch.chdir(os.fsdecode(root))
    for name in (b"sub", b"sub/", b"./sub", b"sub/../sub", os.path.join(root, b"sub")):
        assert [f.path for f in walk_all(name)[0]] == [os.path.realpath(os.path.join(root, b"sub"))]


@posix
@pytest.mark.parametrize(
    ("name", "reason"),
    [(b"gone", "is not there"), (b"a.jpg/x", "is not there"), (b"x" * 300, "too long"), (b"a\0b", "can't be")],
)
def test_a_root_that_is_not_there_is_a_problem(root: bytes, name: bytes, reason: str) -> None:
    plant(root, {b"a.jpg": b""})
    folders, [(_path, said)] = walk_all(os.path.join(root, name))
    assert folders == []
    assert reason in said


@not_root
def test_an_unreadable_folder_is_a_problem_and_the_others_are_found(root: bytes) -> None:
    plant(root, {b"closed/a.jpg": b"", b"open/b.jpg": b""})
    closed = os.path.join(root, b"closed")
    os.chmod(closed, 0)
    folders, problems = walk_all(root)
    os.chmod(closed, 0o700)
    assert [f.path for f in folders] == [root, os.path.join(root, b"open")]
    assert problems == [(closed, "may not be read by this user")]


@posix
def test_a_folder_that_fails_while_it_is_read_is_not_seen_at_all(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(root, {b"bad/a.jpg": b"", b"good/b.jpg": b""})
    real = os.scandir

    class Failing:
        def __init__(self, path: bytes) -> None:
            self.listing = real(path)
            self.bad = path.endswith(b"bad")

        def __enter__(self) -> Iterator[os.DirEntry[bytes]]:
            with self.listing as listing:
                yield from listing
            if self.bad:
                raise OSError(errno.EIO, "Input/output error")

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(os, "scandir", Failing)
    folders, problems = walk_all(root)
    assert [os.path.basename(f.path) for f in folders] == [b"root", b"good"]
    assert problems == [(os.path.join(root, b"bad"), "can't be read (Input/output error)")]


def test_a_folder_that_vanishes_before_it_is_read_is_a_problem(root: bytes) -> None:
    plant(root, {b"a/x.jpg": b"", b"b/y.jpg": b"", b"c/z.jpg": b""})
    problems = []
    seen = []
    for folder in walk(root, rules=IgnoreRules(), on_problem=lambda *problem: problems.append(problem)):
        seen.append(os.path.basename(folder.path))
        if seen[-1] == b"a":
            os.unlink(os.path.join(root, b"b/y.jpg"))
            os.rmdir(os.path.join(root, b"b"))
    assert seen == [b"root", b"a", b"c"]
    assert problems == [(os.path.join(root, b"b"), "is not there (any more)")]


@posix
def test_a_file_that_vanishes_before_it_is_looked_at_is_a_problem(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(root, {b"a.jpg": b"", b"b.jpg": b""})
    real = os.scandir

    class Vanishing:
        def __init__(self, path: bytes) -> None:
            self.listing = real(path)

        def __enter__(self) -> list[os.DirEntry[bytes]]:
            with self.listing as listing:
                items = list(listing)
            os.unlink(os.path.join(root, b"b.jpg"))
            return items

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(os, "scandir", Vanishing)
    [folder], problems = walk_all(root)
    assert [e.name for e in folder.entries] == [b"a.jpg"]
    assert problems == [(os.path.join(root, b"b.jpg"), "is not there (any more)")]


@posix
def test_a_tree_deeper_than_paths_can_say_is_a_problem_and_no_crash(root: bytes) -> None:
    handle = os.open(root, os.O_RDONLY)
    for _ in range(40):
        os.mkdir(b"d" * 200, dir_fd=handle)
        inner = os.open(b"d" * 200, os.O_RDONLY, dir_fd=handle)
        os.close(handle)
        handle = inner
    os.close(handle)
    folders, [(_path, reason)] = walk_all(root)
    assert len(folders) > 10
    assert reason == "has too long a path"


@posix
def test_links_to_files_are_files_and_broken_ones_are_nothing(root: bytes) -> None:
    plant(root, {b"a.jpg": b"12345", b"sub/": b""})
    os.symlink(b"../a.jpg", os.path.join(root, b"sub/link.jpg"))
    os.symlink(b"nowhere", os.path.join(root, b"sub/broken.jpg"))
    os.symlink(b"self.jpg", os.path.join(root, b"sub/self.jpg"))
    folders, problems = walk_all(root)
    [entry] = folders[1].entries
    assert (entry.name, entry.size, entry.inode) == (b"link.jpg", 5, folders[0].entries[0].inode)
    assert problems == []


@posix
def test_links_to_folders_are_followed_last_and_only_once(root: bytes, tmp_path: Path) -> None:
    outside = plant(os.fsencode(tmp_path / "outside"), {b"o.jpg": b"", b"deep/p.jpg": b""})
    plant(root, {b"z/a.jpg": b""})
    os.symlink(outside, os.path.join(root, b"first"))
    os.symlink(outside, os.path.join(root, b"second"))
    os.symlink(os.path.join(outside, b"deep"), os.path.join(root, b"third"))
    os.symlink(b"z", os.path.join(root, b"fourth"))
    folders, problems = walk_all(root)
    assert [os.path.relpath(f.path, root) for f in folders] == [b".", b"z", b"first", b"first/deep"]
    assert problems == []


@posix
def test_loops_of_links_end(root: bytes) -> None:
    plant(root, {b"a/b/x.jpg": b""})
    os.symlink(root, os.path.join(root, b"a/b/up"))
    os.symlink(b".", os.path.join(root, b"a/here"))
    os.symlink(b"/", os.path.join(root, b"a/.hidden-link"))
    assert found(root) == {b"a/b/x.jpg"}


@posix
def test_a_link_out_of_the_root_to_a_folder_around_it_brings_no_file_twice(root: bytes) -> None:
    plant(root, {b"in/a.jpg": b"", b"beside/b.jpg": b""})
    os.symlink(b"..", os.path.join(root, b"in/up"))
    assert found(os.path.join(root, b"in")) == {b"a.jpg", b"up/beside/b.jpg"}


def test_libraries_of_imager_are_left_alone(root: bytes) -> None:
    library = {b"imager-library": b"", b"catalog.db": b"", b"previews/p.jpg": b""}
    plant(root, {b"mine/" + name: content for name, content in library.items()} | {b"a.jpg": b""})
    plant(root, {b"not/imager-library": b"", b"not/b.jpg": b""})
    assert found(root) == {b"a.jpg", b"not/imager-library", b"not/b.jpg"}
    folders, [(_path, reason)] = walk_all(os.path.join(root, b"mine"))
    assert folders == []
    assert reason == "is a library of Imager"


@pytest.mark.parametrize(
    ("tag", "cache"),
    [(CACHE_SIGNATURE, True), (CACHE_SIGNATURE + b"\n# by x", True), (CACHE_SIGNATURE[:-1], False), (b"", False)],
)
def test_folders_with_a_valid_cache_tag_are_left_alone(root: bytes, tag: bytes, cache: bool) -> None:
    plant(root, {b"a.jpg": b"", b"c/CACHEDIR.TAG": tag, b"c/b.jpg": b"", b"c/d/e.jpg": b""})
    assert (b"c/d/e.jpg" in found(root)) != cache
    assert (walk_all(os.path.join(root, b"c"))[0] == []) == cache


def test_the_volume_is_asked_for_once_a_device(root: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(root, {b"a/x.jpg": b"", b"b/y.jpg": b""})
    asked = []

    def volume_of(path: bytes, status: os.stat_result) -> str:
        asked.append(path)
        return f"test:{status.st_dev}"

    monkeypatch.setattr(module, "volume_of", volume_of)
    folders, _ = walk_all(root)
    assert {f.volume for f in folders} == {f"test:{os.stat(root).st_dev}"}
    assert len(asked) == 1
