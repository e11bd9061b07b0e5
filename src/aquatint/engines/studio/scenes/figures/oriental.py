"""East Asian buildings for illustrated scenes: pagodas, halls, white-walled houses, gates, stone bridges."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    Points,
    gradient,
    mix,
    points,
    scale,
    textured,
)
from aquatint.engines.studio.scenes.figures.plants import Grove, branch_off

_RED = (0.62, 0.22, 0.16)
_PLASTER = (0.93, 0.91, 0.86)
_TILE = (0.23, 0.25, 0.29)
_STONE = (0.62, 0.60, 0.57)
_LAMP = (1.0, 0.78, 0.42)


def _eave(x: float, half: float, y: float, lift: float, steps: int = 33) -> Points:
    """The lower edge of a roof: level in the middle, swept up at the corners."""
    u = np.linspace(-1, 1, steps)
    return np.stack([x + u * half, y - lift * np.abs(u) ** 4.5], 1)


def roof(grove: Grove, x: float, eave_y: float, half: float, top_half: float, tall: float, lift: float) -> None:
    """A swept roof with tile ribs: `half` is half the width at the eaves, `top_half` at the ridge."""
    canvas, air = grove.canvas, grove.air
    tile = (0.86, 0.89, 0.93) if air.snow else _TILE
    bright, dark = (
        air.tone(scale(tile, 1.35 * grove.gain), 0.95, grove.far),
        air.tone(scale(tile, grove.gain), 0.25, grove.far),
    )
    low = _eave(x, half, eave_y, lift)
    t = np.linspace(0, 1, 14)
    sag = t**0.62 if not air.snow else t**0.7
    right = np.stack([x + half + (top_half - half) * sag, (eave_y - lift) + (lift - tall) * t], 1)
    left = np.stack([2 * x - right[:, 0], right[:, 1]], 1)
    body = np.concatenate([low, right, left[::-1]])
    lit, shade = (x + grove.sun_side * half, eave_y), (x - grove.sun_side * half, eave_y)
    canvas.polygon(body, textured(canvas, gradient(lit, shade, (bright, mix(bright, dark, 0.55), dark)), 0.06, 0.02))
    ribs = int(np.clip(half / (2.6 * canvas.unit), 5, 26))
    color = air.tone(scale(tile, (0.55 if not air.snow else 0.82) * grove.gain), 0.2, grove.far)
    for u in np.linspace(-0.93, 0.93, ribs * 2 + 1):
        foot_y = eave_y - lift * abs(u) ** 4.5
        x0 = x + half * u + (top_half - half) * u * sag
        y0 = foot_y + (eave_y - tall - foot_y) * t
        canvas.line(np.stack([x0, y0], 1), max(0.5, half * 0.012), color, opacity=0.55)
    # The rim of the eaves catches light; the ridge closes the top.
    canvas.line(low, max(0.8, tall * 0.07), air.tone(scale(tile, 1.6 * grove.gain), 0.9, grove.far))
    ends = points([(x - top_half * 1.08, eave_y - tall), (x + top_half * 1.08, eave_y - tall)])
    canvas.line(ends, max(1.0, tall * 0.10), air.tone(scale(tile, 0.8 * grove.gain), 0.4, grove.far))


def _wall(grove: Grove, x: float, top: float, foot: float, half: float, color: Color, bays: int) -> None:
    """A timber wall in three faces, with posts and lattice windows that glow when it is dark."""
    canvas, air = grove.canvas, grove.air
    tall = foot - top
    edges = (-half, -half * 0.46, half * 0.46, half)
    for k, (a, b) in enumerate(pairwise(edges)):
        light = 0.55 + 0.42 * grove.sun_side * (k - 1)
        high, low = (
            air.tone(scale(color, 0.55 * grove.gain), light * 0.6, grove.far),
            air.tone(scale(color, grove.gain), light, grove.far),
        )
        canvas.polygon(
            points([(x + a, top), (x + b, top), (x + b, foot), (x + a, foot)]),
            gradient((0, top), (0, foot), (high, low, low)),
        )
    lamp = mix(_LAMP, air.haze, grove.far * 0.6)
    glass = lamp if air.dark else air.tone((0.16, 0.12, 0.10), 0.3, grove.far)
    for k in range(bays):
        a = x + half * (2 * (k + 0.22) / bays - 1)
        b = x + half * (2 * (k + 0.78) / bays - 1)
        y0, y1 = top + tall * 0.30, foot - tall * 0.16
        canvas.polygon(points([(a, y0), (b, y0), (b, y1), (a, y1)]), glass)
        bar = air.tone(scale(color, 0.7 * grove.gain), 0.4, grove.far)
        for share in (0.33, 0.67):
            canvas.line(points([(a + (b - a) * share, y0), (a + (b - a) * share, y1)]), max(0.5, (b - a) * 0.05), bar)
        canvas.line(points([(a, (y0 + y1) / 2), (b, (y0 + y1) / 2)]), max(0.5, (b - a) * 0.05), bar)
    post = air.tone(scale(color, 1.15 * grove.gain), 0.8, grove.far)
    for k in range(bays + 1):
        px = x + half * (2 * k / bays - 1) * 0.985
        canvas.line(
            points([(px, top), (px, foot)]), max(0.6, half * 0.035), scale(post, 0.8 + 0.2 * (k * grove.sun_side > 0))
        )
    if air.dark:
        canvas.glow(x, (top + foot) / 2, half * 1.7, _LAMP, 0.26 * (1 - grove.far))


def pagoda(grove: Grove, x: float, foot: float, tall: float, tiers: int = 5) -> None:
    """A tower of `tiers` storeys standing at (x, foot), `tall` pixels with its spire."""
    canvas, air = grove.canvas, grove.air
    spire = tall * 0.16
    storey = (tall - spire) / (tiers + 0.25)
    half = tall * (0.155 if tiers > 3 else 0.2)
    base = air.tone(scale(_STONE, grove.gain), 0.6, grove.far)
    canvas.polygon(
        points(
            [
                (x - half * 1.45, foot),
                (x + half * 1.45, foot),
                (x + half * 1.3, foot - storey * 0.2),
                (x - half * 1.3, foot - storey * 0.2),
            ]
        ),
        base,
    )
    y = foot - storey * 0.2
    for i in range(tiers):
        wide = half * (1 - 0.58 * i / tiers)
        high = storey * (1 - 0.10 * i / tiers)
        wall, eaves = high * 0.50, wide * 1.62
        _wall(grove, x, y - wall * 1.12, y, wide, _RED, 3 if i < tiers - 1 else 2)
        rail = air.tone(scale(_RED, 1.2 * grove.gain), 0.8, grove.far)
        canvas.line(
            points([(x - wide * 1.12, y - wall * 0.2), (x + wide * 1.12, y - wall * 0.2)]),
            max(0.6, wall * 0.06),
            rail,
        )
        _under_eaves(grove, x, y - wall, wide, eaves)
        roof(
            grove,
            x,
            y - wall,
            eaves,
            wide * (0.72 if i < tiers - 1 else 0.10),
            high * (0.55 if i < tiers - 1 else 0.85),
            high * 0.20,
        )
        y -= high * 0.98
    _spire(grove, x, y - storey * 0.26, spire, half * 0.12)


def _under_eaves(grove: Grove, x: float, y: float, half: float, eaves: float) -> None:
    dark = grove.air.tone(scale(_RED, 0.30 * grove.gain), 0.2, grove.far)
    shape = points(
        [(x - eaves * 0.86, y), (x + eaves * 0.86, y), (x + half, y + eaves * 0.15), (x - half, y + eaves * 0.15)]
    )
    grove.canvas.polygon(shape, dark)


def _spire(grove: Grove, x: float, foot: float, tall: float, half: float) -> None:
    gold = grove.air.tone(scale((0.80, 0.60, 0.28), grove.gain), 0.95, grove.far)
    dark = grove.air.tone(scale((0.45, 0.32, 0.16), grove.gain), 0.4, grove.far)
    grove.canvas.polygon(points([(x - half * 0.22, foot), (x, foot - tall), (x + half * 0.22, foot)]), gold)
    for k in range(5):
        y, r = foot - tall * (0.08 + 0.13 * k), half * (1.0 - 0.14 * k)
        grove.canvas.ellipse(x, y, r, r * 0.36, gold if k % 2 else dark)
    grove.canvas.ellipse(x, foot - tall * 0.8, half * 0.42, half * 0.42, gold)


def hall(grove: Grove, x: float, foot: float, wide: float, storeys: int = 1, wall: Color = _RED) -> None:
    """A temple hall `wide` pixels across the walls on a stone terrace with steps."""
    canvas, air = grove.canvas, grove.air
    high = wide * 0.19
    stone, shade = (
        air.tone(scale(_STONE, 1.1 * grove.gain), 0.9, grove.far),
        air.tone(scale(_STONE, grove.gain), 0.35, grove.far),
    )
    terrace = points(
        [
            (x - wide * 0.62, foot),
            (x + wide * 0.62, foot),
            (x + wide * 0.62, foot - high * 0.3),
            (x - wide * 0.62, foot - high * 0.3),
        ]
    )
    canvas.polygon(
        terrace, gradient((x + grove.sun_side * wide * 0.6, 0), (x - grove.sun_side * wide * 0.6, 0), (stone, shade))
    )
    for k in range(4):
        y = foot - high * 0.3 * k / 4
        canvas.polygon(
            points(
                [
                    (x - wide * (0.15 - 0.012 * k), y),
                    (x + wide * (0.15 - 0.012 * k), y),
                    (x + wide * (0.15 - 0.012 * k), y - high * 0.075),
                    (x - wide * (0.15 - 0.012 * k), y - high * 0.075),
                ]
            ),
            scale(stone, 1.05 - 0.06 * (k % 2)),
        )
    y = foot - high * 0.3
    for level in range(storeys):
        half = wide * 0.5 * (1 - 0.26 * level)
        _wall(grove, x, y - high * 1.05, y, half, wall, 7 - 2 * level)
        _under_eaves(grove, x, y - high, half, half * 1.3)
        last = level == storeys - 1
        roof(
            grove,
            x,
            y - high,
            half * 1.34,
            half * (0.78 if last else 0.80),
            high * (1.15 if last else 0.5),
            high * 0.30,
        )
        y -= high * 1.38


def white_house(grove: Grove, x: float, foot: float, wide: float, rng: np.random.Generator) -> None:
    """A white-walled house of the river towns with a dark tile roof and stepped horse-head gables."""
    rng = branch_off(rng)
    canvas, air = grove.canvas, grove.air
    high = wide * float(rng.uniform(0.42, 0.75))
    lit, dim = (
        air.tone(scale(_PLASTER, grove.gain), 0.9, grove.far),
        air.tone(scale(_PLASTER, 0.92 * grove.gain), 0.3, grove.far),
    )
    body = points(
        [(x - wide / 2, foot), (x + wide / 2, foot), (x + wide / 2, foot - high), (x - wide / 2, foot - high)]
    )
    canvas.polygon(
        body,
        textured(
            canvas,
            gradient(
                (x + grove.sun_side * wide * 0.7, foot - high),
                (x - grove.sun_side * wide * 0.7, foot),
                (lit, mix(lit, dim, 0.4), dim),
            ),
            0.09,
            0.01,
        ),
    )
    damp = air.tone((0.55, 0.58, 0.55), 0.4, grove.far)
    canvas.polygon(
        points(
            [
                (x - wide / 2, foot),
                (x + wide / 2, foot),
                (x + wide / 2, foot - high * 0.22),
                (x - wide / 2, foot - high * 0.22),
            ]
        ),
        gradient((0, foot), (0, foot - high * 0.22), (damp, lit)),
        0.35,
    )
    slope = wide * 0.26
    roof(grove, x, foot - high + slope * 0.1, wide * 0.57, wide * 0.46, slope, slope * 0.16)
    _gables(grove, x, foot - high, wide)
    _openings(grove, x, foot, wide, rng, high)


def _openings(grove: Grove, x: float, foot: float, wide: float, rng: np.random.Generator, high: float) -> None:
    """Windows, door and lantern of a white house."""
    canvas = grove.canvas
    air = grove.air
    lamp = mix(_LAMP, air.haze, grove.far * 0.6)
    glass = lamp if air.dark and rng.random() < 0.75 else air.tone((0.18, 0.17, 0.18), 0.3, grove.far)
    frame = air.tone((0.33, 0.22, 0.16), 0.5, grove.far)
    bays = int(rng.integers(2, 4))
    for k in range(bays):
        cx, cy = x + wide * ((k + 0.5) / bays - 0.5) * 0.86, foot - high * 0.66
        w, h = wide * 0.065, high * 0.13
        canvas.polygon(
            points(
                [
                    (cx - w * 1.25, cy - h * 1.2),
                    (cx + w * 1.25, cy - h * 1.2),
                    (cx + w * 1.25, cy + h * 1.2),
                    (cx - w * 1.25, cy + h * 1.2),
                ]
            ),
            frame,
        )
        canvas.polygon(points([(cx - w, cy - h), (cx + w, cy - h), (cx + w, cy + h), (cx - w, cy + h)]), glass)
        canvas.line(points([(cx, cy - h), (cx, cy + h)]), max(0.5, w * 0.2), frame)
    door = x + wide * float(rng.uniform(-0.25, 0.25))
    canvas.polygon(
        points(
            [
                (door - wide * 0.07, foot),
                (door + wide * 0.07, foot),
                (door + wide * 0.07, foot - high * 0.36),
                (door - wide * 0.07, foot - high * 0.36),
            ]
        ),
        glass if air.dark else frame,
    )
    if air.dark:
        canvas.glow(x, foot - high * 0.5, wide * 0.9, _LAMP, 0.16 * (1 - grove.far))
    if rng.random() < 0.5:
        lantern(grove, door + wide * 0.11, foot - high * 0.40, wide * 0.045)


def _gables(grove: Grove, x: float, eave: float, wide: float) -> None:
    """Stepped fire walls at both ends of the roof, white with a dark coping."""
    air, step = grove.air, wide * 0.085
    for side in (-1, 1):
        light = 0.85 if side * grove.sun_side > 0 else 0.4
        white = air.tone(scale(_PLASTER, grove.gain), light, grove.far)
        coping = air.tone(scale(_TILE if not air.snow else (0.9, 0.93, 0.96), grove.gain), 0.5, grove.far)
        for k in range(3):
            a, b = x + side * wide * (0.53 - 0.012 * k), x + side * (wide * 0.53 - step * (2.6 - 0.75 * k))
            y = eave - step * (2.6 - 0.85 * k)
            grove.canvas.polygon(points([(a, eave + step * 0.4), (b, eave + step * 0.4), (b, y), (a, y)]), white)
            grove.canvas.polygon(
                points(
                    [
                        (a + side * step * 0.3, y - step * 0.16),
                        (a, y + step * 0.06),
                        (b, y + step * 0.06),
                        (b, y - step * 0.26),
                    ]
                ),
                coping,
            )


def lantern(grove: Grove, x: float, y: float, size: float) -> None:
    """A hanging red lantern; it shines when it is dark."""
    red = (0.86, 0.18, 0.12) if grove.air.dark else grove.air.tone((0.80, 0.15, 0.11), 0.9, grove.far)
    grove.canvas.line(
        points([(x, y - size * 2), (x, y + size * 2.2)]), max(0.5, size * 0.12), grove.air.tone((0.2, 0.1, 0.08), 0.5)
    )
    grove.canvas.ellipse(x, y, size, size * 0.86, red)
    grove.canvas.ellipse(x, y, size * 0.5, size * 0.82, mix(red, _LAMP, 0.75 if grove.air.dark else 0.25))
    if grove.air.dark:
        grove.canvas.glow(x, y, size * 6, (1.0, 0.45, 0.2), 0.5)


def torii(grove: Grove, x: float, foot: float, tall: float) -> None:
    """A red shrine gate standing at (x, foot)."""
    canvas, air = grove.canvas, grove.air
    red, dark = air.tone((0.83, 0.23, 0.13), 0.9, grove.far), air.tone((0.83, 0.23, 0.13), 0.3, grove.far)
    for side in (-1, 1):
        post = points([(x + side * tall * 0.40, foot), (x + side * tall * 0.33, foot - tall * 0.86)])
        canvas.line(post, tall * 0.075, red if side * grove.sun_side > 0 else mix(red, dark, 0.55))
    canvas.line(
        points([(x - tall * 0.47, foot - tall * 0.66), (x + tall * 0.47, foot - tall * 0.66)]),
        tall * 0.065,
        mix(red, dark, 0.3),
    )
    u = np.linspace(-1, 1, 25)
    beam = np.stack([x + u * tall * 0.60, foot - tall * (0.86 + 0.05 * u * u)], 1)
    canvas.line(beam, tall * 0.085, red)
    canvas.line(
        beam - (0, tall * 0.055),
        tall * 0.04,
        air.tone((0.16, 0.13, 0.14) if not air.snow else (0.95, 0.97, 1.0), 0.7, grove.far),
    )


def arch_bridge(canvas: Canvas, grove: Grove, x: float, water: float, wide: float) -> None:
    """A humped stone bridge whose arch opens over row `water`."""
    air, rise, span = grove.air, wide * 0.22, wide * 0.21
    u = np.linspace(-1, 1, 61)
    deck = np.stack([x + u * wide / 2, water - wide * 0.045 - rise * np.cos(u * np.pi / 2) ** 1.4], 1)
    turn = np.linspace(0, np.pi, 41)
    arch = np.stack([x + np.cos(turn) * span, water - np.sin(turn) * span * 0.82], 1)
    lit, dim = (
        air.tone(scale(_STONE, 1.15 * grove.gain), 0.85, grove.far),
        air.tone(scale(_STONE, grove.gain), 0.3, grove.far),
    )
    body = np.concatenate([deck, [[x + wide / 2, water + 1]], arch, [[x - wide / 2, water + 1]]])
    canvas.polygon(
        body,
        textured(
            canvas,
            gradient(
                (x + grove.sun_side * wide / 2, water - rise), (x - grove.sun_side * wide / 2, water), (lit, dim)
            ),
            0.10,
            0.03,
            0.4,
        ),
    )
    for k in range(25):
        a = np.pi * (k + 0.5) / 25
        inner = (x + np.cos(a) * span, water - np.sin(a) * span * 0.82)
        outer = (x + np.cos(a) * span * 1.13, water - np.sin(a) * span * 0.82 * 1.13)
        canvas.line(points([inner, outer]), max(0.6, wide * 0.002), scale(dim, 0.75))
    rail = deck - (0, wide * 0.032)
    canvas.line(rail, wide * 0.010, air.tone(scale(_STONE, 1.3 * grove.gain), 0.95, grove.far))
    for i in range(2, len(u) - 2, 4):
        canvas.line(points([tuple(deck[i]), (deck[i, 0], deck[i, 1] - wide * 0.04)]), wide * 0.008, lit)
    canvas.line(deck, wide * 0.008, scale(dim, 0.8))
