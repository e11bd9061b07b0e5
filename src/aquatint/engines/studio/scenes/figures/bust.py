"""A head and shoulders from the front or the side, as flat shapes in split light."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.scenes.figures.canvas import (
    gradient,
    mix,
    points,
    ribbon,
    scale,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.hair import hair_behind, hair_front, profile_hair
from aquatint.engines.studio.scenes.figures.sitter import Head, Mirror


def _shoulders(head: Head, rng: np.random.Generator) -> None:
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
    ]
    dim_side = np.concatenate([head.shape(half, closed=False), [head.at(0.1 * -s, low)]])
    canvas.polygon(dim_side, scale(sitter.cloth, 0.45), 0.42)
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


def paint_front(head: Head, rng: np.random.Generator) -> None:
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
    hair_behind(head)
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
    _shaded_half(head, jaw)
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
    hair_front(head)
    if not sitter.man:
        for way in (-1, 1):
            canvas.ellipse(*head.at(0.40 * way, 0.26), head.tall * 0.045, head.tall * 0.07, head.fade(sitter.accent))


def _shaded_half(head: Head, jaw: float) -> None:
    """The half of the face that looks away from the light."""
    canvas = head.canvas
    sitter = head.sitter
    s = head.sitter.side
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


def _features(head: Head) -> None:
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


def paint_profile(head: Head, rng: np.random.Generator) -> None:
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
    _profile_face(head, m)
    _profile_shade(head, m)
    _profile_features(head, m)
    profile_hair(head, m)


def _profile_face(head: Head, m: Mirror) -> None:
    """The outline of the face, from the hair to the jaw."""
    canvas = head.canvas
    sitter = head.sitter
    brow, chin = (0.36, 0.05) if sitter.man else (0.345, 0.0)
    face = m(
        [
            (-0.05, -0.55),
            (0.18, -0.52),
            (0.315, -0.38),
            (brow, -0.22),
            (0.335, -0.13),
            (0.365, -0.05),
            (0.435, 0.07),
            (0.445, 0.115),
            (0.375, 0.15),
            (0.355, 0.19),
            (0.395, 0.245),
            (0.372, 0.285),
            (0.388, 0.325),
            (0.345, 0.375),
            (0.36, 0.43 + chin * 0.3),
            (0.30, 0.51),
            (0.15, 0.50),
            (-0.08, 0.36),
            (-0.18, 0.18),
            (-0.24, -0.2),
            (-0.18, -0.45),
        ]
    )
    canvas.polygon(head.shape(face), head.fade(sitter.skin, 0.9, 0.14))


def _profile_shade(head: Head, m: Mirror) -> None:
    """The cheek and jaw in shadow, and a blush."""
    canvas = head.canvas
    sitter = head.sitter
    s = head.sitter.side
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


def _profile_features(head: Head, m: Mirror) -> None:
    """Eye, brow and lips seen from the side."""
    canvas = head.canvas
    sitter = head.sitter
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
