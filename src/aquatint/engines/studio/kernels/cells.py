"""Dividing a picture into cells: superpixels, oriented square tiles, and points where the detail is."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.arrays import PlaneF, RgbF
from aquatint.engines.studio.kernels.noise import generator

Labels = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
_NEIGHBOURS = tuple((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1))


@dataclass(frozen=True, slots=True)
class Tiles:
    """Square tiles: centres and sides in pixels, angle in radians, colour sRGB 0..1; one row per tile."""

    x: Floats
    y: Floats
    side: Floats
    angle: Floats
    color: Floats  # (n, 3)


def superpixels(lab: RgbF, step: float, compactness: float, seed: int, rounds: int = 6) -> Labels:
    """Cut (h, w, 3) Lab into regions about `step` pixels wide that follow its edges (SLIC, Achanta 2012).

    `compactness` weighs position against colour, Lab units. Starting points are jittered by the seed. Every
    pixel looks only at the 3 x 3 seeds around its grid place, all of them at once. Labels (h, w) int32.
    """
    grid = _Grid.of(lab.shape[0], lab.shape[1], step, seed)
    color = lab[np.clip(grid.y, 0, lab.shape[0] - 1).astype(int), np.clip(grid.x, 0, lab.shape[1] - 1).astype(int)]
    pull = np.float32((compactness / step) ** 2)
    labels = np.zeros(lab.shape[:2], np.int32)
    for _ in range(rounds):
        best = np.full(lab.shape[:2], np.inf, np.float32)
        for offset in _NEIGHBOURS:
            index = grid.neighbour(offset)
            dx, dy = grid.columns - grid.x[index], grid.rows - grid.y[index]
            difference = lab - color[index]
            distance = np.einsum("ijk,ijk->ij", difference, difference) + pull * (dx * dx + dy * dy)
            nearer = distance < best
            best = np.where(nearer, distance, best)
            labels = np.where(nearer, index, labels)
        color = means(lab, labels, grid.count)
        grid.recentre(labels)
    return labels


def oriented_tiles(image: RgbF, angle: PlaneF, step: float, seed: int, rounds: int = 5) -> Tiles:
    """Lay square tiles along a direction field, edges touching as well as they can (Hausner 2001).

    `image` (h, w, 3), `angle` (h, w) radians. Centroidal Voronoi cells under the maximum metric turned to each
    tile's own direction.
    """
    h, w = angle.shape
    grid = _Grid.of(h, w, step, seed)
    labels = np.zeros((h, w), np.int32)
    turn = angle[np.clip(grid.y, 0, h - 1).astype(int), np.clip(grid.x, 0, w - 1).astype(int)]
    for _ in range(rounds):
        turn = angle[np.clip(grid.y, 0, h - 1).astype(int), np.clip(grid.x, 0, w - 1).astype(int)]
        c, s = np.cos(turn), np.sin(turn)
        best = np.full((h, w), np.inf, np.float32)
        for offset in _NEIGHBOURS:
            index = grid.neighbour(offset)
            dx, dy = grid.columns - grid.x[index], grid.rows - grid.y[index]
            along, across = c[index] * dx + s[index] * dy, c[index] * dy - s[index] * dx
            distance = np.maximum(np.abs(along), np.abs(across))
            nearer = distance < best
            best = np.where(nearer, distance, best)
            labels = np.where(nearer, index, labels)
        grid.recentre(labels)
    area = np.bincount(labels.ravel(), minlength=grid.count).astype(np.float32)
    color = means(image, labels, grid.count)
    kept = area > 0.15 * step * step
    side = np.clip(np.sqrt(area), 0.6 * step, 1.25 * step)
    return Tiles(grid.x[kept], grid.y[kept], side[kept], turn[kept].astype(np.float32), color[kept])


def tidied(labels: Labels, reach: float) -> Labels:
    """Remove slivers and specks narrower than about 2 * `reach` pixels and smooth borders; labels from 0.

    What remains of every region after shrinking grows back over the gaps, nearest first.
    """
    border = np.zeros(labels.shape, np.uint8)
    border[1:] |= (labels[1:] != labels[:-1]).astype(np.uint8)
    border[:, 1:] |= (labels[:, 1:] != labels[:, :-1]).astype(np.uint8)
    depth = cv2.distanceTransform(1 - border, cv2.DIST_L2, cv2.DIST_MASK_5)
    core = (depth > reach).astype(np.uint8)
    if not core.any():
        return labels
    _, grown = cv2.distanceTransformWithLabels(1 - core, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_CCOMP)
    return np.asarray(grown - 1, dtype=np.int32)


def means(image: RgbF, labels: Labels, count: int) -> Floats:
    """Mean of (h, w, 3) over every label: (count, 3); zeros for labels that do not occur."""
    flat = labels.ravel()
    size = np.maximum(np.bincount(flat, minlength=count), 1)
    sums = [np.bincount(flat, image[..., c].ravel(), count) / size for c in range(3)]
    return np.stack(sums, axis=1).astype(np.float32)


def scattered_points(detail: PlaneF, count: int, seed: int) -> Floats:
    """Choose about `count` points, denser where `detail` (h, w, 0..1) is high, none too close: (n, 2) x, y.

    Weighted candidates are thinned by a distance that shrinks with detail (dart throwing on a grid).
    """
    h, w = detail.shape
    rng = generator(seed, "points")
    weight = (0.06 + detail.astype(np.float64) ** 1.4).ravel()
    chosen = np.searchsorted(np.cumsum(weight), rng.random(count * 4) * weight.sum())
    chosen = np.minimum(chosen, h * w - 1)
    x, y = (chosen % w + rng.random(chosen.size)), (chosen // w + rng.random(chosen.size))
    spacing = 0.62 * np.sqrt(h * w / count) / np.sqrt(weight[chosen] / weight.mean())
    taken = np.zeros((h, w), np.uint8)
    points = []
    for px, py, gap in zip(x.tolist(), y.tolist(), spacing.tolist(), strict=True):
        ix, iy = min(int(px), w - 1), min(int(py), h - 1)
        if taken[iy, ix]:
            continue
        cv2.circle(taken, (ix, iy), max(1, int(gap)), 255, -1)
        points.append((px, py))
        if len(points) >= count:
            break
    return np.array(points, np.float32)


class _Grid:
    """Seeds that began on a jittered grid; keeps for every pixel which grid place it belongs to."""

    def __init__(self, h: int, w: int, step: float, x: Floats, y: Floats, down: int, across: int) -> None:
        self.x, self.y = x, y
        self.count = x.size
        self._down, self._across = down, across
        self.rows = np.arange(h, dtype=np.float32)[:, None] + np.zeros((1, w), np.float32)
        self.columns = np.arange(w, dtype=np.float32)[None] + np.zeros((h, 1), np.float32)
        self._place_y = np.minimum((np.arange(h) * down / h).astype(np.int32), down - 1)
        self._place_x = np.minimum((np.arange(w) * across / w).astype(np.int32), across - 1)

    @classmethod
    def of(cls, h: int, w: int, step: float, seed: int) -> _Grid:
        down, across = max(1, round(h / step)), max(1, round(w / step))
        rng = generator(seed, "grid")
        y, x = np.mgrid[0:down, 0:across].astype(np.float32)
        x = (x + 0.5 + 1.1 * (rng.random(x.shape, np.float32) - 0.5)) * np.float32(w / across)
        y = (y + 0.5 + 1.1 * (rng.random(y.shape, np.float32) - 0.5)) * np.float32(h / down)
        return cls(h, w, step, x.ravel(), y.ravel(), down, across)

    def neighbour(self, offset: tuple[int, int]) -> Labels:
        """For every pixel the seed at its own grid place plus `offset` (rows, columns); edges repeat."""
        row = np.clip(self._place_y + offset[0], 0, self._down - 1)[:, None]
        column = np.clip(self._place_x + offset[1], 0, self._across - 1)[None]
        return np.asarray(row * self._across + column, dtype=np.int32)

    def recentre(self, labels: Labels) -> None:
        """Move every seed to the centre of its pixels."""
        flat = labels.ravel()
        size = np.bincount(flat, minlength=self.count)
        filled = np.maximum(size, 1)
        x = np.bincount(flat, self.columns.ravel(), self.count) / filled
        y = np.bincount(flat, self.rows.ravel(), self.count) / filled
        self.x = np.where(size > 0, x, self.x).astype(np.float32)
        self.y = np.where(size > 0, y, self.y).astype(np.float32)
