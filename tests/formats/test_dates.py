"""Dates as metadata and file names write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from imager.formats.dates import CONFIDENCE, date_from_name, is_default_clock, milliseconds, parse_date, parse_offset

FEW = settings(max_examples=100, derandomize=True, deadline=None)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2049, 12, 31))


def ms(text: str) -> int:
    """Milliseconds of an ISO wall clock."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("text", "at", "offset"),
    [
        ("2021:07:04 15:30:12", "2021-07-04T15:30:12", None),
        ("2021:07:04 15:30:12+02:00", "2021-07-04T15:30:12", 120),
        ("2021:07:04 15:30:12.25", "2021-07-04T15:30:12.250", None),
        ("2021:07:04 15:30:  ", "2021-07-04T15:30", None),
        ("2021:07:04 15:30", "2021-07-04T15:30", None),
        ("2021/07/04 15:30:12", "2021-07-04T15:30:12", None),
        ("2021:7:4 5:3:1", "2021-07-04T05:03:01", None),
        ("2021:07:04 15.30.12\0", "2021-07-04T15:30:12", None),
        ("2021-07-04T15:30:12Z", "2021-07-04T15:30:12", 0),
        ("2021-07-04T15:30:12.123456-03:30", "2021-07-04T15:30:12.123", -210),
        ("2021-07-04T15:30+0545", "2021-07-04T15:30", 345),
        ("2016:12:31 23:59:60", "2016-12-31T23:59:59", None),
        ("Sun, 04 Jul 2021 15:30:12 GMT", "2021-07-04T15:30:12", 0),
        ("4 July 2021 15:30:12 +0200", "2021-07-04T15:30:12", 120),
        ("Sun Jul  4 15:30:12 2021", "2021-07-04T15:30:12", None),
        ("1839:08:19 12:00:00", "1839-08-19T12:00", None),
    ],
)
def test_dates_are_read_in_all_the_forms_in_use(text: str, at: str, offset: int | None) -> None:
    found = parse_date(text, "exif:DateTimeOriginal")
    assert found is not None
    assert (found.at, found.offset, found.confidence) == (ms(at), offset, CONFIDENCE["exif:DateTimeOriginal"])


@pytest.mark.parametrize(
    "text",
    [
        "", "    :  :     :  :  ", "0000:00:00 00:00:00", "2021:13:01 00:00:00", "2021:02:30 00:00:00",
        "2021:07:04 24:00:00", "1825:01:01 00:00:00", "2101:01:01 00:00:00", "9999-99-99", "yesterday", "2021:07:04 x",
        "Sun, 31 Feb 2021 10:00:00 GMT", "1 Foo 2021 10:00:00", "-2021:07:04", "٢٠٢١x",
    ],
)  # fmt: skip
def test_what_is_no_date_is_no_candidate(text: str) -> None:
    assert parse_date(text, "exif:DateTimeOriginal") is None


def test_sub_seconds_and_offset_may_stand_apart() -> None:
    found = parse_date("2021:07:04 15:30:12", "exif:DateTime", subsec="0345 ", offset="-05:00")
    assert found is not None
    assert (found.at % 1000, found.offset) == (34, -300)
    assert parse_date("2021:07:04 15:30:12", "exif:DateTime", subsec="x²", offset="far") == parse_date(
        "2021:07:04 15:30:12", "exif:DateTime"
    )


def test_the_less_a_date_says_the_less_it_is_believed() -> None:
    found = [parse_date(text, "xmp:xmp:CreateDate") for text in ("2004-05-06T07:08", "2004-05-06", "2004-05", "2004")]
    confidences = [date.confidence for date in found if date]
    assert len(confidences) == 4
    assert sorted(set(confidences), reverse=True) == confidences


@pytest.mark.parametrize("text", ["+14:00", "-14:00", "+0530", "Z", "+2"])
def test_offsets_of_the_world_are_read(text: str) -> None:
    assert parse_offset(text) is not None


@pytest.mark.parametrize("text", ["+15:00", "+01:75", "", "CET", "   :  "])
def test_offsets_of_no_place_are_not(text: str) -> None:
    assert parse_offset(text) is None


@pytest.mark.parametrize(
    "text", ["1970:01:01 01:00:00", "1980:01:01 00:00:31", "2000:01:01 00:00:00", "2015:01:01 00:00"]
)
def test_the_dates_of_clocks_that_nobody_set_are_hardly_believed(text: str) -> None:
    found = parse_date(text, "exif:DateTimeOriginal")
    assert found is not None
    assert found.confidence <= 0.1


def test_a_new_years_party_is_believed() -> None:
    at = milliseconds(2015, 1, 1, 0, 3, 20)
    assert at is not None
    assert not is_default_clock(at)


@FEW
@given(moments, st.sampled_from([None, -300, 0, 120, 345]))
def test_what_exif_writes_is_read_back(moment: datetime, offset: int | None) -> None:
    written = "" if offset is None else f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02}:{abs(offset) % 60:02}"
    found = parse_date(
        moment.strftime("%Y:%m:%d %H:%M:%S"),
        "exif:DateTimeOriginal",
        subsec=f"{moment.microsecond:06}",
        offset=written,
    )
    assert found is not None
    assert found.at == ms(moment.isoformat(timespec="milliseconds"))
    assert found.offset == offset


