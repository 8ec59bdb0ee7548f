from __future__ import annotations

import contextlib
import itertools
import time
from datetime import datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imager.query import model
from imager.query.codec import condition_to_json, from_json, to_json
from imager.query.error import QueryError
from imager.query.model import All, Understood
from imager.query.text import parse
from imager.query.vocabulary import Located, Vocabulary
from tests.query import strategies

NOW = datetime(2024, 5, 17, 12, 0)


class Known(Vocabulary):
    def locate(self, name: str) -> Located | None:
        return Located(48.8566, 2.3522, "Paris, France") if name.casefold() in ("paris", "le marais") else None


def understood(text: str, *, understand: bool = False) -> Understood:
    return parse(text, Known(), now=NOW, understand=understand)


def where(text: str, *, understand: bool = False) -> Any:
    return condition_to_json(understood(text, understand=understand).query.where)


def chips(text: str, *, understand: bool = False) -> list[tuple[str, str, str]]:
    return [(c.kind, c.text, text[c.start : c.end]) for c in understood(text, understand=understand).chips]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {"all": []}),
        ("  ", {"all": []}),
        ("*", {"all": []}),
        ("door", {"text": "door"}),
        ("red door", {"all": [{"text": "red"}, {"text": "door"}]}),
        ("red, door!", {"all": [{"text": "red"}, {"text": "door"}]}),
        ("red & door", {"all": [{"text": "red"}, {"text": "door"}]}),
        ("IMG_1234", {"text": "IMG_1234"}),
        ("doo*", {"text": "doo", "match": "prefix"}),
        ("*oo*", {"text": "oo", "match": "inside"}),
        ("*oor", {"text": "oor", "match": "inside"}),
        ('"red door"', {"text": "red door", "match": "phrase"}),
        ("“red door”", {"text": "red door", "match": "phrase"}),
        ("„rote Tür“", {"text": "rote Tür", "match": "phrase"}),
        ("« porte rouge »", {"text": " porte rouge ", "match": "phrase"}),
        ("「赤い扉」", {"text": "赤い扉", "match": "phrase"}),
        ('"red do"*', {"text": "red do", "match": "prefix"}),
        ('"red door', {"text": "red door", "match": "phrase"}),
        ('"a ""b"" c"', {"text": 'a "b" c', "match": "phrase"}),
        ("O'Neill", {"text": "O'Neill"}),
        ('5" disk', {"all": [{"text": "5"}, {"text": "disk"}]}),
        ("海边 日落", {"all": [{"text": "海边", "match": "inside"}, {"text": "日落", "match": "inside"}]}),
        ("東京、夜", {"all": [{"text": "東京", "match": "inside"}, {"text": "夜", "match": "inside"}]}),
        ("-blurry", {"not": {"text": "blurry"}}),
        ("−blurry", {"not": {"text": "blurry"}}),
        ("–blurry", {"not": {"text": "blurry"}}),
        ("NOT blurry", {"not": {"text": "blurry"}}),
        ("--blurry", {"not": {"text": "blurry"}}),
        ('-"red door"', {"not": {"text": "red door", "match": "phrase"}}),
        ("-(red door)", {"not": {"all": [{"text": "red"}, {"text": "door"}]}}),
        ("-camera:fuji", {"not": {"camera": "fuji"}}),
        ("black-and-white", {"text": "black-and-white"}),
        ("+door", {"text": "door"}),
        ("cat OR dog", {"any": [{"text": "cat"}, {"text": "dog"}]}),
        ("cat | dog", {"any": [{"text": "cat"}, {"text": "dog"}]}),
        ("cat|dog||bird", {"any": [{"text": "cat"}, {"text": "dog"}, {"text": "bird"}]}),
        ("paris cat OR dog", {"all": [{"text": "paris"}, {"any": [{"text": "cat"}, {"text": "dog"}]}]}),
        ("cat or dog", {"all": [{"text": "cat"}, {"text": "or"}, {"text": "dog"}]}),
        ("cat AND dog", {"all": [{"text": "cat"}, {"text": "dog"}]}),
        ("(big cat) OR -dog", {"any": [{"all": [{"text": "big"}, {"text": "cat"}]}, {"not": {"text": "dog"}}]}),
        ("((cat", {"text": "cat"}),
        ("cat)) dog", {"all": [{"text": "cat"}, {"text": "dog"}]}),
        ("OR cat OR", {"text": "cat"}),
        ("( ) -() NOT", {"all": []}),
        ("IMG(1)", {"text": "IMG(1)"}),
        ("camera:fuji", {"camera": "fuji"}),
        ("Camera:Fuji", {"camera": "Fuji"}),
        ("camera: fuji", {"camera": "fuji"}),
        ("camera：fuji", {"camera": "fuji"}),
        ("kamera:fuji", {"camera": "fuji"}),
        ("appareil:fuji", {"camera": "fuji"}),
        ('camera:"fuji x-t4"', {"camera": "fuji x-t4"}),
        ("camera:fuji|nikon", {"any": [{"camera": "fuji"}, {"camera": "nikon"}]}),
        ("camera:fuji|lens:50", {"any": [{"camera": "fuji"}, {"lens": "50"}]}),
        ("camera:", {"all": []}),
        ('camera:""', {"all": []}),
        ("camera: -door", {"not": {"text": "door"}}),
        ("(camera:fuji)", {"camera": "fuji"}),
        ("creator:Ada", {"creator": "Ada"}),
        ("kind:IMAGE", {"kind": "image"}),
        ("tag:dog", {"tag": "dog"}),
        ("#dog", {"tag": "dog"}),
        ('#"my dog"', {"tag": "my dog"}),
        ("#Animals|Dogs", {"tag": "Animals|Dogs"}),
        ("#cat|#dog", {"any": [{"tag": "cat"}, {"tag": "dog"}]}),
        ("tag:=Animals", {"tag": "Animals", "children": False}),
        ('tag:="My Animals"', {"tag": "My Animals", "children": False}),
        ("C# code", {"all": [{"text": "C"}, {"text": "code"}]}),
        ("@Anna", {"person": "Anna"}),
        ('@"Anna Smith"', {"person": "Anna Smith"}),
        ("person:Anna", {"person": "Anna"}),
        ("with:Anna", {"person": "Anna"}),
        ("anna@example.org", {"text": "anna@example.org"}),
        ("album:Wedding", {"album": "Wedding"}),
        ("ort:Berlin", {"place": "Berlin"}),
        ("near:48.85,2.35/10km", {"near": {"latitude": 48.85, "longitude": 2.35, "km": 10}}),
        ("near:-33.87,151.21/500m", {"near": {"latitude": -33.87, "longitude": 151.21, "km": 0.5}}),
        ("near:Paris", {"near": {"latitude": 48.8566, "longitude": 2.3522, "km": 10, "name": "Paris, France"}}),
        ('near:"le Marais"/2km', {
            "near": {"latitude": 48.8566, "longitude": 2.3522, "km": 2, "name": "Paris, France"},
        }),
        ("box:47,5.5,55,15", {"box": {"south": 47, "west": 5.5, "north": 55, "east": 15}}),
        ("colour:red", {"colour": "red"}),
        ("color:gray", {"colour": "grey"}),
        ("farbe:rot", {"colour": "red"}),
        ("colour:red>40%", {"colour": "red", "share": 0.4}),
        ("colour:red>=0.4", {"colour": "red", "share": 0.4}),
        ("colour:#C0392B", {"colour": "#c0392b"}),
        ("colour:#abc", {"colour": "#aabbcc"}),
        ("rating:4", {"rating": {"min": 4, "max": 4}}),
        ("rating:>=4", {"rating": {"min": 4}}),
        ("rating:>4", {"rating": {"min": 5}}),
        ("rating:4+", {"rating": {"min": 4}}),
        ("rating:★★★", {"rating": {"min": 3, "max": 3}}),
        ("rating:3..5", {"rating": {"min": 3, "max": 5}}),
        ("rating:3-5", {"rating": {"min": 3, "max": 5}}),
        ("rating:none", {"not": {"has": "rating"}}),
        ("iso:100..400", {"iso": {"min": 100, "max": 400}}),
        ("iso:<800", {"iso": {"max": 799}}),
        ("iso:*", {"iso": {}}),
        ("f:<=2.8", {"f_number": {"max": 2.8}}),
        ("f:f/2.8", {"f_number": {"min": 2.75, "max": 2.85}}),
        ("blende:2,8", {"f_number": {"min": 2.75, "max": 2.85}}),
        ("shutter:>=1/100", {"exposure_time": {"min": 0.01}}),
        ("focal:24..70mm", {"focal_length": {"min": 24, "max": 70}}),
        ("focal:50", {"focal_length": {"min": 49.5, "max": 50.5}}),
        ("width:>=4k", {"width": {"min": 4000}}),
        ("mp:12", {"megapixels": {"min": 11.5, "max": 12.5}}),
        ("size:>5mb", {"bytes": {"min": 5_000_001}}),
        ("size:1..5mb", {"bytes": {"min": 1_000_000, "max": 5_000_000}}),
        ("duration:>=1m30s", {"duration": {"min": 90}}),
        ("duration:<=1:30", {"duration": {"max": 90}}),
        ("date:2021", {"date": {"from": "2021-01-01", "to": "2022-01-01"}}),
        ("date:2021-08", {"date": {"from": "2021-08-01", "to": "2021-09-01"}}),
        ("date:2021/8/5", {"date": {"from": "2021-08-05", "to": "2021-08-06"}}),
        ("datum:5.8.2021", {"date": {"from": "2021-08-05", "to": "2021-08-06"}}),
        ("date:2021-08-01..2021-08-15", {"date": {"from": "2021-08-01", "to": "2021-08-16"}}),
        ("date:2019..", {"date": {"from": "2019-01-01"}}),
        ("date:..2019", {"date": {"to": "2020-01-01"}}),
        ("date:>=2021-08", {"date": {"from": "2021-08-01"}}),
        ("date:2021-08-01T10:00..2021-08-01T12:00", {
            "date": {"from": "2021-08-01T10:00:00", "to": "2021-08-01T12:00:00"},
        }),
        ("before:2021", {"date": {"to": "2021-01-01"}}),
        ("until:2021", {"date": {"to": "2022-01-01"}}),
        ("after:2021-08", {"date": {"from": "2021-09-01"}}),
        ("since:2021-08", {"date": {"from": "2021-08-01"}}),
        ("year:2019|2021", {"any": [
            {"date": {"from": "2019-01-01", "to": "2020-01-01"}}, {"date": {"from": "2021-01-01", "to": "2022-01-01"}},
        ]}),
        ("date:yesterday", {"date": {"from": "2024-05-16", "to": "2024-05-17"}}),
        ('before:"last summer"', {"date": {"to": "2023-06-01"}}),
        ("month:8", {"on": {"month": 8}}),
        ("month:2021-08", {"date": {"from": "2021-08-01", "to": "2021-09-01"}}),
        ("month:august", {"on": {"month": 8}}),
        ("on:08-24", {"on": {"month": 8, "day": 24}}),
        ("on:christmas", {"any": [{"on": {"month": 12, "day": day}} for day in (24, 25, 26)]}),
        ("on:24.8.", {"on": {"month": 8, "day": 24}}),
        ("on:2021-08-24", {"date": {"from": "2021-08-24", "to": "2021-08-25"}}),
        ("is:portrait", {"shape": "portrait"}),
        ("orientation:landscape", {"shape": "landscape"}),
        ("is:trashed", {"state": "trashed"}),
        ("state:any", {"any": [{"state": "present"}, {"state": "missing"}, {"state": "trashed"}]}),
        ("is:favourite", {"has": "favourite"}),
        ("has:gps", {"has": "position"}),
        ("no:title", {"not": {"has": "title"}}),
        ("file:IMG_*.jpg", {"file": "IMG_*.jpg"}),
        ("name:beach.jpg", {"file": "beach.jpg"}),
        ("*.heic", {"file": "*.heic"}),
        ("in:Holiday/2021", {"folder": "Holiday/2021"}),
        (r"in:C:\Pictures", {"folder": r"C:\Pictures"}),
        ("title:sunset", {"text": "sunset", "field": "title"}),
        ('title:"red door"', {"text": "red door", "match": "phrase", "field": "title"}),
        ("caption:sun*", {"text": "sun", "match": "prefix", "field": "caption"}),
        ("titel:rot|blau", {"any": [{"text": "rot", "field": "title"}, {"text": "blau", "field": "title"}]}),
        ("text.tags:dog", {"text": "dog", "field": "tags"}),
        ("text:red", {"text": "red"}),
        ("12:30", {"text": "12:30"}),
        ("http://example.org/a", {"text": "http://example.org/a"}),
        ("note:hello", {"text": "note:hello"}),
        ("Data: x", {"all": [{"text": "Data"}, {"text": "x"}]}),
    ],
)  # fmt: skip
def test_what_people_type_is_read(text: str, expected: dict[str, Any]) -> None:
    assert where(text) == expected


