"""Typed text as the grammar sees it: folded characters that remember where they came from, and the words found there.

Folded: lower case, without the accents of Latin letters, compatibility forms (full-width digits, half-width kana)
resolved, all dashes '-', all apostrophes "'". Scripts without spaces are read at any character; elsewhere a reading
begins and ends where a word does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from imager.query.understand.languages import Role, de, en, es, fr, ja, zh

LANGUAGES = {"en": en.WORDS, "de": de.WORDS, "fr": fr.WORDS, "es": es.WORDS, "zh": zh.WORDS, "ja": ja.WORDS}

_ALIKE = {
    **dict.fromkeys("‐‑‒–—―−〜~", "-"),
    **dict.fromkeys("’‘`´ʼ", "'"),
    "，": ",",
    "、": ",",
    "。": ".",
}
_OPENING = frozenset("([{\"'«„“「『,;:¿¡・")
_CLOSING = frozenset(",.;:!?)]}\"'»”」』・")
_LETTERS = re.compile(r"[^\W\d_]+")
_HAN = {character: value for value, character in enumerate("〇一二三四五六七八九")} | {"零": 0, "两": 2, "兩": 2}
_TELLING = frozenset(_HAN) | {"十", "f", "ƒ"}
HAN_NUMBER = "[0-9]{1,2}|[〇零一二三四五六七八九十两兩]{1,3}"


@dataclass(frozen=True, slots=True)
class Word:
    """A word as typed, with its first character and the one behind its last in the whole text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Lexeme:
    """A word or phrase of a language's table, found in the text: up to, not including, `end`."""

    end: int
    role: Role
    value: str | int
    language: str


def fold(text: str) -> str:
    """`text` as the grammar compares it."""
    return "".join(_folded(cluster) for cluster, _ in _clusters(text))


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """Characters, each with the accents that follow it, and where each begins."""
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not unicodedata.combining(text[at]):
            if at > start:
                yield text[start:at], start
            start = at


def _folded(cluster: str) -> str:
    if cluster.isascii():
        return _ALIKE.get(cluster) or cluster.lower()
    if cluster in _ALIKE:
        return _ALIKE[cluster]
    decomposed = unicodedata.normalize("NFKD", cluster.casefold())
    plain = "".join(
        _ALIKE.get(character, character) for character in decomposed if not "\u0300" <= character <= "\u036f"
    )
    return unicodedata.normalize("NFC", plain)


def _script(character: str) -> str:
    """' ' space, 'D' digit, 'C' written without spaces, 'K' katakana, 'L' other letters, 'P' the rest."""
    if "0" <= character <= "9":
        return "D"
    if character.isspace():
        return " "
    if character in "〇々" or "\u3041" <= character <= "\u309f":
        return "C"
    if "\u30a1" <= character <= "\u30ff" and character != "・":
        return "K"
    if character == "_" or character.isalnum() or unicodedata.category(character).startswith("M"):
        han = "\u3400" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or character >= "\U00020000"
        return "C" if han else "L"
    return "P"


@cache
def _lexicon() -> dict[str, list[tuple[str, Role, str | int, str]]]:
    """All tables by the first letters (the first character in scripts without spaces) of each phrase, longest first."""
    lexicon: dict[str, dict[tuple[str, Role, str | int, str], None]] = {}
    for language, table in LANGUAGES.items():
        for role, values in table.items():
            for value, phrases in values.items():
                for phrase in phrases.split(","):
                    folded = fold(phrase.strip()).replace("-", " ")
                    if folded:
                        lexicon.setdefault(_key(folded, 0), {})[(folded, role, value, language)] = None
    return {key: sorted(entries, key=lambda entry: -len(entry[0])) for key, entries in lexicon.items()}


def _key(text: str, at: int) -> str:
    if _script(text[at]) == "L" and (letters := _LETTERS.match(text, at)):
        run = letters.group()
        return run if run.isascii() else run[: next((i for i, c in enumerate(run) if _script(c) != "L"), len(run))]
    return text[at]


