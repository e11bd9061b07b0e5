"""Things of a still life: vases, jugs, teapots, bottles, bowls, cups and candles on a table."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures.canvas import (
    Color,
    curve,
    gradient,
    mix,
    oval,
    points,
    scale,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.harvest import bouquet, fruit, wanted
from aquatint.engines.studio.scenes.figures.solid import Stuff, Table, rest, turned

_VASES: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0, 0.16), (0.05, 0.20), (0.35, 0.33), (0.62, 0.28), (0.84, 0.14), (0.93, 0.13), (1.0, 0.18)),
    ((0, 0.20), (0.04, 0.22), (0.5, 0.25), (0.85, 0.26), (0.92, 0.21), (1.0, 0.22)),
    ((0, 0.14), (0.06, 0.15), (0.22, 0.27), (0.42, 0.30), (0.60, 0.20), (0.78, 0.10), (0.92, 0.10), (1.0, 0.15)),
)


_GLAZES: tuple[Color, ...] = (
    (0.90, 0.88, 0.83),
    (0.22, 0.36, 0.52),
    (0.55, 0.66, 0.60),
    (0.72, 0.42, 0.30),
    (0.30, 0.33, 0.34),
)


def vase(table: Table, plan: Plan, x: float, foot: float, flowers: bool) -> None:
    canvas, rng = table.canvas, table.rng
    tall = table.size * float(rng.uniform(0.36, 0.42))
    rest(canvas, x, foot, tall * 0.22, table.lamp, 3.4)
    if flowers:
        bouquet(table, plan, x, foot - tall * 0.98, table.size * 0.27, behind=True)
    color = _GLAZES[int(rng.integers(len(_GLAZES)))]
    turned(
        canvas, x, foot, tall, _VASES[int(rng.integers(len(_VASES)))], Stuff(color, 0.55, 30, mottle=0.08), table.lamp
    )
    rim = oval(x, foot - tall, tall * 0.165, tall * 0.035)
    canvas.polygon(rim, scale(color, 0.32))
    if flowers:
        bouquet(table, plan, x, foot - tall * 0.98, table.size * 0.25, behind=False)


def jug(table: Table, x: float, foot: float, plan: Plan) -> None:
    canvas, rng = table.canvas, table.rng
    tall = table.size * 0.34
    color = _GLAZES[int(rng.integers(len(_GLAZES)))]
    rest(canvas, x, foot, tall * 0.25, table.lamp, 2.6)
    loop = curve(
        [
            (x - table.lamp.side * tall * 0.18, foot - tall * 0.86),
            (x - table.lamp.side * tall * 0.44, foot - tall * 0.80),
            (x - table.lamp.side * tall * 0.44, foot - tall * 0.48),
            (x - table.lamp.side * tall * 0.26, foot - tall * 0.32),
        ],
        12,
    )
    canvas.line(loop, tall * 0.055, scale(color, 0.6))
    canvas.line(loop - (tall * 0.01, tall * 0.01), tall * 0.02, scale(color, 0.95))
    turned(
        canvas,
        x,
        foot,
        tall,
        ((0, 0.20), (0.05, 0.22), (0.3, 0.29), (0.55, 0.26), (0.8, 0.17), (1.0, 0.19)),
        Stuff(color, 0.4, 26, mottle=0.1),
        table.lamp,
    )
    canvas.polygon(oval(x, foot - tall, tall * 0.185, tall * 0.036), scale(color, 0.3))
    del plan


def pot(table: Table, x: float, foot: float, plan: Plan) -> None:
    """A teapot."""
    canvas, side = table.canvas, table.lamp.side
    tall = table.size * 0.25
    color = _GLAZES[int(table.rng.integers(len(_GLAZES)))]
    rest(canvas, x, foot, tall * 0.42, table.lamp, 2.0)
    _handle_and_spout(table, x, foot, color, side, tall)
    turned(
        canvas,
        x,
        foot,
        tall,
        (
            (0, 0.28),
            (0.04, 0.34),
            (0.35, 0.52),
            (0.62, 0.48),
            (0.80, 0.32),
            (0.84, 0.26),
            (0.90, 0.20),
            (0.94, 0.07),
            (1.0, 0.08),
            (1.03, 0.02),
        ),
        Stuff(color, 0.6, 34, mottle=0.08),
        table.lamp,
    )
    del plan


def _handle_and_spout(table: Table, x: float, foot: float, color: Color, side: float, tall: float) -> None:
    """Handle and spout of a teapot."""
    canvas = table.canvas
    loop = curve(
        [
            (x - side * tall * 0.40, foot - tall * 0.74),
            (x - side * tall * 0.82, foot - tall * 0.76),
            (x - side * tall * 0.84, foot - tall * 0.36),
            (x - side * tall * 0.44, foot - tall * 0.24),
        ],
        12,
    )
    canvas.line(loop, tall * 0.085, scale(color, 0.62))
    spout = curve(
        [
            (x + side * tall * 0.38, foot - tall * 0.30),
            (x + side * tall * 0.62, foot - tall * 0.42),
            (x + side * tall * 0.72, foot - tall * 0.74),
            (x + side * tall * 0.86, foot - tall * 0.82),
        ],
        10,
    )
    canvas.line(
        spout,
        tall * 0.17,
        gradient(
            (0, foot - tall * 0.9),
            (0, foot - tall * 0.2),
            (mix(color, table.lamp.color, 0.3), color, scale(color, 0.55)),
        ),
        taper=0.45,
    )


def bottle(table: Table, x: float, foot: float) -> None:
    tall = table.size * 0.62
    rest(table.canvas, x, foot, tall * 0.12, table.lamp, 4.0)
    turned(
        table.canvas,
        x,
        foot,
        tall,
        (
            (0, 0.105),
            (0.03, 0.115),
            (0.5, 0.118),
            (0.62, 0.10),
            (0.72, 0.045),
            (0.95, 0.040),
            (0.96, 0.05),
            (1.0, 0.05),
        ),
        Stuff((0.10, 0.20, 0.13), 0.85, 46, mottle=0.03),
        table.lamp,
    )
    label = points(
        [
            (x - tall * 0.117, foot - tall * 0.17),
            (x + tall * 0.117, foot - tall * 0.17),
            (x + tall * 0.117, foot - tall * 0.42),
            (x - tall * 0.117, foot - tall * 0.42),
        ]
    )
    side = table.lamp.side
    table.canvas.polygon(
        label,
        gradient(
            (x + side * tall * 0.12, 0),
            (x - side * tall * 0.12, 0),
            ((0.92, 0.88, 0.78), (0.86, 0.80, 0.68), (0.42, 0.38, 0.34)),
        ),
    )
    for k, w in enumerate((0.07, 0.05, 0.085)):
        table.canvas.line(
            points(
                [(x - tall * w, foot - tall * (0.36 - 0.06 * k)), (x + tall * w, foot - tall * (0.36 - 0.06 * k))]
            ),
            tall * 0.008,
            (0.45, 0.20, 0.18),
        )


def bowl(table: Table, plan: Plan, x: float, foot: float) -> None:
    """A footed bowl heaped with fruit: back rim, fruit, then the front."""
    canvas, rng, size = table.canvas, table.rng, table.size
    half, tall = size * 0.22, size * 0.13
    kinds = wanted(plan, rng)
    color = _GLAZES[int(rng.integers(len(_GLAZES)))]
    rest(canvas, x, foot, half * 0.75, table.lamp, 1.8)
    canvas.polygon(oval(x, foot - tall, half, half * 0.22), scale(color, 0.5))
    r = size * 0.068
    for level, count in enumerate((4, 3, 2)):
        for k in range(count):
            fx = x + (k - (count - 1) / 2) * r * 1.72 + float(rng.normal(0, 0.06)) * r
            kind = kinds[int(rng.integers(len(kinds)))]
            kind = kind if kind != "grapes" or level == 0 else kinds[0] if kinds[0] != "grapes" else "plum"
            fruit(table, kind, fx, foot - tall * 0.72 - level * r * 1.18 + r * 0.25, r, shadow=False)
    turned(
        canvas,
        x,
        foot,
        tall,
        ((0, 0.72), (0.06, 0.74), (0.16, 0.5), (0.3, 0.85), (0.6, 1.38), (1.0, 1.70)),
        Stuff(color, 0.5, 30, mottle=0.08),
        table.lamp,
    )
    turn = np.linspace(0.04, np.pi - 0.04, 40)
    lip = np.stack([x + np.cos(turn) * half, foot - tall + np.sin(turn) * half * 0.10], 1)
    canvas.line(lip, size * 0.009, mix(color, table.lamp.color, 0.5))


def cup(table: Table, x: float, foot: float) -> None:
    canvas, side = table.canvas, table.lamp.side
    tall = table.size * 0.105
    color: Color = (0.93, 0.91, 0.87)
    rest(canvas, x, foot + tall * 0.05, tall * 0.95, table.lamp, 1.3)
    saucer = oval(x, foot + tall * 0.06, tall * 1.25, tall * 0.24)
    canvas.polygon(
        saucer,
        gradient(
            (x + side * tall, 0), (x - side * tall, 0), (mix(color, table.lamp.color, 0.5), color, scale(color, 0.62))
        ),
    )
    canvas.polygon(oval(x, foot + tall * 0.03, tall * 0.8, tall * 0.14), scale(color, 0.7))
    loop = curve(
        [
            (x - side * tall * 0.62, foot - tall * 0.75),
            (x - side * tall * 1.02, foot - tall * 0.72),
            (x - side * tall * 0.95, foot - tall * 0.34),
            (x - side * tall * 0.5, foot - tall * 0.26),
        ],
        10,
    )
    canvas.line(loop, tall * 0.10, scale(color, 0.7))
    turned(
        canvas,
        x,
        foot,
        tall,
        ((0, 0.36), (0.04, 0.38), (0.4, 0.60), (1.0, 0.70)),
        Stuff(color, 0.5, 30, mottle=0.03),
        table.lamp,
    )
    canvas.polygon(oval(x, foot - tall, tall * 0.70, tall * 0.17), scale(color, 0.8))
    canvas.polygon(
        oval(x, foot - tall * 0.95, tall * 0.62, tall * 0.13),
        gradient((x - tall * 0.6, 0), (x + tall * 0.6, 0), ((0.36, 0.18, 0.08), (0.52, 0.28, 0.13))),
    )


def candle(table: Table, x: float, foot: float) -> None:
    canvas, tall = table.canvas, table.size * 0.26
    rest(canvas, x, foot, tall * 0.2, table.lamp, 1.2)
    turned(
        canvas,
        x,
        foot,
        tall * 0.16,
        ((0, 1.2), (0.2, 1.3), (0.5, 0.5), (1.0, 0.55)),
        Stuff((0.62, 0.46, 0.22), 0.8, 30),
        table.lamp,
    )
    turned(
        canvas,
        x,
        foot - tall * 0.12,
        tall * 0.66,
        ((0, 0.10), (1.0, 0.095)),
        Stuff((0.96, 0.90, 0.76), 0.2, 12, mottle=0.02),
        table.lamp,
    )
    y = foot - tall * 0.80
    canvas.line(points([(x, y + tall * 0.05), (x, y - tall * 0.03)]), tall * 0.014, (0.1, 0.08, 0.06))
    flame = curve(
        [(x, y), (x - tall * 0.04, y - tall * 0.07), (x, y - tall * 0.22), (x + tall * 0.04, y - tall * 0.07)],
        8,
        closed=True,
    )
    canvas.glow(x, y - tall * 0.1, table.size * 0.8, (1.0, 0.62, 0.25), 0.45)
    canvas.polygon(
        flame, gradient((0, y - tall * 0.22), (0, y), ((1.0, 0.72, 0.28), (1.0, 0.95, 0.72), (0.95, 0.66, 0.30)))
    )
    canvas.glow(x, y - tall * 0.1, tall * 0.5, (1.0, 0.8, 0.45), 0.6)
