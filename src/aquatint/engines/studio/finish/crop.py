"""Fitting a photo to the wanted ratio without cutting its subject, and never with black bars."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.kernels.extend import extend
from aquatint.engines.studio.kernels.saliency import saliency
from aquatint.engines.studio.styles.base import PlaneF, Rgb8

# A crop that would keep less of the interest than this is widened; the rest of the frame is grown outwards.
_LEAST_KEPT = 0.52
_GROWTH_SEED = 1  # the same photo grows the same way in every task
_POSITIONS = 41
_CUT_COST = 0.06
_RATIO_TOLERANCE = 0.004


@dataclass(frozen=True, slots=True)
class Fitted:
    """A photo cut, or grown, to the ratio."""

    image: Rgb8  # (h, w, 3), the ratio wanted within a pixel, size of the source's pixels
    kept: float  # share of the source's interest that is still in the frame, 0..1
    grown: float  # share of the frame that was invented beyond the photo, 0..1


def fit(source: Rgb8, width: int, height: int, whole: bool = False) -> Fitted:
    """Cut the window of ratio width:height that keeps most of the interest.

    When even the best window would cut the subject, a wider one is taken and the missing stripes are filled
    with paint that continues the picture (`kernels.extend`). `whole` cuts nothing and only grows.
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
    while (whole or kept < _LEAST_KEPT) and size < length:
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
    strongest = max(float(profile.max()), 1e-9)
    best_start, best_score, best_kept = 0.0, -np.inf, 0.0
    for step in np.linspace(0, 1, _POSITIONS):
        start = float(step) * (1 - share)
        low, high = np.interp([start, start + share], places, total)
        kept = float((high - low) / max(total[-1], 1e-9))
        # A side of the window should not run through what is interesting.
        cuts = [int(edge * (len(profile) - 1)) for edge in (start, start + share)]
        cut_through = sum(float(profile[cut]) for cut in cuts) / strongest
        # Between equals, slightly above the middle.
        score = kept - _CUT_COST * cut_through - 0.02 * abs(float(step) - 0.42)
        if score > best_score:
            best_start, best_score, best_kept = start, score, kept
    return best_start, best_kept


def _grow(image: Rgb8, ratio: float, tall: bool) -> Rgb8:
    """Extend the picture sideways (or up and down) to the ratio, in paint that continues its edges."""
    height, width = image.shape[:2]
    missing = round(height * ratio) - width if tall else round(width / ratio) - height
    if missing <= 1:
        return image
    before, after = missing // 2, missing - missing // 2
    if tall:
        return extend(image, before, 0, after, 0, _GROWTH_SEED)
    return extend(image, 0, before, 0, after, _GROWTH_SEED)
