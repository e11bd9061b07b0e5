"""The sea in perspective: waves hide each other, mirror the sky, glitter under the sun, break into foam."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels import terrain_march as march
from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import derive_seed
from aquatint.engines.studio.kernels.parallel import map_ordered
from aquatint.engines.studio.kernels.terrain_march import View
from aquatint.engines.studio.kernels.terrain_noise import Tile, make_tile, tile_fbm
from aquatint.engines.studio.kernels.terrain_ocean import ocean_patch
from aquatint.engines.studio.scenes.terrain.light import Light
from aquatint.engines.studio.scenes.terrain.shading import LandLayers
from aquatint.engines.studio.scenes.terrain.sky import Sky

PlaneF = npt.NDArray[np.float32]
ArrayF = npt.NDArray[np.float32]
Rgb = tuple[float, float, float]

BAND = 192
_SWELL, _CHOP, _RIPPLE = (256, 310.0), (256, 23.0), (256, 3.7)  # texels and metres of the patches
NO_BEACH = -1e3


@dataclass(frozen=True, slots=True)
class Waters:
    """The state of the sea and of its shore."""

    wind: float  # m/s
    heading: float  # radians
    deep: Rgb  # albedo of the water body
    shallow: Rgb
    sand: Rgb
    shore: float = NO_BEACH  # metres from the viewer to the waterline; NO_BEACH for open sea
    slant: float = 0.0  # how much the waterline turns away to the right, metres per metre


@dataclass(frozen=True, slots=True)
class _Sea:
    waters: Waters
    light: Light
    view: View
    sky: Sky
    swell: Tile
    chop: Tile
    ripple: Tile
    lace: Tile  # foam
    grain: Tile  # sand


def _shoreline(sea: _Sea, x: PlaneF) -> PlaneF:
    """Metres along the view where the water begins, for map positions x."""
    bays = sea.lace.read(x, np.zeros_like(x), 0.35) * np.float32(1.1)
    return np.asarray(sea.waters.shore + sea.waters.slant * x + bays, dtype=np.float32)


def _surface(sea: _Sea, x: PlaneF, z: PlaneF) -> ArrayF:
    """Height and the two slopes of the water at map positions: (..., 3)."""
    swell = sea.swell.read(x, z, _SWELL[0] / _SWELL[1])
    chop = sea.chop.read(x + z * np.float32(0.31), z - x * np.float32(0.22), _CHOP[0] / _CHOP[1])
    return swell + chop * np.float32(0.8)


def _ripples(sea: _Sea, x: PlaneF, z: PlaneF, footprint: PlaneF) -> ArrayF:
    """Slopes of the finest waves, which only the nearest water shows: (..., 2)."""
    fine = sea.ripple.read(x - z * np.float32(0.27), z + x * np.float32(0.19), _RIPPLE[0] / _RIPPLE[1])
    return np.asarray(fine[..., 1:] * np.clip(1 - footprint * 6, 0, 1)[..., None], dtype=np.float32)


def _mirror_sky(sea: _Sea, right: PlaneF, up: PlaneF, away: PlaneF) -> ArrayF:
    """Radiance of the sky in the given directions."""
    view, sky = sea.view, sea.sky
    forward = np.maximum(away, np.float32(0.05))
    columns = (view.width * 0.5 + view.focal * right / forward) * sky.scale - 0.5
    rows = (view.horizon + sky.above - view.focal * np.maximum(up, 0.004) / forward) * sky.scale - 0.5
    image = cv2.remap(
        sky.color,
        np.clip(columns, -1e4, 1e4).astype(np.float32),
        np.clip(rows, 0, sky.color.shape[0] - 1).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(image, dtype=np.float32)


def _water(sea: _Sea, x: PlaneF, depth: PlaneF, bearing: PlaneF, dip: PlaneF, thin: PlaneF) -> ArrayF:
    """Radiance of water. `dip` is the tangent below the horizon of each ray, `thin` 0 deep .. 1 wet sand."""
    light, view = sea.light, sea.view
    surface = _surface(sea, x, view.z + depth)
    footprint = depth * depth / (view.focal * view.eye)
    # What is finer than a pixel turns from shape into gloss.
    sharp = np.clip(1.25 - footprint * 0.22, 0.10, 1) * (1 - 0.85 * thin)
    ripples = _ripples(sea, x, view.z + depth, footprint) * np.float32(0.8) * (1 - 0.7 * thin)[..., None]
    slope_x, slope_z = surface[..., 1] * sharp + ripples[..., 0], surface[..., 2] * sharp + ripples[..., 1]
    gloss = np.float32(0.016 + 0.0035 * sea.waters.wind) * (1.05 - 0.75 * sharp)
    length = np.sqrt(1 + bearing * bearing + dip * dip)
    ray_x, ray_y, ray_z = bearing / length, -dip / length, 1 / length
    upright = 1 / np.sqrt(1 + slope_x * slope_x + slope_z * slope_z)
    normal_x, normal_z = -slope_x * upright, -slope_z * upright
    facing = ray_x * normal_x + ray_y * upright + ray_z * normal_z
    # Slopes turned away are hidden by the wave before them; what shows in their place faces the eye.
    cosine = np.clip(-facing, 0.07, 1)
    twice = 2 * facing
    image = _mirror_sky(
        sea,
        np.asarray(ray_x - twice * normal_x, np.float32),
        np.asarray(np.abs(ray_y - twice * upright) + gloss * 2, np.float32),
        np.asarray(ray_z - twice * normal_z, np.float32),
    )
    fresnel = np.clip(0.02 + 0.98 * (1 - cosine) ** 5, 0, 0.92 - gloss)
    lx, ly, lz = light.sky_direction
    half_y = np.maximum(ly - ray_y, 0.01)
    need_x, need_z = -(lx - ray_x) / half_y, -(lz - ray_z) / half_y
    miss = (need_x - slope_x) ** 2 + (need_z - slope_z) ** 2
    spread = 2 * (gloss + 0.004)
    glitter = np.exp(-miss / spread) * (0.34 / spread**0.5) * max(ly, 0.0) ** 0.35 * max(lz, 0.0) ** 2
    crest = np.clip(surface[..., 0] * (1.6 / max(sea.waters.wind**2 * 0.012, 0.1)), -1, 1.5)
    glow = np.clip(0.35 + 0.65 * crest, 0, 1.4) * sharp
    haze = 1 - np.exp(depth * np.float32(-light.haze_amount / 16_000))
    planes = []
    for c in range(3):
        body = (
            sea.waters.deep[c] + (sea.waters.shallow[c] - sea.waters.deep[c]) * np.clip(glow * 0.35 + thin, 0, 1)
        ) * (light.ambient[c] * 0.9 + light.sun[c] * 0.30 * max(ly, 0.1))
        value = image[..., c] * fresnel + body * (1 - fresnel) + glitter * light.sun[c] * fresnel * 2.2
        planes.append(value + (light.haze[c] * 0.5 + light.horizon[c] * 0.5 - value) * haze * 0.8)
    return np.dstack(planes).astype(np.float32)


def _foam(sea: _Sea, x: PlaneF, z: PlaneF, offshore: PlaneF, depth: PlaneF) -> PlaneF:
    """Share of foam 0..1: whitecaps on the open sea, lace and lines of surf near the shore."""
    lace = sea.lace.read(x, z, 9.0) * np.float32(0.6) + sea.lace.read(z, x, 62.0) * np.float32(0.6)
    coarse = sea.lace.read(x, z, 1.6)
    height = _surface(sea, x, z)[..., 0]
    limit = 0.30 * 0.25 * 0.21 * sea.waters.wind**2 / 9.81 * 4
    caps = smoothstep(limit * 1.25, limit * 2.0, height) * np.clip(sea.waters.wind / 11 - 0.45, 0, 1)
    caps = np.asarray(caps * np.clip(0.55 + 0.45 * coarse + 0.60 * lace, 0, 2), np.float32)
    caps = smoothstep(0.30, 0.85, caps) * np.float32(0.9)
    if sea.waters.shore <= NO_BEACH:
        return np.asarray(caps, dtype=np.float32)
    wavy = np.asarray(offshore + coarse * 0.45, np.float32)
    surf = np.exp(-np.square((wavy - 0.25) / 0.22)) * 1.1
    for distance, width, power in ((2.6, 0.75, 0.75), (7.5, 1.3, 0.62), (15.0, 2.0, 0.45)):
        roll = wavy - distance - 0.9 * sea.lace.read(x, np.full_like(x, distance * 31), 0.6)
        # A breaking front: sharp toward the shore, drawn out behind.
        surf += power * np.exp(np.where(roll < 0, roll / (0.16 * width), -roll / (1.1 * width)))
    torn = smoothstep(-0.35, 0.75, lace + 1.9 * surf - 0.95)
    return np.asarray(np.clip(caps + surf * torn, 0, 1) * (offshore > -0.6), dtype=np.float32)


def _sand(sea: _Sea, x: PlaneF, z: PlaneF, offshore: PlaneF, bearing: PlaneF, dip: PlaneF) -> ArrayF:
    """Radiance of the beach, dark and mirror-like where the water has just run off."""
    light = sea.light
    wet = smoothstep(-2.6, -0.3, offshore + 0.35 * sea.lace.read(x, z, 1.1))
    fine = 0.5 + 0.14 * sea.grain.read(x, z, 420.0) + 0.10 * sea.grain.read(z, x, 95.0)
    broad = np.clip(0.5 + 0.22 * sea.grain.read(x, z, 3.0), 0, 1)
    bumps = (sea.grain.read(x + 0.03, z, 16.0) - sea.grain.read(x - 0.03, z, 16.0)) * np.float32(0.14)
    bumps += (sea.grain.read(x + 0.004, z, 130.0) - sea.grain.read(x - 0.004, z, 130.0)) * np.float32(0.30)
    sx, sy, _ = light.direction
    lit = np.clip(sy + bumps * sx * (1 - wet), 0.02, 1.3)
    length = np.sqrt(1 + bearing * bearing + dip * dip)
    unit = np.asarray(1 / length, np.float32)
    image = _mirror_sky(sea, bearing * unit, dip * unit, unit)
    shine = (wet * np.clip(0.10 + 0.9 * (1 - dip / length) ** 4, 0, 0.75))[..., None]
    planes = [
        sea.waters.sand[c] * (0.66 + 0.42 * fine + 0.20 * broad) * (1 - 0.52 * wet)
        * (light.sun[c] * lit + light.ambient[c] * 0.85)
        for c in range(3)
    ]  # fmt: skip
    ground = np.dstack(planes).astype(np.float32)
    return np.asarray(ground * (1 - shine) + image * shine, dtype=np.float32)


def render_sea(
    waters: Waters, light: Light, view: View, sky: Sky, seed: int, threads: int, progress: Callable[[float], None]
) -> LandLayers:
    """Render sea and shore below the horizon as one layer; the view's eye is metres above the calm sea."""
    sea = _Sea(
        waters,
        light,
        view,
        sky,
        make_tile(ocean_patch(*_SWELL, waters.wind, waters.heading, 4.0, derive_seed(seed, "swell"))),
        make_tile(ocean_patch(*_CHOP, min(4.5, waters.wind), waters.heading + 0.5, 0.25, derive_seed(seed, "chop"))),
        make_tile(ocean_patch(*_RIPPLE, 1.7, waters.heading - 0.4, 0.03, derive_seed(seed, "ripple"))),
        make_tile(tile_fbm(512, 12, 5, derive_seed(seed, "lace"), gain=0.6, crest=True)),
        make_tile(tile_fbm(512, 8, 6, derive_seed(seed, "sand"), gain=0.7)),
    )
    layers = LandLayers(
        color=np.zeros((view.height, view.width, 4), np.float32),
        water=np.zeros((view.height, view.width), np.float32),
        mirror=np.zeros((1, view.width, 4), np.float32),
        first_row=view.height,
        depth=np.zeros((view.height, view.width), np.float32),
    )
    near = max(0.6, view.focal * view.eye / (view.height - view.horizon) * 0.45)
    depths = march.depth_samples(near, 30_000.0, 1500)

    def band(left: int) -> None:
        right = min(view.width, left + BAND)
        bearing = view.bearing(np.arange(left, right, dtype=np.float32))[None]
        _render_band(sea, layers, depths, bearing, left, right)
        progress(right / view.width)

    map_ordered(band, range(0, view.width, BAND), threads)
    return layers


