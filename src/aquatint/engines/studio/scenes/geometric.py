"""Geometric art: Bauhaus grids, Kandinsky's circles and lines, De Stijl, Memphis, art deco and mandalas."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from aquatint.engines.studio.kernels.color import hex_color
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures.air import palette_of
from aquatint.engines.studio.scenes.figures.backdrop import dim
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    gradient,
    mix,
    oval,
    points,
    ribbon,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.patterns import Inks, deco, fill, mandala, memphis, rect, wedge
from aquatint.engines.studio.styles.base import Easel, Rgb8

# Ground first, then inks.
_PALETTES: dict[str, tuple[str, ...]] = {
    "bauhaus": ("#f1e6d0", "#d8402c", "#f0b032", "#1f4e79", "#1d1d1f", "#7fa99b", "#e8876a"),
    "evening": ("#1c2233", "#e4572e", "#f3a712", "#a8c686", "#669bbc", "#f5efe0", "#3d4a6b"),
    "dusty": ("#efe5dc", "#b5525c", "#e0a899", "#2f4858", "#86a59c", "#dfa06e", "#4f3d4e"),
    "memphis": ("#fbf3e6", "#ff5d8f", "#ffc93c", "#2ec4b6", "#3a2fb8", "#1a1a22", "#ff8a5b"),
    "stijl": ("#f4f0e6", "#d4281f", "#f2c81e", "#1d4ea3", "#151515", "#f4f0e6", "#dcd6c8"),
    "deco": ("#0f2a33", "#d8b26a", "#f0deb0", "#1f5a5e", "#b5763a", "#0a181d", "#7fb2a5"),
}


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Print a geometric composition; the school follows from the words, else from the seed."""
    easel.progress(0.05, "composing")
    rng = generator(easel.seed, "geometric")
    school = _school(plan, rng)
    canvas = Canvas(easel)
    inks = _inks(plan, school, rng)
    canvas.wash(textured(canvas, inks.ground, 0.035, 0.012))
    _SCHOOLS[school](canvas, inks, rng)
    easel.progress(0.9, "printing")
    dim(canvas, 0.14, easel.seed)
    return canvas.pixels


def _school(plan: Plan, rng: np.random.Generator) -> str:
    words = plan.prompt.casefold()
    for school, pattern in _WORDS.items():
        if re.search(pattern, words):
            return school
    return str(rng.choice(["bauhaus", "kandinsky", "stijl", "memphis", "deco", "cubist"]))


_WORDS = {
    "stijl": r"mondrian|蒙德里安|de stijl",
    "memphis": r"memphis|孟菲斯",
    "bauhaus": r"bauhaus|包豪斯",
    "mandala": r"mandala|kaleidoscope|曼陀罗|万花筒",
    "deco": r"art deco|装饰艺术",
    "cubist": r"cubis|picasso|立体主义|毕加索|triangle|三角",
    "kandinsky": r"kandinsky|suprematis|constructiv|康定斯基|构成主义|circle|sphere|圆",
}


def _inks(plan: Plan, school: str, rng: np.random.Generator) -> Inks:
    wanted = palette_of(plan.colors, plan.excluded)
    usual = {"stijl": "stijl", "memphis": "memphis", "deco": "deco"}.get(school)
    name = usual or str(rng.choice(["bauhaus", "evening", "dusty", "bauhaus"]))
    ground, *inks = (hex_color(code) for code in _PALETTES[name])
    if wanted:
        inks = [
            *wanted,
            *(scale(c, 0.5) for c in wanted),
            *(mix(c, (1, 1, 1), 0.5) for c in wanted),
            (0.1, 0.1, 0.12),
        ]
    return Inks(ground, tuple(inks))


def _bauhaus(canvas: Canvas, inks: Inks, rng: np.random.Generator) -> None:
    """A grid of tiles, each with quarter discs, half discs, stripes or rings."""
    short = int(rng.integers(4, 7))
    tile = min(canvas.width, canvas.height) / short
    columns, rows = round(canvas.width / tile), round(canvas.height / tile)
    wide, tall = canvas.width / columns, canvas.height / rows
    r, c = 0, 0
    taken = np.zeros((rows, columns), bool)
    for r in range(rows):
        for c in range(columns):
            if taken[r, c]:
                continue
            span = (
                2
                if rng.random() < 0.14 and r + 1 < rows and c + 1 < columns and not taken[r : r + 2, c : c + 2].any()
                else 1
            )
            taken[r : r + span, c : c + span] = True
            _tile(canvas, inks, rng, c * wide, r * tall, wide * span, tall * span)


