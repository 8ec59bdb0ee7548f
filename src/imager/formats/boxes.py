"""Finds metadata in files made of ISO base media boxes: HEIF, AVIF and JPEG XL.

Part of `containers`, apart for its size. HEIF and AVIF (ISO/IEC 23008-12, 14496-12) list their metadata as
items in the 'meta' box, JPEG XL (ISO/IEC 18181-2) has boxes of its own, perhaps compressed with Brotli, for
which the `brotli` module is used where it is installed.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, Final

from imager.formats.containers import MAX_BLOCK, Blocks
from imager.formats.text import decode

MAX_BOXES: Final = 20_000
MAX_ITEMS: Final = 10_000


def boxes_of(data: bytes, start: int, end: int, blocks: Blocks) -> Iterator[tuple[bytes, int, int]]:
    """Each box between two offsets: its type, and where its content begins and ends."""
    for _ in range(MAX_BOXES):
        if start + 8 > end:
            return
        length, kind, content = (
            int.from_bytes(data[start : start + 4], "big"),
            data[start + 4 : start + 8],
            start + 8,
        )
        if length == 1:
            length, content = int.from_bytes(data[start + 8 : start + 16], "big"), start + 16
        stop = end if length == 0 else start + length
        if stop < content:
            blocks.problem("A box of the file has an impossible length.")
            return
        if stop > end:
            blocks.problem("The file ends within a box.")
            stop = end
        yield kind, content, stop
        start = stop
    blocks.problem("The file has too many boxes; the rest was not read.")


def read_heif(data: bytes, blocks: Blocks) -> None:
    """Read the items of a HEIF or AVIF that are metadata, and the colour profile."""
    for kind, start, end in boxes_of(data, 0, len(data), blocks):
        if kind == b"ftyp":
            brands = [decode(data[i : i + 4]) for i in range(start + 8, min(end, start + 264), 4)]
            blocks.other["heif"] = {"MajorBrand": decode(data[start : start + 4]), "Brands": brands}
        elif kind == b"meta":
            _read_meta(data, start + 4, end, blocks)
            return


def _read_meta(data: bytes, start: int, end: int, blocks: Blocks) -> None:
    parts = {kind: (s, e) for kind, s, e in boxes_of(data, start, end, blocks)}
    if b"iprp" in parts:
        _read_properties(data, *parts[b"iprp"], blocks)
    if b"iinf" not in parts or b"iloc" not in parts:
        return
    kinds = _item_kinds(data, *parts[b"iinf"], blocks)
    if not kinds:
        return
    base = parts.get(b"idat", (0, 0))
    for item, extents in _locations(data, *parts[b"iloc"], base, kinds).items():
        if sum(stop - begin for begin, stop in extents) > MAX_BLOCK:
            blocks.problem("A block of metadata is too large and was not read.")
            continue
        block = b"".join(data[begin:stop] for begin, stop in extents)
        if kinds[item] == b"Exif":
            # Four bytes say where the TIFF header begins, counted from their end.
            blocks.exif.append(block[4 + min(int.from_bytes(block[:4], "big"), len(block)) :] or block[4:])
        else:
            blocks.xmp.append(block)


def _item_kinds(data: bytes, start: int, end: int, blocks: Blocks) -> dict[int, bytes]:
    """The numbers of the items that are EXIF or XMP."""
    if end - start < 8:
        return {}
    first = start + (6 if data[start] == 0 else 8)
    kinds: dict[int, bytes] = {}
    for kind, content, stop in boxes_of(data, first, end, blocks):
        if kind != b"infe" or stop - content < 12 or data[content] < 2:
            continue
        width = 2 if data[content] == 2 else 4
        item = int.from_bytes(data[content + 4 : content + 4 + width], "big")
        at = content + 6 + width
        item_type = data[at : at + 4]
        if item_type == b"Exif":
            kinds[item] = b"Exif"
        elif item_type == b"mime":
            _name, _, rest = data[at + 4 : min(stop, at + 1024)].partition(b"\0")
            if rest.startswith(b"application/rdf+xml"):
                kinds[item] = b"XMP"
        if len(kinds) >= 32:
            break
    return kinds


def _locations(
    data: bytes, start: int, end: int, base: tuple[int, int], wanted: dict[int, bytes]
) -> dict[int, list[tuple[int, int]]]:
    """Where in the file the wanted items lie (the 'iloc' box)."""
    position = start
    result: dict[int, list[tuple[int, int]]] = {}

    def number(size: int) -> int:
        nonlocal position
        position += size
        return int.from_bytes(data[position - size : position], "big") if size else 0

    version = number(1)
    number(3)
    sizes = number(2)
    offset_size, length_size, base_size, index_size = ((sizes >> shift) & 15 for shift in (12, 8, 4, 0))
    wide = 4 if version == 2 else 2
    for _ in range(min(number(wide), MAX_ITEMS)):
        item = number(wide)
        method = number(2) & 15 if version in (1, 2) else 0
        number(2)
        origin = number(base_size)
        extents: list[tuple[int, int]] = []
        for _ in range(min(number(2), 1024)):
            if version in (1, 2):
                number(index_size)
            begin = origin + number(offset_size)
            length = number(length_size)
            if method == 0:
                extents.append((begin, min(begin + length if length else len(data), len(data))))
            elif method == 1:
                begin += base[0]
                extents.append((begin, min(begin + length if length else base[1], base[1])))
            if position > end:
                return result
        if item in wanted:
            result[item] = [(b, s) for b, s in extents if b < s]
    return result


def _read_properties(data: bytes, start: int, end: int, blocks: Blocks) -> None:
    """The colour profile, and what HEIF itself says about turning the picture, among the item properties."""
    for kind, content, stop in boxes_of(data, start, end, blocks):
        if kind != b"ipco":
            continue
        for name, s, e in boxes_of(data, content, stop, blocks):
            heif: dict[str, Any] = blocks.other.setdefault("heif", {})
            if name == b"colr" and data[s : s + 4] in (b"prof", b"rICC") and blocks.icc is None:
                blocks.icc = data[s + 4 : min(e, s + 4 + MAX_BLOCK)]
            elif name == b"irot" and e > s:
                heif.setdefault("Rotation", (data[s] & 3) * 90)
            elif name == b"imir" and e > s:
                heif.setdefault("Mirror", data[s] & 1)


def read_jxl(data: bytes, blocks: Blocks) -> None:
    """Read the metadata boxes of a JPEG XL; a bare codestream has none."""
    if data[:2] == b"\xff\x0a":
        return
    for kind, start, end in boxes_of(data, 0, len(data), blocks):
        content: bytes | None = None
        if kind == b"brob":
            kind = data[start : start + 4]
            if kind in (b"Exif", b"xml "):
                content = _brotli(data[start + 4 : min(end, start + 4 + MAX_BLOCK)], blocks)
                if content is None:
                    continue
        if kind not in (b"Exif", b"xml "):
            continue
        if content is None:
            content = data[start : min(end, start + MAX_BLOCK + 1)]
        if kind == b"Exif":
            blocks.exif.append(content[4 + min(int.from_bytes(content[:4], "big"), len(content)) :] or content[4:])
        else:
            blocks.xmp.append(content)


def _brotli(data: bytes, blocks: Blocks) -> bytes | None:
    """Decompress up to `MAX_BLOCK` bytes, or note why not."""
    try:
        brotli = importlib.import_module("brotli")
    except ImportError:
        blocks.problem("Metadata compressed with Brotli was not read: the Python package 'brotli' is missing.")
        return None
    decompressor = brotli.Decompressor()
    result = bytearray()
    try:
        # A few bytes can stand for gigabytes: without a limit on the output (brotli 1.2) it is not tried.
        result += decompressor.process(data, output_buffer_limit=MAX_BLOCK)
        while not decompressor.is_finished() and not decompressor.can_accept_more_data():
            if len(result) >= MAX_BLOCK:
                blocks.problem("A block of metadata is too large and was not read.")
                return None
            result += decompressor.process(b"", output_buffer_limit=MAX_BLOCK)
    except TypeError:
        blocks.problem("Metadata compressed with Brotli was not read: the package 'brotli' is older than 1.2.")
        return None
    except brotli.error:
        blocks.problem("Metadata compressed with Brotli is damaged.")
        return None
    return bytes(result)
