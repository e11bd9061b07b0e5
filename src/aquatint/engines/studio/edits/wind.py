"""Wind: foliage and clouds drawn out one way, and leaves in the air."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_float
from aquatint.engines.studio.kernels.flakes import rows, scatter
from aquatint.engines.studio.kernels.grading import grade, outdoors
from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.kernels.resize import blur, fit_width, resize, rows_of, unit
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_MAP_SIDE = 768
# count at 16:9, thickness, length, blur, opacity
_LEAVES = ((22, 1.6, 5, 0.8, 0.6), (7, 5.0, 9, 2.6, 0.75))
_LEAF = np.array([0.42, 0.36, 0.16], np.float32)


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Blur what wind would move along its direction, and let leaves fly. Guessed: plants move, walls do not."""
    height, width = source.shape[:2]
    k, amount = unit(width, height), easel.strength
    moving = _moving(source)
    side = 1 if generator(easel.seed, "wind side").random() < 0.5 else -1
    reach = max(3, round(15 * amount * k)) | 1
    area = height / width * 16 / 9
    leaves = [
        scatter(
            width,
            height,
            int(count * amount * area) + 1,
            size * k,
            soft * k,
            opacity,
            derive_seed(easel.seed, "leaves", depth),
            (side * length * k, 0.4 * length * k),
        )
        for depth, (count, size, length, soft, opacity) in enumerate(_LEAVES)
    ]

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        # One-sided: the picture trails away from where the wind comes.
        anchor = (0 if side > 0 else reach - 1, 0)
        drawn = cv2.blur(cv2.blur(rgb, (reach, 1), anchor=anchor), (max(3, reach // 2) | 1, 1))
        share = np.clip(rows_of(moving, width, height, top, bottom), 0, 1)[..., None]
        moved = rgb + (drawn - rgb) * share
        for shower in leaves:
            moved = moved + (_LEAF - moved) * rows(shower, width, top, bottom)[..., None]
        return np.asarray(moved, dtype=np.float32)

    return grade(source, easel, work)


def _moving(source: Rgb8) -> PlaneF:
    """Share of movement: the sky's clouds, and textured green or golden areas."""
    height, width = source.shape[:2]
    small = to_float(resize(source, *fit_width(width, height, _MAP_SIDE)))
    k = unit(small.shape[1], small.shape[0])
    light = luminance(small)
    texture = smoothstep(0.012, 0.05, blur(np.abs(light - blur(light, 2 * k)), 5 * k))
    plant = smoothstep(-0.02, 0.1, np.asarray(small[..., 1] - small[..., 2], dtype=np.float32))
    sky = resize(outdoors(source).sky, small.shape[1], small.shape[0])
    return np.clip(blur(np.maximum(texture * plant, sky * np.float32(0.8)), 2 * k), 0, 1)
