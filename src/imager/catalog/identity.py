"""Ids that every device computes alike, without asking another.

Ids are 16 bytes. Those that follow from something known everywhere (bytes of a picture, name of a tag) carry the
version 8 of RFC 9562 ('custom'), so that they pass for UUIDs wherever one is wanted; the rest are random (version 4).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import uuid

LOG = bytes(16)
"""Target of edits that speak of other edits (undo, withdrawal) and not of a thing."""

_HYPHENLESS = re.compile(r"[0-9a-f]{32}")


def _version_8(digest: bytes) -> bytes:
    own = bytearray(digest[:16])
    own[6], own[8] = own[6] & 0x0F | 0x80, own[8] & 0x3F | 0x80
    return bytes(own)


def asset_id(sha256: bytes) -> bytes:
    """Id of the asset that begins with these contents: the first 16 bytes of its SHA-256, marked as version 8."""
    if len(sha256) != 32:
        raise ValueError("a SHA-256 has 32 bytes")
    return _version_8(sha256)


def tag_name(name: str) -> str:
    """A tag's full name as it is kept: NFC, without control characters, each level trimmed, empty levels gone.

    Levels are joined by '|'. ValueError when nothing is left.
    """
    text = unicodedata.normalize("NFC", name)
    text = "".join(" " if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") else c for c in text)
    levels = [" ".join(level.split()) for level in text.split("|")]
    kept = "|".join(level for level in levels if level)
    if not kept:
        raise ValueError("a tag needs a name")
    return kept


def tag_id(name: str) -> bytes:
    """Id of the tag of that full name, however it is composed and whatever its case."""
    folded = unicodedata.normalize("NFC", tag_name(name).casefold())
    return _version_8(hashlib.sha256(b"tag\0" + folded.encode()).digest())


def random_id() -> bytes:
    """Id of something that begins here: an album, a person, a library."""
    return uuid.uuid4().bytes


def format_id(value: bytes) -> str:
    """The usual form with hyphens."""
    return str(uuid.UUID(bytes=value))


def parse_id(text: str) -> bytes | None:
    """The id that `text` spells, with or without hyphens, or None when it spells none."""
    plain = text.strip().lower().replace("-", "")
    return bytes.fromhex(plain) if _HYPHENLESS.fullmatch(plain) else None


def id_of(text: str) -> bytes | None:
    """The id that an element spells, in lower-case hexadecimal without hyphens, or None (a log may hold anything)."""
    # In exactly one form: whoever looks for the id among the elements must find every edit that means it.
    return bytes.fromhex(text) if _HYPHENLESS.fullmatch(text) else None
