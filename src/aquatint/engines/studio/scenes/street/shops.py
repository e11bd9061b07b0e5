"""The ground floor: shop fronts, shutters, vending machines, curtains and lanterns."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import FloatArray
from aquatint.engines.studio.scenes.street.brief import Brief, Rgb
from aquatint.engines.studio.scenes.street.signs import SignStyle, draw_sign, pick_color, pick_style
from aquatint.engines.studio.scenes.street.texture import Texture

SHOP_HEIGHT = 4.3  # metres
_FASCIA = 3.15  # lower edge of the name board

_Front = Callable[[Texture, float, float, np.random.Generator, Brief, Rgb], None]


def paint_shops(texture: Texture, width: float, brief: Brief, rng: np.random.Generator) -> None:
    """Divide the ground floor of a wall `width` metres long into shops and paint each."""
    fronts: tuple[_Front, ...] = (_convenience, _eatery, _shutter, _arcade, _boutique, _bar)
    texture.paint(0, width, 0, SHOP_HEIGHT, (0.10, 0.10, 0.11), 0.85)
    u = 0.0
    while u < width - 1.5:
        wide = min(float(rng.uniform(3.6, 6.2)), width - u)
        front = fronts[int(rng.choice(len(fronts), p=[0.20, 0.26, 0.14, 0.12, 0.18, 0.10]))]
        seed = int(rng.integers(2**31))
        color = pick_color(brief.neon, rng)
        if texture.shows(u, u + wide, 0, SHOP_HEIGHT):
            front(texture, u, u + wide, np.random.Generator(np.random.PCG64(seed)), brief, color)
            texture.paint(u - 0.09, u + 0.09, 0, SHOP_HEIGHT, (0.07, 0.07, 0.08))
        u += wide
    texture.paint(0, width, SHOP_HEIGHT - 0.12, SHOP_HEIGHT + 0.05, (0.16, 0.16, 0.17))
    texture.paint(0, width, 0, 0.16, (0.05, 0.05, 0.055))


def _name_board(
    texture: Texture, u0: float, u1: float, rng: np.random.Generator, brief: Brief, color: Rgb, kind: str
) -> None:
    """The board above the window, with the shop's name."""
    look = pick_style(brief, rng, vertical=False)
    look = SignStyle(kind, look.text, color, look.second, False, look.seed)
    wide, tall = u1 - u0 - 0.3, SHOP_HEIGHT - 0.22 - _FASCIA
    rows = int(np.clip(tall / ((texture.v1 - texture.v0) / texture.height), 4, 420))
    light, alpha = draw_sign(look, max(4, int(rows * wide / tall)), rows, brief.light.lamps * 0.95)
    texture.plate(u0 + 0.15, u1 - 0.15, _FASCIA, SHOP_HEIGHT - 0.22, light, alpha)


def _interior(
    texture: Texture, u0: float, u1: float, v0: float, v1: float, color: FloatArray, rng: np.random.Generator
) -> None:
    """A lit room seen through glass: bright ceiling, falling light, furniture out of focus."""
    columns, rows = max(4, int((u1 - u0) * 2.2)), 7
    blobs = rng.random((rows, columns), dtype=np.float32)
    blobs[0] = 0.9
    size = columns * 16, rows * 16
    soft = np.clip(cv2.resize(blobs, size, interpolation=cv2.INTER_CUBIC), 0, 1)
    upright = cv2.resize(rng.random((1, columns * 4), dtype=np.float32), size, interpolation=cv2.INTER_LINEAR)
    fall = np.linspace(1.3, 0.42, size[1], dtype=np.float32)[:, None]
    level = fall * (0.45 + 0.55 * soft) * (0.8 + 0.3 * upright)
    texture.plate(u0, u1, v0, v1, np.asarray(level[..., None] * color, np.float32))


