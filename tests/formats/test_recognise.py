from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.formats.recognise import HEAD, ends_like_picture, recognise
from tests.formats.pictures import EVERY_FORMAT, example

MIMES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "tiff": "image/tiff",
    "bmp": "image/bmp",
    "heif": "image/heic",
    "avif": "image/avif",
    "jxl": "image/jxl",
}


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return (len(body) + 4).to_bytes(4, "big") + body + bytes(64)


def tiff(*entries: tuple[int, int, int], magic: bytes = b"II*\0", after: bytes = b"") -> bytes:
    """A little-endian TIFF of one directory of (tag, type, value)."""
    start = 8 + len(after)
    body = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return magic + struct.pack("<I", start) + after + struct.pack("<H", len(entries)) + body + bytes(4)


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_every_format_is_recognised_by_its_first_bytes(name: str) -> None:
    found = recognise(example(name)[:HEAD])
    assert found is not None
    assert (found.name, found.mime, found.kind) == (name, MIMES[name], "image")


def test_jpeg_xl_is_recognised_as_bare_codestream_and_in_its_container() -> None:
    for head in (b"\xff\x0a" + bytes(30), b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(30)):
        found = recognise(head)
        assert found is not None
        assert found.name == "jxl"


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff\xd8",
        b"%PDF-1.7\n" + bytes(100),
        b"%!PS-Adobe-3.0 EPSF-3.0\n" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>" + bytes(100),
        b"BM the beginning of a letter, not of a bitmap",
        b"RIFF\x24\0\0\0WAVEfmt " + bytes(100),
        bytes(128) + b"DICM" + bytes(100),
        bytes(4096),
    ],
)
def test_what_is_no_picture_is_not_recognised(head: bytes) -> None:
    assert recognise(head) is None


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (ftyp(b"heic", b"mif1", b"heic"), "heif"),
        (ftyp(b"mif1", b"mif1", b"heic", b"MiHB"), "heif"),
        (ftyp(b"msf1", b"hevc", b"mif1"), "heif"),
        (ftyp(b"mif1", b"mif1"), "heif"),
        (ftyp(b"avif", b"mif1", b"miaf"), "avif"),
        (ftyp(b"avis", b"msf1", b"avif"), "avif"),
        (ftyp(b"mif1", b"avif", b"miaf"), "avif"),
    ],
)
def test_heif_and_avif_are_told_apart_by_their_brands(head: bytes, name: str) -> None:
    found = recognise(head)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize("major", [b"isom", b"mp42", b"qt  ", b"M4V ", b"3gp5", b"crx "])
def test_films_and_canons_raw_are_not_taken_for_heif_whatever_they_claim_to_be_compatible_with(
    major: bytes,
) -> None:
    assert recognise(ftyp(major, b"mif1", b"heic", b"avif")) is None


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(tiff((254, 4, 1), (330, 4, 64)), id="Nikon NEF, Sony ARW: a thumbnail first"),
        pytest.param(tiff((254, 4, 0), (50706, 1, 0x0401)), id="DNG"),
        pytest.param(tiff((254, 4, 0), (262, 3, 32803)), id="the sensor's pattern"),
        pytest.param(tiff((254, 4, 0), (259, 3, 65535)), id="Pentax PEF"),
        pytest.param(tiff((256, 4, 9), after=b"CR\2\0abcd"), id="Canon CR2"),
        pytest.param(tiff((256, 4, 9), magic=b"IIRO"), id="Olympus ORF"),
        pytest.param(tiff((256, 4, 9), magic=b"IIU\0"), id="Panasonic RW2"),
    ],
)
def test_raw_files_that_are_tiff_inside_are_not_taken_for_tiff(raw: bytes) -> None:
    assert recognise(raw) is None


def test_a_tiff_whose_first_page_is_a_thumbnail_without_a_picture_below_it_is_a_tiff() -> None:
    found = recognise(tiff((254, 4, 1), (256, 4, 9)))
    assert found is not None
    assert found.name == "tiff"


def test_big_tiff_is_a_tiff() -> None:
    found = recognise(b"II+\0\x08\0\0\0" + (16).to_bytes(8, "little") + bytes(40))
    assert found is not None
    assert found.name == "tiff"


@pytest.mark.parametrize("name", [b"a.jpg", b"B.JPEG", b"x.y.HeIc", b"\xff\xfe.tif", b"a.jxl", b"a.avif", b"a.bmp"])
def test_picture_endings_are_known_in_any_case(name: bytes) -> None:
    assert ends_like_picture(name)


@pytest.mark.parametrize("name", [b"a.txt", b"jpg", b".jpg", b"a.jpg.part", b"a.", b"", b"a.nef", b"a.svg"])
def test_other_endings_are_not_pictures(name: bytes) -> None:
    assert not ends_like_picture(name)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.sampled_from([b"II*\0", b"MM\0*", b"II+\0", b"\0\0\0\x20ftyp", b"BM", b""]), st.binary(max_size=200))
def test_no_bytes_make_recognising_fail(start: bytes, rest: bytes) -> None:
    found = recognise(start + rest)
    assert found is None or found.name in EVERY_FORMAT
