"""Tilt shift: a narrow band in focus makes a view look like a model."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.color import lab_to_rgb, rgb_to_lab, smoothstep, to_float
from aquatint.engines.studio.kernels.grading import grade
from aquatint.engines.studio.kernels.lens import defocus
from aquatint.engines.studio.kernels.resize import fit_width, resize, rows_of, unit
from aquatint.engines.studio.kernels.saliency import saliency
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF

_LENS_SIDE = 1280


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Blur above and below the most interesting height, and lift colour and contrast as toy paint has them."""
    height, width = source.shape[:2]
    small = to_float(resize(source, *fit_width(width, height, _LENS_SIDE)))
    k = unit(small.shape[1], small.shape[0])
    near, far = (defocus(small, radius * easel.strength * k) for radius in (4.0, 11.0))
    profile = saliency(source).interest.sum(1)
    rows = (np.arange(len(profile)) + 0.5) / len(profile)
    focus = float(np.clip((profile * rows).sum() / max(float(profile.sum()), 1e-6), 0.35, 0.72))

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        away = np.abs((np.arange(top, bottom, dtype=np.float32) + 0.5) / height - np.float32(focus))
        first = smoothstep(0.07, 0.2, away)[:, None, None]
        second = smoothstep(0.17, 0.42, away)[:, None, None]
        soft = rgb + (rows_of(near, width, height, top, bottom) - rgb) * first
        soft += (rows_of(far, width, height, top, bottom) - soft) * second
        lab = rgb_to_lab(np.asarray(soft, dtype=np.float32))
        lab[..., 0] = np.clip(lab[..., 0] + (lab[..., 0] - 50) * np.float32(0.14), 0, 100)
        lab[..., 1:] *= np.float32(1 + 0.28 * easel.strength)
        return lab_to_rgb(lab)

    return grade(source, easel, work)
