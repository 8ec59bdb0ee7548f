"""A person's pictures as they might be: where they travelled, with what camera, what they wrote about it.

`plan` decides everything about every picture but its pixels, from a seed alone.
"""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from imager.demo.canvas import LIGHTS
from imager.demo.flowers import KINDS


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera, its lens, and how it names its files ('{n}' is a running number)."""

    make: str
    model: str
    lens: str
    f_numbers: tuple[float, ...]
    focal_lengths: tuple[float, ...]
    name: str
    shapes: tuple[tuple[int, int], ...]  # landscape, in pixels


PHONES = (
    Camera("Google", "Pixel 6", "Pixel 6 back camera 6.81mm f/1.85", (1.85,), (6.81,), "PXL_%Y%m%d_%H%M%S{ms}.jpg",
           ((1600, 1200), (1600, 900))),
    Camera("Apple", "iPhone 12", "iPhone 12 back dual wide camera 4.2mm f/1.6", (1.6,), (4.2,), "IMG_{n:04}.jpg",
           ((1600, 1200),)),
    Camera("samsung", "SM-G973F", "Samsung S10 rear camera", (1.5, 2.4), (4.32,), "%Y%m%d_%H%M%S.jpg",
           ((1600, 1200), (1600, 900))),
    Camera("HUAWEI", "P20 Pro", "Leica Vario-Summilux 1:1.6-2.4/27-80", (1.8,), (5.58,), "IMG_%Y%m%d_%H%M%S.jpg",
           ((1600, 1200),)),
)  # fmt: skip
CAMERAS = (
    Camera("SONY", "ILCE-7M3", "FE 24-105mm F4 G OSS", (4, 5.6, 8, 11), (24, 35, 50, 70, 105), "DSC{n:05}.JPG",
           ((1600, 1067),)),
    Camera("FUJIFILM", "X-T3", "XF16-55mmF2.8 R LM WR", (2.8, 4, 5.6, 8), (16, 23, 35, 55), "DSCF{n:04}.JPG",
           ((1600, 1067),)),
    Camera("Canon", "Canon EOS 6D Mark II", "EF24-70mm f/2.8L II USM", (2.8, 4, 8), (24, 35, 50, 70), "IMG_{n:04}.JPG",
           ((1600, 1067), (1600, 1067), (1280, 1280))),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scene:
    """What is drawn: the painter's name, the lights it suits, its words."""

    painter: str
    lights: tuple[str, ...]
    title: str  # '{light}' is 'Sunset', 'Morning' …
    caption: str
    tags: tuple[str, ...]  # hierarchical: levels parted by '|'


