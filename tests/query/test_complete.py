from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.query.codec import condition_to_json
from imager.query.complete import Completion, complete
from imager.query.error import QueryError
from imager.query.text import parse
from imager.query.vocabulary import Located, Vocabulary


class Small(Vocabulary):
    def locate(self, name: str) -> Located:
        return Located(1.0, 2.0, name)

    def tags(self, prefix: str) -> list[tuple[str, int]]:
        return _begin(prefix, [("Animals|Camels", 90), ("my cat", 7), ("=odd", 1), ("OR", 1)])

    def people(self, prefix: str) -> list[tuple[str, int]]:
        return _begin(prefix, [("Anna Smith", 30), ("Camille", 20)])

    def places(self, prefix: str) -> list[tuple[str, int]]:
        return _begin(prefix, [("Paris", 50), ("New York", 40), ("Cambridge", 5)])

    def albums(self, prefix: str) -> list[tuple[str, int]]:
        return _begin(prefix, [('The "best"', 3), ("Camping", 2)])

    def cameras(self) -> list[tuple[str, int]]:
        return [("FUJIFILM X-T4", 200), ("NIKON D90", 100)]

    def lenses(self) -> list[tuple[str, int]]:
        return [("XF 35mm f/1.4", 10)]

    def words(self, prefix: str) -> list[tuple[str, int]]:
        return _begin(prefix, [("camp", 60), ("camel", 55), ("door", 8)])


def _begin(prefix: str, names: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return [
        (name, count)
        for name, count in names
        if any(word.startswith(prefix.lower()) for word in (name.lower(), *name.lower().replace("|", " ").split()))
    ]


def completed(text: str, limit: int = 10) -> list[str]:
    """What the text becomes; '‸' marks the cursor."""
    cursor = text.index("‸")
    text = text.replace("‸", "")
    return [_with(text, one) for one in complete(text, cursor, Small(), limit)]


def _with(text: str, one: Completion) -> str:
    return text[: one.start] + one.text + text[one.end :]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cam‸", ["camera:", "#Animals|Camels", "@Camille", "place:Cambridge", "album:Camping", "camp", "camel"]),
        ("beach do‸", ["beach dossier:", "beach door"]),
        ("-do‸", ["-dossier:", "-door"]),
        ("(x OR do‸)", ["(x OR dossier:)", "(x OR door)"]),
        ("ka‸", ["kamera:"]),
        ("camera:‸", ['camera:"FUJIFILM X-T4"', 'camera:"NIKON D90"']),
        ("camera:nik‸", ['camera:"NIKON D90"']),
        ("camera:x-‸", ['camera:"FUJIFILM X-T4"']),
        ('kamera:"fuji‸', ['kamera:"FUJIFILM X-T4"']),
        ("lens:35‸", ['lens:"XF 35mm f/1.4"']),
        ("#cam‸", ["#Animals|Camels"]),
        ("#my‸ door", ['#"my cat" door']),
        ("#‸", ["#Animals|Camels", '#"my cat"', '#"=odd"', '#"OR"']),
        ("tag:=my‸", ['tag:="my cat"']),
        ("@an‸", ['@"Anna Smith"']),
        ("place:new‸", ['place:"New York"']),
        ("near:new‸", ['near:"New York"/10km']),
        ("near:Paris/‸", []),
        ("album:the‸", ['album:"The ""best"""']),
        ("is:p‸", ["is:portrait", "is:panorama", "is:present"]),
        ("is:portrait|pan‸", ["is:portrait|panorama"]),
        ("has:p‸", ["has:place", "has:people"]),
        ("sort:n‸", ["sort:newest"]),
        ("colour:r‸", ["colour:red"]),
        ("date:last‸", ['date:"last month"', 'date:"last year"']),
        ("title:do‸", ["title:door"]),
        ('"red do‸', []),
        ('"red door"‸', []),
        ("do*‸", []),
        ('camera:"fuji"‸', ['camera:"FUJIFILM X-T4"']),
        ("te‸st", ["text:"]),
        ("te‸g:x", ["text:x"]),
        ("cam‸era:fuji", ["camera:fuji"]),
        ("cam‸:fuji", ["camera:fuji"]),
    ],
)  # fmt: skip
def test_what_is_typed_is_completed(text: str, expected: list[str]) -> None:
    found = completed(text)
    assert found[: len(expected)] == expected
    if not expected:
        assert not found


def test_an_empty_text_offers_keys() -> None:
    assert [one.kind for one in complete("", 0, None, 5)] == ["key"] * 5
    assert complete("door ", 5)[0].start == 5


def test_the_most_used_come_first_and_words_have_room() -> None:
    found = complete("c", 1, Small(), 6)
    assert [one.kind for one in found] == ["key", "key", "key", "tag", "word", "word"]
    assert found[3].count == 90 and found[3].label == "Animals › Camels"


def test_there_are_at_most_so_many() -> None:
    assert len(complete("cam", 3, Small(), 2)) == 2
    assert complete("cam", 3, Small(), 0) == []


def test_completed_names_are_what_they_were() -> None:
    for text in ("album:the", "#=o", "#or", "@anna"):
        one = complete(text, len(text), Small())[0]
        condition = condition_to_json(parse(_with(text, one), Small()).query.where)
        assert one.label in (condition.get("album"), condition.get("tag"), condition.get("person"))


PIECES = (
    'cam do an : tag: # @ " ( ) - OR | camera: near: near:par place:new is: is:p album:the = * / date:la te 日本 kamera'
)
pieces = st.sampled_from(PIECES.split(" "))


@given(st.lists(pieces | st.just(" ") | st.characters(), max_size=10).map("".join), st.integers(-2, 80))
def test_what_is_completed_can_be_parsed(text: str, cursor: int) -> None:
    for one in complete(text, cursor, Small()):
        assert 0 <= one.start <= one.end <= len(text)
        try:
            parse(_with(text, one), Small(), understand=False)
        except QueryError as error:  # of another piece of the text
            assert error.end <= one.start or error.start >= one.start + len(one.text)
