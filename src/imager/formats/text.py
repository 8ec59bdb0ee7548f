"""Character sets of metadata: turns bytes of doubtful encoding into text that is safe to keep and to show.

EXIF says ASCII and means UTF-8, Latin-1 or a code page; IPTC may or may not say. The readers of `formats` all
come here, so that a name is spelled the same wherever it was written.
"""

from __future__ import annotations

import re
from typing import Final

_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_ENDS: Final = " \t\r\n\x00\u00a0\u3000"


def decode(data: bytes) -> str:
    """Decode bytes as UTF-8, else Windows-1252, else Latin-1; text after a NUL goes on a line of its own.

    NULs never survive (JSON in PostgreSQL can't hold them). Exif uses one to part the photographer's from the
    editor's copyright.
    """
    data = data.rstrip(b"\0")
    if b"\0" in data:
        data = b"\n".join(part for part in data.split(b"\0") if part)
    if data.isascii():
        return data.decode("ascii")
    for encoding in ("utf-8", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def decode_utf16(data: bytes, encoding: str = "utf-16-le") -> str:
    """Decode UTF-16 up to its first NUL, as Windows writes titles; halves of pairs are dropped."""
    text = data[: len(data) & ~1].decode(encoding, "ignore")
    return text.partition("\0")[0].lstrip("\ufeff")


def decode_user_comment(data: bytes) -> str:
    """Decode EXIF's UserComment: eight bytes name the character code (Exif 3.0, 4.6.6, table 9).

    Writers disagree about the byte order of 'UNICODE', so the one that gives fewer unlikely characters wins.
    """
    code, rest = data[:8], data[8:]
    if code.startswith(b"ASCII"):
        return decode(rest)
    if code.startswith(b"UNICODE"):
        if rest[:3] == b"\xef\xbb\xbf":
            return decode(rest[3:])
        if rest[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return decode_utf16(rest[2:], "utf-16-le" if rest[0] == 0xFF else "utf-16-be")
        # A character's high byte varies less than its low byte: it is the one that repeats.
        little = len(set(rest[1::2])) <= len(set(rest[0::2]))
        return decode_utf16(rest, "utf-16-le" if little else "utf-16-be")
    if code.startswith(b"JIS"):
        # The standard means ISO-2022-JP (JIS X 208); cameras were seen to write Shift JIS and EUC.
        for encoding in ("iso2022_jp", "shift_jis", "euc_jp"):
            try:
                return rest.rstrip(b"\0").decode(encoding)
            except UnicodeDecodeError:
                continue
        return decode(rest)
    if not code.strip(b"\0 "):
        return decode(rest)
    return decode(data)


def clean(text: str) -> str:
    """Make text fit for people: no control characters, lone surrogates or padding; line ends are newlines."""
    if not text:
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", text).strip(_ENDS)


def clean_line(text: str) -> str:
    """Like `clean`, on one line: for names, titles and keywords."""
    return " ".join(clean(text).split()) if text else text
