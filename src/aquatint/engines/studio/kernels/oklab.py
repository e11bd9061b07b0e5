"""Oklab: a colour space in which equal steps look equal and hues stay put (Ottosson 2020)."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.arrays import RgbF

_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_FROM_LAB = np.linalg.inv(_TO_LAB.astype(np.float64)).astype(np.float32)
_FROM_CONES = np.linalg.inv(_TO_CONES.astype(np.float64)).astype(np.float32)


def rgb_to_oklab(image: RgbF) -> RgbF:
    """Convert sRGB 0..1 (h, w, 3) to Oklab: L 0..1, a and b about -0.4..0.4."""
    rgb = np.clip(image, 0, 1)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** np.float32(2.4)).astype(np.float32)
    cones = np.cbrt(np.maximum(cv2.transform(linear, _TO_CONES), 0))
    return np.asarray(cv2.transform(cones.astype(np.float32), _TO_LAB), dtype=np.float32)


def oklab_to_rgb(lab: RgbF) -> RgbF:
    """Convert Oklab (h, w, 3) to sRGB 0..1; colours outside sRGB are clipped."""
    cones = np.asarray(cv2.transform(lab, _FROM_LAB), dtype=np.float32)
    linear = np.clip(cv2.transform(cones * cones * cones, _FROM_CONES), 0, 1)
    rgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** np.float32(1 / 2.4) - 0.055)
    return np.asarray(rgb, dtype=np.float32)
