"""Words as the catalog's full text cuts them: by SQLite's own tokenizer, so that both always agree."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import apsw

_LONGEST: Final = 32_768  # bytes: FTS5 cuts words there (FTS5_MAX_TOKEN_SIZE)
_memory = apsw.Connection(":memory:")
_tokenizer = _memory.fts5_tokenizer("unicode61", ["remove_diacritics", "2"])


def tokens(text: str | bytes) -> list[str]:
    """The words of a text as the catalog's full text cuts and folds them: FTS5's own unicode61, no diacritics.

    See 'Unicode61 Tokenizer' in SQLite's FTS5 documentation. Bytes are UTF-8, or what a file name has instead.
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
    cut: Any = _tokenizer(data, apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False, include_colocated=False)
    return list(cut)


@lru_cache(maxsize=8_192)
def terms(text: bytes) -> tuple[bytes, ...]:
    """Each word of a text once, as a segment holds it. Many pictures share their folder, camera, place and tags."""
    if len(text) <= _LONGEST:
        return tuple({token.encode() for token in tokens(text)})
    return tuple({token.encode()[:_LONGEST] for token in tokens(text)})
