"""Walkers in the street: silhouettes with umbrellas, rim-lit by the neon around them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import FloatArray
from aquatint.engines.studio.kernels.noise import fbm
from aquatint.engines.studio.scenes.street.brief import Rgb

WIDE, TALL = 1.70, 2.35  # metres of the rectangle a walker with umbrella fills
Points = tuple[tuple[float, float], ...]  # metres: right of the middle, above the ground

_LEGS: tuple[tuple[Points, ...], ...] = (
    (  # mid-stride, right heel lifted
        (
            (-0.15, 0.78),
            (-0.17, 0.42),
            (-0.15, 0.09),
            (-0.21, 0.015),
            (-0.07, 0.0),
            (-0.055, 0.10),
            (-0.04, 0.42),
            (0.0, 0.76),
        ),
        (
            (0.0, 0.78),
            (0.045, 0.45),
            (0.075, 0.24),
            (0.085, 0.14),
            (0.10, 0.065),
            (0.165, 0.09),
            (0.165, 0.24),
            (0.155, 0.48),
            (0.16, 0.78),
        ),
    ),
    (  # standing
        (
            (-0.15, 0.78),
            (-0.15, 0.42),
            (-0.135, 0.09),
            (-0.20, 0.015),
            (-0.045, 0.0),
            (-0.04, 0.10),
            (-0.025, 0.42),
            (0.0, 0.76),
        ),
        (
            (0.0, 0.76),
            (0.03, 0.42),
            (0.045, 0.10),
            (0.05, 0.0),
            (0.20, 0.015),
            (0.14, 0.09),
            (0.155, 0.42),
            (0.15, 0.78),
        ),
    ),
    (  # walking, left heel lifted
        (
            (-0.16, 0.78),
            (-0.165, 0.48),
            (-0.165, 0.24),
            (-0.165, 0.09),
            (-0.10, 0.065),
            (-0.085, 0.14),
            (-0.075, 0.24),
            (-0.045, 0.45),
            (0.0, 0.78),
        ),
        (
            (0.0, 0.76),
            (0.04, 0.42),
            (0.055, 0.10),
            (0.07, 0.0),
            (0.21, 0.015),
            (0.15, 0.09),
            (0.17, 0.42),
            (0.15, 0.78),
        ),
    ),
)
_COATS: tuple[Points, ...] = (
    # long coat
    (
        (-0.05, 1.47),
        (-0.19, 1.41),
        (-0.235, 1.30),
        (-0.225, 1.05),
        (-0.20, 0.92),
        (-0.245, 0.58),
        (-0.16, 0.555),
        (0.02, 0.57),
        (0.17, 0.545),
        (0.25, 0.58),
        (0.205, 0.92),
        (0.225, 1.06),
        (0.235, 1.30),
        (0.19, 1.41),
        (0.05, 1.47),
    ),
    # jacket and trousers
    (
        (-0.05, 1.47),
        (-0.20, 1.41),
        (-0.255, 1.28),
        (-0.245, 1.05),
        (-0.205, 0.90),
        (-0.20, 0.74),
        (0.0, 0.72),
        (0.20, 0.74),
        (0.21, 0.90),
        (0.245, 1.05),
        (0.25, 1.28),
        (0.20, 1.41),
        (0.05, 1.47),
    ),
    # dress
    (
        (-0.04, 1.46),
        (-0.15, 1.40),
        (-0.19, 1.29),
        (-0.15, 1.08),
        (-0.125, 0.98),
        (-0.21, 0.66),
        (-0.10, 0.635),
        (0.02, 0.65),
        (0.12, 0.635),
        (0.215, 0.66),
        (0.125, 0.98),
        (0.15, 1.08),
        (0.19, 1.29),
        (0.15, 1.40),
        (0.04, 1.46),
    ),
)
_HOLDING_ARM: Points = (
    (0.17, 1.40),
    (0.25, 1.33),
    (0.285, 1.12),
    (0.25, 1.02),
    (0.16, 1.14),
    (0.115, 1.24),
    (0.17, 1.27),
    (0.20, 1.16),
)
_HANGING_ARM: Points = (
    (-0.19, 1.41),
    (-0.26, 1.34),
    (-0.295, 1.08),
    (-0.285, 0.82),
    (-0.225, 0.80),
    (-0.22, 1.05),
    (-0.18, 1.25),
)
_BAG: Points = ((-0.36, 0.80), (-0.37, 0.52), (-0.20, 0.52), (-0.21, 0.80))


@dataclass(frozen=True, slots=True)
class Walker:
    """How one walker looks."""

    stride: int  # which legs, 0..2
    coat: int  # which outline, 0..2
    umbrella: Rgb | None  # None: no umbrella
    clear: bool  # a see-through umbrella
    bag: bool
    flip: bool
    left_light: Rgb
    right_light: Rgb
    cloth: Rgb | None = None  # light from the clothes by day; None: a silhouette


def _smooth(points: Points, steps: int = 6) -> FloatArray:
    """Close a Catmull-Rom curve through points (Catmull and Rom 1974)."""
    knots = np.array(points, np.float32)
    before, after, beyond = np.roll(knots, 1, 0), np.roll(knots, -1, 0), np.roll(knots, -2, 0)
    t = np.linspace(0, 1, steps, endpoint=False, dtype=np.float32)[None, :, None]
    a, b, c, d = (p[:, None] for p in (before, knots, after, beyond))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.asarray(curve.reshape(-1, 2), np.float32)


class _Easel:
    """A mask that takes metres."""

    def __init__(self, width: int, height: int) -> None:
        self.mask = np.zeros((height, width), np.uint8)
        self.scale = np.array([width / WIDE, height / TALL], np.float32)
        self.height = height

    def pixels(self, points: FloatArray) -> npt.NDArray[np.int32]:
        """Fixed-point pixel positions (4 fractional bits)."""
        local = (points + np.array([WIDE / 2, 0], np.float32)) * self.scale
        local[:, 1] = self.height - 1 - local[:, 1]
        return np.round(local * 16).astype(np.int32)

    def fill(self, points: FloatArray) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.mask, [self.pixels(points)], 255, cv2.LINE_AA, 4)

    def line(self, points: Points, thickness: float) -> None:
        """Draw an open line; thickness in metres."""
        thick = max(1, round(thickness * float(self.scale[1])))
        pixels = self.pixels(np.array(points, np.float32))
        cv2.polylines(self.mask, [pixels], False, 255, thick, cv2.LINE_AA, 4)

    def ellipse(self, x: float, y: float, rx: float, ry: float) -> None:
        """Fill an ellipse."""
        turn = np.linspace(0, 2 * np.pi, 40, dtype=np.float32)
        self.fill(np.stack([x + rx * np.cos(turn), y + ry * np.sin(turn)], axis=1))


def _body(walker: Walker, width: int, height: int) -> FloatArray:
    easel = _Easel(width, height)
    for leg in _LEGS[walker.stride]:
        easel.fill(_smooth(leg))
    easel.fill(_smooth(_COATS[walker.coat]))
    narrow = np.array([0.045 if walker.coat == 2 else 0.0, 0.0], np.float32)  # dresses have slimmer shoulders
    hanging = _smooth(_HANGING_ARM) + narrow
    easel.fill(hanging)
    easel.fill(_smooth(_HOLDING_ARM) - narrow if walker.umbrella else hanging * np.array([-1, 1], np.float32))
    if walker.bag:
        easel.fill(np.array(_BAG, np.float32))
        easel.line(((-0.28, 0.78), (-0.24, 1.0), (-0.15, 1.40)), 0.02)
    easel.fill(_smooth(((-0.055, 1.42), (-0.05, 1.52), (0.05, 1.52), (0.055, 1.42))))
    easel.ellipse(0.0, 1.60, 0.092, 0.122)
    if walker.coat == 2:
        easel.fill(_smooth(((-0.10, 1.64), (-0.12, 1.48), (-0.085, 1.34), (0.085, 1.34), (0.12, 1.48), (0.10, 1.64))))
    return np.asarray(easel.mask / np.float32(255), np.float32)


_CENTER, _RIM, _TOP, _REACH = 0.10, 1.62, 2.12, 0.70  # of the umbrella, metres


def _canopy(width: int, height: int) -> tuple[FloatArray, FloatArray]:
    """The umbrella's dome and its ribs: two masks."""
    turn = np.linspace(np.pi, 0, 48, dtype=np.float32)
    dome = np.stack(
        [_CENTER + _REACH * np.cos(turn), _RIM + (_TOP - _RIM) * np.clip(np.sin(turn), 0, 1) ** 0.92], axis=1
    )
    segments = 6
    scallops = []
    for i in range(segments):
        right = _CENTER + _REACH - i * 2 * _REACH / segments
        share = np.linspace(0, 1, 8, dtype=np.float32)
        lift = 0.055 * np.sin(np.pi * share)
        scallops.append(np.stack([right - share * 2 * _REACH / segments, _RIM + lift], axis=1))
    cover = _Easel(width, height)
    cover.fill(np.concatenate([dome, *scallops]))
    ribs = _Easel(width, height)
    for i in range(1, segments):
        foot = _CENTER - _REACH + i * 2 * _REACH / segments
        rise = np.linspace(0, 1, 14, dtype=np.float32)
        xs = foot + (_CENTER - foot) * (1 - np.cos(rise * np.pi / 2))
        ys = _RIM + (_TOP - _RIM) * np.sin(rise * np.pi / 2)
        ribs.line(tuple((float(x), float(y)) for x, y in zip(xs, ys, strict=True)), 0.012)
    ribs.line(((_CENTER, _TOP - 0.01), (_CENTER, _TOP + 0.09)), 0.025)
    return np.asarray(cover.mask / np.float32(255), np.float32), np.asarray(ribs.mask / np.float32(255), np.float32)


