"""Gas and stars: nested domain-warped noise in three hues with dark lanes, stars by power law, a spiral galaxy."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.kernels.terrain_noise import Tile, make_tile, tile_fbm

PlaneF = npt.NDArray[np.float32]
ArrayF = npt.NDArray[np.float32]
Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Gas:
    """Linear colours of a nebula: two hues that fill it and the hot one in its folds."""

    first: Rgb
    second: Rgb
    hot: Rgb
    tilt: float = 0.42  # slope of the band it lies in
    offset: float = 0.10
    breadth: float = 0.62


def _fraction(tile: Tile, x: PlaneF, y: PlaneF, scale: float) -> PlaneF:
    """Noise around .47 with deviation .13, whatever the tile."""
    return np.asarray(0.47 + 0.13 * tile.read(x, y, scale), dtype=np.float32)


def _bend(tile: Tile, x: PlaneF, y: PlaneF, scale: float) -> PlaneF:
    """Noise to displace other noise with: freed from the 1/32 steps of `remap`, which would show as stairs."""
    return np.asarray(cv2.GaussianBlur(_fraction(tile, x, y, scale), (0, 0), x.shape[1] / 600), dtype=np.float32)


def band(width: int, height: int, gas: Gas) -> PlaneF:
    """How strongly the nebula fills each place, 0..1: (height, width)."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None] * np.float32(width / height)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    return np.asarray(np.exp(-np.square((y * 0.85 - x * gas.tilt + gas.offset) / gas.breadth)), dtype=np.float32)


def nebula(width: int, height: int, gas: Gas, seed: int) -> ArrayF:
    """Radiance of gas and dust: (height, width, 3) linear. Source: Perlin 1985, warped after Quilez 2002."""
    tile = make_tile(tile_fbm(1024, 8, 7, derive_seed(seed, "gas"), gain=0.52))
    # What bends must be smooth: bending by fine noise tears the gas into blocks.
    bend = make_tile(tile_fbm(1024, 8, 4, derive_seed(seed, "gas bend"), gain=0.5))
    unit = 1024 / 8.0  # texels per lattice cell
    aspect = width / height
    rng = generator(seed, "gas place")
    x = (np.linspace(-1, 1, width, dtype=np.float32)[None] * np.float32(aspect * 1.1) + rng.random() * 8) * np.ones(
        (height, 1), np.float32
    )
    y = np.linspace(-1.1, 1.1, height, dtype=np.float32)[:, None] * np.ones((1, width), np.float32)
    x, y = x.astype(np.float32), y + np.float32(rng.random() * 8)
    q = _bend(bend, x * 1.3 + 4, y * 1.3, unit)
    r = _bend(bend, x * 1.3 + q * 2.2 + 11, y * 1.3 - q * 1.7 + 9, unit)
    a = _fraction(tile, x * 1.1 + r * 2.4 + q, y * 1.1 + r * 1.3 + 5, unit)
    d = _fraction(tile, x * 2.0 + r * 1.5 + 17, y * 2.0 - q * 2.0, unit)
    dense = np.clip((a - 0.40) * 2.9, 0, 1.4)
    hue = np.clip((r - 0.40) * 3.0, 0, 1)[..., None]
    fold = np.clip((q - 0.38) * 3.0, 0, 1)
    lanes = smoothstep(0.50, 0.66, d)
    lies = band(width, height, gas)
    first, second, hot = (np.array(color, np.float32) for color in (gas.first, gas.second, gas.hot))
    glow = (first * hue + second * (1 - hue)) * (dense**1.6 * 1.25 * lies)[..., None]
    glow += hot * (dense**3.4 * fold * 1.2 * lies)[..., None]
    sky = np.array([0.004, 0.006, 0.016], np.float32)
    return np.asarray((sky + glow) * (1 - 0.80 * lanes * lies)[..., None], dtype=np.float32)


