"""Offsets of zones at wall-clock times."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imager.geo import utc_offset


def _wall(text: str) -> int:
    return round((datetime.fromisoformat(text) - datetime(1970, 1, 1)).total_seconds() * 1000)


@pytest.mark.parametrize(
    ("zone", "wall", "minutes"),
    [
        ("Europe/Rome", "2019-07-12T18:30:22", 120),
        ("Europe/Rome", "2019-01-12T18:30:22", 60),
        ("America/New_York", "2021-08-01T12:00:00", -240),
        ("Asia/Kathmandu", "2022-03-01T09:00:00", 345),
        ("Australia/Lord_Howe", "2022-01-01T09:00:00", 660),
        ("Etc/GMT+3", "2022-01-01T09:00:00", -180),
        ("Europe/London", "1969-07-20T21:00:00", 60),
    ],
)
def test_the_offset_is_that_of_the_place_and_the_day(zone: str, wall: str, minutes: int) -> None:
    assert utc_offset(zone, _wall(wall)) == minutes


def test_of_the_hour_that_comes_twice_the_first_is_meant() -> None:
    assert utc_offset("Europe/Berlin", _wall("2023-10-29T02:30:00")) == 120
    assert utc_offset("Europe/Berlin", _wall("2023-10-29T03:00:00")) == 60


def test_in_the_hour_that_is_left_out_the_offset_before_it_holds() -> None:
    assert utc_offset("Europe/Berlin", _wall("2023-03-26T02:30:00")) == 60
    assert utc_offset("Europe/Berlin", _wall("2023-03-26T03:00:00")) == 120


def test_offsets_with_seconds_are_rounded_to_the_minute() -> None:
    assert utc_offset("Europe/Paris", _wall("1890-01-01T00:00:00")) == 9  # 9 min 21 s


@pytest.mark.parametrize(
    "zone",
    ["", "Nowhere", "Europe", "../zone", "/etc/passwd", "Europe/Rome\0", "a" * 5000, "\udcff", "zone.tab"],
)
def test_what_names_no_zone_has_no_offset(zone: str) -> None:
    assert utc_offset(zone, 0) is None


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(max_size=40), st.integers())
@example("Africa", 0)
@example(".", 0)
@example("C:", 0)
def test_any_name_and_any_number_have_an_answer(zone: str, wall: int) -> None:
    offset = utc_offset(zone, wall)
    assert offset is None or abs(offset) < 24 * 60


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_any_time_in_the_calendar_has_an_offset(wall: int) -> None:
    offset = utc_offset("America/Sao_Paulo", wall)
    assert offset in range(-240, -59)


@pytest.mark.parametrize("wall", [-62_135_596_800_001, 253_402_300_800_000, 10**30, -(10**30)])
def test_a_time_outside_the_calendar_has_none(wall: int) -> None:
    assert utc_offset("America/Sao_Paulo", wall) is None
