"""A still life on a table by a window: vase with flowers, fruit, bowl, cup, candle, bottle and cloth."""

from __future__ import annotations

import re
from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures import backdrop
from aquatint.engines.studio.scenes.figures.air import named
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    curve,
    gradient,
    mix,
    oval,
    points,
    radial,
    ribbon,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.solid import Lamp, Stuff, ball, rest, turned
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8

_VASES: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0, 0.16), (0.05, 0.20), (0.35, 0.33), (0.62, 0.28), (0.84, 0.14), (0.93, 0.13), (1.0, 0.18)),
    ((0, 0.20), (0.04, 0.22), (0.5, 0.25), (0.85, 0.26), (0.92, 0.21), (1.0, 0.22)),
    ((0, 0.14), (0.06, 0.15), (0.22, 0.27), (0.42, 0.30), (0.60, 0.20), (0.78, 0.10), (0.92, 0.10), (1.0, 0.15)),
)
_GLAZES: tuple[Color, ...] = ((0.90, 0.88, 0.83), (0.22, 0.36, 0.52), (0.55, 0.66, 0.60), (0.72, 0.42, 0.30), (0.30, 0.33, 0.34))  # fmt: skip
_BLOOMS: tuple[Color, ...] = ((0.93, 0.52, 0.55), (0.97, 0.83, 0.48), (0.96, 0.93, 0.89), (0.80, 0.30, 0.34), (0.66, 0.58, 0.84), (0.95, 0.64, 0.40))  # fmt: skip
_WALLS: tuple[tuple[Color, Color], ...] = (
    ((0.72, 0.70, 0.62), (0.34, 0.35, 0.34)), ((0.56, 0.64, 0.66), (0.24, 0.31, 0.35)),
    ((0.76, 0.60, 0.46), (0.36, 0.25, 0.20)), ((0.50, 0.52, 0.42), (0.20, 0.23, 0.19)),
)  # fmt: skip
# Fruit by the words that ask for it: colour, second colour of its cheek, radius, flatness.
_FRUIT: dict[str, tuple[str, Color, Color, float, float]] = {
    "apple": (r"apple|苹果", (0.80, 0.17, 0.14), (0.90, 0.72, 0.26), 1.0, 0.92),
    "lemon": (r"lemon|柠檬", (0.96, 0.82, 0.22), (0.86, 0.80, 0.36), 0.82, 0.84),
    "peach": (r"peach|桃", (0.95, 0.62, 0.42), (0.88, 0.36, 0.32), 0.98, 0.95),
    "orange": (r"orange|橙|橘", (0.95, 0.54, 0.12), (0.96, 0.66, 0.26), 1.0, 0.97),
    "plum": (r"plum|李子", (0.36, 0.18, 0.36), (0.52, 0.30, 0.48), 0.74, 0.95),
    "pear": (r"pear\b|pears|梨", (0.80, 0.76, 0.32), (0.78, 0.56, 0.26), 0.95, 1.0),
    "grapes": (r"grape|葡萄", (0.42, 0.20, 0.40), (0.56, 0.34, 0.56), 0.42, 1.0),
}


