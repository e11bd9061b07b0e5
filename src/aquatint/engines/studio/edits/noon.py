"""Noon: hard light from above, white and deep blue."""

from __future__ import annotations

from aquatint.engines.studio.kernels.grading import Light, relight
from aquatint.engines.studio.styles.base import Easel, Rgb8

_LIGHT = Light(
    exposure=1.22,
    gamma=1.08,
    shadows=(0.84, 0.87, 0.96),
    lights=(1.03, 1.02, 0.99),
    saturation=1.16,
    sky_high=(0.2, 0.46, 0.94),
    sky_low=(0.72, 0.88, 1.04),
    sky_share=0.62,
)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Put the sun overhead: brighter lights, shorter and deeper shadows, a saturated sky."""
    return relight(source, easel, _LIGHT)
