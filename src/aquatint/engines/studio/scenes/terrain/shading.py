"""Seeing the land: march, materials, sunlight, haze; as layers that a picture is put together from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels import terrain_march as march
from aquatint.engines.studio.kernels.noise import derive_seed
from aquatint.engines.studio.kernels.parallel import map_ordered
from aquatint.engines.studio.kernels.terrain_march import View
from aquatint.engines.studio.kernels.terrain_noise import (
    Tile,
    conifer_tile,
    make_tile,
    tile_fbm,
    with_gradient,
)
from aquatint.engines.studio.scenes.terrain.ground import Ground
from aquatint.engines.studio.scenes.terrain.heightfield import Land
from aquatint.engines.studio.scenes.terrain.light import Light

PlaneF = npt.NDArray[np.float32]
ArrayF = npt.NDArray[np.float32]
PlaneI = npt.NDArray[np.int32]

BAND = 192  # columns rendered together; small enough for the caches
ROUGHNESS = 3.0  # metres of relief finer than the map, on middling slopes
ROUGH_SCALE = 0.9  # texels per metre of the relief tile
TREE_SPACING = 9.0  # metres
GROVE_END = 1100.0  # metres; nearer trees are drawn one by one, see groves
WATER_CODE, NO_TREE = 255, 0


@dataclass(frozen=True, slots=True)
class Textures:
    """Noise that lies on the ground; depends on nothing but the seed."""

    conifers: Tile  # height, tone, rank; see `conifer_tile`
    rough: Tile  # value, d/dx, d/dy
    broad: Tile  # value


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is looked at, from where, in which light."""

    land: Land
    ground: Ground
    light: Light
    view: View
    near: float  # metres of the first depth sample
    samples: int  # depth samples per column
    water: bool
    far: float = 11_500.0
    roughness: float = ROUGHNESS  # metres of relief finer than the map


@dataclass(frozen=True, slots=True)
class Scenery(Surroundings):
    """Everything that the shading reads; made once per picture."""

    surface: ArrayF = field(kw_only=True)  # (n, n, 3): height, forest density, cragginess
    relief: ArrayF = field(kw_only=True)  # (m, m, 4): slope x, slope z, sunlight, openness
    textures: Textures = field(kw_only=True)

    @property
    def surface_cell(self) -> float:
        return float(self.land.cell * self.land.height.shape[0] / self.surface.shape[0])


@dataclass(frozen=True, slots=True)
class LandLayers:
    """What the march saw. Radiance is linear; colours are premultiplied by their cover."""

    color: ArrayF  # (h, w, 4): land radiance and cover
    water: PlaneF  # (h, w): share of the pixel that is water
    mirror: ArrayF  # (h - first_row, w, 4): the land upside down as the water shows it, and its cover
    first_row: int  # row of the picture where `mirror` starts
    depth: PlaneF  # (h, w): metres, 0 where there is no land


def make_textures(seed: int) -> Textures:
    """Draw the tiles."""
    rough = 0.7 * tile_fbm(1024, 10, 6, derive_seed(seed, "rough"), gain=0.60)
    rough += 0.7 * tile_fbm(1024, 14, 6, derive_seed(seed, "crags"), gain=0.58, crest=True)
    return Textures(
        conifers=make_tile(conifer_tile(512, 32, derive_seed(seed, "conifers"))),
        rough=make_tile(with_gradient(rough)),
        broad=make_tile(tile_fbm(512, 4, 6, derive_seed(seed, "broad"))),
    )


def prepare(around: Surroundings, textures: Textures, forest: PlaneF, sunlight: PlaneF) -> Scenery:
    """Pack the maps so that a pixel needs few reads. `forest` and `sunlight` are maps 0..1 like the land's."""
    land = around.land
    side = land.height.shape[0] * 2
    craggy = 0.45 + 3.2 * np.clip(land.steepness - 0.08, 0, 0.6)
    packed = np.dstack([land.height, forest, craggy.astype(np.float32)])
    # Enlarged because `remap` knows only 32 positions between two cells, which would show as steps up close.
    surface = cv2.resize(packed, (side, side), interpolation=cv2.INTER_CUBIC)
    relief = np.dstack([land.slope_x, land.slope_z, sunlight, land.openness])
    return Scenery(
        land,
        around.ground,
        around.light,
        around.view,
        around.near,
        around.samples,
        around.water,
        around.far,
        around.roughness,
        surface=np.asarray(surface, np.float32),
        relief=np.asarray(relief, np.float32),
        textures=textures,
    )


