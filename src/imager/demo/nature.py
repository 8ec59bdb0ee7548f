"""Scenes on land: mountains, lakes, hills, fields, dunes, woods, balloons, the sky at night."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from imager.demo.canvas import Canvas, Image, blur, mix, noise, plane, resize, rgb, sample, step
from imager.demo.elements import conifers, disc, grass, ridge, sky, stars, water

_BLOSSOMS = (
    ((206, 58, 66), (240, 128, 112)),
    ((132, 98, 190), (182, 150, 222)),
    ((226, 176, 40), (250, 222, 110)),
    ((214, 92, 142), (246, 168, 196)),
)


def _ranges(canvas: Canvas, layers: int, tall: float, *, snow: float, mist: float, ridged: bool = True) -> Image:
    """Ranges of hills one before the other; gives the line of the nearest."""
    unit = np.float32(canvas.height * tall)
    lines = []
    for layer in range(layers):
        near = layer / max(layers - 1, 1)
        shape = canvas.line(0.47, 8, base=2 + int(layer % 2), ridged=ridged and near < 0.8)
        lift = (1 - near) ** 1.1 * 0.62 - 0.30 * near
        lines.append(np.float32(canvas.horizon) - unit * (np.float32(lift) + shape * np.float32(0.36 - 0.16 * near)))
    for layer, line in enumerate(lines):
        near = layer / max(layers - 1, 1)
        hidden = int(lines[layer + 1].max()) + 2 if layer + 1 < layers else None
        ridge(
            canvas,
            line,
            (1 - near) * 0.92,
            mist=mist * (1 - 0.5 * near),
            snow=snow * (1 - near**1.5),
            bottom=hidden,
        )
    return lines[-1]


def mountains(canvas: Canvas) -> None:
    """Ranges that fade into the haze, firs in front."""
    rng = canvas.rng
    sky(canvas, rng.uniform(0.15, 0.5))
    line = _ranges(canvas, int(rng.integers(4, 7)), rng.uniform(0.30, 0.42), snow=0.0, mist=0.75)
    shade = rgb(canvas.light.shade)
    front = line * 0.35 + np.float32(canvas.height * 0.55) + canvas.line(0.45, 4) * np.float32(canvas.height * 0.03)
    ridge(canvas, front, 0.05, mist=0.1, shade=shade * 0.75)
    conifers(canvas, front, int(rng.integers(60, 130)), (60, 190), shade * 0.55)


def snow(canvas: Canvas) -> None:
    """Mountains under snow, a slope with firs in front."""
    rng = canvas.rng
    sky(canvas, rng.uniform(0.05, 0.35))
    _ranges(canvas, 3, rng.uniform(0.38, 0.46), snow=0.8, mist=0.35)
    front = np.float32(canvas.height * rng.uniform(0.74, 0.82)) + canvas.line(0.4, 4) * np.float32(canvas.height * 0.05)
    _snowfield(canvas, np.asarray(front, np.float32))
    conifers(canvas, front, int(rng.integers(40, 90)), (50, 150), rgb(canvas.light.shade) * 0.8)


def _snowfield(canvas: Canvas, line: Image) -> None:
    """Smooth snow below a line: bluish hollows, drifts lit from the sun's side."""
    top = int(max(0, min(line.min() - 2, canvas.height - 1)))
    below = canvas.rows(top) - line[None]
    scale = np.float32(0.22 / canvas.unit)
    offset = (canvas.rng.uniform(0, 1024), canvas.rng.uniform(0, 1024))
    side = 7 if canvas.sun[0] > canvas.width / 2 else -7
    u, v = canvas.columns() * scale, below * scale * 2.6
    drift = sample("cloud", u, v, offset) - sample("cloud", u, v, (offset[0] + side, offset[1] - 7))
    light = np.clip(0.72 + blur(drift, 9 * canvas.unit) * 0.2 - below / np.float32(canvas.height) * 0.5, 0, 1)
    bright = mix(rgb((250, 251, 253)), rgb(canvas.light.sun), 0.5)
    dark = mix(rgb((176, 196, 226)), rgb(canvas.light.middle), 0.45)
    sparkle = 1 + noise(canvas, "grain", 2.4, top)[..., None] * 0.008
    colour = mix(dark, bright, light[..., None]) * canvas.dim * sparkle
    canvas.blend(np.asarray(colour, np.float32), np.asarray(np.clip(below + 0.5, 0, 1), np.float32), top)


