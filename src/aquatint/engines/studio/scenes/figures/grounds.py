"""Ground before a village: lanes, steps, sunlit bands, flowers, fences and hanging willow."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.scenes.figures.canvas import (
    Points,
    curve,
    gradient,
    points,
    ribbon,
    scale,
    textured,
)
from aquatint.engines.studio.scenes.figures.plants import (
    Grove,
)
from aquatint.engines.studio.styles.base import PlaneF


def steps(grove: Grove, x: float, top: float, bottom: float) -> None:
    """Stone steps that widen toward the viewer."""
    air, canvas = grove.air, grove.canvas
    light, dark = air.tone((0.58, 0.56, 0.52), 0.8), air.tone((0.40, 0.39, 0.38), 0.4)
    count = 14
    for k in range(count):
        a, b = (k / count) ** 1.5, ((k + 1) / count) ** 1.5
        y0, y1 = top + (bottom - top) * a, top + (bottom - top) * b
        w0 = canvas.unit * (14 + 46 * a)
        canvas.polygon(
            points([(x - w0, y0), (x + w0, y0), (x + w0, y1), (x - w0, y1)]),
            gradient((0, y0), (0, y1), (light, dark)),
        )


def willow(grove: Grove, x: float, top: float, tall: float, side: int) -> None:
    """Hanging willow twigs at the picture's edge."""
    rng, canvas = grove.rng, grove.canvas
    dark, middle, light = grove.tones(
        grove.air.leaves(rng)
        if grove.air.season != "summer"
        else ((0.24, 0.36, 0.16), (0.45, 0.60, 0.26), (0.70, 0.80, 0.42))
    )
    for _ in range(46):
        start = x + side * float(rng.uniform(-0.1, 0.42)) * tall
        long = tall * float(rng.uniform(0.35, 1.0)) * (1 - 0.5 * abs(start - x) / tall)
        sway = float(rng.normal(0.03, 0.05)) * tall * side
        twig = curve([(start, top), (start + sway * 0.3, top + long * 0.5), (start + sway, top + long)], 16)
        canvas.line(twig, tall * 0.004, grove.bark(0.4))
        for at in twig[::2]:
            for way in (-1, 1):
                color = (dark, middle, light)[int(rng.integers(3))]
                length = tall * 0.022
                canvas.ellipse(
                    at[0] + way * length * 0.5, at[1] + length * 0.6, length * 0.75, length * 0.16, color, way * 58
                )


def sunlit(grove: Grove, hill: PlaneF, seed: int) -> None:
    """Bands of sunlight that lie across the slope between cloud shadows."""
    canvas, air = grove.canvas, grove.air
    light = air.tone(scale(air.ground, 1.25), 1.1, 0.05)
    rng = generator(seed, "sunlit")
    for k in range(6):
        down = canvas.height * (0.06 + 0.065 * k)
        at = float(rng.uniform(0.1, 0.9)) * canvas.width
        wide = canvas.width * float(rng.uniform(0.10, 0.24))
        u = np.linspace(-1, 1, 25)
        rows = hill[np.clip(at + u * wide, 0, canvas.width - 1).astype(int)] * 0.6 + float(hill.mean()) * 0.4 + down
        band = ribbon(np.stack([at + u * wide, rows], 1), canvas.height * (0.012 + 0.006 * k) * (1 - u * u) + 1)
        canvas.polygon(band, light, 0.34, soft=canvas.height * (0.006 + 0.002 * k))


def draw_lane(grove: Grove, x: float, top: float, side: int) -> Points:
    """A lane that winds from the foot of the picture to the village; gives its outline."""
    canvas, air = grove.canvas, grove.air
    height, size = canvas.height, min(canvas.width, canvas.height)
    foot_x = canvas.width * (0.5 - side * 0.12)
    down = height * 1.03 - top
    knots = [
        (x, top),
        (x - side * size * 0.16, top + down * 0.18),
        (x + side * size * 0.02, top + down * 0.42),
        (foot_x - side * size * 0.02, top + down * 0.72),
        (foot_x - side * size * 0.16, height * 1.03),
    ]
    path = curve(knots, 14)
    t = np.clip((path[:, 1] - top) / down, 0, 1)
    broad = size * (0.012 + 0.24 * t**1.7)
    sand = (0.93, 0.95, 0.98) if air.snow else (0.86, 0.76, 0.60)
    far_c, near_c = air.tone(sand, 0.85, 0.1), air.tone(scale(sand, 0.78), 0.6)
    edge = air.tone(scale(air.ground, 0.55), 0.4)
    canvas.polygon(ribbon(path, broad * 1.10), edge, 0.6, soft=size * 0.006)
    canvas.polygon(
        ribbon(path, broad), textured(canvas, gradient((0, top), (0, height), (far_c, near_c)), 0.13, 0.03, 0.6)
    )
    for offset in (-0.22, 0.22):
        rut = path + np.stack([broad * offset, np.zeros(len(broad))], 1)
        canvas.polygon(ribbon(rut, broad * 0.10), scale(near_c, 0.78), 0.45, soft=size * 0.003)
    return ribbon(path, broad * 1.05)


def flowers(grove: Grove, rng: np.random.Generator, width: int, height: int, size: int) -> None:
    kinds = ((0.93, 0.35, 0.30), (0.98, 0.84, 0.35), (0.97, 0.96, 0.93), (0.62, 0.50, 0.82))
    for _ in range(170):
        x, depth = float(rng.random()) * width, float(rng.random())
        y = height * (0.86 + 0.14 * depth)
        r = size * (0.0022 + 0.004 * depth) * float(rng.uniform(0.7, 1.2))
        color = grove.air.tone(kinds[int(rng.integers(len(kinds)))], 0.9)
        for k in range(5):
            a = k * 1.2566 + float(rng.random()) * 0.4
            grove.canvas.ellipse(x + np.cos(a) * r, y + np.sin(a) * r * 0.8, r * 0.72, r * 0.6, color)
        grove.canvas.ellipse(x, y, r * 0.45, r * 0.4, grove.air.tone((0.95, 0.75, 0.25), 0.9))


def fence(grove: Grove, start: tuple[float, float], end: tuple[float, float], tall: float, posts: int) -> None:
    """A rail fence from one point to another; `tall` is the height of its first post."""
    color = grove.air.tone(scale((0.42, 0.33, 0.26), grove.gain), 0.5, grove.far)
    t = np.linspace(0, 1, posts)[:, None]
    feet = np.array(start) * (1 - t) + np.array(end) * t
    high = tall * (1 - 0.45 * t[:, 0])
    for level in (0.45, 0.82):
        grove.canvas.line(feet - np.stack([np.zeros(posts), high * level], 1), max(0.8, tall * 0.07), color)
    for foot, h in zip(feet, high, strict=True):
        grove.canvas.line(points([tuple(foot), (foot[0], foot[1] - h)]), max(0.9, h * 0.13), scale(color, 0.88))
