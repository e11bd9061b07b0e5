"""Bristled brush strokes: a bank of stamps and the laying of many strokes on one canvas."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

PlaneF = npt.NDArray[np.float32]
ImageF = npt.NDArray[np.float32]

_STAMP_LENGTH = 192
_STAMP_WIDTH = 64
_BENDS = (-0.45, -0.22, 0.0, 0.22, 0.45)
# Strokes narrower than this are drawn from cached sprites at rounded angles and sizes: nobody sees 5 degrees there.
_SPRITE_WIDTH = 26.0
_SPRITE_ANGLES = 40
_SPRITE_ASPECTS = (0.7, 1.0, 1.4)


@dataclass(frozen=True, slots=True)
class StampBank:
    """Brush marks in a canonical frame, one mip pyramid per mark.

    `marks[variant * 5 + bend][level]` is (64 >> level, 192 >> level, 3) float32: alpha, alpha * relief, alpha * tone.
    """

    marks: tuple[tuple[ImageF, ...], ...]
    variants: int


@dataclass(frozen=True, slots=True)
class Strokes:
    """One layer of strokes, in drawing order; every field has one row per stroke."""

    x: PlaneF  # centre, canvas pixels
    y: PlaneF
    angle: PlaneF  # radians, direction of travel
    length: PlaneF  # pixels
    width: PlaneF
    bend: npt.NDArray[np.int64]  # -2..2, curvature class
    variant: npt.NDArray[np.int64]  # 0..bank.variants-1
    color: ImageF  # (n, 3) sRGB 0..1
    body: PlaneF  # height of the paint, 0..1


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture under work, with a margin all around so that strokes may hang over the edge."""

    paint: ImageF  # (4, h + 2m, w + 2m): sRGB 0..1 and height of the paint
    hairs: ImageF  # (2, h + 2m, w + 2m): along and across coordinate of the topmost stroke, in canvas pixels
    margin: int

    def picture(self) -> tuple[ImageF, ImageF]:
        """Copies of paint (h, w, 4) and hairs (h, w, 2) without the margin."""
        m = self.margin
        paint, hairs = self.paint[:, m:-m, m:-m], self.hairs[:, m:-m, m:-m]
        return np.asarray(cv2.merge(list(paint))), np.asarray(cv2.merge(list(hairs)))

    def enlarged(self, height: int, width: int, margin: int) -> Canvas:
        """The same picture on a larger canvas, to go on with finer brushes."""
        m, zoom = self.margin, width / (self.paint.shape[2] - 2 * self.margin)
        size = (width, height)
        paint = [cv2.resize(plane[m:-m, m:-m], size, interpolation=cv2.INTER_CUBIC) for plane in self.paint]
        hairs = [cv2.resize(plane[m:-m, m:-m], size, interpolation=cv2.INTER_NEAREST) * zoom for plane in self.hairs]
        frame = ((0, 0), (margin, margin), (margin, margin))
        return Canvas(np.pad(np.stack(paint), frame), np.pad(np.stack(hairs).astype(np.float32), frame), margin)


@dataclass(frozen=True, slots=True)
class _Sprite:
    # Planes first: NumPy then runs along rows instead of over three or four channels, several times quicker.
    keep: PlaneF  # (h, w): what remains of the canvas
    tone: PlaneF  # (h, w): multiplied by the colour
    relief: PlaneF  # (h, w): multiplied by the body
    hairs: ImageF  # (2, h, w)
    covers: npt.NDArray[np.bool_]  # (h, w)


def bristles(seed: int, height: int = 192, width: int = 1024) -> PlaneF:
    """Streaks left by hairs, running along x; (height, width) float32 0..1, tileable along x."""
    raw = np.random.Generator(np.random.PCG64([seed, 71])).random((height, width), dtype=np.float32)
    tiled = np.concatenate([raw, raw, raw], axis=1)
    fine = np.asarray(cv2.GaussianBlur(tiled, (0, 0), sigmaX=46, sigmaY=0.9), np.float32)[:, width : 2 * width]
    broad = np.asarray(cv2.GaussianBlur(tiled, (0, 0), sigmaX=14, sigmaY=2.6), np.float32)[:, width : 2 * width]
    streaks = 0.75 * _standard(fine) + 0.45 * _standard(broad)
    return np.asarray(np.clip(0.5 + 0.24 * streaks, 0, 1), dtype=np.float32)


