"""Sharper: local contrast at two radii, without bright halos."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.color import lab_to_rgb, rgb_to_lab, to_bytes, to_float
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, unit
from aquatint.engines.studio.styles.base import Easel, Rgb8


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Unsharp masking of lightness; overshoot is held to a few levels. It invents no detail."""
    height, width = source.shape[:2]
    k = unit(width, height)
    reach = int(10 * k) + 2
    result = np.empty_like(source)

    def strip(top: int, bottom: int) -> None:
        first, last = max(0, top - reach), min(height, bottom + reach)
        lab = rgb_to_lab(to_float(source[first:last]))
        light = np.ascontiguousarray(lab[..., 0])
        fine, broad = light - blur(light, 0.9 * k), light - blur(light, 3 * k)
        gain = np.clip(fine, -8, 8) * np.float32(0.9) + np.clip(broad, -9, 9) * np.float32(0.4)
        lab[..., 0] = np.clip(light + gain * np.float32(easel.strength), 0, 100)
        result[top:bottom] = to_bytes(lab_to_rgb(lab))[top - first : top - first + bottom - top]

    run_strips(strip, height, easel.threads)
    return result
