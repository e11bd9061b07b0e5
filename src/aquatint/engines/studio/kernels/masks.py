"""Masks: pigment rims along wet edges, distance to the sheet's border, torn edges, vignettes."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.arrays import PlaneF
from aquatint.engines.studio.kernels.resize import blur_wide


def rim(mask: PlaneF, radius: float) -> PlaneF:
    """Where pigment gathers when a wash dries: large just inside the boundary of `mask` (0..1), 0..1.

    mask * (1 - blur(mask)) * 2, radius in pixels; the cheap form of edge darkening (Bousseau 2006).
    """
    edge = blur_wide(mask, radius)
    edge = np.asarray(np.float32(1) - edge, dtype=np.float32)
    edge *= mask
    edge *= 2
    np.clip(edge, 0, 1, out=edge)
    return edge


def border_distance(height: int, width: int, top: int = 0, bottom: int | None = None) -> PlaneF:
    """Distance of rows top..bottom to the nearest side of the sheet, in units of the width."""
    last = height if bottom is None else bottom
    y = (np.arange(top, last, dtype=np.float32)[:, None] + np.float32(0.5)) / np.float32(width)
    x = (np.arange(width, dtype=np.float32)[None] + np.float32(0.5)) / np.float32(width)
    from_sides = np.minimum(x, 1 - x)
    from_ends = np.minimum(y, np.float32(height / width) - y)
    return np.asarray(np.minimum(from_sides, from_ends), dtype=np.float32)


def vignette(height: int, width: int, top: int = 0, bottom: int | None = None) -> PlaneF:
    """0 in the middle growing smoothly to 1 in the corners, for rows top..bottom."""
    last = height if bottom is None else bottom
    y = (np.arange(top, last, dtype=np.float32)[:, None] + np.float32(0.5)) / np.float32(height) * 2 - 1
    x = (np.arange(width, dtype=np.float32)[None] + np.float32(0.5)) / np.float32(width) * 2 - 1
    return np.asarray((x * x + y * y) / 2, dtype=np.float32)
