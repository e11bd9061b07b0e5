"""Spring: young green and mild light."""

from __future__ import annotations

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.grading import grade_lab
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Freshen the greens and lift the light."""

    def work(lab: RgbF) -> None:
        a, b = lab[..., 1].copy(), lab[..., 2].copy()
        # Leaves: from yellow to blue-green, neither grey nor sky.
        leafy = smoothstep(3, 14, b - 0.35 * a) * smoothstep(14, 4, a)
        lab[..., 1] -= 8 * easel.strength * leafy
        lab[..., 2] += 9 * easel.strength * leafy
        lab[..., 0] += (5 + 3 * leafy) * easel.strength * (1 - lab[..., 0] / 100)

    return grade_lab(source, easel, work)
