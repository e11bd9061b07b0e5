"""What falls from the sky, painted over the developed picture: rain, snow and lightning."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.styles.base import Rgb8

PlaneU = npt.NDArray[np.uint8]


def _lay(picture: Rgb8, mask: PlaneU, color: tuple[int, int, int], strength: float) -> None:
    """Blend a colour where the mask is set, in strips."""
    for top in range(0, picture.shape[0], 256):
        part = picture[top : top + 256]
        share = mask[top : top + 256, :, None].astype(np.float32) * np.float32(strength / 255)
        part[:] = (part + (np.array(color, np.float32) - part) * share + 0.5).astype(np.uint8)


def rain(picture: Rgb8, seed: int, strength: float = 1.0, night: bool = False) -> None:
    """Slanting streaks in three depths, in place. Lengths follow the picture's width."""
    height, width = picture.shape[:2]
    rng = generator(seed, "rain")
    slant = float(rng.uniform(-0.22, 0.22))
    for count, length, opacity, thick in ((2600, 0.020, 0.20, 0.9), (900, 0.042, 0.24, 1.2), (200, 0.085, 0.20, 2.0)):
        mask = np.zeros((height, width), np.uint8)
        for _ in range(int(count * strength * max(0.6, height / width / 0.5625))):
            x, y = rng.random() * width * 1.2 - 0.1 * width, rng.random() * height * 1.1 - 0.1 * height
            run = width * length * (0.6 + 0.8 * rng.random())
            end = (int((x + run * slant) * 16), int((y + run) * 16))
            level = int(110 + 145 * rng.random())
            cv2.line(
                mask, (int(x * 16), int(y * 16)), end, level, max(1, round(thick * width / 2400)), cv2.LINE_AA, 4
            )
        _lay(picture, mask, (120, 135, 160) if night else (226, 232, 240), opacity)


def snowfall(picture: Rgb8, seed: int, strength: float = 1.0, night: bool = False) -> None:
    """Flakes in three depths, the nearest soft and large, in place."""
    height, width = picture.shape[:2]
    rng = generator(seed, "snowfall")
    area = max(0.6, height / width / 0.5625)
    for count, radius, opacity, soft in (
        (3200, 0.0007, 0.62, 0.0),
        (900, 0.0014, 0.75, 0.4),
        (110, 0.0042, 0.55, 2.0),
    ):
        mask = np.zeros((height, width), np.uint8)
        for _ in range(int(count * strength * area)):
            x, y = rng.random() * width, rng.random() * height
            size = max(0.5, width * radius * (0.6 + 0.8 * rng.random()))
            axes = (int(size * 16), int(size * 16 * (0.75 + 0.4 * rng.random())))
            level = int(120 + 135 * rng.random())
            cv2.ellipse(
                mask, (int(x * 16), int(y * 16)), axes, float(rng.random() * 180), 0, 360, level, -1, cv2.LINE_AA, 4
            )
        if soft:
            mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), soft * width / 2400 + 0.3), np.uint8)
        _lay(picture, mask, (170, 185, 215) if night else (252, 253, 255), opacity)


def lightning(picture: Rgb8, seed: int, horizon: float) -> None:
    """One forked bolt from the clouds to the hills, with its glow, in place. `horizon` is the row it strikes."""
    height, width = picture.shape[:2]
    rng = generator(seed, "lightning")
    mask = np.zeros((height, width), np.uint8)
    start = np.array([width * rng.uniform(0.2, 0.8), -0.02 * height])

    def fork(at: npt.NDArray[np.float64], reach: float, thick: float, depth: int) -> None:
        heading = rng.normal(0, 0.25)
        while reach > 0:
            step = height * (0.008 + 0.018 * rng.random())
            heading = 0.75 * heading + rng.normal(0, 0.42)
            end = at + np.array([np.sin(heading) * step, abs(np.cos(heading)) * step])
            a, b = (int(at[0] * 16), int(at[1] * 16)), (int(end[0] * 16), int(end[1] * 16))
            cv2.line(
                mask, a, b, int(255 * min(1, 0.35 + thick * 0.4)), max(1, round(thick * width / 1500)), cv2.LINE_AA, 4
            )
            at, reach = end, reach - step
            if depth and rng.random() < 0.09:
                fork(at, reach * (0.3 + 0.3 * rng.random()), thick * 0.5, depth - 1)

    fork(start, horizon * 0.80, 1.6, 2)
    small = cv2.resize(mask, (max(1, width // 8), max(1, height // 8)), interpolation=cv2.INTER_AREA)
    wide = np.asarray(cv2.GaussianBlur(small, (0, 0), width / 8 / 26), np.float32) * 9
    wide += np.asarray(cv2.GaussianBlur(small, (0, 0), width / 8 / 160), np.float32) * 2
    clipped = np.clip(wide, 0, 255).astype(np.uint8)
    glow = np.asarray(cv2.resize(clipped, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    _lay(picture, glow, (196, 190, 255), 0.55)
    _lay(picture, mask, (250, 248, 255), 1.0)
