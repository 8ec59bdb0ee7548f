"""Clusters on a map, against putting each picture into its cell by the formula."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imager.catalog import Catalog
from imager.catalog.identity import format_id
from imager.errors import UsageError
from imager.query.model import Box
from imager.search import maps
from imager.search.index import Index
from tests.catalog.libraries import content, put, say
from tests.search.made import Picture, identifier, made, mask_of

ZOOMS = st.integers(0, maps.HIGHEST_ZOOM)
LATITUDES = st.floats(-90, 90) | st.sampled_from([-90.0, -85.0512, -66.5, 0.0, 85.0511, 89.9, 90.0])
LONGITUDES = st.floats(-180, 180) | st.sampled_from([-180.0, -90.0, 0.0, 179.9999, 180.0])
PICTURES = st.lists(
    st.builds(Picture, st.integers(-3, 3), st.sampled_from([1, 1, 1, 2]), LATITUDES, LONGITUDES)
    | st.just(Picture())
    | st.builds(Picture, latitude=st.floats(48, 49), longitude=st.floats(2, 3)),
    max_size=12,
)
BOXES = st.builds(
    lambda a, b, west, east: Box(min(a, b), west, max(a, b), east), LATITUDES, LATITUDES, LONGITUDES, LONGITUDES
)


@pytest.fixture
def index(catalog: Catalog, tmp_path: Path) -> Iterator[Index]:
    """The index of the test's catalog."""
    with Index.open(catalog, tmp_path / "index") as opened:
        yield opened


def _inside(picture: Picture, box: Box) -> bool:
    if math.isnan(picture.latitude) or not box.south <= picture.latitude <= box.north:
        return False
    if box.west > box.east:
        return picture.longitude >= box.west or picture.longitude <= box.east
    return box.west <= picture.longitude <= box.east


def _cell(latitude: float, longitude: float, zoom: int) -> tuple[int, int]:
    """Row and column of 64 pixels, by the formula of Web Mercator."""
    cells = 4 * 2**zoom
    edge = math.degrees(math.atan(math.sinh(math.pi)))
    if not -edge < latitude < edge:
        row = 0 if latitude < 0 else cells - 1
    else:
        row = math.floor((math.asinh(math.tan(math.radians(latitude))) / math.pi + 1) / 2 * cells)
    column = math.floor((longitude + 180) / 360 * cells)
    return min(row, cells - 1), min(column, cells - 1)


@given(PICTURES, st.sets(st.integers(1, 12)) | st.none(), BOXES | st.just(maps.WORLD), st.integers(0, 12))
def test_clusters_are_what_sorting_pictures_into_cells_gives(
    pictures: list[Picture], wanted: set[int] | None, box: Box, zoom: int
) -> None:
    index = made(pictures)
    mask = None if wanted is None else mask_of(index, [n for n in wanted if n <= len(pictures)])
    cells: dict[tuple[int, int], list[tuple[int, int, Picture]]] = defaultdict(list)
    for number, picture in enumerate(pictures, 1):
        if (picture.state == 1 if wanted is None else number in wanted) and _inside(picture, box):
            cells[_cell(picture.latitude, picture.longitude, zoom)].append((picture.taken, number, picture))
    expected = sorted(cells.values(), key=lambda found: (len(found), max(found)[:2]), reverse=True)
    clusters = maps.clusters(index, mask, box, zoom)
    assert [c.count for c in clusters] == [len(found) for found in expected]
    assert [c.asset for c in clusters] == [format_id(identifier(max(found)[1])) for found in expected]
    for cluster, found in zip(clusters, expected, strict=True):
        latitudes, longitudes = [p.latitude for *_, p in found], [p.longitude for *_, p in found]
        assert (cluster.south, cluster.north) == (min(latitudes), max(latitudes))
        assert (cluster.west, cluster.east) == (min(longitudes), max(longitudes))
        assert cluster.latitude == pytest.approx(sum(latitudes) / len(found), abs=1e-9)
        assert cluster.longitude == pytest.approx(sum(longitudes) / len(found), abs=1e-9)
        assert cluster.south <= cluster.latitude <= cluster.north
        assert cluster.west <= cluster.longitude <= cluster.east


