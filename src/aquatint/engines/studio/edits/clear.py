"""Clear weather: a blue sky and sunshine on the land."""

from __future__ import annotations

from aquatint.engines.studio.edits import dehaze
from aquatint.engines.studio.kernels.grading import Light, relight
from aquatint.engines.studio.styles.base import Easel, Rgb8

_LIGHT = Light(
    exposure=1.12,
    gamma=1.0,
    shadows=(0.9, 0.94, 1.03),
    lights=(1.06, 1.02, 0.94),
    saturation=1.15,
    sky_high=(0.18, 0.44, 0.9),
    sky_low=(0.68, 0.86, 1.02),
    sky_share=0.78,
)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Take the haze away, blue the sky and let the sun shine: warm lights, cool shadows."""
    return relight(dehaze.apply(source, easel), easel, _LIGHT)
