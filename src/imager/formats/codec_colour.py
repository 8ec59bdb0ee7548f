"""Brings colours that RGB with a profile can't hold (CMYK, grey with its own curve) to sRGB, by Little CMS.

An RGB picture keeps its numbers and its profile: converting it costs as much as decoding it, and what shows
it understands profiles.
"""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from imager.formats.codec_common import Bytes8

_SPACES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
_MOST_BYTES = 16 << 20


def profile_space(icc: bytes | None) -> str | None:
    """Tell what an ICC profile (ICC.1:2022, 7.2) is for: 'RGB', 'L' (grey), 'CMYK', or None if it is none."""
    if icc is None or not 132 <= len(icc) <= _MOST_BYTES or icc[36:40] != b"acsp":
        return None
    if not 132 <= int.from_bytes(icc[:4], "big") <= len(icc):
        return None
    return _SPACES.get(icc[16:20])


@lru_cache(maxsize=16)
def to_srgb(icc: bytes) -> ImageCms.ImageCmsTransform | None:
    """Make the transform from a profile to sRGB, or None if Little CMS can't read the profile."""
    space = profile_space(icc)
    if space is None:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        return ImageCms.buildTransform(source, _srgb(), space, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def converted(array: Bytes8, icc: bytes | None, space: str) -> Bytes8 | None:
    """Convert H × W (grey) or H × W × 3 or 4 pixels to sRGB; None if the profile does not serve them."""
    if icc is None or profile_space(icc) != space:
        return None
    transform = to_srgb(icc)
    if transform is None:
        return None
    image = Image.fromarray(np.ascontiguousarray(array), space)
    return np.array(ImageCms.applyTransform(image, transform), np.uint8)


def cmyk_to_rgb(array: Bytes8, icc: bytes | None) -> Bytes8:
    """Convert H × W × 4 CMYK (255 is full ink) to sRGB, by the profile or else by simple subtraction."""
    by_profile = converted(array, icc, "CMYK")
    if by_profile is not None:
        return by_profile
    paper = 255 - array[:, :, :3].astype(np.uint16)
    light = 255 - array[:, :, 3:].astype(np.uint16)
    return ((paper * light + 127) // 255).astype(np.uint8)


def grey_to_rgb(array: Bytes8, icc: bytes | None) -> Bytes8:
    """Convert H × W grey to sRGB, by the profile or else as it is."""
    by_profile = converted(array, icc, "L")
    return np.repeat(array[:, :, None], 3, axis=2) if by_profile is None else by_profile


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
