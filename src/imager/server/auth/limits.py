"""What may be tried how often: token buckets by what is tried and who tries. In memory; a restart begins anew."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from imager.server import problems

_MOST: Final = 20_000  # buckets


class Limits:
    """Who tried what how often. Used on the event loop alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only grow."""
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, what: str, who: str, *, burst: int, per_minute: float) -> None:
        """Count one try: `burst` at once, then `per_minute`. Raises the problem 429, with when to come back."""
        now = self._clock()
        left, at = self._buckets.pop((what, who), (float(burst), now))
        left = min(float(burst), left + (now - at) * per_minute / 60)
        allowed = left >= 1
        self._buckets[what, who] = (left - 1 if allowed else left, now)
        if len(self._buckets) > _MOST:
            self._buckets.popitem(last=False)
        if not allowed:
            seconds = math.ceil((1 - left) * 60 / per_minute)
            raise problems.of_status(
                429, f"That was tried too often. Try again in {seconds} s.", headers={"Retry-After": str(seconds)}
            )

    def give_back(self, what: str, who: str, *, burst: int) -> None:
        """Uncount one try, since it was a right one."""
        if (known := self._buckets.get((what, who))) is not None:
            self._buckets[what, who] = (min(float(burst), known[0] + 1), known[1])
