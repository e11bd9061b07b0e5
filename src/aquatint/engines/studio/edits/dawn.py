"""Dawn: before the sun, soft and violet."""

from __future__ import annotations

from aquatint.engines.studio.kernels.grading import Light, relight
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.styles.base import Easel, Rgb8

_LIGHT = Light(
    exposure=0.82,
    gamma=1.08,
    shadows=(0.8, 0.82, 1.06),
    lights=(1.0, 0.92, 0.98),
    saturation=0.8,
    sky_high=(0.42, 0.46, 0.68),
    sky_low=(0.96, 0.72, 0.68),
    sky_share=0.8,
    glow=(0.3, 0.18, 0.14),
)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Cool and soften the land under a violet sky with a first warm band."""
    sun_x = float(generator(easel.seed, "sun").uniform(0.2, 0.8))
    return relight(source, easel, _LIGHT, sun_x)
