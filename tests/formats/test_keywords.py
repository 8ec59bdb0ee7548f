"""One list of keywords from everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.formats.keywords import keywords_of

FEW = settings(max_examples=80, derandomize=True, deadline=None)


def test_keywords_of_all_standards_are_joined_in_order_and_once() -> None:
    found = keywords_of({"dc:subject": ["Sea", "red, green"]}, {"Keywords": ["sea", "Sand"]}, "Wind; ;SAND")
    assert found == ("Sea", "red, green", "Sand", "Wind")


def test_a_single_keyword_need_not_be_a_list() -> None:
    assert keywords_of({"dc:subject": "Sea"}, {}, "") == ("Sea",)


@pytest.mark.parametrize(
    "xmp",
    [
        {"lr:hierarchicalSubject": ["Animals|Dogs|Rex"]},
        {"digiKam:TagsList": ["Animals/Dogs/Rex"]},
        {"MicrosoftPhoto:LastKeywordXMP": ["Animals/Dogs/Rex"]},
        {"dc:subject": ["Animals|Dogs|Rex"]},
        {
            "acdsee:categories": '<Categories><Category Assigned="0">Animals<Category Assigned="0">Dogs'
            '<Category Assigned="1">Rex</Category></Category></Category></Categories>'
        },
    ],
)
def test_every_form_of_hierarchy_gives_the_same(xmp: dict[str, object]) -> None:
    assert keywords_of(xmp, {}, "") == ("Animals|Dogs|Rex",)


def test_the_flat_words_of_a_hierarchy_are_not_repeated() -> None:
    xmp = {
        "dc:subject": ["dogs", "Rex", "Beach"],
        "lr:hierarchicalSubject": ["Animals", "Animals|Dogs", "Animals|Dogs|Rex"],
    }
    assert keywords_of(xmp, {"Keywords": ["Animals"]}, "rex") == ("Beach", "Animals|Dogs|Rex")


def test_marks_that_digikam_keeps_for_itself_are_no_keywords() -> None:
    xmp = {"digiKam:TagsList": ["_Digikam_Internal_Tags_/Color Label None", "Sea"]}
    assert keywords_of(xmp, {}, "") == ("Sea",)


@pytest.mark.parametrize("value", ["<Categories><Category", "<!DOCTYPE x><Categories/>", "<Other/>", ["list"], None])
def test_damaged_categories_are_passed_over(value: object) -> None:
    assert keywords_of({"acdsee:categories": value}, {}, "") == ()


words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@FEW
@given(st.lists(words, max_size=8), st.lists(words, max_size=8), words)
def test_no_keyword_is_empty_or_twice_there_and_none_is_lost(flat: list[str], deep: list[str], windows: str) -> None:
    found = keywords_of({"dc:subject": flat, "lr:hierarchicalSubject": deep}, {"Keywords": flat}, windows)
    folded = [keyword.casefold() for keyword in found]
    assert all(folded)
    assert len(set(folded)) == len(folded)
    levels = {level for keyword in folded for level in keyword.split("|")}
    for word in flat:
        plain = " ".join(word.split()).casefold()
        if plain.isalnum():
            assert plain in levels
