"""More contrast."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.grading import grade_lab
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Bend the tones into an S around middle grey."""

    def work(lab: RgbF) -> None:
        tone = lab[..., 0] / 100
        curved = tone * tone * (3 - 2 * tone)
        lab[..., 0] = 100 * (tone + (curved - tone) * np.float32(0.75 * easel.strength))
        lab[..., 1:] *= 1 + 0.08 * easel.strength

    return grade_lab(source, easel, work)
