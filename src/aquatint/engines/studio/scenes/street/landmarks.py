"""Large single things: a lattice tower, an elevated railway, a lit street gate, utility poles, sky traffic."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import FloatArray
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.scenes.street.brief import Brief
from aquatint.engines.studio.scenes.street.signs import SignStyle, draw_sign
from aquatint.engines.studio.scenes.street.stage import Piece
from aquatint.engines.studio.scenes.street.texture import Texture
from aquatint.engines.studio.scenes.street.words import GATES


def pieces(brief: Brief) -> list[Piece]:
    """The pieces of the brief's landmark."""
    rng = generator(brief.seed, "landmark")
    if brief.landmark == "tower":
        z = float(rng.uniform(400, 480))
        x, tall = float(rng.uniform(-4, 4)), 235.0
        return [Piece(x - 38, x + 38, z, z, 0.0, tall, partial(_tower, brief), haze=0.5)]
    if brief.landmark == "train":
        z = float(rng.uniform(42, 62))
        return [
            Piece(-40, 40, z, z, 6.2, 11.2, partial(_railway, brief), haze=0.7),
            *[Piece(x - 0.8, x + 0.8, z, z, 0.0, 6.2, partial(_column, brief)) for x in (-5.6, 5.6)],
        ]
    if brief.landmark == "gate":
        z = float(rng.uniform(24, 34))
        return [
            Piece(-5.4, 5.4, z, z, 5.2, 8.0, partial(_gate, brief), haze=0.6),
            *[Piece(x - 0.22, x + 0.22, z, z, 0.0, 8.2, partial(_column, brief)) for x in (-5.3, 5.3)],
        ]
    return []


def _column(brief: Brief, width: int, height: int) -> tuple[FloatArray, None]:
    across = np.linspace(-1, 1, 9, dtype=np.float32)[None, :, None]
    hue = np.asarray(brief.neon[0], np.float32)
    other = np.asarray(brief.neon[1], np.float32)
    light = 0.02 + 0.10 * np.clip(across, 0, 1) * hue + 0.10 * np.clip(-across, 0, 1) * other
    return np.asarray(np.broadcast_to(light, (2, 9, 3)), np.float32).copy(), None


