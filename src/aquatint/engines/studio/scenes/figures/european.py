"""European houses, churches, castles and windmills for illustrated scenes."""

from __future__ import annotations

import math

import numpy as np

from aquatint.engines.studio.scenes.figures.canvas import Color, curve, gradient, mix, points, ribbon, scale, textured
from aquatint.engines.studio.scenes.figures.plants import Grove

_WALLS: tuple[Color, ...] = (
    (0.95, 0.91, 0.82),
    (0.93, 0.84, 0.68),
    (0.86, 0.72, 0.58),
    (0.90, 0.78, 0.74),
    (0.80, 0.84, 0.84),
    (0.96, 0.94, 0.90),
)
_ROOFS: tuple[Color, ...] = (
    (0.70, 0.33, 0.22),
    (0.62, 0.27, 0.20),
    (0.52, 0.30, 0.24),
    (0.36, 0.34, 0.38),
    (0.76, 0.42, 0.27),
)
_SNOW = (0.93, 0.95, 0.99)
_STONE = (0.70, 0.66, 0.60)
_LAMP = (1.0, 0.80, 0.46)


def house(grove: Grove, x: float, foot: float, wide: float, wall: Color | None = None) -> None:
    """A gabled house seen from a corner: `wide` pixels over both faces; gable toward the sun's far side."""
    grove = grove.own()
    canvas, air, rng = grove.canvas, grove.air, grove.rng
    wall = wall or _WALLS[int(rng.integers(len(_WALLS)))]
    tile = _SNOW if air.snow else _ROOFS[int(rng.integers(len(_ROOFS)))]
    side = 1 if rng.random() < 0.5 else -1  # which way the gable looks
    front, long = wide * 0.42, wide * float(rng.uniform(0.55, 0.8))
    high, peak = wide * float(rng.uniform(0.34, 0.52)), wide * float(rng.uniform(0.34, 0.46))
    corner = x + side * (wide / 2 - front)
    gable_x, end_x = corner + side * front, corner - side * long
    drop = wide * 0.035  # the receding wall's foot rises a little
    g_light, s_light = (0.95, 0.45) if side * grove.sun_side > 0 else (0.35, 0.85)
    gable_c, side_c = (air.tone(scale(wall, grove.gain), light, grove.far) for light in (g_light, s_light))
    body = points([(corner, foot), (end_x, foot - drop), (end_x, foot - high), (corner, foot - high)])
    canvas.polygon(
        body, textured(canvas, gradient((0, foot - high), (0, foot), (scale(side_c, 0.86), side_c)), 0.06, 0.015)
    )
    top = ((corner + gable_x) / 2, foot - high - peak)
    face = points([(corner, foot), (gable_x, foot - drop), (gable_x, foot - high), top, (corner, foot - high)])
    canvas.polygon(
        face, textured(canvas, gradient((0, top[1]), (0, foot), (scale(gable_c, 0.95), gable_c)), 0.06, 0.015)
    )
    _roof(grove, corner, end_x, gable_x, foot, high, peak, tile, side, s_light)
    _chimney(grove, corner - side * long * 0.5, foot - high - peak, wide)
    _windows(grove, corner, end_x, gable_x, foot, high, wide, side)


