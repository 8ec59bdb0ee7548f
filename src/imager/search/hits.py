"""What a search gives back: pages of hits, each with what a list shows of a picture and why it was found."""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imager.catalog import Catalog
from imager.catalog.connection import fetch, many
from imager.catalog.effective import iso
from imager.catalog.identity import format_id
from imager.query import model as q
from imager.search.columnar import least
from imager.search.evaluate import Evaluation
from imager.search.rank import Asked
from imager.search.words import Found

_ROWS = """SELECT a.asset, a.id, a.content, a.kind, a.width, a.height, a.taken_at, a.taken_offset, a.rating,
  a.favourite, a.title, a.thumbhash FROM carray(?) AS wanted CROSS JOIN assets AS a ON a.asset = wanted.value"""

# Of several rows of one content the last one counts.
_PATHS = """SELECT f.content, o.path, f.name FROM carray(?) AS wanted CROSS JOIN files AS f ON f.content = wanted.value
CROSS JOIN folders AS o ON o.folder = f.folder WHERE o.device = ?
ORDER BY (f.state = 'present' AND NOT o.offline), o.path DESC, f.name DESC"""

_NAMES = [
    tuple(name for n, name in enumerate(q.TEXT_FIELDS) if bits >> n & 1) for bits in range(1 << len(q.TEXT_FIELDS))
]


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
    reasons = why(numbers, wanted, evaluation)
    paths = _paths(catalog, [row[2] for row in rows.values()]) if rows else {}
    found = []
    for number, score in zip(numbers, scores, strict=True):
        if (row := rows.get(number)) is None:
            continue
        _, own, content, kind, width, height, taken_at, offset, rating, favourite, title, thumbhash = row
        found.append(
            Hit(
                id=format_id(own),
                path=paths.get(content),
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


def why(numbers: Sequence[int], wanted: Asked, evaluation: Evaluation) -> dict[int, list[dict[str, Any]]]:
    """For each picture, what it was found by: words with the field in which they stand, colours with their share."""
    reasons: dict[int, list[dict[str, Any]]] = {number: [] for number in numbers}
    asked = np.array(numbers, np.uint32)  # as postings are, so that none of these is converted
    for channel, texts in (("words", wanted.words), ("forgiving", wanted.forgiving)):
        fields = [(text.text, _fields(evaluation.standing(text, asked), asked)) for text in texts]
        for place, number in enumerate(numbers):
            stand: dict[str, list[str]] = {}
            for text, bits in fields:
                for name in _NAMES[bits[place]]:
                    stand.setdefault(name, []).append(text)
            reasons[number] += [
                {"channel": channel, "field": f, "words": stand[f]} for f in q.TEXT_FIELDS if f in stand
            ]
    for colour in wanted.colours:
        shares, enough = evaluation.shares(colour.colour), least(colour.share)
        for number in numbers:
            if (share := int(shares[number])) >= enough:
                reasons[number].append({"channel": "colour", "colour": colour.colour, "share": round(share / 255, 2)})
    return reasons


def _fields(found: Found, numbers: NDArray[np.uint32]) -> list[int]:
    """In which fields each of these pictures has it, as bits."""
    if not len(found.assets):
        return [0] * len(numbers)
    places = np.searchsorted(found.assets, numbers)
    places[places == len(found.assets)] = 0
    return [int(bits) for bits in np.where(found.assets[places] == numbers, found.fields[places], 0)]


def _paths(catalog: Catalog, contents: Sequence[int]) -> dict[int, str]:
    """For each content the path of a file of it on this device, one that is present if there is one."""
    rows = fetch(catalog.db, _PATHS, (many(contents), catalog.device.files))
    return {content: os.fsdecode(os.path.join(folder, name)) for content, folder, name in rows}
