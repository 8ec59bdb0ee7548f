"""Scenes that people built: skylines by night, coloured houses by the water, lights out of focus in the rain."""

from __future__ import annotations

import cv2
import numpy as np

from imager.demo.canvas import Canvas, Image, blur, mix, noise, rgb, step
from imager.demo.elements import sky, stars, water

_LAMPS = ((255, 206, 132), (255, 226, 178), (214, 230, 255), (255, 180, 96))
_FACADES = (
    (226, 120, 84), (238, 186, 92), (112, 158, 176), (206, 92, 88), (240, 214, 176),
    (146, 176, 138), (222, 150, 150), (100, 126, 160), (232, 200, 130), (178, 108, 84),
)  # fmt: skip


def skyline(canvas: Canvas) -> None:
    """Towers with lit windows, mirrored in the water before them."""
    rng, light = canvas.rng, canvas.light
    sky(canvas, rng.uniform(0.05, 0.35), sun=False)
    night = sum(light.haze) < 400
    if night:
        stars(canvas, 150, canvas.horizon * 0.5)
    shore = int(canvas.horizon + canvas.height * 0.12)
    lamps = np.zeros_like(canvas.pixels)
    city_glow = np.exp(-np.abs(canvas.rows() - shore) / np.float32(canvas.height * 0.28))
    if night:
        warm = np.broadcast_to(city_glow * 0.55, (canvas.height, canvas.width))
        canvas.blend(rgb((232, 150, 96)), np.asarray(warm, np.float32))
    for layer in range(3):
        _towers(canvas, lamps, shore, layer / 2, night)
    for x in np.arange(0.01, 1, 0.021) * canvas.width:
        if night:
            at = (int((x + rng.uniform(-3, 3)) * 16), int((shore - 5 * canvas.unit) * 16))
            colour = [float(c) for c in rgb(_LAMPS[rng.integers(4)]) * 2]
            cv2.circle(lamps, at, max(8, int(1.8 * canvas.unit * 16)), colour, -1, cv2.LINE_AA, 4)
    lamps[shore:] = 0
    canvas.pixels += lamps + blur(lamps, 5 * canvas.unit) * np.float32(0.8)
    canvas.pixels += blur(lamps, 34 * canvas.unit) * np.float32(0.75)
    water(canvas, shore, rough=rng.uniform(0.3, 0.55), deep=rgb(light.shade) * 0.6, clear=0.78)


def _towers(canvas: Canvas, lamps: Image, shore: int, near: float, night: bool) -> None:
    """One row of buildings, the far ones pale."""
    rng, light = canvas.rng, canvas.light
    x = -rng.uniform(0, 0.05) * canvas.width
    middle = canvas.width * rng.uniform(0.3, 0.7)
    while x < canvas.width:
        wide = rng.uniform(28, 78) * canvas.unit * (0.75 + 0.35 * near)
        central = np.exp(-(((x - middle) / (canvas.width * 0.28)) ** 2))
        tall = canvas.height * (0.07 + (0.34 - 0.16 * near) * central * rng.uniform(0.35, 1.0) + rng.uniform(0, 0.10))
        left, right, top = max(0, int(x)), min(canvas.width, int(x + wide)), max(2, int(shore - tall))
        x += wide * rng.uniform(0.85, 1.25)
        if right - left < 6 or shore - top < 6:
            continue
        body = mix(rgb(light.shade), rgb(light.haze), float(0.62 * (1 - near)) + float(rng.uniform(0, 0.12)))
        fall = np.linspace(0.86, 1.12, shore - top, dtype=np.float32)[:, None, None]
        edge = np.linspace(1.1, 0.9, right - left, dtype=np.float32)[None, :, None]
        canvas.pixels[top:shore, left:right] = body * fall * edge
        if rng.random() < 0.3 and tall > canvas.height * 0.2:
            spire = int(tall * rng.uniform(0.08, 0.25))
            middle_x = (left + right) // 2
            thick = max(1, int(1.5 * canvas.unit))
            canvas.pixels[max(0, top - spire) : top, middle_x : middle_x + thick] = body
            if night:
                lamps[max(0, top - spire), middle_x : middle_x + thick] = (3.0, 0.3, 0.2)
        _windows(canvas, lamps, (left, top, right, shore), near, night)


