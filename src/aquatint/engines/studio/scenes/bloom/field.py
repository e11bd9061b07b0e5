"""Fields of flowers in perspective: rows or meadows from the horizon to our feet."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.curves import Points, ellipse, limb, smooth_closed
from aquatint.engines.studio.kernels.press import Ink, Tone
from aquatint.engines.studio.scenes.bloom.kinds import Choice
from aquatint.engines.studio.scenes.printed import elements
from aquatint.engines.studio.scenes.printed.inks import darker, lighter, mix, times
from aquatint.engines.studio.scenes.printed.stage import Stage, rectangle

_HORIZON = 0.43
_NEAR, _FAR = 1.0, 26.0  # depths in units of the camera's height
_ROWED = frozenset({"tulip", "lavender", "sunflower", "rose"})


def field(stage: Stage, choice: Choice) -> None:
    """Sky, hills, and the field: in straight rows for grown flowers, strewn for wild ones."""
    elements.sky(stage, _HORIZON + 0.02, disc_y=0.2, disc_size=0.095)
    elements.hills(stage, _HORIZON, 3, 0.11)
    if stage.has("house"):
        _mill(stage)
    soil = _soil(stage, choice)
    if choice.kind in _ROWED:
        _rows(stage, choice, soil)
    else:
        _strewn(stage, choice, soil)


def _soil(stage: Stage, choice: Choice) -> Ink:
    """Ground between the plants, hazy in the distance."""
    climate, press = stage.climate, stage.press
    green = mix(climate.near, times(climate.leaf, climate.ambient), 0.5)
    ground = rectangle(-2, _HORIZON * stage.height, stage.width + 2, stage.height + 2)
    press.wash(
        (mix(green, climate.far, 0.65), green, darker(green, 0.25), darker(green, 0.45)), int(_HORIZON * stage.height)
    )
    start = np.array([0, (_HORIZON + 0.14) * stage.height], np.float32)
    press.stipple(
        [ground],
        mix(climate.far, climate.sky[-1], 0.5),
        start,
        np.array([0, _HORIZON * stage.height], np.float32),
        0.7,
    )
    return green


def _depths(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Depths from far to near, evenly spread in the picture's logarithm."""
    return _FAR * (_NEAR / _FAR) ** np.linspace(0, 1, count)


def _row_y(stage: Stage, z: float) -> float:
    return (_HORIZON + (1.06 - _HORIZON) / z) * stage.height


