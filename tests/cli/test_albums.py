"""`imager albums`: albums are made, filled, ordered, shown and deleted; what can't be is said in one line."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
import typer

from imager.cli.albums import albums
from tests.cli.program import Program
from tests.pictures import jpeg

COMMANDS: dict[str, Any] = typer.main.get_command(albums).commands  # type: ignore[attr-defined]


@pytest.fixture
def four(imager: Program) -> list[str]:
    """Four pictures, the first the oldest."""
    paths = [imager.write(f"{n}.jpg", jpeg(n, taken=f"202{n}:01:01 10:00:00", description=f"n{n}")) for n in range(4)]
    assert imager("add", "photos").status == 0
    return paths


def names(imager: Program, *words: str) -> list[str]:
    shown = albums_json(imager, "show", *words)
    return [os.path.basename(picture["path"]) for picture in shown["pictures"]]


def albums_json(imager: Program, *words: str) -> Any:
    done = imager("albums", words[0], "--json", *words[1:])
    assert done.status == 0, done.err
    return json.loads(done.out)


def test_albums_are_made_filled_and_listed_as_a_tree(imager: Program, four: list[str]) -> None:
    assert "no albums yet" in imager("albums").out
    assert imager.json("albums") == {"albums": []}
    made = albums_json(imager, "create", "Trips")
    albums_json(imager, "create", "2021", "--in", "Trips")
    assert set(made) == {"id", "batch"}
    assert albums_json(imager, "add", "Trips/2021", *four[:2])["batch"]
    assert albums_json(imager, "add", made["id"], "--query", "n3")["batch"]
    assert albums_json(imager, "add", made["id"], "--query", "n3") == {"batch": None}
    listed = imager.json("albums")["albums"]
    assert [(a["path"], a["count"], a["smart"]) for a in listed] == [
        (["Trips"], 1, False),
        (["Trips", "2021"], 2, False),
    ]
    assert imager("albums").out.splitlines() == ["Trips  1 picture", "  2021  2 pictures"]
    assert listed[1]["cover"] == imager.json("show", four[0])["id"]
    assert imager.json("show", four[3])["albums"] == [{"id": made["id"], "name": "Trips"}]


def test_an_album_is_ordered_and_paged(imager: Program, four: list[str]) -> None:
    imager("albums", "create", "All")
    imager("albums", "add", "All", "--query", "")
    assert names(imager, "All") == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert imager("albums", "order", "All", four[3], "--before", four[1]).status == 0
    assert imager("albums", "order", "All", four[0], "--after", four[1]).status == 0
    first = albums_json(imager, "show", "All", "--limit", "3")
    assert [p["path"] for p in first["pictures"]] == [four[3], four[1], four[0]]
    assert names(imager, "All", "--limit", "3", "--after", first["next"]) == ["2.jpg"]
    shown = imager("albums", "show", "All", "--limit", "2").out
    assert "4 pictures" in shown
    assert "--after" in shown
    imager("albums", "remove", "All", four[1])
    assert names(imager, "All") == ["3.jpg", "0.jpg", "2.jpg"]
    imager("undo")
    assert names(imager, "All") == ["3.jpg", "1.jpg", "0.jpg", "2.jpg"]


def test_a_smart_album_shows_what_its_query_finds_now(imager: Program, four: list[str]) -> None:
    imager("albums", "create", "Sea", "--query", "tag:Sea rating:>=3")
    assert names(imager, "Sea") == []
    for path in four[1:3]:
        imager("tag", path, "Sea")
        imager("rate", path, "4")
    assert names(imager, "Sea") == ["2.jpg", "1.jpg"]
    (listed,) = imager.json("albums")["albums"]
    assert (listed["smart"], listed["count"]) == (True, 2)
    assert "tag:Sea" in listed["query"]
    assert "tag:Sea" in imager("albums").out
    assert "what its query finds" in imager.fails("albums", "add", "Sea", four[0], status=2)
    imager("albums", "edit", "Sea", "--query", "n0")
    assert names(imager, "Sea") == ["0.jpg"]
    imager("albums", "edit", "Sea", "--query", "")
    imager("albums", "add", "Sea", four[3])
    assert names(imager, "Sea") == ["3.jpg"]


def test_albums_are_renamed_described_moved_and_deleted(imager: Program, four: list[str]) -> None:
    for name in ("a", "b", "c"):
        imager("albums", "create", name)
    imager("albums", "move", "c", "--top", "--before", "b")
    assert [a["name"] for a in imager.json("albums")["albums"]] == ["a", "c", "b"]
    imager("albums", "move", "b", "--in", "a")
    imager("albums", "rename", "a", "A")
    imager("albums", "edit", "A", "--about", "What it is")
    imager("albums", "add", "A", *four)
    imager("albums", "edit", "A", "--cover", four[2])
    shown = albums_json(imager, "show", "A", "--limit", "1")
    assert (shown["description"], shown["cover"]) == ("What it is", imager.json("show", four[2])["id"])
    assert [a["path"] for a in imager.json("albums")["albums"]] == [["A"], ["A", "b"], ["c"]]
    assert "What it is" in imager("albums", "show", "A").out
    batch = albums_json(imager, "delete", "A")["batch"]
    assert [a["name"] for a in imager.json("albums")["albums"]] == ["c"]
    assert imager.json("search")["total"] == 4
    imager("undo", batch)
    assert [a["path"] for a in imager.json("albums")["albums"]] == [["A"], ["A", "b"], ["c"]]


def test_what_cannot_be_is_said(imager: Program, four: list[str]) -> None:
    imager("albums", "create", "a")
    imager("albums", "create", "b", "--in", "a")
    imager("albums", "create", "c")
    imager("albums", "create", "b", "--in", "c")
    assert "a/b (" in imager.fails("albums", "show", "b", status=2)
    assert "no album nowhere" in imager.fails("albums", "show", "nowhere")
    assert "already" in imager.fails("albums", "create", "A", status=2)
    assert "--query which" in imager.fails("albums", "add", "a", status=2)
    assert "--in PARENT or --top" in imager.fails("albums", "move", "a", status=2)
    assert "into itself" in imager.fails("albums", "move", "a", "--in", "a/b", status=2)
    assert "either --before or --after" in imager.fails("albums", "order", "a", four[0], status=2)
    assert "Say one of" in imager.fails("albums", "edit", "a", status=2)
    assert "not in the library" in imager.fails("albums", "add", "a", imager.write("new.jpg", jpeg(9)))
    assert imager("albums", "remove", "a", four[0]).err.strip() == "None of them was in it."


def test_a_private_picture_says_so_and_is_seen_by_its_owner(imager: Program, four: list[str]) -> None:
    assert imager("private", *four[:2]).status == 0
    assert imager.json("show", four[0])["private"] == "owner"
    assert imager.json("search")["total"] == 4
    imager("private", "--no", four[0])
    assert [imager.json("show", path)["private"] for path in four[:2]] == [None, "owner"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_of_albums_is_explained_with_all_that_it_takes(name: str, imager: Program) -> None:
    command = COMMANDS[name]
    assert command.help.strip().endswith(".")
    assert all(getattr(parameter, "help", None) for parameter in command.params)
    assert "--json" in [option for parameter in command.params for option in parameter.opts]
    assert imager("albums", name, "--help").status == 0
