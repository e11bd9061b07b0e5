"""Trees drawn one by one: spruces and leafy trees as sprites, set into the land or framing the view."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

PlaneU = npt.NDArray[np.uint8]
ArrayF = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]
Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Sprite:
    """A tree lit from the left: cover and brightness, both (rows, columns) bytes; it stands on its last row."""

    cover: PlaneU
    bright: PlaneU

    def sized(self, height: int, mirrored: bool) -> Sprite:
        """The same tree `height` rows tall, with the light from the right when `mirrored`."""
        width = max(2, round(self.cover.shape[1] * height / self.cover.shape[0]))
        mode = cv2.INTER_AREA if height < self.cover.shape[0] else cv2.INTER_CUBIC
        planes = [
            cv2.resize(plane, (width, max(2, height)), interpolation=mode) for plane in (self.cover, self.bright)
        ]
        if mirrored:
            planes = [np.ascontiguousarray(plane[:, ::-1]) for plane in planes]
        return Sprite(np.asarray(planes[0], np.uint8), np.asarray(planes[1], np.uint8))


class _Canvas:
    """Two planes drawn together with subpixel, antialiased shapes."""

    def __init__(self, width: int, height: int) -> None:
        self.cover = np.zeros((height, width), np.uint8)
        self.bright = np.zeros((height, width), np.uint8)

    def polygon(self, points: Points, bright: float) -> None:
        fixed = [np.round(points * 16).astype(np.int32)]
        cv2.fillPoly(self.cover, fixed, 255, cv2.LINE_AA, 4)
        cv2.fillPoly(self.bright, fixed, int(np.clip(bright, 0, 1) * 255), cv2.LINE_AA, 4)

    def line(self, x0: float, y0: float, x1: float, y1: float, bright: float, thickness: int = 1) -> None:
        a, b = (int(x0 * 16), int(y0 * 16)), (int(x1 * 16), int(y1 * 16))
        cv2.line(self.cover, a, b, 255, thickness, cv2.LINE_AA, 4)
        cv2.line(self.bright, a, b, int(np.clip(bright, 0, 1) * 255), thickness, cv2.LINE_AA, 4)

    def dab(self, x: float, y: float, rx: float, ry: float, angle: float, bright: float) -> None:
        at, axes = (int(x * 16), int(y * 16)), (max(8, int(rx * 16)), max(8, int(ry * 16)))
        cv2.ellipse(self.cover, at, axes, angle, 0, 360, 255, -1, cv2.LINE_AA, 4)
        level = int(np.clip(bright, 0, 1) * 255)
        cv2.ellipse(self.bright, at, axes, angle, 0, 360, level, -1, cv2.LINE_AA, 4)

    def sprite(self) -> Sprite:
        # Brightness bleeds under the soft rim, or every tree would wear a black outline.
        grown = cv2.dilate(self.bright, np.ones((3, 3), np.uint8))
        rim = (self.cover < 250) & (self.cover > 0)
        bright = self.bright.copy()
        bright[rim] = grown[rim]
        bright[self.cover == 0] = grown[self.cover == 0]
        return Sprite(self.cover, bright)


def _bough(
    canvas: _Canvas, x: float, y: float, side: int, length: float, size: float, rng: np.random.Generator, light: float
) -> None:
    """One drooping bough with its fringe of twigs; `size` is the height of the tree in pixels."""
    droop = 0.16 + 0.34 * rng.random()
    count = max(6, int(length / (size * 0.010)))
    along = np.linspace(0, 1, count)
    ragged = 0.35 + 1.0 * rng.random(count)
    xs = x + side * length * along
    ys = y + length * (droop * along * along * 1.15 - 0.05 * along)
    thick = size * 0.020 * (1 - along) ** 0.6 * ragged
    thick[-1] = 0
    upper, lower = np.stack([xs, ys], 1), np.stack([xs, ys + thick], 1)[::-1]
    canvas.polygon(np.concatenate([upper, lower]), light * 0.62)
    canvas.polygon(np.concatenate([upper, np.stack([xs, ys + thick * 0.45], 1)[::-1]]), light)
    # Large trees carry more and finer needles rather than thicker ones.
    finer = max(1.0, size / 500)
    for _ in range(int(count * 2 * finer)):
        u = rng.random() ** 0.75
        bx = x + side * length * u
        by = y + length * (droop * u * u * 1.15 - 0.05 * u) + size * 0.008 * rng.random()
        twig = size * 0.017 * (0.4 + rng.random()) / finer**0.35
        angle = math.pi / 2 - side * (0.15 + 0.95 * rng.random())
        tone = light * (0.55 + 0.6 * rng.random())
        tip = bx + math.cos(angle) * twig, by + math.sin(angle) * twig
        canvas.line(bx, by, *tip, tone, max(1, round(size / 900)))


def spruce(height: int, rng: np.random.Generator, snow: float = 0.0) -> Sprite:
    """Draw a spruce: trunk, whorls from the ground up, upper boughs over lower ones; `snow` 0..1 loads them."""
    width = max(8, int(height * (0.42 + 0.10 * rng.random())))
    canvas = _Canvas(width, height)
    middle, size = width / 2, float(height)
    lean = (rng.random() - 0.5) * 0.03 * size
    trunk = np.array([[middle - size * 0.012, size], [middle + lean, 2.0], [middle + size * 0.012, size]])
    canvas.polygon(trunk, 0.20)
    slender = 0.17 + 0.05 * rng.random()
    level = 0.93
    while level > 0.02:
        x, y = middle + lean * (1 - level), 2 + size * level * 0.985
        reach = size * (0.010 + slender * level**0.85) * (0.72 + 0.45 * rng.random())
        for side in (-1, 1):
            if rng.random() < 0.08 * level:
                continue
            # The light comes from the left and from above; inside and below it is dark.
            light = (0.62 if side < 0 else 0.36) * (0.75 + 0.5 * rng.random()) * (1.08 - 0.30 * level)
            _bough(canvas, x, y, side, reach * (0.7 + 0.45 * rng.random()), size, rng, light + 0.28 * snow)
        # A short bough toward the viewer closes the middle.
        front = reach * 0.45
        side = 1 if rng.random() < 0.5 else -1
        light = (0.40 + 0.25 * rng.random()) * (1.05 - 0.3 * level)
        _bough(canvas, x - side * front * 0.4, y + size * 0.006, side, front, size, rng, light + 0.2 * snow)
        level -= (0.013 + 0.020 * level) * (0.75 + 0.5 * rng.random())
    return canvas.sprite()


def leafy(height: int, rng: np.random.Generator, bare: float = 0.0) -> Sprite:
    """Draw a birch-like tree: stem, limbs and an oval crown of leaf clumps; `bare` 0..1 thins the leaves out."""
    width = max(8, int(height * (0.62 + 0.14 * rng.random())))
    canvas = _Canvas(width, height)
    size, middle = float(height), width / 2
    crown_x, crown_y = middle + size * 0.03 * rng.normal(), size * (0.40 + 0.03 * rng.random())
    reach_x, reach_y = width * 0.37, size * 0.345
    stem = np.array(
        [[middle - size * 0.014, size], [crown_x, crown_y - reach_y * 0.7], [middle + size * 0.014, size]]
    )
    canvas.polygon(stem, 0.05)
    angles = rng.random(120) * 2 * math.pi
    spread = np.sqrt(rng.random(120))
    clumps_x = crown_x + np.cos(angles) * spread * reach_x
    clumps_y = crown_y - np.sin(angles) * spread * reach_y
    for x, y in zip(clumps_x[:30], clumps_y[:30], strict=True):
        foot = min(size * 0.9, y + abs(x - middle) * 1.1 + size * 0.05)
        canvas.line(middle, foot, x, y, 0.04, max(1, round(size * 0.003)))
    finer = min(2.4, max(1.0, size / 500))  # large trees carry more leaves, not larger ones
    leaf = size * 0.0052 / finer**0.5
    leaves = int(52 * finer)
    # Lower and outer clumps first, so that the sunny top overlaps them.
    for index in np.argsort(-clumps_y):
        if rng.random() < bare:
            continue
        x, y = float(clumps_x[index]), float(clumps_y[index])
        radius = size * (0.040 + 0.030 * rng.random())
        ball = 0.48 - 0.24 * (x - crown_x) / reach_x - 0.26 * (y - crown_y) / reach_y
        for dx, dy in rng.normal(0, 0.48, (leaves, 2)) * radius:
            light = ball - 0.13 * dx / radius - 0.16 * dy / radius + 0.10 * rng.normal()
            rx, ry = leaf * (0.6 + rng.random()), leaf * (0.45 + 0.5 * rng.random())
            canvas.dab(x + dx, y + dy * 0.8, rx, ry, float(rng.random() * 180), light)
    return canvas.sprite()


def paste(
    target: ArrayF,
    sprite: Sprite,
    left: int,
    top: int,
    dark: Rgb,
    lit: Rgb,
    veil: Rgb,
    haze: float,
    flip: bool = False,
) -> None:
    """Lay a sprite over premultiplied (h, w, 4) radiance: colour between `dark` and `lit`, then haze over it."""
    cover, bright = sprite.cover, sprite.bright
    if flip:
        cover, bright = cover[::-1], bright[::-1]
    y0, y1 = max(0, top), min(target.shape[0], top + cover.shape[0])
    x0, x1 = max(0, left), min(target.shape[1], left + cover.shape[1])
    if y0 >= y1 or x0 >= x1:
        return
    part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    share = cover[part].astype(np.float32) * np.float32(1 / 255)
    level = bright[part].astype(np.float32) * np.float32(1 / 255)
    area = target[y0:y1, x0:x1]
    area *= (1 - share)[..., None]
    for c in range(3):
        base, gain = dark[c] * (1 - haze) + veil[c] * haze, (lit[c] - dark[c]) * (1 - haze)
        area[..., c] += (level * np.float32(gain) + np.float32(base)) * share
    area[..., 3] += share