def stamp_bank(seed: int, variants: int = 6, fade: float = 1.0) -> StampBank:
    """Bent and straight strokes with a dry tail (Haeberli 1990; Hertzmann 1998 draws them as splines).

    `fade` 0 gives full, round-ended dabs, 1 gives tails that run dry.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 72]))
    hair = bristles(seed)
    marks = tuple(
        _pyramid(_mark(hair, bend, fade * float(rng.random()), rng)) for _ in range(variants) for bend in _BENDS
    )
    return StampBank(marks, variants)


def new_canvas(ground: ImageF, margin: int) -> Canvas:
    """A canvas primed with `ground` (h, w, 3) sRGB 0..1; strokes may reach `margin` pixels over its edge."""
    h, w = ground.shape[0] + 2 * margin, ground.shape[1] + 2 * margin
    paint = np.zeros((4, h, w), np.float32)
    paint[:3, margin:-margin, margin:-margin] = np.moveaxis(ground, 2, 0)
    hairs = np.empty((2, h, w), np.float32)
    hairs[0], hairs[1] = np.arange(w, dtype=np.float32)[None], np.arange(h, dtype=np.float32)[:, None]
    return Canvas(paint, hairs, margin)


def lay_strokes(canvas: Canvas, strokes: Strokes, bank: StampBank, seed: int) -> None:
    """Draw the strokes one over the other, in place. Longer strokes than the margin allows are cut to fit."""
    rng = np.random.Generator(np.random.PCG64([seed, 73]))
    shifts = rng.random((strokes.x.size, 2), dtype=np.float32) * 512
    reach = canvas.margin - 2.0
    length = np.minimum(strokes.length, 2 * reach * 0.85)
    nominal = float(np.median(strokes.width)) if strokes.width.size else 1.0
    small = strokes.width < _SPRITE_WIDTH
    cache: dict[tuple[int, ...], _Sprite] = {}
    tint = np.concatenate([strokes.color, strokes.body[:, None]], axis=1).astype(np.float32)
    rows = np.rint(strokes.y).astype(int) + canvas.margin
    columns = np.rint(strokes.x).astype(int) + canvas.margin
    for i in range(strokes.x.size):
        mark = int(strokes.variant[i]) * len(_BENDS) + 2 + int(strokes.bend[i])
        if small[i]:
            sprite = _cached(cache, bank, mark, strokes.angle[i], length[i], strokes.width[i], nominal)
        else:
            sprite = _sprite(bank.marks[mark], float(strokes.angle[i]), float(length[i]), float(strokes.width[i]))
        _blit(canvas, sprite, rows[i], columns[i], tint[i], shifts[i])


def _blit(canvas: Canvas, sprite: _Sprite, row: int, column: int, tint: PlaneF, shift: PlaneF) -> None:
    h, w = sprite.keep.shape
    top, left = row - h // 2, column - w // 2
    window = canvas.paint[:, top : top + h, left : left + w]
    window *= sprite.keep
    window[:3] += sprite.tone * tint[:3, None, None]
    window[3] += sprite.relief * tint[3]
    np.copyto(
        canvas.hairs[:, top : top + h, left : left + w], sprite.hairs + shift[:, None, None], where=sprite.covers
    )


def _cached(
    cache: dict[tuple[int, ...], _Sprite],
    bank: StampBank,
    mark: int,
    angle: float,
    length: float,
    width: float,
    nominal: float,
) -> _Sprite:
    turn = round(float(angle) / (2 * np.pi) * _SPRITE_ANGLES) % _SPRITE_ANGLES
    thick = round(float(np.log2(width / nominal)) * 2)
    long = round(float(np.log2(length / nominal)) * 2)
    key = (mark, turn, thick, long)
    found = cache.get(key)
    if found is None:
        found = _sprite(
            bank.marks[mark],
            turn * 2 * np.pi / _SPRITE_ANGLES,
            nominal * 2 ** (long / 2),
            nominal * 2 ** (thick / 2),
        )
        cache[key] = found
    return found


def _sprite(pyramid: tuple[ImageF, ...], angle: float, length: float, width: float) -> _Sprite:
    """One mark turned and scaled into a pixel rectangle around its centre."""
    level = int(np.clip(np.floor(np.log2(_STAMP_WIDTH / max(width, 1.0))), 0, len(pyramid) - 1))
    mark = pyramid[level]
    c, s = np.cos(angle), np.sin(angle)
    half_w = int((abs(c) * length + abs(s) * width) * 0.5 + 1.5)
    half_h = int((abs(s) * length + abs(c) * width) * 0.5 + 1.5)
    sx, sy = mark.shape[1] / length, mark.shape[0] / width
    matrix = np.array(
        [
            [c * sx, s * sx, mark.shape[1] / 2 - 0.5 - (c * half_w + s * half_h) * sx],
            [-s * sy, c * sy, mark.shape[0] / 2 - 0.5 - (-s * half_w + c * half_h) * sy],
        ]
    )
    size = (2 * half_w + 1, 2 * half_h + 1)
    drawn = cv2.warpAffine(mark, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    alpha, relief, tone = (np.asarray(plane, dtype=np.float32) for plane in cv2.split(drawn))
    x = np.arange(-half_w, half_w + 1, dtype=np.float32)[None]
    y = np.arange(-half_h, half_h + 1, dtype=np.float32)[:, None]
    hairs = np.empty((2, size[1], size[0]), np.float32)
    np.add(np.float32(c) * x, np.float32(s) * y, out=hairs[0])
    np.add(np.float32(-s) * x, np.float32(c) * y, out=hairs[1])
    return _Sprite(1 - alpha, tone, relief, hairs, alpha > 0.45)


def _mark(hair: PlaneF, bend: float, dryness: float, rng: np.random.Generator) -> ImageF:
    y, x = np.mgrid[0:_STAMP_WIDTH, 0:_STAMP_LENGTH].astype(np.float32)
    u = (x + 0.5) / _STAMP_LENGTH
    across = ((y + 0.5) / _STAMP_WIDTH - 0.5) * 2
    spine = bend * 4 * u * (1 - u) - bend * 0.66
    v = (across - spine) / 0.52
    along = np.abs((u - 0.5) * 2 / 0.94)
    cap = np.where(along > 0.66, np.sqrt(np.clip(1 - ((along - 0.66) / 0.34) ** 2, 0, 1)), 1.0)
    distance = np.abs(v) / np.maximum(cap, 1e-3)
    oy = int(rng.integers(0, hair.shape[0] - 88))
    ox = int(rng.integers(0, hair.shape[1] - 260))
    h = cv2.remap(
        hair,
        (ox + u * 230).astype(np.float32),
        (oy + (v * 0.5 + 0.5) * 78).astype(np.float32),
        cv2.INTER_LINEAR,
    )
    alpha = np.clip(((1 - distance) - 0.20 * (1 - h)) * 5.5, 0, 1)
    dry = np.clip((u - 0.55) / 0.45, 0, 1) * dryness
    alpha *= np.where(u > 0.55, np.clip((h - dry * 0.75) * 6 + 0.35, 0, 1), 1)
    edge = np.where(distance > 0.72, 0.35 * (distance - 0.72) / 0.28, 0)
    relief = 0.25 + 0.75 * h + edge
    tone = 1 + (h - 0.5) * 0.16
    return np.dstack([alpha, relief * alpha, tone * alpha]).astype(np.float32)


def _pyramid(mark: ImageF, levels: int = 5) -> tuple[ImageF, ...]:
    stack = [mark]
    for _ in range(levels - 1):
        half = cv2.resize(stack[-1], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        stack.append(np.asarray(half, dtype=np.float32))
    return tuple(stack)


def _standard(plane: PlaneF) -> PlaneF:
    return np.asarray((plane - plane.mean()) / plane.std(), dtype=np.float32)
