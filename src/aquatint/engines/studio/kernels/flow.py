"""Following the picture's flow: line integral convolution and flow-based difference-of-Gaussians lines."""

from __future__ import annotations

import math

import cv2
import numpy as np

from aquatint.engines.studio.arrays import PlaneF
from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.parallel import map_ordered
from aquatint.engines.studio.kernels.resize import FloatArray, blur
from aquatint.engines.studio.kernels.tensor import Flow, structure_tensor


def _pixel_grid(height: int, width: int) -> tuple[PlaneF, PlaneF]:
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return xs, ys


def lic(
    image: FloatArray, tx: PlaneF, ty: PlaneF, length: int, sigma: float, threads: int = 2, step: float = 1.0
) -> FloatArray:
    """Average along the flow lines (Cabral and Leedom 1993), `length` samples each way, Gaussian weights.

    `image` is (h, w[, c]) float32, `tx`, `ty` unit tangents whose sign may flip, `sigma` in samples and
    `step` in pixels between samples. Paths are followed by repeated `remap`.
    """
    height, width = tx.shape
    tangent = np.dstack([tx, ty])

    def half(sign: int) -> tuple[FloatArray, float]:
        total: FloatArray = np.zeros_like(image)
        weights = 0.0
        px, py = _pixel_grid(height, width)
        vx, vy = tx * np.float32(sign * step), ty * np.float32(sign * step)
        for k in range(1, length + 1):
            px += vx
            py += vy
            weight = math.exp(-k * k / (2 * sigma * sigma))
            sample = cv2.remap(image, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
            cv2.scaleAdd(sample, weight, total, dst=total)
            weights += weight
            if k < length:
                ahead = cv2.remap(tangent, px, py, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
                ax, ay = ahead[..., 0], ahead[..., 1]
                turn = np.where(ax * vx + ay * vy < 0, np.float32(-step), np.float32(step))
                vx = np.asarray(ax * turn, dtype=np.float32)
                vy = np.asarray(ay * turn, dtype=np.float32)
        return total, weights

    (forward, weight_f), (backward, weight_b) = map_ordered(half, (1, -1), threads)
    forward += backward
    forward += image
    forward *= np.float32(1 / (weight_f + weight_b + 1))
    return forward


def _dog_across(plane: PlaneF, flow: Flow, sigma: float, sharpness: float, threads: int) -> PlaneF:
    """(1 + p) G(sigma) - p G(1.6 sigma), sampled across the tangent."""
    height, width = plane.shape
    wide_sigma = 1.6 * sigma
    reach = max(1, int(2.5 * wide_sigma + 0.5))

    def side(sign: int) -> tuple[PlaneF, PlaneF]:
        narrow, wide = np.zeros_like(plane), np.zeros_like(plane)
        px, py = _pixel_grid(height, width)
        for k in range(1, reach + 1):
            px -= flow.ty * np.float32(sign)
            py += flow.tx * np.float32(sign)
            sample = cv2.remap(plane, px, py, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            cv2.scaleAdd(sample, math.exp(-k * k / (2 * sigma**2)), narrow, narrow)
            cv2.scaleAdd(sample, math.exp(-k * k / (2 * wide_sigma**2)), wide, wide)
        return narrow, wide

    (narrow_a, wide_a), (narrow_b, wide_b) = map_ordered(side, (1, -1), threads)
    steps = np.arange(1, reach + 1)
    narrow_weight = 1 + 2 * float(np.exp(-(steps**2) / (2 * sigma**2)).sum())
    wide_weight = 1 + 2 * float(np.exp(-(steps**2) / (2 * wide_sigma**2)).sum())
    narrow = (narrow_a + narrow_b + plane) * np.float32((1 + sharpness) / narrow_weight)
    wide = (wide_a + wide_b + plane) * np.float32(sharpness / wide_weight)
    return np.asarray(narrow - wide, dtype=np.float32)


def xdog(
    plane: PlaneF,
    scale: float = 1.0,
    sharpness: float = 18.0,
    threshold: float = 0.75,
    softness: float = 8.0,
    threads: int = 2,
    flow: Flow | None = None,
) -> PlaneF:
    """Draw clean lines and dark areas: 1 = paper, 0 = ink.

    Winnemoeller, Kyprianidis and Olsen 2012, with the flow of Kang, Lee and Chui 2007.

    `plane` is luminance (h, w) 0..1; `scale` is the line radius in pixels (use width / 1024); `sharpness`
    is p of the paper, `threshold` epsilon, `softness` phi (larger = harder edge). Multiply the ink,
    1 - result, by `contrast_mask`, or skies fill with worms.
    """
    flow = flow or structure_tensor(plane, 2.5 * scale)
    response = _dog_across(plane, flow, scale, sharpness, threads)
    length = max(2, round(10 * scale / max(1.0, scale)))
    response = lic(response, flow.tx, flow.ty, length, length / 2.5, threads, step=max(1.0, scale))
    soft = 1 + np.tanh(np.float32(softness) * (response - np.float32(threshold)))
    return np.asarray(np.where(response >= threshold, 1, soft), dtype=np.float32)


def contrast_mask(flow: Flow, sigma: float, low: float = 0.006, high: float = 0.03) -> PlaneF:
    """Where there is real local contrast: 0 in skies and blurred grounds, 1 near edges (blurred, px)."""
    return smoothstep(low, high, blur(flow.strength, sigma))
