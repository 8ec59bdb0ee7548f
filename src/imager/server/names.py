"""Names of files that come from strangers, and go to every system: one component that is safe everywhere, or none.

What is not: separators, control characters and those that turn the direction of text, the characters and the device
names that Windows keeps for itself (learn.microsoft.com, 'Naming Files, Paths, and Namespaces'), leading dots, trailing
dots and spaces, names that are longer than file systems take.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

LONGEST: Final = 180
"""Bytes in UTF-8. File systems take 255; the rest is for ' (2)', and for names of temporary files."""

_FORBIDDEN: Final = re.compile(r'[<>:"|?*\\/]')
_ENDING: Final = 16
_KEPT: Final = "\u200c\u200d"  # joiners, without which some scripts and emoji are written wrongly
_DEVICES: Final = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)


def safe_name(name: str, *, otherwise: str = "picture") -> str:
    """One component that any file system takes, as much like `name` as can be; of a path, its last component.

    The same names give the same result, and a result gives itself.
    """
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    text = re.split(r"[\\/]", text)[-1]
    text = "".join(_plain(character) for character in text)
    text = _FORBIDDEN.sub("_", text)
    text = _shortened(" ".join(text.split()).strip(". "))
    if not text:
        return otherwise
    if text.split(".")[0].rstrip(" ").casefold() in _DEVICES:
        text = _shortened(f"_{text}")
    return text


def numbered(name: str, number: int) -> str:
    """The name for the second, third … of the same: 'a.jpg' becomes 'a (2).jpg'."""
    stem, ending = split(name)
    return f"{stem} ({number}){ending}"


def split(name: str) -> tuple[str, str]:
    """A name's stem, and its ending with the dot ('' where there is none)."""
    stem, dot, ending = name.rpartition(".")
    if not dot or not stem or len(ending.encode()) >= _ENDING:
        return name, ""
    return stem, f".{ending}"


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Zl", "Zp", "Zs"):
        return " "
    if category in ("Cc", "Cs", "Co", "Cn") or (category == "Cf" and character not in _KEPT):
        return ""
    return character


def _shortened(text: str) -> str:
    """Cut before the ending, between characters."""
    if len(text.encode()) <= LONGEST:
        return text
    stem, ending = split(text)
    kept = stem.encode()[: LONGEST - len(ending.encode())].decode("utf-8", "ignore").rstrip(". ")
    return unicodedata.normalize("NFC", kept) + ending
