"""Pictures to measure with: photos as a camera writes them, and trees of a great many small files.

    python -m benchmarks.make_photos photos FOLDER --count 300
    python -m benchmarks.make_photos tree FOLDER --count 1000000

The same seed gives the same bytes with the same releases of numpy, OpenCV and libjpeg-turbo.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import struct
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from functools import cache, lru_cache, partial

import cv2
import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image

WIDTH, HEIGHT = 4032, 3024  # 12 megapixels
MARGIN = 256  # each photo shows another part of its scene
SCENES = 6
WANTED = 3_000_000  # bytes of a photo

Pixels = npt.NDArray[np.uint8]

PLACES = [
    (48.8584, 2.2945),
    (-33.8568, 151.2153),
    (40.6892, -74.0445),
    (35.7101, 139.8107),
    (-22.9519, -43.2105),
]
CAMERAS = [("Northlight", "N1"), ("Northlight", "N2 Pro"), ("Veldt", "Compact 5")]


def exif(number: int, taken: datetime, orientation: int = 1) -> bytes:
    """An APP1 segment as a phone writes it: camera, exposure, date and, for three of four, the place."""
    make, model = CAMERAS[number % len(CAMERAS)]
    tags = Image.Exif()
    stamp = taken.strftime("%Y:%m:%d %H:%M:%S")
    tags.update({0x010F: make, 0x0110: model, 0x0112: orientation, 0x0132: stamp})
    tags.get_ifd(0x8769).update(
        {
            0x829A: 1 / (60 + number % 400),
            0x829D: 1.8,
            0x8827: 50 * (1 + number % 16),
            0x9003: stamp,
            0x9004: stamp,
            0x9010: "+02:00",
            0x9011: "+02:00",
            0x920A: 5.7,
            0xA405: 26,
        }
    )
    if number % 4:
        latitude, longitude = PLACES[number % len(PLACES)]
        tags.get_ifd(0x8825).update(
            {
                1: "N" if latitude >= 0 else "S",
                2: _degrees(abs(latitude) + number % 97 / 1000),
                3: "E" if longitude >= 0 else "W",
                4: _degrees(abs(longitude) + number % 89 / 1000),
            }
        )
    content = tags.tobytes()
    return b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content


def _degrees(value: float) -> tuple[float, float, float]:
    minutes = value % 1 * 60
    return float(int(value)), float(int(minutes)), round(minutes % 1 * 60, 2)


def _texture(rng: np.random.Generator, height: int, width: int, first: int, octaves: int) -> npt.NDArray[np.float32]:
    """Noise whose strength falls with frequency as it does in pictures of the world, about -1 … 1."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = first * 2**octave
        grid = rng.normal(size=(cells * 3 // 4 + 2, cells + 2)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * np.float32(0.5**octave)
    return total


@lru_cache(maxsize=1)
def scene(seed: int, number: int) -> Pixels:
    """A landscape of sky, ridges and ground, larger than a photo by `MARGIN` each way, as BGR."""
    rng = np.random.default_rng([seed, number])
    height, width = HEIGHT + MARGIN, WIDTH + MARGIN
    top, bottom = rng.uniform(60, 200, 3), rng.uniform(140, 245, 3)
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    picture = (top * (1 - down) + bottom * down).astype(np.float32) * np.ones((1, width, 1), np.float32)
    picture += 14 * _texture(rng, height, width, 3, 6)[..., None]
    rows = np.arange(height, dtype=np.float32)[:, None]
    for layer in range(4):
        ridge = _texture(rng, 4, width, 4, 9)[1] * height * 0.05 + height * (0.4 + 0.14 * layer)
        colour = rng.uniform(25, 140, 3).astype(np.float32)
        grain = _texture(rng, height, width, 8, 9)[..., None]
        mask = (rows > ridge[None, :])[..., None]
        picture = np.where(mask, colour * (1 + 0.3 * grain), picture)
    return np.clip(picture, 0, 255).astype(np.uint8)


@cache
def _noise(seed: int) -> npt.NDArray[np.int16]:
    """What a sensor adds, mostly to the luminance; as large as a scene."""
    rng = np.random.default_rng([seed, 1_000_000])
    luminance = rng.normal(0, 2.2, (HEIGHT + MARGIN, WIDTH + MARGIN, 1)).astype(np.float32)
    return np.rint(np.broadcast_to(luminance, (*luminance.shape[:2], 3))).astype(np.int16)


def _pixels(seed: int, number: int) -> Pixels:
    """The photo of that number: its part of a scene, mirrored or not, in light of its own, with noise."""
    rng = np.random.default_rng([seed, 2_000_000, number])
    whole = scene(seed, number % SCENES)
    (y, x), (v, u) = rng.integers(0, MARGIN, (2, 2))
    part = whole[y : y + HEIGHT, x : x + WIDTH]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    levels = np.linspace(0, 1, 256)[:, None] ** rng.uniform(0.75, 1.35) * rng.uniform(225, 255, 3)
    lit = cv2.LUT(np.ascontiguousarray(part), levels.astype(np.uint8).reshape(256, 1, 3))
    grain = _noise(seed)[v : v + HEIGHT, u : u + WIDTH]
    return np.asarray(cv2.add(lit, grain, dtype=cv2.CV_8U), np.uint8)


@cache
def _quality(seed: int, number: int) -> int:
    """The quality at which the first photo of a scene comes closest to `WANTED` bytes."""
    pixels = _pixels(seed, number)
    low, high = 60, 98
    while high - low > 1:
        middle = (low + high) // 2
        if len(simplejpeg.encode_jpeg(pixels, middle, "BGR", "420")) < WANTED:
            low = middle
        else:
            high = middle
    return min(low, high, key=lambda q: abs(len(simplejpeg.encode_jpeg(pixels, q, "BGR", "420")) - WANTED))


def photo(seed: int, number: int) -> bytes:
    """A baseline JPEG of 4032 × 3024 pixels, 4:2:0, about 3 MB, with EXIF; every fourth lies on its side."""
    taken = datetime(2015, 1, 1, 9) + timedelta(hours=7 * number, seconds=number % 3600)
    content = simplejpeg.encode_jpeg(_pixels(seed, number), _quality(seed, number % SCENES), "BGR", "420")
    return bytes(content[:2]) + exif(number, taken, 6 if number % 4 == 3 else 1) + bytes(content[2:])


def _write_photos(folder: str, seed: int, count: int, scene_number: int) -> int:
    """Write the photos of one scene, those that are there already left alone; their bytes altogether."""
    size = 0
    for number in range(scene_number, count, SCENES):
        path = os.path.join(folder, f"{100 + number // 1000}NORTH", f"IMG_{number:05}.JPG")
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path + ".part", "wb") as file:
                file.write(photo(seed, number))
            os.replace(path + ".part", path)
        size += os.path.getsize(path)
    return size


def make_photos(folder: str, count: int, seed: int = 1) -> int:
    """Write `count` photos below `folder`, those that are there already left alone; their bytes altogether.

    Processes share the work by scenes, since drawing a scene takes as long as ten photos of it.
    """
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores, multiprocessing.get_context("spawn")) as pool:
        return sum(pool.map(partial(_write_photos, folder, seed, count), range(SCENES)))


