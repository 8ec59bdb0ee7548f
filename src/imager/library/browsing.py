"""Paging through time, and looking at the map."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from imager.library.seeing import Seeing

if TYPE_CHECKING:
    from imager.query.model import Box, Query
    from imager.search.chunks import Chunk, Gone
    from imager.search.maps import Cluster
    from imager.search.skeleton import Month
    from imager.search.timeline import DayCount, MonthCount, TimelinePage, YearCount


class Browsing(Seeing):
    """What shows pictures by when and where they were taken: those that the asker sees."""

    def years(self, query: Query | str | None = None) -> list[YearCount]:
        """How many of a query's pictures (None: all) were taken in each year, newest first."""
        from imager.search import timeline

        with self._looking(query) as found:
            return timeline.years(*found)

    def months(self, query: Query | str | None = None) -> list[MonthCount]:
        """How many of them were taken in each month, newest first."""
        from imager.search import timeline

        with self._looking(query) as found:
            return timeline.months(*found)

    def days(self, query: Query | str | None = None) -> list[DayCount]:
        """How many of them were taken on each day, newest first."""
        from imager.search import timeline

        with self._looking(query) as found:
            return timeline.days(*found)

    def histogram(self, query: Query | str | None = None) -> dict[str, Any]:
        """The same for a chart, by what suits the span: {unit: 'day', 'month' or 'year', bars: [{value, count}]}.

        In order of time; times without pictures are left out.
        """
        from imager.search.service import histogram
        from imager.search.timeline import selected

        with self._looking(query) as (index, mask):
            return histogram(index, selected(index, mask))

    def timeline(
        self,
        query: Query | str | None = None,
        *,
        after: str | None = None,
        before: str | None = None,
        at: str | int | None = None,
        limit: int = 200,
    ) -> TimelinePage:
        """A page of a query's pictures, newest first: the newest, or those beside a place; see `search.timeline.page`.

        `at` is a date to jump to: 'aug 2021', '2021-08', or ms by the clock on the wall.
        """
        from imager.search import timeline

        if isinstance(at, str):
            at = timeline.moment(at, datetime.fromtimestamp(self.catalog.now() / 1000))
        with self._looking(query) as found:
            return timeline.page(*found, after=after, before=before, at=at, limit=limit)

    def skeleton(self, query: Query | str | None = None) -> bytes:
        """Three bytes for each of a query's pictures, and its months with their versions; see `search.skeleton`."""
        from imager.search.skeleton import skeleton

        with self._looking(query) as found:
            return skeleton(*found)

    def versions(self, query: Query | str | None = None) -> list[Month]:
        """The months of a query's skeleton alone, with their versions: which of them have changed."""
        from imager.search import skeleton

        with self._looking(query) as found:
            return skeleton.months(*found)

    def chunk(self, month: str, number: int, version: int, query: Query | str | None = None) -> Chunk | Gone:
        """A piece of a month of a query's skeleton, in that version, or what became of it; see `search.chunks`."""
        from imager.search.chunks import chunk

        with self._looking(query) as found:
            return chunk(*found, month, number, version)

    def clusters(self, query: Query | str | None = None, *, box: Box | None = None, zoom: int = 2) -> list[Cluster]:
        """A query's pictures on a map, one cluster a cell of its grid, the largest first; see `search.maps`."""
        from imager.search import maps

        with self._looking(query) as found:
            return maps.clusters(*found, box or maps.WORLD, zoom)
