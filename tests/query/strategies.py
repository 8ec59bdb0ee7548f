"""Hypothesis strategies for queries: every condition, any values that it may have, nested."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from imager.query import model
from imager.query.codec import FARTHEST, HAS, MEASURES, NAMED, SHAPES, STATES
from imager.query.model import COLOURS, SORTS, TEXT_FIELDS, Condition, Query
from imager.query.moments import milliseconds

ODD = " \t\"'()|:*?-−–#@=<>~\\/,.!&+«»“”„「」：　é日本語ßİ٣😀\u0301\u202e"
"""Characters that mean something to a parser, or that parsers stumble over."""

characters = st.one_of(st.sampled_from("abcxyzORNT019"), st.sampled_from(ODD), st.characters(exclude_categories=["Cs"]))
names = st.text(characters, min_size=1, max_size=12).filter(lambda text: text.strip() != "")
plain_words = st.sampled_from(["door", "red", "summer", "Paris", "2021", "IMG_1234", "日本", "café", "OR", "NOT"])
texts = st.one_of(plain_words, names).filter(lambda text: any(c.isalnum() for c in text))
numbers = st.one_of(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 1.0, 2.8, 1 / 60, 12.5, 1e15, 1e22, 1e-7, math.nextafter(2.8, math.inf)]),
    st.floats(0, 1e12, allow_nan=False),
)
latitudes = st.floats(-90, 90, allow_nan=False)
longitudes = st.floats(-180, 180, allow_nan=False)
moments = st.one_of(
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)).map(milliseconds),
    st.dates().map(milliseconds),
)


def _ordered(values: st.SearchStrategy[Any], most: float = math.inf) -> st.SearchStrategy[tuple[Any, Any]]:
    """Two values in order, either of them None."""
    value = st.none() | values.filter(lambda v: v <= most)
    return st.tuples(value, value).map(lambda pair: pair if None in pair or pair[0] <= pair[1] else (pair[1], pair[0]))


dates = (
    _ordered(moments)
    .filter(lambda pair: pair != (None, None) and pair[0] != pair[1])
    .map(lambda pair: model.Date(*pair))
)
days = st.dates(datetime(2024, 1, 1).date(), datetime(2024, 12, 31).date())
on_days = st.one_of(
    days.map(lambda day: model.OnDay(day.month, day.day)), st.integers(1, 12).map(lambda month: model.OnDay(month))
)
ranges = st.sampled_from(MEASURES).flatmap(
    lambda measure: _ordered(numbers, 5.0 if measure == "rating" else math.inf).map(
        lambda pair: model.Range(measure, *pair)
    )
)
colours = st.builds(
    model.Colour,
    st.one_of(st.sampled_from(COLOURS), st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)),
    st.one_of(st.just(0.15), st.sampled_from([0.4, 1.0, 0.0, 1 / 3]), st.floats(0, 1)),
)
boxes = st.builds(
    lambda one, other, west, east: model.Box(min(one, other), west, max(one, other), east),
    latitudes,
    latitudes,
    longitudes,
    longitudes,
)

leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(
        model.Text,
        texts,
        st.sampled_from(["word", "prefix", "inside", "phrase"]),
        st.none() | st.sampled_from(TEXT_FIELDS),
    ),
    dates,
    on_days,
    st.builds(model.Named, st.sampled_from(NAMED), names),
    st.builds(model.Tag, names, st.booleans()),
    st.builds(model.Album, names),
    st.builds(model.Near, latitudes, longitudes, st.floats(0, FARTHEST), st.none() | names),
    boxes,
    colours,
    ranges,
    st.builds(model.Shape, st.sampled_from(SHAPES)),
    st.builds(model.File, names),
    st.builds(model.Folder, names),
    st.builds(model.State, st.sampled_from(STATES)),
    st.builds(model.Has, st.sampled_from(HAS)),
)


def _nested(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    several = st.lists(inner, max_size=4).map(tuple)
    return st.one_of(several.map(model.All), several.map(model.AnyOf), inner.map(model.Not))


conditions: st.SearchStrategy[Condition] = st.recursive(leaves, _nested, max_leaves=8)
queries = st.builds(Query, conditions, st.sampled_from(SORTS))
