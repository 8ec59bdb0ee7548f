"""Make a reproducible library of synthetic assets, through the same calls that ingest makes, and time that.

    python -m benchmarks.make_library DIR --count 1000000 [--seed 1]

Each asset has contents with raw metadata, a file in a folder of 500, eight tags of 5,000 (some far more frequent than
others), a caption of twelve words, a camera, a date in twenty years, in six of ten cases a position (at one of 5,000
spots), and full text.
There are no previews on disk: `imager doctor` would miss them. The same count and seed give the same assets.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import itertools
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

from imager.catalog import Catalog, contents
from imager.catalog.contents import Content
from imager.catalog.files import FileRow
from imager.catalog.identity import asset_id
from imager.facts import Colour, Derived, Facts, TakenAt
from imager.library import Library

TARGET = 4_000
"""Assets a second that the catalog must take in, whole and sustained."""

LIMIT_MS = 100
"""The longest that a transaction should hold the write lock."""

_START = 1_136_073_600_000  # 2006-01-01
_SPAN = 20 * 365 * 86_400_000
_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "il")]
_COLOURS = ("black", "white", "grey", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink", "brown")


def vocabulary(seed: int, size: int = 20_000) -> list[str]:
    """Made-up words of two to four syllables."""
    rng = random.Random(seed)
    return ["".join(rng.choices(_SYLLABLES, k=rng.choice((2, 2, 3, 4)))) for _ in range(size)]


def assets(count: int, seed: int) -> Iterator[Content]:
    """The contents of asset 0, 1, …; few words and tags are frequent and most are rare, as with people's."""
    words = vocabulary(seed)
    rng = random.Random(seed)
    spots = [
        (max(-89.0, min(89.0, rng.gauss(48, 12))), max(-179.0, min(179.0, rng.gauss(10, 25)))) for _ in range(5_000)
    ]
    raw = json.dumps({"exif": {f"Field{n}": f"value {n * 7919}" for n in range(24)}})
    for n in range(count):
        rng = random.Random(seed << 40 | n)
        draw = rng.random
        sha256 = hashlib.sha256(b"%d/%d" % (seed, n)).digest()
        latitude, longitude = spots[int(5_000 * draw() ** 2)] if draw() < 0.6 else (None, None)
        tags: dict[str, None] = {}
        while len(tags) < 8:
            tags[words[int(5_000 * draw() ** 3)]] = None
        lightness = draw()
        facts = Facts(
            width=4032,
            height=3024,
            orientation=1,
            make="Maker",
            model=f"Camera {int(60 * draw() ** 3)}",
            lens=f"Lens {int(30 * draw() ** 2)}",
            iso=100 << rng.randrange(6),
            f_number=2.8,
            exposure_time=1 / 125,
            focal_length=35.0,
            latitude=latitude,
            longitude=longitude,
            rating=rng.randrange(6) if draw() < 0.1 else None,
            description=" ".join(words[int(20_000 * draw() ** 3)] for _ in range(12)),
            keywords=tuple(tags),
            dates=(
                TakenAt(
                    at=_START + int(_SPAN * draw() ** 0.5),
                    offset=120,
                    source="exif:DateTimeOriginal",
                    confidence=0.95,
                ),
            ),
        )
        yield Content(
            sha256=sha256,
            bytes=3_000_000 + n,
            mime="image/jpeg",
            kind="image",
            facts=facts,
            facts_json=json.dumps(facts.to_json()),
            raw=raw,
            problems=(),
            reader=1,
            derived=Derived(
                revision=1,
                thumbhash=sha256[:24],
                phash=sha256[-8:],
                sharpness=100.0,
                brightness=lightness,
                clipped=0.0,
                colours=(Colour(name=_COLOURS[rng.randrange(12)], lab=(lightness, 0.1, 0.1), share=0.4),),
            ),
            preview=(1440, 1080, 250_000),
            thumbnail=(427, 320, 20_000),
        )


def fill(catalog: Catalog, count: int, seed: int, *, quiet: bool = False) -> dict[str, float]:
    """Put the assets in, in transactions of at most `LIMIT_MS`; returns seconds, rates and the longest lock held."""
    files, made, spent, size, done = catalog.files, assets(count, seed), 0.0, 100, 0
    noted = time.perf_counter()
    while done < count:
        batch = list(itertools.islice(made, min(size, count - done)))
        started = time.perf_counter()
        catalog.look_up_places(batch)
        with catalog.transaction(durable=False) as db:
            numbers = contents.put(db, batch)
            rows: list[tuple[int, FileRow]] = []
            for n, content in enumerate(batch, done):
                if n % 500 == 0 or not rows:
                    folder = files.put_folder(b"/photos/%05d" % (n // 500), f"photos/{n // 500:05}", "disk")
                row = FileRow(
                    b"IMG_%07d.JPG" % n, "present", numbers[content.sha256], content.bytes, n + 1, n + 1, n + 1, 1
                )
                rows.append((folder, row))
            files.put(rows)
            read = {numbers[c.sha256]: c.facts for c in batch}
            catalog.refresh([asset_id(c.sha256) for c in batch], files_changed=True, read=read)
        took = time.perf_counter() - started
        spent, done = spent + took, done + len(batch)
        size = max(50, min(1_000, int(size * LIMIT_MS * 0.7 / (took * 1000))))
        if done // 100_000 != (done - len(batch)) // 100_000 and not quiet:
            print(f"  {done:>9,} assets, the last at {100_000 / (time.perf_counter() - noted):,.0f}/s", flush=True)
            noted = time.perf_counter()
    started = time.perf_counter()
    catalog.index()
    indexing = time.perf_counter() - started
    catalog.connection.checkpoint()
    total = spent + indexing
    return {
        "assets_per_second": count / total,
        "without_words_per_second": count / spent,
        "words_per_second": count / indexing,
        "longest_lock_ms": catalog.connection.longest_lock * 1000,
        "seconds": total,
    }


def main() -> None:
    """Make the library, and print how that went beside the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    gc.freeze()  # as the command line does
    gc.set_threshold(50_000, 20, 20)
    with Library.open(arguments.folder) as library:
        figures = fill(library.catalog, arguments.count, arguments.seed, quiet=arguments.json)
        size = (library.folder / "catalog.db").stat().st_size
    if arguments.json:
        print(json.dumps(figures | {"bytes": size}))
        return
    print(f"{arguments.count:,} assets in {figures['seconds']:,.0f} s, {size / 1e9:.2f} GB")
    print(f"{'whole assets a second':32}{figures['assets_per_second']:>12,.0f}   target {TARGET:,}")
    print(f"{'  before full text':32}{figures['without_words_per_second']:>12,.0f}")
    print(f"{'  full text alone':32}{figures['words_per_second']:>12,.0f}")
    print(f"{'longest write lock, ms':32}{figures['longest_lock_ms']:>12,.0f}   target {LIMIT_MS}")


if __name__ == "__main__":
    main()
