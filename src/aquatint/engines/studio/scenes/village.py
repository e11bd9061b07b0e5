"""A village, temple or castle among hills: European lanes, temples in the mist, river towns with white walls."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures import backdrop, european, oriental
from aquatint.engines.studio.scenes.figures.air import USUAL, air_of, fall
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    mix,
    points,
    scale,
    textured,
)
from aquatint.engines.studio.scenes.figures.folk import birds, rowboat
from aquatint.engines.studio.scenes.figures.grounds import draw_lane, fence, flowers, steps, sunlit, willow
from aquatint.engines.studio.scenes.figures.plants import (
    Grove,
    branch,
    broadleaf,
    bush,
    cast_shadow,
    conifer,
    grass,
    pine,
    tufts,
)
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8

_WESTERN = re.compile(r"church|cathedral|mosque|chapel|europe|alpin|tuscan|教堂|欧洲|欧式")


_EASTERN = re.compile(r"[\u4e00-\u9fff]|chin|japan|asia|zen|torii|shrine|kyoto|jiangnan")


_JAPANESE = re.compile(r"torii|shrine|japan|kyoto|鸟居|神社|日本|京都")


@dataclass(frozen=True, slots=True)
class _Place:
    """What stands where. Fractions are of the width and the height."""

    kind: str  # temple, river_town, village or castle
    names: frozenset[str]
    horizon: float
    side: int  # -1: the main building left of the middle, 1: right
    water: bool
    japanese: bool


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Paint a settled place in its weather, time and season; what kind follows from the subjects and the words."""
    easel.progress(0.05, "choosing a place")
    rng = generator(easel.seed, "village")
    place = _place(plan, rng)
    usual = ("morning", "day", "dusk", "dawn") if plan.season == "winter" else USUAL
    air = air_of(plan, rng, "autumn" if place.kind == "temple" and rng.random() < 0.4 else "summer", usual)
    canvas = Canvas(easel)
    horizon = place.horizon * canvas.height
    sun_side = -place.side
    sun = (canvas.width * (0.5 + 0.27 * sun_side + 0.05 * float(rng.normal())), horizon * (1 - 0.9 * air.sun_high))
    backdrop.paint_sky(canvas, air, horizon, sun, easel.seed, 0.075 if place.kind == "temple" else 0.05)
    easel.progress(0.2, "raising hills")
    grove = Grove(canvas, air, rng, float(sun_side))
    builders = {"temple": _temple, "river_town": _river_town, "village": _european, "castle": _european}
    builders[place.kind](place, grove, horizon, easel)
    easel.progress(0.9, "weather")
    backdrop.dim(canvas, 0.30, easel.seed)
    fall(canvas.pixels, air, easel.seed)
    return canvas.pixels


def _place(plan: Plan, rng: np.random.Generator) -> _Place:
    names = frozenset(subject.name for subject in plan.subjects)
    words = plan.prompt.casefold()
    eastern = bool(_EASTERN.search(words)) and not _WESTERN.search(words)
    if "castle" in names:
        kind = "castle"
    elif names & {"temple", "pagoda"} and not _WESTERN.search(words):
        kind = "temple"
    else:
        kind = "river_town" if eastern else "village"
    water = bool(names & {"lake", "river", "boat", "bridge", "sea"}) or kind == "river_town"
    place = next((s.place for s in plan.subjects if s.place in ("left", "right")), None)
    side = {"left": -1, "right": 1}.get(place or "", 1 if rng.random() < 0.5 else -1)
    horizon = float(rng.uniform(0.50, 0.58)) if kind != "temple" else float(rng.uniform(0.60, 0.66))
    return _Place(kind, names, horizon, side, water, bool(_JAPANESE.search(words)))


