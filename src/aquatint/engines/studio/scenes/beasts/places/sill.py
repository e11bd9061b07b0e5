"""A window sill: a room's wall, a window on the world outside, a plant and a cushion."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aquatint.engines.studio.kernels.curves import ellipse, limb, smooth_closed
from aquatint.engines.studio.kernels.press import Ink, Tone
from aquatint.engines.studio.plan import Subject
from aquatint.engines.studio.scenes.beasts.figure import Drawing, Pose
from aquatint.engines.studio.scenes.beasts.posing import poses
from aquatint.engines.studio.scenes.printed import elements
from aquatint.engines.studio.scenes.printed.climate import Climate
from aquatint.engines.studio.scenes.printed.inks import darker, lighter, mix
from aquatint.engines.studio.scenes.printed.stage import Stage, rectangle
from aquatint.engines.studio.scenes.terrain import falling

_SILL = 0.83
_TOP = 0.07


def _frame(stage: Stage) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the opening in pixels."""
    wide = min(0.40 * stage.width, 0.62 * stage.side)
    middle = 0.5 * stage.width
    return middle - wide, _TOP * stage.height, middle + wide, _SILL * stage.height


def behind(stage: Stage) -> None:
    """The world outside with its weather, then the room around it."""
    climate, press = stage.climate, stage.press
    elements.sky(stage, 0.66, disc_y=0.25, disc_size=0.075)
    elements.hills(stage, 0.62, 3, 0.15)
    if climate.rain:
        falling.rain(press.sheet, stage.seed, climate.rain, climate.night)
    if climate.snow:
        falling.snowfall(press.sheet, stage.seed, climate.snow, climate.night)
    stage = replace(stage, climate=indoors(climate))
    _room(stage)
    if stage.plan.subjects and stage.plan.subjects[0].count > 1:
        return  # the cats need the room
    _plant(stage)


def indoors(climate: Climate) -> Climate:
    """The light in the room: a lamp is lit when it is dark outside."""
    if climate.time not in ("night", "dusk"):
        return climate
    lamp = (1.0, 0.86, 0.66)
    return replace(
        climate,
        ambient=lamp,
        wall=mix((0.60, 0.42, 0.29), climate.wall, 0.3),
        shadow=(0.52, 0.40, 0.48),
        rim=(1.0, 0.90, 0.68),
    )


def _room(stage: Stage) -> None:
    climate, press = stage.climate, stage.press
    left, top, right, bottom = _frame(stage)
    width, height, side = stage.width, stage.height, stage.side
    wall = climate.wall
    walls = [
        rectangle(-2, -2, width + 2, top),
        rectangle(-2, top - 1, left, bottom),
        rectangle(right, top - 1, width + 2, bottom),
    ]
    press.lay(walls, wall)
    for x in np.arange(0.5, width / (0.062 * side) + 1) * 0.062 * side:  # paper with fine stripes
        if x < left or x > right:
            press.lay([rectangle(x, -2, x + 0.012 * side, bottom)], mix(wall, lighter(wall, 0.25), 0.35))
    for shape, end in ((walls[1], -0.15 * width), (walls[2], 1.15 * width)):
        start = np.array([left if end < 0 else right, 0], np.float32)
        press.stipple([shape], darker(wall, 0.42), start, np.array([end, 0.2 * height], np.float32), 0.9)
    wood = lighter(mix(wall, (0.95, 0.92, 0.86), 0.62), 0.1)
    wood = (wood[0] * climate.ambient[0], wood[1] * climate.ambient[1], wood[2] * climate.ambient[2])
    thick, thin = 0.026 * side, 0.013 * side
    middle, cross = (left + right) / 2, top + 0.36 * (bottom - top)
    bars = [
        rectangle(left - thick, top - thick, right + thick, top),
        rectangle(left - thick, top - thick, left, bottom),
        rectangle(right, top - thick, right + thick, bottom),
        rectangle(middle - thin / 2, top, middle + thin / 2, bottom),
        rectangle(left, cross - thin / 2, right, cross + thin / 2),
    ]
    press.lay(bars, wood)
    for bar in bars:
        press.tone([bar], Tone(darker(wood, 0.4), stage.lighting().away, 0.25, 0.55))
    for side_, edge in ((-1, left - thick), (1, right + thick)):
        _curtain(stage, edge, side_)
    board = rectangle(-2, bottom, width + 2, bottom + 0.036 * height)
    below = rectangle(-2, bottom + 0.034 * height, width + 2, height + 2)
    press.lay([below], darker(wall, 0.22))
    press.stipple(
        [below], darker(wall, 0.55), np.array([0, height], np.float32), np.array([0, bottom], np.float32), 0.8
    )
    press.lay([board], wood)
    press.stipple(
        [board],
        darker(wood, 0.25),
        np.array([0, bottom], np.float32),
        np.array([0, bottom + 0.06 * height], np.float32),
        0.8,
    )


