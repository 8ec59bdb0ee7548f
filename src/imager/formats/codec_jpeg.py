"""Reads JPEG (ITU-T T.81): its header, and its pixels at the scale that is needed.

libjpeg-turbo can leave out high frequencies and so decode at n/8 of the size. It has SIMD code for 1/8,
2/8, 4/8 and 8/8 only: 4/8 is no slower than 3/8 and keeps more detail, so the next of these is taken while it
is not much too large.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import simplejpeg

from imager.errors import UnreadableError
from imager.formats import codec_vips
from imager.formats.codec_colour import cmyk_to_rgb, grey_to_rgb, profile_space
from imager.formats.codec_common import CUT_OFF, NOTHING_LEFT, Bytes8, Header, Pixels, as_rgb, big, blank

_SOF = frozenset([0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF])
_PROGRESSIVE = frozenset([0xC2, 0xC6, 0xCA, 0xCE])
_LOSSLESS = frozenset([0xC3, 0xC7, 0xCB, 0xCF])
_SOS, _EOI, _APP2, _APP14 = 0xDA, 0xD9, 0xE2, 0xEE
_FAST_EIGHTHS = (1, 2, 4, 8)
_TOO_FINE = 1.6  # times the size that is needed: beyond this the odd scales cost less
_BANDS = {"GRAY": 1, "RGB": 3, "CMYK": 4}
_MOST_SEGMENTS = 20_000
_HARMLESS = "extraneous bytes"  # libjpeg's only complaint after which every pixel is right


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, where its content begins, where it ends) up to and with the first start of scan."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        at = data.find(b"\xff", at)
        if at < 0 or at + 4 > len(data):
            return
        marker = data[at + 1]
        if marker in (0x00, 0xFF, 0x01) or 0xD0 <= marker <= 0xD8:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == _EOI:
            return
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if size < 2:
            at += 2
            continue
        yield marker, at + 4, min(at + 2 + size, len(data))
        if marker == _SOS:
            return
        at += 2 + size


def read_header(data: bytes) -> Header:
    """Read the size from the frame header; several scans count as progressive, for libjpeg buffers them too.

    Raises UnreadableError if there is none or no decoder would take it.
    """
    width = height = components = 0
    progressive = False
    for marker, start, _ in _segments(data):
        if marker in _SOF:
            bits = big(data, start, 1)
            height, width, components = (
                big(data, start + 1, 2),
                big(data, start + 3, 2),
                big(data, start + 5, 1),
            )
            if bits != 8:
                raise UnreadableError(f"a JPEG of {bits} bits per colour, which no common decoder reads")
            progressive = marker in _PROGRESSIVE or marker in _LOSSLESS
        elif marker == _SOS:
            if components:
                progressive |= big(data, start, 1) < components
                return Header(width=width, height=height, progressive=progressive)
            break
    raise UnreadableError(CUT_OFF)


def decode(data: bytes, header: Header, long_side: int) -> Pixels:
    """Decode at the smallest useful scale whose long side is at least `long_side`, if the picture's is.

    Truncated and damaged pictures are shown as far as they go. CMYK becomes sRGB by its own profile.
    """
    icc, inverted = _profile_and_inversion(data)
    min_width, min_height = _scale(header, long_side)
    complete = True
    try:
        _, _, space, _ = simplejpeg.decode_jpeg_header(data, strict=False)
        wanted = "CMYK" if space in ("CMYK", "YCCK") else "GRAY" if space == "Gray" else "RGB"
        try:
            # At reduced scale smooth chroma upsampling (of 4:2:2) would cost a seventh and show nothing.
            array = simplejpeg.decode_jpeg(
                data,
                wanted,
                fastupsample=min_width < header.width,
                min_width=min_width,
                min_height=min_height,
            )
        except ValueError as error:
            complete = _HARMLESS in str(error)
            array = _as_far_as_it_goes(data, wanted, min_width, min_height)
    except ValueError:
        # What TurboJPEG's interface refuses and libjpeg itself does not: odd chroma subsamplings, for one.
        return codec_vips.decode(data, "jpeg", header, long_side)
    if not complete and blank(array):
        raise UnreadableError(NOTHING_LEFT)
    if wanted == "CMYK":
        array, icc = cmyk_to_rgb(array if not inverted else 255 - array, icc), None
    elif wanted == "GRAY":
        array, icc = grey_to_rgb(array[:, :, 0], icc), None
    return Pixels(
        array=as_rgb(array),
        icc=icc if profile_space(icc) == "RGB" else None,
        width=header.width,
        height=header.height,
        complete=complete,
    )


def _as_far_as_it_goes(data: bytes, space: str, min_width: int, min_height: int) -> Bytes8:
    """Decode a damaged picture; what can't be decoded is grey.

    TurboJPEG leaves the rest of its output as it was, so it is given one of our own: memory that was used
    before could hold somebody's other picture.
    """
    height, width, _, _ = simplejpeg.decode_jpeg_header(data, min_width=min_width, min_height=min_height, strict=False)
    array = np.full((height, width, _BANDS[space]), 128, np.uint8)
    simplejpeg.decode_jpeg(data, space, min_width=min_width, min_height=min_height, buffer=array, strict=False)
    return array


def _scale(header: Header, long_side: int) -> tuple[int, int]:
    """Return the width and height that make libjpeg-turbo choose the best scale."""
    longest = max(header.width, header.height)
    enough = [n for n in range(1, 9) if -(-longest * n // 8) >= long_side] or [8]
    fast = next((n for n in enough if n in _FAST_EIGHTHS), 8)
    eighths = fast if longest * fast / 8 <= _TOO_FINE * long_side else enough[0]
    return -(-header.width * eighths // 8), -(-header.height * eighths // 8)


def _profile_and_inversion(data: bytes) -> tuple[bytes | None, bool]:
    """Collect the ICC profile (ICC.1, annex B.4) and whether Adobe wrote the file, whose CMYK is inverted."""
    parts: dict[int, bytes] = {}
    adobe = False
    for marker, start, end in _segments(data):
        if marker == _APP2 and data[start : start + 12] == b"ICC_PROFILE\0" and end - start > 14:
            parts.setdefault(data[start + 12], data[start + 14 : end])
        elif marker == _APP14 and data[start : start + 5] == b"Adobe":
            adobe = True
    return b"".join(parts[number] for number in sorted(parts)) or None, adobe
