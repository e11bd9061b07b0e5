"""Darkened corners."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.grading import grade
from aquatint.engines.studio.kernels.masks import vignette
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Let the light fall off towards the corners, as old lenses do."""
    height, width = source.shape[:2]

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        fall = vignette(height, width, top, bottom) ** np.float32(1.6)
        return np.asarray(rgb * (1 - np.float32(0.62 * min(1.4, easel.strength)) * fall[..., None]), dtype=np.float32)

    return grade(source, easel, work)
