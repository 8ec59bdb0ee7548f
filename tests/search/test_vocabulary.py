"""What a library knows by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from imager.catalog import Catalog
from imager.facts import Place, Region
from imager.search.index import Index
from imager.search.vocabulary import LibraryVocabulary
from tests.catalog.libraries import content, put, say


def _region(name: str) -> Region:
    return Region(name=name, kind="face", left=0.1, top=0.1, width=0.1, height=0.1)


@pytest.fixture
def index(catalog: Catalog, tmp_path: Path) -> Index:
    ids = put(
        catalog,
        content(1, keywords=("Animals|Dogs", "Beach"), make="Canon", model="EOS R5", regions=(_region("Anna Maria"),)),
        content(2, keywords=("Animals|Cats", "Beach"), make="Canon", model="EOS R5", lens="RF 50"),
        content(3, keywords=("beagle",), place=Place(city="Bärlin", country="Testland", country_code="TL")),
        content(4, keywords=("Beach",)),
    )
    say(catalog, ids[3], "trashed", True)
    return Index.open(catalog, tmp_path / "index")


@pytest.fixture
def names(index: Index, catalog: Catalog) -> LibraryVocabulary:
    return LibraryVocabulary(index, catalog)


def test_tags_begin_on_any_level_and_the_most_used_come_first(names: LibraryVocabulary) -> None:
    assert [name for name, _ in names.tags("bea")] == ["Beach", "beagle"]
    assert [name for name, _ in names.tags("dog")] == ["Animals|Dogs"]
    assert len(names.tags("")) == 4


def test_people_begin_with_any_of_their_names(names: LibraryVocabulary) -> None:
    assert names.people("MAR") == names.people("anna") == [("Anna Maria", 1)]
    assert names.people("x") == []


def test_places_are_compared_without_diacritics(names: LibraryVocabulary) -> None:
    assert names.places("bar") == [("Bärlin", 1)]
    assert names.places("test") == [("Testland", 1)]


def test_cameras_and_lenses_are_all_listed_with_their_counts(names: LibraryVocabulary) -> None:
    assert names.cameras() == [("Canon EOS R5", 2)]
    assert names.lenses() == [("RF 50", 1)]


def test_words_of_the_text_begin_so(names: LibraryVocabulary) -> None:
    assert "beach" in [word for word, _ in names.words("BEA")]
    assert names.words("two words") == names.words("") == []


def test_names_of_what_one_may_not_see_are_not_given_away(index: Index, catalog: Catalog) -> None:
    visible = np.zeros(index.size, bool)
    visible[2] = True
    seen = LibraryVocabulary(index, catalog, visible)
    assert [name for name, _ in seen.tags("")] == ["Animals|Cats", "Beach"]
    assert seen.people("") == seen.places("") == seen.words("bea") == []
    assert seen.cameras() == [("Canon EOS R5", 1)]


def test_a_place_that_only_the_library_knows_lies_amid_its_pictures(catalog: Catalog, tmp_path: Path) -> None:
    place = Place(city="Our Hut", country="Testland", country_code="TL")
    put(
        catalog,
        content(1, place=place, latitude=10.0, longitude=179.0),
        content(2, place=place, latitude=10.0, longitude=-179.0),
    )
    index = Index.open(catalog, tmp_path / "index")
    found = LibraryVocabulary(index, catalog).locate("our hut")
    assert found is not None
    assert abs(found.longitude) == pytest.approx(180, abs=0.01)
    assert LibraryVocabulary(index, catalog).locate("nowhere at all") is None
