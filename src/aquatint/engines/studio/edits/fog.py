"""Fog: far things fade, in banks that drift."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.color import luminance
from aquatint.engines.studio.kernels.grading import grade, outdoors
from aquatint.engines.studio.kernels.noise import derive_seed, fbm
from aquatint.engines.studio.kernels.resize import rows_of
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF

_FOG = np.array([0.86, 0.88, 0.90], np.float32)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Veil the picture by guessed distance (Koschmieder's law) with drifting banks; strength thickens it."""
    height, width = source.shape[:2]
    depth = outdoors(source).depth
    banks = fbm(depth.shape[0], depth.shape[1], 3, 4, derive_seed(easel.seed, "banks"))
    thickness = np.clip(0.12 + 2.3 * depth**1.5 + 0.9 * banks * (0.3 + depth), 0.05, 4)
    veil = np.asarray(1 - np.exp(-thickness * np.float32(easel.strength)), dtype=np.float32)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        share = np.clip(rows_of(veil, width, height, top, bottom), 0, 0.97)[..., None]
        gray = luminance(rgb)[..., None]
        damp = gray + (rgb - gray) * (1 - 0.45 * share)
        return np.asarray(damp * (1 - share) + _FOG * share, dtype=np.float32)

    return grade(source, easel, work)
