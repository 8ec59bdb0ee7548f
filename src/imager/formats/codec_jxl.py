"""Reads JPEG XL (ISO/IEC 18181), codestream and container, by libjxl.

libjxl turns pictures upright itself, so sizes and pixels are as shown.
"""

from __future__ import annotations

from functools import lru_cache

import pylibjxl

from imager.errors import UnreadableError
from imager.formats.codec_colour import grey_to_rgb, profile_space
from imager.formats.codec_common import CUT_OFF, Header, Pixels, as_rgb


def read_header(data: bytes) -> Header:
    """Read the size as shown. How many frames an animation has, the header does not tell."""
    try:
        info = pylibjxl.probe(data)
    except (RuntimeError, ValueError):
        raise UnreadableError(CUT_OFF) from None
    return Header(width=info["width"], height=info["height"], upright=True)


def decode(data: bytes, header: Header) -> Pixels:
    """Decode the picture, or the first frame, in full and in 8 bits."""
    array, metadata = _decoder().decode(data, metadata=True)
    if array.shape[0] * array.shape[1] > header.width * header.height:
        raise UnreadableError("its header contradicts itself about the size")
    icc = metadata.get("icc_profile") or metadata.get("icc")
    if array.ndim == 2 and profile_space(icc) == "L":
        array, icc = grey_to_rgb(array, icc), None
    return Pixels(
        array=as_rgb(array),
        icc=icc if profile_space(icc) == "RGB" else None,
        width=array.shape[1],
        height=array.shape[0],
        upright=True,
    )


@lru_cache(maxsize=1)
def _decoder() -> pylibjxl.JXL:
    """One decoder with one thread for the life of the process."""
    return pylibjxl.JXL(threads=1)