def _roof(
    grove: Grove, corner: float, end_x: float, gable_x: float, foot: float, high: float, peak: float,
    tile: Color, side: int, light: float,
) -> None:  # fmt: skip
    canvas, air = grove.canvas, grove.air
    eave, over = foot - high, peak * 0.14
    top_x, top_y = (corner + gable_x) / 2, eave - peak
    far_top = top_x + (end_x - corner)
    lit = air.tone(scale(tile, grove.gain), light + 0.1, grove.far)
    dark = air.tone(scale(tile, 0.8 * grove.gain), light * 0.6, grove.far)
    slope = points(
        [
            (corner + side * over * 0.3, eave + over),
            (top_x + side * over, top_y - over * 0.3),
            (far_top - side * over, top_y - over * 0.3),
            (end_x - side * over, eave + over * 0.8),
        ]
    )
    canvas.polygon(
        slope, textured(canvas, gradient((0, top_y), (0, eave + over), (lit, mix(lit, dark, 0.8))), 0.12, 0.03, 0.3)
    )
    rows = int(np.clip(peak / (3.2 * canvas.unit), 3, 12))
    for k in range(1, rows):
        t = k / rows
        a, b = slope[0] + (slope[1] - slope[0]) * t, slope[3] + (slope[2] - slope[3]) * t
        canvas.line(points([tuple(a), tuple(b)]), max(0.5, peak * 0.018), scale(dark, 0.86), opacity=0.6)
    # The other slope shows as a strip behind the gable.
    verge = points(
        [
            (top_x + side * over, top_y - over * 0.3),
            (gable_x + side * over * 1.2, eave + over),
            (gable_x + side * over * 0.2, eave + over * 1.2),
            (top_x - side * over * 0.2, top_y + over * 0.9),
        ]
    )
    canvas.polygon(verge, scale(dark, 0.8))
    canvas.line(points([tuple(slope[0]), tuple(slope[1])]), max(0.8, peak * 0.05), scale(lit, 0.72))


def _chimney(grove: Grove, x: float, top: float, wide: float) -> None:
    if grove.rng.random() < 0.25:
        return
    canvas, air = grove.canvas, grove.air
    w, h = wide * 0.045, wide * 0.16
    brick = air.tone(scale((0.55, 0.36, 0.30), grove.gain), 0.6, grove.far)
    canvas.polygon(
        points([(x - w, top + h * 0.55), (x + w, top + h * 0.55), (x + w, top - h * 0.55), (x - w, top - h * 0.55)]),
        brick,
    )
    cap = air.tone(_SNOW if air.snow else (0.4, 0.3, 0.28), 0.8, grove.far)
    canvas.polygon(
        points(
            [
                (x - w * 1.3, top - h * 0.45),
                (x + w * 1.3, top - h * 0.45),
                (x + w * 1.3, top - h * 0.62),
                (x - w * 1.3, top - h * 0.62),
            ]
        ),
        cap,
    )
    if grove.rng.random() < 0.45 and grove.far < 0.6:
        smoke(grove, x, top - h * 0.7, wide * 0.5)


def smoke(grove: Grove, x: float, foot: float, tall: float) -> None:
    """A thin column of smoke that widens and drifts."""
    grove = grove.own()
    rng, air = grove.rng, grove.air
    color = mix(air.haze, (0.96, 0.96, 0.97), 0.35)
    drift = float(rng.uniform(0.25, 0.6)) * (1 if rng.random() < 0.5 else -1)
    t = np.linspace(0, 1, 26)
    sway = np.sin(t * 7 + rng.random() * 6) * 0.07
    path = np.stack([x + (drift * t**1.5 + sway * t) * tall, foot - t * tall], 1)
    outline = ribbon(path, tall * (0.03 + 0.17 * t))
    grove.canvas.polygon(outline, color, 0.34, soft=tall * 0.03)


