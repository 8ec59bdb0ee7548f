from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from imager.ingest.perceptual import exposure, hamming, phash, sharpness
from tests.formats.pictures import photo, scene


def grey(array: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(array).convert("L"))


def test_the_hash_survives_scaling_compression_and_a_little_brightness() -> None:
    picture = scene(640, 480)
    original = phash(grey(picture))
    small = np.asarray(Image.fromarray(picture).resize((200, 150)))
    brighter = np.clip(picture.astype(int) + 12, 0, 255).astype(np.uint8)
    for changed in (small, brighter):
        assert hamming(original, phash(grey(changed))) <= 6


def test_different_pictures_have_different_hashes() -> None:
    hashes = [phash(grey(scene(seed=seed))) for seed in range(6)]
    assert min(hamming(a, b) for i, a in enumerate(hashes) for b in hashes[:i]) > 10


def test_the_bits_are_those_of_the_published_hash() -> None:
    picture = grey(photo(32, 32)).astype(float)
    n = np.arange(32)
    basis = np.cos(np.pi / 32 * n[:, None] * (n[None, :] + 0.5)) * np.sqrt(2 / 32)
    basis[0] /= np.sqrt(2)
    low = (basis @ picture @ basis.T)[:8, :8]
    bits = "".join("1" if value > np.median(low) else "0" for value in low.flat)
    assert phash(picture.astype(np.uint8)) == int(bits, 2).to_bytes(8, "big")


def test_a_flat_picture_hashes_the_same_in_every_grey() -> None:
    assert len({phash(np.full((40, 60), value, np.uint8)) for value in (1, 90, 200, 255)}) == 1


def test_hamming_counts_the_bits_that_differ() -> None:
    assert hamming(b"\x00\xff", b"\x01\x0f") == 5
    with pytest.raises(ValueError, match="length"):
        hamming(b"a", b"ab")


def test_blurring_makes_a_picture_less_sharp() -> None:
    picture = photo(700, 500)
    blurred = cv2.GaussianBlur(picture, (0, 0), 2)
    assert sharpness(np.asarray(blurred, np.uint8)) < sharpness(picture) / 10
    assert sharpness(np.full((300, 300, 3), 128, np.uint8)) == 0


def test_sampled_sharpness_is_close_to_that_of_the_whole_picture() -> None:
    picture = photo(1200, 900)
    whole = float(cv2.Laplacian(grey(picture), cv2.CV_64F).var())
    assert sharpness(picture) == pytest.approx(whole, rel=0.1)


def test_exposure_tells_brightness_and_what_is_clipped() -> None:
    half = np.zeros((10, 10), np.uint8)
    half[:5] = 255
    brightness, clipped = exposure(half)
    assert (brightness, clipped) == (0.5, 1.0)
    half[5:] = 100
    brightness, clipped = exposure(half)
    assert brightness == pytest.approx((255 + 100) / 510)
    assert clipped == 0.5
