"""Sand dunes: sharp crests, slip faces, wind ripples, under any sun, moon or storm."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.kernels.terrain_march import View
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.terrain.foreground import lit_color
from aquatint.engines.studio.scenes.terrain.ground import NO_SNOW, Ground
from aquatint.engines.studio.scenes.terrain.heightfield import MAP_SIDE, Land, cast_shadows
from aquatint.engines.studio.scenes.terrain.light import Light, light_of, overcast, stormy
from aquatint.engines.studio.scenes.terrain.picture import Scene, develop, rescaled
from aquatint.engines.studio.scenes.terrain.props import birds
from aquatint.engines.studio.scenes.terrain.shading import Surroundings, make_textures, prepare, render_land
from aquatint.engines.studio.scenes.terrain.sight import hang_lamp
from aquatint.engines.studio.scenes.terrain.sky import paint_sky
from aquatint.engines.studio.scenes.terrain.together import together
from aquatint.engines.studio.styles.base import Easel, Rgb8

PlaneF = npt.NDArray[np.float32]
WORK_WIDTH = 2400
WORK_WIDTH_4K = 3400
CELL = 3.0  # metres; the dunes' map spans three kilometres
_SANDS = (
    ((0.50, 0.27, 0.12), (0.62, 0.37, 0.18)),  # red
    ((0.56, 0.38, 0.19), (0.68, 0.49, 0.27)),  # gold
    ((0.48, 0.37, 0.24), (0.58, 0.47, 0.32)),  # pale
)


def _profile(phase: PlaneF) -> PlaneF:
    """Height of a dune over one wavelength, 0..1: a long rise to a sharp crest, then the short slip face."""
    t = phase - np.floor(phase)
    rise = np.clip(t / 0.70, 0, 1)
    fall = np.clip((1 - t) / 0.30, 0, 1)
    return np.asarray(np.minimum(rise**1.25, fall**1.05), dtype=np.float32)


def _dunes(seed: int) -> Land:
    """Two trains of dunes bent by noise; the eye's map position lies in their middle."""
    n = MAP_SIDE
    rng = generator(seed, "dunes")
    z, x = (np.mgrid[0:n, 0:n].astype(np.float32)) * np.float32(CELL)
    heading = float(rng.uniform(-0.7, 0.7)) + (math.pi if rng.random() < 0.5 else 0.0)
    height = np.zeros((n, n), np.float32)
    for index, (length, tall, bend) in enumerate(((560.0, 66.0, 0.80), (210.0, 15.0, 0.70), (80.0, 1.6, 0.6))):
        part = derive_seed(seed, "train", index)
        turn = heading + 0.35 * index * float(rng.choice([-1, 1]))
        along = (x * math.cos(turn) + z * math.sin(turn)) / length
        warped = along + bend * fbm(n, n, 1700 / length, 2, part, gain=0.35) + float(rng.random())
        body = np.clip(0.62 + 0.85 * fbm(n, n, 1300 / length, 2, part + 1), 0.12, 1.3)
        height += np.float32(tall) * _profile(np.asarray(warped, np.float32)) * body
    height = np.asarray(cv2.GaussianBlur(height, (0, 0), 0.8), np.float32)
    slope_z, slope_x = np.gradient(height, CELL)
    return Land(
        height,
        slope_x.astype(np.float32),
        slope_z.astype(np.float32),
        np.clip(0.66 + height / 150, 0.5, 1.1).astype(np.float32),
        CELL,
    )


def _light(plan: Plan, time: str, seed: int) -> Light:
    weather = {wish.name: wish.strength for wish in plan.weather if wish.name not in plan.excluded}
    light = light_of(time, bool(generator(seed, "sun side").random() < 0.5))
    light = replace(light, mist=0.0, clouds=min(light.clouds, 0.22))
    if light.night:
        light = replace(light, exposure=0.85)
    if "clouds" in weather:
        light = overcast(replace(light, clouds=0.75), 0.1)
    if "storm" in weather:
        light = stormy(light)
    if "fog" in weather or "wind" in weather:
        dust = (light.horizon[0] * 0.8, light.horizon[1] * 0.68, light.horizon[2] * 0.5)
        light = replace(light, haze=dust, haze_amount=9.0 if "fog" in weather else 5.0)
    return light


def _ground(seed: int) -> Ground:
    sand = _SANDS[int(generator(seed, "sand").integers(len(_SANDS)))]
    return Ground(
        rock=sand, grass=sand, trees=sand, sand=sand[1], accent=sand[0], snow_line=NO_SNOW, tree_line=0.0,
        forest=0.0, strata=0.0, mottle=0.28, ripples=0.30,
    )  # fmt: skip


def _view(width: int, height: int, land: Land, seed: int) -> View:
    rng = generator(seed, "view")
    row, column = int(60 / CELL), int(MAP_SIDE * 0.5)
    # Stand on the highest ground near the edge of the map, so that a sweep of dunes lies ahead.
    window = land.height[row : row + 60, column - 120 : column + 120]
    best = np.unravel_index(int(np.argmax(window)), window.shape)
    z, x = (row + float(best[0])) * CELL, (column - 120 + float(best[1])) * CELL
    eye = float(window.max()) + float(rng.uniform(6, 13))
    focal = min(height * 1.30, max(width, height * 0.8))
    return View(width, height, focal, height * float(rng.uniform(0.34, 0.44)), eye, x, z)


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Paint dunes as a photograph would show them. Returns exactly (easel.height, easel.width, 3)."""
    seed = easel.seed
    rng = generator(seed, "desert")
    names = {subject.name: subject for subject in plan.subjects if subject.name not in plan.excluded}
    time = plan.time or ("night" if names.keys() & {"moon", "stars"} else None)
    time = time or ("golden_hour", "sunset", "morning")[int(rng.integers(3))]
    light = _light(plan, time, seed)
    if light.elevation > 30:
        light = replace(light, elevation=30.0)  # a high sun would leave the dunes without form
    easel.progress(0.05, "dunes")
    land, textures = together(lambda: _dunes(seed), lambda: make_textures(seed), easel.threads)
    sunlight = np.asarray(cv2.GaussianBlur(cast_shadows(land, light.direction), (0, 0), 0.9), np.float32)
    widest = WORK_WIDTH if max(easel.width, easel.height) <= 3072 else WORK_WIDTH_4K
    scale = min(1.0, widest / max(easel.width, easel.height))
    view = _view(max(16, round(easel.width * scale)), max(16, round(easel.height * scale)), land, seed)
    light = hang_lamp(light, land, view, generator(seed, "lamp"))
    around = Surroundings(land, _ground(seed), light, view, 4.0, 2400, False, far=2_800.0, roughness=0.025)
    scenery = prepare(around, textures, np.zeros_like(land.height), sunlight)
    layers = render_land(scenery, easel.threads, lambda done: easel.progress(0.25 + 0.45 * done, "shading"))
    sky = paint_sky(view, light, derive_seed(seed, "sky"), 1400)
    easel.progress(0.75, "developing")
    picture = develop(Scene(light, view, layers, sky, None, seed), easel.width, easel.height, easel.threads)
    if "bird" in names:
        out = rescaled(view, easel.width, easel.height)
        dark = lit_color((0.05, 0.05, 0.05), light, 0.2, 0.6)
        birds(picture, out.horizon, max(5, min(40, names["bird"].count)), seed, dark)
    easel.progress(1.0, "done")
    return picture
