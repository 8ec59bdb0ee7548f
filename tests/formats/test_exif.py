"""The TIFF directory reader, against blocks written here and against damage."""

from __future__ import annotations

import json
import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.formats.exif import MAX_DIRECTORIES, Exif, Rational, exif_to_json, read_exif
from tests.formats import blocks
from tests.formats.blocks import ASCII, BYTE, DOUBLE, LONG, RATIONAL, SHORT, SRATIONAL, UNDEFINED

FEW = settings(max_examples=60, derandomize=True, deadline=None)

shorts = st.integers(0, 0xFFFF)
longs = st.integers(0, 0xFFFFFFFF)
tags = st.integers(0xB000, 0xBFFF)  # private, so that none means anything
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
entries = st.one_of(
    st.tuples(tags, st.just(SHORT), shorts | st.lists(shorts, min_size=2, max_size=40)),
    st.tuples(tags, st.just(LONG), longs | st.lists(longs, min_size=2, max_size=40)),
    st.tuples(tags, st.just(RATIONAL), st.tuples(longs, longs)),
    st.tuples(tags, st.just(UNDEFINED), st.binary(min_size=1, max_size=50)),
    st.tuples(tags, st.just(DOUBLE), st.floats(allow_nan=False)),
    st.tuples(
        tags, st.just(ASCII), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)
    ),
)
directories = st.lists(entries, max_size=12, unique_by=lambda entry: entry[0])


def as_read(value: object, kind: int) -> object:
    """What the reader makes of a value that was written."""
    if kind == RATIONAL and isinstance(value, tuple):
        return Rational(*value)
    return tuple(value) if isinstance(value, list) else value


@FEW
@given(directories, directories, directories, st.sampled_from("<>"))
def test_what_is_written_is_read_back_in_both_byte_orders(
    ifd0: list[blocks.Entry], exif: list[blocks.Entry], gps: list[blocks.Entry], order: str
) -> None:
    found = read_exif(blocks.tiff(ifd0, exif=exif, gps=gps, order=order))
    assert found.problems == ()
    for name, written in (("IFD0", ifd0), ("Exif", exif), ("GPS", gps)):
        expected = {tag: as_read(value, kind) for tag, kind, value in written}
        assert found.directories.get(name, {}) == expected


@pytest.mark.parametrize("header", [b"", b"Exif\0\0", b"Exif\0\xff", b"\0\0\0\x06Exif\0\0"])
def test_a_block_is_read_with_and_without_its_header(header: bytes) -> None:
    found = read_exif(header + blocks.tiff([(0x010F, ASCII, "Canon")]))
    assert found.get("IFD0", 0x010F) == "Canon"


def test_all_directories_are_found_and_named() -> None:
    found = read_exif(
        blocks.tiff(
            [(0x010F, ASCII, "Canon")],
            exif=[(0x829D, RATIONAL, (28, 10))],
            gps=[(1, ASCII, "S")],
            interop=[(1, ASCII, "R98")],
            ifd1=[(0x0103, SHORT, 6)],
        )
    )
    assert exif_to_json(found) == {
        "Make": "Canon",
        "Exif": {"FNumber": "28/10"},
        "GPS": {"GPSLatitudeRef": "S"},
        "Interop": {"InteroperabilityIndex": "R98"},
        "IFD1": {"Compression": 6},
    }


def test_big_tiff_is_read() -> None:
    entry = struct.pack("<HHQ8s", 0x010F, ASCII, 5, b"Canon\0\0\0") + struct.pack("<HHQQ", 0x0100, 16, 1, 1 << 33)
    found = read_exif(b"II+\0" + struct.pack("<HHQQ", 8, 0, 16, 2) + entry + bytes(8))
    assert found.directories == {"IFD0": {0x010F: "Canon", 0x0100: 1 << 33}}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (b"Zo\xc3\xab\0", "Zoë"),
        (b"Zo\xeb\0", "Zoë"),
        (b"\x93x\x94\0", "“x”"),
        (b"\x81\x8d\0", "\x81\x8d"),
        (b"Canon\0\xffgarbage", "Canon"),
        (b"Canon", "Canon"),
    ],
)
def test_text_that_is_not_ascii_is_read_as_what_it_most_likely_is(written: bytes, read: str) -> None:
    assert read_exif(blocks.tiff([(0x010F, ASCII, written)])).get("IFD0", 0x010F) == read


