"""Facets count all of a result exactly, and each value can be asked for."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from imager.catalog import Catalog
from imager.facts import Region, TakenAt
from imager.query import model as q
from imager.query.text import parse
from imager.search import facets as module
from imager.search.evaluate import matching
from imager.search.facets import facets
from imager.search.index import Index
from imager.search.service import histogram
from tests.catalog.libraries import content, put, say
from tests.search.conditions import conditions
from tests.search.libraries import DAY, Made
from tests.search.oracle import Picture

_quick = settings(max_examples=60, deadline=None, derandomize=True)


def values_of(p: Picture) -> dict[str, list[str]]:
    """What each facet says of a picture."""
    taken = datetime(1970, 1, 1) + timedelta(milliseconds=p.row["taken_at"])
    _, city, region, country, _ = p.place or ("",) * 5
    return {
        "tags": p.tags,
        "people": list(dict.fromkeys(p.people)),
        "cameras": [p.camera],
        "lenses": [p.row["lens"] or ""],
        "countries": [country],
        "regions": [region],
        "places": [city],
        "years": [f"{taken.year:04}"],
        "months": [f"{taken.year:04}-{taken.month:02}"],
        "colours": [
            name
            for name in q.COLOURS
            if round(255 * min(1.0, sum(c[4] for c in p.colours if c[0] == name))) >= 0.15 * 255 - 0.5
        ],
        "kinds": [p.row["kind"]],
        "ratings": ["" if p.row["rating"] is None or p.row["rating"] < 0 else str(p.row["rating"])],
        "folders": p.folders,
    }


def counted(facet: list[dict[str, Any]]) -> dict[str, int]:
    return {row["value"]: row["count"] for row in facet}


@_quick
@given(condition=conditions)
@pytest.mark.parametrize("few", [True, False])
def test_every_facet_counts_the_whole_result(made: Made, condition: q.Condition, few: bool) -> None:
    found = made.oracle.matching(condition)
    wanted: dict[str, Counter[str]] = {}
    for asset in found:
        for facet, values in values_of(made.oracle.pictures[asset]).items():
            wanted.setdefault(facet, Counter()).update(v for v in values if v)
    with pytest.MonkeyPatch.context() as patch:
        if not few:
            patch.setattr(module, "_FEW", 0)
            patch.setattr(module, "_MANY", 0)
            patch.setattr(module, "_BITMAP", 0)
        got = facets(made.index, matching(condition, made.index, made.catalog), top=1_000)
        best = facets(made.index, matching(condition, made.index, made.catalog), top=2)
    for facet in set(got) - {"days"}:
        assert counted(got[facet]) == dict(wanted.get(facet, {}))
        assert best[facet] == got[facet][:2]


@_quick
@given(condition=conditions)
def test_days_are_counted_when_a_result_spans_few_of_them(made: Made, condition: q.Condition) -> None:
    found = made.oracle.matching(condition)
    days = Counter(made.oracle.pictures[asset].row["taken_at"] // DAY for asset in found)
    got = facets(made.index, matching(condition, made.index, made.catalog))
    assert ("days" in got) == (bool(days) and max(days) - min(days) < module.SHORT)
    if "days" in got:
        epoch = datetime(1970, 1, 1)
        assert [(d["value"], d["count"]) for d in got["days"]] == [
            ((epoch + timedelta(days=day)).date().isoformat(), days[day]) for day in sorted(days)
        ]


def test_each_value_can_be_asked_for_by_its_text(made: Made) -> None:
    present = matching(q.All(), made.index, made.catalog)
    for facet, rows in facets(made.index, present, top=1_000).items():
        for row in rows:
            again = matching(parse(row["query"]).query.where, made.index, made.catalog)
            inside = matching(q.All(), made.index, made.catalog) & again
            # Names are found by their words: what is called alike, or longer, is found, too.
            assert np.count_nonzero(inside) >= row["count"], (facet, row)
            if facet in ("tags", "people", "years", "months", "days", "colours", "kinds", "ratings"):
                assert facet in ("tags", "people") or np.count_nonzero(inside) == row["count"], (facet, row)


def test_counts_of_everything_follow_the_library(catalog: Catalog, tmp_path: Path) -> None:
    ids = put(catalog, *(content(n, keywords=("Sea",)) for n in range(3)))
    with Index.open(catalog, tmp_path / "index") as index:
        first = facets(index, index.columns.state == 1)
        assert first == facets(index, index.columns.state == 1)
        say(catalog, ids[0], "rating", 4)
        index.refresh()
        second = facets(index, index.columns.state == 1)
    assert (first["ratings"], second["ratings"]) == ([], [{"value": "4", "count": 1, "query": "rating:4"}])
    assert counted(second["tags"]) == {"Sea": 3}


def test_times_outside_the_calendar_are_counted_without_harm(catalog: Catalog, tmp_path: Path) -> None:
    for n, at in enumerate((2**62, -(2**62), 253_402_300_799_999, -62_135_596_800_000)):
        put(catalog, content(n, dates=(TakenAt(at=at, source="exif:DateTimeOriginal", confidence=0.95),)))
    with Index.open(catalog, tmp_path / "index") as index:
        mask = index.columns.state == 1
        assert sum(row["count"] for row in facets(index, mask)["years"]) == 4
        assert sum(bar["count"] for bar in histogram(index, mask)["bars"]) == 4


def test_names_that_nobody_could_type_are_counted_all_the_same(catalog: Catalog, tmp_path: Path) -> None:
    names = ("x" * 5_000, '"', "a\nb", "\u202e", "tag:")
    regions = tuple(Region(name=n, kind="face", left=0.1, top=0.1, width=0.1, height=0.1) for n in names)
    put(catalog, content("a", regions=regions))
    with Index.open(catalog, tmp_path / "index") as index:
        people = facets(index, index.columns.state == 1)["people"]
    assert len(people) == len(names)


def test_a_histogram_has_the_unit_that_fits(catalog: Catalog, tmp_path: Path) -> None:
    for n, day in enumerate((0, 1, 1, 40, 400, 20_000)):
        dates = (TakenAt(at=day * DAY, source="exif:DateTimeOriginal", confidence=0.95),)
        put(catalog, content(n, dates=dates))
    with Index.open(catalog, tmp_path / "index") as index:
        mask = index.columns.state == 1
        assert histogram(index, mask)["unit"] == "year"
        mask[6] = False
        months = histogram(index, mask)
        mask[5] = False
        days = histogram(index, mask)
        mask[:] = False
        assert histogram(index, mask)["bars"] == []
    assert months == {
        "unit": "month",
        "bars": [
            {"value": "1970-01", "count": 3},
            {"value": "1970-02", "count": 1},
            {"value": "1971-02", "count": 1},
        ],
    }
    assert days["bars"][:2] == [{"value": "1970-01-01", "count": 1}, {"value": "1970-01-02", "count": 2}]
