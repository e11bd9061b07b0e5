"""A branch across the sky, in leaf, in blossom, in autumn colours or under snow."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.curves import Points, ellipse, limb, melt, smooth_open
from aquatint.engines.studio.kernels.press import Tone
from aquatint.engines.studio.plan import Subject
from aquatint.engines.studio.scenes.beasts.figure import Drawing, Pose
from aquatint.engines.studio.scenes.beasts.posing import poses
from aquatint.engines.studio.scenes.printed import elements
from aquatint.engines.studio.scenes.printed.inks import darker, lighter, mix
from aquatint.engines.studio.scenes.printed.stage import Stage, ridge_line


def _spine(stage: Stage) -> Points:
    """The branch from one edge: x, y, radius in pixels."""
    rng = stage.rng("branch")
    way = 1 if stage.main_x() < 0.5 else -1
    start = -0.04 if way > 0 else 1.04
    knots = []
    for i in range(7):
        t = i / 6
        x = (start + way * 0.98 * t) * stage.width
        y = (0.78 - 0.02 * t - 0.10 * t * t + rng.normal(0, 0.008)) * stage.height
        knots.append([x, y, stage.side * (0.027 * (1 - t) + 0.004)])
    return smooth_open(knots, 14)


def _height(spine: Points, x: float) -> float:
    order = np.argsort(spine[:, 0], kind="stable")
    return float(np.interp(x, spine[order, 0], spine[order, 1] - spine[order, 2]))


def behind(stage: Stage) -> None:
    """Sky, disc, a far wood out of focus, and the branch."""
    climate, press = stage.climate, stage.press
    press.wash(climate.sky)
    if climate.stars:
        elements.stars(stage, 0.8)
    if climate.disc:
        elements.disc(stage, stage.disc_x() * stage.width, 0.33 * stage.height, 0.19 * stage.side)
    elements.clouds(stage, 0.8)
    for i in range(2):
        ink = mix(climate.far, climate.sky[-1], 0.62 - 0.3 * i)
        line = ridge_line(stage, 0.87 + 0.06 * i, 0.02, 1.2, f"far {i}")
        elements.grove(stage, line, 26, 0.07 + 0.02 * i, ink, f"wood {i}")
        press.lay([line], ink)
    if climate.fog:
        press.veil(climate.sky[-1], [0.0, 0.5 * climate.fog, 0.8 * climate.fog])
    _branch(stage)


def _branch(stage: Stage) -> None:
    climate, press = stage.climate, stage.press
    rng = stage.rng("twigs")
    spine = _spine(stage)
    way = 1 if spine[-1, 0] > spine[0, 0] else -1
    parts = [limb(spine, per=1)]
    ends: list[tuple[float, float, float]] = []
    for i in range(9):
        at = spine[int(len(spine) * (0.2 + 0.085 * i))]
        up = -1 if i % 2 else 1
        reach = stage.side * rng.uniform(0.10, 0.2)
        turn = way * rng.uniform(0.35, 0.9)
        tip = at[0] + np.cos(turn) * reach * way, at[1] + up * abs(np.sin(turn)) * reach
        bend = (at[0] + tip[0]) / 2, (at[1] + tip[1]) / 2 + up * reach * 0.06
        parts.append(limb([[at[0], at[1], at[2] * 0.5], [*bend, at[2] * 0.3], [*tip, stage.side * 0.002]]))
        ends += [(float(tip[0]), float(tip[1]), float(np.arctan2(tip[1] - at[1], tip[0] - at[0])))]
        ends += [(float(bend[0]), float(bend[1]), float(np.arctan2(tip[1] - at[1], tip[0] - at[0])))]
    tip = spine[-1]
    ends.append((float(tip[0]), float(tip[1]), 0.0 if way > 0 else np.pi))
    shapes = melt(parts, stage.side * 0.006)
    bark = mix((0.34, 0.25, 0.22), climate.near, 0.3)
    bark = (bark[0] * climate.ambient[0], bark[1] * climate.ambient[1], bark[2] * climate.ambient[2])
    press.lay(shapes, bark)
    press.tone(shapes, Tone(darker(bark, 0.5), (stage.lighting().away[0] * 0.3, 1.0), 0.5, 0.85))
    press.rim(shapes, mix(bark, climate.rim, 0.6), (0.2, 1.0), stage.side * 0.003)
    if climate.season == "winter":
        caps = [
            limb(
                np.array([[x, y - r * 0.8, max(r * 0.55, stage.side * 0.003)] for x, y, r in spine], np.float32),
                per=1,
            )
        ]
        press.lay(melt(caps, stage.side * 0.003), mix((0.96, 0.97, 1.0), climate.sky[1], 0.25))
        _berries(stage, ends, rng)
        return
    _dress(stage, ends, rng)


def _dress(stage: Stage, ends: list[tuple[float, float, float]], rng: np.random.Generator) -> None:
    """Leaves, and in spring blossoms, around the twigs."""
    climate, press = stage.climate, stage.press
    for x, y, heading in ends:
        for i in range(7 if climate.season != "spring" else 3):
            turn = heading + (i - 3) * 0.42 + rng.normal(0, 0.15)
            back = stage.side * 0.012 * i
            long = stage.side * rng.uniform(0.035, 0.062)
            tint = climate.leaf if rng.random() < 0.65 else climate.blossom[int(rng.integers(2))]
            if climate.season != "autumn":
                tint = mix(climate.leaf, lighter(climate.leaf, 0.4), float(rng.random()) * 0.7)
            blade = elements.leaf(x - np.cos(heading) * back, y - np.sin(heading) * back, long, float(turn))
            press.lay([blade], tint)
            press.tone([blade], Tone(darker(tint, 0.42), stage.lighting().away, 0.5, 0.8))
            rib = limb(
                [
                    [x - np.cos(heading) * back, y - np.sin(heading) * back, long * 0.012],
                    [
                        x - np.cos(heading) * back + np.cos(turn) * long * 0.9,
                        y - np.sin(heading) * back + np.sin(turn) * long * 0.9,
                        long * 0.004,
                    ],
                ],
                per=3,
            )
            press.lay([rib], lighter(tint, 0.3))
        if climate.season == "spring":
            for _ in range(5):
                at = x + rng.normal(0, 0.028) * stage.side, y + rng.normal(0, 0.028) * stage.side
                elements.floret(
                    stage, *at, stage.side * rng.uniform(0.016, 0.025), climate.blossom[int(rng.integers(2))], rng
                )


def _berries(stage: Stage, ends: list[tuple[float, float, float]], rng: np.random.Generator) -> None:
    """Red berries for a bare branch."""
    red = (0.76 * stage.climate.ambient[0], 0.20 * stage.climate.ambient[1], 0.18 * stage.climate.ambient[2])
    for x, y, _ in ends:
        for _ in range(4):
            size = stage.side * rng.uniform(0.006, 0.01)
            berry = [
                ellipse(x + rng.normal(0, 0.016) * stage.side, y + abs(rng.normal(0, 0.018)) * stage.side, size, size)
            ]
            stage.press.lay(berry, red)
            stage.press.tone(berry, Tone(darker(red, 0.5), (0.6, 0.8), 0.6, 0.9))


def stand(stage: Stage, drawing: Drawing, subject: Subject) -> list[Pose]:
    """Birds perch on the branch, following its slope."""
    spine = _spine(stage)
    found = poses(stage, drawing, subject, 0.7, 0.46, 82)
    return [Pose(p.x, _height(spine, p.x) + 0.6 * p.scale, p.scale, p.flip, p.turn) for p in found]


def before(stage: Stage, figures: list[Pose]) -> None:
    """A few leaves or petals drifting by."""
    climate = stage.climate
    if climate.season not in ("autumn", "spring"):
        return
    rng = stage.rng("drift")
    for _ in range(16):
        x, y = rng.uniform(0, 1) * stage.width, rng.uniform(0.1, 1) * stage.height
        size = stage.side * rng.uniform(0.012, 0.024)
        ink = (
            climate.blossom[int(rng.integers(2))]
            if climate.season == "spring"
            else mix(climate.leaf, climate.blossom[0], float(rng.random()))
        )
        stage.press.lay([elements.leaf(x, y, size, float(rng.uniform(0, 6.3)), 0.34)], ink)
