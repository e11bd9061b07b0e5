"""Mosaic: square tesserae laid along the forms in pale grout, each its own shade, lit from the side."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.cells import Tiles, oriented_tiles
from aquatint.engines.studio.kernels.color import lab_to_rgb, rgb_to_lab, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.hatching import Tooth
from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, blur_wide, cover, fit_width
from aquatint.engines.studio.kernels.tensor import structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_WORK_SIZE = 896
_GROUT = np.array([0.80, 0.77, 0.71], np.float32)


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Tile the picture (Hausner 2001). Strength makes the tesserae larger."""
    work_w, work_h = fit_width(easel.width, easel.height, _WORK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "mosaic")
    image = to_float(cover(source, work_w, work_h))
    calm = kuwahara(image, 3 * unit, easel.threads)
    easel.progress(0.2, "shapes")
    step = 11 * unit * (0.55 + 0.45 * easel.strength)
    tiles = oriented_tiles(calm, _directions(calm, unit), step, seed)
    easel.progress(0.6, "tiles")
    return _set(tiles, calm, easel, seed)


def _directions(image: RgbF, unit: float) -> PlaneF:
    """Angle along the nearest strong edge, smoothed by energy so that rows stay together."""
    near = structure_tensor(image, 3 * unit)
    cos2, sin2 = near.tx**2 - near.ty**2, 2 * near.tx * near.ty
    weight = near.strength**2 + np.float32(1e-7)
    total_c, total_s = cos2 * weight, sin2 * weight
    for sigma, share in ((8, 0.25), (30, 0.05), (90, 0.01)):
        total_c += share * blur_wide(cos2 * weight, sigma * unit)
        total_s += share * blur_wide(sin2 * weight, sigma * unit)
    return np.asarray(0.5 * np.arctan2(total_s, total_c), dtype=np.float32)


def _set(tiles: Tiles, calm: RgbF, easel: Easel, seed: int) -> Rgb8:
    """Draw tiles at output size: colour and a height map for the bevels."""
    w, h = easel.width, easel.height
    zoom = w / calm.shape[1]
    unit = (w * h) ** 0.5 / 768
    rng = generator(seed, "tiles")
    count = tiles.x.size
    lab = rgb_to_lab(tiles.color[None])[0]
    lab[:, 0] = np.clip((lab[:, 0] - 50) * 1.06 + 50 + rng.normal(0, 3.6, count), 3, 97)
    lab[:, 1:] = lab[:, 1:] * 1.28 + rng.normal(0, 3.0, (count, 2))
    color = np.rint(lab_to_rgb(lab[None].astype(np.float32))[0] * 255).astype(np.uint8)
    angle = (tiles.angle + rng.normal(0, 0.045, count)).astype(np.float32)
    half = (0.45 * zoom * tiles.side * (1 + rng.normal(0, 0.035, count))).astype(np.float32)
    corners = _corners(tiles.x * zoom, tiles.y * zoom, angle, half, rng)
    # Mortar takes the tone of its surroundings: pale joints would make a night picture noisy.
    mortar = _GROUT * (0.24 + 0.60 * blur_wide(calm, 12 * calm.shape[1] / 1024))
    picture = np.asarray(cv2.resize(to_bytes(mortar), (w, h), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    height = np.zeros((h, w), np.uint8)
    tilt = np.clip(rng.normal(205, 22, count), 140, 255)
    for i in range(count):
        cv2.fillConvexPoly(picture, corners[i], color[i].tolist(), cv2.LINE_AA, 4)
        cv2.fillConvexPoly(height, corners[i], float(tilt[i]), cv2.LINE_AA, 4)
    easel.progress(0.8, "grout")
    return _light(picture, height, unit, easel, seed)


def _corners(x: PlaneF, y: PlaneF, angle: PlaneF, half: PlaneF, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """Hand-cut squares: (n, 4, 2) int32 with 4 fractional bits."""
    c, s = np.cos(angle), np.sin(angle)
    signs = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], np.float32)
    cut = signs[None] * half[:, None, None] * (1 + rng.normal(0, 0.055, (x.size, 4, 2)))
    px = x[:, None] + c[:, None] * cut[..., 0] - s[:, None] * cut[..., 1]
    py = y[:, None] + s[:, None] * cut[..., 0] + c[:, None] * cut[..., 1]
    return np.rint(np.stack([px, py], axis=2) * 16).astype(np.int32)


def _light(picture: Rgb8, height: npt.NDArray[np.uint8], unit: float, easel: Easel, seed: int) -> Rgb8:
    h, w = height.shape
    stone = Tooth.of(unit * 0.9, derive_seed(seed, "stone"))
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        margin = int(4 * unit) + 2
        a, b = max(0, top - margin), min(h, bottom + margin)
        relief = blur(height[a:b].astype(np.float32) * np.float32(1 / 255), 0.55 * unit)
        slope = cv2.Scharr(relief, cv2.CV_32F, 1, 0) * 0.5 + cv2.Scharr(relief, cv2.CV_32F, 0, 1) * 0.8
        shade = np.clip(slope * np.float32(unit / 16), -0.5, 0.5)
        inside = smoothstep(0.25, 0.6, relief)
        hollow = smoothstep(0.55, 0.0, blur(relief, 1.3 * unit)) * (1 - inside)
        grain = stone.rows(a, b, w)
        light = 1 + np.float32(0.62) * shade + np.float32(0.025) * grain * (0.6 + inside) - np.float32(0.30) * hollow
        # Shadow of each tile falls into the joint on its lower right.
        lit = to_float(picture[a:b]) * light[..., None]
        out[top:bottom] = to_bytes(lit[top - a : bottom - a])

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "light")
    return out
