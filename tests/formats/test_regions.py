"""Regions of the Metadata Working Group and of Microsoft, upright whatever the orientation."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from imager.facts import Region
from imager.formats.regions import Box, regions_of, upright
from imager.formats.xmp import read_xmp
from tests.formats.blocks import xmp

FEW = settings(max_examples=60, derandomize=True, deadline=None)


def mwg(
    x: object, y: object, w: object, h: object, *, size: tuple[int, int] = (80, 60), unit: str = "normalized"
) -> str:
    return (
        '<mwg-rs:Regions rdf:parseType="Resource">'
        f'<mwg-rs:AppliedToDimensions stDim:w="{size[0]}" stDim:h="{size[1]}" stDim:unit="pixel"/>'
        '<mwg-rs:RegionList><rdf:Bag><rdf:li rdf:parseType="Resource"><mwg-rs:Name>Ann</mwg-rs:Name>'
        "<mwg-rs:Type>Face</mwg-rs:Type>"
        f'<mwg-rs:Area stArea:x="{x}" stArea:y="{y}" stArea:w="{w}" stArea:h="{h}" stArea:unit="{unit}"/>'
        "</rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
    )


def microsoft(rectangle: str, name: str) -> str:
    return (
        '<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>'
        f'<rdf:li MPReg:Rectangle="{rectangle}" MPReg:PersonDisplayName="{name}"/>'
        "</rdf:Bag></MPRI:Regions></MP:RegionInfo>"
    )


def read(body: str, orientation: int | None = None, size: tuple[int, int] | None = None) -> tuple[Region, ...]:
    return regions_of(read_xmp(xmp(body), []), orientation, size)


ANN = Region(name="Ann", kind="face", left=0.4, top=0.3, width=0.2, height=0.4)


def test_an_area_is_given_by_its_centre() -> None:
    assert read(mwg(0.5, 0.5, 0.2, 0.4)) == (ANN,)


def test_areas_in_pixels_are_read_too() -> None:
    assert read(mwg(40, 30, 16, 24, unit="pixel")) == (ANN,)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_areas_of_the_stored_picture_turn_with_it(orientation: int) -> None:
    stored = Image.new("L", (80, 60))
    stored.paste(255, (8, 12, 24, 18))  # left 0.1, top 0.2, width 0.2, height 0.1
    stored.getexif()[0x0112] = orientation
    left, top, right, bottom = ImageOps.exif_transpose(stored).getbbox() or (0, 0, 0, 0)
    shown = (60, 80) if orientation >= 5 else (80, 60)
    (region,) = read(mwg(0.2, 0.25, 0.2, 0.1), orientation, (80, 60))
    assert (region.left, region.top) == pytest.approx((left / shown[0], top / shown[1]))
    assert (region.width, region.height) == pytest.approx(((right - left) / shown[0], (bottom - top) / shown[1]))


def test_areas_that_were_applied_to_the_upright_picture_are_not_turned_again() -> None:
    assert read(mwg(0.5, 0.5, 0.2, 0.4, size=(60, 80)), 6, (80, 60)) == (ANN,)


def test_microsofts_rectangles_begin_at_their_corner() -> None:
    assert read(microsoft("0.4, 0.3, 0.2, 0.4", "Ann")) == (ANN,)


def test_a_person_in_both_schemas_is_one() -> None:
    both = read(mwg(0.5, 0.5, 0.2, 0.4) + microsoft("0.4, 0.3, 0.2, 0.4", "Ann"))
    assert both == (ANN,)
    two = read(mwg(0.5, 0.5, 0.2, 0.4) + microsoft("0.1, 0.1, 0.1, 0.1", "Bert"))
    assert [region.name for region in two] == ["Ann", "Bert"]


def test_areas_that_stick_out_are_cut_and_impossible_ones_left_out() -> None:
    (cut,) = read(mwg(0.05, 0.5, 0.2, 0.4))
    assert (cut.left, cut.width) == (0, 0.15)
    for area in (
        (5, 5, 0.1, 0.1),
        ("nan", 0.5, 0.1, 0.1),
        (0.5, 0.5, -0.2, 0.1),
        ("x", "", "", ""),
        (0.5, 0.5, "1e400", 1),
    ):
        assert read(mwg(*area)) == ()


def test_a_circle_has_a_diameter() -> None:
    body = mwg(0.5, 0.5, 0, 0).replace('stArea:w="0" stArea:h="0"', 'stArea:d="0.5"')
    (circle,) = read(body)
    assert (circle.left, circle.top, circle.width, circle.height) == (0.3125, 0.25, 0.375, 0.5)


fractions = st.floats(0, 1)


@FEW
@given(st.tuples(fractions, fractions, fractions, fractions), st.integers(1, 8))
def test_turning_keeps_the_area_and_turning_back_gives_the_box(box: Box, orientation: int) -> None:
    turned = upright(box, orientation)
    assert turned[2] * turned[3] == pytest.approx(box[2] * box[3])
    assert upright(turned, {6: 8, 8: 6}.get(orientation, orientation)) == pytest.approx(box)


@FEW
@given(
    st.recursive(
        st.none() | st.text(max_size=5),
        lambda v: (
            st.lists(v, max_size=3)
            | st.dictionaries(
                st.sampled_from(["mwg-rs:RegionList", "mwg-rs:Area", "stArea:x", "MPRI:Regions", "MPReg:Rectangle"]),
                v,
                max_size=3,
            )
        ),
    )
)
def test_xmp_of_any_shape_never_raises(value: object) -> None:
    regions_of({"mwg-rs:Regions": value, "MP:RegionInfo": value}, 6, (4, 3))
