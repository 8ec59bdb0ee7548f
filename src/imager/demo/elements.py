"""What scenes share: sky, clouds, stars, ridges of hills, conifers, water that mirrors what is above it."""

from __future__ import annotations

import cv2
import numpy as np

from imager.demo.canvas import Canvas, Image, blur, mix, noise, plane, resize, rgb, sample, step


def sky(canvas: Canvas, clouds: float = 0.4, sun: bool = True) -> None:
    """Fill the canvas with sky: a gradient, the sun's glow, and clouds on a plane in perspective.

    `clouds` is the share of the sky that they cover, about 0 … 1. Painted at half size: there is nothing sharp.
    """
    light, rng = canvas.light, canvas.rng
    half = Canvas(
        canvas.width // 2,
        canvas.height // 2,
        rng,
        light,
        canvas.horizon / 2,
        (canvas.sun[0] / 2, canvas.sun[1] / 2),
        np.zeros((canvas.height // 2, canvas.width // 2, 3), np.float32),
    )
    height = np.clip(half.rows() / np.float32(half.horizon), 0, 1)[..., None]
    low, high = step(0.45, 1.0, height), step(0.0, 0.6, height)
    gradient = mix(mix(rgb(light.zenith), rgb(light.middle), high), rgb(light.horizon), low)
    half.pixels[:] = gradient
    away = np.hypot(half.columns() - np.float32(half.sun[0]), (half.rows() - np.float32(half.sun[1])) * 1.35)
    away /= np.float32(half.unit * 1000)
    halo = np.exp(-((away / 0.30) ** 1.15)) * np.float32(light.glow * 0.75)
    half.blend(rgb(light.sun), np.asarray(np.clip(halo, 0, 1), np.float32))
    if clouds > 0.02:
        _clouds(half, clouds, away)
    canvas.pixels[:] = resize(half.pixels, canvas.width, canvas.height)
    if sun and light.glow > 0.4 and canvas.sun[1] < canvas.horizon:
        disc(canvas, canvas.sun, 17 * canvas.unit, rgb(light.sun) * 0.25 + 0.75, glow=5.0)


def _clouds(half: Canvas, cover: float, away: Image) -> None:
    """Clouds at half size; their edges towards the sun are lit."""
    light, rng = half.light, half.rng
    rows = max(8, int(half.horizon) + 1)
    x, depth, close = plane(half, rows, near=0.16)
    x, depth, close = x[::-1], depth[::-1], close[::-1]
    offset = (rng.uniform(0, 1024), rng.uniform(0, 1024))
    scale = np.float32(rng.uniform(70, 130))
    u, v = x * scale * np.float32(1.5), depth * scale
    body = sample("cloud", u, v, offset)
    toward = (offset[0] + (9 if half.sun[0] > half.width / 2 else -9), offset[1] + 12)
    lit = np.clip((body - sample("cloud", u, v, toward)) * 0.9 + 0.45, 0, 1)
    density = step(1.15 - 2.3 * cover, 2.3 - 2.3 * cover, body + 0.25 * sample("rock", u * 2, v * 2, offset))
    density *= step(0.0, 0.12, close)
    near_sun = np.exp(-away[:rows] / 0.35) * np.float32(light.glow)
    bright = mix(rgb(light.horizon), rgb(light.sun), np.clip(near_sun + 0.35, 0, 1)[..., None])
    dark = mix(rgb(light.middle), rgb(light.haze), 0.45) * np.float32(0.86)
    colour = mix(dark, bright, lit[..., None])
    half.blend(np.asarray(colour, np.float32)[: half.height], (density * 0.88)[: half.height])


def disc(canvas: Canvas, at: tuple[float, float], radius: float, colour: Image, glow: float) -> None:
    """A bright disc, as the sun or the moon, with light around it that reaches `glow` radii."""
    reach = int(radius * glow * 3)
    top, bottom = max(0, int(at[1]) - reach), min(canvas.height, int(at[1]) + reach)
    left, right = max(0, int(at[0]) - reach), min(canvas.width, int(at[0]) + reach)
    if top >= bottom or left >= right:
        return
    y = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(at[1])
    x = np.arange(left, right, dtype=np.float32)[None] - np.float32(at[0])
    away = np.hypot(x, y) / np.float32(radius)
    mask = step(1.06, 0.94, away) + 0.55 * np.exp(-((away / np.float32(glow)) ** 2) * 2.2)
    part = canvas.pixels[top:bottom, left:right]
    part += (colour - part) * np.clip(mask, 0, 1)[..., None]


def stars(canvas: Canvas, count: int, bottom: float) -> None:
    """Stars down to a row, few bright and many faint, some bluish and some warm."""
    rng = canvas.rng
    layer = np.zeros_like(canvas.pixels)
    x = rng.integers(0, canvas.width, count)
    y = (rng.uniform(0, 1, count) * bottom).astype(np.int64)
    strength = rng.pareto(1.9, count).clip(0.08, 9)[:, None]
    tint = rng.uniform(-0.16, 0.16, count)[:, None] * np.array([[1, 0, -1]])
    layer[y, x] = (strength * (0.9 + tint)).astype(np.float32)
    small = cv2.GaussianBlur(layer, (0, 0), 0.75 * max(canvas.unit, 0.6))
    canvas.pixels += small * np.float32(1.7) + blur(layer, 4 * canvas.unit) * np.float32(2.2)


def ridge(
    canvas: Canvas,
    line: Image,
    distance: float,
    *,
    mist: float = 0.5,
    snow: float = 0.0,
    shade: Image | None = None,
    bottom: int | None = None,
) -> None:
    """Hills below a line (y of each column): hazy at distance 1, in their own colour at 0.

    `mist` pales their feet; `snow` is the share that lies under snow. Slopes are lit from the sun's side. What
    will be hidden below a row `bottom` is left out.
    """
    light = canvas.light
    top = int(max(0, min(line.min() - 2, canvas.height - 1)))
    rows = canvas.rows(top)[: None if bottom is None else max(1, bottom - top)]
    below = rows - line[None]
    mask = np.clip(below + 0.5, 0, 1)
    base = rgb(light.shade) if shade is None else shade
    colour = mix(base, rgb(light.haze), float(distance**0.7))
    # Rock and woods: noise drawn down the slopes, and its difference across as light from one side.
    factor = np.float32(0.85 / canvas.unit)
    offset = (canvas.rng.uniform(0, 1024), canvas.rng.uniform(0, 1024))
    u, v = canvas.columns() * factor, rows * factor * 0.62 - line[None] * factor * 0.4
    side = 5.0 if canvas.sun[0] > canvas.width / 2 else -5.0
    rock = sample("cloud", u, v, offset)
    slope = (rock - sample("cloud", u, v, (offset[0] + side, offset[1] - 3))) * np.float32(1.5)
    if snow > 0:  # couloirs and rocks that stick out
        fine = (offset[0] * 2, offset[1] * 2)
        slope = slope * np.float32(0.7) + np.float32(0.3) * (
            sample("rock", u * 1.7, v * 1.3, fine) - sample("rock", u * 1.7, v * 1.3, (fine[0] + side, fine[1] - 3))
        )
    contrast = ((1 - distance) ** 1.5 * 0.11 + 0.008) * (1.0 if shade is None else 0.45)
    shaded = colour * (1 + slope * np.float32(contrast) + rock * np.float32(contrast * 0.6))[..., None]
    if snow > 0:
        high = 1 - below / np.float32(canvas.height * 0.26)
        cover = step(1.0 - snow - 0.12, 1.0 - snow + 0.16, high + rock * 0.12 + slope * 0.26)
        white = mix(rgb((236, 241, 250)), rgb(light.haze), float(distance**0.7) * 0.75)
        lit = np.clip(0.90 + slope * np.float32(0.26 * (1 - 0.6 * distance)), 0.5, 1.06)[..., None]
        warm = mix(white, white * rgb(light.sun), 0.45)
        shaded = mix(shaded, warm * lit * _exposure(light.haze), cover[..., None])
    foot = np.clip(below / np.float32(canvas.height * 0.22), 0, 1) ** 1.3 * np.float32(mist)
    shaded = mix(shaded, rgb(light.haze), foot[..., None])
    canvas.blend(np.asarray(shaded, np.float32), np.asarray(mask, np.float32), top)


def _exposure(colour: tuple[int, int, int]) -> float:
    """How bright things are in this light: snow at night is not white."""
    return float(min(1.0, 0.22 + sum(colour) / 560))


def conifers(canvas: Canvas, ground: Image, count: int, size: tuple[float, float], shade: Image) -> None:
    """Firs whose feet stand on a line; sizes are in units."""
    rng = canvas.rng
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    for x in np.sort(rng.uniform(-0.02, 1.02, count)) * canvas.width:
        foot = float(ground[int(np.clip(x, 0, canvas.width - 1))]) + 6 * canvas.unit
        tall = rng.uniform(*size) * canvas.unit * rng.uniform(0.6, 1.0)
        wide = tall * rng.uniform(0.15, 0.22)
        levels = int(rng.integers(9, 15))
        t = np.repeat(np.linspace(0, 1, levels), 2)[1:]
        out = t * wide * np.where(np.arange(len(t)) % 2, 1.0, 0.52) * rng.uniform(0.8, 1.2, len(t))
        y = foot - tall * (1 - t) + np.where(np.arange(len(t)) % 2, 0.02, 0) * tall
        points = np.concatenate([np.stack([x - out, y], 1), np.stack([x + out, y], 1)[::-1]])
        cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    top = int(np.flatnonzero(mask.any(axis=1))[0]) if mask.any() else 0
    canvas.blend(shade, mask[top:].astype(np.float32) / 255, top)


def water(canvas: Canvas, shore: float, *, rough: float, deep: Image, clear: float = 0.72) -> None:
    """Water from a row down to the bottom; it mirrors what stands above that row.

    `rough` is 0.1 for a pond and 1 for the open sea, `clear` how much it mirrors at most.
    """
    top = int(shore)
    rows = canvas.height - top
    if rows < 4:
        return
    x, depth, close = plane(canvas, rows, near=0.045)
    rng = canvas.rng
    offset, other = ((rng.uniform(0, 1024), rng.uniform(0, 1024)) for _ in range(2))
    swell = sample("wave", x * 300, depth * 420, offset)
    ripple = sample("wave", x * 760 + depth * 60, depth * 900, other)
    tilt = (swell * 0.65 + ripple * 0.45) * np.float32(rough)
    reach = np.float32(canvas.height) * (0.012 + 0.16 * close)
    up = top - 1 - np.arange(rows, dtype=np.float32)[:, None] * np.float32(min(0.92, top / max(rows, 1)))
    from_y = np.clip(up - np.abs(tilt) * reach * 1.5 + tilt * reach * 0.4, 0, top - 1)
    from_x = canvas.columns() + ripple * np.float32(rough * 14 * canvas.unit) * (0.3 + close)
    mirror = cv2.remap(
        canvas.pixels[:top],
        np.ascontiguousarray(from_x, np.float32),
        np.ascontiguousarray(from_y, np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    steep = np.clip(close + tilt * (0.12 + 0.25 * close), 0, 1)
    share = np.clip(clear * (1 - 0.62 * steep**0.8) + 0.1 * tilt, 0.06, 1)
    colour = mix(deep, np.asarray(mirror, np.float32), share[..., None])
    canvas.pixels[top:] = colour * (1 + np.clip(tilt, -1.5, 1.5) * 0.05)[..., None]


def glitter(canvas: Canvas, shore: float, strength: float) -> None:
    """The sun's road on the water: sparks that are dense below the sun and get larger towards us."""
    top = int(shore)
    rows = canvas.height - top
    x, depth, close = plane(canvas, rows, near=0.05)
    offset = (canvas.rng.uniform(0, 1024), canvas.rng.uniform(0, 1024))
    spark = sample("wave", x * 900, depth * 1100, offset)
    spread = np.float32(canvas.width) * (0.03 + 0.10 * close)
    road = np.exp(-(((canvas.columns() - np.float32(canvas.sun[0])) / spread) ** 2))
    mask = step(0.55, 1.6, spark + road * 1.3 - 0.55) * road * np.float32(strength) * (1 - 0.55 * close)
    canvas.blend(rgb(canvas.light.sun), np.asarray(np.clip(mask, 0, 1), np.float32), top)
    around = np.exp(-np.abs(canvas.rows(top) - shore) / np.float32(10 * canvas.unit)) * road * 0.5
    canvas.blend(rgb(canvas.light.sun), np.asarray(around * strength, np.float32), top)


def grass(canvas: Canvas, line: Image, low: Image, high: Image) -> None:
    """A meadow below a line, from one colour (its shadows) to another (its tips)."""
    top = int(max(0, line.min() - 1))
    if top >= canvas.height:
        return
    below = canvas.rows(top) - line[None]
    blades = noise(canvas, "grain", 1.6, top, stretch=0.35) + noise(canvas, "rock", 0.8, top)
    near = np.clip(below / np.float32(canvas.height * 0.5), 0, 1)
    share = np.clip(0.55 + blades * (0.08 + 0.14 * near) - 0.25 * near, 0, 1)
    canvas.blend(mix(low, high, share[..., None]), np.asarray(np.clip(below + 0.5, 0, 1), np.float32), top)
