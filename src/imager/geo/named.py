"""Where the town of a name lies: the gazetteer, asked the other way round."""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from imager.geo.gazetteer import load


class Named(NamedTuple):
    """A town: degrees (WGS 84), and its name with its region and country."""

    latitude: float
    longitude: float
    label: str


def named(name: str) -> Named | None:
    """The largest town of that name, compared without case and diacritics; None where there is none.

    Behind a comma its region, its country or the country's code may be named: 'Paris, Texas', 'Athens, US'. The first
    call takes about a third of a second.
    """
    parts = [folded(part) for part in name.split(",")]
    towns = load()
    sizes = towns.radii
    for town in sorted(_by_name().get(parts[0], ()), key=lambda t: (-float(sizes[t]), t)):
        _, code, region = towns.groups[towns.group(town)]
        country = towns.countries[code]
        around = {folded(code), folded(region), folded(country)}
        if all(part in around for part in parts[1:] if part):
            label = ", ".join(dict.fromkeys(part for part in (towns.name(town), region, country) if part))
            return Named(float(towns.latitudes[town]), float(towns.longitudes[town]), label)
    return None


@cache
def _by_name() -> dict[str, list[int]]:
    towns = load()
    found: dict[str, list[int]] = {}
    ends = np.asarray(towns.ends).tolist()
    for town, (start, end) in enumerate(pairwise(ends)):
        found.setdefault(folded(towns.names[start:end].decode()), []).append(town)
    return found


def folded(text: str) -> str:
    """A name as names are compared: lower case, without diacritics, single spaces."""
    plain = text if text.isascii() else unicodedata.normalize("NFD", text.casefold())
    kept = plain if plain.isascii() else "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(kept.lower().split())
