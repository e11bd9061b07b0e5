"""Cooler colours."""

from __future__ import annotations

from aquatint.engines.studio.kernels.grading import grade_lab
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Shift the white point towards blue, a little less in the shadows."""

    def work(lab: RgbF) -> None:
        share = lab[..., 0] / 100
        lab[..., 2] -= 13 * easel.strength * share
        lab[..., 1] -= 2 * easel.strength * share

    return grade_lab(source, easel, work)