def _windows(
    grove: Grove, corner: float, end_x: float, gable_x: float, foot: float, high: float, wide: float, side: int
) -> None:
    canvas, air, rng = grove.canvas, grove.air, grove.rng
    shutter = air.tone(
        ((0.30, 0.42, 0.40), (0.42, 0.27, 0.20), (0.28, 0.36, 0.48))[int(rng.integers(3))], 0.6, grove.far
    )
    frame = air.tone((0.95, 0.93, 0.88), 0.7, grove.far)
    spots = [(corner + (end_x - corner) * t, foot - high * 0.60, wide * 0.042) for t in (0.25, 0.55, 0.83)]
    spots += [(corner + (gable_x - corner) * t, foot - high * 0.62, wide * 0.038) for t in (0.28, 0.74)]
    spots.append(((corner + gable_x) / 2, foot - high * 1.22, wide * 0.034))
    for cx, cy, w in spots:
        h = w * 1.35
        lit = air.dark and rng.random() < 0.78
        glass = (
            mix(scale(_LAMP, 0.9 + 0.1 * rng.random()), air.haze, grove.far * 0.5)
            if lit
            else air.tone((0.24, 0.30, 0.36), 0.45, grove.far)
        )
        canvas.polygon(
            points([(cx - w * 1.9, cy - h), (cx + w * 1.9, cy - h), (cx + w * 1.9, cy + h), (cx - w * 1.9, cy + h)]),
            shutter,
        )
        canvas.polygon(
            points(
                [
                    (cx - w * 1.1, cy - h * 1.05),
                    (cx + w * 1.1, cy - h * 1.05),
                    (cx + w * 1.1, cy + h * 1.05),
                    (cx - w * 1.1, cy + h * 1.05),
                ]
            ),
            frame,
        )
        canvas.polygon(
            points(
                [
                    (cx - w * 0.85, cy - h * 0.88),
                    (cx + w * 0.85, cy - h * 0.88),
                    (cx + w * 0.85, cy + h * 0.88),
                    (cx - w * 0.85, cy + h * 0.88),
                ]
            ),
            glass,
        )
        canvas.line(points([(cx, cy - h), (cx, cy + h)]), max(0.5, w * 0.16), frame)
        canvas.line(points([(cx - w, cy), (cx + w, cy)]), max(0.5, w * 0.16), frame)
        if lit:
            canvas.glow(cx, cy, w * 8, _LAMP, 0.30 * (1 - grove.far))
    _door(grove, corner, gable_x, foot, high, wide)


def _door(grove: Grove, corner: float, gable_x: float, foot: float, high: float, wide: float) -> None:
    """The arched door in the gable."""
    canvas = grove.canvas
    air = grove.air
    door = corner + (gable_x - corner) * 0.5
    dw, dh = wide * 0.05, high * 0.44
    arch = np.concatenate(
        [
            points([(door - dw, foot), (door - dw, foot - dh)]),
            np.stack(
                [door - np.cos(np.linspace(0, math.pi, 9)) * dw, foot - dh - np.sin(np.linspace(0, math.pi, 9)) * dw],
                1,
            ),
            points([(door + dw, foot)]),
        ]
    )
    canvas.polygon(arch - (0, wide * 0.012), air.tone((0.36, 0.22, 0.15), 0.6, grove.far))


def church(grove: Grove, x: float, foot: float, tall: float) -> None:
    """A village church: nave and a tower with a pointed spire, `tall` pixels to the cross."""
    canvas, air = grove.canvas, grove.air
    wall, tile = (0.93, 0.89, 0.81), (_SNOW if air.snow else (0.45, 0.30, 0.26))
    sun = grove.sun_side
    lit, dim = air.tone(scale(wall, grove.gain), 0.95, grove.far), air.tone(scale(wall, grove.gain), 0.3, grove.far)
    roof_l, roof_d = (
        air.tone(scale(tile, grove.gain), 0.95, grove.far),
        air.tone(scale(tile, 0.8 * grove.gain), 0.25, grove.far),
    )
    nave, high = tall * 0.46, tall * 0.19
    body = points([(x, foot), (x + nave, foot), (x + nave, foot - high), (x, foot - high)])
    canvas.polygon(body, textured(canvas, mix(dim, lit, 0.62), 0.05, 0.015))
    canvas.polygon(
        points(
            [
                (x - tall * 0.02, foot - high),
                (x + nave * 1.04, foot - high),
                (x + nave * 0.97, foot - high * 1.95),
                (x, foot - high * 1.95),
            ]
        ),
        textured(
            canvas, gradient((0, foot - high * 2), (0, foot - high), (roof_l, mix(roof_l, roof_d, 0.6))), 0.08, 0.02
        ),
    )
    half, shaft = tall * 0.075, tall * 0.52
    for a, b, color in ((-half, 0.0, lit if sun < 0 else dim), (0.0, half, dim if sun < 0 else lit)):
        canvas.polygon(
            points([(x + a, foot), (x + b, foot), (x + b, foot - shaft), (x + a, foot - shaft)]),
            textured(canvas, color, 0.05, 0.015),
        )
        tip = points([(x + a * 1.25, foot - shaft), (x + b * 1.25, foot - shaft), (x, foot - tall * 0.94)])
        canvas.polygon(tip, roof_l if color is lit else roof_d)
    canvas.line(points([(x, foot - tall * 0.93), (x, foot - tall)]), max(0.7, tall * 0.006), roof_d)
    canvas.line(
        points([(x - tall * 0.016, foot - tall * 0.975), (x + tall * 0.016, foot - tall * 0.975)]),
        max(0.7, tall * 0.006),
        roof_d,
    )
    glass = mix(_LAMP, air.haze, grove.far * 0.5) if air.dark else air.tone((0.22, 0.26, 0.32), 0.4, grove.far)
    for k in range(4):
        _lancet(grove, x + nave * (0.30 + 0.2 * k), foot - high * 0.3, tall * 0.012, high * 0.45, glass)
    for way in (-0.5, 0.5):
        _lancet(grove, x + half * way, foot - shaft * 0.72, tall * 0.013, tall * 0.07, glass)
    if air.dark:
        canvas.glow(x + nave * 0.6, foot - high * 0.5, nave * 0.6, _LAMP, 0.25 * (1 - grove.far))


