"""Words as the catalog's full text cuts them: by SQLite's own tokenizer, so that both always agree."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import apsw

LONGEST: Final = 32_768  # bytes: FTS5 cuts words there (FTS5_MAX_TOKEN_SIZE)
_memory = apsw.Connection(":memory:")
_tokenizer = _memory.fts5_tokenizer("unicode61", ["remove_diacritics", "2"])

ASCII: Final = bytes(code if chr(code).isalnum() else 0x20 for code in bytes(range(128)).lower()) + bytes(
    range(128, 256)
)
"""Of ASCII, words are letters and digits, in lower case: so most texts are cut in a quarter of the time."""


def tokens(text: str | bytes) -> list[str]:
    """The words of a text as the catalog's full text cuts and folds them: FTS5's own unicode61, no diacritics.

    See 'Unicode61 Tokenizer' in SQLite's FTS5 documentation. Bytes are UTF-8, or what a file name has instead.
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    if len(data) <= LONGEST and data.isascii():
        return data.translate(ASCII).decode().split()
    cut: Any = _tokenizer(data, apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False, include_colocated=False)
    if len(data) <= LONGEST:
        return list(cut)
    return [token.encode()[:LONGEST].decode("utf-8", "ignore") for token in cut]


@lru_cache(maxsize=8_192)
def terms(text: bytes) -> tuple[bytes, ...]:
    """Each word of a text once, in UTF-8. Many pictures share their folder, camera, place and tags."""
    return tuple({token.encode() for token in tokens(text)})
