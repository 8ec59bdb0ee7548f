"""Dates: what a day, month, season, year or time ago is called, and ranges of them.

A *moment* is a span of days, or a day or month of no particular year. `moments` and `relative` list every way to read
one from a position on; this module qualifies them and joins them to ranges.

Decisions: 24/08/2021 has the day first unless that is impossible. The last three days are today and the three before;
last week, month, year and season are the latest that are over; two years ago is that whole year. A year alone says
little (it may be a name): certain only beside other words. A month is certain behind a preposition; may, march and
mars mean nothing without one. Two-figure years (24.08.21) and figures in a row (20210824) are uncertain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from imager.query.model import Condition, Date, OnDay
from imager.query.understand import calendar
from imager.query.understand.calendar import HOLIDAYS, Span
from imager.query.understand.lexicon import Line
from imager.query.understand.moments import Moments
from imager.query.understand.reading import Found, Lead, Moment

_DASH = re.compile(r" ?- ?")


class Dates:
    """Reads the dates of one line, as on the day `today`."""

    def __init__(self, line: Line, today: date) -> None:
        self._line = line
        self._today = today
        self._moments = Moments(line, today)

    def find(self, at: int) -> Iterator[Found]:
        """Every way to read a range, a holiday or a date with 'before' and the like from here."""
        for lexeme in self._line.of(at, "on_this_day"):
            month, day = self._today.month, self._today.day
            yield Found(lexeme.end, OnDay(month, day), "date", calendar.day_label(month, day))
        yield from self._holidays(at)
        for moment in self._moments.whole(at):
            yield from self._qualified_behind(moment)
        yield from self._qualified(at)
        yield from self._ranges(at)

    def alone(self, at: int, lead: Lead) -> Iterator[Found]:
        """Every way to read one day, month, season, year or decade from here, behind such a preposition."""
        for moment in self._moments.whole(at):
            if moment.word and moment.word not in lead.in_:
                continue
            condition, label = self._condition(moment)
            certain = moment.certain or bool(moment.month and lead.in_)
            yield Found(moment.end, condition, "date", label, certain, moment.lonely and not lead.any_)

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
            for moment in self._moments.whole(line.past(after, "article")):
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
        for moment in self._moments.months(at):  # August 24-26
            if moment.day and moment.month:
                yield from self._days(moment)

    def _ends(self, at: int) -> Iterator[Moment]:
        """What may begin a range: a moment, or only the number of a day (24 to 26 August)."""
        at = self._line.past(at, "article")
        yield from self._moments.loose(at)
        for end, day in self._moments.ordinals(at):
            yield Moment(end, day=day)

    def _days(self, first: Moment) -> Iterator[Found]:
        line = self._line
        joints = [line.skip(joint.end) for joint in line.of(line.skip(first.end), "to")]
        if dash := _DASH.match(line.text, first.end):
            joints.append(dash.end())
        for joint in joints:
            for end, day in self._moments.ordinals(joint):
                last = Moment(end, month=first.month, day=day)
                if day > first.day and calendar.day_span(2000, first.month, day):
                    yield from self._join(first, last, end)
                    for behind, year in self._moments.behind(end):
                        if span := self._in_year(last, year):
                            yield from self._join(first, replace(last, span=span, end=behind), behind)

    def _range(self, first: Moment, at: int) -> Iterator[Found]:
        for last in self._moments.loose(self._line.past(at, "article")):
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
