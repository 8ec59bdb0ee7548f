"""What the readers found in one file, and how single values are taken out of it.

Between the readers (`exif`, `xmp`, `iptc`, `containers`) and `normalise`: each function gives one value in plain
Python, or nothing where it is missing, damaged or of the wrong type, so that `normalise` can speak of
preferences alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from imager.formats.exif import Exif, Rational, Value
from imager.formats.text import clean, clean_line, decode, decode_utf16

MAX_LINE: Final = 1_000
MAX_TEXT: Final = 100_000


@dataclass(slots=True)
class Sources:
    """Everything that the readers found in one file."""

    exif: Exif = field(default_factory=lambda: Exif({}))
    xmp: dict[str, Any] = field(default_factory=dict)
    iptc: dict[str, list[str]] = field(default_factory=dict)
    text: dict[str, list[str]] = field(default_factory=dict)  # PNG keywords
    png_time: str = ""
    size: tuple[int, int] | None = None  # stored width and height, where known
    orientation: int | None = None  # of the picture, for a sidecar that doesn't say


def first(*values: str | None) -> str | None:
    """The first value that says something."""
    return next((value for value in values if value), None)


def exif_text(exif: Exif, directory: str, tag: int) -> str:
    """A tag as text as it stands; empty where it is missing or no text."""
    value = exif.get(directory, tag)
    if isinstance(value, bytes):
        value = decode(value[:MAX_TEXT])
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def exif_line(exif: Exif, directory: str, tag: int) -> str | None:
    """A tag as one clean line."""
    return clean_line(exif_text(exif, directory, tag)[:MAX_LINE]) or None


def windows(exif: Exif, tag: int) -> str:
    """One of the tags that Windows Explorer writes, in UTF-16."""
    value = exif.get("IFD0", tag)
    if isinstance(value, tuple) and all(isinstance(v, int) and 0 <= v < 256 for v in value):
        value = bytes(v for v in value if isinstance(v, int))
    return clean(decode_utf16(value[: 2 * MAX_TEXT])) if isinstance(value, bytes) else ""


def plain(value: Any) -> str:
    """Text from an XMP value: the default language, the first of a list, or what a structure qualifies."""
    if isinstance(value, list):
        value = next((v for v in value if plain(v)), "")
    if isinstance(value, dict):
        chosen = value.get("x-default") or value.get("rdf:value")
        return plain(chosen or next((v for v in value.values() if isinstance(v, str) and v.strip()), ""))
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def xmp_line(xmp: dict[str, Any], name: str) -> str | None:
    """An XMP property as one clean line."""
    return clean_line(plain(xmp.get(name))[:MAX_LINE]) or None


def iptc_line(sources: Sources, name: str) -> str | None:
    """The first of an IPTC data set as one clean line."""
    return clean_line(sources.iptc.get(name, [""])[0][:MAX_LINE]) or None


def png_line(sources: Sources, name: str) -> str | None:
    """The first of a PNG keyword's texts as one clean line."""
    return clean_line(sources.text.get(name, [""])[0][:MAX_LINE]) or None


def listed(values: Iterable[str]) -> str | None:
    """Several names as one line, each once."""
    names = dict.fromkeys(name for value in values if (name := clean_line(value[:MAX_LINE])))
    return "; ".join(names)[:MAX_LINE] or None


def strings(value: Any) -> list[str]:
    """The items of an XMP value as text; language alternatives are one item."""
    if isinstance(value, dict):
        return [plain(value)]
    return [plain(v) for v in value[:100]] if isinstance(value, list) else [plain(value)]


def as_number(value: Value | None) -> float | None:
    """A finite number from an EXIF value, the first of several; text is read too, as some writers use it."""
    if isinstance(value, Rational):
        return value.value
    if isinstance(value, tuple):
        return as_number(value[0]) if value else None
    if isinstance(value, bytes):
        value = decode(value[:64])
    if isinstance(value, str):
        return xmp_number(value)
    return float(value) if value is not None and math.isfinite(value) else None


def as_numbers(value: Value | None) -> list[float | None]:
    """All numbers of an EXIF value, None for those that are none."""
    if isinstance(value, tuple) and not isinstance(value, Rational):
        return [as_number(v) for v in value]
    return [] if value is None else [as_number(value)]


def xmp_number(value: Any) -> float | None:
    """A finite number from XMP: '5.6', '56/10', or a list that begins with one."""
    text = plain(value).strip()
    over, slash, under = text.partition("/")
    try:
        number = float(over) / float(under) if slash else float(over)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def positive(exif: Exif, xmp: dict[str, Any], tag: int, name: str, most: float) -> float | None:
    """A measurement: from the Exif directory, from IFD0 where editors misplace it, or from XMP."""
    for number in (
        as_number(exif.get("Exif", tag)),
        as_number(exif.get("IFD0", tag)),
        xmp_number(xmp.get(name)),
    ):
        if number is not None and 0 < number <= most:
            return rounded(number)
    return None


def rounded(number: float) -> float:
    """Without the noise that division leaves: eight significant digits."""
    return float(f"{number:.8g}")