def _read_map(plane: ArrayF, x: PlaneF, z: PlaneF, cell: float) -> ArrayF:
    inverse = np.float32(1 / cell)
    # Cell centres lie half a cell in; the same shift for every map keeps enlarged maps in register.
    half = np.float32(0.5)
    return np.asarray(
        cv2.remap(plane, x * inverse - half, z * inverse - half, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT),
        dtype=np.float32,
    )


def _raise_samples(scenery: Scenery, bearing: PlaneF, depths: PlaneF) -> tuple[PlaneF, npt.NDArray[np.uint8]]:
    """Heights (samples, columns) of what stands at every sample, and its code: water, bare or a tree's tone."""
    view = scenery.view
    x = view.x + bearing * depths
    z = np.broadcast_to(view.z + depths, x.shape)
    surface = _read_map(scenery.surface, x, z, scenery.surface_cell)
    base, forest, craggy = surface[..., 0], surface[..., 1], surface[..., 2]
    dry = base > 0.5 if scenery.water else np.ones(base.shape, bool)
    detail = scenery.textures.rough.read(x, z, ROUGH_SCALE)[..., 0] * craggy
    detail *= np.float32(scenery.roughness)
    if scenery.water:
        detail *= np.clip(base * np.float32(1 / 14), 0, 1)
    height = base + detail * dry
    tree = scenery.textures.conifers.read(x, z, 16 / TREE_SPACING, nearest=True)
    grown = tree[..., 0] * np.float32(TREE_SPACING)
    grown *= (tree[..., 2] < forest * np.clip((depths - GROVE_END * 0.7) / (GROVE_END * 0.3), 0, 1)) & dry
    height += grown
    code = np.where(grown > 0, 1 + (tree[..., 1] * 253).astype(np.uint8), NO_TREE).astype(np.uint8)
    if scenery.water:
        code[height <= 0] = WATER_CODE
    return height, code


def _materials(
    scenery: Scenery, height: PlaneF, steep: PlaneF, broad: PlaneF, fine: PlaneF, tree: PlaneF
) -> list[PlaneF]:
    """Albedo of every point as three planes. `tree` is 0 for open ground, else the tone of a tree."""
    g = scenery.ground
    grassy = np.clip((0.34 - steep) * 5 + (fine - 0.5) * 1.2, 0, 1)
    grassy *= np.clip((min(g.snow_line, 2200.0) * 0.86 - height) / 220 + broad - 0.35, 0, 1)
    snowy = np.clip((height - g.snow_line + (broad - 0.5) * 420 + (fine - 0.5) * 120) / 110, 0, 1)
    snowy *= np.clip((0.56 - steep) * 6 + fine - 0.5, 0, 1)
    sandy = np.clip(1 - height / (0.8 + 2.6 * fine), 0, 1) if scenery.water else np.zeros_like(height)
    layered = (0.72 + 0.56 * fine) * (1 + g.strata * np.sin(height * 0.06 + broad * 16))
    meadow = 0.75 + 0.5 * fine
    is_tree = tree > 0
    accent = is_tree & (np.mod(tree * 7.31, 1) < g.accent_share * np.clip(broad * 2 - 0.3, 0.15, 1.6))
    leaf = (0.50 + 0.85 * tree) * (0.62 + 0.76 * fine)
    dusted = is_tree * (g.snow_on_trees * (0.35 + 0.65 * fine))
    planes = []
    for c in range(3):
        rock = (g.rock[0][c] + (g.rock[1][c] - g.rock[0][c]) * broad) * layered
        rock += grassy * ((g.grass[0][c] + (g.grass[1][c] - g.grass[0][c]) * broad) * meadow - rock)
        rock += snowy * ((0.92, 0.945, 1.0)[c] - rock)
        rock += sandy * (g.sand[c] - rock)
        crown = (g.trees[0][c] + (g.trees[1][c] - g.trees[0][c]) * broad) * leaf
        # Autumn is not one yellow: the hue runs from rust to gold from tree to tree.
        gold = g.accent[c] * leaf * (0.65 + 0.7 * np.mod(tree * 23.9, 1) if c == 1 else 1.0)
        crown = np.where(accent, gold, crown)
        crown += dusted * ((0.80, 0.84, 0.91)[c] - crown)
        planes.append(np.where(is_tree, crown, rock).astype(np.float32))
    return planes


