"""Decodes BMP and AVIF by Pillow.

The plugin is called directly, never through `Image.open`, which would try others and warn of large pictures;
`decode` has judged the size by then.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import AvifImagePlugin, BmpImagePlugin, Image

from imager.errors import UnreadableError
from imager.formats.codec_colour import profile_space
from imager.formats.codec_common import (
    NOTHING_LEFT,
    Bytes8,
    Header,
    Pixels,
    as_rgb,
    blank,
    halved,
    halving,
    turned,
)

AvifImagePlugin.DEFAULT_MAX_THREADS = 1
_ORIENTATION = 0x0112
_TRANSPOSED = (5, 6, 7, 8)
_STRIP = 1 << 22  # pixels that are converted at a time
_LEAST_PART = 100  # a hundredth of the rows has to be there, lest a few bytes claim a large picture
_PLAIN = 0  # BITMAPINFOHEADER's compression: rows of fixed length


def decode_bmp(data: bytes, header: Header, long_side: int) -> Pixels:
    """Decode a BMP (Microsoft's DIB, versions 2 to 5); missing rows at the end stay black."""
    complete = True
    needed = _bmp_length(data, header)
    if needed > len(data):
        complete = False
        if len(data) < needed // _LEAST_PART:
            raise UnreadableError(NOTHING_LEFT)
        data += bytes(needed - len(data))
    array = _rgb(BmpImagePlugin.BmpImageFile(io.BytesIO(data)), header, long_side)
    if not complete and blank(array):
        raise UnreadableError(NOTHING_LEFT)
    return Pixels(array=array, width=header.width, height=header.height, complete=complete)


def decode_avif(data: bytes, header: Header, long_side: int) -> Pixels:
    """Decode the primary picture, or the first frame, of an AVIF, turned as the container says.

    Pillow reports the container's rotation in place of EXIF's orientation.
    """
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(data))
    orientation = image.getexif().get(_ORIENTATION, 1)
    width, height = image.size
    if orientation in _TRANSPOSED:
        width, height = height, width
    array = turned(_rgb(image, header, long_side), orientation)
    icc = image.info.get("icc_profile")
    return Pixels(
        array=np.ascontiguousarray(array),
        icc=icc if profile_space(icc) == "RGB" else None,
        width=width,
        height=height,
        upright=True,
    )


def _rgb(image: Image.Image, header: Header, long_side: int) -> Bytes8:
    """Decode and convert strip by strip, halving on the way, so that no full copy in RGB is made."""
    width, height = image.size
    if width * height > header.width * header.height:
        raise UnreadableError("its header contradicts itself about the size")
    image.load()
    times = halving(width, height, long_side)
    step = 1 << times
    rows = max(step, _STRIP // width // step * step)
    strips = []
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        mode = "RGBA" if strip.mode in ("RGBA", "LA", "PA") or "transparency" in image.info else "RGB"
        strips.append(halved(as_rgb(np.asarray(strip.convert(mode))), times))
    return np.concatenate(strips) if len(strips) > 1 else strips[0]


def _bmp_length(data: bytes, header: Header) -> int:
    """How long the file has to be, or 0 where rows have no fixed length."""
    start, info = int.from_bytes(data[10:14], "little"), int.from_bytes(data[14:18], "little")
    core = info == 12
    bits = int.from_bytes(data[24:26] if core else data[28:30], "little")
    compression = 0 if core else int.from_bytes(data[30:34], "little")
    if compression not in (_PLAIN, 3, 6) or bits not in (1, 2, 4, 8, 16, 24, 32) or start > len(data):
        return 0
    return start + (header.width * bits + 31) // 32 * 4 * header.height
