"""Lists, in both directions, equal a dictionary of sets whatever is put into them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from imager.search import lists as module
from imager.search import slots
from imager.search.lists import Lists, bitmap_of
from imager.search.sidecar import Generation, Writer

NAMES = ["red", "green", "blue", "none"]


def lists_of(pictures: dict[int, set[int]], rows: int) -> Lists:
    pairs = [(asset, number) for asset in sorted(pictures) for number in sorted(pictures[asset])]
    assets, numbers = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    return Lists.of_pairs([10, 20, 30, 40], NAMES, assets, numbers, rows)


def read_again(lists: Lists, rows: int) -> Lists:
    file = io.BytesIO()
    writer = Writer(file)
    lists.write(writer, "things", rows, spare=3)
    writer.finish({})
    return Lists.read(Generation(file.getbuffer()), "things")


def assert_shows(lists: Lists, pictures: dict[int, set[str]], rows: int) -> None:
    for number, name in enumerate(lists.names):
        expected = sorted(asset for asset, names in pictures.items() if name in names)
        assert lists.assets(number).tolist() == expected == list(lists.bitmap(number))
        assert lists.assets(number).dtype == np.uint32
    for asset in range(1, rows):
        assert {lists.names[n] for n in lists.of(asset)} == pictures.get(asset, set())
    for step in (1, 2, 3):
        mask = np.zeros(rows, bool)
        mask[1::step] = True
        expected = [sum(name in pictures.get(a, ()) for a in range(1, rows, step)) for name in lists.names]
        assert lists.counts(mask).tolist() == expected
    assert np.flatnonzero(lists.any(rows)).tolist() == sorted(a for a, names in pictures.items() if names and a < rows)
    assert lists.counts().tolist() == [sum(name in names for names in pictures.values()) for name in lists.names]


SETS = st.sets(st.integers(0, 3))


@pytest.mark.parametrize("places", [1, 2, 16])  # in slots
@given(
    first=st.dictionaries(st.integers(1, 19), SETS),
    changes=st.lists(st.tuples(st.integers(1, 29), SETS, st.booleans()), max_size=20),
)
def test_they_hold_what_was_put(
    places: int, first: dict[int, set[int]], changes: list[tuple[int, set[int], bool]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "_MOST_ROWS", places)
        lists, now = lists_of(first, 20), {asset: {NAMES[n] for n in numbers} for asset, numbers in first.items()}
        lists.grow(30)
        for asset, numbers, look in changes:
            lists.put([(asset, sorted(numbers))])
            now[asset] = {NAMES[n] for n in numbers}
            if look:
                lists.bitmap(0)
                lists.assets(1)
        assert_shows(lists, now, 30)
        again = read_again(lists, 30)
        assert set(again.names) == {name for names in now.values() for name in names}
        assert_shows(again, now, 30)


def test_new_things_have_new_numbers_and_old_ones_their_latest_name() -> None:
    lists = lists_of({1: {0}}, 5)
    assert lists.code(50, "violet") == 4
    assert lists.code(10, "Red") == 0
    lists.put([(2, [4, 0]), (3, [4])])
    assert lists.names == ["Red", "green", "blue", "none", "violet"]
    assert lists.assets(4).tolist() == [2, 3]
    assert lists.counts().tolist() == [2, 0, 0, 0, 2]
    again = read_again(lists, 5)
    assert again.names == ["Red", "violet"]
    assert again.codes == {10: 0, 50: 1}


def test_more_than_there_was_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEAST_SPARE", 1)
    lists = read_again(lists_of({1: {0, 1}, 2: {2}}, 3), 3)
    lists.grow(200)
    for asset in range(3, 200):
        lists.put([(asset, [asset % 3, (asset + 1) % 3])])
    assert lists.of(1) == [0, 1]
    assert lists.of(150) == [0, 1]
    assert lists.counts().sum() == 3 + 2 * 197


def test_a_picture_with_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = lists_of({}, 3)
    codes = [lists.code(1_000 + n, f"n{n}") for n in range(70_000)]
    lists.put([(1, codes)])
    assert len(lists.of(1)) == 70_000
    again = read_again(lists, 3)
    assert len(again.of(1)) == 70_000
    assert again.counts().sum() == 70_000
    mask = np.array([False, True, False])
    assert again.counts(mask).tolist() == again.counted(np.array([1])).tolist() == [1] * 70_000


def test_numbers_beyond_16_bits_are_counted_like_others() -> None:
    lists = lists_of({1: {0}}, 9)
    codes = [lists.code(1_000 + n, f"n{n}") for n in range(70_000)]
    last = [codes[65_530 + n] for n in range(8)]
    lists.put((asset, [code]) for asset, code in enumerate(last, 1))
    counts = lists.counted(np.arange(1, 9))
    assert np.flatnonzero(counts).tolist() == last
    assert counts.max() == 1
    assert read_again(lists, 9).counted(np.arange(1, 9)).tolist() == [1] * 8


@given(
    st.lists(st.tuples(st.integers(0, 200_000), st.integers(1, 90_000), st.integers(1, 3)), max_size=3),
    st.sampled_from([0, 1, 65_535, 65_536, 65_537, 131_072, 200_000]),
)
def test_a_mask_as_a_bitmap(runs: list[tuple[int, int, int]], size: int) -> None:
    mask = np.zeros(size, bool)
    for start, length, step in runs:
        mask[start : start + length : step] = True
    assert bitmap_of(mask) == BitMap(np.flatnonzero(mask).tolist())