def _tile(canvas: Canvas, inks: Inks, rng: np.random.Generator, x: float, y: float, w: float, h: float) -> None:
    box = (x, y, x + w, y + h)
    back = inks.ground if rng.random() < 0.3 else inks.pick(rng)
    front = inks.pick(rng, back)
    canvas.polygon(rect(x - 0.5, y - 0.5, x + w + 0.5, y + h + 0.5), fill(canvas, back, rng, box))
    kind = int(rng.integers(8))
    turn = int(rng.integers(4))
    corner = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)][turn]
    paint = fill(canvas, front, rng, box)
    if kind in (0, 1):
        canvas.polygon(wedge(corner, w, h, turn), paint)
        if kind == 1:
            second = inks.pick(rng, front)
            canvas.polygon(wedge(corner, w * 0.62, h * 0.62, turn), fill(canvas, second, rng, box))
            canvas.polygon(wedge(corner, w * 0.28, h * 0.28, turn), fill(canvas, back, rng, box))
    elif kind == 2:
        canvas.ellipse(x + w / 2, y + h / 2, w * 0.40, h * 0.40, paint)
        canvas.ellipse(x + w / 2, y + h / 2, w * 0.18, h * 0.18, fill(canvas, inks.pick(rng, front), rng, box))
    elif kind == 3:
        for k in range(4):
            a = k / 4
            band = (
                rect(x + w * a, y, x + w * (a + 0.125), y + h)
                if turn % 2
                else rect(x, y + h * a, x + w, y + h * (a + 0.125))
            )
            canvas.polygon(band, paint)
    elif kind == 4:
        other = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
        canvas.polygon(points([other[turn], other[(turn + 1) % 4], other[(turn + 2) % 4]]), paint)
    elif kind == 5:
        _half_discs(canvas, paint, x, y, w, h, turn)
    elif kind == 6:
        canvas.polygon(wedge(corner, w, h, turn), paint)
        across = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)][(turn + 2) % 4]
        canvas.polygon(wedge(across, w * 0.5, h * 0.5, (turn + 2) % 4), fill(canvas, inks.pick(rng, back), rng, box))
    else:
        for i in range(4):
            for j in range(4):
                canvas.ellipse(x + w * (i + 0.5) / 4, y + h * (j + 0.5) / 4, w * 0.065, h * 0.065, front)


def _half_discs(
    canvas: Canvas, paint: Callable[..., np.ndarray], x: float, y: float, w: float, h: float, turn: int
) -> None:
    a = np.linspace(0, np.pi, 200)
    for k in (0, 1):
        if turn % 2:
            shape = np.stack([x + w / 2 + np.cos(a) * w / 2, y + h * (0.5 + 0.5 * k) - np.sin(a) * h / 2], 1)
        else:
            shape = np.stack([x + w * 0.5 * k + np.sin(a) * w / 2, y + h / 2 + np.cos(a) * h / 2], 1)
        canvas.polygon(shape, paint)


