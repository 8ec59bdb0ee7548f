"""One day, month, season, year or decade, with what names it: figures, words in any order, Han characters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from imager.query.understand import calendar
from imager.query.understand.calendar import Span
from imager.query.understand.lexicon import HAN_NUMBER, Line, han
from imager.query.understand.reading import Moment
from imager.query.understand.relative import Relative

_FIRST_PHOTOGRAPH: Final = 1826
_YEARS: Final = range(1800, 2200)
_YEAR = re.compile(r"([0-9]{4})(?![0-9])")
_SHORT_YEAR = re.compile(r"'([0-9]{2})(?![0-9])")
_YEAR_FIRST = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})(?![0-9])")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([-/]|\. ?)([0-9]{1,2})\2([0-9]{4}|[0-9]{2})(?![0-9])")
_YEAR_MONTH = re.compile(r"([0-9]{4})(?:-([0-9]{2})|/([0-9]{1,2}))(?![0-9])")
_MONTH_YEAR = re.compile(r"([0-9]{1,2})[-/.]([0-9]{4})(?![0-9])")
_SHORT_RANGE = re.compile(r"([0-9]{4})[-/]([0-9]{2})(?![0-9])")
_IN_A_ROW = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?![0-9])")
_WINTER = re.compile(r" ?([0-9]{4}) ?[-/] ?([0-9]{4}|[0-9]{2})(?![0-9])")
_HAN_YEAR = re.compile("([0-9]{4}|[〇零一二三四五六七八九]{4}) ?年(?!代)")
_HAN_MONTH = re.compile(rf"({HAN_NUMBER}) ?月(?![前後后])")
_HAN_DAY = re.compile(rf"({HAN_NUMBER}) ?[日号號](?![前後后間间])")
_DECADE = re.compile(r"([0-9]{4}|[0-9]{2})(?![0-9])")


class Moments:
    """Reads the moments of one line, as on the day `today`."""

    def __init__(self, line: Line, today: date) -> None:
        self._line = line
        self._today = today
        self._relative = Relative(line, today)
        self._whole: dict[int, tuple[Moment, ...]] = {}
        self._loose: dict[int, tuple[Moment, ...]] = {}

    def whole(self, at: int) -> tuple[Moment, ...]:
        """Every way to read one day, month, season, year or decade from here."""
        if at not in self._whole:
            found = [
                *self._figures(at),
                *self._decades(at),
                *self._relative.moments(at),
                *self._seasons(at),
                *self.months(at),
            ]
            found += [
                Moment(end, calendar.year_span(year), lonely=lonely) for end, year, lonely in self._years(at, bare=True)
            ]
            ends = self._line.ends
            self._whole[at] = tuple(moment for moment in found if ends(moment.end))
        return self._whole[at]

    def _years(self, at: int, *, bare: bool = False) -> Iterator[tuple[int, int, bool]]:
        """A year in figures, or one relative to today, as (end, year, whether it is four figures and nothing else)."""
        line, text = self._line, self._line.text
        if (match := _YEAR.match(text, at)) and int(match[1]) in _YEARS:
            year = int(match[1])
            if not bare or _FIRST_PHOTOGRAPH <= year <= self._today.year + 1:
                yield match.end(), year, True
        if not bare and (match := _SHORT_YEAR.match(text, at)):
            yield match.end(), self._century(int(match[1])), False
        if (match := _HAN_YEAR.match(text, at)) and (year := han(match[1]) or 0) in _YEARS:
            yield match.end(), year, False
        if not bare:
            for moment in self._relative.moments(line.past(at, "article")):
                if moment.span and moment.span == calendar.year_span(moment.span[0].year):
                    yield moment.end, moment.span[0].year, False

    def _century(self, figures: int) -> int:
        return figures + (2000 if figures <= self._today.year % 100 else 1900)

    def behind(self, at: int) -> Iterator[tuple[int, int]]:
        """A year that belongs to what ends here: August 2021, August of last year, agosto de 2021."""
        after = self._line.skip_comma(at)
        after = self._line.past(after, "of", "particle")
        after = self._line.past(after, "article")
        yield from ((end, year) for end, year, _ in self._years(after))

    def _figures(self, at: int) -> Iterator[Moment]:
        text = self._line.text
        if at < len(text) and not ("0" <= text[at] <= "9"):
            return
        if match := _YEAR_FIRST.match(text, at):
            yield from self._day(match.end(), int(match[1]), int(match[3]), int(match[4]))
        elif match := _DAY_FIRST.match(text, at):
            day, month, short = int(match[1]), int(match[3]), len(match[4]) == 2
            year = self._century(int(match[4])) if short else int(match[4])
            if month > 12 >= day:
                day, month = month, day
            yield from self._day(match.end(), year, month, day, certain=not short)
        elif match := _IN_A_ROW.match(text, at):
            yield from self._day(match.end(), int(match[1]), int(match[2]), int(match[3]), certain=False)
        elif match := _YEAR_MONTH.match(text, at):
            yield from self._month(match.end(), int(match[1]), int(match[2] or match[3]))
        elif match := _MONTH_YEAR.match(text, at):
            yield from self._month(match.end(), int(match[2]), int(match[1]))
        if match := _SHORT_RANGE.match(text, at):
            first = int(match[1])
            last = first - first % 100 + int(match[2])
            if first in _YEARS and max(first, first - first % 100 + 12) < last <= self._today.year + 1:
                yield Moment(match.end(), calendar.year_span(first, last - first + 1))

    def _day(self, end: int, year: int, month: int, day: int, *, certain: bool = True) -> Iterator[Moment]:
        if year in _YEARS and (span := calendar.day_span(year, month, day)):
            yield Moment(end, span, certain=certain)

    def _month(self, end: int, year: int, month: int) -> Iterator[Moment]:
        if year in _YEARS and 1 <= month <= 12:
            yield Moment(end, calendar.month_span(year, month))

    def _names(self, at: int) -> Iterator[tuple[int, int, str, str]]:
        """The names of a month, as (end, month, role, language)."""
        line = self._line
        for lexeme in line.of(at, "month", "month_word", "month_short"):
            dotted = line.text.startswith(".", lexeme.end)
            yield lexeme.end + dotted, int(lexeme.value), lexeme.role, lexeme.language
        if (match := _HAN_MONTH.match(line.text, at)) and 1 <= (month := han(match[1]) or 0) <= 12:
            yield match.end(), month, "han", ""

    def months(self, at: int) -> Iterator[Moment]:
        """Months by name, with a day, a year or both, whatever goes on behind them."""
        line = self._line
        for end, month, role, language in self._names(at):
            if role == "han":
                yield Moment(end, month=month)
                if (match := _HAN_DAY.match(line.text, line.skip(end))) and 1 <= (day := han(match[1]) or 0) <= 31:
                    yield from self._of_any_year(match.end(), month, day)
                continue
            if role == "month":
                yield Moment(end, month=month, certain=False)
            elif role == "month_word":
                yield Moment(end, month=month, certain=False, word=language)
            for behind, year in self.behind(end):
                yield Moment(behind, calendar.month_span(year, month))
            for behind, day in self.ordinals(line.skip(end)):
                yield from self._of_any_year(behind, month, day)
                for last, year in self.behind(behind):
                    yield from self._day(last, year, month, day)
        for end, day in self.ordinals(at):
            name = line.past(line.past(line.skip(end), "article"), "of")
            for behind, month, role, _ in self._names(name):
                if role != "han":
                    yield from self._of_any_year(behind, month, day)
                    for last, year in self.behind(behind):
                        yield from self._day(last, year, month, day)
        for end, year, _ in self._years(at):
            after = line.past(line.skip(end), "of", "particle", "in")
            for behind, month, role, _ in self._names(after):
                if role in ("han", "month"):
                    yield Moment(behind, calendar.month_span(year, month))
                if (match := _HAN_DAY.match(line.text, line.skip(behind))) and role == "han":
                    yield from self._day(match.end(), year, month, han(match[1]) or 0)

    def _of_any_year(self, end: int, month: int, day: int) -> Iterator[Moment]:
        if calendar.day_span(2000, month, day):
            yield Moment(end, month=month, day=day)

    def ordinals(self, at: int) -> Iterator[tuple[int, int]]:
        """The number of a day: 24, 24th, 24., 1er."""
        digits = self._line.digits(at, 2)
        if not digits or not 1 <= digits[1] <= 31:
            return
        end = digits[0]
        yield end, digits[1]
        if self._line.text.startswith(".", end):
            yield end + 1, digits[1]
        for lexeme in self._line.of(end, "ordinal"):
            yield lexeme.end, digits[1]

    def _seasons(self, at: int) -> Iterator[Moment]:
        line = self._line
        for lexeme in line.of(at, "season"):
            season = str(lexeme.value)
            if (match := _WINTER.match(line.text, lexeme.end)) and season == "winter":
                year = int(match[1])
                if year in _YEARS and int(match[2][-2:]) == (year + 1) % 100:
                    yield self._season(match.end(), calendar.season_span(season, year))
            for end, year in self.behind(lexeme.end):
                yield self._season(end, calendar.season_span(season, year))
            for last in line.of(line.skip(lexeme.end), "last"):
                yield self._season(last.end, calendar.last_season(season, self._today))
        for end, year, _ in self._years(at):
            for lexeme in line.of(line.past(line.skip(end), "of", "particle"), "season"):
                yield self._season(lexeme.end, calendar.season_span(str(lexeme.value), year))

    @staticmethod
    def _season(end: int, span: Span) -> Moment:
        return Moment(end, span)

    def _decades(self, at: int) -> Iterator[Moment]:
        line = self._line
        for lexeme in line.of(at, "decade"):
            yield self._decade(lexeme.end, int(lexeme.value))
        for start, prefixed in {at: False, line.past(at, "decade_prefix"): True}.items():
            match = _DECADE.match(line.text, start)
            if not match or int(match[1]) % 10:
                continue
            figures = int(match[1])
            year = figures if figures >= 100 else figures + (2000 if figures <= self._today.year % 100 else 1900)
            if year not in _YEARS:
                continue
            if prefixed and start > at:
                yield self._decade(match.end(), year)
            for suffix in line.of(line.skip(match.end()), "decade_suffix"):
                yield self._decade(suffix.end, year)

    @staticmethod
    def _decade(end: int, year: int) -> Moment:
        return Moment(end, calendar.year_span(year, 10), label=f"{year}s")

    def loose(self, at: int) -> tuple[Moment, ...]:
        """As `moments`, and years and months that a dash follows in the same word (2015-2018, May-July)."""
        if at not in self._loose:
            moments = [*self.whole(at), *self.months(at)]
            moments += [Moment(end, calendar.year_span(year)) for end, year, _ in self._years(at)]
            for lexeme in self._line.of(at, "month_short"):
                moments.append(Moment(lexeme.end, month=int(lexeme.value), certain=False))
            self._loose[at] = tuple(dict.fromkeys(moments))
        return self._loose[at]
