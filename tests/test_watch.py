"""Folders that are followed: what happens in them is in the library soon afterwards, and nothing is lost."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import watchfiles

from imager import watch
from imager.errors import NotFoundError, UsageError
from imager.ingest import run
from imager.ingest.events import Added, Event, Failed, Finished, Gone, Moved, Problem, Progress, Replaced
from imager.ingest.walk import Folder
from tests.ingest.scenes import Inline, Scene, checked
from tests.pictures import jpeg, sidecar

QUIET = 0.15
Told = Added | Replaced | Moved | Gone | Failed


class Followed:
    """A watch that is read event by event; whoever waits for what never comes is stopped."""

    def __init__(self, scene: Scene, *paths: Path, quiet: float = QUIET, poll: float | None = None) -> None:
        self.scene = scene
        self.stop = threading.Event()
        self.seen: list[Event] = []
        named = paths or (scene.photos,)
        self.events = scene.library.watch(*named, stop=self.stop, quiet=quiet, poll=poll, workers=1)
        self.first = self.until(Finished)

    def until(self, *kinds: type[Event]) -> Event:
        """The next event of one of these kinds."""
        late = threading.Timer(20, self.stop.set)
        late.start()
        try:
            for event in self.events:
                self.seen.append(event)
                if isinstance(event, kinds):
                    return event
        finally:
            late.cancel()
        raise AssertionError(f"no {kinds} came, but {self.seen}")

    def settled(self) -> list[Told]:
        """What happens up to the end of the next run that did something; its sum holds."""
        before = len(self.seen)
        self.until(Finished)
        told = self.seen[before:]
        checked(told)
        return [e for e in told if isinstance(e, Told)]

    def names(self, count: int) -> set[str]:
        """The names of that many files to which something happens, over as many runs as it takes."""
        names: set[str] = set()
        while len(names) < count:
            names |= {os.path.basename(event.path) for event in self.settled()}
        return names

    def roots(self) -> list[bytes]:
        return [path for path, _ in self.scene.library.catalog.files.roots()]


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A folder and a library; files are read in this process."""
    monkeypatch.setattr(run, "SupervisedExecutor", Inline)
    monkeypatch.setattr(Inline, "before", None)
    monkeypatch.setattr(watch, "_CHECK", 0.1)
    made = Scene(tmp_path)
    yield made
    made.library.close()


@pytest.fixture
def follow(scene: Scene) -> Iterator[Callable[..., Followed]]:
    """Begins to follow; every watch is closed at the end."""
    begun: list[Followed] = []

    def begin(*paths: Path, **options: float) -> Followed:
        begun.append(Followed(scene, *paths, **options))
        return begun[-1]

    yield begin
    for one in begun:
        one.stop.set()
        assert list(one.events) == []


Follow = Callable[..., Followed]


def test_what_is_there_already_is_added_first(scene: Scene, follow: Follow) -> None:
    old = scene.write("a.jpg", jpeg(1))
    os.utime(old, (1_600_000_000, 1_600_000_000))
    watch = follow(quiet=0.0)
    assert [os.path.basename(e.path) for e in watch.seen if isinstance(e, Added)] == ["a.jpg"]


def test_a_new_picture_its_change_and_its_end_are_noticed_and_make_no_new_roots(scene: Scene, follow: Follow) -> None:
    watch = follow()
    path = scene.write("deep/er/a.jpg", jpeg(1))
    assert [(type(e), e.path) for e in watch.settled()] == [(Added, os.fsdecode(path))]
    assert scene.library.search("a").total == 1
    scene.write("deep/er/a.jpg", jpeg(2))
    (replaced,) = watch.settled()
    assert isinstance(replaced, Replaced)
    assert replaced.path == os.fsdecode(path)
    os.remove(path)
    (gone,) = watch.settled()
    assert gone == Gone(os.fsdecode(path), replaced.id, missing=True)
    assert scene.show("deep/er/a.jpg")["state"] == "missing"
    assert watch.roots() == [os.fsencode(scene.photos)]


def test_a_rename_between_two_followed_folders_is_a_move(scene: Scene, follow: Follow) -> None:
    other = scene.folder / "other"
    other.mkdir()
    path = scene.write("a.jpg", jpeg(1))
    watch = follow(scene.photos, other)
    own = scene.show("a.jpg")["id"] if watch.first and scene.library.catalog.files.at(path) else None
    if own is None:  # it was written just before: the second look has it
        (added,) = watch.settled()
        assert isinstance(added, Added)
        own = added.id
    os.rename(path, other / "b.jpg")
    assert watch.settled() == [Moved(str(other / "b.jpg"), own, os.fsdecode(path))]
    assert [f["path"] for f in scene.library.show(own)["files"]] == [str(other / "b.jpg")]


