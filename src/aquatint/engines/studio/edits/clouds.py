"""Clouds: a covered sky and the soft light under it."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import luminance, smoothstep
from aquatint.engines.studio.kernels.grading import grade, outdoors
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator, warp
from aquatint.engines.studio.kernels.resize import fit_width, rows_of
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_FIELD_SIDE = 1536
_BELLY = np.array([0.60, 0.63, 0.68], np.float32)
_CREST = np.array([0.985, 0.98, 0.97], np.float32)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Draw clouds into the sky, lit from one side, and take the hard sun off the land; strength covers more."""
    height, width = source.shape[:2]
    place = outdoors(source)
    cover, shade = _clouds(width, height, easel)
    amount = np.float32(min(1.0, easel.strength))

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        sky = smoothstep(0.35, 0.95, rows_of(place.sky, width, height, top, bottom))
        body = np.clip(rows_of(cover, width, height, top, bottom), 0, 1) * sky * np.float32(0.94)
        light = np.clip(rows_of(shade, width, height, top, bottom), 0, 1)[..., None]
        tone = luminance(rgb)[..., None]
        soft = (tone + (rgb - tone) * np.float32(0.82)) * np.array([0.93, 0.95, 0.98], np.float32)
        land = rgb + (soft - rgb) * (1 - sky[..., None]) * amount
        cloud = _BELLY + (_CREST - _BELLY) * light
        return np.asarray(land + (cloud - land) * body[..., None], dtype=np.float32)

    return grade(source, easel, work)


def _clouds(width: int, height: int, easel: Easel) -> tuple[PlaneF, PlaneF]:
    """Coverage and light of the clouds, both 0..1: domain-warped noise, flatter towards the horizon."""
    wide, tall = fit_width(width, height, _FIELD_SIDE)
    billow = fbm(tall * 2, wide, 3.2, 6, derive_seed(easel.seed, "clouds"), gain=0.56)
    billow = warp(billow, 0.03 * wide, 3, derive_seed(easel.seed, "swirl"))
    # Perspective: rows near the horizon look farther and lie closer together.
    rows = (np.linspace(0.02, 1, tall, dtype=np.float32) ** 0.72 * (2 * tall - 1)).astype(np.int32)
    billow = np.ascontiguousarray(billow[rows])
    threshold = 0.16 - 0.26 * easel.strength
    cover = smoothstep(threshold, threshold + 0.34, billow)
    aside = 1 if generator(easel.seed, "sun side").random() < 0.5 else -1
    step_x, step_y = max(1, wide // 64), max(1, wide // 90)
    padded = cv2.copyMakeBorder(billow, step_y, 0, step_x, step_x, cv2.BORDER_REPLICATE)
    towards_sun = padded[:tall, step_x - aside * step_x :][:, :wide]
    light = np.clip(0.62 + 1.5 * (billow - towards_sun) - 0.35 * np.maximum(billow, 0), 0, 1)
    return cover, np.asarray(light, dtype=np.float32)
