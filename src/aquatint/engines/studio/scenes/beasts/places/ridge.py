"""A bare ridge before far mountains, with the sun or the moon large behind it."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.curves import Points
from aquatint.engines.studio.kernels.press import Tone
from aquatint.engines.studio.plan import Subject
from aquatint.engines.studio.scenes.beasts.figure import Drawing, Pose
from aquatint.engines.studio.scenes.beasts.posing import poses
from aquatint.engines.studio.scenes.printed import elements
from aquatint.engines.studio.scenes.printed.inks import darker, lighter, mix
from aquatint.engines.studio.scenes.printed.stage import Stage, ridge_line


def behind(stage: Stage) -> None:
    """Sky, mountains in four planes, the ridge."""
    climate, press = stage.climate, stage.press
    press.wash(climate.sky, 0, int(0.8 * stage.height))
    if climate.stars and climate.rain + climate.snow + climate.fog < 0.3:
        elements.stars(stage, 0.6)
    if climate.disc:  # behind the main figure: it reads as a cut-out against the light
        x = stage.main_x() * stage.width + (0.1 if stage.main_x() < 0.5 else -0.1) * stage.side
        elements.disc(stage, x, 0.40 * stage.height, 0.25 * stage.side)
    elements.clouds(stage, 0.7)
    for i in range(4):
        t = i / 3
        ink = mix(mix(climate.far, climate.sky[-1], 0.35), climate.mid, t)
        y = 0.55 + 0.065 * i
        line = _peaks(stage, y, 0.11 - 0.018 * i, f"peaks {i}")
        press.lay([line], ink)
        start, end = np.array([0, y * stage.height], np.float32), np.array([0, (y + 0.17) * stage.height], np.float32)
        press.stipple([line], mix(ink, climate.sky[-1], 0.6), start, end, 0.9)
        press.tone([line], Tone(darker(ink, 0.3), stage.lighting().away, 0.12, 0.35))
        if climate.fog:
            press.veil(climate.sky[-1], [0.0, 0.4 * climate.fog, 0.6 * climate.fog], int((y - 0.05) * stage.height))
    line = _ground(stage)
    press.lay([line], climate.near)
    press.stipple(
        [line],
        darker(climate.near, 0.5),
        np.array([0, 0.78 * stage.height], np.float32),
        np.array([0, 1.1 * stage.height], np.float32),
        0.95,
    )
    inks = (mix(climate.near, climate.rim, 0.25), lighter(climate.near, 0.1), darker(climate.near, 0.2))
    elements.blades(stage, line, 520, 0.024, inks, "ridge", 0.14)


def _peaks(stage: Stage, y: float, swing: float, salt: str) -> Points:
    """A mountain range: straight flanks broken by midpoint displacement (Fournier, Fussell and Carpenter 1982)."""
    rng = stage.rng("peaks", salt)
    line = rng.uniform(-1, 1, 5)
    rough = 0.62
    for _ in range(6):
        middle = (line[1:] + line[:-1]) / 2 + rng.uniform(-1, 1, len(line) - 1) * rough
        line = np.append(np.column_stack([line[:-1], middle]).ravel(), line[-1])
        rough *= 0.52
    xs = np.linspace(-0.02, 1.02, len(line)) * stage.width
    points = np.column_stack([xs, (y + swing * line * 0.6) * stage.height])
    corners = [[1.02 * stage.width, 1.02 * stage.height], [-0.02 * stage.width, 1.02 * stage.height]]
    return np.asarray(np.concatenate([points, corners]), np.float32)


def _ground(stage: Stage) -> Points:
    return ridge_line(stage, 0.855, 0.012, 0.6, "ground")


def stand(stage: Stage, drawing: Drawing, subject: Subject) -> list[Pose]:
    """Figures stand on the ridge."""
    return poses(stage, drawing, subject, 0.895, 0.66, 96)


def before(stage: Stage, figures: list[Pose]) -> None:
    """Tall dry grass in the wind at the lower edge."""
    climate = stage.climate
    line = ridge_line(stage, 0.93, 0.012, 1.4, "front")
    inks = (darker(climate.near, 0.45), darker(climate.near, 0.25), mix(climate.near, climate.rim, 0.18))
    elements.blades(stage, line, 420, 0.06, inks, "front", 0.1)
