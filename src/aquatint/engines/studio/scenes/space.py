"""Space: nebulae, stars, ringed planets with moons, spiral galaxies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import rows_of
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.cosmos.nebula import Gas, band, nebula, spiral, star_field, star_glow
from aquatint.engines.studio.scenes.cosmos.planet import Body, Globe, embody, paint_globe
from aquatint.engines.studio.scenes.terrain.picture import TABLE_SIZE, TABLE_TOP, tone_table
from aquatint.engines.studio.styles.base import Easel, Rgb8

ArrayF = npt.NDArray[np.float32]
GAS_WIDTH = 1500  # the nebula is smooth and is enlarged

_GASES: dict[str, Gas] = {
    "magenta": Gas((0.95, 0.18, 0.42), (0.10, 0.30, 0.95), (1.0, 0.72, 0.40)),
    "teal": Gas((0.10, 0.75, 0.80), (0.30, 0.12, 0.75), (0.95, 0.90, 0.75)),
    "ember": Gas((1.0, 0.42, 0.12), (0.20, 0.15, 0.60), (0.95, 0.30, 0.55)),
    "gold": Gas((1.0, 0.62, 0.20), (0.55, 0.14, 0.10), (1.0, 0.88, 0.60)),
    "green": Gas((0.12, 0.70, 0.36), (0.05, 0.25, 0.45), (0.80, 0.95, 0.55)),
}
_GAS_OF_COLOR = {
    "red": "ember", "orange": "ember", "yellow": "gold", "gold": "gold", "green": "green", "cyan": "teal",
    "teal": "teal", "blue": "teal", "purple": "magenta", "pink": "magenta", "magenta": "magenta",
}  # fmt: skip
_SKINS = (
    ((0.10, 0.16, 0.30), (0.62, 0.50, 0.42), (0.95, 0.90, 0.85)),
    ((0.36, 0.16, 0.10), (0.85, 0.62, 0.38), (1.0, 0.93, 0.80)),
    ((0.08, 0.22, 0.28), (0.35, 0.62, 0.62), (0.92, 0.96, 1.0)),
    ((0.30, 0.12, 0.08), (0.72, 0.36, 0.20), (0.95, 0.75, 0.60)),
)


@dataclass(frozen=True, slots=True)
class _Stage:
    gas: ArrayF
    glow: ArrayF
    stars: npt.NDArray[np.uint8]
    bodies: tuple[Body, ...]
    sun: tuple[float, float, float]
    sun_place: tuple[float, float] | None  # fractions of width and height


def _choose_gas(plan: Plan, seed: int) -> Gas:
    for color in plan.colors:
        if color in _GAS_OF_COLOR:
            return _GASES[_GAS_OF_COLOR[color]]
    rng = generator(seed, "gas choice")
    return _GASES[("magenta", "teal", "ember", "magenta")[int(rng.integers(4))]]


def _globes(names: set[str], width: int, height: int, seed: int) -> tuple[Globe, ...]:
    rng = generator(seed, "globes")
    shorter = min(width, height)
    left = rng.random() < 0.5
    skin = _SKINS[int(rng.integers(len(_SKINS)))]
    x = width * float(rng.uniform(0.18, 0.34))
    bodies = []
    if "planet" in names or not names & {"galaxy", "stars"}:
        bodies.append(
            Globe(
                x if left else width - x,
                height * float(rng.uniform(0.60, 0.78)),
                shorter * float(rng.uniform(0.33, 0.44)),
                *skin,
                air=(0.35, 0.55, 1.0),
                seed=derive_seed(seed, "planet"),
                banded=bool(rng.random() < 0.75),
                rings=0.82 if rng.random() < 0.7 else 0.0,
                tilt=-0.36 if left else 0.36,
                open=float(rng.uniform(0.20, 0.32)),
            )
        )
    if bodies or "moon" in names:
        away = width * float(rng.uniform(0.60, 0.76))
        size = 0.045 if bodies else 0.20
        bodies.append(
            Globe(
                away if left else width - away, height * float(rng.uniform(0.20, 0.36)), shorter * size,
                (0.20, 0.19, 0.19), (0.48, 0.45, 0.42), (0.8, 0.8, 0.8), (0.05, 0.05, 0.06),
                seed=derive_seed(seed, "moon"), banded=False,
            )
        )  # fmt: skip
    return tuple(bodies)


def _stage(plan: Plan, easel: Easel) -> _Stage:
    width, height, seed = easel.width, easel.height, easel.seed
    names = {subject.name for subject in plan.subjects} - plan.excluded
    gas = _choose_gas(plan, seed)
    scale = min(1.0, GAS_WIDTH / max(width, height))
    small = max(16, round(width * scale)), max(16, round(height * scale))
    clouds = nebula(*small, gas, seed)
    where = band(*small, gas)
    if "galaxy" in names:
        clouds = clouds * np.float32(0.22) + spiral(*small, seed)
        where = np.full_like(where, 0.35)
    easel.progress(0.35, "stars")
    stars = star_field(width, height, where, seed)
    globes = _globes(names, width, height, seed)
    right = not globes or globes[0].x < width / 2
    sun = (0.74 if right else -0.74, 0.52, 0.36)
    length = math.sqrt(sum(v * v for v in sun))
    place = ((0.93, 0.10) if right else (0.07, 0.10)) if globes else None
    unit = (sun[0] / length, sun[1] / length, sun[2] / length)
    return _Stage(
        clouds,
        star_glow(stars, small[0] // 2, small[1] // 2),
        stars,
        tuple(embody(globe) for globe in globes),
        unit,
        place,
    )


def _glare(stage: _Stage, width: int, height: int, top: int, bottom: int) -> ArrayF:
    if stage.sun_place is None:
        return np.zeros((1, 1, 3), np.float32)
    x = (np.arange(width, dtype=np.float32)[None] - width * stage.sun_place[0]) / height
    y = (np.arange(top, bottom, dtype=np.float32)[:, None] - height * stage.sun_place[1]) / height
    away = np.sqrt(x * x + y * y)
    light = np.exp(away / -0.10) * 0.55 + np.exp(-np.square(away / 0.012)) * 6 + 0.010 / (away + 0.03)
    return np.asarray(light[..., None] * np.array([1.0, 0.90, 0.74], np.float32), dtype=np.float32)


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Paint space. Returns exactly (easel.height, easel.width, 3)."""
    easel.progress(0.02, "nebula")
    stage = _stage(plan, easel)
    width, height = easel.width, easel.height
    table = tone_table()
    grain = generator(easel.seed, "grain").normal(0, 0.010, (512, 512, 1)).astype(np.float32)
    result = np.empty((height, width, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        image = np.maximum(rows_of(stage.gas, width, height, top, bottom), 0)
        image += np.maximum(rows_of(stage.glow, width, height, top, bottom), 0)
        image += np.square(stage.stars[top:bottom] * np.float32(1.35 / 255))
        for body in reversed(stage.bodies):
            paint_globe(image, body, stage.sun, top, width, height)
        image += _glare(stage, width, height, top, bottom)
        image *= np.float32(1.35 / TABLE_TOP)
        np.clip(image, 0, 1, out=image)
        np.sqrt(image, out=image)
        rows = (np.arange(top, bottom) % 512)[:, None]
        image *= 1 + grain[rows, (np.arange(width) % 512)[None]]
        image *= np.float32(TABLE_SIZE - 1)
        np.clip(image, 0, TABLE_SIZE - 1, out=image)
        result[top:bottom] = table[image.astype(np.uint16)]

    run_strips(strip, height, easel.threads, 256)
    easel.progress(1.0, "done")
    return result
