"""Chinese ink wash: much blank paper, a few wet tones that bleed, calligraphic contours, rice paper, a red seal."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.color import lab_to_rgb, luminance, rgb_to_lab, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.flow import contrast_mask, xdog
from aquatint.engines.studio.kernels.hatching import Tooth, rows_linear
from aquatint.engines.studio.kernels.masks import border_distance, rim
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator, warp
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, blur_wide, cover, fit_width, resize, rows_of
from aquatint.engines.studio.kernels.tensor import detail_map, structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_WORK_SIZE = 1024
_WASH_SIZE = 1536
_PAPER = np.array([0.957, 0.938, 0.892], np.float32)
_INK = np.array([1.02, 1.0, 0.95], np.float32)  # density per channel: ink of soot is a little warm
_VERMILION = np.array([0.74, 0.15, 0.11], np.float32)
# Tone at which a wash begins, its ink, how far it bleeds (units of width / 1024) and the softness of its edge.
_WASHES = ((0.08, 0.15, 11.0, 0.12), (0.32, 0.26, 6.5, 0.09), (0.58, 0.46, 2.8, 0.07), (0.80, 0.85, 1.3, 0.06))


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Paint in the manner of shui-mo: tones laid wet with bleeding rims (after Curtis 1997), XDoG brush contours.

    Strength is how black the ink is.
    """
    work_w, work_h = fit_width(easel.width, easel.height, _WORK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    image = to_float(cover(source, work_w, work_h))
    calm = kuwahara(image, 6 * unit, easel.threads)
    easel.progress(0.25, "shapes")
    flow = structure_tensor(image, 2.5 * unit)
    line = 1 - xdog(luminance(kuwahara(image, 3 * unit, easel.threads)), 1.2 * unit, 17, 0.61, 2.2, easel.threads)
    line *= contrast_mask(flow, 2.5 * unit, 0.012, 0.045)
    line *= 1 - 0.58 * detail_map(flow, 16 * unit, 97)
    easel.progress(0.5, "contours")
    seed = derive_seed(easel.seed, "ink wash")
    wash_w, wash_h = fit_width(easel.width, easel.height, _WASH_SIZE)
    ink = _washes(resize(_tone(calm), wash_w, wash_h), seed)
    easel.progress(0.75, "washes")
    return _mount(ink, blur(line, 0.7), _tint(calm), easel, seed)


def _tone(calm: RgbF) -> PlaneF:
    """Darkness 0..1; the lighter part of the picture, and any sky, stays blank paper."""
    luma = luminance(calm)
    low, high = np.percentile(luma[::4, ::4], [2, 78])
    return np.asarray(1 - np.clip((luma - low) / (high - low + 1e-3), 0, 1) ** 0.66, dtype=np.float32)


def _washes(tone: PlaneF, seed: int) -> PlaneF:
    """Ink density of four overlapping washes."""
    h, w = tone.shape
    unit = (h * w) ** 0.5 / 768
    tone = np.clip(warp(tone, 5 * unit, 20, derive_seed(seed, "hand")), 0, 1)
    wobble = fbm(h, w, 22, 4, derive_seed(seed, "wobble")) * np.float32(0.15)
    total = np.zeros_like(tone)
    for i, (start, ink, bleed, soft) in enumerate(_WASHES):
        mask = smoothstep(start - soft, start + soft, tone + wobble)
        wet = smoothstep(-0.15, 0.4, fbm(h, w, 5, 3, derive_seed(seed, "wet", i))) * np.float32(0.6)
        mask += (blur_wide(mask, bleed * unit) - mask) * wet
        edge = 1 + np.float32(0.55) * rim(mask, 2.6 * unit)
        pooled = 1 + np.float32(0.5) * fbm(h, w, 5 + 3 * i, 4, derive_seed(seed, "pool", i))
        total += np.float32(ink) * mask * edge * pooled
    return total


def _tint(calm: RgbF) -> RgbF:
    """Density of the faint colour washed over the ink, (h, w, 3)."""
    lab = rgb_to_lab(calm)
    lab[..., 0] = 72
    lab[..., 1:] *= 1.15
    color = np.clip(lab_to_rgb(lab), 0.05, 1)
    share = color / color.max(axis=2, keepdims=True)
    return np.asarray(-np.log(np.clip(share, 0.2, 1)), dtype=np.float32)


def _mount(ink: PlaneF, line: PlaneF, tint: RgbF, easel: Easel, seed: int) -> Rgb8:
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    tooth = Tooth.of(unit, derive_seed(seed, "tooth"))
    small = max(1, w // 8), max(1, h // 8)
    fade = 0.09 * fbm(small[1], small[0], 3, 3, derive_seed(seed, "fade"))
    stain = 0.02 * fbm(small[1], small[0], 3, 3, derive_seed(seed, "stain"))
    dry = fbm(max(1, h // 2), max(1, w // 2), 18, 4, derive_seed(seed, "dry"))
    seal = _seal(min(w, h), unit, seed)
    margin = round(min(w, h) * 0.062)
    corner = (w - margin - seal.shape[1], h - margin - seal.shape[0])
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        grain = tooth.rows(top, bottom, w)
        brush = smoothstep(0.24, 0.50, rows_of(line, w, h, top, bottom) + 0.03 * grain)
        brush *= np.clip(0.98 + 0.9 * rows_linear(dry, w, h, top, bottom) - 0.22 * grain, 0.12, 1.35)
        total = rows_linear(ink, w, h, top, bottom) + np.float32(0.85) * brush
        edge = border_distance(h, w, top, bottom) * np.float32(w / min(w, h))
        total *= smoothstep(0.0, 0.17, edge + rows_linear(fade, w, h, top, bottom))
        total *= np.clip(1 - np.float32(0.075) * grain, 0.5, 1.5) * np.float32(1.05 + 0.15 * easel.strength)
        hue = rows_linear(tint, w, h, top, bottom) * (0.34 * smoothstep(0.05, 0.6, total))[..., None]
        sheet = 1 + np.float32(0.011) * grain + rows_linear(stain, w, h, top, bottom)
        picture = np.asarray(cv2.exp(-(total[..., None] * _INK + hue)), dtype=np.float32)
        picture *= _PAPER * sheet[..., None]
        _stamp(picture, seal, corner, top)
        out[top:bottom] = to_bytes(picture)

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "paper")
    return out


def _seal(side: int, unit: float, seed: int) -> PlaneF:
    """A carved seal of four invented signs, as coverage 0..1."""
    size = max(12, int(side * 0.07))
    big = 4 * size  # drawn large and shrunk: clean edges
    rng = generator(seed, "seal")
    plate = np.zeros((big, big), np.uint8)
    cv2.rectangle(plate, (big // 40, big // 40), (big - big // 40, big - big // 40), 255, -1)
    stroke = max(1, big // 15)
    for column in range(2):
        for row in range(2):
            x, y, r = int(big * (0.13 + 0.41 * column)), int(big * (0.13 + 0.41 * row)), int(big * 0.32)
            for k in range(3):
                cv2.line(plate, (x, y + k * r // 2), (x + r, y + k * r // 2), 0, stroke)
            for _ in range(2):
                bar = x + r // 2 * int(rng.integers(0, 3))
                start, end = sorted(rng.integers(0, 3, 2).tolist())
                cv2.line(plate, (bar, y + start * r // 2), (bar, y + max(end, start + 1) * r // 2), 0, stroke)
    small = np.asarray(cv2.resize(plate, (size, size), interpolation=cv2.INTER_AREA), dtype=np.float32)
    worn = blur(small * np.float32(1 / 255), 0.3 * unit)
    patches = fbm(size, size, 9, 3, derive_seed(seed, "wear"))
    worn = np.asarray(worn + np.float32(0.34) * np.minimum(patches, 0.2), dtype=np.float32)
    return smoothstep(0.32, 0.62, worn) * np.float32(0.9)


def _stamp(picture: RgbF, seal: PlaneF, corner: tuple[int, int], top: int) -> None:
    """Press the part of the seal that lies in this strip, in place; `corner` is (x, y) of its upper left."""
    size = seal.shape[0]
    first, last = max(corner[1], top), min(corner[1] + size, top + picture.shape[0])
    if first >= last:
        return
    share = seal[first - corner[1] : last - corner[1], :, None]
    part = picture[first - top : last - top, corner[0] : corner[0] + size]
    part += share * (_VERMILION * (0.35 + 0.65 * part.mean(axis=2, keepdims=True) ** 0.25) - part)
