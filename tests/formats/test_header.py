from __future__ import annotations

import random
import struct

import pytest
from PIL import Image

from imager.errors import UnreadableError
from imager.formats.header import Header, read_header
from imager.formats.recognise import PNG, Format, recognise
from tests.formats.pictures import EVERY_FORMAT, corners, example, heic, photo, saved


def known(data: bytes) -> Format:
    found = recognise(data)
    assert found is not None
    return found


def header_of(data: bytes) -> Header:
    return read_header(data, known(data))


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_width_and_height_are_read_in_every_format(name: str) -> None:
    header = header_of(example(name))
    assert (header.width, header.height) == (64, 48)
    assert header.frames == 1
    assert not header.progressive


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_only_containers_with_a_rotation_of_their_own_are_upright(name: str) -> None:
    assert header_of(example(name)).upright == (name in ("heif", "avif", "jxl"))


def test_webp_sizes_are_read_from_all_three_of_its_forms() -> None:
    lossy = saved(corners(), "WEBP")
    lossless = saved(corners(), "WEBP", lossless=True)
    extended = saved(corners(), "WEBP", icc_profile=b"x" * 40)
    assert [data[12:16] for data in (lossy, lossless, extended)] == [b"VP8 ", b"VP8L", b"VP8X"]
    assert all((h.width, h.height) == (64, 48) for h in map(header_of, (lossy, lossless, extended)))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_frames_and_pages_are_counted(kind: str) -> None:
    frames = [Image.fromarray(photo(40, 30, seed)) for seed in range(3)]
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:])
    assert header_of(data).frames == 3


def test_progressive_jpegs_and_interlaced_pngs_are_told_from_others() -> None:
    assert header_of(saved(corners(), "JPEG", progressive=True)).progressive
    png = bytearray(saved(corners(), "PNG"))
    png[28] = 1
    assert header_of(bytes(png)).progressive


def test_a_baseline_jpeg_in_several_scans_counts_as_progressive_since_it_needs_as_much_memory() -> None:
    data = bytearray(saved(corners(), "JPEG"))
    scan = data.index(b"\xff\xda")
    data[scan + 4] = 1
    assert header_of(bytes(data)).progressive


def test_the_size_is_the_picture_s_and_not_the_exif_thumbnail_s() -> None:
    thumbnail = saved(corners(16, 12), "JPEG")
    exif = b"Exif\0\0" + thumbnail
    data = saved(corners(), "JPEG", exif=exif)
    assert thumbnail in data
    assert (header_of(data).width, header_of(data).height) == (64, 48)


def test_a_bmp_that_is_stored_downwards_has_a_positive_height() -> None:
    data = bytearray(saved(corners(), "BMP"))
    data[22:26] = struct.pack("<i", -48)
    assert header_of(bytes(data)).height == 48


def test_the_crop_and_the_rotation_of_a_heic_apply_in_the_order_of_its_properties() -> None:
    turned = heic().replace(b"pixi\0\0\0\0\3\x08\x08\x08", b"irot\1" + bytes(7))
    header = header_of(turned)  # turned 64 × 64, cropped to 64 × 48 afterwards
    assert (header.width, header.height) == (64, 48)
    header = header_of(turned.replace(b"\x81\x02\x03\x05\x84", b"\x81\x02\x03\x84\x05"))
    assert (header.width, header.height) == (48, 64)


def test_an_empty_file_is_called_empty() -> None:
    with pytest.raises(UnreadableError, match="the file is empty"):
        read_header(b"", PNG)


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_a_file_that_ends_in_its_header_is_called_cut_off(name: str) -> None:
    data = example(name)
    with pytest.raises(UnreadableError, match="cut off before the picture begins"):
        read_header(data[: 3 if name == "jxl" else 13], known(data))


@pytest.mark.parametrize(("at", "what"), [(16, "width"), (20, "height")])
def test_a_picture_without_extent_is_refused(at: int, what: str) -> None:
    data = bytearray(example("png"))
    data[at : at + 4] = bytes(4)
    with pytest.raises(UnreadableError, match="no picture"):
        header_of(bytes(data))


def test_a_tiff_whose_directories_form_a_ring_is_read_once_around() -> None:
    entries = struct.pack("<HHII", 256, 3, 1, 7) + struct.pack("<HHII", 257, 3, 1, 5)
    ring = b"II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 8)
    assert header_of(ring) == Header(width=7, height=5)


def test_a_raw_file_whose_directory_lies_beyond_the_head_is_refused_with_the_reason() -> None:
    directory = struct.pack("<H", 2) + struct.pack("<HHII", 256, 3, 1, 7) + struct.pack("<HHII", 50706, 1, 1, 1)
    raw = b"II*\0" + struct.pack("<I", 9000) + bytes(8992) + directory + bytes(4)
    assert known(raw[:4096]).name == "tiff"
    with pytest.raises(UnreadableError, match="RAW"):
        read_header(raw, known(raw[:4096]))


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_mutated_headers_give_a_size_or_a_reason_and_nothing_else(name: str) -> None:
    rng = random.Random(name)
    original = example(name)
    for _ in range(300):
        data = bytearray(original[: rng.choice([len(original), rng.randrange(1, len(original))])])
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(min(len(data), 400))] = rng.choice([0, 255, rng.randrange(256)])
        try:
            header = read_header(bytes(data), known(original))
        except UnreadableError as error:
            assert str(error)
        else:
            assert header.width > 0
            assert header.height > 0
            assert header.frames > 0
