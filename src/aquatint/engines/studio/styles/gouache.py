"""Gouache: opaque matte colour in broad flat touches with dry-brushed edges; variant pastel: chalk on toned paper."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.choices import variant
from aquatint.engines.studio.kernels.color import lab_to_rgb, luminance, rgb_to_lab, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.hatching import HatchField, Tooth, drawn_lines, rows_linear
from aquatint.engines.studio.kernels.masks import border_distance
from aquatint.engines.studio.kernels.noise import derive_seed, fbm
from aquatint.engines.studio.kernels.painterly import Layer, Manner, paint_in_layers
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, cover, fit_width, resize, rows_of
from aquatint.engines.studio.kernels.strokes import Canvas
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_PAINT_SIZE = 1280
_CHALK_SIZE = 1024
_TOUCHES = (
    Layer(86, 0.0, spacing=0.6),
    Layer(42, 0.040, sprinkle=0.10),
    Layer(21, 0.062, sprinkle=0.02),
    Layer(10.5, 0.090),
    Layer(5.4, 0.130, sprinkle=0.0),
)
# Gouache dries flat: this share of every touch levels out.
_SETTLE = 0.5
_PAPER = np.array([0.965, 0.950, 0.915], np.float32)
_TONED_PAPER = np.array([0.545, 0.520, 0.500], np.float32)


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Paint in gouache with broad strokes over simplified shapes (Hertzmann 1998; Papari 2007).

    Variant `pastel` draws with chalks that catch on toned paper. Strength deepens colour and dryness.
    """
    if variant(easel.options, ("pastel",)):
        return _pastel(source, easel)
    width, height = fit_width(easel.width, easel.height, _PAINT_SIZE)
    image = to_float(cover(source, width, height))
    flat = kuwahara(resize(image, width // 2, height // 2), 6.5 * (width * height) ** 0.5 / 1536, easel.threads)
    matte = _matte(0.75 * resize(flat, width, height) + 0.25 * image, easel.strength)
    manner = Manner(
        _TOUCHES,
        length=(1.6, 3.2),
        jitter=(1.3, 2.0, 2.2),
        fidelity=0.26,
        wander=0.7,
        fade=1.0,
        ground=(0.90, 0.86, 0.78),
        ground_share=0.35,
    )
    canvas = paint_in_layers(
        matte, manner, derive_seed(easel.seed, "gouache"), lambda done: easel.progress(0.85 * done, "touches")
    )
    return _dry(canvas, matte, easel)


def _matte(image: RgbF, strength: float) -> RgbF:
    """Chalky colour: no deep blacks, lights kept under paper white, lightness gathered into a few tones."""
    lab = rgb_to_lab(image)
    step = np.float32(100 / 9)
    nearest = np.round(lab[..., 0] / step) * step
    tones = nearest + step / 2 * np.tanh((lab[..., 0] - nearest) / step * 3.5)
    lab[..., 0] = 15 + 0.80 * (0.35 * lab[..., 0] + 0.65 * tones)
    lab[..., 1:] *= np.float32(1.08 + 0.12 * strength)
    return lab_to_rgb(lab)


def _dry(canvas: Canvas, matte: RgbF, easel: Easel) -> Rgb8:
    """Settle the wet touches towards flat colour, show the paper at the edges."""
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "dry")
    painted, _ = canvas.picture()
    painted[..., :3] += np.float32(_SETTLE) * (matte - painted[..., :3])
    painted = np.asarray(painted + 0.5 * (painted - cv2.GaussianBlur(painted, (0, 0), 1.0)), dtype=np.float32)
    tooth = Tooth.of(unit, seed)
    frame = 0.014 * fbm(max(2, h // 4), max(2, w // 4), 12, 4, derive_seed(seed, "frame"))
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        grain = tooth.rows(top, bottom, w)
        body = rows_of(painted, w, h, top, bottom)
        color, ridge = body[..., :3], np.clip(body[..., 3], 0, 1)
        # Thin paint shows the brush as slightly lighter, chalky streaks; thick paint is even.
        color = color * (1 + np.float32(0.045) * (ridge - 0.5) - np.float32(0.016) * grain)[..., None]
        edge = border_distance(h, w, top, bottom) * np.float32(w / min(w, h))
        sheet = smoothstep(0.020, 0.026, edge + rows_linear(frame, w, h, top, bottom) + 0.0012 * grain)
        paper = _PAPER * (1 + np.float32(0.012) * grain)[..., None]
        out[top:bottom] = to_bytes(paper + (color - paper) * sheet[..., None])

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "paper")
    return out


def _pastel(source: Rgb8, easel: Easel) -> Rgb8:
    work_w, work_h = fit_width(easel.width, easel.height, _CHALK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    image = to_float(cover(source, work_w, work_h))
    calm = kuwahara(image, 5 * unit, easel.threads)
    easel.progress(0.3, "shapes")
    lab = rgb_to_lab(0.8 * calm + 0.2 * image)
    lab[..., 1:] *= 1.28
    lab[..., 0] = np.clip(10 + lab[..., 0] * 0.92, 0, 98)
    lines = drawn_lines(blur(luminance(calm), 0.8 * unit), 18 * unit, 8, 1.8 * unit, easel.threads)
    easel.progress(0.5, "contours")
    return _chalk(lab_to_rgb(lab), np.clip(lines - 0.35, 0, 1), easel)


def _chalk(color: RgbF, lines: PlaneF, easel: Easel) -> Rgb8:
    """Rubbed ground, then strokes of chalk in three directions, each a little off in hue, over the paper's tooth."""
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "pastel")
    tooth = Tooth.of(0.9 * unit, seed)
    strokes = [
        HatchField.of(h, w, angle, spacing * unit, derive_seed(seed, "chalk", i), sway=1.3, reach=7)
        for i, (angle, spacing) in enumerate(((-0.85, 5.0), (-0.35, 4.2), (-1.25, 3.6)))
    ]
    frame = 0.04 * fbm(max(2, h // 8), max(2, w // 8), 4, 3, derive_seed(seed, "frame"))
    tints = np.array([[1.06, 1.01, 0.93], [0.94, 1.0, 1.07], [1.05, 1.04, 1.02]], np.float32)
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        grain = tooth.rows(top, bottom, w)
        base = np.clip(rows_of(color, w, h, top, bottom), 0, 1)
        fields = [field.rows(top, bottom) for field in strokes]
        edge = border_distance(h, w, top, bottom) * np.float32(w / min(w, h))
        page = smoothstep(0.0, 0.07, edge + rows_linear(frame, w, h, top, bottom) + 0.012 * fields[0])
        picture = _TONED_PAPER * (1 + np.float32(0.020) * grain)[..., None]
        rubbed = np.clip(0.74 + 0.05 * fields[1] - 0.05 * grain, 0, 1) * page
        picture = picture + (base - picture) * rubbed[..., None]
        for field, tint in zip(fields, tints, strict=True):
            touch = smoothstep(0.15, 1.35, field - np.float32(0.62) * grain) * page * np.float32(0.62)
            picture += (np.clip(base * tint + 0.02, 0, 1) - picture) * touch[..., None]
        contour = np.clip(rows_linear(lines, w, h, top, bottom) * (0.8 + 0.2 * fields[0] - 0.28 * grain), 0, 0.7)
        out[top:bottom] = to_bytes(
            picture * (1 - (contour * page)[..., None] * np.array([0.62, 0.66, 0.60], np.float32))
        )

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "paper")
    return out
