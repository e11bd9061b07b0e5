"""Autumn: green leaves turn gold, orange and red."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.grading import grade_lab
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Turn the hue of foliage; darker leaves go redder."""

    def work(lab: RgbF) -> None:
        a, b = lab[..., 1].copy(), lab[..., 2].copy()
        # Leaves: from yellow to blue-green, neither grey nor sky.
        leafy = smoothstep(3, 14, b - 0.35 * a) * smoothstep(14, 4, a)
        leafy *= np.float32(min(1.0, 0.35 + 0.65 * easel.strength))
        tone = lab[..., 0] / 100
        chroma = np.hypot(a, b) * np.float32(1.25) + 9
        hue = 0.62 + 0.62 * tone + 0.006 * np.clip(b, 0, 60)
        lab[..., 1] += (chroma * np.cos(hue) - a) * leafy
        lab[..., 2] += (chroma * np.sin(hue) - b) * leafy
        lab[..., 0] += 3.5 * leafy
        lab[..., 2] += 2.5 * easel.strength * (1 - leafy)

    return grade_lab(source, easel, work)
