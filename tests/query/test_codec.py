from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.errors import UsageError
from imager.query import model
from imager.query.codec import from_json, to_json
from imager.query.model import All, AnyOf, Date, Not, Query, Range, Tag, Text
from tests.query import strategies

AUGUST = 1_627_776_000_000


@given(strategies.queries)
def test_what_is_written_is_read_back(query: Query) -> None:
    assert from_json(json.loads(json.dumps(to_json(query)))) == query


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        (Text("door"), {"text": "door"}),
        (Text("red door", "phrase", "title"), {"text": "red door", "match": "phrase", "field": "title"}),
        (Date(AUGUST, AUGUST + 86_400_000), {"date": {"from": "2021-08-01", "to": "2021-08-02"}}),
        (Date(AUGUST + 1), {"date": {"from": "2021-08-01T00:00:00.001"}}),
        (model.OnDay(8, 24), {"on": {"month": 8, "day": 24}}),
        (model.Named("camera", "fuji"), {"camera": "fuji"}),
        (Tag("Animals|Dogs"), {"tag": "Animals|Dogs"}),
        (Tag("Animals", children=False), {"tag": "Animals", "children": False}),
        (Range("rating", 4), {"rating": {"min": 4}}),
        (model.Colour("red"), {"colour": "red"}),
        (model.Colour("#c0392b", 0.4), {"colour": "#c0392b", "share": 0.4}),
        (All((Text("a"), Not(Text("b")))), {"all": [{"text": "a"}, {"not": {"text": "b"}}]}),
        (AnyOf(()), {"any": []}),
    ],
)
def test_conditions_are_short_in_json(condition: model.Condition, value: dict[str, Any]) -> None:
    assert to_json(Query(condition)) == {"version": 1, "where": value, "sort": "relevance"}
    assert from_json({"where": value}) == Query(condition)


def test_what_is_left_out_has_its_default() -> None:
    assert from_json({}) == Query()
    assert from_json({"sort": "newest"}) == Query(All(), "newest")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (3, ["the query", "object"]),
        ({"wehre": {}}, ["the query", "'wehre'", "where"]),
        ({"version": 2}, ["newer", "version 2"]),
        ({"version": True}, ["version", "True"]),
        ({"sort": "best"}, ["sort", "'best'", "newest"]),
        ({"where": []}, ["where", "a list"]),
        ({"where": {}}, ["where", "names no condition", "empty"]),
        ({"where": {"txet": "x"}}, ["where", "'txet'", "text"]),
        ({"where": {"text": "a", "tag": "b"}}, ["several", "all"]),
        ({"where": {"text": "--"}}, ["where.text", "letter"]),
        ({"where": {"text": "a" * 1001}}, ["where.text", "1000"]),
        ({"where": {"text": "a", "macth": "word"}}, ["where", "'macth'", "match"]),
        ({"where": {"text": "a", "field": "titel"}}, ["where.field", "title"]),
        ({"where": {"all": {"text": "a"}}}, ["where.all", "list"]),
        (
            {"where": {"all": [{"text": "a"}, {"date": {"from": "yesterday"}}]}},
            ["where.all[1].date.from", "2021-08-01"],
        ),
        ({"where": {"date": {"from": "2021-02-30"}}}, ["where.date.from"]),
        ({"where": {"date": {"from": "2021-08-01T10:00:00Z"}}}, ["where.date.from", "time zone"]),
        ({"where": {"date": {}}}, ["where.date", "'from' or 'to'"]),
        ({"where": {"date": {"from": "2021-08-01", "to": "2021-08-01"}}}, ["ends before it begins"]),
        ({"where": {"on": {"month": 2, "day": 30}}}, ["where.on.day", "29"]),
        ({"where": {"on": {"day": 3}}}, ["where.on.month", "missing"]),
        ({"where": {"not": {"rating": {"min": 6}}}}, ["where.not.rating.min", "5"]),
        ({"where": {"iso": {"min": 400, "max": 100}}}, ["where.iso", "above"]),
        ({"where": {"iso": {"min": math.nan}}}, ["where.iso.min"]),
        ({"where": {"iso": {"min": math.inf}}}, ["where.iso.min"]),
        ({"where": {"iso": {"min": 10**400}}}, ["where.iso.min", "huge"]),
        ({"where": {"colour": "beige-ish"}}, ["where.colour", "#rrggbb", "teal"]),
        ({"where": {"colour": "red", "share": 40}}, ["where.share"]),
        ({"where": {"near": {"latitude": 91, "longitude": 0, "km": 1}}}, ["where.near.latitude", "90"]),
        ({"where": {"box": {"south": 1, "north": 0, "west": 0, "east": 0}}}, ["where.box", "above"]),
        ({"where": {"tag": "x", "children": 1}}, ["where.children", "true or false"]),
        ({"where": {"state": "gone"}}, ["where.state", "trashed"]),
    ],
)
def test_an_error_names_the_place_and_what_is_meant(value: Any, words: list[str]) -> None:
    with pytest.raises(UsageError) as error:
        from_json(value)
    for word in words:
        assert word in str(error.value)


def test_nesting_has_an_end() -> None:
    value: dict[str, Any] = {"text": "a"}
    for _ in range(31):
        value = {"not": value}
    assert from_json({"where": value})
    with pytest.raises(UsageError, match="32 levels"):
        from_json({"where": {"not": value}})
    deep: model.Condition = Text("a")
    for _ in range(5_000):
        deep = Not(deep)
    with pytest.raises(UsageError, match="32 levels"):
        to_json(Query(deep))


def test_the_number_of_parts_has_an_end() -> None:
    assert from_json({"where": {"any": [{"text": "a"}] * 255}})
    with pytest.raises(UsageError, match="256 parts"):
        from_json({"where": {"any": [{"text": "a"}] * 256}})


def test_dates_that_json_cannot_say_are_refused_when_written() -> None:
    with pytest.raises(UsageError, match="years 1 to 9999"):
        to_json(Query(Date(10**18)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["where", "text", "all", "any", "not", "date", "from", "iso", "min", "tag", "near", "on"])
            | st.text(max_size=4),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_json_is_read_or_refused_in_words(value: Any) -> None:
    for candidate in (value, {"where": value}):
        try:
            query = from_json(candidate)
        except UsageError as error:
            assert 0 < len(str(error)) < 1_000
        else:
            assert from_json(to_json(query)) == query
