"""Finds the blocks of metadata within a file: EXIF, XMP, IPTC, Photoshop resources, ICC profile and text.

It knows how each kind of file is put together and nothing of what is in the blocks; `exif`, `xmp` and `iptc`
read those. ISO base media files (HEIF, AVIF, JPEG XL) are in `boxes`. Pixels are never looked at: a JPEG is
read up to its first scan, everything else by the lengths of its chunks. Work is bounded by `MAX_CHUNKS`, `MAX_BLOCK`
and the like, so that a hostile file costs no more than a large one.

Sources: JPEG (ITU-T T.81, annex B), JFIF 1.02, Exif 3.0 (4.7), XMP specification part 3, PNG (third edition),
WebP container specification, GIF89a.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from imager.formats.text import decode

MAX_BLOCK: Final = 16 << 20  # bytes of one block, and of all text of a PNG together
MAX_SEGMENTS: Final = 20_000  # of a JPEG's header
MAX_CHUNKS: Final = 300_000  # of a PNG or WebP
MAX_COMMENTS: Final = 100
MAX_SUB_BLOCKS: Final = 1_000_000  # of a GIF, at most 255 bytes each


@dataclass(slots=True)
class Blocks:
    """What was found, in the file's order. `other` holds small facts of the container itself."""

    exif: list[bytes | memoryview] = field(default_factory=list)
    xmp: list[bytes] = field(default_factory=list)
    iptc: list[bytes] = field(default_factory=list)  # IIM data sets
    photoshop: list[bytes] = field(default_factory=list)  # image resource blocks ('8BIM')
    icc: bytes | None = None
    text: dict[str, list[str]] = field(default_factory=dict)  # PNG keywords
    comments: list[str] = field(default_factory=list)
    other: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] | None = None  # stored width and height, where reading them costs nothing
    problems: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        """Note what could not be read, once."""
        if text not in self.problems and len(self.problems) < 20:
            self.problems.append(text)


