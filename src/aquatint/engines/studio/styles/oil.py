"""Oil painting: bristled strokes from large to small, thick paint lit from the upper left, on canvas."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.choices import variant
from aquatint.engines.studio.kernels.color import lab_to_rgb, rgb_to_lab, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.noise import NoiseField, derive_seed
from aquatint.engines.studio.kernels.painterly import Layer, Manner, paint_in_layers
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import cover, fit_width, rows_of
from aquatint.engines.studio.kernels.strokes import Canvas, bristles
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_PAINT_SIZE = 1536
_LAYERS = (
    Layer(64, 0.0),
    Layer(32, 0.055, sprinkle=0.05),
    Layer(16, 0.075),
    Layer(8, 0.095, sprinkle=0.01),
    Layer(4.4, 0.120, sprinkle=0.0),
)


# Larger brushes and more colour: a quick study out of doors.
_LOOSE_LAYERS = (
    Layer(60, 0.0),
    Layer(28, 0.045, sprinkle=0.10),
    Layer(14, 0.085, sprinkle=0.06),
    Layer(8.5, 0.125, sprinkle=0.01),
)
# The knife leaves broad, thick, sharp-edged patches.
_KNIFE_LAYERS = (Layer(70, 0.0), Layer(38, 0.05, sprinkle=0.08), Layer(20, 0.075), Layer(10, 0.11), Layer(6, 0.16))


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Paint the picture in oil (Hertzmann 1998; relief and light after Hertzmann 2002).

    Variants: `impasto` (palette knife), `swirl` (calm areas turn in whirls), `impressionist` (broken colour).
    Strength scales impasto and colour play.
    """
    width, height = fit_width(easel.width, easel.height, _PAINT_SIZE)
    kind = variant(easel.options, ("impasto", "swirl", "impressionist"))
    image = _richer(to_float(cover(source, width, height)), 1.32 if kind in ("swirl", "impressionist") else 1.18)
    canvas = paint_in_layers(
        image,
        _manner(kind, 0.6 + 0.4 * easel.strength),
        derive_seed(easel.seed, "oil"),
        lambda done: easel.progress(0.05 + 0.75 * done, "strokes"),
    )
    return _light(canvas, easel, impasto=1.45 if kind in ("impasto", "swirl") else 1.0)


def _manner(kind: str, play: float) -> Manner:
    if kind == "impasto":
        jitter = (2.4 * play, 3.0 * play, 3.4 * play)
        return Manner(_KNIFE_LAYERS, length=(1.5, 2.6), jitter=jitter, fade=0.4)
    if kind == "swirl":
        return Manner(_LOOSE_LAYERS, length=(2.6, 4.6), jitter=(4.0 * play, 5.0 * play, 6.0 * play), swirl=1.0)
    if kind == "impressionist":
        return Manner(_LOOSE_LAYERS, length=(1.6, 2.8), jitter=(4.0 * play, 6.0 * play, 7.0 * play), wander=0.9)
    return Manner(_LAYERS, jitter=(1.5 * play, 2.4 * play, 2.8 * play))


def _richer(image: RgbF, chroma: float) -> RgbF:
    lab = rgb_to_lab(image)
    lab[..., 1:] *= np.float32(chroma)
    light = lab[..., 0] / 100
    lab[..., 0] = 100 * np.clip(light + 0.03 * np.sin((light - 0.5) * np.pi) + 0.03 * (1 - light) ** 2, 0, 1)
    return lab_to_rgb(lab)


def _light(canvas: Canvas, easel: Easel, impasto: float) -> Rgb8:
    """Enlarge strip by strip, draw the hairs of every stroke at output size and light the relief."""
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    painted, hairs = canvas.picture()
    painted = _crisper(painted)
    hairs = np.dstack([hairs, _unbroken(hairs)])
    texture = bristles(derive_seed(easel.seed, "hairs") % 2**32, 512, 1024)
    thickness = NoiseField.of(h, w, [(40, 0.6), (90, 0.4)], derive_seed(easel.seed, "weave"))
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        a, b = max(0, top - 2), min(h, bottom + 2)
        body = rows_of(painted, w, h, a, b)
        relief = np.ascontiguousarray(body[..., 3])
        comb = _comb(hairs, texture, w, h, a, b)
        weave = _weave(w, a, b, unit) * (0.05 + 0.05 * thickness.rows(a, b))
        weave *= np.clip(1.05 - relief, 0, 1)
        relief += comb * np.clip(relief * 0.26, 0.04, 0.16)
        relief += weave
        light = _shade(relief, unit)
        light *= np.float32(0.18 * impasto * easel.strength)
        light += 1
        light *= 1 + np.float32(0.05) * comb
        lit = body[..., :3] * light[..., None]
        out[top:bottom] = to_bytes(lit[top - a : bottom - a])

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "light")
    return out


def _crisper(painted: RgbF) -> RgbF:
    """Sharpen the colour a little before it is enlarged, round the relief off."""
    soft = cv2.GaussianBlur(painted, (0, 0), 0.9)
    sharp = painted + np.float32(0.55) * (painted - soft)
    sharp[..., 3] = soft[..., 3]
    return np.asarray(sharp, dtype=np.float32)


def _unbroken(hairs: RgbF) -> PlaneF:
    """1 inside a stroke, 0 where two strokes meet: interpolated coordinates mean nothing there."""
    kernel = np.ones((3, 3), np.uint8)
    spread = cv2.dilate(hairs, kernel) - cv2.erode(hairs, kernel)
    return np.asarray((spread.max(axis=2) < 2.95).astype(np.float32))


def _comb(hairs: RgbF, texture: PlaneF, w: int, h: int, top: int, bottom: int) -> PlaneF:
    """Furrows of the hairs along each stroke, -1..1, for rows top..bottom of the output."""
    sx, sy = hairs.shape[1] / w, hairs.shape[0] / h
    matrix = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, (top + 0.5) * sy - 0.5]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    at = cv2.warpAffine(hairs, matrix, (w, bottom - top), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    along, across, inside = cv2.split(at)
    along *= 3.0
    across *= 2.4
    drawn = np.asarray(
        cv2.remap(texture, along, across, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP), dtype=np.float32
    )
    drawn -= 0.5
    drawn *= 2
    drawn *= np.asarray(inside, dtype=np.float32)
    return drawn


def _weave(w: int, top: int, bottom: int, unit: float) -> PlaneF:
    step = np.float32(2 * np.pi / (4.2 * unit))
    x = np.sin(np.arange(w, dtype=np.float32) * step)[None]
    y = np.sin(np.arange(top, bottom, dtype=np.float32) * step)[:, None]
    return np.asarray(x * y, dtype=np.float32)


def _shade(relief: PlaneF, unit: float) -> PlaneF:
    """Lambert light from the upper left less that of a flat surface, plus a highlight on ridges."""
    gx = cv2.Scharr(relief, cv2.CV_32F, 1, 0) * np.float32(unit / 16)
    gy = cv2.Scharr(relief, cv2.CV_32F, 0, 1) * np.float32(unit / 16)
    slope = gx * gx + gy * gy
    lambert = (gx * 0.45 + gy * 0.6 + np.float32(0.30 * 0.66)) / np.sqrt(slope + np.float32(0.09)) - np.float32(0.66)
    shine = smoothstep(0.16, 0.34, lambert.astype(np.float32)) * np.clip(slope * 12, 0, 1)
    return np.asarray(lambert + 0.25 * shine, dtype=np.float32)