def _hills(grove: Grove, horizon: float, seed: int, count: int, tall: float, sharp: float) -> list[PlaneF]:
    """Ranges fading into the haze, far to near, each with mist at its foot."""
    canvas, air = grove.canvas, grove.air
    lines = []
    for i in range(count):
        near = (i + 1) / (count + 1)
        part = derive_seed(seed, "hill", i)
        base = horizon + canvas.height * 0.02 * i
        line = backdrop.crest(canvas, base, tall * canvas.height * (1 - 0.45 * near), part, 2.6 + 1.2 * i, sharp)
        green = mix((0.34, 0.44, 0.50), air.ground, 0.25 + 0.5 * near)
        color = air.tone(scale(green, 0.62), 0.45, 0.80 - 0.55 * near)
        backdrop.ridge(canvas, line, base + canvas.height * 0.10, color, mix(color, air.haze, 0.75 - 0.3 * near))
        backdrop.mist(
            canvas, base, canvas.height * 0.10, mix(air.haze, air.sky[-1], 0.4), 0.35 + 0.55 * air.mist, part
        )
        lines.append(line)
    return lines


def _slope(canvas: Canvas, place: _Place, start: float, end: float, rough: float, seed: int) -> PlaneF:
    """Outline of the near hill: high on the main building's side, falling to the other."""
    u = np.linspace(0, 1, canvas.width, dtype=np.float32)
    if place.side < 0:
        u = 1 - u
    ease = u * u * (3 - 2 * u)
    wave = backdrop.crest(canvas, 0, rough * canvas.height, seed, 4, 0.25)
    return np.asarray((start + (end - start) * ease) * canvas.height + wave, dtype=np.float32)


def _wood(
    grove: Grove, line: PlaneF, left: float, right: float, tall: float, count: int, ever: float,
    depth: float = 0.0, old: bool = False,
) -> None:  # fmt: skip
    """Trees along a crest between two columns, the farther ones first."""
    rng, canvas = grove.rng, grove.canvas
    feet = sorted((float(rng.random()) ** 0.8 * depth, float(rng.uniform(left, right))) for _ in range(count))
    for down, x in feet:
        column = int(np.clip(x, 0, canvas.width - 1))
        size = tall * float(rng.uniform(0.65, 1.25)) * (1 + 0.5 * down / max(1.0, depth))
        foot = float(line[column]) + down + size * 0.05
        if grove.far < 0.2:
            cast_shadow(grove, x, foot, size * 0.35)
        if rng.random() < ever:
            (conifer if rng.random() < 0.7 or not old else pine)(grove, x, foot, size * 1.15)
        else:
            broadleaf(grove, x, foot, size, bare=grove.air.snow and rng.random() < 0.4)


def _near(grove: Grove, far: float, gain: float = 1.0) -> Grove:
    return Grove(grove.canvas, grove.air, grove.rng, grove.sun_side, far, gain)


