"""Smoother surfaces: skin, skies and walls lose their roughness, outlines stay."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.arrays import Rgb8, RgbF
from aquatint.engines.studio.easel import Easel
from aquatint.engines.studio.kernels.color import to_float
from aquatint.engines.studio.kernels.grading import grade
from aquatint.engines.studio.kernels.resize import FloatArray, fit_width, resize, rows_of, unit

_FILTER_SIDE = 1600


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Guided filter with the picture as its own guide, a trace of the fine grain kept.

    He, Sun and Tang 2013; fitted on a smaller copy and applied to the full one, as in He and Sun 2015.
    """
    height, width = source.shape[:2]
    fitted = _fit(to_float(resize(source, *fit_width(width, height, _FILTER_SIDE))), easel.strength)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        local = rows_of(fitted, width, height, top, bottom)
        calm = local[..., :1] * rgb + local[..., 1:]
        return np.asarray(calm + (rgb - calm) * np.float32(0.14), dtype=np.float32)

    return grade(source, easel, work)


def _fit(small: RgbF, strength: float) -> FloatArray:
    """Slope and offsets of the local map, (h, w, 4): picture = slope * picture + offset."""
    radius = max(2, round(5 * unit(small.shape[1], small.shape[0])))
    tolerance = np.float32((0.085 * strength) ** 2)

    def mean(planes: FloatArray) -> FloatArray:
        return np.asarray(cv2.blur(planes, (2 * radius + 1, 2 * radius + 1)), dtype=np.float32)

    middle = mean(small)
    # One slope for all channels: else the filter shifts colours along edges.
    spread = np.maximum(mean(small * small) - middle * middle, 0).max(2, keepdims=True)
    slope = spread / (spread + tolerance)
    return mean(np.concatenate([slope, middle * (1 - slope)], axis=2).astype(np.float32))
