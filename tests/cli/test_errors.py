"""What can't be done: an error that names the thing, and an exit status of 1, or 2 where the request was wrong."""

from __future__ import annotations

import os

import pytest

from imager.cli import ingest
from imager.ingest.record import Recorder
from tests.cli.program import Program
from tests.pictures import jpeg

NOBODY = "00000000-0000-8000-8000-000000000000"


def test_whatever_does_not_exist_is_named(imager: Program) -> None:
    path = imager.write("a.jpg", jpeg(1))
    bad = imager.write("bad.jpg", b"")
    imager.json("add", path)
    imager("add", bad)
    new = imager.write("new.jpg", jpeg(2))
    for command in (("show",), ("history",), ("tag", "x"), ("rate", "3"), ("title", "x"), ("trash",), ("separate",)):
        name, *rest = command
        for reference in (NOBODY, "nowhere.jpg"):
            assert reference in imager.fails(name, reference, *rest)
    assert "join" not in imager.fails("join", path, NOBODY)
    assert NOBODY in imager.fails("erase", NOBODY, "--yes")
    assert "nowhere does not exist" in imager.fails("add", "nowhere")
    assert "nowhere" in imager.fails("forget", "nowhere")
    assert "could not be read: the file is empty" in imager.fails("show", bad)
    assert "is not in the library. 'imager add' brings it in" in imager.fails("show", new)
    assert "There is nothing to undo" in imager.fails("undo")
    assert "no edit" in imager.fails("undo", f"{0:013x}-0000-{7:012x}")


def test_an_error_goes_to_standard_error_with_json_too(imager: Program) -> None:
    imager.write("a.jpg", jpeg(1))
    imager.json("add", "photos")
    done = imager("show", "nowhere.jpg", "--json")
    assert (done.status, done.out) == (1, "")
    assert "nowhere.jpg" in done.err


def test_commands_say_how_to_make_a_library_that_is_missing(imager: Program) -> None:
    for command in (("search", "x"), ("show", "x"), ("stats",), ("doctor",), ("jobs",), ("undo",)):
        told = imager.fails(*command)
        assert str(imager.library) in told
        assert "imager add" in told
    assert not imager.library.exists()


def test_a_folder_that_is_no_library_is_left_alone(imager: Program) -> None:
    imager.write("a.jpg", jpeg(1))
    imager.library.mkdir()
    (imager.library / "letter.txt").write_text("dear")
    assert "not an empty folder" in imager.fails("add", "photos")
    assert [p.name for p in imager.library.iterdir()] == ["letter.txt"]
    (imager.library / "letter.txt").rename(imager.library / "catalog.db")
    assert str(imager.library) in imager.fails("add", "photos")
    assert (imager.library / "catalog.db").read_text() == "dear"


@pytest.mark.parametrize(
    "words",
    [
        ("fly",),
        ("add",),
        ("show",),
        ("rate", "x"),
        ("rate", "x", "six"),
        ("rate", "x", "6"),
        ("add", ".", "--until", "tomorrow"),
        ("add", ".", "--workers", "0"),
        ("search", "x", "--limit", "0"),
        ("search", "x", "--limit", "many"),
        ("search", "--no-such-option"),
        ("demo", "--count", "0"),
        ("stats", "too much"),
    ],
)
def test_wrong_usage_ends_with_two(imager: Program, words: tuple[str, ...]) -> None:
    assert imager.fails(*words, status=2)
    assert imager.fails(*words, "--json", status=2)


def test_values_that_make_no_sense_are_wrong_usage_and_are_named(imager: Program) -> None:
    path = imager.write("a.jpg", jpeg(1))
    imager.json("add", "photos")
    assert "'colour'" in imager.fails("set", path, "colour", "red", status=2)
    assert "'yesterday'" in imager.fails("set", path, "taken_at", "yesterday", status=2)
    assert "not on earth" in imager.fails("set", path, "position", "91,0", status=2)
    assert "neither yes nor no" in imager.fails("set", path, "favourite", "perhaps", status=2)
    assert "no name for a tag" in imager.fails("tag", path, " | ", status=2)
    assert "--after" in imager.fails("search", "x", "--after", "%%%", status=2)
    assert "names no edit" in imager.fails("undo", "yesterday", status=2)
    assert "only one version" in imager.fails("separate", path, status=2)
    assert "one picture already" in imager.fails("join", path, path, status=2)


def test_erasing_asks_and_no_is_no(imager: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    path = imager.write("a.jpg", jpeg(1))
    imager.json("add", "photos")
    with open(os.devnull, encoding="utf-8") as nothing:
        monkeypatch.setattr("sys.stdin", nothing)
        assert imager("erase", path).status == 1
    assert imager.json("search")["total"] == 1


def test_an_interrupted_command_ends_with_130_and_says_that_nothing_is_lost(
    imager: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: object, **named: object) -> None:
        raise KeyboardInterrupt

    imager.write("a.jpg", jpeg(1))
    monkeypatch.setattr(Recorder, "record", interrupt)
    assert "the same command goes on" in imager.fails("add", "photos", status=130)


@pytest.mark.parametrize("trouble", [OSError(5, "Input/output error", "/some/file"), RuntimeError("a fault\x1b[31m")])
def test_even_what_nobody_foresaw_is_one_line(
    imager: Program, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fail(*args: object, **named: object) -> None:
        raise trouble

    imager.write("a.jpg", jpeg(1))
    monkeypatch.setattr(ingest, "follow", fail)
    told = imager.fails("add", "photos")
    assert told.count("\n") == 1
    assert ("/some/file: Input/output error" in told) or ("IMAGER_DEBUG=1" in told)
    monkeypatch.setenv("IMAGER_DEBUG", "1")
    if isinstance(trouble, RuntimeError):
        with pytest.raises(RuntimeError):
            imager("add", "photos")