def _lancet(grove: Grove, x: float, foot: float, half: float, tall: float, color: Color) -> None:
    shape = curve(
        [
            (x - half, foot - tall * 0.6),
            (x - half * 0.6, foot - tall * 0.86),
            (x, foot - tall),
            (x + half * 0.6, foot - tall * 0.86),
            (x + half, foot - tall * 0.6),
        ],
        4,
    )
    grove.canvas.polygon(np.concatenate([points([(x - half, foot)]), shape, points([(x + half, foot)])]), color)


def castle(grove: Grove, x: float, foot: float, tall: float) -> None:
    """A castle of round towers with pointed roofs around a keep."""
    tile = _SNOW if grove.air.snow else (0.30, 0.36, 0.48)
    _curtain(grove, x - tall * 0.52, x + tall * 0.52, foot, tall * 0.30)
    towers = [(-0.50, 0.56, 0.065), (0.50, 0.60, 0.07), (-0.27, 0.80, 0.07), (0.27, 0.74, 0.06), (0.0, 1.0, 0.10)]
    for offset, high, half in sorted(towers, key=lambda t: t[1], reverse=True):
        _tower(grove, x + offset * tall, foot, tall * high * float(grove.rng.uniform(0.94, 1.04)), tall * half, tile)
    _curtain(grove, x - tall * 0.40, x + tall * 0.40, foot, tall * 0.216)
    dark = grove.air.tone((0.16, 0.12, 0.10), 0.3, grove.far)
    _lancet(grove, x, foot, tall * 0.045, tall * 0.15, dark)


def _curtain(grove: Grove, left: float, right: float, foot: float, tall: float) -> None:
    canvas, air = grove.canvas, grove.air
    lit, dim = (
        air.tone(scale(_STONE, grove.gain), 0.85, grove.far),
        air.tone(scale(_STONE, grove.gain), 0.35, grove.far),
    )
    ends = ((left, 0.0), (right, 0.0)) if grove.sun_side < 0 else ((right, 0.0), (left, 0.0))
    teeth = 15
    xs = np.repeat(np.linspace(left, right, teeth * 2), 2)
    ys = np.tile([0.0, tall * 0.1, tall * 0.1, 0.0], teeth)[: len(xs)]
    top = np.stack([xs, foot - tall - ys], 1)
    canvas.polygon(
        np.concatenate([top, points([(right, foot), (left, foot)])]),
        textured(canvas, gradient(*ends, (lit, dim)), 0.10, 0.03, 0.5),
    )


