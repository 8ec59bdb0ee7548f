"""How fast people can say things: durable edits one by one, beside what the disk allows.

    python -m benchmarks.edits LIBRARY [--count 2000] [--rounds 3]

LIBRARY is one that `benchmarks.make_library` made; pictures in it are rated, tagged and captioned through the public
Python API, each call one transaction that is on disk when it returns. The limit is a bare SQLite database on the same
disk that commits one small row at a time, as durably (WAL, `synchronous=FULL`).
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from pathlib import Path

import apsw

from benchmarks.product import table
from imager.catalog.identity import format_id
from imager.library import Library

TARGET = 1_000
"""Durable edits a second."""


def edits(library: Library, count: int, seed: int) -> list[float]:
    """Seconds that each of `count` edits took: ratings, tags and captions of pictures all over the library."""
    rng = random.Random(seed)
    highest = library.catalog.db.execute("SELECT assets FROM library").get
    numbers = [rng.randint(1, highest) for _ in range(count)]
    ids = [
        format_id(library.catalog.db.execute("SELECT id FROM assets WHERE asset = ?", (number,)).get)
        for number in numbers
    ]
    took = []
    for n, picture in enumerate(ids):
        started = time.perf_counter()
        if n % 3 == 0:
            library.set(picture, "rating", rng.randrange(6))
        elif n % 3 == 1:
            library.tag(picture, f"Tag {rng.randrange(200)}")
        else:
            library.set(picture, "caption", f"Picture number {n}")
        took.append(time.perf_counter() - started)
    return took


def bare(folder: str, count: int) -> float:
    """Rows a second that a bare SQLite database on that disk takes, each durably committed."""
    with tempfile.TemporaryDirectory(dir=folder) as inside:
        db = apsw.Connection(str(Path(inside) / "bare.db"))
        db.execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE said (n INTEGER, value TEXT)"
        ).fetchall()
        started = time.perf_counter()
        for n in range(count):
            db.execute("INSERT INTO said VALUES (?, ?)", (n, f"Picture number {n}"))
        rate = count / (time.perf_counter() - started)
        db.close()
        return rate


def main() -> int:
    """Measure in turns, print; 1 where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, nargs="?", default=Path("build", "benchmarks", "library", "1000000"))
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    limits, rates, every = [], [], []
    with Library.open(given.library, create=False) as library:
        held = library.catalog.db.execute("SELECT count(*) FROM assets").get
        for n in range(given.rounds):
            limits.append(bare(str(given.library), given.count))
            took = edits(library, given.count, n)
            rates.append(given.count / sum(took))
            every += took
    found = {
        "assets": held,
        "edits_per_second": statistics.median(rates),
        "limit_per_second": statistics.median(limits),
        "p50_ms": statistics.median(every) * 1000,
        "p95_ms": statistics.quantiles(every, n=20)[18] * 1000,
    }
    if given.json:
        print(json.dumps(found))
    else:
        print(
            table(
                [
                    (f"edits among {held:,} assets", "Imager", "bare SQLite", "target", "p50", "p95"),
                    (
                        "a second, one by one, durable",
                        f"{found['edits_per_second']:,.0f}",
                        f"{found['limit_per_second']:,.0f}",
                        f"{TARGET:,}",
                        f"{found['p50_ms']:.2f} ms",
                        f"{found['p95_ms']:.2f} ms",
                    ),
                ]
            )
        )
    return 0 if found["edits_per_second"] >= TARGET else 1


if __name__ == "__main__":
    raise SystemExit(main())
