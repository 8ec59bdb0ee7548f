"""Searching as people do it: text in, a page out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.catalog import Catalog
from imager.catalog.identity import format_id
from imager.errors import UsageError
from imager.facts import TakenAt
from imager.query import model as q
from imager.search import Page, resolve, search
from imager.search.index import Index
from tests.catalog.libraries import content, put, say
from tests.search.libraries import DAY, Made


class Library:
    """A catalog with its index, which follows whenever something is searched for."""

    def __init__(self, catalog: Catalog, folder: Path) -> None:
        self.catalog = catalog
        self.index = Index.open(catalog, folder)

    def __call__(self, query: str | q.Query = "", **options: object) -> Page:
        self.index.refresh()
        return search(self.index, self.catalog, query, **options)  # type: ignore[arg-type]


@pytest.fixture
def library(catalog: Catalog, tmp_path: Path) -> Iterator[Library]:
    made = Library(catalog, tmp_path / "index")
    yield made
    made.index.close()


def ids(page: Page) -> list[str]:
    return [hit.id for hit in page.hits]


def test_no_words_mean_everything_newest_first(library: Library) -> None:
    for n in range(5):
        dates = (TakenAt(at=n * DAY, source="exif:DateTimeOriginal", confidence=0.95),)
        put(library.catalog, content(n, dates=dates))
    newest = [format_id(i) for (i,) in library.catalog.db.execute("SELECT id FROM assets ORDER BY taken_at DESC")]
    page = library()
    assert (page.total, ids(page), page.next, page.chips) == (5, newest, None, [])


def test_an_empty_library_has_nothing(library: Library) -> None:
    page = library("sea")
    assert (page.total, page.hits, page.next) == (0, [], None)
    assert library().facets["tags"] == []


def test_all_words_must_stand_somewhere_in_whatever_case_and_accent(library: Library) -> None:
    put(library.catalog, content("a", title="Café du Nord", creator="Anna"), name=b"one.jpg")
    put(library.catalog, content("b", title="Café du Sud"), name=b"two.jpg")
    assert library("cafe NORD anna").total == 1
    assert library("CAFÉ").total == 2
    assert library("cafe xyzzy").total == 0


def test_a_phrase_a_beginning_an_exclusion_and_a_field(library: Library) -> None:
    put(library.catalog, content("a", title="old door, new wall"), name=b"one.jpg")
    put(library.catalog, content("b", title="new door, old wall"), name=b"two.jpg")
    assert library('"new door"').total == 1
    assert library("wal*").total == 2
    assert library("door -one").total == 1
    assert library("title:wall").total == 2
    assert library("caption:wall").total == 0


def test_a_hit_says_what_a_list_shows_of_it_and_why_it_is_there(library: Library) -> None:
    dates = (TakenAt(at=3_723_000, offset=60, source="exif:DateTimeOriginal", confidence=0.95),)
    (own,) = put(
        library.catalog,
        content("a", title="Old Door", keywords=("Places|Lisbon",), rating=3, dates=dates),
        folder=b"/photos/x",
        name=b"door_7.jpg",
    )
    (hit,) = library("door lisb*").hits
    assert hit.why == [
        {"channel": "words", "field": "name", "words": ["door"]},
        {"channel": "words", "field": "title", "words": ["door"]},
        {"channel": "words", "field": "tags", "words": ["lisb"]},
    ]
    assert (hit.id, hit.path) == (format_id(own), "/photos/x/door_7.jpg")
    assert (hit.taken_at, hit.width, hit.height) == ("1970-01-01T01:02:03+01:00", 40, 30)
    assert (hit.kind, hit.rating, hit.favourite, hit.title) == ("image", 3, False, "Old Door")
    assert hit.thumbhash == "aGFzaA=="


def test_a_picture_whose_file_is_gone_shows_where_another_is(library: Library) -> None:
    picture = content("a", title="sea")
    put(library.catalog, picture, folder=b"/a", name=b"a.jpg", state="missing")
    put(library.catalog, picture, folder=b"/b", name=b"b.jpg")
    assert library("sea").hits[0].path == "/b/b.jpg"


def test_what_is_trashed_or_missing_is_not_listed(library: Library) -> None:
    (one, *_) = put(library.catalog, content("a", title="sea"), name=b"a.jpg")
    put(library.catalog, content("b", title="sea"), name=b"b.jpg", state="missing")
    put(library.catalog, content("c", title="sea"), name=b"c.jpg")
    say(library.catalog, one, "trashed", True)
    assert library("sea").total == library("").total == 1
    assert library("sea is:trashed").total == 1


def test_a_misspelt_word_finds_what_is_spelt_nearly_so_and_says_it(library: Library) -> None:
    (own, _) = put(library.catalog, content("a", title="Lisbon"), content("b", title="Porto"))
    page = library("lisbno")
    assert ids(page) == [format_id(own)]
    assert {"kind": "corrected", "text": "lisbon", "instead_of": "lisbno"} in page.chips
    assert page.hits[0].why == [{"channel": "forgiving", "field": "title", "words": ["lisbon"]}]
    assert library("lisbno porto").total == 0


def test_a_piece_of_a_word_finds_it_when_nothing_else_does(library: Library) -> None:
    put(library.catalog, content("a", title="sunflower"))
    page = library("flow")
    assert page.total == 1
    assert {"kind": "corrected", "text": "*flow*", "instead_of": "flow"} in page.chips


def test_words_that_are_found_are_not_corrected(library: Library) -> None:
    put(library.catalog, content("a", title="lisbon"), content("b", title="lisboa"))
    page = library("lisboa")
    assert page.total == 1
    assert all(chip["kind"] != "corrected" for chip in page.chips)


def test_corrections_stay_the_same_from_page_to_page(library: Library) -> None:
    put(library.catalog, *(content(n, title="lisbon") for n in range(3)))
    first = library("lisbno", limit=2)
    put(library.catalog, content("new", title="lisbno lisbona"))
    second = library("lisbno", limit=2, after=first.next)
    assert len(set(ids(first) + ids(second))) == 3
    assert second.next is None


def test_words_of_pictures_that_may_not_be_seen_are_not_given_away(library: Library) -> None:
    put(library.catalog, content("a", title="lisbon"), content("b", title="sea"))
    library.index.refresh()
    visible = np.array([False, False, True])
    page = library("lisbno", visible=visible)
    assert (page.total, [c for c in page.chips if c["kind"] == "corrected"]) == (0, [])
    assert library("sea", visible=visible).total == 1
    assert library("", visible=visible).facets["kinds"][0]["count"] == 1


@pytest.mark.parametrize(
    ("asked", "title"), [("东京", "东京塔的夜景"), ("タワー", "東京タワー"), ("รัก", "ที่รักของฉัน"), ("서울", "서울에서")]
)
def test_words_of_scripts_without_spaces_are_found_inside_others(library: Library, asked: str, title: str) -> None:
    put(library.catalog, content("a", title=title), content("b", title="other"))
    page = library(asked)
    assert page.total == 1
    assert page.hits[0].why[0]["field"] == "title"
    assert all(chip["kind"] != "corrected" for chip in page.chips)


def test_a_query_as_a_value_does_what_its_text_does(library: Library) -> None:
    put(library.catalog, content("a", title="sea", rating=4), content("b", title="sea", rating=2))
    query = q.Query(q.All((q.Text("sea"), q.Range("rating", 3))))
    assert ids(library(query)) == ids(library("sea rating:>=3"))


def test_pages_of_text_go_on_although_it_would_be_understood_otherwise(library: Library) -> None:
    put(library.catalog, *(content(n, title="sea") for n in range(4)))
    first = library("sea", limit=3)
    with pytest.raises(UsageError, match="another search"):
        library("lake", after=first.next)
    assert len(ids(library("sea", limit=3, after=first.next))) == 1


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(library: Library, limit: int) -> None:
    with pytest.raises(UsageError, match="from 1 up"):
        library("", limit=limit)


def test_resolve_finds_what_search_lists(made: Made) -> None:
    for text in ("ab", "de OR to", "-ab", "colour:red ab", "abbba"):
        found = np.flatnonzero(resolve(made.index, made.catalog, text))
        assert len(found) == search(made.index, made.catalog, text).total


_pieces = st.sampled_from(["ab", "de", "-x", '"to', "on", "(", ")", "OR", "*", "*a*", "ab*", "东京", "tag:ab"])


@settings(max_examples=80, deadline=None, derandomize=True)
@given(text=st.text(max_size=30) | st.lists(_pieces).map(" ".join))
def test_whatever_people_type_gives_a_page_or_says_what_is_wrong(made: Made, text: str) -> None:
    try:
        page = search(made.index, made.catalog, text, limit=3)
    except UsageError:
        return
    assert len(page.hits) == min(3, page.total)
    assert (page.next is not None) == (page.total > 3)
