"""Charcoal drawing: smudged masses, broad strokes that catch on the paper, lights lifted with an eraser."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_float
from aquatint.engines.studio.kernels.flow import lic
from aquatint.engines.studio.kernels.hatching import (
    HatchField,
    Tooth,
    drawn_lines,
    ink_on_paper,
    local_contrast,
    rows_linear,
)
from aquatint.engines.studio.kernels.masks import border_distance
from aquatint.engines.studio.kernels.noise import derive_seed, fbm
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, cover, fit_width, resize, rows_of
from aquatint.engines.studio.kernels.tensor import structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8

_WORK_SIZE = 1024
_PAPER = np.array([0.945, 0.930, 0.895], np.float32)
_COAL = np.array([0.085, 0.080, 0.080], np.float32)


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Draw with charcoal: tone smudged along the forms (LIC, Cabral and Leedom 1993), lines after Lu 2012.

    Strength is how dark the masses go.
    """
    work_w, work_h = fit_width(easel.width, easel.height, _WORK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    image = to_float(cover(source, work_w, work_h))
    calm = kuwahara(image, 4.5 * unit, easel.threads)
    luma = local_contrast(luminance(calm), share=0.4)
    flow = structure_tensor(calm, 3 * unit)
    smudged = lic(luma, flow.tx, flow.ty, 9, 5.0, easel.threads, step=unit)
    easel.progress(0.35, "smudge")
    low, high = np.percentile(smudged[::4, ::4], [0.7, 93])
    dark = 1 - np.clip((0.65 * smudged + 0.35 * luma - low) / (high - low + 1e-3), 0, 1)
    half = resize(luma, work_w // 2, work_h // 2)
    broad = resize(drawn_lines(blur(half, 0.9 * unit), 24 * unit, 12, 1.5 * unit, easel.threads), work_w, work_h)
    fine = drawn_lines(blur(local_contrast(luminance(image)), 0.8 * unit), 15 * unit, 8, 1.5 * unit, easel.threads)
    fine = fine * (1.2 / (1 + 1.5 * blur(fine, 9 * unit)))
    lines = np.clip(broad - 0.18, 0, 1.2) * 0.75 + np.clip(fine * 0.8 - 0.10, 0, 1.0)
    easel.progress(0.6, "lines")
    lights = _erased(luminance(image), unit)
    return _draw(dark.astype(np.float32), np.asarray(lines, np.float32), lights, easel)


def _erased(luma: PlaneF, unit: float) -> PlaneF:
    """Where the kneaded eraser lifts lights out of the dark: small bright forms against their surroundings."""
    ridge = blur(luma, 1.0 * unit) - blur(luma, 7 * unit)
    return smoothstep(0.05, 0.20, ridge)


def _draw(dark: PlaneF, lines: PlaneF, lights: PlaneF, easel: Easel) -> Rgb8:
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "charcoal")
    tooth = Tooth.of(0.9 * unit, seed)
    side = HatchField.of(h, w, -0.80, 5.5 * unit, derive_seed(seed, "side"), sway=1.2, reach=7)
    smear = HatchField.of(h, w, -0.45, 9 * unit, derive_seed(seed, "smear"), sway=1.5, reach=6)
    frame = 0.05 * fbm(max(1, h // 8), max(1, w // 8), 4, 3, derive_seed(seed, "frame"))
    dust = 0.5 + 0.5 * fbm(max(1, h // 8), max(1, w // 8), 4, 3, derive_seed(seed, "dust"))
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        grain = tooth.rows(top, bottom, w)
        stick, swipe = side.rows(top, bottom), smear.rows(top, bottom)
        mass = rows_linear(dark, w, h, top, bottom)
        film = mass * np.float32(0.56) * (1 + 0.16 * swipe)  # rubbed in with the finger: no tooth
        # The stick touches only the peaks of the paper until pressure fills the valleys.
        touch = smoothstep(-0.8, 0.9, 3.2 * mass - 1.35 + 0.40 * stick - 0.42 * grain) * mass
        contour = np.clip(rows_of(lines, w, h, top, bottom), 0, 1.3)
        contour = smoothstep(0.10, 0.95, contour * (1 + 0.25 * stick - 0.22 * grain))
        coal = 1 - (1 - np.clip(film, 0, 1)) * (1 - np.clip(0.92 * touch, 0, 1)) * (1 - 0.88 * contour)
        coal *= 1 - 0.62 * rows_linear(lights, w, h, top, bottom)
        edge = border_distance(h, w, top, bottom) * np.float32(w / min(w, h))
        page = smoothstep(0.005, 0.085, edge + rows_linear(frame, w, h, top, bottom) + 0.018 * stick)
        coal = coal * page * np.float32(0.8 + 0.2 * easel.strength)
        coal += np.float32(0.045) * rows_linear(dust, w, h, top, bottom) * np.clip(1 - 0.5 * grain, 0, 2)
        out[top:bottom] = ink_on_paper(np.clip(coal, 0, 1), 1 + np.float32(0.012) * grain, _PAPER, _COAL)

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "paper")
    return out
