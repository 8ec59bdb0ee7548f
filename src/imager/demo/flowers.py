"""Flowers from near, before a background that is out of focus."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from imager.demo.canvas import RGB, Canvas, Image, blur, mix, resize, rgb, sample, step


@dataclass(frozen=True, slots=True)
class Kind:
    """How a flower looks: petals in rings, from the outermost inwards, and a heart."""

    name: str
    petals: tuple[int, int]  # fewest and most, in the outermost ring
    rings: int
    width: float  # of a petal, in its share of the circle; above 1 they overlap
    point: float  # 0 for round tips, 1 for pointed ones
    inner: RGB
    outer: RGB
    heart: RGB
    heart_size: float


KINDS = (
    Kind("daisy", (17, 24), 2, 1.15, 0.3, (236, 232, 226), (255, 253, 250), (240, 180, 30), 0.30),
    Kind("dahlia", (16, 20), 7, 1.25, 0.75, (126, 18, 62), (238, 122, 128), (150, 40, 60), 0.07),
    Kind("cosmos", (8, 8), 1, 1.22, 0.05, (176, 52, 128), (240, 162, 208), (236, 186, 60), 0.20),
    Kind("poppy", (5, 6), 2, 1.75, 0.0, (120, 14, 16), (232, 60, 40), (30, 24, 34), 0.20),
    Kind("sunflower", (22, 30), 2, 1.3, 0.85, (222, 132, 12), (252, 206, 44), (70, 40, 22), 0.46),
    Kind("anemone", (8, 10), 2, 1.5, 0.15, (84, 66, 168), (166, 160, 232), (28, 24, 44), 0.19),
)


def flower(kind: Kind, canvas: Canvas) -> None:
    """One to three flowers of a kind."""
    rng = canvas.rng
    _background(canvas, kind)
    count = int(rng.choice([1, 2, 3], p=[0.5, 0.3, 0.2]))
    short = min(canvas.width, canvas.height)
    main = (
        canvas.width * rng.uniform(0.36, 0.64),
        canvas.height * rng.uniform(0.38, 0.56),
        short * rng.uniform(0.27, 0.36),
    )
    for i in reversed(range(count)):
        if i == 0:
            x, y, radius, soft = *main, 0.0
        else:
            side = 1 if (main[0] < canvas.width / 2) == (i == 1) else -1
            x = main[0] + side * canvas.width * rng.uniform(0.30, 0.42)
            y, radius = main[1] + canvas.height * rng.uniform(-0.14, 0.22), main[2] * rng.uniform(0.5, 0.72)
            soft = rng.uniform(7, 14) * canvas.unit
        _stem(canvas, x, y, radius, soft)
        _bloom(canvas, kind, (x, y), radius, soft)


def _background(canvas: Canvas, kind: Kind) -> None:
    """Greens out of focus, and discs of light between leaves."""
    rng = canvas.rng
    small = Canvas(
        max(8, canvas.width // 4),
        max(8, canvas.height // 4),
        rng,
        canvas.light,
        0,
        (0, 0),
        np.zeros((1, 1, 3), np.float32),
    )
    greens = [((24, 44, 26), (122, 150, 70)), ((18, 38, 40), (92, 138, 116)), ((44, 40, 22), (176, 158, 84))]
    dark, bright = (rgb(c) for c in greens[rng.integers(len(greens))])
    rows = np.arange(small.height, dtype=np.float32)[:, None]
    columns = np.arange(small.width, dtype=np.float32)[None]
    scale = np.float32(0.55 / small.unit)
    leaf = sample("cloud", columns * scale, rows * scale * 0.8, (rng.uniform(0, 1024), rng.uniform(0, 1024)))
    leaf = blur(leaf, 26 * small.unit)
    leaf = leaf / np.float32(max(float(leaf.std()), 1e-6)) * np.float32(0.9)
    back = mix(dark, bright, np.clip(0.42 + 0.26 * leaf - 0.25 * (rows / small.height - 0.4), 0, 1)[..., None])
    light = mix(rgb(canvas.light.sun), bright, 0.35)
    corner = np.exp(-((np.hypot(columns / small.width - rng.uniform(0, 1), rows / small.height) * 1.9) ** 2))
    back = np.asarray(mix(back, light, corner[..., None] * 0.55), np.float32)
    far = np.asarray(np.array([mix(rgb(kind.outer), light, 0.2), light, bright]), np.float32)
    for _ in range(int(rng.integers(26, 54))):
        centre = (int(rng.uniform(0, small.width) * 16), int(rng.uniform(0, small.height) * 16))
        radius = int(rng.uniform(8, 40) * small.unit * 16)
        mask = np.zeros(back.shape[:2], np.float32)
        cv2.circle(mask, centre, radius, 1.0, -1, cv2.LINE_AA, 4)
        cv2.circle(mask, centre, radius, 1.35, max(1, int(1.5 * small.unit)), cv2.LINE_AA, 4)
        strength = rng.uniform(0.06, 0.34)
        back += (far[rng.choice(3, p=[0.3, 0.45, 0.25])] - back) * (mask * np.float32(strength))[..., None]
    canvas.pixels = resize(blur(back, 3.0 * small.unit), canvas.width, canvas.height)


def _stem(canvas: Canvas, x: float, y: float, radius: float, soft: float) -> None:
    rng = canvas.rng
    t = np.linspace(0, 1, 40)
    bend = rng.uniform(-0.35, 0.35) * radius
    line = np.stack([x + bend * t**1.6, y + (canvas.height + 20 - y) * t], 1)
    green = mix(rgb((46, 84, 34)), rgb((126, 160, 74)), 0.4)
    left = max(0, int(line[:, 0].min() - radius * 0.1 - soft * 3) - 4)
    right = min(canvas.width, int(line[:, 0].max() + radius * 0.1 + soft * 3) + 4)
    part = canvas.pixels[:, left:right]
    for wide, colour in ((0.085, green * 0.62), (0.05, green), (0.018, green * 1.3)):
        mask = np.zeros(part.shape[:2], np.uint8)
        points = [np.round((line - (left, 0)) * 16).astype(np.int32)]
        cv2.polylines(mask, points, False, 255, max(1, int(radius * wide)), cv2.LINE_AA, 4)
        cover = blur(mask.astype(np.float32) / 255, max(soft, 1.2 * canvas.unit))
        part += (colour - part) * cover[..., None]


def _bloom(canvas: Canvas, kind: Kind, at: tuple[float, float], radius: float, soft: float) -> None:
    """The flower on a square patch of its own, then laid over the picture."""
    rng = canvas.rng
    detail = 0.95 if soft == 0 else 0.5  # what is out of focus is painted smaller: nobody sees it
    size = int(radius * 1.16 + soft * 3)
    radius, soft = radius * detail, soft * detail
    half = int(size * detail) + 1
    axis = np.arange(-half, half, dtype=np.float32)
    tilt, turn = rng.uniform(0.78, 1.0), rng.uniform(0, math.pi)
    x = axis[None] * math.cos(turn) + axis[:, None] * math.sin(turn)
    y = (-axis[None] * math.sin(turn) + axis[:, None] * math.cos(turn)) / tilt
    away = np.hypot(x, y) / np.float32(radius)
    angle = np.arctan2(y, x)
    patch: Image = np.zeros((2 * half, 2 * half, 3), np.float32)
    cover: Image = np.zeros((2 * half, 2 * half), np.float32)
    count = int(rng.integers(kind.petals[0], kind.petals[1] + 1))
    for ring in range(kind.rings):
        length = 1 - ring * (0.80 / kind.rings if kind.rings > 2 else 0.14)
        petals = max(5, round(count * (1 - 0.55 * ring / kind.rings)))
        for group in range(2):  # every other petal lies on top of its neighbours
            _ring(canvas, kind, (away, angle), (patch, cover), (length, petals, ring, group), radius)
    heart = step(kind.heart_size + 0.03, kind.heart_size - 0.03, away)
    shadow = step(kind.heart_size * 1.9, kind.heart_size, away) * np.float32(0.35)
    patch *= (1 - shadow)[..., None]
    dome = np.clip(1.1 - 0.55 * (away / kind.heart_size) ** 2, 0.3, 1.2)
    patch += (rgb(kind.heart) * dome[..., None] * 0.75 - patch) * heart[..., None]
    _florets(canvas, kind, patch, half, radius, tilt, turn)
    if soft > 0:
        patch, cover = blur(patch * cover[..., None], soft), blur(cover, soft)
        patch /= np.maximum(cover, 1e-3)[..., None]
    patch, cover = resize(patch, 2 * size, 2 * size), np.clip(resize(cover, 2 * size, 2 * size), 0, 1)
    left, top = int(at[0]) - size, int(at[1]) - size
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(canvas.width, left + 2 * size), min(canvas.height, top + 2 * size)
    if x0 >= x1 or y0 >= y1:
        return
    part = canvas.pixels[y0:y1, x0:x1]
    inside = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    part += (patch[inside] - part) * cover[inside][..., None]


def _ring(
    canvas: Canvas,
    kind: Kind,
    polar: tuple[Image, Image],
    onto: tuple[Image, Image],
    ring: tuple[float, int, int, int],
    radius: float,
) -> None:
    """Every second petal of one ring, laid over what is there."""
    size, petals, number, group = ring
    rng, half = canvas.rng, onto[1].shape[0] // 2
    reach = min(half, int(size * radius * 1.1) + 4)  # the inner rings need less of the patch
    inner = (slice(half - reach, half + reach), slice(half - reach, half + reach))
    (away, angle), (patch, cover) = (p[inner] for p in polar), (p[inner] for p in onto)
    share = np.float32(2 * np.pi / petals)
    turned = angle / share + np.float32(0.5 * (number % 2) + 0.31 * number)
    which = np.floor(turned / 2 + 0.5 * group)
    across = (turned - which * 2 + group - 1) / np.float32(kind.width)  # -1 … 1 over the petal's width
    lengths = rng.uniform(0.92, 1.04, 2 * petals + 4).astype(np.float32)
    length = np.float32(size) * lengths[which.astype(np.int64) % len(lengths)]
    along = away / length
    flank = np.clip(1 - np.abs(across * 2) ** 2.2, 0, 1)
    shape = flank ** np.float32(0.32 + 0.6 * kind.point) * (1 - kind.point * 0.10)
    wave = 1 + np.float32(0.015) * np.sin(across * 19)
    edge = (shape * wave - along) * length * np.float32(radius)
    mask = np.clip(edge / np.float32(1.2) + 0.5, 0, 1) * (np.abs(across) < 0.5)
    tone = mix(rgb(kind.inner), rgb(kind.outer), (np.clip(along, 0, 1) ** 1.3)[..., None])
    veins = 1 + np.float32(0.05) * np.sin(across * 44) * step(0.1, 0.5, along)
    fold = 0.80 + 0.22 * flank - 0.10 * across * 2
    lift = 1.06 - 0.05 * number if kind.rings <= 2 else 0.86 + 0.04 * number
    rim = 1 - 0.16 * step(6.0, 0.0, edge / np.float32(canvas.unit))
    colour = tone * (veins * fold * rim * np.float32(lift))[..., None]
    under = np.clip(1 - np.asarray(cv2.GaussianBlur(mask, (0, 0), max(1.0, radius * 0.025))) * 0.30, 0, 1)
    patch *= under[..., None]
    patch += (colour - patch) * mask[..., None]
    np.maximum(cover, mask, out=cover)


def _florets(canvas: Canvas, kind: Kind, patch: Image, half: int, radius: float, tilt: float, turn: float) -> None:
    """The small florets of the heart, on the golden angle as in nature (Vogel's spiral)."""
    rng = canvas.rng
    count = int(60 + 900 * kind.heart_size**1.3)
    n = np.arange(count)
    r = np.sqrt((n + 0.5) / count) * kind.heart_size * radius
    a = n * 2.399963
    x, y = r * np.cos(a), r * np.sin(a) * tilt
    px, py = half + x * np.cos(turn) - y * np.sin(turn), half + x * np.sin(turn) + y * np.cos(turn)
    size = max(0.7, kind.heart_size * radius / np.sqrt(count) * 0.78)
    for i in np.argsort(-r):
        bright = 0.7 + 0.55 * (r[i] / (kind.heart_size * radius)) * rng.uniform(0.7, 1.1)
        colour = [float(c) for c in np.clip(rgb(kind.heart) * bright * 1.15, 0, 1)]
        dark = [c * 0.5 for c in colour]
        at = (int(px[i] * 16), int(py[i] * 16))
        cv2.circle(patch, at, int(size * 16), dark, -1, cv2.LINE_AA, 4)
        cv2.circle(patch, (at[0] - 3, at[1] - 6), max(4, int(size * 0.62 * 16)), colour, -1, cv2.LINE_AA, 4)
