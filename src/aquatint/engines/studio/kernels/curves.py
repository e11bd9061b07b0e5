"""Curves as data: smooth outlines, limbs swept along a spine, and silhouettes that melt into one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

Knots = Sequence[Sequence[float]] | npt.NDArray[np.floating]  # (n, d)
Points = npt.NDArray[np.float32]  # (n, 2) x, y; y runs down
_MELT_SIDE = 1300  # pixels of the longer side when silhouettes are melted together


def smooth_open(points: Knots, per: int = 10) -> Points:
    """Run a Catmull-Rom spline (Catmull and Rom 1974) through (n, d) points, `per` steps each: (m, d) float32."""
    knots = np.asarray(points, np.float32)
    if len(knots) < 3:
        t = np.linspace(0, 1, per + 1, dtype=np.float32)[:, None]
        return np.asarray(knots[0] * (1 - t) + knots[-1] * t, np.float32)
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    return np.concatenate([_segments(padded, per), knots[-1:]])


def smooth_closed(points: Knots, per: int = 10) -> Points:
    """Run a closed Catmull-Rom spline through (n, d) points: (n * per, d) float32."""
    knots = np.asarray(points, np.float32)
    return _segments(np.concatenate([knots[-1:], knots, knots[:2]]), per)


def _segments(knots: Points, per: int) -> Points:
    t = (np.arange(per, dtype=np.float32) / per)[None, :, None]
    a, b, c, d = (knots[i : len(knots) - 3 + i, None] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.asarray(curve.reshape(-1, knots.shape[1]), np.float32)


def limb(spine: Knots, per: int = 10) -> Points:
    """Outline of a round brush drawn along (n, 3) points x, y, radius, with round ends: (m, 2)."""
    path = smooth_open(spine, per)
    radius = np.maximum(path[:, 2:], np.float32(0.05))
    along = np.gradient(path[:, :2], axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + np.float32(1e-6)
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    left, right = path[:, :2] + across * radius, path[:, :2] - across * radius
    turn = np.linspace(0, np.pi, 9, dtype=np.float32)[1:-1, None]
    end = path[-1, :2] + radius[-1] * (np.cos(turn) * across[-1] + np.sin(turn) * along[-1])
    start = path[0, :2] - radius[0] * (np.cos(turn) * across[0] + np.sin(turn) * along[0])
    return np.asarray(np.concatenate([left, end, right[::-1], start]), np.float32)


def ellipse(x: float, y: float, rx: float, ry: float, turn: float = 0.0, count: int = 40) -> Points:
    """Outline of an ellipse; `turn` in radians."""
    t = np.linspace(0, 2 * np.pi, count, endpoint=False, dtype=np.float32)
    return place(np.stack([rx * np.cos(t), ry * np.sin(t)], 1), 1.0, turn, (x, y))


def place(points: Points, scale: float, turn: float, at: tuple[float, float], flip: bool = False) -> Points:
    """Mirror, scale, turn (radians, clockwise on screen) and move points."""
    shape = points * np.array([-scale if flip else scale, scale], np.float32)
    c, s = np.cos(turn), np.sin(turn)
    matrix = np.array([[c, s], [-s, c]], np.float32)
    return np.asarray(shape @ matrix + np.array(at, np.float32), np.float32)


def melt(outlines: Sequence[Points], radius: float) -> list[Points]:
    """Unite outlines and round their inner corners by about `radius` (same units): the new outlines.

    The union is drawn, blurred and cut again at half level, which fills creases as a sculptor's thumb does.
    """
    everything = np.concatenate(outlines)
    low, high = everything.min(0) - 4 * radius - 1, everything.max(0) + 4 * radius + 1
    scale = float(_MELT_SIDE / max(high - low))
    size = np.ceil((high - low) * scale).astype(int)
    mask = np.zeros((int(size[1]), int(size[0])), np.uint8)
    for outline in outlines:
        fixed = np.round((outline - low) * scale * 16).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.6, radius * scale * 0.5))
    found, _ = cv2.findContours((soft > 127).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    result = []
    for contour in found:
        if len(contour) < 24:
            continue
        path = contour[:, 0].astype(np.float32)
        pad = np.concatenate([path[-12:], path, path[:12]])
        calm = cv2.GaussianBlur(pad, (1, 0), 0.1, sigmaY=3.4)[12:-12][::3]  # pixel steps out of the outline
        result.append(np.asarray((calm + np.float32(0.5)) / np.float32(scale) + low, np.float32))
    return result