def lake(canvas: Canvas) -> None:
    """Mountains that a still lake mirrors."""
    rng = canvas.rng
    sky(canvas, rng.uniform(0.1, 0.45))
    line = _ranges(
        canvas, int(rng.integers(3, 5)), rng.uniform(0.42, 0.55), snow=float(rng.choice([0.0, 0.6])), mist=0.5
    )
    shore = canvas.horizon + canvas.height * 0.05
    bank = np.minimum(line, shore) * 0.12 + np.float32(shore * 0.88) - 6 * np.float32(canvas.unit)
    ridge(canvas, bank, 0.16, mist=0.0)
    conifers(canvas, bank, int(rng.integers(220, 420)), (16, 58), rgb(canvas.light.shade) * 0.7)
    deep = rgb([(14, 62, 78), (12, 44, 56), (22, 84, 88)][rng.integers(3)]) * canvas.dim
    water(canvas, shore, rough=rng.uniform(0.08, 0.25), deep=deep, clear=0.86)


def hills(canvas: Canvas) -> None:
    """Soft green hills with a line of cypresses."""
    rng = canvas.rng
    sky(canvas, rng.uniform(0.25, 0.6))
    greens = [(96, 128, 70), (128, 142, 70), (150, 146, 78), (84, 116, 58)]
    unit = np.float32(canvas.height)
    for layer in range(5):
        near = layer / 4
        line = np.float32(canvas.horizon + unit * (0.03 + 0.10 * layer * (1 + 0.12 * layer))) - unit * 0.06 * (
            canvas.line(0.35, 3, base=1 + layer % 2)
        ) * np.float32(0.7 + near * 0.5)
        green = rgb(greens[(layer + int(rng.integers(4))) % 4]) * canvas.dim
        if layer < 3:
            ridge(canvas, line, (1 - near) * 0.55, mist=0.5, shade=green)
        else:
            grass(canvas, line, mix(green, rgb(canvas.light.shade), 0.55), mix(green, rgb(canvas.light.sun), 0.2))
        if layer in (1, 2, 3):
            _cypresses(canvas, line, near)


def _cypresses(canvas: Canvas, line: Image, near: float) -> None:
    rng = canvas.rng
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    start, gap = rng.uniform(0.05, 0.7), rng.uniform(0.02, 0.04) * (0.5 + near)
    for i in range(int(rng.integers(4, 11))):
        x = (start + i * gap + rng.uniform(-0.2, 0.2) * gap) * canvas.width
        if not 0 <= x < canvas.width:
            continue
        tall = (20 + 90 * near**1.5) * canvas.unit * rng.uniform(0.8, 1.2)
        foot = float(line[int(x)]) + 2 * canvas.unit
        t = np.linspace(0, 1, 24)
        out = tall * 0.105 * np.sin(np.pi * t**0.75) ** 0.7 * rng.uniform(0.85, 1.1, 24)
        y = foot - tall * (1 - t)
        outline = np.concatenate([np.stack([x - out, y], 1), np.stack([x + out, y], 1)[::-1]])
        cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    shade = mix(rgb((34, 56, 38)), rgb(canvas.light.haze), (1 - near) * 0.5) * canvas.dim
    canvas.blend(shade, mask.astype(np.float32) / 255)


def field(canvas: Canvas) -> None:
    """Rows of flowers that run towards the horizon."""
    rng = canvas.rng
    sky(canvas, rng.uniform(0.2, 0.6))
    far = np.float32(canvas.horizon) - np.float32(canvas.height * 0.05) * (0.6 + canvas.line(0.4, 5))
    ridge(canvas, far, 0.55, mist=0.5, shade=rgb((70, 96, 66)) * canvas.dim)
    top = int(canvas.horizon)
    x, depth, close = plane(canvas, canvas.height - top, near=0.07)
    lean = rng.uniform(-0.25, 0.25)
    across = x + lean * depth
    beds = np.cos(across * np.float32(2 * np.pi * rng.uniform(4.5, 7.5)))
    bloom = step(-0.45, 0.35, beds + 0.25 * sample("grain", across * 260, depth * 240))
    dark, bright = (rgb(c) for c in _BLOSSOMS[rng.integers(len(_BLOSSOMS))])
    dots = sample("grain", across * 700, depth * 620)
    flowers = mix(dark, bright, np.clip(0.5 + dots * 0.32 * (0.35 + close), 0, 1)[..., None])
    leaves = mix(rgb((38, 62, 32)), rgb((116, 148, 66)), np.clip(0.4 + dots * 0.3, 0, 1)[..., None])
    ground = mix(leaves, flowers, bloom[..., None]) * canvas.dim
    ground = ground * (0.72 + 0.28 * step(-1, 0.6, beds))[..., None]
    haze = np.exp(-close * 9) * 0.6
    ground = mix(ground, rgb(canvas.light.haze), np.broadcast_to(haze, bloom.shape)[..., None])
    canvas.blend(np.asarray(ground, np.float32), np.ones(bloom.shape, np.float32), top)


