"""What stands by the sea: islands and headlands in the haze, a lighthouse, palms over the beach."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator, ridged
from aquatint.engines.studio.kernels.terrain_march import View
from aquatint.engines.studio.scenes.terrain.foliage import Sprite
from aquatint.engines.studio.scenes.terrain.foreground import lit_color, paste_developed
from aquatint.engines.studio.scenes.terrain.groves import tree_colors
from aquatint.engines.studio.scenes.terrain.light import Light
from aquatint.engines.studio.scenes.terrain.shading import LandLayers
from aquatint.engines.studio.styles.base import Rgb8

PlaneF = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rise:
    """Land beyond the water. Fractions: `middle` and `breadth` of the width, `tall` of the height."""

    middle: float
    breadth: float
    tall: float
    haze: float  # 0 near .. 1 lost in the distance

    def top(self, view: View) -> tuple[float, float]:
        """Column and row of a place near its summit, where a lighthouse would stand."""
        return view.width * self.middle, view.horizon - view.height * self.tall * 0.80


def _outline(rise: Rise, width: int, seed: int) -> PlaneF:
    """Height of the land over the horizon for every column, 0..1."""
    u = (np.arange(width, dtype=np.float32) / width - rise.middle) / rise.breadth
    body = np.clip(1 - u * u, 0, 1) ** 0.8
    rough = 0.86 + 0.30 * fbm(4, width, 6 / rise.breadth, 5, seed)[0]
    return np.asarray(body * np.clip(rough, 0.3, 1.3), dtype=np.float32)


def raise_coast(layers: LandLayers, rise: Rise, view: View, light: Light, seed: int) -> None:
    """Set an island or headland on the horizon, in place, with its dim image in the water before it."""
    seed = derive_seed(seed, "coast")
    line = _outline(rise, view.width, seed) * np.float32(view.height * rise.tall)
    top = max(0, int(view.horizon - float(line.max())) - 2)
    bottom = min(view.height, int(view.horizon) + 2)
    rows = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)
    up = np.float32(view.horizon) - rows
    cover = np.clip(line[None] - up + 0.5, 0, 1) * np.clip(up + 1.0, 0, 1) * (line[None] > 0.4)
    height, width = cover.shape
    crags = ridged(height, width, 46, 5, seed + 1, 0.6)
    slope = cv2.Sobel(cv2.GaussianBlur(crags, (0, 0), max(0.6, width / 1600)), cv2.CV_32F, 1, 0)
    facing = np.clip(0.45 - light.direction[0] * slope * 1.4, 0.05, 1.2)
    green = smoothstep(-0.15, 0.25, fbm(height, width, 24, 4, seed + 2)) * smoothstep(0, view.height * 0.02, up)
    planes = []
    for c, (rock, plant) in enumerate(((0.24, 0.070), (0.22, 0.105), (0.19, 0.040))):
        albedo = (rock + (plant - rock) * green) * (0.80 + 0.35 * crags)
        lit = albedo * (light.sun[c] * facing * 0.8 + light.ambient[c] * 0.8)
        veil = light.haze[c] * 0.5 + light.horizon[c] * 0.5
        planes.append(lit + (veil - lit) * rise.haze)
    color = np.dstack(planes).astype(np.float32)
    area = layers.color[top:bottom]
    area[..., :3] += (color - area[..., :3]) * cover[..., None]
    area[..., 3] = np.maximum(area[..., 3], cover)
    _darken_water(layers, line, view, color.mean(axis=(0, 1)))


def _darken_water(layers: LandLayers, line: PlaneF, view: View, color: npt.NDArray[np.float32]) -> None:
    start = int(view.horizon) + 1
    reach = float(line.max()) * 1.1
    stop = min(view.height, start + int(reach * 1.6))
    if stop <= start:
        return
    below = np.arange(stop - start, dtype=np.float32)[:, None]
    share = np.clip(1 - below / np.maximum(line[None] * 1.1, 1), 0, 1) * np.float32(0.5)
    share = cv2.GaussianBlur(share, (0, 0), sigmaX=max(0.6, view.width / 500), sigmaY=max(0.6, view.height / 250))
    area = layers.color[start:stop, :, :3]
    area += (color * 0.8 - area) * share[..., None]


def lighthouse(picture: Rgb8, column: float, row: float, tall: float, light: Light) -> None:
    """A banded tower standing at (column, row), `tall` pixels high, in place; its lamp glows when it is dark."""

    def box(low: float, high: float, half_low: float, half_high: float, color: tuple[int, int, int]) -> None:
        points = [(-half_low, low), (half_low, low), (half_high, high), (-half_high, high)]
        array = np.array([(column + x * tall, row - y * tall) for x, y in points])
        cv2.fillPoly(picture, [np.round(array * 16).astype(np.int32)], color, cv2.LINE_AA, 4)

    white, red = lit_color((0.80, 0.79, 0.76), light, 0.5, 0.85), lit_color((0.55, 0.06, 0.05), light, 0.5, 0.85)
    dark = lit_color((0.06, 0.06, 0.07), light, 0.3, 0.7)

    def half(y: float) -> float:
        return 0.115 - 0.052 * y

    for index in range(5):
        low, high = index * 0.16, (index + 1) * 0.16
        box(low, high, half(low), half(high), red if index % 2 else white)
    box(0.80, 0.825, 0.10, 0.10, dark)
    glass = (255, 240, 190) if max(light.sun) < 1.2 else lit_color((0.35, 0.42, 0.45), light, 0.3, 0.9)
    box(0.825, 0.91, 0.050, 0.050, glass)
    box(0.91, 0.985, 0.062, 0.004, red)
    if max(light.sun) < 1.2:
        _glow(picture, column, row - 0.868 * tall, tall)


def _glow(picture: Rgb8, column: float, row: float, tall: float) -> None:
    reach = int(tall * 2.2)
    x0, x1 = max(0, int(column) - reach * 3), min(picture.shape[1], int(column) + reach * 3)
    y0, y1 = max(0, int(row) - reach), min(picture.shape[0], int(row) + reach)
    if x0 >= x1 or y0 >= y1:
        return
    x = (np.arange(x0, x1, dtype=np.float32)[None] + 0.5 - column) / tall
    y = (np.arange(y0, y1, dtype=np.float32)[:, None] + 0.5 - row) / tall
    near = np.hypot(x, y)
    beam = np.exp(-np.square(y / (0.035 + 0.055 * np.abs(x)))) * np.exp(np.abs(x) / -1.9)
    shine = np.clip(np.exp(near / -0.10) + 0.30 * np.exp(near / -0.5) + 0.38 * beam, 0, 1)[..., None]
    area = picture[y0:y1, x0:x1]
    area[:] = (area + (np.array((255, 238, 190), np.float32) - area) * shine + 0.5).astype(np.uint8)


def palm(height: int, rng: np.random.Generator) -> Sprite:
    """A leaning coconut palm: ringed stem and feathered fronds. The stem's foot is at the lower left."""
    size = float(height)
    width = int(size * 0.95)
    cover, bright = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    t = np.linspace(0, 1, 40)
    stem_x = width * 0.16 + width * 0.34 * t**1.6
    stem_y = size - (size * 0.74) * t
    half = size * (0.016 - 0.006 * t)
    outline = np.concatenate([np.stack([stem_x - half, stem_y], 1), np.stack([stem_x + half, stem_y], 1)[::-1]])
    for plane, level in ((cover, 255), (bright, 95)):
        cv2.fillPoly(plane, [np.round(outline * 16).astype(np.int32)], level, cv2.LINE_AA, 4)
    for i in (np.linspace(0.02, 0.98, 46) * 39).astype(int):
        a = (int((stem_x[i] - half[i]) * 16), int(stem_y[i] * 16))
        b = (int(stem_x[i] * 16), int((stem_y[i] + half[i] * 0.5) * 16))
        cv2.line(bright, a, b, 140, max(1, round(size / 400)), cv2.LINE_AA, 4)
    crown = float(stem_x[-1]), float(stem_y[-1])
    for angle in sorted(rng.uniform(-0.55, math.pi + 0.55, 15), key=lambda a: -abs(a - math.pi / 2)):
        _frond(cover, bright, crown, angle, size * float(rng.uniform(0.27, 0.36)), size, rng)
    return Sprite(cover, bright)


