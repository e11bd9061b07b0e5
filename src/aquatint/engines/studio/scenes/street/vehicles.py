"""Cars seen from behind or ahead: bodies, glass and lamps."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import FloatArray
from aquatint.engines.studio.scenes.street.brief import Rgb

WIDE, TALL = 1.9, 1.75  # metres


@dataclass(frozen=True, slots=True)
class Car:
    """How one car looks."""

    body: Rgb
    leaving: bool  # seen from behind
    taxi: bool
    rim: Rgb
    level: float = 1.0  # light on the bodywork, 1 at night


class _Sheet:
    """Premultiplied light and opacity that take metres."""

    def __init__(self, width: int, height: int) -> None:
        self.light = np.zeros((height, width, 3), np.float32)
        self.alpha = np.zeros((height, width), np.float32)
        self.scale = np.array([width / WIDE, height / TALL], np.float32)

    def fill(self, points: tuple[tuple[float, float], ...], color: FloatArray | Rgb, opacity: float = 1.0) -> None:
        """Fill a polygon given in metres, mirrored about the middle when it lies right of it alone."""
        mask = np.zeros(self.alpha.shape, np.uint8)
        local = (np.array(points, np.float32) + np.array([WIDE / 2, 0], np.float32)) * self.scale
        local[:, 1] = self.alpha.shape[0] - local[:, 1]
        cv2.fillPoly(mask, [np.round(local * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        cover = mask[..., None] * np.float32(opacity / 255)
        self.light *= 1 - cover
        self.light += cover * np.asarray(color, np.float32)
        self.alpha += cover[..., 0] * (1 - self.alpha)

    def both(self, points: tuple[tuple[float, float], ...], color: FloatArray | Rgb, opacity: float = 1.0) -> None:
        """Fill a polygon and its mirror image."""
        self.fill(points, color, opacity)
        self.fill(tuple((-x, y) for x, y in points), color, opacity)


def draw_car(car: Car, width: int, height: int) -> tuple[FloatArray, FloatArray]:
    """Draw a car at width x height pixels: premultiplied linear light (h, w, 3) and opacity (h, w)."""
    soft = max(1, -(-120 // max(1, height)))
    sheet = _Sheet(max(3, width * soft), max(3, height * soft))
    body, rim = np.asarray(car.body, np.float32) * np.float32(car.level), np.asarray(car.rim, np.float32)
    sheet.fill(((-0.85, 0.0), (0.85, 0.0), (0.85, 0.12), (-0.85, 0.12)), (0.0, 0.0, 0.0), 0.85)
    sheet.both(((0.52, 0.02), (0.80, 0.02), (0.80, 0.5), (0.52, 0.5)), (0.008, 0.008, 0.01))
    shell = ((-0.88, 0.25), (-0.92, 0.62), (-0.86, 0.90), (-0.66, 1.40), (-0.52, 1.48), (0.52, 1.48), (0.66, 1.40))
    sheet.fill((*shell, (0.86, 0.90), (0.92, 0.62), (0.88, 0.25)), body * 0.10 + rim * 0.012)
    sheet.fill(((-0.74, 0.93), (-0.60, 1.37), (0.60, 1.37), (0.74, 0.93)), (0.012, 0.014, 0.022))
    sheet.fill(((-0.68, 1.10), (-0.60, 1.37), (0.60, 1.37), (0.64, 1.24)), rim * 0.10 + 0.012, 0.8)
    sheet.fill(((-0.54, 1.47), (-0.40, 1.49), (0.40, 1.49), (0.54, 1.47), (0.50, 1.44), (-0.50, 1.44)), rim * 0.55)
    sheet.fill(((-0.86, 0.90), (0.86, 0.90), (0.87, 0.875), (-0.87, 0.875)), rim * 0.35 + body * 0.15)
    sheet.fill(((-0.90, 0.30), (0.90, 0.30), (0.88, 0.44), (-0.88, 0.44)), body * 0.04 + 0.006)
    if car.leaving:
        sheet.both(((0.44, 0.66), (0.90, 0.68), (0.885, 0.80), (0.46, 0.78)), (2.6, 0.10, 0.05))
        sheet.both(((0.50, 0.69), (0.84, 0.705), (0.83, 0.755), (0.51, 0.745)), (4.2, 0.75, 0.40))
        sheet.fill(((-0.44, 0.71), (0.44, 0.71), (0.44, 0.735), (-0.44, 0.735)), (1.3, 0.05, 0.03))
        sheet.fill(((-0.22, 0.50), (0.22, 0.50), (0.22, 0.61), (-0.22, 0.61)), (0.55, 0.55, 0.48))
    else:
        sheet.both(((0.50, 0.60), (0.86, 0.64), (0.84, 0.78), (0.52, 0.74)), (5.0, 4.7, 4.1))
        sheet.fill(((-0.48, 0.60), (0.48, 0.60), (0.48, 0.74), (-0.48, 0.74)), (0.02, 0.02, 0.025))
    if car.taxi:
        sheet.fill(((-0.20, 1.49), (-0.16, 1.63), (0.16, 1.63), (0.20, 1.49)), (1.9, 1.35, 0.45))
    if soft == 1:
        return sheet.light, sheet.alpha
    size = max(2, width), max(2, height)
    light = cv2.resize(sheet.light, size, interpolation=cv2.INTER_AREA)
    alpha = cv2.resize(sheet.alpha, size, interpolation=cv2.INTER_AREA)
    return np.asarray(light, np.float32), np.asarray(alpha, np.float32)