@FEW
@given(st.text(max_size=40))
def test_arbitrary_text_never_raises(text: str) -> None:
    parse_date(text, "gps", subsec=text, offset=text)
    parse_offset(text)
    date_from_name(text)


NAMES = [
    "IMG_20210704_153012.jpg",
    "IMG_20210704_153012_HDR.jpg",
    "IMG_20210704_153012_001.jpg",
    "20210704_153012.jpg",
    "20210704_153012(0).jpg",
    "20210704153012.jpg",
    "VID_20210704_153012.mp4",
    "WIN_20210704_15_30_12_Pro.jpg",
    "Screenshot_2021-07-04-15-30-12.png",
    "Screenshot_20210704-153012_Chrome.jpg",
    "Screenshot 2021-07-04 at 15.30.12.png",
    "Screenshot 2021-07-04 at 3.30.12\u202fPM.png",
    "Bildschirmfoto 2021-07-04 um 15.30.12.png",
    "Captura de pantalla 2021-07-04 a las 15.30.12.png",
    "signal-2021-07-04-153012.jpg",
    "WhatsApp Image 2021-07-04 at 15.30.12.jpeg",
    "WhatsApp Image 2021-07-04 at 3.30.12 PM (1).jpeg",
    "2021-07-04 15.30.12.jpg",
    "2021-07-04 15.30.12-1.jpg",
    "photo_2021-07-04_15-30-12.jpg",
    "IMG_2021_07_04_15_30_12.jpg",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_that_cameras_and_programs_give_are_understood(name: str) -> None:
    found = date_from_name(name)
    assert found is not None
    assert (found.at, found.offset, found.source) == (ms("2021-07-04T15:30:12"), None, "name")


@pytest.mark.parametrize("name", ["PXL_20210704_153012345.jpg", "PXL_20210704_153012345.MP.jpg", "1625412612345.jpg"])
def test_names_in_utc_say_so(name: str) -> None:
    found = date_from_name(name)
    assert found is not None
    assert (found.at, found.offset) == (ms("2021-07-04T15:30:12.345"), 0)


def test_twelve_oclock_is_understood() -> None:
    midnight = date_from_name("Screen Shot 2021-07-04 at 12.05.09 AM.png")
    noon = date_from_name("Screen Shot 2021-07-04 at 12.05.09 PM.png")
    assert midnight is not None and noon is not None
    assert (midnight.at, noon.at) == (ms("2021-07-04T00:05:09"), ms("2021-07-04T12:05:09"))


@pytest.mark.parametrize(
    ("name", "at", "most"),
    [
        ("IMG-20210704-WA0003.jpg", "2021-07-04", 0.6),
        ("2021-07-04 picnic.jpg", "2021-07-04", 0.6),
        ("2021_07_04.jpg", "2021-07-04", 0.6),
        ("20210704.jpg", "2021-07-04", 0.6),
        ("1987-06-15 Oma.tif", "1987-06-15", 0.6),
        ("1987-06-xx Oma.tif", "1987-06-01", 0.4),
        ("1987-00-00.tif", "1987-01-01", 0.2),
    ],
)
def test_dates_without_a_time_are_believed_less(name: str, at: str, most: float) -> None:
    found = date_from_name(name)
    assert found is not None
    assert found.at == ms(at)
    assert found.confidence <= most


@pytest.mark.parametrize(
    "name",
    [
        "DSC_0001.JPG", "IMG_1234.jpg", "wallpaper-1920x1080.png", "2048x1536.jpg", "20121105x1920.png",
        "4912345678901.jpg", "+49 170 20121205.jpg", "555-2012-11-05.jpg", "20481536.jpg", "IMG_99991231_999999.jpg",
        "scan 2021.jpg", "image-2048-1536.jpg", "20211301_000000.jpg", "9999999999999.jpg", "0123456789abcdef.jpg",
        "20210704-1920x1080.png", "",
    ],
)  # fmt: skip
def test_numbers_that_are_no_dates_are_left_alone(name: str) -> None:
    assert date_from_name(name) is None


@FEW
@given(moments, st.sampled_from(["IMG_%Y%m%d_%H%M%S.jpg", "%Y-%m-%d %H.%M.%S.png", "Screenshot_%Y-%m-%d-%H-%M-%S.jpg"]))
def test_every_moment_is_read_back_from_its_name(moment: datetime, pattern: str) -> None:
    found = date_from_name(moment.strftime(pattern))
    assert found is not None
    assert found.at == ms(moment.replace(microsecond=0).isoformat())


@FEW
@given(
    st.integers(0, 9_999_999), st.sampled_from(["IMG_{}.jpg", "DSC{}.JPG", "{}.png", "P{:07}.jpg", "photo {} (1).jpg"])
)
def test_no_counter_is_a_date(number: int, pattern: str) -> None:
    assert date_from_name(pattern.format(number)) is None


@FEW
@given(st.integers(100, 9999), st.integers(100, 9999), st.sampled_from(["x", "×", "X", " x "]))
def test_no_resolution_is_a_date(width: int, height: int, sign: str) -> None:
    assert date_from_name(f"wallpaper-{width}{sign}{height}.png") is None


@FEW
@given(st.integers(10**8, 10**11 - 1))
def test_no_telephone_number_is_a_date(number: int) -> None:
    assume(not str(number).startswith(("19", "20")))
    assert date_from_name(f"+{number}.jpg") is None
    assert date_from_name(f"contact {number}.jpg") is None
