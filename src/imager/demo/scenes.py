"""All scenes by name, and the last touch that every picture gets: contrast, dark corners, grain."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from imager.demo import coast, flowers, nature, town
from imager.demo.canvas import LIGHTS, Canvas, noise, resize, strips

# What paints it, and between which fractions of the height the horizon lies.
_SCENES: dict[str, tuple[Callable[[Canvas], None], tuple[float, float]]] = {
    "aurora": (nature.aurora, (0.62, 0.74)),
    "balloons": (nature.balloons, (0.70, 0.80)),
    "beach": (coast.beach, (0.32, 0.42)),
    "dunes": (nature.dunes, (0.35, 0.50)),
    "field": (nature.field, (0.40, 0.50)),
    "galaxy": (nature.galaxy, (0.80, 0.88)),
    "hills": (nature.hills, (0.35, 0.45)),
    "houses": (town.houses, (0.60, 0.70)),
    "lake": (nature.lake, (0.50, 0.60)),
    "lights": (town.lights, (0.50, 0.60)),
    "moon": (nature.moon, (0.70, 0.80)),
    "mountains": (nature.mountains, (0.50, 0.62)),
    "sea": (coast.sea, (0.45, 0.60)),
    "skyline": (town.skyline, (0.52, 0.60)),
    "snow": (nature.snow, (0.50, 0.60)),
    "woods": (nature.woods, (0.40, 0.50)),
}
PAINTERS = _SCENES | {kind.name: (partial(flowers.flower, kind), (0.5, 0.6)) for kind in flowers.KINDS}


_DETAIL = 0.75  # painted at this share of the size; the grain, at full size, is the finest thing to be seen


def paint(painter: str, light: str, width: int, height: int, seed: int) -> NDArray[np.uint8]:
    """A picture, h × w × 3, RGB. The same arguments give the same picture."""
    brush, horizon = PAINTERS[painter]
    size = (max(32, round(width * _DETAIL)), max(32, round(height * _DETAIL)))
    canvas = Canvas.blank(*size, np.random.default_rng([seed, 1]), LIGHTS[light], horizon)
    brush(canvas)
    pixels = resize(canvas.pixels, width, height)
    canvas = Canvas(width, height, canvas.rng, canvas.light, 0, (0, 0), pixels)
    across = np.linspace(-1, 1, width, dtype=np.float32) ** 2
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] ** 2
    grain = noise(canvas, "grain", 1.9) * np.float32(0.006 * 255) + np.float32(0.5)
    picture = np.empty((height, width, 3), np.uint8)
    for rows in strips(pixels):
        part = np.clip(pixels[rows], 0, 1)
        part += (part * part * (3 - 2 * part) - part) * np.float32(0.22)
        part *= ((1 - 0.10 * across) * (255 - 25.5 * down[rows]))[..., None]
        picture[rows] = np.clip(part + grain[rows, :, None], 0, 255)
    return picture
