"""Decodes PNG, WebP, GIF and TIFF by libvips, which streams: large pictures are shrunk while they are read.

The loader is always named, never guessed by libvips, so that none of its others (SVG, PDF …) is ever run on
somebody's bytes. One thread, no cache: ingest runs one picture per worker.
"""

from __future__ import annotations

import numpy as np
import pyvips

from imager.errors import UnreadableError
from imager.formats.codec_colour import cmyk_to_rgb, grey_to_rgb, profile_space
from imager.formats.codec_common import NOTHING_LEFT, Bytes8, Header, Pixels, as_rgb, blank, halving

pyvips.concurrency_set(1)
pyvips.cache_set_max(0)

_STREAM_ABOVE = 40_000_000  # pixels; below, libvips' own shrinking costs more than OpenCV's
_ALPHA_BANDS = (2, 4)


def decode(data: bytes, name: str, header: Header, long_side: int) -> Pixels:
    """Decode the first frame or page of a 'png', 'webp', 'gif', 'tiff' or 'jpeg'.

    What is transparent is laid over white, 16 bits become 8, floating point is stretched to its own range.
    Truncated pictures are shown as far as they go. Raises UnreadableError.
    """
    try:
        image, array = _load(data, name, header, long_side, "truncated")
        complete = True
    except pyvips.Error:
        try:
            image, array = _load(data, name, header, long_side, "none")
        except pyvips.Error as error:
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
    streamed = header.width * header.height > _STREAM_ABOVE and times > 0
    if name == "webp" and times:  # libwebp scales while decoding, at less cost than decoding in full
        options["scale"] = 0.5**times
    if name == "jpeg" and times:
        options["shrink"] = 2 ** min(times, 3)
    image = getattr(pyvips.Image, f"{name}load_buffer")(data, **options)
    if name in ("png", "gif", "tiff") and (image.width, image.height) != (header.width, header.height):
        raise UnreadableError("its header contradicts itself about the size")
    loaded = image
    image = _eight_bits(image)
    cmyk = image.interpretation == "cmyk"
    if not cmyk and image.bands > 4:
        image = image.extract_band(0, n=3)
    if not cmyk and image.bands in _ALPHA_BANDS:
        image = image.flatten(background=[255] * (image.bands - 1))
    elif cmyk and image.bands > 4:
        image = image.extract_band(0, n=4)
    if streamed and name in ("png", "gif", "tiff"):
        factor = 2**times
        image = image.shrink(min(factor, image.width), min(factor, image.height))
    if image.format != "uchar":
        image = image.cast("uchar")
    pixels = np.frombuffer(image.write_to_memory(), np.uint8)
    return loaded, pixels.reshape(image.height, image.width, image.bands)


def _eight_bits(image: pyvips.Image) -> pyvips.Image:
    """Bring any number format to 0 … 255, in RGB, grey or CMYK."""
    if image.interpretation in ("lab", "labs", "labq", "xyz", "yxy", "scrgb", "hsv"):
        return image.colourspace("srgb")
    if image.format == "uchar":
        return image
    alpha = image.bands in _ALPHA_BANDS and image.interpretation != "cmyk"
    if image.format == "ushort":
        image = image >> 8
    else:
        image = image.copy_memory() if image.bands else image
        low, high = image.min(), image.max()
        if low < 0 or high > 255 or (high <= 1 and image.format in ("float", "double")):
            scale = 255 / (high - low) if high > low else 0
            low, scale = (0, 255) if low >= 0 and high <= 1 else (low, scale)
            image = (image - low) * scale
    kind = {"rgb16": "srgb", "grey16": "b-w"}.get(image.interpretation, image.interpretation)
    if alpha and kind == "multiband":
        kind = "srgb"
    return image.cast("uchar").copy(interpretation=kind)


def _reason(error: pyvips.Error) -> str:
    """The last line of libvips' complaint, without the loader's name."""
    lines = [line.strip() for line in str(error.detail or error.message).splitlines() if line.strip()]
    text = lines[-1] if lines else "no reason given"
    return f"damaged, or not what it claims to be ({text.rpartition(': ')[2]})"