def _templates(seed: int) -> list[tuple[bytes, bytes]]:
    """Small pictures, each in two halves: a comment of eight bytes goes between them."""
    made = []
    for number in range(64):
        rng = np.random.default_rng([seed, 3_000_000, number])
        grid = rng.uniform(0, 255, (4, 6, 3)).astype(np.float32)
        pixels = np.clip(cv2.resize(grid, (60, 40), interpolation=cv2.INTER_CUBIC), 0, 255).astype(np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=80)
        content = buffer.getvalue()
        taken = datetime(2010, 1, 1) + timedelta(days=61 * number)
        made.append((content[:2] + exif(number, taken) + b"\xff\xfe\x00\x0a", content[2:]))
    return made


def _write_folders(folder: str, seed: int, per_folder: int, count: int, numbers: range) -> int:
    templates = _templates(seed)
    written = 0
    for number in numbers:
        place = os.path.join(folder, f"{number // 100:03}", f"{number:05}")
        os.makedirs(place, exist_ok=True)
        for index in range(number * per_folder, min((number + 1) * per_folder, count)):
            before, after = templates[index % len(templates)]
            with open(f"{place}/{index:07}.jpg", "wb", buffering=0) as file:
                file.write(before + b"%08d" % index + after)
            written += 1
    return written


def make_tree(folder: str, count: int, per_folder: int = 1000, seed: int = 1) -> int:
    """Write `count` valid JPEGs of 1–2 kB, no two alike, `per_folder` to a folder; how many were written.

    A tree that was finished before, as a file beside it says, is left as it is; so a rescan finds it unchanged.
    """
    done = folder.rstrip("/\\") + ".complete"
    wanted = f"{count} {per_folder} {seed}"
    if os.path.exists(done):
        with open(done, encoding="ascii") as file:
            if file.read() == wanted:
                return 0
    cores = os.cpu_count() or 1
    folders = -(-count // per_folder)
    with ProcessPoolExecutor(cores, multiprocessing.get_context("spawn")) as pool:
        write = partial(_write_folders, folder, seed, per_folder, count)
        written = sum(pool.map(write, [range(core, folders, cores) for core in range(cores)]))
    with open(done, "w", encoding="ascii") as file:
        file.write(wanted)
    return written


def photos_in(folder: str) -> Iterator[str]:
    """The paths of all JPEGs below `folder`, in order."""
    for place, folders, names in os.walk(folder):
        folders.sort()
        yield from (os.path.join(place, name) for name in sorted(names) if name.lower().endswith(".jpg"))


def main() -> None:
    """Read the command line and write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["photos", "tree"])
    parser.add_argument("folder")
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--per-folder", type=int, default=1000, help="files to a folder of a tree")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.kind == "photos":
        size = make_photos(given.folder, given.count, given.seed)
        print(f"{given.count} photos, {size / max(given.count, 1) / 1e6:.2f} MB each")
    else:
        print(f"{make_tree(given.folder, given.count, given.per_folder, given.seed)} files written")


if __name__ == "__main__":
    main()
