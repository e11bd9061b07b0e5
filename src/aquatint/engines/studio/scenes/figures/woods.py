"""Ranks of forest trees for the forest scene: trunks, bark, roots, bamboo, crowns and thickets in haze."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.scenes.figures.air import Air
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    Points,
    curve,
    gradient,
    mix,
    moved,
    points,
    ribbon,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.plants import Grove, branch_off, clump, shades


@dataclass(frozen=True, slots=True)
class Wood:
    """The decisions of one forest. Places are in pixels."""

    kind: str  # broadleaf, pine, birch or bamboo
    horizon: float
    vanish: float  # column where the path is lost
    glow: tuple[float, float]  # where the light comes from
    names: frozenset[str]
    stream: bool


def light_color(air: Air) -> Color:
    if air.time == "night":
        return mix(air.sun, (0.75, 0.86, 1.0), 0.5)
    return mix(air.sun, (1.0, 0.97, 0.85), 0.35)


def leaf_air(air: Air, wood: Wood) -> tuple[Color, Color]:
    """Colours of the hazy depth: by the light, and away from it. Leaves colour the air of a forest."""
    leaf = {
        "spring": (0.66, 0.80, 0.50),
        "summer": (0.50, 0.70, 0.48),
        "autumn": (0.93, 0.66, 0.36),
        "winter": (0.80, 0.86, 0.92),
    }[air.season]
    if wood.kind == "bamboo" and air.season != "winter":
        leaf = (0.58, 0.78, 0.46)
    if air.dark:
        leaf = scale(mix(leaf, air.haze, 0.75), 0.55)
    glow = mix(mix(air.haze, leaf, 0.35), light_color(air), 0.62 if not air.dark else 0.35)
    return glow, scale(mix(air.haze, leaf, 0.55), 0.62 if not air.dark else 0.40)


def plant_rank(canvas: Canvas, air: Air, wood: Wood, near: float, rng: np.random.Generator, seed: int) -> None:
    """One rank of trees: pale and thin far away, dark and broad in front, never in the way of the path."""
    glow, far = leaf_air(air, wood)
    foot = wood.horizon + canvas.height * (0.015 + 0.40 * near**1.7)
    broad = canvas.unit * (6 + 62 * near**1.8)
    count = round(
        (30 - 22 * near**0.6)
        * max(0.55, canvas.width / canvas.height / 1.78)
        * (1.5 if wood.kind == "bamboo" else 1.0)
    )
    opening = canvas.width * (0.03 + 0.20 * near)
    grove = Grove(canvas, air, rng, 1.0 if wood.glow[0] > canvas.width / 2 else -1.0, 0.0)
    veil = (1 - near) ** 1.15 * (0.86 if not air.dark else 0.75)
    for k in range(count):
        x = canvas.width * (k + float(rng.uniform(0.1, 0.9))) / count
        center = wood.vanish + (canvas.width * 0.5 - wood.vanish) * near
        if abs(x - center) < opening:
            x = center + np.sign(x - center + 1e-6) * opening * float(rng.uniform(1.02, 1.5))
        haze = mix(glow, far, min(1.0, abs(x - wood.glow[0]) / (0.55 * canvas.width)))
        size = broad * float(rng.uniform(0.6, 1.25))
        y = foot + canvas.height * 0.03 * near * float(rng.normal())
        side = 1.0 if wood.glow[0] > x else -1.0
        _trunk(canvas, air, wood, x, y, size, side, haze, veil, rng)
    if near < 0.85:
        _crowns(canvas, air, wood, near, rng)
    if near < 0.75:
        _thicket(grove, wood, foot, near, glow, far)


def _trunk(
    canvas: Canvas, air: Air, wood: Wood, x: float, foot: float, broad: float, side: float, haze: Color, veil: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """One stem with its roots, bark and limbs, lit from `side` and veiled by the haze."""
    rng = branch_off(rng)
    if wood.kind == "bamboo":
        _culm(canvas, air, x, foot, broad * 0.55, side, haze, veil, rng)
        return
    bark: Color = {"broadleaf": (0.34, 0.27, 0.22), "pine": (0.42, 0.28, 0.20), "birch": (0.86, 0.84, 0.80)}[
        wood.kind
    ]
    dark, lit = (
        mix(air.tone(scale(bark, 0.42), 0.2), haze, veil),
        mix(air.tone(scale(bark, 1.15), 1.0), haze, veil * 0.9),
    )
    lean = float(rng.normal(0, 0.025)) * canvas.height
    knots = [
        (x, foot + broad * 0.1),
        (x + lean * 0.3, foot * 0.62),
        (x + lean * 0.6 + float(rng.normal(0, broad * 0.15)), foot * 0.3),
        (x + lean, -canvas.height * 0.06),
    ]
    path = curve(knots, 12)
    t = np.linspace(0, 1, len(path))
    wide = broad * (1.0 - 0.42 * t + 0.9 * np.exp(-t * 22))
    paint = gradient(
        (x + side * broad * 0.55, 0),
        (x - side * broad * 0.55, 0),
        (lit, mix(lit, dark, 0.55), dark, mix(dark, haze, 0.12)),
    )
    canvas.polygon(ribbon(path, wide), textured(canvas, paint, 0.22 if broad > 6 * canvas.unit else 0.0, 0.04, 0.12))
    if broad > 10 * canvas.unit:
        _bark(canvas, wood, path, wide, dark, lit, rng)
    if rng.random() < (0.75 if wood.kind == "pine" else 0.35):
        _limbs(canvas, path, broad, mix(dark, lit, 0.25), rng, wood.kind == "pine")
    _roots(canvas, x, foot, broad, mix(dark, lit, 0.2), mix(air.tone(scale(air.ground, 0.55), 0.5), haze, veil), rng)


def _roots(
    canvas: Canvas, x: float, foot: float, broad: float, wood: Color, green: Color, rng: np.random.Generator
) -> None:
    """Roots that run into the ground, and blades around them, so that the trunk stands and does not float."""
    for way in (-1, 1):
        for _ in range(2):
            reach = broad * float(rng.uniform(0.6, 1.1)) * way
            root = curve(
                [
                    (x + reach * 0.35, foot - broad * 0.7),
                    (x + reach * 0.7, foot - broad * 0.05),
                    (x + reach * 1.25, foot + broad * 0.16),
                ],
                6,
            )
            canvas.line(root, broad * 0.34, wood, taper=0.85)
    for _ in range(int(10 + min(22, broad / canvas.unit))):
        start, tall = x + float(rng.normal(0, 0.75)) * broad, broad * float(rng.uniform(0.15, 0.5))
        low = foot + broad * 0.22
        bend = tall * float(rng.normal(0, 0.4))
        canvas.polygon(
            points([(start - tall * 0.08, low), (start + bend, low - tall), (start + tall * 0.08, low)]),
            scale(green, float(rng.uniform(0.7, 1.3))),
        )


def _bark(
    canvas: Canvas, wood: Wood, path: Points, wide: np.ndarray, dark: Color, lit: Color, rng: np.random.Generator
) -> None:
    """Cracks and ridges along the stem, or the dark bars of a birch; finer pixels show more and finer ones."""
    rng = branch_off(rng)
    if wood.kind == "birch":
        _birch_bars(canvas, path, wide, mix(dark, (0.1, 0.1, 0.1), 0.5), rng)
        return
    finer = max(1.0, min(4.0, canvas.unit))
    count = int(110 * finer)
    # Each crack follows the stem: a stretch of its axis, moved sideways by a share of the breadth there.
    rows = rng.uniform(1, len(path) - 4, count)
    spans = rng.uniform(0.8, 3.0, count) / finer**0.25
    steps = rows[:, None] + spans[:, None] * np.linspace(0, 1, 9)[None]
    index = np.arange(len(path))
    breadth = np.interp(steps, index, wide)
    side = rng.uniform(-0.45, 0.45, count)[:, None] + 0.02 * np.cumsum(rng.normal(0, 1, (count, 9)), 1)
    x = np.interp(steps, index, path[:, 0]) + np.clip(side, -0.47, 0.47) * breadth
    y = np.interp(steps, index, path[:, 1])
    half = (
        rng.uniform(0.006, 0.020, count)[:, None] * breadth * np.sin(np.pi * np.linspace(0.03, 0.97, 9)) / finer**0.5
    )
    half = np.maximum(half, 0.25)
    outlines = np.stack([np.concatenate([x - half, (x + half)[:, ::-1]], 1), np.concatenate([y, y[:, ::-1]], 1)], -1)
    deep = np.array(scale(dark, 0.72))[None] * np.ones((count, 1))
    ridge = np.array(dark) + (np.array(lit) - np.array(dark)) * rng.uniform(0.2, 0.7, (count, 1))
    canvas.blades(outlines, np.where(rng.random((count, 1)) < 0.6, deep, ridge))


def _birch_bars(canvas: Canvas, path: Points, wide: np.ndarray, ink: Color, rng: np.random.Generator) -> None:
    count = int(26 * min(3.0, canvas.unit))
    rows = rng.uniform(2, len(path) - 3, count)
    index = np.arange(len(path))
    breadth = np.interp(rows, index, wide)
    long = breadth * rng.uniform(0.05, 0.24, count)
    x = np.interp(rows, index, path[:, 0]) + rng.uniform(-1, 1, count) * np.maximum(0, breadth * 0.46 - long)
    at = np.stack([x, np.interp(rows, index, path[:, 1])], 1)
    canvas.dabs(at, np.stack([long, long * 0.16], 1), rng.uniform(-8, 8, count), np.array([ink] * count))


def _limbs(canvas: Canvas, path: Points, broad: float, color: Color, rng: np.random.Generator, level: bool) -> None:
    for _ in range(int(rng.integers(3, 7))):
        at = path[int(len(path) * float(rng.uniform(0.42, 0.95)))]
        way, long = float(rng.choice([-1, 1])), broad * float(rng.uniform(2.0, 5.5))
        rise = long * (0.08 if level else float(rng.uniform(0.3, 0.8)))
        limb = curve(
            [tuple(at), (at[0] + way * long * 0.5, at[1] - rise * 0.3), (at[0] + way * long, at[1] - rise)], 6
        )
        canvas.line(limb, broad * 0.13, color, taper=0.9)


def _culm(
    canvas: Canvas,
    air: Air,
    x: float,
    foot: float,
    broad: float,
    side: float,
    haze: Color,
    veil: float,
    rng: np.random.Generator,
) -> None:
    """A bamboo stem in joints, each joint a little lighter at its ring."""
    hue = mix((0.36, 0.52, 0.22), (0.60, 0.62, 0.28), float(rng.random()))
    dark, lit = (
        mix(air.tone(scale(hue, 0.42), 0.2), haze, veil),
        mix(air.tone(scale(hue, 1.35), 1.05), haze, veil * 0.9),
    )
    lean = float(rng.normal(0, 0.03)) * canvas.height
    top, joint = -canvas.height * 0.05, broad * float(rng.uniform(5.5, 7.5))
    joints = max(2, int((foot - top) / joint))
    for k in range(joints + 1):
        y0, y1 = foot - joint * k, foot - joint * (k + 1)
        x0, x1 = x + lean * (k / joints) ** 2, x + lean * ((k + 1) / joints) ** 2
        w = broad * (1 - 0.25 * k / joints) * 0.5
        shape = points(
            [
                (x0 - w * 1.06, y0),
                (x0 - w * 0.92, y0 - joint * 0.08),
                (x1 - w * 0.92, y1 + joint * 0.06),
                (x1 - w * 1.05, y1),
                (x1 + w * 1.05, y1),
                (x1 + w * 0.92, y1 + joint * 0.06),
                (x0 + w * 0.92, y0 - joint * 0.08),
                (x0 + w * 1.06, y0),
            ]
        )
        paint = gradient(
            (x0 + side * w, 0), (x0 - side * w, 0), (mix(lit, dark, 0.2), lit, mix(lit, dark, 0.45), dark)
        )
        canvas.polygon(shape, paint if broad > 3 * canvas.unit else mix(lit, dark, 0.4))
        canvas.line(
            points([(x0 - w * 1.1, y0), (x0 + w * 1.1, y0)]), max(0.7, broad * 0.07), mix(lit, (1, 1, 0.9), 0.25)
        )
        canvas.line(
            points([(x0 - w * 1.05, y0 + broad * 0.09), (x0 + w * 1.05, y0 + broad * 0.09)]),
            max(0.7, broad * 0.05),
            scale(dark, 0.8),
        )


def _thicket(grove: Grove, wood: Wood, foot: float, near: float, glow: Color, far: Color) -> None:
    """Bushes and young trees between the ranks."""
    canvas, rng = grove.canvas, grove.rng
    for _ in range(int(16 - 8 * near)):
        x = float(rng.random()) * canvas.width
        center = wood.vanish + (canvas.width * 0.5 - wood.vanish) * near
        if abs(x - center) < canvas.width * (0.05 + 0.16 * near):
            continue
        haze = mix(glow, far, min(1.0, abs(x - wood.glow[0]) / (0.55 * canvas.width)))
        leaf = grove.air.leaves(rng)
        veil = (1 - near) ** 1.15 * 0.85
        tones = tuple(mix(tone, haze, veil) for tone in grove.tones(leaf))
        size = canvas.unit * (16 + 46 * near)
        for _ in range(3):
            clump(
                grove,
                x + float(rng.normal(0, 0.5)) * size,
                foot - size * float(rng.uniform(0.1, 0.7)),
                size * 0.6,
                size * 0.42,
                (tones[0], tones[1], tones[2]),
                60,
                size * 0.055,
            )


def spray(
    canvas: Canvas,
    x: float,
    y: float,
    size: float,
    tones: tuple[Color, Color, Color],
    leaves: int,
    leaf: float,
    rng: np.random.Generator,
) -> None:
    """Loose leaves around a point: dense in the middle, single ones outside."""
    rng = branch_off(rng)
    leaves = int(leaves * min(1.0, max(0.4, canvas.unit)))  # fewer when each is less than a pixel
    reach = rng.standard_t(3, (leaves, 2)).clip(-3.2, 3.2) * (0.52, 0.34) * size
    light = 0.15 + 0.75 * np.arange(leaves) / leaves + 0.2 * rng.normal(size=leaves)
    long = leaf * rng.uniform(0.6, 1.5, leaves)
    canvas.dabs(
        moved(reach, x, y), np.stack([long, long * 0.52], 1), rng.uniform(-70, 70, leaves), shades(tones, light)
    )


def _crowns(canvas: Canvas, air: Air, wood: Wood, near: float, rng: np.random.Generator) -> None:
    """Hazy foliage of one rank of trees, high up, open around the light."""
    if air.season == "winter" and wood.kind in ("broadleaf", "birch"):
        return
    glow, far = leaf_air(air, wood)
    veil = 0.90 * (1 - near) ** 0.9
    grove = Grove(canvas, air, rng, 1.0)
    for _ in range(round(30 * max(0.7, canvas.width / canvas.height / 1.78))):
        x = float(rng.random()) * canvas.width
        away = abs(x - wood.glow[0]) / canvas.width
        y = canvas.height * float(rng.uniform(-0.05, 0.10 + 0.42 * min(1.0, away * 2.0)))
        haze = mix(glow, far, min(1.0, away / 0.55))
        dark, middle, light = grove.tones(air.leaves(rng, evergreen=wood.kind == "pine"))
        tones = (mix(dark, haze, veil), mix(middle, haze, veil), mix(light, haze, veil))
        size = canvas.unit * (16 + 30 * near) * float(rng.uniform(0.8, 1.5))
        if wood.kind == "bamboo":
            bamboo_leaves(canvas, x, y, size, tones, rng)
        else:
            spray(canvas, x, y, size, tones, 95, size * 0.11, rng)


def bamboo_leaves(
    canvas: Canvas, x: float, y: float, size: float, tones: tuple[Color, Color, Color], rng: np.random.Generator
) -> None:
    """Slim leaves in hanging fans."""
    count = 70
    centers = rng.normal(0, 1, (count, 2)) * (0.8 * size, 0.55 * size) + (x, y)
    turns = np.pi / 2 + rng.normal(0, 0.6, count)
    lengths = size * rng.uniform(0.35, 0.62, count)
    bends = rng.normal(0, 0.05, count)
    t = np.linspace(0, 1, 9)
    half = 0.065 * np.sin(np.pi * t**0.8)
    along = np.concatenate([t, t[::-1]])
    across = np.concatenate([half, -half[::-1]])[None] + bends[:, None] * (along * (1 - along) * 4)[None]
    cos, sin = np.cos(turns)[:, None], np.sin(turns)[:, None]
    shapes = np.stack([along * cos - across * sin, along * sin + across * cos], -1) * lengths[:, None, None]
    canvas.blades(shapes + centers[:, None], np.array(tones)[rng.integers(3, size=count)])
