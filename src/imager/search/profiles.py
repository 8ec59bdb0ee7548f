"""Profiles: which camera, lens, kind and rating occur together.

Combinations are few beside pictures, so a result is counted once by its column of profiles, and all four from that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

OF: Final = ("make_model", "lens", "kind", "rating")
"""The columns that make a profile, in this order."""

Profile = tuple[int, int, int, int]

_NOTHING: Final[Profile] = (0, 0, 0, -1)  # profile 0


class Profiles:
    """The profiles of an index. They are numbered as they come, and keep their numbers."""

    def __init__(self, profiles: Iterable[Profile] = (_NOTHING,)) -> None:
        """`profiles`: in the order of their numbers."""
        self._codes = {profile: code for code, profile in enumerate(profiles)}
        self._table = np.zeros((len(OF), 0), np.int64)

    @classmethod
    def of(cls, table: NDArray[np.int64]) -> Profiles:
        """From what `table` gave."""
        return cls(zip(*table.tolist(), strict=True))

    def __len__(self) -> int:
        return len(self._codes)

    @property
    def table(self) -> NDArray[np.int64]:
        """The values of each profile: [columns of `OF`][profile]."""
        if self._table.shape[1] != len(self._codes):
            self._table = np.array(list(self._codes), np.int64).T.copy()
        return self._table

    def codes(self, values: Mapping[str, NDArray[Any]]) -> NDArray[np.uint32]:
        """The profile of each asset, by these of its columns."""
        rows = list(zip(*(values[name].tolist() for name in OF), strict=True))
        known = self._codes
        for profile in sorted(set(rows) - known.keys()):
            known[profile] = len(known)
        return np.fromiter(map(known.__getitem__, rows), np.uint32, len(rows))
