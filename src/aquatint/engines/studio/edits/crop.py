"""Crop: closer to the subject, in the same ratio."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.matte import subject_matte
from aquatint.engines.studio.kernels.resize import resize
from aquatint.engines.studio.kernels.saliency import saliency
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8

_LEAST_KEPT = 0.85  # share of the picture's interest that a crop must not lose
_WIDEST = 0.9


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Cut to the window that holds most interest and bring it back to size; strength cuts closer."""
    height, width = source.shape[:2]
    matte = subject_matte(source)
    interest = resize(saliency(source).interest, matte.shape[1], matte.shape[0])
    interest = interest / max(float(interest.mean()), 1e-6) + 2 * matte / max(float(matte.mean()), 1e-6)
    share = float(np.clip(0.84 - 0.2 * easel.strength, 0.5, 0.8))
    left, top, kept = best_window(interest, share)
    while kept < _LEAST_KEPT and share < _WIDEST:
        share += 0.03
        left, top, kept = best_window(interest, share)
    wide, tall = max(1, round(width * share)), max(1, round(height * share))
    x, y = round(left * (width - wide)), round(top * (height - tall))
    return resize(np.ascontiguousarray(source[y : y + tall, x : x + wide]), width, height)


def best_window(interest: PlaneF, share: float) -> tuple[float, float, float]:
    """Window of that share of both sides with most interest: place across and down, part of the interest in it."""
    tall, wide = interest.shape
    window_w, window_h = max(1, round(wide * share)), max(1, round(tall * share))
    total = cv2.integral(interest)
    sums = total[window_h:, window_w:] - total[:-window_h, window_w:] - total[window_h:, :-window_w]
    sums = sums + total[:-window_h, :-window_w]
    # Between nearly equal windows the higher one: heads and spires are easily cut.
    headroom = np.linspace(1, 0.97, sums.shape[0])[:, None]
    row, column = np.unravel_index(int(np.argmax(sums * headroom)), sums.shape)
    kept = float(sums[row, column]) / max(float(total[-1, -1]), 1e-9)
    return float(column) / max(1, sums.shape[1] - 1), float(row) / max(1, sums.shape[0] - 1), kept
