"""Pencil drawing: contour lines that overshoot, three passes of hatching, paper tooth, unfinished edges."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.choices import variant
from aquatint.engines.studio.kernels.color import lab_to_rgb, luminance, rgb_to_lab, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.hatching import (
    HatchField,
    Tooth,
    drawn_lines,
    graphite_tone,
    ink_on_paper,
    local_contrast,
    rows_linear,
)
from aquatint.engines.studio.kernels.masks import border_distance
from aquatint.engines.studio.kernels.noise import derive_seed, fbm
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, cover, fit_width, resize, rows_of
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_WORK_SIZE = 1152
_PAPER = np.array([0.972, 0.965, 0.945], np.float32)
_GRAPHITE = np.array([0.13, 0.13, 0.145], np.float32)
# Direction, spacing in units of width / 1024, darkness at which the pass begins, and its weight.
_PASSES = ((-0.85, 2.4, 0.02, 0.46), (-0.28, 2.1, 0.27, 0.40), (-1.45, 2.0, 0.48, 0.52), (-0.62, 1.7, 0.74, 1.30))
# Darkness over which one pass goes from its first strokes to its full weight.
_PASS_RANGE = 0.52


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Draw the picture with a pencil (Lu, Xu and Jia 2012; hatching after Praun 2001).

    Variant `colored` draws with coloured pencils. Strength is the pressure on the pencil.
    """
    work_w, work_h = fit_width(easel.width, easel.height, _WORK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    image = to_float(cover(source, work_w, work_h))
    calm = kuwahara(image, 4 * unit, easel.threads)
    luma = local_contrast(luminance(image))
    calm_luma = local_contrast(luminance(calm))
    easel.progress(0.25, "tone")
    tone = graphite_tone(0.6 * blur(luma, 0.6 * unit) + 0.4 * calm_luma)
    lines = _contours(calm_luma, unit, easel.threads)
    easel.progress(0.5, "lines")
    color = _crayons(calm) if variant(easel.options, ("colored",)) else None
    darkness = 1 - tone
    deepest = max(0.5, float(np.percentile(darkness[::2, ::2], 99.3)))
    return _draw(np.clip(darkness / deepest, 0, 1) ** np.float32(1.3), lines, color, easel)


def _contours(luma: PlaneF, unit: float, threads: int) -> PlaneF:
    """Fine strokes everywhere, long searching strokes for the big shapes; 0..about 1.7."""
    h, w = luma.shape
    fine = drawn_lines(blur(luma, 0.5 * unit), 20 * unit, 8, 1.0 * unit, threads)
    half = resize(luma, w // 2, h // 2)
    broad = drawn_lines(blur(half, 0.8 * unit), 23 * unit, 12, 0.8 * unit, threads)
    # In fur and leaves every hair would become a line; an artist draws only the stronger ones there.
    fine = fine * (1.25 / (1 + 1.6 * blur(fine, 9 * unit)))
    drawn = np.clip(fine * 0.9 - 0.06, 0, 1.2) ** 1.2 * 0.85
    return np.asarray(drawn + np.clip(resize(broad, w, h) - 0.15, 0, 1.2) ** 1.3 * 0.42, dtype=np.float32)


def _crayons(calm: RgbF) -> RgbF:
    lab = rgb_to_lab(calm)
    lab[..., 1:] *= 1.3
    lab[..., 0] = np.clip(lab[..., 0] * 0.62 + 33, 0, 95)
    return lab_to_rgb(lab)


def _draw(darkness: PlaneF, lines: PlaneF, color: RgbF | None, easel: Easel) -> Rgb8:
    """Put graphite on paper, strip by strip at output size."""
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "pencil")
    fields = [
        HatchField.of(h, w, angle, spacing * unit, derive_seed(seed, "pass", i))
        for i, (angle, spacing, _, _) in enumerate(_PASSES)
    ]
    grain = Tooth.of(unit, seed)
    frame = 0.04 * fbm(max(1, h // 8), max(1, w // 8), 4, 3, derive_seed(seed, "frame"))
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        tooth = grain.rows(top, bottom, w)
        strokes = [field.rows(top, bottom) for field in fields]
        edge = border_distance(h, w, top, bottom) * (w / min(w, h))
        page = smoothstep(0.0, 0.075, edge + rows_linear(frame, w, h, top, bottom) + np.float32(0.011) * strokes[0])
        needed = np.clip(rows_linear(darkness, w, h, top, bottom), 0, 1)
        hatch = _hatched(needed, strokes, tooth)
        contour = np.clip(rows_of(lines, w, h, top, bottom), 0, 1.35)
        contour *= np.clip(0.84 + 0.20 * strokes[0] - 0.20 * tooth, 0.15, 1.4)
        graphite = 1 - (1 - np.clip(hatch, 0, 0.96)) * (1 - np.clip(contour * 0.97, 0, 0.96))
        graphite *= page * np.float32(0.75 + 0.25 * easel.strength)
        np.clip(graphite, 0, 1, out=graphite)
        sheet = 1 + np.float32(0.007) * tooth
        if color is None:
            out[top:bottom] = ink_on_paper(graphite, sheet, _PAPER, _GRAPHITE)
        else:
            crayon = np.clip(rows_linear(color, w, h, top, bottom), 0, 1)
            out[top:bottom] = to_bytes(_colored(sheet, crayon, graphite, strokes, tooth, page))

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "paper")
    return out


def _hatched(needed: PlaneF, strokes: list[PlaneF], tooth: PlaneF) -> PlaneF:
    """Graphite 0..1 of the three passes; the film saturates, so that layers darken less and less."""
    total = np.zeros_like(needed)
    for field, (_, _, start, weight) in zip(strokes, _PASSES, strict=True):
        share = np.clip((needed - np.float32(start)) * np.float32(1 / _PASS_RANGE), 0, 1)
        # Pressure widens strokes: light tones are separate lines, dark ones nearly close.
        mark = np.clip(0.66 + 0.40 * field - 0.20 * tooth + 0.24 * share, 0.02, 1.6)
        total += np.float32(weight) * share * mark
    return np.asarray(1 - np.exp(-1.32 * total), dtype=np.float32)


def _colored(
    sheet: PlaneF, crayon: RgbF, graphite: PlaneF, strokes: list[PlaneF], tooth: PlaneF, page: PlaneF
) -> RgbF:
    """Wax over paper: colour where the strokes touch, dark contours in warm grey."""
    wax = np.clip(0.86 + 0.15 * strokes[0] + 0.11 * strokes[1] - 0.13 * tooth, 0, 1) * page * np.float32(0.97)
    paper = _PAPER * sheet[..., None]
    layer = paper + (crayon - paper) * wax[..., None]
    shade = graphite[..., None] * np.array([0.50, 0.54, 0.56], np.float32)
    return np.asarray(layer * (1 - shade), dtype=np.float32)
