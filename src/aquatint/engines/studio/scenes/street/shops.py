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
            if texture.meters_per_pixel > 0.45:
                _distant(texture, u, u + wide, seed, brief, color)
            else:
                front(texture, u, u + wide, np.random.Generator(np.random.PCG64(seed)), brief, color)
            texture.paint(u - 0.09, u + 0.09, 0, SHOP_HEIGHT, (0.07, 0.07, 0.08))
        u += wide
    texture.paint(0, width, SHOP_HEIGHT - 0.12, SHOP_HEIGHT + 0.05, (0.16, 0.16, 0.17))
    texture.paint(0, width, 0, 0.16, (0.05, 0.05, 0.055))


def _distant(texture: Texture, u0: float, u1: float, seed: int, brief: Brief, color: Rgb) -> None:
    """A front too far away for detail: the light of its window and of its name."""
    window = ((0.42, 0.46, 0.46), (0.50, 0.30, 0.12), (0.22, 0.18, 0.20))[seed % 3]
    texture.shine(u0 + 0.2, u1 - 0.2, 0.3, 2.8, window)
    board = np.asarray(color, np.float32) * np.float32(0.75 * brief.light.lamps)
    texture.shine(u0 + 0.15, u1 - 0.15, _FASCIA, SHOP_HEIGHT - 0.22, board)


def _name_board(
    texture: Texture, u0: float, u1: float, rng: np.random.Generator, brief: Brief, color: Rgb, kind: str
) -> None:
    """The board above the window, with the shop's name."""
    look = pick_style(brief, rng, vertical=False)
    text = brief.words[0] if brief.words and rng.random() < 0.25 else look.text
    look = SignStyle("box" if brief.daylight else kind, text, color, look.second, False, look.seed, brief.language)
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
    """Rows of bottles, tins, boxes and bags under shelf lamps."""
    wide, tall = 0.135, 0.36
    columns, rows = max(1, int((u1 - u0) / wide)), max(1, int((v1 - v0) / tall))
    pixels = wide / ((texture.u1 - texture.u0) / texture.width), tall / ((texture.v1 - texture.v0) / texture.height)
    goods, alpha = _goods(rows, columns, rng, pixels)
    texture.plate(u0, u0 + columns * wide, v0, v0 + rows * tall, np.asarray(goods * light, np.float32), alpha)
    vs = v0 + np.arange(rows, dtype=np.float32) * tall
    lamp = np.broadcast_to(light * 1.4, (rows, 1, 3))
    texture.grid(texture.along([u0], [u1]), texture.above(vs + tall * 0.91, vs + tall * 0.96), lamp)
    board = np.broadcast_to(light * 0.25, (rows, 1, 3))
    texture.grid(texture.along([u0], [u1]), texture.above(vs - tall * 0.05, vs), board)