def _temple(place: _Place, grove: Grove, horizon: float, easel: Easel) -> None:
    canvas, air, rng = grove.canvas, grove.air, grove.rng
    width, height, size = canvas.width, canvas.height, min(canvas.width, canvas.height)
    tall_sheet = height > width
    _hills(grove, horizon, easel.seed, 4, 0.34, 0.72)
    easel.progress(0.35, "building the temple")
    middle = width * (0.5 + place.side * float(rng.uniform(0.16, 0.22)))
    hill = _slope(canvas, place, 0.86, 0.60, 0.05, derive_seed(easel.seed, "temple hill"))
    far = _near(grove, 0.22)
    stone = air.tone(scale(air.ground, 0.62), 0.45, 0.25)
    _wood(far, hill, 0, width, size * 0.10, 34, 0.6, old=True)
    backdrop.ridge(canvas, hill, height * 0.95, stone, mix(stone, air.haze, 0.55), 0.12)
    _wood(far, hill, middle - size * 0.45, middle + size * 0.45, size * 0.16, 12, 0.5, old=True)
    tower = size * (0.56 if not tall_sheet else 0.62)
    foot = float(hill[int(np.clip(middle, 0, width - 1))]) + size * 0.03
    build = _near(grove, 0.10 + 0.25 * air.mist)
    if place.japanese and "pagoda" not in place.names:
        oriental.hall(build, middle, foot, size * 0.42, 2)
    else:
        oriental.pagoda(build, middle, foot, tower, int(rng.choice([5, 5, 7])))
        if "temple" in place.names or rng.random() < 0.7:
            oriental.hall(
                build, middle - place.side * size * 0.34, foot + size * 0.06, size * 0.30, int(rng.integers(1, 3))
            )
    _wood(
        _near(grove, 0.12), hill, middle - size * 0.62, middle + size * 0.62, size * 0.13, 26, 0.45, size * 0.14, True
    )
    backdrop.mist(
        canvas,
        foot + size * 0.14,
        size * 0.16,
        mix(air.haze, (1, 1, 1), 0.25 if not air.dark else 0.0),
        0.5 + 0.4 * air.mist,
        easel.seed,
    )
    easel.progress(0.6, "planting")
    if place.water:
        backdrop.reflect(canvas, height * 0.84, air.tone((0.20, 0.32, 0.38), 0.5), easel.seed)
    _temple_foreground(place, grove, easel, middle)


def _temple_foreground(place: _Place, grove: Grove, easel: Easel, middle: float) -> None:
    canvas, air, rng = grove.canvas, grove.air, grove.rng
    width, height, size = canvas.width, canvas.height, min(canvas.width, canvas.height)
    near = _near(grove, 0.0, 0.55)
    if not place.water:
        front = _slope(canvas, place, 0.84, 0.95, 0.04, derive_seed(easel.seed, "front"))
        _wood(_near(grove, 0.05, 0.72), front, 0, width, size * 0.16, 30, 0.5, old=True)
        dark = air.tone(scale(air.ground, 0.42), 0.4)
        backdrop.ridge(canvas, front, height * 1.02, dark, scale(dark, 0.6), 0.12)
        for k in range(34):
            x = width * (k + float(rng.random())) / 34
            bush(
                _near(grove, 0.0, 0.7),
                x,
                float(front[min(int(x), width - 1)]) + size * 0.03,
                size * float(rng.uniform(0.07, 0.13)),
            )
        steps(grove, middle, float(front[int(np.clip(middle, 0, width - 1))]), height)
    if place.japanese:
        oriental.torii(near, width * (0.5 - place.side * 0.14), height * 0.99, size * 0.42)
    from_x = -0.02 * width if place.side > 0 else 1.02 * width
    to_x = width * (0.5 - place.side * 0.14)
    leaf = air.leaves(rng)
    spring = air.season == "spring"
    if spring:
        leaf = ((0.72, 0.42, 0.52), (0.93, 0.66, 0.74), (0.99, 0.90, 0.92))
    branch(
        _near(grove, 0.0, 0.85),
        (from_x, height * 0.05),
        (to_x, height * 0.20),
        leaf,
        petals=spring or air.season == "winter",
    )
    flock = air.tone((0.12, 0.12, 0.15), 0.3, 0.25)
    birds(canvas, width * (0.5 - place.side * 0.12), height * 0.30, size * 0.035, 7, flock, rng)
    x = width * (0.06 if place.side > 0 else 0.94)
    pine(near, x, height * 1.02, size * 0.52)
    blade = air.tone(scale(air.ground, 0.5), 0.6)
    grass(near, 0, width, height * 1.01, size * 0.05, 260, scale(blade, 0.6), blade)