SCENES = {
    "sea": Scene("sea", ("sunset", "sunset", "golden", "day", "dusk"), "{light} over the sea",
                 "{light} over the sea, the light lies on the waves.", ("Nature|Sea", "Nature|Sky|Clouds")),
    "beach": Scene("beach", ("day", "day", "golden", "sunset"), "The beach",
                   "Waves run out on the sand, {words}.", ("Nature|Sea|Beach", "Holidays")),
    "mountains": Scene("mountains", ("dawn", "golden", "sunset", "day"), "{light} in the mountains",
                       "Ranges of mountains in the haze behind firs, {words}.", ("Nature|Mountains", "Nature|Forest")),
    "snow": Scene("snow", ("day", "day", "golden", "dawn", "dusk"), "Snow on the peaks",
                  "Mountains under fresh snow, {words}.", ("Nature|Mountains", "Winter|Snow")),
    "lake": Scene("lake", ("dawn", "day", "golden", "dusk"), "The lake",
                  "A still lake mirrors the mountains, {words}.", ("Nature|Lake", "Nature|Mountains")),
    "hills": Scene("hills", ("golden", "day", "dawn", "overcast"), "Hills and cypresses",
                   "Green hills with a row of cypresses, {words}.", ("Nature|Hills", "Nature|Trees|Cypress")),
    "field": Scene("field", ("day", "golden", "day", "overcast"), "Fields in bloom",
                   "Rows of flowers run to the horizon, {words}.", ("Nature|Flowers", "Nature|Fields")),
    "dunes": Scene("dunes", ("golden", "sunset", "day", "dawn"), "Dunes",
                   "Sand dunes with sharp crests, {words}.", ("Nature|Desert|Dunes",)),
    "woods": Scene("woods", ("dawn", "golden", "overcast"), "{light} in the woods",
                   "Light falls between the trunks of a misty forest.", ("Nature|Forest", "Weather|Mist")),
    "balloons": Scene("balloons", ("dawn", "dawn", "golden"), "Hot-air balloons",
                      "Hot-air balloons over misty valleys, {words}.", ("Balloons", "Nature|Sky")),
    "aurora": Scene("aurora", ("night",), "Northern lights",
                    "Green northern lights dance over the mountains.", ("Nature|Sky|Aurora", "Night")),
    "galaxy": Scene("galaxy", ("night",), "The Milky Way",
                    "The Milky Way and a thousand stars over dark hills.", ("Nature|Sky|Stars", "Night")),
    "moon": Scene("moon", ("night", "dusk"), "Full moon", "The full moon between clouds above the hills.",
                  ("Nature|Sky|Moon", "Night")),
    "skyline": Scene("skyline", ("night", "night", "dusk", "sunset"), "The skyline, {words}",
                     "Towers with lit windows, mirrored in the water, {words}.", ("City|Skyline", "City|Lights")),
    "houses": Scene("houses", ("golden", "day", "overcast", "dusk"), "Houses by the water",
                    "A row of colourful houses mirrored in the water, {words}.", ("City|Houses", "Architecture")),
    "lights": Scene("lights", ("night",), "City lights", "Lights of the city at night, out of focus on wet ground.",
                    ("City|Lights", "Night")),
    "flower": Scene("flower", ("day", "golden", "overcast"), "{flower}",
                    "One kind of flower from near: {flower}, {words}.",
                    ("Nature|Flowers|{flower}", "Macro")),
}  # fmt: skip
_LIGHT = {"dawn": ("Dawn", "at dawn"), "day": ("Midday", "at midday"), "golden": ("Evening", "in golden light"),
          "sunset": ("Sunset", "at sunset"), "dusk": ("Dusk", "at dusk"), "overcast": ("Grey day", "on a grey day"),
          "night": ("Night", "at night")}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trip:
    """A journey: when, where, and what there was to see."""

    month: str  # 'YYYY-MM'
    place: str
    country: str
    latitude: float
    longitude: float
    zone: str
    scenes: tuple[str, ...]


