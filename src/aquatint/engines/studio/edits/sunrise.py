"""Sunrise: fresh pink and gold."""

from __future__ import annotations

from aquatint.engines.studio.kernels.grading import Light, relight
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.styles.base import Easel, Rgb8

_LIGHT = Light(
    exposure=1.0,
    gamma=1.04,
    shadows=(0.9, 0.86, 1.0),
    lights=(1.12, 0.98, 0.86),
    saturation=1.0,
    sky_high=(0.66, 0.7, 0.88),
    sky_low=(1.06, 0.8, 0.62),
    sky_share=0.75,
    glow=(0.55, 0.34, 0.2),
)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Lighten the sky from rose to pale gold; the land stays cool and clear."""
    sun_x = float(generator(easel.seed, "sun").uniform(0.2, 0.8))
    return relight(source, easel, _LIGHT, sun_x)
