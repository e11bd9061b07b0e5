"""Fitting a photo to the wanted ratio without cutting its subject, and never with black bars."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.kernels.resize import blur_wide
from aquatint.engines.studio.kernels.saliency import saliency
from aquatint.engines.studio.styles.base import PlaneF, Rgb8

# A crop that would keep less of the interest than this is widened; the rest of the frame is grown outwards.
_LEAST_KEPT = 0.52
_POSITIONS = 41
_RATIO_TOLERANCE = 0.004


@dataclass(frozen=True, slots=True)
class Fitted:
    """A photo cut, or grown, to the ratio."""

    image: Rgb8  # (h, w, 3), the ratio wanted within a pixel, size of the source's pixels
    kept: float  # share of the source's interest that is still in the frame, 0..1
    grown: float  # share of the frame that was invented by mirroring, 0..1


def fit(source: Rgb8, width: int, height: int) -> Fitted:
    """Cut the window of ratio width:height that keeps most of the interest.

    When even the best window would cut the subject, a wider one is taken and the missing stripes are filled
    with the mirrored picture, more blurred the farther out.
    """
    ratio = width / height
    source_h, source_w = source.shape[:2]
    if abs(source_w / source_h / ratio - 1) < _RATIO_TOLERANCE:
        return Fitted(source, 1.0, 0.0)
    interest = saliency(source).interest
    tall = source_w / source_h < ratio  # the source is too tall: rows must go
    profile = interest.sum(1 if tall else 0)
    length = source_h if tall else source_w
    exact = source_w / ratio if tall else source_h * ratio
    start, kept = _best_window(profile, min(1.0, exact / length))
    size = exact
    while kept < _LEAST_KEPT and size < length:
        size = min(float(length), size * 1.08)
        start, kept = _best_window(profile, size / length)
    first = min(round(start * length), length - 1)
    last = min(length, max(first + 1, first + round(size)))
    cut = source[first:last] if tall else source[:, first:last]
    grown = _grow(np.ascontiguousarray(cut), ratio, tall)
    return Fitted(grown, kept, 1 - cut.shape[0] * cut.shape[1] / (grown.shape[0] * grown.shape[1]))


def _best_window(profile: PlaneF, share: float) -> tuple[float, float]:
    """Start of the window (0..1) that covers `share` of the length with most interest, and how much it keeps."""
    total = np.concatenate([[0.0], np.cumsum(profile, dtype=np.float64)])
    places = np.linspace(0, 1, len(total))
    best_start, best_score, best_kept = 0.0, -np.inf, 0.0
    for step in np.linspace(0, 1, _POSITIONS):
        start = float(step) * (1 - share)
        low, high = np.interp([start, start + share], places, total)
        kept = float((high - low) / max(total[-1], 1e-9))
        score = kept - 0.02 * abs(float(step) - 0.42)  # between equals, slightly above the middle
        if score > best_score:
            best_start, best_score, best_kept = start, score, kept
    return best_start, best_kept


def _grow(image: Rgb8, ratio: float, tall: bool) -> Rgb8:
    """Extend the picture sideways (or up and down) to the ratio by mirroring it into a soft blur."""
    height, width = image.shape[:2]
    missing = round(height * ratio) - width if tall else round(width / ratio) - height
    if missing <= 1:
        return image
    before, after = missing // 2, missing - missing // 2
    upper, lower, left, right = (0, 0, before, after) if tall else (before, after, 0, 0)
    mirrored = cv2.copyMakeBorder(image, upper, lower, left, right, cv2.BORDER_REFLECT_101)
    canvas = mirrored.astype(np.float32)
    along = np.arange(mirrored.shape[1 if tall else 0], dtype=np.float32)
    inside = width if tall else height
    outside = np.maximum(np.maximum(before - along, along - (before + inside - 1)), 0) / max(before, after)
    for sigma, reach in ((0.01, 0.08), (0.04, 0.2), (0.12, 0.45)):
        share = np.clip(outside / reach, 0, 1).astype(np.float32)
        share = share[None, :, None] if tall else share[:, None, None]
        canvas += (blur_wide(canvas, sigma * max(width, height)) - canvas) * share
    return np.asarray(np.clip(canvas + 0.5, 0, 255), dtype=np.uint8)
