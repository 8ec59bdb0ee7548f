"""Conditions of every kind, about what the random libraries have."""

from __future__ import annotations

from typing import get_args

from hypothesis import strategies as st

from imager.errors import UsageError
from imager.query import codec
from imager.query import model as q
from tests.search.libraries import DAY, NAMES, PEOPLE, POSITIONS, TAGS, WORDS

_word = st.sampled_from((*WORDS, "a", "b", "京", "东", "ทร", "zz"))
_phrase = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
_field = st.none() | st.sampled_from(q.TEXT_FIELDS)
texts: st.SearchStrategy[q.Text] = st.one_of(
    st.builds(q.Text, _word),
    st.builds(q.Text, _phrase, st.sampled_from(("word", "prefix", "phrase")), _field),
    st.builds(q.Text, _word, st.sampled_from(("prefix", "inside")), _field),
)
_time = st.none() | st.integers(-41_000, 19_000).map(lambda day: day * DAY)
_number = st.none() | st.sampled_from((0, 0.0012, 1, 3, 5, 35, 100, 0.002, 1.8, 2_000_000, 0.5))
_colour = st.sampled_from((*q.COLOURS[:4], "#804020", "#a05050", "#ffffff"))
_position = st.sampled_from(POSITIONS)


def _can_be_asked(condition: q.Condition) -> bool:
    """Whether it makes sense: no range ends before it begins."""
    try:
        codec.to_json(q.Query(condition))
    except UsageError:
        return False
    return True


_any: st.SearchStrategy[q.Condition] = st.one_of(
    texts,
    texts,
    st.builds(q.Date, _time, _time),
    st.builds(q.OnDay, st.integers(1, 12), st.none() | st.integers(1, 31)),
    st.builds(q.Named, st.just("camera"), st.sampled_from(("fuji", "canon eos r", "eos", "T4", "Canon"))),
    st.builds(q.Named, st.just("lens"), st.sampled_from(("xf", "50", "35", "35mm"))),
    st.builds(q.Named, st.just("creator"), st.sampled_from(("ana", "ab d", "de"))),
    st.builds(q.Named, st.just("kind"), st.sampled_from(("image", "video", "none"))),
    st.builds(q.Named, st.just("person"), st.sampled_from((*PEOPLE, "cedo", "Ba"))),
    st.builds(
        q.Named, st.just("place"), st.sampled_from(("paris", "FR", "ile de france", "Par", "old town", "tl", "ab"))
    ),
    st.builds(q.Tag, st.sampled_from((*TAGS, "trees", "nature|trees", "CA", "red door", "door")), st.booleans()),
    st.builds(q.Album, st.sampled_from(("Summer", "beach", "Gone", "Below", "ab", "One", "Two", "Broken", "0a" * 16))),
    _position.flatmap(
        lambda at: st.builds(
            q.Near, st.just(at[0]), st.just(at[1]), st.sampled_from((0.0, 1.5, 20.0, 5_000.0, 21_000.0))
        )
    ),
    st.builds(
        q.Box,
        st.sampled_from((-90.0, 0.0, 48.85)),
        st.sampled_from((-180.0, 2.0, 179.0)),
        st.sampled_from((0.0, 48.855, 90.0)),
        st.sampled_from((180.0, 2.355, -179.0)),
    ),
    st.builds(q.Colour, _colour, st.sampled_from((0.0, 0.04, 0.15, 0.2, 0.5, 1.0))),
    st.builds(q.Range, st.sampled_from(get_args(q.Measure)), _number, _number),
    st.builds(q.Shape, st.sampled_from(("portrait", "landscape", "square", "panorama"))),
    st.builds(q.File, st.sampled_from((*NAMES, "img_0001", "IMG*", "*.jpg", "*", "?b.*", "ca*", "*[1]*", "ab", "京"))),
    st.builds(q.Folder, st.sampled_from(("Holiday", "holiday/2021", "photos", "ab de", "ab", "2021", "oliday"))),
    st.builds(q.State, st.sampled_from(("present", "missing", "trashed"))),
    st.builds(
        q.Has,
        st.sampled_from(
            ("place", "position", "title", "caption", "tag", "person", "rating", "album", "favourite", "edits")
        ),
    ),
)
leaves = _any.filter(_can_be_asked)
conditions: st.SearchStrategy[q.Condition] = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: q.All(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: q.AnyOf(tuple(parts))),
        inner.map(q.Not),
    ),
    max_leaves=6,
)
_readings = st.builds(
    lambda text, colour: q.AnyOf((q.Text(text), colour)), st.sampled_from(WORDS), st.builds(q.Colour, _colour)
)
asked: st.SearchStrategy[q.Condition] = st.lists(
    st.one_of(texts, texts, _readings, leaves), min_size=1, max_size=3
).map(lambda parts: q.All(tuple(parts)))
"""As people ask: words, some read in two ways, and filters."""
