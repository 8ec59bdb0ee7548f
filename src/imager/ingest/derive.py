"""What is made of a picture's pixels in one pass: preview, thumbnail, and the numbers that describe it.

Speed is the point of its order: the decoder gives at most twice the preview's size, the preview is made of
that, the thumbnail of the preview, and everything else of the thumbnail or less. Resizing comes before
turning, since it leaves less to turn. The profile of the source travels along; only what is analysed is
converted to sRGB.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from imager.facts import Derived
from imager.formats.codec_colour import converted
from imager.formats.codec_common import halved, turned
from imager.formats.decode import Pixels
from imager.ingest import colours, perceptual
from imager.ingest.thumbhash import LONGEST, thumbhash

REVISION = 1  # raise it when anything below changes what comes out

PREVIEW_SIDE = 1440  # pixels, the longer side
THUMBNAIL_SIDE = 320  # pixels, the shorter side
_THUMBNAIL_LONGEST = 3 * THUMBNAIL_SIDE
_QUALITY = 82
_COLOUR_SIDE = 64
_MOST_PROFILE = 65_519  # bytes: what fits one segment; a larger profile is applied rather than repeated

_Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What one picture became. Sizes are (width, height) in pixels, upright."""

    derived: Derived
    preview: bytes = field(repr=False)  # JPEG
    preview_size: tuple[int, int]
    thumbnail: bytes = field(repr=False)  # JPEG
    thumbnail_size: tuple[int, int]


def derive(pixels: Pixels, *, orientation: int) -> Rendered:
    """Make preview, thumbnail and description of decoded pixels.

    `orientation` is EXIF's (1 … 8); it is ignored where the decoder has turned the picture already. Nothing
    is enlarged.
    """
    array, icc = _with_usable_profile(pixels)
    scale = min(1.0, PREVIEW_SIDE / max(pixels.width, pixels.height))
    preview = _resized(array, _scaled(pixels.width, pixels.height, scale))
    preview = turned(preview, 1 if pixels.upright else orientation)
    height, width = preview.shape[:2]

    scale = min(1.0, THUMBNAIL_SIDE / min(width, height), _THUMBNAIL_LONGEST / max(width, height))
    thumbnail = _resized(preview, _scaled(width, height, scale))
    return Rendered(
        derived=_described(preview, thumbnail, icc),
        preview=_jpeg(preview, icc),
        preview_size=(width, height),
        thumbnail=_jpeg(thumbnail, icc),
        thumbnail_size=(thumbnail.shape[1], thumbnail.shape[0]),
    )


def _with_usable_profile(pixels: Pixels) -> tuple[_Pixels, bytes | None]:
    """Drop a profile that can't be used, and apply one that is too large to be repeated in every thumbnail."""
    icc = pixels.icc
    if icc is None or _is_srgb(icc):
        return pixels.array, icc if icc is None or len(icc) <= _MOST_PROFILE else None
    if len(icc) > _MOST_PROFILE:
        applied = converted(pixels.array, icc, "RGB")
        return (pixels.array if applied is None else applied), None
    usable = converted(pixels.array[:1, :1], icc, "RGB") is not None
    return pixels.array, icc if usable else None


def _described(preview: _Pixels, thumbnail: _Pixels, icc: bytes | None) -> Derived:
    """Compute the numbers; all but sharpness from a small copy in sRGB."""
    grey = _grey(thumbnail)
    brightness, clipped = perceptual.exposure(grey)
    longest = max(thumbnail.shape[:2])
    small = halved(thumbnail, max(0, (longest // (2 * _COLOUR_SIDE)).bit_length() - 1))
    small = _fitted(small, LONGEST)
    if icc is not None and not _is_srgb(icc):
        in_srgb = converted(small, icc, "RGB")
        small = small if in_srgb is None else in_srgb
    return Derived(
        revision=REVISION,
        thumbhash=thumbhash(small),
        phash=perceptual.phash(_grey(small)),
        sharpness=round(perceptual.sharpness(preview), 3),
        brightness=round(brightness, 4),
        clipped=round(clipped, 4),
        colours=colours.dominant(_fitted(small, _COLOUR_SIDE)),
    )


def _scaled(width: int, height: int, scale: float) -> tuple[int, int]:
    return max(1, round(width * scale)), max(1, round(height * scale))


def _resized(array: _Pixels, size: tuple[int, int]) -> _Pixels:
    """Resize to (width, height): by halves while it is more than twice as large, then linearly.

    That is what graphics cards do with mipmaps: no worse to the eye than exact averaging, and a tenth of it.
    """
    while array.shape[1] >= 2 * size[0] and array.shape[0] >= 2 * size[1] and min(array.shape[:2]) > 1:
        array = halved(array, 1)
    if (array.shape[1], array.shape[0]) == size:
        return array
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _fitted(array: _Pixels, longest: int) -> _Pixels:
    """Average a small picture down to at most `longest` pixels a side."""
    height, width = array.shape[:2]
    scale = longest / max(width, height)
    if scale >= 1:
        return array
    size = _scaled(width, height, scale)
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_AREA), np.uint8)


def _grey(rgb: _Pixels) -> _Pixels:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.uint8)


def _is_srgb(icc: bytes) -> bool:
    """Tell whether a profile calls itself sRGB, in either of the two encodings of its description."""
    return b"sRGB" in icc[:4096] or "sRGB".encode("utf-16-be") in icc[:4096]


def _jpeg(array: _Pixels, icc: bytes | None) -> bytes:
    """Encode RGB pixels with nothing beside them but their profile (in APP2, as ICC.1 annex B.4 says)."""
    encoded: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(array), quality=_QUALITY, colorspace="RGB", colorsubsampling="420"
    )
    if icc is None:
        return encoded
    jfif_end = 4 + int.from_bytes(encoded[4:6], "big") if encoded[2:4] == b"\xff\xe0" else 2
    body = b"ICC_PROFILE\0\x01\x01" + icc
    segment = b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body
    return encoded[:jfif_end] + segment + encoded[jfif_end:]
