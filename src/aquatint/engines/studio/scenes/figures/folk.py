"""People, deer, birds and rowing boats seen from afar: clean antialiased shapes with one light."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.scenes.figures.air import Air
from aquatint.engines.studio.scenes.figures.canvas import Canvas, Color, curve, gradient, mix, points, scale

_SKIN = (0.80, 0.60, 0.48)
_COATS: tuple[Color, ...] = (
    (0.72, 0.22, 0.20),
    (0.20, 0.32, 0.50),
    (0.86, 0.66, 0.26),
    (0.25, 0.40, 0.34),
    (0.30, 0.28, 0.32),
    (0.82, 0.80, 0.76),
)


def person(
    canvas: Canvas, air: Air, x: float, foot: float, tall: float, rng: np.random.Generator, sun_side: float = -1.0,
    far: float = 0.0, coat: Color | None = None, hat: bool = False,
) -> None:  # fmt: skip
    """Somebody walking, seen from behind; a shadow lies on the side away from the sun."""
    coat = coat or _COATS[int(rng.integers(len(_COATS)))]
    stride = float(rng.uniform(0.05, 0.10)) * tall * (1 if rng.random() < 0.5 else -1)
    dark = air.tone(scale(coat, 0.5), 0.3, far)
    lit = air.tone(coat, 1.0, far)
    legs = air.tone((0.18, 0.18, 0.22), 0.4, far)
    shadow = points(
        [(x - tall * 0.06, foot), (x + tall * 0.06, foot), (x - sun_side * tall * 0.75, foot + tall * 0.10)]
    )
    canvas.polygon(shadow, scale(air.shadow, 0.3), 0.35, soft=tall * 0.015)
    for way in (-1, 1):
        leg = curve(
            [
                (x + way * tall * 0.035, foot - tall * 0.46),
                (x + way * tall * 0.03 + way * stride * 0.5, foot - tall * 0.22),
                (x + way * stride, foot - tall * 0.01),
            ],
            5,
        )
        canvas.line(leg, tall * 0.062, legs, taper=0.35)
    body = curve(
        [
            (x - tall * 0.085, foot - tall * 0.80),
            (x, foot - tall * 0.835),
            (x + tall * 0.085, foot - tall * 0.80),
            (x + tall * 0.10, foot - tall * 0.55),
            (x + tall * 0.115, foot - tall * 0.36),
            (x, foot - tall * 0.34),
            (x - tall * 0.115, foot - tall * 0.36),
            (x - tall * 0.10, foot - tall * 0.55),
        ],
        6,
        closed=True,
    )
    canvas.polygon(
        body,
        gradient((x + sun_side * tall * 0.1, 0), (x - sun_side * tall * 0.1, 0), (lit, mix(lit, dark, 0.6), dark)),
    )
    _arms_and_head(canvas, air, x, foot, tall, sun_side, far, hat, dark, lit, stride)


def _arms_and_head(
    canvas: Canvas,
    air: Air,
    x: float,
    foot: float,
    tall: float,
    sun_side: float,
    far: float,
    hat: bool,
    dark: Color,
    lit: Color,
    stride: float,
) -> None:
    """Arms, head and a straw hat."""
    for way in (-1, 1):
        arm = curve(
            [
                (x + way * tall * 0.085, foot - tall * 0.77),
                (x + way * tall * 0.125, foot - tall * 0.60),
                (x + way * tall * 0.10 - way * stride * 0.5, foot - tall * 0.45),
            ],
            5,
        )
        canvas.line(arm, tall * 0.05, lit if way * sun_side > 0 else dark, taper=0.3)
    head = air.tone(_SKIN, 0.8, far)
    canvas.ellipse(x, foot - tall * 0.905, tall * 0.052, tall * 0.066, head)
    canvas.ellipse(x, foot - tall * 0.925, tall * 0.056, tall * 0.055, air.tone((0.16, 0.12, 0.10), 0.6, far))
    if hat:
        canvas.polygon(
            points(
                [
                    (x - tall * 0.16, foot - tall * 0.90),
                    (x + tall * 0.16, foot - tall * 0.90),
                    (x, foot - tall * 1.03),
                ]
            ),
            air.tone((0.72, 0.60, 0.38), 0.8, far),
        )


def birds(
    canvas: Canvas, x: float, y: float, span: float, count: int, color: Color, rng: np.random.Generator
) -> None:
    """A loose flock around (x, y); `span` is the wing span of the largest."""
    for _ in range(count):
        at_x, at_y = x + float(rng.normal(0, 3.2)) * span, y + float(rng.normal(0, 1.4)) * span
        wide, lift = span * float(rng.uniform(0.5, 1.0)), float(rng.uniform(0.12, 0.5))
        canvas.ellipse(at_x, at_y, wide * 0.10, wide * 0.045, color)
        for way in (-1, 1):
            wing = curve(
                [
                    (at_x, at_y),
                    (at_x + way * wide * 0.22, at_y - wide * lift * 0.7),
                    (at_x + way * wide * 0.5, at_y - wide * lift * 0.35),
                ],
                6,
            )
            canvas.line(wing, max(0.8, wide * 0.09), color, taper=0.85)


def rowboat(canvas: Canvas, air: Air, x: float, water: float, long: float, side: int) -> None:
    """A slim river boat with a rounded cabin and a rower in a straw hat, with its image in the water."""
    hull, cabin = air.tone((0.26, 0.19, 0.15), 0.5), air.tone((0.56, 0.47, 0.33), 0.8)
    for flip, opacity in ((-0.8, 0.38), (1.0, 1.0)):

        def up(dx: float, dy: float, flip: float = flip) -> tuple[float, float]:
            return x + dx * long * side, water - dy * long * flip

        shape = curve(
            [
                up(-0.52, 0.10),
                up(-0.40, 0.02),
                up(-0.1, -0.025),
                up(0.2, -0.02),
                up(0.42, 0.03),
                up(0.54, 0.12),
                up(0.36, 0.075),
                up(0, 0.055),
                up(-0.36, 0.06),
            ],
            5,
            closed=True,
        )
        roof = curve([up(-0.18, 0.05), up(-0.16, 0.15), up(-0.02, 0.195), up(0.13, 0.15), up(0.15, 0.05)], 6)
        canvas.polygon(roof, cabin, opacity)
        canvas.polygon(shape, hull, opacity)
        body = curve([up(0.27, 0.06), up(0.26, 0.19), up(0.30, 0.23), up(0.35, 0.19), up(0.35, 0.06)], 5)
        canvas.polygon(body, air.tone((0.22, 0.30, 0.40), 0.6), opacity)
        canvas.polygon(
            points([up(0.22, 0.235), up(0.40, 0.235), up(0.31, 0.305)]), air.tone((0.78, 0.66, 0.42), 0.9), opacity
        )
        canvas.line(points([up(0.34, 0.19), up(0.56, -0.06)]), max(0.8, long * 0.012), hull, opacity=opacity)
    for k in range(5):
        w = long * (0.62 - 0.08 * k)
        y = water + long * (0.035 + 0.035 * k)
        canvas.ellipse(x + long * 0.02 * k, y, w, long * 0.004, air.sky[-1], opacity=0.35 - 0.05 * k)


def deer(canvas: Canvas, air: Air, x: float, foot: float, tall: float, far: float = 0.1) -> None:
    """A stag standing sideways with raised head; `tall` is its height with the antlers."""
    body_c, dark = air.tone((0.52, 0.34, 0.20), 0.8, far), air.tone((0.26, 0.16, 0.10), 0.3, far)

    def at(dx: float, dy: float) -> tuple[float, float]:
        return x + dx * tall, foot - dy * tall

    for dx, lean in ((-0.22, -0.02), (-0.14, 0.02), (0.10, -0.01), (0.17, 0.03)):
        canvas.line(
            curve([at(dx, 0.36), at(dx + lean, 0.18), at(dx, 0.0)], 6),
            tall * 0.045,
            mix(body_c, dark, 0.5),
            taper=0.5,
        )
    trunk = curve(
        [
            at(-0.29, 0.44),
            at(-0.22, 0.53),
            at(0.05, 0.51),
            at(0.20, 0.55),
            at(0.22, 0.40),
            at(0.08, 0.33),
            at(-0.14, 0.34),
            at(-0.27, 0.36),
        ],
        6,
        closed=True,
    )
    canvas.polygon(
        trunk, gradient((0, foot - tall * 0.55), (0, foot - tall * 0.32), (body_c, mix(body_c, dark, 0.7)))
    )
    neck = curve(
        [at(0.12, 0.50), at(0.20, 0.62), at(0.23, 0.72), at(0.30, 0.72), at(0.27, 0.58), at(0.22, 0.42)],
        6,
        closed=True,
    )
    canvas.polygon(neck, body_c)
    head = curve(
        [at(0.21, 0.73), at(0.26, 0.78), at(0.33, 0.75), at(0.41, 0.70), at(0.39, 0.67), at(0.29, 0.68)],
        6,
        closed=True,
    )
    canvas.polygon(head, body_c)
    canvas.polygon(points([at(0.23, 0.76), at(0.14, 0.79), at(0.22, 0.73)]), mix(body_c, dark, 0.3))
    for way in (-1.0, 1.0):
        beam = curve([at(0.25, 0.77), at(0.20 + 0.08 * way, 0.86), at(0.26 + 0.10 * way, 0.99)], 8)
        canvas.line(beam, tall * 0.018, dark, taper=0.5)
        for i in (4, 8, 12):
            tip = (float(beam[i, 0]) + tall * 0.06, float(beam[i, 1]) - tall * 0.06)
            canvas.line(points([tuple(beam[i]), tip]), tall * 0.012, dark, taper=0.5)
