"""Rain: a wet, grey light and streaks in three depths."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.color import luminance, power
from aquatint.engines.studio.kernels.flakes import rows, scatter
from aquatint.engines.studio.kernels.grading import grade, outdoors
from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.kernels.resize import rows_of, unit
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF

_CLOUD = np.array([0.60, 0.64, 0.69], np.float32)
# count at 16:9, thickness, length, blur, opacity
_DEPTHS = ((1900, 0.6, 14, 0.5, 0.24), (620, 0.9, 30, 0.8, 0.2), (90, 1.6, 70, 1.8, 0.15))


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Let it rain; strength from a drizzle (0.45) to a downpour (1.6)."""
    height, width = source.shape[:2]
    k, amount = unit(width, height), easel.strength
    far = outdoors(source).depth
    slant = float(generator(easel.seed, "wind").uniform(0.08, 0.3)) * (1 if easel.seed % 2 else -1)
    area = height / width * 16 / 9
    showers = [
        scatter(
            width,
            height,
            int(count * amount * area),
            thick * k,
            soft * k,
            opacity,
            derive_seed(easel.seed, "rain", i),
            (slant * length * k, length * k),
        )
        for i, (count, thick, length, soft, opacity) in enumerate(_DEPTHS)
    ]

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        gray = luminance(rgb)[..., None]
        wet = gray + (rgb - gray) * np.float32(1 - 0.38 * min(1.2, amount))
        # Wet things are darker and shine more.
        wet = power(np.clip(wet, 0, 1), 1.0 + 0.22 * amount) * np.array([0.90, 0.95, 1.02], np.float32)
        haze = power(np.clip(rows_of(far, width, height, top, bottom), 0, 1), 1.4)[..., None] * np.float32(
            0.55 * amount
        )
        wet = wet + (_CLOUD - wet) * np.clip(haze, 0, 0.85)
        for shower in showers:
            streaks = rows(shower, width, top, bottom)[..., None]
            wet = wet + (np.float32(0.92) - wet) * streaks
        return np.asarray(wet, dtype=np.float32)

    return grade(source, easel, work)