def test_a_file_is_read_only_once_nobody_writes_to_it_any_more(scene: Scene, follow: Follow) -> None:
    watch = follow(quiet=0.4)
    data = jpeg(1, size=(640, 480))
    pieces = [data[n : n + len(data) // 8 + 1] for n in range(0, len(data), len(data) // 8 + 1)]
    path = scene.path("slow.jpg")
    written = threading.Event()

    def write() -> None:
        with open(path, "wb", buffering=0) as file:
            for piece in pieces:
                file.write(piece)
                written.wait(0.1)  # never set: a slow writer

    writer = threading.Thread(target=write)
    writer.start()
    (added,) = watch.settled()
    writer.join()
    assert isinstance(added, Added)
    known = scene.show("slow.jpg")
    assert (known["bytes"], known["problems"], len(known["versions"])) == (len(data), [], 1)


def test_a_folder_that_is_moved_in_is_taken_whole_and_moved_out_it_is_missing(scene: Scene, follow: Follow) -> None:
    aside = scene.folder / "aside"
    (aside / "deep").mkdir(parents=True)
    (aside / "a.jpg").write_bytes(jpeg(1))
    (aside / "deep" / "b.jpg").write_bytes(jpeg(2))
    scene.write("stays.jpg", jpeg(3))
    watch = follow()
    os.rename(aside, scene.photos / "new")
    watch.names(3)
    os.rename(scene.photos / "new", aside)
    told = watch.settled()
    assert {(type(e), os.path.basename(e.path)) for e in told} == {(Gone, "a.jpg"), (Gone, "b.jpg")}
    assert scene.library.search("stays").total == 1
    assert scene.library.search("").total == 1


def test_ignore_files_hold_and_their_changes_are_followed(scene: Scene, follow: Follow) -> None:
    scene.write(".imagerignore", b"drafts/\n")
    watch = follow()
    scene.write("drafts/deep/a.jpg", jpeg(1))
    scene.write("drafts/b.jpg", jpeg(2))
    scene.write(".thumbnails/c.jpg", jpeg(3))
    scene.write("d.jpg", jpeg(4))
    assert [os.path.basename(e.path) for e in watch.settled()] == ["d.jpg"]
    scene.write("drafts/late.jpg", jpeg(5))
    scene.write(".imagerignore", b"nothing\n")
    assert watch.names(3) == {"a.jpg", "b.jpg", "late.jpg"}


def test_sidecars_are_followed(scene: Scene, follow: Follow) -> None:
    scene.write("a.jpg", jpeg(1))
    watch = follow()
    if scene.library.catalog.files.at(scene.path("a.jpg")) is None:
        watch.settled()
    scene.write("a.jpg.xmp", sidecar(title="Harbour"))
    scene.write("b.jpg", jpeg(2))
    watch.settled()
    assert scene.show("a.jpg")["title"] == "Harbour"


def test_a_root_that_vanishes_takes_nothing_along_and_is_looked_at_when_it_is_back(
    scene: Scene, follow: Follow
) -> None:
    other = scene.folder / "other"
    other.mkdir()
    (other / "o.jpg").write_bytes(jpeg(9))
    scene.add()
    scene.add(other)
    scene.write("a.jpg", jpeg(1))
    scene.add()
    watch = follow(scene.photos, other)
    os.rename(scene.photos, scene.folder / "unplugged")
    away = watch.until(Problem)
    assert isinstance(away, Problem)
    assert away.path == str(scene.photos)
    (other / "p.jpg").write_bytes(jpeg(8))
    assert [os.path.basename(e.path) for e in watch.settled()] == ["p.jpg"]
    assert scene.library.search("").total == 3
    (scene.folder / "unplugged" / "b.jpg").write_bytes(jpeg(2))
    os.rename(scene.folder / "unplugged", scene.photos)
    assert [os.path.basename(e.path) for e in watch.settled()] == ["b.jpg"]
    scene.write("c.jpg", jpeg(3))
    assert [os.path.basename(e.path) for e in watch.settled()] == ["c.jpg"]


def test_an_emptied_root_is_no_mass_delete(scene: Scene, follow: Follow) -> None:
    scene.write("deep/a.jpg", jpeg(1))
    scene.write("b.jpg", jpeg(2))
    scene.add()
    watch = follow()
    aside = scene.folder / "aside"
    aside.mkdir()
    for name in ("deep", "b.jpg"):
        os.rename(scene.photos / name, aside / name)
    assert watch.until(Progress)
    assert {scene.library.show(hit.id)["state"] for hit in scene.library.search("").hits} == {"present"}
    os.rename(aside / "b.jpg", scene.photos / "b.jpg")  # by now it is clear that the other one is gone
    assert watch.names(1) == {"a.jpg"}
    assert scene.show("b.jpg")["files"] == [{"path": str(scene.photos / "b.jpg"), "state": "present"}]


def test_the_library_itself_is_not_followed(tmp_path: Path, scene: Scene, follow: Follow) -> None:
    watch = follow(tmp_path)  # the library lies in it
    scene.write("a.jpg", jpeg(1))
    assert len(watch.settled()) == 1
    before = len(watch.seen)
    scene.write("b.jpg", jpeg(2))
    assert len(watch.settled()) == 1
    assert sum(isinstance(e, Progress) and e.walked for e in watch.seen[before:]) < 10  # it did not look all the time


def test_where_the_system_does_not_tell_folders_are_looked_at_from_time_to_time(scene: Scene, follow: Follow) -> None:
    watch = follow(poll=0.1)
    scene.write("a.jpg", jpeg(1))
    scene.write("deep/b.jpg", jpeg(2))
    assert watch.names(2) == {"a.jpg", "b.jpg"}
    scene.rename("a.jpg", "deep/c.jpg")
    before, after = scene.photos / "a.jpg", scene.photos / "deep" / "c.jpg"
    assert watch.until(Moved) == Moved(str(after), scene.show("deep/c.jpg")["id"], str(before))


def test_an_error_of_the_watcher_is_followed_by_a_look_at_everything(scene: Scene, follow: Follow) -> None:
    watch = follow()
    scene.write(b"caf\xe9.jpg", jpeg(1))  # a name that the watcher can't tell
    scene.write("a.jpg", jpeg(2))
    assert {os.fsencode(name) for name in watch.names(2)} == {b"caf\xe9.jpg", b"a.jpg"}


def test_a_system_that_refuses_to_tell_is_replaced_by_looking(
    scene: Scene, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*paths: str, **options: object) -> Iterator[set[object]]:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr(watchfiles, "watch", refuse)
    monkeypatch.setattr(watch, "POLL", 0.2)
    watched = follow()
    assert any("watch limit" in e.reason for e in watched.seen if isinstance(e, Problem))
    scene.write("a.jpg", jpeg(1))
    assert len(watched.settled()) == 1


def test_more_changes_than_can_be_told_are_found_by_walking(
    scene: Scene, follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_MANY", 5)
    watched = follow()
    for n in range(12):
        scene.write(f"{n % 3}/{n}.jpg", jpeg(n))
    assert watched.names(12) == {f"{n}.jpg" for n in range(12)}


def test_what_changes_behind_links_is_found(scene: Scene, follow: Follow) -> None:
    aside = scene.folder / "aside"
    aside.mkdir()
    (aside / "a.jpg").write_bytes(jpeg(1))
    watch = follow()
    os.symlink(aside, scene.photos / "link")
    assert watch.names(1) == {"a.jpg"}


def test_only_what_changed_is_listed(scene: Scene, follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        scene.write(f"{n}/a{n}.jpg", jpeg(n))
    scene.add()
    watch = follow()
    listed: list[bytes] = []
    really = run.Run._plan

    def plan(self: run.Run, root: bytes, folder: Folder) -> None:
        listed.append(folder.path)
        really(self, root, folder)

    monkeypatch.setattr(run.Run, "_plan", plan)
    scene.write("2/new.jpg", jpeg(8))
    assert len(watch.settled()) == 1
    assert set(listed) == {scene.path("2")}


def test_following_needs_folders_that_exist(scene: Scene) -> None:
    path = Path(os.fsdecode(scene.write("a.jpg", jpeg(1))))
    with pytest.raises(UsageError, match="knows no folder"):
        next(iter(scene.library.watch()))
    with pytest.raises(UsageError, match="not a folder"):
        next(iter(scene.library.watch(path)))
    with pytest.raises(NotFoundError, match="does not exist"):
        next(iter(scene.library.watch(scene.folder / "nowhere")))


def test_without_a_name_every_known_folder_is_followed(scene: Scene) -> None:
    scene.add()
    scene.write("a.jpg", jpeg(1))
    scene.add(scene.path("a.jpg"))  # a file is no folder to follow
    stop = threading.Event()
    for event in scene.library.watch(stop=stop, quiet=QUIET, workers=1):
        if isinstance(event, Finished):
            stop.set()
    assert scene.show("a.jpg")["state"] == "present"