def star_field(width: int, height: int, where: PlaneF, seed: int) -> npt.NDArray[np.uint8]:
    """Stars at output size: (height, width, 3) bytes to be added; more where `where` (any size, 0..1) is high."""
    rng = generator(seed, "star field")
    result = np.zeros((height, width, 3), np.uint8)
    rows, columns = where.shape
    tints = ((255, 212, 160), (182, 216, 255), (255, 255, 255))
    for _ in range(4300):
        x, y, chance = rng.random() * width, rng.random() * height, rng.random()
        bright = min(3.2, 0.05 + 0.10 * float(rng.pareto(1.35)))
        tint = tints[int(rng.choice(3, p=(0.25, 0.35, 0.40)))]
        if chance > 0.30 + 0.9 * where[int(y / height * rows), int(x / width * columns)]:
            continue
        level = min(1.0, 0.22 + bright)
        radius = max(0.45, min(1.7, 0.5 + bright * 0.5) * max(width, height) / 2100)
        color = tuple(int(level * c) for c in tint)
        cv2.circle(result, (int(x * 16), int(y * 16)), int(radius * 16), color, -1, cv2.LINE_AA, 4)
    return result


def star_glow(field: npt.NDArray[np.uint8], width: int, height: int) -> ArrayF:
    """Soft halos of the brightest stars, at a small size (height, width, 3) linear."""
    small = cv2.resize(field, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    bright = np.clip(small - 0.30, 0, 1)
    halo = cv2.GaussianBlur(bright, (0, 0), width / 700) * 1.6 + cv2.GaussianBlur(bright, (0, 0), width / 160) * 3.0
    return np.asarray(halo, dtype=np.float32)


def spiral(width: int, height: int, seed: int) -> ArrayF:
    """A tilted spiral galaxy: logarithmic arms of blue stars and pink gas, dust lanes, a warm bulge. Linear."""
    rng = generator(seed, "spiral")
    tile = make_tile(tile_fbm(512, 8, 6, derive_seed(seed, "arms"), gain=0.6))
    size = min(width, height * 1.4)
    turn, squash = float(rng.uniform(-0.6, 0.6)), float(rng.uniform(0.42, 0.62))
    x = (np.arange(width, dtype=np.float32)[None] - width * rng.uniform(0.45, 0.55)) / (size * 0.44)
    y = (np.arange(height, dtype=np.float32)[:, None] - height * rng.uniform(0.46, 0.54)) / (size * 0.44)
    u: PlaneF = np.asarray(x * math.cos(turn) + y * math.sin(turn), np.float32)
    v: PlaneF = np.asarray((-x * math.sin(turn) + y * math.cos(turn)) / squash, np.float32)
    radius = np.sqrt(u * u + v * v) + np.float32(1e-4)
    wobble = tile.read(u, v, 90.0) * np.float32(0.22)
    angle = np.arctan2(v, u) - np.log(radius) / np.float32(math.tan(0.30)) * rng.choice([-1, 1]) + wobble
    arms = 0.5 + 0.5 * np.cos(2 * angle)
    clumps = np.clip(0.55 + 0.42 * tile.read(u, v, 260.0), 0, 2)
    disc = np.exp(radius * -2.7) * smoothstep(1.5, 0.9, radius)
    light = disc * (0.16 + 1.35 * arms**2.2 * clumps)
    dust = smoothstep(0.35, 0.9, 0.5 + 0.5 * np.cos(2 * angle - 0.9)) * np.clip(
        0.4 + 0.6 * tile.read(v, u, 200.0), 0, 1
    )
    light = light * (1 - 0.75 * dust * smoothstep(0.06, 0.25, radius))
    knots = disc * arms**4 * np.clip(tile.read(u, v, 520.0) - 1.0, 0, 2)
    bulge = np.exp(np.sqrt(u * u + (v * squash / 0.72) ** 2) / -0.075) * 1.9 + np.exp(radius / -0.24) * 0.55
    blue, pink, warm = (np.array(c, np.float32) for c in ((0.55, 0.72, 1.25), (1.2, 0.32, 0.55), (1.30, 0.98, 0.66)))
    outer = np.clip(radius * 1.6, 0, 1)[..., None]
    body = warm * (1 - outer) + blue * outer
    result = light[..., None] * body * 1.9 + knots[..., None] * pink * 1.3 + bulge[..., None] * warm
    return np.asarray(result, dtype=np.float32)
