"""Places on a map: the pictures of a query in clusters, one a cell of a grid that is fixed to the earth.

The grid is that of Web Mercator as slippy maps use it (the world is a square of 256 · 2^zoom pixels): a cell is 64
pixels wide and high, so four by four lie in a tile, and the four cells of one zoom are one cell of the zoom before.
Cells don't move with the window, so clusters stay where they are while one pans. Nothing is kept between calls: what
came in a moment ago is on the map. The sum of the counts is exactly the number of pictures in the box.

Web Mercator: EPSG:3857; a latitude φ lies at artanh(sin φ) / π of half the square's height from its middle. It ends at
85.05° (where the square does); what lies closer to a pole is in the last row of cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from imager.catalog.identity import format_id
from imager.errors import UsageError
from imager.query.model import Box
from imager.search.look import read_ids
from imager.search.timeline import Mask, selected

if TYPE_CHECKING:
    from imager.search.index import Index

WORLD: Final = Box(south=-90.0, west=-180.0, north=90.0, east=180.0)
HIGHEST_ZOOM: Final = 22

_FINER: Final = 2  # a cell is 256 / 2² = 64 pixels
_DENSE: Final = 1 << 20  # cells that are counted in a table; more are found by sorting
_STEPS: Final = 1 << 16  # of the table that turns latitudes into rows; finer than the rows up to zoom 10
_TABLED_ZOOM: Final = 10

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The pictures of one cell: the mean of their positions, how many, the newest's id, and the box they lie in."""

    latitude: float
    longitude: float
    count: int
    asset: str
    south: float
    west: float
    north: float
    east: float


def clusters(index: Index, mask: Mask | None = None, box: Box = WORLD, zoom: int = 2) -> list[Cluster]:
    """The pictures of a query within a box, in clusters of about 64 pixels at a zoom (0 to 22), the largest first.

    The box's edges belong to it; `west` > `east` crosses the 180th meridian. A cell at the box's edge counts only what
    lies within. `zoom` is that of maps with tiles of 256 pixels (of libraries with larger tiles, MapLibre's say, one
    more than theirs). UsageError: a zoom or a box that makes no sense.
    """
    if not 0 <= zoom <= HIGHEST_ZOOM:
        raise UsageError(f"A zoom is a number from 0 (the world) to {HIGHEST_ZOOM}, not {zoom}.")
    if not (-90 <= box.south <= box.north <= 90 and all(-180 <= edge <= 180 for edge in (box.west, box.east))):
        raise UsageError("A box is south, west, north, east in degrees, south not above north.")
    assets = _within(index, selected(index, mask), box)
    if not assets.size:
        return []
    columns = index.columns
    latitudes, longitudes = columns.latitude[assets], columns.longitude[assets]
    across = 1 << (zoom + _FINER)
    cells = _rows(latitudes, zoom) * across
    cells += np.minimum(((longitudes + 180.0) * (across / 360.0)).astype(np.int64), across - 1)  # 180° is the last
    count, groups = _grouped(cells, across * across)
    newest, order = _newest(count, groups, assets, columns.taken[assets])
    south, north = _extent(groups, latitudes, count.size)
    west, east = _extent(groups, longitudes, count.size)
    # A mean may be rounded to beyond the outermost.
    latitude = np.clip(np.bincount(groups, latitudes) / count, south, north)
    longitude = np.clip(np.bincount(groups, longitudes) / count, west, east)
    ids = [format_id(i) for i in read_ids(columns.id[:, newest[order]])]
    edges = [part[order].tolist() for part in (south, west, north, east)]
    middle = [part[order].tolist() for part in (latitude, longitude, count)]
    return [Cluster(*row) for row in zip(*middle, ids, *edges, strict=True)]


def _within(index: Index, mask: Mask, box: Box) -> Integers:
    """Numbers of the assets that have a position in the box, ascending."""
    latitude, longitude = index.columns.latitude, index.columns.longitude
    # Comparisons with an unknown position are false.
    inside = (latitude >= box.south) & (latitude <= box.north)
    if box.west > box.east:
        inside &= (longitude >= box.west) | (longitude <= box.east)
    else:
        inside &= longitude >= box.west
        inside &= longitude <= box.east
    return np.flatnonzero(inside & mask)


def _rows(latitudes: Floats, zoom: int) -> Integers:
    """The row of cells, from the south, in which each latitude lies."""
    rows = 1 << (zoom + _FINER)
    if zoom > _TABLED_ZOOM:
        edge = math.degrees(math.atan(math.sinh(math.pi)))
        sine = np.sin(np.radians(np.clip(latitudes, -edge, edge)))
        return np.clip(((np.arctanh(sine) / math.pi + 1.0) * (rows / 2)).astype(np.int64), 0, rows - 1)
    edges, table = _table(zoom)
    found = table[((latitudes + 90.0) * (_STEPS / 180.0)).astype(np.int64)]
    found += latitudes >= edges[found]
    return found


@lru_cache(maxsize=_TABLED_ZOOM + 1)
def _table(zoom: int) -> tuple[Floats, Integers]:
    """The northern edge of each row, and the row in which each of many equal steps of latitude begins.

    A step is smaller than a row: from its beginning one looks at most one row further. Five times as fast as the
    formula for each picture.
    """
    rows = 1 << (zoom + _FINER)
    edges = np.degrees(np.arctan(np.sinh(math.pi * (np.arange(1, rows + 1) / (rows / 2) - 1.0))))
    edges[-1] = math.inf  # the last row goes up to the pole
    begins = np.arange(_STEPS + 1) * (180.0 / _STEPS) - 90.0
    # A little early: rounding may put what lies just before a step into it.
    return edges, np.searchsorted(edges, begins - 1e-9, side="right")


def _grouped(cells: Integers, most: int) -> tuple[Integers, Integers]:
    """How many lie in each cell that has any, and for each picture which of these cells it lies in."""
    if most > _DENSE:
        _, groups, counts = np.unique(cells, return_inverse=True, return_counts=True)
        return counts, groups
    counts = np.bincount(cells, minlength=most)
    taken = np.flatnonzero(counts)
    names = np.empty(most, np.int64)
    names[taken] = np.arange(taken.size)
    return counts[taken], names[cells]


def _newest(counts: Integers, groups: Integers, assets: Integers, taken: Integers) -> tuple[Integers, Integers]:
    """The newest of each cluster, and the clusters' order: largest first, of equal ones that with the newest first."""
    latest = np.full(counts.size, np.iinfo(np.int64).min)
    np.maximum.at(latest, groups, taken)
    last = taken == latest[groups]
    newest = np.zeros(counts.size, np.int64)
    np.maximum.at(newest, groups[last], assets[last])
    return newest, np.lexsort((newest, latest, counts))[::-1]


def _extent(groups: Integers, values: Floats, size: int) -> tuple[Floats, Floats]:
    low, high = np.full(size, math.inf), np.full(size, -math.inf)
    np.minimum.at(low, groups, values)
    np.maximum.at(high, groups, values)
    return low, high