def _wind_ripples(scenery: Scenery, x: PlaneF, z: PlaneF, depth: PlaneF) -> PlaneF:
    """Slope of the small ripples that wind leaves on sand: wavy lines, steeper on one side, only seen close by."""
    wander = scenery.textures.broad.read(x, z, 4.0) * np.float32(1.6) + scenery.textures.broad.read(z, x, 0.9) * 3
    phase = x * np.float32(11.0) + z * np.float32(4.0) + wander
    wave = np.sin(phase) + 0.35 * np.sin(2 * phase + 0.8)
    # They end where a pixel would cover most of one: seen from some nine metres up.
    blurred = np.maximum(depth * depth * np.float32(4.0 / 9.0), depth * 11) / np.float32(scenery.view.focal)
    strength = scenery.ground.ripples * np.clip(1.25 - blurred / 1.7, 0, 1) * (0.7 + 0.3 * np.sin(wander))
    return np.asarray(wave * strength, dtype=np.float32)


def _shade(
    scenery: Scenery, x: PlaneF, depth: PlaneF, height: PlaneF, tree: PlaneF, bearing: PlaneF, rise: PlaneF
) -> ArrayF:
    """Radiance of points in (rows, columns) blocks; `rise` is the tangent of the view ray's elevation."""
    light, view = scenery.light, scenery.view
    z = view.z + depth
    relief = _read_map(scenery.relief, x, z, scenery.land.cell)
    rough = scenery.textures.rough.read(x, z, ROUGH_SCALE)
    fine = np.clip(scenery.textures.rough.read(x, z, 5.0)[..., 0] * np.float32(0.2) + np.float32(0.5), 0, 1)
    broad = np.clip(scenery.textures.broad.read(x, z, 0.06) * np.float32(0.2) + np.float32(0.5), 0, 1)
    if scenery.ground.mottle != 1.0:
        fine = (fine - 0.5) * np.float32(scenery.ground.mottle) + 0.5
        broad = (broad - 0.5) * np.float32(scenery.ground.mottle) + 0.5
    # Fine relief fades where a pixel is wider than the bumps, or far slopes would glitter.
    gentle = relief[..., 0] * relief[..., 0] + relief[..., 1] * relief[..., 1]
    bump = np.float32(ROUGH_SCALE * scenery.roughness) * np.clip(6500 / (depth + 900), 0.5, 1.0)
    bump *= 0.40 + 1.25 * np.clip(gentle * 1.6, 0, 1)
    normal_x = -relief[..., 0] - rough[..., 1] * bump
    normal_z = -relief[..., 1] - rough[..., 2] * bump
    if scenery.ground.ripples:
        normal_x += _wind_ripples(scenery, x, z, depth)
    upright = 1 / np.sqrt(normal_x * normal_x + normal_z * normal_z + 1)
    normal_x *= upright
    normal_z *= upright
    albedo = _materials(scenery, height, np.asarray(1 - upright, np.float32), broad, fine, tree)
    sx, sy, sz = light.direction
    lx, ly, lz = light.sky_direction
    lambert = np.maximum(0, normal_x * sx + upright * sy + normal_z * sz)
    lambert = np.where(tree > 0, 0.30 + 0.55 * lambert, lambert) * relief[..., 2]
    sky = (0.45 + 0.55 * upright) * relief[..., 3]
    bounce = 0.09 * np.maximum(0, -normal_x * sx - normal_z * sz)
    thick = (0.35 + 1.25 * np.exp(np.maximum(height, 0) * np.float32(-1 / 420))) * light.haze_amount
    haze = 1 - np.exp(depth * np.float32(-1 / 19_000) * thick)
    toward = np.maximum(0, bearing * lx + rise * ly + lz) / np.sqrt(1 + bearing * bearing + rise * rise)
    toward = toward**6
    planes = []
    for c in range(3):
        lit = albedo[c] * (light.sun[c] * lambert + light.ambient[c] * sky + light.sun[c] * bounce)
        veil = light.haze[c] + (light.haze_sun[c] - light.haze[c]) * toward
        # Blue is scattered in first and red last.
        planes.append(lit + (veil - lit) * np.minimum(haze * (0.92, 1.0, 1.08)[c], 1))
    return np.dstack(planes).astype(np.float32)


