"""Fruit and cut flowers of a still life."""

from __future__ import annotations

import re

import numpy as np

from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures.air import named
from aquatint.engines.studio.scenes.figures.canvas import (
    Color,
    curve,
    gradient,
    mix,
    radial,
    ribbon,
    scale,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.solid import Lamp, Stuff, Table, ball, rest, turned

_BLOOMS: tuple[Color, ...] = (
    (0.93, 0.52, 0.55),
    (0.97, 0.83, 0.48),
    (0.96, 0.93, 0.89),
    (0.80, 0.30, 0.34),
    (0.66, 0.58, 0.84),
    (0.95, 0.64, 0.40),
)


# Fruit by the words that ask for it: colour, second colour of its cheek, radius, flatness.
_FRUIT: dict[str, tuple[str, Color, Color, float, float]] = {
    "apple": (r"apple|苹果", (0.80, 0.17, 0.14), (0.90, 0.72, 0.26), 1.0, 0.92),
    "lemon": (r"lemon|柠檬", (0.96, 0.82, 0.22), (0.86, 0.80, 0.36), 0.82, 0.84),
    "peach": (r"peach|桃", (0.95, 0.62, 0.42), (0.88, 0.36, 0.32), 0.98, 0.95),
    "orange": (r"orange|橙|橘", (0.95, 0.54, 0.12), (0.96, 0.66, 0.26), 1.0, 0.97),
    "plum": (r"plum|李子", (0.36, 0.18, 0.36), (0.52, 0.30, 0.48), 0.74, 0.95),
    "pear": (r"pear\b|pears|梨", (0.80, 0.76, 0.32), (0.78, 0.56, 0.26), 0.95, 1.0),
    "grapes": (r"grape|葡萄", (0.42, 0.20, 0.40), (0.56, 0.34, 0.56), 0.42, 1.0),
}


def wanted(plan: Plan, rng: np.random.Generator) -> list[str]:
    words = plan.prompt.casefold()
    named_ones = [name for name, entry in _FRUIT.items() if re.search(entry[0], words)]
    return named_ones or [str(name) for name in rng.permutation(list(_FRUIT))[:3]]


def fruit(table: Table, kind: str, x: float, foot: float, size: float, shadow: bool = True) -> None:
    """One piece of fruit standing at (x, foot); `size` is the radius of an apple."""
    canvas, lamp, rng = table.canvas, table.lamp, table.rng
    _, color, cheek, r, flat = _FRUIT[kind]
    radius = size * r * float(rng.uniform(0.92, 1.06))
    tint = mix(color, cheek, float(rng.uniform(0, 0.45)))
    if shadow:
        rest(canvas, x, foot, radius * 0.72, lamp, 1.6)
    stuff = Stuff(tint, 0.42, 26, mottle=0.14)
    if kind == "pear":
        turned(
            canvas,
            x,
            foot - radius * 0.06,
            radius * 2.5,
            (
                (0, 0.17),
                (0.03, 0.27),
                (0.25, 0.40),
                (0.5, 0.33),
                (0.72, 0.19),
                (0.9, 0.14),
                (0.98, 0.08),
                (1.0, 0.02),
            ),
            stuff,
            lamp,
        )
        _stalk(table, x, foot - radius * 2.5, radius)
        return
    if kind == "grapes":
        for k in range(17):
            level = k // 5
            gx = x + (k % 5 - 2 + 0.5 * (level % 2)) * radius * 1.25
            ball(canvas, gx, foot - radius * (0.9 + 1.1 * level), radius, Stuff(tint, 0.5, 40, mottle=0.1), lamp)
        return
    _round_fruit(table, kind, x, foot, cheek, flat, lamp, radius, stuff, tint)


def _round_fruit(
    table: Table,
    kind: str,
    x: float,
    foot: float,
    cheek: Color,
    flat: float,
    lamp: Lamp,
    radius: float,
    stuff: Stuff,
    tint: Color,
) -> None:
    """Fruit that is a ball with a mark of its kind."""
    canvas = table.canvas
    y = foot - radius * flat
    ball(canvas, x, y, radius, stuff, lamp, flat)
    if kind == "lemon":
        canvas.ellipse(x + radius * 0.98, y + radius * 0.05, radius * 0.16, radius * 0.12, scale(tint, 0.75), 20)
    elif kind == "peach":
        cleft = curve(
            [
                (x - radius * 0.1, y - radius * 0.9),
                (x - radius * 0.36, y - radius * 0.1),
                (x - radius * 0.2, y + radius * 0.7),
            ],
            8,
        )
        canvas.line(cleft, radius * 0.07, scale(cheek, 0.7), taper=0.7, opacity=0.5)
    elif kind in ("apple", "plum"):
        canvas.ellipse(
            x, y - radius * flat * 0.80, radius * 0.26, radius * 0.11, scale(tint, 0.42), 0, 0.75, soft=radius * 0.07
        )
        _stalk(table, x, y - radius * flat * 0.78, radius)
    else:
        canvas.ellipse(x, y - radius * 0.8, radius * 0.09, radius * 0.05, (0.42, 0.45, 0.2))


def _stalk(table: Table, x: float, y: float, radius: float) -> None:
    bend = radius * 0.2 * table.lamp.side
    table.canvas.line(
        curve([(x, y), (x + bend * 0.4, y - radius * 0.25), (x + bend, y - radius * 0.42)], 6),
        radius * 0.09,
        (0.30, 0.20, 0.13),
    )


def bouquet(table: Table, plan: Plan, x: float, y: float, reach: float, behind: bool) -> None:
    """Stems, leaves and blossoms that fan out of the vase."""
    canvas, rng = table.canvas, table.rng
    wanted = [named(s.color) for s in plan.subjects if s.name == "flower" and s.color]
    kinds = wanted or [_BLOOMS[int(k)] for k in rng.permutation(len(_BLOOMS))[:3]]
    leaf = (0.26, 0.40, 0.24) if not table.cool else (0.16, 0.22, 0.15)
    dark = 0.62 if behind else 1.0
    spots = []
    for k in range(11 if behind else 13):
        turn = np.pi * (0.06 + 0.88 * (k + float(rng.random())) / (11 if behind else 13))
        far = reach * float(rng.uniform(0.8, 1.4) if behind else rng.uniform(0.35, 1.1))
        spots.append((x + np.cos(turn) * far * 1.08, y - np.sin(turn) * far - reach * 0.18))
    for sx, sy in spots:
        stem = curve([(x + (sx - x) * 0.1, y + reach * 0.1), (x + (sx - x) * 0.45, y - reach * 0.3), (sx, sy)], 8)
        canvas.line(stem, reach * 0.028, scale(leaf, 0.85 * dark))
        for _ in range(3):
            at = stem[int(rng.integers(3, len(stem)))]
            _leaf(
                table,
                float(at[0]),
                float(at[1]),
                reach * float(rng.uniform(0.18, 0.36)),
                scale(leaf, dark * float(rng.uniform(0.7, 1.35))),
            )
    for sx, sy in sorted(spots, key=lambda s: s[1]):
        color = scale(
            mix(kinds[int(rng.integers(len(kinds)))], (1, 1, 1), float(rng.uniform(0, 0.15))),
            dark * (0.62 if table.cool else 1.0),
        )
        _blossom(table, float(sx), float(sy), reach * float(rng.uniform(0.17, 0.30)), color)


def _leaf(table: Table, x: float, y: float, size: float, color: Color) -> None:
    turn = float(table.rng.uniform(0, 2 * np.pi))
    tip = (x + np.cos(turn) * size, y + np.sin(turn) * size * 0.8)
    mid = curve([(x, y), ((x + tip[0]) / 2, (y + tip[1]) / 2 - size * 0.1), tip], 8)
    wide = size * 0.34 * np.sin(np.linspace(0.1, np.pi - 0.02, len(mid)))
    table.canvas.polygon(
        ribbon(mid, np.maximum(wide, 0.4)),
        gradient(
            (x, y - size * 0.2), (x, y + size * 0.3), (mix(color, table.lamp.color, 0.2), color, scale(color, 0.6))
        ),
    )
    table.canvas.line(mid, max(0.6, size * 0.02), scale(color, 1.3), opacity=0.6)


def _blossom(table: Table, x: float, y: float, r: float, color: Color) -> None:
    """A full-petalled flower: rings of petals, darker at their base, light toward the lamp."""
    canvas, rng, side = table.canvas, table.rng, table.lamp.side
    tilt = float(rng.uniform(0.62, 0.95))
    canvas.ellipse(
        x - side * r * 0.12, y + r * 0.16, r * 0.98, r * 0.98 * tilt, scale(color, 0.35), 0, 0.45, soft=r * 0.12
    )
    for ring, (away, size, count) in enumerate(((0.60, 0.46, 11), (0.40, 0.38, 9), (0.20, 0.28, 7))):
        spin = float(rng.random()) * 6
        for k in range(count):
            a = spin + 2 * np.pi * k / count + float(rng.normal(0, 0.08))
            px, py = x + np.cos(a) * r * away, y + np.sin(a) * r * away * tilt
            light = 0.80 + 0.16 * np.cos(a) * side - 0.14 * np.sin(a) - 0.07 * ring + 0.05 * float(rng.normal())
            petal = scale(color, light)
            canvas.ellipse(
                px,
                py,
                r * size,
                r * size * 0.62,
                radial(x, y, r * (away + size), (scale(petal, 0.62), petal, mix(petal, (1, 1, 1), 0.22))),
                float(np.degrees(np.arctan2(np.sin(a) * tilt, np.cos(a)))),
            )
    canvas.ellipse(x, y, r * 0.16, r * 0.14 * tilt, mix(color, (0.85, 0.62, 0.22), 0.65))