def _rows(stage: Stage, choice: Choice, soil: Ink) -> None:
    """Rows that run to a vanishing point, each in one colour."""
    rng = stage.rng("rows")
    climate = stage.climate
    vanish = float(rng.uniform(0.36, 0.64)) * stage.width
    pitch = 0.62 * stage.side  # distance of rows at depth 1
    reach = int(stage.width * _FAR / pitch * 0.20) + 14
    for row in range(-reach, reach + 1):  # bands of colour, soon too fine to be plants
        ink = times(_row_ink(choice, row), climate.ambient)
        corners = []
        for z, edge in ((_FAR * 2.2, -1), (2.4, -1), (2.4, 1), (_FAR * 2.2, 1)):
            corners.append([vanish + (row + 0.30 * edge) * pitch / z, _row_y(stage, z) - 0.28 * 0.5 * stage.side / z])
        band = np.array(corners, np.float32)
        if band[:, 0].max() < 0 or band[:, 0].min() > stage.width:
            continue
        stage.press.lay([band], mix(ink, soil, 0.25))
        stage.press.stipple([band], darker(mix(ink, soil, 0.5), 0.2), band[0], band[1], 0.9)
    for z in _depths(44):
        haze = float(np.clip((z - 2) / 22, 0, 1)) * 0.55
        scale = stage.side / z
        half = int(stage.width / (pitch / z)) + 2
        middle = round((stage.width / 2 - vanish) / (pitch / z))
        for row in range(middle - half // 2 - 2, middle + half // 2 + 3):
            if scale * 0.1 < 2:
                continue
            for k in range(2 if z > 2.2 else 3):
                x = vanish + (row + (k - 0.5) * 0.34 + rng.normal(0, 0.05)) * pitch / z
                y = _row_y(stage, z * (1 + 0.03 * rng.normal()))
                ink = mix(times(_row_ink(choice, row), climate.ambient), climate.sky[-1], haze)
                if -0.1 * scale < x < stage.width + 0.1 * scale:
                    _plant(stage, choice.kind, x, y, scale, ink, mix(soil, climate.sky[-1], haze), rng)


def _row_ink(choice: Choice, row: int) -> Ink:
    if choice.kind == "tulip":
        return choice.inks[(row // 2) % len(choice.inks)]
    return choice.inks[row % 2 % len(choice.inks)]


def _strewn(stage: Stage, choice: Choice, soil: Ink) -> None:
    """Flowers in drifts with grass between them."""
    rng = stage.rng("strewn")
    climate = stage.climate
    drift = rng.uniform(0, 2 * np.pi, 4)
    grass = (lighter(soil, 0.12), soil, darker(soil, 0.25))
    for z in _depths(60):
        haze = float(np.clip((z - 2) / 22, 0, 1)) * 0.55
        scale = stage.side / z
        count = int(np.clip(6 + 3.4 * z, 8, 90) * stage.width / stage.side * 0.62)
        for _ in range(count):
            x = float(rng.uniform(-0.04, 1.04)) * stage.width
            y = _row_y(stage, z * (1 + 0.03 * rng.normal()))
            world = (x / stage.width - 0.5) * z
            thick = 0.55 + 0.45 * np.sin(world * 0.9 + drift[0]) * np.sin(z * 0.55 + drift[1])
            if scale > 0.06 * stage.side:
                _blade(stage, x, y, scale, mix(grass[int(rng.integers(3))], climate.sky[-1], haze), rng)
            if rng.random() > 0.25 + 0.7 * thick * (0.6 if scale > 0.3 * stage.side else 1.0):
                continue
            main = choice.inks[0] if rng.random() < 0.72 else choice.inks[int(rng.integers(len(choice.inks)))]
            kind = choice.kind
            if kind != "daisy" and rng.random() < 0.07:
                main, kind = (0.97, 0.95, 0.88), "daisy"
            ink = mix(times(main, climate.ambient), climate.sky[-1], haze)
            _plant(
                stage,
                kind,
                x + rng.normal(0, 0.02) * scale,
                y,
                scale * rng.uniform(0.75, 1.15),
                ink,
                mix(soil, climate.sky[-1], haze),
                rng,
            )


def _blade(stage: Stage, x: float, y: float, scale: float, ink: Ink, rng: np.random.Generator) -> None:
    tall, lean = scale * rng.uniform(0.12, 0.3), scale * rng.normal(0.02, 0.05)
    half = scale * 0.006
    outline = np.array(
        [
            [x - half, y],
            [x + lean * 0.4 - half, y - tall * 0.5],
            [x + lean, y - tall],
            [x + lean * 0.4 + half, y - tall * 0.5],
            [x + half, y],
        ],
        np.float32,
    )
    stage.press.lay([outline], ink)


def _plant(
    stage: Stage, kind: str, x: float, y: float, scale: float, ink: Ink, green: Ink, rng: np.random.Generator
) -> None:
    """One flower rooted at x, y; `scale` is the pixels of one camera height at its depth."""
    press = stage.press
    if scale < 0.11 * stage.side:  # far: a dab of colour over a dab of shade
        size = scale * 0.075
        press.lay(
            [ellipse(x, y - scale * 0.16, size * 1.2, size * 0.8, count=10)], darker(mix(ink, green, 0.5), 0.15)
        )
        press.lay(
            [ellipse(x, y - scale * 0.21, size, size * 0.7, count=10)],
            mix(ink, lighter(ink, 0.25), float(rng.random())),
        )
        return
    tall = scale * (0.34 if kind == "sunflower" else 0.24) * rng.uniform(0.85, 1.15)
    tip = x + rng.normal(0.015, 0.03 + 0.05 * stage.climate.wind) * scale, y - tall
    stem = limb(
        [
            [x, y + scale * 0.05, scale * 0.007],
            [(x + tip[0]) / 2 - scale * 0.01, y - tall * 0.5, scale * 0.006],
            [*tip, scale * 0.005],
        ],
        per=4,
    )
    press.lay([stem], darker(green, 0.1))
    for side in (-1, 1):
        blade = elements.leaf(
            x,
            y - tall * rng.uniform(0.05, 0.45),
            scale * rng.uniform(0.08, 0.14),
            -np.pi / 2 + side * rng.uniform(0.5, 1.1),
            0.18,
        )
        press.lay([blade], mix(green, lighter(green, 0.25), float(rng.random())))
    _HEADS.get(kind, _small_poppy)(stage, tip[0], tip[1], scale, ink, rng)


def _small_tulip(stage: Stage, x: float, y: float, scale: float, ink: Ink, rng: np.random.Generator) -> None:
    size, press = scale * 0.062, stage.press
    away = stage.lighting().away
    flank = smooth_closed(
        np.array([[0, 0.7], [-0.55, 0.4], [-0.6, -0.3], [-0.4, -1], [0, -0.35], [0.4, -1], [0.6, -0.3], [0.55, 0.4]])
        * size
        + [x, y],
        5,
    )
    front = smooth_closed(
        np.array([[0, 0.72], [-0.34, 0.3], [-0.3, -0.4], [0, -0.9], [0.3, -0.4], [0.34, 0.3]]) * size + [x, y], 5
    )
    press.lay([flank], darker(ink, 0.18))
    press.lay([front], ink)
    if size > 0.012 * stage.side:
        press.tone([flank], Tone(darker(ink, 0.45), (away[0], 0.6), 0.5, 0.85))
        press.rim([front], lighter(ink, 0.4), away, max(0.7, size * 0.05))


def _small_lavender(stage: Stage, x: float, y: float, scale: float, ink: Ink, rng: np.random.Generator) -> None:
    for _ in range(3):
        at, lean = x + rng.normal(0, 0.035) * scale, rng.normal(0, 0.014) * scale
        for i in range(7):
            size = scale * 0.014 * (1 - 0.09 * i)
            tint = (
                mix(ink, lighter(ink, 0.45), float(rng.random()) ** 2) if rng.random() < 0.72 else darker(ink, 0.28)
            )
            place_x = at + lean * i / 3 + rng.normal(0, 0.3) * size
            stage.press.lay(
                [ellipse(place_x, y + scale * (0.05 - 0.022 * i), size * 1.1, size * 1.15, count=9)], tint
            )


def _small_sunflower(stage: Stage, x: float, y: float, scale: float, ink: Ink, rng: np.random.Generator) -> None:
    size, press = scale * 0.09, stage.press
    turn, flat = rng.uniform(0, 1), rng.uniform(0.78, 0.95)
    for i in range(15):
        a = turn + 2 * np.pi * i / 15
        petal = elements.leaf(0.0, 0.0, size, float(a), 0.2) * np.array([1, flat], np.float32) + np.array(
            [x, y], np.float32
        )
        press.lay([petal], mix(ink, darker(ink, 0.3), 0.5 * (i % 2) + 0.2 * float(rng.random())))
    heart = [ellipse(x, y, size * 0.46, size * 0.46 * flat, count=24)]
    press.lay(heart, mix((0.30, 0.19, 0.12), ink, 0.1))
    if size > 0.02 * stage.side:
        press.tone(heart, Tone((0.16, 0.10, 0.09), stage.lighting().away, 0.6, 0.9))
        for i in range(60):
            r, a = size * 0.4 * np.sqrt(i / 60), i * 2.39996
            press.lay(
                [ellipse(x + np.cos(a) * r, y + np.sin(a) * r * flat, size * 0.02, size * 0.02, count=7)],
                (0.55, 0.38, 0.16),
            )


def _small_poppy(stage: Stage, x: float, y: float, scale: float, ink: Ink, rng: np.random.Generator) -> None:
    size, press, away = scale * 0.062 * rng.uniform(0.8, 1.2), stage.press, stage.lighting().away
    flat, turn = rng.uniform(0.45, 0.8), rng.uniform(-0.3, 0.3)
    bowl: list[Points] = []
    for dx, dy, wide in ((-0.1, -0.45, 0.9), (-0.62, 0.0, 0.78), (0.62, 0.02, 0.78), (0.0, 0.32, 1.0)):
        petal = ellipse(
            x + dx * size, y + dy * size * flat, size * wide, size * 0.78 * flat, float(turn + dx * 0.5), 18
        )
        bowl.append(petal)
    for i, petal in enumerate(bowl):
        tint = (darker(ink, 0.25), mix(ink, darker(ink, 0.2), 0.4), mix(ink, darker(ink, 0.2), 0.6), ink)[i]
        press.lay([petal], tint)
        if i == 0:
            press.lay(
                [ellipse(x, y - size * 0.1 * flat, size * 0.3, size * 0.24 * flat, count=12)], (0.14, 0.11, 0.15)
            )
        if size > 0.016 * stage.side:
            press.tone([petal], Tone(darker(tint, 0.3), (away[0], 0.7), 0.5, 0.8))
            press.rim([petal], lighter(tint, 0.35), away, max(0.7, size * 0.04))


def _small_daisy(stage: Stage, x: float, y: float, scale: float, ink: Ink, rng: np.random.Generator) -> None:
    size, flat, turn = scale * 0.042, rng.uniform(0.5, 0.95), rng.uniform(0, 1)
    for i in range(11):
        a = turn + 2 * np.pi * i / 11
        petal = ellipse(
            x + np.cos(a) * size * 0.62,
            y + np.sin(a) * size * 0.62 * flat,
            size * 0.42,
            size * 0.17,
            float(np.arctan2(np.sin(a) * flat, np.cos(a))),
            12,
        )
        stage.press.lay([petal], mix(ink, darker(ink, 0.2), 0.4 * (i % 2)))
    stage.press.lay(
        [ellipse(x, y, size * 0.3, size * 0.26 * flat, count=14)], times((0.93, 0.72, 0.25), stage.climate.ambient)
    )


def _small_wild(stage: Stage, x: float, y: float, scale: float, ink: Ink, rng: np.random.Generator) -> None:
    if rng.random() < 0.5:
        _small_daisy(stage, x, y, scale, ink, rng)
    else:
        elements.floret(stage, x, y, scale * 0.04, ink, rng)


_HEADS = {
    "tulip": _small_tulip,
    "lavender": _small_lavender,
    "sunflower": _small_sunflower,
    "poppy": _small_poppy,
    "daisy": _small_daisy,
    "wild": _small_wild,
    "dahlia": _small_daisy,
}


def _mill(stage: Stage) -> None:
    """A small windmill on the horizon."""
    press, climate = stage.press, stage.climate
    x, y, tall = (0.24 if stage.disc_x() > 0.5 else 0.76) * stage.width, _HORIZON * stage.height, 0.16 * stage.side
    ink = mix((0.45, 0.34, 0.30), climate.far, 0.35)
    tower = np.array(
        [
            [x - tall * 0.16, y],
            [x - tall * 0.09, y - tall * 0.72],
            [x + tall * 0.09, y - tall * 0.72],
            [x + tall * 0.16, y],
        ],
        np.float32,
    )
    press.lay([tower], ink)
    press.tone([tower], Tone(darker(ink, 0.4), stage.lighting().away, 0.5, 0.85))
    cap = smooth_closed(
        [[x - tall * 0.11, y - tall * 0.70], [x, y - tall * 0.86], [x + tall * 0.11, y - tall * 0.70]]
    )
    press.lay([cap], darker(ink, 0.3))
    for i in range(4):
        a = 0.5 + i * np.pi / 2
        end = x + np.cos(a) * tall * 0.5, y - tall * 0.74 + np.sin(a) * tall * 0.5
        side = np.array([-np.sin(a), np.cos(a)]) * tall * 0.07
        sail = np.array(
            [
                [x, y - tall * 0.74],
                end,
                [end[0] + side[0], end[1] + side[1]],
                [x + side[0] + np.cos(a) * tall * 0.1, y - tall * 0.74 + side[1] + np.sin(a) * tall * 0.1],
            ],
            np.float32,
        )
        press.lay([sail], lighter(mix(ink, climate.sky[-1], 0.5), 0.2))
