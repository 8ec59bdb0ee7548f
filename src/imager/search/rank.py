"""In which order hits are listed: channels of relevance, fused by reciprocal rank, or one of the plain orders.

A *channel* scores pictures by one kind of evidence, in whole numbers that depend on the picture and the query alone:
`words` by the fields in which the words stand, `forgiving` likewise for what was only nearly typed so, `colour` by
share. Each lists its best; a picture's place there, added over the channels as 1 / (60 + place), is its relevance
(Cormack, Clarke and Büttcher, 'Reciprocal rank fusion outperforms Condorcet and individual rank learning methods',
2009). Above that stand *tiers*: what was named exactly comes first, what meets a word only by another reading of it
comes last. What no channel lists follows, newest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from imager.catalog.connection import fetch, many
from imager.query import model as q
from imager.search import phrases
from imager.search.columnar import Mask
from imager.search.evaluate import Evaluation
from imager.search.index import Index
from imager.search.pages import Ranking, falling, newest_of
from imager.search.phrases import Numbers
from imager.search.words import Found, tokens

LISTED: Final = 10_000
"""The most pictures that a channel lists."""

K: Final = 60
"""Of reciprocal rank fusion: how little the first places differ."""

COMMON_SHARE, COMMON_LEAST = 0.1, 1_000
"""A word that more than this share of the pictures has, and more than so many, says too little to rank by."""

CHECKED: Final = 2_000
"""Titles and names are compared as a whole for at most so many pictures that have all the words in them."""

WEIGHTS: Final[dict[q.TextField, int]] = {
    "people": 5,
    "title": 4,
    "tags": 4,
    "name": 3,
    "caption": 3,
    "place": 2,
    "folder": 1,
    "camera": 1,
    "creator": 1,
}

_BITS = {name: 1 << n for n, name in enumerate(q.TEXT_FIELDS)}
_BEST = np.array(
    [max([0, *(WEIGHTS[f] for f, bit in _BITS.items() if bits & bit)]) for bits in range(1 << len(q.TEXT_FIELDS))],
    np.uint16,
)

_TITLES = "SELECT a.asset, a.title FROM carray(?) AS wanted CROSS JOIN assets AS a ON a.asset = wanted.value"
_NAMES = """SELECT v.asset, f.name FROM carray(?) AS wanted CROSS JOIN versions AS v ON v.asset = wanted.value
CROSS JOIN files AS f ON f.content = v.content"""


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of a query that say what is relevant."""

    words: list[q.Text]
    forgiving: list[q.Text]
    colours: list[q.Colour]
    phrases: list[q.Text]
    readings: list[tuple[q.Text, q.Condition]]  # words that were also read as something else
    whole: str  # all that was asked for in plain words


def asked(condition: q.Condition, nearly: frozenset[q.Text] = frozenset()) -> Asked:
    """What a condition asks for in positive words and colours; `nearly`: texts put there by forgiveness."""
    found = Asked([], [], [], [], [], "")
    said: list[str] = []
    _gather(condition, nearly, found)
    for part in condition.parts if isinstance(condition, q.All) else (condition,):
        if isinstance(part, q.AnyOf):
            text = next((p for p in part.parts if isinstance(p, q.Text)), None)
            if text is not None and text not in nearly:
                said.append(text.text)
                found.readings.extend((text, p) for p in part.parts if not isinstance(p, q.Text))
        elif isinstance(part, q.Text) and part.field is None and part.match in ("word", "phrase"):
            said.append(part.text)
    return Asked(found.words, found.forgiving, found.colours, found.phrases, found.readings, " ".join(said))


def _gather(condition: q.Condition, nearly: frozenset[q.Text], found: Asked) -> None:
    match condition:
        case q.All(parts) | q.AnyOf(parts):
            for part in parts:
                _gather(part, nearly, found)
        case q.Text():
            listed = found.forgiving if condition in nearly else found.words
            if condition not in listed and phrases.Pattern(condition).words:
                listed.append(condition)
                if condition.match == "phrase":
                    found.phrases.append(condition)
        case q.Colour():
            found.colours.append(condition)


def rank(evaluation: Evaluation, results: Mask, wanted: Asked) -> Ranking:
    """The order of the results by relevance."""
    index = evaluation.index
    pictures = int(np.count_nonzero(index.columns.state[: len(results)]))
    size = len(results)

    channels: list[Numbers] = []
    for texts in (wanted.words, wanted.forgiving):
        telling = [
            _below(evaluation.found(text), size)
            for text in texts
            if not _is_common(text, int(np.count_nonzero(evaluation.mask(text)[:size])), pictures)
        ]
        channels.append(_best(index, *_scored(telling, results)))
    if wanted.colours:
        shares = np.zeros(size, np.uint16)
        for colour in wanted.colours:
            shares += evaluation.shares(colour.colour)[:size]
        numbers = np.flatnonzero((shares != 0) & results)
        channels.append(_best(index, numbers, shares[numbers]))
    ranked, fused = fuse(index, channels)

    tiers = _tiers(evaluation, results, wanted)
    return Ranking(tiers, ranked, fused, bool(wanted.whole or wanted.phrases))


def _is_common(text: q.Text, count: int, pictures: int) -> bool:
    return len(phrases.Pattern(text).words) == 1 and count > COMMON_LEAST and count > COMMON_SHARE * pictures


