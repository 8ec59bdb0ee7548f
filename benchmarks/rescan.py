"""How long a second look at unchanged files takes, beside a bare walk of the same tree.

    python -m benchmarks.rescan [--count 100000] [--rounds 3]

The limit is `os.scandir` with `stat` over everything, in one thread. The library is made once, beside the tree,
and used again by later runs. Both take turns with everything in the system's cache. The targets are for
1,000,000 files (`--count 1000000`): at most twice the time of the walk, and under 500 MB of memory.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import sys
import time

from benchmarks.limits import bare_walk
from benchmarks.make_library import assets
from benchmarks.make_photos import make_tree
from benchmarks.product import RunError, expect, find_imager, options, run, table
from imager.catalog import contents
from imager.catalog.files import FileRow
from imager.catalog.identity import asset_id
from imager.ingest.examine import READER
from imager.ingest.ignore import IgnoreRules
from imager.ingest.walk import walk
from imager.library import Library

TARGET = 2.0
MEMORY = 500_000_000


def measure(imager: str, folder: str, count: int, rounds: int) -> dict[str, float]:
    """Seconds of a rescan (`imager`) and of a bare walk (`limit`) over `count` files below `folder`.

    The tree and its library are made where they are not there yet. `ratio` is the median of the rounds' own
    ratios; `largest` and `together` are bytes of memory, as in `product.Run`; `first` the seconds that the first
    run took, 0 where an earlier benchmark did it. Raises `RunError` where a file counts as changed.
    """
    tree, library = os.path.join(folder, "tree"), os.path.join(folder, "library")
    configuration = os.path.join(folder, "configuration")
    make_tree(tree, count)
    started = time.monotonic()
    made = know(tree, library, configuration)
    first = time.monotonic() - started
    walks, figures, memory = [], [], []
    for _ in range(rounds):
        walks.append(bare_walk(tree)[1])
        again = run(imager, library, "add", tree, configuration=configuration)
        expect(again.report, found=count, unchanged=count, added=0, replaced=0, moved=0)
        figures.append(again.seconds)
        memory.append(again)
    return {
        "files": count,
        "imager": statistics.median(figures),
        "limit": statistics.median(walks),
        "ratio": statistics.median(figure / walk for figure, walk in zip(figures, walks, strict=True)),
        "target": TARGET,
        "largest": max(taken.largest for taken in memory),
        "together": max(taken.together for taken in memory),
        "first": first if made else 0.0,
    }


def know(tree: str, library: str, configuration: str) -> bool:
    """Make a library that knows every file of a tree, and say whether it had to be made.

    The rows are those that an ingest leaves, but for what pixels would say: deriving a million pictures takes hours,
    and a second look reads none of it.
    """
    if os.path.exists(os.path.join(library, "catalog.db")):
        return False
    os.environ["IMAGER_CONFIG"] = configuration
    with Library.open(library) as opened:
        catalog, synthetic = opened.catalog, assets(1 << 62, 1)
        for folder in walk(os.fsencode(tree), rules=IgnoreRules(), on_problem=_ignore):
            if not folder.entries:
                continue
            read = list(itertools.islice(synthetic, len(folder.entries)))
            with catalog.transaction(durable=False) as db:
                numbers = contents.put(db, read)
                number = catalog.files.put_folder(
                    folder.path, os.fsdecode(os.path.basename(folder.path)), folder.volume
                )
                catalog.files.put(
                    [
                        (
                            number,
                            FileRow(
                                e.name, "present", numbers[c.sha256], e.size, e.modified, e.changed, e.inode, READER
                            ),
                        )
                        for e, c in zip(folder.entries, read, strict=True)
                    ]
                )
                facts = {numbers[c.sha256]: c.facts for c in read}
                catalog.refresh([asset_id(c.sha256) for c in read], files_changed=True, read=facts)
        catalog.index()
    return True


def _ignore(path: bytes, reason: str) -> None:
    """Every file of the tree is ours."""


def main() -> int:
    """Make the tree and the library unless they are there, measure, print; 1 where a target is missed."""
    parser = options(__doc__, os.path.join("build", "benchmarks", "rescan"))
    parser.add_argument("--count", type=int, default=100_000, help="small files (default: 100000)")
    given = parser.parse_args()
    try:
        folder = os.path.join(given.folder, str(given.count))
        found = measure(find_imager(given.imager), folder, given.count, given.rounds)
    except RunError as error:
        print(error, file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps(found))
    else:
        print(
            table(
                [
                    (f"rescan of {given.count:,} files", "Imager", "bare walk", "ratio", "target", "memory", "target"),
                    (
                        "seconds",
                        f"{found['imager']:.2f}",
                        f"{found['limit']:.2f}",
                        f"{found['ratio']:.2f}",
                        f"{TARGET:.0f}",
                        f"{found['together'] / 1e6:.0f} MB",
                        f"{MEMORY / 1e6:.0f} MB",
                    ),
                ]
            )
        )
        if found["first"]:
            print(f"the first run took {found['first']:.1f} s, {given.count / found['first']:,.0f} files/s")
    return 0 if found["ratio"] <= TARGET and found["together"] < MEMORY else 1


if __name__ == "__main__":
    raise SystemExit(main())
