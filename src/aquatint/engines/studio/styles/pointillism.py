"""Pointillism: dabs of broken colour on a light ground, larger where the picture is calm."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import lab_to_rgb, rgb_to_lab, to_bytes, to_float
from aquatint.engines.studio.kernels.hatching import Tooth, rows_linear
from aquatint.engines.studio.kernels.noise import derive_seed
from aquatint.engines.studio.kernels.painterly import Layer, Manner, paint_in_layers
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import cover, fit_width, rows_of
from aquatint.engines.studio.kernels.strokes import Canvas
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF

_PAINT_SIZE = 1344
_DABS = (
    Layer(21, 0.0, spacing=0.58),
    Layer(12.5, 0.030, sprinkle=0.40, spacing=0.82),
    Layer(8.5, 0.110, sprinkle=0.06, spacing=0.90),
    Layer(5.6, 0.160, sprinkle=0.0, spacing=0.95),
)


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Set the picture in dabs of divided colour (Seurat's manner, painted by Hertzmann 1998 with short strokes).

    Strength is how far the colours of neighbouring dabs stand apart.
    """
    width, height = fit_width(easel.width, easel.height, _PAINT_SIZE)
    lab = rgb_to_lab(to_float(cover(source, width, height)))
    lab[..., 1:] *= 1.3
    lab[..., 0] = np.clip(lab[..., 0] * 0.93 + 5, 0, 100)
    play = easel.strength
    manner = Manner(
        _DABS,
        length=(1.0, 1.35),
        jitter=(3.6 * play, 7.5 * play, 8.5 * play),
        fidelity=0.5,
        wander=2.0,
        fade=0.0,
        ground=(0.93, 0.90, 0.82),
        ground_share=0.20,
    )
    canvas = paint_in_layers(
        lab_to_rgb(lab), manner, derive_seed(easel.seed, "points"), lambda done: easel.progress(0.85 * done, "dabs")
    )
    return _finish(canvas, easel)


def _finish(canvas: Canvas, easel: Easel) -> Rgb8:
    """Enlarge, sharpen the dabs' rims and light their slight relief over the tooth of the canvas."""
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    painted = _crisp(canvas.picture()[0])
    tooth = Tooth.of(1.2 * unit, derive_seed(easel.seed, "canvas"))
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        a, b = max(0, top - 2), min(h, bottom + 2)
        body = rows_of(painted, w, h, a, b)
        relief = rows_linear(np.ascontiguousarray(painted[..., 3]), w, h, a, b)
        relief += np.float32(0.05) * tooth.rows(a, b, w)
        slope = cv2.Scharr(relief, cv2.CV_32F, 1, 0) * 0.6 + cv2.Scharr(relief, cv2.CV_32F, 0, 1) * 0.8
        light = 1 + np.clip(slope * np.float32(unit / 16 * 0.42), -0.16, 0.16)
        lit = body[..., :3] * light[..., None]
        out[top:bottom] = to_bytes(lit[top - a : bottom - a])

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "light")
    return out


def _crisp(painted: RgbF) -> RgbF:
    soft = cv2.GaussianBlur(painted, (0, 0), 1.0)
    sharp = painted + np.float32(0.7) * (painted - soft)
    sharp[..., 3] = soft[..., 3]
    return np.asarray(sharp, dtype=np.float32)
