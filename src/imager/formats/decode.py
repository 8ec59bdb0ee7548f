"""Decodes a picture once, for everything that is derived from it, at no larger scale than is needed.

What a file may cost is decided from its header before a decoder sees it. Decoders run in worker processes
with deadlines and memory limits besides; here every failure they report becomes an UnreadableError.
"""

from __future__ import annotations

import dataclasses

from imager.errors import ImagerError, TooLargeError, UnreadableError
from imager.formats.codec_common import Header, Pixels, halved, halving
from imager.formats.recognise import Format

__all__ = ["Pixels", "check_size", "decode"]

_MILLION = 1_000_000
_LONGEST = 1_000_000  # pixels a side may have
# Millions of pixels that stay under about 1 GB, as measured (docs/formats.md): of formats that can be decoded
# in strips or at a smaller scale more, of those that must be held whole in memory less.
_LIMITS = {
    "jpeg": 500,
    "png": 400,
    "webp": 200,
    "gif": 150,
    "tiff": 200,
    "bmp": 120,
    "heif": 120,
    "avif": 80,
    "jxl": 64,
}
_PROGRESSIVE_LIMITS = {"jpeg": 120, "png": 100}
_NAMES = {"jpeg": "JPEG", "webp": "WebP", "heif": "HEIF", "jxl": "JPEG XL"}


def check_size(format: Format, header: Header) -> None:  # noqa: A002
    """Refuse what would take too much memory to decode. Raises TooLargeError with dimensions and limit."""
    limit = (_PROGRESSIVE_LIMITS if header.progressive else _LIMITS)[format.name]
    pixels = header.width * header.height
    if pixels > limit * _MILLION or max(header.width, header.height) > _LONGEST:
        kind = ("progressive or interlaced " if header.progressive else "") + _NAMES.get(
            format.name, format.name.upper()
        )
        raise TooLargeError(
            f"{header.width:,} × {header.height:,} pixels are too many to decode safely: "
            f"the limit for {kind} is {limit} million, and {_LONGEST:,} on a side"
        )


def decode(data: bytes, format: Format, header: Header, *, long_side: int = 1440) -> Pixels:  # noqa: A002
    """Decode the picture (of several, the first or the primary one) to 8-bit RGB.

    The result's long side is at least `long_side` and less than twice that, or that of a smaller picture.
    Transparency is laid over white, 16 bits and floating point become 8, CMYK and grey become RGB; an RGB
    profile is handed on and not applied. Raises TooLargeError before decoding, UnreadableError otherwise.
    """
    check_size(format, header)
    try:
        pixels = _decode(data, format.name, header, long_side)
    except ImagerError:
        raise
    except MemoryError:
        raise TooLargeError(
            f"{header.width:,} × {header.height:,} pixels need more memory than a worker is given"
        ) from None
    except Exception as error:  # decoders raise as they please, and it is the file's fault
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise UnreadableError(f"damaged, or not what it claims to be ({text})") from error
    height, width = pixels.array.shape[:2]
    return dataclasses.replace(pixels, array=halved(pixels.array, halving(width, height, long_side)))


def _decode(data: bytes, name: str, header: Header, long_side: int) -> Pixels:
    """Call the format's codec. Each is imported when first needed: most libraries hold few formats."""
    match name:
        case "jpeg":
            from imager.formats import codec_jpeg

            return codec_jpeg.decode(data, header, long_side)
        case "png" | "webp" | "gif" | "tiff":
            from imager.formats import codec_vips

            return codec_vips.decode(data, name, header, long_side)
        case "bmp" | "avif":
            from imager.formats import codec_pillow

            decoder = codec_pillow.decode_bmp if name == "bmp" else codec_pillow.decode_avif
            return decoder(data, header, long_side)
        case "heif":
            from imager.formats import codec_heif

            return codec_heif.decode(data, header, long_side)
        case "jxl":
            from imager.formats import codec_jxl

            return codec_jxl.decode(data, header)
    raise UnreadableError(f"Imager does not read {name} files")
