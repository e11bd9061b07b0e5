"""Winter: low, cold light and bare colours."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.grading import grade_lab
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Drain the greens, cool the light and pale the picture; for snow ask for snow."""

    def work(lab: RgbF) -> None:
        a, b = lab[..., 1].copy(), lab[..., 2].copy()
        # Leaves: from yellow to blue-green, neither grey nor sky.
        leafy = smoothstep(3, 14, b - 0.35 * a) * smoothstep(14, 4, a)
        strength = np.float32(min(1.3, easel.strength))
        drained = 1 - strength * (0.35 + 0.4 * leafy)
        lab[..., 1:] *= np.clip(drained, 0.1, 1)[..., None]
        lab[..., 2] -= 6 * strength
        lab[..., 0] += 7 * strength * (1 - lab[..., 0] / 100)

    return grade_lab(source, easel, work)