def _stencils(wide: int, tall: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Outlines, shading and labels of five kinds of goods: each (5, tall, wide), 0..1."""
    ys, xs = np.mgrid[0:tall, 0:wide].astype(np.float32)
    x, y = np.abs((xs + 0.5) / wide * 2 - 1), 1 - (ys + 0.5) / tall
    profiles = (  # heights, half widths there, and the label's lower and upper edge
        ([0.0, 0.46, 0.58, 0.66, 0.80, 0.81], [0.62, 0.62, 0.40, 0.24, 0.24, 0.0], 0.14, 0.42),  # bottle
        ([0.0, 0.02, 0.44, 0.47, 0.48], [0.5, 0.58, 0.58, 0.5, 0.0], 0.10, 0.36),  # tin
        ([0.0, 0.70, 0.71], [0.84, 0.84, 0.0], 0.30, 0.60),  # box
        ([0.0, 0.05, 0.55, 0.60, 0.61], [0.74, 0.82, 0.70, 0.78, 0.0], 0.18, 0.46),  # bag
        ([0.0, 0.30, 0.34, 0.38, 0.39], [0.7, 0.7, 0.76, 0.76, 0.0], 0.06, 0.24),  # cup
    )
    halves = [np.interp(y, heights, widths) for heights, widths, _, _ in profiles]
    outline = np.stack([np.clip((half - x) * wide / 2 + 0.5, 0, 1) * (half > 0) for half in halves])
    shade = 1.12 - 0.55 * x**2 + 0.5 * np.exp(-(((xs / wide - 0.36) / 0.07) ** 2))
    label = np.stack([(y > low) & (y < high) for _, _, low, high in profiles])
    shades = np.broadcast_to(shade, outline.shape)
    return np.asarray(outline, np.float32), np.asarray(shades, np.float32), np.asarray(label, np.float32)


def _goods(
    rows: int, columns: int, rng: np.random.Generator, pixels: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Shelves full of goods: light (h, w, 3), premultiplied, and opacity (h, w).

    `pixels` is the size at which one product will be seen: no more is drawn than that.
    """
    wide, tall = int(np.clip(np.ceil(pixels[0]), 2, 30)), int(np.clip(np.ceil(pixels[1]), 4, 72))
    outline, shade, label = _stencils(wide, tall)
    blocks = np.repeat(rng.integers(0, 5, (rows, -(-columns // 4))), 4, axis=1)[:, :columns]
    hues = np.repeat(rng.random((rows, -(-columns // 4), 3), dtype=np.float32), 4, axis=1)[:, :columns]
    hues = np.clip(hues + 0.35 * (rng.random((rows, columns, 3), dtype=np.float32) - 0.5), 0, 1)
    body = 0.10 + 0.85 * hues**1.8
    paper = np.clip(1.15 - 0.8 * hues[..., ::-1], 0.1, 1)
    full = (rng.random((rows, columns)) > 0.08).astype(np.float32)
    cover = outline[blocks] * full[..., None, None]
    marks = label[blocks][..., None]
    colors = body[:, :, None, None] * (1 - marks) + paper[:, :, None, None] * marks
    light = colors * (shade[blocks] * cover)[..., None]

    def assemble(cells: FloatArray) -> FloatArray:
        order = np.moveaxis(cells, 2, 1)
        return np.ascontiguousarray(order.reshape(rows * tall, columns * wide, *cells.shape[4:]), np.float32)

    return assemble(np.asarray(light[::-1], np.float32)), assemble(np.asarray(cover[::-1], np.float32))


def _poster(
    texture: Texture, u0: float, u1: float, v0: float, v1: float, rng: np.random.Generator, color: Rgb, brief: Brief
) -> None:
    """A printed poster in the window."""
    look = SignStyle(
        "screen", "", color, brief.neon[int(rng.integers(len(brief.neon)))], False, int(rng.integers(2**31))
    )
    rows = int(np.clip((v1 - v0) / ((texture.v1 - texture.v0) / texture.height), 8, 420))
    light, _ = draw_sign(look, max(8, int(rows * (u1 - u0) / (v1 - v0))), rows, 0.55)
    texture.plate(u0, u1, v0, v1, light)


def _mullions(texture: Texture, u0: float, u1: float, v0: float, v1: float, every: float) -> None:
    bars = np.arange(u0, u1 + 0.01, every, dtype=np.float32)
    dark = np.full((1, len(bars), 3), 0.05, np.float32)
    texture.grid(texture.along(bars - 0.035, bars + 0.035), texture.above([v0], [v1]), dark, matte=True)


def _customers(texture: Texture, u0: float, u1: float, rng: np.random.Generator, low: float, chance: float) -> None:
    """Dark figures against the light inside, cut off at `low` by counter or floor."""
    fine = 90  # pixels per metre
    tall = 2.0 - low
    mask = np.zeros((int(tall * fine), max(4, int((u1 - u0) * fine))), np.uint8)
    floor = mask.shape[0]
    for u in np.arange(0.4, u1 - u0 - 0.4, 0.72):
        roll, shift, height = rng.random(3)
        if roll > chance:
            continue
        x, top = int((u + 0.3 * shift) * fine), int((1.45 + 0.22 * height - low) * fine)
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
    if not texture.shows(u - radius, u + radius, v - radius * 1.35, v + radius * 1.35):
        return
    if texture.meters_per_pixel > radius * 0.4:
        texture.shine(u - radius * 0.8, u + radius * 0.8, v - radius, v + radius, (1.3, 0.16, 0.05))
        return
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
    hue = np.asarray(color, np.float32)
    white = np.asarray(np.array((0.53, 0.62, 0.62), np.float32) + hue * np.float32(0.08), np.float32)
    bright, dim = white * np.float32(1.1), white * np.float32(0.6)
    left, right = u0 + 0.2, u1 - 0.2
    _interior(texture, left, right, 0.12, _FASCIA - 0.08, dim, rng)
    tubes = np.arange(left + 0.3, right - 0.9, 1.1, dtype=np.float32)
    lamp = np.full((1, len(tubes), 3), 1.9, np.float32)
    texture.grid(texture.along(tubes, tubes + 0.7), texture.above([2.72], [2.82]), lamp)
    door = (right - left) / 3
    _shelves(texture, left + 0.12, right - door - 0.12, 0.30, 2.2, bright, rng)
    texture.shine(left, right, 2.35, 2.45, white * np.float32(1.7))
    _shelves(texture, right - door + 0.25, right - 0.25, 0.9, 2.1, dim, rng)
    _customers(texture, left, right, rng, 0.14, 0.22)
    _mullions(texture, left, right, 0.12, _FASCIA - 0.08, (right - left) / 3)
    _poster(texture, left + 0.1, left + 0.8, 1.3, 2.25, rng, color, brief)
    _name_board(texture, u0, u1, rng, brief, color, "box")
    for i, band in enumerate((brief.neon[0], brief.neon[1])):
        stripe = np.asarray(band, np.float32) * np.float32(1.1)
        texture.shine(u0 + 0.15, u1 - 0.15, _FASCIA + 0.02 + 0.09 * i, _FASCIA + 0.09 + 0.09 * i, stripe)


def _eatery(texture: Texture, u0: float, u1: float, rng: np.random.Generator, brief: Brief, color: Rgb) -> None:
    warm = np.array((1.0, 0.55, 0.20), np.float32)
    left, right = u0 + 0.25, u1 - 0.25
    _interior(texture, left, right, 0.75, 2.75, warm * 0.62, rng)
    _shelves(texture, left + 0.1, right - 0.1, 1.75, 2.2, warm * 0.9, rng)
    _customers(texture, left, right, rng, 0.78, 0.5)
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
        body = np.asarray(
            ((0.75, 0.06, 0.05), (0.08, 0.18, 0.6), (0.8, 0.82, 0.85))[int(rng.integers(3))], np.float32
        )
        texture.paint(at, at + 1.02, 0.1, 1.95, body * np.float32(0.6))
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
    _interior(texture, left, right, 0.1, 2.9, np.asarray(first * 0.35 + second * 0.2 + 0.06, np.float32), rng)
    columns = max(2, int((right - left) / 0.62))
    us = left + (np.arange(columns, dtype=np.float32) + 0.2) * (right - left) / columns
    colors = np.empty((1, columns, 3), np.float32)
    colors[0] = np.where((np.arange(columns) % 2 == 0)[:, None], first, second) * np.float32(1.0)
    texture.grid(texture.along(us - 0.04, us + 0.38), texture.above([0.95], [1.78]), colors * np.float32(0.10))
    for u in us:
        _poster(texture, float(u), float(u) + 0.34, 1.12, 1.62, rng, brief.neon[int(rng.integers(3))], brief)
    texture.grid(texture.along(us - 0.02, us + 0.36), texture.above([1.66], [1.76]), colors * np.float32(1.5))
    texture.grid(texture.along(us - 0.04, us + 0.40), texture.above([0.12], [0.92]), colors * 0.08)
    _customers(texture, left, right, rng, 0.14, 0.35)
    bulbs = np.arange(left, right, 0.18, dtype=np.float32)
    lamp = np.broadcast_to(np.array((2.2, 1.8, 1.1), np.float32), (2, len(bulbs), 3))
    texture.grid(texture.along(bulbs, bulbs + 0.07), texture.above([2.92, 4.12], [2.99, 4.19]), lamp)
    _name_board(texture, u0, u1, rng, brief, color, "tube")


def _boutique(texture: Texture, u0: float, u1: float, rng: np.random.Generator, brief: Brief, color: Rgb) -> None:
    hue = np.asarray(color, np.float32)
    left, right = u0 + 0.25, u1 - 0.25
    glow = np.asarray(0.34 * hue + np.array((0.20, 0.15, 0.15), np.float32), np.float32)
    _interior(texture, left, right, 0.45, 2.85, glow, rng)
    _shelves(texture, left + 0.3, right - 0.3, 1.3, 2.4, glow * np.float32(0.8), rng)
    texture.shine(left, right, 2.60, 2.68, hue * 1.6)
    _customers(texture, left, right, rng, 0.46, 0.5)
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
        look = SignStyle(
            "bare", "BAR" if side < 0 else "酒", color, brief.neon[1], False, int(rng.integers(9)), brief.language
        )
        light, alpha = draw_sign(look, 160, 110, brief.light.lamps)
        texture.plate(at - 0.5, at + 0.5, 1.35, 2.05, light, alpha)
    _name_board(texture, u0, u1, rng, brief, color, "tube")
