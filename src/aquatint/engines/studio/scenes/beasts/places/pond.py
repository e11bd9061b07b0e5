"""A pond from above: clear water with rings, floating leaves and flowers, shadows of the fish on the ground."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.curves import Points, ellipse, limb, place, smooth_closed
from aquatint.engines.studio.kernels.press import Tone
from aquatint.engines.studio.plan import Subject
from aquatint.engines.studio.scenes.beasts.figure import Drawing, Pose
from aquatint.engines.studio.scenes.printed.inks import darker, lighter, mix
from aquatint.engines.studio.scenes.printed.stage import Stage


def behind(stage: Stage) -> None:
    """Water over stones, with a web of light on it."""
    climate, press = stage.climate, stage.press
    deep = climate.water[-1] if not climate.night else darker(climate.water[-1], 0.1)
    press.wash((mix(climate.water[1], deep, 0.35), mix(climate.water[1], deep, 0.7), deep), rough=0.22)
    rng = stage.rng("stones")
    for _ in range(46):
        x, y = rng.uniform(-0.02, 1.02) * stage.width, rng.uniform(-0.02, 1.02) * stage.height
        size = stage.side * rng.uniform(0.02, 0.07)
        stone = smooth_closed(
            [
                [np.cos(a) * size * rng.uniform(0.8, 1.15), np.sin(a) * size * 0.8 * rng.uniform(0.8, 1.15)]
                for a in np.linspace(0, 2 * np.pi, 8)[:-1]
            ],
            6,
        )
        ink = mix(deep, climate.water[1], float(rng.uniform(0.12, 0.34)))
        shape = [place(stone, 1.0, float(rng.uniform(0, 3)), (float(x), float(y)))]
        press.lay(shape, ink)
        press.tone(shape, Tone(deep, (0.7, 0.7), 0.7, 0.85))
    _light_web(stage)


def _light_web(stage: Stage) -> None:
    """Caustics: thin wavering closed lines."""
    climate = stage.climate
    rng = stage.rng("caustics")
    ink = mix(climate.water[1], lighter(climate.water[0], 0.2), 0.55)
    for _ in range(30):
        x, y = rng.uniform(0, 1) * stage.width, rng.uniform(0, 1) * stage.height
        size = stage.side * rng.uniform(0.04, 0.12)
        ring = smooth_closed(
            [
                [np.cos(a) * size * rng.uniform(0.6, 1.3), np.sin(a) * size * 0.6 * rng.uniform(0.6, 1.3)]
                for a in np.linspace(0, 2 * np.pi, 10)[:-1]
            ],
            8,
        )
        part = ring[: int(len(ring) * rng.uniform(0.35, 0.8))]
        radius = stage.side * 0.0016 * np.sin(np.linspace(0.1, 3.0, len(part)))
        stage.press.lay([limb(np.column_stack([part[:, 0] + x, part[:, 1] + y, radius]), per=1)], ink)


def stand(stage: Stage, drawing: Drawing, subject: Subject) -> list[Pose]:
    """Fish circle around the middle; a lone one swims across it."""
    rng = stage.rng("school")
    named = subject.count if subject.count > 1 else int(rng.integers(2, 5)) if _many(stage) else 1
    count = min(7, named)
    scale = stage.side * (0.0080 if count == 1 else 0.0060 / (1 + 0.07 * (count - 2)))
    if count == 1:
        return [
            Pose(0.5 * stage.width, 0.5 * stage.height, scale, stage.main_x() < 0.5, float(rng.uniform(-0.5, 0.5)))
        ]
    start, found = rng.uniform(0, 2 * np.pi), []
    reach_x = 0.27 * stage.width if stage.width > stage.height else 0.26 * stage.side
    reach_y = 0.26 * stage.height if stage.height > stage.width else 0.24 * stage.side
    for i in range(count):
        a = start + 2 * np.pi * i / count + rng.normal(0, 0.1)
        x, y = 0.5 * stage.width + np.cos(a) * reach_x, 0.5 * stage.height + np.sin(a) * reach_y
        heading = np.arctan2(np.cos(a) * reach_y, -np.sin(a) * reach_x)  # along the ellipse
        found.append(Pose(float(x), float(y), scale * float(rng.uniform(0.85, 1.1)), False, float(heading + np.pi)))
    return found


def _many(stage: Stage) -> bool:
    """Whether chance decides how many: only when the words do not say one."""
    words = f" {stage.plan.prompt.lower()} "
    return not any(one in words for one in (" a ", " an ", " one ", "一条", "一只", "single"))


def under(stage: Stage, figure: Pose) -> None:
    """The shadow on the ground below."""
    shape = smooth_closed(
        [[-38, 0], [-20, -9], [4, -9], [30, -2], [52, -14], [50, 2], [54, 16], [30, 5], [4, 9], [-20, 9]]
    )
    flip = figure.flip
    at = figure.x + 7 * figure.scale, figure.y + 10 * figure.scale
    shadow = place(shape, figure.scale, figure.turn, at, flip)
    stage.press.tone([shadow], Tone(darker(stage.climate.water[-1], 0.45), (0, 0), 1.0, 0.8))


def before(stage: Stage, figures: list[Pose]) -> None:
    """Rings, floating leaves and flowers near the corners."""
    climate = stage.climate
    rng = stage.rng("pads")
    for _ in range(5):
        x, y = rng.uniform(0.1, 0.9) * stage.width, rng.uniform(0.1, 0.9) * stage.height
        size = stage.side * rng.uniform(0.03, 0.09)
        for share in (1.0, 0.62):
            _ring(stage, float(x), float(y), size * share)
    corners = [(0.06, 0.1), (0.93, 0.14), (0.08, 0.92), (0.95, 0.88), (0.5, 0.99), (0.42, 0.02)]
    for cx, cy in corners:
        for i in range(int(rng.integers(2, 4))):
            x = (cx + rng.normal(0, 0.055)) * stage.width
            y = (cy + rng.normal(0, 0.065)) * stage.height
            pad(stage, x, y, stage.side * rng.uniform(0.06, 0.105), float(rng.uniform(0, 6.3)))
            if i == 0 and rng.random() < 0.65 and climate.season != "winter":
                lily(stage, x, y, stage.side * rng.uniform(0.045, 0.062), rng)


def _ring(stage: Stage, x: float, y: float, size: float) -> None:
    t = np.linspace(0, 2 * np.pi, 60)
    radius = np.full(60, stage.side * 0.0012)
    path = np.column_stack([x + np.cos(t) * size, y + np.sin(t) * size, radius])
    stage.press.lay([limb(path, per=1)], lighter(stage.climate.water[0], 0.25))


def pad(stage: Stage, x: float, y: float, size: float, turn: float) -> None:
    """A floating leaf with its notch and ribs."""
    press, climate = stage.press, stage.climate
    angles = np.linspace(0.16, 2 * np.pi - 0.16, 40)
    edge = np.column_stack([np.cos(angles), np.sin(angles)]) * (1 + 0.025 * np.sin(angles * 9))[:, None]
    shape: Points = np.asarray(np.concatenate([edge, [[0.06, 0.0]]]), np.float32)
    green = mix(climate.leaf, (0.25, 0.5, 0.36), 0.4)
    shadow = place(shape, size, turn, (x + size * 0.12, y + size * 0.16))
    press.tone([shadow], Tone(darker(climate.water[-1], 0.5), (0, 0), 1.0, 0.85))
    outline = place(shape, size, turn, (x, y))
    press.lay([outline], green)
    press.tone([outline], Tone(darker(green, 0.45), (0.7, 0.7), 0.55, 0.85))
    for a in np.linspace(0.55, 2 * np.pi - 0.55, 9) + turn:
        end = x + np.cos(a) * size * 0.88, y + np.sin(a) * size * 0.88
        press.lay([limb([[x, y, size * 0.012], [*end, size * 0.004]], per=3)], lighter(green, 0.22))
    press.rim([outline], lighter(green, 0.45), (0.7, 0.7), size * 0.03)


def lily(stage: Stage, x: float, y: float, size: float, rng: np.random.Generator) -> None:
    """A water lily from above: three rings of petals."""
    press, climate = stage.press, stage.climate
    base = climate.blossom[0] if climate.season != "autumn" else (0.95, 0.78, 0.80)
    start = rng.uniform(0, 6.3)
    for ring, (count, long) in enumerate(((11, 1.0), (9, 0.74), (6, 0.48))):
        ink = lighter(mix(base, (0.98, 0.9, 0.9), 0.35), 0.18 * ring)
        ink = (ink[0] * climate.ambient[0], ink[1] * climate.ambient[1], ink[2] * climate.ambient[2])
        for i in range(count):
            a = start + 2 * np.pi * (i + 0.5 * ring) / count
            petal = smooth_closed([[0.1, 0], [0.5, -0.2], [0.85, -0.12], [1, 0], [0.85, 0.12], [0.5, 0.2]], 5)
            shape = [place(petal, size * long, float(a), (x, y))]
            press.lay(shape, ink)
            press.tone(shape, Tone(darker(ink, 0.25), (-np.cos(a), -np.sin(a)), 0.5, 0.7))
    press.lay([ellipse(x, y, size * 0.16, size * 0.16)], (0.94, 0.75, 0.3))
