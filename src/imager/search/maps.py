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
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from imager.errors import UsageError
from imager.query.model import Box
from imager.search.look import read_id_texts
from imager.search.timeline import Mask, blocks, selected

if TYPE_CHECKING:
    from imager.search.index import Index

WORLD: Final = Box(south=-90.0, west=-180.0, north=90.0, east=180.0)
HIGHEST_ZOOM: Final = 22

_FINER: Final = 2  # a cell is 256 / 2² = 64 pixels
_DIRECT: Final = 1 << 16  # cells that have an entry each in all tables
_DENSE: Final = 1 << 20  # cells that are marked in a table; of more, those that have any are found by sorting
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
    most = 1 << 2 * (zoom + _FINER)
    pieces = _located(index, selected(index, mask), box, zoom)
    if most <= _DIRECT:
        tables = _Tables(most)
        for piece in pieces:
            tables.add(index, piece, piece.cells)
        return tables.clusters(index)
    # There are more cells than there is room for: number those that have any.
    found = list(pieces)
    if not found:
        return []
    size, groups = _grouped(np.concatenate([piece.cells for piece in found]), most)
    tables, done = _Tables(size), 0
    for piece in found:
        tables.add(index, piece, groups[done : done + piece.cells.size])
        done += piece.cells.size
    return tables.clusters(index)


class _Located(NamedTuple):
    """Some pictures that have a position, by their numbers, ascending."""

    assets: Integers
    latitudes: Floats
    longitudes: Floats
    cells: Integers


def _located(index: Index, mask: Mask, box: Box, zoom: int) -> Iterator[_Located]:
    """The pictures within the box, a piece at a time."""
    columns, across = index.columns, 1 << (zoom + _FINER)
    for piece, _ in blocks(mask):
        latitude, longitude = columns.latitude[piece], columns.longitude[piece]
        # Comparisons with an unknown position are false.
        inside = mask[piece] & (latitude >= box.south) & (latitude <= box.north)
        if box.west > box.east:
            inside &= (longitude >= box.west) | (longitude <= box.east)
        else:
            inside &= (longitude >= box.west) & (longitude <= box.east)
        rows = np.flatnonzero(inside)
        if rows.size:
            latitude, longitude = latitude[rows], longitude[rows]
            cells = _rows(latitude, zoom) * across
            cells += np.minimum(((longitude + 180.0) * (across / 360.0)).astype(np.int64), across - 1)  # 180° too
            yield _Located(rows + piece.start, latitude, longitude, cells)


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


def _grouped(cells: Integers, most: int) -> tuple[int, Integers]:
    """How many cells have any pictures, and for each picture which of these it lies in, counted from 0."""
    if most > _DENSE:
        distinct, groups = np.unique(cells, return_inverse=True)
        return distinct.size, groups
    taken = np.flatnonzero(np.bincount(cells, minlength=most))
    names = np.empty(most, np.int64)
    names[taken] = np.arange(taken.size)
    return taken.size, names[cells]


class _Tables:
    """What is known of each cluster while pictures are added, in the order of their numbers."""

    def __init__(self, size: int) -> None:
        self._counts = np.zeros(size, np.int64)
        self._latest = np.full(size, np.iinfo(np.int64).min)
        self._newest = np.zeros(size, np.int64)
        self._sums = np.zeros((2, size))  # of latitudes and longitudes, as the next two
        self._least = np.full((2, size), math.inf)
        self._most = np.full((2, size), -math.inf)

    def add(self, index: Index, piece: _Located, groups: Integers) -> None:
        """Add pictures, each to its cluster."""
        taken = index.columns.taken[piece.assets]
        np.add.at(self._counts, groups, 1)
        np.maximum.at(self._latest, groups, taken)
        latest = np.flatnonzero(taken == self._latest[groups])
        owners = groups[latest]
        self._newest[owners] = 0  # of equal times the highest number wins, and numbers only rise
        np.maximum.at(self._newest, owners, piece.assets[latest])
        for axis, values in enumerate((piece.latitudes, piece.longitudes)):
            np.add.at(self._sums[axis], groups, values)
            np.minimum.at(self._least[axis], groups, values)
            np.maximum.at(self._most[axis], groups, values)

    def clusters(self, index: Index) -> list[Cluster]:
        """The clusters, largest first, of equal ones that with the newest picture first."""
        full = np.flatnonzero(self._counts)
        full = full[np.lexsort((self._newest[full], self._latest[full], self._counts[full]))[::-1]]
        counts, (south, west), (north, east) = self._counts[full], self._least[:, full], self._most[:, full]
        # A mean may be rounded to beyond the outermost.
        latitude, longitude = (self._sums[:, full] / counts).clip(self._least[:, full], self._most[:, full])
        ids = read_id_texts(index.columns.id[:, self._newest[full]])
        numbers = [part.tolist() for part in (latitude, longitude, counts)]
        edges = [part.tolist() for part in (south, west, north, east)]
        return [Cluster(*row) for row in zip(*numbers, ids, *edges, strict=True)]
