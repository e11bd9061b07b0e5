"""A forest: trunks fading into mist, a path or a stream, shafts of light; broad-leaved, pine, birch or bamboo."""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.kernels.resize import rows_of
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures import backdrop, european, folk
from aquatint.engines.studio.scenes.figures.air import Air, air_of, fall
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    Points,
    curve,
    gradient,
    mix,
    points,
    radial,
    ribbon,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.plants import Grove, broadleaf, bush, clump, conifer, grass, shades
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_BIRCH = re.compile(r"birch|白桦|桦树")
_PINE = re.compile(r"pine|fir|spruce|conifer|taiga|松林|松树|针叶|杉")
_LAYERS = 6


@dataclass(frozen=True, slots=True)
class _Wood:
    """The decisions of one forest. Places are in pixels."""

    kind: str  # broadleaf, pine, birch or bamboo
    horizon: float
    vanish: float  # column where the path is lost
    glow: tuple[float, float]  # where the light comes from
    names: frozenset[str]
    stream: bool


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Paint the inside of a forest in the plan's season, time and weather."""
    easel.progress(0.05, "growing trees")
    rng = generator(easel.seed, "forest")
    air = air_of(plan, rng, usual=("morning", "golden_hour", "morning", "sunrise"))
    canvas = Canvas(easel)
    wood = _wood_of(plan, canvas, rng)
    tree = next((s for s in plan.subjects if s.name == "tree"), None)
    if tree is not None and tree.count == 1 and "forest" not in wood.names:
        return _lone_tree(canvas, air, rng, easel)
    _depth(canvas, air, wood, easel.seed)
    for layer in range(_LAYERS):
        easel.progress(0.1 + 0.1 * layer, "growing trees")
        _layer(canvas, air, wood, layer / (_LAYERS - 1), rng, easel.seed)
        if layer == 1:
            _floor(canvas, air, wood, easel.seed)
        if layer == 3:
            _inhabitants(canvas, air, wood, rng)
    easel.progress(0.75, "light")
    _shafts(canvas, air, wood, easel.seed)
    _canopy(canvas, air, wood, rng)
    _undergrowth(canvas, air, wood, rng)
    _motes(canvas, air, wood, rng)
    backdrop.dim(canvas, 0.42, easel.seed)
    fall(canvas.pixels, air, easel.seed)
    return canvas.pixels


def _wood_of(plan: Plan, canvas: Canvas, rng: np.random.Generator) -> _Wood:
    words = plan.prompt.casefold()
    names = frozenset(subject.name for subject in plan.subjects)
    kind = "broadleaf"
    if any(s.name == "forest" and s.variant == "bamboo" for s in plan.subjects):
        kind = "bamboo"
    elif _BIRCH.search(words):
        kind = "birch"
    elif _PINE.search(words):
        kind = "pine"
    elif plan.season is None and rng.random() < 0.3:
        kind = str(rng.choice(["pine", "birch"]))
    horizon = canvas.height * float(rng.uniform(0.58, 0.66))
    vanish = canvas.width * float(rng.uniform(0.36, 0.64))
    glow = (
        vanish + canvas.width * float(rng.uniform(-0.12, 0.12)),
        horizon - canvas.height * float(rng.uniform(0.22, 0.42)),
    )
    return _Wood(kind, horizon, vanish, glow, names, bool(names & {"river", "lake", "waterfall"}))


def _light_color(air: Air) -> Color:
    if air.time == "night":
        return mix(air.sun, (0.75, 0.86, 1.0), 0.5)
    return mix(air.sun, (1.0, 0.97, 0.85), 0.35)


def _leaf_air(air: Air, wood: _Wood) -> tuple[Color, Color]:
    """Colours of the hazy depth: by the light, and away from it. Leaves colour the air of a forest."""
    leaf = {
        "spring": (0.66, 0.80, 0.50),
        "summer": (0.50, 0.70, 0.48),
        "autumn": (0.93, 0.66, 0.36),
        "winter": (0.80, 0.86, 0.92),
    }[air.season]
    if wood.kind == "bamboo" and air.season != "winter":
        leaf = (0.58, 0.78, 0.46)
    if air.dark:
        leaf = scale(mix(leaf, air.haze, 0.75), 0.55)
    glow = mix(mix(air.haze, leaf, 0.35), _light_color(air), 0.62 if not air.dark else 0.35)
    return glow, scale(mix(air.haze, leaf, 0.55), 0.62 if not air.dark else 0.40)


