"""The stage: pieces of the street composited near to far, directly and as mirrored by the wet road."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import FloatArray
from aquatint.engines.studio.kernels.parallel import map_ordered, run_strips
from aquatint.engines.studio.scenes.street.brief import Light
from aquatint.engines.studio.scenes.street.camera import Camera

LINEAR_ONE = 4096.0  # linear light 1.0 in the 16-bit canvases; 16 is the brightest
_TO_CANVAS = np.full(4, LINEAR_ONE)  # a scalar of OpenCV
NEAR = 1.6  # metres: nothing nearer is drawn
_BATCH = 6  # pieces painted at once; part of the result, so it does not follow the thread count
_LARGEST = 2600  # pixels of a texture's side
_SIGN_DENSITY = 1.05  # texture pixels per picture pixel
_WALL_DENSITY = 0.97
_WALL_FULL = 2900  # pixels of the longer side above which walls get less: their edges are covered exactly anyway

Canvas = npt.NDArray[np.uint16]
# Given the pixel size wanted (width, height): linear light (h, w, 3), premultiplied, that the stage may write into,
# and opacity (h, w) or None.
Painter = Callable[[int, int], tuple[FloatArray, FloatArray | None]]
Cutter = Callable[[float, float, float, float], "Piece"]


@dataclass(frozen=True, slots=True)
class Piece:
    """An upright rectangle in the street: x0 at depth z0 to x1 at depth z1, v0 to v1 metres high."""

    x0: float
    x1: float
    z0: float
    z1: float
    v0: float
    v1: float
    paint: Painter
    haze: float = 1.0  # how much of the air's veil it takes
    part: Cutter | None = None  # for large pieces: cut out left..right, low..high (shares, 0..1)

    @property
    def depth(self) -> float:
        """Nearest depth, by which pieces are sorted."""
        return min(self.z0, self.z1)


@dataclass(frozen=True, slots=True)
class View:
    """One canvas that pieces are drawn on."""

    camera: Camera
    light: Canvas  # (h, w, 3)
    coverage: npt.NDArray[np.uint8]  # (h, w)
    mirrored: bool

    @classmethod
    def empty(cls, camera: Camera, mirrored: bool) -> View:
        """A black canvas of the camera's size."""
        shape = camera.height, camera.width
        return cls(camera, np.zeros((*shape, 3), np.uint16), np.zeros(shape, np.uint8), mirrored)

    def corners(self, piece: Piece) -> FloatArray:
        """Pixel corners of a piece: upper left, upper right, lower right, lower left."""
        cam = self.camera
        row = cam.mirrored_row if self.mirrored else cam.row
        left, right = cam.column(piece.x0, piece.z0), cam.column(piece.x1, piece.z1)
        return np.array(
            [
                [left, row(piece.v1, piece.z0)],
                [right, row(piece.v1, piece.z1)],
                [right, row(piece.v0, piece.z1)],
                [left, row(piece.v0, piece.z0)],
            ],
            np.float32,
        )


@dataclass(frozen=True, slots=True)
class _Slot:
    """Where a piece still shows on a view."""

    corners: FloatArray  # relative to (left, top)
    left: int
    top: int
    shape: npt.NDArray[np.uint8]  # anti-aliased outline
    visible: tuple[int, int, int, int]  # left, top, right, bottom of what still shows


