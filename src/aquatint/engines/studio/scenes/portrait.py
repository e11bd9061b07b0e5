"""A stylised bust in the manner of old posters: flat shapes and split light, no likeness of anybody."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.kernels.color import hex_color
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures.air import named
from aquatint.engines.studio.scenes.figures.backdrop import dim
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    Paint,
    Points,
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


@dataclass(frozen=True, slots=True)
class _Sitter:
    """The decisions of one portrait."""

    ground: Color
    disc: Color
    skin: Color
    shade: Color
    hair: Color
    cloth: Color
    accent: Color
    side: int  # where the light comes from: -1 left, 1 right
    cut: str  # bob, bun, long, short, curls or hat
    profile: bool
    man: bool


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
    head = _Head(canvas, sitter, x, canvas.height * 0.5 - size * 0.06, size * 0.40)
    if sitter.profile:
        _paint_profile(head, rng)
    else:
        _paint_front(head, rng)
    easel.progress(0.9, "printing")
    dim(canvas, 0.2, easel.seed)
    return canvas.pixels


@dataclass(frozen=True, slots=True)
class _Head:
    """Where the head is: its centre and height in pixels. Shapes are given in heads, x toward the light."""

    canvas: Canvas
    sitter: _Sitter
    x: float
    y: float
    tall: float

    @property
    def lid(self) -> Color:
        """Colour of a closed eyelid in the light."""
        if self.sitter.man:
            return mix(self.sitter.skin, self.sitter.shade, 0.6)
        return mix(self.sitter.accent, self.sitter.shade, 0.45)

    def at(self, dx: float, dy: float) -> tuple[float, float]:
        """Pixels of a place: dx in heads (positive: right), dy in heads downwards from the centre."""
        return self.x + dx * self.tall, self.y + dy * self.tall

    def shape(self, knots: list[tuple[float, float]], closed: bool = True) -> Points:
        """A smooth outline through places."""
        return curve([self.at(*knot) for knot in knots], 22, closed=closed)

    def fade(self, color: Color, low: float = 0.80, high: float = 0.10) -> Paint:
        """A colour lighter toward the light and the top, with the grain of a print."""
        s = self.sitter.side
        ends = self.at(0.6 * s, -0.7), self.at(-0.6 * s, 0.9)
        return textured(
            self.canvas, gradient(*ends, (mix(color, (1, 1, 1), high), color, scale(color, low))), 0.04, 0.025
        )


def _sitter(plan: Plan, rng: np.random.Generator) -> _Sitter:
    words = plan.prompt.casefold()
    colors = [hex_color(code) for code in _PALETTES[int(rng.integers(len(_PALETTES)))]]
    wanted = [named(c) for c in plan.colors if c not in plan.excluded]
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
    return _Sitter(ground, disc, skin, shade, hair, cloth, accent, side, str(rng.choice(cuts)), profile, man)


def _background(canvas: Canvas, sitter: _Sitter, rng: np.random.Generator) -> None:
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


def _leaves(canvas: Canvas, sitter: _Sitter, rng: np.random.Generator, x: float, y: float, r: float) -> None:
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


def _shoulders(head: _Head, rng: np.random.Generator) -> None:
    s, sitter, canvas = head.sitter.side, head.sitter, head.canvas
    broad = 1.02 if sitter.man else 0.86
    low = (canvas.height - head.y) / head.tall + 0.1
    body = [
        (-broad - 0.06, low),
        (-broad, 1.05),
        (-0.62, 0.86),
        (-0.24, 0.74),
        (0.0, 0.80),
        (0.24, 0.74),
        (0.62, 0.86),
        (broad, 1.05),
        (broad + 0.06, low),
    ]
    outline = np.concatenate([head.shape(body, closed=False), [head.at(0, low + 0.2)]])
    canvas.polygon(outline, head.fade(sitter.cloth, 0.62, 0.10))
    half = [
        (0.0, 0.78),
        (0.24 * -s, 0.745),
        (0.62 * -s, 0.865),
        (broad * -s, 1.05),
        ((broad + 0.06) * -s, low),
        (0.1 * -s, low),
    ]
    canvas.polygon(np.concatenate([head.shape(half, closed=False)]), scale(sitter.cloth, 0.45), 0.42)
    kind = int(rng.integers(3))
    if kind == 0:
        for way in (-1, 1):
            lapel = points(
                [head.at(0.0, 1.22), head.at(0.20 * way, 0.70), head.at(0.42 * way, 0.86), head.at(0.22 * way, 1.0)]
            )
            canvas.polygon(lapel, head.fade(sitter.accent if way == s else scale(sitter.accent, 0.72)))
    elif kind == 1:
        for k in range(5):
            row = head.shape(
                [(-0.32 - 0.03 * k, 0.80 + 0.07 * k), (0.0, 0.93 + 0.075 * k), (0.32 + 0.03 * k, 0.80 + 0.07 * k)],
                closed=False,
            )
            canvas.line(
                row, head.tall * 0.022, sitter.accent if k % 2 == 0 else mix(sitter.accent, sitter.cloth, 0.5)
            )
    else:
        collar = head.shape([(-0.25, 0.62), (-0.27, 0.80), (0.0, 0.88), (0.27, 0.80), (0.25, 0.62), (0.0, 0.70)])
        canvas.polygon(collar, head.fade(scale(sitter.cloth, 1.35)))


def _paint_front(head: _Head, rng: np.random.Generator) -> None:
    s, sitter, canvas = head.sitter.side, head.sitter, head.canvas
    jaw = 0.31 if sitter.man else 0.27
    face = [
        (0.0, -0.52),
        (0.26, -0.44),
        (0.365, -0.16),
        (0.345, 0.14),
        (jaw, 0.34),
        (0.12, 0.50),
        (0.0, 0.53),
        (-0.12, 0.50),
        (-jaw, 0.34),
        (-0.345, 0.14),
        (-0.365, -0.16),
        (-0.26, -0.44),
    ]
    _hair_behind(head)
    neck = [(-0.17, 0.28), (-0.165, 0.62), (-0.26, 0.82), (0.0, 0.92), (0.26, 0.82), (0.165, 0.62), (0.17, 0.28)]
    canvas.polygon(head.shape(neck), head.fade(mix(sitter.skin, sitter.shade, 0.35), 0.8))
    canvas.polygon(
        head.shape([(0.30, 0.30), (0.16, 0.62), (0.0, 0.66), (-0.17, 0.60), (-0.30, 0.30), (0.0, 0.56)]),
        sitter.shade,
        0.75,
    )
    _shoulders(head, rng)
    for way in (-1, 1):
        ear = head.shape([(0.355 * way, -0.08), (0.42 * way, -0.12), (0.425 * way, 0.02), (0.36 * way, 0.15)])
        canvas.polygon(ear, sitter.skin if way == s else sitter.shade)
    canvas.polygon(head.shape(face), head.fade(sitter.skin, 0.92, 0.14))
    split = [
        (0.0, -0.53),
        (-0.02 * s, -0.25),
        (0.035 * s, -0.10),
        (0.085 * s, 0.14),
        (0.01 * s, 0.19),
        (0.02 * s, 0.27),
        (-0.01 * s, 0.33),
        (0.02 * s, 0.42),
        (0.0, 0.535),
        (-0.12 * s, 0.505),
        (-jaw * s, 0.345),
        (-0.35 * s, 0.14),
        (-0.37 * s, -0.16),
        (-0.27 * s, -0.44),
    ]
    canvas.polygon(head.shape(split), head.fade(sitter.shade, 0.8, 0.05))
    canvas.ellipse(
        *head.at(0.20 * s, 0.17),
        head.tall * 0.10,
        head.tall * 0.075,
        mix(sitter.skin, (0.93, 0.38, 0.34), 0.5),
        0,
        0.45,
        soft=head.tall * 0.03,
    )
    _features(head)
    _hair_front(head)
    if not sitter.man:
        for way in (-1, 1):
            canvas.ellipse(*head.at(0.40 * way, 0.26), head.tall * 0.045, head.tall * 0.07, head.fade(sitter.accent))


def _features(head: _Head) -> None:
    """Closed eyes, brows, nose and mouth: signs, not a face of somebody."""
    s, sitter, canvas = head.sitter.side, head.sitter, head.canvas
    ink = mix(sitter.hair, sitter.shade, 0.15)
    for way in (-1, 1):
        lit = way == s
        lid = head.shape(
            [(0.075 * way, -0.045), (0.13 * way, -0.085), (0.20 * way, -0.085), (0.265 * way, -0.035)], closed=False
        )
        under = head.shape(
            [(0.265 * way, -0.035), (0.20 * way, 0.005), (0.13 * way, 0.005), (0.075 * way, -0.045)], closed=False
        )
        canvas.polygon(np.concatenate([lid, under]), head.lid if lit else scale(sitter.shade, 0.72))
        breadth = head.tall * 0.022 * np.sin(np.linspace(0.35, np.pi - 0.15, len(under)))
        canvas.polygon(ribbon(under, breadth + head.tall * 0.004), ink)
        brow = head.shape(
            [(0.06 * way, -0.165), (0.14 * way, -0.215), (0.23 * way, -0.205), (0.29 * way, -0.15)], closed=False
        )
        thick = head.tall * (0.034 if sitter.man else 0.022) * np.linspace(1.0, 0.25, len(brow))
        canvas.polygon(ribbon(brow, thick), sitter.hair)
    nose = head.shape([(0.035 * s, -0.10), (0.085 * s, 0.13), (0.045 * s, 0.185), (-0.03 * s, 0.185)], closed=False)
    canvas.line(nose, head.tall * 0.010, scale(sitter.shade, 0.78))
    lip = (0.74, 0.20, 0.20) if not sitter.man else scale(sitter.shade, 0.72)
    upper = head.shape([(-0.115, 0.305), (-0.045, 0.272), (0.0, 0.284), (0.045, 0.272), (0.115, 0.305), (0.0, 0.318)])
    lower = head.shape([(-0.105, 0.312), (0.0, 0.318), (0.105, 0.312), (0.05, 0.362), (-0.05, 0.362)])
    canvas.polygon(upper, scale(lip, 0.82))
    canvas.polygon(
        lower,
        gradient(
            head.at(0.1 * s, 0.3), head.at(-0.1 * s, 0.36), (mix(lip, (1, 0.9, 0.85), 0.2), lip, scale(lip, 0.7))
        ),
    )


def _hair_behind(head: _Head) -> None:
    sitter, canvas = head.sitter, head.canvas
    shapes: dict[str, list[tuple[float, float]]] = {
        "bob": [
            (0.0, -0.68),
            (0.34, -0.58),
            (0.50, -0.2),
            (0.52, 0.25),
            (0.44, 0.46),
            (0.0, 0.36),
            (-0.44, 0.46),
            (-0.52, 0.25),
            (-0.50, -0.2),
            (-0.34, -0.58),
        ],
        "long": [
            (0.0, -0.68),
            (0.34, -0.58),
            (0.50, -0.2),
            (0.54, 0.4),
            (0.66, 1.0),
            (0.34, 1.22),
            (0.0, 0.7),
            (-0.34, 1.22),
            (-0.66, 1.0),
            (-0.54, 0.4),
            (-0.50, -0.2),
            (-0.34, -0.58),
        ],
        "hat": [
            (0.0, -0.5),
            (0.40, -0.3),
            (0.47, 0.2),
            (0.40, 0.5),
            (0.0, 0.4),
            (-0.40, 0.5),
            (-0.47, 0.2),
            (-0.40, -0.3),
        ],
    }
    if sitter.cut in shapes and not (sitter.man and sitter.cut == "hat"):
        canvas.polygon(head.shape(shapes[sitter.cut]), head.fade(sitter.hair, 0.7, 0.12))
    elif sitter.cut == "bun":
        canvas.ellipse(*head.at(0, -0.74), head.tall * 0.19, head.tall * 0.17, head.fade(sitter.hair, 0.7, 0.2))
    elif sitter.cut == "curls":
        turn = np.linspace(-0.25, np.pi + 0.25, 15)
        for a in turn:
            canvas.ellipse(
                *head.at(np.cos(a) * 0.42, -0.20 - np.sin(a) * 0.42),
                head.tall * 0.17,
                head.tall * 0.17,
                head.fade(sitter.hair, 0.75, 0.15),
            )


def _hair_front(head: _Head) -> None:
    s, sitter, canvas = head.sitter.side, head.sitter, head.canvas
    dark = head.fade(sitter.hair, 0.7, 0.16)
    if sitter.cut == "hat":
        _hat(head)
        return
    if sitter.cut == "short":
        cap = [
            (-0.40, 0.02),
            (-0.43, -0.30),
            (-0.28, -0.62),
            (0.05 * s, -0.72),
            (0.32, -0.60),
            (0.44, -0.28),
            (0.40, 0.02),
            (0.34, -0.20),
            (0.26 * 1, -0.36),
            (-0.02, -0.40 - 0.03 * s),
            (-0.28, -0.33),
            (-0.345, -0.18),
        ]
        canvas.polygon(head.shape(cap), dark)
    elif sitter.cut == "curls":
        for a in np.linspace(0.25, np.pi - 0.25, 9):
            canvas.ellipse(
                *head.at(np.cos(a) * 0.33, -0.22 - np.sin(a) * 0.30), head.tall * 0.125, head.tall * 0.12, dark
            )
        for a in np.linspace(0.1, np.pi - 0.1, 11):
            cx, cy = head.at(np.cos(a) * 0.40, -0.24 - np.sin(a) * 0.38)
            swirl = np.linspace(0.5, 5.0, 30)
            path = np.stack(
                [cx + np.cos(swirl) * head.tall * 0.016 * swirl, cy + np.sin(swirl) * head.tall * 0.016 * swirl], 1
            )
            canvas.line(path, head.tall * 0.008, mix(sitter.hair, sitter.disc, 0.35))
    else:
        part = 0.10 * s
        for way in (-1, 1):
            sweep = [
                (part, -0.56),
                (part + 0.02 * way, -0.47),
                (0.25 * way, -0.33),
                (0.36 * way, -0.04),
                (0.43 * way, 0.10 if sitter.cut == "bun" else 0.34),
                (0.475 * way, -0.12),
                (0.38 * way, -0.50),
                (0.16 * way, -0.675),
                (part, -0.69),
            ]
            canvas.polygon(head.shape(sweep), dark)
        for k in range(5):
            strand = head.shape(
                [
                    (part, -0.60 + 0.02 * k),
                    (part + (0.20 + 0.03 * k) * s, -0.56 + 0.05 * k),
                    (0.42 * s - 0.02 * k * s, -0.20 + 0.04 * k),
                ],
                closed=False,
            )
            canvas.polygon(
                ribbon(strand, head.tall * 0.010 * np.sin(np.linspace(0.1, np.pi, len(strand)))),
                mix(sitter.hair, sitter.disc, 0.35),
                0.7,
            )


def _hat(head: _Head) -> None:
    sitter, canvas = head.sitter, head.canvas
    color = sitter.cloth if sitter.man else sitter.accent
    crown = [
        (-0.36, -0.34),
        (-0.36, -0.66),
        (-0.22, -0.82),
        (0.0, -0.78),
        (0.22, -0.82),
        (0.36, -0.66),
        (0.36, -0.34),
        (0.0, -0.28),
    ]
    canvas.polygon(head.shape(crown), head.fade(color, 0.6, 0.15))
    band = head.shape([(-0.365, -0.46), (0.0, -0.40), (0.365, -0.46)], closed=False)
    canvas.line(band, head.tall * 0.10, sitter.disc if color != sitter.disc else sitter.hair)
    brim = [
        (-0.74, -0.30),
        (-0.40, -0.42),
        (0.0, -0.36),
        (0.40, -0.42),
        (0.74, -0.30),
        (0.42, -0.26),
        (0.0, -0.22),
        (-0.42, -0.26),
    ]
    canvas.polygon(head.shape(brim) + (0, head.tall * 0.035), scale(sitter.shade, 0.6), 0.6, soft=head.tall * 0.012)
    canvas.polygon(head.shape(brim), head.fade(scale(color, 0.86), 0.6, 0.22))


def _paint_profile(head: _Head, rng: np.random.Generator) -> None:
    """The head from its side, looking toward the light."""
    s, sitter, canvas = head.sitter.side, head.sitter, head.canvas

    def m(knots: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(dx * s, dy) for dx, dy in knots]

    if sitter.cut == "long":
        canvas.polygon(
            head.shape(
                m(
                    [
                        (-0.1, -0.66),
                        (-0.46, -0.45),
                        (-0.56, 0.1),
                        (-0.72, 0.9),
                        (-0.40, 1.25),
                        (-0.05, 0.8),
                        (0.0, 0.1),
                    ]
                )
            ),
            head.fade(sitter.hair, 0.7, 0.12),
        )
    neck = m(
        [
            (-0.34, 0.05),
            (-0.34, 0.55),
            (-0.46, 0.84),
            (0.0, 1.0),
            (0.20, 0.84),
            (0.06, 0.58),
            (0.10, 0.36),
            (0.0, 0.1),
        ]
    )
    canvas.polygon(head.shape(neck), head.fade(mix(sitter.skin, sitter.shade, 0.3), 0.75))
    canvas.polygon(
        head.shape(m([(-0.30, 0.30), (-0.20, 0.62), (0.05, 0.62), (0.16, 0.44), (0.0, 0.40)])), sitter.shade, 0.8
    )
    _shoulders(head, rng)
    brow, chin = (0.36, 0.05) if sitter.man else (0.345, 0.0)
    face = m([
        (-0.05, -0.55), (0.18, -0.52), (0.315, -0.38), (brow, -0.22), (0.335, -0.13), (0.365, -0.05), (0.435, 0.07), (0.445, 0.115),
        (0.375, 0.15), (0.355, 0.19), (0.395, 0.245), (0.372, 0.285), (0.388, 0.325), (0.345, 0.375), (0.36, 0.43 + chin * 0.3),
        (0.30, 0.51), (0.15, 0.50), (-0.08, 0.36), (-0.18, 0.18), (-0.24, -0.2), (-0.18, -0.45),
    ])  # fmt: skip
    canvas.polygon(head.shape(face), head.fade(sitter.skin, 0.9, 0.14))
    shadow = m(
        [
            (-0.06, -0.50),
            (0.08, -0.20),
            (0.05, 0.0),
            (0.13, 0.20),
            (0.10, 0.36),
            (0.22, 0.505),
            (0.12, 0.49),
            (-0.09, 0.355),
            (-0.18, 0.18),
            (-0.24, -0.2),
            (-0.18, -0.45),
        ]
    )
    canvas.polygon(head.shape(shadow), head.fade(sitter.shade, 0.8, 0.05))
    canvas.ellipse(
        *head.at(0.20 * s, 0.16),
        head.tall * 0.09,
        head.tall * 0.07,
        mix(sitter.skin, (0.93, 0.38, 0.34), 0.5),
        0,
        0.45,
        soft=head.tall * 0.03,
    )
    lid = head.shape(m([(0.20, -0.06), (0.255, -0.02), (0.325, -0.055)]), closed=False)
    canvas.polygon(
        ribbon(lid, head.tall * 0.024 * np.sin(np.linspace(0.4, np.pi, len(lid))) + head.tall * 0.004),
        mix(sitter.hair, sitter.shade, 0.1),
    )
    canvas.polygon(head.shape(m([(0.195, -0.065), (0.25, -0.115), (0.32, -0.075), (0.255, -0.03)])), head.lid)
    arch = head.shape(m([(0.16, -0.175), (0.24, -0.225), (0.335, -0.19)]), closed=False)
    canvas.polygon(
        ribbon(arch, head.tall * (0.036 if sitter.man else 0.022) * np.linspace(0.4, 1, len(arch))), sitter.hair
    )
    lip = (0.74, 0.20, 0.20) if not sitter.man else scale(sitter.shade, 0.75)
    canvas.polygon(head.shape(m([(0.392, 0.245), (0.30, 0.283), (0.372, 0.288)])), scale(lip, 0.85))
    canvas.polygon(head.shape(m([(0.372, 0.288), (0.30, 0.285), (0.34, 0.345), (0.386, 0.325)])), lip)
    _profile_hair(head, m)


def _profile_hair(head: _Head, m: Callable[[list[tuple[float, float]]], list[tuple[float, float]]]) -> None:
    s, sitter, canvas = head.sitter.side, head.sitter, head.canvas
    dark = head.fade(sitter.hair, 0.7, 0.16)
    low = {"bob": 0.42, "long": 0.45, "short": 0.10, "bun": 0.05, "curls": 0.2, "hat": 0.22}[sitter.cut]
    cap = m(
        [
            (0.26, -0.49),
            (0.10, -0.655),
            (-0.22, -0.665),
            (-0.47, -0.46),
            (-0.54, -0.12),
            (-0.46, low),
            (-0.28, low + 0.06),
            (-0.10, low * 0.8),
            (-0.05, 0.0),
            (0.02, -0.14),
            (0.10, -0.30),
        ]
    )
    canvas.polygon(head.shape(cap), dark)
    if sitter.cut == "bun":
        canvas.ellipse(*head.at(-0.58 * s, -0.18), head.tall * 0.17, head.tall * 0.16, dark)
    if sitter.cut == "curls":
        for a in np.linspace(0.3, np.pi + 0.9, 13):
            canvas.ellipse(
                *head.at((-0.14 + np.cos(a) * 0.36) * s, -0.24 - np.sin(a) * 0.36),
                head.tall * 0.15,
                head.tall * 0.15,
                dark,
            )
    for k in range(6):
        strand = head.shape(
            m(
                [
                    (0.20 - 0.05 * k, -0.53 - 0.012 * k),
                    (-0.20, -0.56 + 0.07 * k),
                    (-0.42 + 0.02 * k, -0.15 + 0.05 * k),
                ]
            ),
            closed=False,
        )
        canvas.polygon(
            ribbon(strand, head.tall * 0.012 * np.sin(np.linspace(0.1, np.pi, len(strand)))),
            mix(sitter.hair, sitter.disc, 0.35),
            0.7,
        )
    canvas.polygon(
        head.shape(m([(-0.10, -0.06), (-0.03, -0.10), (0.0, 0.0), (-0.06, 0.13), (-0.11, 0.06)])),
        mix(sitter.skin, sitter.shade, 0.35),
    )
    if not sitter.man:
        canvas.polygon(
            oval(*head.at(-0.06 * s, 0.22), head.tall * 0.045, head.tall * 0.075), head.fade(sitter.accent)
        )
    if sitter.cut == "hat":
        color = sitter.cloth if sitter.man else sitter.accent
        canvas.polygon(
            head.shape(
                m(
                    [
                        (0.30, -0.40),
                        (0.24, -0.74),
                        (0.0, -0.86),
                        (-0.30, -0.80),
                        (-0.46, -0.52),
                        (-0.50, -0.28),
                        (-0.1, -0.34),
                    ]
                )
            ),
            head.fade(color, 0.6, 0.15),
        )
        canvas.line(
            head.shape(m([(0.30, -0.47), (-0.1, -0.42), (-0.49, -0.38)]), closed=False), head.tall * 0.10, sitter.disc
        )
        brim = m(
            [
                (0.68, -0.34),
                (0.30, -0.42),
                (-0.1, -0.36),
                (-0.50, -0.34),
                (-0.78, -0.14),
                (-0.48, -0.20),
                (-0.1, -0.26),
                (0.30, -0.34),
            ]
        )
        canvas.polygon(head.shape(brim), head.fade(scale(color, 0.86), 0.6, 0.22))
