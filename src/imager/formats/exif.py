"""Reads the image file directories (IFDs) of TIFF, which is also what EXIF is.

`containers` finds the block, this module turns it into values by directory and tag number, and `normalise`
makes facts of them. TIFF 6.0, Exif 3.0 (CIPA DC-008) and, for files with 64-bit offsets, BigTIFF. A damaged
block gives whatever of it is readable: every offset, count and link is distrusted, and the work is bounded by
`MAX_DIRECTORIES`, `MAX_ENTRIES` and `MAX_VALUE_BYTES` whatever the file claims.
"""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

from imager.formats import exif_tags
from imager.formats.text import decode, decode_user_comment, decode_utf16

MAX_DIRECTORIES: Final = 32
MAX_ENTRIES: Final = 4096
MAX_VALUE_BYTES: Final = 48 << 20
MAX_TEXT: Final = 1 << 20
MAX_NUMBERS: Final = 64  # longer arrays (strip offsets, colour maps) are kept as bytes
MAX_ALL_NUMBERS: Final = 20_000  # of all arrays together; further ones are kept as bytes too
MAX_BAD_ENTRIES: Final = 10

Buffer: TypeAlias = bytes | memoryview


class Rational(NamedTuple):
    """A fraction as it stands in the file; the denominator may be zero."""

    numerator: int
    denominator: int

    @property
    def value(self) -> float | None:
        """The quotient, or None for a zero denominator, by which cameras say 'unknown' or 'infinite'."""
        return self.numerator / self.denominator if self.denominator else None


Value: TypeAlias = str | bytes | int | float | Rational | tuple[int, ...] | tuple[float, ...] | tuple[Rational, ...]
Directories: TypeAlias = dict[str, dict[int, Value]]


@dataclass(frozen=True, slots=True)
class Exif:
    """What an EXIF block or a TIFF file says: values by directory ('IFD0', 'Exif', 'GPS' …) and tag."""

    directories: Directories
    problems: tuple[str, ...] = ()

    def get(self, directory: str, tag: int) -> Value | None:
        """The value of a tag, or None."""
        return self.directories.get(directory, {}).get(tag)


_BYTE, _ASCII, _UNDEFINED, _UTF8 = 1, 2, 7, 129
_SIZES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_SIZES_64: Final = {16: 8, 17: 8, 18: 8}
_CODES: Final = {
    3: "H", 4: "I", 5: "I", 6: "b", 8: "h", 9: "i", 10: "i", 11: "f", 12: "d", 13: "I",
    16: "Q", 17: "q", 18: "Q",
}  # fmt: skip
_POINTERS: Final = {
    exif_tags.EXIF_IFD: "Exif",
    exif_tags.GPS_IFD: "GPS",
    exif_tags.INTEROP_IFD: "Interop",
    exif_tags.SUB_IFDS: "SubIFD",
}
#: Blocks of other standards within TIFF: bytes, whatever type the writer gave them.
_BLOCKS: Final = {exif_tags.XMP, exif_tags.IPTC, exif_tags.PHOTOSHOP, exif_tags.ICC_PROFILE}


def read_exif(block: Buffer) -> Exif:
    """Read a TIFF file, or an EXIF block with or without its 'Exif' header. Never raises."""
    data = bytes(block[:64])
    start = min((p for m in (b"II*\0", b"MM\0*") if (p := data.find(m)) >= 0), default=-1)
    big = False
    if start < 0:
        start = 0
        big = data[:4] in (b"II+\0", b"MM\0+")
        if not big:
            return Exif({}, ("The EXIF block has no TIFF header.",))
    reader = _Reader(memoryview(block)[start:], "<" if data[start] == 0x49 else ">", big)
    reader.run()
    return Exif(reader.directories, tuple(reader.problems))


