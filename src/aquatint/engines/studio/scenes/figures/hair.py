"""Hair and hats of the stylised bust."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.scenes.figures.canvas import (
    mix,
    moved,
    oval,
    ribbon,
    scale,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.sitter import Head, Mirror

# Outlines of hair that shows behind the head, in heads.
_BEHIND: dict[str, list[tuple[float, float]]] = {
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


def hair_behind(head: Head) -> None:
    sitter, canvas = head.sitter, head.canvas
    if sitter.cut in _BEHIND and not (sitter.man and sitter.cut == "hat"):
        canvas.polygon(head.shape(_BEHIND[sitter.cut]), head.fade(sitter.hair, 0.7, 0.12))
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


def _curls(head: Head) -> None:
    """Curls over the brow and along the hair line, with their swirls."""
    sitter, canvas = head.sitter, head.canvas
    dark = head.fade(sitter.hair, 0.7, 0.16)
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


def _cropped(s: float) -> list[tuple[float, float]]:
    """Outline of short hair, in heads; `s` is the side of the light."""
    return [
        (-0.40, 0.02),
        (-0.43, -0.30),
        (-0.28, -0.62),
        (0.05 * s, -0.72),
        (0.32, -0.60),
        (0.44, -0.28),
        (0.40, 0.02),
        (0.34, -0.20),
        (0.26, -0.36),
        (-0.02, -0.40 - 0.03 * s),
        (-0.28, -0.33),
        (-0.345, -0.18),
    ]


def hair_front(head: Head) -> None:
    s, sitter, canvas = head.sitter.side, head.sitter, head.canvas
    dark = head.fade(sitter.hair, 0.7, 0.16)
    if sitter.cut == "hat":
        _hat(head)
        return
    if sitter.cut == "short":
        cap = _cropped(s)
        canvas.polygon(head.shape(cap), dark)
    elif sitter.cut == "curls":
        _curls(head)
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


def _hat(head: Head) -> None:
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
    canvas.polygon(
        moved(head.shape(brim), 0.0, head.tall * 0.035), scale(sitter.shade, 0.6), 0.6, soft=head.tall * 0.012
    )
    canvas.polygon(head.shape(brim), head.fade(scale(color, 0.86), 0.6, 0.22))


def profile_hair(head: Head, m: Mirror) -> None:
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
    _profile_ear(head, m)


def _profile_ear(head: Head, m: Mirror) -> None:
    """Ear, ear ring and hat seen from the side."""
    canvas = head.canvas
    sitter = head.sitter
    s = head.sitter.side
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
