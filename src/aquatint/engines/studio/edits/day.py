"""Day: plain, bright daylight."""

from __future__ import annotations

from aquatint.engines.studio.kernels.grading import Light, relight
from aquatint.engines.studio.styles.base import Easel, Rgb8

_LIGHT = Light(
    exposure=1.12,
    gamma=0.84,
    shadows=(1.0, 1.02, 1.06),
    lights=(1.02, 1.01, 0.98),
    saturation=1.06,
    sky_high=(0.42, 0.64, 0.98),
    sky_low=(0.86, 0.93, 1.0),
    sky_share=0.55,
)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Open the shadows, whiten the light and make the sky a daytime one. Night windows stay lit."""
    return relight(source, easel, _LIGHT)
