"""Borders: a white mat with a bevelled window, or a wooden frame around it."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.choices import variant
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, paper_grain
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import cover
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8

_MAT = np.array([247, 245, 239], np.float32)
_WOOD_DARK = np.array([58, 36, 22], np.float32)
_WOOD_LIGHT = np.array([132, 88, 52], np.float32)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Set the picture into a mat; option `variant` frame puts wood around it. Same size, nothing is covered."""
    height, width = source.shape[:2]
    short = min(width, height)
    mat = max(1, round(0.055 * short * min(1.4, easel.strength)))
    wood = max(1, round(0.034 * short)) if variant(easel.options, ("frame",)) else 0
    inset = min(mat + wood, (short - 1) // 2)
    canvas = _mat(width, height, easel)
    _bevel(canvas, inset, max(1, short // 400))
    canvas[inset : height - inset, inset : width - inset] = cover(source, width - 2 * inset, height - 2 * inset)
    if wood:
        _shade_window(canvas, wood, short)
        _wooden_frame(canvas, min(wood, inset), easel)
    return canvas


def _mat(width: int, height: int, easel: Easel) -> Rgb8:
    grain = paper_grain(height, width, easel.seed, scale=2.0)
    canvas = np.empty((height, width, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        tooth = 1 + np.clip(grain.rows(top, bottom), -3, 3)[..., None] * np.float32(0.006)
        canvas[top:bottom] = np.clip(_MAT * tooth + 0.5, 0, 255)

    run_strips(strip, height, easel.threads)
    return canvas


def _bevel(canvas: Rgb8, inset: int, thick: int) -> None:
    """The cut edge of the mat: dark above and left, where it throws a shadow, light below and right."""
    height, width = canvas.shape[:2]
    a = max(0, inset - thick)
    canvas[a:inset, a : width - a] = (206, 203, 196)
    canvas[a : height - a, a:inset] = (214, 211, 204)
    canvas[height - inset : height - a, a : width - a] = (255, 254, 251)
    canvas[a : height - a, width - inset : width - a] = (255, 254, 251)


def _shade_window(canvas: Rgb8, wood: int, short: int) -> None:
    """The shadow that the frame throws on the mat, from upper left."""
    height, width = canvas.shape[:2]
    reach = max(2, short // 60)
    y = np.arange(height, dtype=np.float32)[:, None] - wood
    x = np.arange(width, dtype=np.float32)[None] - wood
    for top in range(0, height, 256):
        near = np.minimum(np.maximum(y[top : top + 256], 0), np.maximum(x, 0)) / reach
        shade = 1 - 0.34 * np.exp(-near * near * 1.5)
        part = canvas[top : top + 256]
        part[:] = (part * shade[..., None].astype(np.float32) + np.float32(0.5)).astype(np.uint8)


def _wooden_frame(canvas: Rgb8, wood: int, easel: Easel) -> None:
    height, width = canvas.shape[:2]
    across = _board(width, wood, derive_seed(easel.seed, "wood h"))
    upright = _board(height, wood, derive_seed(easel.seed, "wood v"))
    sides = (
        (across, canvas[:wood], 1.0, False),
        (across[::-1, ::-1], canvas[height - wood :], 0.72, False),
        (upright, canvas[:, :wood], 0.9, True),
        (upright[::-1, ::-1], canvas[:, width - wood :], 0.8, True),
    )
    for board, part, light, turned in sides:
        tone = (board.T if turned else board)[..., None]
        face = (_WOOD_DARK + (_WOOD_LIGHT - _WOOD_DARK) * tone) * np.float32(light)
        colored = np.clip(face + np.float32(0.5), 0, 255).astype(np.uint8)
        if turned:  # mitred corners: the upright boards end on the diagonals
            rows, columns = np.arange(height)[:, None], np.arange(wood)[None]
            edge = columns if part.ctypes.data == canvas.ctypes.data else wood - 1 - columns
            inside = (rows >= edge) & (rows < height - edge)
            part[inside] = colored[inside]
        else:
            part[:] = colored


def _board(length: int, wood: int, seed: int) -> PlaneF:
    """Tone 0..1 of a board (wood, length): rounded profile and grain along it."""
    profile = np.sin(np.linspace(0.25, np.pi - 0.1, wood, dtype=np.float32)) ** 0.8
    grain = fbm(max(2, wood), 64, 9, 3, seed)
    streaks = cv2.resize(grain, (length, wood), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(0.12 + 0.62 * profile[:, None] + 0.3 * streaks, 0, 1), dtype=np.float32)
