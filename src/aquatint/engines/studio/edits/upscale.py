"""Enlarge: cleaner edges and fresh grain at the new size. It brings back no lost detail."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import luminance, to_bytes, to_float
from aquatint.engines.studio.kernels.noise import paper_grain
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, unit
from aquatint.engines.studio.styles.base import Easel, Rgb8


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Sharpen the soft edges of an enlargement by a shock filter (Osher and Rudin 1990) and add fine grain."""
    height, width = source.shape[:2]
    k = unit(width, height)
    reach = int(6 * k) + 3
    grain = paper_grain(height, width, easel.seed, scale=8.0)
    kernel = np.ones((3, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        first, last = max(0, top - reach), min(height, bottom + reach)
        rgb = to_float(source[first:last])
        tone = blur(luminance(rgb), 0.8 * k)
        bend = np.asarray(cv2.Laplacian(blur(tone, 0.7 * k), cv2.CV_32F), dtype=np.float32) * np.float32(k * k)
        push = np.clip(np.abs(bend) * 22, 0, 0.55)[..., None] * np.float32(min(1.3, easel.strength))
        target = np.where((bend < 0)[..., None], cv2.dilate(rgb, kernel), cv2.erode(rgb, kernel))
        rgb += (target - rgb) * push
        part = rgb[top - first : top - first + bottom - top]
        part += (grain.rows(top, bottom) * np.float32(0.006))[..., None]
        result[top:bottom] = to_bytes(part)

    result = np.empty_like(source)
    run_strips(strip, height, easel.threads)
    return result