def _shelves(
    texture: Texture, u0: float, u1: float, v0: float, v1: float, light: FloatArray, rng: np.random.Generator
) -> None:
    """Rows of small coloured goods under shelf lamps."""
    wide, tall = 0.15, 0.37
    columns, rows = max(1, int((u1 - u0) / wide)), max(1, int((v1 - v0) / tall))
    hues = rng.random((rows, columns, 3), dtype=np.float32) ** 1.5
    hues = 0.25 + 0.9 * hues
    gaps = (rng.random((rows, columns, 1)) > 0.12).astype(np.float32)
    cells = np.asarray(light * hues * (0.25 + 0.75 * gaps) * 0.8, np.float32)
    us = u0 + np.arange(columns, dtype=np.float32) * wide
    vs = v0 + np.arange(rows, dtype=np.float32) * tall
    height = tall * 0.68
    texture.grid(texture.along(us + 0.015, us + wide - 0.015), texture.above(vs + 0.03, vs + height), cells)
    lamp = np.broadcast_to(light * 1.4, (rows, 1, 3))
    texture.grid(texture.along([u0], [u1]), texture.above(vs + tall * 0.9, vs + tall * 0.97), lamp)


def _mullions(texture: Texture, u0: float, u1: float, v0: float, v1: float, every: float) -> None:
    bars = np.arange(u0, u1 + 0.01, every, dtype=np.float32)
    dark = np.full((1, len(bars), 3), 0.05, np.float32)
    texture.grid(texture.along(bars - 0.035, bars + 0.035), texture.above([v0], [v1]), dark, matte=True)


def _customers(texture: Texture, u0: float, u1: float, rng: np.random.Generator, low: float, chance: float) -> None:
    """Dark heads and shoulders against the light inside."""
    fine = 90  # pixels per metre
    tall = 1.25
    mask = np.zeros((int(tall * fine), max(4, int((u1 - u0) * fine))), np.uint8)
    floor = mask.shape[0]
    for u in np.arange(0.4, u1 - u0 - 0.4, 0.72):
        roll, shift, height = rng.random(3)
        if roll > chance:
            continue
        x, top = int((u + 0.3 * shift) * fine), int((0.62 + 0.28 * height) * fine)
        cv2.ellipse(mask, (x, floor - top), (int(0.095 * fine), int(0.125 * fine)), 0, 0, 360, 255, -1, cv2.LINE_AA)
        shoulder = floor - top + int(0.36 * fine)
        cv2.rectangle(mask, (x - int(0.05 * fine), floor - top), (x + int(0.05 * fine), shoulder), 255, -1)
        cv2.ellipse(mask, (x, shoulder), (int(0.235 * fine), int(0.20 * fine)), 0, 180, 360, 255, -1, cv2.LINE_AA)
        cv2.rectangle(mask, (x - int(0.235 * fine), shoulder), (x + int(0.235 * fine), floor), 255, -1)
    alpha = np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.2) * np.float32(0.94 / 255), np.float32)
    texture.plate(
        u0, u1, low, low + tall, np.asarray(alpha[..., None] * np.float32(0.016), np.float32).repeat(3, 2), alpha
    )


def _lantern(texture: Texture, u: float, v: float, radius: float) -> None:
    """A red paper lantern with its ribs, hung with its middle at (u, v)."""
    ys, xs = np.mgrid[-1:1:72j, -1:1:72j].astype(np.float32)
    body = np.clip((1 - np.hypot(xs * 1.08, ys * 1.05)) * 14, 0, 1) * (np.abs(ys) < 0.86)
    caps = ((np.abs(ys) > 0.80) & (np.abs(ys) < 0.98) & (np.abs(xs) < 0.42)).astype(np.float32)
    ribs = 0.82 + 0.18 * np.cos(ys * 34)
    glow = np.clip(1.15 - 0.75 * (xs * xs + 0.5 * ys * ys), 0.15, 2) * ribs
    light = glow[..., None] * np.array((1.5, 0.17, 0.05), np.float32)
    light += (np.exp(-((xs / 0.3) ** 2) - (ys / 0.45) ** 2) * 0.45)[..., None] * np.array((1.0, 0.6, 0.3), np.float32)
    light *= body[..., None]
    alpha = np.asarray(np.maximum(body, caps), np.float32)
    texture.plate(u - radius, u + radius, v - radius * 1.35, v + radius * 1.35, np.asarray(light, np.float32), alpha)