def _depth(canvas: Canvas, air: Air, wood: _Wood, seed: int) -> None:
    near, far = _leaf_air(air, wood)
    reach = 0.72 * max(canvas.width, canvas.height)
    base = radial(
        *wood.glow,
        reach,
        (mix(near, (1, 1, 1), 0.55 if not air.dark else 0.1), near, mix(near, far, 0.55), far),
        0.85,
    )
    rows = max(8, round(640 * canvas.height / canvas.width))
    cloud = fbm(rows, 640, 16, 5, derive_seed(seed, "distant leaves"), 0.6)

    def paint(x: PlaneF, y: PlaneF) -> RgbF:
        leaves = rows_of(cloud, canvas.width, canvas.height, int(y.flat[0]), int(y.flat[-1]) + 1)
        return np.asarray(base(x, y) * (1 + 0.13 * leaves)[..., None], dtype=np.float32)

    canvas.wash(paint)


def _floor(canvas: Canvas, air: Air, wood: _Wood, seed: int) -> None:
    """The ground, lit toward the light, with the path or stream that leads into the depth."""
    near, _ = _leaf_air(air, wood)
    litter: Color = {
        "spring": (0.42, 0.50, 0.24),
        "summer": (0.34, 0.42, 0.20),
        "autumn": (0.66, 0.36, 0.16),
        "winter": (0.95, 0.97, 1.0),
    }["winter" if air.snow else air.season]
    far_c, mid_c, low_c = (
        mix(air.tone(litter, 0.9), near, 0.55),
        air.tone(litter, 0.7),
        air.tone(scale(litter, 0.5), 0.35),
    )
    line = backdrop.crest(
        canvas, wood.horizon + canvas.height * 0.01, canvas.height * 0.025, derive_seed(seed, "floor"), 5, 0.2
    )
    ground = gradient((0, wood.horizon), (0, canvas.height), (far_c, mid_c, low_c), 0.7)
    canvas.polygon(backdrop.outline_below(line, canvas.height + 2), textured(canvas, ground, 0.16, 0.03, 0.5))
    path = _path(canvas, wood, seed)
    t = np.linspace(0, 1, len(path))
    broad = canvas.width * (0.008 + 0.20 * t**1.5) * min(1.0, canvas.height / canvas.width + 0.35)
    if wood.stream:
        water = gradient(
            (0, wood.horizon),
            (0, canvas.height),
            (mix(near, (1, 1, 1), 0.3), mix(near, air.haze, 0.4), air.tone((0.14, 0.24, 0.26), 0.4)),
        )
        canvas.polygon(ribbon(path, broad * 1.2), scale(low_c, 0.7), 0.7, soft=canvas.unit * 5)
        canvas.polygon(ribbon(path, broad), water)
        _ripples(canvas, path, broad, near, seed)
    else:
        sand: Color = (0.90, 0.93, 0.97) if air.snow else (0.62, 0.50, 0.34)
        earth = gradient(
            (0, wood.horizon),
            (0, canvas.height),
            (mix(air.tone(sand, 1.0), near, 0.6), air.tone(sand, 0.75), air.tone(scale(sand, 0.62), 0.4)),
        )
        canvas.polygon(ribbon(path, broad), textured(canvas, earth, 0.16, 0.05, 0.4), 0.45, soft=canvas.unit * 16)
        canvas.polygon(
            ribbon(path, broad * 0.86), textured(canvas, earth, 0.16, 0.05, 0.4), 0.75, soft=canvas.unit * 5
        )
    _litter(canvas, air, wood, seed)


def _path(canvas: Canvas, wood: _Wood, seed: int) -> Points:
    rng = generator(seed, "path")
    sway = float(rng.choice([-1, 1])) * float(rng.uniform(0.06, 0.16)) * canvas.width
    foot = canvas.width * float(rng.uniform(0.42, 0.58))
    deep = canvas.height * 1.04 - wood.horizon
    top = wood.horizon + canvas.height * 0.012
    return curve(
        [
            (wood.vanish, top),
            (wood.vanish + sway * 0.3, top + deep * 0.06),
            (wood.vanish + sway, top + deep * 0.26),
            ((wood.vanish + foot) / 2 - sway * 0.2, top + deep * 0.58),
            (foot, top + deep),
        ],
        18,
    )


