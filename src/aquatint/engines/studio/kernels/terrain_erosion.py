"""Hydraulic erosion of a height map by water droplets, all droplets of a batch moved together."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

PlaneF = npt.NDArray[np.float32]
VectorF = npt.NDArray[np.float32]
VectorI = npt.NDArray[np.intp]

LARGEST_CHANGE = np.float32(0.25)  # cells per step; many droplets meeting in one pit must not build a tower


@dataclass(frozen=True, slots=True)
class Rain:
    """How it rains on the land, and what the water does there."""

    droplets: int  # how many fall at once
    batches: int  # how often
    steps: int = 40  # cells that a droplet may travel
    inertia: float = 0.08  # 0 follows the slope blindly .. 1 never turns
    capacity: float = 4.5  # sediment carried per unit of slope, speed and water
    deposit: float = 0.22  # share of the surplus dropped per step
    erode: float = 0.28  # share of the deficit taken per step
    evaporate: float = 0.018
    gravity: float = 5.0


def _cell(position_x: VectorF, position_y: VectorF, side: int) -> tuple[VectorI, VectorF, VectorF]:
    column = position_x.astype(np.intp)
    row = position_y.astype(np.intp)
    fx = position_x - column.astype(np.float32)
    fy = position_y - row.astype(np.float32)
    return row * side + column, fx, fy


def _bilinear(flat: VectorF, index: VectorI, fx: VectorF, fy: VectorF, side: int) -> VectorF:
    top_left, bottom_left = flat.take(index), flat.take(index + side)
    top = top_left + (flat.take(index + 1) - top_left) * fx
    bottom = bottom_left + (flat.take(index + side + 1) - bottom_left) * fx
    return top + (bottom - top) * fy


def _scatter(amount: VectorF, index: VectorI, fx: VectorF, fy: VectorF, side: int) -> PlaneF:
    """Spread what every droplet leaves (or takes, negative) over the four corners of its cell."""
    where = np.concatenate([index, index + 1, index + side, index + side + 1])
    right = amount * fx
    left = amount - right
    share = np.concatenate([left - left * fy, right - right * fy, left * fy, right * fy])
    return np.bincount(where, share, side * side).astype(np.float32).reshape(side, side)


def _run_batch(height: PlaneF, rain: Rain, rng: np.random.Generator) -> None:
    side = height.shape[0]
    count = rain.droplets
    x = rng.random(count, dtype=np.float32) * (side - 4) + np.float32(1.5)
    y = rng.random(count, dtype=np.float32) * (side - 4) + np.float32(1.5)
    dx = np.zeros(count, np.float32)
    dy = np.zeros(count, np.float32)
    speed = np.ones(count, np.float32)
    load = np.zeros(count, np.float32)
    water = 1.0
    keep, turn = np.float32(rain.inertia), np.float32(1 - rain.inertia)
    for _ in range(rain.steps):
        flat = height.ravel()
        index, fx, fy = _cell(x, y, side)
        a, b = flat.take(index), flat.take(index + 1)
        c, d = flat.take(index + side), flat.take(index + side + 1)
        along, down = b - a, c - a
        twist = d - c - along
        dx = dx * keep - (along + twist * fy) * turn
        dy = dy * keep - (down + twist * fx) * turn
        length = np.sqrt(dx * dx + dy * dy) + np.float32(1e-12)
        dx /= length
        dy /= length
        here = a + along * fx + (down + twist * fx) * fy
        next_x, next_y = x + dx, y + dy
        inside = (next_x > 1) & (next_y > 1) & (next_x < side - 3) & (next_y < side - 3)
        if not inside.all():
            x, y, dx, dy, speed, load = (v[inside] for v in (x, y, dx, dy, speed, load))
            next_x, next_y, here = next_x[inside], next_y[inside], here[inside]
            index, fx, fy = index[inside], fx[inside], fy[inside]
            if x.size == 0:
                return
        fall = _bilinear(flat, *_cell(next_x, next_y, side), side) - here
        room = np.maximum(-fall, np.float32(0.01)) * speed * np.float32(water * rain.capacity)
        rising = fall > 0
        dropped = np.where(rising, np.minimum(fall, load), np.maximum(load - room, 0) * np.float32(rain.deposit))
        taken = np.where(
            rising, 0, np.minimum(np.maximum(room - load, 0) * np.float32(rain.erode), np.maximum(-fall, 0))
        )
        change = (dropped - taken).astype(np.float32)
        load = load - change
        spread = np.clip(_scatter(change, index, fx, fy, side), -LARGEST_CHANGE, LARGEST_CHANGE)
        # Soil is taken with a soft brush: single-cell cuts would leave slots in the slope.
        height += np.maximum(spread, 0)
        height += cv2.GaussianBlur(np.minimum(spread, 0), (5, 5), 1.0)
        speed = np.sqrt(np.maximum(0, speed * speed - fall * np.float32(rain.gravity)))
        water *= 1 - rain.evaporate
        x, y = next_x, next_y


def erode(height: PlaneF, rain: Rain, seed: int) -> PlaneF:
    """Carve gullies and lay fans as running water would.

    `height` is (n, n) float32 in units of the cell size, so that slopes are plain differences; the result is a
    new array of the same shape. The order of the sums is fixed, so the result depends on `seed` only.
    Source: Musgrave, Kolb, Mace 1989 (eroded fractal terrain), in the droplet form of H. T. Beyer 2015.
    """
    rng = np.random.Generator(np.random.PCG64(seed))
    result = height.astype(np.float32, copy=True)
    for _ in range(rain.batches):
        _run_batch(result, rain, rng)
    return result
