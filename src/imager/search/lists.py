"""Lists: what a picture has several of (tags, people, folders), in both directions.

From the picture: `first` and `count` of each asset say where its numbers stand in `pool`; those of a changed asset are
written anew at the pool's end. The first few are also in slots (slots.py), where they are counted. From the number: the
assets as they were in the generation, and what was added to and removed from them since, which roaring bitmaps take in
when somebody asks for them.
"""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from imager.search.sidecar import Generation, Writer
from imager.search.slots import Slots

_LEAST_SPARE: Final = 65_536
_ARRAY_MOST = 4_096  # values in a roaring container that is a list

Assets = NDArray[np.uint32]
Mask = NDArray[np.bool_]


class Lists:
    """Which pictures have which of many things. Things are numbered from 0, and keep their numbers while it is open."""

    def __init__(
        self,
        keys: Sequence[Hashable],
        names: Sequence[str],
        first: NDArray[np.uint32],
        count: NDArray[np.uint32],
        pool: NDArray[np.uint32],
        used: int,
        starts: NDArray[np.int64],
        members: Assets,
        slots: Slots,
    ) -> None:
        """`keys`: what the catalog calls each thing; of `pool`, `used` are taken; `members[starts[n]:]` have n."""
        self.names = list(names)
        self.codes: dict[Hashable, int] = {key: code for code, key in enumerate(keys)}
        self._first, self._count, self._pool, self._used = first, count, pool, used
        self._starts, self._members, self._slots = starts, members, slots
        self._totals = np.diff(starts).astype(np.uint32)  # with room for more
        self._bitmaps: dict[int, BitMap] = {}
        self._changes: dict[int, dict[int, bool]] = {}  # by number: assets added (True) and removed since

    @classmethod
    def of_pairs(
        cls,
        keys: Sequence[Hashable],
        names: Sequence[str],
        assets: NDArray[Any],
        numbers: NDArray[Any],
        rows: int,
    ) -> Lists:
        """From pairs, sorted by asset, none twice."""
        count = np.bincount(assets, minlength=rows).astype(np.uint32)
        first = np.zeros(rows, np.uint32)
        np.cumsum(count[:-1], out=first[1:])
        # numpy sorts numbers of 16 bits by radix, many times as fast.
        order = np.argsort(numbers.astype(np.uint16 if len(names) <= 1 << 16 else np.uint32), kind="stable")
        starts = np.zeros(len(names) + 1, np.int64)
        np.cumsum(np.bincount(numbers, minlength=len(names)), out=starts[1:])
        members = assets.astype(np.uint32)[order]
        pool = numbers.astype(np.uint32)
        return cls(keys, names, first, count, pool, len(pool), starts, members, Slots.of(first, count, pool))

    @classmethod
    def read(cls, generation: Generation, name: str) -> Lists:
        """Those of a generation."""
        arrays = [generation.array(f"{name}.{part}") for part in ("first", "count", "pool")]
        starts, members = generation.array(f"{name}.starts"), generation.array(f"{name}.members")
        keys, names = generation.text(f"{name}.keys"), generation.text(f"{name}.names")
        slots = Slots(generation.array(f"{name}.slots"))
        return cls(keys, names, arrays[0], arrays[1], arrays[2], int(starts[-1]), starts, members, slots)

    def write(self, writer: Writer, name: str, rows: int, spare: int) -> None:
        """Write all, for `rows` assets and `spare` more, without what nothing has."""
        fresh = self if not self._changes and self._totals.all() else self._renumbered(rows)
        first, count = np.zeros((2, rows), np.uint32)
        first[: len(fresh._first)], count[: len(fresh._first)] = fresh._first[:rows], fresh._count[:rows]
        writer.text(f"{name}.keys", list(fresh.codes))
        writer.text(f"{name}.names", fresh.names)
        writer.array(f"{name}.first", first, spare=spare)
        writer.array(f"{name}.count", count, spare=spare)
        pool = fresh._pool[: fresh._used]
        writer.array(f"{name}.pool", pool, spare=max(_LEAST_SPARE, len(pool) // 10))
        writer.array(f"{name}.starts", fresh._starts)
        writer.array(f"{name}.members", fresh._members)
        slots = np.zeros((len(fresh._slots.rows), rows + spare), np.uint16)
        held = fresh._slots.rows[:, :rows]
        slots[:, : held.shape[1]] = held
        writer.array(f"{name}.slots", slots)

    def _renumbered(self, rows: int) -> Lists:
        """The same without what nothing has, and without what was overwritten."""
        assets, numbers = self.pairs(np.arange(min(rows, len(self._first))))
        kept = np.flatnonzero(self.counts())
        renumbered = np.zeros(len(self.names), np.uint32)
        renumbered[kept] = np.arange(len(kept))
        keys = {code: key for key, code in self.codes.items()}
        names = [self.names[n] for n in kept.tolist()]
        return Lists.of_pairs([keys[n] for n in kept.tolist()], names, assets, renumbered[numbers], rows)

    def grow(self, rows: int) -> None:
        """Make room for assets up to that number."""
        if rows > len(self._first):
            more = np.zeros(rows + rows // 8 - len(self._first), np.uint32)
            self._first, self._count = np.concatenate([self._first, more]), np.concatenate([self._count, more])
            self._slots.grow(len(self._first))

    def code(self, key: Hashable, name: str) -> int:
        """The number of what the catalog calls `key`, which is called so now."""
        code = self.codes.get(key)
        if code is None:
            code = self.codes[key] = len(self.names)
            self.names.append(name)
            if len(self.names) > len(self._totals):
                self._totals = np.concatenate([self._totals, np.zeros(len(self.names), np.uint32)])
        else:
            self.names[code] = name
        return code

    def put(self, lists: Iterable[tuple[int, Sequence[int]]]) -> None:
        """Give each of these assets these numbers and no others."""
        for asset, numbers in lists:
            had, has = set(self.of(asset)), set(numbers)
            if had == has:
                continue
            for number in had - has:
                self._note(number, asset, False)
            for number in has - had:
                self._note(number, asset, True)
            self._append(asset, sorted(has))

    def _append(self, asset: int, numbers: list[int]) -> None:
        end = self._used + len(numbers)
        if end > len(self._pool):
            more = np.zeros(end + end // 8 + _LEAST_SPARE - len(self._pool), np.uint32)
            self._pool = np.concatenate([self._pool, more])
        self._pool[self._used : end] = numbers
        self._first[asset], self._count[asset] = self._used, len(numbers)
        self._slots.put(asset, numbers)
        self._used = end

    def _note(self, number: int, asset: int, added: bool) -> None:
        if added:
            self._totals[number] += 1
        else:
            self._totals[number] -= 1  # numbers without a sign take no -1
        if (bitmap := self._bitmaps.get(number)) is not None:
            (bitmap.add if added else bitmap.discard)(asset)
        self._changes.setdefault(number, {})[asset] = added

    def __len__(self) -> int:
        return len(self.names)

    @property
    def passes(self) -> int:
        """How many numbers are looked at to count those of an asset."""
        return len(self._slots.rows)

    def of(self, asset: int) -> list[int]:
        """The numbers that an asset has."""
        first = int(self._first[asset])
        return [int(n) for n in self._pool[first : first + int(self._count[asset])]]

    def pairs(self, assets: NDArray[Any]) -> tuple[Assets, NDArray[np.uint32]]:
        """What these assets have, as (asset, number) in two arrays, in the order of `assets`."""
        count = self._count[assets]
        ahead = np.cumsum(count, dtype=np.int64)
        total = int(ahead[-1]) if len(ahead) else 0
        shift = self._first[assets].astype(np.int64) - (ahead - count)
        places = np.repeat(shift, count) + np.arange(total)
        return np.repeat(assets.astype(np.uint32), count), self._pool[places]

    def assets(self, number: int) -> Assets:
        """The pictures that have it, in order."""
        if number in self._changes:
            return np.frombuffer(self.bitmap(number).to_array(), np.uint32)
        found = self._base(number)
        found.flags.writeable = False
        return found

    def any(self, size: int) -> Mask:
        """The pictures with numbers below `size` that have any."""
        mask: Mask = self._count[:size] != 0
        return mask

    def _base(self, number: int) -> Assets:
        if number + 1 >= len(self._starts):
            return np.zeros(0, np.uint32)
        return self._members[self._starts[number] : self._starts[number + 1]]

    def bitmap(self, number: int) -> BitMap:
        """The pictures that have it; kept and kept right, so not to be changed by others."""
        found = self._bitmaps.get(number)
        if found is None:
            found = BitMap(array("I", self._base(number).tobytes()))  # of an array: many times as fast
            for asset, added in self._changes.get(number, {}).items():
                (found.add if added else found.discard)(asset)
            self._bitmaps[number] = found
        return found

    def counts(self, mask: Mask | None = None) -> NDArray[np.uint32]:
        """How many of the pictures in `mask` (None: of all) have each, by number."""
        if mask is None:
            return self._totals[: len(self.names)].copy()
        if 2 * int(np.count_nonzero(mask)) <= len(mask):
            return self.counted(np.flatnonzero(mask))
        beyond = len(mask) + np.flatnonzero(self._count[len(mask) :])
        return self.counts() - self.counted(np.flatnonzero(~mask)) - self.counted(beyond)

    def counted(self, assets: NDArray[Any]) -> NDArray[np.uint32]:
        """How many of these have each, by number."""
        counts, beyond = self._slots.counted(assets, len(self.names))
        if len(beyond):
            counts += np.bincount(self.pairs(beyond)[1], minlength=len(self.names))
        return counts.astype(np.uint32)


def bitmap_of(mask: Mask) -> BitMap:
    """The numbers of the rows that are True.

    Written in the portable format of roaring bitmaps ('RoaringFormatSpec'), whose containers of 65,536 are these bits
    as they are: a fraction of a millisecond for a million, where adding the numbers takes many.
    """
    packed = np.packbits(mask, bitorder="little")
    bits = np.concatenate([packed, np.zeros(-len(packed) % 8_192, np.uint8)]).reshape(-1, 8_192)
    cards = np.add.reduceat(mask, np.arange(0, len(mask), 65_536), dtype=np.int64) if len(mask) else np.zeros(0, int)
    kept = np.flatnonzero(cards)
    containers = [
        np.flatnonzero(mask[i << 16 : (i + 1) << 16]).astype("<u2").tobytes()
        if cards[i] <= _ARRAY_MOST
        else bits[i].tobytes()
        for i in kept.tolist()
    ]
    described = np.stack([kept, cards[kept] - 1], 1).astype("<u2").tobytes()
    places = 8 + 8 * len(kept) + np.cumsum([0, *(len(c) for c in containers[:-1])])
    head = np.array([12_346, len(kept)], "<u4").tobytes()
    return BitMap.deserialize(
        head + described + (places.astype("<u4").tobytes() if containers else b"") + b"".join(containers)
    )
