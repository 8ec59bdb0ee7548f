"""What all scenes are painted with: a canvas, noise, planes in perspective, light. Below `scenes`.

Colours are RGB, float32, 0 … 1, as displayed (sRGB). Noise comes from a few seamless tiles, made once: a picture
takes pieces of them at its own offsets, which is much faster than noise of its own, and looks no worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.floating[Any]]  # h × w × 3, or h × w for masks and noise; float32 wherever it is large
RGB = tuple[int, int, int]

TILE = 1024  # pixels, width and height of a tile of noise


@dataclass(frozen=True, slots=True)
class Light:
    """The colours of a time of day. The sun's height is in fractions of the sky above the horizon."""

    zenith: RGB
    middle: RGB
    horizon: RGB
    sun: RGB
    haze: RGB
    shade: RGB
    sun_height: tuple[float, float]
    glow: float
    hours: tuple[float, float]  # of local time, for the date in the metadata


LIGHTS = {
    "dawn": Light(
        (92, 116, 160), (196, 172, 182), (252, 212, 184), (255, 236, 205), (228, 198, 190), (48, 58, 78),
        (0.05, 0.3), 0.8, (5.5, 7.5),
    ),
    "day": Light(
        (38, 98, 172), (98, 156, 212), (200, 224, 240), (255, 252, 240), (186, 210, 228), (34, 56, 46),
        (0.6, 0.9), 0.45, (10, 16),
    ),
    "golden": Light(
        (96, 132, 172), (206, 190, 168), (255, 216, 148), (255, 238, 180), (246, 208, 152), (66, 52, 40),
        (0.12, 0.4), 0.9, (17, 19),
    ),
    "sunset": Light(
        (44, 52, 100), (166, 88, 112), (255, 158, 84), (255, 222, 150), (222, 124, 98), (34, 26, 44),
        (0.03, 0.2), 1.0, (18.5, 20.5),
    ),
    "dusk": Light(
        (14, 24, 60), (58, 68, 124), (220, 146, 136), (244, 176, 148), (104, 90, 134), (15, 17, 34),
        (-0.1, 0.0), 0.6, (20, 21.5),
    ),
    "overcast": Light(
        (138, 152, 164), (176, 186, 194), (216, 221, 222), (236, 237, 234), (202, 209, 212), (42, 54, 56),
        (0.5, 0.8), 0.3, (9, 17),
    ),
    "night": Light(
        (5, 9, 24), (13, 22, 48), (36, 52, 86), (222, 228, 240), (28, 42, 70), (5, 8, 15),
        (0.6, 0.85), 0.25, (21.5, 23.9),
    ),
}  # fmt: skip


@dataclass(slots=True)
class Canvas:
    """A picture being painted: its size, its own source of chance, its light, where horizon and sun are."""

    width: int
    height: int
    rng: np.random.Generator
    light: Light
    horizon: float  # pixels from the top
    sun: tuple[float, float]  # x, y in pixels
    pixels: Image

    @classmethod
    def blank(
        cls, width: int, height: int, rng: np.random.Generator, light: Light, horizon: tuple[float, float]
    ) -> Canvas:
        """An empty canvas whose horizon lies between two fractions of its height."""
        y = height * rng.uniform(*horizon)
        sun = (width * rng.uniform(0.18, 0.82), y * (1 - rng.uniform(*light.sun_height)))
        return cls(width, height, rng, light, y, sun, np.zeros((height, width, 3), np.float32))

    @property
    def unit(self) -> float:
        """The size of a thing of 1 in pixels: pictures of any size look alike."""
        return float(np.sqrt(self.width * self.height)) / 1000

    @property
    def dim(self) -> np.float32:
        """How bright things are that don't shine themselves, in this light."""
        return np.float32(min(1.0, 0.18 + sum(self.light.haze) / 620))

    def columns(self) -> Image:
        """The x of every column, 1 × w."""
        return np.arange(self.width, dtype=np.float32)[None]

    def rows(self, top: int = 0) -> Image:
        """The y of every row from `top` down, n × 1."""
        return np.arange(top, self.height, dtype=np.float32)[:, None]

    def blend(self, colour: Image, mask: Image, top: int = 0) -> None:
        """Lay a colour over the rows from `top` on (as many as the mask has), as far as the mask says."""
        part = self.pixels[top : top + mask.shape[0]]
        for rows in strips(part):
            here = colour if colour.ndim < 3 or colour.shape[0] == 1 else colour[rows]
            part[rows] += (here - part[rows]) * mask[rows, :, None]

    def line(self, roughness: float, detail: int, base: int = 2, ridged: bool = False) -> Image:
        """A fractal line over the width, w, about -1 … 1; ridged ones have sharp peaks."""
        total = np.zeros(self.width, np.float32)
        at = np.linspace(0, 1, self.width, dtype=np.float32)
        for octave in range(detail):
            count = base * 2**octave
            knots = self.rng.uniform(-1, 1, count + 3)
            wave = _smooth(at * count + self.rng.uniform(0, 1), knots)
            total += ((1 - 2 * np.abs(wave)) if ridged else wave) * np.float32(roughness**octave)
        return total


