"""How fast photos of 12 megapixels become a library, beside the limit and beside a pipeline on Pillow.

    python -m benchmarks.ingest [--count 600] [--rounds 3]

The limit is reading, hashing and decoding the same files at the scale needed, and nothing else, on all cores
(`benchmarks.limits`). Imager is timed from outside, its start and end included, each round into a library of its
own. Limit and Imager take turns, since machines are noisy; medians are shown. The target is 75 % of the limit.
Processor time is shown as well: on a machine that does other work it says more, since Imager gives way to that.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from statistics import median

from benchmarks.limits import Pool, pillow_pipeline, read_hash_decode
from benchmarks.make_photos import make_photos, photos_in
from benchmarks.product import RunError, expect, find_imager, options, run, table

TARGET = 0.75


def measure(imager: str, folder: str, rounds: int) -> dict[str, float]:
    """Rates in photos a second: `imager`, `limit`, `pillow`; `ratio`, the median of the rounds' own ratios.

    The same with `_cpu` in seconds of one core a photo. `largest` and `together` are bytes of memory, as in
    `product.Run`. Raises `RunError` where a photo is not
    taken in.
    """
    paths = list(photos_in(folder))
    limits, runs = [], []
    with Pool() as pool, tempfile.TemporaryDirectory(prefix="imager-benchmark-") as place:
        for number in range(rounds):
            limits.append(pool.rate(read_hash_decode, paths))
            library = os.path.join(place, f"library-{number}")
            taken = run(imager, library, "add", folder, configuration=os.path.join(place, "configuration"))
            expect(taken.report, found=len(paths), added=len(paths), failed=0)
            runs.append(taken)
        peer = pool.rate(pillow_pipeline, paths[:30])
    rates = [len(paths) / taken.seconds for taken in runs]
    costs = [taken.cpu / len(paths) for taken in runs]
    return {
        "photos": len(paths),
        "imager": median(rates),
        "limit": median(limit.files for limit in limits),
        "pillow": peer.files,
        "ratio": median(rate / limit.files for rate, limit in zip(rates, limits, strict=True)),
        "target": TARGET,
        "imager_cpu": median(costs),
        "limit_cpu": median(limit.cpu for limit in limits),
        "pillow_cpu": peer.cpu,
        "cpu_ratio": median(limit.cpu / cost for cost, limit in zip(costs, limits, strict=True)),
        "largest": max(taken.largest for taken in runs),
        "together": max(taken.together for taken in runs),
    }


def main() -> int:
    """Draw the photos unless they are there, measure, print; 1 where the target is missed."""
    parser = options(__doc__, os.path.join("build", "benchmarks", "photos"))
    parser.add_argument("--count", type=int, default=600, help="photos of 3 MB each (default: 600)")
    given = parser.parse_args()
    try:
        imager = find_imager(given.imager)
        folder = os.path.join(given.folder, str(given.count))
        make_photos(folder, given.count)
        found = measure(imager, folder, given.rounds)
    except RunError as error:
        print(error, file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps(found))
    else:
        print(
            table(
                [
                    (f"ingest of {given.count} photos", "Imager", "limit", "Pillow, WebP", "of the limit", "target"),
                    (
                        "photos/s",
                        f"{found['imager']:.1f}",
                        f"{found['limit']:.1f}",
                        f"{found['pillow']:.1f}",
                        f"{found['ratio']:.0%}",
                        f"{TARGET:.0%}",
                    ),
                    (
                        "CPU, ms a photo",
                        f"{found['imager_cpu'] * 1e3:.0f}",
                        f"{found['limit_cpu'] * 1e3:.0f}",
                        f"{found['pillow_cpu'] * 1e3:.0f}",
                        f"{found['cpu_ratio']:.0%}",
                        "",
                    ),
                ]
            )
        )
        print(f"memory: {found['largest'] / 1e6:.0f} MB the largest process, {found['together'] / 1e6:.0f} MB all")
    return 0 if found["ratio"] >= TARGET else 1


if __name__ == "__main__":
    raise SystemExit(main())
