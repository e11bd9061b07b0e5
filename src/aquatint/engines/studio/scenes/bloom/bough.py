"""A branch in blossom before the sky."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.curves import Points, ellipse, limb, melt, smooth_open
from aquatint.engines.studio.kernels.press import Ink, Tone
from aquatint.engines.studio.scenes.bloom.heads import Head, blossom
from aquatint.engines.studio.scenes.bloom.kinds import Choice
from aquatint.engines.studio.scenes.printed import elements
from aquatint.engines.studio.scenes.printed.inks import darker, mix, times
from aquatint.engines.studio.scenes.printed.stage import Stage, ridge_line


def bough(stage: Stage, choice: Choice, count: int) -> None:
    """Sky with a large disc, far hills, an old crooked branch and its flowers, petals in the air."""
    climate, press = stage.climate, stage.press
    press.wash(climate.sky)
    if climate.stars:
        elements.stars(stage, 0.7)
    way = 1 if stage.main_x() < 0.5 else -1
    if climate.disc:
        elements.disc(stage, (0.5 + 0.2 * way) * stage.width, 0.42 * stage.height, 0.24 * stage.side)
    elements.clouds(stage, 0.8)
    for i in range(3):
        ink = mix(climate.far, climate.sky[-1], 0.6 - 0.2 * i)
        line = ridge_line(stage, 0.80 + 0.06 * i, 0.04 - 0.008 * i, 1.2, f"far {i}")
        press.lay([line], ink)
        low = np.array([0, 0.98 * stage.height], np.float32)
        press.stipple(
            [line], mix(ink, climate.sky[-1], 0.6), np.array([0, 0.78 * stage.height], np.float32), low, 0.9
        )
    if climate.fog:
        press.veil(climate.sky[-1], [0.2 * climate.fog, 0.6 * climate.fog, 0.8 * climate.fog])
    spine, twigs = _grow(stage, way)
    wood = times(mix((0.30, 0.21, 0.20), climate.near, 0.2), climate.ambient)
    shapes = melt([limb(spine, per=1), *[limb(twig, per=1) for twig in twigs]], stage.side * 0.006)
    press.lay(shapes, wood)
    press.tone(shapes, Tone(darker(wood, 0.6), (0.3 * way, 1.0), 0.5, 0.9))
    press.rim(shapes, mix(wood, climate.rim, 0.5), (0.2, 1.0), stage.side * 0.0028)
    if climate.season == "winter":
        caps = [line * np.array([1, 1, 0.6], np.float32) - [0, stage.side * 0.004, 0] for line in (spine, *twigs)]
        snow = melt(
            [limb(np.column_stack([c[:, 0], c[:, 1] - c[:, 2], c[:, 2]]), per=1) for c in caps], stage.side * 0.004
        )
        press.lay(snow, mix((0.97, 0.98, 1.0), climate.sky[1], 0.2))
    _dress(stage, [spine, *twigs], choice)
    _petals_in_air(stage, choice.inks)


def _grow(stage: Stage, way: int) -> tuple[Points, list[Points]]:
    """The crooked main branch and its twigs as x, y, radius lines."""
    rng = stage.rng("bough")
    start = -0.05 if way > 0 else 1.05
    knots = []
    for i in range(8):
        t = i / 7
        kink = 0.03 * (1 if i % 2 else -1) * (0.4 + t)
        y = 0.86 - 0.60 * t**0.8 + kink + rng.normal(0, 0.012)
        knots.append(
            [(start + way * 0.86 * t) * stage.width, y * stage.height, stage.side * (0.034 * (1 - t) ** 1.2 + 0.0045)]
        )
    spine = smooth_open(knots, 12)
    twigs = []
    for i in range(11):
        at = spine[int((len(spine) - 1) * (0.16 + 0.076 * i))]
        turn = (0.0 if way > 0 else np.pi) + (way * (-1.0 if i % 2 else 0.75) * rng.uniform(0.6, 1.1))
        reach = stage.side * rng.uniform(0.14, 0.30)
        bend = turn + rng.normal(0, 0.35)
        middle = at[0] + np.cos(turn) * reach * 0.5, at[1] + np.sin(turn) * reach * 0.5
        end = middle[0] + np.cos(bend) * reach * 0.5, middle[1] + np.sin(bend) * reach * 0.5
        twigs.append(
            smooth_open(
                [
                    [at[0], at[1], at[2] * 0.55],
                    [*middle, at[2] * 0.3 + stage.side * 0.001],
                    [*end, stage.side * 0.0022],
                ],
                12,
            )
        )
    return spine, twigs


def _dress(stage: Stage, lines: list[Points], choice: Choice) -> None:
    """Clusters of blossoms, buds, and few young leaves along the twigs."""
    rng = stage.rng("blossoms")
    climate, press, light = stage.climate, stage.press, stage.lighting()
    dark, pale = choice.inks[0], choice.inks[-1]
    heart = times((0.96, 0.83, 0.48), climate.ambient)
    spots: list[tuple[float, float]] = []
    for number, line in enumerate(lines):
        first = 0.45 if number == 0 else 0.35
        for t in np.linspace(first, 1.0, 9 if number == 0 else 5):
            at = line[int(t * (len(line) - 1))]
            around = rng.normal(0, 0.024, (int(rng.integers(1, 4)), 2)) * stage.side
            spots += [(float(at[0] + dx), float(at[1] + dy)) for dx, dy in around]
    for x, y in spots:
        if rng.random() < 0.10:
            turn = float(rng.uniform(0, 6.3))
            blade = elements.leaf(x, y, 0.8 * stage.side * rng.uniform(0.03, 0.05), turn, 0.22)
            ink = times(mix(climate.leaf, (0.62, 0.48, 0.34), 0.35), climate.ambient)
            press.lay([blade], ink)
            press.tone([blade], Tone(darker(ink, 0.4), light.away, 0.5, 0.8))
        elif rng.random() < 0.2:
            _bud(stage, x, y, times(dark, climate.ambient), rng)
        else:
            tint = times(mix(dark, pale, float(rng.random())), climate.ambient)
            size = stage.side * rng.uniform(0.028, 0.046)
            blossom(
                press,
                Head(x, y, size, float(rng.uniform(0, 6.3)), float(rng.uniform(0.66, 1.0)), tint, heart, light.away),
                rng,
            )


def _bud(stage: Stage, x: float, y: float, ink: Ink, rng: np.random.Generator) -> None:
    size = stage.side * rng.uniform(0.010, 0.015)
    turn = float(rng.uniform(0, 3.1))
    shape = [ellipse(x, y, size, size * 0.75, turn)]
    stage.press.lay(shape, darker(ink, 0.08))
    stage.press.tone(shape, Tone(darker(ink, 0.25), stage.lighting().away, 0.6, 0.8))


def _petals_in_air(stage: Stage, inks: tuple[Ink, ...]) -> None:
    rng = stage.rng("petals")
    for _ in range(34):
        x, y = rng.uniform(0, 1) * stage.width, rng.uniform(0.08, 1) * stage.height
        ink = times(mix(inks[0], inks[-1], float(rng.random())), stage.climate.ambient)
        petal = ellipse(
            x, y, stage.side * rng.uniform(0.006, 0.011), stage.side * 0.0045, float(rng.uniform(0, 3.1)), 18
        )
        stage.press.lay([petal], ink)
