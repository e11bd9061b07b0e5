"""Crop: closer to the subject, in the same ratio."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.resize import resize
from aquatint.engines.studio.kernels.saliency import saliency
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Cut to the window that holds most interest and bring it back to size; strength cuts closer."""
    height, width = source.shape[:2]
    share = float(np.clip(0.9 - 0.22 * easel.strength, 0.5, 0.82))
    wide, tall = max(1, round(width * share)), max(1, round(height * share))
    left, top = best_window(saliency(source).interest, share)
    x, y = round(left * (width - wide)), round(top * (height - tall))
    return resize(np.ascontiguousarray(source[y : y + tall, x : x + wide]), width, height)


def best_window(interest: PlaneF, share: float) -> tuple[float, float]:
    """Place of the window of that share of both sides with most interest: 0..1 across and down."""
    tall, wide = interest.shape
    window_w, window_h = max(1, round(wide * share)), max(1, round(tall * share))
    total = cv2.integral(interest)
    sums = total[window_h:, window_w:] - total[:-window_h, window_w:] - total[window_h:, :-window_w]
    sums = sums + total[:-window_h, :-window_w]
    row, column = np.unravel_index(int(np.argmax(sums)), sums.shape)
    return float(column) / max(1, sums.shape[1] - 1), float(row) / max(1, sums.shape[0] - 1)
