"""Painting with brush strokes from large to small, each layer only where the last one missed (Hertzmann 1998)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.arrays import PlaneF, RgbF
from aquatint.engines.studio.kernels.color import lab_to_rgb, rgb_to_lab, smoothstep
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.kernels.resize import blur, blur_wide, fit_width, resize
from aquatint.engines.studio.kernels.strokes import Canvas, Strokes, lay_strokes, new_canvas, stamp_bank
from aquatint.engines.studio.kernels.tensor import structure_tensor

Floats = npt.NDArray[np.float32]

_COARSE_BRUSH = 20.0
# Thinner strokes than this many pixels are invisible; a small picture needs no small brush.
_FINEST_BRUSH = 1.8


@dataclass(frozen=True, slots=True)
class Layer:
    """One brush."""

    size: float  # width of the brush, units of canvas width / 1024
    threshold: float  # RGB distance 0..1.7 between canvas and picture above which it paints; 0: everywhere
    sprinkle: float = 0.02  # share of the places painted although they are good already
    spacing: float = 0.7  # distance between strokes, brush widths


@dataclass(frozen=True, slots=True)
class Manner:
    """How a painter works."""

    layers: tuple[Layer, ...]
    length: tuple[float, float] = (2.4, 4.6)  # shortest and longest stroke, brush widths
    jitter: tuple[float, float, float] = (2.2, 2.8, 3.0)  # deviation of colour per stroke, Lab units
    fidelity: float = 0.22  # a stroke ends where the colour has changed by more (sum over RGB)
    wander: float = 0.5  # radians of random turn where the picture has no direction
    swirl: float = 0.0  # 0 calm .. 1 skies turn in whirls
    fade: float = 1.0  # how dry the tails run, 0..1
    ground: tuple[float, float, float] = (0.45, 0.33, 0.22)  # colour of the primed canvas
    ground_share: float = 0.6


def paint_in_layers(image: RgbF, manner: Manner, seed: int, progress: Callable[[float], None]) -> Canvas:
    """Paint (h, w, 3) float32 sRGB 0..1 stroke by stroke and give the canvas, with relief and hair directions.

    `progress` receives 0..1. Brush sizes scale with the picture, so any working size gives the same painting.
    """
    h, w = image.shape[:2]
    bank = stamp_bank(derive_seed(seed, "bank"), fade=manner.fade)
    drift = _drift(image, manner, seed)
    canvas: Canvas | None = None
    for index, layer in enumerate(manner.layers):
        # Broad strokes have no fine detail: half the pixels each way paint them four times quicker.
        coarse = layer.size >= _COARSE_BRUSH
        lw, lh = (round(w / 2), round(h / 2)) if coarse else (w, h)
        view, unit = resize(image, lw, lh), (lh * lw) ** 0.5 / 768
        margin = int(layer.size * unit * 2.8) + 8
        if canvas is None:
            canvas = new_canvas(_ground(view, manner, unit), margin)
        elif canvas.paint.shape[2] - 2 * canvas.margin != lw:
            canvas = canvas.enlarged(lh, lw, margin)
        width = layer.size * unit
        if width < _FINEST_BRUSH and index:
            continue
        reference = blur(view, width * 0.22)
        heading, certainty = _headings(reference, drift, width)
        x, y = _places(canvas, reference, layer, width, generator(seed, "places", index))
        strokes = _strokes(
            reference, heading, certainty, x, y, width, unit, manner, generator(seed, "strokes", index)
        )
        lay_strokes(canvas, strokes, bank, derive_seed(seed, "lay", index))
        progress((index + 1) / len(manner.layers))
    if canvas is None:
        raise ValueError("a manner needs at least one layer")
    return canvas


def _ground(view: RgbF, manner: Manner, unit: float) -> RgbF:
    primer = np.array(manner.ground, np.float32) * np.float32(manner.ground_share)
    return np.asarray(blur_wide(view, 40 * unit) * np.float32(1 - manner.ground_share) + primer, dtype=np.float32)


def _drift(image: RgbF, manner: Manner, seed: int) -> Floats:
    """Direction for places that have none: what the nearest strong edges say, plus slow noise. Double angle."""
    h, w = image.shape[:2]
    sw, sh = fit_width(w, h, 320)
    small = resize(image, sw, sh)
    near, far = structure_tensor(small, 5.0), structure_tensor(small, 22.0)
    trust = smoothstep(0.004, 0.02, near.strength)
    turn = fbm(sh, sw, 2.0, 2, derive_seed(seed, "drift")) * np.float32(2.0)
    vx = trust * (near.tx**2 - near.ty**2) + (1 - trust) * (
        far.anisotropy * 0.8 * (far.tx**2 - far.ty**2) + 0.6 * np.cos(turn)
    )
    vy = trust * (2 * near.tx * near.ty) + (1 - trust) * (far.anisotropy * 1.6 * far.tx * far.ty + 0.6 * np.sin(turn))
    if manner.swirl > 0:
        whirl = fbm(sh, sw, 3.2, 2, derive_seed(seed, "whirl"))
        gx, gy = cv2.Sobel(whirl, cv2.CV_32F, 1, 0), cv2.Sobel(whirl, cv2.CV_32F, 0, 1)
        angle = 2 * np.arctan2(gx, -gy)
        share = manner.swirl * (1 - smoothstep(0.01, 0.05, near.strength))
        vx, vy = vx * (1 - share) + share * np.cos(angle), vy * (1 - share) + share * np.sin(angle)
    return resize(np.dstack([vx, vy]).astype(np.float32), w, h)


def _headings(reference: RgbF, drift: Floats, width: float) -> tuple[PlaneF, PlaneF]:
    """Angle of the brush at every pixel and how sure it is, 0..1."""
    h, w = reference.shape[:2]
    shrink = max(1.0, width / 6)
    sw, sh = max(8, round(w / shrink)), max(8, round(h / shrink))
    flow = structure_tensor(resize(reference, sw, sh), max(2.0, width * 0.45 / shrink))
    trust = smoothstep(0.006, 0.028, flow.strength)
    vector = np.dstack([trust * (flow.tx**2 - flow.ty**2), trust * 2 * flow.tx * flow.ty])
    vector += (1 - trust)[..., None] * resize(drift, sw, sh)
    certainty = flow.anisotropy * trust
    vector, certainty = resize(vector, w, h), resize(certainty, w, h)
    return np.asarray(0.5 * np.arctan2(vector[..., 1], vector[..., 0]), dtype=np.float32), certainty


def _places(
    canvas: Canvas, reference: RgbF, layer: Layer, width: float, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Jittered grid points where the canvas is not yet like the picture, in random order."""
    h, w = reference.shape[:2]
    step = width * layer.spacing
    gx, gy = np.meshgrid(np.arange(step / 2, w, step), np.arange(step / 2, h, step))
    x = np.clip(gx.ravel() + (rng.random(gx.size) - 0.5) * step, 0, w - 1)
    y = np.clip(gy.ravel() + (rng.random(gx.size) - 0.5) * step, 0, h - 1)
    if layer.threshold > 0:
        difference = canvas.picture()[0][..., :3] - reference
        error = np.sqrt(cv2.transform(difference * difference, np.ones((1, 3), np.float32)))
        side = max(3, int(step) | 1)
        wrong = cv2.blur(error, (side, side))[y.astype(int), x.astype(int)]
        keep = (wrong > layer.threshold) | (rng.random(x.size) < layer.sprinkle)
        x, y = x[keep], y[keep]
    order = rng.permutation(x.size)
    return x[order].astype(np.float32), y[order].astype(np.float32)


