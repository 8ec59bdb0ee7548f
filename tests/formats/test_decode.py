from __future__ import annotations

import random
import struct
import subprocess
import sys
import time
import zlib

import numpy as np
import pytest
import pyvips
from PIL import Image, ImageCms

from imager.errors import TooLargeError, UnreadableError
from imager.formats.codec_common import turned
from imager.formats.decode import Pixels, decode
from imager.formats.header import read_header
from imager.formats.recognise import recognise
from tests.formats.pictures import (
    BLUE,
    EVERY_FORMAT,
    GREEN,
    RED,
    YELLOW,
    corners,
    example,
    heic,
    photo,
    saved,
    srgb_profile,
    swapped_profile,
)


def decoded(data: bytes, long_side: int = 1440) -> Pixels:
    found = recognise(data)
    assert found is not None
    return decode(data, found, read_header(data, found), long_side=long_side)


def assert_corners(array: np.ndarray, expected: tuple[tuple[int, int, int], ...], tolerance: int = 12) -> None:
    """The middles of the four quarters, row by row."""
    height, width = array.shape[:2]
    places = [(height // 4, width // 4), (height // 4, -width // 4), (-height // 4, width // 4)]
    places.append((-height // 4, -width // 4))
    for (y, x), colour in zip(places, expected, strict=True):
        assert np.abs(array[y, x].astype(int) - colour).max() <= tolerance, (y, x, array[y, x], colour)


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_every_format_is_decoded_to_the_right_colours_in_the_right_places(name: str) -> None:
    pixels = decoded(example(name))
    assert pixels.array.shape == (48, 64, 3)
    assert pixels.array.dtype == np.uint8
    assert pixels.array.flags.c_contiguous
    assert (pixels.width, pixels.height) == (64, 48)
    assert pixels.complete
    expected = (RED, GREEN, BLUE, YELLOW)
    if name == "heif":  # was drawn in the pure colours
        expected = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0))
    assert_corners(pixels.array, expected)


@pytest.mark.parametrize("name", [name for name in EVERY_FORMAT if name != "heif"])
def test_large_pictures_come_at_a_reduced_scale_of_at_least_the_size_that_was_asked_for(name: str) -> None:
    pixels = decoded(example(name, corners(1000, 700)), long_side=150)
    assert 150 <= max(pixels.array.shape) < 300
    assert (pixels.width, pixels.height) == (1000, 700)
    assert_corners(pixels.array, (RED, GREEN, BLUE, YELLOW))


@pytest.mark.parametrize(("width", "expected"), [(4032, 2016), (5600, 2100), (6000, 1500), (2000, 2000)])
def test_jpegs_are_decoded_at_the_scale_that_costs_least(width: int, expected: int) -> None:
    data = saved(Image.new("RGB", (width, 40), RED), "JPEG")
    assert decoded(data).array.shape[1] == expected


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_is_turned_as_its_container_says(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = decoded(saved(corners(), "AVIF", quality=90, exif=exif))
    assert pixels.upright
    assert np.abs(pixels.array.astype(int) - turned(corners(), orientation)).mean() < 6
    assert (pixels.width, pixels.height) == pixels.array.shape[1::-1]


def test_heic_is_turned_as_its_container_says() -> None:
    data = heic().replace(b"pixi\0\0\0\0\3\x08\x08\x08", b"irot\1" + bytes(7))
    pixels = decoded(data.replace(b"\x81\x02\x03\x05\x84", b"\x81\x02\x03\x84\x05"))
    assert pixels.upright
    assert pixels.array.shape == (64, 48, 3)
    assert_corners(pixels.array, ((0, 255, 0), (255, 255, 0), (255, 0, 0), (0, 0, 255)))


def test_a_decoded_heic_outlives_the_decoder() -> None:
    kept = [decoded(heic()).array for _ in range(20)]
    first = kept[0].copy()
    assert all(np.array_equal(array, first) for array in kept)


def test_exif_orientation_is_left_to_the_caller() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        pixels = decoded(saved(corners(), kind, exif=exif))
        assert not pixels.upright
        assert pixels.array.shape == (48, 64, 3)


def test_grey_palette_and_one_bit_pictures_become_rgb() -> None:
    image = Image.fromarray(corners())
    for kind in ("PNG", "TIFF", "BMP", "GIF"):
        assert np.ptp(decoded(saved(image.convert("L"), kind)).array, axis=2).max() == 0
        bits = decoded(saved(image.convert("1"), kind)).array
        assert set(np.unique(bits)) == {0, 255}
        assert_corners(decoded(saved(image.quantize(16), kind)).array, (RED, GREEN, BLUE, YELLOW), 20)
    assert np.ptp(decoded(saved(image.convert("L"), "JPEG")).array, axis=2).max() == 0


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_what_is_transparent_is_laid_over_white(kind: str) -> None:
    image = Image.fromarray(corners()).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 32, 24))
    image.paste((0, 0, 0, 128), (32, 0, 64, 24))
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "AVIF" else {}
    array = decoded(saved(image, kind, **options)).array
    assert_corners(array, ((255, 255, 255), (127, 127, 127), BLUE, YELLOW))


def test_transparent_palettes_and_grey_with_alpha_are_laid_over_white() -> None:
    palette = Image.fromarray(corners()).quantize(8)
    index = palette.getpixel((5, 5))
    for kind in ("PNG", "GIF"):
        array = decoded(saved(palette, kind, transparency=index)).array
        assert tuple(array[5, 5]) == (255, 255, 255)
        assert tuple(array[-5, 5]) != (255, 255, 255)
    grey = Image.new("LA", (20, 10), (40, 0))
    grey.paste((40, 255), (10, 0, 20, 10))
    array = decoded(saved(grey, "PNG")).array
    assert (tuple(array[5, 5]), tuple(array[5, 15])) == ((255, 255, 255), (40, 40, 40))


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_sixteen_bits_are_scaled_to_eight(kind: str) -> None:
    image = pyvips.Image.new_from_memory(corners().astype(np.uint16) * 257, 64, 48, 3, "ushort").copy(
        interpretation="rgb16"
    )
    array = decoded(image.write_to_buffer(f".{kind}")).array
    assert np.array_equal(array, corners())
    grey = Image.fromarray(np.full((8, 8), 0x8080, np.uint16))
    assert tuple(decoded(saved(grey, kind.upper())).array[0, 0]) == (128, 128, 128)


def test_floating_point_tiffs_are_stretched_to_what_can_be_seen() -> None:
    heights = np.linspace(-300, 4800, 64 * 48, dtype=np.float32).reshape(48, 64)
    array = decoded(saved(Image.fromarray(heights), "TIFF")).array
    assert (array.min(), array.max()) == (0, 255)
    flat = Image.fromarray(np.full((8, 8), 0.5, np.float32))
    assert tuple(decoded(saved(flat, "TIFF")).array[0, 0]) == (127, 127, 127)


def test_cmyk_jpegs_have_the_right_colours_with_adobe_s_inversion_and_without() -> None:
    cmyk = Image.fromarray(corners()).convert("CMYK")
    data = saved(cmyk, "JPEG", quality=95)
    assert b"Adobe" in data
    assert_corners(decoded(data).array, (RED, GREEN, BLUE, YELLOW), 16)
    start = data.index(b"\xff\xee")
    plain = data[:start] + data[start + 2 + int.from_bytes(data[start + 2 : start + 4], "big") :]
    array = decoded(plain).array
    # The same bytes mean the complement of each ink where Adobe's marker does not say that they are inverted.
    assert (array[5, 5] < 60).all()


def test_cmyk_tiffs_are_converted() -> None:
    cmyk = Image.fromarray(corners()).convert("CMYK")
    assert_corners(decoded(saved(cmyk, "TIFF")).array, (RED, GREEN, BLUE, YELLOW))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_an_rgb_profile_is_handed_on_unchanged(kind: str) -> None:
    profile = swapped_profile()
    assert decoded(saved(corners(), kind, icc_profile=profile)).icc == profile


def test_a_profile_in_several_segments_is_put_together() -> None:
    profile = bytearray(srgb_profile() + bytes(150_000))
    profile[:4] = len(profile).to_bytes(4, "big")
    assert decoded(saved(corners(), "JPEG", icc_profile=bytes(profile))).icc == bytes(profile)


def test_a_profile_that_is_none_or_for_other_channels_is_not_handed_on() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (b"nonsense" * 50, lab, srgb_profile()[:100]):
        assert decoded(saved(corners(), "JPEG", icc_profile=profile)).icc is None
    grey = saved(Image.fromarray(corners()).convert("L"), "JPEG", icc_profile=srgb_profile())
    assert decoded(grey).icc is None


@pytest.mark.parametrize("name", ["gif", "webp", "png", "avif"])
def test_of_an_animation_the_first_frame_is_shown(name: str) -> None:
    first, second = Image.fromarray(corners()), Image.new("RGB", (64, 48), (128, 128, 128))
    data = saved(first, name.upper(), save_all=True, append_images=[second], quality=90)
    assert_corners(decoded(data).array, (RED, GREEN, BLUE, YELLOW), 16)


@pytest.mark.parametrize("name", [name for name in EVERY_FORMAT if name != "heif"])
@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 3)])
def test_tiny_and_extremely_long_pictures_are_decoded(name: str, size: tuple[int, int]) -> None:
    pixels = decoded(example(name, np.full((size[1], size[0], 3), 90, np.uint8)), long_side=100)
    assert (pixels.width, pixels.height) == size
    assert np.abs(pixels.array.astype(int) - 90).max() <= 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_truncated_picture_still_shows_what_is_there(kind: str) -> None:
    data = saved(photo(), kind)
    whole, half = decoded(data), decoded(data[: len(data) * 6 // 10])
    assert whole.complete
    assert not half.complete
    assert half.array.shape == whole.array.shape
    assert np.abs(half.array[:100].astype(int) - whole.array[:100]).mean() < 1
    assert np.ptp(half.array[-20:]) == 0


def test_a_truncated_bmp_or_gif_still_shows_what_is_there() -> None:
    for kind in ("BMP", "GIF"):
        data = saved(Image.fromarray(photo()).quantize(64), kind)
        half = decoded(data[: len(data) * 6 // 10])
        assert not half.complete
        assert half.array.std() > 5


def test_a_jpeg_with_harmless_garbage_between_segments_is_complete() -> None:
    data = saved(photo(), "JPEG")
    table = data.index(b"\xff\xc4")
    pixels = decoded(data[:table] + b"\x12\x34" + data[table:])
    assert pixels.complete
    assert np.array_equal(pixels.array, decoded(data).array)


def test_a_jpeg_of_which_nothing_is_left_is_unreadable() -> None:
    data = saved(photo(), "JPEG")
    scan = data.index(b"\xff\xda")
    for end in (scan + 14, scan + 18):
        with pytest.raises(UnreadableError, match="nothing of the picture is left"):
            decoded(data[:end])


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_cut_anywhere_a_picture_gives_pixels_or_a_reason_and_nothing_else(name: str) -> None:
    data = example(name, photo(48, 32))
    found = recognise(data)
    assert found is not None
    for end in range(0, len(data), max(1, min(10, len(data) // 100))):
        try:
            pixels = decode(data[:end], found, read_header(data[:end], found))
        except UnreadableError as error:
            assert str(error)
        else:
            assert pixels.array.ndim == 3


@pytest.mark.parametrize("name", EVERY_FORMAT)
def test_mutated_bytes_give_pixels_or_a_reason_and_nothing_else(name: str) -> None:
    rng = random.Random(f"{name} 2")
    original = example(name, photo(48, 32))
    for _ in range(100):
        data = bytearray(original)
        for _ in range(rng.choice([1, 2, 8])):
            at = rng.randrange(min(len(data), rng.choice([60, len(data)])))
            data[at] = rng.choice([0, 255, rng.randrange(256)])
        found = recognise(bytes(data))
        if found is None:
            continue
        try:
            header = read_header(bytes(data), found)
            if header.width * header.height > 400_000:
                continue  # allowed, only slow
            pixels = decode(bytes(data), found, header)
        except UnreadableError as error:
            assert len(str(error)) < 400
        else:
            assert pixels.array.dtype == np.uint8
            assert pixels.array.shape[2] == 3


def test_decoders_write_nothing_to_standard_error_whatever_a_file_holds() -> None:
    broken = example("png")[:33] + b"\0\0\0\4gAM\xd7" + bytes(8) + example("png")[33:]
    script = (
        "import sys\n"
        "from imager.errors import UnreadableError\n"
        "from imager.formats.decode import decode\n"
        "from imager.formats.header import read_header\n"
        "from imager.formats.recognise import PNG\n"
        f"data = bytes.fromhex({broken.hex()!r})\n"
        "try:\n    decode(data, PNG, read_header(data, PNG))\n"
        "except UnreadableError as error:\n    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stderr == ""
    assert run.stdout.startswith("damaged")


def png_claiming(width: int, height: int, *, interlaced: bool = False) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(4096))) + chunk(b"IEND", b"")
    )


def jpeg_claiming(width: int, height: int, *, progressive: bool = False) -> bytes:
    data = bytearray(saved(corners(), "JPEG", progressive=progressive))
    frame = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    data[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def tiff_claiming(width: int, height: int) -> bytes:
    entries = struct.pack("<HHII", 256, 4, 1, width) + struct.pack("<HHII", 257, 4, 1, height)
    return b"II*\0" + struct.pack("<IH", 8, 2) + entries + bytes(4)


def patched(name: str, *places: tuple[int, bytes]) -> bytes:
    data = bytearray(example(name))
    for at, value in places:
        data[at : at + len(value)] = value
    return bytes(data)


BOMBS = {
    "PNG": png_claiming(30_000, 30_000),
    "PNG of absurd size": png_claiming(2**31 - 1, 2**31 - 1),
    "PNG of one endless row": png_claiming(300_000_000, 1),
    "interlaced PNG": png_claiming(15_000, 15_000, interlaced=True),
    "JPEG": jpeg_claiming(65_000, 65_000),
    "progressive JPEG": jpeg_claiming(20_000, 20_000, progressive=True),
    "GIF": patched("gif", (6, struct.pack("<HH", 65_535, 65_535))),
    "TIFF": tiff_claiming(100_000, 100_000),
    "BMP": patched("bmp", (18, struct.pack("<ii", 60_000, 60_000))),
    "HEIC": heic().replace(b"ispe\0\0\0\0\0\0\0@\0\0\0@", b"ispe\0\0\0\0\0\1\0\0\0\1\0\0").replace(b"clap", b"free"),
}


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in BOMBS.items()])
def test_decompression_bombs_are_refused_by_their_header_with_dimensions_and_limit(data: bytes) -> None:
    started = time.process_time()
    with pytest.raises(TooLargeError, match=r"[\d,]+ × [\d,]+ pixels .* limit .* million"):
        decoded(data)
    assert time.process_time() - started < 1


def test_a_few_bytes_that_claim_a_large_but_permitted_bitmap_are_refused() -> None:
    with pytest.raises(UnreadableError, match="nothing of the picture is left"):
        decoded(patched("bmp", (18, struct.pack("<ii", 10_000, 10_000))))


def test_a_vector_picture_in_disguise_is_never_drawn() -> None:
    svg = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>"
    for name in ("png", "tiff", "webp", "gif"):
        original = example(name)
        found = recognise(original)
        assert found is not None
        with pytest.raises(UnreadableError):
            decode(svg, found, read_header(original, found))
