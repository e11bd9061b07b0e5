"""The golden hour: low, warm light."""

from __future__ import annotations

from aquatint.engines.studio.kernels.grading import Light, relight
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.styles.base import Easel, Rgb8

_LIGHT = Light(
    exposure=1.04,
    gamma=1.06,
    shadows=(0.97, 0.88, 0.86),
    lights=(1.16, 1.0, 0.74),
    saturation=1.1,
    sky_high=(0.72, 0.72, 0.74),
    sky_low=(1.0, 0.78, 0.46),
    sky_share=0.62,
    glow=(0.52, 0.34, 0.12),
)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Warm the lights, keep some blue in the shadows, let the low sun glow."""
    sun_x = float(generator(easel.seed, "sun").uniform(0.2, 0.8))
    return relight(source, easel, _LIGHT, sun_x)
