"""Sunset: a burning sky and dark, purple land."""

from __future__ import annotations

from aquatint.engines.studio.kernels.grading import Light, relight
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.styles.base import Easel, Rgb8

_LIGHT = Light(
    exposure=0.86,
    gamma=1.22,
    shadows=(0.86, 0.66, 0.82),
    lights=(1.2, 0.86, 0.62),
    saturation=1.08,
    sky_high=(0.42, 0.32, 0.56),
    sky_low=(1.06, 0.56, 0.26),
    sky_share=0.85,
    glow=(0.75, 0.36, 0.12),
)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Set the sky alight towards the horizon and let the land sink into warm shadow."""
    sun_x = float(generator(easel.seed, "sun").uniform(0.2, 0.8))
    return relight(source, easel, _LIGHT, sun_x)
