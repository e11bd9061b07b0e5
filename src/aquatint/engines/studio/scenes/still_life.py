"""A still life on a table by a window: vase with flowers, fruit, bowl, cup, candle, bottle and cloth."""

from __future__ import annotations

import re

import cv2
import numpy as np

from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures import backdrop
from aquatint.engines.studio.scenes.figures.air import palette_of
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    gradient,
    mix,
    moved,
    points,
    radial,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.harvest import fruit, wanted
from aquatint.engines.studio.scenes.figures.solid import Lamp, Table
from aquatint.engines.studio.scenes.figures.tableware import bottle, bowl, candle, cup, jug, pot, vase
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8

_WALLS: tuple[tuple[Color, Color], ...] = (
    ((0.72, 0.70, 0.62), (0.34, 0.35, 0.34)), ((0.56, 0.64, 0.66), (0.24, 0.31, 0.35)),
    ((0.76, 0.60, 0.46), (0.36, 0.25, 0.20)), ((0.50, 0.52, 0.42), (0.20, 0.23, 0.19)),
)  # fmt: skip


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
    table = Table(canvas, lamp, rng, canvas.height * float(rng.uniform(0.60, 0.66)), 0.0, night)
    table = Table(canvas, lamp, rng, table.edge, min(canvas.width * 0.56, canvas.height) * 0.94, night)
    _room(plan, table, easel.seed)
    easel.progress(0.25, "painting")
    _arrange(plan, table)
    easel.progress(0.85, "varnishing")
    backdrop.dim(canvas, 0.42, easel.seed)
    return canvas.pixels


def _room(plan: Plan, table: Table, seed: int) -> None:
    canvas, lamp, rng = table.canvas, table.lamp, table.rng
    light, dark = _WALLS[int(rng.integers(len(_WALLS)))]
    colors = palette_of(plan.colors)
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


def _window_light(table: Table, color: Color) -> None:
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


def _tabletop(table: Table, wood: Color, seed: int) -> None:
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
        _fade(int(top) - int(top - canvas.unit * 9), canvas.width),
    )


def _fade(rows: int, columns: int) -> PlaneF:
    return np.repeat(np.linspace(0, 0.5, max(1, rows), dtype=np.float32)[:, None], columns, 1)


def _arrange(plan: Plan, table: Table) -> None:
    """Back to front: cloth, tall things, the bowl, then small things that overlap."""
    canvas, rng, size, side = table.canvas, table.rng, table.size, table.lamp.side
    words = plan.prompt.casefold()
    middle = canvas.width * 0.5
    row = table.edge + (canvas.height - table.edge) * 0.30
    _cloth(table, middle - side * size * 0.24, row + size * 0.08)
    tall_x = middle + side * size * float(rng.uniform(-0.02, 0.16))
    if re.search(r"bottle|wine|酒瓶|红酒", words):
        bottle(table, middle - side * size * 0.42, row - size * 0.01)
    elif re.search(r"teapot|茶壶", words) or rng.random() < 0.4:
        pot(table, middle - side * size * 0.46, row + size * 0.01, plan)
    else:
        jug(table, middle - side * size * 0.48, row, plan)
    vase(
        table,
        plan,
        tall_x,
        row + size * 0.02,
        any(s.name == "flower" for s in plan.subjects) or not re.search(r"fruit bowl|bowl of fruit|果盘", words),
    )
    if table.cool:
        candle(table, middle + side * size * 0.50, row + size * 0.02)
    bowl(table, plan, middle - side * size * 0.20, row + size * 0.17)
    _loose(table, plan, row)
    cup(table, middle + side * size * 0.44, row + size * 0.20)


def _loose(table: Table, plan: Plan, row: float) -> None:
    """Fruit that has rolled onto the table."""
    kinds = wanted(plan, table.rng)
    middle, size, side = table.canvas.width * 0.5, table.size, table.lamp.side
    spots = [
        (middle - side * size * 0.56, 0.19),
        (middle + side * size * 0.12, 0.25),
        (middle + side * size * 0.235, 0.20),
        (middle - side * size * 0.02, 0.31),
    ]
    for x, down in sorted(spots[: int(table.rng.integers(2, 5))], key=lambda s: s[1]):
        kind = kinds[int(table.rng.integers(len(kinds)))]
        fruit(table, kind, x + size * 0.02 * float(table.rng.normal()), row + size * down, size * 0.068)


def _cloth(table: Table, x: float, y: float) -> None:
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

    canvas.polygon(
        moved(body, -side * size * 0.02, size * 0.012), scale(table.lamp.shade, 0.4), 0.4, soft=size * 0.012
    )
    canvas.polygon(body, textured(canvas, folds, 0.04, 0.02))
