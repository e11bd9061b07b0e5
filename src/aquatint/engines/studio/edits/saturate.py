"""Richer colours."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.grading import grade_lab
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Widen the chroma, pale colours more than already strong ones."""

    def work(lab: RgbF) -> None:
        chroma = np.hypot(lab[..., 1], lab[..., 2])
        gain = 1 + 0.65 * easel.strength * np.exp(-chroma / 55)
        lab[..., 1:] *= gain[..., None].astype(np.float32)

    return grade_lab(source, easel, work)
