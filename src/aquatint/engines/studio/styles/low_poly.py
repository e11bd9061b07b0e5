"""Low poly: triangles that follow the forms, each one flat colour with the faintest shading."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.cells import scattered_points
from aquatint.engines.studio.kernels.color import lab_to_rgb, rgb_to_lab, to_bytes, to_float
from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.kernels.resize import blur, cover, fit_width
from aquatint.engines.studio.kernels.tensor import structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_WORK_SIZE = 896
_POINTS = 2600


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Triangulate detail-weighted points (Delaunay 1934) and fill with mean colours. Strength: fewer triangles."""
    work_w, work_h = fit_width(easel.width, easel.height, _WORK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "low poly")
    calm = kuwahara(to_float(cover(source, work_w, work_h)), 4 * unit, easel.threads)
    easel.progress(0.3, "shapes")
    points = scattered_points(_importance(calm, unit), int(_POINTS / max(0.4, easel.strength)), seed)
    triangles = _triangles(np.concatenate([points, _frame_points(work_w, work_h)]), work_w, work_h)
    easel.progress(0.6, "triangles")
    return _fill(calm, triangles, easel, seed)


def _importance(image: RgbF, unit: float) -> PlaneF:
    """Corners and edges, thinly drawn: points should lie on them and not beside them."""
    strength = structure_tensor(image, 0.9 * unit).strength
    level = np.clip(strength / (float(np.percentile(strength[::3, ::3], 97)) + 1e-6), 0, 1)
    return np.asarray(0.75 * level + 0.25 * blur(level, 9 * unit), dtype=np.float32)


def _frame_points(w: int, h: int) -> npt.NDArray[np.float32]:
    """Points along the border and on its corners, so that triangles reach it."""
    along = np.linspace(0, 1, 13, dtype=np.float32)
    right, low = np.float32(w - 0.01), np.float32(h - 0.01)
    zero = np.zeros_like(along)
    sides = [
        np.stack([along * right, zero], 1),
        np.stack([along * right, zero + low], 1),
        np.stack([zero, along * low], 1),
        np.stack([zero + right, along * low], 1),
    ]
    return np.unique(np.concatenate(sides), axis=0).astype(np.float32)


def _triangles(points: npt.NDArray[np.float32], w: int, h: int) -> npt.NDArray[np.float32]:
    """Delaunay triangles (n, 3, 2) of points (m, 2)."""
    plane = cv2.Subdiv2D((0, 0, w, h))
    inside = np.clip(points, 0, np.array([w - 0.01, h - 0.01], np.float32))
    plane.insert(inside.tolist())
    triangles = np.asarray(plane.getTriangleList(), dtype=np.float32).reshape(-1, 3, 2)
    # OpenCV's helper corners lie far outside the picture.
    real = (triangles >= -1).all(axis=(1, 2)) & (triangles[..., 0] <= w).all(1) & (triangles[..., 1] <= h).all(1)
    return triangles[real]


def _fill(calm: RgbF, triangles: npt.NDArray[np.float32], easel: Easel, seed: int) -> Rgb8:
    h, w = calm.shape[:2]
    color = _colors(calm, triangles, seed)
    base = cv2.resize(to_bytes(calm), (easel.width, easel.height), interpolation=cv2.INTER_LINEAR)
    picture = np.ascontiguousarray(base)
    zoom = np.array([easel.width / w, easel.height / h], np.float32)
    corners = np.rint(triangles * zoom * 16).astype(np.int32)
    # First without smoothing so that nothing shows between neighbours, then again with smooth edges.
    for style in (cv2.LINE_8, cv2.LINE_AA):
        for corner, shade in zip(corners, color.tolist(), strict=True):
            cv2.fillConvexPoly(picture, corner, shade, style, 4)
    easel.progress(1.0, "colour")
    return np.asarray(picture, dtype=np.uint8)


def _colors(calm: RgbF, triangles: npt.NDArray[np.float32], seed: int) -> npt.NDArray[np.uint8]:
    """Mean over seven points of each triangle, chroma raised, a facet's worth of light added."""
    h, w = calm.shape[:2]
    weights = np.array([[1, 1, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4], [2, 2, 1], [2, 1, 2], [1, 2, 2]], np.float32)
    weights /= weights.sum(1, keepdims=True)
    samples = np.einsum("kv,nvc->nkc", weights, triangles)
    x = np.clip(samples[..., 0], 0, w - 1).astype(int)
    y = np.clip(samples[..., 1], 0, h - 1).astype(int)
    lab = rgb_to_lab(calm[y, x].mean(axis=1)[None].astype(np.float32))[0]
    edge = triangles[:, 1] - triangles[:, 0]
    facing = np.sin(2 * np.arctan2(edge[:, 1], edge[:, 0]) + 0.9)
    lab[:, 0] = np.clip(lab[:, 0] + 2.4 * facing + generator(seed, "facets").normal(0, 1.1, len(lab)), 0, 100)
    lab[:, 1:] *= 1.25
    return np.asarray(np.rint(lab_to_rgb(lab[None].astype(np.float32))[0] * 255), dtype=np.uint8)
