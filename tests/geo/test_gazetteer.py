"""The choice of a town against the same rule computed plainly over all towns."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imager.geo.gazetteer import EARTH_KM, Gazetteer, find, load
from imager.geo.zones import zone_at


def _distances(towns: Gazetteer, latitude: float, longitude: float) -> NDArray[np.float64]:
    """Great-circle distances in km to all towns by the haversine formula, which the code under test does
    not use.
    """
    a, b = np.radians(towns.latitudes), np.radians(latitude)
    across = np.radians(towns.longitudes - longitude) / 2
    h = np.sin((a - b) / 2) ** 2 + np.cos(a) * np.cos(b) * np.sin(across) ** 2
    return np.asarray(2 * EARTH_KM * np.arcsin(np.sqrt(np.minimum(h, 1.0))))


def _check(latitude: float, longitude: float, zone: str) -> None:
    towns = load()
    choice = towns.choose(latitude, longitude, zone)
    distances = _distances(towns, latitude, longitude)
    zones = np.repeat([g[0] for g in towns.groups], np.diff(towns.starts))
    within = zones == zone if zone in towns.zones else np.ones(len(zones), bool)
    # Ties are possible (towns at the same point), so the distances are compared and not the towns.
    assert within[choice.nearest]
    assert np.isclose(distances[choice.nearest], distances[within].min(), atol=1e-3)
    assert np.isclose(choice.distance, distances[choice.nearest], atol=1e-3)

    groups = np.repeat(np.arange(len(towns.groups)), np.diff(towns.starts))
    same = groups == groups[choice.nearest]
    edges = distances - towns.radii
    assert same[choice.city]
    assert np.isclose(edges[choice.city], edges[same].min(), atol=1e-3)

    part = choice.city if choice.part is None else choice.part
    inside = same & (edges <= 0)
    if inside.any():
        assert np.isclose(distances[part], distances[inside].min(), atol=1e-3)
    else:
        assert choice.part is None


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180))
def test_anywhere_on_earth_the_choice_is_that_of_the_plain_rule(latitude: float, longitude: float) -> None:
    _check(latitude, longitude, zone_at(latitude, longitude) or "")


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.integers(0, 170_000), st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_near_any_town_the_choice_is_that_of_the_plain_rule(town: int, north: float, east: float) -> None:
    towns = load()
    latitude = float(np.clip(towns.latitudes[town] + north, -90, 90))
    longitude = float(np.clip(towns.longitudes[town] + east, -180, 180))
    _check(latitude, longitude, zone_at(latitude, longitude) or "")


def test_a_zone_that_the_data_do_not_know_falls_back_to_all_towns() -> None:
    _check(50.45, 30.52, "Europe/Renamed")
    place = find(50.45, 30.52, "Europe/Renamed")
    assert place is not None
    assert place.city == "Kyiv"
    assert find(72.0, -40.0, "America/Renamed") is None


def test_every_town_has_a_name_a_zone_and_a_country() -> None:
    towns = load()
    assert len(towns.radii) > 150_000
    assert all(towns.name(i).strip() for i in range(len(towns.radii)))
    assert all(code in towns.countries and "/" in zone for zone, code, _ in towns.groups)
    assert np.abs(towns.latitudes).max() <= 90
    assert np.abs(towns.longitudes).max() <= 180
    assert {"Taiwan", "Greenland", "Reunion", "Puerto Rico"} <= set(towns.countries.values())


def test_zones_and_groups_cover_every_town_once() -> None:
    towns = load()
    covered = np.zeros(len(towns.radii), int)
    for piece in towns.zones.values():
        covered[piece] += 1
    assert (covered == 1).all()
    assert towns.starts[-1] == len(towns.radii)
    assert (np.diff(towns.starts) > 0).all()
