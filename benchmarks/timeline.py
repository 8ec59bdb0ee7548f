"""How fast a large library is browsed by time and place: counts, pages, skeleton, chunks and map clusters.

    python -m benchmarks.timeline LIBRARY [--rounds 30] [--peer-rounds 3] [--query WORDS]

LIBRARY is one that `benchmarks.make_library` made. Everything is asked of a running `Library` through its public Python
API, in turns, of all its pictures and of those of a query. The peer is what SQL gives of all pictures from the same
catalog, written plainly: GROUP BY for counts and clusters, a keyset page over an index, columns in order for the
skeleton. The first call after opening is not counted. Beside what one waits for stands what was computed, which other
programs on the machine disturb less. Nothing is written, but for the library's index.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.product import table
from imager.library import Library
from imager.query.model import Box
from imager.search.chunks import Chunk
from imager.search.skeleton import Skeleton
from imager.search.timeline import TimelinePage

_PRESENT = "FROM assets WHERE state = 'present'"
_MONTH = "strftime('%Y-%m', taken_at / 1000, 'unixepoch')"
_TILE = f"SELECT id, taken_at, width, height, thumbhash, kind, rating, favourite {_PRESENT}"
_IN_ORDER = "ORDER BY taken_at DESC, asset DESC"
_BOX = "latitude BETWEEN 45 AND 50 AND longitude BETWEEN 5 AND 12"


def _clusters(where: str, degrees: float) -> str:
    return (
        f"SELECT avg(latitude), avg(longitude), count(*), max(taken_at), min(latitude), max(latitude), min(longitude), "
        f"max(longitude) {_PRESENT} AND {where} "
        f"GROUP BY CAST(latitude / {degrees} AS INTEGER), CAST(longitude / {degrees} AS INTEGER)"
    )


@dataclass(frozen=True)
class Task:
    """Something to be asked, of a query or of everything; the same in SQL, of everything; and its limit in ms."""

    name: str
    limit: float
    ask: Callable[[str | None], object]
    sql: Callable[[], tuple[str, tuple[Any, ...]]]


def tasks(library: Library) -> list[Task]:
    """What is measured; each asks for another place each time."""
    rng = random.Random(1)
    skeletons: dict[str | None, Skeleton] = {}

    def moment() -> int:
        first, last = library.catalog.db.execute(
            f"SELECT (SELECT taken_at {_PRESENT} ORDER BY taken_at LIMIT 1), "
            f"(SELECT taken_at {_PRESENT} ORDER BY taken_at DESC LIMIT 1)"
        ).get
        return rng.randint(first, last)

    def beside(query: str | None) -> object:
        """A page that goes on from another, upwards or downwards."""
        page = pages[query]
        if page.older is None or rng.random() < 0.5:
            return library.timeline(query, before=page.newer) if page.newer else library.timeline(query)
        return library.timeline(query, after=page.older)

    def jump(query: str | None) -> object:
        pages[query] = library.timeline(query, at=moments.pop())
        return pages[query]

    def chunk(query: str | None) -> object:
        if query not in skeletons:
            skeletons[query] = Skeleton.read(library.skeleton(query))
        month = rng.choice(skeletons[query].months)
        found = library.chunk(month.month, rng.randrange((month.count + 1023) // 1024), month.version, query)
        assert isinstance(found, Chunk)
        return found.to_bytes()

    moments = [moment() for _ in range(10_000)]
    pages: dict[str | None, TimelinePage] = {}
    return [
        Task(
            "years",
            50,
            library.years,
            lambda: (f"SELECT strftime('%Y', taken_at / 1000, 'unixepoch'), count(*) {_PRESENT} GROUP BY 1", ()),
        ),
        Task("months", 50, library.months, lambda: (f"SELECT {_MONTH}, count(*) {_PRESENT} GROUP BY 1", ())),
        Task("days", 50, library.days, lambda: (f"SELECT taken_at / 86400000, count(*) {_PRESENT} GROUP BY 1", ())),
        Task(
            "page of 200, jumped to",
            5,
            jump,
            lambda: (f"{_TILE} AND taken_at < ? {_IN_ORDER} LIMIT 200", (moments.pop(),)),
        ),
        Task(
            "page of 200 beside it",
            5,
            beside,
            lambda: (f"{_TILE} AND (taken_at, asset) < (?, 1) {_IN_ORDER} LIMIT 200", (moments.pop(),)),
        ),
        Task("skeleton", 50, library.skeleton, lambda: (f"SELECT taken_at, width, height {_PRESENT} {_IN_ORDER}", ())),
        Task(
            "chunk of 1,024", 5, chunk, lambda: (f"{_TILE} AND taken_at < ? {_IN_ORDER} LIMIT 1024", (moments.pop(),))
        ),
        Task("map, the world at zoom 2", 50, library.clusters, lambda: (_clusters("latitude IS NOT NULL", 22.5), ())),
        Task(
            "map, the world at zoom 5",
            50,
            lambda query: library.clusters(query, zoom=5),
            lambda: (_clusters("latitude IS NOT NULL", 2.8), ()),
        ),
        Task(
            "map, a box at zoom 9",
            50,
            lambda query: library.clusters(query, box=Box(45, 5, 50, 12), zoom=9),
            lambda: (_clusters(_BOX, 0.17), ()),
        ),
    ]


def milliseconds(ask: Callable[[], object]) -> tuple[float, float]:
    """How long it takes, and how much of that this process computed."""
    started, computed = time.perf_counter(), time.process_time()
    ask()
    return (time.perf_counter() - started) * 1000, (time.process_time() - computed) * 1000


def measure(library: Library, rounds: int, peer_rounds: int, query: str) -> list[dict[str, Any]]:
    """Figures of each task, in ms."""
    found = []
    for task in tasks(library):
        own: dict[str | None, list[tuple[float, float]]] = {None: [], query: []}
        peer: list[float] = []
        for number in range(rounds + 1):
            for asked, took in own.items():
                took.append(milliseconds(partial(task.ask, asked)))
            if number < peer_rounds:
                statement = task.sql()
                peer.append(milliseconds(lambda s=statement: library.catalog.db.execute(*s).fetchall())[0])  # type: ignore[misc]
        figures: dict[str, Any] = {"task": task.name, "limit": task.limit}
        for name, asked in (("all", None), ("query", query)):
            waited, computed = zip(*own[asked][1:], strict=True)
            figures[name] = {
                "p50": statistics.median(waited),
                "p95": statistics.quantiles(waited, n=20)[18],
                "cpu": statistics.median(computed),
            }
        found.append(figures | {"sql": statistics.median(peer)})
    return found


def main() -> int:
    """Measure, print; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, nargs="?", default=Path("build", "benchmarks", "library", "1000000"))
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--peer-rounds", type=int, default=3)
    parser.add_argument("--query", default="rating:>=3")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with Library.open(given.library, create=False) as library:
        held = sum(year.count for year in library.years())
        asked = sum(year.count for year in library.years(given.query))
        found = measure(library, given.rounds, given.peer_rounds, given.query)
    if given.json:
        print(json.dumps({"pictures": held, "query": given.query, "hits": asked, "tasks": found}))
    else:
        head = ("", "limit", "p50", "p95", "CPU", "p50", "p95", "CPU", "SQL")
        over = (f"ms, of {held:,} pictures", "", "all", "", "", given.query, f"({asked:,})", "", "all")
        rows = [(row["task"], row["limit"], *row["all"].values(), *row["query"].values(), row["sql"]) for row in found]
        print(table([over, head, *((name, *(f"{value:,.1f}" for value in values)) for name, *values in rows)]))
    return 0 if all(row[name]["p95"] <= row["limit"] for row in found for name in ("all", "query")) else 1


if __name__ == "__main__":
    raise SystemExit(main())
