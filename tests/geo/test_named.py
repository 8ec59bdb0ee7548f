"""Towns by their name."""

from __future__ import annotations

import pytest

from imager.geo.named import named


def test_of_towns_with_one_name_the_largest_is_meant() -> None:
    paris = named("Paris")
    assert paris is not None
    assert (round(paris.latitude), round(paris.longitude)) == (49, 2)
    assert paris.label.endswith("France")


@pytest.mark.parametrize("name", ["Paris, Texas", "paris,texas", " PARIS ,  US", "Paris, United States"])
def test_a_region_or_country_behind_a_comma_says_which_one(name: str) -> None:
    paris = named(name)
    assert paris is not None
    assert round(paris.latitude) == 34


@pytest.mark.parametrize("name", ["são paulo", "Sao Paulo", "SÃO  PAULO", "Sa\u0303o Paulo"])
def test_case_diacritics_and_spaces_are_no_matter(name: str) -> None:
    town = named(name)
    assert town is not None
    assert "São Paulo" in town.label


@pytest.mark.parametrize("name", ["", ",", "Nowhereville-under-Nothing", "Paris, Mars", "\0", "a" * 10_000, "'; DROP"])
def test_what_is_no_town_is_not_found(name: str) -> None:
    assert named(name) is None