class Line:
    """A run of typed words for the grammar to read. Positions are those of the folded text."""

    def __init__(self, words: Sequence[Word]) -> None:
        parts: list[str] = []
        self._words = words
        self._owners: list[int] = []  # the number of the word that each character comes from
        self._starts: list[int] = []
        self._ends: list[int] = []
        previous = -1
        for owner, word in enumerate(words):
            if parts and word.start != previous:
                self._add(parts, " ", previous, word.start, owner - 1)
            previous = word.end
            exact = len(word.text) == word.end - word.start
            for cluster, offset in _clusters(word.text):
                start = word.start + offset if exact else word.start
                self._add(parts, _folded(cluster), start, start + len(cluster) if exact else word.end, owner)
        self.text = "".join(parts)
        self.scripts = "".join(map(_script, self.text))
        self._spaced = self.text.replace("-", " ")  # phrases may be written with hyphens
        self._found: dict[int, tuple[Lexeme, ...]] = {}
        self._lexicon = _lexicon()

    def _add(self, parts: list[str], folded: str, start: int, end: int, owner: int) -> None:
        parts.append(folded)
        self._owners.extend([owner] * len(folded))
        self._starts.extend([start] * len(folded))
        self._ends.extend([end] * len(folded))

    def offsets(self, start: int, end: int) -> tuple[int, int]:
        """Where the folded characters from `start` up to `end` stand in what was typed."""
        return self._starts[start], self._ends[end - 1]

    def typed(self, start: int, end: int) -> str:
        """The folded characters from `start` up to `end` as they were typed."""
        first, last = self.offsets(start, end)
        parts = [
            word.text[max(first - word.start, 0) : last - word.start]
            if len(word.text) == word.end - word.start
            else word.text
            for word in self._words[self._owners[start] : self._owners[end - 1] + 1]
        ]
        return " ".join(parts)

    def begins(self, at: int) -> bool:
        """Whether something may begin here: not in the middle of a word."""
        if at == 0:
            return True
        before, here = self.scripts[at - 1], self.scripts[at]
        if before == "P":
            return self.text[at - 1] in _OPENING and (self.text[at - 1] not in ",;:'" or here == "C")
        return before == " " or _apart(before, here)

    def ends(self, at: int) -> bool:
        """Whether something may end before this: not in the middle of a word."""
        behind = self.behind(at)
        if behind == len(self.text) or self.scripts[behind] == " ":
            return True
        if behind > at:
            return self.scripts[behind] in "CK"
        return _apart(self.scripts[at - 1], self.scripts[at])

    def behind(self, at: int) -> int:
        """Past the punctuation that closes a word."""
        while at < len(self.text) and self.text[at] in _CLOSING:
            at += 1
        return at

    def before(self, at: int, least: int) -> int:
        """Before the particle, or the brackets and quotes, that stand between a word and this; not before `least`."""
        if at > least + 1 and self.text[at - 1] in "の的":
            return at - 1
        while at > least and self.text[at - 1] in _OPENING:
            at -= 1
        return at

    def skip(self, at: int) -> int:
        """Past spaces."""
        while at < len(self.text) and self.text[at] == " ":
            at += 1
        return at

    def skip_comma(self, at: int) -> int:
        """Past a comma or full stop and spaces."""
        return self.skip(at + 1 if at < len(self.text) and self.text[at] in ",." else at)

    def dull(self, at: int) -> bool:
        """Whether nothing but a name can begin here: no word of a table, no number, no sign."""
        return self.scripts[at] in "LKC" and not self.lexemes(at) and self.text[at] not in _TELLING

    def lexemes(self, at: int) -> tuple[Lexeme, ...]:
        """Everything of the tables that stands here, longest first."""
        if at not in self._found:
            self._found[at] = tuple(self._look(at)) if at < len(self.text) else ()
        return self._found[at]

    def _look(self, at: int) -> Iterator[Lexeme]:
        for phrase, role, value, language in self._lexicon.get(_key(self.text, at), ()):
            end = at + len(phrase)
            if self._spaced.startswith(phrase, at) and not self._splits(end):
                yield Lexeme(end, role, value, language)

    def _splits(self, at: int) -> bool:
        """Whether a word of letters goes on here."""
        return at < len(self.text) and self.scripts[at] in "LK" and self.scripts[at - 1] == self.scripts[at]

    def of(self, at: int, *roles: Role) -> Iterator[Lexeme]:
        """The lexemes here that have one of these roles, longest first."""
        lexemes = self.lexemes(at)
        return (lexeme for lexeme in lexemes if lexeme.role in roles) if lexemes else iter(())

    def past(self, at: int, *roles: Role) -> int:
        """Behind the longest lexeme here with one of these roles, and spaces; `at` itself where there is none."""
        for lexeme in self.of(at, *roles):
            return self.skip(lexeme.end)
        return at

    def digits(self, at: int, most: int = 9) -> tuple[int, int] | None:
        """The whole number written in digits here, as (end, value)."""
        end = at
        while end < len(self.text) and self.scripts[end] == "D" and end - at <= most:
            end += 1
        return (end, int(self.text[at:end])) if 0 < end - at <= most else None

    def count(self, at: int) -> Iterator[tuple[int, int]]:
        """How many: in digits, in words or in Han numerals, as (end, value)."""
        if digits := self.digits(at, 4):
            yield digits
        elif found := _HAN_RUN.match(self.text, at):
            value = han(found.group())
            if value is not None:
                yield found.end(), value
        for lexeme in self.of(at, "count"):
            yield lexeme.end, int(lexeme.value)


_HAN_RUN = re.compile("[〇零一二三四五六七八九十两兩]{1,3}")


def match_of(text: str) -> Literal["word", "inside"]:
    """How to look for typed text: as a word, or inside one in scripts that are written without spaces."""
    return "inside" if any(_script(character) in "CK" for character in text) else "word"


def _apart(before: str, here: str) -> bool:
    return before == "C" or here == "C" or ("K" in (before, here) and before != here)


def han(text: str) -> int | None:
    """A number in digits or Han numerals: digit by digit (二〇二一), or up to 99 with tens (二十四); else None."""
    if text.isdecimal():
        return int(text)
    if "十" not in text:
        return int("".join(str(_HAN[character]) for character in text)) if len(text) <= 4 else None
    tens, _, ones = text.partition("十")
    if len(tens) > 1 or len(ones) > 1 or ones == "十":
        return None
    return (_HAN[tens] if tens else 1) * 10 + (_HAN[ones] if ones else 0)
