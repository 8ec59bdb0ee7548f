"""What a sidecar says is read back as it was, whatever people wrote."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.catalog.effective import iso
from imager.catalog.identity import tag_name
from imager.export.sidecar import as_stored, sidecar
from imager.formats.metadata import read_sidecar
from imager.formats.regions import upright
from imager.formats.text import clean, clean_line

EMPTY: dict[str, Any] = {
    **dict.fromkeys(
        ("title", "caption", "copyright", "creator", "rating", "place", "latitude", "longitude", "altitude")
    ),
    "tags": [],
    "taken_at": "2021-07-04T15:30:00",
    "taken_at_source": "exif:DateTimeOriginal",
    "taken_at_confidence": 0.95,
    "favourite": False,
}
PPM = 900_000
TEXT = st.text(max_size=60)
LEVEL = st.text(max_size=12).map(lambda t: t.replace("|", ""))


def named(levels: list[str]) -> str | None:
    try:
        return tag_name("|".join(levels))
    except ValueError:
        return None


TAGS = st.lists(st.lists(LEVEL, min_size=1, max_size=3).map(named), max_size=6)


@given(title=TEXT, caption=TEXT, tags=TAGS)
def test_texts_and_tags_come_back(title: str, caption: str, tags: list[str | None]) -> None:
    names = list({tag.casefold(): tag for tag in tags if tag}.values())
    known = EMPTY | {"title": title, "caption": caption, "tags": [{"name": name} for name in names]}
    data, dropped = sidecar(known)
    read = read_sidecar(data)
    assert read.problems == ()
    assert read.facts.complete
    assert read.facts.title == (clean_line(title) or None)
    assert read.facts.description == (clean(caption) or None)
    if not dropped:
        assert [k.casefold() for k in read.facts.keywords] == list(
            dict.fromkeys(k for name in names if (k := _cleaned(name).casefold()))
        )


def _cleaned(name: str) -> str:
    return "|".join(level for part in name.split("|") if (level := clean_line(part)))


@given(
    at=st.integers(-62_135_596_800_000, 253_402_300_799_999),
    offset=st.none() | st.integers(-14 * 60, 14 * 60),
    source=st.sampled_from(["file", "name", "edit", "exif:DateTimeOriginal"]),
    confidence=st.floats(0, 1),
)
def test_dates_of_any_year_come_back(at: int, offset: int | None, source: str, confidence: float) -> None:
    known = EMPTY | {"taken_at": iso(at, offset), "taken_at_source": source, "taken_at_confidence": confidence}
    (date,) = read_sidecar(sidecar(known)[0]).facts.dates
    assert (date.at, date.offset) == (at, offset)
    assert date.confidence == confidence
    assert date.source == (source if source != "edit" else "xmp:imager:TakenAt")


@given(
    latitude=st.floats(-90, 90),
    longitude=st.floats(-180, 180),
    altitude=st.none() | st.floats(-11_000, 20_000),
    rating=st.none() | st.integers(-1, 5),
)
def test_numbers_come_back(latitude: float, longitude: float, altitude: float | None, rating: int | None) -> None:
    known = EMPTY | {"latitude": latitude, "longitude": longitude, "altitude": altitude, "rating": rating}
    facts = read_sidecar(sidecar(known)[0]).facts
    assert (facts.latitude, facts.longitude) == pytest.approx((latitude, longitude), abs=1e-8)
    assert facts.rating == rating
    assert facts.altitude == (None if altitude is None else pytest.approx(altitude, abs=1e-3))


@pytest.mark.parametrize("orientation", range(1, 9))
@given(
    left=st.integers(0, 900_000),
    top=st.integers(0, 900_000),
    width=st.integers(1, 100_000),
    height=st.integers(1, 100_000),
)
def test_regions_come_back_however_the_picture_is_turned(
    orientation: int, left: int, top: int, width: int, height: int
) -> None:
    box = tuple(n / 1_000_000 for n in (left, top, width, height))
    assert upright(tuple(as_stored(box, orientation)), orientation) == pytest.approx(box, abs=1e-12)  # type: ignore[arg-type]
    data, _ = sidecar(EMPTY, regions=[("<Anna>", "face", box)], orientation=orientation, size=(80, 48))
    (region,) = read_sidecar(data, orientation=orientation, size=(80, 48)).facts.regions
    assert (region.name, region.kind) == ("<Anna>", "face")
    assert (region.left, region.top, region.width, region.height) == pytest.approx(box, abs=1e-6)


def test_other_sidecars_are_read_as_before() -> None:
    data, _ = sidecar(EMPTY | {"tags": [{"name": "Animals"}, {"name": "Animals|Dogs"}], "caption": "Default"})
    ours = read_sidecar(data).facts
    assert (ours.keywords, ours.description) == (("Animals", "Animals|Dogs"), "Default")
    other = read_sidecar(data.replace(b"imager:Complete>True", b"imager:Complete>False")).facts
    assert (other.keywords, other.description, other.complete) == (("Animals|Dogs",), None, None)
    assert other.dates[0].source == "xmp:exif:DateTimeOriginal"


@pytest.mark.parametrize("taken", ["", "yesterday", "9" * 400, "2021-07-04T15:30:00+99:99", "0000-00-00"])
def test_a_date_that_is_none_is_passed_over(taken: str) -> None:
    data = sidecar(EMPTY)[0].replace(b"TakenAt>2021-07-04T15:30:00<", f"TakenAt>{taken}<".encode())
    (date,) = read_sidecar(data).facts.dates
    assert date.source == "xmp:exif:DateTimeOriginal"
