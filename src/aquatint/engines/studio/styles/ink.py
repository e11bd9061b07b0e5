"""Ink line drawing: flowing pen lines, solid blacks, a little stipple and hatching in the half-tones, clean skies."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_float
from aquatint.engines.studio.kernels.flow import contrast_mask, xdog
from aquatint.engines.studio.kernels.hatching import HatchField, Tooth, ink_on_paper, local_contrast, rows_linear
from aquatint.engines.studio.kernels.noise import derive_seed
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, cover, fit_width, rows_of
from aquatint.engines.studio.kernels.tensor import detail_map, structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8

_WORK_SIZE = 1280
_PAPER = np.array([0.985, 0.980, 0.965], np.float32)
_INK = np.array([0.055, 0.058, 0.075], np.float32)


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Draw with pen and ink: XDoG lines (Winnemoeller, Kyprianidis and Olsen 2012) where there is real contrast.

    Strength is the weight of the line.
    """
    work_w, work_h = fit_width(easel.width, easel.height, _WORK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    image = to_float(cover(source, work_w, work_h))
    calm = kuwahara(image, 3.5 * unit, easel.threads)
    easel.progress(0.3, "shapes")
    luma = local_contrast(0.55 * luminance(calm) + 0.45 * blur(luminance(image), 0.7 * unit), share=0.3)
    flow = structure_tensor(image, 2.5 * unit)
    # A gentle threshold here, the hard one at output size: otherwise enlarged lines have stairs.
    ink = 1 - xdog(luma, 0.78 * unit * (0.7 + 0.3 * easel.strength), 19, 0.61, 2.2, easel.threads)
    ink *= contrast_mask(flow, 2.2 * unit, 0.010, 0.030)
    # In fur and leaves lines would close to a black mass: there only the dark side of each form keeps its ink.
    busy = detail_map(flow, 14 * unit, 97)
    ink *= 1 - 0.55 * busy * smoothstep(0.25, 0.6, luma)
    easel.progress(0.6, "lines")
    shade = smoothstep(0.52, 0.10, blur(luminance(calm), 1.5 * unit))
    return _draw(np.clip(blur(ink, 0.7), 0, 1), shade, easel)


def _draw(ink: PlaneF, shade: PlaneF, easel: Easel) -> Rgb8:
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "ink")
    first = HatchField.of(h, w, -0.72, 2.6 * unit, derive_seed(seed, 1), sway=0.5, reach=14)
    second = HatchField.of(h, w, 0.62, 2.6 * unit, derive_seed(seed, 2), sway=0.5, reach=14)
    tooth = Tooth.of(unit, seed)
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        grain = tooth.rows(top, bottom, w)
        # Enlarged lines are soft: the second threshold makes a crisp wet edge that the tooth frays a little.
        line = rows_of(ink, w, h, top, bottom)
        line = smoothstep(0.34, 0.46, line + 0.018 * grain)
        dark = rows_linear(shade, w, h, top, bottom)
        dark_far = np.clip(dark * 1.7 - 0.9, 0, 1)
        hatch = smoothstep(0.10, 0.42, first.rows(top, bottom) - 2.3 + 2.7 * dark) * smoothstep(0.12, 0.3, dark)
        cross = smoothstep(0.10, 0.42, second.rows(top, bottom) - 2.4 + 2.9 * dark_far) * (dark_far > 0.05)
        pen = np.maximum(np.maximum(hatch, cross) * 0.92, line * np.float32(0.97))
        pen *= np.clip(1.0 - 0.03 * grain, 0.8, 1)
        out[top:bottom] = ink_on_paper(np.clip(pen, 0, 1), 1 + np.float32(0.004) * grain, _PAPER, _INK)

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "paper")
    return out
