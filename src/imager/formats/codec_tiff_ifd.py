"""The directories of a TIFF file, as far as recognising and measuring pictures needs them.

After TIFF 6.0 (Adobe, 1992) and BigTIFF. Reads a few numbers, follows no pointer but those to directories,
and trusts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

IMAGE_WIDTH, IMAGE_LENGTH = 256, 257
_SUBFILE_TYPE, _COMPRESSION, _PHOTOMETRIC, _SUB_IFDS, _DNG_VERSION = 254, 259, 262, 330, 50706
_CFA, _LINEAR_RAW = 32803, 34892
_RAW_COMPRESSIONS = frozenset([32767, 32770, 34713, 65000, 65535])  # Sony, Samsung, Nikon, Kodak, Pentax
_TYPE_SIZES = {1: 1, 3: 2, 4: 4, 6: 1, 8: 2, 9: 4, 13: 4, 16: 8, 17: 8, 18: 8}
_MOST_ENTRIES = 4096
_MOST_PAGES = 10_000


def directories(data: bytes) -> Iterator[dict[int, int]]:
    """Yield the pages of a TIFF file, each as tag → first value (whole numbers only).

    Stops at the first directory that lies outside `data`, that repeats, or is nonsense.
    """
    order: Literal["little", "big"] = "little" if data[:2] == b"II" else "big"
    large = data[2:4] in (b"+\0", b"\0+")
    width, count_size, entry_size = (8, 8, 20) if large else (4, 2, 12)

    def number(at: int, size: int) -> int:
        return int.from_bytes(data[at : at + size], order)

    at = number(8 if large else 4, width)
    seen: set[int] = set()
    while at and at not in seen and at + count_size <= len(data) and len(seen) < _MOST_PAGES:
        seen.add(at)
        entries = number(at, count_size)
        start = at + count_size
        if not 0 < entries <= _MOST_ENTRIES:
            return
        tags: dict[int, int] = {}
        for entry in range(start, start + entries * entry_size, entry_size):
            if entry + entry_size > len(data):
                break
            size = _TYPE_SIZES.get(number(entry + 2, 2))
            value_at = entry + 4 + width
            if size is None:
                continue
            if number(entry + 4, width) * size > width:
                value_at = number(value_at, width)
            if value_at + size <= len(data):
                tags.setdefault(number(entry, 2), number(value_at, size))
            else:
                tags.setdefault(number(entry, 2), 0)
        yield tags
        end = start + entries * entry_size
        at = number(end, width) if end + width <= len(data) else 0


def is_raw(head: bytes) -> bool:
    """Tell whether a TIFF file is a camera's RAW file, from what of it is at hand.

    A RAW file says so (DNG), keeps the sensor's pattern or a maker's own compression in its first directory,
    or begins with a thumbnail and hangs the picture below it; or it names itself after the TIFF header.
    """
    if head[8:10] == b"CR" or head[8:12] in (b"IIII", b"MMMM"):
        return True  # Canon CR2, Phase One IIQ
    first = next(directories(head), {})
    return (
        _DNG_VERSION in first
        or first.get(_PHOTOMETRIC) in (_CFA, _LINEAR_RAW)
        or first.get(_COMPRESSION) in _RAW_COMPRESSIONS
        or bool(first.get(_SUBFILE_TYPE, 0) & 1 and _SUB_IFDS in first)
    )
