"""Trees of the middle ground: sprites standing on the land where the forest map allows, and in its mirror."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.scenes.terrain.foliage import Sprite, leafy, paste, spruce
from aquatint.engines.studio.scenes.terrain.ground import Ground
from aquatint.engines.studio.scenes.terrain.light import Light, Rgb
from aquatint.engines.studio.scenes.terrain.shading import GROVE_END, LandLayers, Scenery

PlaneF = npt.NDArray[np.float32]

MOST_TREES = 2200
VARIANTS = 6
_SIZE_STEP = 0.06  # trees within six per cent share a sprite


@dataclass(frozen=True, slots=True)
class _Tree:
    x: float
    depth: float
    base: float  # metres above the water
    tall: float  # metres
    kind: int
    tone: float


def tree_colors(light: Light, leaf: Rgb, lift: float = 1.0) -> tuple[Rgb, Rgb]:
    """Colours of a tree's dark inside and of its sunny side, for leaves of the given albedo."""
    shade = tuple(leaf[c] * light.ambient[c] * 0.30 for c in range(3))
    lit = tuple(leaf[c] * (light.sun[c] * 1.05 + light.ambient[c] * 1.1) * 1.5 * lift for c in range(3))
    return (shade[0], shade[1], shade[2]), (lit[0], lit[1], lit[2])


def _candidates(scenery: Scenery, forest: PlaneF, rng: np.random.Generator) -> list[_Tree]:
    view, land = scenery.view, scenery.land
    near, far = 70.0, GROVE_END
    half = view.width * 0.5 / view.focal * 1.04
    wanted = 20_000
    # Even density on the ground: depth grows with the square root, as the view widens.
    depth = np.sqrt(near**2 + (far**2 - near**2) * rng.random(wanted))
    x = view.x + (rng.random(wanted) * 2 - 1) * half * depth
    column = np.clip(x / land.cell - 0.5, 0, land.height.shape[0] - 1.001)
    row = np.clip((view.z + depth) / land.cell - 0.5, 0, land.height.shape[0] - 1.001)
    cells = (np.round(row).astype(np.intp), np.round(column).astype(np.intp))
    chance = rng.random(wanted)
    per_area = wanted / (half * (far**2 - near**2)) * 110.0  # candidates per tree's room
    share = forest[cells] / max(1.0, per_area)
    # Groves thin out toward the far end, where the cones of the forest take over.
    share = share * np.clip((far - depth) / (far * 0.3), 0, 1)
    keep = np.nonzero(chance < share)[0][:MOST_TREES]
    height = _height_at(scenery, x[keep], view.z + depth[keep])
    tall = 13 + 15 * rng.random(keep.size)
    kinds, tones = rng.integers(0, VARIANTS, keep.size), rng.random(keep.size)
    trees = [
        _Tree(float(x[i]), float(depth[i]), float(height[j]), float(tall[j]), int(kinds[j]), float(tones[j]))
        for j, i in enumerate(keep)
    ]
    return sorted(trees, key=lambda tree: -tree.depth)


def _height_at(scenery: Scenery, x: npt.NDArray[np.float64], z: npt.NDArray[np.float64]) -> PlaneF:
    plane, cell = scenery.surface[..., 0], scenery.surface_cell
    column, row = x / cell - 0.5, z / cell - 0.5
    last = plane.shape[0] - 2
    c, r = np.clip(column.astype(np.intp), 0, last), np.clip(row.astype(np.intp), 0, last)
    fc, fr = np.clip(column - c, 0, 1), np.clip(row - r, 0, 1)
    top = plane[r, c] * (1 - fc) + plane[r, c + 1] * fc
    bottom = plane[r + 1, c] * (1 - fc) + plane[r + 1, c + 1] * fc
    return np.asarray(top * (1 - fr) + bottom * fr, dtype=np.float32)


