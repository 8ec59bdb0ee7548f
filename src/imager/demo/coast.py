"""Scenes by the sea: the open sea with headlands and sails, beaches with waves that run out on the sand."""

from __future__ import annotations

import cv2
import numpy as np

from imager.demo.canvas import Canvas, Image, mix, noise, rgb, step
from imager.demo.elements import glitter, ridge, sky, water


def sea(canvas: Canvas) -> None:
    """The open sea to the horizon, perhaps with a headland or a sail."""
    rng, light = canvas.rng, canvas.light
    sky(canvas, rng.uniform(0.25, 0.62))
    shore = int(canvas.horizon)
    if rng.random() < 0.55:
        side = 1 if canvas.sun[0] < canvas.width / 2 else -1
        slope = np.clip((canvas.columns()[0] / canvas.width - 0.5) * side - rng.uniform(0.0, 0.25), 0, 1)
        head = shore + 2 - canvas.height * slope**0.7 * (0.24 + 0.06 * canvas.line(0.5, 7)) * (slope > 0)
        ridge(canvas, np.asarray(head, np.float32), 0.35, mist=0.3)
    boat = rng.random() < 0.5
    if boat:
        _sail(canvas, shore)
    deep = rgb([(16, 66, 92), (12, 52, 72), (24, 92, 104)][rng.integers(3)]) * canvas.dim
    water(canvas, shore, rough=rng.uniform(0.5, 0.95), deep=deep, clear=0.8)
    if light.glow > 0.5:
        glitter(canvas, shore, 0.9)


def beach(canvas: Canvas) -> None:
    """Waves that run out on sand."""
    rng = canvas.rng
    sky(canvas, rng.uniform(0.2, 0.5))
    shore = int(canvas.horizon)
    deep = rgb([(20, 128, 148), (16, 104, 134), (40, 146, 150)][rng.integers(3)]) * canvas.dim
    water(canvas, shore, rough=0.7, deep=deep, clear=0.55)
    if canvas.light.glow > 0.5:
        glitter(canvas, shore, 0.6)
    unit = np.float32(canvas.height)
    edge = unit * rng.uniform(0.72, 0.8) + (canvas.columns()[0] / canvas.width - 0.5) * unit * rng.uniform(-0.2, 0.2)
    sand = mix(rgb((226, 200, 160)), rgb(canvas.light.sun), 0.2) * canvas.dim
    for run in range(4):
        reach = edge - unit * (0.27 - 0.09 * run) * (0.9 + 0.1 * canvas.line(0.4, 4, base=3))
        _foam(canvas, np.asarray(reach, np.float32), 0.35 + 0.2 * run, lip=run == 3)
        if run == 2:
            wet = np.clip((canvas.rows() - (edge - unit * 0.05)[None]) / (unit * 0.09), 0, 1)
            grain = 1 + noise(canvas, "grain", 2.2)[..., None] * 0.025 + noise(canvas, "cloud", 0.8)[..., None] * 0.02
            dry = np.clip((canvas.rows() - (edge + unit * 0.05)[None]) / (unit * 0.12), 0, 1)[..., None]
            canvas.blend(np.asarray(mix(sand * 0.68, sand, dry) * grain, np.float32), np.asarray(wet, np.float32))


def _foam(canvas: Canvas, line: Image, strength: float, *, lip: bool) -> None:
    top = int(max(0, line.min() - 30 * canvas.unit))
    away = canvas.rows(top) - line[None]
    lace = noise(canvas, "rock", 1.4, top, stretch=2.2) + 0.5 * noise(canvas, "grain", 2.0, top, stretch=2.0)
    size = np.float32(26 * canvas.unit * (0.5 + strength))
    behind = step(0.2, 1.3, lace + 0.6) * np.exp(-np.abs(away + size * 0.6) / size) * (away < 0)
    crest = np.exp(-((away / (size * np.float32(0.22))) ** 2)) * step(-0.9, 0.4, lace)
    mask = np.clip((behind * 0.75 + crest) * strength * (1.2 if lip else 0.9), 0, 1)
    white = mix(rgb((250, 252, 252)), rgb(canvas.light.haze), 0.18) * canvas.dim
    canvas.blend(white, np.asarray(mask, np.float32), top)


def _sail(canvas: Canvas, shore: int) -> None:
    rng, size = canvas.rng, canvas.unit * canvas.rng.uniform(28, 60)
    x, y = canvas.width * rng.uniform(0.25, 0.75), shore - 1
    mask = np.zeros((canvas.height, canvas.width), np.uint8)
    for shape in (
        [(0.02, -0.12), (0.02, -1.25), (0.30, -0.72), (0.46, -0.14)],
        [(-0.03, -0.14), (-0.03, -1.12), (-0.32, -0.16)],
        [(-0.42, -0.09), (0.52, -0.09), (0.38, 0.06), (-0.30, 0.06)],
    ):
        points = np.array(shape) * size + (x, y)
        cv2.fillPoly(mask, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    colour = mix(rgb((250, 246, 238)), rgb(canvas.light.shade), 0.75 if canvas.light.glow > 0.55 else 0.06)
    canvas.blend(colour, mask.astype(np.float32) / 255)
