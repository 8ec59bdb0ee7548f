"""The file of a generation: what was written is read, what is damaged is not used."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.search import sidecar
from imager.search.sidecar import DamagedError, Generation, Writer, created, generations, locked, reach_of, tidy


def written() -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    writer.array("plain", np.arange(5, dtype=np.uint32), spare=3)
    writer.array("square", np.arange(6, dtype=np.int8).reshape(2, 3))
    assert writer.stream("pieces", np.uint16, iter([np.arange(2), np.arange(3)])) == 5
    writer.array("empty", np.zeros(0, np.float64))
    writer.text("text", {"names": ["Größe", "\ud800"]})
    writer.finish({"reach": 7})
    return file.getvalue()


def write(folder: Path, reach: int) -> Path:
    with created(folder, reach) as (file, path):
        file.write(written())
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    generation = Generation.open(write(tmp_path, 7))
    assert generation.facts == {"reach": 7}
    assert generation.array("plain").tolist() == [0, 1, 2, 3, 4, 0, 0, 0]
    assert generation.array("square").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert generation.array("pieces").tolist() == [0, 1, 0, 1, 2]
    assert generation.array("empty").tolist() == []
    assert generation.text("text") == {"names": ["Größe", "\ud800"]}
    assert generation.verify() == []
    with pytest.raises(DamagedError, match="no section other"):
        generation.array("other")


def test_what_is_patched_stays_out_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, 7)
    generation = Generation.open(path)
    generation.array("plain")[0] = 99
    assert generation.array("plain")[0] == 99
    assert generation.verify() == []
    assert path.read_bytes() == written()


@given(place=st.integers(0, 10**6), size=st.integers(1, 8))
def test_damage_is_noticed_at_once_or_when_it_is_looked_for(place: int, size: int) -> None:
    data = bytearray(written())
    place %= len(data)
    for i in range(place, min(place + size, len(data))):
        data[i] ^= 0x55
    try:
        damaged = Generation(data).verify()
    except DamagedError:
        return
    sections = [
        name
        for name, (start, shape, dtype, _) in Generation(data)._sections.items()
        if start < place + size and place < start + int(np.prod(shape)) * np.dtype(dtype).itemsize
    ]
    assert damaged == sections


@given(st.binary(max_size=200))
def test_anything_else_is_no_generation(data: bytes) -> None:
    with pytest.raises(DamagedError):
        Generation(data)
    with pytest.raises(DamagedError):
        Generation(written()[:-1])


def test_an_empty_file_is_no_generation(tmp_path: Path) -> None:
    (tmp_path / "x.imx").write_bytes(b"")
    with pytest.raises(DamagedError):
        Generation.open(tmp_path / "x.imx")


def test_the_furthest_comes_first(tmp_path: Path) -> None:
    assert generations(tmp_path / "nowhere") == []
    paths = [write(tmp_path, reach) for reach in (9, 1_000_000_000_000_000, 10)]
    for other in ("notes.imx", "9-0123.imx", "9-0123456789abcdef.imx.partial", "lock"):
        (tmp_path / other).write_bytes(b"")
    assert generations(tmp_path) == [paths[1], paths[2], paths[0]]
    assert [reach_of(path) for path in generations(tmp_path)] == [1_000_000_000_000_000, 10, 9]


def test_tidying_keeps_one_and_what_is_not_ours(tmp_path: Path) -> None:
    old, new = write(tmp_path, 1), write(tmp_path, 2)
    cut_off = tmp_path / (new.name + ".partial")
    mine = tmp_path / "mine.imx"
    cut_off.write_bytes(b"x")
    mine.write_bytes(b"x")
    mapped = Generation.open(old)
    tidy(tmp_path, new)
    assert sorted(tmp_path.iterdir()) == sorted([new, mine])
    assert mapped.array("plain")[4] == 4


def test_an_error_while_writing_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with created(tmp_path, 1) as (file, _):
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_one_at_a_time_holds_the_lock(tmp_path: Path) -> None:
    with locked(tmp_path / "new") as mine:
        assert mine
        with locked(tmp_path / "new") as other:
            assert not other
    with locked(tmp_path / "new") as again:
        assert again


def test_a_folder_that_cant_be_has_no_lock(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with locked(tmp_path / "file") as mine:
        assert not mine


def test_sections_begin_on_pages_of_their_own() -> None:
    starts = [start for start, *_ in Generation(bytearray(written()))._sections.values()]
    assert all(start % sidecar._ALIGNED == 0 for start in starts)
