"""What nothing can be faster than, and what others do: the figures that Imager's own are held against.

    python -m benchmarks.limits photos FOLDER     read + SHA-256 + decode alone; Pillow; ExifTool
    python -m benchmarks.limits walk FOLDER       scandir and stat of everything, one thread

The decoding asks for what a preview needs: the smallest of libjpeg's scales (eighths) at which the longer side
has 1440 pixels or more; 3/8 for a photo of 12 megapixels. The work is spread over processes, one for each core,
as Imager spreads its own.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import simplejpeg
from PIL import Image, ImageOps

from benchmarks.make_photos import photos_in

PREVIEW, THUMBNAIL = 1440, 320


def read_hash_decode(path: str, *, fast_dct: bool = False, fast_upsample: bool = False) -> int:
    """Read a JPEG, hash it, decode it at the scale that a preview needs; how many pixels came out."""
    with open(path, "rb") as file:
        content = file.read()
    hashlib.sha256(content).digest()
    height, width, _, _ = simplejpeg.decode_jpeg_header(content)
    wanted = min(PREVIEW, max(height, width))
    pixels = simplejpeg.decode_jpeg(
        content,
        "BGR",
        fastdct=fast_dct,
        fastupsample=fast_upsample,
        min_height=wanted if height > width else 0,
        min_width=wanted if width >= height else 0,
    )
    return int(pixels.shape[0] * pixels.shape[1])


def pillow_pipeline(path: str, *, form: str = "WEBP") -> int:
    """What programs on Pillow usually do to a photo: hash, shrunk decoding, upright, two sizes encoded; bytes."""
    with open(path, "rb") as file:
        content = file.read()
    hashlib.sha256(content).digest()
    written = 0
    with Image.open(io.BytesIO(content)) as picture:
        picture.draft("RGB", (PREVIEW, PREVIEW))
        upright = ImageOps.exif_transpose(picture)
        for size in (PREVIEW, THUMBNAIL):
            upright.thumbnail((size, size), Image.Resampling.LANCZOS)
            buffer = io.BytesIO()
            upright.save(buffer, form, quality=82)
            written += buffer.tell()
    return written


class Rate(NamedTuple):
    """How fast something goes; the second does not suffer from what else the machine is doing."""

    files: float  # a second, on all cores
    cpu: float  # seconds of one core for each file


class Pool:
    """Processes, one for each core, that are warm before anything is timed."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = processes or os.cpu_count() or 1
        self._pool = ProcessPoolExecutor(self.processes, multiprocessing.get_context("spawn"))

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def rate(self, work: Callable[[str], int], paths: Sequence[str]) -> Rate:
        """The rate at which all processes together do the work."""
        list(self._pool.map(work, paths[: 2 * self.processes]))
        begun = time.perf_counter()
        spent = sum(self._pool.map(partial(_timed, work), paths, chunksize=2))
        return Rate(len(paths) / (time.perf_counter() - begun), spent / len(paths))


def _timed(work: Callable[[str], int], path: str) -> float:
    begun = time.process_time()
    work(path)
    return time.process_time() - begun


def bare_walk(root: str) -> tuple[int, float]:
    """How many files lie below `root`, and the seconds to list them with their sizes and times, one thread."""
    begun = time.perf_counter()
    count = 0
    waiting = [os.fsencode(root)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    entry.stat(follow_symlinks=False)
                    count += 1
    return count, time.perf_counter() - begun


def exiftool_rate(paths: Sequence[str]) -> float | None:
    """Files a second whose metadata ExifTool reads as JSON in one run; None where it is not installed."""
    program = shutil.which("exiftool")
    if program is None or not paths:
        return None
    begun = time.perf_counter()
    subprocess.run(
        [program, "-q", "-q", "-json", "-n", "-fast", "-@", "-"],
        input="\n".join(map(os.path.abspath, paths)).encode(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return len(paths) / (time.perf_counter() - begun)


def _photos(folder: str, rounds: int, fast_dct: bool, fast_upsample: bool) -> dict[str, float | None]:
    paths = list(photos_in(folder))
    if not paths:
        raise SystemExit(f"There are no JPEGs in {folder}; benchmarks.make_photos draws some.")
    limit = partial(read_hash_decode, fast_dct=fast_dct, fast_upsample=fast_upsample)
    webp, jpeg = pillow_pipeline, partial(pillow_pipeline, form="JPEG")
    rates: dict[str, list[float]] = {"limit": [], "pillow_webp": [], "pillow_jpeg": []}
    with Pool() as pool:
        for _ in range(rounds):
            rates["limit"].append(pool.rate(limit, paths).files)
            rates["pillow_jpeg"].append(pool.rate(jpeg, paths[:60]).files)
            rates["pillow_webp"].append(pool.rate(webp, paths[:30]).files)
    found: dict[str, float | None] = {name: statistics.median(values) for name, values in rates.items()}
    return found | {"exiftool": exiftool_rate(paths[:100]), "files": len(paths)}


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["photos", "walk"])
    parser.add_argument("folder")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--fast-dct", action="store_true", help="libjpeg's fastest transform, slightly less exact")
    parser.add_argument("--fast-upsample", action="store_true", help="its fastest upsampling of colour")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.what == "photos":
        figures = _photos(given.folder, given.rounds, given.fast_dct, given.fast_upsample)
        labels = {
            "files": "photos",
            "limit": "read + SHA-256 + decode alone, photos/s",
            "pillow_jpeg": "Pillow, previews as JPEG, photos/s",
            "pillow_webp": "Pillow, previews as WebP, photos/s",
            "exiftool": "ExifTool, metadata only, photos/s",
        }
    else:
        walks = [bare_walk(given.folder) for _ in range(given.rounds)]
        seconds = statistics.median(seconds for _, seconds in walks)
        figures = {"files": walks[0][0], "seconds": seconds, "rate": walks[0][0] / seconds}
        labels = {"files": "files", "seconds": "bare walk with stat, s", "rate": "files/s"}
    if given.json:
        print(json.dumps(figures))
        return
    for name, label in labels.items():
        value = figures[name]
        print(f"{label:42} {'not installed' if value is None else format(value, ',.6g')}")


if __name__ == "__main__":
    main()
