"""New light: from the left, from the right, or a studio lamp on the subject. It guesses relief from shading."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.choices import variant
from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_float
from aquatint.engines.studio.kernels.grading import grade, guided
from aquatint.engines.studio.kernels.matte import subject_matte
from aquatint.engines.studio.kernels.resize import blur_wide, fit_width, resize, rows_of, unit
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_MAP_SIDE = 768
_KEY = np.array([1.05, 1.0, 0.92], np.float32)  # tint of the lamp
_FILL = np.array([0.92, 0.98, 1.1], np.float32)  # tint of the shadow side
_SIDES = {"left": -1.0, "right": 1.0}


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Light the picture anew; option `variant` left or right, else a lamp from the upper left on the subject."""
    height, width = source.shape[:2]
    side = _SIDES.get(variant(easel.options, tuple(_SIDES)), 0.0)
    lamp = _lamp(source, side)
    amount = np.float32(easel.strength)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        light = np.clip(rows_of(lamp, width, height, top, bottom), -1, 1)[..., None] * amount
        lit = np.maximum(light, 0)
        dim = np.maximum(-light, 0)
        bright = 1 - (1 - np.clip(rgb, 0, 1)) ** (1 + 0.9 * lit)  # lifts without clipping
        shaded = bright * (1 - 0.62 * np.minimum(dim, 1.2))
        return np.asarray(shaded * (1 + (_KEY - 1) * lit + (_FILL - 1) * dim), dtype=np.float32)

    return grade(source, easel, work)


def _lamp(source: Rgb8, side: float) -> PlaneF:
    """Light added (to 1) and taken (to -1) at each place."""
    height, width = source.shape[:2]
    small = to_float(resize(source, *fit_width(width, height, _MAP_SIDE)))
    tall, wide = small.shape[:2]
    k = unit(wide, tall)
    tone = luminance(small)
    relief = blur_wide(tone, 3 * k) + blur_wide(tone, 9 * k)
    slope_x = np.asarray(cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3), dtype=np.float32) * np.float32(k)
    slope_y = np.asarray(cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3), dtype=np.float32) * np.float32(k)
    x = np.linspace(-1, 1, wide, dtype=np.float32)[None]
    y = np.linspace(-1, 1, tall, dtype=np.float32)[:, None]
    if side:
        wash = np.asarray(side * x * 0.85 - 0.12 * y + np.zeros((tall, 1), np.float32), dtype=np.float32)
        facing = -side * slope_x
    else:
        matte = np.clip(resize(subject_matte(source), wide, tall), 0, 1)
        spot = blur_wide(matte, 45 * k)
        wash = 1.5 * spot / max(float(spot.max()), 1e-3) - 0.75 + 0.25 * (matte - 0.5)
        facing = 0.7 * slope_x + 0.7 * slope_y
    facing = np.tanh(facing * np.float32(2.2)) * smoothstep(0.02, 0.2, tone)
    form = guided(
        tone, np.asarray(0.5 + 0.5 * np.clip(wash + 0.5 * facing, -1, 1), dtype=np.float32), max(2, wide // 120)
    )
    return np.asarray(2 * form - 1, dtype=np.float32)
