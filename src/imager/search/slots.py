"""Slots: the first few numbers of each asset side by side, so that those of many assets are counted in a few passes.

A row for each place, 16 bits for each asset: 0 is none, and n + 1 stands for the number n. What does not fit (more
numbers than rows, or one beyond 16 bits) has `BEYOND` in the first row and is counted from its list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

BEYOND: Final = 0xFFFF

_MOST_ROWS = 16
_OFTEN = 16  # one in so many of those that have any may have more than there are rows


class Slots:
    """The numbers of assets, if they are few and small."""

    def __init__(self, rows: NDArray[np.uint16]) -> None:
        """`rows`: [places][assets], with room for more assets."""
        self.rows = rows

    @classmethod
    def of(cls, first: NDArray[np.uint32], count: NDArray[np.uint32], pool: NDArray[np.uint32]) -> Slots:
        """Of assets whose numbers are `pool[first[asset]:]`, `count[asset]` of each."""
        sizes = np.bincount(np.minimum(count, _MOST_ROWS + 1), minlength=_MOST_ROWS + 2)
        more = sizes[::-1].cumsum()[::-1]  # how many have so many or more
        places = next((n for n in range(1, _MOST_ROWS) if more[n + 1] * _OFTEN <= more[1]), _MOST_ROWS)
        rows = np.zeros((places, len(count)), np.uint16)
        beyond = count > places
        for place, row in enumerate(rows):
            assets = np.flatnonzero((count > place) & ~beyond)
            numbers = pool[first[assets] + place]
            beyond[assets[numbers >= BEYOND - 1]] = True
            row[assets] = numbers + 1
        rows[:, beyond] = 0
        rows[0, beyond] = BEYOND
        return cls(rows)

    def grow(self, assets: int) -> None:
        """Make room for so many assets."""
        if (room := self.rows.shape[1]) < assets:
            self.rows = np.concatenate([self.rows, np.zeros((len(self.rows), assets - room), np.uint16)], axis=1)

    def put(self, asset: int, numbers: Sequence[int]) -> None:
        """Give this asset these numbers and no others."""
        self.rows[:, asset] = 0
        if len(numbers) > len(self.rows) or max(numbers, default=0) >= BEYOND - 1:
            self.rows[0, asset] = BEYOND
        else:
            self.rows[: len(numbers), asset] = np.add(numbers, 1) if numbers else 0

    def counted(self, assets: NDArray[Any], numbers: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """How many of these assets have each of so many numbers; and those of them whose lists are to be counted."""
        counts, beyond = np.zeros(numbers + 1, np.int64), assets[:0]
        places = assets.astype(np.intp, copy=False)
        for row in self.rows:
            held = row.take(places, mode="clip")
            found = np.bincount(held, minlength=numbers + 1)
            if len(found) > numbers + 1 or (numbers >= BEYOND and found[BEYOND]):
                beyond = assets[held == BEYOND]
            counts += found[: numbers + 1]
        if numbers >= BEYOND:
            counts[BEYOND] = 0
        return counts[1:], beyond
