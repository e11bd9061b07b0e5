"""Storm: a heavy sky over hard rain."""

from __future__ import annotations

from dataclasses import replace

from aquatint.engines.studio.edits.rain import apply as let_it_rain
from aquatint.engines.studio.kernels.grading import Light, relight
from aquatint.engines.studio.styles.base import Easel, Rgb8

_LIGHT = Light(
    exposure=0.85,
    gamma=1.2,
    shadows=(0.84, 0.92, 1.02),
    lights=(0.9, 0.95, 1.0),
    saturation=0.66,
    sky_high=(0.16, 0.18, 0.22),
    sky_low=(0.48, 0.51, 0.54),
    sky_share=0.8,
)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Darken the sky and let it pour."""
    return let_it_rain(relight(source, easel, _LIGHT), replace(easel, strength=1.1 * easel.strength))
