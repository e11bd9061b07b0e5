"""Film grain."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.color import luminance
from aquatint.engines.studio.kernels.grading import grade
from aquatint.engines.studio.kernels.noise import paper_grain
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Add silver grain, strongest in the middle tones."""
    height, width = source.shape[:2]
    field = paper_grain(height, width, easel.seed, scale=6.0)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        tone = luminance(rgb)
        amount = (0.02 + 0.12 * tone * (1 - tone)) * np.float32(1.3 * easel.strength)
        return np.asarray(rgb + (field.rows(top, bottom) * amount)[..., None], dtype=np.float32)

    return grade(source, easel, work)
