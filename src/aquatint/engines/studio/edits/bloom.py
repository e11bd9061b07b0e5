"""Bloom: bright places shine beyond their edges."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_float
from aquatint.engines.studio.kernels.grading import grade
from aquatint.engines.studio.kernels.resize import blur_wide, fit_width, resize, rows_of, unit
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Add the light of bright places, blurred at three radii."""
    height, width = source.shape[:2]
    small = to_float(resize(source, *fit_width(width, height, 768)))
    k = unit(small.shape[1], small.shape[0])
    bright = small * smoothstep(0.62, 0.98, luminance(small))[..., None]
    halo = blur_wide(bright, 5 * k) * 0.4 + blur_wide(bright, 18 * k) * 0.35 + blur_wide(bright, 60 * k) * 0.3
    halo = np.asarray(halo * np.float32(0.75 * easel.strength), dtype=np.float32)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        shine = np.clip(rows_of(halo, width, height, top, bottom), 0, 1)
        return np.asarray(1 - (1 - rgb) * (1 - shine), dtype=np.float32)

    return grade(source, easel, work)