def test_the_order_is_no_condition() -> None:
    found = understood("door sort:newest")
    assert found.query == model.Query(model.Text("door"), "newest")
    assert chips("door sort:newest") == [("word", "door", "door"), ("sort", "newest", "sort:newest")]
    assert understood("sort:oldest sort:rating").query.sort == "rating"
    assert understood("sort:").query.sort == "relevance"


def test_chips_say_what_was_understood_and_where_it_stands() -> None:
    text = 'camera:fuji rating:>=4 -blurry "red door" near:48.85,2.35/10km cat OR dog'
    assert chips(text) == [
        ("camera", "fuji", "camera:fuji"),
        ("rating", "★ 4 and more", "rating:>=4"),
        ("exclude", "not blurry", "-blurry"),
        ("phrase", "red door", '"red door"'),
        ("near", "within 10 km of 48.85, 2.35", "near:48.85,2.35/10km"),
        ("any", "cat or dog", "cat OR dog"),
    ]
    assert chips("(a -b)") == [("word", "a", "a"), ("exclude", "not b", "-b")]
    assert chips("-(a -b)") == [("exclude", "not a not b", "-(a -b)")]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("date:2021", "2021"),
        ("date:2021-08", "August 2021"),
        ("date:2021-08-05", "5 August 2021"),
        ("date:2021-08-01..2021-08-15", "1 August 2021 to 15 August 2021"),
        ("since:2021-08", "since August 2021"),
        ("before:2021-08-01T10:30", "before 1 August 2021, 10:30"),
        ("on:08-24", "every 24 August"),
        ("#Animals|Dogs", "Animals › Dogs"),
        ("f:2.8", "f/2.8"),
        ("f:<=2.8", "f/2.8 and less"),
        ("shutter:1/60", "1/60 s"),
        ("shutter:<=1/100", "1/100 s and less"),
        ("iso:100..400", "ISO 100 to 400"),
        ("focal:50", "50 mm"),
        ("size:1..5mb", "1 MB to 5 MB"),
        ("duration:>=90", "1 min 30 s and more"),
        ("colour:red>40%", "red, 40 % and more"),
        ("title:sunset", "title: sunset"),
        ("has:gps", "with a position"),
        ("iso:*", "with ISO"),
        ("-blurry", "not blurry"),
        ("no:title", "without a title"),
        ("-has:gps", "without a position"),
        ("-(cat OR dog)", "not cat or dog"),
    ],
)
def test_chips_are_in_peoples_words(text: str, label: str) -> None:
    assert chips(text)[0][1] == label