def _below(found: Found, size: int) -> Found:
    """What is found of pictures with numbers below `size`."""
    end = int(np.searchsorted(found.assets, size))
    return found if end == len(found.assets) else Found(found.assets[:end], found.fields[:end])


def _scored(found: Sequence[Found], results: Mask) -> tuple[NDArray[np.int64], NDArray[np.uint16]]:
    """The results that have any of the words, and for each the weights of the best fields, added."""
    if len(found) == 1:
        kept = results[found[0].assets]
        return found[0].assets[kept].astype(np.int64), _BEST[found[0].fields[kept]]
    scores = np.zeros(len(results), np.uint16)
    some = np.zeros(len(results), bool)
    for assets, fields in found:
        scores[assets] += _BEST[fields]
        some[assets] = True
    some &= results
    numbers = np.flatnonzero(some)
    return numbers, scores[numbers]


def _best(index: Index, numbers: NDArray[np.int64], scores: NDArray[np.uint16]) -> Numbers:
    """The best of these, at most `LISTED`, the best first; of equal ones the newest, then the latest that came."""
    if len(numbers) > LISTED:
        counts = np.bincount(scores)[::-1].cumsum()[::-1]  # how many have that score or more
        least = int(np.flatnonzero(counts >= LISTED)[-1])
        above, level = numbers[scores > least], numbers[scores == least]
        level = newest_of(index, level, LISTED - len(above))
        chosen = np.searchsorted(numbers, np.sort(np.concatenate([above, level])))
        numbers, scores = numbers[chosen], scores[chosen]
    return numbers[falling(scores, index.columns.taken[numbers])].astype(np.uint32)


def fuse(index: Index, channels: Sequence[Numbers]) -> tuple[Numbers, NDArray[np.float64]]:
    """The pictures that channels list, and the sums of their reciprocal ranks; highest first, of equals the newest."""
    used = [channel for channel in channels if len(channel)]
    if not used:
        return np.zeros(0, np.uint32), np.zeros(0)
    if len(used) == 1:
        return used[0], 1.0 / (K + 1 + np.arange(len(used[0])))
    numbers = np.concatenate(used)
    ranks = np.concatenate([1.0 / (K + 1 + np.arange(len(channel))) for channel in used])
    order = np.argsort(numbers, kind="stable")
    numbers = numbers[order]
    first = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1]))
    numbers, fused = numbers[first], np.add.reduceat(ranks[order], first)
    order = np.lexsort((-numbers.astype(np.int64), -index.columns.taken[numbers], -fused))
    return numbers[order], fused[order]


# ── tiers ───────────────────────────────────────────────────────────────────────────────────────────────────


def _tiers(evaluation: Evaluation, results: Mask, wanted: Asked) -> list[Mask]:
    """The results, divided: named exactly; then by how many words are met only by another reading of them."""
    rest = results
    tiers: list[Mask] = []
    if wanted.whole or wanted.phrases:
        exact = _exact(evaluation, results, wanted)
        tiers.append(exact)
        rest = results & ~exact
    texts = dict.fromkeys(text for text, _ in wanted.readings)
    otherwise = [~evaluation.mask(text)[: len(results)] for text in texts]
    if not otherwise:
        return [*tiers, rest]
    missed = np.add.reduce(otherwise, dtype=np.uint8)
    return [*tiers, *(rest & (missed == n) for n in range(len(otherwise) + 1))]


def _exact(evaluation: Evaluation, results: Mask, wanted: Asked) -> Mask:
    """Results that have a quoted phrase, or something whose whole name is what was asked for."""
    index, known, size = evaluation.index, evaluation.known, len(results)
    exact = np.zeros(size, bool)
    for phrase in wanted.phrases:
        exact |= evaluation.mask(phrase)[:size]
    if wanted.whole:
        for lists, numbers in (
            (index.tags, known.tags.of(wanted.whole)),
            (index.people, known.people.of(wanted.whole)),
        ):
            for number in numbers:
                assets = lists.assets(number)
                exact[assets[: int(np.searchsorted(assets, size))]] = True
        exact |= evaluation.mask(q.Album(wanted.whole))[:size]
        exact[_entitled(evaluation, results, wanted.whole)] = True
    return exact & results


def _entitled(evaluation: Evaluation, results: Mask, name: str) -> list[int]:
    """Results whose title, or a file of which, is called that and nothing else."""
    words, asked = tokens(name), phrases.whole(name)
    if not words:
        return []
    found = []
    titled = _having(evaluation, words, "title", results)
    if len(titled):
        rows = fetch(evaluation.catalog.db, _TITLES, (many(titled.tolist()),))
        found += [asset for asset, title in rows if title and phrases.whole(title) == asked]
    filed = _having(evaluation, words, "name", results)
    if len(filed):
        for asset, name_bytes in fetch(evaluation.catalog.db, _NAMES, (many(filed.tolist()),)):
            whole = name_bytes.decode("utf-8", "replace")
            if asked in (phrases.whole(whole), phrases.whole(whole.rpartition(".")[0])):
                found.append(asset)
    return found


def _having(evaluation: Evaluation, words: Sequence[str], where: q.TextField, results: Mask) -> Numbers:
    """The results that have all the words in that field; none if they are too many to be compared one by one."""
    lists = [evaluation.known.find(word, "exact", _BITS[where]) for word in dict.fromkeys(words)]
    found = _below(phrases.together(lists), len(results)).assets
    found = found[results[found]]
    return found if len(found) <= CHECKED else found[:0]