@given(PICTURES, BOXES, ZOOMS)
def test_every_picture_in_the_box_is_counted_once_at_every_zoom(pictures: list[Picture], box: Box, zoom: int) -> None:
    located = sum(_inside(picture, box) for picture in pictures if picture.state == 1)
    assert sum(c.count for c in maps.clusters(made(pictures), None, box, zoom)) == located


@given(st.lists(LATITUDES, min_size=1, max_size=50), st.integers(0, 10))
def test_the_table_of_rows_agrees_with_the_formula(latitudes: list[float], zoom: int) -> None:
    edges, _ = maps._table(zoom)
    clear = [v for v in latitudes if v == 0 or np.abs(edges - v).min() > 1e-9]  # there the formula rounds as it likes
    assert maps._rows(np.array(clear), zoom).tolist() == [_cell(value, 0.0, zoom)[0] for value in clear]


@given(st.integers(0, 10), st.data())
def test_an_edge_belongs_to_the_row_north_of_it(zoom: int, data: st.DataObject) -> None:
    edges, _ = maps._table(zoom)
    row = data.draw(st.integers(0, len(edges) - 2))
    at = float(edges[row])
    rows = maps._rows(np.array([math.nextafter(at, -math.inf), at, math.nextafter(at, math.inf)]), zoom)
    assert rows.tolist() == [row, row + 1, row + 1]


def test_the_four_cells_of_a_zoom_are_one_of_the_zoom_before() -> None:
    rng = np.random.default_rng(3)
    pictures = [
        Picture(latitude=float(a), longitude=float(b)) for a, b in rng.uniform((-85, -180), (85, 180), (300, 2))
    ]
    index = made(pictures)
    for zoom in range(1, 12):
        coarse = {_cell(c.south, c.west, zoom - 1): c.count for c in maps.clusters(index, zoom=zoom - 1)}
        sums: dict[tuple[int, int], int] = defaultdict(int)
        for cluster in maps.clusters(index, zoom=zoom):
            row, column = _cell(cluster.south, cluster.west, zoom)
            sums[row // 2, column // 2] += cluster.count
        assert sums == coarse


def test_a_box_across_the_180th_meridian_holds_both_sides() -> None:
    index = made([Picture(latitude=-17.0, longitude=w) for w in (178.0, -179.0, 180.0, -180.0, 0.0)])
    clusters = maps.clusters(index, box=Box(-20, 177, -10, -178), zoom=3)
    assert [(c.count, c.west, c.east) for c in clusters] == [(2, -180.0, -179.0), (2, 178.0, 180.0)]
    assert sum(c.count for c in maps.clusters(index, box=Box(-20, -178, -10, 177))) == 1


def test_what_came_a_moment_ago_is_on_the_map(catalog: Catalog, index: Index) -> None:
    assert maps.clusters(index) == []
    picture = put(catalog, content(1, latitude=38.7, longitude=-9.1))[0]
    index.refresh()
    (cluster,) = maps.clusters(index)
    assert cluster == maps.Cluster(38.7, -9.1, 1, format_id(picture), 38.7, -9.1, 38.7, -9.1)
    put(catalog, content(2), content(3, latitude=38.71, longitude=-9.11))
    index.refresh()
    assert [c.count for c in maps.clusters(index)] == [2]
    say(catalog, picture, "position", [-33.9, 18.4])
    index.refresh()
    assert sorted((c.count, c.latitude) for c in maps.clusters(index)) == [(1, -33.9), (1, 38.71)]
    say(catalog, picture, "trashed", True)
    index.refresh()
    assert [c.latitude for c in maps.clusters(index)] == [38.71]


@pytest.mark.parametrize("zoom", [-1, 23])
def test_a_zoom_that_no_map_has_is_refused(zoom: int) -> None:
    with pytest.raises(UsageError, match="zoom"):
        maps.clusters(made([]), zoom=zoom)


@pytest.mark.parametrize(
    "box",
    [
        Box(1, 0, 0, 1),
        Box(-91, 0, 0, 1),
        Box(0, 0, 91, 1),
        Box(0, -181, 1, 0),
        Box(0, 0, 1, 181),
        Box(math.nan, 0, 1, 1),
    ],
)
def test_a_box_that_is_none_is_refused(box: Box) -> None:
    with pytest.raises(UsageError, match="box"):
        maps.clusters(made([]), box=box)
