"""Reads what people type into a Query, with the chips that say what was understood.

    parse('camera:fuji rating:>=4 -blurry "red door" near:48.85,2.35/10km')

Everything must hold; OR (or |) stands between two alternatives and binds closer than that: `paris cat OR dog` is Paris,
and a cat or a dog. A minus or NOT excludes what follows, parentheses group. Runs of plain words are handed to
`understand`, which knows dates, colours and more in six languages. Whatever can be forgiven is: quotes and parentheses
that aren't closed, an OR with nothing beside it, a key whose value isn't there yet. `docs/search.md` has examples.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from imager.query import keys, labels
from imager.query.error import QueryError
from imager.query.lexer import Token, tokens
from imager.query.model import All, Chip, Condition, File, Not, Query, Sort, Text, Understood
from imager.query.normal import LONGEST, MOST_LEVELS, MOST_PARTS, all_of, any_of, size
from imager.query.understand import Reading, Word
from imager.query.understand import understand as read_words
from imager.query.values import UNSPACED, MisreadError, Reader, has_word, read_sort, read_text
from imager.query.vocabulary import Vocabulary

_UNKNOWN_KEY = re.compile(r"([^\W\d_][\w.\-]{3,23})[:：](?=[^\s/\\])")
_GLOB = re.compile(r"[^*\s]*\*[^\s]*\.(?:[A-Za-z0-9]{2,5}|\*)")
_RUN = re.compile(r"[^\W_]+(?:[\u0300-\u036f]+[^\W_]*)*")


def parse(
    text: str, vocabulary: Vocabulary | None = None, *, now: datetime | None = None, understand: bool = True
) -> Understood:
    """What `text` asks for. QueryError, which says where and what was meant, for a value that can't be read.

    `vocabulary` knows where places are (and, to `understand`, who and what there is). `now` is the clock on the wall of
    whoever asks. Without `understand`, plain words are only words.
    """
    now = now or datetime.now()
    found = _Parser(text, vocabulary, now, understand).parse()
    parts, levels = size(found.query.where)
    if parts > MOST_PARTS and understand:  # many readings of many words
        return parse(text, vocabulary, now=now, understand=False)
    if parts > MOST_PARTS or levels > MOST_LEVELS:
        raise QueryError(f"A search has at most {MOST_PARTS} parts on {MOST_LEVELS} levels.", text, 0, 1)
    return found


@dataclass(frozen=True, slots=True)
class _Piece:
    """Something that must hold, and its chips."""

    condition: Condition
    chips: tuple[Chip, ...]
    start: int
    end: int

    @property
    def text(self) -> str:
        """For people, within a larger chip."""
        return " ".join(chip.text for chip in self.chips)


class _Parser:
    def __init__(self, text: str, vocabulary: Vocabulary | None, now: datetime, understand: bool) -> None:
        self._text, self._vocabulary, self._now, self._understand = text, vocabulary, now, understand
        self._reader = Reader(self._natural, vocabulary)
        self._tokens = list(self._counted())
        self._at = 0
        self._sort: Sort = "relevance"

    def parse(self) -> Understood:
        pieces = self._group(0)
        where = all_of([piece.condition for piece in pieces])
        return Understood(Query(where, self._sort), tuple(chip for piece in pieces for chip in piece.chips))

    def _counted(self) -> list[Token]:
        found: list[Token] = []
        terms = 0
        for token in tokens(self._text):
            terms += token.kind == "term"
            if terms > MOST_PARTS:
                raise self._error(
                    f"A search has at most {MOST_PARTS} parts; this is one too many.", token.start, token.end
                )
            found.append(token)
        return found

    def _error(self, reason: str, start: int, end: int) -> QueryError:
        return QueryError(reason, self._text, start, end)

    def _group(self, level: int) -> list[_Piece]:
        """The pieces up to the parenthesis that closes, or to the end."""
        group = _Group()
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind == "term" and group.negated is None and _is_plain(token):
                group.add_run(self._run())
                continue
            self._at += 1
            match token.kind:
                case "(":
                    if level >= MOST_LEVELS:
                        raise self._error(f"Parentheses go {MOST_LEVELS} deep at most.", token.start, token.end)
                    inner = self._group(level + 1)
                    end = self._tokens[self._at - 1].end
                    group.add(_together(inner, token.start, end))
                case ")":
                    if level:
                        return group.pieces
                case "or":
                    group.alternative = bool(group.pieces)
                case "not":
                    group.negated = token.start if group.negated is None else group.negated
                case "and":
                    pass
                case "term":
                    group.add(self._term(token))
        return group.pieces

    def _term(self, token: Token) -> _Piece | None:
        """A term with a key, in quotes, with a star, or a plain word that is excluded."""
        if _is_plain(token):
            return _together(self._words([token]), token.start, token.end)
        try:
            if token.key == "sort":
                if not token.text:
                    return None
                self._sort = read_sort(token.text)
                return _Piece(All(), (_chip(All(), token, "sort", self._sort),), token.start, token.end)
            condition = self._reader.read(token) if token.key else self._unkeyed(token)
        except MisreadError as mistake:
            raise self._mistake(mistake, token) from None
        if condition is None:
            return None
        chips = () if condition == All() else (_chip(condition, token),)
        return _Piece(condition, chips, token.start, token.end)

    def _unkeyed(self, token: Token) -> Condition | None:
        if not token.quoted:
            if token.text == "*":
                return All()
            if _GLOB.fullmatch(token.text):
                return File(token.text)
        found = read_text(token, None)
        if found is not None and len(found.text) > LONGEST:
            raise MisreadError(f"That is longer than {LONGEST} characters.")
        return found

    def _mistake(self, mistake: MisreadError, token: Token) -> QueryError:
        reason = mistake.reason
        if mistake.suggestion:
            suggestion = mistake.suggestion
            if any(c.isspace() for c in suggestion):
                suggestion = f'"{suggestion}"'
            reason = f"{reason} Did you mean {self._text[token.start : token.value]}{suggestion}?"
        return self._error(reason, min(token.value, token.end - 1), token.end)

    def _run(self) -> list[_Piece]:
        """The plain words from here on."""
        first = self._at
        while self._at < len(self._tokens) and _is_plain(self._tokens[self._at]):
            self._at += 1
        return self._words(self._tokens[first : self._at])

    def _words(self, words: list[Token]) -> list[_Piece]:
        for token in words:
            self._check_word(token)
        if not self._understand:
            return [piece for token in words for piece in _word(token.text, token.start)]
        readings = read_words([Word(t.text, t.start, t.end) for t in words], self._vocabulary, now=self._now)
        pieces: list[_Piece] = []
        at = words[0].start
        for reading in readings:
            pieces += self._between(words, at, reading.start)
            pieces.append(self._reading(words, reading))
            at = reading.end
        return pieces + self._between(words, at, words[-1].end)

    def _between(self, words: list[Token], start: int, end: int) -> list[_Piece]:
        """The words, or parts of them, from `start` to `end`."""
        return [
            piece
            for token in words
            if token.start < end and token.end > start
            for piece in _word(self._text[max(start, token.start) : min(end, token.end)], max(start, token.start))
        ]

    def _reading(self, words: list[Token], reading: Reading) -> _Piece:
        condition = reading.condition
        if not reading.certain:
            literal = [piece.condition for piece in self._between(words, reading.start, reading.end)]
            condition = any_of([all_of(literal), condition]) if literal else condition
        chip = Chip(reading.kind, reading.label, condition, reading.start, reading.end)
        return _Piece(condition, (chip,), reading.start, reading.end)

    def _check_word(self, token: Token) -> None:
        if len(token.text) > LONGEST:
            raise self._error(f"That is longer than {LONGEST} characters.", token.start, token.end)
        found = _UNKNOWN_KEY.match(token.text)
        if found and (key := keys.meant(found[1])):
            raise self._error(
                f"There is no key {found[1]}. Did you mean {key}:{token.text[found.end() :]}? "
                f'Quotes make words of it: "{token.text}".',
                token.start,
                token.start + len(found[1]),
            )

    def _natural(self, text: str) -> Condition | None:
        """What words behind a key mean, where all of them together mean one thing."""
        if not (0 < len(text) <= 100):
            return None
        words = [Word(found[0], found.start(), found.end()) for found in re.finditer(r"\S+", text)]
        readings = read_words(words, self._vocabulary, now=self._now)
        if len(readings) != 1 or has_word(text[: readings[0].start] + text[readings[0].end :]):
            return None
        return readings[0].condition


class _Group:
    """Pieces that must all hold, as they come in; OR joins a piece with the one before."""

    def __init__(self) -> None:
        self.pieces: list[_Piece] = []
        self.alternative = False
        self.negated: int | None = None  # where the minus stands

    def add_run(self, pieces: list[_Piece]) -> None:
        for piece in pieces:
            self.add(piece)

    def add(self, piece: _Piece | None) -> None:
        if piece is not None and self.negated is not None:
            chip = Chip(
                "exclude", labels.without(piece.text or "everything"), Not(piece.condition), self.negated, piece.end
            )
            piece = _Piece(chip.condition, (chip,), self.negated, piece.end)
        self.negated = None
        if piece is None:
            return
        if not self.alternative:
            self.pieces.append(piece)
            return
        self.alternative = False
        before = self.pieces.pop()
        either = any_of([before.condition, piece.condition])
        chip = Chip("any", f"{before.text} or {piece.text}", either, before.start, piece.end)
        self.pieces.append(_Piece(either, (chip,), before.start, piece.end))


def _together(pieces: list[_Piece], start: int, end: int) -> _Piece | None:
    """Pieces in parentheses as one."""
    if not pieces:
        return None
    chips = tuple(chip for piece in pieces for chip in piece.chips)
    return _Piece(all_of([piece.condition for piece in pieces]), chips, start, end)


def _is_plain(token: Token) -> bool:
    return (
        token.kind == "term" and token.key is None and not token.quoted and "*" not in (token.text[0], token.text[-1])
    )


def _word(text: str, start: int) -> list[_Piece]:
    """A plain word, or what is to be found inside words where the script has no spaces; nothing for mere marks."""
    end = start + len(text)
    if UNSPACED.search(text):
        found = [(run[0], start + run.start(), start + run.end()) for run in _RUN.finditer(text)]
        return [_piece(Text(run, "inside"), first, last, "word") for run, first, last in found]
    if not has_word(text):
        return []
    return [_piece(Text(_trimmed(text)), start, end, "word")]


def _piece(condition: Condition, start: int, end: int, kind: str) -> _Piece:
    return _Piece(condition, (Chip(kind, labels.label(condition), condition, start, end),), start, end)


def _chip(condition: Condition, token: Token, kind: str | None = None, text: str | None = None) -> Chip:
    kind = kind or labels.kind(condition)
    return Chip(kind, labels.label(condition) if text is None else text, condition, token.start, token.end)


def _trimmed(text: str) -> str:
    """Without the marks around it: 'door,' is the word 'door'."""
    first, last = 0, len(text)
    while first < last and unicodedata.category(text[first])[0] in "PSZC":
        first += 1
    while first < last and unicodedata.category(text[last - 1])[0] in "PSZC":
        last -= 1
    if text[last : last + 1] in (")", "）") and text[first:last].count("(") + text[first:last].count("（") == 1:
        last += 1  # IMG(1)
    return text[first:last]
