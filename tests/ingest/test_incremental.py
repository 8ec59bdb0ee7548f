"""A second run: what is unchanged is not touched; what was renamed, moved, copied, changed or removed is known."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.errors import NotFoundError
from imager.ingest import run
from imager.ingest.events import Event, Replaced
from tests.ingest.scenes import Inline, Scene, counts, touch
from tests.pictures import jpeg, png

MOMENT = "2021:07:04 15:30:00"


def test_a_second_run_reads_no_file_and_writes_no_picture(scene: Scene) -> None:
    for n in range(3):
        scene.write(f"{n}/picture.jpg", jpeg(n))
    scene.write("0/copy.jpg", jpeg(0))
    scene.write("notes.txt", b"no picture")
    scene.write("broken.jpg", b"not a picture either")
    assert scene.counts() == {"found": 6, "added": 3, "copies": 1, "skipped": 1, "failed": 1}
    with contextlib.closing(apsw.Connection(str(scene.library.catalog.path))) as watcher:
        before = watcher.pragma("data_version")  # moves when anybody else commits a change
        assert scene.counts() == {"found": 6, "unchanged": 5, "skipped": 1}
        assert Inline.asked == []
        assert watcher.pragma("data_version") == before
        scene.write("new.jpg", jpeg(9))
        scene.add()
        assert watcher.pragma("data_version") != before


def test_a_file_that_was_only_touched_is_read_and_unchanged(scene: Scene) -> None:
    path = scene.write("a.jpg", jpeg(1))
    scene.add()
    touch(path)
    assert scene.counts() == {"found": 1, "unchanged": 1}
    assert Inline.asked == [os.fsdecode(path)]
    assert scene.counts() == {"found": 1, "unchanged": 1}
    assert Inline.asked == []


def test_renames_and_moves_keep_what_people_said(scene: Scene) -> None:
    scene.write("2020/a.jpg", jpeg(1))
    scene.write("2020/b.jpg", jpeg(2))
    scene.add()
    was = scene.show("2020/a.jpg")["id"]
    scene.library.set(scene.path("2020/a.jpg"), "rating", 4)
    scene.library.tag(scene.path("2020/a.jpg"), "Family")

    scene.rename("2020/a.jpg", "2020/z.jpg")
    assert scene.counts() == {"found": 2, "moved": 1, "unchanged": 1}
    scene.rename("2020/z.jpg", "other/deeper/z.jpg")
    assert scene.counts() == {"found": 2, "moved": 1, "unchanged": 1}
    scene.rename("other", "2021")
    assert scene.counts() == {"found": 2, "moved": 1, "unchanged": 1}

    known = scene.show("2021/deeper/z.jpg")
    assert (known["id"], known["rating"], [t["name"] for t in known["tags"]]) == (was, 4, ["Family"])
    assert [f["path"] for f in known["files"]] == [os.fsdecode(scene.path("2021/deeper/z.jpg"))]
    assert scene.names() == {"z.jpg", "b.jpg"}
    assert scene.sound()


def test_all_files_of_a_root_may_move_into_a_folder_of_it(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("b.jpg", jpeg(2))
    scene.add()
    scene.rename("a.jpg", "sorted/a.jpg")
    scene.rename("b.jpg", "sorted/b.jpg")
    assert scene.counts() == {"found": 2, "moved": 2}
    assert {f["state"] for n in "ab" for f in scene.show(f"sorted/{n}.jpg")["files"]} == {"present"}


@pytest.mark.parametrize("both", [True, False])
def test_moves_between_roots_are_moves(scene: Scene, both: bool) -> None:
    here, there = scene.photos / "here", scene.photos / "there"
    scene.write("here/deep/a.jpg", jpeg(1))
    scene.write("here/b.jpg", jpeg(2))
    there.mkdir()
    scene.add(here, there)
    scene.rename("here/deep", "there/deep")
    if both:
        assert scene.counts(here, there) == {"found": 2, "moved": 1, "unchanged": 1}
    else:
        assert scene.counts(there) == {"found": 1, "moved": 1}
    assert [f["path"] for f in scene.show("there/deep/a.jpg")["files"]] == [os.fsdecode(scene.path("there/deep/a.jpg"))]
    assert scene.counts(here) == {"found": 1, "unchanged": 1}


def test_a_root_that_was_renamed_is_known(scene: Scene) -> None:
    scene.write("old/deep/a.jpg", jpeg(1))
    scene.add(scene.photos / "old")
    scene.rename("old", "new")
    with pytest.raises(NotFoundError, match="old is not there"):
        scene.add(scene.photos / "old")
    assert scene.counts(scene.photos / "new") == {"found": 1, "moved": 1}


def test_copies_and_hard_links_are_further_places_of_one_picture(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.add()
    scene.write("copy.jpg", jpeg(1))
    os.link(scene.path("a.jpg"), scene.path("link.jpg"))
    # A hard link changes the inode of the first name too, which is read again therefore.
    assert scene.counts() == {"found": 3, "copies": 2, "unchanged": 1}
    assert len(scene.show("a.jpg")["files"]) == 3
    os.remove(scene.path("a.jpg"))
    assert scene.counts() == {"found": 2, "unchanged": 2}
    assert scene.library.show(scene.show("link.jpg")["id"])["state"] == "present"
    assert len(scene.show("copy.jpg")["files"]) == 2


def test_one_of_two_copies_moves_while_another_appears(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("b.jpg", jpeg(1))
    assert scene.counts() == {"found": 2, "added": 1, "copies": 1}
    scene.rename("a.jpg", "c.jpg")
    scene.write("d.jpg", jpeg(1))
    assert scene.counts() == {"found": 3, "moved": 1, "copies": 1, "unchanged": 1}


def test_two_pictures_that_swap_names_are_moved(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1, taken=MOMENT))
    scene.write("b.jpg", jpeg(2, taken=MOMENT))
    scene.add()
    ids = {name: scene.show(name)["id"] for name in ("a.jpg", "b.jpg")}
    scene.library.set(scene.path("a.jpg"), "title", "the first")
    scene.rename("a.jpg", "c")
    scene.rename("b.jpg", "a.jpg")
    scene.rename("c", "b.jpg")
    assert scene.counts() == {"found": 2, "moved": 2}
    assert scene.show("b.jpg")["id"] == ids["a.jpg"]
    assert scene.show("b.jpg")["title"] == "the first"
    assert scene.show("a.jpg")["id"] == ids["b.jpg"]


def test_an_edit_in_place_is_a_version_that_keeps_what_people_said(scene: Scene) -> None:
    camera = {"taken": MOMENT, "make": "Acme", "model": "One"}
    before, after = jpeg(1, **camera), jpeg(1, size=(40, 30), **camera)
    path = scene.write("a.jpg", before)
    scene.add()
    first = scene.show("a.jpg")
    scene.library.set(path, "rating", 5)
    scene.library.tag(path, "Holiday")

    events: list[Event] = []
    scene.write("a.jpg", after)
    assert counts(scene.add(events=events)) == {"found": 1, "replaced": 1}
    assert [e.same_picture for e in events if isinstance(e, Replaced)] == [True]
    known = scene.show("a.jpg")
    assert (known["width"], known["rating"], [t["name"] for t in known["tags"]]) == (40, 5, ["Holiday"])
    assert scene.library.show(first["id"])["id"] == known["id"]
    assert [v["shown"] for v in known["versions"]] == [True, False]
    assert scene.library.search("").total == 1

    # Taking the edit back shows the old pixels again, and making it once more the new ones.
    for data, width in ((before, 64), (after, 40), (before, 64)):
        scene.write("a.jpg", data)
        assert scene.counts() == {"found": 1, "replaced": 1}
        known = scene.show("a.jpg")
        assert (known["width"], known["rating"]) == (width, 5)
        assert scene.library.search("").total == 1
    assert scene.sound()


def test_an_edit_without_dates_is_known_by_its_looks(scene: Scene) -> None:
    scene.write("a.png", png(1))
    scene.write("b.png", png(2))
    scene.add()
    scene.library.set(scene.path("a.png"), "rating", 3)
    scene.library.set(scene.path("b.png"), "rating", 3)
    scene.write("a.png", jpeg(1, quality=60))
    scene.write("b.png", jpeg(7))
    assert scene.counts() == {"found": 2, "replaced": 2}
    assert scene.show("a.png")["rating"] == 3
    assert scene.show("b.png")["rating"] is None


def test_another_picture_under_the_same_name_inherits_nothing(scene: Scene) -> None:
    scene.write("IMG_0001.JPG", jpeg(1, taken="2020:01:01 10:00:00"))
    scene.add()
    old = scene.show("IMG_0001.JPG")["id"]
    scene.library.set(old, "rating", 5)
    scene.library.tag(old, "Family")
    events: list[Event] = []
    scene.write("IMG_0001.JPG", jpeg(2, taken="2021:01:01 10:00:00"))
    assert counts(scene.add(events=events)) == {"found": 1, "replaced": 1}
    assert [e.same_picture for e in events if isinstance(e, Replaced)] == [False]
    new = scene.show("IMG_0001.JPG")
    assert (new["rating"], new["tags"]) == (None, [])
    kept = scene.library.show(old)
    assert (kept["state"], kept["rating"], [t["name"] for t in kept["tags"]]) == ("missing", 5, ["Family"])
    assert kept["files"] == []
    assert scene.library.search("").total == 1
    assert scene.sound()
    # It turns up elsewhere.
    scene.write("old/IMG_0001.JPG", jpeg(1, taken="2020:01:01 10:00:00"))
    assert scene.counts() == {"found": 2, "unchanged": 1, "copies": 1}
    assert scene.show("old/IMG_0001.JPG")["rating"] == 5
    assert scene.show("old/IMG_0001.JPG")["state"] == "present"


def test_vanished_files_are_missing_and_kept_and_may_come_back(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("b.jpg", jpeg(2))
    scene.add()
    scene.library.set(scene.path("a.jpg"), "rating", 5)
    scene.rename("a.jpg", "../aside.jpg")
    assert scene.counts() == {"found": 1, "unchanged": 1, "missing": 1}
    assert scene.counts() == {"found": 1, "unchanged": 1}
    known = scene.show("a.jpg")
    assert (known["state"], known["rating"], known["files"][0]["state"]) == ("missing", 5, "missing")
    assert scene.names() == {"b.jpg"}
    assert scene.library.stats()["missing"] == 1

    scene.rename("../aside.jpg", "a.jpg")
    assert scene.counts() == {"found": 2, "unchanged": 2}
    assert scene.show("a.jpg")["state"] == "present"

    # Gone in one run and at another place in a later one: it has moved, and the old place is forgotten.
    scene.rename("a.jpg", "../aside.jpg")
    scene.add()
    scene.rename("../aside.jpg", "c.jpg")
    assert scene.counts() == {"found": 2, "unchanged": 1, "moved": 1}
    assert [f["state"] for f in scene.show("c.jpg")["files"]] == ["present"]
    assert scene.show("c.jpg")["rating"] == 5
    assert scene.sound()


def test_a_missing_file_that_returns_edited_is_a_version(scene: Scene) -> None:
    camera = {"taken": MOMENT, "make": "Acme", "model": "One"}
    scene.write("a.jpg", jpeg(1, **camera))
    scene.write("b.jpg", jpeg(2))
    scene.add()
    scene.library.set(scene.path("a.jpg"), "rating", 5)
    os.remove(scene.path("a.jpg"))
    scene.add()
    scene.write("a.jpg", jpeg(1, size=(40, 30), **camera))
    assert scene.counts() == {"found": 2, "unchanged": 1, "replaced": 1}
    assert (scene.show("a.jpg")["rating"], scene.show("a.jpg")["width"]) == (5, 40)


def test_a_folder_that_vanished_takes_all_below_it_along(scene: Scene) -> None:
    for n in range(4):
        scene.write(f"trip/{n}/a.jpg", jpeg(n))
    scene.write("b.jpg", jpeg(9))
    scene.add()
    os.rename(scene.photos / "trip", scene.folder / "aside")
    assert scene.counts() == {"found": 1, "unchanged": 1, "missing": 4}
    assert scene.counts() == {"found": 1, "unchanged": 1}
    os.rename(scene.folder / "aside", scene.photos / "trip")
    assert scene.counts() == {"found": 5, "unchanged": 5}


def test_only_what_lies_below_the_named_folder_is_judged(scene: Scene) -> None:
    scene.write("one/a.jpg", jpeg(1))
    scene.write("two/b.jpg", jpeg(2))
    scene.write("two2/c.jpg", jpeg(3))
    scene.add()
    os.remove(scene.path("two/b.jpg"))
    os.remove(scene.path("two2/c.jpg"))
    scene.write("two/d.jpg", jpeg(4))
    assert scene.counts(scene.photos / "two") == {"found": 1, "added": 1, "missing": 1}
    assert scene.show("two2/c.jpg")["state"] == "present"


def test_files_that_are_ignored_by_now_stay_as_they_are(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.write("drafts/b.jpg", jpeg(2))
    scene.add()
    scene.write(".imagerignore", b"a.jpg\ndrafts/\n")
    scene.write("c.jpg", jpeg(3))
    assert scene.counts() == {"found": 1, "added": 1}
    assert scene.show("a.jpg")["state"] == scene.show("drafts/b.jpg")["state"] == "present"
    os.remove(scene.path("a.jpg"))
    assert scene.counts() == {"found": 1, "unchanged": 1, "missing": 1}


def test_the_letters_case_of_a_name_may_change(scene: Scene) -> None:
    scene.write("a.jpg", jpeg(1))
    scene.add()
    scene.rename("a.jpg", "A.JPG")
    assert scene.counts() == {"found": 1, "moved": 1}
    assert [os.path.basename(f["path"]) for f in scene.show("A.JPG")["files"]] == ["A.JPG"]


NAMES = ("a.jpg", "b.jpg", "one/a.jpg", "one/c.jpg", "two/deep/a.jpg")
ACTIONS = st.one_of(
    st.tuples(st.just("write"), st.sampled_from(NAMES), st.integers(0, 3)),
    st.tuples(st.just("remove"), st.sampled_from(NAMES), st.just(0)),
    st.tuples(st.sampled_from(["move", "copy", "swap", "link"]), st.sampled_from(NAMES), st.integers(0, 4)),
)


def _act(scene: Scene, model: dict[str, int], action: str, name: str, number: int) -> None:
    other = NAMES[number]
    if action == "write":
        scene.write(name, jpeg(number))
        model[name] = number
    elif name not in model or (action != "remove" and name == other):
        return
    elif action == "remove":
        os.remove(scene.path(name))
        del model[name]
    elif action == "move":
        scene.rename(name, other)
        model[other] = model.pop(name)
    elif action == "swap" and other in model:
        scene.rename(name, "../aside")
        scene.rename(other, name)
        scene.rename("../aside", other)
        model[name], model[other] = model[other], model[name]
    elif action in ("copy", "link") and other not in model:
        os.makedirs(os.path.dirname(scene.path(other)), exist_ok=True)
        (os.link if action == "link" else shutil.copy2)(scene.path(name), scene.path(other))
        model[other] = model[name]


@settings(max_examples=25)
@given(st.lists(st.lists(ACTIONS, min_size=1, max_size=4), min_size=1, max_size=4))
def test_whatever_happens_between_runs_the_library_follows(rounds: list[list[tuple[str, str, int]]]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "SupervisedExecutor", Inline)
        scene, model = Scene(Path(folder)), dict[str, int]()
        scene.write("anchor.png", png(9))  # an empty root would be taken for a disk that is away
        rated: set[int] = set()
        for actions in rounds:
            for action in actions:
                # A new file each time: writing into a hard link would change all its names.
                if action[0] == "write" and os.path.lexists(scene.path(action[1])):
                    os.remove(scene.path(action[1]))
                _act(scene, model, *action)
            report = scene.add()
            assert report.found == len(model) + 1
            assert report.failed == []
            for name, seed in model.items():
                if seed not in rated:
                    rated.add(seed)
                    scene.library.set(scene.path(name), "rating", seed + 1)
            for name, seed in model.items():
                known = scene.show(name)
                assert (known["rating"], known["state"]) == (seed + 1, "present")
                here = {os.fsdecode(scene.path(n)) for n, s in model.items() if s == seed}
                assert {f["path"] for f in known["files"] if f["state"] == "present"} == here
            assert scene.library.search("").total == len(set(model.values())) + 1
            assert scene.counts() == {"found": len(model) + 1, "unchanged": len(model) + 1}
            assert Inline.asked == []
        assert scene.sound()
        scene.library.close()