def _convenience(texture: Texture, u0: float, u1: float, rng: np.random.Generator, brief: Brief, color: Rgb) -> None:
    white = np.array((0.86, 1.0, 1.0), np.float32) * np.float32(0.62) + np.asarray(color, np.float32) * np.float32(
        0.08
    )
    left, right = u0 + 0.2, u1 - 0.2
    _interior(texture, left, right, 0.12, _FASCIA - 0.08, white * 0.7, rng)
    tubes = np.arange(left + 0.3, right - 0.3, 1.1, dtype=np.float32)
    lamp = np.full((1, len(tubes), 3), 1.9, np.float32)
    texture.grid(texture.along(tubes, tubes + 0.7), texture.above([2.72], [2.82]), lamp)
    door = (right - left) / 3
    _shelves(texture, left + 0.12, right - door - 0.12, 0.30, 2.2, white * 1.1, rng)
    texture.shine(left, right, 2.35, 2.45, white * 1.7)
    _shelves(texture, right - door + 0.25, right - 0.25, 0.9, 2.1, white * 0.55, rng)
    _customers(texture, left, right, rng, 0.75, 0.22)
    _mullions(texture, left, right, 0.12, _FASCIA - 0.08, (right - left) / 3)
    texture.shine(left + 0.1, left + 0.8, 1.4, 2.3, np.asarray(color, np.float32) * 0.7)
    _name_board(texture, u0, u1, rng, brief, color, "box")
    for i, hue in enumerate((brief.neon[0], brief.neon[1])):
        stripe = np.asarray(hue, np.float32) * 1.1
        texture.shine(u0 + 0.15, u1 - 0.15, _FASCIA + 0.02 + 0.09 * i, _FASCIA + 0.09 + 0.09 * i, stripe)


def _eatery(texture: Texture, u0: float, u1: float, rng: np.random.Generator, brief: Brief, color: Rgb) -> None:
    warm = np.array((1.0, 0.55, 0.20), np.float32)
    left, right = u0 + 0.25, u1 - 0.25
    _interior(texture, left, right, 0.75, 2.75, warm * 0.62, rng)
    _shelves(texture, left + 0.1, right - 0.1, 1.75, 2.2, warm * 0.9, rng)
    _customers(texture, left, right, rng, 0.85, 0.55)
    texture.paint(left, right, 0.14, 0.78, (0.16, 0.08, 0.045))
    slats = np.arange(left, right, 0.16, dtype=np.float32)
    dark = np.full((1, len(slats), 3), 0.04, np.float32)
    texture.grid(texture.along(slats, slats + 0.05), texture.above([0.14], [0.78]), dark, matte=True)
    _mullions(texture, left, right, 0.75, 2.75, (right - left) / 4)
    cloth = np.asarray((brief.neon[0], (0.75, 0.05, 0.05), (0.06, 0.10, 0.42))[int(rng.integers(3))], np.float32)
    pieces = 4
    step = (right - left) / pieces
    for i in range(pieces):  # the split curtain
        a, b = left + step * i + 0.03, left + step * (i + 1) - 0.03
        texture.shine(a, b, 2.0, 2.78, cloth * 0.20)
        texture.shine((a + b) / 2 - 0.2, (a + b) / 2 + 0.2, 2.2, 2.6, (0.5, 0.45, 0.4), 0.55)
    for i in range(4):
        _lantern(texture, left + (right - left) * (0.09 + 0.273 * i), 2.62, 0.26)
    _name_board(texture, u0, u1, rng, brief, color, "tube" if rng.random() < 0.5 else "box")


def _shutter(texture: Texture, u0: float, u1: float, rng: np.random.Generator, brief: Brief, color: Rgb) -> None:
    left, right = u0 + 0.2, u1 - 0.2
    texture.paint(left, right, 0.1, 2.9, (0.20, 0.21, 0.23))
    slats = np.arange(0.1, 2.9, 0.11, dtype=np.float32)
    dark = np.full((len(slats), 1, 3), 0.08, np.float32)
    texture.grid(texture.along([left], [right]), texture.above(slats, slats + 0.045), dark, matte=True)
    machines = int(rng.integers(1, 4))
    for i in range(machines):
        at = left + 0.15 + i * 1.15
        if at + 1.0 > right:
            break
        body = np.asarray(((0.75, 0.06, 0.05), (0.08, 0.18, 0.6), (0.8, 0.82, 0.85))[int(rng.integers(3))])
        texture.paint(at, at + 1.02, 0.1, 1.95, body * 0.6)
        texture.shine(at + 0.08, at + 0.94, 0.95, 1.86, (0.85, 0.95, 1.0), 0.9)
        bottles = rng.random((3, 6, 3), dtype=np.float32) ** 1.6 * 0.9 + 0.08
        us = at + 0.11 + np.arange(6, dtype=np.float32) * 0.138
        vs = 1.0 + np.arange(3, dtype=np.float32) * 0.29
        texture.grid(texture.along(us, us + 0.085), texture.above(vs, vs + 0.2), np.asarray(bottles, np.float32))
        texture.shine(at + 0.08, at + 0.94, 0.82, 0.90, np.asarray(color, np.float32) * 1.2)
        texture.paint(at + 0.2, at + 0.82, 0.25, 0.5, (0.02, 0.02, 0.02))
    _name_board(texture, u0, u1, rng, brief, color, "bare")


