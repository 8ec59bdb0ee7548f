"""How fast a large library is searched: words alone and with filters, beginnings, pieces, facets, start and memory.

    python -m benchmarks.search LIBRARY [--queries 60] [--peer-queries 5] [--skip-build]

LIBRARY is one that `benchmarks.make_library` made; queries are drawn from its words, as often as they stand in it, and
asked through `Library.search`, the first 50 hits with facets; beginnings and pieces, as one types, the first 50 hits
alone. No query is asked twice. The peer is SQLite on the same
catalog, written plainly: FTS5 with bm25, and facets by GROUP BY. Times are what the process computed, which other
programs on the machine disturb less than what one waits for; only the cold start, from the command line, is waited for.
Nothing is written, but for the library's index.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.make_library import vocabulary
from benchmarks.product import find_imager, table
from imager.catalog.connection import fetch, many
from imager.library import Library
from imager.search import service
from imager.search.facets import facets
from imager.search.index import Index

_RANKED = """SELECT rowid FROM words WHERE words MATCH ?
ORDER BY bm25(words, 3.0, 1.0, 4.0, 3.0, 4.0, 5.0, 2.0, 1.0, 1.0) LIMIT 50"""
_MATCHING = "SELECT rowid FROM words WHERE words MATCH ?"
_FACETS = (
    "SELECT strftime('%Y', a.taken_at / 1000, 'unixepoch'), count(*) {of} GROUP BY 1",
    "SELECT a.model, count(*) {of} GROUP BY 1",
    "SELECT a.lens, count(*) {of} GROUP BY 1",
    "SELECT p.city, count(*) {of} JOIN places AS p USING (place) GROUP BY 1",
    "SELECT x.tag, count(*) {of} CROSS JOIN asset_tags AS x ON x.asset = a.asset GROUP BY 1",
)
_OF = "FROM carray(?) AS wanted CROSS JOIN assets AS a ON a.asset = wanted.value"
_WARM = 5  # queries of each kind before any is measured
_FILTERS = ("rating:>=3", 'camera:"Camera 1"', "year:2019", "colour:red", "iso:>=800", "has:position")


def questions(library: Library, seed: int) -> dict[str, tuple[float, Iterator[str]]]:
    """For each kind of query its limit in ms and an endless row of them."""
    words, rng = vocabulary(1), random.Random(seed)
    db = library.catalog.db
    highest = db.execute("SELECT assets FROM library").get

    def word() -> str:
        return words[int(20_000 * rng.random() ** 3)]

    def together(count: int) -> str:
        """Words that some picture has."""
        caption = None
        while caption is None:
            caption = db.execute("SELECT caption FROM assets WHERE asset = ?", (rng.randint(1, highest),)).get
        return " ".join(rng.sample(caption.split(), count))

    def endless(make: Callable[[], str]) -> Iterator[str]:
        while True:
            yield make()

    return {
        "one word": (30, endless(word)),
        "two words": (30, endless(lambda: together(2))),
        "three words": (30, endless(lambda: together(3))),
        "a word and a filter": (30, endless(lambda: f"{word()} {rng.choice(_FILTERS)}")),
        "two words and two filters": (30, endless(lambda: f"{together(2)} {' '.join(rng.sample(_FILTERS, 2))}")),
        "a very frequent word": (30, endless(lambda: words[rng.randrange(40)])),
        "a beginning of 3 letters": (20, endless(lambda: f"{word()[:3]}*")),
        "a piece of 4 letters": (20, endless(lambda: f"*{(word() + word())[1:5]}*")),
    }


def ask(library: Library, query: str) -> None:
    """What people wait for: the first page with facets; while they type a word, without."""
    if "*" in query:
        service.search(library.index, library.catalog, query, with_facets=False)
    else:
        library.search(query)


def by_sql(library: Library, query: str) -> None:
    """The same of a query of plain words, as one would write it in SQL."""
    db = library.catalog.db
    match = " ".join(f'"{word}"' for word in query.split())
    fetch(db, _RANKED, (match,))
    numbers = [number for (number,) in fetch(db, _MATCHING, (match,))]
    if numbers:
        for facet in _FACETS:
            fetch(db, facet.format(of=_OF) + " ORDER BY 2 DESC LIMIT 20", (many(numbers),))


def computed(do: Callable[[], object]) -> float:
    """Milliseconds that this process computes."""
    started = time.process_time()
    do()
    return (time.process_time() - started) * 1000


def p95(values: list[float]) -> float:
    """The value that 95 of 100 do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.95))]


