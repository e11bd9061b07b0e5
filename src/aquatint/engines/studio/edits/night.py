"""Night: moonlit blue, a starry sky, and lamps that stay lit."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_float
from aquatint.engines.studio.kernels.flakes import rows, scatter
from aquatint.engines.studio.kernels.grading import Light, grade, outdoors, relight
from aquatint.engines.studio.kernels.noise import derive_seed
from aquatint.engines.studio.kernels.resize import blur_wide, fit_width, resize, rows_of, unit
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_LIGHT = Light(
    exposure=0.6,
    gamma=1.3,
    shadows=(0.5, 0.66, 1.15),
    lights=(0.74, 0.88, 1.16),
    saturation=0.55,
    sky_high=(0.03, 0.05, 0.13),
    sky_low=(0.13, 0.18, 0.33),
    sky_share=0.94,
)
_LAMP = np.array([1.0, 0.78, 0.42], np.float32)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Turn day into night (day for night, as film makers do); warm bright spots become lamps."""
    height, width = source.shape[:2]
    k = unit(width, height)
    place = outdoors(source)
    lamps = _lamps(source, place.sky)
    count = int(420 * height / width * 16 / 9)
    stars = scatter(width, height, count, 0.55 * k, 0.35 * k, 0.8, derive_seed(easel.seed, "stars"))
    dark = relight(source, easel, _LIGHT)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        clear = smoothstep(0.75, 0.98, rows_of(place.sky, width, height, top, bottom))
        lit = rgb + (1 - rgb) * (rows(stars, width, top, bottom) * clear)[..., None]
        glow = np.clip(rows_of(lamps, width, height, top, bottom), 0, 1)[..., None]
        return np.asarray(1 - (1 - lit) * (1 - glow * _LAMP), dtype=np.float32)

    return grade(dark, easel, work)


def _lamps(source: Rgb8, sky: PlaneF) -> PlaneF:
    """Light of bright, warm, small places, with the halo they throw."""
    height, width = source.shape[:2]
    small = to_float(resize(source, *fit_width(width, height, 768)))
    k = unit(small.shape[1], small.shape[0])
    tone = luminance(small)
    warm = smoothstep(0.12, 0.4, np.asarray(small[..., 0] - small[..., 2], dtype=np.float32))
    stands_out = smoothstep(0.12, 0.3, np.asarray(tone - blur_wide(tone, 14 * k), dtype=np.float32))
    spots = warm * stands_out * smoothstep(0.6, 0.85, tone)
    spots *= 1 - np.clip(resize(sky, small.shape[1], small.shape[0]), 0, 1)
    return np.asarray(spots * 0.7 + blur_wide(spots, 10 * k) * 1.1, dtype=np.float32)
