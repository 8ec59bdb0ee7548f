"""Search by words: what is found, in which order, why, and page after page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.catalog import Catalog
from imager.catalog.identity import format_id
from imager.errors import UsageError
from imager.facts import TakenAt
from imager.search import Page, search, text
from tests.catalog.libraries import content, put, say

DAY = 86_400_000


def _at(day: int) -> tuple[TakenAt, ...]:
    return (TakenAt(at=day * DAY, source="exif:DateTimeOriginal", confidence=0.95),)


def _fill(catalog: Catalog, count: int = 7) -> list[str]:
    """Pictures, newest last; every second is of the sea."""
    for n in range(count):
        put(
            catalog,
            content(n, title="the sea" if n % 2 else "the hill", dates=_at(n), keywords=(f"Nature|Tag {n % 3}",)),
            folder=b"/photos/Trip",
            name=b"IMG_%04d.jpg" % n,
        )
    catalog.index()
    return [format_id(i) for (i,) in catalog.db.execute("SELECT id FROM assets ORDER BY taken_at DESC")]


def _ids(page: Page) -> list[str]:
    return [hit.id for hit in page.hits]


def test_no_words_mean_everything_newest_first(catalog: Catalog) -> None:
    newest = _fill(catalog)
    page = search(catalog, "")
    assert (page.total, _ids(page), page.next, page.chips) == (7, newest, None, [])


@pytest.mark.parametrize("words", ["", "sea", "nature"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_pages_give_every_hit_once_in_one_order(catalog: Catalog, words: str, limit: int) -> None:
    _fill(catalog)
    whole = search(catalog, words)
    seen: list[str] = []
    after = None
    while True:
        page = search(catalog, words, limit=limit, after=after)
        assert page.total == whole.total
        seen += _ids(page)
        after = page.next
        if after is None:
            break
        assert len(page.hits) == limit
    assert seen == _ids(whole)


def test_all_words_must_stand_somewhere_in_whatever_case_and_accent(catalog: Catalog) -> None:
    put(catalog, content("a", title="Café du Nord", creator="Anna"), name=b"one.jpg")
    put(catalog, content("b", title="Café du Sud"), name=b"two.jpg")
    catalog.index()
    assert search(catalog, "cafe NORD anna").total == 1
    assert search(catalog, "CAFÉ").total == 2
    assert search(catalog, "cafe west").total == 0


def test_a_phrase_a_beginning_and_an_exclusion(catalog: Catalog) -> None:
    put(catalog, content("a", title="red door, blue wall"), name=b"one.jpg")
    put(catalog, content("b", title="blue door, red wall"), name=b"two.jpg")
    catalog.index()
    assert search(catalog, '"blue door"').total == 1
    assert search(catalog, "wal*").total == 2
    assert search(catalog, "wal").total == 0
    assert search(catalog, "door -one").total == 1
    assert [chip["kind"] for chip in search(catalog, 'door -one "red wall"').chips] == ["word", "exclude", "word"]


def test_only_leaving_out_is_refused(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="a word to look for"):
        search(catalog, "-film")


def test_a_title_weighs_more_than_a_folder(catalog: Catalog) -> None:
    put(catalog, content("a"), folder=b"/photos/harbour", name=b"a.jpg")
    (titled,) = put(catalog, content("b", title="harbour"), folder=b"/photos/x", name=b"b.jpg")
    catalog.index()
    hits = search(catalog, "harbour").hits
    assert len(hits) == 2
    assert hits[0].id == format_id(titled)
    assert hits[0].score > hits[1].score


def test_every_hit_says_where_the_words_stand(catalog: Catalog) -> None:
    put(catalog, content("a", title="Blue Door", keywords=("Places|Lisbon",)), name=b"door_7.jpg")
    catalog.index()
    (hit,) = search(catalog, "door lisb*").hits
    assert hit.why == [
        {"channel": "words", "field": "name", "words": ["door"]},
        {"channel": "words", "field": "title", "words": ["door"]},
        {"channel": "words", "field": "tags", "words": ["lisb"]},
    ]
    assert hit.path is not None
    assert hit.path.endswith("door_7.jpg")


def test_facets_count_the_whole_result(catalog: Catalog) -> None:
    _fill(catalog)
    facets = search(catalog, "nature", limit=1).facets
    assert facets["years"] == [{"value": "1970", "count": 7}]
    assert facets["tags"][0] == {"value": "Nature|Tag 0", "count": 3}


def test_what_is_trashed_or_missing_is_not_listed(catalog: Catalog) -> None:
    (one, *_) = put(catalog, content("a", title="sea"), name=b"a.jpg")
    put(catalog, content("b", title="sea"), name=b"b.jpg", state="missing")
    put(catalog, content("c", title="sea"), name=b"c.jpg")
    say(catalog, one, "trashed", True)
    catalog.index()
    assert search(catalog, "sea").total == search(catalog, "").total == 1


def test_words_that_very_many_have_are_listed_newest_first_with_the_same_pages(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    newest = _fill(catalog)
    monkeypatch.setattr(text, "RANKED", 3)
    first = search(catalog, "nature", limit=4)
    second = search(catalog, "nature", limit=4, after=first.next)
    assert _ids(first) + _ids(second) == newest
    assert first.total == 7
    assert second.next is None


@pytest.mark.parametrize(
    "after", ["?", "AAAA", "W10", "WzFlNDAwLDEsMV0", "WzEsMl0", "é", "WzkyMjMzNzIwMzY4NTQ3NzU4MDgsMSwxXQ"]
)
def test_a_cursor_that_is_none_is_refused(catalog: Catalog, after: str) -> None:
    with pytest.raises(UsageError, match="--after"):
        search(catalog, "", after=after)


def test_a_limit_below_one_is_refused(catalog: Catalog) -> None:
    with pytest.raises(UsageError, match="--limit"):
        search(catalog, "", limit=0)


@given(words=st.text(max_size=40))
def test_nothing_that_people_type_is_an_error_but_leaving_everything_out(words: str) -> None:
    expression = text._expression([t for t in text._parse(words) if not t.exclude] or text._parse("x"))
    import apsw

    db = apsw.Connection(":memory:")
    db.execute("CREATE VIRTUAL TABLE words USING fts5(name, tokenize='unicode61 remove_diacritics 2')")
    db.execute("INSERT INTO words VALUES ('x')")
    db.execute("SELECT count(*) FROM words WHERE words MATCH ?", (expression,)).fetchall()
    db.close()
