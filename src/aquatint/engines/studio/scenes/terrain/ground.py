"""What covers the land: rock, grass, forest, sand and snow, by season; as colours and as maps."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import fbm
from aquatint.engines.studio.scenes.terrain.heightfield import Land

PlaneF = npt.NDArray[np.float32]
Rgb = tuple[float, float, float]
NO_SNOW = 1e6


@dataclass(frozen=True, slots=True)
class Ground:
    """Linear albedo pairs (between the two, by noise) and where things grow."""

    rock: tuple[Rgb, Rgb]
    grass: tuple[Rgb, Rgb]
    trees: tuple[Rgb, Rgb]
    sand: Rgb
    accent: Rgb  # some trees: golden larch, blossom
    accent_share: float = 0.0
    accent_broad: float = 0.5  # share of them that are leafy trees rather than conifers
    snow_line: float = 1000.0  # metres; snow lies above
    tree_line: float = 800.0
    forest: float = 0.75  # share of the fit land that carries trees
    snow_on_trees: float = 0.0
    strata: float = 0.05  # how strongly rock shows its layers
    mottle: float = 1.0  # how much the colour varies from place to place
    ripples: float = 0.0  # steepness of the wind ripples on sand, metres per metre


_ROCKS: tuple[tuple[Rgb, Rgb], ...] = (
    ((0.27, 0.26, 0.26), (0.43, 0.40, 0.37)),  # limestone
    ((0.20, 0.205, 0.22), (0.36, 0.355, 0.36)),  # granite
    ((0.27, 0.22, 0.19), (0.44, 0.36, 0.29)),  # dolomite
)

_SEASONS: dict[str, Ground] = {
    "summer": Ground(
        _ROCKS[0], ((0.085, 0.115, 0.036), (0.205, 0.215, 0.080)), ((0.032, 0.066, 0.028), (0.075, 0.118, 0.038)),
        (0.21, 0.19, 0.155), (0.085, 0.118, 0.038), 0.20,
    ),
    "spring": Ground(
        _ROCKS[0], ((0.085, 0.135, 0.035), (0.20, 0.235, 0.075)), ((0.036, 0.070, 0.026), (0.088, 0.125, 0.045)),
        (0.21, 0.19, 0.155), (0.46, 0.30, 0.33), 0.035, accent_broad=1.0, snow_line=850.0,
    ),
    "autumn": Ground(
        _ROCKS[0], ((0.26, 0.19, 0.06), (0.36, 0.28, 0.10)), ((0.050, 0.065, 0.026), (0.12, 0.10, 0.035)),
        (0.21, 0.185, 0.15), (0.46, 0.20, 0.03), 0.50, accent_broad=0.35, snow_line=1100.0,
    ),
    "winter": Ground(
        _ROCKS[0], ((0.78, 0.82, 0.89), (0.88, 0.90, 0.94)), ((0.05, 0.075, 0.06), (0.09, 0.115, 0.09)),
        (0.70, 0.73, 0.78), (0.12, 0.13, 0.11), 0.2, snow_line=20.0, snow_on_trees=0.6, strata=0.03,
    ),
}  # fmt: skip

# Winter without snow: straw and bare woods.
_BARE_WINTER = Ground(
    _ROCKS[0], ((0.24, 0.20, 0.11), (0.33, 0.28, 0.17)), ((0.055, 0.06, 0.04), (0.11, 0.09, 0.06)),
    (0.38, 0.34, 0.28), (0.20, 0.15, 0.11), 0.4,
)  # fmt: skip


def ground_of(season: str, snow_allowed: bool, rock: int) -> Ground:
    """Give the ground of a canonical season; without snow allowed nothing is white, winter included."""
    ground = _SEASONS.get(season, _SEASONS["summer"])
    if not snow_allowed:
        ground = replace(_BARE_WINTER if season == "winter" else ground, snow_line=NO_SNOW, snow_on_trees=0.0)
    return replace(ground, rock=_ROCKS[rock % len(_ROCKS)])


def forest_map(land: Land, ground: Ground, seed: int) -> PlaneF:
    """Tree density 0..1 over the map: gentle slopes below the tree line, in groves rather than everywhere."""
    side = land.height.shape[0]
    groves = fbm(side, side, 26, 4, seed + 8)
    density = smoothstep(0.34, 0.17, land.steepness)
    density *= smoothstep(ground.tree_line, ground.tree_line * 0.55, land.height + groves * 260)
    density *= smoothstep(3.0, 14.0, land.height)
    density *= np.clip(0.75 + groves * 1.6, 0, 1)
    return density * np.float32(ground.forest)
