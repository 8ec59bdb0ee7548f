"""Time zones: which one a point lies in (`tzfpy`), and how far its clocks were from UTC (`zoneinfo`)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import tzfpy

_EPOCH = datetime(1970, 1, 1)


def zone_at(latitude: float, longitude: float) -> str | None:
    """The IANA name of the zone at a point in degrees; on the high sea a nautical one, 'Etc/GMT+2'."""
    return tzfpy.get_tz(longitude, latitude) or None


def utc_offset(time_zone: str, wall: int) -> int | None:
    """How many minutes a zone's clocks were ahead of UTC when they showed `wall`.

    None if there is no such zone. `wall` is in milliseconds since 1970-01-01T00:00:00 on those clocks. In the
    hour that comes twice when clocks go back the first pass is meant; in the hour that is left out when they
    go forward, the offset before it. Years that Python's calendar lacks (before 1, after 9999) give None.
    """
    zone = _zone(time_zone)
    if zone is None:
        return None
    try:
        offset = (_EPOCH + timedelta(milliseconds=wall)).replace(tzinfo=zone).utcoffset()
    except OverflowError:
        return None
    # Before the railways a town's offset had seconds: the nearest minute will do.
    return None if offset is None else round(offset.total_seconds() / 60)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # not a name, the name of a folder, or of no zone
        return None
