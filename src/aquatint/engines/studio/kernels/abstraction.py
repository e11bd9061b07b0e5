"""Edge-keeping abstraction: the generalised Kuwahara filter made of ordinary convolutions."""

from __future__ import annotations

import math

import cv2
import numpy as np

from aquatint.engines.studio.arrays import PlaneF, RgbF
from aquatint.engines.studio.kernels.parallel import map_ordered

SECTORS = 8


def _sector_kernels(radius: float) -> list[PlaneF]:
    reach = math.ceil(radius)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    angle, distance = np.arctan2(y, x), np.hypot(x, y) / radius
    kernels = []
    for sector in range(SECTORS):
        turned = np.angle(np.exp(1j * (angle - 2 * np.pi * sector / SECTORS)))
        wedge = (np.abs(turned) <= np.pi / SECTORS).astype(np.float32)
        wedge[reach, reach] = 1 / SECTORS
        wedge = np.asarray(cv2.GaussianBlur(wedge, (0, 0), radius * 0.2), dtype=np.float32)
        wedge *= np.exp(-3.1 * distance * distance) * (distance <= 1)
        wedge[wedge < wedge.max() * 0.004] = 0  # taps that cost time and change nothing
        kernels.append(np.asarray(wedge / wedge.sum(), dtype=np.float32))
    return kernels


def _cropped(kernel: PlaneF) -> tuple[PlaneF, tuple[int, int]]:
    """Cut a kernel to its non-zero part: OpenCV filters small kernels directly instead of by Fourier."""
    rows, columns = np.flatnonzero(kernel.any(1)), np.flatnonzero(kernel.any(0))
    center = kernel.shape[0] // 2
    part = kernel[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(part), (int(center - columns[0]), int(center - rows[0]))


def kuwahara(image: RgbF, radius: float, threads: int = 2, hardness: float = 8.0) -> RgbF:
    """Smooth regions flat and keep their edges: weighted mean of eight soft sectors, calm ones win.

    `image` is (h, w, 3) float32 0..1, `radius` in pixels. A sector weighs
    1 / (1 + (1000 hardness variance)^4) (Papari 2007; Kyprianidis, Kang and Doellner 2009, isotropic form).
    """
    squares = np.asarray(cv2.transform(image * image, np.ones((1, 3), np.float32)), dtype=np.float32)

    def sector(kernel: PlaneF) -> tuple[RgbF, PlaneF]:
        part, anchor = _cropped(kernel)
        mean = np.asarray(cv2.filter2D(image, -1, part, anchor=anchor), dtype=np.float32)
        variance = np.asarray(cv2.filter2D(squares, -1, part, anchor=anchor), dtype=np.float32)
        variance -= np.asarray(cv2.transform(mean * mean, np.ones((1, 3), np.float32)))
        np.maximum(variance, 0, out=variance)
        variance *= np.float32(hardness * 1000)
        variance *= variance
        variance *= variance
        weight = np.asarray(1 / (1 + variance), dtype=np.float32)
        mean *= weight[..., None]
        return mean, weight

    parts = map_ordered(sector, _sector_kernels(radius), threads)
    total, weights = parts[0]
    for mean, weight in parts[1:]:
        total += mean
        weights += weight
    total /= weights[..., None]
    return total
