"""Black and white photography: an orange filter's channel mix, local contrast, silver grain, a hint of toning."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.choices import variant
from aquatint.engines.studio.kernels.color import smoothstep, to_float
from aquatint.engines.studio.kernels.filmgrain import FilmGrain
from aquatint.engines.studio.kernels.hatching import rows_linear
from aquatint.engines.studio.kernels.masks import vignette
from aquatint.engines.studio.kernels.noise import derive_seed
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, blur_wide, cover, fit_width
from aquatint.engines.studio.kernels.sourcing import SourceStrips
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8

_WORK_SIZE = 768
_FILTER = np.array([0.52, 0.40, 0.08], np.float32)  # an orange filter: dark skies, clear skin
_SHADOW = np.array([1.000, 0.992, 0.978], np.float32)
_LIGHT = np.array([1.000, 0.998, 0.990], np.float32)


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Print as silver gelatine: filtered grey, zone-wise contrast (a guided-filter base, He 2010), grain.

    Variant `noir` is darker and harder. Strength is the contrast.
    """
    noir = variant(easel.options, ("noir",)) != ""
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    small = to_float(cover(source, *fit_width(w, h, _WORK_SIZE)))
    base, low, high = _zones(small @ _FILTER)
    grain = FilmGrain.of(unit, derive_seed(easel.seed, "silver"))
    strips = SourceStrips.of(source, w, h)
    punch = np.float32((1.55 if noir else 1.30) * (0.7 + 0.3 * easel.strength))
    easel.progress(0.3, "exposure")
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        grey = strips.rows(top, bottom) @ _FILTER
        zone = rows_linear(base, w, h, top, bottom)
        detailed = zone + punch * (grey - zone)
        value = np.clip((detailed - low) / (high - low), 0, 1)
        value = 0.35 * value + 0.65 * smoothstep(-0.06, 1.05, value)
        if noir:
            value = value ** np.float32(1.45) * (1 - np.float32(0.55) * vignette(h, w, top, bottom))
        else:
            value *= 1 - np.float32(0.16) * vignette(h, w, top, bottom)
        value += grain.rows(top, bottom, w) * (0.010 + 0.060 * value * (1 - value))
        value = np.clip(value, 0, 1) * np.float32(0.955) + np.float32(0.022)
        tone = _SHADOW + (_LIGHT - _SHADOW) * value[..., None]
        out[top:bottom] = np.clip(value[..., None] * tone * 255 + 0.5, 0, 255).astype(np.uint8)

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "print")
    return out


def _zones(grey: PlaneF) -> tuple[PlaneF, np.float32, np.float32]:
    """Edge-keeping local mean of the tones, and the black and white points."""
    grey = np.ascontiguousarray(grey, dtype=np.float32)
    unit = (grey.shape[0] * grey.shape[1]) ** 0.5 / 768
    radius = 28 * unit
    mean = blur_wide(grey, radius)
    variance = np.maximum(blur_wide(grey * grey, radius) - mean * mean, 0)
    gain = np.asarray(variance / (variance + np.float32(0.01)), dtype=np.float32)
    base = blur_wide(gain, radius) * grey + blur_wide(np.asarray(mean * (1 - gain), dtype=np.float32), radius)
    low, high = np.percentile(blur(grey, 1.0)[::2, ::2], [0.6, 99.2])
    return np.asarray(base, dtype=np.float32), np.float32(low), np.float32(max(high, low + 0.1))
