"""Bottles, jars, lipsticks and mugs for product shots, and the stage they stand on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.kernels import type as typeset
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    Paint,
    curve,
    gradient,
    mix,
    moved,
    oval,
    points,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.pictograms import rounded
from aquatint.engines.studio.scenes.figures.solid import Lamp, Stuff, rest, turned


@dataclass(frozen=True, slots=True)
class Stage:
    """The set: where the product stands and how it is lit. Lengths in pixels."""

    canvas: Canvas
    lamp: Lamp
    x: float
    foot: float
    tall: float  # height that a tall product may have
    body: Color
    accent: Color
    label: str
    rng: np.random.Generator


def label(stage: Stage, x: float, y: float, width: float, height: float, ink: Color) -> None:
    """Set the quoted text in a box around (x, y); nothing when there is none."""
    if not stage.label:
        return
    block = typeset.fit(
        stage.label, round(width), round(height), "sans-bold", largest=round(height * 0.7), leading=1.15
    )
    mask = typeset.crop_to_ink(typeset.block_mask(block, "center", tracking=0.06))
    stage.canvas.stamp(mask, round(x - mask.shape[1] / 2), round(y - mask.shape[0] / 2), ink, 0.92)


def ink_on(color: Color) -> Color:
    return (0.97, 0.96, 0.94) if sum(color) < 1.5 else (0.13, 0.13, 0.15)


def _glass(stage: Stage, left: float, right: float, color: Color, clear: float) -> Paint:
    """Light through a flat glass body: bright edges, a darker heart, one tall highlight."""
    s = stage.lamp.side
    a, b = (right, left) if s > 0 else (left, right)
    bright, deep = mix(color, (1, 1, 1), 0.55), scale(color, 0.62)
    return gradient(
        (a, 0),
        (b, 0),
        (
            mix(color, (1, 1, 1), 0.2),
            bright,
            mix(color, (1, 1, 1), clear),
            color,
            deep,
            mix(color, deep, 0.4),
            mix(color, (1, 1, 1), 0.25),
        ),
    )


def perfume(stage: Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall, stage.lamp.side
    half, high = tall * float(stage.rng.uniform(0.27, 0.34)), tall * 0.62
    rest(canvas, x, foot, half, stage.lamp, 1.5, 0.5)
    if stage.rng.random() < 0.5:
        body = rounded(x, foot - high / 2, half, high / 2, half * 0.22)
    else:
        body = oval(x, foot - high / 2, half * 1.05, high / 2)
    glass = mix(stage.body, (1, 1, 1), 0.45)
    canvas.polygon(body, _glass(stage, x - half, x + half, glass, 0.35))
    inner = np.array([x, foot - high * 0.47]) + (body - (x, foot - high / 2)) * (0.84, 0.80)
    level = foot - high * 0.80
    liquid = np.stack([inner[:, 0], np.maximum(inner[:, 1], level)], 1)
    canvas.polygon(
        liquid,
        gradient(
            (x + s * half, level),
            (x - s * half, foot),
            (mix(stage.body, (1, 1, 1), 0.35), stage.body, scale(stage.body, 0.62)),
        ),
        0.9,
    )
    canvas.polygon(oval(x, level, np.ptp(inner[:, 0]) * 0.46, tall * 0.008), mix(stage.body, (1, 1, 1), 0.6), 0.7)
    for dx, wide, opacity in ((0.80, 0.055, 0.75), (-0.84, 0.03, 0.4)):
        streak = rounded(x + s * dx * half * 0.9, foot - high * 0.5, half * wide, high * 0.33, half * wide)
        canvas.polygon(streak, (1, 1, 1), opacity, soft=half * 0.02)
    metal = Stuff(stage.accent, 0.9, 40, mottle=0.0)
    turned(canvas, x, foot - high * 0.985, tall * 0.07, ((0, 1.05), (1, 1.05)), metal, stage.lamp)
    turned(
        canvas,
        x,
        foot - high * 0.985 - tall * 0.065,
        tall * 0.24,
        ((0, 0.50), (0.04, 0.53), (0.96, 0.53), (1, 0.50)),
        metal,
        stage.lamp,
    )
    canvas.polygon(
        oval(x, foot - high - tall * 0.292, tall * 0.124, tall * 0.020), mix(stage.accent, (1, 1, 1), 0.45)
    )
    label(stage, x, foot - high * 0.40, half * 1.25, high * 0.22, ink_on(stage.body))


def _round_label(stage: Stage, x: float, y: float, half: float, tall: float, color: Color) -> None:
    """A paper label wrapped around a cylinder."""
    s = stage.lamp.side
    u = np.linspace(-1, 1, 40)
    low = np.stack([x + u * half, y + tall / 2 + np.sqrt(1 - u * u) * half * 0.10], 1)
    high = np.stack([x + u[::-1] * half, np.full(40, y - tall / 2) + np.sqrt(1 - u * u) * half * 0.05], 1)
    paint = gradient(
        (x + s * half, 0),
        (x - s * half, 0),
        (scale(color, 0.9), color, color, scale(color, 0.80), scale(color, 0.55)),
    )
    stage.canvas.polygon(np.concatenate([low, high]), textured(stage.canvas, paint, 0.02, 0.006))
    if stage.label:
        label(stage, x, y + half * 0.06, half * 1.3, tall * 0.62, ink_on(color))
    else:
        ink = mix(ink_on(color), color, 0.3)
        for k, w in enumerate((0.5, 0.34, 0.42)):
            row = y + half * 0.06 + tall * (-0.16 + 0.15 * k)
            stage.canvas.polygon(rounded(x, row, half * w, tall * (0.034 if k == 0 else 0.016), tall * 0.012), ink)


def bottle(stage: Stage) -> None:
    canvas, x, foot, tall = stage.canvas, stage.x, stage.foot, stage.tall
    pump = stage.rng.random() < 0.5
    half = tall * 0.175
    rest(canvas, x, foot, half, stage.lamp, 2.0, 0.5)
    profile = (
        (0, 0.160),
        (0.02, 0.175),
        (0.3, 0.176),
        (0.60, 0.175),
        (0.66, 0.15),
        (0.70, 0.075),
        (0.74, 0.065),
        (0.78, 0.065),
    )
    turned(canvas, x, foot, tall, profile, Stuff(stage.body, 0.6, 40, mottle=0.02), stage.lamp)
    metal = Stuff(stage.accent, 0.8, 36, mottle=0.0)
    if pump:
        turned(canvas, x, foot - tall * 0.76, tall * 0.06, ((0, 1.25), (1, 1.2)), metal, stage.lamp)
        turned(canvas, x, foot - tall * 0.81, tall * 0.10, ((0, 0.26), (1, 0.26)), metal, stage.lamp)
        nozzle = curve(
            [
                (x + tall * 0.05, foot - tall * 0.905),
                (x - stage.lamp.side * tall * 0.08, foot - tall * 0.925),
                (x - stage.lamp.side * tall * 0.19, foot - tall * 0.885),
            ],
            10,
        )
        canvas.line(
            nozzle,
            tall * 0.040,
            gradient(
                (0, foot - tall * 0.95),
                (0, foot - tall * 0.87),
                (mix(stage.accent, (1, 1, 1), 0.5), stage.accent, scale(stage.accent, 0.6)),
            ),
            taper=0.25,
        )
    else:
        turned(
            canvas,
            x,
            foot - tall * 0.76,
            tall * 0.20,
            ((0, 0.44), (0.03, 0.46), (0.95, 0.46), (1, 0.42)),
            metal,
            stage.lamp,
        )
    _round_label(stage, x, foot - tall * 0.32, tall * 0.176, tall * 0.30, mix(stage.accent, (1, 1, 1), 0.75))


def jar(stage: Stage) -> None:
    canvas, x, foot, tall = stage.canvas, stage.x, stage.foot, stage.tall * 0.62
    rest(canvas, x, foot, tall * 0.46, stage.lamp, 1.5, 0.5)
    turned(
        canvas,
        x,
        foot,
        tall * 0.66,
        ((0, 0.62), (0.06, 0.70), (0.5, 0.71), (0.94, 0.70), (1.0, 0.64)),
        Stuff(mix(stage.body, (1, 1, 1), 0.25), 0.7, 44, mottle=0.01),
        stage.lamp,
    )
    turned(
        canvas,
        x,
        foot - tall * 0.64,
        tall * 0.34,
        ((0, 1.38), (0.05, 1.42), (0.92, 1.42), (1.0, 1.36)),
        Stuff(stage.accent, 0.85, 40, mottle=0.0),
        stage.lamp,
    )
    lid = oval(x, foot - tall * 0.975, tall * 0.463, tall * 0.072)
    canvas.polygon(
        lid,
        gradient(
            (x + stage.lamp.side * tall * 0.5, 0),
            (x - stage.lamp.side * tall * 0.5, 0),
            (mix(stage.accent, (1, 1, 1), 0.6), mix(stage.accent, (1, 1, 1), 0.15), scale(stage.accent, 0.75)),
        ),
    )
    if stage.label:
        label(stage, x, foot - tall * 0.28, tall * 0.72, tall * 0.22, ink_on(mix(stage.body, (1, 1, 1), 0.25)))
    else:
        canvas.polygon(
            rounded(x, foot - tall * 0.30, tall * 0.22, tall * 0.014, tall * 0.01),
            ink_on(mix(stage.body, (1, 1, 1), 0.25)),
            0.7,
        )
        canvas.polygon(
            rounded(x, foot - tall * 0.24, tall * 0.14, tall * 0.008, tall * 0.006),
            ink_on(mix(stage.body, (1, 1, 1), 0.25)),
            0.6,
        )


def lipstick(stage: Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall, stage.lamp.side
    rest(canvas, x, foot, tall * 0.10, stage.lamp, 2.6, 0.5)
    color: Color = stage.body if stage.body[0] > stage.body[1] + 0.2 else (0.76, 0.12, 0.18)
    turned(
        canvas,
        x,
        foot,
        tall * 0.42,
        ((0, 0.27), (0.02, 0.28), (1.0, 0.28)),
        Stuff((0.10, 0.10, 0.12), 0.9, 50, mottle=0.0),
        stage.lamp,
    )
    turned(
        canvas,
        x,
        foot - tall * 0.41,
        tall * 0.22,
        ((0, 0.44), (0.9, 0.44), (1.0, 0.42)),
        Stuff(stage.accent, 0.95, 40, mottle=0.0),
        stage.lamp,
    )
    top, half = foot - tall * 0.92, tall * 0.078
    stick = np.concatenate(
        [
            points([(x - half, foot - tall * 0.62), (x + half, foot - tall * 0.62)]),
            curve(
                [
                    (x + half, top + tall * 0.16 * (1 if s < 0 else 0.4)),
                    (x + half * 0.7 * -s, top),
                    (x - half, top + tall * 0.16 * (0.4 if s < 0 else 1)),
                ],
                14,
            ),
        ]
    )
    canvas.polygon(stick, _glass(stage, x - half, x + half, color, 0.1))
    canvas.polygon(oval(x, foot - tall * 0.625, half, half * 0.16), scale(color, 0.7))


def mug(stage: Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall * 0.68, stage.lamp.side
    rest(canvas, x, foot, tall * 0.40, stage.lamp, 1.6, 0.5)
    color = mix(stage.body, (1, 1, 1), 0.1)
    loop = curve(
        [
            (x - s * tall * 0.36, foot - tall * 0.78),
            (x - s * tall * 0.70, foot - tall * 0.76),
            (x - s * tall * 0.74, foot - tall * 0.40),
            (x - s * tall * 0.36, foot - tall * 0.22),
        ],
        24,
    )
    canvas.line(loop, tall * 0.105, scale(color, 0.60))
    canvas.line(moved(loop, s * tall * 0.006, -tall * 0.012), tall * 0.062, scale(color, 0.82))
    turned(
        canvas,
        x,
        foot,
        tall,
        ((0, 0.36), (0.03, 0.385), (0.5, 0.40), (1.0, 0.405)),
        Stuff(color, 0.55, 36, mottle=0.02),
        stage.lamp,
    )
    canvas.polygon(oval(x, foot - tall, tall * 0.405, tall * 0.072), mix(color, (1, 1, 1), 0.35))
    canvas.polygon(
        oval(x, foot - tall * 0.995, tall * 0.375, tall * 0.058),
        gradient((x - s * tall * 0.4, 0), (x + s * tall * 0.4, 0), (scale(color, 0.8), scale(color, 0.45))),
    )
    canvas.polygon(
        oval(x, foot - tall * 0.975, tall * 0.355, tall * 0.042),
        gradient((x - tall * 0.4, 0), (x + tall * 0.4, 0), ((0.26, 0.14, 0.08), (0.45, 0.27, 0.15))),
    )
    label(stage, x, foot - tall * 0.48, tall * 0.56, tall * 0.30, ink_on(color))
