"""Woodcut and engraving: swelling parallel cuts that follow the light, key lines, printed on warm paper."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.choices import variant
from aquatint.engines.studio.kernels.color import lab_to_rgb, luminance, rgb_to_lab, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.flow import contrast_mask, xdog
from aquatint.engines.studio.kernels.hatching import Tooth, ink_on_paper, local_contrast, rows_linear
from aquatint.engines.studio.kernels.noise import derive_seed, fbm
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, blur_wide, cover, fit_width, rows_of
from aquatint.engines.studio.kernels.tensor import structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_WORK_SIZE = 1152
_PAPER = np.array([0.945, 0.905, 0.820], np.float32)
_INK = np.array([0.110, 0.080, 0.075], np.float32)
_ENGRAVING_PAPER = np.array([0.955, 0.940, 0.900], np.float32)
_ENGRAVING_INK = np.array([0.090, 0.095, 0.110], np.float32)
_INDIGO = np.array([0.11, 0.14, 0.24], np.float32)


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Cut the picture in wood: line width carries the tone (Ostromoukhov 1999), key lines by XDoG.

    Variants: `engraving` (finer lines on steel, crossed in the shadows), `ukiyo_e` (flat colour blocks and an
    indigo key line). Strength is the contrast of the cut.
    """
    kind = variant(easel.options, ("engraving", "ukiyo_e"))
    work_w, work_h = fit_width(easel.width, easel.height, _WORK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    image = to_float(cover(source, work_w, work_h))
    luma = local_contrast(luminance(image), 2.0, 0.7)
    flow = structure_tensor(image, 2.5 * unit)
    lines = 1 - xdog(blur(luminance(image), 0.6 * unit), 1.1 * unit, 17, 0.58, 2.2, easel.threads)
    lines *= contrast_mask(flow, 2.2 * unit, 0.012, 0.035)
    easel.progress(0.4, "key lines")
    if kind == "ukiyo_e":
        calm = kuwahara(kuwahara(image, 7 * unit, easel.threads), 4 * unit, easel.threads)
        return _print_colors(calm, lines, easel)
    bend = blur_wide(luma, 9 * unit)
    return _cut(luma, bend, lines, easel, fine=kind == "engraving")


def _cut(luma: PlaneF, bend: PlaneF, lines: PlaneF, easel: Easel, fine: bool) -> Rgb8:
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "woodcut")
    sway = fbm(max(2, h // 8), max(2, w // 8), 3, 2, derive_seed(seed, "sway")) * np.float32(26 * unit)
    tooth = Tooth.of(unit, derive_seed(seed, "tooth"))
    pitch = (3.9 if fine else 6.0) * unit
    paper, ink = (_ENGRAVING_PAPER, _ENGRAVING_INK) if fine else (_PAPER, _INK)
    bold = np.float32(0.9 + 0.1 * easel.strength)
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        tone = np.clip(rows_of(luma, w, h, top, bottom), 0, 1) ** np.float32(0.85)
        lift = rows_linear(bend, w, h, top, bottom) * np.float32(70 * unit) + rows_linear(sway, w, h, top, bottom)
        grain = tooth.rows(top, bottom, w)
        cut = _ridges(w, top, bottom, lift, (0.22, 0.95), pitch, tone * 1.18 * bold - 0.10)
        if fine:
            shadow = _ridges(w, top, bottom, -0.6 * lift, (0.85, -0.55), pitch, tone * 1.6 * bold + 0.16)
            cut = np.minimum(cut, shadow)
        key = smoothstep(0.30, 0.42, rows_of(lines, w, h, top, bottom) + 0.015 * grain)
        printed = np.maximum(1 - cut, key * (0.85 if fine else 1.0))
        # The block does not ink evenly: tiny flecks of paper stay in the blacks.
        printed *= 1 - np.clip(grain - 1.65, 0, 1) * np.float32(0.55)
        out[top:bottom] = ink_on_paper(printed, 1 + np.float32(0.012) * grain, paper, ink)

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "print")
    return out


def _ridges(
    w: int, top: int, bottom: int, lift: PlaneF, way: tuple[float, float], pitch: float, tone: PlaneF
) -> PlaneF:
    """Parallel cuts bent by `lift` (pixels): 1 = paper, 0 = ink; each is as wide as `tone` is dark."""
    x = np.arange(w, dtype=np.float32)[None] * np.float32(way[0])
    y = np.arange(top, bottom, dtype=np.float32)[:, None] * np.float32(way[1])
    phase = (lift + y + x) * np.float32(2 * np.pi / pitch)
    wave = np.sin(phase) * np.float32(0.47) + np.float32(0.47)
    # Half a pixel of softness on either side of the cut, whatever its pitch.
    edge = float(np.clip(2.2 / pitch, 0.02, 0.35))
    return smoothstep(-edge, edge, tone - wave)


def _print_colors(calm: RgbF, lines: PlaneF, easel: Easel) -> Rgb8:
    """Blocks of flat colour printed one over the other, a graded sky (bokashi), an indigo key block."""
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "ukiyo-e")
    lab = rgb_to_lab(calm)
    lab[..., 0] = np.clip(lab[..., 0] * 0.80 + 20, 0, 96)
    lab[..., 1] = lab[..., 1] * 1.15 + 1
    lab[..., 2] = lab[..., 2] * 1.15 + 5
    color = lab_to_rgb(lab)
    tooth = Tooth.of(unit, derive_seed(seed, "tooth"))
    wood = fbm(max(2, h // 4), max(2, w // 4), 6, 3, derive_seed(seed, "wood"))
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        part = np.clip(rows_of(color, w, h, top, bottom), 0, 1)
        luma = luminance(part)
        step = np.float32(0.125)
        nearest = np.round(luma / step) * step
        part *= ((nearest + step / 2 * np.tanh((luma - nearest) / step * 10)) / np.maximum(luma, 0.02))[..., None]
        grain = tooth.rows(top, bottom, w)
        rings = np.sin((rows_linear(wood, w, h, top, bottom) * 34 + np.arange(top, bottom)[:, None] / (9 * unit)) * 2)
        part *= (1 + np.float32(0.022) * rings.astype(np.float32) - np.float32(0.02) * grain)[..., None]
        y = (np.arange(top, bottom, dtype=np.float32) / np.float32(h))[:, None, None]
        part *= 1 - smoothstep(0.20, 0.0, y) * (1 - (0.45 + 0.55 * _INDIGO / _INDIGO.max())) * 0.75
        part = 0.12 * _PAPER + 0.88 * part * (0.35 + 0.65 * _PAPER / _PAPER.max())
        key = smoothstep(0.32, 0.46, rows_of(lines, w, h, top, bottom) + 0.015 * grain)[..., None] * 0.9
        out[top:bottom] = to_bytes(part + (_INDIGO - part) * key)

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "print")
    return out
