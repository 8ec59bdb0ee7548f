"""The Python interface: opening a library, following a run, and what happens when one does not."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

import imager
from imager.errors import ImagerError, NotFoundError, UsageError
from imager.ingest import run
from imager.ingest.events import Added, Finished, Progress
from imager.library import MARK, Library, absolute, adding, default_folder
from imager.library import opened as libraries
from tests.ingest.scenes import Inline, checked
from tests.pictures import jpeg


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(run, "SupervisedExecutor", Inline)
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.jpg").write_bytes(jpeg(n, description=f"harbour {n}"))
    return folder


def test_a_library_is_opened_filled_searched_and_edited(tmp_path: Path, photos: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        events = list(library.add(photos, workers=1))
        assert isinstance(events[-1], Finished)
        assert all(isinstance(event, Added | Progress | Finished) for event in events)
        hit = library.search("harbour 2").hits[0]
        library.set(hit.id, "rating", 5)
        library.tag(hit.path or "", "Sea")
        library.untag(photos / "2.jpg", "Sea")
        library.undo()
        known = library.show(os.fsencode(photos / "2.jpg"))
        assert (known["rating"], [t["name"] for t in known["tags"]]) == (5, ["Sea"])
        assert len(library.history(hit.id)) == 3
        library.set(hit.id, "rating", None)
        assert library.show(hit.id)["rating"] is None
    with Library.open(str(tmp_path / "library"), create=False) as library:
        assert library.stats()["pictures"] == 3
        assert library.doctor().ok


def test_the_package_offers_what_its_documentation_shows() -> None:
    assert imager.Library is Library
    with pytest.raises(AttributeError, match="Librarian"):
        imager.Librarian  # noqa: B018


def test_a_library_is_marked_so_that_it_is_never_ingested(tmp_path: Path) -> None:
    with Library.open(tmp_path / "deep" / "library") as library:
        assert (library.folder / MARK).read_text().startswith("This folder is an Imager library")
    (tmp_path / "deep" / "library" / MARK).unlink()
    Library.open(tmp_path / "deep" / "library").close()
    assert (tmp_path / "deep" / "library" / MARK).exists()


def test_closing_twice_does_nothing_and_closing_ends_a_run(tmp_path: Path, photos: Path) -> None:
    library = Library.open(tmp_path / "library")
    events = library.add(photos, workers=1)
    next(events)
    library.close()
    library.close()
    assert list(events) == []
    with Library.open(tmp_path / "library") as library:
        assert checked(list(library.add(photos, workers=1))).found == 3


def test_an_error_while_a_run_is_followed_leaves_nothing_behind(tmp_path: Path, photos: Path) -> None:
    with pytest.raises(ZeroDivisionError), Library.open(tmp_path / "library") as library:
        for _ in library.add(photos, workers=1):
            raise ZeroDivisionError
    # What pytest would report as an unraisable exception is an error here, see filterwarnings.
    with Library.open(tmp_path / "library", create=False) as library:
        assert library.doctor().ok


def test_what_can_not_be_opened_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFoundError, match=r"no library in .*nothing\. 'imager add FOLDER' makes one"):
        Library.open(tmp_path / "nothing", create=False)
    assert not (tmp_path / "nothing").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(ImagerError, match="file is not an empty folder"):
        Library.open(tmp_path / "file")
    with pytest.raises(ImagerError, match="file"):
        Library.open(tmp_path / "file" / "within")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("x")
    with pytest.raises(ImagerError, match="Choose another one for the library"):
        Library.open(tmp_path / "full")
    monkeypatch.setattr(libraries, "is_network_filesystem", lambda path: "nfs4")
    with pytest.raises(ImagerError, match=r"network file system \(nfs4\)"):
        Library.open(tmp_path / "remote")
    assert not (tmp_path / "remote").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names are any bytes only there")
def test_a_library_needs_a_name_that_sqlite_can_open(tmp_path: Path) -> None:
    with pytest.raises(ImagerError, match="its name is not UTF-8"):
        Library.open(os.fsencode(tmp_path) + b"/caf\xe9")


def test_the_library_of_a_newer_imager_is_refused_and_left_alone(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        library.catalog.db.execute("PRAGMA user_version = 9999")
    with pytest.raises(ImagerError, match="newer Imager"):
        Library.open(tmp_path / "library")


def test_the_folder_is_that_of_the_environment_or_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("IMAGER_LIBRARY", str(tmp_path / "named"))
    assert default_folder() == tmp_path / "named"
    with Library.open() as library:
        assert library.folder == tmp_path / "named"
    monkeypatch.delenv("IMAGER_LIBRARY")
    assert default_folder().name == "library"


def test_paths_are_made_absolute_and_links_left_as_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    here = os.fsencode(tmp_path)
    assert absolute("a/../b") == absolute(Path("b")) == absolute(b"b") == os.path.join(here, b"b")
    assert absolute("~/b") == os.path.join(here, b"b")
    assert absolute("b/") == os.path.join(here, b"b")


def test_what_names_nothing_is_said_to_name_nothing(tmp_path: Path, photos: Path) -> None:
    with Library.open(tmp_path / "library") as library:
        list(library.add(photos / "0.jpg", workers=1))
        for reference in ("", "x" * 32, "f" * 32, "/", photos, photos / "9.jpg", b"\xff"):
            with pytest.raises(NotFoundError):
                library.find(reference)
        with pytest.raises(NotFoundError, match="'imager add' brings it in"):
            library.find(photos / "1.jpg")
        with pytest.raises(UsageError):
            library.set(photos / "0.jpg", "colour", "red")
        with pytest.raises(NotFoundError):
            library.undo()


def test_nothing_of_an_erased_picture_is_left_in_the_index(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    for n, name in enumerate(("keep.jpg", "Zanzibarsecret.jpg"), 1):
        (tmp_path / "photos" / name).write_bytes(jpeg(n))
    with Library.open(tmp_path / "library") as library:
        list(library.add(tmp_path / "photos"))
        path = tmp_path / "photos" / "Zanzibarsecret.jpg"
        library.set(path, "creator", "Quetzalcoatl")
        assert library.search("zanzibarsecret").total == 1
        library.index.save(force=True)
        assert any(b"zanzibarsecret" in file.read_bytes() for file in (tmp_path / "library" / "index").glob("*.imx"))
        library.erase(path)
        assert library.search("zanzibarsecret").total == 0
        assert library.search("").total == 1
    for file in (tmp_path / "library").rglob("*"):
        if file.is_file():
            held = file.read_bytes().lower()
            assert b"zanzibarsecret" not in held, file
            assert b"quetzalcoatl" not in held, file


def test_a_second_look_that_finds_nothing_new_leaves_the_index_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "_LARGE", 0)
    monkeypatch.setattr(run, "SupervisedExecutor", Inline)
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(jpeg(1))
    with Library.open(tmp_path / "library") as library:
        list(library.add(tmp_path / "photos"))
    generations = tmp_path / "library" / "index"
    assert list(generations.glob("*.imx")), "a large library is ready to be searched"
    shutil.rmtree(generations)
    with Library.open(tmp_path / "library") as library:
        list(library.add(tmp_path / "photos"))
    assert not generations.exists()
