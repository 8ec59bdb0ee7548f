from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageColor

from imager.facts import COLOURS
from imager.ingest.colours import dominant, name, oklab
from tests.formats.pictures import photo


def named(colour: str) -> str:
    return name(*(float(v) for v in oklab(np.array(ImageColor.getrgb(colour), np.uint8))))


def test_oklab_has_the_published_values() -> None:
    for colour, expected in {
        "white": (1.0, 0.0, 0.0),
        "red": (0.628, 0.225, 0.126),
        "lime": (0.866, -0.234, 0.179),
        "blue": (0.452, -0.032, -0.312),
    }.items():
        assert oklab(np.array(ImageColor.getrgb(colour), np.uint8)) == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize(
    ("expected", "colours"),
    [
        ("black", "black #080a0c #1a1a1a"),
        ("white", "white snow ivory whitesmoke"),
        ("grey", "grey silver dimgrey darkgrey slategrey"),
        ("red", "red crimson darkred maroon firebrick tomato"),
        ("orange", "orange darkorange coral sandybrown"),
        ("yellow", "yellow gold khaki goldenrod"),
        ("green", "green lime forestgreen olive olivedrab darkgreen palegreen seagreen"),
        ("teal", "teal cyan turquoise lightseagreen"),
        ("blue", "blue navy royalblue skyblue steelblue lightblue midnightblue"),
        ("purple", "purple indigo violet rebeccapurple orchid"),
        ("pink", "pink hotpink deeppink lightpink palevioletred"),
        ("brown", "saddlebrown sienna chocolate #6b4a2f"),
        ("beige", "beige wheat tan bisque linen"),
    ],
)
def test_well_known_colours_get_the_names_people_search_for(expected: str, colours: str) -> None:
    assert {colour: named(colour) for colour in colours.split()} == dict.fromkeys(colours.split(), expected)


def test_a_picture_of_one_colour_has_that_colour_alone() -> None:
    (colour,) = dominant(np.full((20, 20, 3), ImageColor.getrgb("navy"), np.uint8))
    assert (colour.name, colour.share) == ("blue", 1.0)


def test_colours_are_told_with_their_shares_the_largest_first() -> None:
    array = np.zeros((40, 100, 3), np.uint8)
    for (left, right), colour in {(0, 50): "white", (50, 80): "red", (80, 100): "blue"}.items():
        array[:, left:right] = ImageColor.getrgb(colour)
    found = [(colour.name, colour.share) for colour in dominant(array)]
    assert found == [("white", 0.5), ("red", 0.3), ("blue", 0.2)]


def test_a_small_vivid_thing_before_a_dull_wall_does_not_vanish() -> None:
    rng = np.random.default_rng(3)
    wall = np.clip(rng.normal(130, 18, (64, 64, 1)).repeat(3, 2), 0, 255).astype(np.uint8)
    wall[:8, :8] = ImageColor.getrgb("red")  # 1.6 %
    assert "red" in [colour.name for colour in dominant(wall)]
    wall[:8, :8] = (30, 50, 25)  # dull, and as small
    assert "green" not in [colour.name for colour in dominant(wall)]


def test_shades_of_one_colour_are_one_colour() -> None:
    ramp = np.zeros((20, 60, 3), np.uint8)
    ramp[..., 2] = np.linspace(190, 255, 60).astype(np.uint8)
    assert [colour.name for colour in dominant(ramp)] == ["blue"]


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(1, 40), st.integers(1, 255))
def test_any_picture_has_one_to_six_named_colours_with_shares(seed: int, w: int, h: int, top: int) -> None:
    array = np.random.default_rng(seed).integers(0, top + 1, (h, w, 3)).astype(np.uint8)
    colours = dominant(array)
    assert 1 <= len(colours) <= 6
    assert sum(colour.share for colour in colours) <= 1.001
    assert [colour.share for colour in colours] == sorted((c.share for c in colours), reverse=True)
    assert all(colour.name in COLOURS for colour in colours)


def test_the_same_pixels_always_give_the_same_colours() -> None:
    assert dominant(photo(64, 48)) == dominant(photo(64, 48))
