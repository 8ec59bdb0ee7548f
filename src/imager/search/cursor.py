"""Cursors: where a page ended, so that the next one goes on exactly there while pictures are added and changed.

A cursor holds what the first page decided: the query as it was understood then, the highest number a picture had
(later pages rank no others), the words that stood in for misspelt ones, and the key of the last hit. To everybody else
it is an opaque word. Nothing in it is trusted: it can only ask for what a query could ask for, too.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from dataclasses import dataclass, field
from typing import Any, Final

from imager.errors import UsageError
from imager.query import codec
from imager.query.model import Query
from imager.search.pages import Key

_LONGEST: Final = 16_384
_MOST: Final = 1 << 62
_REVISION: Final = 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended."""

    query: Query
    ceiling: int  # the highest asset number when the first page was made
    key: Key  # of the last hit
    instead: dict[str, list[str]] = field(default_factory=dict)  # similar words by the word that nothing had


def encode(cursor: Cursor, asked: str) -> str:
    """The cursor as a word that can stand in a URL. `asked`: what the search was asked for, as it was typed."""
    value = [
        _REVISION,
        _digest(asked),
        codec.to_json(cursor.query),
        cursor.ceiling,
        list(cursor.key),
        cursor.instead,
    ]
    data = json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(text: str, asked: str) -> Cursor:
    """Read what `encode` wrote; UsageError for anything else, and for the cursor of another search."""
    try:
        if len(text) > _LONGEST:
            raise ValueError("too long")
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), b"-_", validate=True)
        revision, digest, query, ceiling, key, instead = json.loads(data)
        if revision != _REVISION:
            raise ValueError("of another Imager")
        cursor = Cursor(codec.from_json(query), _whole(ceiling), _key(key), _words(instead))
    except (ValueError, TypeError, RecursionError, binascii.Error, UsageError) as error:
        raise UsageError(f"--after takes the 'next' of the page before; {text[:40]!r} is none.") from error
    if digest != _digest(asked):
        raise UsageError("--after takes the 'next' of the page before; this one belongs to another search.")
    return cursor


def _digest(asked: str) -> str:
    return hashlib.blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _whole(value: Any) -> int:
    if type(value) is not int or not -_MOST < value < _MOST:
        raise ValueError("no number")
    return value


def _key(value: Any) -> Key:
    tier, score, taken, number = value
    if type(score) not in (int, float) or not math.isfinite(score) or abs(score) > _MOST:
        raise ValueError("no score")
    return _whole(tier), score, _whole(taken), _whole(number)


def _words(value: Any) -> dict[str, list[str]]:
    if not isinstance(value, dict) or len(value) > 256:
        raise ValueError("no words")
    for words in value.values():
        if not isinstance(words, list) or len(words) > 64 or not all(isinstance(w, str) for w in words):
            raise ValueError("no words")
    return value