def draw_walker(walker: Walker, width: int, height: int) -> tuple[FloatArray, FloatArray]:
    """Draw a walker at width x height pixels: premultiplied linear light (h, w, 3) and opacity (h, w)."""
    soft = max(1, -(-160 // max(1, height)))  # small figures are drawn larger and shrunk
    wide, tall = max(3, width * soft), max(4, height * soft)
    body = _body(walker, wide, tall)
    unit = tall / TALL  # pixels per metre
    light = _rim_lit(body, walker, unit)
    alpha = body
    if walker.umbrella is not None:
        handle = _Easel(wide, tall)
        handle.line(((0.20, 1.06), (_CENTER, _TOP)), 0.018)
        rod = handle.mask / np.float32(255)
        light = np.asarray(light * (1 - rod[..., None]) + rod[..., None] * 0.02, np.float32)
        alpha = np.asarray(np.maximum(alpha, rod), np.float32)
        light, alpha = _open_umbrella(light, alpha, walker, wide, tall)
    if walker.flip:
        light, alpha = light[:, ::-1], alpha[:, ::-1]
    if soft > 1:
        size = max(2, width), max(2, height)
        light = np.asarray(cv2.resize(np.ascontiguousarray(light), size, interpolation=cv2.INTER_AREA), np.float32)
        alpha = np.asarray(cv2.resize(np.ascontiguousarray(alpha), size, interpolation=cv2.INTER_AREA), np.float32)
    return np.ascontiguousarray(light, np.float32), np.ascontiguousarray(alpha, np.float32)


def _rim_lit(body: FloatArray, walker: Walker, unit: float) -> FloatArray:
    """Nearly black cloth with two coloured edges."""
    shift = max(0.8, 0.015 * unit)
    size = body.shape[1], body.shape[0]
    soft = cv2.GaussianBlur(body, (0, 0), max(0.5, 0.012 * unit))
    edges = []
    for direction in (1, -1):
        matrix = np.array([[1, 0, direction * shift], [0, 1, 0.3 * shift]], np.float32)
        edges.append(np.clip(soft - cv2.warpAffine(soft, matrix, size), 0, 1) * body)
    left, right = (np.asarray(c, np.float32) for c in (walker.left_light, walker.right_light))
    light = edges[0][..., None] * left * 0.5 + edges[1][..., None] * right * 0.5
    fall = np.linspace(0.030, 0.014, body.shape[0], dtype=np.float32)[:, None]
    folds = fbm(body.shape[0], body.shape[1], 11, 3, 5 + walker.coat)
    across = np.linspace(-1, 1, body.shape[1], dtype=np.float32)[None]
    seam = 0.012 * np.exp(-(((across - 0.02) / 0.010) ** 2)) * (fall < 0.024)
    cloth = fall * (1 + 0.9 * folds) + seam
    if walker.cloth is None:
        hue = np.asarray(0.5 + 0.3 * left + 0.3 * right, np.float32)
        return np.asarray(light + (body * cloth)[..., None] * hue, np.float32)
    return np.asarray(
        light * 0.07
        + body[..., None] * _clothes(walker, walker.cloth, 1 + np.asarray(0.12 * folds + 0.25 * across, np.float32)),
        np.float32,
    )


def _clothes(walker: Walker, cloth: Rgb, folds: FloatArray) -> FloatArray:
    """Colours by day: hair, coat, trousers, shoes and bag, shaded by folds. (h, w, 3)."""
    height, width = folds.shape
    v = np.linspace(TALL, 0, height, dtype=np.float32)[:, None]
    x = np.linspace(-WIDE / 2, WIDE / 2, width, dtype=np.float32)[None]
    coat = np.asarray(cloth, np.float32)
    long_hair = (v > 1.35) & (np.abs(x) < 0.115) if walker.coat == 2 else v > 99
    dark = (v > 1.5) | long_hair | (v < 0.09) | ((x < -0.2) & (v < 0.8))
    parts = np.where((v > 0.62)[..., None], coat, coat * 0.35 + 0.02)
    parts = np.where(dark[..., None], np.float32(0.032), parts)
    return np.asarray(parts * np.clip(folds, 0.4, 1.8)[..., None] * 1.3, np.float32)


def _open_umbrella(
    light: FloatArray, alpha: FloatArray, walker: Walker, width: int, height: int
) -> tuple[FloatArray, FloatArray]:
    """Lay the canopy over the figure: translucent, glowing toward its lower rim, ribs showing."""
    cover, ribs = _canopy(width, height)
    hue = np.asarray(walker.umbrella, np.float32)
    left, right = (np.asarray(c, np.float32) for c in (walker.left_light, walker.right_light))
    ys = (height - 0.5 - np.arange(height, dtype=np.float32))[:, None] / height * TALL
    xs = (np.arange(width, dtype=np.float32) + 0.5)[None] / width * WIDE - WIDE / 2 - _CENTER
    down = np.clip((_TOP - ys) / (_TOP - _RIM), 0, 1)[..., None]
    side = np.clip(xs / _REACH, -1, 1)[..., None]
    sheen = np.clip(-side, 0, 1) ** 2 * left + np.clip(side, 0, 1) ** 2 * right
    cloth = hue * (0.05 + 0.30 * down**2) + sheen * (0.10 + 0.25 * down)
    inner = cv2.erode(cover, np.ones((3, 3), np.uint8), iterations=max(1, round(height * 0.004)))
    hem = (cover - inner)[..., None]
    cloth = cloth + hem * (0.25 * hue + 0.35 * sheen)
    rib = ribs[..., None]
    cloth = cloth * (1 - 0.6 * rib) + rib * (0.03 + 0.10 * hue)
    strength = np.float32(0.42 if walker.clear else 0.97)
    opacity = np.clip(cover * strength + ribs * cover * 0.5 + hem[..., 0] * 0.4, 0, 1) * np.maximum(cover, ribs)
    opacity = np.maximum(opacity, ribs * 0.9)
    light = light * (1 - opacity[..., None]) + cloth * opacity[..., None]
    return np.asarray(light, np.float32), np.asarray(alpha + opacity * (1 - alpha), np.float32)
