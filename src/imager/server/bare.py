"""A picture file without what it says beside the picture: for who is given the picture and not where it was taken.

Pixels are not touched: JPEG, PNG and WebP are put together anew from those of their pieces that make the picture (its
data, colour profile, transparency, animation), and nothing else is taken over: no EXIF, XMP, IPTC, comments, embedded
thumbnails, nor what is appended behind the picture (films of 'motion photos', second pictures). Only which way up it is
shown is said again. Other formats, and files that are not put together as they should be, can't be bared.

Sources: JPEG (ITU-T T.81, annex B), JFIF 1.02, PNG (third edition), WebP container specification.
"""

from __future__ import annotations

import mmap
import re
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

FORMATS: Final = frozenset(("image/jpeg", "image/png", "image/webp"))

_MOST: Final = 100_000  # pieces of a file
_SCANNED: Final = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")
_CHUNKS: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD hIST pHYs cICP mDCV cLLI acTL fcTL fdAT".split()
)
_RIFF: Final = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))


class _NotSoundError(Exception):
    """The file is not put together as it should be."""


@dataclass(frozen=True, slots=True)
class Bare:
    """What is left of a file: pieces of it (from, to) and bytes of our own, in their order."""

    pieces: tuple[tuple[int, int] | bytes, ...]

    @property
    def size(self) -> int:
        """Bytes of all pieces."""
        return sum(len(p) if isinstance(p, bytes) else p[1] - p[0] for p in self.pieces)

    def read(self, file: BinaryIO, at: int, size: int) -> bytes:
        """`size` bytes from `at` on, fewer at the end only. OSError where the file became shorter."""
        found, begin = bytearray(), 0
        for piece in self.pieces:
            length = len(piece) if isinstance(piece, bytes) else piece[1] - piece[0]
            start, end = max(at - begin, 0), min(at + size - begin, length)
            if start < end:
                if isinstance(piece, bytes):
                    found += piece[start:end]
                else:
                    file.seek(piece[0] + start)
                    data = file.read(end - start)
                    if len(data) < end - start:
                        raise OSError("the file became shorter while it was sent")
                    found += data
            begin += length
            if begin >= at + size:
                break
        return bytes(found)


def bare(file: BinaryIO, mime: str | None, orientation: int | None) -> Bare | None:
    """What is left of an open file of that type; None where it can't be bared. `orientation`: EXIF's 1 … 8."""
    if mime not in FORMATS:
        return None
    turned = orientation if orientation is not None and 2 <= orientation <= 8 else None
    try:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if mime == "image/jpeg":
                pieces = _jpeg(data, turned)
            elif mime == "image/png":
                pieces = _png(data, turned)
            else:
                pieces = _webp(data, turned)
    except (_NotSoundError, ValueError, struct.error):
        return None
    return Bare(tuple(pieces))


def _exif(orientation: int) -> bytes:
    """EXIF that says only which way up."""
    return b"MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)


def _jpeg(data: mmap.mmap, orientation: int | None) -> list[tuple[int, int] | bytes]:
    if data[:2] != b"\xff\xd8":
        raise _NotSoundError
    pieces: list[tuple[int, int] | bytes] = [b"\xff\xd8"]
    if orientation is not None:
        block = b"Exif\0\0" + _exif(orientation)
        pieces.append(b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block)
    position = 2
    for _ in range(_MOST):
        match = re.compile(rb"\xff+[\x01-\xfe]").match(data, position)
        if match is None:
            raise _NotSoundError
        begin, marker = match.end() - 2, data[match.end() - 1]
        if marker == 0xD9:
            return [*pieces, b"\xff\xd9"]
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            raise _NotSoundError
        start = begin + 4
        end = begin + 2 + int.from_bytes(data[begin + 2 : start], "big")
        if not start <= end <= len(data):
            raise _NotSoundError
        if marker == 0xE0 and data[start : start + 5] == b"JFIF\0" and end - start >= 12:
            pieces.append(b"\xff\xe0\0\x10" + data[start : start + 12] + b"\0\0")  # without its thumbnail
        elif marker == 0xE2:
            if data[start : start + 12] == b"ICC_PROFILE\0":
                pieces.append((begin, end))
        elif marker == 0xEE:
            if data[start : start + 5] == b"Adobe":
                pieces.append((begin, min(end, start + 12)) if end == start + 12 else _adobe(data[start : start + 12]))
        elif not (0xE0 <= marker <= 0xEF or marker >= 0xF0):
            scan = None
            if marker == 0xDA:
                scan = _SCANNED.search(data, end)
                if scan is None:
                    raise _NotSoundError
            end = end if scan is None else scan.start()
            pieces.append((begin, end))
        position = end
    raise _NotSoundError


def _adobe(block: bytes) -> bytes:
    return b"\xff\xee\0\x0e" + block


def _png(data: mmap.mmap, orientation: int | None) -> list[tuple[int, int] | bytes]:
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise _NotSoundError
    pieces: list[tuple[int, int] | bytes] = [(0, 8)]
    position = 8
    for _ in range(_MOST):
        head = data[position : position + 8]
        end = position + 12 + int.from_bytes(head[:4], "big")
        if len(head) < 8 or end > len(data):
            raise _NotSoundError
        kind = head[4:]
        if kind in _CHUNKS:
            pieces.append((position, end))
        if kind == b"IHDR" and orientation is not None:
            block = b"eXIf" + _exif(orientation)
            pieces.append(struct.pack(">I", len(block) - 4) + block + struct.pack(">I", zlib.crc32(block)))
        if kind == b"IEND":
            return pieces
        position = end
    raise _NotSoundError


def _webp(data: mmap.mmap, orientation: int | None) -> list[tuple[int, int] | bytes]:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise _NotSoundError
    end_of_all = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    pieces: list[tuple[int, int] | bytes] = []
    position, extended = 12, False
    for _ in range(_MOST):
        if position + 8 > end_of_all:
            break
        kind = data[position : position + 4]
        size = int.from_bytes(data[position + 4 : position + 8], "little")
        end = position + 8 + size
        if end > end_of_all:
            raise _NotSoundError
        if kind == b"VP8X":
            if size < 10:
                raise _NotSoundError
            flags = data[position + 8] & ~0x0C | (0x08 if orientation is not None else 0)
            pieces.append(b"VP8X" + struct.pack("<I", 10) + bytes([flags]) + data[position + 9 : position + 18])
            extended = True
        elif kind in _RIFF:
            pieces.append((position, end))
            if size & 1:
                pieces.append(b"\0")
        position = end + (size & 1)
    else:
        raise _NotSoundError
    if extended and orientation is not None:
        block = _exif(orientation)
        pieces.append(b"EXIF" + struct.pack("<I", len(block)) + block)
    whole = Bare(tuple(pieces)).size + 4
    return [b"RIFF" + struct.pack("<I", whole) + b"WEBP", *pieces]
