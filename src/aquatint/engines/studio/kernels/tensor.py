"""The structure tensor: which way the picture runs at every pixel, and how surely."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.arrays import PlaneF
from aquatint.engines.studio.kernels.resize import FloatArray, blur


@dataclass(frozen=True, slots=True)
class Flow:
    """Local orientation, all planes (h, w) float32."""

    tx: PlaneF  # unit tangent along edges; its sign carries no meaning
    ty: PlaneF
    anisotropy: PlaneF  # 0 (no direction) .. 1 (a clean edge)
    strength: PlaneF  # edge strength: root of the larger eigenvalue; 1 = a black-white step over one pixel or so


def structure_tensor(image: FloatArray, sigma: float) -> Flow:
    """Measure orientation of (h, w) or (h, w, c) float 0..1 by Scharr gradients summed over the channels.

    The tensor is blurred by `sigma` pixels, never the angle (Kyprianidis 2009).
    """
    gx = np.asarray(cv2.Scharr(image, cv2.CV_32F, 1, 0), dtype=np.float32) / np.float32(16)
    gy = np.asarray(cv2.Scharr(image, cv2.CV_32F, 0, 1), dtype=np.float32) / np.float32(16)
    products = [gx * gx, gx * gy, gy * gy]
    if image.ndim == 3:
        ones = np.ones((1, image.shape[2]), np.float32)
        products = [np.asarray(cv2.transform(p, ones), dtype=np.float32) for p in products]
    xx, xy, yy = (blur(p, sigma) for p in products)
    spread = np.sqrt((xx - yy) ** 2 + 4 * xy * xy)
    trace = xx + yy
    angle = 0.5 * np.arctan2(2 * xy, xx - yy)
    anisotropy = np.where(trace > 1e-9, spread / (trace + np.float32(1e-9)), 0)
    strength = np.sqrt(np.maximum(0.5 * (trace + spread), 0))
    return Flow(
        tx=np.asarray(-np.sin(angle), dtype=np.float32),
        ty=np.asarray(np.cos(angle), dtype=np.float32),
        anisotropy=anisotropy.astype(np.float32),
        strength=np.asarray(strength, dtype=np.float32),
    )


def detail_map(flow: Flow, sigma: float, percentile: float = 92.0) -> PlaneF:
    """How busy the picture is around each pixel: blurred edge strength, 1 at the given percentile, 0..1."""
    spread = blur(flow.strength, sigma)
    top = float(np.percentile(spread[::4, ::4], percentile)) + 1e-6
    return np.asarray(np.clip(spread / np.float32(top), 0, 1), dtype=np.float32)
