"""Decodes PNG, WebP, GIF and TIFF by libvips, which streams: large pictures are shrunk while they are read.

The loader is always named, never guessed by libvips, so that none of its others (SVG, PDF …) is ever run on
somebody's bytes. One thread, no cache: ingest runs one picture per worker.
"""

from __future__ import annotations

import os

import numpy as np

# libvips warns of every oddity of a file, in the file's own bytes, and pyvips' handler for that fails on those
# that are not UTF-8 with a traceback on standard error. Both are switched off, the first before it starts.
os.environ.setdefault("VIPS_WARNING", "0")

import pyvips

from imager.errors import UnreadableError
from imager.formats.codec_colour import cmyk_to_rgb, grey_to_rgb, profile_space
from imager.formats.codec_common import NOTHING_LEFT, Bytes8, Header, Pixels, as_rgb, blank, halving

pyvips._remove_log_handler()
pyvips.concurrency_set(1)
pyvips.cache_set_max(0)

_ERRORS = (pyvips.Error, UnicodeDecodeError)  # the second where libvips quotes bytes of the file in the first
_DAMAGED = "damaged, or not what it claims to be"
_STREAM_ABOVE = 40_000_000  # pixels; below, libvips' own shrinking costs more than OpenCV's
_UNSCALED = ("png", "gif", "tiff")  # whose loaders know no smaller scale
_MOST = {"uchar": 255, "ushort": 65535}  # the formats whose largest value is white
_CONVERTED = ("lab", "labs", "labq", "xyz", "yxy", "scrgb", "hsv")  # the rest is RGB, grey or CMYK


def decode(data: bytes, name: str, header: Header, long_side: int) -> Pixels:
    """Decode the first frame or page of a 'png', 'webp', 'gif', 'tiff' or 'jpeg'.

    What is transparent is laid over white, 16 bits become 8, floating point is stretched to its own range.
    Truncated pictures are shown as far as they go. Raises UnreadableError.
    """
    try:
        image, array = _load(data, name, header, long_side, "truncated")
        complete = True
    except _ERRORS:
        try:
            image, array = _load(data, name, header, long_side, "none")
        except _ERRORS as error:
            raise UnreadableError(_reason(error)) from None
        complete = False
        if blank(array):
            raise UnreadableError(NOTHING_LEFT) from None
    icc: bytes | None = None
    if image.get_typeof("icc-profile-data"):
        icc = bytes(image.get("icc-profile-data"))
    if image.interpretation == "cmyk" and array.shape[2] == 4:
        array, icc = cmyk_to_rgb(array, icc), None
    elif array.shape[2] == 1:
        array, icc = grey_to_rgb(array[:, :, 0], icc), None
    return Pixels(
        array=as_rgb(array),
        icc=icc if profile_space(icc) == "RGB" else None,
        width=header.width,
        height=header.height,
        complete=complete,
    )


def _load(data: bytes, name: str, header: Header, long_side: int, fail_on: str) -> tuple[pyvips.Image, Bytes8]:
    """Run the loader, and bring what it gives to 8 bits and 1, 3 or (CMYK) 4 bands."""
    times = halving(header.width, header.height, long_side)
    options: dict[str, str | float] = {"access": "sequential", "fail_on": fail_on}
    if (
        name == "webp" and min(header.width, header.height) >> times
    ):  # libwebp scales while decoding, at less cost than decoding in full
        options["scale"] = 0.5**times
    if name == "jpeg" and times:
        options["shrink"] = 2 ** min(times, 3)
    loaded = getattr(pyvips.Image, f"{name}load_buffer")(data, **options)
    image = _opaque(loaded)
    if name in _UNSCALED:
        if (image.width, image.height) != (header.width, header.height):
            raise UnreadableError("its header contradicts itself about the size")
        if times and (image.format not in _MOST or image.width * image.height > _STREAM_ABOVE):
            image = image.shrink(min(2**times, image.width), min(2**times, image.height))
    image = _eight_bits(image)
    pixels = np.frombuffer(image.write_to_memory(), np.uint8)
    return loaded, pixels.reshape(image.height, image.width, image.bands)


def _opaque(image: pyvips.Image) -> pyvips.Image:
    """Leave the colours alone: transparency is laid over white, further channels are passed over."""
    if image.interpretation == "cmyk":
        return image.extract_band(0, n=4) if image.bands > 4 else image
    if image.bands > 4:
        return image.extract_band(0, n=3)
    if image.bands in (2, 4):
        if image.format in _MOST:
            return image.flatten(background=[_MOST[image.format]] * (image.bands - 1))
        return image.extract_band(0, n=image.bands - 1)
    return image


def _eight_bits(image: pyvips.Image) -> pyvips.Image:
    """Bring any number format to 0 … 255, in RGB, grey or CMYK."""
    if image.interpretation in _CONVERTED:
        image = image.colourspace("srgb")
    elif image.format == "ushort":
        image = image >> 8
    elif image.format != "uchar":
        image = image.copy_memory()  # it is read three times, and the file can be only once
        low, high = image.min(), image.max()
        if low >= 0 and high <= 1:
            image = image * 255
        elif low < 0 or high > 255:
            image = (image - low) * (255 / (high - low))
    return image.cast("uchar")


def _reason(error: Exception) -> str:
    """What libvips complains of, without the loader's name; it does not always say."""
    detail = str(error.detail) if isinstance(error, pyvips.Error) else ""
    lines = [line.rpartition(": ")[2].strip() for line in detail.splitlines() if line.strip()]
    return f"{_DAMAGED} ({lines[-1][:200]})" if lines else _DAMAGED
