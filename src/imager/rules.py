"""Imager's own rules that effective values need, gathered for the catalog, which may not know where they live."""

from __future__ import annotations

from functools import lru_cache

from imager.facts import Place, TakenAt

# The rules are imported when they are first asked: a command that only looks should not wait for them.


class DefaultRules:
    """Places and time zones from the data that Imager carries; dates from common file names."""

    def locate(self, latitude: float, longitude: float) -> tuple[Place | None, str | None]:
        """The place and the IANA time zone of a position."""
        return _locate(latitude, longitude)

    def utc_offset(self, time_zone: str, wall: int) -> int | None:
        """Minutes east of UTC of that zone when its clocks show `wall` (milliseconds)."""
        from imager import geo

        return geo.utc_offset(time_zone, wall)

    def date_from_name(self, name: str) -> TakenAt | None:
        """When a picture was taken, by what its file is called."""
        from imager.formats import dates

        return dates.date_from_name(name)


@lru_cache(maxsize=32_768)
def _locate(latitude: float, longitude: float) -> tuple[Place | None, str | None]:
    # People take many pictures from one spot, and ingest asks more than once for each.
    from imager import geo

    found = geo.locate(latitude, longitude)
    zone = found.time_zone
    # The nautical zones of the high sea: hardly any ship's clock, and no camera, keeps them.
    return found.place, None if zone is None or zone.startswith("Etc/") else zone
