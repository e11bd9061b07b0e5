"""A meadow with hills behind it."""

from __future__ import annotations

from aquatint.engines.studio.plan import Subject
from aquatint.engines.studio.scenes.beasts.figure import Drawing, Pose
from aquatint.engines.studio.scenes.beasts.posing import poses
from aquatint.engines.studio.scenes.printed import elements
from aquatint.engines.studio.scenes.printed.inks import darker, lighter, mix
from aquatint.engines.studio.scenes.printed.stage import Stage, ridge_line

_HORIZON = 0.56


def behind(stage: Stage) -> None:
    """Sky, hills, a tree and the near slope."""
    climate = stage.climate
    elements.sky(stage, _HORIZON + 0.04, disc_y=0.24)
    elements.hills(stage, _HORIZON)
    side = 0.86 if stage.main_x() < 0.5 else 0.14
    elements.big_tree(stage, side * stage.width, 0.70 * stage.height, 0.52 * stage.side, "left")
    line = ridge_line(stage, 0.67, 0.018, 0.9, "near")
    stage.press.lay([line], climate.near)
    away = line.mean(0)
    away[1] = 1.15 * stage.height
    start = away.copy()
    start[1] = 0.64 * stage.height
    stage.press.stipple([line], darker(climate.near, 0.4), start, away, 0.9)
    inks = (lighter(climate.near, 0.12), mix(climate.near, climate.leaf, 0.5), darker(climate.near, 0.2))
    elements.blades(stage, line, 420, 0.03, inks, "back", 0.2)


def stand(stage: Stage, drawing: Drawing, subject: Subject) -> list[Pose]:
    """Figures sit on the slope."""
    return poses(stage, drawing, subject, 0.90, 0.60, 99)


def before(stage: Stage, figures: list[Pose]) -> None:
    """Grass and flowers at our feet."""
    climate = stage.climate
    line = ridge_line(stage, 0.885, 0.012, 1.7, "front")
    inks = (darker(climate.near, 0.28), mix(climate.near, climate.leaf, 0.55), darker(climate.leaf, 0.3))
    elements.blades(stage, line, 460, 0.055, inks, "front", 0.16)
    if climate.season != "winter":
        elements.posies(stage, line, 44, 0.013, (*climate.blossom, (0.97, 0.94, 0.86)), "front", 0.14)
