"""Small palettes: named ones, and one found for a picture by k-means in Lab."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import palette_array, rgb_to_lab
from aquatint.engines.studio.kernels.noise import generator

Colors = npt.NDArray[np.float32]  # (n, 3)

_NAMED = {
    "gameboy": ("#0f380f", "#306230", "#8bac0f", "#9bbc0f"),
    "grey": ("#0b0b0d", "#2e2e33", "#5a5a60", "#8b8b90", "#bcbcc0", "#f1f1ee"),
    "cga": ("#000000", "#55ffff", "#ff55ff", "#ffffff"),
    "sunset": ("#1b1030", "#3d1a4a", "#702758", "#b13e53", "#ef7d57", "#ffcd75", "#fff3c4", "#5d275d"),
    "arcade": (
        "#000000", "#1d2b53", "#7e2553", "#008751", "#ab5236", "#5f574f", "#c2c3c7", "#fff1e8",
        "#ff004d", "#ffa300", "#ffec27", "#00e436", "#29adff", "#83769c", "#ff77a8", "#ffccaa",
    ),
}  # fmt: skip


def named_palette(name: str) -> Colors | None:
    """Give a known palette as sRGB 0..1, or None: gameboy, grey, cga, sunset, arcade."""
    codes = _NAMED.get(name)
    return palette_array(codes) if codes else None


def found_palette(lab: Colors, count: int, seed: int, rounds: int = 14) -> Colors:
    """Find `count` representative Lab colours of (n, 3) Lab pixels by k-means++ (Arthur and Vassilvitskii 2007)."""
    rng = generator(seed, "palette")
    sample = lab[rng.permutation(len(lab))[:6000]]
    centers = [sample[0]]
    nearest = np.full(len(sample), np.inf, np.float32)
    for _ in range(count - 1):
        nearest = np.minimum(nearest, ((sample - centers[-1]) ** 2).sum(1))
        total = float(nearest.sum())
        if total <= 0:
            break
        position = rng.random() * total
        centers.append(sample[min(len(sample) - 1, int(np.searchsorted(np.cumsum(nearest), position)))])
    found = np.array(centers, np.float32)
    for _ in range(rounds):
        owner = closest(sample, found)
        size = np.bincount(owner, minlength=len(found))
        sums = np.stack([np.bincount(owner, sample[:, c], len(found)) for c in range(3)], axis=1)
        found = np.where(size[:, None] > 0, sums / np.maximum(size, 1)[:, None], found).astype(np.float32)
    return found


def closest(lab: Colors, palette: Colors) -> npt.NDArray[np.int64]:
    """Index of the nearest palette colour for each of (n, 3) Lab pixels."""
    # |a - b|^2 without |a|^2, which is the same for every b: one matrix product instead of n * k * 3 differences.
    score = (palette**2).sum(1)[None] - 2 * (lab @ palette.T)
    return np.asarray(np.argmin(score, axis=1), dtype=np.int64)


def to_lab(colors: Colors) -> Colors:
    """Convert (n, 3) sRGB 0..1 to Lab."""
    return np.asarray(rgb_to_lab(colors[None])[0], dtype=np.float32)