def _tower(brief: Brief, width: int, height: int) -> tuple[FloatArray, FloatArray]:
    """A steel lattice tower flood-lit from within."""
    soft = max(1, -(-700 // height))
    wide, tall = width * soft, height * soft
    sheet = np.zeros((tall, wide), np.uint8)

    def half(t: float) -> float:
        return float(0.02 + 0.42 * (1 - t) ** 2.2)

    thick = max(1, round(wide * 0.012))
    levels = np.linspace(0, 0.86, 22)
    for low, high in pairwise(levels):
        a, b = half(float(low)), half(float(high))
        corners = [(0.5 - a, low), (0.5 + a, low), (0.5 + b, high), (0.5 - b, high)]
        points = [(round(x * wide), round((1 - y) * tall)) for x, y in corners]
        for i, j in ((0, 3), (1, 2), (0, 2), (1, 3), (3, 2)):
            cv2.line(sheet, points[i], points[j], 255, thick, cv2.LINE_AA)
    for level, span in ((0.42, 0.10), (0.72, 0.055)):
        y = round((1 - level) * tall)
        cv2.rectangle(
            sheet, (round((0.5 - span) * wide), y - round(tall * 0.012)), (round((0.5 + span) * wide), y), 255, -1
        )
    cv2.line(sheet, (wide // 2, round(0.16 * tall)), (wide // 2, 0), 255, max(1, thick // 2), cv2.LINE_AA)
    mask = cv2.resize(sheet, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    up = np.linspace(1, 0, height, dtype=np.float32)[:, None, None]
    lamp = np.array((1.0, 0.36, 0.10), np.float32) * (1.25 - 0.5 * up) + np.array((0.2, 0.1, 0.08), np.float32)
    return np.asarray(mask[..., None] * lamp * 1.1, np.float32), np.asarray(mask, np.float32)


def _railway(brief: Brief, width: int, height: int) -> tuple[FloatArray, FloatArray]:
    """A girder bridge across the street with a lit train on it."""
    texture = Texture(0, 80, 0, 5, width, height)
    texture.paint(0, 80, 0, 1.7, (0.10, 0.11, 0.13))
    ribs = np.arange(0, 80, 1.6, dtype=np.float32)
    dark = np.full((1, len(ribs), 3), 0.035, np.float32)
    texture.grid(texture.along(ribs, ribs + 0.22), texture.above([0.15], [1.55]), dark, matte=True)
    texture.paint(0, 80, 1.55, 1.7, (0.3, 0.3, 0.32))
    texture.paint(0, 80, 0.0, 0.14, (0.3, 0.3, 0.32))
    rng = generator(brief.seed, "train")
    start = float(rng.uniform(-10, 20))
    hue = np.asarray(brief.neon[1], np.float32)
    for car in range(3):
        a, b = start + car * 20.2, start + car * 20.2 + 19.8
        texture.paint(a, b, 1.8, 4.7, (0.32, 0.34, 0.36))
        texture.shine(a, b, 2.25, 2.5, hue * 0.9)
        panes = np.arange(a + 0.8, b - 1.2, 1.7, dtype=np.float32)
        glow = np.empty((1, len(panes), 3), np.float32)
        glow[:] = (1.0, 0.93, 0.78)
        texture.grid(texture.along(panes, panes + 1.25), texture.above([3.0], [4.1]), glow * np.float32(1.15))
    light = texture.lit((brief.light.ambient + brief.light.street * np.float32(0.12))[:, None, None])
    alpha = np.asarray((light.sum(axis=2) > 1e-4), np.float32)
    return light, alpha


def _gate(brief: Brief, width: int, height: int) -> tuple[FloatArray, None]:
    """A lit name across the street."""
    rng = generator(brief.seed, "gate")
    choice = brief.words[:1] or GATES[brief.language]
    text = choice[int(rng.integers(len(choice)))]
    style = SignStyle("tube", text, brief.neon[0], brief.neon[1], False, int(rng.integers(99)), brief.language)
    light, _ = draw_sign(style, width, height, 1.1 * brief.light.lamps)
    bulbs = np.zeros((height, width), np.uint8)
    step, radius = max(4, height // 9), max(1, height // 46)
    for x in range(step // 2, width, step):
        for y in (radius * 3, height - 1 - radius * 3):
            cv2.circle(bulbs, (x, y), radius, 255, -1, cv2.LINE_AA)
    warm = np.array((2.4, 1.7, 0.9), np.float32)
    share = (bulbs / np.float32(255))[..., None]
    return np.asarray(light * (1 - share) + warm * share, np.float32), None


def draw_pole(brief: Brief, width: int, height: int) -> tuple[FloatArray, FloatArray]:
    """A concrete utility pole, 9.6 m: crossarms, insulators, a transformer, a street lamp."""
    soft = max(1, -(-300 // height))
    wide, tall = max(2, width * soft), max(2, height * soft)
    mask = np.zeros((tall, wide), np.uint8)

    def box(x0: float, x1: float, v0: float, v1: float) -> None:
        left, right = (0.9 + x0) / 1.8 * wide, (0.9 + x1) / 1.8 * wide
        top, bottom = (1 - v1 / 9.6) * tall, (1 - v0 / 9.6) * tall
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        cv2.fillConvexPoly(mask, np.round(corners * 16).astype(np.int32), 255, cv2.LINE_AA, 4)

    box(-0.12, 0.12, 0, 9.5)
    box(-0.85, 0.85, 8.62, 8.76)
    box(-0.60, 0.60, 8.05, 8.16)
    for x in (-0.75, -0.3, 0.3, 0.75):
        box(x - 0.04, x + 0.04, 8.76, 8.92)
    box(0.16, 0.52, 6.9, 7.75)
    box(-0.34, -0.12, 2.6, 3.3)
    cover = cv2.resize(mask, (max(2, width), max(2, height)), interpolation=cv2.INTER_AREA) / np.float32(255)
    across = np.linspace(-1, 1, cover.shape[1], dtype=np.float32)[None, :, None]
    low = np.exp(-np.linspace(9.6, 0, cover.shape[0], dtype=np.float32) / 5)[:, None, None]
    hue, other = np.asarray(brief.neon[0], np.float32), np.asarray(brief.neon[1], np.float32)
    side = np.clip(across * 7, -1, 1)
    light = 0.012 + 0.05 * low * (np.clip(side, 0, 1) * hue + np.clip(-side, 0, 1) * other)
    if brief.daylight:
        light = brief.light.ambient * np.float32(0.13) + np.clip(side * brief.light.sun_side, 0, 1) * np.float32(0.12)
    return np.asarray(cover[..., None] * light, np.float32), np.asarray(cover, np.float32)
