"""Commands that look from afar: when and where pictures were taken."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal

import typer

from imager.cli import output
from imager.cli.common import Json, open_library, query_text
from imager.cli.main import app
from imager.errors import UsageError
from imager.library import Library
from imager.query.model import Box

Words = Annotated[
    list[str] | None, typer.Argument(metavar="QUERY", help="Which pictures, as for 'imager search'; none: all.")
]

_WIDTH = 40  # characters of the longest bar
_SHOWN = 20  # clusters that people see


@app.command()
def timeline(
    words: Words = None,
    by: Annotated[
        Literal["day", "month", "year", "auto"], typer.Option("--by", help="What to count by (auto: what suits).")
    ] = "month",
    json: Json = False,
) -> None:
    """How many pictures were taken when: a bar for each month (or day, or year) that has any, newest first."""
    with open_library() as library:
        query = query_text(words)
        if by == "auto":
            by = library.histogram(query)["unit"]
        counts = (
            library.days(query) if by == "day" else library.months(query) if by == "month" else library.years(query)
        )
    rows = [asdict(row) for row in counts]
    total = sum(row["count"] for row in rows)
    if json:
        output.as_json({"by": by, "total": total, "counts": rows})
        return
    for row in _bars([(row[by], row["count"]) for row in rows]):
        output.out.print(row)
    output.out.print(f"[dim]{output.number(total, 'picture')}[/]")


@app.command(name="map")
def map_(
    words: Words = None,
    zoom: Annotated[
        int, typer.Option("--zoom", min=0, max=22, help="How near: 0 the world in 16 cells, each more twice as fine.")
    ] = 4,
    box: Annotated[
        str | None, typer.Option("--box", metavar="S,W,N,E", help="Only within these degrees; W > E crosses the 180th.")
    ] = None,
    json: Json = False,
) -> None:
    """Where pictures were taken: those near each other together, the largest clusters first."""
    within = None if box is None else _box(box)
    with open_library() as library:
        clusters = library.clusters(query_text(words), box=within, zoom=zoom)
        total = sum(cluster.count for cluster in clusters)
        if json:
            output.as_json({"zoom": zoom, "total": total, "clusters": [asdict(cluster) for cluster in clusters]})
            return
        for cluster in clusters[:_SHOWN]:
            position = f"{_degrees(cluster.latitude, 'NS'):>8} {_degrees(cluster.longitude, 'EW'):>9}"
            output.out.print(f"{cluster.count:>9,}  {position}  {_newest(library, cluster.asset)}".rstrip())
    more = f", {len(clusters) - _SHOWN:,} smaller clusters not shown" if len(clusters) > _SHOWN else ""
    output.out.print(f"[dim]{output.number(total, 'picture')} in {output.number(len(clusters), 'cluster')}{more}[/]")


def _box(text: str) -> Box:
    try:
        south, west, north, east = (float(edge) for edge in text.split(","))
    except ValueError:
        raise UsageError(f"'{text}' is not a box: write --box=SOUTH,WEST,NORTH,EAST in degrees.") from None
    return Box(south, west, north, east)


def _bars(counts: Sequence[tuple[str, int]]) -> list[str]:
    """A line each, with a bar as long as its share of the largest."""
    most = max((count for _, count in counts), default=1)
    digits = len(f"{most:,}")
    block = "█"
    try:
        block.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        block = "#"
    return [f"{text}  {count:>{digits},}  {block * max(1, round(_WIDTH * count / most))}" for text, count in counts]


def _degrees(value: float, sides: str) -> str:
    return f"{abs(value):.2f}° {sides[value < 0]}"


def _newest(library: Library, asset: str) -> str:
    place: dict[str, Any] = library.show(asset)["place"] or {}
    where = ", ".join(output.safe(place[part]) for part in ("city", "country") if place.get(part))
    return f"[dim]the newest in {where}[/]" if where else ""
