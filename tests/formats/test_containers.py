"""Finding the blocks of metadata within every kind of file."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.formats import boxes, containers
from imager.formats.containers import Blocks
from tests.formats import blocks

FEW = settings(max_examples=80, derandomize=True, deadline=None)
READERS: dict[str, Callable[[bytes, Blocks], None]] = {
    **containers.READERS,
    "heif": boxes.read_heif,
    "jxl": boxes.read_jxl,
}
EXIF = blocks.tiff([(0x010F, blocks.ASCII, "Canon")])
XMP = blocks.xmp("", 'xmp:Rating="4"')


def read(kind: str, data: bytes) -> Blocks:
    found = Blocks()
    READERS[kind](data, found)
    return found


WHOLE = {
    "jpeg": blocks.jpeg(blocks.app1(EXIF), blocks.xmp_segment(XMP)),
    "png": blocks.png(blocks.chunk(b"eXIf", EXIF), blocks.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
    "webp": blocks.webp((b"VP8X", bytes(10)), (b"EXIF", EXIF), (b"XMP ", XMP)),
    "heif": blocks.heif(exif=EXIF, packet=XMP),
    "jxl": blocks.jxl(blocks.box(b"Exif", bytes(4) + EXIF), blocks.box(b"xml ", XMP)),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_exif_and_xmp_are_found_in_every_container(kind: str) -> None:
    found = read(kind, WHOLE[kind])
    assert [bytes(block)[-len(EXIF) :] for block in found.exif] == [EXIF]
    assert found.xmp == [XMP]
    assert found.problems == []


def test_heif_items_in_the_meta_box_itself_are_found() -> None:
    found = read("heif", blocks.heif(exif=EXIF, packet=XMP, in_idat=True))
    assert (found.exif, found.xmp) == ([EXIF], [XMP])


def test_nothing_after_the_first_scan_of_a_jpeg_is_looked_at() -> None:
    found = read("jpeg", blocks.jpeg(tail=blocks.segment(0xFE, b"hidden") + blocks.app1(EXIF)))
    assert (found.comments, found.exif) == ([], [])


def test_the_small_segments_of_a_jpeg_are_read() -> None:
    found = read(
        "jpeg",
        blocks.jpeg(
            blocks.segment(0xE0, b"JFIF\0\1\2\1\0\x48\0\x48\0\0"),
            blocks.segment(0xFE, "Grüße".encode("latin-1")),
            blocks.segment(0xEE, b"Adobe\0\x64\0\0\0\0\1"),
            size=(320, 200),
        ),
    )
    assert found.other["jfif"] == {"JFIFVersion": "1.02", "ResolutionUnit": 1, "XResolution": 72, "YResolution": 72}
    assert found.other["adobe"]["ColorTransform"] == 1
    assert found.comments == ["Grüße"]
    assert found.size == (320, 200)


def test_a_profile_over_several_segments_is_put_together_in_order() -> None:
    parts = [
        blocks.segment(0xE2, b"ICC_PROFILE\0" + bytes([i, 2]) + data) for i, data in ((2, b"world"), (1, b"hello "))
    ]
    assert read("jpeg", blocks.jpeg(*parts)).icc == b"hello world"


def test_photoshop_resources_over_several_segments_are_one_stream() -> None:
    data = blocks.resource(0x0404, b"x" * 100)
    parts = [blocks.photoshop_segment(data[:50]), blocks.photoshop_segment(data[50:])]
    assert read("jpeg", blocks.jpeg(*parts)).photoshop == [data]


def test_extended_xmp_is_put_together() -> None:
    guid = b"0123456789ABCDEF0123456789ABCDEF"
    more = blocks.xmp("", 'xmp:Label="' + "long " * 500 + '"')
    main = blocks.xmp("", f'xmpNote:HasExtendedXMP="{guid.decode()}"')
    found = read("jpeg", blocks.jpeg(blocks.xmp_segment(main), *blocks.extended_xmp(guid, more, 1000)))
    assert found.xmp == [main, more]
    stray = read("jpeg", blocks.jpeg(blocks.xmp_segment(XMP), *blocks.extended_xmp(guid, more, 1000)))
    assert stray.xmp == [XMP]
    gap = read("jpeg", blocks.jpeg(blocks.xmp_segment(main), *blocks.extended_xmp(guid, more, 1000)[1:]))
    assert gap.xmp == [main]
    assert gap.problems


@pytest.mark.parametrize("wrong", [-9, -1, 3, 14])
def test_a_wrong_segment_length_does_not_lose_what_the_segment_holds(wrong: int) -> None:
    head = b"Exif\0\0" + EXIF
    damaged = b"\xff\xe1" + struct.pack(">H", len(head) + 2 + wrong) + head
    found = read("jpeg", blocks.jpeg(damaged, blocks.segment(0xFE, b"comment " * 4), blocks.segment(0xFE, b"second")))
    assert EXIF in bytes(found.exif[0]) or (wrong < 0 and bytes(found.exif[0]).startswith(head))
    assert "second" in found.comments
    assert found.problems == ["A segment of the JPEG has a wrong length."]


def test_png_texts_of_all_kinds_are_read_before_and_after_the_pixels() -> None:
    found = read(
        "png",
        blocks.png(
            blocks.chunk(b"tEXt", b"Title\0Caf\xe9"),
            blocks.chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"packed")),
            blocks.chunk(b"tIME", struct.pack(">HBBBBB", 2021, 7, 4, 15, 30, 12)),
            after=[
                blocks.chunk(b"iTXt", b"Author\0\0\0de\0Autor\0" + "Zoë".encode()),
                blocks.chunk(b"iTXt", b"Author\0\1\0\0\0" + zlib.compress("日本".encode())),
            ],
        ),
    )
    assert found.text == {"Title": ["Café"], "Comment": ["packed"], "Author": ["Zoë", "日本"]}
    assert found.other["png:tIME"] == "2021-07-04T15:30:12"
    assert found.size == (1, 1)


@pytest.mark.parametrize(
    ("kind", "payload", "where"),
    [
        ("exif", b"Exif\0\0" + EXIF, "exif"),
        ("APP1", b"Exif\0\0" + EXIF, "exif"),
        ("APP1", b"http://ns.adobe.com/xap/1.0/\0" + XMP, "xmp"),
        ("xmp", XMP, "xmp"),
        ("iptc", blocks.resource(0x0404, b"abc"), "photoshop"),
        ("8bim", blocks.resource(0x0404, b"abc"), "photoshop"),
        ("iptc", blocks.iim((2, 5, b"Title")), "iptc"),
    ],
)
def test_raw_profiles_in_png_text_are_unpacked(kind: str, payload: bytes, where: str) -> None:
    digits = payload.hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = f"\n{kind.upper()} profile\n{len(payload):8}\n{lines}\n".encode()
    data = blocks.chunk(b"zTXt", f"Raw profile type {kind}".encode() + b"\0\0" + zlib.compress(text))
    (found,) = getattr(read("png", blocks.png(data)), where)
    assert bytes(found) == payload.removeprefix(b"http://ns.adobe.com/xap/1.0/\0")


def test_a_bomb_of_compressed_text_is_cut_short() -> None:
    bomb = zlib.compress(bytes(40 << 20), 1)
    found = read("png", blocks.png(*[blocks.chunk(b"zTXt", b"Comment\0\0" + bomb)] * 20))
    assert sum(map(len, found.text.get("Comment", []))) <= containers.MAX_BLOCK
    assert found.problems


def test_gif_comments_and_xmp_are_read() -> None:
    found = read("gif", blocks.gif(comment=b"long " * 100, packet=XMP))
    assert found.comments == ["long " * 100]
    assert found.xmp == [XMP]
    assert found.problems == []


def test_a_profile_and_the_rotation_of_a_heif_are_read() -> None:
    ipco = blocks.box(b"ipco", blocks.box(b"colr", b"profICC!") + blocks.box(b"irot", b"\3"))
    data = blocks.box(b"ftyp", b"heic\0\0\0\0") + blocks.box(b"meta", bytes(4) + blocks.box(b"iprp", ipco))
    found = read("heif", data)
    assert found.icc == b"ICC!"
    assert found.other["heif"] == {"MajorBrand": "heic", "Brands": [], "Rotation": 270}


def test_a_bare_jpeg_xl_codestream_holds_nothing() -> None:
    assert read("jxl", b"\xff\x0a" + bytes(100)) == Blocks()


def test_compressed_boxes_without_brotli_are_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "brotli", None)
    found = read("jxl", blocks.jxl(blocks.box(b"brob", b"xml \x0b\x02\x80xmp\x03")))
    assert found.xmp == []
    assert "brotli" in found.problems[0]


def test_compressed_boxes_are_read_where_brotli_is_installed() -> None:
    brotli = pytest.importorskip("brotli", minversion="1.2")
    found = read("jxl", blocks.jxl(blocks.box(b"brob", b"Exif" + brotli.compress(bytes(4) + EXIF))))
    assert found.exif == [EXIF]
    bomb = read("jxl", blocks.jxl(blocks.box(b"brob", b"xml " + brotli.compress(bytes(40 << 20), quality=1))))
    assert bomb.xmp == []
    assert "too large" in bomb.problems[0]


HOSTILE = {
    "jpeg fill": ("jpeg", b"\xff\xd8" + b"\xff" * (8 << 20)),
    "jpeg segments": ("jpeg", b"\xff\xd8" + b"\xff\xfe\0\x02" * (2 << 20)),
    "png chunks": ("png", blocks.png() [:-12] + blocks.chunk(b"tEXt", b"a\0") * (1 << 19)),
    "webp chunks": ("webp", b"RIFF\0\0\0\0WEBP" + b"abcd\0\0\0\0" * (1 << 20)),
    "gif blocks": ("gif", b"GIF89a" + bytes(7) + b"\x21\xfe\0" * (1 << 21)),
    "heif boxes": ("heif", blocks.box(b"meta", bytes(4) + blocks.box(b"free", b"") * (1 << 20))),
    "jxl boxes": ("jxl", blocks.box(b"Exif", b"") * (1 << 20)),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_walked_in_bounded_time(case: str) -> None:
    kind, data = HOSTILE[case]
    started = time.process_time()
    found = read(kind, data)
    assert time.process_time() - started < 5  # processor time; without bounds it takes minutes
    assert len(found.exif) <= boxes.MAX_BOXES and len(found.comments) <= containers.MAX_COMMENTS


@FEW
@given(st.sampled_from(sorted(WHOLE)), st.data())
def test_mutated_and_truncated_files_never_raise(kind: str, draw: st.DataObject) -> None:
    data = bytearray(WHOLE[kind])
    for _ in range(draw.draw(st.integers(0, 8))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    read(kind, bytes(data[: draw.draw(st.integers(0, len(data)))]))


@FEW
@given(st.sampled_from(sorted(READERS)), st.binary(max_size=400))
def test_arbitrary_bytes_never_raise(kind: str, data: bytes) -> None:
    read(kind, data)