TRIPS = (
    Trip("2017-05", "Amsterdam", "Netherlands", 52.3740, 4.8897, "Europe/Amsterdam", ("houses", "field", "flower")),
    Trip("2017-09", "Arezzo", "Italy", 43.4633, 11.8796, "Europe/Rome", ("hills", "hills", "flower", "woods")),
    Trip("2018-02", "Zermatt", "Switzerland", 46.0207, 7.7491, "Europe/Zurich",
         ("snow", "snow", "galaxy", "mountains")),
    Trip("2018-06", "Valensole", "France", 43.8372, 5.9836, "Europe/Paris", ("field", "field", "flower", "hills")),
    Trip("2018-10", "New York", "United States", 40.7061, -73.9969, "America/New_York",
         ("skyline", "lights", "skyline")),
    Trip("2019-03", "Merzouga", "Morocco", 31.0802, -4.0134, "Africa/Casablanca", ("dunes", "galaxy", "dunes")),
    Trip("2019-07", "Lisbon", "Portugal", 38.6970, -9.2063, "Europe/Lisbon", ("sea", "houses", "beach", "sea")),
    Trip("2019-11", "Tokyo", "Japan", 35.6595, 139.7005, "Asia/Tokyo", ("lights", "skyline", "woods")),
    Trip("2020-01", "Tromsø", "Norway", 69.6489, 18.9551, "Europe/Oslo", ("aurora", "snow", "aurora", "lake")),
    Trip("2020-05", "Garden", "Germany", 52.5050, 13.3350, "Europe/Berlin", ("flower", "flower", "woods", "moon")),
    Trip("2020-08", "Hallstatt", "Austria", 47.5622, 13.6493, "Europe/Vienna", ("lake", "houses", "mountains")),
    Trip("2021-04", "Göreme", "Turkey", 38.6431, 34.8289, "Europe/Istanbul", ("balloons", "balloons", "dunes")),
    Trip("2021-07", "Burano", "Italy", 45.4853, 12.4167, "Europe/Rome", ("houses", "sea", "houses")),
    Trip("2021-12", "Queenstown", "New Zealand", -45.0312, 168.6626, "Pacific/Auckland",
         ("lake", "mountains", "galaxy")),
    Trip("2022-05", "Banff", "Canada", 51.1784, -115.5708, "America/Edmonton", ("lake", "snow", "woods", "mountains")),
    Trip("2022-09", "Oia, Santorini", "Greece", 36.4618, 25.3753, "Europe/Athens", ("sea", "sea", "houses", "moon")),
    Trip("2023-02", "Sydney", "Australia", -33.8688, 151.2093, "Australia/Sydney", ("beach", "skyline", "sea")),
    Trip("2023-06", "Isle of Skye", "United Kingdom", 57.4125, -6.1964, "Europe/London", ("mountains", "sea", "hills")),
    Trip("2023-10", "Hong Kong", "Hong Kong", 22.2855, 114.1577, "Asia/Hong_Kong", ("skyline", "lights", "sea")),
    Trip("2024-04", "Cape Town", "South Africa", -33.9258, 18.4232, "Africa/Johannesburg", ("beach", "flower", "sea")),
    Trip("2024-08", "Moab", "United States", 38.5733, -109.5498, "America/Denver", ("galaxy", "dunes", "mountains")),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """Everything about one picture file. A copy names the file it repeats; the rest then is the same."""

    path: str  # below the demo's folder, parted by '/'
    seed: int
    painter: str
    light: str
    width: int  # upright
    height: int
    taken: datetime  # on the clocks of the place
    trip: Trip
    latitude: float
    longitude: float
    camera: Camera
    iso: int
    exposure: tuple[int, int]  # seconds, as a fraction
    f_number: float
    focal_length: float
    orientation: int
    title: str
    caption: str | None
    tags: tuple[str, ...]
    rating: int | None
    metadata: str  # 'embedded', 'sidecar' or 'none'
    copy_of: str | None = None


def plan(count: int, seed: int) -> list[Shot]:
    """`count` picture files, in order of time; from four on, the last one is a copy of an earlier one."""
    rng = np.random.default_rng([seed, 0])
    shots: list[Shot] = []
    pictures = count - 1 if count >= 4 else count
    shares = np.linspace(0, pictures, len(TRIPS) + 1).round().astype(int)
    for number, trip in enumerate(TRIPS):
        shots += _journey(rng, seed, trip, number, range(int(shares[number]), int(shares[number + 1])))
    if count > pictures:
        best = next((s for s in shots if s.rating == 5), shots[len(shots) // 2])
        kind = best.path.rpartition(".")[2].lower()
        shots.append(replace(best, path=f"Best of/{best.title}.{kind}", copy_of=best.path))
    return shots


def _journey(rng: np.random.Generator, seed: int, trip: Trip, number: int, indices: range) -> Iterator[Shot]:
    """The pictures of one trip: a phone and a camera, some days of one month."""
    phone, camera = PHONES[rng.integers(len(PHONES))], CAMERAS[number % len(CAMERAS)]
    year, month = (int(part) for part in trip.month.split("-"))
    first = int(rng.integers(1, calendar.monthrange(year, month)[1] - 6))
    folder = f"{year}/{trip.month} {trip.place}"
    moments = []
    for i in indices:
        name = trip.scenes[i % len(trip.scenes)] if rng.random() < 0.9 else "flower"
        light = str(rng.choice(SCENES[name].lights))
        start, end = LIGHTS[light].hours
        hour = rng.uniform(start, end)
        taken = datetime(year, month, first) + timedelta(days=int(rng.integers(6)), hours=hour)
        moments.append((taken.replace(microsecond=int(rng.integers(1000)) * 1000), i, name, light))
    running = int(rng.integers(100, 7000))
    for taken, i, name, light in sorted(moments):
        running += int(rng.integers(1, 9))
        yield _shot(rng, trip, folder, seed * 100_000 + i, running, (taken, name, light), phone, camera)


def _shot(
    rng: np.random.Generator,
    trip: Trip,
    folder: str,
    seed: int,
    running: int,
    moment: tuple[datetime, str, str],
    phone: Camera,
    camera: Camera,
) -> Shot:
    taken, name, light = moment
    scene, number = SCENES[name], seed % 100_000
    used = phone if rng.random() < 0.45 else camera
    wide, high = used.shapes[rng.integers(len(used.shapes))]
    upright = rng.random() < (0.4 if name in ("flower", "woods", "lights") else 0.2)
    width, height = (high, wide) if upright else (wide, high)
    file = taken.strftime(used.name).format(n=running, ms=f"{taken.microsecond // 1000:03}")
    metadata = "embedded"
    # A few of each kind of file that people really have; fixed places, so that small demos have them too.
    if number % 29 == 5:
        file, metadata = taken.strftime("%Y-%m-%d %H.%M.%S.webp"), "embedded"
    elif number % 41 == 3:
        file, width, height = f"{name.capitalize()} {running}.png", 1200, 800
    elif number % 23 == 6:
        file, metadata = taken.strftime("IMG-%Y%m%d-WA") + f"{running:04}.jpg", "none"
    elif number == 1:
        metadata = "sidecar"
    fast = {"night": (2, 1), "dusk": (1, 30), "sunset": (1, 160), "dawn": (1, 125)}.get(light, (1, 500))
    turned = (6 if rng.random() < 0.7 else 8) if upright and rng.random() < 0.6 else 1
    title_word, words = _LIGHT[light]
    flower = str(rng.choice([kind.name for kind in KINDS])) if scene.painter == "flower" else ""
    fill = {"light": title_word, "words": words, "flower": flower}
    title = scene.title.format(**fill)
    title = f"{title[:1].upper()}{title[1:]}"
    tags = (*(tag.format(**fill) for tag in scene.tags), f"Places|{trip.country}|{trip.place}")
    spread = 0.012 if "skyline" not in name else 0.004
    return Shot(
        path=f"{folder}/{file}",
        seed=seed,
        painter=flower or scene.painter,
        light=light,
        width=width,
        height=height,
        taken=taken,
        trip=trip,
        latitude=round(trip.latitude + float(rng.normal(0, spread)) * 0.4, 6),
        longitude=round(trip.longitude + float(rng.normal(0, spread)) * 0.4, 6),
        camera=used,
        iso=int(rng.choice([1600, 3200] if light == "night" else [400, 800] if light == "dusk" else [64, 100, 200])),
        exposure=fast,
        f_number=float(rng.choice(used.f_numbers)),
        focal_length=float(rng.choice(used.focal_lengths)),
        orientation=turned if metadata != "none" and file.lower().endswith(".jpg") else 1,
        title=f"{title}, {trip.place}",
        caption=f"{scene.caption.format(**fill)} {trip.place}, {trip.country}." if rng.random() < 0.65 else None,
        tags=tags if rng.random() < 0.85 else (),
        rating=int(rng.choice([3, 4, 4, 5])) if rng.random() < 0.3 else None,
        metadata=metadata,
    )