def _river_town(place: _Place, grove: Grove, horizon: float, easel: Easel) -> None:
    canvas, air, rng = grove.canvas, grove.air, grove.rng
    width, height, size = canvas.width, canvas.height, min(canvas.width, canvas.height)
    _hills(grove, horizon, easel.seed, 3, 0.26, 0.5)
    shore = horizon + height * 0.10
    easel.progress(0.35, "building houses")
    for row, (far, wide, count) in enumerate(((0.38, 0.13, 13), (0.2, 0.19, 10), (0.05, 0.26, 8))):
        part = _near(grove, far)
        foot = shore - size * (0.075 - 0.0375 * row)
        gap = width * 0.5 + place.side * width * (0.05 - 0.30 * row / 2)
        for x in np.linspace(-0.02, 1.02, count) * width:
            if row == 2 and abs(x - gap) < width * 0.20:
                continue
            at = float(x + rng.normal(0, size * 0.02))
            if rng.random() < 0.55:
                broadleaf(part, at + size * wide * 0.5, foot, size * wide * 1.1)
            oriental.white_house(part, at, foot, size * wide * float(rng.uniform(0.85, 1.2)), rng)
        backdrop.mist(
            canvas,
            foot,
            size * 0.07,
            mix(air.haze, air.sky[-1], 0.4),
            0.34 * (1 - row / 3) + 0.4 * air.mist,
            easel.seed + row,
        )
    bank = air.tone((0.50, 0.49, 0.46), 0.5)
    canvas.polygon(
        points(
            [
                (-2, shore - size * 0.004),
                (width + 2, shore - size * 0.004),
                (width + 2, shore + size * 0.018),
                (-2, shore + size * 0.018),
            ]
        ),
        textured(canvas, bank, 0.15, 0.03, 0.3),
    )
    bridge_x = width * 0.5 + place.side * width * -0.16
    oriental.arch_bridge(canvas, _near(grove, 0.0), bridge_x, shore + size * 0.03, size * 0.62)
    easel.progress(0.6, "water")
    backdrop.reflect(canvas, shore + size * 0.018, air.tone((0.24, 0.36, 0.36), 0.45), easel.seed)
    willow(_near(grove, 0.0, 0.7), width * (0.03 if place.side > 0 else 0.97), -size * 0.02, size * 0.62, place.side)
    rowboat(canvas, air, width * (0.5 + place.side * 0.2), shore + (height - shore) * 0.52, size * 0.20, place.side)


def _european(place: _Place, grove: Grove, horizon: float, easel: Easel) -> None:
    canvas, air = grove.canvas, grove.air
    width, height, size = canvas.width, canvas.height, min(canvas.width, canvas.height)
    _hills(
        grove,
        horizon,
        easel.seed,
        4,
        0.30 if place.names & {"mountain", "castle"} else 0.20,
        0.65 if "mountain" in place.names else 0.3,
    )
    hill = _slope(
        canvas, place, 0.70, 0.53 if place.kind == "village" else 0.46, 0.035, derive_seed(easel.seed, "village hill")
    )
    far = _near(grove, 0.22)
    _wood(far, hill, 0, width, size * 0.07, 46, 0.35)
    color = air.tone(scale(air.ground, 0.95), 0.7, 0.12)
    backdrop.ridge(canvas, hill, height, color, air.tone(scale(air.ground, 0.72), 0.55), 0.10)
    sunlit(grove, hill, easel.seed)
    easel.progress(0.35, "building houses")
    middle = width * (0.5 + place.side * 0.20)
    lane = draw_lane(grove, middle - place.side * size * 0.05, float(hill[int(middle)]) + size * 0.07, place.side)
    blade = air.tone(scale(air.ground, 0.62), 0.5, 0.05)
    tufts(
        grove,
        hill,
        height,
        1500,
        blade,
        air.tone(scale(air.ground, 1.12), 1.0, 0.05),
        lane,
    )
    _cluster(place, grove, hill, middle)
    easel.progress(0.65, "planting")
    if place.water:
        backdrop.reflect(canvas, height * 0.80, air.tone((0.24, 0.38, 0.44), 0.5), easel.seed)
        if "bridge" in place.names:
            oriental.arch_bridge(
                canvas, _near(grove, 0.0), width * (0.5 - place.side * 0.1), height * 0.83, size * 0.72
            )
    _meadow(place, grove, easel)


