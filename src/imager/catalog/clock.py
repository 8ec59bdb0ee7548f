"""Hybrid logical clocks: names for edits that sort by time on every device.

A clock is text, `<milliseconds:013x>-<counter:04x>-<device:012x>`, compared bytewise. It never runs backwards on
its device, follows the wall clock where that is ahead, and overtakes every clock it has seen. After Kulkarni,
Demirbas et al., 'Logical Physical Clocks', OPODIS 2014, with the device appended to make each name unique.

Two kinds of clock lie outside time. A rule of Imager (which joins a RAW and its JPEG, say) speaks at *clock zero*:
its milliseconds merely count, from 1 up, so that anything any person says is later. It counts under a device
number of its own, so that each device's edits still arrive in the order of their clocks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

MAX_AHEAD = 5 * 60 * 1000
"""Milliseconds that a clock may be ahead of ours before its edits are held back."""

_PATTERN = re.compile(r"[0-9a-f]{13}-[0-9a-f]{4}-[0-9a-f]{12}")
_COUNTERS = 1 << 16


class Clock(NamedTuple):
    """The three parts of a clock."""

    milliseconds: int
    counter: int
    device: int

    def __str__(self) -> str:
        return f"{self.milliseconds:013x}-{self.counter:04x}-{self.device:012x}"


def parse(text: str) -> Clock:
    """The parts of a clock's text; ValueError for anything that is not one, in exactly that form."""
    if not _PATTERN.fullmatch(text):
        raise ValueError(f"not a clock: {text[:60]!r}")
    return Clock(int(text[:13], 16), int(text[14:18], 16), int(text[19:], 16))


class HybridClock:
    """Makes the clocks of one device; `now` gives milliseconds since 1970 and may jump in either direction."""

    def __init__(self, device: int, now: Callable[[], int], *, last: str | None = None) -> None:
        """`last` is the latest clock known to the library, by anyone, or None."""
        self.device = device
        self._now = now
        self._milliseconds, self._counter = 0, 0
        if last is not None:
            self.observe(last)

    def observe(self, clock: str) -> None:
        """Take note of a clock seen elsewhere: all that follow here are later."""
        seen = parse(clock)
        if (seen.milliseconds, seen.counter) > (self._milliseconds, self._counter):
            self._milliseconds, self._counter = seen.milliseconds, seen.counter

    def tick(self) -> str:
        """The next clock: later than every clock made or observed here."""
        now = self._now()
        if now > self._milliseconds:
            self._milliseconds, self._counter = now, 0
        elif self._counter + 1 < _COUNTERS:
            self._counter += 1
        else:
            self._milliseconds, self._counter = self._milliseconds + 1, 0
        return str(Clock(self._milliseconds, self._counter, self.device))
