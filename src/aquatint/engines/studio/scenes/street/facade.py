"""House walls: cladding, windows with rooms behind them, balconies, pipes and screens."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import FloatArray
from aquatint.engines.studio.kernels.noise import fbm, generator
from aquatint.engines.studio.scenes.street.brief import Brief
from aquatint.engines.studio.scenes.street.shops import SHOP_HEIGHT, paint_shops
from aquatint.engines.studio.scenes.street.signs import SignStyle, draw_sign, pick_color, pick_style
from aquatint.engines.studio.scenes.street.texture import Texture

_CEILING, _MIDDLE, _SILL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Wall:
    """One wall of one house."""

    number: int  # of the house
    face: str  # side (along the street) or front (across it)
    width: float  # metres
    height: float
    shops: bool  # whether its ground floor opens to the street
    side: int = 0  # -1 left row, 1 right row, 0 across the street


@dataclass(frozen=True, slots=True)
class Tiles:
    """Noise tiles, mirrored at their edges, that make walls and road uneven: (512, 512) about -1..1."""

    soft: FloatArray
    fine: FloatArray

    @classmethod
    def of(cls, seed: int) -> Tiles:
        """Draw the tiles of one picture."""
        return cls(fbm(512, 512, 5, 5, seed + 11), fbm(512, 512, 40, 3, seed + 12))


@dataclass(frozen=True, slots=True)
class _Style:
    """The architecture of one house."""

    albedo: FloatArray
    floor: float  # metres from floor to floor
    bay: float  # metres from window to window
    margin: float  # share of the bay that is wall, each side
    sill: float  # window's lower and upper edge as shares of the floor
    lintel: float
    mullions: int
    balconies: bool
    fins: bool
    strips: bool  # LED strips on the edges
    lived_in: bool  # warm and uneven light instead of offices
    clutter: float  # air conditioners, pipes, small signs


_NIGHT_TONES = ((0.34, 0.31, 0.30), (0.22, 0.24, 0.28), (0.30, 0.24, 0.21), (0.16, 0.17, 0.21))
_DAY_TONES = ((0.52, 0.46, 0.37), (0.40, 0.41, 0.42), (0.40, 0.20, 0.13), (0.46, 0.36, 0.26), (0.60, 0.58, 0.54))


def _style(rng: np.random.Generator, daylight: bool) -> _Style:
    kind = int(rng.choice(4, p=[0.34, 0.26, 0.24, 0.16]))  # flats, mixed use, offices, curtain wall
    tones = np.array(_DAY_TONES if daylight else _NIGHT_TONES, np.float32)
    shade = rng.uniform(0.42, 0.85) if not daylight else rng.uniform(0.75, 1.05)
    albedo = tones[int(rng.integers(len(tones)))] * np.float32(shade)
    floor = float(rng.uniform(2.9, 3.5))
    bay = float(rng.uniform(1.7, 2.9) if kind != 3 else rng.uniform(1.2, 1.6))
    margin = (0.16, 0.08, 0.12, 0.03)[kind] * float(rng.uniform(0.7, 1.3))
    sill, lintel = ((0.26, 0.84), (0.20, 0.86), (0.30, 0.82), (0.06, 0.95))[kind]
    return _Style(
        albedo=albedo,
        floor=floor,
        bay=bay,
        margin=margin,
        sill=sill,
        lintel=lintel,
        mullions=int(rng.integers(1, 3)) if kind != 3 else 0,
        balconies=kind == 0 and rng.random() < 0.7,
        fins=kind in (2, 3) and rng.random() < 0.5,
        strips=rng.random() < 0.18,
        lived_in=kind < 2,
        clutter=(0.9, 0.8, 0.3, 0.05)[kind],
    )


def paint_wall(texture: Texture, wall: Wall, brief: Brief, tiles: Tiles) -> FloatArray:
    """Paint the part of a wall that `texture` covers and light it: (h, w, 3) linear."""
    architecture = _style(generator(brief.seed, "house", wall.number), brief.daylight)
    rng = generator(brief.seed, "wall", wall.number, wall.face)
    texture.albedo[:] = architecture.albedo[:, None, None]
    if texture.meters_per_pixel < 0.25:
        texture.roughen(tiles.soft, 14.0, 0.30, stretch=3.5)
        texture.roughen(tiles.fine, 5.0, 0.22, stretch=1.6)
    base = SHOP_HEIGHT if wall.shops else 0.0
    _cladding(texture, wall, architecture, base)
    _windows(texture, wall, architecture, base, rng, brief)
    if architecture.balconies:
        _balconies(texture, wall, architecture, base)
    if architecture.fins:
        _fins(texture, wall, architecture, base)
    if texture.meters_per_pixel < 0.12:
        _clutter(texture, wall, architecture, base, rng)
    if wall.shops:
        paint_shops(texture, wall.width, brief, generator(brief.seed, "shops", wall.number, wall.face))
        _wall_signs(texture, wall, architecture, generator(brief.seed, "flush", wall.number, wall.face), brief)
    _screens(texture, wall, generator(brief.seed, "screen", wall.number, wall.face), brief)
    if architecture.strips and not brief.daylight:
        color = np.asarray(pick_color(brief.neon, generator(brief.seed, "strip", wall.number)), np.float32)
        thick = max(0.07, texture.meters_per_pixel * 0.8)
        for left in (0.05, wall.width - 0.05 - thick):
            texture.shine(left, left + thick, base + 1.5, wall.height, color * np.float32(1.1 * brief.light.lamps))
        texture.shine(0, wall.width, wall.height - thick, wall.height, color * np.float32(1.1))
    return texture.lit(_irradiance(texture, wall, brief))


def _irradiance(texture: Texture, wall: Wall, brief: Brief) -> FloatArray:
    """Light that falls on the wall: ambient, the street's glow from below, and pools of near signs. (3, h, w)."""
    if brief.daylight:
        v = np.asarray((texture.v_edges[:-1] + texture.v_edges[1:]) / 2, np.float32)
        u = np.asarray((texture.u_edges[:-1] + texture.u_edges[1:]) / 2, np.float32)
        return _daylight(u, v, wall, brief)
    # Pools of light are soft: a quarter of the density is enough.
    rows, columns = max(2, texture.height // 4), max(2, texture.width // 4)
    edge_v, edge_u = 0.5 / rows * (texture.v1 - texture.v0), 0.5 / columns * (texture.u1 - texture.u0)
    v = np.linspace(texture.v1 - edge_v, texture.v0 + edge_v, rows, dtype=np.float32)
    u = np.linspace(texture.u0 + edge_u, texture.u1 - edge_u, columns, dtype=np.float32)
    glow = 0.22 * np.exp(-v / 4.5) + 0.085 * np.exp(-v / 22.0)
    profile = brief.light.ambient[:, None] + brief.light.street[:, None] * glow[None]
    rng = generator(brief.seed, "pools", wall.number, wall.face)
    light = np.repeat(profile[:, :, None], len(u), axis=2)
    for _ in range(3):
        hue = np.asarray(pick_color(brief.neon, rng), np.float32) * np.float32(0.42)
        at_u, at_v = rng.uniform(0, wall.width), rng.uniform(3, min(wall.height, 22))
        reach = rng.uniform(2.5, 6.0)
        column = np.exp(-(((v - at_v) / (reach * 1.5)) ** 2))
        row = np.exp(-(((u - at_u) / reach) ** 2))
        light += hue[:, None, None] * (column[:, None] * row[None])
    planes = np.empty((3, texture.height, texture.width), np.float32)
    for plane, pools in zip(planes, light.astype(np.float32), strict=True):
        cv2.resize(pools, (texture.width, texture.height), dst=plane, interpolation=cv2.INTER_LINEAR)
    return planes


def _daylight(u: FloatArray, v: FloatArray, wall: Wall, brief: Brief) -> FloatArray:
    """Skylight, darker toward the street, and sun above the other row's shadow: broadcasts to (3, h, w)."""
    sky = 0.45 + 0.55 * np.clip(v / 30.0, 0, 1)
    profile = brief.light.ambient[:, None] * sky[None]
    light = np.asarray(profile[:, :, None], np.float32)
    facing = {brief.light.sun_side: 1.0, 0: 0.22}.get(wall.side, 0.0)
    if facing and max(brief.light.sun):
        rng = generator(brief.seed, "shadow", wall.number)
        steps = 3.0 + 7.0 * rng.random(4).astype(np.float32)
        edge = np.interp(u / max(wall.width, 1.0) * 4, np.repeat(np.arange(1, 5), 2) - 0.5, np.repeat(steps, 2))
        lit = np.clip((v[:, None] - edge[None]) / 0.25 + 0.5, 0, 1)
        sun = np.asarray(brief.light.sun, np.float32) * np.float32(facing)
        sunlit = sun[:, None, None] * lit.astype(np.float32)
        sunlit += light
        return np.asarray(sunlit, np.float32)
    return light


def _cladding(texture: Texture, wall: Wall, style: _Style, base: float) -> None:
    """Floor bands, panel joints and a parapet."""
    floors = np.arange(base, wall.height, style.floor, dtype=np.float32)
    whole = texture.along([0], [wall.width])
    lip = texture.above(floors - 0.10, floors + 0.12)
    texture.grid(whole, lip, np.broadcast_to(style.albedo * 1.5, (len(floors), 1, 3)), matte=True, opacity=0.8)
    shadow = texture.above(floors - 0.22, floors - 0.10)
    texture.grid(whole, shadow, np.zeros((len(floors), 1, 3), np.float32), matte=True, opacity=0.55)
    if texture.meters_per_pixel < 0.06:
        joints = np.arange(0, wall.width, style.bay, dtype=np.float32)
        lines = texture.along(joints - 0.012, joints + 0.012)
        texture.grid(
            lines,
            texture.above([base], [wall.height]),
            np.zeros((1, len(joints), 3), np.float32),
            matte=True,
            opacity=0.6,
        )
    texture.paint(0, wall.width, wall.height - 0.55, wall.height, style.albedo * 0.7)
    texture.paint(0, wall.width, wall.height - 0.12, wall.height, style.albedo * 1.9)


def _room_light(style: _Style, floors: int, bays: int, rng: np.random.Generator, share: float) -> FloatArray:
    """Light of every window: (floors, bays, 3)."""
    busy = rng.random((floors, 1))
    chance = np.where(busy > 0.86, 0.8, np.where(busy < 0.25, share * 0.25, share))
    lit = (rng.random((floors, bays)) < chance).astype(np.float32)
    tint = rng.random((floors, bays) if style.lived_in else (floors, 1)) * np.ones((floors, bays))
    colors = np.empty((floors, bays, 3), np.float32)
    colors[:] = (1.0, 0.66, 0.33)
    colors[tint > 0.55] = (1.0, 0.80, 0.55)
    colors[tint > 0.78] = (0.62, 0.86, 1.0)
    if style.lived_in:
        colors[tint < 0.07] = (0.95, 0.22, 0.55)
        colors[(tint > 0.07) & (tint < 0.12)] = (0.25, 0.45, 1.0)
    level = (0.22 + 0.85 * rng.random((floors, bays)) ** 2) * lit
    return np.asarray(colors * level[..., None], np.float32)


def _rooms(light: FloatArray, rng: np.random.Generator) -> FloatArray:
    """What is seen through each window, 5 x 6 cells: (floors, 5, bays, 6, 3)."""
    rows, columns = 5, 6
    floors, bays = light.shape[:2]
    shade = np.array([1.4, 1.05, 0.85, 0.68, 0.42], np.float32)[None, :, None, None]
    rooms = np.ones((floors, rows, bays, columns), np.float32) * shade
    rooms *= 0.9 + 0.2 * rng.random(rooms.shape, dtype=np.float32)
    drawn = rng.random((floors, bays, 2))
    for side, column in ((0, 0), (1, columns - 1)):  # curtains
        rooms[:, :, :, column] *= np.where(drawn[..., side] < 0.5, 0.45, 1.0)[:, None]
    rooms[:, :2] *= np.where(rng.random((floors, bays)) < 0.22, 0.45, 1.0)[:, None, :, None]  # blinds
    rooms[:, 3:] *= np.where(rng.random((floors, 2, bays, columns)) < 0.25, 0.5, 1.0)  # things on the sill
    return np.asarray(rooms[..., None] * light[:, None, :, None], np.float32)


def _soften(rooms: FloatArray, factor: int) -> FloatArray:
    """Interpolate each window's cells to `factor` times as many, without mixing neighbouring windows."""

    def weights(count: int) -> FloatArray:
        at = (np.arange(count * factor) + 0.5) / factor - 0.5
        distance = np.abs(np.clip(at, 0, count - 1)[:, None] - np.arange(count)[None])
        return np.asarray(np.clip(1 - distance, 0, 1), np.float32)

    vertical, horizontal = weights(rooms.shape[1]), weights(rooms.shape[3])
    return np.asarray(np.einsum("frbck,Rr,Cc->fRbCk", rooms, vertical, horizontal, optimize=True), np.float32)


def _reflections(
    style: _Style, base: float, shape: tuple[int, int, int, int], rng: np.random.Generator, brief: Brief
) -> FloatArray:
    """What the panes mirror: sky above, and at night neon from across the street. (rows, columns, 3)."""
    floors, rows, bays, columns = shape
    haze, zenith = np.asarray(brief.light.haze, np.float32), np.asarray(brief.light.zenith, np.float32)
    sky = haze * 0.16 + zenith * 0.25 if not brief.daylight else haze * 0.22 + zenith * 0.30
    light = sky * np.linspace(0.5, 1.4, floors * rows, dtype=np.float32)[:, None, None]
    broken = rng.random((floors, bays), dtype=np.float32) ** 2
    hue = np.asarray(brief.neon[int(rng.integers(3))], np.float32)
    if brief.daylight:
        clouds = 0.45 + 1.1 * np.repeat(np.repeat(broken, rows, axis=0), columns, axis=1)
        return np.asarray(light * clouds[..., None], np.float32)
    heights = base + (np.arange(floors * rows, dtype=np.float32) / rows) * style.floor
    slope = np.tile(np.linspace(0.25, 1.0, rows, dtype=np.float32), floors)[:, None]
    panes = np.repeat(np.repeat(broken, rows, axis=0), columns, axis=1) * slope
    mirrored = 0.11 * np.exp(-heights / 14)[:, None] * (0.15 + panes)
    return np.asarray(light + mirrored[..., None] * hue, np.float32)


def _windows(
    texture: Texture, wall: Wall, style: _Style, base: float, rng: np.random.Generator, brief: Brief
) -> None:
    """Glass with rooms behind: ceiling light, curtains, blinds, things on the sill; dark glass mirrors the sky."""
    bays = max(1, int(wall.width / style.bay))
    pitch = wall.width / bays
    floors = max(1, int((wall.height - base - 0.6) / style.floor))
    light = _room_light(style, floors, bays, rng, brief.light.windows)
    rooms = _rooms(light, rng)
    if texture.meters_per_pixel < 0.04:  # near enough to see that curtains and lamps have no pixels
        rooms = _soften(rooms, 3)
    rows, columns = rooms.shape[1], rooms.shape[3]
    cells = rooms.reshape(floors * rows, bays * columns, 3) + _reflections(
        style, base, (floors, rows, bays, columns), rng, brief
    )
    cells = np.asarray(cells, np.float32)
    left = np.arange(bays, dtype=np.float32)[:, None] * pitch + pitch * style.margin
    step = pitch * (1 - 2 * style.margin) / columns
    starts = (left + np.arange(columns, dtype=np.float32)[None] * step).ravel()
    bottom = base + np.arange(floors, dtype=np.float32)[:, None] * style.floor + style.floor * style.sill
    tall = style.floor * (style.lintel - style.sill) / rows
    lows = (bottom + np.arange(rows, dtype=np.float32)[None, ::-1] * tall).ravel()
    frame = 0.05
    texture.grid(
        texture.along(left.ravel() - frame, left.ravel() + step * columns + frame),
        texture.above(bottom.ravel() - frame, bottom.ravel() + tall * rows + frame),
        np.broadcast_to(style.albedo * 0.35, (floors, bays, 3)),
        matte=True,
    )
    texture.grid(texture.along(starts, starts + step), texture.above(lows, lows + tall), cells)
    if style.mullions and texture.meters_per_pixel < 0.12:
        shares = (np.arange(style.mullions, dtype=np.float32) + 1) / (style.mullions + 1)
        bars = (left + shares[None] * step * columns).ravel()
        dark = np.broadcast_to(style.albedo * 0.3, (floors, len(bars), 3))
        spans = texture.above(bottom.ravel(), bottom.ravel() + tall * rows)
        texture.grid(texture.along(bars - 0.03, bars + 0.03), spans, dark, matte=True)
    sill = texture.above(bottom.ravel() - 0.14, bottom.ravel() - 0.05)
    ledge = texture.along(left.ravel() - 0.1, left.ravel() + step * columns + 0.1)
    spill = np.asarray(light * 0.10 + style.albedo * 0.12, np.float32)
    if texture.meters_per_pixel < 0.12:
        texture.grid(ledge, sill, spill)


def _balconies(texture: Texture, wall: Wall, style: _Style, base: float) -> None:
    floors = np.arange(base + style.floor, wall.height - style.floor, style.floor, dtype=np.float32)
    if not floors.size:
        return
    bays = max(1, int(wall.width / style.bay))
    pitch = wall.width / bays
    lefts = np.arange(0, bays, 1, dtype=np.float32) * pitch
    across = texture.along(lefts + pitch * 0.06, lefts + pitch * 0.94)
    rail = np.broadcast_to(style.albedo * 0.55, (len(floors), bays, 3))
    texture.grid(across, texture.above(floors + 0.05, floors + 1.0), rail, matte=True, opacity=0.72)
    light = np.broadcast_to(style.albedo * 1.7, (len(floors), bays, 3))
    texture.grid(across, texture.above(floors + 0.98, floors + 1.07), light, matte=True)
    texture.grid(across, texture.above(floors - 0.16, floors + 0.06), light, matte=True)
    if texture.meters_per_pixel < 0.045:
        bars = np.arange(0, wall.width, 0.16, dtype=np.float32)
        dark = np.broadcast_to(style.albedo * 0.25, (len(floors), len(bars), 3))
        spans = texture.above(floors + 0.06, floors + 0.98)
        texture.grid(texture.along(bars, bars + 0.05), spans, dark, matte=True, opacity=0.8)


def _fins(texture: Texture, wall: Wall, style: _Style, base: float) -> None:
    bays = max(1, int(wall.width / style.bay))
    lines = np.arange(bays + 1, dtype=np.float32) * (wall.width / bays)
    whole = texture.above([base], [wall.height])
    bright = np.broadcast_to(style.albedo * 1.6, (1, len(lines), 3))
    dark = np.broadcast_to(style.albedo * 0.4, (1, len(lines), 3))
    texture.grid(texture.along(lines - 0.12, lines + 0.02), whole, bright, matte=True)
    texture.grid(texture.along(lines + 0.02, lines + 0.14), whole, dark, matte=True)


def _clutter(texture: Texture, wall: Wall, style: _Style, base: float, rng: np.random.Generator) -> None:
    """Air conditioners, pipes and cables on the wall: what makes an old street look lived in."""
    bays = max(1, int(wall.width / style.bay))
    pitch = wall.width / bays
    floors = int((min(wall.height, 40.0) - base) / style.floor)
    for floor in range(floors):
        for bay in range(bays):
            chance, kind, shift = rng.random(3)
            if chance > style.clutter * 0.42:
                continue
            u = bay * pitch + pitch * (0.10 + 0.5 * shift)
            v = base + floor * style.floor + (0.12 if kind < 0.7 else 0.3)
            texture.paint(u, u + 0.85, v, v + 0.62, style.albedo * 1.35 + 0.05)
            texture.paint(u + 0.08, u + 0.56, v + 0.07, v + 0.55, style.albedo * 0.35)
            texture.paint(u + 0.14, u + 0.50, v + 0.13, v + 0.49, style.albedo * 0.65)
            texture.paint(u, u + 0.85, v - 0.05, v, style.albedo * 0.15)
    for _ in range(1 + int(3 * style.clutter)):
        u, top = rng.uniform(0.2, max(0.3, wall.width - 0.3)), rng.uniform(0.4, 1.0) * wall.height
        texture.paint(u, u + 0.14, base, top, style.albedo * 0.45)
        texture.paint(u + 0.03, u + 0.06, base, top, style.albedo * 1.4)


def _wall_signs(texture: Texture, wall: Wall, style: _Style, rng: np.random.Generator, brief: Brief) -> None:
    """Light boxes between the floors, lying flat on the wall."""
    per_pixel = (texture.u1 - texture.u0) / texture.width, (texture.v1 - texture.v0) / texture.height
    for floor in range(3):
        roll, start, length = rng.random(3)
        look = pick_style(brief, rng, vertical=False)
        if roll > 0.62 - 0.12 * floor:
            continue
        wide = 2.2 + 3.2 * length
        u = start * max(0.1, wall.width - wide)
        v = SHOP_HEIGHT + (floor + 1) * style.floor - 0.55
        tall = 0.95 if floor else 1.15
        if not texture.shows(u, u + wide, v, v + tall):
            continue
        size = int(np.clip(wide / per_pixel[0], 4, 1200)), int(np.clip(tall / per_pixel[1], 4, 400))
        proportion = wide / tall
        natural = max(4, int(size[1] * proportion)) if size[1] * proportion < 2400 else size[0]
        light, alpha = draw_sign(look, natural, size[1], brief.light.lamps * 0.9)
        texture.plate(u, u + wide, v, v + tall, light, alpha)


def _screens(texture: Texture, wall: Wall, rng: np.random.Generator, brief: Brief) -> None:
    """A large video billboard on some walls."""
    roll, size, where, high = rng.random(4)
    first, second = pick_color(brief.neon, rng), pick_color(brief.neon, rng)
    if second == first:
        second = brief.neon[(brief.neon.index(first) + 1) % len(brief.neon)]
    look = SignStyle("screen", "", first, second, False, int(rng.integers(2**31)), brief.language)
    if roll > (0.34 if wall.face == "side" else 0.55) or wall.height < 20 or wall.width < 8:
        return
    wide = min(wall.width * 0.8, 6.0 + 6.0 * size)
    tall = wide * (0.62 if size < 0.6 else 1.25)
    u = where * (wall.width - wide)
    v = 9.0 + high * max(0.5, min(wall.height - tall - 11, 16))
    if v + tall > wall.height or not texture.shows(u, u + wide, v, v + tall):
        return
    rows = int(np.clip(tall / ((texture.v1 - texture.v0) / texture.height), 8, 900))
    light, _ = draw_sign(look, max(8, int(rows * wide / tall)), rows, 0.85 * brief.light.lamps)
    texture.paint(u - 0.25, u + wide + 0.25, v - 0.25, v + tall + 0.25, (0.03, 0.03, 0.035))
    texture.plate(u, u + wide, v, v + tall, light)
