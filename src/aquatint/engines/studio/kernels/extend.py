"""Growing a picture beyond its frame: mirrored, bent and ever more painterly, so that no seam and no bar shows."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.arrays import PlaneF, Rgb8, RgbF
from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.color import smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.noise import derive_seed, fbm
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur_wide, fit_width, resize, rows_of

_PAINT_SIDE = 1024
_STRETCH = 0.36  # how quickly the strip inside the frame is walked through


def extend(image: Rgb8, left: int, top: int, right: int, bottom: int, seed: int, threads: int = 2) -> Rgb8:
    """Add that many pixels on each side: (h + top + bottom, w + left + right, 3).

    The margins continue a strip inside the old frame: mirrored, drawn out to three times its length and displaced by
    noise, so that it does not read as a mirror, flattened into brushwork by a Kuwahara filter and softened far
    out. The old picture itself is not touched.
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
    frame = (left * scale, top * scale, (width - right) * scale, (height - bottom) * scale)
    painted = _painterly(image, np.asarray(out, dtype=np.float32), frame, seed, threads)
    share = smoothstep(0.0, 0.012, np.asarray(out, dtype=np.float32))
    result = np.empty((height, width, 3), np.uint8)

    def strip(first: int, last: int) -> None:
        plain = to_float(np.asarray(mirrored[first:last], dtype=np.uint8))
        mixed = np.clip(rows_of(share, width, height, first, last), 0, 1)[..., None]
        result[first:last] = to_bytes(plain + (rows_of(painted, width, height, first, last) - plain) * mixed)

    run_strips(strip, height, threads)
    result[top : height - bottom, left : width - right] = image
    return result


def _painterly(image: Rgb8, out: PlaneF, frame: tuple[float, float, float, float], seed: int, threads: int) -> RgbF:
    """The whole new picture in paint: margins repeat a strip inside the frame, drawn out and bent by noise."""
    tall, wide = out.shape[:2]
    left, top, right, bottom = frame
    xs, ys = np.meshgrid(np.arange(wide, dtype=np.float32), np.arange(tall, dtype=np.float32))
    reach = np.minimum(out * np.float32(0.8), 0.07) * wide
    xs += fbm(tall, wide, 3.5, 2, derive_seed(seed, "bend x")) * reach
    ys += fbm(tall, wide, 3.5, 2, derive_seed(seed, "bend y")) * reach
    xs = _folded(xs, left, right) - np.float32(left)
    ys = _folded(ys, top, bottom) - np.float32(top)
    inner = (max(1, round(right - left)), max(1, round(bottom - top)))
    small = to_float(resize(image, *inner))
    bent = np.asarray(cv2.remap(small, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), dtype=np.float32)
    calm = kuwahara(bent, 6.5 * wide / 1024, threads)
    soft = blur_wide(calm, 12 * wide / 1024)
    return np.asarray(calm + (soft - calm) * smoothstep(0.04, 0.25, out)[..., None], dtype=np.float32)


def _folded(places: PlaneF, low: float, high: float) -> PlaneF:
    """Bring places beyond low..high back inside as a slow mirror does: details get longer, none comes twice whole."""
    short = np.float32(_STRETCH)
    inside = np.where(places < low, low + (low - places) * short, places)
    inside = np.where(places > high, high - (places - high) * short, inside)
    return np.asarray(np.clip(inside, low, high), dtype=np.float32)
