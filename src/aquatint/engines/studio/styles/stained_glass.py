"""Stained glass: cells of coloured glass along the forms, lead between them, light from behind."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.cells import Labels, means, superpixels, tidied
from aquatint.engines.studio.kernels.color import lab_to_rgb, rgb_to_lab, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.hatching import rows_linear
from aquatint.engines.studio.kernels.noise import NoiseField, derive_seed, fbm, generator
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, blur_wide, cover, fit_width
from aquatint.engines.studio.kernels.tensor import detail_map, structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_WORK_SIZE = 768
_GLASS_SIZE = 1536
_LEAD = np.array([0.055, 0.052, 0.060], np.float32)


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Set the picture in glass: SLIC cells (Achanta 2012), saturated, with lead lines (after Hausner 2001).

    Strength makes the panes larger.
    """
    work_w, work_h = fit_width(easel.width, easel.height, _WORK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "stained glass")
    image = to_float(cover(source, work_w, work_h))
    calm = kuwahara(kuwahara(image, 5.5 * unit, easel.threads), 4.5 * unit, easel.threads)
    lab = rgb_to_lab(calm)
    easel.progress(0.25, "shapes")
    step = 20 * unit * (0.55 + 0.45 * easel.strength)
    fine = superpixels(lab, step, 14.0, seed, rounds=4)
    broad = superpixels(lab, 2.1 * step, 20.0, derive_seed(seed, "broad"), rounds=4)
    busy = detail_map(structure_tensor(calm, 2.5 * unit), 6 * unit, 90) > 0.33
    labels = _smoothed(tidied(np.where(busy, fine, broad + fine.max() + 1), 3.0 * unit), unit)
    easel.progress(0.6, "panes")
    glass = _glass_colors(lab, labels, seed)
    glass_w, glass_h = fit_width(easel.width, easel.height, _GLASS_SIZE)
    big = np.asarray(cv2.resize(labels, (glass_w, glass_h), interpolation=cv2.INTER_NEAREST_EXACT), dtype=np.int32)
    distance = _distance_to_lead(big)
    return _lit(glass[big], distance, easel, seed)


def _smoothed(labels: Labels, unit: float) -> Labels:
    """Drop specks and round ragged borders: a median over indices keeps whole regions."""
    size = 5 if unit >= 0.6 else 3
    return np.asarray(cv2.medianBlur(labels.astype(np.float32), size).astype(np.int32))


def _glass_colors(lab: RgbF, labels: Labels, seed: int) -> RgbF:
    count = int(labels.max()) + 1
    color = means(lab, labels, count)
    rng = generator(seed, "batch")
    color[:, 1:] *= 1.6
    color[:, 0] = np.clip((color[:, 0] - 50) * 1.15 + 57 + rng.normal(0, 3.5, count), 10, 97)
    color[:, 1:] += rng.normal(0, 4.0, (count, 2)).astype(np.float32)
    return np.asarray(lab_to_rgb(color[None])[0], dtype=np.float32)


def _distance_to_lead(labels: Labels) -> PlaneF:
    """Distance to the nearest border between panes, in units of width / 1024."""
    unit = (labels.shape[0] * labels.shape[1]) ** 0.5 / 768
    border = np.zeros(labels.shape, np.uint8)
    border[1:] |= (labels[1:] != labels[:-1]).astype(np.uint8)
    border[:, 1:] |= (labels[:, 1:] != labels[:, :-1]).astype(np.uint8)
    border[:2], border[-2:], border[:, :2], border[:, -2:] = 1, 1, 1, 1
    distance = cv2.distanceTransform(1 - border, cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(blur(distance.astype(np.float32), 1.3 * unit) / np.float32(unit), dtype=np.float32)


def _lit(glass: RgbF, distance: PlaneF, easel: Easel, seed: int) -> Rgb8:
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    # Under the lead the colour of the nearest pane must reach: spread a little before enlarging.
    glass = blur(glass.astype(np.float32), 0.6)
    sw, sh = max(2, w // 4), max(2, h // 4)
    sun = fbm(sh, sw, 2.2, 3, derive_seed(seed, "sun"))
    glow = _glow(glass, distance)
    ripples = NoiseField.of(h, w, [(28, 0.5), (70, 0.3), (260, 0.12)], derive_seed(seed, "ripples"))
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        a, b = max(0, top - 1), min(h, bottom + 1)
        away = rows_linear(distance, w, h, a, b)
        wave = ripples.rows(a, b)
        slope = cv2.Sobel(wave, cv2.CV_32F, 1, 1, ksize=3) * np.float32(unit * 0.9)
        light = 0.90 + 0.22 * rows_linear(sun, w, h, a, b) + 0.10 * wave + np.clip(slope, -0.12, 0.16)
        light *= 0.80 + 0.24 * np.clip(away / 9, 0, 1)
        picture = np.clip(rows_linear(glass, w, h, a, b), 0, 1) * light[..., None]
        picture += rows_linear(glow, w, h, a, b)
        edge = 0.5 / unit
        lead = smoothstep(1.75 + edge, 1.75 - edge, away)
        # The came is round: a dull highlight runs along its upper left.
        gx, gy = cv2.Sobel(away, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(away, cv2.CV_32F, 0, 1, ksize=3)
        shine = np.clip(-(0.5 * gx + 0.7 * gy) * np.float32(unit / 8), 0, 1) * smoothstep(1.8, 0.9, away)
        metal = _LEAD + (0.30 * shine)[..., None]
        picture += (metal - picture) * lead[..., None]
        out[top:bottom] = to_bytes(picture[top - a : bottom - a])

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "light")
    return out


def _glow(glass: RgbF, distance: PlaneF) -> RgbF:
    """Light that spills over the lead from bright panes."""
    shining = glass * (distance > 1.75)[..., None]
    small = np.asarray(cv2.resize(shining, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), dtype=np.float32)
    unit = (small.shape[0] * small.shape[1]) ** 0.5 / 768
    spilled = blur_wide(small, 10 * unit)
    return np.asarray(0.20 * spilled * spilled, dtype=np.float32)