def _ripples(canvas: Canvas, path: Points, broad: np.ndarray, color: Color, seed: int) -> None:
    rng = generator(seed, "stream")
    for _ in range(150):
        i = int(len(path) * float(rng.random()) ** 0.8)
        w = float(broad[min(i, len(path) - 1)])
        at = path[min(i, len(path) - 1)]
        long = w * float(rng.uniform(0.08, 0.3))
        x = float(at[0]) + float(rng.uniform(-0.36, 0.36)) * w
        canvas.ellipse(x, float(at[1]), long, max(0.6, long * 0.05), mix(color, (1, 1, 1), 0.5), opacity=0.35)


def _litter(canvas: Canvas, air: Air, wood: _Wood, seed: int) -> None:
    """Fallen leaves or stones that give the floor its perspective."""
    rng = generator(seed, "litter")
    depths = np.sort(rng.random(1500 if air.season == "autumn" else 900)) ** 1.6
    count = len(depths)
    colors = np.empty((count, 3))
    for i, depth in enumerate(depths):
        leaf = air.leaves(rng)
        colors[i] = air.tone(leaf[int(rng.integers(3))], float(rng.uniform(0.3, 0.9)), 0.15 + 0.5 * (1 - float(depth)))
        if air.snow:
            colors[i] = air.tone((0.95, 0.97, 1.0), float(rng.uniform(0.6, 1.1)), 0.3)
    at = np.stack(
        [rng.random(count) * canvas.width, wood.horizon + canvas.height * 0.02 + (canvas.height - wood.horizon) * depths], 1
    )
    size = canvas.unit * (0.5 + 6.0 * depths)
    canvas.dabs(at, np.stack([size, size * 0.36], 1), rng.uniform(-25, 25, count), colors)


def _layer(canvas: Canvas, air: Air, wood: _Wood, near: float, rng: np.random.Generator, seed: int) -> None:
    """One rank of trees: pale and thin far away, dark and broad in front, never in the way of the path."""
    glow, far = _leaf_air(air, wood)
    foot = wood.horizon + canvas.height * (0.015 + 0.40 * near**1.7)
    broad = canvas.unit * (6 + 62 * near**1.8)
    count = int(
        (30 - 22 * near**0.6)
        * max(0.55, canvas.width / canvas.height / 1.78)
        * (1.5 if wood.kind == "bamboo" else 1.0)
    )
    opening = canvas.width * (0.03 + 0.20 * near)
    grove = Grove(canvas, air, rng, 1.0 if wood.glow[0] > canvas.width / 2 else -1.0, 0.0)
    veil = (1 - near) ** 1.15 * (0.86 if not air.dark else 0.75)
    for k in range(count):
        x = canvas.width * (k + float(rng.uniform(0.1, 0.9))) / count
        center = wood.vanish + (canvas.width * 0.5 - wood.vanish) * near
        if abs(x - center) < opening:
            x = center + np.sign(x - center + 1e-6) * opening * float(rng.uniform(1.02, 1.5))
        haze = mix(glow, far, min(1.0, abs(x - wood.glow[0]) / (0.55 * canvas.width)))
        size = broad * float(rng.uniform(0.6, 1.25))
        y = foot + canvas.height * 0.03 * near * float(rng.normal())
        side = 1.0 if wood.glow[0] > x else -1.0
        _trunk(canvas, air, wood, x, y, size, side, haze, veil, rng)
    if near < 0.85:
        _crowns(canvas, air, wood, near, rng)
    if near < 0.75:
        _thicket(grove, wood, foot, near, glow, far)