def _frond(
    cover: npt.NDArray[np.uint8],
    bright: npt.NDArray[np.uint8],
    crown: tuple[float, float],
    angle: float,
    reach: float,
    size: float,
    rng: np.random.Generator,
) -> None:
    x, y = crown
    s = np.linspace(0, 1, 46)
    rib_x = x + math.cos(angle) * reach * s
    rib_y = y - math.sin(angle) * reach * s + reach * 0.55 * s**2
    heading = np.arctan2(np.gradient(rib_y), np.gradient(rib_x))
    base = 0.34 + 0.32 * math.sin(max(0.0, min(math.pi, angle)))
    for i in range(3, 46):
        leaf = reach * 0.235 * math.sin(math.pi * (0.12 + 0.86 * s[i])) * (0.8 + 0.4 * rng.random())
        for side in (-1, 1):
            turn = heading[i] + side * (0.75 - 0.25 * s[i])
            droop = leaf * 0.30
            tip = (rib_x[i] + math.cos(turn) * leaf, rib_y[i] + math.sin(turn) * leaf + droop)
            middle = (rib_x[i] + math.cos(turn) * leaf * 0.5, rib_y[i] + math.sin(turn) * leaf * 0.5 + droop * 0.2)
            blade = size * 0.0013
            points = np.array(
                [(rib_x[i], rib_y[i]), (middle[0], middle[1] - blade), tip, (middle[0], middle[1] + blade)]
            )
            level = int(255 * np.clip(base + (0.20 if side < 0 else -0.05) + rng.normal(0, 0.07), 0.05, 1))
            fixed = [np.round(points * 16).astype(np.int32)]
            cv2.fillPoly(cover, fixed, 255, cv2.LINE_AA, 4)
            cv2.fillPoly(bright, fixed, level, cv2.LINE_AA, 4)


def plant_palms(picture: Rgb8, light: Light, seed: int, side: int) -> None:
    """One to three palms that lean into the picture from its edge, in place; `side` -1 left, 1 right."""
    height, width = picture.shape[:2]
    rng = generator(seed, "palms")
    base = min(height, width * 1.2)
    for index in range(int(rng.integers(1, 4))):
        sprite = palm(max(40, int(base * float(rng.uniform(0.62, 0.92)) * (1 - 0.16 * index))), rng)
        if side > 0:
            sprite = Sprite(np.ascontiguousarray(sprite.cover[:, ::-1]), np.ascontiguousarray(sprite.bright[:, ::-1]))
        breadth = sprite.cover.shape[1]
        inset = width * (float(rng.uniform(-0.01, 0.05)) + 0.07 * index)
        left = int(inset - breadth * 0.16) if side < 0 else int(width - inset - breadth * 0.84)
        top = int(height * 1.03) - sprite.cover.shape[0]
        # Palms stand against the light of the sea: rather dark.
        dark, lit = tree_colors(light, (0.040, 0.062, 0.020))
        paste_developed(picture, sprite, left, top, dark, lit, light.exposure)