def _curtain(stage: Stage, edge: float, way: int) -> None:
    """A drape gathered at the side of the window."""
    press = stage.press
    cloth = mix(stage.climate.blossom[0], stage.climate.wall, 0.45)
    tint = stage.climate.ambient
    cloth = (cloth[0] * tint[0], cloth[1] * tint[1], cloth[2] * tint[2])
    side, bottom = stage.side, _SILL * stage.height
    inner, outer = edge - way * 0.05 * side, edge + way * 0.13 * side
    shape = smooth_closed(
        [
            [inner, -0.1 * side],
            [inner - way * 0.03 * side, 0.3 * bottom],
            [edge + way * 0.035 * side, 0.62 * bottom],
            [edge - way * 0.005 * side, bottom * 1.02],
            [outer, bottom * 1.02],
            [outer - way * 0.02 * side, 0.62 * bottom],
            [outer, -0.1 * side],
        ]
    )
    press.lay([shape], cloth)
    for i in range(5):
        t = (i + 0.5) / 5
        top, waist = inner + (outer - inner) * t, edge + way * (0.035 + 0.07 * t) * side
        fold = limb(
            [
                [top, -0.02 * side, 0.005 * side],
                [top, 0.35 * bottom, 0.007 * side],
                [waist, 0.62 * bottom, 0.003 * side],
                [edge + way * 0.12 * t * side, bottom, 0.007 * side],
            ]
        )
        press.inlay([fold], darker(cloth, 0.22), [shape])
    press.tone([shape], Tone(darker(cloth, 0.5), (float(way), 0.2), 0.4, 0.8))


def _plant(stage: Stage) -> None:
    """A pot with big leaves on the side the cat leaves free."""
    press, climate = stage.press, stage.climate
    rng = stage.rng("plant")
    left, _, right, bottom = _frame(stage)
    x = right - 0.13 * stage.side if stage.main_x() < 0.5 else left + 0.13 * stage.side
    size, base = 0.085 * stage.side, bottom + 0.012 * stage.height
    green = (0.25, 0.46, 0.36) if climate.season != "autumn" else (0.42, 0.46, 0.28)
    green = (green[0] * climate.ambient[0], green[1] * climate.ambient[1], green[2] * climate.ambient[2])
    for turn in np.linspace(-2.75, -0.4, 9) + rng.normal(0, 0.08, 9):
        long = size * rng.uniform(1.7, 2.7)
        tip_x, tip_y = x + np.cos(turn) * long * 0.5, base - size * 1.1 + np.sin(turn) * long * 0.62
        press.lay(
            [
                limb(
                    [
                        [x, base - size, size * 0.03],
                        [(x + tip_x) / 2, (base - size + tip_y) / 2 - size * 0.1, size * 0.025],
                        [tip_x, tip_y, size * 0.02],
                    ],
                    per=5,
                )
            ],
            darker(green, 0.25),
        )
        blade = elements.leaf(float(tip_x), float(tip_y), long * 0.55, float(turn + 0.25 * np.cos(turn)), 0.36)
        ink = mix(green, lighter(green, 0.3), float(rng.random()) * 0.7)
        press.lay([blade], ink)
        press.tone([blade], Tone(darker(ink, 0.45), stage.lighting().away, 0.5, 0.8))
    pot = mix((0.78, 0.42, 0.28), climate.wall, 0.15)
    pot = (pot[0] * climate.ambient[0], pot[1] * climate.ambient[1], pot[2] * climate.ambient[2])
    body = np.array(
        [
            [x - size * 0.72, base - size * 1.05],
            [x + size * 0.72, base - size * 1.05],
            [x + size * 0.5, base],
            [x - size * 0.5, base],
        ],
        np.float32,
    )
    collar = rectangle(x - size * 0.82, base - size * 1.28, x + size * 0.82, base - size * 0.98)
    press.lay([body, collar], pot)
    press.tone([body], Tone(darker(pot, 0.45), stage.lighting().away, 0.6, 0.9))
    press.tone([collar], Tone(darker(pot, 0.3), stage.lighting().away, 0.4, 0.7))


def stand(stage: Stage, drawing: Drawing, subject: Subject) -> list[Pose]:
    """Figures sit on the sill."""
    return poses(stage, drawing, subject, _SILL + 0.012, 0.60, 98)


def under(stage: Stage, figure: Pose) -> None:
    """The cushion a figure sits on."""
    cloth: Ink = mix(stage.climate.blossom[-1], stage.climate.wall, 0.3)
    tint = stage.climate.ambient
    cloth = (cloth[0] * tint[0], cloth[1] * tint[1], cloth[2] * tint[2])
    shape = ellipse(figure.x, figure.y + 1.5 * figure.scale, 44 * figure.scale, 7 * figure.scale, count=70)
    stage.press.lay([shape], cloth)
    stage.press.tone([shape], Tone(darker(cloth, 0.5), (0.2, 1.0), 0.6, 0.9))


def before(stage: Stage, figures: list[Pose]) -> None:
    """Nothing stands between us and the sill."""
