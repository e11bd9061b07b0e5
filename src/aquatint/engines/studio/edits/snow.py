"""Snow: it settles on everything that faces up, cools the light and falls in three depths."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import lab_to_rgb, luminance, rgb_to_lab, smoothstep, to_float
from aquatint.engines.studio.kernels.flakes import Shower, rows, scatter
from aquatint.engines.studio.kernels.grading import grade, outdoors
from aquatint.engines.studio.kernels.noise import NoiseField, derive_seed
from aquatint.engines.studio.kernels.resize import blur, fit_width, resize, rows_of, unit
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_MAP_SIDE = 1600
_SNOW = np.array([0.93, 0.95, 0.985], np.float32)
_HAZE = np.array([0.86, 0.89, 0.94], np.float32)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Let it snow; strength from a dusting (0.45) to a blizzard (1.6)."""
    height, width = source.shape[:2]
    k, amount = unit(width, height), easel.strength
    place = outdoors(source)
    settled = _settled(source, place.sky, amount)
    far = place.depth
    clumps = NoiseField.of(
        height, width, [(60 * 2**i, 0.42 * 0.72**i) for i in range(4)], derive_seed(easel.seed, "clumps")
    )
    falling = _falling(width, height, k, amount, easel.seed)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        lab = rgb_to_lab(rgb)
        lab[..., 0] = np.clip(lab[..., 0] * np.float32(0.88) + 8, 0, 100)
        lab[..., 1:] *= np.float32(1 - 0.45 * min(1.0, amount))
        lab[..., 2] -= 6
        cold = lab_to_rgb(lab)
        haze = np.clip(rows_of(far, width, height, top, bottom), 0, 1)[..., None] * np.float32(
            0.26 * min(1.4, amount)
        )
        cold += (_HAZE - cold) * haze
        lumps = clumps.rows(top, bottom)
        cover = rows_of(settled, width, height, top, bottom) + lumps * np.float32(0.3)
        cover = smoothstep(0.12, 0.72, cover)[..., None] * np.float32(0.96)
        relief = 1 + np.clip(lumps, -0.5, 0.5)[..., None] * np.float32(0.09)
        cold += (_SNOW * relief - cold) * cover
        for shower in falling:
            flakes = rows(shower, width, top, bottom)[..., None]
            cold += (1 - cold) * flakes
        return cold

    return grade(source, easel, work)


def _settled(source: Rgb8, sky: PlaneF, amount: float) -> PlaneF:
    """How much snow lies where: on edges below which the picture gets darker, and patchily on texture."""
    height, width = source.shape[:2]
    small = to_float(resize(source, *fit_width(width, height, _MAP_SIDE)))
    k = unit(small.shape[1], small.shape[0])
    light = blur(luminance(small), 2.2 * k)
    down = np.asarray(cv2.Sobel(light, cv2.CV_32F, 0, 1, ksize=3), dtype=np.float32) * np.float32(k / 8)
    across = np.asarray(cv2.Sobel(light, cv2.CV_32F, 1, 0, ksize=3), dtype=np.float32) * np.float32(k / 8)
    level = smoothstep(0.75, 0.2, np.abs(across) / (np.abs(down) + np.float32(0.004)))
    caps = np.clip(-down * 34 - np.float32(0.10), 0, 1) * level
    size = (max(1, int(3 * k)) | 1, max(1, int(6 * k)) | 1)
    caps = np.asarray(cv2.dilate(caps, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size)), dtype=np.float32)
    texture = smoothstep(0.006, 0.03, blur(np.sqrt(down * down + across * across), 5 * k))
    settled = blur(caps, 1.0 * k) * np.float32(1.25) + texture * np.float32(0.24)
    settled *= 1 - np.clip(resize(sky, small.shape[1], small.shape[0]), 0, 1)
    return np.asarray(settled * np.float32(0.55 + 0.45 * amount), dtype=np.float32)


def _falling(width: int, height: int, k: float, amount: float, seed: int) -> tuple[Shower, ...]:
    area = height / width * 16 / 9
    depths = ((1500, 0.8, 0.5, 0.7), (320, 1.6, 0.9, 0.62), (46, 4.6, 3.4, 0.4))
    return tuple(
        scatter(
            width, height, int(count * amount * area), size * k, soft * k, opacity, derive_seed(seed, "flakes", i)
        )
        for i, (count, size, soft, opacity) in enumerate(depths)
    )
