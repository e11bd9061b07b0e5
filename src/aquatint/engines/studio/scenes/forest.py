"""A forest: trunks fading into mist, a path or a stream, shafts of light; broad-leaved, pine, birch or bamboo."""

from __future__ import annotations

import re

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
    radial,
    ribbon,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.plants import Grove, broadleaf, bush, conifer, grass
from aquatint.engines.studio.scenes.figures.woods import (
    Wood,
    bamboo_leaves,
    leaf_air,
    light_color,
    plant_rank,
    spray,
)
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_BIRCH = re.compile(r"birch|白桦|桦树")


_PINE = re.compile(r"pine|fir|spruce|conifer|taiga|松林|松树|针叶|杉")


_LAYERS = 6


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
        plant_rank(canvas, air, wood, layer / (_LAYERS - 1), rng, easel.seed)
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


def _wood_of(plan: Plan, canvas: Canvas, rng: np.random.Generator) -> Wood:
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
    return Wood(kind, horizon, vanish, glow, names, bool(names & {"river", "lake", "waterfall"}))


def _depth(canvas: Canvas, air: Air, wood: Wood, seed: int) -> None:
    near, far = leaf_air(air, wood)
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


def _floor(canvas: Canvas, air: Air, wood: Wood, seed: int) -> None:
    """The ground, lit toward the light, with the path or stream that leads into the depth."""
    near, _ = leaf_air(air, wood)
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


def _path(canvas: Canvas, wood: Wood, seed: int) -> Points:
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


def _litter(canvas: Canvas, air: Air, wood: Wood, seed: int) -> None:
    """Fallen leaves or stones that give the floor its perspective."""
    rng = generator(seed, "litter")
    depths = np.sort(rng.random(1500 if air.season == "autumn" else 900)) ** 1.6
    count = len(depths)
    colors = np.empty((count, 3))
    for i, depth in enumerate(depths):
        leaf = air.leaves(rng)
        colors[i] = air.tone(
            leaf[int(rng.integers(3))], float(rng.uniform(0.3, 0.9)), 0.15 + 0.5 * (1 - float(depth))
        )
        if air.snow:
            colors[i] = air.tone((0.95, 0.97, 1.0), float(rng.uniform(0.6, 1.1)), 0.3)
    at = np.stack(
        [
            rng.random(count) * canvas.width,
            wood.horizon + canvas.height * 0.02 + (canvas.height - wood.horizon) * depths,
        ],
        1,
    )
    size = canvas.unit * (0.5 + 6.0 * depths)
    canvas.dabs(at, np.stack([size, size * 0.36], 1), rng.uniform(-25, 25, count), colors)


def _inhabitants(canvas: Canvas, air: Air, wood: Wood, rng: np.random.Generator) -> None:
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


def _shafts(canvas: Canvas, air: Air, wood: Wood, seed: int) -> None:
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
    light = np.array(light_color(air), np.float32)

    def change(rgb: RgbF, x: PlaneF, rows_y: PlaneF) -> RgbF:
        top = int(rows_y.flat[0])
        share = np.clip(rows_of(field, canvas.width, canvas.height, top, top + rows_y.size), 0, 1)[..., None]
        return np.asarray(rgb + (light - rgb * light) * share * np.float32(0.9), dtype=np.float32)

    canvas.adjust(change)


def _canopy(canvas: Canvas, air: Air, wood: Wood, rng: np.random.Generator) -> None:
    """Leaves that hang into the picture from above and frame the light."""
    if air.season == "winter" and wood.kind in ("broadleaf", "birch"):
        return
    grove = Grove(canvas, air, rng, 1.0 if wood.glow[0] > canvas.width / 2 else -1.0)
    count = round(40 * max(0.6, canvas.width / canvas.height / 1.78))
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
            bamboo_leaves(canvas, x, y, size, tones, rng)
        else:
            spray(canvas, x, y, size, tones, int(210 * min(2.6, finer)), size * 0.085 / finer**0.4, rng)


def _undergrowth(canvas: Canvas, air: Air, wood: Wood, rng: np.random.Generator) -> None:
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


def _motes(canvas: Canvas, air: Air, wood: Wood, rng: np.random.Generator) -> None:
    """Dust, pollen, fireflies or drifting leaves in the light."""
    light = (1.0, 0.92, 0.5) if air.dark else light_color(air)
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