class _Reader:
    """One pass over the directories of a block, with a budget."""

    def __init__(self, data: memoryview, order: str, big: bool) -> None:
        self.data = data
        self.order = order
        self.big = big
        self.entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
        self.link = struct.Struct(order + ("Q" if big else "I"))
        self.count = struct.Struct(order + ("Q" if big else "H"))
        self.sizes = _SIZES | _SIZES_64 if big else _SIZES
        self.directories: Directories = {}
        self.problems: list[str] = []
        self.entries_left = MAX_ENTRIES
        self.bytes_left = MAX_VALUE_BYTES
        self.numbers_left = MAX_ALL_NUMBERS
        self.seen: set[int] = set()

    def problem(self, text: str) -> None:
        if text not in self.problems and len(self.problems) < 20:
            self.problems.append(text)

    def run(self) -> None:
        """Follow the chain of directories and what they point to."""
        header = 8 if self.big else 4
        if len(self.data) < header + self.link.size:
            self.problem("The EXIF block ends within its header.")
            return
        (first,) = self.link.unpack_from(self.data, header)
        chain = 0
        queue: list[tuple[str, int]] = [("IFD0", first)]
        while queue:
            name, offset = queue.pop(0)
            if offset in self.seen:
                self.problem("EXIF directories point to each other in a loop.")
                continue
            if len(self.seen) >= MAX_DIRECTORIES:
                self.problem(f"There are more than {MAX_DIRECTORIES} EXIF directories; the rest was not read.")
                return
            self.seen.add(offset)
            following, children = self.directory(name, offset)
            queue[:0] = children
            if name == f"IFD{chain}" and following:
                chain += 1
                queue.append((f"IFD{chain}", following))

    def directory(self, name: str, offset: int) -> tuple[int, list[tuple[str, int]]]:
        """Read one directory; gives the offset of the next in the chain, and the directories within."""
        data = self.data
        if offset + self.count.size > len(data):
            self.problem(f"The EXIF directory {name} lies outside of its block.")
            return 0, []
        (count,) = self.count.unpack_from(data, offset)
        start = offset + self.count.size
        fits = (len(data) - start) // self.entry.size
        if count > fits:
            self.problem(f"The EXIF directory {name} is cut off.")
        readable = min(count, fits, self.entries_left)
        if readable < min(count, fits):
            self.problem(f"There are more than {MAX_ENTRIES} EXIF entries; the rest was not read.")
        self.entries_left -= readable
        values = self.directories.setdefault(name, {})
        children: list[tuple[str, int]] = []
        end = start + readable * self.entry.size
        bad = 0
        for tag, kind, length, inline in self.entry.iter_unpack(data[start:end]):
            size = self.sizes.get(kind) or (1 if kind == _UTF8 else 0)
            if not size:
                bad += 1
                if bad > MAX_BAD_ENTRIES:
                    self.problem(f"The EXIF directory {name} is damaged.")
                    return 0, children
                continue
            value = self.value(name, tag, kind, length, size, inline)
            if value is None:
                continue
            if tag in _POINTERS and name not in ("GPS", "Interop"):
                if len(children) < MAX_DIRECTORIES:
                    children += self.links(_POINTERS[tag], value)
            elif tag not in values:
                values[tag] = value
        following = 0
        if readable == count and end + self.link.size <= len(data):
            (following,) = self.link.unpack_from(data, end)
        return following, children

    def links(self, name: str, value: Value) -> list[tuple[str, int]]:
        """The directories that a pointer names."""
        targets = [v for v in (value if isinstance(value, tuple) else (value,)) if isinstance(v, int) and v > 0]
        if name != "SubIFD":
            # A second Exif or GPS directory would overwrite the first.
            return [(name, targets[0])] if targets and name not in self.directories else []
        known = sum(d.startswith("SubIFD") for d in self.directories)
        return [(f"SubIFD{known + i}", target) for i, target in enumerate(targets[:MAX_DIRECTORIES])]

    def value(self, name: str, tag: int, kind: int, length: int, size: int, inline: bytes) -> Value | None:
        """Decode one value, or None where it can't be read."""
        total = length * size
        if total <= len(inline):
            raw: Buffer = inline[:total]
        else:
            (offset,) = self.link.unpack(inline)
            raw = self.data[offset : offset + total]
            if len(raw) < total:
                self.problem(f"{exif_tags.name_of(name, tag)} lies partly or wholly outside of the EXIF block.")
                total = len(raw) - len(raw) % size
                length = total // size
                if not total or kind not in (_BYTE, _ASCII, _UNDEFINED, _UTF8):
                    return None
            self.bytes_left -= total
            if self.bytes_left < 0:
                self.problem("The EXIF values are too large; some were not read.")
                self.bytes_left += total
                return None
        if kind in (_ASCII, _UTF8) and tag not in _BLOCKS:
            if len(raw) > MAX_TEXT:
                self.problem(f"{exif_tags.name_of(name, tag)} is too long and was cut.")
            text = bytes(raw[:MAX_TEXT])
            # What follows the NUL is whatever was in the buffer, but for the second part of a copyright.
            return decode(text if tag == exif_tags.COPYRIGHT else text.partition(b"\0")[0])
        if not length:
            return None
        if kind == _BYTE and length == 1:
            return raw[0]
        if kind in (_BYTE, _UNDEFINED) or length > max(1, min(MAX_NUMBERS, self.numbers_left)) or tag in _BLOCKS:
            return bytes(raw)
        self.numbers_left -= length if length > 1 else 0
        code = _CODES[kind]
        if kind in (5, 10):
            parts = struct.unpack(f"{self.order}{length * 2}{code}", raw)
            fractions = tuple(map(Rational, parts[::2], parts[1::2]))
            return fractions[0] if length == 1 else fractions
        numbers = struct.unpack(f"{self.order}{length}{code}", raw)
        first: int | float = numbers[0]
        return first if length == 1 else numbers


def exif_to_json(exif: Exif) -> dict[str, Any]:
    """Everything read, under the tags' names: those of IFD0 directly, other directories as objects within."""
    result: dict[str, Any] = {}
    for directory, values in exif.directories.items():
        named = {exif_tags.name_of(directory, tag): _json(tag, value) for tag, value in values.items()}
        if directory == "IFD0":
            result = named | result
        elif named:
            result[directory] = named
    return result


def summary(data: Buffer) -> dict[str, Any]:
    """Stands for bytes that are too many to keep: their number, and the start of their SHA-256."""
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()[:16]}


def _json(tag: int, value: Value) -> Any:
    if isinstance(value, Rational):
        return f"{value.numerator}/{value.denominator}"
    if isinstance(value, tuple):
        return [_json(tag, v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if not isinstance(value, bytes):
        return value
    if tag in _BLOCKS:
        return summary(value)
    if tag == exif_tags.MAKER_NOTE:
        return {"bytes": len(value)}
    if tag == exif_tags.USER_COMMENT and len(value) <= MAX_TEXT:
        return decode_user_comment(value)
    if 0x9C9B <= tag <= 0x9C9F and len(value) <= MAX_TEXT:
        return decode_utf16(value)
    if len(value) > 64:
        return summary(value)
    if value and all(0x20 <= b < 0x7F for b in value):
        return value.decode("ascii")
    return value.hex()
