"""Dusk: the blue hour."""

from __future__ import annotations

from aquatint.engines.studio.kernels.grading import Light, relight
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.styles.base import Easel, Rgb8

_LIGHT = Light(
    exposure=0.66,
    gamma=1.18,
    shadows=(0.72, 0.78, 1.12),
    lights=(0.92, 0.9, 1.06),
    saturation=0.82,
    sky_high=(0.16, 0.2, 0.42),
    sky_low=(0.72, 0.5, 0.54),
    sky_share=0.88,
    glow=(0.3, 0.14, 0.1),
)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Turn the picture deep blue, with the last warmth along the horizon."""
    sun_x = float(generator(easel.seed, "sun").uniform(0.2, 0.8))
    return relight(source, easel, _LIGHT, sun_x)
