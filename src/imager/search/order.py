"""The order of time: all assets, those taken last first, of those taken at once the highest number first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Order:
    """Asset numbers and times in two arrays of one order. Changing it makes new arrays."""

    def __init__(self, assets: NDArray[np.uint32], taken: NDArray[np.int64]) -> None:
        self.assets = assets
        self.taken = taken
        assets.flags.writeable = taken.flags.writeable = False

    @classmethod
    def of(cls, assets: Array, taken: Array) -> Order:
        """Of these assets, in any order."""
        order = np.lexsort((assets, taken))[::-1]
        return cls(assets[order].astype(np.uint32), taken[order].astype(np.int64))

    def changed(self, out: tuple[Array, Array], new: tuple[Array, Array]) -> Order:
        """Without the assets (and their times) of `out`, which must be there, and with those of `new`."""
        if not len(out[0]) and not len(new[0]):
            return self
        gone = self._places(*out)
        order = np.lexsort(new)[::-1]
        assets, taken = new[0][order].astype(np.uint32), new[1][order].astype(np.int64)
        left = Order(np.delete(self.assets, gone), np.delete(self.taken, gone)) if len(gone) else self
        at = left._places(assets, taken)
        return Order(np.insert(left.assets, at, assets), np.insert(left.taken, at, taken))

    def _places(self, assets: Array, taken: Array) -> Array:
        """Where each of these (asset, time) stands, or would: binary search for all of them at once."""
        low = np.zeros(len(assets), np.int64)
        high = np.full(len(assets), len(self.assets), np.int64)
        while len(low) and (open_ := low < high).any():
            middle = (low + high) >> 1
            inside = np.minimum(middle, len(self.assets) - 1)
            there = self.taken[inside]
            before = (there > taken) | ((there == taken) & (self.assets[inside] > assets))
            low = np.where(open_ & before, middle + 1, low)
            high = np.where(open_ & ~before, middle, high)
        return low