def test_plain_words_are_understood() -> None:
    summer = {"date": {"from": "2023-06-01", "to": "2023-09-01"}}
    assert where("last summer", understand=True) == summer
    assert where("last summer door", understand=True) == {"all": [summer, {"text": "door"}]}
    assert chips("dog last summer", understand=True)[1][0] == "date"
    assert chips("dog last summer", understand=True)[1][2] == "last summer"
    assert where("last summer OR dog cat", understand=True) == {
        "all": [{"any": [summer, {"text": "dog"}]}, {"text": "cat"}]
    }


def test_what_may_be_meant_otherwise_is_found_as_words_too() -> None:
    assert where("orange", understand=True) == {"any": [{"text": "orange"}, {"colour": "orange"}]}
    assert where("-orange", understand=True) == {"not": {"any": [{"text": "orange"}, {"colour": "orange"}]}}


@pytest.mark.parametrize("text", ['"last summer"', "last-summer", "text:orange", "title:orange", "orange*"])
def test_quotes_keys_and_stars_say_that_words_are_meant(text: str) -> None:
    assert where(text, understand=True) == where(text)


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("door rating:=>4", "=>4", ["rating:>=4"]),
        ("rating:9", "9", ["0 to 5"]),
        ("rating:lots", "lots", ["rating:>=4"]),
        ("iso:400..100", "400..100", ["iso:100..400"]),
        ("camra:fuji", "camra", ["camera:fuji", '"camra:fuji"']),
        ("raitng:4 door", "raitng", ["rating:4"]),
        ("x near:Atlantis/10km", "Atlantis/10km", ["Atlantis", "near:48.85,2.35/10km"]),
        ("near:Paris/far", "Paris/far", ["'far' is no distance", "near:Paris/10km"]),
        ("near:99,0/1km", "99,0/1km", ["latitudes end at 90"]),
        ("box:1,2,3", "1,2,3", ["box:south,west,north,east"]),
        ("date:2021-02-30", "2021-02-30", ["doesn't exist"]),
        ("date:soonish", "soonish", ["2021-08-15"]),
        ("date:2022..2021", "2022..2021", ["date:2021..2022"]),
        ("on:02-30", "02-30", ["no day 30"]),
        ("month:13", "13", ["no month 13"]),
        ("colour:blurple", "blurple", ["'blurple' is no colour", "teal"]),
        ("colour:red>lots", "red>lots", ["no colour"]),
        ("is:nice", "nice", ["portrait", "trashed"]),
        ("has:fun", "fun", ["gps", "title"]),
        ("sort:best-ish", "best-ish", ["newest"]),
        ("shutter:1/0", "1/0", ["shutter:1/250"]),
        ("size:5zb", "5zb", ["size:>5mb"]),
        ("after:9999", "9999", ["Nothing is after"]),
        ("iso:<0", "<0", ["below 0"]),
    ],
)
def test_an_error_says_where_and_what_was_meant(text: str, at: str, words: list[str]) -> None:
    with pytest.raises(QueryError) as caught:
        understood(text)
    error = caught.value
    assert text[error.start : error.end] == at
    for word in words:
        assert word in error.reason
    shown, mark = str(error).splitlines()[-2:]
    assert shown[mark.index("^") : mark.rindex("^") + 1] == at


