"""Summer: deep green and strong sun."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.grading import grade_lab
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Deepen the greens, warm the lights, add contrast."""

    def work(lab: RgbF) -> None:
        a, b = lab[..., 1].copy(), lab[..., 2].copy()
        # Leaves: from yellow to blue-green, neither grey nor sky.
        leafy = smoothstep(3, 14, b - 0.35 * a) * smoothstep(14, 4, a)
        tone = lab[..., 0] / 100
        lab[..., 0] += 100 * (tone * tone * (3 - 2 * tone) - tone) * np.float32(0.35 * easel.strength)
        lab[..., 1] -= 4 * easel.strength * leafy
        lab[..., 2] += easel.strength * (5 * tone + 3 * leafy)

    return grade_lab(source, easel, work)
