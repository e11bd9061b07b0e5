"""Printed patterns: inks, tiles, Memphis scatter, art deco fans and mandalas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    Points,
    curve,
    gradient,
    mix,
    oval,
    points,
    ribbon,
    scale,
    textured,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inks:
    """Colours of one print."""

    ground: Color
    colors: tuple[Color, ...]

    def pick(self, rng: np.random.Generator, other: Color | None = None) -> Color:
        """One of the colours, not `other`."""
        free = [c for c in self.colors if c != other]
        return free[int(rng.integers(len(free)))]


def fill(
    canvas: Canvas, color: Color, rng: np.random.Generator, box: tuple[float, float, float, float]
) -> Callable[..., np.ndarray]:
    """A print's ink: nearly flat, with a grainy gradient across the box (left, top, right, bottom)."""
    left, top, right, bottom = box
    ends = ((left, top), (right, bottom)) if rng.random() < 0.5 else ((right, top), (left, bottom))
    low, high = scale(color, 0.86), mix(color, (1, 1, 1), 0.08)
    return textured(canvas, gradient(*ends, (high, color, low)), 0.05, 0.03)


def rect(left: float, top: float, right: float, bottom: float) -> Points:
    return points([(left, top), (right, top), (right, bottom), (left, bottom)])


def wedge(corner: tuple[float, float], w: float, h: float, turn: int) -> Points:
    """A quarter disc in a tile's corner; turn 0 is the upper left one, then clockwise."""
    a = np.linspace(0, np.pi / 2, 160) + turn * np.pi / 2
    return np.concatenate([points([corner]), np.stack([corner[0] + np.cos(a) * w, corner[1] + np.sin(a) * h], 1)])


def memphis(canvas: Canvas, inks: Inks, rng: np.random.Generator) -> None:
    """Loud shapes scattered evenly: squiggles, terrazzo, discs with dots, zigzags, each with its hard shadow."""
    size = min(canvas.width, canvas.height)
    ink = (0.10, 0.10, 0.14)
    for _ in range(190):
        x, y, r = (
            float(rng.random()) * canvas.width,
            float(rng.random()) * canvas.height,
            size * float(rng.uniform(0.004, 0.011)),
        )
        turn = float(rng.random()) * 6.28
        chip = np.stack(
            [
                x + np.cos(turn + np.arange(4) * 1.57) * r * rng.uniform(0.5, 1.3, 4),
                y + np.sin(turn + np.arange(4) * 1.57) * r * rng.uniform(0.5, 1.3, 4),
            ],
            1,
        )
        canvas.polygon(chip, inks.pick(rng))
    spots: list[tuple[float, float, float]] = []
    for _ in range(900):
        r = size * float(rng.choice([0.16, 0.11, 0.08, 0.06]))
        x, y = float(rng.uniform(-0.02, 1.02)) * canvas.width, float(rng.uniform(-0.02, 1.02)) * canvas.height
        if all(np.hypot(x - a, y - b) > (r + c) * 1.12 for a, b, c in spots):
            spots.append((x, y, r))
    for x, y, r in spots:
        _loud_shape(canvas, inks, rng, x, y, r * 0.92, ink)


def _loud_shape(
    canvas: Canvas, inks: Inks, rng: np.random.Generator, x: float, y: float, r: float, ink: Color
) -> None:
    color, second = inks.pick(rng), inks.pick(rng)
    kind, turn = int(rng.integers(6)), float(rng.uniform(0, np.pi))
    shift = r * 0.11
    box = (x - r, y - r, x + r, y + r)
    along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
    if kind in (0, 1):
        t = np.linspace(-1, 1, 120)
        wave = np.sin(t * 9.4) if kind == 0 else 2 / np.pi * np.arcsin(np.sin(t * 9.4))
        path = np.array([x, y]) + (t * r)[:, None] * along + (wave * r * 0.28)[:, None] * across
        canvas.polygon(ribbon(path + shift, r * 0.2), ink)
        canvas.polygon(ribbon(path, r * 0.2), fill(canvas, color, rng, box))
        return
    if kind == 2:
        outline = oval(x, y, r * 0.9, r * 0.9)
    elif kind == 3:
        a = turn + np.arange(3) * 2 * np.pi / 3
        outline = np.stack([x + np.cos(a) * r, y + np.sin(a) * r], 1)
    elif kind == 4:
        a = np.linspace(turn, turn + np.pi, 120)
        outline = np.stack([x + np.cos(a) * r, y + np.sin(a) * r], 1)
    else:
        a = turn + np.arange(4) * np.pi / 2
        outline = np.stack([x + np.cos(a) * r, y + np.sin(a) * r], 1)
    canvas.polygon(outline + shift, ink)
    canvas.polygon(outline, fill(canvas, color, rng, box))
    if kind == 2:
        for i in np.arange(-0.6, 0.61, 0.3):
            for j in np.arange(-0.6, 0.61, 0.3):
                if i * i + j * j < 0.5:
                    canvas.ellipse(x + i * r, y + j * r, r * 0.065, r * 0.065, second)
    elif kind == 5:
        for k in np.linspace(-0.5, 0.5, 5):
            middle = np.array([x, y]) + across * 0 + np.array([np.cos(turn + 0.785), np.sin(turn + 0.785)]) * k * r
            d = np.array([-np.sin(turn + 0.785), np.cos(turn + 0.785)]) * r * 0.58
            canvas.line(np.array([middle - d, middle + d]), r * 0.07, second)


