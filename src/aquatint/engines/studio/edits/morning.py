"""Morning: pale gold light through a thin mist."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.grading import Light, grade, outdoors, relight
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.kernels.resize import rows_of
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF

_LIGHT = Light(
    exposure=1.1,
    gamma=0.9,
    shadows=(0.94, 0.97, 1.04),
    lights=(1.08, 1.02, 0.9),
    saturation=0.94,
    sky_high=(0.62, 0.76, 0.94),
    sky_low=(1.0, 0.92, 0.78),
    sky_share=0.62,
    glow=(0.38, 0.3, 0.16),
)
_MIST = np.array([0.97, 0.93, 0.86], np.float32)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Soften and warm the light, and lay a little mist over what is far."""
    height, width = source.shape[:2]
    lit = relight(source, easel, _LIGHT, float(generator(easel.seed, "sun").uniform(0.15, 0.85)))
    place = outdoors(source)
    banks = 1 + fbm(place.depth.shape[0], place.depth.shape[1], 3, 3, derive_seed(easel.seed, "mist"))
    mist = np.asarray(place.depth**2 * banks * (1 - 0.7 * place.sky), dtype=np.float32)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        share = np.clip(rows_of(mist, width, height, top, bottom), 0, 1)[..., None]
        return np.asarray(rgb + (_MIST - rgb) * share * np.float32(0.42 * easel.strength), dtype=np.float32)

    return grade(lit, easel, work)
