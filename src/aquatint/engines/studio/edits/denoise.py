"""Less noise: smooth grounds, kept edges."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import unit
from aquatint.engines.studio.styles.base import Easel, Rgb8


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Bilateral filter (Tomasi and Manduchi 1998), strip by strip with overlap."""
    height, width = source.shape[:2]
    reach = max(2, min(5, round(2.2 * unit(width, height))))
    tolerance = 22.0 * easel.strength
    result = np.empty_like(source)

    def strip(top: int, bottom: int) -> None:
        first, last = max(0, top - 2 * reach), min(height, bottom + 2 * reach)
        calm = cv2.bilateralFilter(np.ascontiguousarray(source[first:last]), 2 * reach + 1, tolerance, reach * 0.8)
        result[top:bottom] = calm[top - first : top - first + bottom - top]

    run_strips(strip, height, easel.threads)
    return result
