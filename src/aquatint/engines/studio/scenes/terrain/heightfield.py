"""The land of one scene: heights in metres on a square map, and what follows from them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import fbm, ridged
from aquatint.engines.studio.kernels.terrain_erosion import Rain, erode

PlaneF = npt.NDArray[np.float32]

MAP_SIDE = 1024  # cells along one side of the map
MAP_METRES = 12_000.0
CELL = MAP_METRES / MAP_SIDE
EYE_X = 6_000.0  # where the viewer stands on the map, metres; the view is along +z
EYE_Z = 250.0


@dataclass(frozen=True, slots=True)
class Relief:
    """What kind of land: everything that the composition decides before the noise speaks."""

    amplitude: float = 1500.0  # metres of the high walls
    water: str = "lake"  # lake, river, none
    lake_end: float = 0.30  # map fraction along the view where the far shore lies
    lake_width: float = 1.0  # relative
    bend: float = 0.035  # how much the valley winds, map fraction
    bend_phase: float = 0.0
    hero_bearing: float = -0.16  # tangent of the main peak's bearing from the view axis; negative is left
    hero_distance: float = 0.58  # map fraction along the view
    hero_height: float = 1.0  # relative to amplitude
    roundness: float = 0.0  # 0 alpine .. 1 rolling hills
    cape_side: int = 0  # a wooded cape into the lake from the left (-1) or right (1); 0 for none
    cape_distance: float = 0.11  # map fraction along the view
    cape_reach: float = 0.05  # how far past the view axis, map fraction (negative stays short of it)


@dataclass(frozen=True, slots=True)
class Land:
    """Maps of (MAP_SIDE, MAP_SIDE) float32; row is depth along the view, column is left to right."""

    height: PlaneF  # metres above the water level
    slope_x: PlaneF  # metres per metre
    slope_z: PlaneF
    openness: PlaneF  # ambient light 0.45..1.15, lower in valleys
    cell: float = CELL

    @property
    def steepness(self) -> PlaneF:
        """1 - cosine of the slope angle, 0 flat .. 1 vertical."""
        cosine = 1 / np.sqrt(1 + self.slope_x**2 + self.slope_z**2)
        return np.asarray(1 - cosine, dtype=np.float32)


def _unit(plane: PlaneF) -> PlaneF:
    low, high = float(plane.min()), float(plane.max())
    return np.asarray((plane - low) / (high - low), dtype=np.float32)


def _mountains(seed: int, roundness: float) -> PlaneF:
    """Ridged multifractal bent by a domain warp, 0..1."""
    n = MAP_SIDE
    rows, columns = np.mgrid[0:n, 0:n].astype(np.float32)
    bend_x = fbm(n, n, 3, 4, seed + 1) * (0.12 * n)
    bend_y = fbm(n, n, 3, 4, seed + 2) * (0.12 * n)
    straight = ridged(n, n, 4, 8, seed + 3, gain=0.47)
    bent = cv2.remap(straight, columns + bend_x, rows + bend_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    ridges = np.asarray(bent, np.float32)
    swell = _unit(fbm(n, n, 2.2, 3, seed + 4))
    sharp = _unit(ridges) ** 1.4
    soft = _unit(np.asarray(cv2.GaussianBlur(ridges, (0, 0), 14), np.float32))
    mixed = 0.80 * (sharp * (1 - roundness) + soft * roundness) + 0.20 * swell
    return np.asarray(mixed, dtype=np.float32)


def _raw_height(relief: Relief, seed: int) -> PlaneF:
    n = MAP_SIDE
    v, u = (np.mgrid[0:n, 0:n].astype(np.float32)) / n
    axis = 0.5 + relief.bend * np.sin(v * 9 + relief.bend_phase) * smoothstep(0.03, 0.2, v)
    axis = axis + 0.05 * fbm(n, n, 2, 2, seed + 5) * smoothstep(0.05, 0.3, v)
    side = np.abs(u - axis)
    wobble = 0.030 * fbm(n, n, 9, 4, seed + 6)
    if relief.water == "lake":
        hills = smoothstep(0.035 * relief.lake_width, 0.20, side + wobble)
        end = smoothstep(relief.lake_end - 0.06, relief.lake_end + 0.06, v + wobble * 2.5)
        upland = np.maximum(hills, end)
        shore = np.maximum(upland, _cape(relief, u, v, wobble))
    else:
        hills = smoothstep(0.05, 0.24, side + wobble)
        upland = shore = np.full((n, n), 1.0, np.float32)
    back = smoothstep(0.18, 0.62, v)
    wall = np.maximum(smoothstep(0.08, 0.34, side), smoothstep(0.46, 0.74, v) * 0.95)
    hero_u = EYE_X / MAP_METRES + relief.hero_bearing * (relief.hero_distance - EYE_Z / MAP_METRES)
    hero = np.exp(-((u - hero_u) ** 2 + ((v - relief.hero_distance) * 0.8) ** 2) / 0.085**2)
    envelope = 0.10 + 0.42 * hills * (0.35 + 0.65 * back) + 1.0 * wall * (0.30 + 0.70 * back)
    rock = _mountains(seed, relief.roundness)
    height = rock * envelope + relief.hero_height * hero * (0.35 + 0.75 * rock) * 0.62
    height = height * relief.amplitude * 1.40 * smoothstep(0.0, 0.9, upland)
    bottom = 45.0 if relief.water == "lake" else 0.0
    plain = 38.0 if relief.water == "lake" else 12.0
    return np.asarray(height + plain * shore - bottom * (1 - smoothstep(0.0, 0.25, shore)), dtype=np.float32)


def _cape(relief: Relief, u: PlaneF, v: PlaneF, wobble: PlaneF) -> PlaneF:
    """A tongue of low land that breaks the straight line of a lake, 0..1."""
    if relief.cape_side == 0:
        return np.zeros_like(u)
    # Measured from the view axis, positive toward the side the cape grows from.
    outward = (u - 0.5) * relief.cape_side
    across = np.abs(v - relief.cape_distance - outward * 0.25 + wobble * 0.8)
    width = 0.004 + 0.10 * np.clip(outward + relief.cape_reach, 0, 0.3)
    tongue = smoothstep(1.5, 0.5, across / width)
    reach = smoothstep(-relief.cape_reach, -relief.cape_reach + 0.03, outward)
    return np.asarray(tongue * reach * np.float32(0.42), dtype=np.float32)


def _carve_river(height: PlaneF, relief: Relief) -> PlaneF:
    """Lay a winding river on the valley floor, after erosion would have filled it."""
    n = MAP_SIDE
    v, u = (np.mgrid[0:n, 0:n].astype(np.float32)) / n
    swing = 0.018 * np.sin(v * 47 + relief.bend_phase * 2) + 0.010 * np.sin(v * 96 + relief.bend_phase)
    course = 0.5 + swing * smoothstep(0.02, 0.10, v) + 0.004
    away = np.abs(u - course) * np.float32(MAP_METRES)
    half = 34 - 16 * smoothstep(0.05, 0.5, v)
    # The floor falls gently to the water; far up the valley the river leaves the view.
    floor = np.clip((away - half) * 0.035, -5.0, 40.0) - np.float32(0.4)
    share = smoothstep(420.0, 60.0, away) * smoothstep(0.42, 0.30, v)
    return np.asarray(height + (np.minimum(height, floor) - height) * share, dtype=np.float32)


def _weather_down(height: PlaneF, seed: int) -> PlaneF:
    """Erode coarse to fine: the large valleys come from the coarse maps, the gullies from the last."""
    result = height
    for level, (side, batches) in enumerate(((256, 9), (512, 4), (MAP_SIDE, 2))):
        cell = MAP_METRES / side
        small = cv2.resize(result, (side, side), interpolation=cv2.INTER_AREA) / np.float32(cell)
        # More than one droplet per fifty cells would dig the same hole many times at once.
        rain = Rain(droplets=side * side // 50, batches=batches)
        worn = erode(small, rain, seed * 31 + level)
        change = cv2.resize((worn - small) * np.float32(cell), (MAP_SIDE, MAP_SIDE), interpolation=cv2.INTER_CUBIC)
        result = result + change
    return np.asarray(result, dtype=np.float32)


def raise_land(relief: Relief, seed: int) -> Land:
    """Make the land. The same relief and seed give the same land at every picture size."""
    height = _raw_height(relief, seed)
    height = np.asarray(cv2.GaussianBlur(height, (0, 0), 1.1) * 0.75 + height * 0.25, np.float32)
    height = np.asarray(cv2.GaussianBlur(_weather_down(height, seed), (0, 0), 0.7), np.float32)
    if relief.water == "river":
        height = _carve_river(height, relief)
    elif relief.water == "none":
        height = np.maximum(height, np.float32(1.0))
    smooth = cv2.GaussianBlur(height, (0, 0), 0.8)
    slope_z, slope_x = np.gradient(smooth, CELL)
    openness = np.clip(1 - (cv2.GaussianBlur(height, (0, 0), 14) - height) / 260, 0.45, 1.15)
    return Land(
        height=height,
        slope_x=slope_x.astype(np.float32),
        slope_z=slope_z.astype(np.float32),
        openness=openness.astype(np.float32),
    )


def drift_shadows(seed: int, clouds: float) -> PlaneF:
    """Sunlight left by drifting clouds over the map, 0.25..1, soft-edged patches a kilometre or two wide."""
    patches = fbm(MAP_SIDE, MAP_SIDE, 7, 4, seed)
    edge = 0.42 - 0.75 * clouds
    return 1 - 0.75 * smoothstep(edge, edge + 0.22, patches)


def cast_shadows(land: Land, sun: tuple[float, float, float]) -> PlaneF:
    """Sunlight that reaches every cell, 0..1 with soft edges, by comparing with copies shifted to the sun.

    `sun` is the unit vector (right, up, away) to the light. The steps grow geometrically, as the penumbra does.
    """
    across = math.hypot(sun[0], sun[2])
    rise = sun[1] / max(across, 1e-3)
    lit = np.ones_like(land.height)
    side = land.height.shape[0]
    for step in np.geomspace(1.5, 220, 34):
        shift = np.array([[1, 0, sun[0] / across * step], [0, 1, sun[2] / across * step]], np.float32)
        ahead = cv2.warpAffine(
            land.height,
            shift,
            (side, side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        clear = (land.height + np.float32(step * land.cell * rise) - ahead) / np.float32(step * land.cell * 0.045)
        np.minimum(lit, np.clip(clear * 0.5 + 0.5, 0, 1), out=lit)
    return lit
