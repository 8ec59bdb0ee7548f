"""Cursors: they carry a page's end unchanged, and whatever else is handed in is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.catalog import Catalog
from imager.errors import UsageError
from imager.query import model as q
from imager.search import service
from imager.search.cursor import Cursor, decode, encode
from imager.search.index import Index
from tests.catalog.libraries import content, put
from tests.search.conditions import leaves

_numbers = st.integers(-(2**61), 2**61)
_cursors = st.builds(
    Cursor,
    st.builds(q.Query, leaves, st.sampled_from(q.SORTS)),
    _numbers,
    st.tuples(_numbers, _numbers | st.floats(-1e9, 1e9), _numbers, _numbers),
    st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5), max_size=3), max_size=3),
)
_quick = settings(max_examples=80, deadline=None, derandomize=True)


@_quick
@given(cursor=_cursors, asked=st.text(max_size=20))
def test_a_cursor_comes_back_as_it_was_and_can_stand_in_an_address(cursor: Cursor, asked: str) -> None:
    text = encode(cursor, asked)
    assert decode(text, asked) == cursor
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_cursor_of_another_search_is_refused() -> None:
    text = encode(Cursor(q.Query(), 5, (0, 0.0, 0, 3)), "one")
    with pytest.raises(UsageError, match="another search"):
        decode(text, "other")


@_quick
@given(text=st.text(max_size=60) | st.text("ABCabc019_-", max_size=60))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="'next' of the page before"):
        decode(text, "")


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@_quick
@given(place=st.integers(0, 5), value=_json)
def test_a_forged_cursor_is_refused_or_does_what_a_query_can_do(place: int, value: Any) -> None:
    parts = json.loads(base64.urlsafe_b64decode(encode(Cursor(q.Query(), 5, (0, 0.0, 0, 3)), "") + "=="))
    parts[place] = value
    forged = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")
    try:
        cursor = decode(forged, "")
    except UsageError:
        return
    assert isinstance(cursor.query, q.Query)


@pytest.mark.parametrize(
    "cursor",
    [
        Cursor(q.Query(), -(2**61), (0, 0.0, 0, 0)),
        Cursor(q.Query(), 2**61, (2**61, 1e9, 2**61, 2**61)),
        Cursor(q.Query(q.Text("sea")), 3, (-(2**61), -1e9, -(2**61), -(2**61)), {"sea": ["*", "", "**", "*!*"]}),
        Cursor(q.Query(q.All(), "rating"), 3, (5, 0.5, 2**61, 7)),
        Cursor(q.Query(q.Text("seaa")), 3, (0, 0.0, 0, 9), {"seaa": ["sea"], "none": ["x"]}),
    ],
)
def test_a_cursor_that_somebody_made_up_gives_a_page(catalog: Catalog, tmp_path: Path, cursor: Cursor) -> None:
    put(catalog, *(content(n, title="sea") for n in range(3)))
    with Index.open(catalog, tmp_path / "index") as index:
        page = service.search(index, catalog, "sea", after=encode(cursor, "sea"))
        assert len(page.hits) <= 3


def test_deep_and_long_cursors_are_refused() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 10_000).decode()
    for text in (deep, "A" * 1_000_000):
        with pytest.raises(UsageError, match="'next' of the page before"):
            decode(text, "")
