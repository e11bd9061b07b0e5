"""The open sea below its surface: light falling in, rocks and weeds below, small fish."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.curves import ellipse, limb, place, smooth_closed
from aquatint.engines.studio.kernels.press import Tone
from aquatint.engines.studio.plan import Subject
from aquatint.engines.studio.scenes.beasts.figure import Drawing, Pose
from aquatint.engines.studio.scenes.beasts.posing import poses
from aquatint.engines.studio.scenes.printed.inks import darker, lighter, mix
from aquatint.engines.studio.scenes.printed.stage import Stage, ridge_line

_SEA = ((0.36, 0.70, 0.72), (0.16, 0.50, 0.60), (0.08, 0.32, 0.46), (0.05, 0.18, 0.32))  # surface to deep


def behind(stage: Stage) -> None:
    """Water that darkens downwards, shafts of light, hills of the sea floor."""
    climate, press = stage.climate, stage.press
    water = [mix(ink, climate.sky[min(i, 3)], 0.30) for i, ink in enumerate(_SEA)]
    if climate.night:
        water = [darker(ink, 0.45) for ink in water]
    press.wash(water, rough=0.18)
    rng = stage.rng("shafts")
    top = stage.disc_x() * stage.width
    for _ in range(9):
        x, wide = top + rng.normal(0, 0.22) * stage.width, stage.side * rng.uniform(0.02, 0.07)
        slant = (x - top) * 0.7 + rng.normal(0, 0.03) * stage.width
        low = stage.height * rng.uniform(0.6, 0.95)
        shaft = np.array([[x, -5], [x + wide, -5], [x + slant + wide * 2.4, low], [x + slant, low]], np.float32)
        start, end = np.array([x + slant, low], np.float32), np.array([x, 0], np.float32)
        press.stipple([shaft], lighter(mix(water[0], climate.sun, 0.4), 0.15), start, end, 0.6)
    for i in range(3):
        ink = mix(water[2], darker(water[3], 0.35), i / 2)
        line = ridge_line(stage, 0.83 + 0.06 * i, 0.035, 1.4, f"floor {i}")
        press.lay([line], ink)
        press.tone([line], Tone(darker(ink, 0.4), (0.4, 1.0), 0.2, 0.7))
    _school(stage, water[1])


def _school(stage: Stage, ink: tuple[float, float, float]) -> None:
    """Small fish in the distance, all going one way."""
    rng = stage.rng("school")
    way = 1.0 if stage.main_x() < 0.5 else -1.0
    center = (0.78 if stage.main_x() < 0.5 else 0.22) * stage.width, 0.30 * stage.height
    body = smooth_closed(
        [
            [-1, 0],
            [-0.4, -0.3],
            [0.4, -0.18],
            [0.7, 0],
            [1.1, -0.3],
            [1.0, 0],
            [1.1, 0.3],
            [0.7, 0],
            [0.4, 0.18],
            [-0.4, 0.3],
        ],
        5,
    )
    for _ in range(38):
        x, y = center[0] + rng.normal(0, 0.07) * stage.width, center[1] + rng.normal(0, 0.06) * stage.height
        size = stage.side * rng.uniform(0.008, 0.014)
        shape = place(body, size, float(rng.normal(0, 0.12)), (float(x), float(y)), way > 0)
        stage.press.lay([shape], mix(darker(ink, 0.35), lighter(ink, 0.3), float(rng.random()) ** 2))


def stand(stage: Stage, drawing: Drawing, subject: Subject) -> list[Pose]:
    """Whales hang in the middle of the water."""
    found = poses(stage, drawing, subject, 0.54, 0.62, 74)
    return [
        Pose(0.5 * stage.width + 0.9 * (p.x - 0.5 * stage.width), p.y, p.scale, p.flip, 0.09 if p.flip else -0.09)
        for p in found
    ]


def before(stage: Stage, figures: list[Pose]) -> None:
    """Bubbles, and weeds in the lower corners."""
    rng = stage.rng("weeds")
    dark = darker(mix(_SEA[3], stage.climate.leaf, 0.25), 0.3)
    for _ in range(34):
        side = float(rng.choice([0.0, 1.0]))
        x = (side + (0.5 - side) * 2 * abs(rng.normal(0, 0.12))) * stage.width
        tall, sway = stage.side * rng.uniform(0.10, 0.30), rng.uniform(0, 6.3)
        t = np.linspace(0, 1, 9)
        path = np.column_stack(
            [
                x + np.sin(t * 5 + sway) * tall * 0.07 * t,
                stage.height * 1.02 - tall * t,
                stage.side * 0.009 * (1 - t) ** 0.6 + 0.4,
            ]
        )
        stage.press.lay([limb(path, per=4)], mix(dark, lighter(dark, 0.25), float(rng.random())))
    pale = lighter(_SEA[0], 0.45)
    for pose in figures:
        nose = pose.x + (62 if pose.flip else -62) * pose.scale
        for i in range(9):
            size = stage.side * rng.uniform(0.002, 0.007)
            at = nose + rng.normal(0, 4) * pose.scale, pose.y - (8 + 5 * i) * pose.scale
            stage.press.lay([ellipse(*at, size, size, count=24)], pale)
            stage.press.lay(
                [ellipse(at[0] + size * 0.12, at[1] + size * 0.12, size * 0.74, size * 0.74, count=24)],
                mix(_SEA[1], pale, 0.25),
            )
