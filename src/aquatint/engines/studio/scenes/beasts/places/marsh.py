"""Still water with reeds, the disc above it and its light on it."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.curves import ellipse, limb
from aquatint.engines.studio.plan import Subject
from aquatint.engines.studio.scenes.beasts.figure import Drawing, Pose
from aquatint.engines.studio.scenes.beasts.posing import poses
from aquatint.engines.studio.scenes.printed import elements
from aquatint.engines.studio.scenes.printed.inks import darker, lighter, mix
from aquatint.engines.studio.scenes.printed.stage import Stage, ridge_line

_HORIZON = 0.58


def behind(stage: Stage) -> None:
    """Sky, far shore, water with the disc's path of light."""
    climate, press = stage.climate, stage.press
    elements.sky(stage, _HORIZON + 0.01, disc_y=0.34, disc_size=0.16)
    for i in range(2):
        line = ridge_line(stage, _HORIZON - 0.055 + 0.03 * i, 0.03 - 0.014 * i, 1.3, f"shore {i}", bottom=_HORIZON)
        press.lay([line], mix(climate.far, climate.sky[-1], 0.45 - 0.3 * i))
    top = int(_HORIZON * stage.height)
    press.wash(climate.water, top)
    if climate.fog:
        press.veil(climate.sky[-1], [0.0, 0.7 * climate.fog, 0.2], int(0.3 * stage.height))
    _ripples(stage, top)


def _ripples(stage: Stage, top: int) -> None:
    rng = stage.rng("ripples")
    climate = stage.climate
    sun_x = stage.disc_x() * stage.width
    for _ in range(260):
        t = float(rng.random()) ** 1.4
        y = top + 3 + t * (stage.height - top)
        near = climate.disc and rng.random() < 0.45
        spread = (0.05 + 0.16 * t) * stage.side
        x = sun_x + rng.normal(0, 0.6) * spread if near else rng.uniform(0, 1) * stage.width
        long = stage.side * (0.010 + 0.075 * t) * rng.uniform(0.4, 1.3)
        ink = climate.sun if near else mix(climate.water[min(2, int(t * 3))], lighter(climate.water[0], 0.3), 0.4)
        stage.press.lay([ellipse(x, y, long, stage.side * (0.0008 + 0.0026 * t), count=16)], ink)


def stand(stage: Stage, drawing: Drawing, subject: Subject) -> list[Pose]:
    """Cranes stand in the shallows."""
    return poses(stage, drawing, subject, 0.86, 0.62, 100)


def under(stage: Stage, figure: Pose) -> None:
    """Rings where the legs enter the water."""
    climate = stage.climate
    for size in (9.0, 5.5):
        ring = ellipse(figure.x, figure.y, size * figure.scale, size * 0.16 * figure.scale)
        stage.press.lay([ring], lighter(climate.water[1], 0.35))
        stage.press.lay(
            [ellipse(figure.x, figure.y, (size - 0.7) * figure.scale, (size * 0.16 - 0.3) * figure.scale)],
            climate.water[1],
        )
    pale = mix(climate.water[1], (0.97, 0.96, 0.92), 0.45)
    for i in range(9):  # a broken mirror image
        y = figure.y + (4 + 3.2 * i) * figure.scale
        long = (6.5 + 4.5 * np.sin(i * 0.55)) * figure.scale * (1 if i > 1 else 0.3)
        stage.press.lay(
            [ellipse(figure.x + (1 + i % 2) * figure.scale, y, float(long), 0.55 * figure.scale, count=20)], pale
        )


def before(stage: Stage, figures: list[Pose]) -> None:
    """Reeds at both lower corners."""
    climate = stage.climate
    rng = stage.rng("reeds")
    inks = (darker(climate.leaf, 0.4), darker(climate.near, 0.35), mix(climate.leaf, climate.near, 0.4))
    for _ in range(70):
        side = float(rng.choice([0.0, 1.0]))
        x = (side + (0.5 - side) * 2 * abs(rng.normal(0, 0.13))) * stage.width
        foot, tall = rng.uniform(0.97, 1.05) * stage.height, stage.side * rng.uniform(0.16, 0.42)
        lean = tall * rng.normal(0.06, 0.12 + 0.2 * climate.wind)
        half = stage.side * rng.uniform(0.0016, 0.0034)
        stem = limb(
            [[x, foot, half], [x + lean * 0.3, foot - tall * 0.55, half * 0.8], [x + lean, foot - tall, half * 0.2]],
            per=6,
        )
        stage.press.lay([stem], inks[int(rng.integers(3))])
        if rng.random() < 0.2:
            top = np.array([x + lean * 0.8, foot - tall * 0.9])
            stage.press.lay(
                [ellipse(float(top[0]), float(top[1]), half * 2.2, tall * 0.07, 0.1, 20)],
                darker((0.5, 0.32, 0.2), 0.2),
            )
