"""Logos and icons: geometric marks with a name set in type, and sheets of app icons."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.kernels import type as typeset
from aquatint.engines.studio.kernels.color import hex_color
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures import pictograms
from aquatint.engines.studio.scenes.figures.air import palette_of
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    Points,
    curve,
    gradient,
    mix,
    moved,
    oval,
    points,
    radial,
    ribbon,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.styles.base import Easel, Rgb8

# Ground, ink, first and second colour of the mark.
_PALETTES: tuple[tuple[str, ...], ...] = (
    ("#f7f4ee", "#1b2430", "#e4572e", "#f2a541"), ("#0f1722", "#f4f1ea", "#3ec1d3", "#ff9a3c"),
    ("#fbfaf7", "#14213d", "#2a6fdb", "#67c6e3"), ("#f4efe6", "#23312a", "#2f7d5b", "#b7d36b"),
    ("#1d1330", "#fbeffb", "#b65fcf", "#ff8fb1"), ("#ffffff", "#202124", "#d7263d", "#f46036"),
    ("#101314", "#f2e9d8", "#c9a227", "#f0d27a"), ("#e9eef2", "#1f2d3d", "#4059ad", "#f4b942"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Brand:
    """Colours of one design."""

    ground: Color
    ink: Color
    first: Color
    second: Color


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where a mark is drawn: its centre and radius in pixels."""

    canvas: Canvas
    brand: _Brand
    x: float
    y: float
    r: float
    rng: np.random.Generator

    def blend(self, turn: float = 0.8) -> Callable[..., np.ndarray]:
        """The gradient of the mark, from its first colour to its second along direction `turn`."""
        d = (np.cos(turn) * self.r, np.sin(turn) * self.r)
        return gradient(
            (self.x - d[0], self.y - d[1]), (self.x + d[0], self.y + d[1]), (self.brand.first, self.brand.second)
        )

    def ring(self, share: float, broad: float, start: float = 0.0, sweep: float = 2 * np.pi) -> Points:
        """A circular band: radius and breadth as shares of the mark's radius, angles in radians."""
        a = np.linspace(start, start + sweep, 220)
        outer, inner = self.r * (share + broad / 2), self.r * (share - broad / 2)
        out = np.stack([self.x + np.cos(a) * outer, self.y + np.sin(a) * outer], 1)
        back = np.stack([self.x + np.cos(a[::-1]) * inner, self.y + np.sin(a[::-1]) * inner], 1)
        return np.concatenate([out, back])


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Design a mark with the quoted name below or beside it, or a sheet of icons when icons are asked for."""
    easel.progress(0.05, "sketching marks")
    rng = generator(easel.seed, "logo")
    canvas = Canvas(easel)
    brand = _brand(plan, rng)
    names = {subject.name for subject in plan.subjects}
    if "icon" in names and "logo" not in names:
        _icon_sheet(canvas, plan, brand, rng)
    else:
        _logo(canvas, plan, brand, rng)
    return canvas.pixels


def _brand(plan: Plan, rng: np.random.Generator) -> _Brand:
    ground, ink, first, second = (hex_color(code) for code in _PALETTES[int(rng.integers(len(_PALETTES)))])
    bound = [s.color for s in plan.subjects if s.name in ("logo", "icon") and s.color]
    wanted = palette_of((*bound, *plan.colors), plan.excluded)
    if wanted:
        first = wanted[0]
        second = wanted[1] if len(wanted) > 1 else mix(wanted[0], (1.0, 0.93, 0.8), 0.45)
        dark = sum(ground) < 1.2
        near = abs(sum(first) - sum(ground)) < 0.7
        if near:  # the mark must stand out from its ground
            ground, ink = (
                ((0.97, 0.96, 0.94), (0.10, 0.11, 0.13)) if dark else ((0.08, 0.09, 0.11), (0.96, 0.95, 0.92))
            )
    return _Brand(ground, ink, first, second)


def _name(plan: Plan) -> str:
    """The words to set: quoted text, else a short name after 'called' or 'for'; may be empty."""
    if plan.text:
        return " ".join(plan.text)
    found = re.search(r"(?:called|named|名为|名叫|叫做)\s*([\w&'’.-]{1,24})", plan.prompt)
    return found.group(1) if found else ""


def _logo(canvas: Canvas, plan: Plan, brand: _Brand, rng: np.random.Generator) -> None:
    width, height = canvas.width, canvas.height
    glow = mix(brand.ground, brand.second, 0.05)
    canvas.wash(
        textured(
            canvas,
            radial(
                width * 0.5, height * 0.45, max(width, height) * 0.75, (glow, brand.ground, scale(brand.ground, 0.95))
            ),
            0.0,
            0.004,
        )
    )
    name = _name(plan)
    beside = bool(name) and width > height * 1.3 and rng.random() < 0.35
    r = min(width, height) * (0.17 if name else 0.26)
    x, y = width * 0.5, height * (0.41 if name else 0.5)
    text = (
        _set_name(name, brand, width * (0.42 if beside else 0.66), min(width, height) * (0.24 if beside else 0.13))
        if name
        else None
    )
    if beside and text is not None:
        total = 2 * r + r * 0.5 + text.shape[1]
        x, y = width / 2 - total / 2 + r, height * 0.5
    kinds: dict[str, Callable[[_Mark], None]] = dict(_MARKS)
    wanted = [word for word, pattern in _THEMES.items() if re.search(pattern, plan.prompt.casefold())]
    letters = [c for c in name if c.isalnum()]
    pool = wanted or [k for k in kinds if k not in _THEMES]
    if not wanted and letters and rng.random() < 0.4:
        _monogram(_Mark(canvas, brand, x, y, r, rng), letters[0])
    else:
        kinds[str(rng.choice(pool))](_Mark(canvas, brand, x, y, r, rng))
    if text is None:
        return
    left = round(x + r * 1.5) if beside else round((width - text.shape[1]) / 2)
    top = round(y - text.shape[0] / 2) if beside else round(y + r * 1.62)
    canvas.stamp(text, left, top, brand.ink)
    if not beside:
        row = top + text.shape[0] + r * 0.36
        canvas.line(
            points([(width / 2 - r * 0.26, row), (width / 2 + r * 0.26, row)]), max(2.0, r * 0.03), brand.first
        )


def _set_name(name: str, brand: _Brand, width: float, height: float) -> np.ndarray:
    del brand
    face: typeset.Face = "sans-bold"
    block = typeset.fit(
        name.replace("\n", " "), round(width * 0.9), round(height), face, largest=round(height * 0.8), leading=1.15
    )
    wide = any(typeset.is_wide(c) for c in name)
    return typeset.crop_to_ink(
        typeset.block_mask(block, "center", tracking=0.10 if len(name) < 14 and not wide else 0.03)
    )


def _monogram(mark: _Mark, letter: str) -> None:
    """A letter cut out of a disc or a rounded square."""
    if mark.rng.random() < 0.5:
        mark.canvas.ellipse(mark.x, mark.y, mark.r, mark.r, mark.blend())
    else:
        mark.canvas.polygon(
            pictograms.rounded(mark.x, mark.y, mark.r * 0.94, mark.r * 0.94, mark.r * 0.34), mark.blend()
        )
    glyph = typeset.line_mask(letter.upper(), round(mark.r * 1.18), "sans-bold")
    left, top = round(mark.x - glyph.shape[1] / 2), round(mark.y - glyph.shape[0] / 2)
    mark.canvas.stamp(glyph, left, top, mark.brand.ground)


def _petals(mark: _Mark) -> None:
    """Overlapping petals around a centre, translucent."""
    count = int(mark.rng.choice([5, 6, 8]))
    for k in range(count):
        turn = 2 * np.pi * k / count - np.pi / 2
        d = np.array([np.cos(turn), np.sin(turn)]) * mark.r * 0.52
        color = mix(mark.brand.first, mark.brand.second, k / (count - 1))
        mark.canvas.ellipse(
            mark.x + d[0],
            mark.y + d[1],
            mark.r * 0.52,
            mark.r * (0.30 if count < 8 else 0.22),
            color,
            float(np.degrees(turn)),
            0.82,
        )


def _orbits(mark: _Mark) -> None:
    """Concentric arcs, each turned against the last."""
    start = float(mark.rng.uniform(0, 2 * np.pi))
    for k, share in enumerate((0.92, 0.66, 0.40)):
        mark.canvas.polygon(
            mark.ring(share, 0.16, start + 1.9 * k, 2 * np.pi * 0.74), mix(mark.brand.first, mark.brand.second, k / 2)
        )
    mark.canvas.ellipse(mark.x, mark.y, mark.r * 0.17, mark.r * 0.17, mark.brand.ink)


def _cube(mark: _Mark) -> None:
    """An isometric cube of three rhombi, with a cut."""
    a = np.pi / 6 + np.arange(6) * np.pi / 3
    rim = np.stack([mark.x + np.cos(a) * mark.r, mark.y + np.sin(a) * mark.r], 1)
    middle = np.array([mark.x, mark.y])
    for k, shade in ((1, 1.0), (3, 0.72), (5, 0.0)):
        face = np.array([middle, rim[k - 1] if k else rim[5], rim[k], rim[(k + 1) % 6]])
        face = face.mean(0) + (face - face.mean(0)) * 0.93
        color = mark.brand.second if shade == 0 else scale(mark.brand.first, shade)
        mark.canvas.polygon(face, color)
        hole = face.mean(0) + (face - face.mean(0)) * 0.36
        mark.canvas.polygon(hole, mark.brand.ground)


def _links(mark: _Mark) -> None:
    """Two or three interlocked rings."""
    count = int(mark.rng.choice([2, 3]))
    centers = [
        (
            mark.x + np.cos(2 * np.pi * k / count - np.pi / 2) * mark.r * 0.38,
            mark.y + np.sin(2 * np.pi * k / count - np.pi / 2) * mark.r * 0.38,
        )
        for k in range(count)
    ]
    if count == 2:
        centers = [(mark.x - mark.r * 0.38, mark.y), (mark.x + mark.r * 0.38, mark.y)]
    for k, (x, y) in enumerate(centers):
        loop = _Mark(mark.canvas, mark.brand, x, y, mark.r * 0.6, mark.rng)
        mark.canvas.polygon(
            loop.ring(0.86, 0.27), mix(mark.brand.first, mark.brand.second, k / max(1, count - 1)), 0.9
        )


def _waves(mark: _Mark) -> None:
    """A disc with a sun over waves."""
    mark.canvas.ellipse(mark.x, mark.y, mark.r, mark.r, mark.blend(1.57))
    mark.canvas.ellipse(mark.x, mark.y - mark.r * 0.22, mark.r * 0.30, mark.r * 0.30, mark.brand.ground)
    for k in range(3):
        u = np.linspace(-1, 1, 120)
        y = mark.y + mark.r * (0.16 + 0.25 * k)
        half = np.sqrt(max(0.0, 1 - (0.16 + 0.25 * k) ** 2)) * mark.r * 0.985
        path = np.stack([mark.x + u * half, y + np.sin(u * 7 + k * 1.4) * mark.r * 0.06], 1)
        mark.canvas.polygon(ribbon(path, mark.r * 0.085), mark.brand.ground)


def _peak(mark: _Mark) -> None:
    """Mountains in a ring."""
    mark.canvas.polygon(mark.ring(0.93, 0.10), mark.blend())
    r, x, y = mark.r * 0.80, mark.x, mark.y
    base = y + r * 0.50
    mark.canvas.polygon(
        points([(x - r * 0.86, base), (x - r * 0.18, y - r * 0.62), (x + r * 0.50, base)]), mark.brand.first
    )
    mark.canvas.polygon(
        points([(x - r * 0.08, base), (x + r * 0.38, y - r * 0.16), (x + r * 0.86, base)]), mark.brand.second
    )
    cap = points(
        [
            (x - r * 0.18, y - r * 0.62),
            (x - r * 0.40, y - r * 0.26),
            (x - r * 0.25, y - r * 0.34),
            (x - r * 0.14, y - r * 0.22),
            (x - r * 0.04, y - r * 0.36),
            (x + r * 0.045, y - r * 0.25),
        ]
    )
    mark.canvas.polygon(cap, mark.brand.ground)


def _leaf(mark: _Mark) -> None:
    """Two leaves that form a drop."""
    for way, color in ((-1, mark.brand.first), (1, mark.brand.second)):
        knots = [(0.0, 0.98), (0.62 * way, 0.42), (0.60 * way, -0.28), (0.06 * way, -0.98), (0.04 * way, 0.0)]
        shape = curve(
            [(mark.x + a * mark.r + way * mark.r * 0.05, mark.y + b * mark.r) for a, b in knots], 24, closed=True
        )
        mark.canvas.polygon(shape, color)
    vein = curve([(mark.x, mark.y + mark.r), (mark.x + mark.r * 0.03, mark.y), (mark.x, mark.y - mark.r * 0.7)], 20)
    mark.canvas.line(vein, mark.r * 0.05, mark.brand.ground, taper=0.6)


def _bolt(mark: _Mark) -> None:
    """A flash in a rounded square."""
    mark.canvas.polygon(pictograms.rounded(mark.x, mark.y, mark.r * 0.92, mark.r * 0.92, mark.r * 0.3), mark.blend())
    flash = points(
        [(0.12, -0.62), (-0.38, 0.10), (-0.04, 0.10), (-0.14, 0.62), (0.38, -0.14), (0.04, -0.14)]
    ) * mark.r + (mark.x, mark.y)
    mark.canvas.polygon(flash, mark.brand.ground)


def _cup(mark: _Mark) -> None:
    """A steaming cup in a ring."""
    mark.canvas.polygon(mark.ring(0.95, 0.08), mark.brand.first)
    inner = _Mark(mark.canvas, mark.brand, mark.x, mark.y, mark.r * 0.62, mark.rng)
    pictograms.draw(mark.canvas, "cup", inner.x, inner.y, inner.r, mark.brand.first, mark.brand.ground)


_MARKS: dict[str, Callable[[_Mark], None]] = {
    "petals": _petals, "orbits": _orbits, "cube": _cube, "links": _links, "waves": _waves,
    "mountain": _peak, "leaf": _leaf, "energy": _bolt, "cafe": _cup,
}  # fmt: skip
# Marks that mean something are used when the words ask for them only.
_THEMES: dict[str, str] = {
    "mountain": r"mountain|outdoor|hik|camp|山|户外",
    "leaf": r"leaf|eco|green|organic|plant|tea\b|natur|叶|茶|环保|植物|有机",
    "energy": r"energy|electric|power|fast|bolt|电|能源|闪电",
    "cafe": r"coffee|caf[eé]|咖啡|奶茶",
    "waves": r"sea|ocean|wave|surf|beach|water|海|浪|水",
}


def _icon_sheet(canvas: Canvas, plan: Plan, brand: _Brand, rng: np.random.Generator) -> None:
    """Rounded squares with pictograms in rows; one alone when one is asked for."""
    width, height = canvas.width, canvas.height
    canvas.wash(
        textured(
            canvas,
            gradient((0, 0), (0, height), (mix(brand.ground, (1, 1, 1), 0.05), scale(brand.ground, 0.94))),
            0.0,
            0.004,
        )
    )
    words = plan.prompt.casefold()
    wanted = [name for name, pattern in pictograms.WORDS.items() if re.search(pattern, words)]
    several = bool(re.search(r"icons|set|图标集|一组|一套", words)) or any(s.count > 1 for s in plan.subjects)
    if wanted and not several:
        _icon(canvas, wanted[0], width / 2, height / 2, min(width, height) * 0.30, brand, 0.3)
        return
    rows = 3 if width >= height else 4
    cell = height / (rows + 0.6)
    columns = max(2, int(width / cell - 0.4))
    order = wanted + [str(n) for n in rng.permutation(list(pictograms.WORDS)) if n not in wanted]
    for k in range(rows * columns):
        r, c = divmod(k, columns)
        x, y = width / 2 + (c - (columns - 1) / 2) * cell, height / 2 + (r - (rows - 1) / 2) * cell
        _icon(canvas, order[k % len(order)], x, y, cell * 0.37, brand, (r + c) / (rows + columns - 2))


def _icon(canvas: Canvas, name: str, x: float, y: float, half: float, brand: _Brand, share: float) -> None:
    first, second = mix(brand.first, brand.second, share), mix(brand.second, brand.first, share * 0.6)
    tile = pictograms.rounded(x, y, half, half, half * 0.45)
    canvas.polygon(moved(tile, 0.0, half * 0.14), scale(brand.ground, 0.45), 0.28, soft=half * 0.12)
    canvas.polygon(
        tile,
        gradient(
            (x - half, y - half), (x + half, y + half), (mix(second, (1, 1, 1), 0.12), first, scale(first, 0.85))
        ),
    )
    canvas.polygon(oval(x - half * 0.2, y - half * 1.15, half * 1.35, half * 0.95), (1, 1, 1), 0.0)
    pictograms.draw(canvas, name, x, y, half * 0.56, (0.99, 0.98, 0.96), first)
