"""Phones, boxes, watches and headphones for product shots."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels import type as typeset
from aquatint.engines.studio.scenes.figures.canvas import (
    gradient,
    mix,
    oval,
    points,
    radial,
    ribbon,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.goods import Stage, ink_on, label
from aquatint.engines.studio.scenes.figures.pictograms import rounded
from aquatint.engines.studio.scenes.figures.solid import Stuff, ball, rest


def phone(stage: Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall * 1.02, stage.lamp.side
    half = tall * 0.245
    rest(canvas, x, foot, half, stage.lamp, 1.6, 0.5)
    y = foot - tall / 2
    canvas.polygon(rounded(x - s * tall * 0.018, y, half, tall / 2, half * 0.32), scale(stage.body, 0.55))
    frame = rounded(x, y, half, tall / 2, half * 0.32)
    canvas.polygon(
        frame,
        gradient(
            (x + s * half, y - tall / 2),
            (x - s * half, y + tall / 2),
            (mix(stage.body, (1, 1, 1), 0.7), stage.body, scale(stage.body, 0.6)),
        ),
    )
    canvas.polygon(rounded(x, y, half * 0.965, tall / 2 - half * 0.035, half * 0.29), (0.03, 0.03, 0.04))
    w, h = half * 0.92, tall / 2 - half * 0.08
    screen = rounded(x, y, w, h, half * 0.26)
    first, second = mix(stage.body, (0.2, 0.2, 0.7), 0.45), mix(stage.accent, (1.0, 0.5, 0.45), 0.4)
    canvas.polygon(
        screen,
        gradient(
            (x - w, y - h),
            (x + w, y + h),
            (scale(first, 0.5), first, mix(first, second, 0.5), second, mix(second, (1, 1, 1), 0.4)),
        ),
    )
    for k in range(3):
        r = w * (0.9 - 0.22 * k)
        canvas.polygon(
            np.clip(oval(x, y + h * 0.30, r, r), (x - w, y - h), (x + w, y + h)),
            mix(second, (1, 1, 1), 0.2 + 0.2 * k),
            0.30,
        )
    clock = typeset.line_mask("9:41", round(half * 0.36), "sans-bold")
    canvas.stamp(clock, round(x - clock.shape[1] / 2), round(y - h * 0.66), (1, 1, 1), 0.95)
    label(stage, x, y - h * 0.34, w * 1.5, h * 0.22, (1, 1, 1))
    canvas.polygon(rounded(x, y - h * 0.93, half * 0.20, half * 0.052, half * 0.05), (0.02, 0.02, 0.03))
    shine = points(
        [(x + s * w, y - h), (x + s * w * 0.1, y - h), (x + s * w * 0.62, y + h * 0.1), (x + s * w, y + h * 0.1)]
    )
    canvas.polygon(shine, (1, 1, 1), 0.06)


def box(stage: Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall * 0.86, stage.lamp.side
    front, depth, drop = tall * 0.62, tall * 0.22, tall * 0.055
    left = x - (front + s * 0 + depth) / 2 if s > 0 else x - (front - depth) / 2
    near, far = (left, left + front)
    rest(canvas, x, foot, front * 0.62, stage.lamp, 1.4, 0.5)
    edge, out = (far, far + depth) if s > 0 else (near, near - depth)
    face = points([(near, foot), (far, foot), (far, foot - tall), (near, foot - tall)])
    canvas.polygon(
        face,
        textured(
            canvas,
            gradient(
                (near, foot - tall),
                (far, foot),
                (mix(stage.body, (1, 1, 1), 0.12), stage.body, scale(stage.body, 0.9)),
            ),
            0.02,
            0.006,
        ),
    )
    lit = points([(edge, foot), (out, foot - drop), (out, foot - tall - drop * 0.2), (edge, foot - tall)])
    canvas.polygon(
        lit,
        textured(
            canvas,
            gradient((edge, 0), (out, 0), (mix(stage.body, (1, 1, 1), 0.40), mix(stage.body, (1, 1, 1), 0.22))),
            0.02,
            0.006,
        ),
    )
    canvas.line(points([(edge, foot), (edge, foot - tall)]), max(1.0, tall * 0.004), mix(stage.body, (1, 1, 1), 0.6))
    _box_print(stage, drop, edge, far, foot, front, near, out, tall)


def _box_print(
    stage: Stage,
    drop: float,
    edge: float,
    far: float,
    foot: float,
    front: float,
    near: float,
    out: float,
    tall: float,
) -> None:
    """The band around the box and what is printed on its front."""
    canvas = stage.canvas
    middle = (near + far) / 2
    canvas.polygon(
        points(
            [
                (near, foot - tall * 0.16),
                (far, foot - tall * 0.16),
                (far, foot - tall * 0.20),
                (near, foot - tall * 0.20),
            ]
        ),
        stage.accent,
    )
    canvas.polygon(
        points(
            [
                (edge, foot - tall * 0.16),
                (out, foot - tall * 0.16 - drop * 0.85),
                (out, foot - tall * 0.20 - drop * 0.8),
                (edge, foot - tall * 0.20),
            ]
        ),
        mix(stage.accent, (1, 1, 1), 0.3),
    )
    if stage.label:
        label(stage, middle, foot - tall * 0.62, front * 0.8, tall * 0.30, ink_on(stage.body))
    else:
        canvas.ellipse(middle, foot - tall * 0.62, front * 0.20, front * 0.20, stage.accent)
        canvas.ellipse(middle, foot - tall * 0.62, front * 0.115, front * 0.115, stage.body)


def watch(stage: Stage) -> None:
    canvas, x, tall, s = stage.canvas, stage.x, stage.tall, stage.lamp.side
    y, r = stage.foot - tall * 0.52, tall * 0.27
    strap = scale(stage.body, 0.75)
    rest(canvas, x, stage.foot, r * 0.8, stage.lamp, 1.8, 0.5)
    for way in (-1, 1):
        band = points(
            [
                (x - r * 0.62, y + way * r * 0.7),
                (x + r * 0.62, y + way * r * 0.7),
                (x + r * 0.46, y + way * tall * 0.52),
                (x - r * 0.46, y + way * tall * 0.52),
            ]
        )
        canvas.polygon(
            band,
            textured(
                canvas,
                gradient((x + s * r, 0), (x - s * r, 0), (mix(strap, (1, 1, 1), 0.25), strap, scale(strap, 0.55))),
                0.08,
                0.02,
                0.3,
            ),
        )
        for side in (-1, 1):
            seam = points([(x + side * r * 0.53, y + way * r * 0.9), (x + side * r * 0.40, y + way * tall * 0.51)])
            canvas.line(seam, max(1.0, r * 0.012), mix(strap, (1, 1, 1), 0.5), opacity=0.6)
    _watch_face(stage, r, x, y)


def _watch_face(stage: Stage, r: float, x: float, y: float) -> None:
    """Case, dial and hands."""
    canvas = stage.canvas
    s = stage.lamp.side
    canvas.polygon(rounded(x + r * 1.06, y, r * 0.08, r * 0.11, r * 0.04), stage.accent)
    metal = gradient(
        (x + s * r, y - r),
        (x - s * r, y + r),
        (
            mix(stage.accent, (1, 1, 1), 0.8),
            stage.accent,
            scale(stage.accent, 0.5),
            mix(stage.accent, (1, 1, 1), 0.4),
        ),
    )
    canvas.ellipse(x, y, r, r, metal)
    canvas.ellipse(
        x,
        y,
        r * 0.87,
        r * 0.87,
        radial(x + s * r * 0.3, y - r * 0.3, r * 1.4, ((0.22, 0.24, 0.28), (0.08, 0.09, 0.11), (0.03, 0.03, 0.04))),
    )
    _dial(stage, r, x, y)


def _dial(stage: Stage, r: float, x: float, y: float) -> None:
    """Ticks, hands and a name on the dial."""
    canvas = stage.canvas
    for k in range(60):
        a, major = k * np.pi / 30, k % 5 == 0
        inner = 0.70 if major else 0.78
        tick = points(
            [
                (x + np.cos(a) * r * inner, y + np.sin(a) * r * inner),
                (x + np.cos(a) * r * 0.82, y + np.sin(a) * r * 0.82),
            ]
        )
        canvas.line(tick, r * (0.028 if major else 0.010), mix(stage.accent, (1, 1, 1), 0.6))
    for turn, long, broad in ((-2.62, 0.46, 0.045), (-0.52, 0.68, 0.032)):
        canvas.line(
            points([(x, y), (x + np.cos(turn) * r * long, y + np.sin(turn) * r * long)]),
            r * broad,
            (0.95, 0.94, 0.91),
        )
    canvas.line(
        points(
            [
                (x - np.cos(1.2) * r * 0.15, y - np.sin(1.2) * r * 0.15),
                (x + np.cos(1.2) * r * 0.74, y + np.sin(1.2) * r * 0.74),
            ]
        ),
        r * 0.012,
        (0.85, 0.25, 0.2),
    )
    canvas.ellipse(x, y, r * 0.05, r * 0.05, stage.accent)
    label(stage, x, y - r * 0.36, r * 0.8, r * 0.16, (0.95, 0.94, 0.91))


def headphones(stage: Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall, stage.lamp.side
    y, r = foot - tall * 0.46, tall * 0.42
    rest(canvas, x, foot + tall * 0.02, tall * 0.40, stage.lamp, 1.2, 0.45)
    a = np.linspace(np.pi * 0.97, np.pi * 2.03, 120)
    band = np.stack([x + np.cos(a) * r, y + np.sin(a) * r * 1.02], 1)
    canvas.polygon(
        ribbon(band, tall * 0.085),
        gradient((0, y - r), (0, y), (mix(stage.body, (1, 1, 1), 0.45), stage.body, scale(stage.body, 0.6))),
    )
    canvas.polygon(ribbon(band * 1.0 + (0, tall * 0.030), tall * 0.035), scale(stage.body, 0.42))
    for way in (-1, 1):
        cx, cy = x + way * r * 0.98, y + tall * 0.16
        light = 1.0 if way * s > 0 else 0.72
        canvas.line(
            points([(x + way * r, y - tall * 0.03), (cx, cy - tall * 0.1)]), tall * 0.045, scale(stage.accent, light)
        )
        ball(
            canvas,
            cx - way * tall * 0.05,
            cy,
            tall * 0.165,
            Stuff(scale(stage.body, 0.35), 0.12, 10, mottle=0.1),
            stage.lamp,
            1.25,
        )
        ball(
            canvas,
            cx + way * tall * 0.02,
            cy,
            tall * 0.15,
            Stuff(scale(stage.body, light), 0.5, 26, mottle=0.02),
            stage.lamp,
            1.28,
        )
        canvas.ellipse(cx + way * tall * 0.035, cy, tall * 0.070, tall * 0.095, scale(stage.accent, light))
        canvas.ellipse(
            cx + way * tall * 0.035, cy, tall * 0.058, tall * 0.082, mix(scale(stage.body, light), (1, 1, 1), 0.12)
        )
