"""Pixel art: a coarse grid, a small palette, ordered dither on lightness only."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.choices import number, variant, word
from aquatint.engines.studio.kernels.color import lab_to_rgb, rgb_to_lab, to_bytes, to_float
from aquatint.engines.studio.kernels.palette import closest, found_palette, named_palette, to_lab
from aquatint.engines.studio.kernels.resize import blur, cover, resize
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF

_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - 0.47


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Shrink to a grid, pick a palette (k-means in Lab), dither (Bayer 1973), enlarge with hard edges.

    Options: `pixels` along the longer side (48..320, default 176), `colors` (2..32, default 24), `palette`
    (gameboy, grey, cga, sunset, arcade); variant `gameboy`. Strength coarsens the grid.
    """
    along = number(easel.options, "pixels", 176 / max(0.5, easel.strength) ** 0.5, 48, 320)
    cells_w, cells_h = _grid(easel.width, easel.height, along)
    image = to_float(cover(source, cells_w * 5, cells_h * 5))
    calm = kuwahara(image, 4.0, easel.threads)
    easel.progress(0.4, "shapes")
    small = resize(calm, cells_w, cells_h)
    small = np.clip(small + 0.6 * (small - blur(small, 0.9)), 0, 1)
    name = variant(easel.options, ("gameboy",)) or word(easel.options, "palette")
    picture = _reduced(small, name, int(number(easel.options, "colors", 24, 2, 32)), easel.seed)
    easel.progress(0.9, "palette")
    blocks = cv2.resize(to_bytes(picture), (easel.width, easel.height), interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(blocks, dtype=np.uint8)


def _grid(width: int, height: int, along: float) -> tuple[int, int]:
    """Cells across and down, as square as whole numbers allow."""
    side = max(width, height) / along
    return max(1, round(width / side)), max(1, round(height / side))


def _reduced(small: RgbF, palette_name: str, count: int, seed: int) -> RgbF:
    h, w = small.shape[:2]
    lab = rgb_to_lab(small)
    low, high = np.percentile(lab[..., 0], [1, 99])
    lab[..., 0] = np.clip(0.4 * lab[..., 0] + 0.6 * (lab[..., 0] - low) / (high - low + 1e-3) * 100, 0, 100)
    lab[..., 1:] *= 1.3
    fixed = named_palette(palette_name)
    palette = to_lab(fixed) if fixed is not None else found_palette(lab.reshape(-1, 3), count, seed)
    dither = np.tile(_BAYER, (h // 4 + 1, w // 4 + 1))[:h, :w]
    # Few colours lie far apart and need a wide dither; many need only a little.
    lab[..., 0] += dither * np.float32(np.clip(90 / len(palette), 4, 24))
    if palette_name in ("gameboy", "grey"):
        lab[..., 1:] = 0
        palette = palette.copy()
        tones = palette[:, 0].copy()
        scaled = (tones - tones.min()) / (tones.max() - tones.min()) * 100
        owner = np.argmin(np.abs(lab[..., :1].reshape(-1, 1) - scaled[None]), axis=1)
    else:
        owner = closest(lab.reshape(-1, 3), palette)
    colors = fixed if fixed is not None else lab_to_rgb(palette[None])[0]
    return np.asarray(colors[owner].reshape(h, w, 3), dtype=np.float32)