_STANDARD_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENDED_XMP: Final = b"http://ns.adobe.com/xmp/extension/\0"
_PHOTOSHOP: Final = b"Photoshop 3.0\0"
_FILL: Final = re.compile(b"\xff+")
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def read_jpeg(data: bytes, blocks: Blocks) -> None:
    """Walk the marker segments of a JPEG up to its first scan."""
    extended: dict[bytes, dict[int, bytes]] = {}
    icc: list[tuple[int, bytes]] = []
    photoshop: list[bytes] = []
    position = 2
    last: tuple[int, int] | None = None  # where the EXIF block just read begins, and its index in blocks.exif
    for _ in range(MAX_SEGMENTS):
        if position >= len(data):
            blocks.problem("The JPEG ends within its header.")
            break
        if data[position] != 0xFF:
            found = _resynchronise(data, position)
            blocks.problem("A segment of the JPEG has a wrong length.")
            if found < 0:
                break
            if last is not None:
                # The length was wrong and the block goes on: its values may lie in what was skipped.
                blocks.exif[last[1]] = memoryview(data)[last[0] : found]
            position = found
        fill = _FILL.match(data, position)
        position = fill.end() - 1 if fill else position
        marker = data[position + 1] if position + 1 < len(data) else 0xD9
        if marker in (0xDA, 0xD9):
            break
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            position += 2
            continue
        if position + 4 > len(data):
            blocks.problem("The JPEG ends within its header.")
            break
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        start, end = position + 4, position + 2 + max(length, 2)
        last = None
        if end > len(data):
            blocks.problem("The JPEG ends within its header.")
            end = len(data)
        if marker == 0xE1:
            head = data[start : start + 6]
            if head[:4] in (b"Exif", b"EXIF", b"exif"):
                last = start, len(blocks.exif)
                blocks.exif.append(data[start:end])
            elif data.startswith(_STANDARD_XMP, start, end):
                blocks.xmp.append(data[start + len(_STANDARD_XMP) : end])
            elif data.startswith(_EXTENDED_XMP, start, end):
                _collect_extended(data[start + len(_EXTENDED_XMP) : end], extended)
            elif head in (b"http:/", b"<?xpac", b"<x:xmp"):
                at = data.find(b"<", start, end)
                if at >= 0:
                    blocks.xmp.append(data[at:end])
        elif marker == 0xE2 and data.startswith(b"ICC_PROFILE\0", start, end):
            icc.append((data[start + 12] if start + 12 < end else 0, data[start + 14 : end]))
        elif marker == 0xED and data.startswith(_PHOTOSHOP, start, end):
            photoshop.append(data[start + len(_PHOTOSHOP) : end])
        elif marker == 0xED and data.startswith(b"\x1c\x02", start, end):
            blocks.iptc.append(data[start:end])
        elif marker == 0xE0 and data.startswith(b"JFIF\0", start, end) and end - start >= 12:
            major, minor, unit, x, y = struct.unpack_from(">BBBHH", data, start + 5)
            blocks.other.setdefault(
                "jfif",
                {
                    "JFIFVersion": f"{major}.{minor:02}",
                    "ResolutionUnit": unit,
                    "XResolution": x,
                    "YResolution": y,
                },
            )
        elif marker == 0xEE and data.startswith(b"Adobe", start, end) and end - start >= 12:
            version, flags0, flags1, transform = struct.unpack_from(">HHHB", data, start + 5)
            blocks.other["adobe"] = {
                "DCTEncodeVersion": version,
                "APP14Flags0": flags0,
                "APP14Flags1": flags1,
                "ColorTransform": transform,
            }
        elif marker == 0xFE and len(blocks.comments) < MAX_COMMENTS:
            blocks.comments.append(decode(data[start:end]))
        elif marker in _FRAMES and end - start >= 5 and blocks.size is None:
            height, width = struct.unpack_from(">HH", data, start + 1)
            blocks.size = width, height
        position = end
    else:
        blocks.problem("The JPEG has too many segments; the rest was not read.")
    # Large resource blocks are spread over several segments and are one stream.
    if photoshop:
        blocks.photoshop.append(b"".join(photoshop))
    if icc:
        blocks.icc = b"".join(part for _, part in sorted(icc, key=lambda item: item[0]))
    _join_extended(extended, blocks)


def _resynchronise(data: bytes, position: int) -> int:
    """The next place that can be a marker of a header, within 64 KB; -1 where there is none."""
    limit = min(len(data), position + (64 << 10))
    while (position := data.find(b"\xff", position, limit)) >= 0:
        marker = data[position + 1] if position + 1 < len(data) else 0
        if marker in (0xDA, 0xDB, 0xC4, 0xDD, 0xFE) or marker in _FRAMES or 0xE0 <= marker <= 0xEF:
            length = int.from_bytes(data[position + 2 : position + 4], "big")
            follows = data[position + 2 + length : position + 3 + length]
            if length >= 2 and (follows == b"\xff" or marker == 0xDA):
                return position
        position += 1
    return -1


def _collect_extended(data: bytes, found: dict[bytes, dict[int, bytes]]) -> None:
    """Keep one piece of extended XMP under its GUID: 32 characters, total length, offset, bytes."""
    if len(data) >= 40 and (len(found) < 8 or data[:32] in found):
        found.setdefault(data[:32], {})[int.from_bytes(data[36:40], "big")] = data[40:]


def _join_extended(found: dict[bytes, dict[int, bytes]], blocks: Blocks) -> None:
    """Put the pieces of extended XMP together, if the main packet asks for them (XMP part 3, 1.1.3.1)."""
    for guid, pieces in found.items():
        if not any(guid in packet for packet in blocks.xmp):
            blocks.problem("Extended XMP that belongs to no packet was passed over.")
            continue
        joined = bytearray()
        for offset, piece in sorted(pieces.items()):
            if offset != len(joined) or len(joined) + len(piece) > MAX_BLOCK:
                blocks.problem("The extended XMP is incomplete or too large.")
                break
            joined += piece
        else:
            blocks.xmp.append(bytes(joined))


