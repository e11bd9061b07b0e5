"""Things that fall through the air: sprites scattered over a strip, the same however the picture is cut."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.arrays import PlaneF
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.resize import blur_wide

_SHIFT = 4


@dataclass(frozen=True, slots=True)
class Shower:
    """One depth of falling things, in pixels of the picture."""

    heads: npt.NDArray[np.float32]  # (n, 2) x, y
    sizes: npt.NDArray[np.float32]  # (n,) radius, or thickness of a streak
    fall: tuple[float, float]  # length of the streak in x and y; (0, 0) draws dots
    softness: float  # blur in pixels
    opacity: float


def scatter(
    width: int,
    height: int,
    count: int,
    size: float,
    softness: float,
    opacity: float,
    seed: int,
    fall: tuple[float, float] = (0.0, 0.0),
) -> Shower:
    """Scatter `count` things of about `size` pixels over the picture, some of them beyond its edge."""
    rng = generator(seed, "shower", count, round(100 * opacity))
    places = rng.uniform(-0.05, 1.05, (count, 2)).astype(np.float32) * np.array([width, height], np.float32)
    sizes = (size * rng.uniform(0.5, 1.5, count)).astype(np.float32)
    return Shower(places, sizes, fall, softness, opacity)


def rows(shower: Shower, width: int, top: int, bottom: int) -> PlaneF:
    """Coverage 0..opacity of rows top..bottom: (bottom - top, width)."""
    reach = int(shower.softness * 4 + float(shower.sizes.max(initial=0)) + abs(shower.fall[1])) + 2
    canvas = np.zeros((bottom - top + 2 * reach, width), np.uint8)
    y = shower.heads[:, 1]
    scale = 1 << _SHIFT
    for index in np.flatnonzero((y > top - 2 * reach) & (y < bottom + 2 * reach)):
        x, head = float(shower.heads[index, 0]), float(y[index]) - top + reach
        size = float(shower.sizes[index])
        start = (round(x * scale), round(head * scale))
        if shower.fall == (0.0, 0.0):
            cv2.circle(canvas, start, max(1, round(size * scale)), 255, -1, cv2.LINE_AA, _SHIFT)
        else:
            end = (round((x + shower.fall[0]) * scale), round((head + shower.fall[1]) * scale))
            cv2.line(canvas, start, end, 255, max(1, round(size)), cv2.LINE_AA, _SHIFT)
    soft = blur_wide(canvas.astype(np.float32), shower.softness)[reach : reach + bottom - top]
    return np.asarray(soft * np.float32(shower.opacity / 255), dtype=np.float32)
