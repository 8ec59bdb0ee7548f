"""The size of a picture and how it is stored, from its header: read first, before any decoder sees the file.

`decode.py` refuses by it what would not fit in memory. Sources: PNG (third edition, 11.2.2), APNG, the WebP
container specification and RFC 9649, GIF89a, TIFF 6.0, Microsoft's BITMAPINFOHEADER; JPEG, HEIF and JPEG XL
have modules of their own.
"""

from __future__ import annotations

from imager.errors import ImagerError, UnreadableError
from imager.formats.codec_common import CUT_OFF, EMPTY, Header, big, little
from imager.formats.codec_tiff_ifd import IMAGE_LENGTH, IMAGE_WIDTH, directories, is_raw
from imager.formats.recognise import Format

__all__ = ["Header", "read_header"]

_MOST_CHUNKS = 200_000
_MOST_BLOCKS = 2_000_000  # of a GIF, at most 255 bytes each


def read_header(data: bytes, format: Format) -> Header:  # noqa: A002
    """Read width, height, frames and whether it is progressive, without decoding pixels.

    `data` is the whole file. Raises UnreadableError with the reason if the header is missing, cut off or
    absurd.
    """
    if not data:
        raise UnreadableError(EMPTY)
    try:
        header = _read(data, format.name)
    except ImagerError:
        raise
    except Exception as error:
        raise UnreadableError(f"its header is damaged ({type(error).__name__})") from error
    if header.width <= 0 or header.height <= 0:
        raise UnreadableError(f"its header claims {header.width} × {header.height} pixels, which is no picture")
    return header


def _read(data: bytes, name: str) -> Header:
    match name:
        case "jpeg":
            from imager.formats import codec_jpeg

            return codec_jpeg.read_header(data)
        case "png":
            return _png(data)
        case "webp":
            return _webp(data)
        case "gif":
            return _gif(data)
        case "tiff":
            return _tiff(data)
        case "bmp":
            return _bmp(data)
        case "heif" | "avif":
            from imager.formats import codec_heif

            return codec_heif.read_header(data)
        case "jxl":
            from imager.formats import codec_jxl

            return codec_jxl.read_header(data)
    raise UnreadableError(f"Imager does not read {name} files")


def _png(data: bytes) -> Header:
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise UnreadableError(CUT_OFF)
    frames = 1
    at = 33
    for _ in range(_MOST_CHUNKS):
        kind = data[at + 4 : at + 8]
        if len(kind) < 4 or kind == b"IDAT":
            break
        if kind == b"acTL":
            frames = max(1, big(data, at + 8, 4))
        at += 12 + big(data, at, 4)
    return Header(width=big(data, 16, 4), height=big(data, 20, 4), frames=frames, progressive=data[28] != 0)


def _webp(data: bytes) -> Header:
    kind = data[12:16]
    if kind == b"VP8 ":
        return Header(width=little(data, 26, 2) & 0x3FFF, height=little(data, 28, 2) & 0x3FFF)
    if kind == b"VP8L":
        bits = little(data, 21, 4)
        return Header(width=(bits & 0x3FFF) + 1, height=(bits >> 14 & 0x3FFF) + 1)
    if kind != b"VP8X":
        raise UnreadableError(CUT_OFF)
    frames = 0
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(data):
            break
        frames += data[at : at + 4] == b"ANMF"
        at += 8 + (little(data, at + 4, 4) + 1 & ~1)
    return Header(width=little(data, 24, 3) + 1, height=little(data, 27, 3) + 1, frames=max(1, frames))


def _gif(data: bytes) -> Header:
    width, height, flags = little(data, 6, 2), little(data, 8, 2), little(data, 10, 1)
    at = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    frames = 0
    for _ in range(_MOST_BLOCKS):
        block = data[at : at + 1]
        if block == b",":
            if at + 10 > len(data):
                break
            if not frames and not (width and height):
                width, height = little(data, at + 5, 2), little(data, at + 7, 2)
            frames += 1
            local = data[at + 9]
            at += 11 + (3 << (local & 7) + 1 if local & 0x80 else 0)
        elif block == b"!":
            at += 2
        else:
            break
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    if not frames:
        raise UnreadableError(CUT_OFF)
    return Header(width=width, height=height, frames=frames)


def _tiff(data: bytes) -> Header:
    pages = list(directories(data))
    if not pages or IMAGE_WIDTH not in pages[0]:
        raise UnreadableError(CUT_OFF)
    if is_raw(data):
        raise UnreadableError("a camera's RAW file, which this version of Imager does not read")
    return Header(width=pages[0][IMAGE_WIDTH], height=pages[0].get(IMAGE_LENGTH, 0), frames=len(pages))


def _bmp(data: bytes) -> Header:
    if little(data, 14, 4) in (12, 16):
        return Header(width=little(data, 18, 2), height=little(data, 20, 2))
    height = little(data, 22, 4)
    return Header(width=little(data, 18, 4), height=min(height, (1 << 32) - height))  # negative: top row first
