"""What a lens does to a picture out of focus: discs of light, bright points opening into them."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.arrays import PlaneF, RgbF
from aquatint.engines.studio.kernels.color import luminance

_SHAPE_SCALE = 8
_BLADES = 7


def aperture(radius: float) -> PlaneF:
    """Kernel of an iris with seven rounded blades, sum 1; radius in pixels, at least 0.5."""
    radius = max(0.5, radius)
    reach = int(np.ceil(radius)) + 1
    size = (2 * reach + 1) * _SHAPE_SCALE
    angles = np.linspace(0, 2 * np.pi, _BLADES * 24, endpoint=False) + 0.3
    # Between a polygon and a circle: the blades of a real iris are curved.
    within = np.cos(np.pi / _BLADES) / np.cos(np.mod(angles, 2 * np.pi / _BLADES) - np.pi / _BLADES)
    edge = radius * _SHAPE_SCALE * (0.55 + 0.45 * within)
    points = np.stack([np.cos(angles) * edge, np.sin(angles) * edge], 1) + size / 2
    shape = np.zeros((size, size), np.uint8)
    cv2.fillPoly(shape, [np.round(points * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    kernel = cv2.resize(shape, (2 * reach + 1, 2 * reach + 1), interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def defocus(image: RgbF, radius: float, weight: PlaneF | None = None) -> RgbF:
    """Picture (h, w, 3) sRGB 0..1 through an open aperture of `radius` pixels.

    Bright spots weigh more, as light does. `weight` (h, w) 0..1 keeps parts out of the average: what is in focus
    must not bleed into its blurred surroundings.
    """
    bright = 0.25 + luminance(image)[..., None] ** 3
    share = bright if weight is None else bright * weight[..., None]
    weighted = np.concatenate([image * share, share], axis=2).astype(np.float32)
    summed = cv2.filter2D(weighted, -1, aperture(radius), borderType=cv2.BORDER_REFLECT)
    return np.asarray(summed[..., :3] / np.maximum(summed[..., 3:], np.float32(1e-4)), dtype=np.float32)
