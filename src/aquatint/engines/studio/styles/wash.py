"""Line and wash: a light watercolour under a loose ink drawing; the house style when no other was asked for.

Sources: the washes are those of `watercolor`; the drawing is XDoG (Winnemoeller, Kyprianidis and Olsen 2012)
along the flow of Kang, Lee and Chui 2007.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_float
from aquatint.engines.studio.kernels.flow import contrast_mask, xdog
from aquatint.engines.studio.kernels.masks import border_distance
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, paper_grain, warp
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, cover, fit_width, rows_of, unit
from aquatint.engines.studio.kernels.tensor import structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8
from aquatint.engines.studio.styles.watercolor import paint as lay_watercolor

_DRAWING_SIDE = 1400
_INK = (0.17, 0.13, 0.15)  # warm sepia black, sRGB


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Draw the source in ink over thin washes; strength makes the line bolder."""
    washes = replace(
        easel, strength=0.75 * easel.strength, progress=lambda done, stage: easel.progress(0.7 * done, stage)
    )
    sheet = lay_watercolor(source, washes)
    easel.progress(0.7, "drawing in ink")
    ink = _drawing(source, easel)
    easel.progress(0.88, "inking")
    _ink_in(sheet, ink, easel)
    return sheet


def _drawing(source: Rgb8, easel: Easel) -> PlaneF:
    """How much ink each place gets, 0..1, at drawing scale; soft-edged, to be cut sharp when enlarged."""
    width, height = fit_width(easel.width, easel.height, _DRAWING_SIDE)
    k = unit(width, height)
    plane = luminance(to_float(cover(source, width, height)))
    # Lift the shadows, or they become solid black instead of drawn.
    plane = np.asarray(blur(np.power(plane, np.float32(0.7)), 0.5 * k), dtype=np.float32)
    flow = structure_tensor(plane, 2.5 * k)
    local = blur(plane, 9 * k)
    relative = np.asarray(np.clip(plane / (local + np.float32(0.08)), 0, 1.4), dtype=np.float32)
    line = xdog(relative, 0.75 * k, sharpness=14, threshold=0.8, softness=7, threads=easel.threads, flow=flow)
    ink = (1 - np.clip(line, 0, 1)) * contrast_mask(flow, 3 * k, 0.02, 0.07)
    # A pen lifts now and then, and a hand is not a ruler.
    pressure = fbm(height, width, 16, 3, derive_seed(easel.seed, "pressure"))
    ink *= smoothstep(-0.55, 0.1, pressure) * np.float32(0.7) + np.float32(0.3)
    return warp(np.asarray(ink, dtype=np.float32), 2.2 * k, 14, derive_seed(easel.seed, "pen hand"))


def _ink_in(sheet: Rgb8, ink: PlaneF, easel: Easel) -> None:
    """Multiply the drawing into the sheet at output size, paper tooth breaking the thin strokes."""
    height, width = sheet.shape[:2]
    grain = paper_grain(height, width, easel.seed)
    bare = np.array([1.0, 1.0, 1.0], np.float32) - np.array(_INK, np.float32)
    weight = np.float32(0.52 * min(1.3, 0.6 + 0.4 * easel.strength))

    def strip(top: int, bottom: int) -> None:
        line = rows_of(ink, width, height, top, bottom)
        line += grain.rows(top, bottom) * np.float32(-0.05)
        line = smoothstep(0.18, 0.62, line)
        line *= smoothstep(0.026, 0.04, border_distance(height, width, top, bottom))
        shade = 1 - line[..., None] * (bare * weight)
        sheet[top:bottom] = (sheet[top:bottom] * shade + np.float32(0.5)).astype(np.uint8)

    run_strips(strip, height, easel.threads)