def test_the_mark_stands_under_the_mistake_in_long_and_wide_text() -> None:
    with pytest.raises(QueryError) as caught:
        understood("door " * 30 + "rating:x " + "door " * 30)
    shown, mark = str(caught.value).splitlines()[-2:]
    assert shown.strip().startswith("…") and shown.endswith("…") and len(shown) < 120
    assert shown[mark.index("^") : mark.rindex("^") + 1] == "x"
    with pytest.raises(QueryError) as caught:
        understood("日本 rating:x")
    assert str(caught.value).splitlines()[-1] == " " * (2 + 4 + 1 + 7) + "^"  # each of the two takes two columns


def test_no_place_is_known_without_a_vocabulary() -> None:
    with pytest.raises(QueryError, match="No place called 'Paris'"):
        parse("near:Paris")


PIECES = (
    "( ) | OR NOT AND - -( “ ” 「 # @ * ~ = camera: tag: #a|b date: 2021 .. near: / colour: > rating: >= f: 1/ : ："
    ' last summer red 日本 去年 word* *x* sort: newest is: no: title: month: on: iso: size: 5mb Paris ★ + "'
)
pieces = st.one_of(
    st.sampled_from(PIECES.split(" ")), st.sampled_from([" ", " ", "  ", "\t", "\u3000"]), strategies.characters
)
typed = st.one_of(st.lists(pieces, max_size=25).map("".join), st.text(max_size=60))