def _shade_pixels(
    scenery: Scenery, hits: PlaneI, code: npt.NDArray[np.uint8], bearing: PlaneF, distance: PlaneF, first_row: int
) -> tuple[ArrayF, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Shade a band: radiance (rows, columns, 3), where land was hit, where water was hit."""
    view, count = scenery.view, scenery.samples
    columns = np.arange(hits.shape[1])[None]
    struck = hits < count
    safe = np.minimum(hits, count - 1)
    found = code[safe, columns]
    wet = struck & (found == WATER_CODE)
    solid = struck & ~wet
    color = np.zeros((*hits.shape, 3), np.float32)
    rows, cols = np.nonzero(solid)
    if rows.size == 0:
        return color, solid, wet
    # Land pixels only, folded into blocks: `remap` wants planes, and the sky need not be shaded.
    fold = 256
    padded = -(-rows.size // fold) * fold
    take = np.minimum(np.arange(padded), rows.size - 1)
    r, c = rows[take].reshape(-1, fold), cols[take].reshape(-1, fold)
    depth = distance[r, c]
    ray = bearing[0, c]
    rise = (view.horizon - (r + np.float32(first_row + 0.5))) / np.float32(view.focal)
    height = view.eye + rise * depth
    if first_row:
        height = -height  # seen in the water: the ray goes down to the mirrored point
    tone = found[r, c].astype(np.float32) * np.float32(1 / 254)
    lit = _shade(
        scenery, view.x + ray * depth, depth, height.astype(np.float32), tone, ray, np.abs(rise).astype(np.float32)
    )
    color[rows, cols] = lit.reshape(-1, 3)[: rows.size]
    return color, solid, wet


def _soften_crests(
    color: ArrayF, cover: PlaneF, hits: march.Hits, depths: PlaneF, count: int
) -> tuple[ArrayF, PlaneF]:
    """Antialias every ridge against what lies behind it, by the exact row of its crest."""
    direct, columns = hits.direct, np.arange(hits.direct.shape[1])[None]
    height = direct.shape[0]
    packed = np.dstack([color, cover])
    above, below = direct[:-1], direct[1:]
    far = np.append(depths[:, 0], np.float32(1e9))
    edge = (far[above] > far[below] * np.float32(1.02)) & (cover[1:] > 0)
    crest = hits.crest[np.maximum(above - 1, 0), columns]
    boundary = np.arange(1, height, dtype=np.float32)[:, None]
    reach = np.clip(boundary - crest, -0.5, 0.5) * edge  # how far the near land rises into the row above
    up = np.maximum(reach, 0)[..., None]
    down = np.maximum(-reach, 0)[..., None]
    result = packed.copy()
    result[:-1] += up * (packed[1:] - packed[:-1])
    result[1:] += down * (packed[:-1] - packed[1:])
    return result, result[..., 3]


def render_land(scenery: Scenery, threads: int, progress: Callable[[float], None]) -> LandLayers:
    """Render all layers at the size of `scenery.view`, in column bands on `threads` threads."""
    view = scenery.view
    first = max(0, min(view.height - 1, int(view.horizon))) if scenery.water else view.height
    depths = march.depth_samples(scenery.near, scenery.far, scenery.samples)[:, None]
    layers = LandLayers(
        color=np.zeros((view.height, view.width, 4), np.float32),
        water=np.zeros((view.height, view.width), np.float32),
        mirror=np.zeros((view.height - first, view.width, 4), np.float32),
        first_row=first,
        depth=np.zeros((view.height, view.width), np.float32),
    )

    def band(left: int) -> None:
        right = min(view.width, left + BAND)
        bearing = view.bearing(np.arange(left, right, dtype=np.float32))[None]
        height, code = _raise_samples(scenery, bearing, depths)
        per_metre = np.float32(view.focal) / depths
        seen = np.maximum(height, 0) if scenery.water else height
        rows = np.float32(view.horizon) - (seen - np.float32(view.eye)) * per_metre
        hits = march.first_hits(rows, view.height)
        distance = march.depth_of_hits(rows, hits.direct, depths[:, 0])
        color, solid, wet = _shade_pixels(scenery, hits.direct, code, bearing, distance, 0)
        packed, _ = _soften_crests(color, solid.astype(np.float32), hits, depths, scenery.samples)
        layers.color[:, left:right] = packed
        layers.water[:, left:right] = wet
        layers.depth[:, left:right] = np.where(solid, distance, np.float32(0))
        if scenery.water:
            rows = np.float32(view.horizon) + (height + np.float32(view.eye)) * per_metre
            wet_samples = code == WATER_CODE
            mirrored = march.mirrored_hits(
                np.where(wet_samples, np.float32(-1e4), rows), wet_samples, hits.direct[first:], first
            )
            distance = march.depth_of_hits(rows, mirrored, depths[:, 0], first)
            color, solid, _ = _shade_pixels(scenery, mirrored, code, bearing, distance, first)
            layers.mirror[:, left:right, :3] = color
            layers.mirror[:, left:right, 3] = solid
        progress(right / view.width)

    map_ordered(band, range(0, view.width, BAND), threads)
    return layers
