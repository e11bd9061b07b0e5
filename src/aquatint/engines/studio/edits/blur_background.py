"""Background blur: what the eye goes to stays sharp. A guess from saliency, not an understanding of the scene."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_float
from aquatint.engines.studio.kernels.grading import grade, guided
from aquatint.engines.studio.kernels.resize import blur_wide, fit_width, resize, rows_of, unit
from aquatint.engines.studio.kernels.saliency import face_mask, saliency
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_MAP_SIDE = 640
_LENS_SIDE = 1280


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Blur the surroundings of the most salient thing with a round aperture; strength opens it."""
    height, width = source.shape[:2]
    sharp = _subject(source)
    blurred = _through_lens(source, sharp, easel.strength)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        keep = np.clip(rows_of(sharp, width, height, top, bottom), 0, 1)[..., None]
        soft = rows_of(blurred, width, height, top, bottom)
        return np.asarray(soft + (rgb - soft) * keep, dtype=np.float32)

    return grade(source, easel, work)


def _subject(source: Rgb8) -> PlaneF:
    """Matte of the subject, 1 inside: saliency above its own middle, pulled to the picture's edges."""
    height, width = source.shape[:2]
    small = resize(source, *fit_width(width, height, _MAP_SIDE))
    tall, wide = small.shape[:2]
    interest = blur_wide(np.minimum(saliency(small).interest, np.float32(1)), 4)
    low, high = np.percentile(interest, [60, 92])
    matte = smoothstep(float(low), max(float(high), float(low) + 1e-3), resize(interest, wide, tall))
    faces = face_mask(small)
    if faces is not None:
        matte = np.maximum(matte, faces)
    matte = guided(luminance(to_float(small)), matte, 16)
    return smoothstep(0.25, 0.7, blur_wide(matte, 2))


def _through_lens(source: Rgb8, sharp: PlaneF, strength: float) -> RgbF:
    """The picture out of focus, with the subject's own colours kept out of it."""
    height, width = source.shape[:2]
    small = to_float(resize(source, *fit_width(width, height, _LENS_SIDE)))
    tall, wide = small.shape[:2]
    radius = max(1, round(11 * strength * unit(wide, tall)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)).astype(np.float32)
    disc /= disc.sum()
    away = (1 - np.clip(resize(sharp, wide, tall), 0, 1) * np.float32(0.97))[..., None]
    # Bright spots weigh more, as in a lens: they open into discs.
    weight = away * (0.3 + luminance(small)[..., None] ** 3)
    weighted = np.concatenate([small * weight, weight], axis=2)
    summed = np.asarray(cv2.filter2D(weighted, -1, disc, borderType=cv2.BORDER_REFLECT), dtype=np.float32)
    return np.asarray(summed[..., :3] / np.maximum(summed[..., 3:], np.float32(1e-4)), dtype=np.float32)
