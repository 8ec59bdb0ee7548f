"""What a search gives back: pages of hits, each with what a list shows of a picture and why it was found."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imager.catalog import Catalog
from imager.catalog.connection import fetch, many
from imager.catalog.effective import iso
from imager.catalog.identity import format_id
from imager.query import model as q
from imager.search import phrases
from imager.search.evaluate import Evaluation, least
from imager.search.rank import Asked
from imager.search.words import tokens

_ROWS = """SELECT a.asset, a.id, a.content, a.kind, a.width, a.height, a.taken_at, a.taken_offset, a.rating,
  a.favourite, a.title, a.thumbhash FROM carray(?) AS wanted CROSS JOIN assets AS a ON a.asset = wanted.value"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that was found, and why."""

    id: str
    path: str | None  # of a file of it on this device
    score: float
    why: list[dict[str, Any]]
    taken_at: str  # ISO 8601, with its offset from UTC where that is known
    width: int | None  # pixels, upright
    height: int | None
    kind: str
    rating: int | None
    favourite: bool
    title: str | None
    thumbhash: str | None  # base64


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the hits of a search; `next` asks for those after it."""

    total: int
    chips: list[dict[str, Any]]
    facets: dict[str, list[dict[str, Any]]]
    hits: list[Hit]
    next: str | None = None


def hits(
    catalog: Catalog, numbers: Sequence[int], scores: Sequence[float], wanted: Asked, evaluation: Evaluation
) -> list[Hit]:
    """The pictures of these numbers, in this order; one that was erased just now is passed over."""
    if not numbers:
        return []
    rows = {row[0]: row for row in fetch(catalog.db, _ROWS, (many(numbers),))}
    reasons = why(catalog, numbers, wanted, evaluation)
    found = []
    for number, score in zip(numbers, scores, strict=True):
        if (row := rows.get(number)) is None:
            continue
        _, own, content, kind, width, height, taken_at, offset, rating, favourite, title, thumbhash = row
        paths = catalog.files.paths_of(content)
        found.append(
            Hit(
                id=format_id(own),
                path=os.fsdecode(paths[0][0]) if paths else None,
                score=score,
                why=reasons.get(number, []),
                taken_at=iso(taken_at, offset),
                width=width,
                height=height,
                kind=kind,
                rating=rating,
                favourite=bool(favourite),
                title=title,
                thumbhash=None if thumbhash is None else base64.b64encode(thumbhash).decode(),
            )
        )
    return found


def why(
    catalog: Catalog, numbers: Sequence[int], wanted: Asked, evaluation: Evaluation
) -> dict[int, list[dict[str, Any]]]:
    """For each picture, what it was found by: words with the field in which they stand, colours with their share."""
    reasons: dict[int, list[dict[str, Any]]] = {number: [] for number in numbers}
    channels = [
        (channel, [(text.text, phrases.Pattern(text), text.field) for text in texts])
        for channel, texts in (("words", wanted.words), ("forgiving", wanted.forgiving))
        if texts
    ]
    if channels:
        for number, document in phrases.texts(catalog, np.array(numbers, np.uint32)):
            cut = [tokens(text) if text else [] for text in document]
            for channel, looked_for in channels:
                for name, words in zip(q.TEXT_FIELDS, cut, strict=True):
                    stand = [t for t, pattern, only in looked_for if only in (None, name) and pattern.stands_in(words)]
                    if words and stand:
                        reasons[number].append({"channel": channel, "field": name, "words": stand})
    for colour in wanted.colours:
        shares, enough = evaluation.shares(colour.colour), least(colour.share)
        for number in numbers:
            if (share := int(shares[number])) >= enough:
                reasons[number].append({"channel": "colour", "colour": colour.colour, "share": round(share / 255, 2)})
    return reasons