def air(light: Light, depth: FloatArray, height: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Veil of distant air: its share (like depth), 0..1, and its colour (height.shape + (3,))."""
    share = 1 - np.exp(-np.power(depth / np.float32(light.fog_distance), np.float32(1.15)))
    low = np.exp(-np.maximum(height, 0) / np.float32(55.0))[..., None]
    color = np.asarray(light.haze, np.float32) * (1 - low) + np.asarray(light.glow, np.float32) * low
    return np.asarray(share, np.float32), np.asarray(color, np.float32)


def _slot(view: View, piece: Piece) -> _Slot | None:
    corners = view.corners(piece)
    height, width = view.coverage.shape
    left, right = int(max(0, corners[:, 0].min() - 1)), int(min(width, corners[:, 0].max() + 2))
    top, bottom = int(max(0, corners[:, 1].min() - 1)), int(min(height, corners[:, 1].max() + 2))
    if right - left < 1 or bottom - top < 1:
        return None
    local = corners - np.array([left, top], np.float32)
    shape = np.zeros((bottom - top, right - left), np.uint8)
    outline = np.clip(np.round(local * 16), -(2**24), 2**24).astype(np.int32)
    cv2.fillConvexPoly(shape, outline, 255, cv2.LINE_AA, 4)
    free = cv2.min(shape, 255 - view.coverage[top:bottom, left:right])
    x, y, wide, tall = cv2.boundingRect(free)
    if wide * tall <= 2:
        return None
    return _Slot(local, left, top, shape, (left + x, top + y, left + x + wide, top + y + tall))


def _bounds(view: View, piece: Piece, slot: _Slot) -> tuple[float, float, float, float]:
    """Shares of a piece (left, right, low, high) that enclose what still shows of it on a view."""
    cam = view.camera
    left, top, right, bottom = slot.visible
    first, last = cam.column(piece.x0, piece.z0), cam.column(piece.x1, piece.z1)
    shares, depths = [], []
    for column in (left - 1, right + 1):
        t = float(np.clip((column - first) / (last - first if abs(last - first) > 1e-6 else 1e-6), 0, 1))
        # Along a wall in perspective 1/z is linear in the column.
        depth = 1 / ((1 - t) / piece.z0 + t / piece.z1)
        depths.append(depth)
        span = piece.z1 - piece.z0
        shares.append(t if abs(span) < 1e-6 else (depth - piece.z0) / span)
    sign = -1 if view.mirrored else 1
    heights = [
        sign * (cam.eye * sign + (cam.horizon - row) / cam.focal * depth)
        for row in (top - 1, bottom + 1)
        for depth in depths
    ]
    tall = piece.v1 - piece.v0
    low, high = (min(heights) - piece.v0) / tall, (max(heights) - piece.v0) / tall
    return min(shares), max(shares), max(0.0, low), min(1.0, high)


def _visible_part(piece: Piece, views: Sequence[View], slots: Sequence[_Slot | None]) -> Piece:
    """Cut a large piece down to what shows of it."""
    if piece.part is None:
        return piece
    found = [_bounds(view, piece, slot) for view, slot in zip(views, slots, strict=True) if slot is not None]
    left, right = min(b[0] for b in found), max(b[1] for b in found)
    low, high = min(b[2] for b in found), max(b[3] for b in found)
    if right <= left or high <= low or (right - left) * (high - low) > 0.9:
        return piece
    return piece.part(max(0.0, left - 0.01), min(1.0, right + 0.01), max(0.0, low - 0.01), min(1.0, high + 0.01))


def _texture(piece: Piece, camera: Camera, light: Light) -> tuple[Canvas, npt.NDArray[np.uint8] | None]:
    """Paint a piece at the density it will have and veil it by distance."""
    across = abs(camera.column(piece.x1, piece.z1) - camera.column(piece.x0, piece.z0))
    middle = math.sqrt(piece.z0 * piece.z1)
    density = _density(piece, camera)
    width = int(np.clip(across * density + 2, 2, _LARGEST))
    height = int(np.clip((piece.v1 - piece.v0) * camera.focal / middle * density + 2, 2, _LARGEST))
    painted, alpha = piece.paint(width, height)
    rows, columns = painted.shape[:2]
    depth = np.linspace(piece.z0, piece.z1, columns, dtype=np.float32)[None, :]
    heights = np.linspace(piece.v1, piece.v0, rows, dtype=np.float32)[:, None]
    share, veil = air(light, depth, heights)
    share = (share * np.float32(piece.haze))[..., None]
    veil = veil * share
    if alpha is not None:
        veil *= alpha[..., None]
    painted *= np.power(1 - share, np.float32(0.85))
    painted += veil
    # Scaling, rounding and saturation in one pass over the pixels.
    packed = np.asarray(cv2.multiply(painted, _TO_CANVAS, dtype=cv2.CV_16U), np.uint16)
    return packed, None if alpha is None else (alpha * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def _density(piece: Piece, camera: Camera) -> float:
    """Texture pixels per picture pixel: walls of very large pictures need fewer, signs never do."""
    if piece.part is None:
        return _SIGN_DENSITY
    larger = max(1.0, max(camera.width, camera.height) / _WALL_FULL)
    return float(_WALL_DENSITY * max(0.8, larger**-0.36))


def _mount(view: View, slot: _Slot, texture: Canvas, alpha: npt.NDArray[np.uint8] | None) -> None:
    rows, columns = texture.shape[:2]
    source = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, slot.corners)
    size = slot.shape.shape[1], slot.shape.shape[0]
    edge = cv2.BORDER_REPLICATE
    warped = cv2.warpPerspective(texture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=edge)
    window = np.s_[slot.top : slot.top + size[1], slot.left : slot.left + size[0]]
    covered = view.coverage[window]
    free = 255 - covered
    if alpha is None:
        weight = added = cv2.min(slot.shape, free)
    else:
        opacity = cv2.warpPerspective(alpha, matrix, size, flags=cv2.INTER_LINEAR, borderMode=edge)
        weight = cv2.multiply(slot.shape, free, scale=1 / 255)
        added = cv2.multiply(opacity, weight, scale=1 / 255)
    light = cv2.multiply(warped, np.asarray(cv2.merge([weight] * 3)), scale=1 / 255, dtype=cv2.CV_16U)
    view.light[window] = cv2.add(view.light[window], light)
    view.coverage[window] = cv2.add(covered, added)


def perform(
    pieces: Sequence[Piece],
    views: Sequence[View],
    light: Light,
    threads: int,
    progress: Callable[[float], None],
) -> None:
    """Draw the pieces on all views, near to far; what is hidden is never painted.

    Pieces are painted (in parallel) at the density of the first view. Writes into the views.
    """
    order = sorted((piece for piece in pieces if piece.depth >= NEAR), key=lambda piece: piece.depth)
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        seen: list[tuple[Piece, list[_Slot | None]]] = []
        for whole in batch:
            slots = [_slot(view, whole) for view in views]
            if any(slots):
                piece = _visible_part(whole, views, slots)
                seen.append((piece, slots if piece is whole else [_slot(view, piece) for view in views]))
        textures = map_ordered(lambda entry: _texture(entry[0], views[0].camera, light), seen, threads)
        for (_, found), (texture, alpha) in zip(seen, textures, strict=True):
            for view, slot in zip(views, found, strict=True):
                if slot is not None:
                    _mount(view, slot, texture, alpha)
        progress(min(1.0, (start + _BATCH) / len(order)))


def fill_behind(view: View, backdrop: FloatArray, top: int, bottom: int, threads: int) -> None:
    """Show a small picture of the whole frame behind everything in rows top..bottom."""
    height, width = view.coverage.shape
    scale_x, scale_y = backdrop.shape[1] / width, backdrop.shape[0] / height

    def strip(upper: int, lower: int) -> None:
        rows = slice(top + upper, top + lower)
        free = 255 - view.coverage[rows]
        if not cv2.countNonZero(free):
            return
        matrix = np.array(
            [[scale_x, 0, 0.5 * scale_x - 0.5], [0, scale_y, (rows.start + 0.5) * scale_y - 0.5]], np.float32
        )
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        size = width, rows.stop - rows.start
        light = np.asarray(
            cv2.warpAffine(backdrop, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32
        )
        light *= (free.astype(np.float32) * np.float32(LINEAR_ONE / 255))[..., None]
        view.light[rows] = cv2.add(view.light[rows], light, dtype=cv2.CV_16U)

    run_strips(strip, bottom - top, threads)
