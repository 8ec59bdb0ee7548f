"""Where on earth a picture was taken, in words, and what the clocks showed there. No network.

The towns come from a file that is shipped with Imager (`gazetteer`), the zones from `tzfpy` (`zones`).
Nothing here keeps state but the tables once they are loaded; the same question always has the same answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from imager.facts import Place
from imager.geo.gazetteer import find
from imager.geo.zones import utc_offset, zone_at

__all__ = ["REVISION", "Located", "locate", "utc_offset"]

REVISION = 1
"""Of the rule and the data together: a place found under a lower one is worth looking up again."""


@dataclass(frozen=True, slots=True)
class Located:
    """What is known of a point on earth: its place in words, and the IANA name of its time zone."""

    place: Place | None
    time_zone: str | None


def locate(latitude: float, longitude: float) -> Located:
    """The place and the time zone at a point, in degrees (WGS 84; north and east are positive).

    On the high sea there is a nautical zone ('Etc/GMT+2') but no place; far from any town the place has no
    city, and farther no region (docs/places.md has the rule). Numbers that are no coordinates give
    `Located(None, None)`. About 50 µs, once the tables are loaded.
    """
    if not (math.isfinite(latitude) and math.isfinite(longitude)):
        return Located(None, None)
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return Located(None, None)
    zone = zone_at(latitude, longitude)
    if zone is None:
        return Located(None, None)
    return Located(None if zone.startswith("Etc/") else find(latitude, longitude, zone), zone)
