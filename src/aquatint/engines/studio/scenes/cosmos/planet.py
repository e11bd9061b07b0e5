"""Planets: banded or rocky spheres with a lit rim of air, rings with gaps and shadows, moons."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import derive_seed, fbm
from aquatint.engines.studio.kernels.terrain_noise import Tile, make_tile, tile_fbm

PlaneF = npt.NDArray[np.float32]
ArrayF = npt.NDArray[np.float32]
Rgb = tuple[float, float, float]
Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Globe:
    """One body. Lengths in pixels of the picture."""

    x: float
    y: float
    radius: float
    dark: Rgb
    pale: Rgb
    crest: Rgb
    air: Rgb
    seed: int
    banded: bool = True
    rings: float = 0.0  # opacity of the rings, 0 for none
    ring_color: Rgb = (0.73, 0.63, 0.51)
    tilt: float = -0.36  # radians of the ring plane in the picture
    open: float = 0.26  # how far the rings open toward the viewer

    def box(self, width: int, height: int, top: int, bottom: int) -> tuple[int, int, int, int]:
        """Part of rows top..bottom that the body can touch: x0, x1, y0, y1; empty when x0 >= x1 or y0 >= y1."""
        reach = self.radius * (2.32 if self.rings else 1.45)
        x0, x1 = max(0, int(self.x - reach)), min(width, int(self.x + reach) + 1)
        return x0, x1, max(top, int(self.y - reach)), min(bottom, height, int(self.y + reach) + 1)


@dataclass(frozen=True, slots=True)
class Body:
    """A globe with its textures drawn, ready to be painted strip by strip."""

    globe: Globe
    skin: Tile
    profile: PlaneF  # ring opacity over 1.3 .. 2.3 radii


def embody(globe: Globe) -> Body:
    """Draw the textures of a globe."""
    skin = make_tile(tile_fbm(512, 8, 7, derive_seed(globe.seed, "surface"), gain=0.55))
    return Body(globe, skin, ring_profile(globe.seed) if globe.rings else np.zeros(4096, np.float32))


def ring_profile(seed: int) -> PlaneF:
    """Opacity of the rings by distance, 4096 samples over 1.3 .. 2.3 radii."""
    r = np.linspace(1.3, 2.3, 4096, dtype=np.float32)
    fine = np.clip(0.55 + 0.9 * fbm(2, 4096, 60, 6, derive_seed(seed, "rings"))[0], 0, 1)
    edge = smoothstep(1.32, 1.38, r) * smoothstep(2.25, 2.15, r)
    gap = 1 - 0.92 * smoothstep(0.045, 0.02, np.abs(r - 1.86)) - 0.5 * smoothstep(0.012, 0.004, np.abs(r - 2.12))
    return np.asarray(edge * gap * (0.30 + 0.70 * fine), dtype=np.float32)


def _ring_plane(globe: Globe, u: PlaneF, v: PlaneF) -> tuple[PlaneF, PlaneF]:
    """Distance in radii within the ring plane, and which half is nearer (> 0)."""
    along = u * math.cos(globe.tilt) - v * math.sin(globe.tilt)
    across = (u * math.sin(globe.tilt) + v * math.cos(globe.tilt)) / globe.open
    return np.sqrt(along * along + across * across).astype(np.float32), across.astype(np.float32)


def _profile_at(profile: PlaneF, distance: PlaneF) -> PlaneF:
    index = np.clip((distance - 1.3) * 4095, 0, 4095).astype(np.intp)
    return np.asarray(np.where((distance > 1.3) & (distance < 2.3), profile[index], 0), dtype=np.float32)


def _surface(globe: Globe, tile: Tile, x: PlaneF, y: PlaneF, z: PlaneF) -> ArrayF:
    """Albedo at points of the unit sphere."""
    lean = 0.34
    across = np.asarray(x * math.cos(lean) + y * math.sin(lean), np.float32)
    along = np.asarray(y * math.cos(lean) - x * math.sin(lean), np.float32)
    unit = 64.0
    if globe.banded:
        wave = tile.read(across * 1.1 + z * 0.6, along * np.float32(4), unit) * np.float32(0.11)
        bent = np.asarray(along * 5.2 + wave * 1.1, np.float32)
        belt = 0.47 + 0.15 * tile.read(np.asarray(3 + wave * 0.9, np.float32), bent, unit)
        thread = np.asarray(along * 22 + wave * 5, np.float32)
        streak = 0.48 + 0.13 * tile.read(across * 2.0 + z * 1.5, thread, unit)
        share = np.clip((belt - 0.24) * 2.1, 0, 1)
    else:
        share = smoothstep(0.38, 0.62, 0.5 + 0.15 * tile.read(across * 1.4 + z, along * 1.6, unit))
        streak = 0.48 + 0.14 * tile.read(across * 5 + z * 3, along * 5.5, unit)
    crest = np.clip(streak - 0.62, 0, 1) * 1.2
    planes = []
    for c in range(3):
        body = (globe.dark[c] + (globe.pale[c] - globe.dark[c]) * share) * (0.75 + 0.5 * streak)
        planes.append(body + (globe.crest[c] - body) * crest)
    return np.dstack(planes).astype(np.float32)


def paint_globe(image: ArrayF, body: Body, sun: Vector, top: int, width: int, height: int) -> None:
    """Lay a body over linear rows of the picture that start at row `top`, in place.

    `sun` is the unit vector (right, up, toward the viewer) to the light.
    """
    globe, profile = body.globe, body.profile
    x0, x1, y0, y1 = globe.box(width, height, top, top + image.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    area = image[y0 - top : y1 - top, x0:x1]
    u = ((np.arange(x0, x1, dtype=np.float32) + 0.5 - globe.x) / globe.radius)[None]
    v = ((np.arange(y0, y1, dtype=np.float32) + 0.5 - globe.y) / globe.radius)[:, None]
    u, v = np.broadcast_arrays(u, v)
    distance, nearer = _ring_plane(globe, u, v)
    ring = _profile_at(profile, distance)
    # The planet's shadow falls on the rings behind it, on the side away from the sun.
    behind = u * sun[0] - v * sun[1]
    off = np.abs(u * sun[1] + v * sun[0])
    shadow = smoothstep(0.10, -0.15, behind) * smoothstep(1.02, 0.94, off) * (distance < 2.3)
    ring_light = np.array(globe.ring_color, np.float32) * 0.85 * (1 - 0.93 * shadow * (nearer < 0.4))[..., None]
    if globe.rings:
        back = (ring * globe.rings * (nearer <= 0))[..., None]
        area += (ring_light - area) * back
    _paint_sphere(area, body, sun, u, v)
    if globe.rings:
        front = (ring * globe.rings * (nearer > 0))[..., None]
        area += (ring_light - area) * front


def _paint_sphere(area: ArrayF, body: Body, sun: Vector, u: PlaneF, v: PlaneF) -> None:
    globe, profile = body.globe, body.profile
    r = np.sqrt(u * u + v * v)
    z = np.sqrt(np.clip(1 - r * r, 0, 1))
    lit = u * sun[0] - v * sun[1]
    lambert = np.clip(lit + z * sun[2], 0, 1)
    if globe.rings:
        # And the rings draw a band of shadow across the planet: follow the light up to the ring plane.
        rise = np.float32(0.35 / globe.open)
        cast, _ = _ring_plane(globe, u + sun[0] * 0.28, v - sun[1] * 0.28 * rise)
        lambert = lambert * (1 - 0.55 * _profile_at(profile, cast))
    color = _surface(globe, body.skin, u, -v, z)
    edge = (1 - z) ** 2.5
    cover = np.clip((1 - r) * globe.radius + 0.5, 0, 1)[..., None]
    air = np.array(globe.air, np.float32)
    value = color * (lambert**0.8 * 1.5)[..., None] + air * (0.004 + edge * (0.02 + 1.1 * lambert))[..., None]
    area += (value - area) * cover
    halo = np.exp((r - 1) / -0.055) * np.clip(lit * 0.6 + 0.42, 0, 1) * (r >= 0.995)
    area += air * (halo * 0.55 * (1 - cover[..., 0]))[..., None]
