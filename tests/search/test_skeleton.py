"""The skeleton is what one would put together picture by picture; versions change when, and only when, it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.catalog import Catalog
from imager.errors import UnreadableError
from imager.facts import TakenAt
from imager.search.index import Index
from imager.search.look import LONGEST
from imager.search.skeleton import Month, Skeleton, months, skeleton
from tests.catalog.libraries import content, put, say
from tests.search.made import FIRST, LAST, Picture, made, mask_of, ms, wall

BYTES = st.integers(0, 255)
TIMES = st.integers(FIRST, LAST) | st.integers(ms("2021-07-25"), ms("2021-10-05"))
PICTURES = st.lists(
    st.builds(Picture, TIMES, st.sampled_from([1, 1, 2, 3]), ratio=BYTES, shade=st.integers(0, 0xFFFF)), max_size=12
)
AUGUST = "2021-08"


@pytest.fixture
def index(catalog: Catalog, tmp_path: Path) -> Iterator[Index]:
    """The index of a catalog with three pictures in August 2021 and one in each month beside it."""
    for number, day in enumerate(("2021-07-31", "2021-08-01", "2021-08-14", "2021-08-31", "2021-09-01")):
        _put(catalog, number, ms(day))
    with Index.open(catalog, tmp_path / "index") as opened:
        yield opened


def _put(catalog: Catalog, number: int | str, taken: int) -> None:
    put(catalog, content(number, dates=(TakenAt(at=taken, source="exif:DateTimeOriginal", confidence=0.95),)))


def _versions(index: Index) -> dict[str, tuple[int, int]]:
    index.refresh()
    return {m.month: (m.count, m.version) for m in months(index)}


def _changed(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]) -> set[str]:
    return {month for month in before.keys() | after.keys() if before.get(month) != after.get(month)}


@given(PICTURES, st.sets(st.integers(1, 12)) | st.none())
def test_a_skeleton_has_three_bytes_of_each_picture_in_the_order_of_time(
    pictures: list[Picture], wanted: set[int] | None
) -> None:
    index = made(pictures)
    mask = None if wanted is None else mask_of(index, [n for n in wanted if n <= len(pictures)])
    shown = sorted(
        ((p.taken, n, p) for n, p in enumerate(pictures, 1) if (p.state == 1 if wanted is None else n in wanted)),
        key=lambda found: found[:2],
        reverse=True,
    )
    data = skeleton(index, mask)
    read = Skeleton.read(data)
    assert read.library_version == index.version
    assert read.ratios.tolist() == [p.ratio for *_, p in shown]
    assert read.shades.tolist() == [p.shade for *_, p in shown]
    by_month = groupby(wall(taken).date().isoformat()[:7] for taken, *_ in shown)
    assert [(m.month, m.count) for m in read.months] == [(month, len(list(group))) for month, group in by_month]
    assert read.months == months(index, mask)
    assert len(data) == 24 + 16 * len(read.months) + 3 * len(shown)


def test_the_bytes_are_those_that_are_documented() -> None:
    index = made(
        [Picture(ms("2021-08-14"), ratio=200, shade=0x1234), Picture(ms("2021-08-15"), ratio=100, shade=0xABCD)]
    )
    (version,) = (m.version for m in months(index))
    assert skeleton(index) == (
        b"IMSK\x01\x00\x00\x00"
        + (7).to_bytes(8, "little")
        + b"\x01\x00\x00\x00\x02\x00\x00\x00"
        + version.to_bytes(8, "little")
        + (2021 * 12 + 7).to_bytes(4, "little")
        + b"\x02\x00\x00\x00"
        + b"\xcd\xab\x34\x12"
        + bytes([100, 200])
    )


def test_a_skeleton_can_be_laid_over_typed_arrays() -> None:
    for count in range(1, 9):
        read = Skeleton.read(skeleton(made([Picture(ms("2021-08-14")), Picture(0)] * count)))
        assert read.shades.flags.aligned
        assert all(0 <= m.version < 2**53 for m in read.months)


def test_an_empty_library_has_a_skeleton_without_months() -> None:
    read = Skeleton.read(skeleton(made([])))
    assert (read.months, len(read.ratios), len(read.shades)) == ([], 0, 0)


@given(st.binary(max_size=80) | st.integers(0, 75).map(lambda cut: skeleton(made([Picture()] * 12))[:cut]))
def test_what_is_no_skeleton_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableError):
        Skeleton.read(data)


def test_a_skeleton_that_contradicts_itself_is_refused() -> None:
    data = bytearray(skeleton(made([Picture()] * 4)))
    data[36] += 1  # the count of its only month
    with pytest.raises(UnreadableError, match="contradicts"):
        Skeleton.read(bytes(data))


# ── versions ────────────────────────────────────────────────────────────────────────────────────────────────


@given(
    PICTURES.filter(bool),
    st.integers(0, 11),
    st.sampled_from(
        [
            {"ratio": 7},
            {"shade": 7},
            {"rating": 3},
            {"rating": -2},
            {"favourite": 1},
            {"duration": 2.5},
            {"thumbhash": None},
            {"thumbhash": b"other"},
        ]
    ),
)
def test_whatever_a_tile_shows_changes_its_months_version_and_no_other(
    pictures: list[Picture], which: int, change: dict[str, object]
) -> None:
    pictures = [replace(p, state=1) for p in pictures]
    which %= len(pictures)
    changed = [*pictures]
    changed[which] = replace(pictures[which], **change)  # type: ignore[arg-type]
    before, after = months(made(pictures)), months(made(changed))
    month = wall(pictures[which].taken).date().isoformat()[:7]
    assert {m.month for m in set(before) ^ set(after)} == ({month} if pictures != changed else set())


def test_pictures_that_exchange_something_are_not_what_they_were() -> None:
    day = ms("2021-08-14")
    one, other = Picture(day, ratio=1, shade=2), Picture(day + 1, ratio=3, shade=4)
    swapped = [replace(one, ratio=3), replace(other, ratio=1)]
    assert months(made([one, other])) != months(made(swapped))
    assert months(made([one, other])) != months(made([other, one]))


def test_a_picture_that_comes_changes_only_its_own_month(catalog: Catalog, index: Index) -> None:
    before = _versions(index)
    _put(catalog, "new", ms("2021-08-20"))
    after = _versions(index)
    assert _changed(before, after) == {AUGUST}
    assert after[AUGUST][0] == 4


def test_a_picture_that_goes_and_comes_back_brings_the_version_back(catalog: Catalog, index: Index) -> None:
    before = _versions(index)
    picture = catalog.db.execute("SELECT id FROM assets WHERE taken_at = ?", (ms("2021-08-14"),)).get
    say(catalog, picture, "trashed", True)
    gone = _versions(index)
    assert _changed(before, gone) == {AUGUST}
    say(catalog, picture, "trashed", None)
    assert _versions(index) == before


def test_another_date_changes_the_month_it_leaves_and_the_one_it_comes_to(catalog: Catalog, index: Index) -> None:
    before = _versions(index)
    picture = catalog.db.execute("SELECT id FROM assets WHERE taken_at = ?", (ms("2021-08-01"),)).get
    say(catalog, picture, "taken_at", "2021-07-01T00:00:00")
    assert _changed(before, _versions(index)) == {"2021-07", AUGUST}


def test_what_nobody_sees_in_a_timeline_changes_no_version(catalog: Catalog, index: Index) -> None:
    before = _versions(index)
    version = index.version
    picture = catalog.db.execute("SELECT id FROM assets WHERE taken_at = ?", (ms("2021-08-14"),)).get
    for field, value in (("title", "A title"), ("caption", "words"), ("position", [38.7, -9.1]), ("creator", "Ada")):
        say(catalog, picture, field, value)
    assert _versions(index) == before
    assert index.version > version
    say(catalog, picture, "rating", 5)
    assert _changed(before, _versions(index)) == {AUGUST}


def test_an_index_made_anew_shows_the_same_versions(catalog: Catalog, index: Index, tmp_path: Path) -> None:
    picture = catalog.db.execute("SELECT id FROM assets WHERE taken_at = ?", (ms("2021-08-14"),)).get
    say(catalog, picture, "rating", 2)
    followed = _versions(index)
    with Index.open(catalog, tmp_path / "another") as anew:
        assert _versions(anew) == followed


def test_versions_of_a_query_are_those_of_its_own_pictures(index: Index) -> None:
    whole = {m.month: m.version for m in months(index)}
    first = np.arange(index.size) == int(index.order[1])  # the newest of August
    assert months(index, first) == [Month(AUGUST, 1, months(index, first)[0].version)]
    assert months(index, first)[0].version != whole[AUGUST]
    rest = (index.columns.state == 1) & ~first
    assert {m.month: m.version for m in months(index, rest) if m.month != AUGUST} == {
        month: version for month, version in whole.items() if month != AUGUST
    }


def test_a_thumbhash_too_long_to_be_one_is_none(catalog: Catalog, index: Index) -> None:
    day = Picture(0, thumbhash=None)
    assert months(made([replace(day, thumbhash=b"x" * (LONGEST + 1))])) == months(made([day]))