def private_memory() -> float:
    """Megabytes that belong to this process alone; where the system tells, without files that are only mapped."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text(encoding="ascii").splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Dirty:", "Swap:"))) / 1000
    except OSError:
        return float(psutil.Process().memory_full_info().uss) / 1e6


def cold_starts(library: Path, queries: list[str]) -> list[float]:
    """Seconds that one waits for the command line, once its files are in the system's cache: not the first one's."""
    took = []
    with tempfile.TemporaryDirectory() as compiled:
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = compiled  # as after an installation, whatever this environment does
        for query in queries:
            command = [find_imager(None), "--library", os.fspath(library), "search", query, "--json"]
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
            took.append(time.perf_counter() - started)
    return took[1:]


def rebuild(library: Library) -> float:
    """Seconds to make the index anew from the catalog, in a folder that is thrown away."""
    with tempfile.TemporaryDirectory(dir=library.folder.parent) as folder:
        started = time.process_time()
        Index.open(library.catalog, Path(folder)).close()
        return time.process_time() - started


def measure(library: Library, count: int, peer_count: int) -> list[dict[str, Any]]:
    """Rows of figures."""
    rows: list[dict[str, Any]] = []
    for _, warm in questions(library, 0).values():
        for _ in range(_WARM):
            ask(library, next(warm))
    for name, (limit, queries) in questions(library, 1).items():
        asked = list(dict.fromkeys(next(queries) for _ in range(4 * count)))[:count]
        took = [computed(partial(ask, library, query)) for query in asked]
        plain = [q for q in asked if ":" not in q and "*" not in q][:peer_count]
        peers = [computed(partial(by_sql, library, query)) for query in plain]
        rows.append(
            {
                "what": name,
                "unit": "ms",
                "p50": statistics.median(took),
                "p95": p95(took),
                "limit": limit,
                "peer": statistics.median(peers) if peers else None,
            }
        )
    rows.append({"what": "private memory", "unit": "MB", "p95": private_memory(), "limit": 600})
    index, rng = library.index, np.random.default_rng(1)
    present = index.columns.state == 1
    few = present & (rng.random(index.size) < 50 / index.size)
    for name, limit, mask in (
        ("facets of nearly all", 50, present & (rng.random(index.size) < 0.999)),
        ("facets of 50", 3, few),
    ):
        took = [computed(partial(facets, index, mask)) for _ in range(10)]
        rows.append({"what": name, "unit": "ms", "p50": statistics.median(took), "p95": p95(took), "limit": limit})
    return rows


def main() -> int:
    """Measure and print; 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, nargs="?", default=Path("build", "benchmarks", "library", "1000000"))
    parser.add_argument("--queries", type=int, default=60, help="of each kind (default: 60)")
    parser.add_argument("--peer-queries", type=int, default=5, help="of each kind, in SQL (default: 5)")
    parser.add_argument("--skip-build", action="store_true", help="do not make the index anew")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    gc.freeze()  # as the command line does
    gc.set_threshold(50_000, 20, 20)
    with Library.open(given.library, create=False) as library:
        rows = measure(library, given.queries, given.peer_queries)
        held = library.search("", limit=1).total
        starts = cold_starts(given.library, vocabulary(1)[900:904])
        rows.append({"what": "from a cold start", "unit": "s", "p95": statistics.median(starts), "limit": 1})
        if not given.skip_build:
            rows.append({"what": "index made anew", "unit": "s", "p95": rebuild(library), "limit": 30})
    if given.json:
        print(json.dumps({"assets": held, "figures": rows}))
    else:
        lines = [("", "", "p50", "p95", "limit", "peer p50")]
        lines += [
            (
                row["what"],
                row["unit"],
                *(f"{row[k]:,.1f}" if row.get(k) is not None else "" for k in ("p50", "p95", "limit", "peer")),
            )
            for row in rows
        ]
        print(f"{held:,} pictures")
        print(table(lines))
    return int(any(row["p95"] > row["limit"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
