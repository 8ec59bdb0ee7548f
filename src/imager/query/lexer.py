"""Cuts what people type into tokens: words, quoted phrases, `key:value`, parentheses, OR, NOT and minus.

One pass from left to right, and nothing is refused: a quote that isn't closed ends with the text, a mark that makes no
sense is part of a word. Quotes begin something only where a word may begin, so that 5" and O'Neill stay words. Within
straight quotes a quote is written twice (""). What a token means is decided by `text` and `values`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from imager.query import keys

MINUS: Final = "-−–—－"
_CLOSING: Final = {
    '"': '"',
    "“": '”“"',
    "„": '“”"',
    "”": '”"',
    "«": "»",
    "»": "«»",
    "「": "」",
    "『": "』",
    "＂": "＂",
}
_KEY = re.compile(r"([^\W\d_][\w.\-]{0,23})[:：]")
_OPERATOR = re.compile(r"(OR|AND|NOT)(?=[\s()（）]|$)")
_MODIFIER = re.compile(r"[<>=~*]{1,2}")
_SUFFIXES: Final = "/*<>"

Kind = Literal["(", ")", "or", "and", "not", "term"]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text from `start` to `end`. The rest is said of terms only."""

    kind: Kind
    start: int
    end: int
    text: str = ""  # of a term: the word or the value, without quotes
    key: str | None = None  # canonical
    value: int = 0  # where the value begins in the text
    quoted: bool = False
    modifier: str = ""  # what stands before the quotes: '=', '~', '*', '>=' …
    suffix: str = ""  # what stands behind the quotes: '*', '/10km', '>40%'


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text` in order; their ends lie within it."""
    at, size = 0, len(text)
    while at < size:
        character = text[at]
        if character.isspace():
            at += 1
            continue
        token = _token(text, at, character)
        yield token
        at = token.end


def _token(text: str, at: int, character: str) -> Token:
    if character in "(（":
        return Token("(", at, at + 1)
    if character in ")）":
        return Token(")", at, at + 1)
    if character == "|":
        return Token("or", at, at + 1)
    if character in MINUS:
        end = at + 1
        while end < len(text) and text[end] in MINUS:
            end += 1
        if end < len(text) and not text[end].isspace():
            return Token("not", at, end)
        return Token("term", at, end, text[at:end], None, at)  # a dash between words
    if operator := _OPERATOR.match(text, at):
        return Token(_OPERATORS[operator[1]], at, operator.end())
    if character in "#@" and at + 1 < len(text) and not text[at + 1].isspace():
        return _value(text, at, at + 1, "tag" if character == "#" else "person")
    if (found := _KEY.match(text, at)) and (key := keys.canonical(found[1])):
        return _keyed(text, at, found.end(), key)
    return _value(text, at, at, None)


_OPERATORS: Final[dict[str, Kind]] = {"OR": "or", "AND": "and", "NOT": "not"}


def _keyed(text: str, start: int, at: int, key: str) -> Token:
    """A term with a key: its value may stand behind blanks; there may be none yet while somebody is typing."""
    after = at
    while after < len(text) and text[after].isspace():
        after += 1
    if after > at and (after == len(text) or not _is_plain(text, after)):
        return Token("term", start, at, "", key, at)
    return _value(text, start, after, key)


def _is_plain(text: str, at: int) -> bool:
    """Whether a word or a quoted phrase begins here, without a key, a mark or an operator."""
    if text[at] in "()（）|#@" or text[at] in MINUS or _OPERATOR.match(text, at):
        return False
    found = _KEY.match(text, at)
    return found is None or keys.canonical(found[1]) is None


def _value(text: str, start: int, at: int, key: str | None) -> Token:
    modifier = _MODIFIER.match(text, at)
    opening = modifier.end() if modifier else at
    if opening < len(text) and text[opening] in _CLOSING:
        inner, end = _quoted(text, opening)
        suffix = ""
        if end < len(text) and text[end] in _SUFFIXES and (key is not None or text[end] == "*"):
            suffix_end = _bare(text, end, key) if key is not None else end + 1
            suffix, end = text[end:suffix_end], suffix_end
        return Token("term", start, end, inner, key, at, True, modifier[0] if modifier else "", suffix)
    end = _bare(text, at, key)
    if end == start:  # a mark that stands alone where nothing can begin
        end = start + 1
    return Token("term", start, end, text[at:end], key, at)


def _quoted(text: str, at: int) -> tuple[str, int]:
    """What stands in quotes from `at` on, and where it ends."""
    closing = _CLOSING[text[at]]
    parts, begin = [], at + 1
    for position in range(begin, len(text)):
        if position < begin or text[position] not in closing:
            continue
        if text[position] == '"' == text[at] and text[position + 1 : position + 2] == '"':
            parts.append(text[begin : position + 1])
            begin = position + 2
            continue
        return "".join(parts) + text[begin:position], position + 1
    return "".join(parts) + text[begin:], len(text)


def _bare(text: str, at: int, key: str | None) -> int:
    """Where the word or value that begins at `at` ends: parentheses within it have to be balanced."""
    open_ones = 0
    for position in range(at, len(text)):
        character = text[position]
        if character.isspace():
            return position
        if character in "(（":
            open_ones += 1
        elif character in ")）":
            if not open_ones:
                return position
            open_ones -= 1
        elif character == "|" and (key is None or not _continues(text, position + 1)):
            return position
    return len(text)


def _continues(text: str, at: int) -> bool:
    """Whether what follows a '|' in a value belongs to it (Animals|Dogs, fuji|nikon) and is no term by itself."""
    if at >= len(text) or text[at].isspace() or text[at] in _CLOSING:
        return False
    return _is_plain(text, at)