def test_both_parts_of_a_copyright_are_kept() -> None:
    found = read_exif(blocks.tiff([(0x8298, ASCII, b"Ann\0Bert\0")]))
    assert found.get("IFD0", 0x8298) == "Ann\nBert"


def test_json_is_ascii_and_keeps_no_large_binary() -> None:
    exif = Exif(
        {
            "IFD0": {0x010E: "Brücke", 0xC4A5: b"\x00" * 65, 0xC612: b"\1\4\0\0"},
            "Exif": {0x927C: b"maker" * 99, 0x9000: b"0232", 0x9204: Rational(-1, 3), 0xB000: float("nan")},
        }
    )
    result = exif_to_json(exif)
    json.dumps(result, allow_nan=False)
    assert result["PrintImageMatching"] == {"bytes": 65, "sha256": "98ce42deef51d402"}
    assert result["DNGVersion"] == "01040000"
    assert result["Exif"] == {
        "MakerNote": {"bytes": 495},
        "ExifVersion": "0232",
        "ExposureBiasValue": "-1/3",
        "0xB000": "nan",
    }


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


def raw_tiff(*entries: bytes, count: int | None = None, following: int = 0, tail: bytes = b"") -> bytes:
    """A TIFF whose first directory is exactly this."""
    number = struct.pack("<H", len(entries) if count is None else count)
    return b"II*\0\x08\0\0\0" + number + b"".join(entries) + struct.pack("<I", following) + tail


def test_a_loop_of_directories_ends() -> None:
    found = read_exif(raw_tiff(entry(0x0112, SHORT, 1, 6), entry(0x8769, LONG, 1, 8), following=8))
    assert found.get("IFD0", 0x0112) == 6
    assert any("loop" in problem for problem in found.problems)


def test_offsets_and_counts_out_of_range_cost_only_their_own_value() -> None:
    found = read_exif(
        raw_tiff(
            entry(0x0110, ASCII, 0xFFFFFFFF, 0xFFFFFFF0),
            entry(0x0112, SHORT, 1, 3),
            entry(0x011A, RATIONAL, 0xFFFFFFFF, 8),
            entry(0x8769, LONG, 1, 0xFFFFFFFF),
        )
    )
    assert found.directories["IFD0"] == {0x0112: 3}
    assert len(found.problems) == 3


def test_a_text_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    data = raw_tiff(entry(0x010E, ASCII, 1000, 26), tail=b"as far as")
    assert read_exif(data).get("IFD0", 0x010E) == "as far as"


def test_a_directory_that_claims_more_entries_than_fit_gives_those_that_do() -> None:
    found = read_exif(raw_tiff(entry(0x0112, SHORT, 1, 8), count=500))
    assert found.get("IFD0", 0x0112) == 8
    assert any("cut off" in problem for problem in found.problems)


def test_the_number_of_directories_is_bounded() -> None:
    many = 1000
    offsets = struct.pack(f"<{many}I", *range(26 + 4 * many, 26 + 4 * many + 6 * many, 6))
    data = raw_tiff(entry(0x014A, LONG, many, 26), tail=offsets + bytes(6 * many))
    assert len(read_exif(data).directories) <= MAX_DIRECTORIES


@pytest.mark.parametrize("kind", [BYTE, ASCII, SHORT, RATIONAL, UNDEFINED, SRATIONAL])
def test_a_hostile_file_is_read_in_bounded_time(kind: int) -> None:
    many = 20_000
    body = raw_tiff(*(entry(i, kind, 1 << 20, 8) for i in range(many)))
    started = time.process_time()
    read_exif(body + bytes(20 << 20))
    assert time.process_time() - started < 5  # processor time; without bounds it takes minutes


@pytest.mark.parametrize("data", [b"", b"II", b"II*\0", b"MM\0*\0\0", b"II*\0\xff\xff\xff\xff", b"JFIF" * 30])
def test_what_is_no_exif_gives_nothing_and_says_so(data: bytes) -> None:
    found = read_exif(data)
    assert found.directories in ({}, {"IFD0": {}})
    assert found.problems


@FEW
@given(st.binary(max_size=400), st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"II+\0\x08\0\0\0"]))
def test_arbitrary_bytes_never_raise(data: bytes, start: bytes) -> None:
    json.dumps(exif_to_json(read_exif(start + data)), allow_nan=False)
