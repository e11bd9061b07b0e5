"""Quieter colours."""

from __future__ import annotations

from aquatint.engines.studio.kernels.grading import grade_lab
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Narrow the chroma and soften the contrast a little."""

    def work(lab: RgbF) -> None:
        lab[..., 1:] *= max(0.15, 1 - 0.5 * easel.strength)
        lab[..., 0] = 53 + (lab[..., 0] - 53) * 0.94

    return grade_lab(source, easel, work)
