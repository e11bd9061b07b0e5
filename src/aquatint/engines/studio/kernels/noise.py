"""Lattice noise: random numbers drawn on coarse grids, so one seed gives one picture at every size."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.arrays import PlaneF
from aquatint.engines.studio.kernels.resize import rows_of

FloatArray = npt.NDArray[np.float32]


def generator(seed: int, *salts: int | str) -> np.random.Generator:
    """Make the random generator of one purpose: same seed and salts, same numbers, on every machine."""
    words = [seed, *(zlib.crc32(salt.encode()) if isinstance(salt, str) else salt for salt in salts)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words)))


def derive_seed(seed: int, *salts: int | str) -> int:
    """Mix a seed with salts into another seed, 0..2**63-1."""
    return int(generator(seed, *salts).integers(0, 2**63 - 1))


def _lattice(height: int, width: int, cells: float, seed: int, salt: int) -> PlaneF:
    rows = max(2, math.ceil(cells * height / width)) + 3
    return generator(seed, salt).random((rows, math.ceil(cells) + 3), dtype=np.float32)


def _enlarge_lattice(grid: PlaneF, cells: float, width: int, top: int, bottom: int) -> PlaneF:
    step = cells / width
    matrix = np.array([[step, 0, 1 + step * 0.5], [0, step, 1 + step * (top + 0.5)]], np.float32)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    enlarged = cv2.warpAffine(grid, matrix, (width, bottom - top), flags=flags, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(enlarged, dtype=np.float32)


def value_noise(height: int, width: int, cells: float, seed: int, salt: int = 0) -> PlaneF:
    """Draw cubic value noise with `cells` lattice cells across the width.

    Returns (height, width) float32, about 0..1 with mean .5 (cubic overshoot can leave the range a little).
    """
    return _enlarge_lattice(_lattice(height, width, cells, seed, salt), cells, width, 0, height)


def fbm(height: int, width: int, cells: float, octaves: int, seed: int, gain: float = 0.5) -> PlaneF:
    """Sum octaves of value noise, each twice as fine and `gain` times as strong (Perlin 1985).

    Octaves finer than the pixel grid are left out. Each octave is drawn on the coarsest grid that resolves it
    and enlarged once, which is what makes noise cheap at 4k. Returns (height, width) float32, about -1..1,
    mean near 0.
    """
    levels = [(cells * 2**i, gain**i, i) for i in range(octaves) if i == 0 or cells * 2**i <= width * 1.2]
    total: PlaneF | None = None
    for level_cells, amplitude, salt in levels:
        shrink = 1
        while width // (shrink * 2) >= level_cells * 6 and shrink < 16:
            shrink *= 2
        size = (max(2, width // shrink), max(2, height // shrink))
        octave = value_noise(size[1], size[0], level_cells, seed, salt)
        octave -= 0.5
        octave *= 2 * amplitude
        total = octave if total is None else _grow(total, size) + octave
    assert total is not None  # noqa: S101 - there is always a first octave
    total = _grow(total, (width, height))
    total /= sum(amplitude for _, amplitude, _ in levels)
    return total


def _grow(plane: PlaneF, size: tuple[int, int]) -> PlaneF:
    if (plane.shape[1], plane.shape[0]) == size:
        return plane
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def ridged(height: int, width: int, cells: float, octaves: int, seed: int, gain: float = 0.5) -> PlaneF:
    """Sum octaves of 1-|noise|: sharp crests, for mountains and veins (Musgrave 1989). About -1..1."""
    total = np.zeros((height, width), np.float32)
    weight = 0.0
    for i in range(octaves):
        if i and cells * 2**i > width * 1.2:
            break
        crest = 1 - np.abs(value_noise(height, width, cells * 2**i, seed, i) * 2 - 1) * 2
        total += crest * gain**i
        weight += gain**i
    return np.asarray(total / weight, dtype=np.float32)


def warp(image: FloatArray, amplitude: float, cells: float, seed: int, octaves: int = 3) -> FloatArray:
    """Displace an image (h, w[, c]) by up to about `amplitude` pixels of smooth noise; edges mirror."""
    height, width = image.shape[:2]
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    xs += fbm(height, width, cells, octaves, derive_seed(seed, "warp x")) * np.float32(amplitude)
    ys += fbm(height, width, cells, octaves, derive_seed(seed, "warp y")) * np.float32(amplitude)
    moved = cv2.remap(image, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class NoiseField:
    """Noise of a whole picture that can be drawn strip by strip; draws are the same however it is cut."""

    height: int
    width: int
    coarse: PlaneF  # octaves that a quarter of the resolution can hold, already summed
    fine: tuple[tuple[PlaneF, float, float], ...]  # lattice, cells across the width, amplitude

    @classmethod
    def of(cls, height: int, width: int, octaves: Sequence[tuple[float, float]], seed: int) -> NoiseField:
        """Prepare noise from (cells across the width, amplitude) pairs; too fine octaves are left out."""
        small_h, small_w = max(2, height // 4), max(2, width // 4)
        coarse: PlaneF = np.zeros((small_h, small_w), np.float32)
        fine = []
        for salt, (cells, amplitude) in enumerate(octaves):
            if cells * 2 <= small_w:
                coarse += (value_noise(small_h, small_w, cells, seed, salt) - np.float32(0.5)) * (2 * amplitude)
            elif cells <= width * 1.2:
                fine.append((_lattice(height, width, cells, seed, salt), cells, amplitude))
        return cls(height, width, coarse, tuple(fine))

    def rows(self, top: int, bottom: int) -> PlaneF:
        """Draw rows top..bottom: (bottom - top, width) float32 around 0."""
        total = rows_of(self.coarse, self.width, self.height, top, bottom)
        for grid, cells, amplitude in self.fine:
            octave = _enlarge_lattice(grid, cells, self.width, top, bottom)
            octave -= 0.5
            octave *= 2 * amplitude
            total += octave
        return total


# A cubic-interpolated uniform lattice has about this deviation at amplitude 1; layers add in quadrature.
_OCTAVE_DEVIATION = 0.5
_GRAIN = ((90, 0.33), (180, 0.17), (260, 0.31), (520, 0.22), (1040, 0.2), (2080, 0.18), (4160, 0.12))


def paper_grain(height: int, width: int, seed: int, scale: float = 1.0) -> NoiseField:
    """Prepare the relief of cold-pressed paper: mean 0, deviation about 1, finer with `scale` above 1.

    The felt pattern keeps its size relative to the sheet; finer fibres appear as pixels allow, so that a 4k
    sheet shows more and not merely bigger grain. Read it with `NoiseField.rows`.
    """
    kept = [(cells * scale, amplitude) for cells, amplitude in _GRAIN if cells * scale <= width * 1.2]
    kept = kept or [(float(width), 1.0)]  # all of it finer than the pixels: then as fine as they are
    deviation = _OCTAVE_DEVIATION * math.sqrt(sum(amplitude**2 for _, amplitude in kept))
    octaves = [(cells, amplitude / deviation) for cells, amplitude in kept]
    return NoiseField.of(height, width, octaves, derive_seed(seed, "paper grain"))