def _tower(grove: Grove, x: float, foot: float, tall: float, half: float, tile: Color) -> None:
    canvas, air, sun = grove.canvas, grove.air, grove.sun_side
    lit, dim = (
        air.tone(scale(_STONE, 1.08 * grove.gain), 1.0, grove.far),
        air.tone(scale(_STONE, 0.9 * grove.gain), 0.2, grove.far),
    )
    shaft = tall * 0.68
    round_wall = gradient(
        (x + sun * half, 0), (x - sun * half, 0), (mix(lit, dim, 0.25), lit, mix(lit, dim, 0.5), dim)
    )
    canvas.polygon(
        points([(x - half, foot), (x + half, foot), (x + half, foot - shaft), (x - half, foot - shaft)]),
        textured(canvas, round_wall, 0.09, 0.03, 0.5),
    )
    canvas.polygon(
        points(
            [
                (x - half * 1.18, foot - shaft),
                (x + half * 1.18, foot - shaft),
                (x + half * 1.18, foot - shaft - half * 0.5),
                (x - half * 1.18, foot - shaft - half * 0.5),
            ]
        ),
        round_wall,
    )
    r_lit, r_dim = (
        air.tone(scale(tile, 1.1 * grove.gain), 1.0, grove.far),
        air.tone(scale(tile, 0.8 * grove.gain), 0.2, grove.far),
    )
    hat = points(
        [
            (x - half * 1.35, foot - shaft - half * 0.45),
            (x + half * 1.35, foot - shaft - half * 0.45),
            (x, foot - tall),
        ]
    )
    canvas.polygon(hat, gradient((x + sun * half, 0), (x - sun * half, 0), (r_lit, mix(r_lit, r_dim, 0.5), r_dim)))
    glass = mix(_LAMP, air.haze, grove.far * 0.4) if air.dark else air.tone((0.15, 0.15, 0.18), 0.3, grove.far)
    for share in (0.45, 0.80):
        _lancet(grove, x, foot - shaft * share, half * 0.16, half * 0.7, glass)
        if air.dark:
            canvas.glow(x, foot - shaft * share - half * 0.3, half * 2, _LAMP, 0.35 * (1 - grove.far))
    canvas.line(points([(x, foot - tall), (x, foot - tall - half * 0.9)]), max(0.6, half * 0.05), r_dim)
    flag = points(
        [(x, foot - tall - half * 0.9), (x + half * 0.8, foot - tall - half * 0.7), (x, foot - tall - half * 0.45)]
    )
    canvas.polygon(flag, air.tone((0.78, 0.20, 0.18), 0.9, grove.far))


def windmill(grove: Grove, x: float, foot: float, tall: float) -> None:
    """A tower mill with four latticed sails."""
    grove = grove.own()
    canvas, air, sun = grove.canvas, grove.air, grove.sun_side
    lit, dim = (
        air.tone(scale((0.93, 0.90, 0.84), grove.gain), 0.95, grove.far),
        air.tone((0.80, 0.77, 0.72), 0.25, grove.far),
    )
    low, high = tall * 0.17, tall * 0.11
    canvas.polygon(
        points([(x - low, foot), (x + low, foot), (x + high, foot - tall * 0.62), (x - high, foot - tall * 0.62)]),
        textured(
            canvas, gradient((x + sun * low, 0), (x - sun * low, 0), (lit, mix(lit, dim, 0.3), dim)), 0.05, 0.015
        ),
    )
    cap = curve(
        [
            (x - high * 1.2, foot - tall * 0.61),
            (x - high * 0.8, foot - tall * 0.72),
            (x, foot - tall * 0.77),
            (x + high * 0.8, foot - tall * 0.72),
            (x + high * 1.2, foot - tall * 0.61),
        ],
        6,
    )
    canvas.polygon(cap, air.tone((0.45, 0.28, 0.22) if not air.snow else _SNOW, 0.6, grove.far))
    hub, turn = (x, foot - tall * 0.66), float(grove.rng.uniform(0.2, 1.3))
    wood = air.tone((0.30, 0.22, 0.18), 0.5, grove.far)
    for k in range(4):
        a = turn + k * math.pi / 2
        along, across = np.array([math.cos(a), math.sin(a)]), np.array([-math.sin(a), math.cos(a)])
        canvas.line(points([hub, tuple(np.array(hub) + along * tall * 0.46)]), max(0.8, tall * 0.012), wood)
        for t in np.linspace(0.12, 0.46, 9):
            start = np.array(hub) + along * tall * t
            canvas.line(points([tuple(start), tuple(start + across * tall * 0.075)]), max(0.5, tall * 0.005), wood)
        edge = np.array(hub) + across * tall * 0.075
        canvas.line(
            points([tuple(edge + along * tall * 0.12), tuple(edge + along * tall * 0.46)]),
            max(0.5, tall * 0.006),
            wood,
        )
