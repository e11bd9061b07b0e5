"""More light."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.grading import grade_lab
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Lift the middle tones; black stays black and white stays white."""

    def work(lab: RgbF) -> None:
        lab[..., 0] = 100 * (lab[..., 0] / 100) ** np.float32(1 / (1 + 0.42 * easel.strength))

    return grade_lab(source, easel, work)