@given(typed, st.booleans())
@example("(" * 40 + "a", True)
@example("\ud800 -\ud800", True)
def test_whatever_is_typed_is_read_or_refused_in_words(text: str, understand: bool) -> None:
    try:
        found = understood(text, understand=understand)
    except QueryError as error:
        assert 0 <= error.start < error.end <= max(1, len(text))
        assert len(str(error).splitlines()) >= 3
        return
    for chip in found.chips:
        assert 0 <= chip.start < chip.end <= len(text)
    ends = [(chip.start, chip.end) for chip in found.chips]
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(ends))
    assert from_json(to_json(found.query)) == found.query


TERMS = 'cat dog -big "red_door" camera:fuji #a|b rating:>=4 (x OR y) -(x y) sort:newest foo* 海边 title:"a b" * c|d OR'


@given(st.lists(st.sampled_from(TERMS.split(" ")), max_size=8).map(" ".join), st.data())
def test_text_without_the_piece_of_a_chip_is_the_query_without_it(text: str, data: st.DataObject) -> None:
    found = understood(text)
    if not found.chips:
        return
    chip = data.draw(st.sampled_from(found.chips))
    rest = understood(text[: chip.start] + text[chip.end :])
    position = found.chips.index(chip)
    assert [c.condition for c in rest.chips] == [c.condition for i, c in enumerate(found.chips) if i != position]
    if chip.kind == "sort":
        assert rest.query.where == found.query.where