def rgb(colour: RGB) -> Image:
    """A colour of 0 … 255 as three numbers of 0 … 1."""
    return np.array(colour, np.float32) / 255


def mix(a: Image, b: Image, share: float | Image) -> Image:
    """From `a` (share 0) to `b` (share 1)."""
    if isinstance(share, float):
        return np.asarray(a + (b - a) * np.float32(share))
    shape = np.broadcast_shapes(a.shape, b.shape, share.shape)
    if len(shape) < 3:
        return np.asarray(a + (b - a) * share)
    result = np.empty(shape, np.float32)
    a, b, share = (np.broadcast_to(part, shape) for part in (a, b, share))
    for rows in strips(result):
        result[rows] = a[rows] + (b[rows] - a[rows]) * share[rows]
    return result


def strips(image: Image) -> Iterator[slice]:
    """Rows of an image in pieces that fit a processor's cache: large temporary arrays cost more than the sums."""
    height = max(1, 200_000 // max(1, image[0].size)) if len(image) else 1
    return (slice(top, top + height) for top in range(0, len(image), height))


def step(low: float, high: float, value: Image) -> Image:
    """0 below low, 1 above high, smooth between; falling if low is above high."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def blur(image: Image, radius: float) -> Image:
    """A Gaussian blur, on a smaller picture where nobody would see the difference."""
    height, width = image.shape[:2]
    factor = max(1, int(radius / 3))
    small = resize(image, max(2, width // factor), max(2, height // factor)) if factor > 1 else image
    soft = cv2.GaussianBlur(small, (0, 0), max(0.3, radius / factor), borderType=cv2.BORDER_REFLECT)
    return resize(np.asarray(soft, np.float32), width, height) if factor > 1 else np.asarray(soft, np.float32)


def resize(image: Image, width: int, height: int) -> Image:
    """The image at another size: averaged when smaller, smooth when larger."""
    smaller = width < image.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), np.float32)


@cache
def tile(kind: str) -> Image:
    """A seamless square of noise, mean 0, deviation 1: white noise whose spectrum falls with frequency.

    'cloud' is soft and billowing, 'wave' lies along x, 'grain' is fine, 'rock' between cloud and grain.
    """
    power, stretch, floor = {
        "cloud": (1.7, 1.0, 2.0),
        "rock": (1.25, 1.0, 4.0),
        "wave": (1.45, 3.2, 10.0),
        "grain": (0.55, 1.0, 24.0),
    }[kind]
    white = np.random.default_rng(len(kind) * 1000 + 17).standard_normal((TILE, TILE))
    fy = np.fft.fftfreq(TILE)[:, None] * TILE
    fx = np.fft.rfftfreq(TILE)[None] * TILE * stretch
    spectrum = np.fft.rfft2(white) / (np.hypot(fx, fy) + floor) ** power
    spectrum[0, 0] = 0
    noise = np.fft.irfft2(spectrum, s=(TILE, TILE))
    return np.asarray(noise / noise.std(), np.float32)


def sample(kind: str, x: Image, y: Image, offset: tuple[float, float] = (0, 0)) -> Image:
    """A tile of noise at any points, in its pixels; it repeats itself without a seam."""
    # As fast as can be: np.mod takes ten times as long as this.
    wrapped = (v - np.floor(v / TILE) * TILE for v in (x + np.float32(offset[0]), y + np.float32(offset[1])))
    map_x, map_y = np.broadcast_arrays(*wrapped)
    return np.asarray(
        cv2.remap(
            tile(kind),
            np.ascontiguousarray(map_x, np.float32),
            np.ascontiguousarray(map_y, np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        ),
        np.float32,
    )


def noise(canvas: Canvas, kind: str, scale: float, top: int = 0, stretch: float = 1.0) -> Image:
    """Noise over the rows from `top` on; scale 1 shows a tile over 1,000 units, larger is finer."""
    factor = np.float32(scale * TILE / (1000 * canvas.unit))
    offset = (canvas.rng.uniform(0, TILE), canvas.rng.uniform(0, TILE))
    return sample(kind, canvas.columns() * factor / np.float32(stretch), canvas.rows(top) * factor, offset)


def plane(canvas: Canvas, rows: int, near: float = 0.05) -> tuple[Image, Image, Image]:
    """A level plane in perspective below (or, upside down, above) a horizon: x, depth and nearness.

    x is n × w and depth n × 1, in thousands of units on the plane; nearness goes from 0 at the horizon, which is
    row 0, to 1.
    """
    close = (np.arange(rows, dtype=np.float32)[:, None] + 0.5) / max(rows, 1)
    depth = np.float32(1) / (close + np.float32(near))
    across = (canvas.columns() - np.float32(canvas.width * 0.5)) / np.float32(canvas.width)
    return across * depth, depth, close


def _smooth(at: Image, knots: NDArray[np.float64]) -> Image:
    """Cosine interpolation between knots at 0, 1, 2, …"""
    whole = np.minimum(at.astype(np.int64), len(knots) - 2)
    share = at - whole
    share = (1 - np.cos(share * np.pi)) / 2
    return np.asarray(knots[whole] * (1 - share) + knots[whole + 1] * share, np.float32)
