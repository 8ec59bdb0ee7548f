"""Dates relative to today: yesterday, last week, this summer, last Friday, three months ago, the last three days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from imager.query.understand import calendar
from imager.query.understand.calendar import HOLIDAYS, Span
from imager.query.understand.lexicon import Line
from imager.query.understand.reading import Moment

_LONG_AGO: Final = 999  # of any unit: beyond it a number is a year (2010年前)


class Relative:
    """Reads what one line says relative to the day `today`."""

    def __init__(self, line: Line, today: date) -> None:
        self._line = line
        self._today = today
        self._known: dict[int, tuple[Moment, ...]] = {}

    def moments(self, at: int) -> tuple[Moment, ...]:
        """Every way to read a time relative to today from here."""
        if at not in self._known:
            self._known[at] = tuple(self._read_relative(at))
        return self._known[at]

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
