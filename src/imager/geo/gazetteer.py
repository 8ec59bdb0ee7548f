"""The towns of the world, and which of them a point belongs to. The layer below `imager.geo`'s public face.

A town is taken as a disc around its centre, large enough for its people at 7,000 per km². A point belongs to

1. the zone it lies in (time zones follow the borders of countries almost everywhere), and there to the
   region of the town whose centre is nearest;
2. in that region, to the town whose edge is nearest: the smallest d - r, where d is the great-circle
   distance to the centre and r the disc's radius. So a district whose disc lies within the city's never
   wins over the city, and a village between two cities does;
3. within that city, to the part (the town in the same region) with the nearest centre of those in whose
   disc the point lies.

Beyond `CITY_KM` from the nearest centre there is no city, beyond `REGION_KM` only a country; south of 60°
S, where no country is, Antarctica. docs/places.md tells more, and where the data come from. Towns are kept
by zone, then region, so that both steps look at one contiguous piece, exactly, without a grid: neither the
date line nor the poles are special.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imager.facts import Place

CITY_KM = 50.0
REGION_KM = 300.0
ANTARCTIC = -60.0  # degrees: where the Antarctic Treaty begins, and time zones follow claims
EARTH_KM = 6371.0088  # mean radius, IUGG
PER_KM2 = 7000.0  # people in a square kilometre of a town


class Choice(NamedTuple):
    """Indices of towns: the nearest centre, the town the point belongs to, and the part of it, if any."""

    nearest: int
    city: int
    part: int | None
    distance: float  # km to the nearest centre


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """n towns in m groups (zone, country, region); those of a group, and the groups of a zone, lie
    together.
    """

    latitudes: NDArray[np.float64]  # n, degrees
    longitudes: NDArray[np.float64]  # n, degrees
    vectors: NDArray[np.float64]  # n × 3, on the unit sphere
    radii: NDArray[np.float64]  # n, km
    groups: tuple[tuple[str, str, str], ...]  # m: zone, ISO 3166-1 code, region or ''
    largest: NDArray[np.float64]  # m, km: the largest radius in the group
    starts: NDArray[np.int64]  # m + 1: group g holds towns starts[g] … starts[g + 1] - 1
    zones: dict[str, slice]  # of towns
    countries: dict[str, str]
    names: bytes  # UTF-8, one after the other
    ends: NDArray[np.int64]  # n + 1: town i is names[ends[i] : ends[i + 1]]

    def name(self, town: int) -> str:
        """A town's name."""
        return self.names[self.ends[town] : self.ends[town + 1]].decode()

    def group(self, town: int) -> int:
        """The group that a town is in."""
        return int(np.searchsorted(self.starts, town, side="right")) - 1

    def choose(self, latitude: float, longitude: float, zone: str) -> Choice:
        """Which towns a point in degrees belongs to, by the rule above. A zone unknown here means all of
        them.
        """
        phi, lam = math.radians(latitude), math.radians(longitude)
        point = np.array([math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)])
        within = self.zones.get(zone, slice(0, len(self.radii)))
        cosines = self.vectors[within] @ point
        nearest = within.start + int(cosines.argmax())
        group = self.group(nearest)
        first = int(self.starts[group])
        cosines = cosines[first - within.start : int(self.starts[group + 1]) - within.start]
        distance = EARTH_KM * math.acos(min(cosines[nearest - first], 1.0))
        # No town farther than this can have a nearer edge than the nearest, however large it is.
        reach = distance - self.radii[nearest] + self.largest[group]
        few = np.flatnonzero(cosines >= math.cos(min(reach / EARTH_KM, math.pi)) - 1e-12)
        distances = EARTH_KM * np.arccos(np.minimum(cosines[few], 1.0))
        edges = distances - self.radii[few + first]
        city = int(edges.argmin())
        part = int(np.where(edges <= 0.0, distances, np.inf).argmin()) if edges[city] <= 0.0 else city
        return Choice(
            nearest=nearest,
            city=first + int(few[city]),
            part=None if part == city else first + int(few[part]),
            distance=distance,
        )


def find(latitude: float, longitude: float, zone: str) -> Place | None:
    """The place at a point in degrees on land, or near the coast, within an IANA zone."""
    if latitude < ANTARCTIC:
        return Place(country="Antarctica", country_code="AQ")
    towns = load()
    nearest, city, part, distance = towns.choose(latitude, longitude, zone)
    if zone not in towns.zones and distance > REGION_KM:
        return None  # the zone says nothing of the country, and a town so far away doesn't either
    _, code, region = towns.groups[towns.group(nearest)]
    near = distance <= CITY_KM
    name = towns.name(part) if near and part is not None else None
    town = towns.name(city) if near else None
    return Place(
        name=name if name != town else None,
        city=town,
        region=(region or None) if distance <= REGION_KM else None,
        country=towns.countries[code],
        country_code=code,
    )


@cache
def load() -> Gazetteer:
    """The towns that Imager ships; read once, in about a tenth of a second."""
    with files("imager.geo").joinpath("gazetteer.npz").open("rb") as file, np.load(file) as arrays:
        read: dict[str, NDArray[Any]] = {name: arrays[name] for name in arrays.files}
    groups = [tuple(line.split("\t")) for line in read["groups"].tobytes().decode().split("\n")]
    starts = _running(read["counts"])
    latitudes, longitudes = (_undo(read[name]) / 1000 for name in ("latitudes", "longitudes"))
    zones: dict[str, slice] = {}
    for (zone, *_), start, stop in zip(groups, starts[:-1].tolist(), starts[1:].tolist(), strict=True):
        zones[zone] = slice(zones[zone].start if zone in zones else start, stop)
    radii = np.sqrt(np.exp2(read["sizes"] / 8.0) / (math.pi * PER_KM2))
    return Gazetteer(
        latitudes=latitudes,
        longitudes=longitudes,
        vectors=_unit_vectors(latitudes, longitudes),
        radii=radii,
        largest=np.maximum.reduceat(radii, starts[:-1]),
        groups=tuple((zone, code, region) for zone, code, region in groups),
        starts=starts,
        zones=zones,
        countries=dict(x.split("\t") for x in read["countries"].tobytes().decode().split("\n")),
        names=read["names"].tobytes(),
        ends=_running(read["lengths"]),
    )


def _unit_vectors(latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points on the unit sphere, n × 3, of points in degrees."""
    phi, lam = np.radians(latitudes), np.radians(longitudes)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)], axis=-1)


def _running(counts: NDArray[Any]) -> NDArray[np.int64]:
    """Sums from 0 on: n counts give n + 1 bounds."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _undo(planes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Numbers from the bytes of their differences, which lie in four rows, the lowest first."""
    differences = np.ascontiguousarray(planes.T).view("<i4").ravel()
    return np.cumsum(differences, dtype=np.int64).astype(np.float64)