def read_png(data: bytes, blocks: Blocks) -> None:
    """Walk the chunks of a PNG; compressed text is inflated, all of it together up to `MAX_BLOCK`."""
    position = 8
    budget = MAX_BLOCK
    for _ in range(MAX_CHUNKS):
        if position + 8 > len(data):
            break
        length, kind = struct.unpack_from(">I4s", data, position)
        start, end = position + 8, position + 8 + length
        position = end + 4
        if kind == b"IDAT":
            continue
        if end > len(data):
            blocks.problem("The PNG ends within a chunk.")
            end = len(data)
        if kind == b"IEND":
            break
        if kind == b"IHDR" and end - start >= 8:
            width, height = struct.unpack_from(">II", data, start)
            blocks.size = width, height
        elif kind in (b"eXIf", b"zxIf"):
            blocks.exif.append(memoryview(data)[start:end])
        elif kind == b"tIME" and end - start >= 7:
            year, *rest = struct.unpack_from(">HBBBBB", data, start)
            blocks.other["png:tIME"] = f"{year:04}-{rest[0]:02}-{rest[1]:02}T{rest[2]:02}:{rest[3]:02}:{rest[4]:02}"
        elif kind == b"pHYs" and end - start >= 9:
            x, y, unit = struct.unpack_from(">IIB", data, start)
            blocks.other["png:pHYs"] = {"x": x, "y": y, "unit": unit}
        elif kind in (b"tEXt", b"zTXt", b"iTXt", b"iCCP"):
            if end - start > MAX_BLOCK:
                blocks.problem("A text of the PNG is too large and was not read.")
                continue
            budget -= _png_text(kind, data[start:end], blocks, budget)
            if budget <= 0:
                blocks.problem("The texts of the PNG are too large; some were not read.")
                break
    else:
        blocks.problem("The PNG has too many chunks; the rest was not read.")


def _png_text(kind: bytes, chunk: bytes, blocks: Blocks, budget: int) -> int:
    """Read one text chunk; gives what it cost of the budget."""
    keyword, _, rest = chunk.partition(b"\0")
    name = keyword[:79].decode("latin-1")
    compressed = kind in (b"zTXt", b"iCCP")
    if kind == b"iTXt":
        compressed = rest[:1] == b"\x01"
        _language, _, rest = rest[2:].partition(b"\0")
        _translated, _, rest = rest.partition(b"\0")
    elif compressed:
        rest = rest[1:]
    if compressed:
        rest = inflate(rest, budget, blocks)
    cost = len(rest) + len(chunk) + 1024  # so that a million tiny ones come to an end too
    if kind == b"iCCP":
        blocks.icc = rest
    elif name == "XML:com.adobe.xmp":
        blocks.xmp.append(rest)
    elif name.startswith("Raw profile type "):
        _raw_profile(name[17:].lower(), rest, blocks)
    else:
        blocks.text.setdefault(name, []).append(decode(rest))
    return cost


def inflate(data: bytes, limit: int, blocks: Blocks) -> bytes:
    """Inflate at most `limit` bytes; damage and excess are noted, and what came out so far is kept."""
    inflater = zlib.decompressobj()
    try:
        result = inflater.decompress(data, max(1, limit))
    except zlib.error:
        blocks.problem("A compressed text of the PNG is damaged.")
        return b""
    if not inflater.eof:
        blocks.problem("A compressed text of the PNG is cut off or too large.")
    return result


