"""A clearing in a misty forest: trunks in planes that pale with distance."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.curves import Points, limb
from aquatint.engines.studio.kernels.press import Ink, Tone
from aquatint.engines.studio.plan import Subject
from aquatint.engines.studio.scenes.beasts.figure import Drawing, Pose
from aquatint.engines.studio.scenes.beasts.posing import poses
from aquatint.engines.studio.scenes.printed import elements
from aquatint.engines.studio.scenes.printed.inks import darker, lighter, mix
from aquatint.engines.studio.scenes.printed.stage import Stage, ground_at, ridge_line


def behind(stage: Stage) -> None:
    """Light between the trees, five planes of trunks, the floor."""
    climate, press = stage.climate, stage.press
    press.wash((climate.sky[1], climate.sky[2], climate.sky[-1], climate.sky[-1]))
    x = stage.main_x() * stage.width
    if climate.stars:
        elements.stars(stage, 0.4)
    if climate.disc:
        elements.disc(stage, stage.disc_x() * stage.width, 0.27 * stage.height, 0.10 * stage.side)
    press.glow(x, 0.55 * stage.height, 0.8 * stage.side, lighter(climate.sun, 0.1), 0.5)
    for i in range(5):
        t = i / 4
        ink = mix(mix(climate.far, climate.sky[-1], 0.62), darker(climate.near, 0.25), t**1.15)
        _plane(stage, i, t, ink)
        fog = (0.34 - 0.05 * i) * (1 + climate.fog)
        press.veil(climate.sky[-1], [0.0, 0.0, fog, 0.15 * fog], int(0.1 * stage.height), int(0.9 * stage.height))
    line = ridge_line(stage, 0.76, 0.014, 1.0, "floor")
    floor = mix(climate.near, climate.leaf, 0.4)
    press.lay([line], floor)
    top, low = np.array([0, 0.70 * stage.height], np.float32), np.array([0, 1.05 * stage.height], np.float32)
    press.stipple([line], mix(floor, climate.sky[-1], 0.5), low * np.float32(0.86), top, 0.75)
    press.stipple([line], darker(floor, 0.5), top * np.float32(1.15), low, 0.9)
    inks = (lighter(floor, 0.14), floor, darker(floor, 0.22))
    elements.blades(stage, line, 380, 0.022, inks, "floor", 0.16)


def _plane(stage: Stage, number: int, t: float, ink: Ink) -> None:
    """One plane of trunks with branches, kept away from the middle figure when near, and its undergrowth."""
    rng = stage.rng("plane", number)
    climate, press = stage.climate, stage.press
    line = ridge_line(stage, 0.64 + 0.10 * t, 0.012, 1.6, f"plane {number}")
    count = (16, 12, 9, 6, 4)[number]
    main, clear = stage.main_x(), (0.0, 0.02, 0.08, 0.16, 0.25)[number]
    for _ in range(count):
        x = rng.uniform(-0.03, 1.03)
        if abs(x - main) < clear:
            x = main + (clear + rng.uniform(0, 0.12)) * (1 if x > main else -1)
        half = stage.side * (0.007 + 0.022 * t**1.5) * rng.uniform(0.65, 1.25)
        foot, lean = ground_at(line, x * stage.width) + half, rng.normal(0, 0.02) * stage.height
        px = x * stage.width
        trunk = _trunk(stage, (px, foot), lean, half, t, rng)
        press.lay(trunk, ink)
        if t > 0.3:
            press.tone(trunk[:1], Tone(darker(ink, 0.35), stage.lighting().away, 0.5, 0.8))
            press.rim(trunk[:1], mix(ink, climate.rim, 0.5 * t), stage.lighting().away, half * 0.16)
        if climate.season != "winter" and number > 1:
            _spray(stage, px + lean * 0.8, t, ink, rng)
    press.lay([line], mix(ink, climate.leaf, 0.12 + 0.1 * t))
    press.stipple(
        [line],
        mix(ink, climate.sky[-1], 0.6),
        np.array([0, 0.62 * stage.height], np.float32),
        np.array([0, 0.84 * stage.height], np.float32),
        0.8,
    )


def _trunk(
    stage: Stage, at: tuple[float, float], lean: float, half: float, t: float, rng: np.random.Generator
) -> list[Points]:
    """A trunk from its foot `at` to above the picture, and three bare branches."""
    x, foot = at
    bole = [
        [x, foot, half * 1.35],
        [x + lean * 0.2, foot - 0.12 * stage.height, half],
        [x + lean, -0.05 * stage.height, half * 0.62],
    ]
    shapes = [limb(bole)]
    for _ in range(3):
        y = rng.uniform(0.02, 0.42) * stage.height
        side = 1 if rng.random() < 0.5 else -1
        reach = stage.side * rng.uniform(0.05, 0.13) * (0.5 + t)
        start = x + lean * (foot - y) / max(foot, 1)
        branch = [
            [start, y, half * 0.34],
            [start + side * reach * 0.5, y - reach * 0.15, half * 0.2],
            [start + side * reach, y - reach * 0.55, half * 0.06],
        ]
        shapes.append(limb(branch))
    return shapes


def _spray(stage: Stage, x: float, t: float, ink: Ink, rng: np.random.Generator) -> None:
    """Leaves of one tree near the upper edge."""
    leafy = mix(ink, stage.climate.blossom[0] if stage.climate.season == "spring" else stage.climate.leaf, 0.55)
    for _ in range(int(26 + 20 * t)):
        at = x + rng.normal(0, 0.11) * stage.side, rng.uniform(-0.02, 0.16) * stage.height * rng.uniform(0.2, 1.2)
        size = stage.side * (0.012 + 0.014 * t) * rng.uniform(0.7, 1.3)
        tint = mix(leafy, lighter(leafy, 0.3), float(rng.random()) ** 2)
        stage.press.lay([elements.leaf(*at, size, float(rng.uniform(0.2, 2.9)), 0.3)], tint)


def stand(stage: Stage, drawing: Drawing, subject: Subject) -> list[Pose]:
    """Figures stand in the open."""
    return poses(stage, drawing, subject, 0.90, 0.62, 114)


def before(stage: Stage, figures: list[Pose]) -> None:
    """Ferns and grass at our feet."""
    climate = stage.climate
    rng = stage.rng("ferns")
    line = ridge_line(stage, 0.925, 0.012, 1.6, "front")
    inks = (darker(climate.leaf, 0.55), darker(climate.leaf, 0.35), darker(climate.near, 0.4))
    elements.blades(stage, line, 260, 0.04, inks, "front", 0.1)
    if climate.season == "winter":
        return
    for _ in range(22):
        x = rng.uniform(-0.02, 1.02) * stage.width
        _fern(stage, x, ground_at(line, x) + 0.05 * stage.side, stage.side * rng.uniform(0.07, 0.14), inks, rng)


def _fern(stage: Stage, x: float, y: float, size: float, inks: tuple[Ink, ...], rng: np.random.Generator) -> None:
    """One fern: a few fronds with paired leaflets."""
    ink = inks[int(rng.integers(2))]
    for turn in np.linspace(-2.5, -0.65, 4) + rng.normal(0, 0.12, 4):
        droop = 0.55 * np.sign(np.cos(turn))
        for i in range(1, 12):
            t = i / 12
            a = turn + droop * t * t
            px, py = x + np.cos(a) * size * t, y + np.sin(a) * size * t
            for side in (-1, 1):
                stage.press.lay(
                    [elements.leaf(float(px), float(py), size * 0.24 * (1.05 - t), float(a + side * 1.1), 0.22)],
                    mix(ink, lighter(ink, 0.25), t * 0.6),
                )
