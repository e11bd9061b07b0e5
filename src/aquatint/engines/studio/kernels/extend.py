"""Growing a picture beyond its frame: mirrored, bent and ever more painterly, so that no seam and no bar shows."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.color import smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.noise import derive_seed, fbm
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur_wide, fit_width, resize, rows_of
from aquatint.engines.studio.styles.base import Rgb8, RgbF

_PAINT_SIDE = 1024


def extend(image: Rgb8, left: int, top: int, right: int, bottom: int, seed: int, threads: int = 2) -> Rgb8:
    """Add that many pixels on each side: (h + top + bottom, w + left + right, 3).

    Near the old frame the mirror image goes on; farther out it is displaced by noise, so that it does not read as
    a mirror, flattened by a Kuwahara filter and softened. The old picture itself is not touched.
    """
    height, width = image.shape[0] + top + bottom, image.shape[1] + left + right
    if (height, width) == image.shape[:2]:
        return image.copy()
    mirrored = cv2.copyMakeBorder(image, top, bottom, left, right, cv2.BORDER_REFLECT)
    wide, tall = fit_width(width, height, _PAINT_SIDE)
    scale = wide / width
    x = np.arange(wide, dtype=np.float32)[None] / np.float32(scale)
    y = np.arange(tall, dtype=np.float32)[:, None] / np.float32(scale)
    out_x = np.maximum(np.maximum(left - x, x - (width - right)), 0)
    out_y = np.maximum(np.maximum(top - y, y - (height - bottom)), 0)
    out = np.hypot(out_x, out_y) / np.float32(max(width, height))
    painted = _painterly(np.asarray(mirrored, dtype=np.uint8), np.asarray(out, dtype=np.float32), seed, threads)
    share = smoothstep(0.0, 0.03, np.asarray(out, dtype=np.float32))
    result = np.empty((height, width, 3), np.uint8)

    def strip(first: int, last: int) -> None:
        plain = to_float(np.asarray(mirrored[first:last], dtype=np.uint8))
        mixed = np.clip(rows_of(share, width, height, first, last), 0, 1)[..., None]
        result[first:last] = to_bytes(plain + (rows_of(painted, width, height, first, last) - plain) * mixed)

    run_strips(strip, height, threads)
    result[top : height - bottom, left : width - right] = image
    return result


def _painterly(mirrored: Rgb8, out: RgbF, seed: int, threads: int) -> RgbF:
    tall, wide = out.shape[:2]
    small = to_float(resize(mirrored, wide, tall))
    reach = np.minimum(out * np.float32(0.9), 0.07) * wide
    xs, ys = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(tall, dtype=np.float32))
    xs += fbm(tall, wide, 5, 3, derive_seed(seed, "bend x")) * reach
    ys += fbm(tall, wide, 5, 3, derive_seed(seed, "bend y")) * reach
    bent = np.asarray(cv2.remap(small, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), dtype=np.float32)
    calm = kuwahara(bent, 3.2 * wide / 1024, threads)
    soft = blur_wide(calm, 7 * wide / 1024)
    return np.asarray(calm + (soft - calm) * smoothstep(0.1, 0.4, out)[..., None], dtype=np.float32)
