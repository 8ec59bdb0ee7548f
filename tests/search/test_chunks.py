"""Chunks show what the catalog holds, under an address whose answer never changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.catalog import Catalog
from imager.errors import NotFoundError, UnreadableError, UsageError
from imager.facts import TakenAt
from imager.search import skeleton
from imager.search.chunks import CHUNK, Chunk, Gone, chunk
from imager.search.index import Index
from tests.catalog.libraries import content, put, say
from tests.search.made import FIRST, LAST, Picture, identifier, made, mask_of, ms, wall

AUGUST = "2021-08"
PICTURES = st.lists(
    st.builds(
        Picture,
        st.integers(ms("2021-07-20"), ms("2021-09-10")) | st.sampled_from([FIRST, LAST]),
        st.sampled_from([1, 1, 2]),
        rating=st.integers(-2, 5),
        favourite=st.integers(0, 1),
        duration=st.sampled_from([float("nan"), 0.0, 2.5]),
        ratio=st.integers(0, 255),
        shade=st.integers(0, 0xFFFF),
        thumbhash=st.none() | st.binary(min_size=1, max_size=25),
    ),
    max_size=12,
)


@pytest.fixture
def index(catalog: Catalog, tmp_path: Path) -> Iterator[Index]:
    """The index of a catalog with two pictures in August 2021 and one in September."""
    for number, day in enumerate(("2021-08-01", "2021-08-14", "2021-09-01")):
        _put(catalog, number, ms(day))
    with Index.open(catalog, tmp_path / "index") as opened:
        yield opened


def _put(catalog: Catalog, number: int | str, taken: int) -> None:
    put(catalog, content(number, dates=(TakenAt(at=taken, source="exif:DateTimeOriginal", confidence=0.95),)))


def _version(index: Index, month: str = AUGUST) -> int:
    index.refresh()
    return next(m.version for m in skeleton.months(index) if m.month == month)


def _whole(index: Index, month: str, mask: np.ndarray[tuple[int], np.dtype[np.bool_]] | None) -> list[Chunk]:
    found: list[Chunk] = []
    version = next(m.version for m in skeleton.months(index, mask) if m.month == month)
    while not found or len(found) * CHUNK < found[0].of:
        one = chunk(index, mask, month, len(found), version)
        assert isinstance(one, Chunk)
        found.append(one)
    return found


@given(PICTURES, st.sets(st.integers(1, 12)) | st.none(), st.integers(1, 5))
def test_the_chunks_of_all_months_are_all_pictures_once(
    pictures: list[Picture], wanted: set[int] | None, size: int
) -> None:
    index = made(pictures)
    mask = None if wanted is None else mask_of(index, [n for n in wanted if n <= len(pictures)])
    shown = [(p.taken, n, p) for n, p in enumerate(pictures, 1) if (p.state == 1 if wanted is None else n in wanted)]
    shown.sort(key=lambda found: found[:2], reverse=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("imager.search.chunks.CHUNK", size)
        patch.setattr("tests.search.test_chunks.CHUNK", size)
        chunks = [one for month in skeleton.months(index, mask) for one in _whole(index, month.month, mask)]
    assert all(0 < len(one.ids) <= size for one in chunks)
    assert all(wall(t).date().isoformat().startswith(one.month) for one in chunks for t in one.taken.tolist())
    assert [i for one in chunks for i in one.ids] == [identifier(n) for _, n, _ in shown]
    assert [t for one in chunks for t in one.taken.tolist()] == [taken for taken, *_ in shown]
    assert [r for one in chunks for r in one.ratios.tolist()] == [p.ratio for *_, p in shown]
    assert [s for one in chunks for s in one.shades.tolist()] == [p.shade for *_, p in shown]
    assert [t for one in chunks for t in one.thumbhashes] == [p.thumbhash or b"" for *_, p in shown]
    assert [f for one in chunks for f in one.flags.tolist()] == [
        p.favourite + 2 * (p.duration > 0) + 4 * (7 if p.rating == -2 else p.rating + 1) for *_, p in shown
    ]


@given(PICTURES.filter(bool))
def test_a_chunk_is_read_back_from_its_bytes(pictures: list[Picture]) -> None:
    index = made([replace(p, state=1) for p in pictures])
    for month in skeleton.months(index):
        (one,) = _whole(index, month.month, None)
        read = Chunk.read(one.to_bytes())
        for name in ("month", "number", "version", "of", "ids", "thumbhashes"):
            assert getattr(read, name) == getattr(one, name)
        for name in ("taken", "shades", "ratios", "flags"):
            assert np.array_equal(getattr(read, name), getattr(one, name))
        assert read.to_bytes() == one.to_bytes()


def test_the_bytes_are_those_that_are_documented() -> None:
    day = ms("2021-08-14")
    index = made(
        [
            Picture(day, ratio=200, shade=0x1234, rating=5, thumbhash=b"abc"),
            Picture(day + 1, ratio=100, shade=0xABCD, favourite=1, duration=3.0, thumbhash=None),
        ]
    )
    (month,) = skeleton.months(index)
    (one,) = _whole(index, AUGUST, None)
    assert one.to_bytes() == (
        b"IMCH\x01\x00\x03\x00"
        + month.version.to_bytes(8, "little")
        + (2021 * 12 + 7).to_bytes(4, "little")
        + b"\x00\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00"
        + (day + 1).to_bytes(8, "little")
        + day.to_bytes(8, "little")
        + identifier(2)
        + identifier(1)
        + b"\xcd\xab\x34\x12"
        + bytes([100, 200])
        + bytes([1 + 2, 6 << 2])
        + bytes([0, 3])
        + b"\0\0\0abc"
    )


def test_a_chunk_shows_what_the_catalog_holds(catalog: Catalog, index: Index) -> None:
    ids: list[Any] = catalog.db.execute("SELECT id FROM assets ORDER BY taken_at DESC").fetchall()
    say(catalog, ids[1][0], "rating", 0)
    one = chunk(index, None, AUGUST, 0, _version(index))
    assert isinstance(one, Chunk)
    assert one.ids == [i for (i,) in ids[1:]]
    assert one.taken.tolist() == [ms("2021-08-14"), ms("2021-08-01")]
    assert one.thumbhashes == [b"hash", b"hash"]
    assert one.flags.tolist() == [1 << 2, 0]
    assert np.exp((one.ratios.astype(float) - 128) / 64) == pytest.approx([40 / 30, 40 / 30], rel=0.01)


def test_another_version_is_gone_and_the_one_that_is_there_is_told(catalog: Catalog, index: Index) -> None:
    august, september = _version(index), _version(index, "2021-09")
    _put(catalog, "new", ms("2021-08-20"))
    now = _version(index)
    assert chunk(index, None, AUGUST, 0, august) == Gone(now)
    assert isinstance(chunk(index, None, AUGUST, 0, now), Chunk)
    assert isinstance(chunk(index, None, "2021-09", 0, september), Chunk)  # as it was
    assert chunk(index, None, "2021-09", 0, now) == Gone(september)


def test_a_month_without_pictures_is_gone(catalog: Catalog, index: Index) -> None:
    assert chunk(index, None, "1999-01", 0, 5) == Gone(None)
    august = _version(index)
    assert chunk(index, np.zeros(index.size, np.bool_), AUGUST, 0, august) == Gone(None)
    ids: list[Any] = catalog.db.execute("SELECT id FROM assets").fetchall()
    for (i,) in ids:
        say(catalog, i, "trashed", True)
    index.refresh()
    assert chunk(index, None, AUGUST, 0, august) == Gone(None)


def test_what_is_no_address_is_refused(index: Index) -> None:
    version = _version(index)
    for number in (1, -1, 2**40):
        with pytest.raises(NotFoundError, match="no chunk"):
            chunk(index, None, AUGUST, number, version)
    with pytest.raises(UsageError, match="not a month"):
        chunk(index, None, "August", 0, version)


def test_a_month_of_seventy_thousand_comes_in_chunks_like_any_other() -> None:
    start = ms("2021-08-14")
    index = made([Picture(start, shade=n % 65_536) for n in range(70_000)] + [Picture(start + 86_400_000 * 40)])
    chunks = _whole(index, AUGUST, None)
    assert [len(one.ids) for one in chunks] == [1_024] * 68 + [70_000 - 68 * 1_024]
    assert np.concatenate([one.shades for one in chunks]).tolist() == [n % 65_536 for n in reversed(range(70_000))]
    assert chunks[0].of == 70_000


@given(st.binary(max_size=80) | st.integers(1, 80))
def test_what_is_no_chunk_is_refused(data: bytes | int) -> None:
    if isinstance(data, int):  # a chunk that is cut off
        (one,) = _whole(made([Picture(ms(AUGUST + "-01"))] * 3), AUGUST, None)
        data = one.to_bytes()[:-data]
    with pytest.raises(UnreadableError):
        Chunk.read(data)