def test_too_much_is_refused() -> None:
    assert len(understood("a " * 250).chips) == 250
    with pytest.raises(QueryError, match="at most 256"):
        understood("a " * 300)
    with pytest.raises(QueryError, match="deep"):
        understood("(" * 33 + "a")
    with pytest.raises(QueryError, match="1000 characters"):
        understood("a" * 1_001)
    with pytest.raises(QueryError, match="1000 characters"):
        understood('title:"' + "a" * 1_001)
    with pytest.raises(QueryError, match="on 32 levels"):
        understood("(a OR (b " * 16 + "c")


def test_many_words_that_mean_something_are_words_when_they_are_too_many() -> None:
    found = understood("orange " * 200, understand=True)
    assert found.query.where == All((model.Text("orange"),) * 200)


@pytest.mark.parametrize(
    "text",
    ["a" * 10_000, '"' * 10_000, '" ' * 5_000, ")" * 10_000, "-" * 10_000, "- " * 5_000, "a:" * 5_000, "tag:" * 2_500,
     "tag: " * 2_000, "|" * 10_000, "tag:" + "a|" * 5_000, "*" * 10_000, "*." * 5_000, "日本" * 5_000,
     "\u0301 " * 5_000, "a(" * 5_000, " " * 10_000, "date:" + "." * 10_000, "iso:" + "1" * 10_000, "f:" + "1/" * 5_000],
    ids=lambda text: text[:6].strip() or "blanks",
)  # fmt: skip
def test_hostile_text_takes_no_time(text: str) -> None:
    before = time.process_time()
    with contextlib.suppress(QueryError):
        understood(text)
    assert time.process_time() - before < 1.0  # about 0.03 in truth; what grows with the square would take 10