def _strokes(
    reference: RgbF,
    heading: PlaneF,
    certainty: PlaneF,
    x: Floats,
    y: Floats,
    width: float,
    unit: float,
    manner: Manner,
    rng: np.random.Generator,
) -> Strokes:
    count = x.size
    iy, ix = y.astype(int), x.astype(int)
    sure = certainty[iy, ix]
    angle = heading[iy, ix] + (rng.random(count, np.float32) - 0.5) * np.float32(manner.wander) * (1 - sure)
    flip = rng.random(count) < 0.5
    angle = np.where(flip, angle + np.float32(np.pi), angle).astype(np.float32)
    shortest, longest = manner.length
    length = width * (shortest + (longest - shortest) * rng.random(count, np.float32)) * (0.75 + 0.35 * sure)
    ahead, behind = _reach(reference, x, y, angle, length, manner.fidelity)
    moved = (ahead - behind) * 0.5
    length = np.maximum(ahead + behind, width * min(1.25, shortest))
    x, y = x + np.cos(angle) * moved, y + np.sin(angle) * moved
    thick = width * (0.85 + 0.5 * rng.random(count, np.float32)) / 0.8
    color = rgb_to_lab(reference[iy, ix][None])[0]
    color += rng.standard_normal((count, 3), np.float32) * np.array(manner.jitter, np.float32)
    return Strokes(
        x=np.clip(x, 0, reference.shape[1] - 1).astype(np.float32),
        y=np.clip(y, 0, reference.shape[0] - 1).astype(np.float32),
        angle=angle,
        length=length.astype(np.float32),
        width=thick.astype(np.float32),
        bend=_bends(heading, certainty, x, y, angle, length),
        variant=rng.integers(0, 3 if width < 12 else 6, count),
        color=lab_to_rgb(color[None])[0],
        body=np.minimum(1.0, 0.12 + thick / unit / 22).astype(np.float32),
    )


def _reach(
    reference: RgbF, x: Floats, y: Floats, angle: Floats, length: Floats, limit: float
) -> tuple[Floats, Floats]:
    """How far a stroke may run each way before the colour under it changes, at most half its length."""
    h, w = reference.shape[:2]
    own = reference[y.astype(int), x.astype(int)]
    steps = (0.12, 0.22, 0.31, 0.40, 0.5)
    result = []
    for sign in (1, -1):
        running = np.ones(x.size, bool)
        reach = np.zeros(x.size, np.float32)
        for fraction in steps:
            px = np.clip(x + sign * np.cos(angle) * length * fraction, 0, w - 1).astype(int)
            py = np.clip(y + sign * np.sin(angle) * length * fraction, 0, h - 1).astype(int)
            running &= np.abs(reference[py, px] - own).sum(1) <= limit
            reach = np.where(running, length * fraction, reach)
        result.append(reach.astype(np.float32))
    return result[0], result[1]


def _bends(
    heading: PlaneF, certainty: PlaneF, x: Floats, y: Floats, angle: Floats, length: Floats
) -> npt.NDArray[np.int64]:
    """Curvature class -2..2 from how the heading turns along the stroke."""
    h, w = heading.shape
    jx = np.clip(x + np.cos(angle) * length * 0.35, 0, w - 1).astype(int)
    jy = np.clip(y + np.sin(angle) * length * 0.35, 0, h - 1).astype(int)
    iy, ix = np.clip(y, 0, h - 1).astype(int), np.clip(x, 0, w - 1).astype(int)
    turn = (heading[jy, jx] - heading[iy, ix] + np.pi / 2) % np.pi - np.pi / 2
    return np.asarray(np.clip(np.round(turn * certainty[iy, ix] * 2.2), -2, 2), dtype=np.int64)
