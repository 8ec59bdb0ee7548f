"""IPTC data sets and the Photoshop resources around them."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from imager.formats.iptc import MAX_SETS, iptc_of_tiff, read_iptc, read_resources, resources_to_json
from tests.formats import blocks

FEW = settings(max_examples=60, derandomize=True, deadline=None)
values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=40)


@FEW
@given(st.lists(values, min_size=1, max_size=8), values)
def test_utf8_is_read_back_as_it_was_written(keywords: list[str], caption: str) -> None:
    problems: list[str] = []
    found = read_iptc(
        blocks.iim(
            (1, 90, b"\x1b%G"), *((2, 25, keyword.encode()) for keyword in keywords), (2, 120, caption.encode())
        ),
        problems,
    )
    assert found == {"CodedCharacterSet": ["UTF-8"], "Keywords": keywords, "Caption-Abstract": [caption]}
    assert problems == []


def test_undeclared_text_is_read_as_utf8_or_else_as_latin_1() -> None:
    found = read_iptc(blocks.iim((2, 5, "Käse".encode()), (2, 90, "Köln".encode("latin-1"))), [])
    assert found == {"ObjectName": ["Käse"], "City": ["Köln"]}


def test_a_long_value_with_an_extended_length_is_read() -> None:
    text = b"long " * 10_000
    assert read_iptc(blocks.iim((2, 120, text)), []) == {"Caption-Abstract": [text.decode()]}


def test_unknown_data_sets_are_kept_under_their_numbers() -> None:
    assert read_iptc(blocks.iim((2, 231, b"history"), (2, 0, b"\0\x04")), []) == {
        "2:231": ["history"],
        "ApplicationRecordVersion": ["4"],
    }


def test_damage_keeps_what_precedes_it() -> None:
    problems: list[str] = []
    assert read_iptc(blocks.iim((2, 5, b"Title")) + b"\x1c\x02\x78\x7f\xff" + b"cut", problems) == {
        "ObjectName": ["Title"],
        "Caption-Abstract": ["cut"],
    }
    assert problems == ["The IPTC data is cut off."]
    problems.clear()
    assert read_iptc(blocks.iim((2, 5, b"Title")) + b"rubbish", problems) == {"ObjectName": ["Title"]}
    assert problems == ["The IPTC data is damaged."]


def test_padding_after_the_last_data_set_is_no_damage() -> None:
    problems: list[str] = []
    read_iptc(blocks.iim((2, 5, b"Title")) + bytes(7), problems)
    assert problems == []


def test_the_number_of_data_sets_is_bounded() -> None:
    problems: list[str] = []
    found = read_iptc(b"\x1c\x02\x19\0\0" * (MAX_SETS + 5), problems)
    assert len(found["Keywords"]) == MAX_SETS
    assert problems


def test_words_swapped_by_old_tiff_writers_are_swapped_back() -> None:
    data = blocks.iim((2, 5, b"Title"), (2, 90, b"Ulm"))
    data += bytes(-len(data) % 4)
    swapped = b"".join(struct.pack("<I", *struct.unpack(">I", data[i : i + 4])) for i in range(0, len(data), 4))
    assert iptc_of_tiff(swapped) == data
    assert iptc_of_tiff(data) == data


def test_photoshop_resources_are_read_and_kept() -> None:
    data = (
        blocks.resource(0x0404, b"iptc", b"odd")
        + blocks.resource(0x040A, b"\1")
        + blocks.resource(0x0BB7, b"x" * 65, b"even")
    )
    problems: list[str] = []
    found = read_resources(data, problems)
    assert found == {0x0404: b"iptc", 0x040A: b"\1", 0x0BB7: b"x" * 65}
    assert problems == []
    assert resources_to_json(found) == {
        "0x040A": "01",
        "0x0BB7": {"bytes": 65, "sha256": "9537c5fdf120482f"},
    }


@FEW
@given(st.binary(max_size=300))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    read_iptc(data, [])
    read_iptc(b"\x1c\x02\x19" + data, [])
    read_resources(data, [])
    read_resources(b"8BIM" + data, [])
    iptc_of_tiff(data)