def _stijl(canvas: Canvas, inks: Inks, rng: np.random.Generator) -> None:
    """Black lines, white fields and a few fields of pure colour."""
    width, height = float(canvas.width), float(canvas.height)
    boxes = [(0.0, 0.0, width, height)]
    for _ in range(int(rng.integers(8, 13))):
        boxes.sort(key=lambda b: -(b[2] - b[0]) * (b[3] - b[1]))
        pick = min(len(boxes) - 1, int(rng.integers(0, 3)))
        left, top, right, bottom = boxes.pop(pick)
        at = float(rng.choice([0.27, 0.38, 0.5, 0.62, 0.72]))
        if (right - left) * float(rng.uniform(0.6, 1.5)) > (bottom - top):
            cut = left + (right - left) * at
            boxes += [(left, top, cut, bottom), (cut, top, right, bottom)]
        else:
            cut = top + (bottom - top) * at
            boxes += [(left, top, right, cut), (left, cut, right, bottom)]
    bar = min(width, height) * float(rng.uniform(0.014, 0.022))
    order = rng.permutation(len(boxes))
    hues = [inks.colors[0], inks.colors[2 % len(inks.colors)], inks.colors[1], inks.colors[0]]
    for rank, index in enumerate(order):
        box = boxes[int(index)]
        color = hues[rank] if rank < min(4, len(boxes) // 2) else scale(inks.ground, float(rng.uniform(0.95, 1.02)))
        canvas.polygon(rect(*box), textured(canvas, color, 0.05, 0.018))
    for left, top, right, bottom in boxes:
        for line in (((left, top), (right, top)), ((left, top), (left, bottom))):
            if (
                line[0][0] + line[1][0] > 0
                and line[0][1] + line[1][1] > 0
                and not (line[0][1] == line[1][1] == 0)
                and not (line[0][0] == line[1][0] == 0)
            ):
                canvas.line(points(line), bar * float(rng.choice([1.0, 1.0, 1.5])), (0.07, 0.07, 0.08))


def _kandinsky(canvas: Canvas, inks: Inks, rng: np.random.Generator) -> None:
    """Transparent discs, rings, wedges and taut lines around one great circle."""
    width, height, size = canvas.width, canvas.height, min(canvas.width, canvas.height)
    focus = (width * float(rng.choice([0.36, 0.42, 0.58, 0.64])), height * float(rng.uniform(0.38, 0.56)))
    for _ in range(5):
        _bar(canvas, inks, rng, focus, size)
    big = size * float(rng.uniform(0.24, 0.30))
    canvas.ellipse(*focus, big * 1.22, big * 1.22, inks.pick(rng), opacity=0.22, soft=big * 0.12)
    for k, share in enumerate((1.0, 0.80, 0.56, 0.30, 0.14)):
        color = inks.pick(rng) if k else scale(inks.colors[3], 0.7)
        canvas.ellipse(
            *focus,
            big * share,
            big * share,
            fill(canvas, color, rng, (focus[0] - big, focus[1] - big, focus[0] + big, focus[1] + big)),
        )
    for _ in range(16):
        turn, away = float(rng.uniform(0, 2 * np.pi)), size * float(rng.uniform(0.22, 0.85))
        x, y = focus[0] + np.cos(turn) * away * 1.25, focus[1] + np.sin(turn) * away * 0.72
        r = size * float(rng.uniform(0.02, 0.11)) * (1.2 - away / size * 0.5)
        color = inks.pick(rng)
        canvas.ellipse(
            x,
            y,
            r,
            r,
            fill(canvas, color, rng, (x - r, y - r, x + r, y + r)),
            opacity=float(rng.choice([0.75, 0.9, 1.0])),
        )
        if rng.random() < 0.6:
            canvas.ellipse(x, y, r * 0.55, r * 0.55, inks.pick(rng, color))
        if rng.random() < 0.35:
            _ring(canvas, x, y, r * 1.35, r * 0.08, (0.1, 0.1, 0.12))
    _taut_lines(canvas, inks, rng, focus, size)


def _bar(canvas: Canvas, inks: Inks, rng: np.random.Generator, focus: tuple[float, float], size: float) -> None:
    turn, long = float(rng.uniform(0, np.pi)), size * float(rng.uniform(0.5, 1.1))
    x, y = focus[0] + float(rng.normal(0, 0.35)) * size, focus[1] + float(rng.normal(0, 0.2)) * size
    d = np.array([np.cos(turn), np.sin(turn)]) * long / 2
    broad = size * float(rng.uniform(0.03, 0.16))
    path = points([(x - d[0], y - d[1]), (x + d[0], y + d[1])])
    color = inks.pick(rng)
    canvas.polygon(
        ribbon(path, np.array([broad, broad * float(rng.choice([0.0, 1.0, 0.4]))]) + 1),
        fill(canvas, color, rng, (x - long, y - long, x + long, y + long)),
        0.82,
    )


def _ring(canvas: Canvas, x: float, y: float, r: float, broad: float, color: Color) -> None:
    loop = oval(x, y, r, r)
    canvas.polygon(ribbon(np.concatenate([loop, loop[:2]]), max(1.2, broad)), color)


def _taut_lines(
    canvas: Canvas, inks: Inks, rng: np.random.Generator, focus: tuple[float, float], size: float
) -> None:
    dark = (0.10, 0.10, 0.12) if sum(inks.ground) > 1.5 else mix(inks.ground, (1, 1, 1), 0.85)
    for _ in range(9):
        turn = float(rng.uniform(0, np.pi))
        d = np.array([np.cos(turn), np.sin(turn)]) * size * float(rng.uniform(0.3, 0.9))
        at = np.array(focus) + rng.normal(0, 0.25, 2) * size
        canvas.line(np.array([at - d, at + d]), size * float(rng.choice([0.003, 0.005, 0.009])), dark)
    for _ in range(3):
        x, y = np.array(focus) + rng.normal(0, 0.4, 2) * size * (1.4, 0.7)
        step = size * 0.032
        for i in range(5):
            for j in range(4):
                if (i + j) % 2:
                    canvas.polygon(rect(x + i * step, y + j * step, x + (i + 1) * step, y + (j + 1) * step), dark)
    for _ in range(4):
        x, y = np.array(focus) + rng.normal(0, 0.38, 2) * size * (1.3, 0.7)
        start, r = float(rng.uniform(0, 6)), size * float(rng.uniform(0.06, 0.2))
        a = np.linspace(start, start + np.pi, 80)
        canvas.polygon(ribbon(np.stack([x + np.cos(a) * r, y + np.sin(a) * r], 1), size * 0.006), dark)


def _cubist(canvas: Canvas, inks: Inks, rng: np.random.Generator) -> None:
    """Interlocking facets: the plane cut by lines and arcs, every piece shaded across."""
    width, height = canvas.width, canvas.height
    size = min(width, height)
    step = size / float(rng.uniform(3.2, 4.6))
    columns, rows = int(width / step) + 3, int(height / step) + 3
    jitter = rng.uniform(-0.34, 0.34, (rows, columns, 2))
    grid = np.stack(np.meshgrid(np.arange(columns) - 1, np.arange(rows) - 1), -1) * step + jitter * step
    focus = np.array([width * float(rng.uniform(0.35, 0.65)), height * float(rng.uniform(0.35, 0.6))])
    for r in range(rows - 1):
        for c in range(columns - 1):
            a, b, d, e = grid[r, c], grid[r, c + 1], grid[r + 1, c], grid[r + 1, c + 1]
            for tri in ((a, b, d), (b, e, d)) if rng.random() < 0.5 else ((a, b, e), (a, e, d)):
                shape = np.array(tri)
                middle = shape.mean(0)
                near = np.exp(-np.hypot(*(middle - focus)) / (0.55 * size))
                color = mix(mix(inks.pick(rng), inks.ground, 0.45), inks.pick(rng), near)
                spread = gradient(
                    tuple(shape[0]),
                    tuple(shape[1] * 0.5 + shape[2] * 0.5),
                    (mix(color, (1, 1, 1), 0.22), color, scale(color, 0.68)),
                )
                grown = middle + (shape - middle) * 1.012
                canvas.polygon(grown, textured(canvas, spread, 0.06, 0.03))
    for _ in range(7):
        x, y = focus + rng.normal(0, 0.32, 2) * size
        radius, start = size * float(rng.uniform(0.14, 0.42)), float(rng.uniform(0, 6.28))
        a = np.linspace(start, start + float(rng.uniform(1.4, 3.4)), 140)
        arc = np.stack([x + np.cos(a) * radius, y + np.sin(a) * radius], 1)
        canvas.polygon(
            np.concatenate([arc, [[x, y]]]),
            gradient((x, y), tuple(arc[70]), (scale(inks.pick(rng), 0.7), mix(inks.pick(rng), (1, 1, 1), 0.2))),
            0.42,
        )
        canvas.polygon(ribbon(arc, size * 0.006), (0.10, 0.10, 0.12), 0.8)


_SCHOOLS: dict[str, Callable[[Canvas, Inks, np.random.Generator], None]] = {
    "bauhaus": _bauhaus, "stijl": _stijl, "kandinsky": _kandinsky, "memphis": memphis,
    "deco": deco, "cubist": _cubist, "mandala": mandala,
}  # fmt: skip
