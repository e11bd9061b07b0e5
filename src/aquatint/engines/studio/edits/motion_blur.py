"""Motion blur: the surroundings rush past, the subject stays."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import luminance
from aquatint.engines.studio.kernels.grading import grade
from aquatint.engines.studio.kernels.matte import subject_matte
from aquatint.engines.studio.kernels.resize import blur, rows_of, unit
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Pan with the subject: all else is drawn out sideways, lights into trails; strength makes them longer."""
    height, width = source.shape[:2]
    matte = subject_matte(source)
    matte = blur(matte, 0.012 * matte.shape[1])
    reach = max(3, min(width // 2, round(52 * easel.strength * unit(width, height)))) | 1

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        keep = np.clip(rows_of(matte, width, height, top, bottom), 0, 1)[..., None]
        weight = (1 - keep * np.float32(0.93)) * (0.3 + luminance(rgb)[..., None] ** 3)
        weighted = np.concatenate([rgb * weight, weight], axis=2).astype(np.float32)
        for length in (reach, reach // 2 | 1):
            drawn = cv2.blur(weighted, (length, 1), borderType=cv2.BORDER_REFLECT)
            weighted = np.asarray(drawn, dtype=np.float32)
        streaks = weighted[..., :3] / np.maximum(weighted[..., 3:], np.float32(1e-4))
        return np.asarray(streaks + (rgb - streaks) * keep * np.float32(0.92), dtype=np.float32)

    return grade(source, easel, work)
