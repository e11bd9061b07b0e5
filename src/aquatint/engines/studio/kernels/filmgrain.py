"""Film grain: silver or dye clumps of several sizes, as a tile drawn once and repeated out of step."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.arrays import PlaneF
from aquatint.engines.studio.kernels.noise import generator


@dataclass(frozen=True, slots=True)
class FilmGrain:
    """Grain for one picture; read it strip by strip."""

    tile: PlaneF  # mean 0, deviation 1

    @classmethod
    def of(cls, unit: float, seed: int, coarseness: float = 1.0) -> FilmGrain:
        """Prepare grain for a picture whose width / 1024 is `unit`; `coarseness` 1 is ISO 400 or so."""
        rng = generator(seed, "grain")
        total = np.zeros((min(1009, int(700 * unit) + 97), min(1277, int(1100 * unit) + 131)), np.float32)
        for share, size in ((0.8, 0.38), (0.7, 0.75), (0.35, 1.6)):
            sigma = max(0.3, size * coarseness * unit)
            pad = int(4 * sigma) + 2
            raw = rng.standard_normal(total.shape, dtype=np.float32)
            soft = cv2.GaussianBlur(np.pad(raw, pad, mode="wrap"), (0, 0), sigma)[pad:-pad, pad:-pad]
            total += share * soft / soft.std()
        return cls(np.asarray((total - total.mean()) / total.std(), dtype=np.float32))

    def rows(self, top: int, bottom: int, width: int) -> PlaneF:
        """Rows top..bottom, `width` wide; each repetition is shifted, so that no pattern shows."""
        high, wide = self.tile.shape
        parts = []
        for i in range(-(-width // wide)):
            block = self.tile[(np.arange(top, bottom) + 389 * i) % high]
            parts.append(np.roll(block, 137 * i, axis=1))
        return np.concatenate(parts, axis=1)[:, :width]
