"""Runs that are killed, interrupted, or out of room at any moment: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from imager.catalog.identity import asset_id, format_id
from imager.ingest import run
from imager.ingest.events import Event
from imager.library import Library
from tests.ingest.scenes import Inline, checked, counts
from tests.pictures import jpeg

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

COUNT = 24

# Tells each event as it comes; small batches, so that there are many moments to be killed at.
ADD = """
import sys
from imager.ingest import run
from imager.library import Library
run._BATCH = 3
with Library.open(sys.argv[1]) as library:
    for event in library.add(sys.argv[2], workers=1):
        print(type(event).__name__, flush=True)
"""
IMAGER = "from imager.cli import main; main()"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Pictures of different bytes that look alike: quick to make."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(COUNT):
        (folder / f"{n:02}.jpg").write_bytes(jpeg(1, size=(400, 300)) + b"\0" * n)
    return folder


def start(program: str, *args: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start Python on a program, as the leader of a session."""
    command = [sys.executable, "-P", "-c", program, *(os.fspath(a) for a in args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True, **options)


def until(process: subprocess.Popen[bytes], event: str, times: int) -> None:
    """Read what `ADD` tells until an event came so many times."""
    assert process.stdout is not None
    for line in process.stdout:
        times -= line.strip() == event.encode()
        if times == 0:
            return
    raise AssertionError(f"it ended without {event}")


def ids(library: Library) -> dict[str, str]:
    """The id of every picture, by its path."""
    return {hit.path or "": hit.id for hit in library.search("", limit=1000).hits}


def in_catalog(library: Path) -> int:
    """How many files the catalog holds as present."""
    with Library.open(library) as opened:
        return int(opened.catalog.db.execute("SELECT count(*) FROM files WHERE state = 'present'").get)


@pytest.mark.parametrize(
    ("whom", "moments"),
    [
        ("the parent", [("Progress", 1)]),
        ("the group", [("Added", 1), ("Added", 6), ("Progress", 1)]),
        ("the parent", [("Added", COUNT // 2)]),
        ("the group", [("Added", COUNT)]),
    ],
)
def test_a_killed_run_loses_nothing_and_is_taken_up_where_it_was(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch, whom: str, moments: list[tuple[str, int]]
) -> None:
    library = tmp_path / "library"
    done = 0
    for event, times in moments:
        # The one before may have gone further than it told before it was killed.
        times = min(times, max(1, COUNT - done)) if event == "Added" else times
        if done == COUNT:
            break
        with start(ADD, library, photos) as process:
            until(process, event, times)
            workers = psutil.Process(process.pid).children(recursive=True)
            (os.killpg if whom == "the group" else os.kill)(process.pid, signal.SIGKILL)
        assert psutil.wait_procs(workers, timeout=20)[1] == [], "workers die with their parent"
        before, done = done, in_catalog(library)
        assert done >= before + (times if event == "Added" else 0)
    monkeypatch.setattr(run, "SupervisedExecutor", Inline)
    with Library.open(library) as opened:
        assert opened.doctor().ok
        report = checked(list(opened.add(photos)))
        assert len(Inline.asked) == COUNT - done
        expected = {"found": COUNT, "added": COUNT - done, "unchanged": done}
        assert counts(report) == {name: count for name, count in expected.items() if count}
        found = opened.doctor()
        assert (found.problems, found.repaired) == ([], [])
        assert ids(opened) == {
            str(path): format_id(asset_id(hashlib.sha256(path.read_bytes()).digest())) for path in photos.iterdir()
        }
        assert opened.search("jpg").total == COUNT


def test_a_worker_that_is_killed_is_replaced_and_its_file_read_by_another(tmp_path: Path, photos: Path) -> None:
    killed: list[int] = []
    events: list[Event] = []
    with Library.open(tmp_path / "library") as library:
        for event in library.add(photos, workers=1):
            events.append(event)
            if not killed:  # once: a file that was being read twice over would fail
                for child in psutil.Process().children():
                    with contextlib.suppress(psutil.Error):  # it may be gone by itself
                        if "imager.ingest.worker" in " ".join(child.cmdline()):
                            killed.append(child.pid)
                            child.kill()
        assert killed
        assert counts(checked(events)) == {"found": COUNT, "added": COUNT}
        assert library.failed() == []


def test_ctrl_c_ends_a_run_cleanly(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(COUNT, 200):
        (photos / f"{n:03}.jpg").write_bytes(jpeg(1, size=(400, 300)) + b"\0" * n)
    (photos / "!first.jpg").write_bytes(b"")  # its failure is told as soon as it is written down
    library = tmp_path / "library"
    command = ("--library", library, "add", photos, "--workers", "1")
    with start(IMAGER, *command, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        workers = psutil.Process(process.pid).children(recursive=True)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate()
    assert b"the file is empty" in first
    assert process.returncode == 130
    assert out == b""
    assert err.splitlines()[-1] == b"imager: Interrupted. What was done is kept; the same command goes on from here."
    assert b"Traceback" not in err
    assert workers
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    done = in_catalog(library)
    monkeypatch.setattr(run, "SupervisedExecutor", Inline)
    with Library.open(library) as opened:
        report = checked(list(opened.add(photos)))
        assert counts(report) == {"found": 201, "added": 200 - done, "unchanged": done + 1}
        assert opened.doctor().ok


def _run(*args: str | Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMAGER, *(os.fspath(a) for a in args), "--json"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("same", [True, False])
def test_two_processes_may_add_to_one_library_at_once(tmp_path: Path, photos: Path, same: bool) -> None:
    library, other = tmp_path / "library", tmp_path / "other"
    if not same:
        other.mkdir()
        for path in sorted(photos.iterdir())[COUNT // 2 :]:
            path.rename(other / path.name)
    command = ("--library", library, "add")
    both = [
        start(IMAGER, *command, folder, "--json", "--workers", "1", stderr=subprocess.PIPE)
        for folder in (photos, photos if same else other)
    ]
    reports = []
    for process in both:
        out, err = process.communicate(timeout=100)
        assert (process.returncode, err) == (0, b"")
        reports.append(json.loads(out))
    assert sum(r["added"] for r in reports) == COUNT
    assert sum(r["unchanged"] for r in reports) == (COUNT if same else 0)
    assert sum(r["copies"] + r["moved"] + r["replaced"] + r["missing"] + len(r["failed"]) for r in reports) == 0
    with Library.open(library) as opened:
        assert len(ids(opened)) == COUNT
        found = opened.doctor()
        assert (found.ok, found.repaired) == (True, [])


def test_one_process_edits_and_searches_while_another_adds(tmp_path: Path, photos: Path) -> None:
    library = tmp_path / "library"
    first = photos / "00.jpg"
    _run("--library", library, "add", first, "--workers", "1")
    with start(ADD, library, photos) as process, Library.open(library) as opened:
        until(process, "Progress", 1)
        drained = threading.Thread(target=process.communicate)
        drained.start()
        said = 0
        while drained.is_alive():
            said += 1
            opened.set(os.fsencode(first), "title", f"title{said}")
            assert opened.search(f"title{said}").total == 1
        drained.join()
        assert process.returncode == 0
        assert said > 0
        assert opened.show(first)["title"] == f"title{said}"
        assert len(opened.history(first)) == said
        assert len(ids(opened)) == COUNT
        assert opened.doctor().ok


FULL = """
mount -t tmpfs -o size=2500k tmpfs "$DISK" || exit 1
imager() { "$PYTHON" -P -c 'from imager.cli import main; main()' --library "$DISK/library" "$@"; }
imager add "$EMPTY" --json
if [ "$SIDE" = catalog ]; then rm -r "$DISK/library/derived"; ln -s "$EMPTY" "$DISK/library/derived"; fi
if [ "$SIDE" = store ]; then head -c 1800k /dev/zero >"$DISK/filler"; fi
imager add "$PHOTOS" --workers 1 --json >"$OUT/first" 2>"$OUT/error"; echo $? >"$OUT/status"
mount -o remount,size=200m "$DISK"
imager add "$PHOTOS" --workers 1 --json >"$OUT/second" 2>&1
imager doctor --json >"$OUT/doctor" 2>&1
"""


@pytest.fixture
def namespace() -> Iterator[list[str]]:
    """A command that runs others where they may mount file systems that vanish with them."""
    command = ["unshare", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("needs Linux's user namespaces, to mount a small disk")
    yield command


@pytest.mark.parametrize("side", ["store", "catalog"])
def test_a_full_disk_stops_a_run_cleanly_and_room_completes_it(
    tmp_path: Path, photos: Path, namespace: list[str], side: str
) -> None:
    words = "words " * 9_000 if side == "catalog" else "x"
    for path in photos.iterdir():
        path.write_bytes(jpeg(int(path.stem), size=(1000, 800), quality=95, description=words))
    disk, out, empty = tmp_path / "disk", tmp_path / "out", tmp_path / "empty"
    for folder in (disk, out, empty):
        folder.mkdir()
    named: dict[str, str | Path] = {
        "DISK": disk,
        "OUT": out,
        "EMPTY": empty,
        "PHOTOS": photos,
        "SIDE": side,
        "PYTHON": sys.executable,
    }
    environment = dict(os.environ) | {name: os.fspath(value) for name, value in named.items()}
    subprocess.run([*namespace, "sh", "-c", FULL], env=environment, check=True, timeout=100, capture_output=True)
    said = {path.name: path.read_text() for path in out.iterdir()}
    assert said["status"] == "1\n", said
    assert said["first"] == ""
    assert "is full. Nothing was lost: make room and run the same command again." in said["error"]
    assert "Traceback" not in said["error"]
    report = json.loads(said["second"])
    assert (report["found"], report["failed"]) == (COUNT, [])
    assert report["added"] + report["unchanged"] == COUNT
    assert json.loads(said["doctor"])["ok"], said["doctor"]
