"""Cyberpunk: night grade with neon edges and bloom, cyan against magenta. Variant neon: edges only glow."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.choices import variant
from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.filmgrain import FilmGrain
from aquatint.engines.studio.kernels.hatching import rows_linear
from aquatint.engines.studio.kernels.masks import vignette
from aquatint.engines.studio.kernels.noise import derive_seed, fbm
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, blur_wide, cover, fit_width, rows_of
from aquatint.engines.studio.kernels.sourcing import SourceStrips
from aquatint.engines.studio.kernels.tensor import structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_WORK_SIZE = 1024
_NAVY = np.array([0.016, 0.045, 0.125], np.float32)
_MAGENTA = np.array([1.00, 0.22, 0.70], np.float32)
_VIOLET = np.array([0.36, 0.10, 0.72], np.float32)
_CYAN = np.array([0.08, 0.86, 1.00], np.float32)


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Grade to a neon night: tones to navy and two neon colours, edges and signs emit, three-radius bloom.

    Variant `neon` darkens more and lets lines of light carry the drawing. Strength is the glow.
    """
    lines_only = variant(easel.options, ("neon",)) != ""
    w, h = easel.width, easel.height
    work_w, work_h = fit_width(w, h, _WORK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "cyberpunk")
    image = to_float(cover(source, work_w, work_h))
    night = _darkness(image, unit)
    side = _sides(work_w, work_h, seed)
    lamps = _lamps(image, side, unit, lines_only)
    easel.progress(0.4, "lights")
    glow = _bloom(lamps, unit) * np.float32((1.25 if lines_only else 0.95) * easel.strength)
    return _expose(source, night, side, lamps, glow, easel, 0.28 if lines_only else 0.85)


def _darkness(image: RgbF, unit: float) -> PlaneF:
    """How far each place is pulled down: smooth bright areas (skies, walls) become night first, 0..1."""
    luma = luminance(image)
    flow = structure_tensor(image, 2 * unit)
    smooth = smoothstep(0.030, 0.006, blur(flow.strength, 6 * unit))
    bright = smoothstep(0.35, 0.80, blur(luma, 4 * unit))
    return np.asarray(blur(smooth * bright, 5 * unit), dtype=np.float32)


def _sides(w: int, h: int, seed: int) -> PlaneF:
    """0 where the light is magenta, 1 where it is cyan."""
    across = np.linspace(-0.15, 1.15, w, dtype=np.float32)[None]
    field = across + np.float32(0.55) * fbm(h, w, 2.2, 2, derive_seed(seed, "sides"))
    return smoothstep(0.15, 0.85, field)


def _lamps(image: RgbF, side: PlaneF, unit: float, lines_only: bool) -> RgbF:
    """Everything that shines by itself: contours in neon, saturated and bright places in their own colour."""
    flow = structure_tensor(blur(image, 0.5 * unit), 0.9 * unit)
    top = float(np.percentile(flow.strength[::3, ::3], 98.5)) + 1e-6
    edge = np.clip(flow.strength / np.float32(top), 0, 1.2)
    crowd = blur(edge, 12 * unit)
    edge = np.clip(edge - np.float32(0.75) * crowd, 0, 1) ** np.float32(1.3)  # fur and leaves must not all burn
    neon = _MAGENTA + (_CYAN - _MAGENTA) * side[..., None]
    hsv = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2HSV), dtype=np.float32)
    own = smoothstep(0.50, 0.95, hsv[..., 2]) * smoothstep(0.40, 0.85, hsv[..., 1])
    vivid = image ** np.float32(1.7) * own[..., None] * np.float32(0.35 if lines_only else 0.75)
    return np.asarray(neon * (edge * np.float32(1.35 if lines_only else 0.42))[..., None] + vivid, dtype=np.float32)


def _bloom(lamps: RgbF, unit: float) -> RgbF:
    half = np.asarray(cv2.resize(lamps, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), dtype=np.float32)
    u = unit / 2
    return np.asarray(
        0.45 * blur(half, 3 * u) + 0.38 * blur_wide(half, 11 * u) + 0.42 * blur_wide(half, 38 * u), np.float32
    )


def _expose(source: Rgb8, night: PlaneF, side: PlaneF, lamps: RgbF, glow: RgbF, easel: Easel, ambient: float) -> Rgb8:
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    strips = SourceStrips.of(source, w, h)
    grain = FilmGrain.of(unit, derive_seed(easel.seed, "sensor"), 0.9)
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        part = strips.rows(top, bottom)
        down = rows_linear(night, w, h, top, bottom)
        dim = np.clip((part - 0.05) * 0.62, 0, 1) ** np.float32(1.4) * (1 - 0.80 * down)[..., None]
        luma = luminance(dim)
        mix = rows_linear(side, w, h, top, bottom)[..., None]
        neon = _MAGENTA + (_CYAN - _MAGENTA) * mix
        level = smoothstep(0.04, 0.34, luma)[..., None]
        # The darkened sky keeps a smoggy glow low down, as over a big city.
        haze = (0.04 + 0.30 * np.linspace(top / h, bottom / h, bottom - top, dtype=np.float32) ** 2)[:, None, None]
        # Shadows navy, middles violet, lights in the neon colour of their side.
        grade = _VIOLET + (neon * np.float32(1.15) - _VIOLET) * level
        light = np.float32(ambient) * (0.55 * dim + 2.6 * luma[..., None] * grade) + np.float32(0.75) * _NAVY
        light += haze * down[..., None] * neon
        light += rows_of(lamps, w, h, top, bottom).clip(0) * np.float32(0.8)
        light += rows_linear(glow, w, h, top, bottom)
        light *= (1 - np.float32(0.35) * vignette(h, w, top, bottom))[..., None]
        shown = 1 - np.exp(-light * np.float32(1.5))
        shown += (grain.rows(top, bottom, w) * (0.012 + 0.022 * luminance(shown)))[..., None]
        out[top:bottom] = to_bytes(shown)

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "night")
    return out
