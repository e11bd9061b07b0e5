"""What stands where in the street: houses, signs, poles, cars and walkers, drawn by lot."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np

from aquatint.engines.studio.kernels.color import FloatArray
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.scenes.street import landmarks, people, vehicles
from aquatint.engines.studio.scenes.street.brief import Brief, Rgb
from aquatint.engines.studio.scenes.street.camera import Camera
from aquatint.engines.studio.scenes.street.facade import Tiles, Wall, paint_wall
from aquatint.engines.studio.scenes.street.road import LANE, Foot
from aquatint.engines.studio.scenes.street.signs import SignStyle, draw_sign, pick_style
from aquatint.engines.studio.scenes.street.stage import NEAR, Piece
from aquatint.engines.studio.scenes.street.texture import Texture
from aquatint.engines.studio.scenes.street.weather import Cable

FRONT = 6.6  # metres from the middle to the house fronts
_SEGMENT = 1.42  # a long wall is cut where its depth grows by this factor, so that texels keep their size


@dataclass(frozen=True, slots=True)
class House:
    """One house beside the street."""

    number: int
    side: int  # -1 left, 1 right
    front: float  # distance of its street wall from the middle
    width: float  # across the street
    z0: float
    z1: float
    height: float


@dataclass(frozen=True, slots=True)
class Street:
    """Everything placed."""

    pieces: tuple[Piece, ...]
    cables: tuple[Cable, ...]
    feet: tuple[Foot, ...]


def build_street(camera: Camera, brief: Brief) -> Street:
    """Place everything the brief asks for."""
    tiles = Tiles.of(brief.seed)
    rows = houses(brief)
    pieces: list[Piece] = []
    for house in rows:
        pieces += _house_pieces(house, camera, brief, tiles)
        pieces += _house_signs(house, brief)
    pieces += _skyline(brief, tiles, len(rows))
    pieces += landmarks.pieces(brief)
    standing = _crowd(camera, brief)
    if brief.traffic:
        standing += _traffic(brief)
    poles, cables = _poles(brief)
    feet = tuple(((piece.x0 + piece.x1) / 2, piece.z0, (piece.x1 - piece.x0) / 2) for piece in standing)
    return Street(tuple(pieces + standing + poles), tuple(cables), feet)


def houses(brief: Brief) -> list[House]:
    """Two rows of houses, gaps and setbacks included."""
    rng = generator(brief.seed, "houses")
    found: list[House] = []
    for side in (-1, 1):
        z = float(rng.uniform(-8, -2))
        while z < 330:
            deep, wide = float(rng.uniform(7, 17)), float(rng.uniform(12, 26))
            setback = float(rng.uniform(0, 1.2)) + (2.2 if rng.random() < 0.12 else 0.0)
            height = float(rng.uniform(13, 40)) * (1.5 if rng.random() < 0.25 else 1.0) + z * 0.06
            found.append(House(len(found), side, FRONT + setback, wide, z, z + deep, height))
            gap = float(rng.uniform(0, 0.5)) if rng.random() < 0.78 else float(rng.uniform(2.5, 5.5))
            z += deep + gap
    return found


def _paint(
    wall: Wall, brief: Brief, tiles: Tiles, bounds: tuple[float, float, float, float], width: int, height: int
) -> tuple[FloatArray, None]:
    texture = Texture(*bounds, width, height)
    return paint_wall(texture, wall, brief, tiles), None


Bounds = tuple[float, float, float, float]  # u0, u1, v0, v1 in metres


def wall_piece(
    wall: Wall, brief: Brief, tiles: Tiles, ends: tuple[tuple[float, float], tuple[float, float]], bounds: Bounds
) -> Piece:
    """Stand the part `bounds` of a wall between two ground points (x, z), so that it can be cut further."""
    (x0, z0), (x1, z1) = ends
    u0, u1, v0, v1 = bounds

    def cut(left: float, right: float, low: float, high: float) -> Piece:
        points = tuple((x0 + (x1 - x0) * t, z0 + (z1 - z0) * t) for t in (left, right))
        inner = (u0 + (u1 - u0) * left, u0 + (u1 - u0) * right, v0 + (v1 - v0) * low, v0 + (v1 - v0) * high)
        return wall_piece(wall, brief, tiles, (points[0], points[1]), inner)

    return Piece(x0, x1, z0, z1, v0, v1, partial(_paint, wall, brief, tiles, bounds), part=cut)


def _house_pieces(house: House, camera: Camera, brief: Brief, tiles: Tiles) -> list[Piece]:
    """The wall along the street, cut into segments, and the wall that faces the viewer."""
    pieces = []
    wall = Wall(house.number, "side", house.z1 - house.z0, house.height, shops=True, side=house.side)
    x = house.side * house.front
    start = max(house.z0, NEAR)
    while start < house.z1 - 0.01:
        end = min(house.z1, max(start * _SEGMENT, start + 1.5))
        if house.z1 - end < 0.8:
            end = house.z1
        top = min(house.height, camera.top_visible(end) + 0.5)
        # Left walls read from near to far, right walls from far to near, so that no sign is mirrored.
        if house.side < 0:
            bounds, depths = (start - house.z0, end - house.z0, 0.0, top), (start, end)
        else:
            bounds, depths = (house.z1 - end, house.z1 - start, 0.0, top), (end, start)
        pieces.append(wall_piece(wall, brief, tiles, ((x, depths[0]), (x, depths[1])), bounds))
        start = end
    if house.z0 > NEAR:
        inner, outer = x, x + house.side * house.width
        left, right = min(inner, outer), max(inner, outer)
        top = min(house.height, camera.top_visible(house.z0) + 0.5)
        front = Wall(house.number, "front", right - left, house.height, shops=False)
        ends = ((left, house.z0), (right, house.z0))
        pieces.append(wall_piece(front, brief, tiles, ends, (0.0, right - left, 0.0, top)))
    return pieces


def _sign_piece(style: SignStyle, x0: float, x1: float, z: float, v0: float, v1: float, gain: float) -> Piece:
    def paint(width: int, height: int) -> tuple[FloatArray, FloatArray | None]:
        return draw_sign(style, min(width, 900), min(height, 1800), gain)

    return Piece(x0, x1, z, z, v0, v1, paint, haze=0.8)


def _plain(color: FloatArray, x: float, z0: float, z1: float, v0: float, v1: float) -> Piece:
    def paint(width: int, height: int) -> tuple[FloatArray, None]:
        return np.broadcast_to(color, (4, 4, 3)).astype(np.float32), None

    return Piece(x, x, z0, z1, v0, v1, paint)


def _house_signs(house: House, brief: Brief) -> list[Piece]:
    """Signs that stand out from the wall over the pavement."""
    rng = generator(brief.seed, "signs", house.number)
    pieces: list[Piece] = []
    spots = np.arange(house.z0 + float(rng.uniform(0.3, 1.8)), house.z1 - 0.2, 2.6)
    for i, z in enumerate(float(z) for z in spots):
        skip, wide, jitter, low = rng.random(), float(rng.uniform(0.6, 1.15)), rng.uniform(0.95, 1.1), rng.random()
        style = pick_style(brief, rng, vertical=True)
        if z < 7.0 or skip < (0.22 if not brief.daylight else 0.6):
            continue
        if brief.words and i % 3 == 0:
            text = brief.words[house.number % len(brief.words)]
            style = SignStyle("tube", text, style.color, style.second, len(text) <= 10, style.seed)
        if i % 4 == 1:
            wide *= 1.45
        characters = len(style.text) if style.kind != "stack" else 3
        tall = float(np.clip(wide * (characters * 1.12 + 0.5), 1.8, 8.5) * jitter)
        v0 = 3.5 + float(low) * max(0.2, min(house.height * 0.62, 15) - tall - 3.5)
        if v0 + tall > house.height:
            continue
        pieces += _sign_board(house, style, z, wide, v0, v0 + tall, brief)
    return pieces


def _sign_board(
    house: House, style: SignStyle, z: float, wide: float, v0: float, v1: float, brief: Brief
) -> list[Piece]:
    """One projecting sign: its face, the edge that shows, and two brackets."""
    wall = house.side * house.front
    inner, outer = wall - house.side * 0.16, wall - house.side * (0.16 + wide)
    x0, x1 = min(inner, outer), max(inner, outer)
    color = np.asarray(style.color, np.float32) * np.float32(0.55 if style.kind == "box" else 0.06) + 0.015
    edge = x1 if house.side < 0 else x0
    bracket = partial(_flat, np.full(3, 0.015, np.float32))
    face = _sign_piece(style, x0, x1, z, v0, v1, brief.light.lamps)
    side = _plain(np.asarray(color, np.float32), edge, z, z + 0.22, v0, v1)
    heights = (v0 + (v1 - v0) * 0.15, v0 + (v1 - v0) * 0.85)
    brackets = [Piece(min(wall, inner), max(wall, inner), z, z, v, v + 0.06, bracket) for v in heights]
    return [face, side, *brackets]


def _flat(color: FloatArray, width: int, height: int) -> tuple[FloatArray, None]:
    return np.broadcast_to(color, (2, 2, 3)).astype(np.float32), None


def _skyline(brief: Brief, tiles: Tiles, first: int) -> list[Piece]:
    """Towers behind the houses and at the end of the street."""
    rng = generator(brief.seed, "skyline")
    pieces = []
    number = first
    spots = [(side * float(rng.uniform(30, 40 + z * 0.6)), z) for side in (-1, 1) for z in rng.uniform(60, 900, 26)]
    spots += [(float(rng.uniform(-0.20, 0.20)) * z, z) for z in rng.uniform(480, 1200, 12)]
    for x, z in spots:
        wide = float(rng.uniform(18, 52))
        if abs(x) - wide / 2 < 12 and z < 470:
            continue
        height = float(rng.uniform(45, 150)) + z * 0.10
        wall = Wall(number, "front", wide, height, shops=False)
        ends = ((x - wide / 2, float(z)), (x + wide / 2, float(z)))
        pieces.append(wall_piece(wall, brief, tiles, ends, (0.0, wide, 0.0, height)))
        number += 1
    return pieces


_CLOTHES: tuple[Rgb, ...] = (
    *((0.05, 0.06, 0.12), (0.16, 0.13, 0.10), (0.30, 0.05, 0.05), (0.32, 0.30, 0.27), (0.07, 0.13, 0.11)),
    *((0.36, 0.24, 0.08), (0.10, 0.16, 0.30), (0.05, 0.05, 0.05)),
)


def _walker_piece(walker: people.Walker, x: float, z: float, tall: float = 1.0) -> Piece:
    half = people.WIDE / 2 * tall

    def paint(width: int, height: int) -> tuple[FloatArray, FloatArray | None]:
        return people.draw_walker(walker, width, height)

    return Piece(x - half, x + half, z, z, 0.0, people.TALL * tall, paint, haze=0.8)


def _crowd(camera: Camera, brief: Brief) -> list[Piece]:
    """One walker near the middle, the others on the pavements and farther off."""
    rng = generator(brief.seed, "people")
    pieces = []
    hero = 0.0
    for i in range(brief.people):
        wet = brief.rain > 0.2 or brief.snow > 0.2
        colors: tuple[Rgb, ...] = (
            brief.neon[0],
            (0.05, 0.05, 0.07),
            (0.85, 0.9, 1.0),
            brief.neon[1],
            (0.9, 0.05, 0.05),
        )
        pick = int(rng.integers(len(colors)))
        first, second = brief.neon[0], brief.neon[1 if len(brief.neon) > 1 else 0]
        if rng.random() < 0.5:
            first, second = second, first
        walker = people.Walker(
            stride=int(rng.integers(3)),
            coat=int(rng.integers(3)),
            umbrella=colors[pick] if wet and (i == 0 or rng.random() < 0.8) else None,
            clear=pick == 2,
            bag=rng.random() < 0.4,
            flip=rng.random() < 0.5,
            left_light=first if not brief.daylight else brief.light.sun,
            right_light=second if not brief.daylight else (0.5, 0.55, 0.6),
            cloth=_CLOTHES[int(rng.integers(len(_CLOTHES)))] if brief.daylight else None,
        )
        if i == 0 and not brief.daylight:
            z = float(rng.uniform(6.6, 8.2))
            x = camera.x + float(rng.uniform(0.06, 0.16)) * z * (1 if rng.random() < 0.5 else -1)
        else:
            z = float(rng.uniform(11, 36))
            x = float(rng.uniform(LANE + 0.5, FRONT - 0.9)) * (1 if rng.random() < 0.5 else -1)
            if rng.random() < 0.2:
                x, z = float(rng.uniform(-LANE, LANE)), max(z, 18.0)
        if i and abs((x - camera.x) / z - hero) < 0.12:
            continue  # nobody hides behind the main figure
        hero = (x - camera.x) / z if i == 0 else hero
        pieces.append(_walker_piece(walker, x, z, float(rng.uniform(0.94, 1.04))))
    return pieces


def _traffic(brief: Brief) -> list[Piece]:
    """Cars leaving on the left, coming on the right."""
    rng = generator(brief.seed, "traffic")
    pieces = []
    paints: tuple[Rgb, ...] = ((0.9, 0.7, 0.1), (0.5, 0.5, 0.55), (0.1, 0.1, 0.12), (0.7, 0.08, 0.08))
    z = float(rng.uniform(15, 26))
    while z < 300:
        leaving = rng.random() < 0.55
        car = vehicles.Car(
            body=paints[int(rng.integers(4))],
            leaving=leaving,
            taxi=leaving and rng.random() < 0.5,
            rim=brief.neon[int(rng.integers(3))] if not brief.daylight else (0.75, 0.85, 1.0),
            level=1.0 if not brief.daylight else 8.0,
        )
        x = (-1.65 if leaving else 1.65) + float(rng.uniform(-0.15, 0.15))
        half = vehicles.WIDE / 2

        def paint(width: int, height: int, car: vehicles.Car = car) -> tuple[FloatArray, FloatArray | None]:
            return vehicles.draw_car(car, width, height)

        pieces.append(Piece(x - half, x + half, z, z, 0.0, vehicles.TALL, paint, haze=0.6))
        z += float(rng.uniform(5, 22)) * (1 + z / 120)
    return pieces


def _poles(brief: Brief) -> tuple[list[Piece], list[Cable]]:
    """Utility poles at the kerb with their tangle of cables."""
    rng = generator(brief.seed, "poles")
    pieces: list[Piece] = []
    cables: list[Cable] = []
    for side in (-1, 1):
        x = side * (LANE + 0.55)
        spots = np.arange(11.0 + float(rng.uniform(0, 4)) + (13 if side > 0 else 0), 150, 26.0)
        pole = partial(landmarks.draw_pole, brief)
        pieces += [Piece(x - 0.9, x + 0.9, float(z), float(z), 0.0, 9.6, pole) for z in spots]
        ends = [float(spots[0]) - 24.0, *map(float, spots)]
        for near, far in pairwise(ends):
            near = max(near, 2.2)
            for offset, v in ((-0.75, 8.9), (-0.3, 8.95), (0.3, 8.9), (0.75, 8.95), (0.1, 7.4), (0.05, 6.9)):
                sag = float(rng.uniform(0.3, 0.7))
                cables.append(((x + offset, v, near), (x + offset, v, far), sag))
    for _ in range(5):
        z, v = float(rng.uniform(10, 36)), float(rng.uniform(7, 10.5))
        tilt = float(rng.uniform(-3, 3))
        cables.append(
            ((-FRONT, v, z), (FRONT, v + float(rng.uniform(-1, 1)), max(6.0, z + tilt)), float(rng.uniform(0.6, 1.5)))
        )
    return pieces, cables
