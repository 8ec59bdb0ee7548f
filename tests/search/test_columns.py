"""What becomes of single values on their way into columns."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.ingest.colours import oklab
from imager.query.model import COLOURS
from imager.search.colours import colour_columns, rgb565
from imager.search.columns import Columns, Names, camera


@pytest.mark.parametrize(
    ("make", "model", "called"),
    [
        ("Canon", "Canon EOS 5D", "Canon EOS 5D"),
        ("NIKON CORPORATION", "NIKON D70", "NIKON CORPORATION NIKON D70"),
        ("FUJIFILM", "X-T3", "FUJIFILM X-T3"),
        ("apple", "Apple iPhone", "Apple iPhone"),
        ("Leica ", " M10", "Leica M10"),
        (None, "Box", "Box"),
        ("Maker", None, "Maker"),
        (None, None, ""),
    ],
)
def test_cameras_are_called_as_people_call_them(make: str | None, model: str | None, called: str) -> None:
    assert camera(make, model) == called


def test_texts_have_codes_and_nothing_has_none() -> None:
    names = Names.empty()
    assert names.codes("lens", ["b", None, "a", "", "b"]) == [2, 0, 1, 0, 2]
    assert names.codes("lens", ["c", "a"]) == [3, 1]
    assert names.names["lens"] == ["", "a", "b", "c"]
    assert Names(names.names).codes("lens", ["c", "d", None]) == [3, 4, 0]
    assert names.codes("private", ["", None]) == [1, 0]


def test_rows_grow_and_keep_what_they_have() -> None:
    columns = Columns.empty(3)
    columns.put(np.array([1, 2]), {"state": np.array([1, 2]), "colour_shares": np.full((6, 2), 7)})
    columns.grow(5_000)
    assert len(columns.state) == 5_000 == columns.colour_shares.shape[1]
    assert columns.state[:4].tolist() == [0, 1, 2, 0]
    assert columns.colour_shares[:, 2].tolist() == [7] * 6
    columns.remove(np.array([1]))
    assert columns.state[:4].tolist() == [0, 0, 2, 0]


COLOUR = st.tuples(
    st.sampled_from([*COLOURS, "mauve"]),
    st.floats(0, 1),
    st.floats(-0.5, 0.5),
    st.floats(-0.5, 0.5),
    st.floats(0, 1),
)


@given(st.lists(st.lists(COLOUR, max_size=8), min_size=1, max_size=5))
def test_colours_are_read_from_json(pictures: list[list[tuple[str, float, float, float, float]]]) -> None:
    found = colour_columns([json.dumps(colours, separators=(",", ":")) for colours in pictures])
    for row, colours in enumerate(pictures):
        sums = [sum(share for name, *_, share in colours if name == wanted) for wanted in COLOURS]
        assert found["colour_names"][:, row].tolist() == [min(round(255 * s), 255) for s in sums]
        for place in range(6):
            _, lightness, a, b, share = colours[place] if place < len(colours) else ("", 0.0, 0.0, 0.0, 0.0)
            assert found["colour_shares"][place, row] == round(255 * share)
            lab = found["colour_labs"][place, :, row].tolist()
            assert lab == [round(127 * lightness), *(min(max(round(254 * v), -127), 127) for v in (a, b))]
        if not colours:
            assert found["shade"][row] == 0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "{}",
        "[1]",
        "[[]]",
        '[["red"]]',
        '[["red",1,2,3]]',
        '[["red",1,2,3,"4"]]',
        "[[1,2,3,4,5]]",
        '[["red",1,NaN,3,4]]',
    ],
)
def test_colours_that_are_none_are_passed_over(text: str) -> None:
    good = '[["red",0.5,0.1,0.1,0.4]]'
    found = colour_columns([good, text, good])
    assert found["colour_shares"].tolist()[0] == [102, 0, 102]
    assert found["shade"][1] == 0


def test_a_name_with_a_quote_in_it_does_no_harm() -> None:
    found = colour_columns([json.dumps([['r"ed', 0.5, 0.1, 0.1, 0.4], ["red", 0.5, 0.1, 0.1, 0.2]])])
    assert found["colour_shares"][:2, 0].tolist() == [102, 51]
    assert found["colour_names"][COLOURS.index("red"), 0] == 51


def test_shades_are_the_colours_as_screens_show_them() -> None:
    rgb = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255], [120, 60, 200]], np.uint8)
    shades = rgb565(oklab(rgb).astype(np.float64))
    scaled = np.round(rgb / 255 * (31, 63, 31)).astype(int)
    assert shades.tolist() == (scaled[:, 0] << 11 | scaled[:, 1] << 5 | scaled[:, 2]).tolist()
    assert rgb565(np.array([[1.5, 0.5, -0.5]])).dtype == np.uint16  # no colour of a screen