@dataclass(frozen=True, slots=True)
class _Table:
    """The stage of the objects; lengths in pixels."""

    canvas: Canvas
    lamp: Lamp
    rng: np.random.Generator
    edge: float  # row of the table's far edge
    size: float  # unit of the objects
    cool: bool


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Arrange and paint the things named in the prompt; what it leaves open the seed chooses."""
    easel.progress(0.05, "setting the table")
    rng = generator(easel.seed, "still life")
    canvas = Canvas(easel)
    night = plan.time in ("night", "dusk") or bool(re.search(r"candle|蜡烛", plan.prompt.casefold()))
    side = float(rng.choice([-1, 1]))
    lamp = Lamp(
        side,
        (1.0, 0.84, 0.58) if night else (1.0, 0.97, 0.90),
        (0.20, 0.17, 0.22) if night else (0.36, 0.36, 0.44),
        (0.7, 0.5, 0.35),
    )
    table = _Table(canvas, lamp, rng, canvas.height * float(rng.uniform(0.60, 0.66)), 0.0, night)
    table = _Table(canvas, lamp, rng, table.edge, min(canvas.width * 0.56, canvas.height) * 0.94, night)
    _room(plan, table, easel.seed)
    easel.progress(0.25, "painting")
    _arrange(plan, table)
    easel.progress(0.85, "varnishing")
    backdrop.dim(canvas, 0.42, easel.seed)
    return canvas.pixels


def _room(plan: Plan, table: _Table, seed: int) -> None:
    canvas, lamp, rng = table.canvas, table.lamp, table.rng
    light, dark = _WALLS[int(rng.integers(len(_WALLS)))]
    colors = [named(c) for c in plan.colors]
    if colors:
        light, dark = mix(light, colors[0], 0.5), mix(dark, scale(colors[0], 0.5), 0.5)
    if table.cool:
        light, dark = scale(light, 0.50), scale(dark, 0.36)
    at = canvas.width * (0.5 + 0.42 * lamp.side)
    wall = radial(
        at,
        canvas.height * 0.12,
        0.95 * max(canvas.width, canvas.height),
        (mix(light, lamp.color, 0.35), light, mix(light, dark, 0.6), dark),
    )
    canvas.wash(textured(canvas, wall, 0.10, 0.012, 1.6))
    if not table.cool:
        _window_light(table, mix(light, (1.0, 0.95, 0.82), 0.7))
    wood: Color = ((0.52, 0.34, 0.22), (0.66, 0.50, 0.36), (0.36, 0.24, 0.18), (0.80, 0.76, 0.70))[
        int(rng.integers(4))
    ]
    if table.cool:
        wood = scale(wood, 0.6)
    _tabletop(table, wood, seed)


def _window_light(table: _Table, color: Color) -> None:
    """Light of a mullioned window lying on the wall, slanting."""
    canvas, side = table.canvas, table.lamp.side
    width, height = canvas.width, canvas.height
    x, y, w, h = width * (0.5 - 0.16 * side), height * 0.05, width * 0.11, height * 0.21
    panes = []
    for i in range(2):
        for j in range(2):
            a, b = x - side * i * w * 1.14, y + j * h * 1.1
            lean = -side * 0.35
            panes.append(
                points(
                    [
                        (a, b),
                        (a - side * w, b + w * 0.22),
                        (a - side * w + lean * h, b + h + w * 0.22),
                        (a + lean * h, b + h),
                    ]
                )
            )
    canvas.polygons(panes, color, 0.34, soft=canvas.unit * 5)


def _tabletop(table: _Table, wood: Color, seed: int) -> None:
    canvas, lamp = table.canvas, table.lamp
    top, bottom = table.edge, canvas.height
    lit, dim = mix(wood, lamp.color, 0.18), scale(wood, 0.5)
    base = gradient(
        (canvas.width * (0.5 + 0.5 * lamp.side), top),
        (canvas.width * (0.5 - 0.5 * lamp.side), bottom),
        (lit, wood, dim),
    )
    board = fbm(256, 64, 6, 5, derive_seed(seed, "wood"), 0.6)

    def grained(x: PlaneF, y: PlaneF) -> PlaneF:
        depth = (y - np.float32(top)) / np.float32(bottom - top)
        v = np.repeat((np.log1p(depth * 5) * 120).astype(np.float32), x.size, 1)
        u = np.repeat((x / canvas.width * 60).astype(np.float32), y.size, 0)
        grain = cv2.remap(board, u, v, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
        fine = canvas.grain(x // 7, y)
        return np.asarray(base(x, y) * (1 + 0.20 * grain + 0.025 * fine)[..., None], dtype=np.float32)

    canvas.fill_box(0, int(top), canvas.width, bottom, grained)
    canvas.fill_box(
        0,
        int(top - canvas.unit),
        canvas.width,
        int(top + canvas.unit * 1.5),
        lambda x, y: np.array(mix(lit, (1, 1, 1), 0.2), np.float32),
    )
    canvas.fill_box(
        0,
        int(top - canvas.unit * 9),
        canvas.width,
        int(top),
        lambda x, y: np.array(scale(dim, 0.6), np.float32),
        _fade(int(canvas.unit * 9), canvas.width),
    )


def _fade(rows: int, columns: int) -> PlaneF:
    return np.repeat(np.linspace(0, 0.5, max(1, rows), dtype=np.float32)[:, None], columns, 1)


def _arrange(plan: Plan, table: _Table) -> None:
    """Back to front: cloth, tall things, the bowl, then small things that overlap."""
    canvas, rng, size, side = table.canvas, table.rng, table.size, table.lamp.side
    words = plan.prompt.casefold()
    middle = canvas.width * 0.5
    row = table.edge + (canvas.height - table.edge) * 0.30
    _cloth(table, middle - side * size * 0.24, row + size * 0.08)
    tall_x = middle + side * size * float(rng.uniform(-0.02, 0.16))
    if re.search(r"bottle|wine|酒瓶|红酒", words):
        _bottle(table, middle - side * size * 0.42, row - size * 0.01)
    elif re.search(r"teapot|茶壶", words) or rng.random() < 0.4:
        _pot(table, middle - side * size * 0.46, row + size * 0.01, plan)
    else:
        _jug(table, middle - side * size * 0.48, row, plan)
    _vase(
        table,
        plan,
        tall_x,
        row + size * 0.02,
        any(s.name == "flower" for s in plan.subjects) or not re.search(r"fruit bowl|bowl of fruit|果盘", words),
    )
    if table.cool:
        _candle(table, middle + side * size * 0.50, row + size * 0.02)
    _bowl(table, plan, middle - side * size * 0.20, row + size * 0.17)
    _loose(table, plan, row)
    _cup(table, middle + side * size * 0.44, row + size * 0.20)


def _wanted(plan: Plan, rng: np.random.Generator) -> list[str]:
    words = plan.prompt.casefold()
    named_ones = [name for name, entry in _FRUIT.items() if re.search(entry[0], words)]
    return named_ones or [str(name) for name in rng.permutation(list(_FRUIT))[:3]]


def _fruit(table: _Table, kind: str, x: float, foot: float, size: float, shadow: bool = True) -> None:
    """One piece of fruit standing at (x, foot); `size` is the radius of an apple."""
    canvas, lamp, rng = table.canvas, table.lamp, table.rng
    _, color, cheek, r, flat = _FRUIT[kind]
    radius = size * r * float(rng.uniform(0.92, 1.06))
    tint = mix(color, cheek, float(rng.uniform(0, 0.45)))
    if shadow:
        rest(canvas, x, foot, radius * 0.72, lamp, 1.6)
    stuff = Stuff(tint, 0.42, 26, mottle=0.14)
    if kind == "pear":
        turned(
            canvas,
            x,
            foot - radius * 0.06,
            radius * 2.5,
            (
                (0, 0.17),
                (0.03, 0.27),
                (0.25, 0.40),
                (0.5, 0.33),
                (0.72, 0.19),
                (0.9, 0.14),
                (0.98, 0.08),
                (1.0, 0.02),
            ),
            stuff,
            lamp,
        )
        _stalk(table, x, foot - radius * 2.5, radius)
        return
    if kind == "grapes":
        for k in range(17):
            level = k // 5
            gx = x + (k % 5 - 2 + 0.5 * (level % 2)) * radius * 1.25
            ball(canvas, gx, foot - radius * (0.9 + 1.1 * level), radius, Stuff(tint, 0.5, 40, mottle=0.1), lamp)
        return
    y = foot - radius * flat
    ball(canvas, x, y, radius, stuff, lamp, flat)
    if kind == "lemon":
        canvas.ellipse(x + radius * 0.98, y + radius * 0.05, radius * 0.16, radius * 0.12, scale(tint, 0.75), 20)
    elif kind == "peach":
        cleft = curve(
            [
                (x - radius * 0.1, y - radius * 0.9),
                (x - radius * 0.36, y - radius * 0.1),
                (x - radius * 0.2, y + radius * 0.7),
            ],
            8,
        )
        canvas.line(cleft, radius * 0.07, scale(cheek, 0.7), taper=0.7, opacity=0.5)
    elif kind in ("apple", "plum"):
        canvas.ellipse(
            x, y - radius * flat * 0.80, radius * 0.26, radius * 0.11, scale(tint, 0.42), 0, 0.75, soft=radius * 0.07
        )
        _stalk(table, x, y - radius * flat * 0.78, radius)
    else:
        canvas.ellipse(x, y - radius * 0.8, radius * 0.09, radius * 0.05, (0.42, 0.45, 0.2))


def _stalk(table: _Table, x: float, y: float, radius: float) -> None:
    bend = radius * 0.2 * table.lamp.side
    table.canvas.line(
        curve([(x, y), (x + bend * 0.4, y - radius * 0.25), (x + bend, y - radius * 0.42)], 6),
        radius * 0.09,
        (0.30, 0.20, 0.13),
    )


def _vase(table: _Table, plan: Plan, x: float, foot: float, flowers: bool) -> None:
    canvas, rng = table.canvas, table.rng
    tall = table.size * float(rng.uniform(0.36, 0.42))
    rest(canvas, x, foot, tall * 0.22, table.lamp, 3.4)
    if flowers:
        _bouquet(table, plan, x, foot - tall * 0.98, table.size * 0.27, behind=True)
    color = _GLAZES[int(rng.integers(len(_GLAZES)))]
    turned(
        canvas, x, foot, tall, _VASES[int(rng.integers(len(_VASES)))], Stuff(color, 0.55, 30, mottle=0.08), table.lamp
    )
    rim = oval(x, foot - tall, tall * 0.165, tall * 0.035)
    canvas.polygon(rim, scale(color, 0.32))
    if flowers:
        _bouquet(table, plan, x, foot - tall * 0.98, table.size * 0.25, behind=False)


def _bouquet(table: _Table, plan: Plan, x: float, y: float, reach: float, behind: bool) -> None:
    """Stems, leaves and blossoms that fan out of the vase."""
    canvas, rng = table.canvas, table.rng
    wanted = [named(s.color) for s in plan.subjects if s.name == "flower" and s.color]
    kinds = wanted or [_BLOOMS[int(k)] for k in rng.permutation(len(_BLOOMS))[:3]]
    leaf = (0.26, 0.40, 0.24) if not table.cool else (0.16, 0.22, 0.15)
    dark = 0.62 if behind else 1.0
    spots = []
    for k in range(11 if behind else 13):
        turn = np.pi * (0.06 + 0.88 * (k + float(rng.random())) / (11 if behind else 13))
        far = reach * float(rng.uniform(0.8, 1.4) if behind else rng.uniform(0.35, 1.1))
        spots.append((x + np.cos(turn) * far * 1.08, y - np.sin(turn) * far - reach * 0.18))
    for sx, sy in spots:
        stem = curve([(x + (sx - x) * 0.1, y + reach * 0.1), (x + (sx - x) * 0.45, y - reach * 0.3), (sx, sy)], 8)
        canvas.line(stem, reach * 0.028, scale(leaf, 0.85 * dark))
        for _ in range(3):
            at = stem[int(rng.integers(3, len(stem)))]
            _leaf(
                table,
                float(at[0]),
                float(at[1]),
                reach * float(rng.uniform(0.18, 0.36)),
                scale(leaf, dark * float(rng.uniform(0.7, 1.35))),
            )
    for sx, sy in sorted(spots, key=lambda s: s[1]):
        color = scale(
            mix(kinds[int(rng.integers(len(kinds)))], (1, 1, 1), float(rng.uniform(0, 0.15))),
            dark * (0.62 if table.cool else 1.0),
        )
        _blossom(table, float(sx), float(sy), reach * float(rng.uniform(0.17, 0.30)), color)


def _leaf(table: _Table, x: float, y: float, size: float, color: Color) -> None:
    turn = float(table.rng.uniform(0, 2 * np.pi))
    tip = (x + np.cos(turn) * size, y + np.sin(turn) * size * 0.8)
    mid = curve([(x, y), ((x + tip[0]) / 2, (y + tip[1]) / 2 - size * 0.1), tip], 8)
    wide = size * 0.34 * np.sin(np.linspace(0.1, np.pi - 0.02, len(mid)))
    table.canvas.polygon(
        ribbon(mid, np.maximum(wide, 0.4)),
        gradient(
            (x, y - size * 0.2), (x, y + size * 0.3), (mix(color, table.lamp.color, 0.2), color, scale(color, 0.6))
        ),
    )
    table.canvas.line(mid, max(0.6, size * 0.02), scale(color, 1.3), opacity=0.6)


def _blossom(table: _Table, x: float, y: float, r: float, color: Color) -> None:
    """A full-petalled flower: rings of petals, darker at their base, light toward the lamp."""
    canvas, rng, side = table.canvas, table.rng, table.lamp.side
    tilt = float(rng.uniform(0.62, 0.95))
    canvas.ellipse(
        x - side * r * 0.12, y + r * 0.16, r * 0.98, r * 0.98 * tilt, scale(color, 0.35), 0, 0.45, soft=r * 0.12
    )
    for ring, (away, size, count) in enumerate(((0.60, 0.46, 11), (0.40, 0.38, 9), (0.20, 0.28, 7))):
        spin = float(rng.random()) * 6
        for k in range(count):
            a = spin + 2 * np.pi * k / count + float(rng.normal(0, 0.08))
            px, py = x + np.cos(a) * r * away, y + np.sin(a) * r * away * tilt
            light = 0.80 + 0.16 * np.cos(a) * side - 0.14 * np.sin(a) - 0.07 * ring + 0.05 * float(rng.normal())
            petal = scale(color, light)
            canvas.ellipse(
                px,
                py,
                r * size,
                r * size * 0.62,
                radial(x, y, r * (away + size), (scale(petal, 0.62), petal, mix(petal, (1, 1, 1), 0.22))),
                float(np.degrees(np.arctan2(np.sin(a) * tilt, np.cos(a)))),
            )
    canvas.ellipse(x, y, r * 0.16, r * 0.14 * tilt, mix(color, (0.85, 0.62, 0.22), 0.65))


def _jug(table: _Table, x: float, foot: float, plan: Plan) -> None:
    canvas, rng = table.canvas, table.rng
    tall = table.size * 0.34
    color = _GLAZES[int(rng.integers(len(_GLAZES)))]
    rest(canvas, x, foot, tall * 0.25, table.lamp, 2.6)
    loop = curve(
        [
            (x - table.lamp.side * tall * 0.18, foot - tall * 0.86),
            (x - table.lamp.side * tall * 0.44, foot - tall * 0.80),
            (x - table.lamp.side * tall * 0.44, foot - tall * 0.48),
            (x - table.lamp.side * tall * 0.26, foot - tall * 0.32),
        ],
        12,
    )
    canvas.line(loop, tall * 0.055, scale(color, 0.6))
    canvas.line(loop - (tall * 0.01, tall * 0.01), tall * 0.02, scale(color, 0.95))
    turned(
        canvas,
        x,
        foot,
        tall,
        ((0, 0.20), (0.05, 0.22), (0.3, 0.29), (0.55, 0.26), (0.8, 0.17), (1.0, 0.19)),
        Stuff(color, 0.4, 26, mottle=0.1),
        table.lamp,
    )
    canvas.polygon(oval(x, foot - tall, tall * 0.185, tall * 0.036), scale(color, 0.3))
    del plan


def _pot(table: _Table, x: float, foot: float, plan: Plan) -> None:
    """A teapot."""
    canvas, side = table.canvas, table.lamp.side
    tall = table.size * 0.25
    color = _GLAZES[int(table.rng.integers(len(_GLAZES)))]
    rest(canvas, x, foot, tall * 0.42, table.lamp, 2.0)
    loop = curve(
        [
            (x - side * tall * 0.40, foot - tall * 0.74),
            (x - side * tall * 0.82, foot - tall * 0.76),
            (x - side * tall * 0.84, foot - tall * 0.36),
            (x - side * tall * 0.44, foot - tall * 0.24),
        ],
        12,
    )
    canvas.line(loop, tall * 0.085, scale(color, 0.62))
    spout = curve(
        [
            (x + side * tall * 0.38, foot - tall * 0.30),
            (x + side * tall * 0.62, foot - tall * 0.42),
            (x + side * tall * 0.72, foot - tall * 0.74),
            (x + side * tall * 0.86, foot - tall * 0.82),
        ],
        10,
    )
    canvas.line(
        spout,
        tall * 0.17,
        gradient(
            (0, foot - tall * 0.9),
            (0, foot - tall * 0.2),
            (mix(color, table.lamp.color, 0.3), color, scale(color, 0.55)),
        ),
        taper=0.45,
    )
    turned(
        canvas,
        x,
        foot,
        tall,
        (
            (0, 0.28),
            (0.04, 0.34),
            (0.35, 0.52),
            (0.62, 0.48),
            (0.80, 0.32),
            (0.84, 0.26),
            (0.90, 0.20),
            (0.94, 0.07),
            (1.0, 0.08),
            (1.03, 0.02),
        ),
        Stuff(color, 0.6, 34, mottle=0.08),
        table.lamp,
    )
    del plan


def _bottle(table: _Table, x: float, foot: float) -> None:
    tall = table.size * 0.62
    rest(table.canvas, x, foot, tall * 0.12, table.lamp, 4.0)
    turned(
        table.canvas,
        x,
        foot,
        tall,
        (
            (0, 0.105),
            (0.03, 0.115),
            (0.5, 0.118),
            (0.62, 0.10),
            (0.72, 0.045),
            (0.95, 0.040),
            (0.96, 0.05),
            (1.0, 0.05),
        ),
        Stuff((0.10, 0.20, 0.13), 0.85, 46, mottle=0.03),
        table.lamp,
    )
    label = points(
        [
            (x - tall * 0.117, foot - tall * 0.17),
            (x + tall * 0.117, foot - tall * 0.17),
            (x + tall * 0.117, foot - tall * 0.42),
            (x - tall * 0.117, foot - tall * 0.42),
        ]
    )
    side = table.lamp.side
    table.canvas.polygon(
        label,
        gradient(
            (x + side * tall * 0.12, 0),
            (x - side * tall * 0.12, 0),
            ((0.92, 0.88, 0.78), (0.86, 0.80, 0.68), (0.42, 0.38, 0.34)),
        ),
    )
    for k, w in enumerate((0.07, 0.05, 0.085)):
        table.canvas.line(
            points(
                [(x - tall * w, foot - tall * (0.36 - 0.06 * k)), (x + tall * w, foot - tall * (0.36 - 0.06 * k))]
            ),
            tall * 0.008,
            (0.45, 0.20, 0.18),
        )


def _bowl(table: _Table, plan: Plan, x: float, foot: float) -> None:
    """A footed bowl heaped with fruit: back rim, fruit, then the front."""
    canvas, rng, size = table.canvas, table.rng, table.size
    half, tall = size * 0.22, size * 0.13
    kinds = _wanted(plan, rng)
    color = _GLAZES[int(rng.integers(len(_GLAZES)))]
    rest(canvas, x, foot, half * 0.75, table.lamp, 1.8)
    canvas.polygon(oval(x, foot - tall, half, half * 0.22), scale(color, 0.5))
    r = size * 0.068
    for level, count in enumerate((4, 3, 2)):
        for k in range(count):
            fx = x + (k - (count - 1) / 2) * r * 1.72 + float(rng.normal(0, 0.06)) * r
            kind = kinds[int(rng.integers(len(kinds)))]
            kind = kind if kind != "grapes" or level == 0 else kinds[0] if kinds[0] != "grapes" else "plum"
            _fruit(table, kind, fx, foot - tall * 0.72 - level * r * 1.18 + r * 0.25, r, shadow=False)
    turned(
        canvas,
        x,
        foot,
        tall,
        ((0, 0.72), (0.06, 0.74), (0.16, 0.5), (0.3, 0.85), (0.6, 1.38), (1.0, 1.70)),
        Stuff(color, 0.5, 30, mottle=0.08),
        table.lamp,
    )
    turn = np.linspace(0.04, np.pi - 0.04, 40)
    lip = np.stack([x + np.cos(turn) * half, foot - tall + np.sin(turn) * half * 0.10], 1)
    canvas.line(lip, size * 0.009, mix(color, table.lamp.color, 0.5))


def _loose(table: _Table, plan: Plan, row: float) -> None:
    """Fruit that has rolled onto the table."""
    kinds = _wanted(plan, table.rng)
    middle, size, side = table.canvas.width * 0.5, table.size, table.lamp.side
    spots = [
        (middle - side * size * 0.56, 0.19),
        (middle + side * size * 0.12, 0.25),
        (middle + side * size * 0.235, 0.20),
        (middle - side * size * 0.02, 0.31),
    ]
    for x, down in sorted(spots[: int(table.rng.integers(2, 5))], key=lambda s: s[1]):
        kind = kinds[int(table.rng.integers(len(kinds)))]
        _fruit(table, kind, x + size * 0.02 * float(table.rng.normal()), row + size * down, size * 0.068)


def _cup(table: _Table, x: float, foot: float) -> None:
    canvas, side = table.canvas, table.lamp.side
    tall = table.size * 0.105
    color: Color = (0.93, 0.91, 0.87)
    rest(canvas, x, foot + tall * 0.05, tall * 0.95, table.lamp, 1.3)
    saucer = oval(x, foot + tall * 0.06, tall * 1.25, tall * 0.24)
    canvas.polygon(
        saucer,
        gradient(
            (x + side * tall, 0), (x - side * tall, 0), (mix(color, table.lamp.color, 0.5), color, scale(color, 0.62))
        ),
    )
    canvas.polygon(oval(x, foot + tall * 0.03, tall * 0.8, tall * 0.14), scale(color, 0.7))
    loop = curve(
        [
            (x - side * tall * 0.62, foot - tall * 0.75),
            (x - side * tall * 1.02, foot - tall * 0.72),
            (x - side * tall * 0.95, foot - tall * 0.34),
            (x - side * tall * 0.5, foot - tall * 0.26),
        ],
        10,
    )
    canvas.line(loop, tall * 0.10, scale(color, 0.7))
    turned(
        canvas,
        x,
        foot,
        tall,
        ((0, 0.36), (0.04, 0.38), (0.4, 0.60), (1.0, 0.70)),
        Stuff(color, 0.5, 30, mottle=0.03),
        table.lamp,
    )
    canvas.polygon(oval(x, foot - tall, tall * 0.70, tall * 0.17), scale(color, 0.8))
    canvas.polygon(
        oval(x, foot - tall * 0.95, tall * 0.62, tall * 0.13),
        gradient((x - tall * 0.6, 0), (x + tall * 0.6, 0), ((0.36, 0.18, 0.08), (0.52, 0.28, 0.13))),
    )


def _candle(table: _Table, x: float, foot: float) -> None:
    canvas, tall = table.canvas, table.size * 0.26
    rest(canvas, x, foot, tall * 0.2, table.lamp, 1.2)
    turned(
        canvas,
        x,
        foot,
        tall * 0.16,
        ((0, 1.2), (0.2, 1.3), (0.5, 0.5), (1.0, 0.55)),
        Stuff((0.62, 0.46, 0.22), 0.8, 30),
        table.lamp,
    )
    turned(
        canvas,
        x,
        foot - tall * 0.12,
        tall * 0.66,
        ((0, 0.10), (1.0, 0.095)),
        Stuff((0.96, 0.90, 0.76), 0.2, 12, mottle=0.02),
        table.lamp,
    )
    y = foot - tall * 0.80
    canvas.line(points([(x, y + tall * 0.05), (x, y - tall * 0.03)]), tall * 0.014, (0.1, 0.08, 0.06))
    flame = curve(
        [(x, y), (x - tall * 0.04, y - tall * 0.07), (x, y - tall * 0.22), (x + tall * 0.04, y - tall * 0.07)],
        8,
        closed=True,
    )
    canvas.glow(x, y - tall * 0.1, table.size * 0.8, (1.0, 0.62, 0.25), 0.45)
    canvas.polygon(
        flame, gradient((0, y - tall * 0.22), (0, y), ((1.0, 0.72, 0.28), (1.0, 0.95, 0.72), (0.95, 0.66, 0.30)))
    )
    canvas.glow(x, y - tall * 0.1, tall * 0.5, (1.0, 0.8, 0.45), 0.6)


def _cloth(table: _Table, x: float, y: float) -> None:
    """A napkin that hangs over the front of the table, in folds."""
    canvas, rng, size, side = table.canvas, table.rng, table.size, table.lamp.side
    color = ((0.90, 0.87, 0.80), (0.62, 0.70, 0.72), (0.76, 0.44, 0.36))[int(rng.integers(3))]
    color = scale(color, 0.6) if table.cool else color
    wide = size * 0.62
    u = np.linspace(-1, 1, 60)
    back = np.stack([x + u * wide * 0.62, y - size * 0.06 + np.sin(u * 4 + 1) * size * 0.006], 1)
    drop = canvas.height * 1.03
    front = np.stack([x + u[::-1] * wide + side * size * 0.05, np.full(60, drop)], 1)
    body = np.concatenate([back, front])
    phase = float(rng.random()) * 6

    def folds(px: PlaneF, py: PlaneF) -> PlaneF:
        depth = np.clip((py - np.float32(y)) / np.float32(max(1.0, drop - y)), 0, 1)
        across = (px - np.float32(x)) / np.float32(wide * (0.62 + 0.38 * 1))
        wave = np.sin(across * (9 + 3 * depth) + phase + depth * 1.5) + 0.5 * np.sin(
            across * 23 + phase * 2 - depth * 2
        )
        light = 0.86 + (0.05 + 0.15 * depth) * wave - 0.10 * across * side * -1 - 0.12 * depth
        return np.asarray(np.array(color, np.float32) * light[..., None], dtype=np.float32)

    canvas.polygon(body + (-side * size * 0.02, size * 0.012), scale(table.lamp.shade, 0.4), 0.4, soft=size * 0.012)
    canvas.polygon(body, textured(canvas, folds, 0.04, 0.02))
