"""Halftone print: four rotated dot screens in process colours; pop art with Ben-Day dots and a black outline."""

from __future__ import annotations

import math

import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.choices import variant
from aquatint.engines.studio.kernels.color import lab_to_rgb, luminance, rgb_to_lab, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.flow import contrast_mask, xdog
from aquatint.engines.studio.kernels.hatching import Tooth, rows_linear
from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, cover, fit_width, rows_of
from aquatint.engines.studio.kernels.tensor import detail_map, structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_WORK_SIZE = 1536
_PAPER = np.array([0.985, 0.970, 0.930], np.float32)
# Screen angle in degrees and the colour of each ink: cyan, magenta, yellow, black.
_INKS = (
    (15, np.array([0.00, 0.62, 0.90], np.float32)),
    (75, np.array([0.91, 0.06, 0.52], np.float32)),
    (0, np.array([1.00, 0.90, 0.05], np.float32)),
    (45, np.array([0.10, 0.09, 0.12], np.float32)),
)
_POP_COLORS = np.array(
    [[0.07, 0.06, 0.10], [0.12, 0.22, 0.62], [0.90, 0.13, 0.20], [0.98, 0.80, 0.10], [0.99, 0.96, 0.88]], np.float32
)


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Print with dots: CMYK with grey-component removal, one cosine spot screen per ink (Ulichney 1987).

    Variant `pop_art`: few flat poster colours, Ben-Day dots between them, a bold outline. Strength sets the
    size of the dots.
    """
    if variant(easel.options, ("pop_art",)):
        return _pop_art(source, easel)
    work_w, work_h = fit_width(easel.width, easel.height, _WORK_SIZE)
    image = to_float(cover(source, work_w, work_h))
    lab = rgb_to_lab(image)
    lab[..., 1:] *= 1.42
    lab[..., 0] = np.clip((lab[..., 0] - 50) * 1.2 + 56, 0, 100)
    inks = _separate(lab_to_rgb(lab))
    easel.progress(0.3, "separate")
    return _print(inks, easel)


def _separate(image: RgbF) -> RgbF:
    """Coverage 0..1 of cyan, magenta, yellow and black, (h, w, 4)."""
    black = (1 - image.max(axis=2)) * np.float32(0.78)
    rest = (1 - image - black[..., None]) / (1 - black[..., None] + 1e-4)
    return np.asarray(np.clip(np.dstack([rest, black]), 0, 1), dtype=np.float32)


def _print(inks: RgbF, easel: Easel) -> Rgb8:
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    pitch = max(3.0, 6.6 * unit * (0.6 + 0.4 * easel.strength))
    seed = derive_seed(easel.seed, "halftone")
    shift = generator(seed, "register").normal(0, 0.22 * unit, (4, 2))  # plates never meet exactly
    tooth = Tooth.of(unit, seed)
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        cover_of = np.clip(rows_of(inks, w, h, top, bottom), 0, 1)
        grain = tooth.rows(top, bottom, w)
        picture = _PAPER * (1 + np.float32(0.008) * grain)[..., None]
        for i, (angle, color) in enumerate(_INKS):
            spot = _screen(w, top, bottom, math.radians(angle), pitch, (float(shift[i, 0]), float(shift[i, 1])))
            edge = float(np.clip(1.1 / pitch, 0.04, 0.3))
            laid = smoothstep(-edge, edge, cover_of[..., i] * 1.04 - 0.02 - spot)
            laid *= np.clip(0.96 - 0.035 * grain, 0, 1)
            for channel in range(3):
                picture[..., channel] *= 1 - laid * (1 - color[channel])
        out[top:bottom] = to_bytes(picture)

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "print")
    return out


def _screen(w: int, top: int, bottom: int, angle: float, pitch: float, shift: tuple[float, float]) -> PlaneF:
    """Threshold 0..1 whose level sets are round dots; uniform, so that coverage v prints the share v."""
    c, s = math.cos(angle) * 2 * math.pi / pitch, math.sin(angle) * 2 * math.pi / pitch
    x = np.arange(w, dtype=np.float32)[None] + np.float32(shift[0])
    y = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(shift[1])
    # cos(a + b) of an outer sum by four products of rows and columns: no trigonometry per pixel.
    u = np.cos(c * x) * np.cos(s * y) - np.sin(c * x) * np.sin(s * y)
    v = np.cos(-s * x) * np.cos(c * y) - np.sin(-s * x) * np.sin(c * y)
    wave = (u + v) * np.float32(0.5)
    # The sum of two cosines is not uniform; this odd polynomial makes it nearly so.
    level = wave * (np.float32(0.68) - np.float32(0.18) * wave * wave)
    return np.asarray(0.5 - level, dtype=np.float32)


def _pop_art(source: Rgb8, easel: Easel) -> Rgb8:
    work_w, work_h = fit_width(easel.width, easel.height, 1024)
    unit = (work_w * work_h) ** 0.5 / 768
    image = to_float(cover(source, work_w, work_h))
    calm = kuwahara(image, 5 * unit, easel.threads)
    luma = luminance(calm)
    ranks = np.searchsorted(np.sort(luma[::4, ::4].ravel()), luma.ravel()).reshape(luma.shape)
    tone = (0.55 * ranks / max(1, luma[::4, ::4].size) + 0.45 * luma).astype(np.float32)
    flow = structure_tensor(image, 2.5 * unit)
    ink = 1 - xdog(0.5 * luma + 0.5 * blur(luminance(image), 0.8 * unit), 1.4 * unit, 18, 0.55, 2.2, easel.threads)
    ink *= contrast_mask(flow, 2 * unit, 0.014, 0.04) * (1 - 0.7 * detail_map(flow, 12 * unit, 97))
    lab = rgb_to_lab(calm)
    warm = smoothstep(-14, 14, blur(lab[..., 1] + 0.5 * lab[..., 2], 2 * unit))
    easel.progress(0.5, "shapes")
    return _poster(tone, warm, ink, easel)


def _poster(tone: PlaneF, warm: PlaneF, ink: PlaneF, easel: Easel) -> Rgb8:
    """Dark, cool or warm middle, yellow and paper: the middles are bridged by dots."""
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    pitch = max(4.0, 9.5 * unit * (0.6 + 0.4 * easel.strength))
    dark, blue, red, yellow, paper = _POP_COLORS
    out = np.empty((h, w, 3), np.uint8)

    def blend(base: RgbF, color: RgbF, share: PlaneF) -> RgbF:
        return np.asarray(base + (color - base) * share[..., None], dtype=np.float32)

    def strip(top: int, bottom: int) -> None:
        t = rows_of(tone, w, h, top, bottom)
        side = smoothstep(0.42, 0.58, rows_linear(warm, w, h, top, bottom))
        spot = _screen(w, top, bottom, math.radians(22), pitch, (0.0, 0.0))
        edge = float(np.clip(1.2 / pitch, 0.03, 0.3))
        middle = blend(np.broadcast_to(blue, (bottom - top, w, 3)), red, side)
        light = blend(np.broadcast_to(paper, (bottom - top, w, 3)), yellow, smoothstep(0.86, 0.83, t))
        picture = blend(light, middle, smoothstep(-edge, edge, np.clip((0.66 - t) / 0.34 + 0.30, 0, 0.62) - spot))
        picture = blend(picture, middle, smoothstep(0.40, 0.385, t))
        picture = blend(picture, dark, smoothstep(0.205, 0.19, t))
        picture = blend(picture, dark, smoothstep(0.28, 0.40, rows_of(ink, w, h, top, bottom)))
        out[top:bottom] = to_bytes(picture)

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "print")
    return out
