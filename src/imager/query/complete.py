"""Completes what people are typing: keys, what may stand behind each, and names and words of the library.

    complete("beach cam", 9, vocabulary)  # camera:, and words, tags and people that begin with 'cam'

The part of the text from `start` to `end` of a completion is to be replaced by its `text`; the result can be parsed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from imager.query import keys
from imager.query.lexer import Token, tokens
from imager.query.printer import print_tag, print_value
from imager.query.values import CHOICES
from imager.query.vocabulary import Vocabulary

_MOST_KEYS: Final = 3  # beside names and words that begin alike
_LEAST_WORDS: Final = 2  # that names leave room for
_LONGEST: Final = 100  # characters that are looked up
_MARKS: Final = {"#": "tag", "@": "person"}
_PLAIN_WORD = re.compile(r"[^\W_]+")
_VALUES: Final[dict[str, tuple[str, ...]]] = {
    **CHOICES,
    "no": CHOICES["has"],
    "kind": ("image", "video"),
    "rating": (">=4", "5", ">=3", "none"),
    "date": ("today", "yesterday", "this month", "last month", "this year", "last year"),
}


@dataclass(frozen=True, slots=True)
class Completion:
    """What may be meant: `text` in place of what stands from `start` to `end`."""

    text: str
    start: int
    end: int
    label: str  # for people
    kind: str  # 'key', 'value', 'word', or what it names: 'tag', 'person', 'place', 'album', 'camera', 'lens'
    count: int | None = None  # pictures that have it, where that is known


@dataclass(frozen=True, slots=True)
class _Offer:
    text: str
    label: str
    kind: str
    count: int | None = None


def complete(text: str, cursor: int, vocabulary: Vocabulary | None = None, limit: int = 10) -> list[Completion]:
    """What the piece at the cursor (an offset into `text`) may become, likeliest first; at most `limit`."""
    cursor = max(0, min(cursor, len(text)))
    known = vocabulary or _NothingKnown()
    token = _typed(text[:cursor])
    if token is None:
        if text[:cursor][-1:].isalnum() or text[cursor : cursor + 1].strip():
            return []  # an operator, or the beginning of what stands there already
        return _placed(_keys(""), cursor, cursor, limit)
    if token.text in _MARKS and not token.quoted:
        return _placed(_behind(_MARKS[token.text], "", known), cursor, cursor, limit)
    if token.key is None:
        if token.quoted or "*" in token.text:
            return []
        end = _end(text, token, cursor)
        if text[cursor:end].endswith(":"):  # within the key of what stands there already
            return _placed(_keys(_folded(token.text[:_LONGEST])), token.start, end, limit)
        return _placed(_plain(token.text[:_LONGEST], known, limit), token.start, end, limit)
    typed, start = token.text, token.value
    if token.quoted:
        typed = "=" * ("=" in token.modifier) + typed
    elif token.key != "tag" and "|" in typed:
        typed = typed.rpartition("|")[2]
        start = cursor - len(typed)
    return _placed(_behind(token.key, typed[:_LONGEST], known), start, _end(text, token, cursor), limit)


def _typed(before: str) -> Token | None:
    """The term that is being typed: the last one, if nothing stands behind it."""
    found = list(tokens(before))
    last = found[-1] if found else None
    if last is None or last.kind != "term" or last.end < len(before):
        return None
    return last


def _end(text: str, token: Token, cursor: int) -> int:
    """Where what is being replaced ends: with the word, value or key that the cursor stands in."""
    if token.quoted:
        return cursor
    for other in tokens(text):
        if other.start >= token.start:
            if other.start > token.start or other.quoted:
                break
            colon = text.find(":", cursor, other.end) if token.key is None else -1
            return colon + 1 if colon >= 0 else max(cursor, other.end)
    return cursor


def _placed(offers: Iterable[_Offer], start: int, end: int, limit: int) -> list[Completion]:
    seen: dict[str, Completion] = {}
    for offer in offers:
        if len(seen) >= limit:
            break
        seen.setdefault(offer.text, Completion(offer.text, start, end, offer.label, offer.kind, offer.count))
    return list(seen.values())[: max(0, limit)]


def _keys(prefix: str) -> list[_Offer]:
    """Keys that begin so, in whichever language, those of ours first."""
    ours = [key for key in keys.SYNONYMS if key.startswith(prefix)]
    if prefix.startswith("text."):
        ours = [key for key in keys.TEXT_KEYS if key.startswith(prefix)]
    others = [] if not prefix else [name for name, key in keys.NAMES.items() if name.startswith(prefix) and name != key]
    found = ours + [name for name in others if keys.NAMES[name] not in ours]
    return [_Offer(f"{name}:", f"{name}:", "key") for name in found]


def _plain(prefix: str, known: Vocabulary, limit: int) -> list[_Offer]:
    """What a word that begins so may be: a key, the name of something, a word of the texts."""
    folded = _folded(prefix)
    words = [_Offer(word, word, "word", count) for word, count in known.words(prefix) if _PLAIN_WORD.fullmatch(word)]
    named = sorted(_named(prefix, folded, known), key=lambda offer: -(offer.count or 0))
    found = _keys(folded)[:_MOST_KEYS]
    room = max(0, limit - len(found) - min(len(words), _LEAST_WORDS))
    return [*found, *named[:room], *words]


def _named(prefix: str, folded: str, known: Vocabulary) -> Iterator[_Offer]:
    for name, count in known.tags(prefix):
        yield _Offer(f"#{print_tag(name)}", name.replace("|", " › "), "tag", count)
    for name, count in known.people(prefix):
        yield _Offer(f"@{print_value(name)}", name, "person", count)
    for name, count in known.places(prefix):
        yield _Offer(f"place:{print_value(name)}", name, "place", count)
    for name, count in known.albums(prefix):
        yield _Offer(f"album:{print_value(name)}", name, "album", count)
    for name, count in _beginning(known.cameras(), folded):
        yield _Offer(f"camera:{print_value(name)}", name, "camera", count)
    for name, count in _beginning(known.lenses(), folded):
        yield _Offer(f"lens:{print_value(name)}", name, "lens", count)


def _behind(key: str, prefix: str, known: Vocabulary) -> Iterator[_Offer]:
    """What may stand behind a key."""
    folded = _folded(prefix)
    match key:
        case "tag":
            exact = "=" if prefix.startswith("=") else ""
            for name, count in known.tags(prefix.removeprefix("=")):
                yield _Offer(exact + print_tag(name), name.replace("|", " › "), "tag", count)
        case "near":
            for name, count in known.places(prefix) if "/" not in prefix else []:
                place = print_value(name)
                yield _Offer(f"{place}/10km", f"within 10 km of {name}", "place", count)
        case "person" | "place" | "album" | "camera" | "lens":
            for name, count in _names(key, prefix, folded, known):
                yield _Offer(print_value(name), name, key, count)
        case "text" | "title" | "caption":
            for word, count in known.words(prefix) if prefix else []:
                if _PLAIN_WORD.fullmatch(word):
                    yield _Offer(word, word, "word", count)
        case _:
            for value in _VALUES.get(key, ()):
                if value.startswith(folded):
                    printed = value if not value[0].isalnum() else print_value(value)
                    yield _Offer(printed, value, "value")


def _names(key: str, prefix: str, folded: str, known: Vocabulary) -> Iterable[tuple[str, int]]:
    match key:
        case "person":
            return known.people(prefix)
        case "place":
            return known.places(prefix)
        case "album":
            return known.albums(prefix)
        case "camera":
            return _beginning(known.cameras(), folded)
        case _:
            return _beginning(known.lenses(), folded)


def _beginning(names: list[tuple[str, int]], folded: str) -> list[tuple[str, int]]:
    """Names of which some word begins so."""
    found = (
        (name, count)
        for name, count in names
        if _folded(name).startswith(folded) or any(word.startswith(folded) for word in _folded(name).split())
    )
    return list(islice(found, 50))


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


class _NothingKnown(Vocabulary):
    """Of a library that nobody has opened."""
