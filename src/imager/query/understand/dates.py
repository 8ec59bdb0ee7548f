"""Dates: what a day, month, season, year or time ago is called, and ranges of them.

A *moment* is a span of days, or a day or month of no particular year. `moments` lists every way to read the text from
a position on; `find` joins them to ranges and takes the longest.

Decisions: 24/08/2021 has the day first unless that is impossible. The last three days are today and the three before;
last week, month, year and season are the latest that are over; two years ago is that whole year. A year alone says
little (it may be a name): certain only beside other words. A month is certain behind a preposition; may, march and
mars mean nothing without one. Two-figure years (24.08.21) and figures in a row (20210824) are uncertain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from imager.query.model import Condition, Date, OnDay
from imager.query.understand import calendar
from imager.query.understand.calendar import Span
from imager.query.understand.lexicon import HAN_NUMBER, Line, han
from imager.query.understand.reading import Found, Lead

HOLIDAYS: Final[dict[str, tuple[tuple[int, int], tuple[int, int]]]] = {
    "christmas": ((12, 24), (12, 26)),
    "christmas eve": ((12, 24), (12, 24)),
    "new year's eve": ((12, 31), (12, 31)),
    "new year's day": ((1, 1), (1, 1)),
    "halloween": ((10, 31), (10, 31)),
    "valentine's day": ((2, 14), (2, 14)),
    "epiphany": ((1, 6), (1, 6)),
}
"""Those that are on the same (month, day) every year: from, to."""

_FIRST_PHOTOGRAPH: Final = 1826
_LONG_AGO: Final = 999  # of any unit: beyond it a number is a year (2010年前)
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
_DASH = re.compile(r" ?- ?")


@dataclass(frozen=True, slots=True)
class Moment:
    """A span of days; or of any year: a month, or from one (month, day) to another. Or only the number of a day."""

    end: int
    span: Span | None = None
    month: int = 0
    day: int = 0
    label: str = ""
    certain: bool = True
    lonely: bool = False  # a year and nothing else
    word: str = ""  # language of a month's name that is a common word too


class Dates:
    """Reads the dates of one line, as on the day `today`."""

    def __init__(self, line: Line, today: date) -> None:
        self._line = line
        self._today = today
        self._known: dict[int, tuple[Moment, ...]] = {}
        self._unbounded: dict[int, tuple[Moment, ...]] = {}
        self._relatives: dict[int, tuple[Moment, ...]] = {}

    def find(self, at: int) -> Iterator[Found]:
        """Every way to read a range, a holiday or a date with 'before' and the like from here."""
        for lexeme in self._line.of(at, "on_this_day"):
            month, day = self._today.month, self._today.day
            yield Found(lexeme.end, OnDay(month, day), "date", calendar.day_label(month, day))
        yield from self._holidays(at)
        for moment in self.moments(at):
            yield from self._qualified_behind(moment)
        yield from self._qualified(at)
        yield from self._ranges(at)

    def alone(self, at: int, lead: Lead) -> Iterator[Found]:
        """Every way to read one day, month, season, year or decade from here, behind such a preposition."""
        for moment in self.moments(at):
            if moment.word and moment.word not in lead.in_:
                continue
            condition, label = self._condition(moment)
            certain = moment.certain or bool(moment.month and lead.in_)
            yield Found(moment.end, condition, "date", label, certain, moment.lonely and not lead.any_)

    # One moment

    def moments(self, at: int) -> tuple[Moment, ...]:
        """Every way to read one day, month, season, year or decade from here."""
        if at not in self._known:
            found = [*self._figures(at), *self._decades(at), *self._relative(at), *self._seasons(at), *self._months(at)]
            found += [
                Moment(end, calendar.year_span(year), lonely=lonely) for end, year, lonely in self._years(at, bare=True)
            ]
            ends = self._line.ends
            self._known[at] = tuple(moment for moment in found if ends(moment.end))
        return self._known[at]

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
            for moment in self._relative(line.past(at, "article")):
                if moment.span and moment.span == calendar.year_span(moment.span[0].year):
                    yield moment.end, moment.span[0].year, False

    def _century(self, figures: int) -> int:
        return figures + (2000 if figures <= self._today.year % 100 else 1900)

    def _behind(self, at: int) -> Iterator[tuple[int, int]]:
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

    def _months(self, at: int) -> Iterator[Moment]:
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
            for behind, year in self._behind(end):
                yield Moment(behind, calendar.month_span(year, month))
            for behind, day in self._ordinals(line.skip(end)):
                yield from self._of_any_year(behind, month, day)
                for last, year in self._behind(behind):
                    yield from self._day(last, year, month, day)
        for end, day in self._ordinals(at):
            name = line.past(line.past(line.skip(end), "article"), "of")
            for behind, month, role, _ in self._names(name):
                if role != "han":
                    yield from self._of_any_year(behind, month, day)
                    for last, year in self._behind(behind):
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

    def _ordinals(self, at: int) -> Iterator[tuple[int, int]]:
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
            for end, year in self._behind(lexeme.end):
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

    def _relative(self, at: int) -> tuple[Moment, ...]:
        if at not in self._relatives:
            self._relatives[at] = tuple(self._read_relative(at))
        return self._relatives[at]

    def _read_relative(self, at: int) -> Iterator[Moment]:
        """Yesterday, last week, the summer before, three months ago, the last three days."""
        line, today = self._line, self._today
        for lexeme in line.of(at, "relative", "relative_word"):
            name, _, distance = str(lexeme.value).partition(" ")
            yield from self._span(
                lexeme.end, calendar.unit_span(name, int(distance), today), certain=lexeme.role == "relative"
            )
        for lexeme in line.of(at, "last", "past", "this"):
            after = line.skip(lexeme.end)
            for what in line.of(after, "unit", "season", "month", "month_word", "weekday", "holiday"):
                yield from self._nearest(lexeme.role, what.role, what.value, what.end)
            for end, count in line.count(after):
                for unit in line.of(line.skip(end), "unit"):
                    if lexeme.role != "this":
                        yield from self._span(unit.end, calendar.rolling(str(unit.value), count, today))
        for what in line.of(at, "unit", "month", "month_word", "weekday", "holiday"):
            for lexeme in line.of(line.skip(what.end), "last"):
                yield from self._nearest("last", what.role, what.value, lexeme.end)
        for end, count in line.count(at):
            if count > _LONG_AGO:
                continue
            after = line.skip(end)
            for lexeme in line.of(after, "last", "past"):
                for unit in line.of(line.skip(lexeme.end), "unit"):
                    yield from self._span(unit.end, calendar.rolling(str(unit.value), count, today))
            for unit in line.of(after, "unit"):
                behind = line.skip(unit.end)
                for lexeme in line.of(behind, "ago"):
                    yield from self._span(lexeme.end, calendar.unit_span(str(unit.value), -count, today))
                for lexeme in line.of(behind, "last"):
                    yield from self._span(lexeme.end, calendar.rolling(str(unit.value), count, today))
        for lexeme in line.of(at, "ago_before"):
            for end, count in line.count(line.skip(lexeme.end)):
                for unit in line.of(line.skip(end), "unit"):
                    if count <= _LONG_AGO:
                        yield from self._span(unit.end, calendar.unit_span(str(unit.value), -count, today))

    def _nearest(self, which: str, role: str, value: str | int, end: int) -> Iterator[Moment]:
        """The last or this week, summer, August, Friday, Christmas."""
        today, last = self._today, which != "this"
        span: Span | None = None
        if role == "unit" and value == "day":
            return  # the last day of something else
        if role == "unit" and which == "past":
            span = calendar.rolling(str(value), 1, today)
        elif role == "unit":
            span = calendar.unit_span(str(value), -last, today)
        elif role == "season":
            span = calendar.last_season(str(value), today) if last else calendar.this_season(str(value), today)
        elif role == "month":
            span = calendar.last_month(int(value), today) if last else calendar.month_span(today.year, int(value))
        elif role == "month_word" and last:
            span = calendar.last_month(int(value), today)
        elif role == "weekday" and last:
            first = today - timedelta(days=(today.weekday() - int(value) - 1) % 7 + 1)
            span = first, first + timedelta(days=1)
        elif role == "holiday":
            span = self._holiday(str(value), last=last)
        yield from self._span(end, span)

    def _holiday(self, name: str, *, last: bool) -> Span:
        first, until = HOLIDAYS[name]
        spans = [
            (date(year, *first), date(year, *until) + timedelta(days=1))
            for year in (self._today.year, self._today.year - 1)
        ]
        return spans[1] if last and spans[0][1] > self._today else spans[0]

    @staticmethod
    def _span(end: int, span: Span | None, *, certain: bool = True) -> Iterator[Moment]:
        if span:
            yield Moment(end, span, certain=certain)

    # What is said of it

    @staticmethod
    def _condition(moment: Moment) -> tuple[Condition, str]:
        if moment.span:
            return calendar.within(moment.span), moment.label or calendar.label(moment.span)
        return OnDay(moment.month, moment.day or None), calendar.day_label(moment.month, moment.day)

    def _holidays(self, at: int) -> Iterator[Found]:
        for lexeme in self._line.of(at, "holiday"):
            name = str(lexeme.value)
            yield Found(
                lexeme.end, calendar.each_year(*HOLIDAYS[name]), "date", name.title().replace("'S", "'s"), False
            )

    def _qualified(self, at: int) -> Iterator[Found]:
        """Before 2010, since last summer."""
        line = self._line
        for lexeme in line.of(at, "before", "after", "since", "until", "since_to"):
            after = line.past(line.skip(lexeme.end), "in")
            for moment in self.moments(line.past(after, "article")):
                yield from self._open(lexeme.role, moment, moment.end)

    def _qualified_behind(self, moment: Moment) -> Iterator[Found]:
        line = self._line
        for lexeme in line.of(line.skip(moment.end), "before_post", "after_post", "since_post", "until_post"):
            yield from self._open(lexeme.role.removesuffix("_post"), moment, lexeme.end)

    def _open(self, role: str, moment: Moment, end: int) -> Iterator[Found]:
        span, label = moment.span, moment.label
        if role == "since_to":
            role = "since"
        if not span and role == "since" and moment.month:  # since August: the latest that has begun
            span = self._latest(moment)
        if not span:
            return
        first, until = map(calendar.milliseconds, span)
        condition = {
            "before": Date(None, first),
            "after": Date(until, None),
            "since": Date(first, None),
            "until": Date(None, until),
        }[role]
        yield Found(end, condition, "date", f"{role} {label or calendar.label(span)}")

    def _latest(self, moment: Moment) -> Span | None:
        for year in (self._today.year, self._today.year - 1):
            span = self._in_year(moment, year)
            if span and span[0] <= self._today:
                return span
        return None

    # From one to another

    def _ranges(self, at: int) -> Iterator[Found]:
        line = self._line
        for lexeme in line.of(at, "between"):
            for first in self._ends(line.skip(lexeme.end)):
                for joint in line.of(line.skip(first.end), "and", "to"):
                    yield from self._range(first, line.skip(joint.end))
        starts = {at} | {line.skip(lexeme.end) for lexeme in line.of(at, "from", "since_to", "since")}
        for start in starts:
            for first in self._ends(start):
                behind = line.skip(first.end)
                for joint in line.of(behind, "to"):
                    yield from self._range(first, line.past(line.skip(joint.end), "in"))
                if dash := _DASH.match(line.text, first.end):
                    yield from self._range(first, dash.end())
        for moment in self._months(at):  # August 24-26
            if moment.day and moment.month:
                yield from self._days(moment)

    def _ends(self, at: int) -> Iterator[Moment]:
        """What may begin a range: a moment, or only the number of a day (24 to 26 August)."""
        at = self._line.past(at, "article")
        yield from self._loose(at)
        for end, day in self._ordinals(at):
            yield Moment(end, day=day)

    def _loose(self, at: int) -> tuple[Moment, ...]:
        """As `moments`, and years and months that a dash follows in the same word (2015-2018, May-July)."""
        if at not in self._unbounded:
            moments = [*self.moments(at), *self._months(at)]
            moments += [Moment(end, calendar.year_span(year)) for end, year, _ in self._years(at)]
            for lexeme in self._line.of(at, "month_short"):
                moments.append(Moment(lexeme.end, month=int(lexeme.value), certain=False))
            self._unbounded[at] = tuple(dict.fromkeys(moments))
        return self._unbounded[at]

    def _days(self, first: Moment) -> Iterator[Found]:
        line = self._line
        joints = [line.skip(joint.end) for joint in line.of(line.skip(first.end), "to")]
        if dash := _DASH.match(line.text, first.end):
            joints.append(dash.end())
        for joint in joints:
            for end, day in self._ordinals(joint):
                last = Moment(end, month=first.month, day=day)
                if day > first.day and calendar.day_span(2000, first.month, day):
                    yield from self._join(first, last, end)
                    for behind, year in self._behind(end):
                        if span := self._in_year(last, year):
                            yield from self._join(first, replace(last, span=span, end=behind), behind)

    def _range(self, first: Moment, at: int) -> Iterator[Found]:
        for last in self._loose(self._line.past(at, "article")):
            end = self._line.skip(last.end)
            closed = next((lexeme.end for lexeme in self._line.of(end, "until_post")), last.end)
            yield from self._join(first, last, closed)

    def _join(self, first: Moment, last: Moment, end: int) -> Iterator[Found]:
        if not first.month and not first.span:  # only a number: the rest is as in the second
            month = last.month or (last.span[0].month if last.span else 0)
            if not (last.day or (last.span and (last.span[1] - last.span[0]).days == 1)):
                return
            first = replace(first, month=month)
        if not first.span and not last.span:
            if not first.month or not last.month or bool(first.day) != bool(last.day):
                return
            opening = (first.month, first.day or 1)
            closing = (last.month, last.day or (calendar.month_span(2000, last.month)[1] - timedelta(days=1)).day)
            if all(calendar.day_span(2000, *day) for day in (opening, closing)):
                label = f"{calendar.day_label(first.month, first.day).split(',')[0]} – "
                yield Found(
                    end, calendar.each_year(opening, closing), "date", label + calendar.day_label(last.month, last.day)
                )
            return
        opened, closed = first.span, last.span
        if not opened and closed:
            opened = self._in_year(first, closed[0].year)
            if opened and opened[0] > closed[0]:
                opened = self._in_year(first, closed[0].year - 1)
        elif opened and not closed:
            closed = self._in_year(last, opened[0].year)
            if closed and closed[0] < opened[0]:
                closed = self._in_year(last, opened[0].year + 1)
        if not opened or not closed:
            return
        span = min(opened[0], closed[0]), max(opened[1], closed[1])
        yield Found(end, calendar.within(span), "date", calendar.label(span))

    @staticmethod
    def _in_year(moment: Moment, year: int) -> Span | None:
        if not moment.month:
            return None
        return (
            calendar.day_span(year, moment.month, moment.day) if moment.day else calendar.month_span(year, moment.month)
        )
