"""Resizing: shrink by area, enlarge by cubic, cover a frame; and blur with small typed wrappers."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.arrays import Rgb8

FloatArray = npt.NDArray[np.float32]
Pixels = TypeVar("Pixels", npt.NDArray[np.uint8], npt.NDArray[np.float32])


def resize(image: Pixels, width: int, height: int) -> Pixels:
    """Resize (h, w[, c]) to exactly width x height: AREA when it gets smaller, CUBIC when larger.

    OpenCV's other modes alias when shrinking. Enlarged floats may overshoot their range by a few per cent.
    Returns the input itself when the size already fits.
    """
    if image.shape[:2] == (height, width):
        return image
    larger = width * height > image.shape[0] * image.shape[1]
    mode = cv2.INTER_CUBIC if larger else cv2.INTER_AREA
    return np.asarray(cv2.resize(image, (width, height), interpolation=mode), dtype=image.dtype)


def fit_width(width: int, height: int, longest: int) -> tuple[int, int]:
    """Give the (width, height) of the same ratio whose longer side is at most `longest`; never larger."""
    scale = min(1.0, longest / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def cover(image: Rgb8, width: int, height: int) -> Rgb8:
    """Resize so that the frame is filled, cut the overhang equally on both sides."""
    source_height, source_width = image.shape[:2]
    scale = max(width / source_width, height / source_height)
    # Cut first: enlarging pixels that are thrown away afterwards is wasted work.
    keep_w = min(source_width, max(1, round(width / scale)))
    keep_h = min(source_height, max(1, round(height / scale)))
    left, top = (source_width - keep_w) // 2, (source_height - keep_h) // 2
    cut = np.ascontiguousarray(image[top : top + keep_h, left : left + keep_w])
    return resize(cut, width, height)


def blur(image: FloatArray, sigma: float) -> FloatArray:
    """Gaussian blur of a float32 array (h, w[, c]); sigma in pixels, below .05 the input comes back."""
    if sigma <= 0.05:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), float(sigma)), dtype=np.float32)


def blur_wide(image: FloatArray, sigma: float) -> FloatArray:
    """Gaussian blur for large sigma, done on a smaller copy: nearly the same and many times quicker."""
    shrink = 1
    while sigma / (shrink * 2) >= 2.5 and shrink < 32:
        shrink *= 2
    if shrink == 1:
        return blur(image, sigma)
    height, width = image.shape[:2]
    small_size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
    small = cv2.resize(image, small_size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


def rows_of(image: FloatArray, width: int, height: int, top: int, bottom: int) -> FloatArray:
    """Rows top..bottom of `image` enlarged to width x height, without making the whole enlargement."""
    source_height, source_width = image.shape[:2]
    sx, sy = source_width / width, source_height / height
    matrix = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, (top + 0.5) * sy - 0.5]], np.float32)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(image, matrix, (width, bottom - top), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(drawn, dtype=np.float32)


def unit(width: int, height: int) -> float:
    """The length in pixels of 1/1024 of the longer side: express every radius in it."""
    return max(width, height) / 1024
