"""A stylised bust in the manner of old posters: flat shapes and split light, no likeness of anybody."""

from __future__ import annotations

import re

import numpy as np

from aquatint.engines.studio.kernels.color import hex_color
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures.air import named, palette_of
from aquatint.engines.studio.scenes.figures.backdrop import dim
from aquatint.engines.studio.scenes.figures.bust import paint_front, paint_profile
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    curve,
    gradient,
    mix,
    points,
    radial,
    ribbon,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.sitter import Head, Sitter
from aquatint.engines.studio.styles.base import Easel, Rgb8

# Ground, disc, skin in light, skin in shade, hair, clothes, accent.
_PALETTES: tuple[tuple[str, ...], ...] = (
    ("#e9d8b8", "#d9653b", "#f0b98d", "#b5573f", "#22252f", "#1f5661", "#f2c14e"),
    ("#16324a", "#e8b04a", "#e9a57c", "#8f4a4a", "#0c1622", "#c8463c", "#f4e3c1"),
    ("#d7c6c0", "#8c4a5e", "#f3c9b0", "#c07a72", "#3a2230", "#566f6a", "#e8a33d"),
    ("#243b37", "#d8c08a", "#c98a5f", "#6f3f35", "#14100f", "#dfd2b4", "#c9512f"),
    ("#f2d5c4", "#5f7f8c", "#8a5a44", "#4b2c2a", "#17131a", "#d98a4b", "#f5ead6"),
    ("#2b2140", "#e3687a", "#f2b6a0", "#9a4a6a", "#120d1e", "#3f7f8f", "#f6cf7a"),
)


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Paint an imagined head and shoulders; sex, hair colour and palette follow the words, the rest the seed."""
    easel.progress(0.05, "sketching")
    rng = generator(easel.seed, "portrait")
    sitter = _sitter(plan, rng)
    canvas = Canvas(easel)
    _background(canvas, sitter, rng)
    easel.progress(0.3, "painting")
    size = min(canvas.height, canvas.width * 1.12)
    x = canvas.width * (0.5 + (0.06 * sitter.side if canvas.width > canvas.height else 0.0))
    head = Head(canvas, sitter, x, canvas.height * 0.5 - size * 0.06, size * 0.40)
    if sitter.profile:
        paint_profile(head, rng)
    else:
        paint_front(head, rng)
    easel.progress(0.9, "printing")
    dim(canvas, 0.2, easel.seed)
    return canvas.pixels


def _sitter(plan: Plan, rng: np.random.Generator) -> Sitter:
    words = plan.prompt.casefold()
    colors = [hex_color(code) for code in _PALETTES[int(rng.integers(len(_PALETTES)))]]
    wanted = palette_of(plan.colors, plan.excluded)
    if wanted:
        colors[0] = (
            mix(wanted[0], (0.95, 0.92, 0.86), 0.35) if len(wanted) > 1 else mix(wanted[0], (0.1, 0.1, 0.12), 0.25)
        )
        colors[1], colors[5] = wanted[-1], scale(wanted[0], 0.6)
    bound = [named(s.color) for s in plan.subjects if s.name in ("portrait", "people") and s.color]
    if bound:
        colors[5] = bound[0]
    woman = bool(re.search(r"woman|girl|lady|female|queen|女|姑娘|公主", words))
    man = not woman and (
        bool(re.search(r"\bman\b|\bboy\b|\bguy\b|male|king|男|老人|先生", words)) or rng.random() < 0.35
    )
    cuts = ["short", "short", "hat", "curls"] if man else ["bob", "bun", "long", "curls", "hat"]
    side = 1 if rng.random() < 0.5 else -1
    profile = bool(re.search(r"profile|side view|侧脸|侧面", words)) or rng.random() < 0.4
    ground, disc, skin, shade, hair, cloth, accent = colors[:7]
    return Sitter(ground, disc, skin, shade, hair, cloth, accent, side, str(rng.choice(cuts)), profile, man)


def _background(canvas: Canvas, sitter: Sitter, rng: np.random.Generator) -> None:
    width, height, size = canvas.width, canvas.height, min(canvas.width, canvas.height)
    ends = (width * 0.5, 0.0), (width * 0.5, float(height))
    canvas.wash(
        textured(
            canvas,
            gradient(*ends, (mix(sitter.ground, (1, 1, 1), 0.06), scale(sitter.ground, 0.88))),
            0.05,
            0.02,
            1.5,
        )
    )
    x, y, r = width * (0.5 + 0.06 * sitter.side), height * 0.42, size * 0.40
    _pattern(canvas, sitter, rng, x, y, r)
    canvas.ellipse(
        x,
        y,
        r,
        r,
        textured(
            canvas,
            radial(
                x, y - r * 0.4, r * 1.6, (mix(sitter.disc, (1, 1, 1), 0.12), sitter.disc, scale(sitter.disc, 0.82))
            ),
            0.04,
            0.025,
        ),
    )


def _pattern(canvas: Canvas, sitter: Sitter, rng: np.random.Generator, x: float, y: float, r: float) -> None:
    """What surrounds the disc: rays, rings, leaves or stripes."""
    width, height = canvas.width, canvas.height
    kind = int(rng.integers(4))
    if kind == 0:
        for k in range(28):
            a0, a1 = 2 * np.pi * k / 28, 2 * np.pi * (k + 0.5) / 28
            far = max(width, height) * 1.2
            ray = points(
                [(x, y), (x + np.cos(a0) * far, y + np.sin(a0) * far), (x + np.cos(a1) * far, y + np.sin(a1) * far)]
            )
            canvas.polygon(ray, sitter.disc, 0.22)
    elif kind == 1:
        for k in range(5, 0, -1):
            canvas.ellipse(
                x,
                y,
                r * (0.9 + 0.28 * k),
                r * (0.9 + 0.28 * k),
                mix(sitter.ground, sitter.disc, 0.14 * (5 - k)),
                opacity=0.8,
            )
    elif kind == 2:
        _leaves(canvas, sitter, rng, x, y, r)
    else:
        for k in range(9):
            left = width * k / 9
            canvas.polygon(
                points([(left, 0), (left + width / 18, 0), (left + width / 18, height), (left, height)]),
                sitter.disc,
                0.10,
            )


def _leaves(canvas: Canvas, sitter: Sitter, rng: np.random.Generator, x: float, y: float, r: float) -> None:
    """Large leaves that grow around the disc."""
    tones = [mix(sitter.cloth, sitter.ground, share) for share in (0.2, 0.45, 0.65)]
    for k in range(26):
        turn = 2 * np.pi * k / 26 + float(rng.normal(0, 0.08))
        start, long = r * float(rng.uniform(0.7, 0.95)), r * float(rng.uniform(0.5, 0.95))
        a = np.array([x + np.cos(turn) * start, y + np.sin(turn) * start])
        b = a + np.array([np.cos(turn + 0.25), np.sin(turn + 0.25)]) * long
        path = curve(
            [
                tuple(a),
                tuple((a + b) / 2 + (np.cos(turn - 1.2) * long * 0.08, np.sin(turn - 1.2) * long * 0.08)),
                tuple(b),
            ],
            16,
        )
        wide = long * 0.30 * np.sin(np.linspace(0.1, np.pi - 0.02, len(path))) ** 0.9
        color = tones[int(rng.integers(3))]
        canvas.polygon(ribbon(path, np.maximum(wide, 0.5)), gradient(tuple(a), tuple(b), (scale(color, 0.8), color)))
        canvas.line(path, long * 0.012, mix(color, sitter.ground, 0.5))
