"""What is typed behind 'imager search', and what completes it."""

from __future__ import annotations

import pytest

from imager.cli.common import query_text
from tests.cli.program import Program
from tests.pictures import jpeg


@pytest.mark.parametrize(
    ("words", "query"),
    [
        (None, ""),
        ([], ""),
        (["red door"], "red door"),
        (['"red door"', "x"], '"red door" x'),
        (["red door", "blurry"], '"red door" blurry'),
        (["camera:fuji x-t4", "rating:>=4"], 'camera:"fuji x-t4" rating:>=4'),
        (["-red door", "house"], '-"red door" house'),
        (["-tag:old things", "house"], '-tag:"old things" house'),
        (["near:", "a b"], 'near: "a b"'),
    ],
)
def test_what_the_shell_took_the_quotes_from_gets_them_back(words: list[str] | None, query: str) -> None:
    assert query_text(words) == query


def test_the_beginning_of_a_query_is_completed_with_what_the_library_holds(imager: Program) -> None:
    imager.write("a.jpg", jpeg(1))
    imager.json("add", str(imager.photos))
    imager("tag", str(imager.photos / "a.jpg"), "Holiday|Red Sea")
    found = imager.json("search", "--complete", "boat tag:red")["completions"]
    assert [c["query"] for c in found] == ['boat tag:"Holiday|Red Sea"']
    assert imager.json("search", found[0]["query"].removeprefix("boat "))["total"] == 1
    assert "camera:" in [c["query"] for c in imager.json("search", "--complete", "cam")["completions"]]
    assert "Red Sea" in imager("search", "--complete", "tag:red").out


def test_people_are_told_how_they_were_understood(imager: Program) -> None:
    imager.write("a.jpg", jpeg(1))
    imager.json("add", str(imager.photos))
    shown = imager("search", "before:2100 -blurry").out.splitlines()
    assert "before 2100" in shown[0]
    assert "not blurry" in shown[0]
    assert imager("search", "rating:=>4").status == 2


def test_a_shell_completes_nothing_where_there_is_no_library(imager: Program) -> None:
    from imager.cli.common import offered
    from imager.cli.main import settings

    settings.library = str(imager.folder / "nowhere")
    assert offered("cam") == []