def _trunk(
    canvas: Canvas, air: Air, wood: _Wood, x: float, foot: float, broad: float, side: float, haze: Color, veil: float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    if wood.kind == "bamboo":
        _culm(canvas, air, x, foot, broad * 0.55, side, haze, veil, rng)
        return
    bark: Color = {"broadleaf": (0.34, 0.27, 0.22), "pine": (0.42, 0.28, 0.20), "birch": (0.86, 0.84, 0.80)}[
        wood.kind
    ]
    dark, lit = (
        mix(air.tone(scale(bark, 0.42), 0.2), haze, veil),
        mix(air.tone(scale(bark, 1.15), 1.0), haze, veil * 0.9),
    )
    lean = float(rng.normal(0, 0.025)) * canvas.height
    knots = [
        (x, foot + broad * 0.1),
        (x + lean * 0.3, foot * 0.62),
        (x + lean * 0.6 + float(rng.normal(0, broad * 0.15)), foot * 0.3),
        (x + lean, -canvas.height * 0.06),
    ]
    path = curve(knots, 12)
    t = np.linspace(0, 1, len(path))
    wide = broad * (1.0 - 0.42 * t + 0.9 * np.exp(-t * 22))
    paint = gradient(
        (x + side * broad * 0.55, 0),
        (x - side * broad * 0.55, 0),
        (lit, mix(lit, dark, 0.55), dark, mix(dark, haze, 0.12)),
    )
    canvas.polygon(ribbon(path, wide), textured(canvas, paint, 0.22 if broad > 6 * canvas.unit else 0.0, 0.04, 0.12))
    if broad > 10 * canvas.unit:
        _bark(canvas, wood, path, wide, dark, lit, rng)
    if rng.random() < (0.75 if wood.kind == "pine" else 0.35):
        _limbs(canvas, path, broad, mix(dark, lit, 0.25), rng, wood.kind == "pine")
    _roots(canvas, x, foot, broad, mix(dark, lit, 0.2), mix(air.tone(scale(air.ground, 0.55), 0.5), haze, veil), rng)


def _roots(
    canvas: Canvas, x: float, foot: float, broad: float, wood: Color, green: Color, rng: np.random.Generator
) -> None:
    """Roots that run into the ground, and blades around them, so that the trunk stands and does not float."""
    for way in (-1, 1):
        for _ in range(2):
            reach = broad * float(rng.uniform(0.6, 1.1)) * way
            root = curve(
                [
                    (x + reach * 0.35, foot - broad * 0.7),
                    (x + reach * 0.7, foot - broad * 0.05),
                    (x + reach * 1.25, foot + broad * 0.16),
                ],
                6,
            )
            canvas.line(root, broad * 0.34, wood, taper=0.85)
    for _ in range(int(10 + min(22, broad / canvas.unit))):
        start, tall = x + float(rng.normal(0, 0.75)) * broad, broad * float(rng.uniform(0.15, 0.5))
        low = foot + broad * 0.22
        bend = tall * float(rng.normal(0, 0.4))
        canvas.polygon(
            points([(start - tall * 0.08, low), (start + bend, low - tall), (start + tall * 0.08, low)]),
            scale(green, float(rng.uniform(0.7, 1.3))),
        )


def _bark(
    canvas: Canvas, wood: _Wood, path: Points, wide: np.ndarray, dark: Color, lit: Color, rng: np.random.Generator
) -> None:
    marks = int(26 * min(3.0, canvas.unit))
    for _ in range(marks * (2 if wood.kind != "birch" else 1)):
        i = int(rng.integers(2, len(path) - 2))
        at, w = path[i], float(wide[i])
        x = float(at[0]) + float(rng.uniform(-0.42, 0.42)) * w
        if wood.kind == "birch":
            long = w * float(rng.uniform(0.06, 0.28))
            canvas.ellipse(
                x,
                float(at[1]) + float(rng.normal(0, w)),
                long,
                long * 0.16,
                mix(dark, (0.1, 0.1, 0.1), 0.5),
                float(rng.uniform(-8, 8)),
                0.8,
            )
            continue
        y, long = float(at[1]) + float(rng.normal(0, w)), w * float(rng.uniform(0.6, 2.0))
        crack = curve(
            [
                (x, y),
                (x + float(rng.normal(0, 0.05)) * w, y + long * 0.5),
                (x + float(rng.normal(0, 0.08)) * w, y + long),
            ],
            4,
        )
        canvas.line(
            crack, max(0.7, w * 0.035), scale(dark, 0.7) if rng.random() < 0.6 else mix(dark, lit, 0.6), taper=0.7
        )


def _limbs(canvas: Canvas, path: Points, broad: float, color: Color, rng: np.random.Generator, level: bool) -> None:
    for _ in range(int(rng.integers(3, 7))):
        at = path[int(len(path) * float(rng.uniform(0.42, 0.95)))]
        way, long = float(rng.choice([-1, 1])), broad * float(rng.uniform(2.0, 5.5))
        rise = long * (0.08 if level else float(rng.uniform(0.3, 0.8)))
        limb = curve(
            [tuple(at), (at[0] + way * long * 0.5, at[1] - rise * 0.3), (at[0] + way * long, at[1] - rise)], 6
        )
        canvas.line(limb, broad * 0.13, color, taper=0.9)


def _culm(
    canvas: Canvas,
    air: Air,
    x: float,
    foot: float,
    broad: float,
    side: float,
    haze: Color,
    veil: float,
    rng: np.random.Generator,
) -> None:
    """A bamboo stem in joints, each joint a little lighter at its ring."""
    hue = mix((0.36, 0.52, 0.22), (0.60, 0.62, 0.28), float(rng.random()))
    dark, lit = (
        mix(air.tone(scale(hue, 0.42), 0.2), haze, veil),
        mix(air.tone(scale(hue, 1.35), 1.05), haze, veil * 0.9),
    )
    lean = float(rng.normal(0, 0.03)) * canvas.height
    top, joint = -canvas.height * 0.05, broad * float(rng.uniform(5.5, 7.5))
    joints = max(2, int((foot - top) / joint))
    for k in range(joints + 1):
        y0, y1 = foot - joint * k, foot - joint * (k + 1)
        x0, x1 = x + lean * (k / joints) ** 2, x + lean * ((k + 1) / joints) ** 2
        w = broad * (1 - 0.25 * k / joints) * 0.5
        shape = points(
            [
                (x0 - w * 1.06, y0),
                (x0 - w * 0.92, y0 - joint * 0.08),
                (x1 - w * 0.92, y1 + joint * 0.06),
                (x1 - w * 1.05, y1),
                (x1 + w * 1.05, y1),
                (x1 + w * 0.92, y1 + joint * 0.06),
                (x0 + w * 0.92, y0 - joint * 0.08),
                (x0 + w * 1.06, y0),
            ]
        )
        paint = gradient(
            (x0 + side * w, 0), (x0 - side * w, 0), (mix(lit, dark, 0.2), lit, mix(lit, dark, 0.45), dark)
        )
        canvas.polygon(shape, paint if broad > 3 * canvas.unit else mix(lit, dark, 0.4))
        canvas.line(
            points([(x0 - w * 1.1, y0), (x0 + w * 1.1, y0)]), max(0.7, broad * 0.07), mix(lit, (1, 1, 0.9), 0.25)
        )
        canvas.line(
            points([(x0 - w * 1.05, y0 + broad * 0.09), (x0 + w * 1.05, y0 + broad * 0.09)]),
            max(0.7, broad * 0.05),
            scale(dark, 0.8),
        )


def _thicket(grove: Grove, wood: _Wood, foot: float, near: float, glow: Color, far: Color) -> None:
    """Bushes and young trees between the ranks."""
    canvas, rng = grove.canvas, grove.rng
    for _ in range(int(16 - 8 * near)):
        x = float(rng.random()) * canvas.width
        center = wood.vanish + (canvas.width * 0.5 - wood.vanish) * near
        if abs(x - center) < canvas.width * (0.05 + 0.16 * near):
            continue
        haze = mix(glow, far, min(1.0, abs(x - wood.glow[0]) / (0.55 * canvas.width)))
        leaf = grove.air.leaves(rng)
        veil = (1 - near) ** 1.15 * 0.85
        tones = tuple(mix(tone, haze, veil) for tone in grove.tones(leaf))
        size = canvas.unit * (16 + 46 * near)
        for _ in range(3):
            clump(
                grove,
                x + float(rng.normal(0, 0.5)) * size,
                foot - size * float(rng.uniform(0.1, 0.7)),
                size * 0.6,
                size * 0.42,
                (tones[0], tones[1], tones[2]),
                60,
                size * 0.055,
            )


def _inhabitants(canvas: Canvas, air: Air, wood: _Wood, rng: np.random.Generator) -> None:
    """People, a deer or a house, when they were asked for."""
    y = wood.horizon + canvas.height * 0.10
    if "house" in wood.names or "village" in wood.names:
        side = -1 if wood.vanish > canvas.width / 2 else 1
        european.house(
            Grove(canvas, air, rng, -side, 0.15), wood.vanish + side * canvas.width * 0.16, y, canvas.unit * 150
        )
    if "people" in wood.names:
        folk.person(
            canvas, air, wood.vanish + canvas.width * 0.01, y + canvas.height * 0.02, canvas.height * 0.13, rng
        )
    if "deer" in wood.names:
        folk.deer(canvas, air, wood.vanish - canvas.width * 0.05, y + canvas.height * 0.02, canvas.height * 0.17)
    if "bird" in wood.names:
        folk.birds(canvas, *wood.glow, canvas.unit * 26, 6, air.tone((0.14, 0.13, 0.12), 0.3, 0.2), rng)


def _shafts(canvas: Canvas, air: Air, wood: _Wood, seed: int) -> None:
    """Shafts of light through the leaves: drawn small and soft, laid on as light (screen)."""
    if not air.sun_shows:
        return
    rng = generator(seed, "shafts")
    columns = 512
    rows = max(8, round(columns * canvas.height / canvas.width))
    field: PlaneF = np.zeros((rows, columns), np.float32)
    scale_to = columns / canvas.width
    origin = np.array([wood.glow[0] * scale_to, (wood.glow[1] - 0.55 * canvas.height) * scale_to])
    for _ in range(26):
        turn = np.pi / 2 + float(rng.normal(0, 0.34))
        half = float(rng.uniform(0.004, 0.022))
        ray = [origin + 2.2 * rows * np.array([np.cos(turn + d), np.sin(turn + d)]) for d in (-half, half)]
        mask = np.zeros((rows, columns), np.uint8)
        cv2.fillPoly(mask, [np.round(np.array([origin, *ray]) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        field += mask.astype(np.float32) * np.float32(float(rng.uniform(0.16, 0.5)) / 255)
    y = (np.arange(rows, dtype=np.float32) / rows)[:, None]
    field = (
        cv2.GaussianBlur(field, (0, 0), 2.2)
        * np.clip(1.15 - 1.05 * y, 0, 1)
        * np.float32(1.0 if not air.dark else 0.5)
    )
    tear = fbm(rows, columns, 5, 4, derive_seed(seed, "smoke"))
    field = np.asarray(np.clip(field * (0.85 + 0.5 * tear), 0, 0.8), dtype=np.float32)
    light = np.array(_light_color(air), np.float32)

    def change(rgb: RgbF, x: PlaneF, rows_y: PlaneF) -> RgbF:
        top = int(rows_y.flat[0])
        share = np.clip(rows_of(field, canvas.width, canvas.height, top, top + rows_y.size), 0, 1)[..., None]
        return np.asarray(rgb + (light - rgb * light) * share * np.float32(0.9), dtype=np.float32)

    canvas.adjust(change)


def _canopy(canvas: Canvas, air: Air, wood: _Wood, rng: np.random.Generator) -> None:
    """Leaves that hang into the picture from above and frame the light."""
    if air.season == "winter" and wood.kind in ("broadleaf", "birch"):
        return
    grove = Grove(canvas, air, rng, 1.0 if wood.glow[0] > canvas.width / 2 else -1.0)
    count = int(40 * max(0.6, canvas.width / canvas.height / 1.78))
    for k in range(count):
        x = canvas.width * (k + float(rng.random())) / count
        away = abs(x - wood.glow[0]) / canvas.width
        y = canvas.height * float(rng.uniform(-0.08, 0.02 + 0.20 * min(1.0, away * 1.6)))
        leaf = grove.air.leaves(rng, evergreen=wood.kind == "pine")
        if wood.kind == "bamboo" and air.season != "autumn":
            leaf = ((0.16, 0.30, 0.12), (0.36, 0.54, 0.20), (0.66, 0.80, 0.36))
        through = max(0.0, 0.55 - away)  # leaves before the light glow
        dark, middle, light = grove.tones(leaf)
        tones = (scale(dark, 0.75 + through), mix(middle, light, through), light)
        size = canvas.unit * float(rng.uniform(34, 66))
        finer = max(1.0, canvas.unit)
        if wood.kind == "bamboo":
            _bamboo_leaves(canvas, x, y, size, tones, rng)
        else:
            _spray(canvas, x, y, size, tones, int(210 * min(2.6, finer)), size * 0.085 / finer**0.4, rng)


def _spray(
    canvas: Canvas,
    x: float,
    y: float,
    size: float,
    tones: tuple[Color, Color, Color],
    leaves: int,
    leaf: float,
    rng: np.random.Generator,
) -> None:
    """Loose leaves around a point: dense in the middle, single ones outside."""
    reach = rng.standard_t(3, (leaves, 2)).clip(-3.2, 3.2) * (0.52, 0.34) * size
    light = 0.15 + 0.75 * np.arange(leaves) / leaves + 0.2 * rng.normal(size=leaves)
    long = leaf * rng.uniform(0.6, 1.5, leaves)
    canvas.dabs(reach + (x, y), np.stack([long, long * 0.52], 1), rng.uniform(-70, 70, leaves), shades(tones, light))


def _crowns(canvas: Canvas, air: Air, wood: _Wood, near: float, rng: np.random.Generator) -> None:
    """Hazy foliage of one rank of trees, high up, open around the light."""
    if air.season == "winter" and wood.kind in ("broadleaf", "birch"):
        return
    glow, far = _leaf_air(air, wood)
    veil = 0.90 * (1 - near) ** 0.9
    grove = Grove(canvas, air, rng, 1.0)
    for _ in range(int(30 * max(0.7, canvas.width / canvas.height / 1.78))):
        x = float(rng.random()) * canvas.width
        away = abs(x - wood.glow[0]) / canvas.width
        y = canvas.height * float(rng.uniform(-0.05, 0.10 + 0.42 * min(1.0, away * 2.0)))
        haze = mix(glow, far, min(1.0, away / 0.55))
        dark, middle, light = grove.tones(air.leaves(rng, evergreen=wood.kind == "pine"))
        tones = (mix(dark, haze, veil), mix(middle, haze, veil), mix(light, haze, veil))
        size = canvas.unit * (16 + 30 * near) * float(rng.uniform(0.8, 1.5))
        if wood.kind == "bamboo":
            _bamboo_leaves(canvas, x, y, size, tones, rng)
        else:
            _spray(canvas, x, y, size, tones, 95, size * 0.11, rng)


def _bamboo_leaves(
    canvas: Canvas, x: float, y: float, size: float, tones: tuple[Color, Color, Color], rng: np.random.Generator
) -> None:
    """Slim leaves in hanging fans."""
    for _ in range(70):
        cx, cy = x + float(rng.normal(0, 0.8)) * size, y + float(rng.normal(0, 0.55)) * size
        turn = np.pi / 2 + float(rng.normal(0, 0.6))
        long = size * float(rng.uniform(0.35, 0.62))
        tip = (cx + np.cos(turn) * long, cy + np.sin(turn) * long)
        path = curve([(cx, cy), ((cx + tip[0]) / 2 + float(rng.normal(0, 0.04)) * long, (cy + tip[1]) / 2), tip], 6)
        wide = long * 0.13 * np.sin(np.linspace(0.25, np.pi, len(path)))
        canvas.polygon(ribbon(path, np.maximum(wide, 0.4)), tones[int(rng.integers(3))])


def _undergrowth(canvas: Canvas, air: Air, wood: _Wood, rng: np.random.Generator) -> None:
    """Ferns and grass at the viewer's feet, left and right of the path, in deep shade."""
    near = Grove(canvas, air, rng, 1.0, 0.0, 0.62)
    dark = air.tone(scale(air.ground, 0.34), 0.3)
    tip = air.tone(scale(air.ground, 0.85), 0.8)
    for left, right in ((-0.02, 0.30), (0.70, 1.02)):
        for row in range(3):
            grass(
                near,
                canvas.width * left,
                canvas.width * right,
                canvas.height * (0.95 + 0.04 * row),
                canvas.height * (0.055 + 0.02 * row),
                120,
                dark,
                tip,
            )
    for _ in range(12):
        side = float(rng.choice([-1, 1]))
        x = canvas.width * (0.5 + side * float(rng.uniform(0.26, 0.52)))
        y = canvas.height * float(rng.uniform(0.93, 1.05))
        if air.snow:
            bush(near, x, y, canvas.unit * float(rng.uniform(50, 90)))
        else:
            _fern(canvas, x, y, canvas.unit * float(rng.uniform(60, 120)), air, rng)


def _fern(canvas: Canvas, x: float, y: float, size: float, air: Air, rng: np.random.Generator) -> None:
    base = scale(mix(air.ground, (0.30, 0.48, 0.20), 0.5 if air.season != "autumn" else 0.1), 0.8)
    for _ in range(6):
        turn = -np.pi / 2 + float(rng.normal(0, 0.75))
        long = size * float(rng.uniform(0.7, 1.1))
        end = (x + np.cos(turn) * long, y + np.sin(turn) * long * 0.75)
        rib = curve([(x, y), (x + np.cos(turn) * long * 0.45, y + np.sin(turn) * long * 0.65), end], 20)
        color = air.tone(base, float(rng.uniform(0.2, 1.0)))
        canvas.line(rib, size * 0.018, scale(color, 0.7), taper=0.8)
        along = np.gradient(rib, axis=0)
        for i in range(3, len(rib) - 1):
            reach = size * 0.20 * np.sin(np.pi * (0.12 + 0.86 * i / len(rib)))
            for way in (-1, 1):
                heading = np.arctan2(along[i, 1], along[i, 0]) + way * 1.1
                tip = rib[i] + np.array([np.cos(heading), np.sin(heading)]) * reach
                leaf = ribbon(np.linspace(rib[i], tip, 5), size * 0.013 * np.array([0.5, 1.0, 0.9, 0.5, 0.1]))
                canvas.polygon(leaf, scale(color, 0.85 + 0.3 * float(rng.random())))


def _motes(canvas: Canvas, air: Air, wood: _Wood, rng: np.random.Generator) -> None:
    """Dust, pollen, fireflies or drifting leaves in the light."""
    light = (1.0, 0.92, 0.5) if air.dark else _light_color(air)
    for _ in range(70):
        x = wood.glow[0] + float(rng.normal(0, 0.24)) * canvas.width
        y = wood.horizon + float(rng.normal(-0.06, 0.16)) * canvas.height
        r = canvas.unit * float(rng.uniform(0.6, 2.0))
        canvas.glow(x, y, r * (4 if not air.dark else 8), light, 0.5)
        if not air.dark and air.season == "autumn" and rng.random() < 0.5:
            leaf = air.leaves(rng)
            canvas.ellipse(x, y, r * 3.0, r * 1.3, air.tone(leaf[2], 1.0), float(rng.random()) * 180)


def _lone_tree(canvas: Canvas, air: Air, rng: np.random.Generator, easel: Easel) -> Rgb8:
    """One great tree on a hill under a wide sky."""
    horizon, size = canvas.height * 0.72, min(canvas.width, canvas.height)
    side = float(rng.choice([-1, 1]))
    sun = (canvas.width * (0.5 - side * 0.26), horizon * (1 - 0.9 * air.sun_high))
    backdrop.paint_sky(canvas, air, horizon, sun, easel.seed, 0.06)
    for k in range(3):
        line = backdrop.crest(
            canvas, horizon + canvas.height * 0.03 * k, size * 0.12, derive_seed(easel.seed, "range", k), 3, 0.4
        )
        tone = air.tone(scale(mix((0.4, 0.5, 0.55), air.ground, 0.3 * k), 0.7), 0.5, 0.75 - 0.2 * k)
        backdrop.ridge(canvas, line, canvas.height * 0.9, tone, mix(tone, air.haze, 0.6))
    u = np.linspace(-1, 1, canvas.width, dtype=np.float32)
    hill = (canvas.height * (0.80 + 0.10 * (u - 0.2 * side) ** 2)).astype(np.float32)
    backdrop.ridge(
        canvas, hill, canvas.height + 2, air.tone(air.ground, 0.8), air.tone(scale(air.ground, 0.5), 0.4), 0.12
    )
    x = canvas.width * (0.5 + 0.12 * side)
    grove = Grove(canvas, air, rng, -side)
    canvas.ellipse(
        x + side * size * 0.2,
        canvas.height * 0.84,
        size * 0.36,
        size * 0.03,
        air.tone(scale(air.ground, 0.3), 0.2),
        0,
        0.6,
        size * 0.015,
    )
    (conifer if rng.random() < 0.15 else broadleaf)(grove, x, canvas.height * 0.83, size * 0.74)
    for row in range(5):
        grass(
            grove,
            0,
            canvas.width,
            canvas.height * (0.86 + 0.04 * row),
            size * (0.02 + 0.014 * row),
            260,
            air.tone(scale(air.ground, 0.45), 0.4),
            air.tone(scale(air.ground, 1.1), 1.0),
        )
    backdrop.dim(canvas, 0.3, easel.seed)
    fall(canvas.pixels, air, easel.seed)
    return canvas.pixels
