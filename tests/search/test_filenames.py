"""Names of files match patterns all at once as they do one by one."""

from __future__ import annotations

import io
import os

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from imager.search.filenames import FileNames
from imager.search.sidecar import Generation, Writer
from imager.search.stored import named

LETTERS = st.text("abA.é京\udc80*[", max_size=6)
ROWS = st.lists(st.tuples(st.integers(1, 9), LETTERS.map(os.fsencode)), max_size=12)
PATTERNS = st.lists(LETTERS.map(lambda text: text.replace("*", "")), min_size=2, max_size=4).map("*".join)


def found(names: FileNames, pattern: str) -> list[int]:
    return sorted(set(names.matching(pattern).tolist()))


def one_by_one(rows: list[tuple[int, bytes]], pattern: str) -> list[int]:
    fits = named(pattern)
    return sorted({asset for asset, name in rows if fits(os.fsdecode(name))})


@given(rows=ROWS, pattern=PATTERNS)
def test_patterns_find_the_same_as_one_by_one(rows: list[tuple[int, bytes]], pattern: str) -> None:
    assert found(FileNames.of(rows), pattern) == one_by_one(rows, pattern)


@given(rows=ROWS, changed=st.sets(st.integers(1, 9)), fresh=ROWS, pattern=PATTERNS)
def test_names_of_changed_pictures_take_the_place_of_older_ones(
    rows: list[tuple[int, bytes]], changed: set[int], fresh: list[tuple[int, bytes]], pattern: str
) -> None:
    fresh = [row for row in fresh if row[0] in changed]
    file = io.BytesIO()
    writer = Writer(file)
    FileNames.of(rows).replaced(np.array(sorted(changed), np.int64), fresh).write(writer)
    writer.finish({})
    now = [row for row in rows if row[0] not in changed] + fresh
    assert found(FileNames.read(Generation(file.getbuffer())), pattern) == one_by_one(now, pattern)


def test_files_of_contents_are_those_of_their_assets() -> None:
    names = FileNames.of([(1, b"a.jpg"), (2, b"b.jpg"), (3, b"c.jpg"), (9, b"d.jpg")])
    owner = np.array([0, 5, 0, 4], np.int64)  # content 2 has no asset, and 9 came later
    assert found(names.owned(owner), "*") == [4, 5]
