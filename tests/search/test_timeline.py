"""Counts by time and pages in either direction, against slow and obvious ways to find the same."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.catalog import Catalog
from imager.catalog.identity import format_id
from imager.errors import UsageError
from imager.facts import TakenAt
from imager.search import timeline
from imager.search.index import Index
from tests.catalog.libraries import content, put, say
from tests.search.made import FIRST, LAST, Picture, identifier, made, mask_of, ms, wall

SOME_TIMES = st.integers(FIRST, LAST) | st.sampled_from(
    [
        FIRST,
        LAST,
        -1,
        0,
        ms("1969-12-31"),
        ms("1970-01-01"),
        ms("2021-08-31T23:59:59.999"),
        ms("2021-09-01"),
        2**31 * 1000,
    ]
)
PICTURES = st.lists(st.builds(Picture, SOME_TIMES, st.sampled_from([1, 1, 1, 2, 3])), max_size=12)

INTERVALS = (
    "SELECT strftime('%Y-%m-%d', taken_at / 1000, 'unixepoch'), count(*) FROM assets WHERE state = 'present' "
    "GROUP BY 1 ORDER BY 1 DESC"
)


@pytest.fixture
def index(catalog: Catalog, tmp_path: Path) -> Iterator[Index]:
    """The index of the test's catalog."""
    with Index.open(catalog, tmp_path / "index") as opened:
        yield opened


def _put(catalog: Catalog, number: int | str, taken: int) -> bytes:
    dates = (TakenAt(at=taken, source="exif:DateTimeOriginal", confidence=0.95),)
    return put(catalog, content(number, dates=dates))[0]


def _ordered(pictures: list[Picture], wanted: set[int]) -> list[str]:
    """Ids, newest first."""
    keys = sorted(((p.taken, n) for n, p in enumerate(pictures, 1) if n in wanted), reverse=True)
    return [format_id(identifier(n)) for _, n in keys]


def _ids(page: timeline.TimelinePage) -> list[str]:
    return [row.id for row in page.rows]


@given(PICTURES, st.sets(st.integers(1, 12)) | st.none())
def test_counts_are_what_counting_one_by_one_gives(pictures: list[Picture], wanted: set[int] | None) -> None:
    index = made(pictures)
    mask = None if wanted is None else mask_of(index, [n for n in wanted if n <= len(pictures)])
    counted = [p for n, p in enumerate(pictures, 1) if (p.state == 1 if wanted is None else n in wanted)]
    days = Counter(wall(p.taken).date().isoformat() for p in counted)
    assert [(d.day, d.count) for d in timeline.days(index, mask)] == sorted(days.items(), reverse=True)
    for found, length in ((timeline.months(index, mask), 7), (timeline.years(index, mask), 4)):
        sums = Counter(wall(p.taken).date().isoformat()[:length] for p in counted)
        told = [(m.month if isinstance(m, timeline.MonthCount) else m.year, m.count) for m in found]
        assert told == sorted(sums.items(), reverse=True)


@given(PICTURES, st.sets(st.integers(1, 12)), st.integers(1, 5), st.booleans(), st.sampled_from([0, 1 << 14]))
def test_pages_give_each_picture_once_in_both_directions(
    pictures: list[Picture], wanted: set[int], limit: int, many: bool, near: int
) -> None:
    index = made(pictures)
    wanted = {n for n in wanted if n <= len(pictures)}
    mask = mask_of(index, sorted(wanted))
    with pytest.MonkeyPatch.context() as patch:
        if many:  # as if there were too many to be put in order by themselves; with blocks that end between them
            patch.setattr(timeline, "_FEW", -1)
            patch.setattr(timeline, "_growing", lambda _: itertools.repeat(2))
        else:
            patch.setattr(timeline, "_NEAR", near)
        page = timeline.page(index, mask, limit=limit)
        assert page.newer is None
        down, last = _ids(page), page
        while page.older is not None:
            assert len(page.rows) == limit
            page = last = timeline.page(index, mask, after=page.older, limit=limit)
            assert page.newer is not None
            down += _ids(page)
        assert down == _ordered(pictures, wanted)
        up, page = _ids(last), last
        while page.newer is not None:
            page = timeline.page(index, mask, before=page.newer, limit=limit)
            assert page.older is not None
            up = _ids(page) + up
        assert up == down


@given(PICTURES.filter(bool), SOME_TIMES, st.booleans())
def test_a_jump_goes_to_what_was_taken_before_a_moment(pictures: list[Picture], at: int, many: bool) -> None:
    index = made(pictures)
    every = set(range(1, len(pictures) + 1))
    before = {n for n, p in enumerate(pictures, 1) if p.taken < at}
    with pytest.MonkeyPatch.context() as patch:
        if not many:
            patch.setattr(timeline, "_NEAR", 0)
        page = timeline.page(index, mask_of(index, sorted(every)), at=at, limit=3)
    if before:
        assert _ids(page) == _ordered(pictures, before)[:3]
        assert (page.newer is None, page.older is None) == (before == every, len(before) <= 3)
    else:
        assert (_ids(page), page.older) == (_ordered(pictures, every)[-3:], None)


def test_the_index_and_sql_count_the_same(catalog: Catalog, index: Index) -> None:
    rng = random.Random(1)
    for number in range(40):
        _put(
            catalog,
            number,
            rng.randrange(ms("2020-01-01"), ms("2022-01-01")) if number % 4 else rng.choice([FIRST, LAST]),
        )
    say(catalog, _put(catalog, "trashed", 0), "trashed", True)
    index.refresh()
    by_day: list[Any] = catalog.db.execute(INTERVALS).fetchall()
    assert [(d.day, d.count) for d in timeline.days(index)] == by_day
    months = Counter[str]()
    for day, count in by_day:
        months[day[:7]] += count
    assert {m.month: m.count for m in timeline.months(index)} == months