def _raw_profile(kind: str, text: bytes, blocks: Blocks) -> None:
    """A block in hexadecimal, as ImageMagick writes it: a name, a length, then lines of digits."""
    match = re.match(rb"\s*[^\n]*\n\s*(\d{1,9})\s", text)
    try:
        if match is None:
            raise ValueError
        block = bytes.fromhex(text[match.end() :].decode("ascii"))[: int(match[1])]
    except ValueError:
        blocks.problem(f"The raw profile '{kind[:20]}' of the PNG is damaged.")
        return
    if kind in ("exif", "app1"):
        if block.startswith(_STANDARD_XMP):
            blocks.xmp.append(block[len(_STANDARD_XMP) :])
        elif block.lstrip().startswith(b"<"):
            blocks.xmp.append(block)
        else:
            blocks.exif.append(block)
    elif kind == "xmp":
        blocks.xmp.append(block)
    elif kind in ("iptc", "8bim"):
        (blocks.iptc if block[:1] == b"\x1c" else blocks.photoshop).append(block.removeprefix(_PHOTOSHOP))
    elif kind in ("icc", "icm"):
        blocks.icc = block


def read_webp(data: bytes, blocks: Blocks) -> None:
    """Walk the RIFF chunks of a WebP."""
    position = 12
    for _ in range(MAX_CHUNKS):
        if position + 8 > len(data):
            break
        kind, length = struct.unpack_from("<4sI", data, position)
        start, end = position + 8, position + 8 + length
        position = end + (length & 1)
        if end > len(data):
            blocks.problem("The WebP ends within a chunk.")
            end = len(data)
        if kind == b"EXIF":
            blocks.exif.append(memoryview(data)[start:end])
        elif kind == b"XMP ":
            blocks.xmp.append(data[start : min(end, start + MAX_BLOCK + 1)])
        elif kind == b"ICCP":
            blocks.icc = data[start : min(end, start + MAX_BLOCK)]
        elif kind == b"VP8X" and end - start >= 10:
            width, height = (int.from_bytes(data[start + i : start + i + 3], "little") + 1 for i in (4, 7))
            blocks.size = width, height
    else:
        blocks.problem("The WebP has too many chunks; the rest was not read.")


def read_gif(data: bytes, blocks: Blocks) -> None:
    """Walk the blocks of a GIF for its comments and XMP, which lies in an application extension."""
    position = 13 + _colour_table(data, 10)
    steps = MAX_SUB_BLOCKS
    while steps > 0 and position < len(data):
        steps -= 8
        introducer = data[position]
        if introducer == 0x2C:
            position += 11 + _colour_table(data, position + 9)
            keep: list[bytes] | None = None
        elif introducer == 0x21:
            label = data[position + 1 : position + 2]
            position += 2
            if label == b"\xff" and data[position : position + 12] == b"\x0bXMP DataXMP":
                begin = position + 12
                position, steps = _sub_blocks(data, begin, steps, None)
                # XMP is not cut into sub-blocks: a 'magic trailer' of 258 bytes leads such readers to the
                # end.
                packet = data[begin : min(position, begin + MAX_BLOCK + 1)]
                blocks.xmp.append(packet[:-258] if packet[-4:] == b"\x02\x01\0\0" else packet)
                continue
            keep = [] if label == b"\xfe" else None
        else:
            if introducer != 0x3B:
                blocks.problem("The GIF is damaged.")
            return
        position, steps = _sub_blocks(data, position, steps, keep)
        if keep and len(blocks.comments) < MAX_COMMENTS:
            blocks.comments.append(decode(b"".join(keep)))
    if steps <= 0:
        blocks.problem("The GIF has too many blocks; the rest was not read.")


def _colour_table(data: bytes, at: int) -> int:
    """The length of the colour table whose flags stand at `at`."""
    flags = data[at] if at < len(data) else 0
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(data: bytes, position: int, steps: int, keep: list[bytes] | None) -> tuple[int, int]:
    """Step over data sub-blocks, keeping their bytes if asked to; gives the position after them."""
    end = len(data)
    while position < end and steps > 0:
        length = data[position]
        if keep is not None:
            keep.append(data[position + 1 : position + 1 + length])
        position += 1 + length
        steps -= 1
        if not length:
            break
    return position, steps


READERS: Final[dict[str, Callable[[bytes, Blocks], None]]] = {
    "jpeg": read_jpeg,
    "png": read_png,
    "webp": read_webp,
    "gif": read_gif,
}
