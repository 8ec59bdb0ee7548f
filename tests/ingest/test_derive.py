from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from imager.facts import Derived
from imager.formats.codec_common import turned
from imager.formats.decode import Pixels, decode
from imager.formats.header import read_header
from imager.formats.recognise import recognise
from imager.ingest.derive import REVISION, Rendered, derive
from imager.ingest.perceptual import hamming
from tests.formats.pictures import corners, example, photo, saved, scene, srgb_profile, swapped_profile

# By which turn a picture shown upright becomes stored with each orientation: the inverse of that orientation.
STORED = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}


def pixels_of(array: np.ndarray, icc: bytes | None = None, *, upright: bool = False) -> Pixels:
    height, width = array.shape[:2]
    return Pixels(array=np.ascontiguousarray(array), icc=icc, width=width, height=height, upright=upright)


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def from_bytes(data: bytes, orientation: int = 1) -> Rendered:
    found = recognise(data)
    assert found is not None
    return derive(decode(data, found, read_header(data, found)), orientation=orientation)


def test_a_large_picture_gets_a_preview_of_1440_and_a_thumbnail_of_320_on_the_short_side() -> None:
    rendered = from_bytes(saved(corners(2400, 1600), "JPEG"))
    assert rendered.preview_size == (1440, 960)
    assert rendered.thumbnail_size == (480, 320)
    for data, size in ((rendered.preview, (1440, 960)), (rendered.thumbnail, (480, 320))):
        image = opened(data)
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", size)


def test_small_pictures_are_never_enlarged() -> None:
    rendered = from_bytes(saved(corners(60, 40), "PNG"))
    assert rendered.preview_size == rendered.thumbnail_size == (60, 40)


@pytest.mark.parametrize(("size", "preview"), [((1, 20_000), (1, 1440)), ((20_000, 1), (1440, 1)), ((1, 1), (1, 1))])
def test_extreme_shapes_keep_at_least_a_pixel(size: tuple[int, int], preview: tuple[int, int]) -> None:
    rendered = from_bytes(saved(Image.new("RGB", size, (200, 10, 10)), "PNG"))
    assert rendered.preview_size == preview
    assert max(rendered.thumbnail_size) <= 960
    assert opened(rendered.thumbnail).size == rendered.thumbnail_size
    assert rendered.derived.colours[0].name == "red"


def test_a_panorama_s_thumbnail_is_at_most_three_times_as_long_as_others() -> None:
    assert from_bytes(saved(corners(3000, 300), "JPEG")).thumbnail_size == (960, 96)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_orientations_come_out_the_same(orientation: int) -> None:
    shown = corners(1000, 600)
    stored = turned(shown, STORED[orientation])
    rendered = from_bytes(saved(stored, "JPEG", quality=95, subsampling=0), orientation)
    straight = from_bytes(saved(shown, "JPEG", quality=95, subsampling=0))
    assert rendered.preview_size == (1000, 600)
    for ours, theirs in ((rendered.preview, straight.preview), (rendered.thumbnail, straight.thumbnail)):
        difference = np.asarray(opened(ours)).astype(int) - np.asarray(opened(theirs))
        assert np.abs(difference).mean() < 2
    assert hamming(rendered.derived.phash, straight.derived.phash) <= 2


def test_exif_orientation_is_ignored_where_the_container_has_turned_the_picture() -> None:
    rendered = derive(pixels_of(corners(100, 60), upright=True), orientation=6)
    assert rendered.preview_size == (100, 60)


@pytest.mark.parametrize("orientation", [0, 9, -1, 65_535])
def test_a_nonsensical_orientation_means_upright(orientation: int) -> None:
    assert derive(pixels_of(corners(100, 60)), orientation=orientation).preview_size == (100, 60)


def test_previews_carry_their_profile_and_nothing_else() -> None:
    exif = Image.Exif()
    exif[0x010F] = "A camera's maker"
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 0.0)}
    profile = swapped_profile()
    data = saved(photo(), "JPEG", exif=exif, icc_profile=profile, comment=b"a private comment")
    rendered = from_bytes(data)
    for result in (rendered.preview, rendered.thumbnail):
        image = opened(result)
        assert image.info.get("icc_profile") == profile
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "icc_profile"}
        assert b"maker" not in result
        assert b"private" not in result


def test_a_profile_that_cannot_be_used_is_not_passed_on() -> None:
    broken = bytearray(swapped_profile())
    broken[128:] = bytes(len(broken) - 128)
    rendered = derive(pixels_of(photo(), bytes(broken)), orientation=1)
    assert "icc_profile" not in opened(rendered.preview).info


def test_a_profile_too_large_to_repeat_is_applied_instead() -> None:
    profile = bytearray(swapped_profile() + bytes(70_000))
    profile[:4] = len(profile).to_bytes(4, "big")
    red = np.full((40, 60, 3), (220, 0, 0), np.uint8)
    rendered = derive(pixels_of(red, bytes(profile)), orientation=1)
    image = opened(rendered.preview)
    assert "icc_profile" not in image.info
    pixel = np.asarray(image)[20, 30]
    assert pixel[2] > 150 > pixel[0]


def test_what_is_analysed_is_seen_through_the_profile() -> None:
    red = np.full((40, 60, 3), (220, 0, 0), np.uint8)
    plain = derive(pixels_of(red, srgb_profile()), orientation=1).derived
    swapped = derive(pixels_of(red, swapped_profile()), orientation=1).derived
    assert plain.colours[0].name == "red"
    assert swapped.colours[0].name == "blue"
    assert plain.thumbhash != swapped.thumbhash


def test_the_same_picture_in_two_sizes_and_formats_is_described_alike() -> None:
    large = scene(1600, 1200)
    small = np.asarray(Image.fromarray(large).resize((800, 600), Image.Resampling.LANCZOS))
    a = from_bytes(saved(large, "JPEG", quality=90)).derived
    b = from_bytes(saved(small, "PNG")).derived
    assert hamming(a.phash, b.phash) <= 6
    assert a.brightness == pytest.approx(b.brightness, abs=0.02)
    assert {colour.name for colour in a.colours} & {colour.name for colour in b.colours}


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "gif", "tiff", "bmp", "heif", "avif", "jxl"])
def test_a_picture_of_every_format_is_derived(name: str) -> None:
    derived = from_bytes(example(name)).derived
    assert derived.revision == REVISION
    assert len(derived.phash) == 8
    assert {colour.name for colour in derived.colours} == {"red", "green", "blue", "yellow"}
    assert Derived.from_json(derived.to_json()) == derived


def test_deriving_is_deterministic() -> None:
    data = saved(photo(), "JPEG")
    assert from_bytes(data) == from_bytes(data)


def test_previews_look_like_the_original() -> None:
    picture = scene(2000, 1500)
    preview = np.asarray(opened(from_bytes(saved(picture, "PNG")).preview)).astype(float)
    exact = np.asarray(Image.fromarray(picture).resize((1440, 1080), Image.Resampling.LANCZOS))
    error = float(np.mean((preview - exact) ** 2))
    assert 10 * np.log10(255**2 / error) > 35  # dB
