"""There is always a key between two, and keys sort as what they stand for."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.catalog.albums import DIGITS, KEY
from imager.organise.order import between, insert, spread

KEYS = st.from_regex(KEY, fullmatch=True).filter(lambda key: len(key) < 40)


@given(st.one_of(st.none(), KEYS), st.one_of(st.none(), KEYS), st.integers(1, 200))
def test_any_number_of_keys_fits_between_any_two(one: str | None, other: str | None, count: int) -> None:
    low, high = (one, other) if one is None or other is None else (min(one, other), max(one, other))
    if low is not None and low == high:
        with pytest.raises(ValueError, match="nothing lies between"):
            spread(low, high, count)
        return
    keys = spread(low, high, count)
    assert len(keys) == count
    assert all(KEY.fullmatch(key) for key in keys)
    bounds = [*([low] if low is not None else []), *keys, *([high] if high is not None else [])]
    assert [key.encode() for key in bounds] == sorted({key.encode() for key in bounds})


def test_digits_are_in_the_order_of_their_bytes() -> None:
    assert list(DIGITS) == sorted(DIGITS)
    assert len(set(DIGITS)) == 62


def test_the_first_key_is_in_the_middle_and_few_keys_are_short() -> None:
    assert between(None, None) == "V"
    assert between("V", None) > "V"
    assert {len(key) for key in spread(None, None, 40_000)} <= {1, 2, 3}


def test_keys_grow_slowly_where_much_is_put_at_one_place() -> None:
    high: str | None = None
    for _ in range(600):
        high = between("V", high)
    assert len(high or "") < 125
    draw, keys = random.Random(1), [between(None, None)]
    for _ in range(600):
        at = draw.randrange(len(keys) + 1)
        keys.insert(at, between(keys[at - 1] if at else None, keys[at] if at < len(keys) else None))
    assert keys == sorted(keys)
    assert max(map(len, keys)) < 12


@pytest.mark.parametrize("bad", ["", "0", "a0", "a b", "é", "a.b", "-", "a\n"])
def test_what_is_no_key_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        between(bad, None)
    with pytest.raises(ValueError, match="not a key"):
        between(None, bad)


@given(st.lists(KEYS, max_size=6), st.integers(0, 3), st.integers(0, 9))
def test_something_is_put_before_another_whether_or_not_they_have_keys_of_their_own(
    keys: list[str], without: int, at: int
) -> None:
    have: list[str | None] = [*sorted(keys), *[None] * without]
    at = min(at, len(have))
    given_ = insert(have, at)
    after: list[str | None] = [given_.get(n, key) for n, key in enumerate(have)]
    after.insert(at, given_[-1])
    around = [key for key in after if key is not None]
    assert around == sorted(around)
    assert None not in after[: at + 1]
    assert after.count(given_[-1]) == 1
    unequal = len(set(keys)) == len(keys)
    assert not unequal or all(n < 0 or have[n] is None for n in given_), "no other moves"