def _render_band(sea: _Sea, layers: LandLayers, depths: PlaneF, bearing: PlaneF, left: int, right: int) -> None:
    view, waters = sea.view, sea.waters
    column = depths[:, None]
    x = bearing * column + np.float32(view.x)
    z: PlaneF = np.broadcast_to(column + np.float32(view.z), x.shape)
    height: PlaneF = _surface(sea, x, z)[..., 0]
    # Waves die out toward the shore and are too small to see far away.
    if waters.shore > NO_BEACH:
        off = np.asarray(z - np.float32(view.z) - _shoreline(sea, x), np.float32)
        height = np.asarray(height * smoothstep(0.0, 22.0, off), np.float32)
    rows = np.float32(view.horizon) - (height - np.float32(view.eye)) * (np.float32(view.focal) / column)
    top = max(0, int(view.horizon) - 1)
    hits = march.first_hits(rows.astype(np.float32), view.height).direct[top:]
    depth = march.depth_of_hits(rows.astype(np.float32), hits, depths, top)
    below = np.arange(top, view.height, dtype=np.float32)[:, None] + np.float32(0.5) - np.float32(view.horizon)
    cover = np.clip(below + 0.5, 0, 1) * np.ones_like(depth)
    dip = np.maximum(below, 0.2) / np.float32(view.focal)
    px = bearing * depth + np.float32(view.x)
    pz = depth + np.float32(view.z)
    offshore = depth - _shoreline(sea, px) if waters.shore > NO_BEACH else np.full_like(depth, 1e4)
    thin = np.clip(np.exp(-np.maximum(offshore, 0) / 7.0), 0, 1)
    color = _water(sea, px, depth, np.broadcast_to(bearing, depth.shape), np.broadcast_to(dip, depth.shape), thin)
    if waters.shore > NO_BEACH:
        beach = _sand(sea, px, pz, offshore, np.broadcast_to(bearing, depth.shape), np.broadcast_to(dip, depth.shape))
        color += smoothstep(0.55, -0.25, offshore)[..., None] * (beach - color)
    foam = _foam(sea, px, pz, offshore, depth)[..., None]
    light = sea.light
    white = np.array([0.80 * (light.sun[c] * 0.42 + light.ambient[c] * 0.95) for c in range(3)], np.float32)
    color += foam * np.exp(depth[..., None] * np.float32(-1 / 900)) * (white - color)
    layers.color[top:, left:right, :3] = color * cover[..., None]
    layers.color[top:, left:right, 3] = cover
    layers.depth[top:, left:right] = depth
