"""Background blur: what the eye goes to stays sharp. A guess from saliency, not an understanding of the scene."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_float
from aquatint.engines.studio.kernels.grading import grade, guided, outdoors
from aquatint.engines.studio.kernels.lens import defocus
from aquatint.engines.studio.kernels.matte import spread_from, subject_matte
from aquatint.engines.studio.kernels.resize import blur_wide, fit_width, resize, rows_of, unit
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_LENS_SIDE = 1280
_EDGE_SIDE = 1024


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Open the aperture: surroundings of the subject go soft, more the farther they are; strength opens it more."""
    height, width = source.shape[:2]
    matte = subject_matte(source)
    sharp = _fine_edge(source, matte)
    near, far = _through_lens(source, matte, easel.strength)
    away = _distance(source, matte)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        keep = np.clip(rows_of(sharp, width, height, top, bottom), 0, 1)[..., None]
        depth = np.clip(rows_of(away, width, height, top, bottom), 0, 1)[..., None]
        close = rows_of(near, width, height, top, bottom)
        soft = close + (rows_of(far, width, height, top, bottom) - close) * depth
        return np.asarray(soft + (rgb - soft) * keep, dtype=np.float32)

    return grade(source, easel, work)


def _fine_edge(source: Rgb8, matte: PlaneF) -> PlaneF:
    """The matte on a finer grid, its outline pulled to the picture's edges."""
    wide, tall = fit_width(source.shape[1], source.shape[0], _EDGE_SIDE)
    light = luminance(to_float(resize(source, wide, tall)))
    return smoothstep(0.18, 0.8, guided(light, np.clip(resize(matte, wide, tall), 0, 1), max(2, wide // 170)))


def _distance(source: Rgb8, matte: PlaneF) -> PlaneF:
    """How far out of focus a place is, 0..1: guessed depth behind the subject's own."""
    tall, wide = matte.shape
    depth = resize(outdoors(source).depth, wide, tall)
    own = float((depth * matte).sum() / max(float(matte.sum()), 1e-3))
    apart = blur_wide(1 - matte, 0.04 * wide)
    return np.clip(0.35 + 1.2 * (depth - np.float32(own)) + 0.5 * (apart - 0.5), 0, 1).astype(np.float32)


def _through_lens(source: Rgb8, matte: PlaneF, strength: float) -> tuple[RgbF, RgbF]:
    """The picture a little and far out of focus, with the subject's own colours kept out of it."""
    wide, tall = fit_width(source.shape[1], source.shape[0], _LENS_SIDE)
    small = to_float(resize(source, wide, tall))
    k = unit(wide, tall)
    inside = np.clip(resize(matte, wide, tall), 0, 1)
    behind = spread_from(small, inside, 18 * k)
    weight = np.asarray(1 - inside * np.float32(0.9), dtype=np.float32)
    return defocus(behind, 5.5 * strength * k, weight), defocus(behind, 13 * strength * k, weight)
