"""The order of hits: what is exact first, then by channels fused, then by time; page after page the same."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imager.catalog import Catalog
from imager.catalog.identity import format_id
from imager.facts import Region, TakenAt
from imager.query import model as q
from imager.search import evaluate, pages, rank, service
from imager.search.hits import Page
from imager.search.index import Index
from tests.catalog.libraries import content, put, say
from tests.search.conditions import asked, leaves
from tests.search.libraries import DAY, Made, add_random
from tests.search.oracle import Oracle

_quick = settings(max_examples=60, deadline=None, derandomize=True)


def search(catalog: Catalog, folder: Path, query: str | q.Query, **options: object) -> Page:
    with Index.open(catalog, folder) as index:
        return service.search(index, catalog, query, **options)  # type: ignore[arg-type]


def numbers(catalog: Catalog, page: Page) -> list[int]:
    return [catalog.resolve(bytes.fromhex(hit.id.replace("-", ""))) or 0 for hit in page.hits]


def every_page(made: Made, query: q.Query, limit: int) -> list[int]:
    seen: list[int] = []
    after = None
    while True:
        page = service.search(made.index, made.catalog, query, limit=limit, after=after, with_facets=False)
        assert len(page.hits) <= limit
        seen += numbers(made.catalog, page)
        after = page.next
        if after is None:
            assert page.total == len(seen)
            return seen


@_quick
@given(condition=asked, sort=st.sampled_from(q.SORTS))
@example(condition=q.All((q.AnyOf((q.Text("ab"), q.Colour("red"))), q.Text("de", "phrase"))), sort="relevance")
def test_hits_come_in_the_order_that_is_meant(made: Made, condition: q.Condition, sort: q.Sort) -> None:
    page = service.search(made.index, made.catalog, q.Query(condition, sort), limit=1_000, with_facets=False)
    wanted = made.oracle.order(condition, sort)
    assert (page.total, numbers(made.catalog, page)) == (len(wanted), wanted)
    assert [hit.score for hit in page.hits] == sorted((hit.score for hit in page.hits), reverse=True)


@_quick
@given(condition=asked, sort=st.sampled_from(q.SORTS), limit=st.integers(1, 9))
def test_pages_give_every_hit_once_in_one_order(made: Made, condition: q.Condition, sort: q.Sort, limit: int) -> None:
    assert every_page(made, q.Query(condition, sort), limit) == made.oracle.order(condition, sort)


@_quick
@given(condition=asked | leaves, limit=st.integers(1, 5))
def test_pages_are_the_same_where_channels_list_few_and_blocks_are_small(
    made: Made, condition: q.Condition, limit: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rank, "LISTED", 3)
        patch.setattr(pages, "_BLOCK", 4)
        patch.setattr(pages, "_SMALL", 2)
        whole = service.search(made.index, made.catalog, q.Query(condition), limit=1_000, with_facets=False)
        assert every_page(made, q.Query(condition), limit) == numbers(made.catalog, whole)
        assert set(numbers(made.catalog, whole)) == made.oracle.matching(condition)


@_quick
@given(condition=asked)
def test_reasons_are_the_same_where_fields_are_read_of_what_is_shown_alone(made: Made, condition: q.Condition) -> None:
    query = q.Query(condition)
    looked_up = service.search(made.index, made.catalog, query, with_facets=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "MANY", 0)
        assert service.search(made.index, made.catalog, query, with_facets=False) == looked_up


@pytest.mark.parametrize("sort", q.SORTS)
@pytest.mark.parametrize("seed", range(3))
def test_pages_hold_every_hit_once_while_pictures_are_added(
    catalog: Catalog, tmp_path: Path, seed: int, sort: q.Sort
) -> None:
    rng = random.Random(seed)
    add_random(catalog, rng, 15)
    condition = q.All((q.AnyOf((q.Text("ab"), q.Text("de"), q.Text("img"), q.Colour("red"))),))
    with Index.open(catalog, tmp_path / "index") as index:
        before = Oracle(catalog).order(condition, sort)
        seen: list[int] = []
        after = None
        while True:
            page = service.search(index, catalog, q.Query(condition, sort), limit=2, after=after)
            seen += numbers(catalog, page)
            after = page.next
            if after is None:
                break
            add_random(catalog, rng, 2, start=100 * (len(seen) + 1))
            index.refresh()
        assert seen == before
        assert page.total == len(Oracle(catalog).matching(condition)) > len(before)


def test_words_that_very_many_have_filter_but_do_not_rank(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(6):
        facts = {"title": "sea"} if n == 0 else {"description": "sea"}
        dates = (TakenAt(at=n * DAY, source="exif:DateTimeOriginal", confidence=0.95),)
        put(catalog, content(n, dates=dates, **facts), name=b"%d.jpg" % n)
    put(catalog, content("x"), name=b"x.jpg")
    assert numbers(catalog, search(catalog, tmp_path, q.Query(q.Text("sea", field="caption")))) == [6, 5, 4, 3, 2]
    query = q.Query(q.All((q.Text("sea"), q.Not(q.Text("other")))))
    assert numbers(catalog, search(catalog, tmp_path, query))[0] == 1
    monkeypatch.setattr(rank, "COMMON_LEAST", 3)
    hits = search(catalog, tmp_path, q.Query(q.Text("sea"))).hits
    assert hits[0].score >= 1  # its title is what was asked for
    assert [hit.score for hit in hits[1:]] == [0.0] * 5
    both = q.Query(q.All((q.Text("sea"), q.Text("jpg"))))
    assert numbers(catalog, search(catalog, tmp_path, both)) == [6, 5, 4, 3, 2, 1]


def test_what_is_called_exactly_so_comes_first(catalog: Catalog, tmp_path: Path) -> None:
    put(catalog, content("much", title="ana harbour", description="ana", keywords=("ana harbour x",)), name=b"ana.png")
    region = Region(name="Ana Harbour", kind="face", left=0.1, top=0.1, width=0.1, height=0.1)
    put(catalog, content("tag", keywords=("Places|Ana Harbour",)), name=b"b.jpg")
    put(catalog, content("person", regions=(region,)), name=b"c.jpg")
    put(catalog, content("file"), name=b"ANA_harbour.jpg")
    put(catalog, content("near", description="harbour of ana", title="ana"), name=b"d.jpg")
    found = numbers(catalog, search(catalog, tmp_path, "ana harbour"))
    assert (sorted(found[:4]), found[4:]) == ([1, 2, 3, 4], [5])


def test_a_quoted_phrase_is_exact(catalog: Catalog, tmp_path: Path) -> None:
    put(catalog, content("a", title="gate old", keywords=("old x", "gate x")), name=b"a.jpg")
    put(catalog, content("b", description="an old gate"), name=b"b.jpg")
    assert numbers(catalog, search(catalog, tmp_path, "old gate")) == [1, 2]
    condition = q.AnyOf((q.Text("old"), q.Text("old gate", "phrase")))
    assert numbers(catalog, search(catalog, tmp_path, q.Query(condition))) == [2, 1]


def test_a_word_that_is_a_colour_too_ranks_text_first(catalog: Catalog, tmp_path: Path) -> None:
    (_, second) = put(catalog, content("a"), content("b", description="the red one"))
    page = search(catalog, tmp_path, q.Query(q.AnyOf((q.Text("red"), q.Colour("red")))))
    assert page.total == 2
    assert page.hits[0].id == format_id(second)
    assert page.hits[0].why == [
        {"channel": "words", "field": "caption", "words": ["red"]},
        {"channel": "colour", "colour": "red", "share": 0.5},
    ]
    assert page.hits[1].why == [{"channel": "colour", "colour": "red", "share": 0.5}]


def test_reciprocal_ranks_add_up_over_channels(catalog: Catalog, tmp_path: Path) -> None:
    put(catalog, *(content(n) for n in range(4)))
    with Index.open(catalog, tmp_path / "index") as index:
        one, other = np.array([3, 1, 2], np.uint32), np.array([1, 4], np.uint32)
        found, fused = rank.fuse(index, [one, np.zeros(0, np.uint32), other])
    assert found.tolist() == [1, 3, 4, 2]
    assert fused.tolist() == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63])


def test_what_was_edited_just_now_is_in_its_place(catalog: Catalog, tmp_path: Path) -> None:
    ids = put(catalog, *(content(n, title="sea") for n in range(3)))
    with Index.open(catalog, tmp_path / "index") as index:
        say(catalog, ids[1], "rating", 5)
        index.refresh()
        query = q.Query(q.Text("sea"), "rating")
        assert service.search(index, catalog, query).hits[0].id == format_id(ids[1])