def _cluster(place: _Place, grove: Grove, hill: PlaneF, middle: float) -> None:
    canvas, rng = grove.canvas, grove.rng
    size, width = min(canvas.width, canvas.height), canvas.width
    foot = float(hill[int(np.clip(middle, 0, width - 1))])
    if place.kind == "castle":
        european.castle(_near(grove, 0.10), middle, foot + size * 0.04, size * 0.40)
        _wood(_near(grove, 0.08), hill, middle - size * 0.6, middle + size * 0.6, size * 0.09, 26, 0.5, size * 0.05)
    elif "house" not in place.names:
        european.church(_near(grove, 0.14), middle, foot + size * 0.02, size * 0.36)
    single = "house" in place.names and "village" not in place.names
    spots: list[tuple[float, float, float]] = []
    count = 1 if single else 5 if place.kind == "castle" else 17
    for _ in range(count * 12):
        if len(spots) >= count:
            break
        depth = float(rng.random())
        x = middle + float(rng.normal(0, 0.34 + 0.25 * depth)) * size * 0.8
        column = int(np.clip(x, 0, width - 1))
        y = (
            float(hill[column])
            + size * (0.03 + (0.20 if place.kind == "castle" else 0.15) * depth)
            + (size * 0.05 if place.kind == "castle" else 0)
        )
        wide = size * (0.10 + 0.09 * depth) if not single else size * 0.34
        if all(abs(x - a) > 0.62 * (wide + c) / 2 or abs(y - b) > size * 0.035 for a, b, c in spots):
            spots.append((middle if single else x, y + (size * 0.10 if single else 0), wide))
    for x, y, wide in sorted(spots, key=lambda spot: spot[1]):
        part = _near(grove, max(0.0, 0.14 - 0.1 * (y - foot) / size))
        if rng.random() < 0.7:
            broadleaf(part, x + wide * float(rng.choice([-0.75, 0.75])), y, wide * float(rng.uniform(0.8, 1.15)))
        cast_shadow(part, x, y, wide * 0.8)
        european.house(part, x, y, wide)
        for _ in range(3):
            bush(part, x + float(rng.uniform(-0.6, 0.6)) * wide, y + wide * 0.05, wide * 0.24)
    if rng.random() < 0.35 and not single:
        european.windmill(
            _near(grove, 0.2),
            width * (0.5 - place.side * 0.30),
            float(hill[int(width * (0.5 - place.side * 0.30))]),
            size * 0.2,
        )


def _meadow(place: _Place, grove: Grove, easel: Easel) -> None:
    """The foreground: grass, flowers, a fence, a framing tree."""
    canvas, air, rng = grove.canvas, grove.air, grove.rng
    width, height, size = canvas.width, canvas.height, min(canvas.width, canvas.height)
    near = _near(grove, 0.0, 0.8)
    dark, light = air.tone(scale(air.ground, 0.5), 0.5), air.tone(scale(air.ground, 1.1), 0.95)
    tree_x = width * (0.07 if place.side > 0 else 0.93)
    fence(near, (tree_x, height * 0.96), (width * (0.5 - place.side * 0.26), height * 0.80), size * 0.10, 9)
    for row in range(5):
        foot, tall = height * (0.88 + 0.035 * row), size * (0.028 + 0.012 * row)
        for left, right in ((-0.02, 0.5 - place.side * 0.12 - 0.16), (0.5 - place.side * 0.12 + 0.12, 1.02)):
            if place.water:
                break
            grass(near, left * width, right * width, foot, tall, 170, dark, light)
    if not air.snow and not place.water:
        flowers(near, rng, width, height, size)
    broadleaf(_near(grove, 0.0, 0.8), tree_x, height * 1.0, size * 0.80)
    del easel
