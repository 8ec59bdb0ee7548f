"""Pages of hits: the pictures after some key, in the order of a ranking or in one of the plain orders."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imager.query import model as q
from imager.search.columnar import Mask, before
from imager.search.index import Index
from imager.search.phrases import Numbers

_BLOCK = 16_384
_SMALL = 20_000  # so many pictures are sorted sooner than looked up in the order by time

Key = tuple[int, float, int, int]
"""Where a hit stands in the order by relevance: its tier, how relevant it is, its time, its number."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The order of some results by relevance."""

    tiers: list[Mask]  # disjoint; together all results
    ranked: Numbers = field(default_factory=lambda: np.zeros(0, np.uint32))  # what channels list, in order
    fused: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    exact: bool = False  # whether the first tier is that of what was named exactly


def falling(scores: NDArray[np.uint16], taken: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order of pictures, whose numbers rise, by score, then time, then number, each falling."""
    if not len(taken):
        return np.zeros(0, np.int64)
    latest, best = int(taken.max()), int(scores.max())
    ages, places = (latest - int(taken.min())).bit_length(), len(taken).bit_length()
    if ages + places + best.bit_length() > 63:  # times as no calendar has them
        return np.lexsort((-np.arange(len(taken)), -taken, best - scores))
    # All three in one number, which is sorted many times as fast; the last tells whose it is.
    keys = (best - scores.astype(np.int64)) << ages | (latest - taken)
    keys = np.sort(keys << places | np.arange(len(taken))[::-1])
    return len(taken) - 1 - (keys & (1 << places) - 1)


def newest_of(index: Index, numbers: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """The newest of these numbers, which rise; the newest first, of equal ones the higher number."""
    taken = index.columns.taken[numbers]
    if len(numbers) > 4 * most > 0:
        # Whatever is as new as the last that is wanted stays in the race.
        kept = taken >= np.partition(taken, len(taken) - most)[len(taken) - most]
        numbers, taken = numbers[kept], taken[kept]
    return numbers[falling(np.zeros(len(taken), np.uint16), taken)[:most]]


def page(index: Index, ranking: Ranking, after: Key | None, most: int) -> list[Key]:
    """The hits after `after` in the order of the ranking, at most so many."""
    found: list[Key] = []
    taken = index.columns.taken
    for tier, mask in enumerate(ranking.tiers):
        if after is not None and tier < after[0]:
            continue
        here = after if after is not None and tier == after[0] else None
        kept = mask[ranking.ranked]
        numbers, fused = ranking.ranked[kept], ranking.fused[kept]
        if here is None or here[1] > 0:
            start = 0 if here is None else _later(numbers, fused, taken[numbers], here)
            some = slice(start, start + most - len(found))
            found += [
                (tier, score, at, number)
                for number, score, at in zip(
                    numbers[some].tolist(), fused[some].tolist(), taken[numbers[some]].tolist(), strict=True
                )
            ]
        if len(found) < most:
            rest = mask
            if len(numbers):
                rest = mask.copy()
                rest[numbers] = False
            last = (here[2], here[3]) if here is not None and here[1] <= 0 else None
            found += [(tier, 0.0, int(taken[n]), n) for n in newest(index, rest, last, most - len(found)).tolist()]
        if len(found) >= most:
            break
    return found


def _later(numbers: Numbers, fused: NDArray[np.float64], taken: NDArray[np.int64], after: Key) -> int:
    """How many of these, in order, are not after that key."""
    low, high = 0, len(numbers)
    key = (-after[1], -after[2], -after[3])
    while low < high:
        middle = (low + high) // 2
        if (-float(fused[middle]), -int(taken[middle]), -int(numbers[middle])) <= key:
            low = middle + 1
        else:
            high = middle
    return low


def newest(index: Index, mask: Mask, after: tuple[int, int] | None, most: int) -> Numbers:
    """The newest pictures of a mask after (taken, number), newest first, of equal times the higher number first."""
    order, times = index.order, index.order_taken
    position = 0
    if after is not None:
        position = before(times, after[0] + 1)  # those that are newer
        same = order[position : before(times, after[0])]
        position += int(np.count_nonzero(same >= after[1]))
    pieces: list[Numbers] = []
    count, block = 0, _BLOCK
    while position < len(order) and count < most:
        if block > 4 * _BLOCK and int(np.count_nonzero(mask)) <= _SMALL:
            return _sorted(index, mask, after, most)
        some = order[position : position + block]
        some = some[some < len(mask)]
        piece = some[mask[some]][: most - count]
        pieces.append(piece)
        count += len(piece)
        position += block
        block *= 2
    return np.concatenate(pieces) if pieces else order[:0]


def _sorted(index: Index, mask: Mask, after: tuple[int, int] | None, most: int) -> Numbers:
    numbers = np.flatnonzero(mask)
    if after is not None:
        taken = index.columns.taken[numbers]
        numbers = numbers[(taken < after[0]) | ((taken == after[0]) & (numbers < after[1]))]
    return newest_of(index, numbers, most).astype(np.uint32)


# ── plain orders ────────────────────────────────────────────────────────────────────────────────────────────


def plain(index: Index, mask: Mask, sort: q.Sort, after: Key | None, most: int) -> list[Key]:
    """The hits after `after` in an order other than relevance; the second part of a key is what it sorts by."""
    columns = index.columns
    if sort == "newest":
        numbers = newest(index, mask, None if after is None else (after[2], after[3]), most).astype(np.int64)
        return [(0, 0.0, int(columns.taken[n]), n) for n in numbers.tolist()]
    numbers = np.flatnonzero(mask)
    keys = _keys(index, sort, numbers)  # the larger, the earlier
    if after is not None:
        taken = columns.taken[numbers]
        kept = keys < after[1]
        ties = (keys == after[1]) & ((taken < after[2]) | ((taken == after[2]) & (numbers < after[3])))
        kept |= ties
        numbers, keys = numbers[kept], keys[kept]
    if len(numbers) > 4 * most:
        least = np.partition(keys, len(keys) - most)[len(keys) - most]
        above, level = numbers[keys > least], numbers[keys == least]
        level = newest_of(index, level, most - len(above))
        numbers = np.concatenate([above, np.sort(level)])
        keys = _keys(index, sort, numbers)
    taken = columns.taken[numbers]
    order = np.lexsort((-numbers, -taken, -keys))[:most]
    return [
        (0, key, at, n)
        for key, at, n in zip(keys[order].tolist(), taken[order].tolist(), numbers[order].tolist(), strict=True)
    ]


def _keys(index: Index, sort: q.Sort, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    columns = index.columns
    match sort:
        case "oldest":
            return -columns.taken[numbers]
        case "added":
            return numbers
        case "rating":
            return columns.rating[numbers].astype(np.int64).clip(-1)
        case _:
            return columns.width[numbers].astype(np.int64) * columns.height[numbers]