def _arcade(texture: Texture, u0: float, u1: float, rng: np.random.Generator, brief: Brief, color: Rgb) -> None:
    first, second = np.asarray(color, np.float32), np.asarray(brief.neon[1], np.float32)
    left, right = u0 + 0.2, u1 - 0.2
    _interior(texture, left, right, 0.1, 2.9, first * 0.35 + second * 0.2 + 0.06, rng)
    columns = max(2, int((right - left) / 0.62))
    us = left + (np.arange(columns, dtype=np.float32) + 0.2) * (right - left) / columns
    colors = np.empty((1, columns, 3), np.float32)
    colors[0] = np.where((np.arange(columns) % 2 == 0)[:, None], first, second) * np.float32(1.0)
    texture.grid(texture.along(us, us + 0.34), texture.above([1.05], [1.65]), colors)
    texture.grid(texture.along(us - 0.04, us + 0.40), texture.above([0.12], [0.92]), colors * 0.08)
    _customers(texture, left, right, rng, 0.75, 0.35)
    bulbs = np.arange(left, right, 0.18, dtype=np.float32)
    lamp = np.broadcast_to(np.array((2.2, 1.8, 1.1), np.float32), (2, len(bulbs), 3))
    texture.grid(texture.along(bulbs, bulbs + 0.07), texture.above([2.92, 4.12], [2.99, 4.19]), lamp)
    _name_board(texture, u0, u1, rng, brief, color, "tube")


def _boutique(texture: Texture, u0: float, u1: float, rng: np.random.Generator, brief: Brief, color: Rgb) -> None:
    hue = np.asarray(color, np.float32)
    left, right = u0 + 0.25, u1 - 0.25
    glow = 0.34 * hue + np.array((0.20, 0.15, 0.15), np.float32)
    _interior(texture, left, right, 0.45, 2.85, glow, rng)
    _shelves(texture, left + 0.3, right - 0.3, 1.3, 2.4, glow * 0.8, rng)
    texture.shine(left, right, 2.60, 2.68, hue * 1.6)
    _customers(texture, left, right, rng, 0.72, 0.6)
    texture.paint(left, right, 0.14, 0.45, (0.18, 0.18, 0.2))
    _mullions(texture, left, right, 0.45, 2.85, (right - left) / 2)
    _name_board(texture, u0, u1, rng, brief, color, "bare" if rng.random() < 0.5 else "box")


def _bar(texture: Texture, u0: float, u1: float, rng: np.random.Generator, brief: Brief, color: Rgb) -> None:
    hue = np.asarray(color, np.float32)
    middle = (u0 + u1) / 2
    texture.paint(u0 + 0.1, u1 - 0.1, 0.1, 3.0, (0.12, 0.07, 0.06))
    courses = np.arange(0.1, 3.0, 0.09, dtype=np.float32)
    mortar = np.full((len(courses), 1, 3), 0.05, np.float32)
    wall = texture.along([u0 + 0.1], [u1 - 0.1])
    texture.grid(wall, texture.above(courses, courses + 0.018), mortar, matte=True, opacity=0.7)
    texture.shine(middle - 0.62, middle + 0.62, 0.1, 2.35, hue * 1.5)
    texture.paint(middle - 0.55, middle + 0.55, 0.1, 2.28, (0.02, 0.02, 0.025))
    texture.shine(middle - 0.18, middle + 0.18, 1.3, 1.9, np.array((1.0, 0.6, 0.25), np.float32) * 0.7)
    for side in (-1, 1):
        at = middle + side * (u1 - u0) * 0.33
        look = SignStyle("bare", "BAR" if side < 0 else "酒", color, brief.neon[1], False, int(rng.integers(9)))
        light, alpha = draw_sign(look, 160, 110, brief.light.lamps)
        texture.plate(at - 0.5, at + 0.5, 1.35, 2.05, light, alpha)
    _name_board(texture, u0, u1, rng, brief, color, "tube")
