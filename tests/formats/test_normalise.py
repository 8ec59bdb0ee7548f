"""Facts from whatever the standards say, or only seem to say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.facts import Facts, Place
from imager.formats.exif import Directories, Exif, Rational
from imager.formats.normalise import facts_of
from imager.formats.sources import Sources

FEW = settings(max_examples=80, derandomize=True, deadline=None)


def facts(
    exif: Directories | None = None, xmp: dict[str, Any] | None = None, iptc: dict[str, list[str]] | None = None
) -> Facts:
    return facts_of(Sources(exif=Exif(exif or {}), xmp=xmp or {}, iptc=iptc or {}))


def of_camera(values: dict[int, Any], **xmp: Any) -> Facts:
    return facts({"Exif": values}, {name.replace("_", ":"): value for name, value in xmp.items()})


def test_make_and_model_lose_their_padding() -> None:
    found = facts({"IFD0": {0x010F: "NIKON   ", 0x0110: "  E950\n"}})
    assert (found.make, found.model) == ("NIKON", "E950")


@pytest.mark.parametrize("value", [6, "6", b"\x36", (6, 1), Rational(6, 1)])
def test_orientation_is_read_from_any_type(value: Any) -> None:
    assert facts({"IFD0": {0x0112: value}}).orientation == 6


@pytest.mark.parametrize("value", [0, 9, -1, "up", 1.5, Rational(1, 0)])
def test_impossible_orientations_are_absent(value: Any) -> None:
    assert facts({"IFD0": {0x0112: value}}).orientation is None


def test_exposure_is_read_in_seconds() -> None:
    found = of_camera({0x829A: Rational(1, 250), 0x829D: Rational(28, 10), 0x920A: Rational(35, 1), 0x8827: 400})
    assert (found.exposure_time, found.f_number, found.focal_length, found.iso) == (0.004, 2.8, 35, 400)


def test_apex_values_stand_in_for_missing_ones() -> None:
    found = of_camera({0x829A: Rational(0, 0), 0x829D: Rational(0, 1), 0x9201: Rational(6, 1), 0x9202: Rational(4, 1)})
    assert (found.exposure_time, found.f_number) == (0.01562, 4.0)


def test_xmp_says_what_exif_does_not() -> None:
    found = of_camera(
        {}, exif_ExposureTime="1/60", exif_FNumber="56/10", exif_FocalLength="50", exif_ISOSpeedRatings=["200"],
        tiff_Make="Nikon", tiff_Model="Z9", tiff_Orientation="8",
    )  # fmt: skip
    assert (found.exposure_time, found.f_number, found.focal_length) == (0.016666667, 5.6, 50)
    assert (found.iso, found.make, found.model, found.orientation) == (200, "Nikon", "Z9", 8)


@pytest.mark.parametrize(
    "value", [Rational(1, 0), Rational(0, 0), Rational(0, 1), float("nan"), float("inf"), "x", b"", ()]
)
def test_numbers_that_say_nothing_are_absent(value: Any) -> None:
    found = of_camera({0x829A: value, 0x829D: value, 0x920A: value, 0x8827: value, 0x9201: value, 0x9202: value})
    assert (found.exposure_time, found.f_number, found.focal_length, found.iso) == (None,) * 4


def test_high_sensitivity_stands_in_a_tag_of_its_own() -> None:
    assert of_camera({0x8827: 65535, 0x8832: 102400}).iso == 102400
    assert of_camera({0x8827: (0, 100)}).iso == 100


@pytest.mark.parametrize(
    ("values", "xmp", "lens"),
    [
        ({0xA434: "EF 50mm"}, {"aux_Lens": "Other"}, "EF 50mm"),
        ({0xA434: "----"}, {"aux_Lens": "EF 50mm"}, "EF 50mm"),
        ({0xA434: "0.0 mm f/0.0"}, {}, None),
        ({0xA432: (Rational(24, 1), Rational(70, 1), Rational(28, 10), Rational(28, 10))}, {}, "24-70mm f/2.8"),
        ({0xA432: (Rational(18, 1), Rational(55, 1), Rational(35, 10), Rational(56, 10))}, {}, "18-55mm f/3.5-5.6"),
        ({0xA432: (Rational(50, 1), Rational(50, 1), Rational(0, 0), Rational(0, 0))}, {}, "50mm"),
        ({0xA432: (Rational(0, 0),) * 4}, {}, None),
        ({}, {"aux_LensInfo": "240/10 700/10 28/10 28/10"}, "24-70mm f/2.8"),
    ],
)
def test_lenses_are_named_or_described(values: dict[int, Any], xmp: dict[str, Any], lens: str | None) -> None:
    assert of_camera(values, **xmp).lens == lens


def degrees(d: int, m: int, s: int) -> tuple[Rational, Rational, Rational]:
    return Rational(d, 1), Rational(m, 1), Rational(s, 100)


def test_south_and_west_are_negative() -> None:
    found = facts({"GPS": {1: "S", 2: degrees(33, 51, 2412), 3: "W", 4: degrees(151, 12, 0), 5: 1, 6: Rational(25, 2)}})
    assert (found.latitude, found.longitude, found.altitude) == (-33.8567, -151.2, -12.5)


@pytest.mark.parametrize(
    "gps",
    [
        {2: degrees(0, 0, 0), 4: degrees(0, 0, 0)},
        {2: degrees(91, 0, 0), 4: degrees(10, 0, 0)},
        {2: degrees(10, 0, 0), 4: degrees(181, 0, 0)},
        {2: degrees(10, 0, 0)},
        {2: (Rational(0, 0),) * 3, 4: (Rational(0, 0),) * 3},
        {2: (float("nan"),) * 3, 4: degrees(1, 0, 0)},
        {2: "north", 4: "east"},
    ],
)
def test_positions_that_are_none_are_absent(gps: dict[int, Any]) -> None:
    found = facts({"GPS": gps})
    assert (found.latitude, found.longitude) == (None, None)


def test_a_position_in_xmp_is_read() -> None:
    found = facts(xmp={"exif:GPSLatitude": "12,30.0S", "exif:GPSLongitude": "45,15,36W", "exif:GPSAltitude": "100/1"})
    assert (found.latitude, found.longitude, found.altitude) == (-12.5, -45.26, 100)
    assert facts(xmp={"exif:GPSLatitude": "-12.5", "exif:GPSLongitude": "1,5,x"}).latitude is None


@pytest.mark.parametrize(
    ("xmp", "ifd0", "rating"),
    [
        ({"xmp:Rating": "4"}, {0x4746: 1}, 4),
        ({"xmp:Rating": "-1"}, {}, -1),
        ({"xmp:Rating": "-0.5"}, {}, -1),
        ({"xmp:Rating": "3.5"}, {}, 4),
        ({"xmp:Rating": "0"}, {0x4746: 2}, 0),
        ({"xmp:Rating": "9"}, {}, None),
        ({"xmp:Rating": "five"}, {}, None),
        ({}, {0x4746: 3}, 3),
        ({}, {0x4749: 99}, 5),
        ({"MicrosoftPhoto:Rating": "50"}, {}, 3),
        ({"MicrosoftPhoto:Rating": "1"}, {}, 1),
        ({"MicrosoftPhoto:Rating": "0"}, {}, 0),
        ({}, {}, None),
    ],
)
def test_ratings_are_stars(xmp: dict[str, Any], ifd0: dict[int, Any], rating: int | None) -> None:
    assert facts({"IFD0": ifd0}, xmp).rating == rating


def test_what_editors_wrote_goes_before_what_cameras_fill_in() -> None:
    exif: Directories = {
        "IFD0": {0x010E: "exif", 0x013B: "exif", 0x8298: "Ann\nBert", 0x9C9B: "windows".encode("utf-16-le")},
    }
    iptc = {"ObjectName": ["iptc"], "Caption-Abstract": ["iptc"], "By-line": ["A", "B"], "CopyrightNotice": ["iptc"]}
    xmp = {
        "dc:title": {"de": "Haus", "x-default": "House"},
        "dc:description": {"x-default": "xmp\nin lines"},
        "dc:creator": ["C", "D", "C"],
        "dc:rights": {"en": "xmp"},
    }
    found = facts(exif, xmp, iptc)
    assert (found.title, found.description, found.creator, found.copyright) == ("House", "xmp\nin lines", "C; D", "xmp")
    found = facts(exif, {}, iptc)
    assert (found.title, found.description, found.creator, found.copyright) == ("iptc", "iptc", "A; B", "iptc")
    found = facts(exif)
    assert (found.title, found.description, found.creator, found.copyright) == ("windows", "exif", "exif", "Ann; Bert")


@pytest.mark.parametrize(
    "text",
    ["OLYMPUS DIGITAL CAMERA         ", "SONY DSC", "KONICA MINOLTA DIGITAL CAMERA",
     "<Digimax i50 MP3, Samsung #1 MP3>", "          ", "Screenshot", "DCIM\\101MEDIA", "Exif_JPEG_PICTURE", "---"],
)  # fmt: skip
def test_what_cameras_always_write_is_no_description(text: str) -> None:
    assert facts({"IFD0": {0x010E: text}, "Exif": {0x9286: b"ASCII\0\0\0" + text.encode()}}).description is None


def test_a_real_description_follows_a_standing_one() -> None:
    found = facts({"IFD0": {0x010E: "SONY DSC"}, "Exif": {0x9286: b"UNICODE\0" + "Am Fluß 🌊".encode("utf-16-le")}})
    assert found.description == "Am Fluß 🌊"
    assert facts({"IFD0": {0x010E: "🎉"}}).description == "🎉"


def test_places_in_words_are_read() -> None:
    found = facts(
        xmp={"photoshop:City": "Paris", "Iptc4xmpCore:CountryCode": "fr"},
        iptc={"City": ["Köln"], "Sub-location": ["Montmartre"], "Country-PrimaryLocationName": ["France"]},
    )
    assert found.place == Place(name="Montmartre", city="Paris", country="France", country_code="FR")
    assert facts(iptc={"Country-PrimaryLocationCode": ["FRA"]}).place is None


WALL = 1625412612000  # 2021-07-04 15:30:12


def test_every_date_is_kept_and_the_likeliest_comes_first() -> None:
    found = facts(
        {
            "IFD0": {0x0132: "2022:01:01 12:00:00"},
            "Exif": {0x9003: "2021:07:04 15:30:12", 0x9291: "25", 0x9011: "+02:00", 0x9004: "2021:07:05 08:00:00"},
            "GPS": {0x1D: "2021:07:04", 7: (Rational(13, 1), Rational(30, 1), Rational(125, 10))},
        },
        {
            "photoshop:DateCreated": "2021-07",
            "xmp:CreateDate": "2021-07-04T15:30:12+02:00",
            "xmp:ModifyDate": "rubbish",
        },
        {"DateCreated": ["20210704"], "TimeCreated": ["153012+0200"]},
    )
    assert [(d.source, d.at - WALL, d.offset) for d in found.dates] == [
        ("exif:DateTimeOriginal", 250, 120),
        ("exif:DateTimeDigitized", 59388000, None),
        ("iptc:DateCreated", 0, 120),
        ("gps", 500, 120),
        ("xmp:xmp:CreateDate", 0, 120),
        ("exif:DateTime", 15625788000, None),
        ("xmp:photoshop:DateCreated", -315012000, None),
    ]


def test_satellite_time_without_an_offset_stays_utc_and_is_believed_less() -> None:
    gps: Directories = {"GPS": {0x1D: "2021:07:04", 7: degrees(15, 30, 1200)}}
    (date,) = facts(gps).dates
    assert (date.at, date.offset, date.source) == (WALL, 0, "gps")
    (known, _) = (d for d in facts(gps | {"Exif": {0x9003: "2021:07:04 17:30:12", 0x9011: "+02:00"}}).dates)
    assert known.confidence > date.confidence


@pytest.mark.parametrize("time", [(Rational(25, 1), Rational(0, 1), Rational(0, 1)), (Rational(1, 0),) * 3, "now", ()])
def test_impossible_satellite_times_are_no_candidates(time: Any) -> None:
    assert facts({"GPS": {0x1D: "2021:07:04", 7: time}}).dates == ()


def test_a_receiver_that_saw_no_satellite_is_no_candidate() -> None:
    assert facts({"GPS": {0x1D: "1980:01:06", 7: degrees(0, 3, 0)}}).dates == ()


def test_a_clock_that_nobody_set_comes_last() -> None:
    found = facts({"Exif": {0x9003: "2000:01:01 00:00:00"}}, {"xmp:CreateDate": "2021-07-04T15:30:12"})
    assert [date.source for date in found.dates] == ["xmp:xmp:CreateDate", "exif:DateTimeOriginal"]


exif_values = st.one_of(
    st.text(max_size=20), st.binary(max_size=20), st.integers(-(1 << 31), 1 << 32), st.floats(),
    st.builds(Rational, st.integers(0, 9), st.integers(0, 3)), st.lists(st.integers(0, 99), max_size=4).map(tuple),
)  # fmt: skip
TAGS = [0x0112, 0x010E, 0x010F, 0x0132, 0x8298, 0x4746, 0x829A, 0x829D, 0x8827, 0x9003, 0x9201, 0x9286, 0xA432, 0xA434]
xmp_values = st.recursive(
    st.text(max_size=12), lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=3), v, max_size=3)
)
NAMES = [
    "dc:title",
    "dc:creator",
    "dc:subject",
    "xmp:Rating",
    "exif:GPSLatitude",
    "exif:FNumber",
    "photoshop:DateCreated",
]


@FEW
@given(
    st.dictionaries(st.sampled_from([*TAGS, 1, 2, 3, 4, 5, 6, 7, 0x1D]), exif_values, max_size=12),
    st.dictionaries(st.sampled_from(NAMES), xmp_values, max_size=5),
)
def test_values_of_any_type_never_raise_and_stay_in_range(values: dict[int, Any], xmp: dict[str, Any]) -> None:
    found = facts({"IFD0": values, "Exif": values, "GPS": values}, xmp)
    assert Facts.from_json(found.to_json()) == found
    assert found.latitude is None or -90 <= found.latitude <= 90
    assert found.rating is None or -1 <= found.rating <= 5
    assert all(0 < date.confidence <= 1 for date in found.dates)
