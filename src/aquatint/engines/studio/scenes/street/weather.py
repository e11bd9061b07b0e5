"""Rain, snow, steam and overhead cables, drawn over the finished street."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import FloatArray
from aquatint.engines.studio.kernels.noise import fbm, generator
from aquatint.engines.studio.scenes.street.brief import Brief
from aquatint.engines.studio.scenes.street.camera import Camera

Mask = npt.NDArray[np.uint8]
Cable = tuple[tuple[float, float, float], tuple[float, float, float], float]  # two ends (x, v, z) and sag, metres


@dataclass(frozen=True, slots=True)
class _Layer:
    """Drops at one distance."""

    count: int
    length: float  # share of the picture's height
    thickness: float  # 1/1024 of its width
    level: float


_RAIN = (_Layer(1500, 0.020, 0.55, 0.26), _Layer(520, 0.045, 0.8, 0.34), _Layer(90, 0.095, 1.5, 0.26))


def rain_mask(camera: Camera, brief: Brief) -> Mask:
    """Streaks of rain or flakes of snow at three distances: (h, w), 0..255."""
    height, width = camera.height, camera.width
    sheet: Mask = np.zeros((height, width), np.uint8)
    unit = width / 1024 if width >= height else height / 1024
    shape = width / height * 9 / 16
    rng = generator(brief.seed, "rain")
    slant = 0.10 + 0.10 * rng.random()
    if brief.rain > 0:
        for layer in _RAIN:
            thick = max(1, round(layer.thickness * unit))
            for x, y, long, level in rng.random((int(layer.count * brief.rain * max(0.4, shape)), 4)):
                length = layer.length * height * (0.6 + 0.8 * long)
                start = (x * 1.15) * width, (y * 1.1 - 0.05) * height
                end = start[0] - slant * length, start[1] + length
                ends = [(round(px * 16), round(py * 16)) for px, py in (start, end)]
                value = int(255 * layer.level * (0.35 + 0.65 * level))
                if layer.thickness > 1:  # near drops are out of focus: a faint wide streak under a thin one
                    cv2.line(sheet, ends[0], ends[1], value // 2, thick * 2 + 1, cv2.LINE_AA, 4)
                cv2.line(sheet, ends[0], ends[1], value, thick, cv2.LINE_AA, 4)
    if brief.snow > 0:
        sheet = np.asarray(cv2.add(sheet, _flakes(height, width, unit, brief)), np.uint8)
    return sheet


def _flakes(height: int, width: int, unit: float, brief: Brief) -> Mask:
    rng = generator(brief.seed, "snow")
    sheet: Mask = np.zeros((height, width), np.uint8)
    for count, radius, blur, level in ((1400, 0.9, 0.4, 0.5), (420, 1.9, 0.9, 0.6), (60, 5.5, 3.2, 0.5)):
        marks = np.zeros_like(sheet)
        for x, y, size in rng.random((int(count * brief.snow), 3)):
            center = round(x * width * 16), round(y * height * 16)
            span = max(8, round(radius * unit * (0.6 + 0.8 * size) * 16))
            cv2.circle(marks, center, span, int(255 * level), -1, cv2.LINE_AA, 4)
        sheet = np.asarray(cv2.add(sheet, cv2.GaussianBlur(marks, (0, 0), max(0.4, blur * unit))), np.uint8)
    return sheet


def cable_mask(camera: Camera, cables: tuple[Cable, ...]) -> Mask:
    """Hanging cables: (h, w), 0..255."""
    sheet = np.zeros((camera.height, camera.width), np.uint8)
    along = np.linspace(0, 1, 48)
    for (x0, v0, z0), (x1, v1, z1), sag in cables:
        xs, zs = x0 + (x1 - x0) * along, z0 + (z1 - z0) * along
        vs = v0 + (v1 - v0) * along - 4 * sag * along * (1 - along)
        points = [(camera.column(x, z), camera.row(v, z)) for x, v, z in zip(xs, vs, zs, strict=True)]
        middle = (z0 + z1) / 2
        thick = max(1, round(0.028 / middle * camera.focal))
        level = int(np.clip(255 * 0.03 / middle * camera.focal, 40, 235))
        line = np.round(np.array(points) * 16).astype(np.int32)
        cv2.polylines(sheet, [line], False, level, thick, cv2.LINE_AA, 4)
    return sheet


def steam(camera: Camera, brief: Brief) -> FloatArray:
    """Low drifting steam lit by the signs, and the glow of far rain: (h, w, 3) linear to add, at 640 px width."""
    cam = camera.scaled(min(1.0, 640 / camera.width))
    rng = generator(brief.seed, "steam")
    ys, xs = np.mgrid[0 : cam.height, 0 : cam.width].astype(np.float32)
    total = np.zeros((cam.height, cam.width, 3), np.float32)
    if brief.daylight:
        return total
    cloud = np.clip(fbm(cam.height, cam.width, 9, 5, brief.seed + 81) * 1.3 + 0.35, 0, 1)
    for _ in range(3):
        z, side = rng.uniform(9, 26), rng.choice([-1.0, 1.0])
        x = side * rng.uniform(3.0, 6.5)
        at_x, at_y = cam.column(x, z), cam.row(1.6, z)
        reach = 2.3 / z * cam.focal
        hue = np.asarray(brief.neon[int(rng.integers(3))], np.float32)
        plume = np.exp(-(((xs - at_x - 0.15 * (at_y - ys)) / reach) ** 2) - ((ys - at_y) / (1.6 * reach)) ** 2)
        total += (plume * cloud)[..., None] * (0.4 * hue + 0.12) * np.float32(0.16)
    return np.asarray(total, np.float32)
