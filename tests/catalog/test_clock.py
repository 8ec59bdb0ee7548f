"""Hybrid clocks: names that sort by time, whatever the wall clock does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.catalog.clock import Clock, HybridClock, parse
from tests.catalog.libraries import Wall

CLOCKS = st.builds(Clock, st.integers(0, (1 << 52) - 1), st.integers(0, 0xFFFF), st.integers(0, (1 << 48) - 1))


@given(st.lists(st.integers(0, 1 << 42), min_size=1, max_size=30), st.integers(0, (1 << 48) - 1))
def test_a_clock_never_runs_backwards_however_the_wall_clock_jumps(walls: list[int], device: int) -> None:
    wall = Wall(0)
    ticking = HybridClock(device, wall)
    made = []
    for now in walls:
        wall.now = now
        made += [ticking.tick(), ticking.tick()]
    assert made == sorted(set(made))
    assert all(parse(name).device == device for name in made)


@given(CLOCKS, CLOCKS)
def test_the_order_of_the_text_is_the_order_of_time(one: Clock, other: Clock) -> None:
    assert (str(one) < str(other)) == (one < other)
    assert (str(one).encode() < str(other).encode()) == (one < other)
    assert parse(str(one)) == one


@given(CLOCKS)
def test_what_follows_is_later_than_all_that_was_observed(seen: Clock) -> None:
    ticking = HybridClock(1, Wall(0), last=str(Clock(5, 5, 5)))
    ticking.observe(str(seen))
    ticking.observe(str(Clock(0, 0, 0)))
    assert ticking.tick()[:18] > max(str(seen)[:18], str(Clock(5, 5, 5))[:18])


def test_a_full_counter_borrows_a_millisecond() -> None:
    ticking = HybridClock(1, Wall(7), last=str(Clock(7, 0xFFFF, 2)))
    assert parse(ticking.tick()) == Clock(8, 0, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00000000000-0000-000000000001",
        "0000000000001-0000-00000000000G",
        "0000000000001-0000-00000000000A",
        "0000000000001-0000-000000000001\n",
        " 0000000000001-0000-000000000001",
        "00000000000001-0000-000000000001",
        "0000000000001_0000_000000000001",
        "-000000000001-0000-000000000001",
        "٠000000000001-0000-000000000001",
    ],
)
def test_nothing_but_the_exact_form_is_a_clock(text: str) -> None:
    with pytest.raises(ValueError, match="not a clock"):
        parse(text)