def _leaf(tree: _Tree, ground: Ground) -> tuple[Rgb, bool]:
    """Albedo of one tree, and whether it carries the season's accent."""
    if tree.tone < ground.accent_share:
        wobble = 0.7 + 0.6 * ((tree.tone * 97.3) % 1)
        red, green, blue = ground.accent
        return (red, green * wobble, blue), True
    a, b = ground.trees
    share = (tree.tone * 31.7) % 1
    mixed = tuple(a[c] + (b[c] - a[c]) * share for c in range(3))
    if ground.snow_on_trees:
        mixed = tuple(v + (0.62 - v) * 0.45 * ground.snow_on_trees for v in mixed)
    return (mixed[0], mixed[1], mixed[2]), False


def _sunlit(scenery: Scenery, tree: _Tree) -> float:
    side = scenery.relief.shape[0]
    column = min(side - 1, max(0, int(tree.x / scenery.land.cell)))
    row = min(side - 1, max(0, int((scenery.view.z + tree.depth) / scenery.land.cell)))
    return float(scenery.relief[row, column, 2])


class _Nursery:
    """Sprites by kind and size, resized once for all trees of nearly the same height."""

    def __init__(self, spruces: list[Sprite], leaves: list[Sprite], from_right: bool) -> None:
        self._stock = {False: spruces, True: leaves}
        self._from_right = from_right
        self._sized: dict[tuple[bool, int, int], Sprite] = {}

    def fetch(self, broad: bool, kind: int, tall: float) -> Sprite:
        stock = self._stock[broad]
        step = round(math.log(max(2.0, tall)) / _SIZE_STEP)
        key = (broad, kind % len(stock), step)
        if key not in self._sized:
            self._sized[key] = stock[key[1]].sized(round(math.exp(step * _SIZE_STEP)), self._from_right)
        return self._sized[key]


def plant_groves(scenery: Scenery, layers: LandLayers, forest: PlaneF, seed: int) -> None:
    """Draw the near trees into `layers`, far to near, upright and mirrored in the water."""
    rng = generator(seed, "groves")
    trees = _candidates(scenery, forest, rng)
    if not trees:
        return
    view, light, ground = scenery.view, scenery.light, scenery.ground
    tallest = max(tree.tall / tree.depth for tree in trees) * view.focal
    master = int(min(400, max(60, tallest)))
    snow = ground.snow_on_trees
    spruces = [spruce(master, generator(derive_seed(seed, "spruce"), i), snow) for i in range(VARIANTS)]
    leaves = [
        leafy(master, generator(derive_seed(seed, "leafy"), i), 0.75 if snow else 0.0)
        for i in range(3 if ground.accent_share * ground.accent_broad > 0 else 0)
    ]
    nursery = _Nursery(spruces, leaves, light.direction[0] > 0)
    for tree in trees:
        tall = round(tree.tall * view.focal / tree.depth)
        column, foot = view.column_of(tree.x, tree.depth), view.row_of(tree.base - 0.4, tree.depth)
        if tall < 3 or _hidden(layers, int(column), int(foot - tall * 0.5), tree.depth):
            continue
        leaf, accent = _leaf(tree, ground)
        broad = accent and (tree.tone * 53.1) % 1 < ground.accent_broad
        sprite = nursery.fetch(broad, tree.kind, tall * (0.8 if broad else 1.0))
        dark, lit = tree_colors(light, leaf)
        sun = 0.30 + 0.70 * _sunlit(scenery, tree)
        lit = (lit[0] * sun, lit[1] * sun, lit[2] * sun)
        haze = 1 - math.exp(-tree.depth / 19_000 * 1.6 * light.haze_amount)
        left = round(column - sprite.cover.shape[1] / 2)
        paste(layers.color, sprite, left, round(foot) - sprite.cover.shape[0], dark, lit, light.haze, haze)
        if scenery.water:
            mirrored = view.horizon + view.focal * (tree.base - 0.4 + view.eye) / tree.depth
            paste(
                layers.mirror,
                sprite,
                left,
                round(mirrored) - layers.first_row,
                dark,
                lit,
                light.haze,
                haze,
                flip=True,
            )


def _hidden(layers: LandLayers, column: int, row: int, depth: float) -> bool:
    """Whether land nearer than the tree covers its middle."""
    height, width = layers.depth.shape
    if not (0 <= column < width):
        return False
    seen = float(layers.depth[min(max(row, 0), height - 1), column])
    return 0 < seen < depth * 0.93