def dunes(canvas: Canvas) -> None:
    """Sand: each dune has a lit flank, a crest that winds down, and a flank in the shadow."""
    rng = canvas.rng
    sky(canvas, rng.uniform(0.0, 0.22))
    lit_sand, dark_sand = mix(rgb((232, 164, 96)), rgb(canvas.light.sun), 0.2), rgb((142, 74, 44))
    columns = canvas.columns()
    for layer in range(5):
        near = layer / 4
        swell = canvas.line(0.32, 3, base=1 + layer % 2)
        line = (
            np.float32(canvas.horizon + canvas.height * (0.02 + 0.125 * layer))
            - np.float32(canvas.height * (0.05 + 0.09 * near)) * swell
        )
        top = int(max(0, line.min() - 1))
        if top >= canvas.height:
            continue
        rows = canvas.rows(top)
        below = (rows - line[None]) / np.float32(canvas.height)
        peak = int(np.argmin(line[int(canvas.width * 0.1) : int(canvas.width * 0.9)])) + canvas.width // 10
        down = (rows - line[peak]) / np.float32(canvas.height)
        winding = np.sin(down * np.float32(9) + np.float32(rng.uniform(0, 6))) * 0.05 + down * rng.uniform(-0.5, 0.9)
        side = columns / np.float32(canvas.width) - np.float32(peak / canvas.width) - winding
        side = side if canvas.sun[0] > canvas.width / 2 else -side
        soft = np.float32(0.004) + np.clip(down, 0, 1) * 0.25
        lit = 1 / (1 + np.exp(np.clip(-side / soft, -30, 30)))
        lit = lit * (0.82 + 0.18 * np.exp(-np.abs(side) * 7))
        ripples = np.sin(
            (below * 420 / (0.4 + near) + side * 90 + noise(canvas, "rock", 0.5, top) * 1.1) * np.float32(1.0)
        ) * np.clip(below * 7, 0, 1)
        lit = np.clip(lit + ripples * 0.035 * near, 0, 1)
        colour = mix(dark_sand, lit_sand, lit[..., None]) * canvas.dim
        far = (1 - near) * 0.6
        colour = mix(colour, rgb(canvas.light.haze), float(far))
        mask = np.clip(rows - line[None] + 0.5, 0, 1)
        canvas.blend(np.asarray(colour, np.float32), np.asarray(mask, np.float32), top)


def woods(canvas: Canvas) -> None:
    """Trunks in the mist, rays of light between them."""
    rng, light = canvas.rng, canvas.light
    rows, columns = canvas.rows(), canvas.columns()
    at = np.hypot((columns - canvas.sun[0]) / canvas.width, (rows - canvas.height * 0.3) / canvas.height)
    back = mix(rgb(light.haze), rgb(light.sun), np.exp(-((at / 0.35) ** 1.6))[..., None])
    canvas.pixels[:] = back * np.float32(0.96)
    bark, foliage, moss = (
        noise(canvas, "rock", 1.2, stretch=0.22),
        noise(canvas, "rock", 0.9),
        noise(canvas, "grain", 1.3),
    )
    for layer in range(5):
        near = layer / 4
        haze = float((1 - near) ** 1.2 * 0.9)
        mask = np.zeros((canvas.height, canvas.width), np.uint8)
        foot = canvas.height * (0.66 + 0.26 * near)
        for x in rng.uniform(-0.05, 1.05, int(26 - 17 * near)) * canvas.width:
            _trunk(canvas, mask, x, foot, near)
        shade = mix(rgb((26, 34, 26)), rgb(light.haze), haze)
        cover = mask.astype(np.float32) / 255
        texture = 1 + bark * np.float32(0.05 + 0.10 * near)
        canvas.blend(np.asarray(shade * texture[..., None], np.float32), cover)
        top = int(canvas.height * 0.62)
        shift = int(rng.integers(canvas.width))
        leaves = np.roll(foliage + moss * 0.35, shift, 1)[:top]
        crown = step(0.2, 1.0, leaves + (foot * 0.36 - rows[:top]) / np.float32(canvas.height * 0.18))
        leaf = mix(
            mix(rgb((62, 86, 40)), rgb(light.haze), haze * 0.9),
            rgb(light.sun),
            np.exp(-at[:top] / 0.3)[..., None] * 0.35,
        )
        canvas.blend(np.asarray(leaf, np.float32), np.asarray(crown * np.float32(0.75 * near), np.float32))
        ground = np.float32(foot) + canvas.line(0.5, 6) * np.float32(canvas.height * 0.02)
        floor = mix(rgb((58, 66, 34)), rgb(light.haze), haze)
        grass(canvas, ground, floor * 0.6, mix(floor, rgb(light.sun), 0.22))
    angle = np.arctan2(rows + canvas.height * 0.25, columns - np.float32(canvas.sun[0]))
    rays = sample("cloud", angle * 260, np.zeros_like(angle), (rng.uniform(0, 1024), rng.uniform(0, 1024)))
    beams = step(0.1, 1.6, rays) * np.exp(-rows / np.float32(canvas.height * 0.6)) * np.float32(0.5 * light.glow)
    canvas.blend(rgb(light.sun), blur(np.asarray(beams, np.float32), 4 * canvas.unit))


