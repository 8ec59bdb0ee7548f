"""Ignore files against git itself, and the built-in rules."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.ingest.ignore import Patterns
from tests.ingest.trees import found, plant, walk_all

GIT = shutil.which("git")
ENVIRONMENT = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CEILING_DIRECTORIES": "/"}
SEEDS = range(8)

NAMES = [b"a", b"b", b"foo", b"bar", b"ab", b"b.jpg", b"A", b"1", b"a-b"]
if os.name == "posix":
    NAMES += [
        b"b ",
        b"[",
        b"]",
        b"a]",
        b"\\",
        b"a*",
        b"!a",
        b"#a",
        b"\xc3\xa9",
        b"\xff",
        b"a\nb",
        b"foo\n",
        b"^",
        b"z:",
    ]
FRAGMENTS = (
    b"a|b|foo|bar|*|*|**|**/|/**|/**/|/|/|?|[ab]|[!a]|[^b]|[a-c]|[]]|[[:alpha:]]|[[:digit:]x]|[\\]]|[a-]|[--0]|[|\\"
    b"|\\*|\\a| |\\ |\t|!|#|\xc3\xa9|\xff|.jpg|[[:foo:]]|[[:]|[z-a]|\r|[!/]|[[:alpha:]-z]|[a-\\]]|\xc3"
).split(b"|")


@pytest.fixture
def root(tmp_path: Path) -> Iterator[bytes]:
    (tmp_path / "root").mkdir()
    yield os.fsencode(tmp_path / "root")


def git_finds(root: bytes) -> set[bytes]:
    """Which files git would add, with the ignore files read as .gitignore."""
    assert GIT is not None
    base = [GIT, "-c", "core.ignorecase=false", "-c", "init.defaultBranch=main"]
    if not os.path.exists(os.path.join(root, b".git")):
        subprocess.run([*base, "init", "-q"], cwd=root, env=ENVIRONMENT, check=True)
    listing = subprocess.run(
        [*base, "ls-files", "-z", "--others", "--exclude-per-directory=.imagerignore"],
        cwd=root,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
    ).stdout
    return {path for path in listing.split(b"\0") if path and os.path.basename(path) != b".imagerignore"}


def agree(root: bytes) -> set[bytes]:
    folders, _problems = walk_all(root)
    ours = {os.path.relpath(os.path.join(f.path, e.name), root) for f in folders for e in f.entries}
    ours = {path for path in ours if os.path.basename(path) != b".imagerignore"}
    assert ours == git_finds(root)
    return ours


@pytest.mark.skipif(GIT is None, reason="needs git")
@pytest.mark.parametrize("seed", SEEDS)
def test_random_ignore_files_are_read_as_git_reads_them(root: bytes, seed: int) -> None:
    random_ = random.Random(seed)
    folders = [b""]
    for folder in [b"", b"", b"", b"a/", b"foo/"]:
        folders += [folder + name + b"/" for name in random_.sample(NAMES, 3)] + [folder + b"foo/", folder + b"a/"]
    files = {f + name: b"" for f in folders for name in random_.sample(NAMES, 4) if f + name + b"/" not in folders}
    plant(root, files)
    sizes = set()
    for _ in range(12):
        texts = {}
        for folder in [b"", *random_.sample(folders[1:], 2)]:
            lines = []
            for _ in range(random_.randint(1, 4)):
                body = b"".join(random_.choice(FRAGMENTS) for _ in range(random_.randint(1, 6)))
                lines.append(random_.choice([b"", b"", b"!", b"/"]) + body + random_.choice([b"", b"", b"/"]))
            texts[folder + b".imagerignore"] = b"\n".join(lines) + random_.choice([b"", b"\n", b"\r\n"])
        plant(root, texts)
        sizes.add(len(agree(root)))
        for path in texts:
            os.unlink(os.path.join(root, path))
    assert len(sizes) > 3  # the patterns did ignore something


TREE = dict.fromkeys(
    b"a.jpg b.png out/a.jpg out/keep/a.jpg sub/a.jpg sub/b.png sub/out/a.jpg sub/deep/er/a.jpg build/x.jpg "
    b"sub/build/x.jpg".split(),
    b"",
)


@pytest.mark.skipif(GIT is None, reason="needs git")
@pytest.mark.parametrize(
    ("ignore_files", "kept"),
    [
        ({b"": b"*.jpg"}, {b"b.png", b"sub/b.png"}),
        ({b"": b"*\n!*/\n!*.png"}, {b"b.png", b"sub/b.png"}),
        ({b"": b"out/\n!out/keep/"}, set(TREE) - {b"out/a.jpg", b"out/keep/a.jpg", b"sub/out/a.jpg"}),
        ({b"": b"/out"}, set(TREE) - {b"out/a.jpg", b"out/keep/a.jpg"}),
        ({b"": b"out/*\n!out/keep"}, set(TREE) - {b"out/a.jpg"}),
        ({b"": b"*.jpg", b"sub/": b"!*.jpg"}, {b"b.png"} | {p for p in TREE if p.startswith(b"sub/")}),
        ({b"": b"*.jpg\nbuild", b"sub/": b"!build"}, {b"b.png", b"sub/b.png"}),
        ({b"": b"!a.jpg", b"sub/": b"/a.jpg"}, set(TREE) - {b"sub/a.jpg"}),
        ({b"": b"sub/**/a.jpg"}, set(TREE) - {b"sub/a.jpg", b"sub/out/a.jpg", b"sub/deep/er/a.jpg"}),
        ({b"": b"\xef\xbb\xbf# a comment\n\n \nbuild/ \r\n"}, set(TREE) - {b"build/x.jpg", b"sub/build/x.jpg"}),
        ({b"": b"\xff\xfe[\na.jpg\n"}, {p for p in TREE if not p.endswith(b"a.jpg")}),
    ],
)
def test_an_ignore_file_means_what_people_expect_and_git_agrees(
    root: bytes, ignore_files: dict[bytes, bytes], kept: set[bytes]
) -> None:
    plant(root, TREE | {folder + b".imagerignore": text for folder, text in ignore_files.items()})
    assert agree(root) == kept


def test_ignore_files_above_the_root_count_too(root: bytes) -> None:
    plant(root, {**TREE, b".imagerignore": b"*.png\n/sub/deep/\n/sub/\n"})
    assert found(os.path.join(root, b"sub")) == {b"a.jpg", b"out/a.jpg", b"build/x.jpg"}


def test_a_broken_pattern_is_told_and_the_others_hold(root: bytes) -> None:
    plant(root, {b"a.jpg": b"", b"b.jpg": b"", b".imagerignore": b"[x\n[[:nope:]]\nend\\\na.jpg\n"})
    [folder], problems = walk_all(root)
    assert [e.name for e in folder.entries] == [b"b.jpg"]
    assert [path for path, _ in problems] == [os.path.join(root, b".imagerignore")] * 3
    assert problems[0][1] == "line 1 is passed over, since a bracket is not closed: [x"


@pytest.mark.skipif(os.name != "posix", reason="links")
def test_what_an_unreadable_ignore_file_keeps_out_is_not_looked_at(root: bytes) -> None:
    plant(root, {b"a.jpg": b"", b"sub/b.jpg": b"", b"sub/.imagerignore": b"x" * (300 << 10)})
    folders, [(path, reason)] = walk_all(root)
    assert [f.path for f in folders] == [root]
    assert path == os.path.join(root, b"sub")
    assert "is larger than 256 KiB" in reason


@pytest.mark.skipif(os.name != "posix", reason="pipes")
def test_an_ignore_file_that_is_no_file_is_passed_over(root: bytes) -> None:
    plant(root, {b"a.jpg": b"", b"sub/": b""})
    os.mkfifo(os.path.join(root, b"sub/pipe"))
    os.symlink(b"sub/pipe", os.path.join(root, b".imagerignore"))
    os.symlink(b"pipe", os.path.join(root, b"sub/CACHEDIR.TAG"))
    plant(root, {b"sub/.imagerignore/x.jpg": b""})
    assert found(root) == {b"a.jpg"}


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        (b"*a" * 100 + b"b", b"a" * 255),
        (b"**/" * 60 + b"x", b"a/" * 2000 + b"y"),
        (b"**/a*a/" * 30 + b"x", b"aa/" * 1300 + b"y"),
        (b"/" + b"*/**/" * 40 + b"x", b"a/" * 2000 + b"y"),
        (b"[a-z]*?*" * 30 + b"!", b"q" * 255),
    ],
)
def test_no_pattern_can_stall_the_walk(pattern: bytes, path: bytes) -> None:
    patterns = Patterns.parse(pattern, pytest.fail)
    started = time.process_time()
    assert patterns.verdict(path, path.rpartition(b"/")[2], False) is None
    assert time.process_time() - started < 1


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.binary(), st.binary(min_size=1))
def test_any_bytes_are_an_ignore_file(text: bytes, path: bytes) -> None:
    problems: list[str] = []
    patterns = Patterns.parse(text, problems.append)
    assert patterns.verdict(path, path.rpartition(b"/")[2], True) in (None, True, False)


@pytest.mark.parametrize(
    "path",
    [
        *(b".hidden/a.jpg", b".thumbnails/a.jpg", b".@__thumb/a.jpg", b".picasaoriginals/a.jpg", b".Trash-1000/a.jpg"),
        *(b"@eaDir/a.jpg/SYNOPHOTO_THUMB_XL.jpg", b"@eadir/a.jpg", b"#recycle/a.jpg", b"@Recycle/a.jpg"),
        *(b"$RECYCLE.BIN/a.jpg", b"System Volume Information/a.jpg", b"__MACOSX/a.jpg", b"iPod Photo Cache/a.jpg"),
        *(b"._a.jpg", b".DS_Store", b"Thumbs.db", b"thumbs.db", b"desktop.ini", b"thumbnails-digikam.db"),
        *(b".trashed-1690000000-a.jpg", b".pending-1690000000-a.jpg", b".imagerignore"),
        *(b"Mine Previews.lrdata/a/a.jpg", b"x.LRDATA/a.jpg", b"x.lrcat-data/a.jpg", b"s/CaptureOne/Cache/a.jpg"),
        *(b"X.photoslibrary/resources/derivatives/a.jpg", b"X.photoslibrary/private/a.jpg"),
        *(b"Old.photolibrary/Thumbnails/a.jpg", b"A.aplibrary/Thumbnails/a.jpg", b"A.aplibrary/Previews/a.jpg"),
        *(b"iPhoto Library/Data/2008/a.jpg", b"L.lrlibrary/0a1b/previews/a.jpg", b"_data/i/a-th.jpg"),
        *(b"appdata_oc1x/preview/1/a.jpg",),
    ],
)
def test_caches_thumbnails_and_trash_are_left_alone(root: bytes, path: bytes) -> None:
    plant(root, {b"photo.jpg": b"", b"below/" + path: b"", path: b""})
    assert found(root) == {b"photo.jpg"}


@pytest.mark.parametrize(
    "path",
    [
        *(b"thumbs/a.jpg", b"cache/a.jpg", b"Cache/a.jpg", b"previews/a.jpg", b"resources/a.jpg", b"private/a.jpg"),
        *(b"Thumbnails/a.jpg", b"recycle/a.jpg", b"Originals/a.jpg", b"derivatives/a.jpg", b".holiday.jpg"),
        *(b"X.photoslibrary/originals/0/A.heic", b"X.photoslibrary/Masters/2015/a.jpg", b"profile/a.jpg"),
        *(b"iPhoto Library/Originals/2008/a.jpg", b"A.aplibrary/Masters/a.jpg", b"#1/a.jpg", b"a.jpg.xmp"),
        *(b"L.lrlibrary/0a1b/originals/2019/a.jpg", b"appdata/preview/a.jpg", b"encoded-video/a.mp4"),
    ],
)
def test_what_people_may_mean_is_found(root: bytes, path: bytes) -> None:
    plant(root, {path: b""})
    assert found(root) == {path}


def test_derivatives_of_immich_and_photoprism_are_known_by_their_marks(root: bytes) -> None:
    plant(root, {b"im/thumbs/.immich": b"", b"im/thumbs/u/a.jpg": b"", b"im/encoded-video/.immich": b""})
    plant(root, {b"im/encoded-video/a.mp4": b"", b"im/library/.immich": b"", b"im/library/a.jpg": b""})
    plant(root, {b"pp/.ppstorage": b"", b"pp/cache/t/a.jpg": b"", b"pp/sidecar/a.jpg": b"", b"pp/users/a.jpg": b""})
    photos = {path for path in found(root) if not os.path.basename(path).startswith(b".")}
    assert photos == {b"im/library/a.jpg", b"pp/users/a.jpg"}


def test_people_can_take_back_a_built_in_rule(root: bytes) -> None:
    plant(root, {b".picasaoriginals/a.jpg": b"", b".other/b.jpg": b"", b"@eaDir/c.jpg": b"", b"._d.jpg": b""})
    plant(root, {b".imagerignore": b"!.picasaoriginals/\n!@eaDir/\n!._d.jpg\n"})
    assert found(root) == {b".picasaoriginals/a.jpg", b"@eaDir/c.jpg", b"._d.jpg"}


def test_an_ignore_file_that_lists_what_is_wanted_does_not_bring_caches_back(root: bytes) -> None:
    plant(root, {b".thumbnails/a.jpg": b"", b"@eaDir/b.jpg": b"", b"c.jpg": b"", b"d/e.jpg": b"", b"f.txt": b""})
    plant(root, {b".imagerignore": b"!.git*\n*\n!*/\n!*.jpg\n", b".gitty/g.jpg": b""})
    assert found(root) == {b"c.jpg", b"d/e.jpg"}
    plant(root, {b".imagerignore": b"*\n!*/\n!*.jpg\n!.git*\n"})
    assert found(root) == {b"c.jpg", b"d/e.jpg", b".gitty/g.jpg"}


def test_a_root_is_walked_even_if_its_name_is_ignored(root: bytes) -> None:
    plant(root, {b".hidden/a.jpg": b"", b".hidden/.inner/b.jpg": b""})
    assert found(os.path.join(root, b".hidden")) == {b"a.jpg"}
