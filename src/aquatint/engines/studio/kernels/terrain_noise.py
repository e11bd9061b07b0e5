"""Seamless noise tiles read at world coordinates, so that noise lies on the ground and not on the picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.noise import generator

PlaneF = npt.NDArray[np.float32]
ArrayF = npt.NDArray[np.float32]

_PAD = 2  # wrapped border kept around a tile, so that reading it never meets an edge


@dataclass(frozen=True, slots=True)
class Tile:
    """A periodic texture. `texels` is (side + 2 * pad, ..., channels) float32 with its border already wrapped."""

    texels: ArrayF
    side: int

    def read(self, x: PlaneF, y: PlaneF, per_unit: float, nearest: bool = False) -> ArrayF:
        """Sample at (x, y) * per_unit texels. x and y share one 2-D shape; channels come last."""
        inverse = np.float32(1 / self.side)
        maps = []
        for axis in (x, y):
            position = axis * np.float32(per_unit)
            position -= np.floor(position * inverse) * np.float32(self.side)
            position += np.float32(_PAD)
            maps.append(position)
        mode = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
        return np.asarray(cv2.remap(self.texels, maps[0], maps[1], mode), dtype=np.float32)


def make_tile(image: ArrayF) -> Tile:
    """Wrap a periodic (n, n[, c]) image as a Tile."""
    pads = [(_PAD, _PAD + 1), (_PAD, _PAD + 1)] + [(0, 0)] * (image.ndim - 2)
    return Tile(np.ascontiguousarray(np.pad(image, pads, mode="wrap"), dtype=np.float32), image.shape[0])


def tile_fbm(side: int, cells: int, octaves: int, seed: int, gain: float = 0.5, crest: bool = False) -> PlaneF:
    """Periodic fractal noise (side, side) float32 with mean 0 and deviation 1; `crest` makes sharp ridges."""
    total: PlaneF = np.zeros((side, side), np.float32)
    amplitude = 1.0
    for octave in range(octaves):
        count = cells * 2**octave
        if count * 2 > side:
            break
        grid = generator(seed, octave).random((count, count), dtype=np.float32)
        step = count / side
        matrix = np.array([[step, 0, 2 + step * 0.5], [0, step, 2 + step * 0.5]], np.float32)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        wave = cv2.warpAffine(np.pad(grid, 4, mode="wrap"), matrix, (side, side), flags=flags)
        if crest:
            wave = 1 - np.abs(wave * 2 - 1)
        total += np.float32(amplitude) * wave
        amplitude *= gain
    return np.asarray((total - total.mean()) / total.std(), dtype=np.float32)


def with_gradient(noise: PlaneF) -> ArrayF:
    """Stack a periodic plane with its two derivatives per texel: (n, n, 3) = value, d/dx, d/dy."""
    ahead_x, behind_x = np.roll(noise, -1, 1), np.roll(noise, 1, 1)
    ahead_y, behind_y = np.roll(noise, -1, 0), np.roll(noise, 1, 0)
    half = np.float32(0.5)
    return np.dstack([noise, (ahead_x - behind_x) * half, (ahead_y - behind_y) * half])


def conifer_tile(side: int, per_row: int, seed: int) -> ArrayF:
    """Scatter cones on a periodic square, one per cell and jittered.

    Returns (side, side, 3) float32: height above ground in cell widths (0 between trees, up to 3.6), a tone 0..1
    per tree, and a rank 0..1 per tree: keep the trees whose rank is below the wanted density.
    """
    rng = generator(seed, "conifers")
    size = side // per_row
    columns, rows = np.meshgrid(np.arange(per_row), np.arange(per_row))
    centre_x = (columns + 0.15 + 0.7 * rng.random((per_row, per_row))) * size
    centre_y = (rows + 0.15 + 0.7 * rng.random((per_row, per_row))) * size
    centre_x, centre_y = centre_x.astype(np.float32), centre_y.astype(np.float32)
    tall = 1.4 + 2.0 * rng.random((per_row, per_row), dtype=np.float32)
    tone = rng.random((per_row, per_row), dtype=np.float32)
    rank = rng.random((per_row, per_row), dtype=np.float32)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    cell_x, cell_y = (x / size).astype(np.intp), (y / size).astype(np.intp)
    result = np.zeros((side, side, 3), np.float32)
    result[..., 2] = 2
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            pick = ((cell_y + down) % per_row, (cell_x + right) % per_row)
            dx = x - centre_x[pick]
            dx -= side * np.round(dx / side)
            dy = y - centre_y[pick]
            dy -= side * np.round(dy / side)
            reach = tall[pick] * 0.20 * size
            cone = tall[pick] * (1 - np.hypot(dx, dy) / reach)
            taller = cone > result[..., 0]
            result[taller, 0] = cone[taller]
            result[taller, 1] = tone[pick][taller]
            result[taller, 2] = rank[pick][taller]
    return result
