"""Smoother surfaces: skin, skies and walls lose their roughness, outlines stay."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import to_bytes, to_float
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import FloatArray, unit
from aquatint.engines.studio.styles.base import Easel, Rgb8


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Guided filter with the picture as its own guide (He, Sun and Tang 2013), a trace of the fine grain kept."""
    height, width = source.shape[:2]
    radius = max(2, round(5 * unit(width, height)))
    tolerance = np.float32((0.085 * easel.strength) ** 2)
    result = np.empty_like(source)

    def mean(planes: FloatArray) -> FloatArray:
        return np.asarray(cv2.blur(planes, (2 * radius + 1, 2 * radius + 1)), dtype=np.float32)

    def strip(top: int, bottom: int) -> None:
        first, last = max(0, top - 2 * radius - 2), min(height, bottom + 2 * radius + 2)
        rgb = to_float(source[first:last])
        middle = mean(rgb)
        spread = np.maximum(mean(rgb * rgb) - middle * middle, 0)
        # One slope for all channels: else the filter shifts colours along edges.
        slope = spread.max(2, keepdims=True) / (spread.max(2, keepdims=True) + tolerance)
        calm = mean(np.ascontiguousarray(slope))[..., None] * rgb + mean(middle * (1 - slope))
        kept = calm + (rgb - calm) * np.float32(0.14)
        part = kept[top - first : top - first + bottom - top]
        result[top:bottom] = to_bytes(np.asarray(part, dtype=np.float32))

    run_strips(strip, height, easel.threads)
    return result