def _windows(canvas: Canvas, lamps: Image, box: tuple[int, int, int, int], near: float, night: bool) -> None:
    left, top, right, bottom = box
    rng = canvas.rng
    cell_x, cell_y = (max(3, round(s * canvas.unit * (0.7 + 0.5 * near))) for s in (5.4, 7.2))
    across, down = (right - left) // cell_x, (bottom - top) // cell_y
    if across < 2 or down < 2:
        return
    share = rng.uniform(0.18, 0.55) if night else 0.10
    lit = (rng.random((down, across)) < share * rng.uniform(0.4, 1.4, (down, 1))).astype(np.float32)
    lit *= rng.uniform(0.25, 1.0, (down, across)).astype(np.float32)
    grid = np.repeat(np.repeat(lit, cell_y, 0), cell_x, 1)
    gap_y = (np.arange(grid.shape[0]) % cell_y) >= max(1, round(cell_y * 0.42))
    gap_x = (np.arange(grid.shape[1]) % cell_x) >= max(1, round(cell_x * 0.36))
    grid *= gap_y[:, None] & gap_x[None]
    colour = rgb(_LAMPS[rng.integers(len(_LAMPS))]) * np.float32((0.75 + 0.75 * near) * (1.0 if night else 0.5))
    part = lamps[top : top + grid.shape[0], left : left + grid.shape[1]]
    # What stands in front hides the windows behind it.
    lamps[top:bottom, left:right] = 0
    part += colour * grid[..., None]


def houses(canvas: Canvas) -> None:
    """A row of coloured houses, mirrored in a canal or a harbour."""
    rng, light = canvas.rng, canvas.light
    sky(canvas, rng.uniform(0.2, 0.55))
    quay = int(canvas.height * rng.uniform(0.66, 0.74))
    x, before = -rng.uniform(0, 60) * canvas.unit, -1
    dim = np.float32(min(1.0, 0.3 + sum(light.haze) / 700))
    while x < canvas.width:
        wide = rng.uniform(105, 175) * canvas.unit
        tall = canvas.height * rng.uniform(0.30, 0.46)
        pick = int(rng.integers(len(_FACADES)))
        pick = (pick + 1) % len(_FACADES) if pick == before else pick
        before = pick
        _house(canvas, x, quay, wide, tall, mix(rgb(_FACADES[pick]), rgb(light.sun), 0.10) * dim)
        x += wide
    stone = rgb((150, 140, 128)) * dim
    top = quay - int(10 * canvas.unit)
    canvas.pixels[top:quay] = stone * (1 + 0.06 * noise(canvas, "grain", 2.0, top)[: quay - top, :, None])
    water(canvas, quay, rough=rng.uniform(0.3, 0.5), deep=rgb((20, 58, 62)) * dim, clear=0.7)


def _house(canvas: Canvas, x: float, quay: int, wide: float, tall: float, colour: Image) -> None:
    rng, unit = canvas.rng, canvas.unit
    left, right = max(0, round(x)), min(canvas.width, round(x + wide))
    top = int(quay - tall)
    if right - left < 4:
        return
    size = (quay - top, right - left)
    wall = np.broadcast_to(colour, (*size, 3)) * (
        1 + 0.04 * noise(canvas, "cloud", 2.0, top)[: size[0], left:right, None]
    )
    worn = 1 + 0.03 * noise(canvas, "grain", 2.4, top)[: size[0], left:right, None]
    depth = np.linspace(1.05, 0.90, size[0], dtype=np.float32)[:, None, None]
    canvas.pixels[top:quay, left:right] = wall * worn * depth
    _roof(canvas, x, top, wide)
    floors = max(2, round(tall / (112 * unit)))
    per_floor = max(2, round(wide / (50 * unit)))
    shutter = rgb([(58, 88, 76), (84, 60, 48), (60, 82, 112), (236, 230, 216)][rng.integers(4)])
    for floor in range(floors):
        for column in range(per_floor):
            cx = x + wide * (column + 0.5) / per_floor
            cy = top + tall * (floor + 0.52) / floors
            half_w, half_h = 10.5 * unit, min(24 * unit, tall / floors * 0.30)
            if floor == floors - 1 and column == per_floor // 2:
                half_w, half_h, cy = 13 * unit, 34 * unit, quay - 42 * unit
                _box(canvas, cx, cy, half_w * 1.2, half_h * 1.08, colour * 1.18)
                _box(canvas, cx, cy, half_w, half_h, shutter * 0.8)
                continue
            _box(canvas, cx, cy, half_w * 1.25, half_h * 1.12, np.minimum(colour * 1.28, 1))
            lit = rng.random() < 0.3 and canvas.light.glow > 0.5
            glass = (
                rgb((255, 206, 130)) if lit else mix(rgb((46, 58, 72)), rgb(canvas.light.middle), rng.uniform(0.1, 0.5))
            )
            _box(canvas, cx, cy, half_w, half_h, glass)
            _box(canvas, cx, cy, max(0.7, 0.9 * unit), half_h, rgb((240, 236, 226)))
            _box(canvas, cx, cy - half_h * 0.15, half_w, max(0.7, 0.9 * unit), rgb((240, 236, 226)))
            for side in (-1, 1):
                _box(canvas, cx + side * half_w * 1.85, cy, half_w * 0.55, half_h * 1.06, shutter)
            _box(canvas, cx, cy + half_h * 1.2, half_w * 1.5, 2.2 * unit, colour * 0.62)
            if rng.random() < 0.25:
                for _ in range(9):
                    at = (cx + rng.uniform(-1.3, 1.3) * half_w, cy + half_h * 1.1 + rng.uniform(-6, 2) * unit)
                    bloom = rgb([(206, 60, 74), (60, 110, 52), (226, 120, 150)][rng.integers(3)])
                    _box(canvas, *at, 3 * unit, 2.6 * unit, bloom)