def deco(canvas: Canvas, inks: Inks, rng: np.random.Generator) -> None:
    """Fans of an art deco wall: overlapping scales with golden rays and rims."""
    size = min(canvas.width, canvas.height)
    r = size / float(rng.choice([2.6, 3.3, 4.2]))
    gold = inks.colors[0]
    rows = int(canvas.height / (r * 0.5)) + 3
    for row in range(rows):
        y = row * r * 0.5
        offset = r if row % 2 else 0.0
        for x in np.arange(-r + offset, canvas.width + 2 * r, 2 * r):
            body = inks.pick(rng, gold)
            box = (x - r, y - r, x + r, y)
            for k, share in enumerate((1.0, 0.955, 0.80, 0.765, 0.50, 0.465, 0.2)):
                color = gold if k % 2 == 0 else mix(body, inks.ground, 0.25 * (k // 2))
                # The next rows cover the lower half.
                half = wedge((float(x), y), r * share, r * share, 2)
                other = wedge((float(x), y), r * share, r * share, 3)
                canvas.polygon(np.concatenate([half[1:], other[1:]]), fill(canvas, color, rng, box))
                if k == 1:
                    for a in np.linspace(0, np.pi, 19)[1:-1]:
                        tip = (float(x) - np.cos(a) * r * 0.94, y - np.sin(a) * r * 0.94)
                        canvas.line(points([(float(x), y), tip]), max(1.0, r * 0.007), gold)


def mandala(canvas: Canvas, inks: Inks, rng: np.random.Generator) -> None:
    """Rings of petals, dots and arches around a centre."""
    x, y, size = canvas.width / 2, canvas.height / 2, min(canvas.width, canvas.height)
    outer = max(canvas.width, canvas.height) * 0.62
    count = int(rng.choice([8, 12, 16]))
    radius = outer
    while radius > size * 0.03:
        color, edge = inks.pick(rng), inks.pick(rng)
        deep = radius * float(rng.uniform(0.20, 0.30))
        canvas.ellipse(x, y, radius, radius, textured(canvas, scale(inks.pick(rng, color), 0.9), 0.04, 0.02))
        petals = count * (2 if radius > size * 0.35 else 1)
        for k in range(petals):
            a = 2 * np.pi * (k + 0.5 * (int(radius) % 2)) / petals
            _petal(canvas, (x, y), radius - deep, radius * 0.995, a, np.pi / petals * 0.92, color, edge)
        for k in range(petals * 2):
            a = 2 * np.pi * k / petals / 2
            canvas.ellipse(
                x + np.cos(a) * (radius - deep * 1.08),
                y + np.sin(a) * (radius - deep * 1.08),
                deep * 0.07,
                deep * 0.07,
                edge,
            )
        radius -= deep * 1.16
    canvas.ellipse(x, y, radius, radius, inks.pick(rng))


def _petal(
    canvas: Canvas,
    center: tuple[float, float],
    inner: float,
    outer: float,
    turn: float,
    half: float,
    color: Color,
    edge: Color,
) -> None:
    def shape(lo: float, hi: float, wide: float) -> Points:
        mid = lo * 0.45 + hi * 0.55
        knots = [(lo, 0.0), (mid, wide), (hi, 0.0), (mid, -wide)]
        return curve(
            [(center[0] + np.cos(turn + d) * r, center[1] + np.sin(turn + d) * r) for r, d in knots], 14, closed=True
        )

    tip = (center[0] + np.cos(turn) * outer, center[1] + np.sin(turn) * outer)
    root = (center[0] + np.cos(turn) * inner, center[1] + np.sin(turn) * inner)
    canvas.polygon(shape(inner, outer, half), scale(color, 0.55))
    canvas.polygon(
        shape(inner + (outer - inner) * 0.05, outer * 0.985, half * 0.86),
        gradient(root, tip, (scale(color, 0.8), mix(color, (1, 1, 1), 0.2))),
    )
    canvas.polygon(shape(inner + (outer - inner) * 0.18, outer - (outer - inner) * 0.28, half * 0.5), edge)
