"""Clearer air: the haze of distance is taken out (He, Sun and Tang 2009)."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import luminance, to_float
from aquatint.engines.studio.kernels.grading import grade, guided
from aquatint.engines.studio.kernels.resize import fit_width, resize, rows_of
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Estimate the veil by the dark channel and divide it out; strength from slight to strong."""
    height, width = source.shape[:2]
    small = to_float(resize(source, *fit_width(width, height, 512)))
    dark = np.asarray(cv2.erode(small.min(2), np.ones((11, 11), np.uint8)), dtype=np.float32)
    hazy = dark >= np.percentile(dark, 99)
    air = np.maximum(small[hazy].mean(0), np.float32(0.5))
    veil = guided(luminance(small), dark, 20) * np.float32(min(0.95, 0.72 * easel.strength))

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        through = 1 - np.clip(rows_of(veil, width, height, top, bottom), 0, 0.75)[..., None]
        return np.asarray((rgb - air) / through + air, dtype=np.float32)

    return grade(source, easel, work)
