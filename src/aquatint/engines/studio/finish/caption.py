"""Words on a finished picture: a title that the prompt asked for, and the strip that marks a preview."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels import type as typeset
from aquatint.engines.studio.styles.base import Rgb8

_STRIP_PAPER = (247, 245, 240)
_STRIP_INK = (52, 50, 56)
_TITLE_LIGHT = np.array([252, 250, 244], np.float32)


def preview_strip(image: Rgb8, not_done: tuple[str, ...]) -> Rgb8:
    """Lay a strip over the foot of a picture that says what was not done. Same size, new array."""
    words = "; ".join(not_done)
    chinese = any(typeset.is_wide(char) for char in words)
    text = f"预览 · 未执行：{words}" if chinese else f"Preview - not done: {words}"
    height, width = image.shape[:2]
    tall = max(18, round(0.085 * min(height, width)))
    pad = max(3, round(0.22 * tall))
    block = typeset.fit(text, width - 4 * pad, tall - 2 * pad, "sans", largest=round(0.5 * tall))
    mask = typeset.crop_to_ink(typeset.block_mask(block))
    result = image.copy()
    strip = result[height - tall :]
    strip[:] = _STRIP_PAPER
    _ink(strip, mask, 2 * pad, (tall - mask.shape[0]) // 2, np.array(_STRIP_INK, np.float32))
    return result


def set_title(image: Rgb8, title: str) -> Rgb8:
    """Set a title in the lower third, light with a soft shadow so that it reads on any ground. New array."""
    height, width = image.shape[:2]
    block = typeset.fit(title, round(0.84 * width), round(0.24 * height), "serif-bold", largest=round(0.14 * height))
    mask = typeset.crop_to_ink(typeset.block_mask(block, "center"))
    left, top = (width - mask.shape[1]) // 2, round(0.93 * height) - mask.shape[0]
    halo = max(3, block.size // 4)
    wide = cv2.copyMakeBorder(mask, 2 * halo, 2 * halo, 2 * halo, 2 * halo, cv2.BORDER_CONSTANT, value=0)
    soft = np.asarray(cv2.GaussianBlur(wide, (0, 0), halo * 0.7), dtype=np.float32)
    shadow = np.clip(soft * 1.5, 0, 190).astype(np.uint8)
    result = image.copy()
    _ink(result, shadow, left - 2 * halo, top - 2 * halo, np.zeros(3, np.float32))
    _ink(result, mask, left, top, _TITLE_LIGHT)
    return result


def _ink(
    canvas: Rgb8, mask: typeset.Mask, left: int, top: int, color: np.ndarray[tuple[int], np.dtype[np.float32]]
) -> None:
    """Mix a colour (0..255) into the canvas through a coverage mask whose corner may lie outside."""
    mask = mask[max(0, -top) :, max(0, -left) :]
    left, top = max(0, left), max(0, top)
    area = canvas[top : top + mask.shape[0], left : left + mask.shape[1]]
    cover = mask[: area.shape[0], : area.shape[1], None].astype(np.float32) / np.float32(255)
    area[:] = (area * (1 - cover) + color * cover + np.float32(0.5)).astype(np.uint8)
