"""The whole way from a file's bytes to facts, across formats and standards."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from imager.facts import Facts
from imager.formats.metadata import Metadata, read_metadata, read_sidecar
from tests.formats import blocks
from tests.formats.blocks import ASCII, RATIONAL, SHORT, alt, bag

FEW = settings(max_examples=80, derandomize=True, deadline=None)

EXIF = blocks.tiff(
    [(0x010F, ASCII, "Canon"), (0x0110, ASCII, "EOS R5"), (0x0112, SHORT, 6)],
    exif=[(0x9003, ASCII, "2021:07:04 15:30:12"), (0x829D, RATIONAL, (28, 10))],
)
XMP = blocks.xmp(alt("dc:title", x_default="Title") + bag("dc:subject", ["one", "two"]), 'xmp:Rating="4"')
EVERYWHERE = {
    "jpeg": blocks.jpeg(blocks.app1(EXIF), blocks.xmp_segment(XMP)),
    "png": blocks.png(blocks.chunk(b"eXIf", EXIF), blocks.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
    "webp": blocks.webp((b"EXIF", b"Exif\0\0" + EXIF), (b"XMP ", XMP)),
    "heif": blocks.heif(exif=EXIF, packet=XMP),
    "avif": blocks.heif(exif=EXIF, packet=XMP, brand=b"avif"),
    "jxl": blocks.jxl(blocks.box(b"Exif", bytes(4) + EXIF), blocks.box(b"xml ", XMP)),
    "tiff": blocks.tiff(
        [(0x010F, ASCII, "Canon"), (0x0110, ASCII, "EOS R5"), (0x0112, SHORT, 6), (0x02BC, blocks.BYTE, XMP)],
        exif=[(0x9003, ASCII, "2021:07:04 15:30:12"), (0x829D, RATIONAL, (28, 10))],
    ),
}


def check_json(metadata: Metadata) -> None:
    raw = json.dumps(metadata.raw, allow_nan=False)
    raw.encode("ascii")
    assert "\\u0000" not in raw  # which PostgreSQL can't keep
    assert Facts.from_json(json.loads(json.dumps(metadata.facts.to_json(), allow_nan=False))) == metadata.facts


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_the_same_metadata_gives_the_same_facts_in_every_format(kind: str) -> None:
    found = read_metadata(EVERYWHERE[kind], kind)
    facts = found.facts
    assert (facts.make, facts.model, facts.orientation, facts.f_number) == ("Canon", "EOS R5", 6, 2.8)
    assert (facts.title, facts.rating, facts.keywords) == ("Title", 4, ("one", "two"))
    assert [date.source for date in facts.dates] == ["exif:DateTimeOriginal"]
    assert found.problems == ()
    check_json(found)


def test_raw_metadata_is_grouped_by_standard() -> None:
    iptc = blocks.iim((2, 25, b"three"), (2, 105, b"Headline"))
    data = blocks.jpeg(
        blocks.segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        blocks.app1(EXIF),
        blocks.photoshop_segment(blocks.resource(0x0404, iptc) + blocks.resource(0x040A, b"\1")),
        blocks.segment(0xE2, b"ICC_PROFILE\0\1\1profile"),
        blocks.segment(0xFE, b"Hello"),
    )
    raw = read_metadata(data, "jpeg").raw
    assert raw["exif"]["Make"] == "Canon"
    assert raw["exif"]["Exif"]["FNumber"] == "28/10"
    assert raw["iptc"] == {"Keywords": ["three"], "Headline": "Headline"}
    assert raw["photoshop"] == {"0x040A": "01"}
    assert raw["icc"]["bytes"] == 7
    assert raw["comment"] == "Hello"
    assert raw["jfif"]["JFIFVersion"] == "1.01"


def picture(kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (12, 8), (200, 30, 30)).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["jpeg", "png", "webp", "avif"])  # into TIFF it writes IFD0 alone
def test_what_pillow_writes_is_read(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Pillow"
    exif.get_ifd(0x8769)[0x9003] = "2021:07:04 15:30:12"
    exif.get_ifd(0x8825)[1] = "S"
    exif.get_ifd(0x8825)[2] = (33.0, 30.0, 0.0)
    exif.get_ifd(0x8825)[3] = "E"
    exif.get_ifd(0x8825)[4] = (151.0, 15.0, 0.0)
    facts = read_metadata(picture(kind, exif=exif), kind).facts
    assert (facts.make, facts.latitude, facts.longitude) == ("Pillow", -33.5, 151.25)
    assert len(facts.dates) == 1


def test_texts_of_a_png_become_facts() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("Title", "A title")
    info.add_itxt("Author", "Zoë")
    info.add_text("Description", "What it shows", zip=True)
    info.add_text("Creation Time", "Sun, 04 Jul 2021 15:30:12 GMT")
    info.add_text("parameters", "a cat, Steps: 20")
    found = read_metadata(picture("png", pnginfo=info), "png")
    assert (found.facts.title, found.facts.creator, found.facts.description) == ("A title", "Zoë", "What it shows")
    assert [(date.source, date.offset) for date in found.facts.dates] == [("png:Creation Time", 0)]
    assert found.raw["png"]["parameters"] == "a cat, Steps: 20"


@pytest.mark.parametrize("kind", ["jpeg", "png", "gif", "tiff", "bmp", "webp"])
def test_a_picture_without_metadata_has_no_facts(kind: str) -> None:
    found = read_metadata(picture(kind), kind)
    assert found.facts == Facts()
    assert found.problems == ()


def test_iptc_and_xmp_within_a_tiff_are_read() -> None:
    data = blocks.tiff(
        [
            (0x83BB, blocks.LONG, blocks.iim((2, 25, b"from iptc!"), (2, 90, b"Hannover"))),
            (0x8649, blocks.UNDEFINED, blocks.resource(0x040A, b"\1")),
            (0x8773, blocks.UNDEFINED, b"p" * 100),
        ]
    )
    found = read_metadata(data, "tiff")
    assert found.facts.keywords == ("from iptc!",)
    assert found.facts.place is not None and found.facts.place.city == "Hannover"
    assert found.raw["photoshop"] == {"0x040A": "01"}
    assert found.raw["icc"]["bytes"] == 100
    assert found.raw["exif"]["IPTC"]["bytes"] == 28


def test_blocks_within_photoshop_resources_stand_in_for_missing_ones() -> None:
    data = blocks.jpeg(blocks.photoshop_segment(blocks.resource(0x0422, EXIF) + blocks.resource(0x0424, XMP)))
    facts = read_metadata(data, "jpeg").facts
    assert (facts.make, facts.title) == ("Canon", "Title")


def test_extended_xmp_adds_to_the_main_packet() -> None:
    guid = b"0123456789ABCDEF0123456789ABCDEF"
    main = blocks.xmp(alt("dc:title", x_default="Main"), f'xmpNote:HasExtendedXMP="{guid.decode()}"')
    more = blocks.xmp(alt("dc:title", x_default="Other") + bag("dc:subject", ["far"]))
    data = blocks.jpeg(blocks.xmp_segment(main), *blocks.extended_xmp(guid, more, 300))
    facts = read_metadata(data, "jpeg").facts
    assert (facts.title, facts.keywords) == ("Main", ("far",))


def test_a_sidecar_is_read() -> None:
    found = read_sidecar(XMP)
    assert (found.facts.title, found.facts.rating, found.facts.keywords) == ("Title", 4, ("one", "two"))
    assert found.raw["xmp"]["xmp:Rating"] == "4"
    check_json(found)


def test_what_is_no_sidecar_says_so() -> None:
    for data in (b"", b"hello", b"\xff\xd8\xff\xe0", b"{}"):
        found = read_sidecar(data)
        assert (found.raw, found.facts) == ({}, Facts())
        assert found.problems


def test_scripts_and_control_characters_come_through_harmless() -> None:
    nasty = "<script>alert(1)</script>\x1b[31m\x07'; DROP TABLE assets; --\u202e"
    exif = blocks.tiff([(0x010F, ASCII, nasty), (0x0110, ASCII, "EOS\nR5\x00junk"), (0x010E, ASCII, nasty)])
    found = read_metadata(blocks.jpeg(blocks.app1(exif)), "jpeg")
    assert found.facts.make == "<script>alert(1)</script>[31m'; DROP TABLE assets; --\u202e"
    assert found.facts.model == "EOS R5"
    check_json(found)


def test_damaged_metadata_is_noted_and_the_rest_is_read() -> None:
    data = blocks.jpeg(
        blocks.app1(b"II*\0\xff\xff\xff\xff"),
        blocks.xmp_segment(b"<not xml"),
        blocks.photoshop_segment(blocks.resource(0x0404, blocks.iim((2, 5, b"Title")) + b"rubbish")),
    )
    found = read_metadata(data, "jpeg")
    assert found.facts.title == "Title"
    assert len(found.problems) == 3


@FEW
@given(st.sampled_from(sorted(EVERYWHERE)), st.data())
def test_mutated_files_never_raise_and_stay_json(kind: str, draw: st.DataObject) -> None:
    data = bytearray(EVERYWHERE[kind])
    for _ in range(draw.draw(st.integers(1, 10))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    check_json(read_metadata(bytes(data[: draw.draw(st.integers(0, len(data)))]), kind))


@FEW
@given(st.binary(max_size=300), st.sampled_from([*sorted(EVERYWHERE), "gif", "bmp", "unheard of"]))
def test_arbitrary_bytes_never_raise(data: bytes, kind: str) -> None:
    check_json(read_metadata(data, kind))
    check_json(read_metadata(blocks.jpeg(blocks.app1(data), blocks.xmp_segment(data)), "jpeg"))
    check_json(read_sidecar(data))