def _trunk(canvas: Canvas, mask: NDArray[np.uint8], x: float, foot: float, near: float) -> None:
    """The outline of a trunk that leans a little and widens at its foot."""
    rng = canvas.rng
    wide = (6 + 44 * near**1.7) * canvas.unit * rng.uniform(0.6, 1.2)
    lean = rng.uniform(-0.05, 0.05) * canvas.height
    t = np.linspace(0, 1, 10)
    bend = np.sin(t * np.pi) * rng.uniform(-8, 8) * canvas.unit * near
    spread = wide / 2 * (0.72 + 0.28 * t + 4.8 * np.clip(t - 0.93, 0, 1))
    middle = x + lean * (1 - t) + bend
    y = -10 + (foot + 20 * canvas.unit) * t
    outline = np.concatenate([np.stack([middle - spread, y], 1), np.stack([middle + spread, y], 1)[::-1]])
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)


def balloons(canvas: Canvas) -> None:
    """Hot-air balloons over misty valleys."""
    rng = canvas.rng
    sky(canvas, rng.uniform(0.05, 0.35))
    _ranges(canvas, 4, 0.2, snow=0.0, mist=0.85, ridged=False)
    colours = [(196, 62, 52), (232, 168, 56), (58, 96, 142), (238, 226, 204), (120, 64, 98), (70, 128, 116)]
    for i in range(int(rng.integers(6, 14))):
        near = (i + 1) / 13
        size = canvas.unit * (14 + 105 * near**2.2) * rng.uniform(0.8, 1.15)
        x = canvas.width * rng.uniform(0.06, 0.94)
        y = canvas.horizon * rng.uniform(0.14, 0.95 - 0.25 * near)
        a, b = (rgb(colours[k]) for k in rng.choice(len(colours), 2, replace=False))
        _balloon(canvas, x, y, size, mix(a, rgb(canvas.light.haze), 0.5 * (1 - near)), b, near)


def _balloon(canvas: Canvas, x: float, y: float, size: float, a: Image, b: Image, near: float) -> None:
    top, bottom = int(y - size * 1.1), int(y + size * 1.75)
    left, right = int(x - size * 1.1), int(x + size * 1.1)
    if top < 0 or left < 0 or bottom > canvas.height or right > canvas.width or right - left < 4:
        return
    v = (np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(y)) / np.float32(size)
    u = (np.arange(left, right, dtype=np.float32)[None] - np.float32(x)) / np.float32(size)
    half = np.where(
        v < 0.15, np.sqrt(np.clip(1 - (v / 1.02) ** 2, 0, 1)), np.clip(1.06 - 0.86 * np.abs(v) ** 1.25, 0, 1)
    )
    half = np.where(v > 1.18, 0, half)
    pixel = np.float32(1 / size)
    mask = np.clip((half - np.abs(u)) / pixel + 0.5, 0, 1) * (v > -1.02)
    around = np.arcsin(np.clip(u / np.maximum(half, 0.02), -1, 1))
    gore = step(-0.25, 0.25, np.sin(around * 7))
    colour = mix(a, mix(b, rgb(canvas.light.haze), 0.4 * (1 - near)), gore[..., None])
    side = u if canvas.sun[0] > canvas.width / 2 else -u
    shading = 0.72 + 0.34 * np.clip(side * 0.9 - v * 0.35 + 0.4, 0, 1) - 0.12 * np.abs(np.sin(around * 3.5)) ** 8
    basket = (np.abs(u) < 0.13) & (v > 1.42) & (v < 1.66)
    ropes = (np.abs(np.abs(u) - 0.13 - (1.42 - v) * 0.25) < pixel * 0.7) & (v > 1.15) & (v < 1.45)
    part = canvas.pixels[top:bottom, left:right]
    part += (colour * shading[..., None] * canvas.dim - part) * np.asarray(mask, np.float32)[..., None]
    part += (rgb((62, 44, 30)) - part) * (basket | ropes).astype(np.float32)[..., None] * np.float32(0.9)


