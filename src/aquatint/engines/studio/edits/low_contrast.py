"""Less contrast, as on matt paper."""

from __future__ import annotations

from aquatint.engines.studio.kernels.grading import grade_lab
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Draw black and white in towards a soft grey."""

    def work(lab: RgbF) -> None:
        kept = 1 - 0.36 * min(1.4, easel.strength)
        lab[..., 0] = 58 + (lab[..., 0] - 56) * kept
        lab[..., 1:] *= 0.5 + 0.5 * kept

    return grade_lab(source, easel, work)
