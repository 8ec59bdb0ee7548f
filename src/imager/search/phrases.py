"""Words side by side: which pictures have them, and in which of their texts.

The inverted index knows in which field a word stands, not where in it. So words that must be neighbours are looked for
in the texts of the few pictures that have them all in one field; where these are many, SQLite's full text, which knows
positions, answers for the pictures whose document is written, and only the others are read.

Also here: comparing whole names, without case and diacritics, word by word.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imager.catalog import Catalog
from imager.query.model import TEXT_FIELDS, Text
from imager.search.build import some_documents
from imager.search.words import ALL, Found, tokens

How = Literal["exact", "prefix", "inside"]
Numbers = NDArray[np.uint32]

READ = 2_000
"""So many texts are read sooner than full text is asked."""

_BATCH = 2_000
_ASCII_WORD = re.compile("[a-z0-9]+")
_SEPARATORS = re.compile(r"[|]")

# Scripts that are written without spaces between words, so that a run of letters is no word: Thai, Lao, Tibetan,
# Myanmar, Khmer, kana, Han, Hangul (whose particles are written on).
_UNSPACED = re.compile(
    "[\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"
)

_MATCHING = "SELECT rowid FROM words WHERE words MATCH ?"
_BEHIND = "SELECT asset FROM assets WHERE changed > ?"


class Pattern:
    """What a `Text` looks for: words side by side, the first and the last of them perhaps only in part."""

    __slots__ = ("first", "last", "words")

    def __init__(self, text: Text) -> None:
        """Cut the text into words; a script without spaces is always looked for inside words."""
        self.words = tokens(text.text)
        inside = text.match == "inside" or _UNSPACED.search(text.text) is not None
        self.first: How = "inside" if inside else "exact"
        self.last: How = "inside" if inside else "prefix" if text.match == "prefix" else "exact"

    def terms(self) -> list[tuple[str, How]]:
        """Each word with how it is looked up; of several, the edges of what stands inside are beginning and end."""
        if len(self.words) == 1:
            return [(self.words[0], self.last)]
        middle: list[tuple[str, How]] = [(word, "exact") for word in self.words[1:-1]]
        last: How = "prefix" if self.last == "inside" else self.last
        return [(self.words[0], self.first), *middle, (self.words[-1], last)]

    def stands_in(self, text: Sequence[str]) -> bool:
        """Whether these words have it somewhere."""
        size = len(self.words)
        if size == 1:
            (asked,) = self.words
            if self.last == "exact":
                return asked in text
            if self.last == "prefix":
                return any(word.startswith(asked) for word in text)
            return any(asked in word for word in text)
        return any(self._is(text[start : start + size]) for start in range(len(text) - size + 1))

    def _is(self, piece: Sequence[str]) -> bool:
        first, last = self.words[0], self.words[-1]
        return (
            (piece[0].endswith(first) if self.first == "inside" else piece[0] == first)
            and (piece[-1] == last if self.last == "exact" else piece[-1].startswith(last))
            and list(piece[1:-1]) == self.words[1:-1]
        )


def whole(name: str) -> str:
    """What two names have in common that people take for the same: their words, or all of a name that has none."""
    if name.isascii():  # then words are plain to see, and most names are such
        return " ".join(_ASCII_WORD.findall(name.lower())) or name.strip().lower()
    return " ".join(tokens(name)) or name.casefold().strip()


def levels(name: str) -> list[str]:
    """The levels of a tag's full name, each as `whole`."""
    return [whole(level) for level in _SEPARATORS.split(name)]


def stands_in(words: Sequence[str], text: Sequence[str]) -> bool:
    """Whether the words stand side by side in the text."""
    size = len(words)
    return any(list(text[start : start + size]) == list(words) for start in range(len(text) - size + 1))


def find(
    text: Text, look_up: Callable[[str, How, int], Found], catalog: Catalog, scope: NDArray[np.bool_] | None
) -> Found:
    """The pictures that have it, and in which fields. Right within `scope`; others may be missing."""
    pattern, fields = Pattern(text), fields_of(text)
    terms = pattern.terms()
    if len(terms) == 1:
        return look_up(*terms[0], fields)
    candidates = together([look_up(term, how, fields) for term, how in terms])
    if scope is not None:
        candidates = _where(candidates, scope[candidates.assets])
    if len(candidates.assets) <= READ or pattern.first == "inside":
        return read(candidates, pattern, catalog)
    return _ask(candidates, pattern, catalog)


def fields_of(text: Text) -> int:
    """The fields that it may stand in, as bits."""
    return ALL if text.field is None else 1 << TEXT_FIELDS.index(text.field)


def together(found: Sequence[Found]) -> Found:
    """The pictures that have all of them in one field; those fields."""
    first, *rest = sorted(found, key=lambda f: len(f.assets))
    assets, fields = first.assets, first.fields
    for other in rest:
        where = np.searchsorted(other.assets, assets)
        inside = where < len(other.assets)
        where[~inside] = 0
        if not len(other.assets):
            return other
        both = np.where(inside & (other.assets[where] == assets), fields & other.fields[where], 0)
        kept = both != 0
        assets, fields = assets[kept], both[kept].astype(np.uint16)
    return Found(assets, fields)


def _where(found: Found, kept: NDArray[np.bool_]) -> Found:
    return Found(found.assets[kept], found.fields[kept])


def read(candidates: Found, pattern: Pattern, catalog: Catalog) -> Found:
    """Those of the candidates in whose texts the words are neighbours."""
    fields = np.zeros(len(candidates.assets), np.uint16)
    for start in range(0, len(candidates.assets), _BATCH):
        for asset, document in some_documents(catalog.db, candidates.assets[start : start + _BATCH]):
            at = int(np.searchsorted(candidates.assets, asset))
            for n, text in enumerate(document):
                if text and int(candidates.fields[at]) >> n & 1 and pattern.stands_in(tokens(text)):
                    fields[at] |= 1 << n
    return _where(Found(candidates.assets, fields), fields != 0)


def _ask(candidates: Found, pattern: Pattern, catalog: Catalog) -> Found:
    """The same by full text; pictures whose document it does not have yet are read.

    How far it reaches is read first and what is beyond that last, so that documents written meanwhile do no harm.
    """
    reach = catalog.db.execute("SELECT indexed FROM library").get
    fields = np.zeros(len(candidates.assets), np.uint16)
    expression = '"' + " ".join(pattern.words) + '"' + (" *" if pattern.last == "prefix" else "")
    asked = int(np.bitwise_or.reduce(candidates.fields))
    for n, name in enumerate(TEXT_FIELDS):
        if asked >> n & 1:
            rows = _rows(catalog, _MATCHING, f"{{{name}}} : {expression}")
            fields[np.isin(candidates.assets, rows)] |= 1 << n
    behind = np.isin(candidates.assets, _rows(catalog, _BEHIND, reach))
    current = _where(Found(candidates.assets, fields & candidates.fields), (fields != 0) & ~behind)
    late = read(_where(candidates, behind), pattern, catalog)
    assets = np.concatenate([current.assets, late.assets])
    order = np.argsort(assets, kind="stable")
    return Found(assets[order], np.concatenate([current.fields, late.fields])[order])


def _rows(catalog: Catalog, sql: str, parameter: str | int) -> NDArray[np.int64]:
    return np.fromiter((row for (row,) in catalog.db.execute(sql, (parameter,))), np.int64)
