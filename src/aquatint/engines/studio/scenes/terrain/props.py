"""Small things set into an outdoor picture after developing: birds, a boat with its reflection, a rainbow."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.terrain_march import View
from aquatint.engines.studio.styles.base import Rgb8

PlaneF = npt.NDArray[np.float32]
Color = tuple[int, int, int]


def blend(picture: Rgb8, mask: PlaneF, color: Color, left: int, top: int) -> None:
    """Lay a colour over part of the picture where `mask` (h, w) 0..1 says so; what falls outside is cut off."""
    y0, y1 = max(0, top), min(picture.shape[0], top + mask.shape[0])
    x0, x1 = max(0, left), min(picture.shape[1], left + mask.shape[1])
    if y0 >= y1 or x0 >= x1:
        return
    share = mask[y0 - top : y1 - top, x0 - left : x1 - left, None]
    area = picture[y0:y1, x0:x1]
    area[:] = (area + (np.array(color, np.float32) - area) * share + 0.5).astype(np.uint8)


def birds(picture: Rgb8, horizon: float, count: int, seed: int, color: Color) -> None:
    """A loose flock over the horizon, in place; wings are two curved strokes each."""
    width = picture.shape[1]
    rng = generator(seed, "birds")
    middle = np.array([width * rng.uniform(0.25, 0.75), horizon * rng.uniform(0.25, 0.50)])
    for _ in range(count):
        at = middle + rng.normal(0, 1, 2) * np.array([width * 0.075, horizon * 0.09])
        span = width * rng.uniform(0.0045, 0.0095)
        lift = rng.uniform(0.15, 0.75)
        tilt = rng.normal(0, 0.18)
        for side in (-1, 1):
            t = np.linspace(0, 1, 9)
            x = side * t * span
            y = -np.sin(t * math.pi * 0.62) * span * lift + t * t * span * 0.25
            points = np.stack([at[0] + x * math.cos(tilt) - y * math.sin(tilt), at[1] + x * math.sin(tilt) + y], 1)
            cv2.polylines(
                picture,
                [np.round(points * 16).astype(np.int32)],
                False,
                color,
                max(1, round(width / 1400)),
                cv2.LINE_AA,
                4,
            )


def _boat_masks(length: int, sail: bool) -> tuple[PlaneF, PlaneF, PlaneF]:
    """Hull, load (people or mast) and sail of a boat `length` pixels long; all in one frame, keel at the bottom."""
    height = round(length * (1.15 if sail else 0.55))
    planes = [np.zeros((height, length), np.uint8) for _ in range(3)]

    def polygon(plane: int, *points: tuple[float, float]) -> None:
        array = np.array([[x * length, height - y * length] for x, y in points])
        cv2.fillPoly(planes[plane], [np.round(array * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)

    polygon(0, (0.02, 0.155), (0.10, 0.03), (0.22, 0.0), (0.80, 0.0), (0.92, 0.04), (0.99, 0.18), (0.85, 0.125), (0.5, 0.105), (0.18, 0.12))  # fmt: skip  # noqa: E501
    if sail:
        polygon(1, (0.475, 0.1), (0.485, 1.10), (0.495, 1.10), (0.505, 0.1))
        polygon(2, (0.51, 0.17), (0.51, 1.05), (0.68, 0.60), (0.88, 0.19))
        polygon(2, (0.465, 0.20), (0.465, 0.92), (0.30, 0.52), (0.17, 0.22))
    else:
        for x in (0.40, 0.64):
            polygon(1, (x - 0.055, 0.10), (x - 0.045, 0.27), (x, 0.315), (x + 0.045, 0.27), (x + 0.055, 0.10))
            centre = (int(x * length * 16), int((height - 0.365 * length) * 16))
            cv2.circle(planes[1], centre, int(0.043 * length * 16), 255, -1, cv2.LINE_AA, 4)
        polygon(1, (0.36, 0.20), (0.10, 0.02), (0.11, 0.01), (0.38, 0.18))
    hull, load, cloth = (plane.astype(np.float32) * np.float32(1 / 255) for plane in planes)
    return hull, load, cloth


def boat(picture: Rgb8, out: View, seed: int, colors: Sequence[Color], sail: bool, place: str | None) -> None:
    """Set one boat on the water with its mirror image, in place.

    `colors` are those of hull, load and sail; `place` is left, right, center or None for the seed's choice.
    """
    rng = generator(seed, "boat")
    room = out.height - out.horizon
    row = out.horizon + room * float(rng.uniform(0.24, 0.40))
    depth = out.focal * out.eye / (row - out.horizon)
    length = max(14, round(min(out.width * 0.11, (11.0 if sail else 7.0) * 1.5 * out.focal / depth)))
    middle = {"left": 0.28, "right": 0.72, "center": 0.5}.get(place or "", float(rng.uniform(0.34, 0.66)))
    masks = _boat_masks(length, sail)
    if rng.random() < 0.5:
        masks = (masks[0][:, ::-1], masks[1][:, ::-1], masks[2][:, ::-1])
    left, keel = round(out.width * middle - length / 2), round(row)
    height = masks[0].shape[0]
    rows = np.arange(height, dtype=np.float32)
    # The mirror image breaks up with distance from the keel, and sways with the ripples.
    sway = np.sin(rows * (26.0 / length) + rng.random() * 6) * rows * 0.018
    fade = (0.62 * np.exp(rows / -(height * 0.55)))[:, None]
    columns = np.arange(length, dtype=np.float32)[None] + sway[:, None]
    lines = np.broadcast_to(rows[:, None], columns.shape)
    for mask, color in zip((masks[2], masks[1], masks[0]), (colors[2], colors[1], colors[0]), strict=True):
        flipped = np.ascontiguousarray(mask[::-1])
        wobbled = cv2.remap(flipped, columns.astype(np.float32), lines.astype(np.float32), cv2.INTER_LINEAR)
        blend(picture, np.asarray(wobbled * fade, np.float32), color, left, keel)
    for mask, color in zip((masks[2], masks[1], masks[0]), (colors[2], colors[1], colors[0]), strict=True):
        blend(picture, np.ascontiguousarray(mask), color, left, keel - height)


def rainbow(picture: Rgb8, horizon: float, seed: int, strength: float = 1.0) -> None:
    """A primary and a faint secondary bow, in place, brighter toward its feet and ending at the horizon."""
    height, width = picture.shape[:2]
    rng = generator(seed, "rainbow")
    centre_x, centre_y = width * float(rng.uniform(0.3, 0.7)), horizon + height * 0.16
    radius = min(width * 0.46, height * 0.62)
    band = radius * 0.075
    x = np.arange(width, dtype=np.float32)[None] - centre_x
    for top in range(0, min(height, int(horizon)), 128):
        bottom = min(top + 128, int(horizon))
        y = np.arange(top, bottom, dtype=np.float32)[:, None] - centre_y
        away = np.sqrt(x * x + y * y)
        feet = 0.55 + 0.45 * smoothstep(0.0, horizon, np.arange(top, bottom, dtype=np.float32))[:, None]
        area = picture[top:bottom].astype(np.float32)
        for ring, order, power in ((radius, 1, 0.34), (radius * 1.28, -1, 0.10)):
            t = np.clip((away - ring) / band * order, -1, 1)  # -1 violet .. 1 red
            inside = smoothstep(1.0, 0.72, np.abs(t)) * feet * np.float32(power * strength)
            glow = np.dstack(
                [
                    np.exp(-(((t - shift) / spread) ** 2))
                    for shift, spread in ((0.55, 0.55), (0.02, 0.42), (-0.55, 0.5))
                ]
            )
            area += (255 - area) * (glow * inside[..., None])
        picture[top:bottom] = np.clip(area + 0.5, 0, 255).astype(np.uint8)
