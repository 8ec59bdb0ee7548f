"""Where on earth, as people write it behind `near:` and `box:`. Part of `values`."""

from __future__ import annotations

import re
from typing import Final

from imager.query.codec import FARTHEST
from imager.query.measures import MisreadError
from imager.query.model import Box, Near
from imager.query.vocabulary import Vocabulary

NEAR: Final = 10.0
"""Kilometres meant by near:Paris."""

_NUMBER: Final = r"\s*([+-]?[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]{1,3})?|[+-]?[0-9]+\.)\s*"
_POSITION = re.compile(rf"{_NUMBER},{_NUMBER}(?:/{_NUMBER}(km|m|mi)?(?:/(.*))?)?", re.DOTALL)
_RADIUS = re.compile(rf"{_NUMBER}(km|m|mi)?")
_BOX = re.compile(rf"{_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}")
_KILOMETRES: Final = {None: 1.0, "km": 1.0, "m": 0.001, "mi": 1.609344}


def near(text: str, vocabulary: Vocabulary | None) -> Near:
    """What `near:` means: a position or the name of a place that `vocabulary` knows, and how far; MisreadError else."""
    if found := _POSITION.fullmatch(text):
        latitude, longitude = float(found[1]), float(found[2])
        radius = NEAR if found[3] is None else float(found[3]) * _KILOMETRES[found[4]]
        name = found[5].strip() and found[5] if found[5] else None
        return _around(latitude, longitude, radius, name or None)
    name, slash, radius_text = text.rpartition("/")
    if not slash:
        name, radius_text = text, ""
    radius = NEAR
    if radius_text:
        if not (found := _RADIUS.fullmatch(radius_text)):
            if vocabulary is None or vocabulary.locate(text.strip()) is None:
                raise MisreadError(f"{radius_text[:40]!r} is no distance; write near:Paris/10km.", f"{name}/10km")
            name = text
        else:
            radius = float(found[1]) * _KILOMETRES[found[2]]
    name = name.strip()
    located = vocabulary.locate(name) if vocabulary is not None and name else None
    if located is None:
        raise MisreadError(f"No place called {name[:40]!r} is known here; write a position: near:48.85,2.35/10km.")
    return _around(located[0], located[1], radius, located[2])


def _around(latitude: float, longitude: float, km: float, name: str | None) -> Near:
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise MisreadError(f"{latitude:g},{longitude:g} is not on earth: latitudes end at 90, longitudes at 180.")
    if not 0 <= km <= FARTHEST:
        raise MisreadError(f"A distance is from 0 to {FARTHEST:,.0f} km.")
    return Near(latitude, longitude, km, name)


def box(text: str) -> Box:
    """What `box:` means: south, west, north, east in degrees; MisreadError for anything else."""
    found = _BOX.fullmatch(text)
    if found is None:
        raise MisreadError(
            f"{text[:40]!r} is no box; write box:south,west,north,east in degrees: box:47.2,5.9,55.1,15.1."
        )
    south, west, north, east = (float(part) for part in found.groups())
    if not (-90 <= south <= 90 and -90 <= north <= 90 and -180 <= west <= 180 and -180 <= east <= 180):
        raise MisreadError("That box is not on earth: latitudes end at 90, longitudes at 180.")
    if south > north:
        raise MisreadError("That box has its south above its north; write box:south,west,north,east.")
    return Box(south, west, north, east)