def aurora(canvas: Canvas) -> None:
    """Northern lights over mountains and water."""
    rng = canvas.rng
    sky(canvas, 0.0, sun=False)
    stars(canvas, 1500, canvas.horizon)
    # The curtains are soft: painted at half size, down to the foot of the mountains.
    columns = canvas.columns()[:, ::2]
    rows = canvas.rows()[: int(canvas.horizon) : 2]
    total: Image = np.zeros((len(rows), columns.shape[1], 3), np.float32)
    for _ in range(int(rng.integers(2, 5))):
        base = canvas.horizon * rng.uniform(0.45, 0.9) + canvas.line(0.4, 3)[::2] * np.float32(canvas.height * 0.13)
        level = np.zeros_like(columns)
        rays = sample("cloud", columns / np.float32(2.2 * canvas.unit), level, (0, rng.uniform(0, 1000)))
        fine = sample("rock", columns / np.float32(0.9 * canvas.unit), level, (0, rng.uniform(0, 1000)))
        height = np.float32(canvas.height * rng.uniform(0.8, 1.4)) * (0.26 + 0.07 * rays)
        t = (base[None] - rows) / height
        glow = np.exp(-np.clip(t, 0, 9) * 2.4) * step(-0.06, 0.10, t) * np.clip(0.75 + 0.38 * rays + 0.22 * fine, 0, 2)
        colour = mix(rgb((64, 240, 150)), rgb((150, 70, 190)), np.clip(t * 1.05, 0, 1)[..., None])
        total += colour * glow[..., None] * np.float32(rng.uniform(0.35, 0.75))
    above = canvas.pixels[: int(canvas.horizon)]
    soft = total + blur(total, 15 * canvas.unit) * np.float32(0.35)
    above += resize(soft, canvas.width, len(above)) * (1 - above)
    _ranges(canvas, 3, 0.26, snow=0.55, mist=0.25)
    if rng.random() < 0.7:
        water(canvas, canvas.horizon + canvas.height * 0.07, rough=0.2, deep=rgb((4, 12, 20)), clear=0.8)


def galaxy(canvas: Canvas) -> None:
    """The Milky Way above a dark skyline of hills."""
    rng = canvas.rng
    sky(canvas, 0.0, sun=False)
    rows, columns = canvas.rows(), canvas.columns()
    angle = rng.uniform(0.7, 1.2) * float(rng.choice([-1, 1]))
    cx, cy = canvas.width * rng.uniform(0.35, 0.65), canvas.horizon * 0.55
    cos, sin = math.cos(angle), math.sin(angle)
    across = ((columns - cx) * cos + (rows - cy) * sin) / canvas.height
    along = ((rows - cy) * cos - (columns - cx) * sin) / canvas.height
    dust = noise(canvas, "cloud", 0.9) * 0.5 + noise(canvas, "rock", 1.1) * 0.3
    band = np.exp(-(((across + dust * 0.035) / 0.13) ** 2)) * (0.55 + 0.45 * np.exp(-((along / 0.45) ** 2)))
    lane = step(0.1, 1.0, dust) * np.exp(-((across / 0.05) ** 2)) * 0.8
    milk = np.clip(band * (0.75 + 0.35 * dust) * (1 - lane), 0, 1)
    tint = mix(rgb((120, 132, 178)), rgb((232, 196, 168)), np.exp(-((across / 0.07) ** 2))[..., None])
    canvas.pixels += tint * np.asarray(milk, np.float32)[..., None] * np.float32(0.5)
    stars(canvas, 5200, canvas.height)
    _ranges(canvas, 3, 0.16, snow=0.0, mist=0.25)


def moon(canvas: Canvas) -> None:
    """The moon above clouds and hills."""
    sky(canvas, canvas.rng.uniform(0.3, 0.55), sun=False)
    stars(canvas, 350, canvas.horizon * 0.8)
    disc(canvas, canvas.sun, 34 * canvas.unit, rgb((250, 246, 232)), glow=3.5)
    _ranges(canvas, 4, 0.26, snow=0.0, mist=0.6)
