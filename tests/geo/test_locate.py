"""What `imager.geo` says of points that people know."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imager.facts import Place
from imager.geo import Located, locate

_KNOWN = {
    "Eiffel Tower": (48.8584, 2.2945, "Paris", "Île-de-France", "FR", "Europe/Paris"),
    "Brandenburger Tor": (52.5163, 13.3777, "Berlin", "State of Berlin", "DE", "Europe/Berlin"),
    "Times Square": (40.7580, -73.9855, "New York City", "New York", "US", "America/New_York"),
    "Shibuya crossing": (35.6595, 139.7005, "Tokyo", "Tokyo", "JP", "Asia/Tokyo"),
    "Sydney Opera House": (-33.8568, 151.2153, "Sydney", "New South Wales", "AU", "Australia/Sydney"),
    "Big Ben": (51.5007, -0.1246, "London", "England", "GB", "Europe/London"),
    "Peak Tram": (22.2776, 114.1591, "Hong Kong", None, "HK", "Asia/Hong_Kong"),
    "Marina Bay Sands": (1.2834, 103.8607, "Singapore", None, "SG", "Asia/Singapore"),
    "Golden Gate Bridge": (37.8199, -122.4783, "San Francisco", "California", "US", "America/Los_Angeles"),
    "Arezzo": (43.467, 11.885, "Arezzo", "Tuscany", "IT", "Europe/Rome"),
    "the village of Oia": (36.4618, 25.3753, "Oía", "South Aegean", "GR", "Europe/Athens"),
    "Uluru, 20 km from its village": (
        -25.3444,
        131.0369,
        "Yulara",
        "Northern Territory",
        "AU",
        "Australia/Darwin",
    ),
}


@pytest.mark.parametrize(("latitude", "longitude", "city", "region", "code", "zone"), _KNOWN.values(), ids=_KNOWN)
def test_sights_lie_in_the_cities_that_people_would_name(
    latitude: float, longitude: float, city: str, region: str | None, code: str, zone: str
) -> None:
    found = locate(latitude, longitude)
    assert found.place is not None
    assert (found.place.city, found.place.region, found.place.country_code) == (city, region, code)
    assert found.time_zone == zone


def test_the_part_of_a_city_is_named_beside_the_city() -> None:
    place = locate(40.7580, -73.9855).place
    assert place == Place(
        name="Times Square",
        city="New York City",
        region="New York",
        country="United States",
        country_code="US",
    )
    colosseum = locate(41.8902, 12.4922).place
    assert colosseum is not None
    assert (colosseum.name, colosseum.city) == (None, "Rome")


@pytest.mark.parametrize(
    ("one", "other", "cities"),
    [
        ((48.5734, 7.7521), (48.5734, 7.8150), ("Strasbourg", "Kehl")),
        ((42.3314, -83.0458), (42.3149, -83.0364), ("Detroit", "Windsor")),
        ((41.9031, 12.4663), (41.9022, 12.4539), ("Rome", "Vatican City")),
    ],
)
def test_a_border_divides_even_close_neighbours(
    one: tuple[float, float], other: tuple[float, float], cities: tuple[str, str]
) -> None:
    places = [locate(*point).place for point in (one, other)]
    assert tuple(p.city for p in places if p) == cities


def test_a_suburb_with_a_name_of_its_own_is_not_swallowed() -> None:
    place = locate(48.8352, 2.2410).place
    assert place is not None
    assert place.city == "Boulogne-Billancourt"


def test_on_the_high_sea_there_is_a_zone_but_no_place() -> None:
    assert locate(30.0, -40.0) == Located(None, "Etc/GMT+3")
    assert locate(0.0, 0.0).place is None
    assert locate(90.0, 0.0).place is None


def test_near_the_coast_a_boat_belongs_to_the_land() -> None:
    place = locate(-33.83, 151.32).place
    assert place is not None
    assert place.region == "New South Wales"


def test_far_from_towns_first_the_city_is_unknown_then_the_region() -> None:
    desert, ice = locate(25.0, 0.0).place, locate(72.0, -40.0).place
    assert desert == Place(region="Adrar", country="Algeria", country_code="DZ")
    assert ice == Place(country="Greenland", country_code="GL")


def test_antarctica_is_no_country_s_whatever_its_clocks_show() -> None:
    found = locate(-64.8, -62.9)
    assert found.place == Place(country="Antarctica", country_code="AQ")


def test_both_sides_of_the_date_line_are_one_neighbourhood() -> None:
    west, east = locate(-16.8, 179.99).place, locate(-16.8, -179.95).place
    assert west is not None
    assert west == east
    assert west.country == "Fiji"


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(math.nan, 0), (0, math.nan), (math.inf, 0), (0, -math.inf), (90.01, 0), (0, 180.5), (1e300, -1e300)],
)
def test_numbers_that_are_no_coordinates_give_nothing(latitude: float, longitude: float) -> None:
    assert locate(latitude, longitude) == Located(None, None)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.floats(), st.floats())
def test_any_two_numbers_have_an_answer_and_always_the_same(latitude: float, longitude: float) -> None:
    assert locate(latitude, longitude) == locate(latitude, longitude)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180))
def test_a_place_names_at_least_its_country_and_no_part_without_its_city(latitude: float, longitude: float) -> None:
    place = locate(latitude, longitude).place
    if place is not None:
        assert place.country
        assert place.country_code
        assert len(place.country_code) == 2
        assert place.city or not place.name
        assert place.name is None or place.name != place.city


def test_a_lookup_is_quick_enough_for_every_picture() -> None:
    points = [(41.0 + i / 400, 12.0 + i / 300) for i in range(400)]
    for point in points:
        locate(*point)
    start = time.process_time()
    for point in points:
        locate(*point)
    assert (time.process_time() - start) / len(points) < 0.001  # measured 0.00005; a slow machine may have twenty
