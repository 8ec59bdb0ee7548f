"""Searching: from what people ask for to a page of hits.

One search: understand the text, forgive what was misspelt, find the pictures that meet the condition (a mask), put
them in order, read the few that are shown, count how all of them divide.
"""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np

from imager.catalog import Catalog
from imager.errors import UsageError
from imager.query import codec
from imager.query import model as q
from imager.query.text import parse
from imager.query.vocabulary import Vocabulary
from imager.search import cursor as cursors
from imager.search import pages, phrases
from imager.search import rank as ranks
from imager.search.columnar import Mask
from imager.search.cursor import Cursor
from imager.search.evaluate import Evaluation
from imager.search.facets import SHORT, counted, facets
from imager.search.hits import Page, hits
from imager.search.index import Index
from imager.search.values import day_text, month_text, year_text

SIMILAR: Final = 4
"""So many similar words stand in for one that nothing has."""

_FORGIVEN_FROM = 3  # letters: everything has two somewhere inside
_ASKED_OF = 32  # similar words that are looked at for some that count
_MONTHLY = 30 * 12  # months


def search(
    index: Index,
    catalog: Catalog,
    query: q.Query | str,
    *,
    limit: int = 50,
    after: str | None = None,
    with_facets: bool = True,
    visible: Mask | None = None,
    vocabulary: Vocabulary | None = None,
) -> Page:
    """The pictures that meet a query, best first, and how they divide; all of them, newest first, for an empty one.

    `after` is the `next` of the page before; `total` and facets are of all hits as they are now. UsageError says what
    is wrong with a limit, a cursor or a text. `visible`: what the asker may see (None: everything).
    """
    if limit < 1:
        raise UsageError("--limit takes a number from 1 up.")
    chips: list[dict[str, Any]] = []
    if isinstance(query, str):
        understood = parse(query, vocabulary)
        asked, wanted = query, understood.query
        chips = [{"kind": c.kind, "text": c.text, "start": c.start, "end": c.end} for c in understood.chips]
    else:
        asked, wanted = json.dumps(codec.to_json(query)), query
    begun = cursors.decode(after, asked) if after else None
    if begun is not None:
        wanted = begun.query
    ceiling = index.size - 1 if begun is None else max(0, min(begun.ceiling, index.size - 1))
    evaluation = Evaluation(index, catalog)
    where, instead = forgive(evaluation, wanted.where, visible, ceiling, None if begun is None else begun.instead)
    chips += [
        {"kind": "corrected", "text": word, "instead_of": typed} for typed, words in instead.items() for word in words
    ]
    results = evaluation.results(where, visible)
    total = int(np.count_nonzero(results))
    relevant = ranks.asked(where, frozenset(_alternative(text) for words in instead.values() for text in words))
    listed = results[: ceiling + 1]
    key = None if begun is None else begun.key
    if wanted.sort == "relevance":
        ranking = ranks.rank(evaluation, listed, relevant)
        found, last = pages.page(index, ranking, key, limit + 1), len(ranking.tiers) - 1
    else:
        found, last = pages.plain(index, listed, wanted.sort, key, limit + 1), -1
    shown = found[:limit]
    return Page(
        total,
        chips,
        facets(index, results) if with_facets else {},
        hits(
            catalog,
            [number for *_, number in shown],
            [round(last - tier + fused, 6) if last >= 0 else 0.0 for tier, fused, *_ in shown],
            relevant,
            evaluation,
        ),
        cursors.encode(Cursor(wanted, ceiling, shown[-1], instead), asked) if len(found) > limit else None,
    )


def resolve(
    index: Index,
    catalog: Catalog,
    query: q.Query | str,
    *,
    visible: Mask | None = None,
    vocabulary: Vocabulary | None = None,
) -> Mask:
    """All pictures that `search` would find for a query, in no order."""
    where = (parse(query, vocabulary).query if isinstance(query, str) else query).where
    evaluation = Evaluation(index, catalog)
    where, _ = forgive(evaluation, where, visible, index.size - 1)
    return evaluation.results(where, visible)


# ── forgiving ───────────────────────────────────────────────────────────────────────────────────────────────


def forgive(
    evaluation: Evaluation,
    condition: q.Condition,
    visible: Mask | None,
    ceiling: int,
    instead: dict[str, list[str]] | None = None,
) -> tuple[q.Condition, dict[str, list[str]]]:
    """The condition, with what is spelt nearly so, or has it inside, in place of plain words that nothing has.

    Nothing that the asker may see, that is: words of others are not given away. Also what stands in for each such word;
    later pages hand that in again (`instead`).
    """
    parts = condition.parts if isinstance(condition, q.All) else (condition,)
    base = evaluation.base(condition, visible)[: ceiling + 1]
    stand_ins: dict[str, list[str]] = {}
    changed: list[q.Condition] = []
    for part in parts:
        options = part.parts if isinstance(part, q.AnyOf) else (part,)
        words = [p for p in options if isinstance(p, q.Text) and _is_plain(p)]
        if instead is not None:
            stand_ins |= {word.text: instead[word.text] for word in words if word.text in instead}
        elif words and not bool((evaluation.mask(part)[: ceiling + 1] & base).any()):
            stand_ins |= {word.text: found for word in words if (found := _alternatives(evaluation, word, base))}
        others = [_alternative(text) for word in words for text in stand_ins.get(word.text, ())]
        changed.append(q.AnyOf((*options, *others)) if others else part)
    return (q.All(tuple(changed)) if stand_ins else condition), stand_ins


def _is_plain(text: q.Text) -> bool:
    """Whether it is one word, as people type it, that might be misspelt."""
    pattern = phrases.Pattern(text)
    return text.match == "word" and text.field is None and len(pattern.words) == 1 and pattern.last == "exact"


def _alternatives(evaluation: Evaluation, word: q.Text, base: Mask) -> list[str]:
    (typed,) = phrases.Pattern(word).words
    if len(typed) < _FORGIVEN_FROM:
        return []
    found = [other for other, _ in evaluation.index.words.similar(typed, _ASKED_OF)]
    inside = f"*{typed}*"
    similar = [text for text in found if _has_any(evaluation, _alternative(text), base)][:SIMILAR]
    return [*similar, inside] if _has_any(evaluation, _alternative(inside), base) else similar


def _alternative(text: str) -> q.Text:
    return q.Text(text.strip("*"), "inside") if text.startswith("*") else q.Text(text)


def _has_any(evaluation: Evaluation, text: q.Text, base: Mask) -> bool:
    assets = evaluation.found(text).assets
    return bool(base[assets[: int(np.searchsorted(assets, len(base)))]].any())


# ── histogram ───────────────────────────────────────────────────────────────────────────────────────────────


def histogram(index: Index, mask: Mask) -> dict[str, Any]:
    """How many pictures of a mask were taken when, for a chart: {unit, bars: [{value, count}]}, in order of time.

    By day when they span at most two months, by month when at most 30 years, else by year; empty times are left out.
    """
    numbers = np.flatnonzero(mask)
    days, months = index.columns.day[numbers], index.columns.month[numbers]
    if not len(numbers):
        return {"unit": "day", "bars": []}
    if int(days.max()) - int(days.min()) < SHORT:
        unit, values = "day", days
    elif int(months.max()) - int(months.min()) <= _MONTHLY:
        unit, values = "month", months
    else:
        unit, values = "year", months // 12
    text = {"day": day_text, "month": month_text, "year": year_text}[unit]
    distinct, counts = counted(values)
    bars = [{"value": text(v), "count": n} for v, n in zip(distinct.tolist(), counts.tolist(), strict=True)]
    return {"unit": unit, "bars": bars}
