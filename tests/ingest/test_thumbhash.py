from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.ingest.thumbhash import thumbhash
from tests.formats.pictures import corners, photo


def by_the_letter(width: int, height: int, rgb: list[tuple[int, int, int]]) -> bytes:
    """The published algorithm for opaque pictures, one sum after another, as its description goes."""

    def rounded(x: float) -> int:
        return math.floor(x + 0.5)

    long = max(width, height)
    lx, ly = max(1, rounded(7 * width / long)), max(1, rounded(7 * height / long))
    luma = [(r / 255 + g / 255 + b / 255) / 3 for r, g, b in rgb]
    p = [(r / 255 + g / 255) / 2 - b / 255 for r, g, b in rgb]
    q = [r / 255 - g / 255 for r, g, b in rgb]

    def channel(values: list[float], nx: int, ny: int) -> tuple[float, list[float], float]:
        dc, ac, scale = 0.0, [], 0.0
        for cy in range(ny):
            cx = 0
            while cx * ny < nx * (ny - cy):
                f = 0.0
                for y in range(height):
                    fy = math.cos(math.pi / height * cy * (y + 0.5))
                    for x in range(width):
                        f += values[x + y * width] * math.cos(math.pi / width * cx * (x + 0.5)) * fy
                f /= width * height
                if cx or cy:
                    ac.append(f)
                    scale = max(scale, abs(f))
                else:
                    dc = f
                cx += 1
        if scale:
            ac = [0.5 + 0.5 / scale * f for f in ac]
        return dc, ac, scale

    l_dc, l_ac, l_scale = channel(luma, max(3, lx), max(3, ly))
    p_dc, p_ac, p_scale = channel(p, 3, 3)
    q_dc, q_ac, q_scale = channel(q, 3, 3)
    landscape = width > height
    header24 = rounded(63 * l_dc) | rounded(31.5 + 31.5 * p_dc) << 6 | rounded(31.5 + 31.5 * q_dc) << 12
    header24 |= rounded(31 * l_scale) << 18
    header16 = (ly if landscape else lx) | rounded(63 * p_scale) << 3 | rounded(63 * q_scale) << 9
    header16 |= landscape << 15
    result = [header24 & 255, header24 >> 8 & 255, header24 >> 16, header16 & 255, header16 >> 8]
    for i, f in enumerate([f for ac in (l_ac, p_ac, q_ac) for f in ac]):
        if i % 2 == 0:
            result.append(0)
        result[-1] |= rounded(15 * f) << (i % 2 * 4)
    return bytes(result)


def assert_same_but_for_rounding(ours: bytes, theirs: bytes) -> None:
    """Sums in another order may round one step apart, in any of the packed numbers."""
    assert len(ours) == len(theirs)
    fields = [(0, 6), (6, 6), (12, 6), (18, 6), (24, 3), (27, 6), (33, 6), (39, 1)]
    fields += [(40 + 4 * i, 4) for i in range((len(ours) - 5) * 2)]
    a, b = int.from_bytes(ours, "little"), int.from_bytes(theirs, "little")
    for shift, bits in fields:
        mask = (1 << bits) - 1
        assert abs((a >> shift & mask) - (b >> shift & mask)) <= 1, (shift, ours.hex(), theirs.hex())


@pytest.mark.parametrize("size", [(20, 15), (15, 20), (16, 16), (30, 4), (3, 40)])
def test_it_is_the_published_hash(size: tuple[int, int]) -> None:
    for array in (photo(*size), corners(*size)):
        pixels = [(int(r), int(g), int(b)) for r, g, b in array.reshape(-1, 3)]
        assert_same_but_for_rounding(thumbhash(array), by_the_letter(*size, pixels))


def test_white_has_the_published_header() -> None:
    # Luminance 63, both colour differences in the middle (32), all scales 0, and 7 frequencies across.
    white = np.full((8, 8, 3), 255, np.uint8)
    assert thumbhash(white)[:5] == (63 | 32 << 6 | 32 << 12 | 7 << 24).to_bytes(5, "little")


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.integers(1, 100), st.integers(1, 100), st.integers(0, 255), st.integers(0, 2**31))
def test_any_size_and_content_fits_the_format(width: int, height: int, top: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    array = rng.integers(0, top + 1, (height, width, 3)).astype(np.uint8)
    assert 5 <= len(thumbhash(array)) <= 25


def test_larger_pictures_are_refused_as_the_format_says() -> None:
    with pytest.raises(ValueError, match="100"):
        thumbhash(photo(101, 20))
