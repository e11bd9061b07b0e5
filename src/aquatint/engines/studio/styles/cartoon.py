"""Cartoon: flat shapes in few tones, clear colours, an inked outline. Variants: anime, flat, illustration."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.choices import variant
from aquatint.engines.studio.kernels.color import lab_to_rgb, luminance, rgb_to_lab, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.flow import contrast_mask, xdog
from aquatint.engines.studio.kernels.hatching import rows_linear
from aquatint.engines.studio.kernels.noise import derive_seed, generator, warp
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, blur_wide, cover, fit_width, rows_of
from aquatint.engines.studio.kernels.tensor import detail_map, structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_WORK_SIZE = 1024
_OUTLINE = np.array([0.07, 0.05, 0.09], np.float32)


@dataclass(frozen=True, slots=True)
class _Look:
    levels: int  # steps of lightness
    radius: float  # of the abstraction, units of width / 1024
    chroma: float
    lift: float  # added lightness, Lab units
    ink: float  # weight of the outline, 0..1
    bloom: float = 0.0


_LOOKS = {
    "": _Look(levels=7, radius=6.0, chroma=1.42, lift=4, ink=1.0),
    "anime": _Look(levels=9, radius=5.0, chroma=1.50, lift=8, ink=0.75, bloom=0.35),
    "flat": _Look(levels=5, radius=9.0, chroma=1.45, lift=5, ink=0.0),
    "illustration": _Look(levels=10, radius=6.0, chroma=1.30, lift=5, ink=0.45, bloom=0.12),
}


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Abstract, quantise the lightness softly and outline (Winnemoeller, Olsen and Gooch 2006).

    Variants imitate the grade of anime, flat vector art and book illustration; they do not redraw anything.
    """
    look = _LOOKS[variant(easel.options, tuple(_LOOKS))]
    work_w, work_h = fit_width(easel.width, easel.height, _WORK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    image = to_float(cover(source, work_w, work_h))
    calm = kuwahara(image, look.radius * unit, easel.threads)
    if look.radius > 7:
        calm = kuwahara(calm, look.radius * 0.6 * unit, easel.threads)
    easel.progress(0.45, "shapes")
    ink = _outline(image, calm, unit, easel) if look.ink else np.zeros((work_h, work_w), np.float32)
    easel.progress(0.7, "outline")
    return _finish(_colors(calm, look), ink, look, easel)


def _colors(calm: RgbF, look: _Look) -> RgbF:
    lab = rgb_to_lab(calm)
    low, high = np.percentile(lab[::4, ::4, 0], [1, 99])
    stretched = (lab[..., 0] - low) / (high - low + 1e-3) * 100
    lab[..., 0] = np.clip(0.45 * lab[..., 0] + 0.55 * stretched + look.lift, 0, 100)
    saturation = np.hypot(lab[..., 1], lab[..., 2])
    lab[..., 1:] *= (look.chroma - (look.chroma - 1) * np.clip(saturation / 75, 0, 1))[..., None]
    return lab_to_rgb(lab)


def _outline(image: RgbF, calm: RgbF, unit: float, easel: Easel) -> PlaneF:
    luma = 0.5 * luminance(calm) + 0.5 * blur(luminance(image), 0.8 * unit)
    flow = structure_tensor(image, 2.5 * unit)
    ink = 1 - xdog(luma, 1.0 * unit * (0.7 + 0.3 * easel.strength), 19, 0.52, 2.2, easel.threads)
    ink *= contrast_mask(flow, 2 * unit, 0.014, 0.04)
    # Foliage and fur would turn black: the busier the place, the fewer lines.
    busy = detail_map(flow, 12 * unit, 96)
    return np.asarray(ink * (1 - 0.75 * busy**1.5), dtype=np.float32)


def _finish(color: RgbF, ink: PlaneF, look: _Look, easel: Easel) -> Rgb8:
    """Steps and outline are cut at output size, so their edges are crisp at 4k."""
    w, h = easel.width, easel.height
    glow = _bloom(color, look.bloom) if look.bloom else None
    step = np.float32(1 / look.levels)
    # Where the steps fall and how the hand trembles is the artist's of this seed.
    phase = np.float32(generator(easel.seed, "steps").uniform(-0.3, 0.3)) * step
    unit = (color.shape[0] * color.shape[1]) ** 0.5 / 768
    color = warp(color, 1.3 * unit, 26, derive_seed(easel.seed, "hand"))
    ink = warp(ink, 1.7 * unit, 30, derive_seed(easel.seed, "pen"))
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        part = np.clip(rows_of(color, w, h, top, bottom), 0, 1)
        luma = luminance(part)
        nearest = np.round((luma + phase) / step) * step - phase
        quantised = nearest + step / 2 * np.tanh((luma - nearest) / step * 9)
        part *= (np.maximum(quantised, 0.02) / np.maximum(luma, 0.02))[..., None]
        if glow is not None:
            part = 1 - (1 - np.clip(part, 0, 1)) * (1 - rows_linear(glow, w, h, top, bottom))
        line = smoothstep(0.26, 0.38, rows_of(ink, w, h, top, bottom)) * np.float32(look.ink)
        part += (_OUTLINE - part) * line[..., None]
        out[top:bottom] = to_bytes(part)

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "colour")
    return out


def _bloom(color: RgbF, amount: float) -> RgbF:
    small = np.asarray(cv2.resize(color, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), dtype=np.float32)
    bright = small * smoothstep(0.55, 0.95, luminance(small))[..., None]
    unit = (small.shape[0] * small.shape[1]) ** 0.5 / 768
    wide = 0.6 * blur_wide(bright, 14 * unit) + 0.4 * blur_wide(bright, 45 * unit)
    return np.asarray(np.clip(wide * amount, 0, 1), dtype=np.float32)