def test_rows_say_what_the_catalog_says(catalog: Catalog, index: Index) -> None:
    picture = _put(catalog, 1, ms("2021-08-14T12:00:00.001"))
    for field, value in (("rating", 4), ("favourite", True)):
        say(catalog, picture, field, value)
    rejected = put(catalog, content(2, rating=-1, width=None, height=None))[0]
    index.refresh()
    first, second = sorted(timeline.page(index).rows, key=lambda row: not row.favourite)
    assert first == timeline.Row(
        format_id(picture), ms("2021-08-14T12:00:00.001"), 40, 30, b"hash".hex(), "image", 4, True
    )
    assert (second.id, second.rating, second.width, second.height) == (format_id(rejected), -1, None, None)


def test_paging_while_pictures_are_added_shows_each_that_was_there_exactly_once(catalog: Catalog, index: Index) -> None:
    rng = random.Random(2)
    there = {format_id(_put(catalog, n, rng.randrange(20))) for n in range(30)}  # many at the same time
    index.refresh()
    arriving = itertools.count(100)
    seen: list[str] = []
    page = last = timeline.page(index, limit=4)
    while True:
        seen += _ids(page)
        for _ in range(3):
            _put(catalog, next(arriving), rng.randrange(-5, 25))
        index.refresh()
        if page.older is None:
            break
        page = last = timeline.page(index, after=page.older, limit=4)
    assert len(seen) == len(set(seen))
    assert there <= set(seen)

    seen, page = _ids(last), last
    while page.newer is not None:
        _put(catalog, next(arriving), rng.randrange(-5, 25))
        index.refresh()
        page = timeline.page(index, before=page.newer, limit=4)
        seen += _ids(page)
    assert len(seen) == len(set(seen))
    assert there <= set(seen)


def test_a_cursor_of_a_picture_that_is_gone_still_names_its_place(catalog: Catalog, index: Index) -> None:
    ids = [_put(catalog, n, n) for n in range(6)]
    index.refresh()
    page = timeline.page(index, limit=3)
    say(catalog, ids[3], "trashed", True)  # the last of the page
    index.refresh()
    after = timeline.page(index, after=page.older, limit=2)
    assert _ids(after) == [format_id(ids[2]), format_id(ids[1])]
    assert after.newer is not None
    assert _ids(timeline.page(index, before=after.newer)) == [format_id(ids[5]), format_id(ids[4])]


@pytest.mark.parametrize("share", [1, 2])
def test_a_whole_library_of_one_millisecond_is_paged_through_rightly(share: int) -> None:
    index = made([Picture(5)] * 70_000)
    mask = np.arange(index.size) % share == 0
    mask[0] = False
    cursor, numbers = None, list[int]()
    for number in range(0, index.size, 2_000):
        index.columns._arrays["width"][number : number + 2_000] = np.arange(number, min(number + 2_000, index.size))
    while True:
        page = timeline.page(index, mask, after=cursor, limit=9_000)
        numbers += [row.width or 0 for row in page.rows]
        if (cursor := page.older) is None:
            break
    assert numbers == np.flatnonzero(mask)[::-1].tolist()
    back = timeline.page(index, mask, before=page.newer, limit=5)
    assert [row.width for row in back.rows] == numbers[-len(page.rows) - 5 : -len(page.rows)]


def test_an_empty_library_has_no_time(catalog: Catalog, index: Index) -> None:
    assert [*timeline.years(index), *timeline.months(index), *timeline.days(index)] == []
    for at in (None, 0):
        assert timeline.page(index, at=at) == timeline.TimelinePage([], None, None)


def test_months_lie_side_by_side_in_the_order(catalog: Catalog, index: Index) -> None:
    for number, taken in enumerate(
        [FIRST, ms("2021-07-31T23:59:59.999"), ms("2021-08-01"), ms("2021-08-31T23:59:59.999"), LAST]
    ):
        _put(catalog, number, taken)
    index.refresh()
    assert timeline.month_places(index, timeline.month_number("2021-08")) == (1, 3)
    assert timeline.month_places(index, timeline.month_number("0001-01")) == (4, 5)
    assert timeline.month_places(index, timeline.month_number("9999-12")) == (0, 1)
    assert timeline.month_places(index, timeline.month_number("2000-01")) == (4, 4)


@pytest.mark.parametrize(
    "text", ["", "2021", "2021-8", "2021-13", "2021-00", "20-2108", "aug 2021", "２０２１-08", "2021-08-01"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a month"):
        timeline.month_number(text)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("aug 2021", "2021-09-01"),
        ("2021-08", "2021-09-01"),
        ("2021", "2022-01-01"),
        ("2021-08-14", "2021-08-15"),
        ("August 2021", "2021-09-01"),
        ("yesterday", "2024-05-05"),
    ],
)
def test_dates_in_words_name_the_place_to_jump_to(text: str, end: str) -> None:
    assert timeline.moment(text, datetime(2024, 5, 5, 12)) == ms(end)


@pytest.mark.parametrize("text", ["", "red door", "rating:5"])
def test_what_names_no_date_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a date"):
        timeline.moment(text, datetime(2024, 5, 5))


@given(st.text(max_size=24))
def test_a_cursor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a place"):
        timeline.page(made([Picture()]), after=text + "!")


def test_a_page_begins_at_one_place_and_holds_something() -> None:
    index = made([Picture(), Picture()])
    cursor = timeline.page(index, limit=1).older
    wrongs: tuple[dict[str, Any], ...] = ({"after": cursor, "before": cursor}, {"after": cursor, "at": 1}, {"limit": 0})
    for wrong in wrongs:
        with pytest.raises(UsageError):
            timeline.page(index, **wrong)