def _roof(canvas: Canvas, x: float, top: int, wide: float) -> None:
    rng, unit = canvas.rng, canvas.unit
    rise = rng.uniform(26, 64) * unit
    inset = wide * rng.uniform(0.06, 0.22)
    outline = np.array(
        [
            (x - 5 * unit, top + 4 * unit),
            (x + inset, top - rise),
            (x + wide - inset, top - rise),
            (x + wide + 5 * unit, top + 4 * unit),
        ]
    )
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    if rng.random() < 0.6:
        cx = x + wide * rng.uniform(0.25, 0.75)
        chimney = np.array(
            [(cx, top - rise * 1.5), (cx + 14 * unit, top - rise * 1.5), (cx + 14 * unit, top - 8), (cx, top - 8)]
        )
        cv2.fillPoly(mask, [np.round(chimney * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    rows = canvas.rows()
    start, end = max(0, int(top - rise * 1.6)), top + int(6 * unit)
    tiles = (
        1
        + 0.10 * np.sin(rows[start:end] * np.float32(1.1 / unit))
        + 0.08 * noise(canvas, "grain", 2.0, start)[: end - start]
    )
    clay = rgb([(164, 82, 56), (140, 70, 52), (104, 96, 98)][rng.integers(3)]) * np.float32(
        min(1.0, 0.3 + sum(canvas.light.haze) / 700)
    )
    canvas.blend(np.asarray(clay * tiles[..., None], np.float32), mask[start:end].astype(np.float32) / 255, start)


def _box(canvas: Canvas, x: float, y: float, half_w: float, half_h: float, colour: Image) -> None:
    """A rectangle around a point."""
    left, right = max(0, round(x - half_w)), min(canvas.width, max(round(x + half_w), round(x - half_w) + 1))
    top, bottom = max(0, round(y - half_h)), min(canvas.height, max(round(y + half_h), round(y - half_h) + 1))
    if left < right and top < bottom:
        canvas.pixels[top:bottom, left:right] = colour


def lights(canvas: Canvas) -> None:
    """The lights of a street at night, out of focus, on wet ground."""
    rng = canvas.rng
    rows = canvas.rows() / np.float32(canvas.height)
    ground = np.float32(rng.uniform(0.58, 0.66))
    back = mix(rgb((14, 18, 34)), rgb((64, 44, 52)), np.exp(-np.abs(rows - ground) * 5)[..., None])
    canvas.pixels[:] = np.broadcast_to(back, canvas.pixels.shape)
    palette = [(255, 190, 104), (255, 120, 82), (255, 226, 170), (112, 196, 255), (255, 84, 120), (96, 230, 190)]
    count = int(rng.integers(110, 170))
    for i in range(count):
        near = (i / count) ** 1.4
        radius = canvas.unit * (8 + 62 * near * rng.uniform(0.5, 1.0))
        x = rng.uniform(-0.03, 1.03) * canvas.width
        spread = abs(x / canvas.width - 0.5) * 0.8 + 0.12
        y = canvas.height * (float(ground) - rng.uniform(0.0, 1.0) * spread * (0.4 + near))
        colour = rgb(palette[int(rng.choice(len(palette), p=[0.32, 0.18, 0.24, 0.12, 0.08, 0.06]))])
        _bokeh(canvas, x, y, radius, colour, rng.uniform(0.35, 0.95) * (1.05 - 0.55 * near))
    top = int(ground * canvas.height)
    water(canvas, top, rough=0.75, deep=rgb((22, 22, 34)), clear=1.0)
    wet = canvas.pixels[top:]
    canvas.pixels[top:] = blur(wet, 5 * canvas.unit) * np.float32(1.05)


def _bokeh(canvas: Canvas, x: float, y: float, radius: float, colour: Image, strength: float) -> None:
    """A light out of focus: an even disc with a brighter rim."""
    top, bottom = max(0, int(y - radius - 2)), min(canvas.height, int(y + radius + 3))
    left, right = max(0, int(x - radius - 2)), min(canvas.width, int(x + radius + 3))
    if top >= bottom or left >= right:
        return
    v = np.arange(top, bottom, dtype=np.float32)[:, None] - np.float32(y)
    u = np.arange(left, right, dtype=np.float32)[None] - np.float32(x)
    away = np.hypot(u, v) / np.float32(radius)
    disc = step(1.0, 0.94, away) * (0.72 + 0.28 * step(0.7, 0.95, away))
    part = canvas.pixels[top:bottom, left:right]
    part += (1 - part) * colour * (disc * np.float32(strength))[..., None]
